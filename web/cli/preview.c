/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax preview. */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/form.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const char help[] = "Usage: fax preview [OPTION...] FILE...\n"
                           "Show what a fax would be, without sending it: pages, seconds on the line, warnings.\n"
                           "\n"
                           "Takes the options of fax send; --to and --from are for the header line.\n"
                           "  -o, --output FILE       save the pages as PDF\n";

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

static int save(struct cli *cli, const json_t *preview, const char *name)
{
    char *path = text_at(preview, "links.document");
    FILE *file = fopen(name, "wb");
    if (file == NULL) {
        text_complain("cannot write %s: %s", name, strerror(errno));
        free(path);
        return VERDICT_ERROR;
    }
    int verdict = client_download(cli->client, path, file);
    if (fclose(file) != 0 && verdict == VERDICT_OK) {
        text_complain("cannot write %s: %s", name, strerror(errno));
        verdict = VERDICT_ERROR;
    }
    free(path);
    return verdict;
}

int preview_run(struct cli *cli, int argc, char **argv)
{
    struct cli_option options[] = {
        FORM_OPTIONS,
        {"output", CLI_VALUE, 'o', NULL, NULL, 0},
        {NULL, CLI_FLAG, 0, NULL, NULL, 0},
    };
    char key[STR_ULID_SIZE];
    int operands = 0;
    json_t *preview = NULL;
    struct form form = {.options = options};
    int verdict = cli_parse(&operands, cli, options, argc, argv, help, 0, FORM_FILES_MAX);
    if (verdict >= 0)
        goto out;
    verdict = form_check(&form, argv + operands, argc - operands);
    if (verdict == VERDICT_OK)
        verdict = cli_client(cli);
    if (verdict == VERDICT_OK)
        verdict =
            client_post_form(&preview, cli->client, "/v1/previews", str_ulid(key, clock_now_ms()), form_fill, &form);
    if (verdict != VERDICT_OK)
        goto out;
    if (cli->json)
        text_json(preview);
    else
        print(preview);
    const char *output = cli_value(options, "output");
    if (output != NULL)
        verdict = save(cli, preview, output);
out:
    json_decref(preview);
    form_close(&form);
    cli_options_free(options);
    return verdict;
}
