/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Its words, from what the request and the configuration say.
 */
#include "spool/header_line.h"

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/time_zone.h"
#include "spool/page_style.h"

#include <stdlib.h>

/* The number that follows stands from left to right, its plus sign in front, whatever script the name is in. */
#define LEFT_TO_RIGHT "\u200e"
#define ARROW         "\u2192"

static const char *text_of(const json_t *object, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && *text ? text : otherwise;
}

json_t *header_line(const struct spool *spool, const json_t *options, const char *from, const char *to, int pages)
{
    const struct page_style *style = page_style(spool);
    char when[64];
    if (!style->header || json_is_false(json_object_get(options, "header_show")))
        return NULL;
    const char *name = text_of(options, "header", style->sender);
    time_zone_format(when, sizeof(when), clock_now_ms(), text_of(options, "time_zone", style->time_zone),
                     "%Y-%m-%d %H:%M %Z");
    char *text = xasprintf("%s   %s%s" LEFT_TO_RIGHT "%s " ARROW " " LEFT_TO_RIGHT "%s", when, name, *name ? "   " : "",
                           from, to);
    bool numbered = !json_is_false(json_object_get(options, "page_numbers"));
    json_t *header = json_pack("{s:s, s:i}", "text", text, "pages", numbered ? pages : 0);
    free(text);
    return header;
}
