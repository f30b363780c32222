/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax hold, fax release, fax change. */
#include "config.h"

#include <stdlib.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/progress.h"
#include "web/cli/resource.h"
#include "web/cli/verdict.h"

static int post(struct cli *cli, const char *id, const char *tail)
{
    json_t *fax;
    int verdict = resource_request(&fax, cli, "POST", id, tail, NULL);
    if (fax != NULL)
        progress_print(fax);
    json_decref(fax);
    return verdict;
}

static int hold_one(struct cli *cli, const char *id)
{
    return post(cli, id, "/hold");
}

static int release_one(struct cli *cli, const char *id)
{
    return post(cli, id, "/release");
}

static int cancel_one(struct cli *cli, const char *id)
{
    return post(cli, id, "/cancel");
}

static int hold(struct cli *cli)
{
    return cli_each(cli, hold_one);
}

static int release(struct cli *cli)
{
    return cli_each(cli, release_one);
}

static int cancel(struct cli *cli)
{
    return cli_each(cli, cancel_one);
}

const struct cli_command cancel_command = {"cancel",
                                           "ID...",
                                           "cancel faxes, also in the middle of a call",
                                           .run = cancel,
                                           .resource = &fax_resource,
                                           .complete = "/v1/faxes?direction=outbound id to"};

const struct cli_command hold_command = {"hold",
                                         "ID...",
                                         "keep faxes from being called until they are released",
                                         .run = hold,
                                         .resource = &fax_resource,
                                         .complete = "/v1/faxes?status=queued,scheduled,preparing id to"};

const struct cli_command release_command = {"release",
                                            "ID...",
                                            "let held faxes go",
                                            .run = release,
                                            .resource = &fax_resource,
                                            .complete = "/v1/faxes?status=held id to"};

static const struct cli_option changed[] = {
    {"priority", 0, CLI_TEXT, "NAME", "bulk, normal, high or urgent", .field = "priority",
     .complete = "bulk normal high urgent"},
    {"not-before", 0, CLI_TEXT, "TIME", "not before 2026-11-21T09:30:00Z; \"\" is at once", .field = "not_before"},
    {"reference", 0, CLI_TEXT, "TEXT", "your own reference", .field = "client_reference"},
    {"tag", 0, CLI_LIST, "TEXT", "a tag instead of those before; may be repeated, \"\" is none", .field = "tags"},
    {.name = NULL},
};

const struct cli_command change_command = {"change",
                                           "ID",
                                           "change a fax that waits to be called",
                                           .options = changed,
                                           .run = resource_change,
                                           .resource = &fax_resource,
                                           .complete = "/v1/faxes?status=queued,scheduled,held,preparing id to"};
