/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a routing rule does with a fax: the methods and their settings, as a person writes them and as they are kept.
 *
 * Kept settings are complete (defaults filled in) and hold what a delivery needs, so that one which waits goes on as it
 * was meant, whatever becomes of its rule.
 *
 * Thread: loop (a user is looked up), else any.
 */
#ifndef FAXD_SPOOL_ROUTE_METHOD_H
#define FAXD_SPOOL_ROUTE_METHOD_H

#include "spool/route_fault.h"

#include <jansson.h>
#include <stdbool.h>

#define ROUTE_METHODS_MAX 8
#define ROUTE_TARGET_SIZE 256
#define ROUTE_ARGV_MAX    32
#define ROUTE_TIMEOUT_MAX 3600

struct spool;

/* Stored in rows: never renumber. */
enum route_kind {
    ROUTE_FOLDER = 1,
    ROUTE_EMAIL = 2,
    ROUTE_WEBHOOK = 3,
    ROUTE_PRINT = 4,
    ROUTE_COMMAND = 5,
    ROUTE_INBOX = 6
};

struct route_method {
    enum route_kind kind;
    json_t *settings; /* its own reference */
};

/* What a rule may do here. */
struct route_policy {
    bool trusted;            /* it stands in the configuration: any folder, any program */
    const char *folder_root; /* absolute, "" = none: no rule of the API may name a folder */
    const char *command_dir; /* the same for programs */
    bool mail;               /* there is somebody who sends e-mail */
    struct spool *spool;     /* to look users up, NULL = not looked */
};

const char *route_kind_name(enum route_kind kind); /* "folder" */

/* Read the list at "/methods": 1 to ROUTE_METHODS_MAX. The count; faults are told. `before` (of `before_count`) is what
 * the rule did until now: a webhook whose address stays keeps its secret. The caller clears each. */
int route_methods_read(struct route_method methods[ROUTE_METHODS_MAX], const json_t *list,
                       const struct route_policy *policy, const struct route_method *before, int before_count,
                       struct route_faults *faults);
void route_method_clear(struct route_method *method);

/* From a row: kept settings. False when they are not such. */
bool route_method_load(struct route_method *method, const json_t *settings);

/* Does the path say that it lies in the folder, or is it the folder? Slashes behind `root` do not count. Pure. */
bool route_path_lies_in(const char *path, const char *root);

/* As the API shows it, new reference; secrets only when asked for. */
json_t *route_method_json(const struct route_method *method, bool with_secrets);

/* Where it goes, in a line without secrets: "/srv/fax", "sales@example.org", "https://host". Returns `target`. */
char *route_method_target(char target[ROUTE_TARGET_SIZE], const struct route_method *method);

#endif
