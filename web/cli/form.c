/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `fax send` and `fax preview` have in common: options and files to the form that client.c posts. */
#include "config.h"

#include "web/cli/form.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

const struct cli_option form_options[] = {
    {"to", 't', CLI_TEXT, "NUMBER", "the number to send to", .field = "to", .complete = "/v1/contacts number name"},
    {"from", 0, CLI_TEXT, "NUMBER", "the sender: a number, or the id of an identity", .field = "from",
     .complete = "/v1/identities id name"},
    {"resolution", 0, CLI_TEXT, "NAME", "standard, fine or superfine", .field = "resolution",
     .complete = "standard fine superfine"},
    {"dither", 0, CLI_TEXT, "NAME", "auto, threshold, diffusion or halftone", .field = "dither",
     .complete = "auto threshold diffusion halftone"},
    {"paper", 0, CLI_TEXT, "NAME", "of texts: a4, letter or legal", .field = "paper", .complete = "a4 letter legal"},
    {"cover", 0, CLI_TEXT, "NAME", "with a cover page: plain, letter, urgent, or one of the server's own",
     .field = "cover_page.template", .complete = "/v1/cover-pages name fields"},
    {"to-name", 0, CLI_TEXT, "TEXT", "on the cover page: to whom", .field = "cover_page.fields.to_name"},
    {"to-company", 0, CLI_TEXT, "TEXT", "where they work", .field = "cover_page.fields.to_company"},
    {"from-name", 0, CLI_TEXT, "TEXT", "from whom", .field = "cover_page.fields.from_name"},
    {"subject", 0, CLI_TEXT, "TEXT", "about what", .field = "cover_page.fields.subject"},
    {"note", 0, CLI_TEXT, "TEXT", "what else it says", .field = "cover_page.note"},
    {"header", 0, CLI_TEXT, "TEXT", "the sender's name in the line on top of each page", .field = "header.text"},
    {"no-header", 0, CLI_FLAG, NULL, "without that line (the key needs the scope config:*)",
     .field = "header.show=false"},
    {"no-ecm", 0, CLI_FLAG, NULL, "without error correction", .field = "route.ecm=false"},
    {"max-rate", 0, CLI_NUMBER, "N", "at most so many bit/s", .field = "route.max_rate"},
    {"priority", 0, CLI_TEXT, "NAME", "bulk, normal, high or urgent", .field = "priority",
     .complete = "bulk normal high urgent"},
    {"not-before", 0, CLI_TEXT, "TIME", "not before 2026-11-21T09:30:00Z", .field = "not_before"},
    {"expires", 0, CLI_TEXT, "TIME", "give up at that time", .field = "expires_at"},
    {"max-attempts", 0, CLI_NUMBER, "N", "calls at most", .field = "retry.max_attempts"},
    {"reference", 0, CLI_TEXT, "TEXT", "your own reference", .field = "client_reference"},
    {"tag", 0, CLI_LIST, "TEXT", "a tag; may be repeated", .field = "tags"},
    {"hold", 0, CLI_FLAG, NULL, "accept it, but wait for a release", .field = "hold"},
    {"set", 0, CLI_LIST, "KEY=VALUE", "any other field of the API: retry.resume=all; may be repeated", .field = NULL},
    {.name = NULL},
};

static int add_field(curl_mime *form, const char *name, size_t name_length, const char *value)
{
    char *copy = xasprintf("%.*s", (int)name_length, name);
    curl_mimepart *part = curl_mime_addpart(form);
    int bad = part == NULL || curl_mime_name(part, copy) != CURLE_OK ||
              curl_mime_data(part, value, CURL_ZERO_TERMINATED) != CURLE_OK;
    free(copy);
    return bad;
}

/* What an option says, as often as it was given. */
static int add_given(curl_mime *form, const struct cli_given *given)
{
    const char *field = given->option->field, *equal = strchr(field, '=');
    size_t length = equal != NULL ? (size_t)(equal - field) : strlen(field);
    bool flag = given->option->kind == CLI_FLAG;
    int bad = 0;
    for (int i = given->option->kind == CLI_LIST ? 0 : given->count - 1; i < given->count && !bad; i++)
        bad = add_field(form, field, length, !flag ? given->values[i] : equal != NULL ? equal + 1 : "true");
    return bad;
}

/* KEY=VALUE, which form_check has looked at. */
static int add_set(curl_mime *form, const struct cli_given *set)
{
    int bad = 0;
    for (int i = 0; i < set->count && !bad; i++) {
        size_t length = strcspn(set->values[i], "=");
        bad = add_field(form, set->values[i], length, set->values[i] + length + 1);
    }
    return bad;
}

int form_fill(curl_mime *form, void *context)
{
    const struct form *form_data = context;
    const struct cli *cli = form_data->cli;
    int bad = 0;
    for (int i = 0; i < cli->given_count && !bad; i++) {
        if (cli->given[i].count > 0 && cli->given[i].option->field != NULL)
            bad = add_given(form, &cli->given[i]);
    }
    if (!bad)
        bad = add_set(form, cli_find(cli, "set"));
    for (int i = 0; i < form_data->count && !bad; i++)
        bad = source_add(&form_data->sources[i], form);
    return bad;
}

int form_check(struct form *form)
{
    const struct cli *cli = form->cli;
    const struct cli_given *set = cli_find(cli, "set");
    if (cli->count == 0 && cli_value(cli, "cover") == NULL) {
        text_complain("a file is missing: what to send, or --cover for a cover page alone");
        return VERDICT_ERROR;
    }
    if (cli->count > FORM_FILES_MAX) {
        text_complain("%s does not take so many words", cli->name);
        return VERDICT_ERROR;
    }
    for (int i = 0; i < set->count; i++) {
        if (strcspn(set->values[i], "=") == 0 || strchr(set->values[i], '=') == NULL) {
            text_complain("--set wants KEY=VALUE, not \"%s\"", set->values[i]);
            return VERDICT_ERROR;
        }
    }
    int verdict = VERDICT_OK;
    for (int i = 0; i < cli->count && verdict == VERDICT_OK; i++)
        verdict = source_open(&form->sources[form->count++], cli->words[i]);
    return verdict;
}

void form_close(struct form *form)
{
    for (int i = 0; i < form->count; i++)
        source_close(&form->sources[i]);
}
