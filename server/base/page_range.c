/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages keep the order of their document: a range chooses, it does not arrange.
 */
#include "server/base/page_range.h"

#include <ctype.h>
#include <limits.h>
#include <stddef.h>

#include "server/base/err.h"

#define PAGE_MAX 65535

static int wrong(const char *text)
{
    return err_set(ERR_INVALID, "pages are \"%.60s\", which is not like \"2\", \"1-3,7\" or \"5-\" (at most %d parts)",
                   text, PAGE_RANGE_PARTS);
}

/* A number from 1; 0 when there is none. */
static int number(const char **at)
{
    int value = 0;
    while (isdigit((unsigned char)**at) && value <= PAGE_MAX)
        value = 10 * value + *(*at)++ - '0';
    return value <= PAGE_MAX ? value : 0;
}

int page_range_parse(struct page_range *range, const char *text)
{
    const char *at = text;
    range->count = 0;
    while (*at != '\0') {
        int first = number(&at), last = first;
        if (first == 0 || range->count == PAGE_RANGE_PARTS)
            return wrong(text);
        if (*at == '-') {
            at++;
            last = isdigit((unsigned char)*at) ? number(&at) : INT_MAX;
        }
        if (last < first || (*at != '\0' && *at != ',') || (*at == ',' && at[1] == '\0'))
            return wrong(text);
        range->parts[range->count].first = first;
        range->parts[range->count++].last = last;
        at += *at == ',';
    }
    return 0;
}

bool page_range_has(const struct page_range *range, int page)
{
    for (int i = 0; i < range->count; i++) {
        if (page >= range->parts[i].first && page <= range->parts[i].last)
            return true;
    }
    return range->count == 0;
}

int page_range_count(const struct page_range *range, int pages)
{
    int count = 0;
    for (int page = 1; page <= pages; page++)
        count += page_range_has(range, page);
    return count;
}
