/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wall clock decides, so that an hour that comes twice is in the window twice, and one that is left out moves what
 * begins in it to the moment at which the clock goes on.
 */
#include "spool/window.h"

#include "server/base/err.h"
#include "server/base/str.h"
#include "server/base/time_zone.h"

#include <stdio.h>
#include <string.h>

#define MINUTE_MS 60000LL
#define DAY_MIN   1440
#define DAYS_ALL  0x7F

/* ---- reading ---- */

static int read_clock(int *minutes, const json_t *value, const char *name)
{
    const char *text = json_string_value(value);
    int hour = 0, minute = 0;
    bool good = text && strlen(text) == 5 && strspn(text, "0123456789") == 2 && text[2] == ':' &&
                strspn(text + 3, "0123456789") == 2;

    if (good) {
        hour = (text[0] - '0') * 10 + text[1] - '0';
        minute = (text[3] - '0') * 10 + text[4] - '0';
    }
    if (!good || hour > 24 || minute > 59 || hour * 60 + minute > DAY_MIN)
        return err_set(ERR_INVALID, "%s: a time of day like 08:30 is needed", name);
    *minutes = (hour * 60 + minute) % DAY_MIN;
    return 0;
}

static int read_days(unsigned *days, const json_t *list)
{
    size_t i;
    json_t *item;

    *days = list ? 0 : DAYS_ALL;
    if (list && (!json_is_array(list) || json_array_size(list) < 1 || json_array_size(list) > 7))
        return err_set(ERR_INVALID, "days: a list of 1 (Monday) to 7 (Sunday) is needed");
    json_array_foreach(list, i, item)
    {
        json_int_t day = json_integer_value(item);
        if (!json_is_integer(item) || day < 1 || day > 7)
            return err_set(ERR_INVALID, "days: a list of 1 (Monday) to 7 (Sunday) is needed");
        *days |= 1u << (day - 1);
    }
    return 0;
}

static int read_zone(struct window *window, const json_t *value)
{
    const char *zone = value && !json_is_null(value) ? json_string_value(value) : "";

    if (!zone || strlen(zone) >= sizeof(window->zone) || !(window->place = time_zone_open(zone)))
        return err_set(ERR_INVALID, "time_zone: one like Europe/Berlin is needed");
    str_copy(window->zone, sizeof(window->zone), zone);
    return 0;
}

static int check_names(const json_t *object)
{
    static const char *const names[] = {"from", "to", "days", "time_zone"};
    const char *key;
    json_t *value;

    if (!json_is_object(object))
        return err_set(ERR_INVALID, "an object with from and to is needed");
    json_object_foreach((json_t *)object, key, value)
    {
        int at = 0;
        while (at < 4 && strcmp(names[at], key) != 0)
            at++;
        if (at == 4)
            return err_set(ERR_INVALID, "%.40s: from, to, days and time_zone are known", key);
    }
    return 0;
}

int window_read(struct window *window, const json_t *object)
{
    int error = check_names(object);

    *window = (struct window){.days = DAYS_ALL};
    if (!error)
        error = read_clock(&window->from_min, json_object_get(object, "from"), "from");
    if (!error)
        error = read_clock(&window->to_min, json_object_get(object, "to"), "to");
    if (!error)
        error = read_days(&window->days, json_object_get(object, "days"));
    return error ? error : read_zone(window, json_object_get(object, "time_zone"));
}

void window_clear(struct window *window)
{
    time_zone_close(window->place);
    window->place = NULL;
}

static json_t *clock_json(int minutes)
{
    return json_sprintf("%02d:%02d", minutes / 60, minutes % 60);
}

json_t *window_json(const struct window *window)
{
    json_t *days = json_array();

    if (!window->place) {
        json_decref(days);
        return json_null();
    }
    for (int day = 1; day <= 7; day++)
        if (window->days & 1u << (day - 1))
            json_array_append_new(days, json_integer(day));
    return json_pack("{s:o, s:o, s:o, s:s}", "from", clock_json(window->from_min), "to", clock_json(window->to_min),
                     "days", days, "time_zone", window->zone);
}

char *window_describe(char *text, size_t size, const struct window *window)
{
    snprintf(text, size, "%02d:%02d to %02d:%02d (%s)", window->from_min / 60, window->from_min % 60,
             window->to_min / 60, window->to_min % 60, *window->zone ? window->zone : "this machine's time");
    return text;
}

/* ---- the clock ---- */

/* Minutes that the clock there shows, counted from 1970. */
static int64_t clock_there(const struct window *window, int64_t at_ms)
{
    int64_t seconds = at_ms / 1000 + time_zone_offset(window->place, at_ms);

    return seconds / 60;
}

static bool begins_on(const struct window *window, int64_t day)
{
    return window->days & 1u << ((day + 3) % 7); /* 1970 began on a Thursday */
}

bool window_is_open(const struct window *window, int64_t at_ms)
{
    if (!window->place)
        return true;
    int64_t minutes = clock_there(window, at_ms), day = minutes / DAY_MIN;
    int minute = (int)(minutes % DAY_MIN);
    if (window->from_min == window->to_min && window->from_min == 0)
        return begins_on(window, day);
    if (window->from_min < window->to_min)
        return begins_on(window, day) && minute >= window->from_min && minute < window->to_min;
    return (begins_on(window, day) && minute >= window->from_min) ||
           (begins_on(window, day - 1) && minute < window->to_min);
}

/* The first moment between two at which the clock there has been put forward or back. */
static int64_t find_change(const struct window *window, int64_t low_ms, int64_t high_ms)
{
    int before = time_zone_offset(window->place, low_ms);

    while (high_ms - low_ms > 1) {
        int64_t middle = low_ms + (high_ms - low_ms) / 2;
        if (time_zone_offset(window->place, middle) == before)
            low_ms = middle;
        else
            high_ms = middle;
    }
    return high_ms;
}

static void take(int64_t *best, const struct window *window, int64_t at_ms, int64_t candidate)
{
    if (candidate >= at_ms && candidate < *best && window_is_open(window, candidate))
        *best = candidate;
}

/* Where it may begin on a day of the clock there: at its hour by the time before and after a change of that day, or at
 * the change. */
static void look_at_day(int64_t *best, const struct window *window, int64_t at_ms, int64_t day)
{
    int64_t local_ms = (day * DAY_MIN + window->from_min) * MINUTE_MS, span = 26 * 60 * MINUTE_MS;
    int before = time_zone_offset(window->place, local_ms - span);
    int after = time_zone_offset(window->place, local_ms + span);

    take(best, window, at_ms, local_ms - before * 1000LL);
    if (before == after)
        return;
    take(best, window, at_ms, local_ms - after * 1000LL);
    take(best, window, at_ms, find_change(window, local_ms - span, local_ms + span));
}

int64_t window_next(const struct window *window, int64_t at_ms)
{
    int64_t best = INT64_MAX;

    if (window_is_open(window, at_ms))
        return at_ms;
    int64_t today = clock_there(window, at_ms) / DAY_MIN;
    for (int64_t day = today - 1; day <= today + 8; day++)
        look_at_day(&best, window, at_ms, day);
    return best < INT64_MAX ? best : at_ms + 7 * DAY_MIN * MINUTE_MS; /* a window has a beginning in each week */
}
