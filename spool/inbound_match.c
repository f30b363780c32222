/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conditions, one after the other, so that the first one that is not met can be told. */
#include "spool/inbound_match.h"

#include "server/base/err.h"
#include "server/base/str.h"
#include "spool/nullable.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX (NUMBER_SIZE - 1)

static const char *const outcomes[] = {"any", "received", "partially_received", NULL};

/* ---- how texts are compared ---- */

char *inbound_number(char number[NUMBER_SIZE], const char *text)
{
    if (number_normalise(number, text))
        str_copy(number, NUMBER_SIZE, text);
    return number;
}

char *inbound_station(char id[NUMBER_SIZE], const char *text)
{
    text += strspn(text, " ");
    str_copy(id, NUMBER_SIZE, text);
    size_t length = strlen(id);
    while (length > 0 && id[length - 1] == ' ')
        id[--length] = '\0';
    for (char *at = id; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    return id;
}

/* ---- reading ---- */

static void read_number(char number[NUMBER_SIZE], struct route_faults *faults, const json_t *object, const char *name)
{
    const char *text = route_take_text(faults, object, "/match", name, 1, TEXT_MAX);
    if (text)
        inbound_number(number, text);
}

static void read_prefix(char prefix[NUMBER_SIZE], struct route_faults *faults, const json_t *object, const char *name)
{
    const char *text = route_take_text(faults, object, "/match", name, 1, TEXT_MAX);
    if (text && number_prefix(prefix, text))
        str_copy(prefix, NUMBER_SIZE, text);
}

static void read_station(char id[NUMBER_SIZE], struct route_faults *faults, const json_t *object, const char *name)
{
    const char *text = route_take_text(faults, object, "/match", name, 1, TEXT_MAX);
    if (!text)
        return;
    inbound_station(id, text);
    if (!*id)
        route_fault(faults, name[10] ? "/match/station_id_prefix" : "/match/station_id", "wrong_length",
                    "a station id has more than blanks");
}

static void read_text(char *to, size_t size, struct route_faults *faults, const json_t *object, const char *name)
{
    const char *text = route_take_text(faults, object, "/match", name, 1, size - 1);
    if (text)
        str_copy(to, size, text);
}

static void read_callers(struct inbound_match *match, const json_t *object, struct route_faults *faults)
{
    read_number(match->from, faults, object, "from");
    read_prefix(match->from_prefix, faults, object, "from_prefix");
    match->anonymous = route_take_bool(faults, object, "/match", "anonymous");
    if (match->anonymous == 1 && (*match->from || *match->from_prefix))
        route_fault(faults, "/match/anonymous", "not_together",
                    "a caller without a number has none to compare: leave from and from_prefix out");
}

static void read_pages(struct inbound_match *match, const json_t *object, struct route_faults *faults)
{
    match->pages_min = (int)route_take_int(faults, object, "/match", "pages_min", 1, INBOUND_PAGES_MAX, 0);
    match->pages_max = (int)route_take_int(faults, object, "/match", "pages_max", 1, INBOUND_PAGES_MAX, 0);
    if (match->pages_max && match->pages_min > match->pages_max)
        route_fault(faults, "/match/pages_max", "out_of_range", "pages_max is less than pages_min: no fax would match");
}

static void read_window(struct inbound_match *match, const json_t *object, struct route_faults *faults)
{
    const json_t *window = json_object_get(object, "window");
    if (window && !json_is_null(window) && window_read(&match->window, window))
        route_fault(faults, "/match/window", "invalid_window", "%s", err_message());
}

void inbound_match_read(struct inbound_match *match, const json_t *object, struct route_faults *faults)
{
    static const char *const names[] = {"did",         "did_prefix",        "line",       "group",     "from",
                                        "from_prefix", "anonymous",         "station_id", "pages_min", "pages_max",
                                        "subaddress",  "station_id_prefix", "outcome",    "window",    NULL};
    *match = (struct inbound_match){.anonymous = -1};
    if (!object || json_is_null(object))
        return;
    if (!json_is_object(object)) {
        route_fault(faults, "/match", "wrong_type", "an object with what a fax has to meet is needed here");
        return;
    }
    route_check_names(faults, object, "/match", names);
    read_number(match->did, faults, object, "did");
    read_prefix(match->did_prefix, faults, object, "did_prefix");
    read_text(match->line, sizeof(match->line), faults, object, "line");
    read_text(match->group, sizeof(match->group), faults, object, "group");
    read_callers(match, object, faults);
    read_station(match->station_id, faults, object, "station_id");
    read_station(match->station_id_prefix, faults, object, "station_id_prefix");
    read_text(match->subaddress, sizeof(match->subaddress), faults, object, "subaddress");
    read_pages(match, object, faults);
    match->outcome = (enum inbound_outcome)route_take_word(faults, object, "/match", "outcome", outcomes, INBOUND_ANY);
    read_window(match, object, faults);
}

void inbound_match_clear(struct inbound_match *match)
{
    window_clear(&match->window);
}

/* ---- writing ---- */

static json_t *number_or_null(int value)
{
    return value ? json_integer(value) : json_null();
}

json_t *inbound_match_json(const struct inbound_match *match)
{
    json_t *anonymous = match->anonymous < 0 ? json_null() : json_boolean(match->anonymous);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "did",
                     nullable_text(match->did), "did_prefix", nullable_text(match->did_prefix), "line",
                     nullable_text(match->line), "group", nullable_text(match->group), "from",
                     nullable_text(match->from), "from_prefix", nullable_text(match->from_prefix), "anonymous",
                     anonymous, "station_id", nullable_text(match->station_id), "station_id_prefix",
                     nullable_text(match->station_id_prefix), "subaddress", nullable_text(match->subaddress),
                     "pages_min", number_or_null(match->pages_min), "pages_max", number_or_null(match->pages_max),
                     "outcome", outcomes[match->outcome], "window", window_json(&match->window));
}

/* ---- use ---- */

static bool no(char why[INBOUND_WHY_SIZE], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool no(char why[INBOUND_WHY_SIZE], const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, INBOUND_WHY_SIZE, fmt, args);
    va_end(args);
    return false;
}

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static const char *shown(const char *text)
{
    return *text ? text : "not known";
}

static bool meets_called(char why[INBOUND_WHY_SIZE], const struct inbound_match *match,
                         const struct inbound_facts *facts)
{
    char did[NUMBER_SIZE];
    inbound_number(did, facts->did);
    if (*match->did && strcmp(match->did, did) != 0)
        return no(why, "The number called is %s, not %s.", shown(did), match->did);
    if (*match->did_prefix && !begins(did, match->did_prefix))
        return no(why, "The number called is %s, which does not begin with %s.", shown(did), match->did_prefix);
    if (*match->line && strcmp(match->line, facts->line) != 0)
        return no(why, "The line is %s, not %s.", shown(facts->line), match->line);
    if (*match->group && !(facts->in_group && facts->in_group(facts->context, facts->line, match->group)))
        return no(why, "The line is %s, which is not of the group %s.", shown(facts->line), match->group);
    return true;
}

static bool meets_caller(char why[INBOUND_WHY_SIZE], const struct inbound_match *match,
                         const struct inbound_facts *facts)
{
    bool withheld = number_is_withheld(facts->from);
    char from[NUMBER_SIZE] = "";
    if (!withheld)
        inbound_number(from, facts->from);
    if (match->anonymous == 1 && !withheld)
        return no(why, "The caller says a number: %s.", from);
    if (match->anonymous == 0 && withheld)
        return no(why, "The caller says no number.");
    if (*match->from && strcmp(match->from, from) != 0)
        return no(why, "The caller is %s, not %s.", shown(from), match->from);
    if (*match->from_prefix && !begins(from, match->from_prefix))
        return no(why, "The caller is %s, which does not begin with %s.", shown(from), match->from_prefix);
    return true;
}

static bool meets_machine(char why[INBOUND_WHY_SIZE], const struct inbound_match *match,
                          const struct inbound_facts *facts)
{
    char id[NUMBER_SIZE];
    inbound_station(id, facts->station_id);
    if (*match->station_id && strcmp(match->station_id, id) != 0)
        return no(why, "The station id is %s, not %s.", shown(id), match->station_id);
    if (*match->station_id_prefix && !begins(id, match->station_id_prefix))
        return no(why, "The station id is %s, which does not begin with %s.", shown(id), match->station_id_prefix);
    if (*match->subaddress && strcmp(match->subaddress, facts->subaddress) != 0)
        return no(why, "The subaddress is %s, not %s.", shown(facts->subaddress), match->subaddress);
    return true;
}

static bool meets_fax(char why[INBOUND_WHY_SIZE], const struct inbound_match *match, const struct inbound_facts *facts)
{
    char window[WINDOW_TEXT_SIZE];
    if (match->pages_min && facts->pages < match->pages_min)
        return no(why, "It has %d pages, fewer than %d.", facts->pages, match->pages_min);
    if (match->pages_max && facts->pages > match->pages_max)
        return no(why, "It has %d pages, more than %d.", facts->pages, match->pages_max);
    if (match->outcome == INBOUND_WHOLE && facts->partial)
        return no(why, "It was received in part only.");
    if (match->outcome == INBOUND_PARTIAL && !facts->partial)
        return no(why, "It was received whole.");
    if (!window_is_open(&match->window, facts->at_ms))
        return no(why, "It came outside %s.", window_describe(window, sizeof(window), &match->window));
    return true;
}

bool inbound_match_meets(char why[INBOUND_WHY_SIZE], const struct inbound_match *match,
                         const struct inbound_facts *facts)
{
    *why = '\0';
    return meets_called(why, match, facts) && meets_caller(why, match, facts) && meets_machine(why, match, facts) &&
           meets_fax(why, match, facts);
}
