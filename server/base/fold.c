/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decomposition takes accents off their letters; what is a mark alone is then left out.
 */
#include "server/base/fold.h"

#include "server/base/str.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

/* U+10FFFF, which is no character and sorts behind every other. */
#define LAST "\xf4\x8f\xbf\xbf"

static void put(char *folded, size_t size, size_t *length, gunichar point)
{
    char octets[6];
    size_t count = (size_t)g_unichar_to_utf8(point, octets);

    if (*length + count >= size)
        return;
    memcpy(folded + *length, octets, count);
    *length += count;
}

static void squeeze(char *folded, size_t size, const char *text)
{
    size_t length = 0;
    bool space = false;

    for (; *text; text = g_utf8_next_char(text)) {
        gunichar point = g_utf8_get_char(text);
        if (g_unichar_ismark(point))
            continue;
        if (g_unichar_isspace(point) || g_unichar_iscntrl(point)) {
            space = length > 0;
            continue;
        }
        if (space)
            put(folded, size, &length, ' ');
        space = false;
        put(folded, size, &length, point);
    }
    folded[length] = '\0';
}

char *fold_text(char *folded, size_t size, const char *text)
{
    gchar *apart = g_utf8_validate(text, -1, NULL) ? g_utf8_normalize(text, -1, G_NORMALIZE_ALL) : NULL;
    gchar *lower = apart ? g_utf8_casefold(apart, -1) : NULL;

    squeeze(folded, size, lower ? lower : "");
    g_free(lower);
    g_free(apart);
    return folded;
}

char *fold_range_end(char *end, size_t size, const char *prefix)
{
    str_copy(end, size, prefix);
    str_copy(end + strlen(end), size - strlen(end), LAST);
    return end;
}
