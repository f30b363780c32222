/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: any octets as the conditions and methods of an inbound rule. */
#include "config.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spool/inbound_match.h"
#include "spool/route_method.h"
#include "spool/route_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void tell(void *context, const char *pointer, const char *code, const char *message)
{
    (void)context;
    if (*pointer != '/' || !*code || !*message)
        abort(); /* every fault has a place and a sentence */
}

static void meet(const struct inbound_match *match)
{
    const struct inbound_facts facts = {.did = "1002",
                                        .from = "",
                                        .station_id = "ACME",
                                        .subaddress = "",
                                        .line = "a/b",
                                        .pages = 1,
                                        .at_ms = 1795176000000};
    char why[INBOUND_WHY_SIZE];
    if (inbound_match_meets(why, match, &facts) == (*why != '\0'))
        abort();
}

/* What is kept is read again alike. */
static void keep(const struct route_method *method)
{
    char target[ROUTE_TARGET_SIZE];
    struct route_method again;
    if (!route_method_load(&again, method->settings) || again.kind != method->kind)
        abort();
    json_decref(route_method_json(&again, true));
    route_method_target(target, &again);
    route_method_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct route_policy policy = {.folder_root = "/srv/fax", .command_dir = "/opt/fax", .mail = true};
    struct route_method methods[ROUTE_METHODS_MAX];
    struct route_faults faults = {tell, NULL, 0};
    struct inbound_match match;
    json_t *root = json_loadb((const char *)data, size, 0, NULL);

    inbound_match_read(&match, json_object_get(root, "match"), &faults);
    if (faults.count == 0)
        meet(&match);
    int count = route_methods_read(methods, json_object_get(root, "methods"), &policy, NULL, 0, &faults);
    for (int i = 0; i < count; i++) {
        if (faults.count == 0)
            keep(&methods[i]);
        route_method_clear(&methods[i]);
    }
    inbound_match_clear(&match);
    json_decref(root);
    return 0;
}
