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

/* Options that are fields of the form. */
static const struct {
    const char *option, *field, *value; /* value: of a flag */
} fields[] = {
    {"to", "to", NULL},
    {"from", "from", NULL},
    {"resolution", "resolution", NULL},
    {"dither", "dither", NULL},
    {"paper", "paper", NULL},
    {"no-ecm", "route.ecm", "false"},
    {"max-rate", "route.max_rate", NULL},
    {"priority", "priority", NULL},
    {"not-before", "not_before", NULL},
    {"expires", "expires_at", NULL},
    {"max-attempts", "retry.max_attempts", NULL},
    {"reference", "client_reference", NULL},
    {"hold", "hold", "true"},
    {"cover", "cover_page.template", NULL},
    {"to-name", "cover_page.fields.to_name", NULL},
    {"to-company", "cover_page.fields.to_company", NULL},
    {"from-name", "cover_page.fields.from_name", NULL},
    {"subject", "cover_page.fields.subject", NULL},
    {"note", "cover_page.note", NULL},
    {"header", "header.text", NULL},
    {"no-header", "header.show", "false"},
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

static int add_list(curl_mime *form, const struct cli_option *option, const char *field)
{
    int bad = 0;
    for (int i = 0; i < option->count && !bad; i++) {
        const char *value = option->values[i];
        size_t length = field != NULL ? strlen(field) : strcspn(value, "=");
        bad = add_field(form, field != NULL ? field : value, length, field != NULL ? value : value + length + 1);
    }
    return bad;
}

int form_fill(curl_mime *form, void *context)
{
    const struct form *form_data = context;
    int bad = 0;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0] && !bad; i++) {
        const char *value = cli_value(form_data->options, fields[i].option);
        if (value != NULL)
            bad = add_field(form, fields[i].field, strlen(fields[i].field),
                            fields[i].value != NULL ? fields[i].value : value);
    }
    if (!bad)
        bad = add_list(form, cli_find(form_data->options, "tag"), "tags");
    if (!bad)
        bad = add_list(form, cli_find(form_data->options, "set"), NULL);
    for (int i = 0; i < form_data->count && !bad; i++)
        bad = source_add(&form_data->sources[i], form);
    return bad;
}

int form_check(struct form *form, char **files, int count)
{
    const struct cli_option *set = cli_find(form->options, "set");
    if (count == 0 && cli_value(form->options, "cover") == NULL) {
        text_complain("a file is missing: what to send, or --cover for a cover page alone");
        return VERDICT_ERROR;
    }
    for (int i = 0; i < set->count; i++) {
        if (strcspn(set->values[i], "=") == 0 || strchr(set->values[i], '=') == NULL) {
            text_complain("--set wants KEY=VALUE, not \"%s\"", set->values[i]);
            return VERDICT_ERROR;
        }
    }
    int verdict = VERDICT_OK;
    for (int i = 0; i < count && verdict == VERDICT_OK; i++)
        verdict = source_open(&form->sources[form->count++], files[i]);
    return verdict;
}

void form_close(struct form *form)
{
    for (int i = 0; i < form->count; i++)
        source_close(&form->sources[i]);
}
