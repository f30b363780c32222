/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of a call that rings. Caller id comes between the first ring and the second in America, before the first in
 * other countries; the digits of DID before it or after it: so whatever comes within RING_GONE_MS belongs together. */
#include "config.h"

#include "plugins/class1/ring.h"

#include "server/base/str.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* What came before too long belongs to another call. */
static void ring_refresh(struct ring *ring, int64_t now_ms)
{
    if (ring->last_ms != 0 && now_ms - ring->last_ms >= RING_GONE_MS)
        memset(ring, 0, sizeof *ring);
}

/* The number that a line of the rules stands for, NULL when it is none. */
static const char *distinctive_number(const struct ring_rules *rules, const char *line)
{
    const char *name;
    json_t *number;

    if (rules->distinctive == NULL)
        return NULL;
    json_object_foreach((json_t *)rules->distinctive, name, number)
    {
        if (strcasecmp(name, line) == 0)
            return json_string_value(number);
    }
    return NULL;
}

/* Digits behind the line's prefix for DID. */
static bool take_did(struct ring *ring, const struct ring_rules *rules, const char *line)
{
    size_t length = strlen(rules->did_prefix), used = 0;

    if (length == 0 || strncasecmp(line, rules->did_prefix, length) != 0)
        return false;
    for (const char *at = line + length; *at != '\0' && used < sizeof ring->called - 1; at++)
        if (isdigit((unsigned char)*at))
            ring->called[used++] = *at;
    ring->called[used] = '\0';
    return used > 0;
}

static void keep(char to[ANSWER_TEXT_SIZE], const char *from)
{
    if (from[0] != '\0')
        str_copy(to, ANSWER_TEXT_SIZE, from);
}

static void take_caller(struct ring *ring, const char *line)
{
    struct answer_caller caller;

    if (!answer_caller(&caller, line))
        return;
    keep(ring->caller.number, caller.number);
    keep(ring->caller.name, caller.name);
    keep(ring->caller.date, caller.date);
    keep(ring->caller.time, caller.time);
    keep(ring->called, caller.called);
    ring->caller.withheld = ring->caller.withheld || caller.withheld;
    ring->caller.out_of_area = ring->caller.out_of_area || caller.out_of_area;
}

bool ring_take(struct ring *ring, const struct ring_rules *rules, const char *line, int64_t now_ms)
{
    enum answer_kind kind = answer_kind(line);
    const char *called = distinctive_number(rules, line);

    ring_refresh(ring, now_ms);
    if (called != NULL)
        str_copy(ring->called, sizeof ring->called, called);
    else if (!take_did(ring, rules, line) && kind == ANSWER_TEXT)
        return false;
    ring->last_ms = now_ms;
    if (kind == ANSWER_CALLER)
        take_caller(ring, line);
    if (kind != ANSWER_RING)
        return false;
    ring->count++;
    return true;
}

bool ring_is_alive(const struct ring *ring, int64_t now_ms)
{
    return ring->count > 0 && now_ms - ring->last_ms < RING_GONE_MS;
}

json_t *ring_info(const struct ring *ring, const char *number)
{
    const char *caller = ring->caller.withheld ? "" : ring->caller.number;
    const char *name = ring->caller.withheld ? "" : ring->caller.name;

    return json_pack("{s:s, s:s, s:s, s:s}", "caller_id", caller, "caller_name", name, "called",
                     ring->called[0] != '\0' ? ring->called : number, "diversion", "");
}
