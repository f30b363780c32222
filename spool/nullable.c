/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spool/nullable.h"

#include "server/base/clock.h"

json_t *nullable_text(const char *text)
{
    json_t *value = text && *text ? json_string(text) : NULL;
    return value ? value : json_null();
}

json_t *nullable_time(int64_t at_ms)
{
    char text[CLOCK_TEXT_SIZE];
    return at_ms > 0 ? json_string(clock_format(text, at_ms)) : json_null();
}
