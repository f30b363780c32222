/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax preview. */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/file.h"
#include "web/cli/form.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static void print(const json_t *preview)
{
    const json_t *warnings = json_object_get(preview, "warnings"), *item;
    size_t i;
    char *text = xasprintf("%lld pages, about %.0f seconds on the line",
                           (long long)json_integer_value(json_object_get(preview, "page_count")),
                           json_number_value(json_object_get(preview, "seconds")));
    text_print(stdout, "%s\n", text);
    free(text);
    json_array_foreach(warnings, i, item)
    {
        const char *warning = json_string_value(item);
        text_print(stdout, "%s\n", warning != NULL ? warning : "");
    }
}

static int preview(struct cli *cli)
{
    char key[STR_ULID_SIZE];
    json_t *reply = NULL;
    struct form form = {.cli = cli};
    int verdict = form_check(&form);
    if (verdict == VERDICT_OK)
        verdict = cli_client(cli);
    if (verdict == VERDICT_OK)
        verdict =
            client_post_form(&reply, cli->client, "/v1/previews", str_ulid(key, clock_now_ms()), form_fill, &form);
    if (verdict != VERDICT_OK)
        goto out;
    if (cli->json)
        text_json(reply);
    else
        print(reply);
    const char *output = cli_value(cli, "output");
    if (output != NULL) {
        char *path = text_at(reply, "links.document");
        verdict = file_save(cli, path, output);
        free(path);
    }
out:
    json_decref(reply);
    form_close(&form);
    return verdict;
}

static const struct cli_option options[] = {
    {"output", 'o', CLI_TEXT, "FILE", "save the pages as PDF", .complete = "@file"},
    {.name = NULL},
};

const struct cli_command preview_command = {
    "preview",
    "[FILE...]",
    "show what a fax would be, without sending it: pages, seconds on the line, warnings",
    "Takes the options of fax send; --to and --from are for the header line.",
    .options = options,
    .also = form_options,
    .run = preview,
    .complete = "@file"};
