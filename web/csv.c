/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields of text/csv. */
#include "web/csv.h"

#include <string.h>

static void end(struct evbuffer *out, bool last)
{
    evbuffer_add(out, last ? "\r\n" : ",", last ? 2 : 1);
}

/* "+12025550100" and "-5" are numbers to a spreadsheet too, and harmless. */
static bool is_formula(const char *text)
{
    if (*text == '+' || *text == '-')
        return text[1] == '\0' || text[1 + strspn(text + 1, "0123456789")] != '\0';
    return *text != '\0' && strchr("=@\t\r", *text) != NULL;
}

void csv_text(struct evbuffer *out, const char *text, bool last)
{
    bool quoted = is_formula(text) || strpbrk(text, "\",\r\n") != NULL;

    if (quoted)
        evbuffer_add(out, "\"", 1);
    if (is_formula(text))
        evbuffer_add(out, "'", 1);
    for (const char *c = text; *c; c++)
        evbuffer_add(out, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    if (quoted)
        evbuffer_add(out, "\"", 1);
    end(out, last);
}

void csv_number(struct evbuffer *out, int64_t number, bool last)
{
    evbuffer_add_printf(out, "%lld", (long long)number);
    end(out, last);
}
