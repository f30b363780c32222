/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax list. */
#include "config.h"

#include <stdlib.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/resource.h"
#include "web/cli/text.h"

/* "2/4": confirmed of all. */
static char *pages_text(const json_t *fax)
{
    char *total = text_at(fax, "pages.total"), *confirmed = text_at(fax, "pages.confirmed");
    char *text = xasprintf("%s/%s", *confirmed ? confirmed : "0", *total ? total : "?");
    free(confirmed);
    free(total);
    return text;
}

static const struct column columns[] = {
    {.head = "Id", .path = "id"},
    {.head = "Status", .path = "status"},
    {.head = "To", .path = "to"},
    {.head = "From", .path = "from"},
    {"Pages", NULL, .cell = pages_text},
    {"Created", "timing.created", .is_time = true},
    {.head = "Error", .path = "error.code"},
    {.head = NULL},
};

const struct resource fax_resource = {.path = "/v1/faxes", .noun = "fax", .is_paged = true, .columns = columns};

static const struct cli_option filters[] = {
    {"direction", 0, CLI_TEXT, "NAME", "outbound or inbound", .field = "?direction", .complete = "outbound inbound"},
    {"status", 0, CLI_TEXT, "NAMES", "only these, with commas between: queued,sending", .field = "?status",
     .complete = "preparing held scheduled queued dialing negotiating sending canceling delivered partially_delivered "
                 "unconfirmed failed canceled expired receiving received partially_received rejected"},
    {"to", 0, CLI_TEXT, "NUMBER", "to this number", .field = "?to"},
    {"from", 0, CLI_TEXT, "NUMBER", "from this number", .field = "?from"},
    {"error", 0, CLI_TEXT, "CODE", "that ended so: busy", .field = "?error"},
    {"tag", 0, CLI_TEXT, "TEXT", "with this tag", .field = "?tag"},
    {"reference", 0, CLI_TEXT, "TEXT", "with this reference", .field = "?client_reference"},
    {"batch", 0, CLI_TEXT, "ID", "of this batch", .field = "?batch", .complete = "/v1/batches id status"},
    {"since", 0, CLI_TEXT, "TIME", "made then or later: 2026-11-21T00:00:00Z", .field = "?created[gte]"},
    {"until", 0, CLI_TEXT, "TIME", "made before then", .field = "?created[lt]"},
    {"q", 'q', CLI_TEXT, "TEXT", "whose number, reference or station id begins so", .field = "?q"},
    {.name = NULL},
};

const struct cli_command list_command = {"list",
                                         NULL,
                                         "list faxes, newest first",
                                         .options = filters,
                                         .also = listing_options,
                                         .run = resource_list,
                                         .resource = &fax_resource};
