/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Method folder: a file under a name of the fax's own, stored by a process of its own (route_store.h). */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/route/route_private.h"

#include "server/base/err.h"
#include "server/route/route_store.h"
#include "spool/inbound_rule.h"
#include "spool/page_style.h"
#include "spool/route_fax.h"
#include "spool/route_name.h"
#include "spool/spool.h"

#include <sys/wait.h>

#define TIMEOUT_S 120

static void on_stored(void *context, const struct route_child_end *end)
{
    struct route_work *work = context;
    char why[ROUTE_REASON_MAX];

    work->child = NULL;
    if (!end->timed_out && WIFEXITED(end->status) && WEXITSTATUS(end->status) == 0)
        route_end(work, ROUTE_TOLD_DONE, "%s", end->said);
    else if (!end->timed_out && WIFEXITED(end->status) && WEXITSTATUS(end->status) == 1)
        route_end(work, ROUTE_TOLD_AGAIN, "%s", end->said);
    else
        route_end(work, ROUTE_TOLD_AGAIN, "%s", route_child_describe(why, sizeof why, end));
}

static void make_name(char name[ROUTE_NAME_SIZE], const struct route_work *work)
{
    const struct fax *fax = &work->fax;
    char subaddress[ROUTE_SUBADDRESS_SIZE];
    const struct route_name_fields fields = {
        .id = fax->public_id,
        .from = fax->sender,
        .to = fax->destination,
        .station_id = fax->remote_station_id,
        .subaddress = route_fax_subaddress(subaddress, work->routes->options.spool, fax),
        .line = fax->line,
        .status = fax->delivery == FAX_DELIVERY_CONFIRMED ? "received" : "partially_received",
        .pages = fax->pages_total,
        .at_ms = fax->created_at,
        .zone = page_style(work->routes->options.spool)->time_zone};

    route_name_make(name, route_text(work, "name"), &fields, route_is_pdf(work) ? ".pdf" : ".tif");
}

static void start(struct route_work *work, const char *root)
{
    char name[ROUTE_NAME_SIZE];
    const char *const argv[] = {"faxd", ROUTE_STORE, root, route_text(work, "folder"), name, work->delivery.public_id,
                                NULL};
    static const char *const environment[] = {"LC_ALL=C.UTF-8", NULL};
    const struct route_child_options options = {.base = work->routes->options.base,
                                                .program = "/proc/self/exe",
                                                .argv = argv,
                                                .environment = environment,
                                                .folder = "/",
                                                .input = work->document,
                                                .timeout_s = TIMEOUT_S,
                                                .done = on_stored,
                                                .context = work};

    make_name(name, work);
    if (route_child_start(&work->child, &options) != 0)
        route_end(work, ROUTE_TOLD_AGAIN, "%s", err_message());
}

static void store(struct route_work *work)
{
    const struct route_policy policy = inbound_rule_policy(work->routes->options.spool, false);
    const char *root = route_root(work, route_text(work, "folder"), policy.folder_root, "folder_root");

    if (root != NULL)
        start(work, root);
}

void route_folder_begin(struct route_work *work)
{
    route_document(work, store);
}
