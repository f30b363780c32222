/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types, lengths and characters of members.
 */
#include "web/member.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/number.h"
#include "server/base/str.h"
#include "server/base/time_zone.h"
#include "spool/mail.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 32
#define ZONE_SIZE 65

static void *place_of(void *into, const struct member *member)
{
    return (char *)into + member->offset;
}

/* --- texts --- */

static bool has_control(const char *text, bool lines)
{
    for (; *text; text++) {
        unsigned char octet = (unsigned char)*text;
        if ((octet < 0x20 && !(lines && strchr("\n\r\t", *text))) || octet == 0x7F)
            return true;
    }
    return false;
}

static void take_plain(void *into, const struct member *member, const char *text, const char *pointer,
                       struct problems *problems)
{
    size_t length = strlen(text);

    if ((int)length < member->low || length > (size_t)member->high)
        problem_add(problems, pointer, (int)length < member->low ? "too_short" : "too_long",
                    "%d to %d octets are allowed, not %zu", member->low, member->high, length);
    else if (has_control(text, member->kind == MEMBER_LINES))
        problem_add(problems, pointer, "control_character", "line breaks and control characters are not allowed here");
    else
        str_copy(place_of(into, member), (size_t)member->high + 1, text);
}

static void take_number(void *into, const struct member *member, const char *text, const char *pointer,
                        struct problems *problems)
{
    char number[NUMBER_SIZE] = "";

    if ((*text || member->low > 0) && number_normalise(number, text) < 0)
        problem_add(problems, pointer, "invalid_number", "%s", err_message());
    else
        str_copy(place_of(into, member), NUMBER_SIZE, number);
}

static void take_station(void *into, const struct member *member, const char *text, const char *pointer,
                         struct problems *problems)
{
    if (str_check_station_id(text) < 0)
        problem_add(problems, pointer, "invalid_station_id", "%s", err_message());
    else
        str_copy(place_of(into, member), STR_STATION_ID_MAX + 1, text);
}

static void take_email(void *into, const struct member *member, const char *text, const char *pointer,
                       struct problems *problems)
{
    if ((*text || member->low > 0) && mail_address_check(text) < 0)
        problem_add(problems, pointer, "invalid_email", "%s", err_message());
    else
        str_copy(place_of(into, member), MAIL_ADDRESS_MAX + 1, text);
}

static void take_zone(void *into, const struct member *member, const char *text, const char *pointer,
                      struct problems *problems)
{
    if (strlen(text) >= ZONE_SIZE || !time_zone_is_known(text))
        problem_add(problems, pointer, "unknown_time_zone",
                    "\"%.60s\" is not known here: a time zone is written like Europe/Berlin", text);
    else
        str_copy(place_of(into, member), ZONE_SIZE, text);
}

static void take_word(void *into, const struct member *member, const char *text, const char *pointer,
                      struct problems *problems)
{
    char list[256] = "";

    for (int i = 0; member->words[i]; i++) {
        size_t length = strlen(list);
        if (strcmp(member->words[i], text) == 0) {
            *(int *)place_of(into, member) = i;
            return;
        }
        snprintf(list + length, sizeof list - length, "%s%s", i ? ", " : "", member->words[i]);
    }
    problem_add(problems, pointer, "unknown_word", "\"%.60s\" is not one of: %s", text, list);
}

static void take_time(void *into, const struct member *member, const char *text, const char *pointer,
                      struct problems *problems)
{
    int64_t at_ms;

    if (clock_parse(&at_ms, text) < 0)
        problem_add(problems, pointer, "invalid_time", "\"%.60s\" is not a time like 2026-11-21T09:30:00Z", text);
    else
        *(int64_t *)place_of(into, member) = at_ms;
}

void member_take_text(void *into, const struct member *member, const char *text, const char *pointer,
                      struct problems *problems)
{
    switch (member->kind) {
    case MEMBER_TEXT:
    case MEMBER_LINES:
        take_plain(into, member, text, pointer, problems);
        break;
    case MEMBER_NUMBER:
        take_number(into, member, text, pointer, problems);
        break;
    case MEMBER_STATION:
        take_station(into, member, text, pointer, problems);
        break;
    case MEMBER_EMAIL:
        take_email(into, member, text, pointer, problems);
        break;
    case MEMBER_ZONE:
        take_zone(into, member, text, pointer, problems);
        break;
    case MEMBER_WORD:
        take_word(into, member, text, pointer, problems);
        break;
    case MEMBER_TIME:
        take_time(into, member, text, pointer, problems);
        break;
    case MEMBER_BOOL:
    case MEMBER_OTHER:
        break;
    }
}

/* --- values --- */

static bool may_be_null(const struct member *member)
{
    return member->kind != MEMBER_WORD && member->low == 0;
}

static void take(void *into, const struct member *member, json_t *value, const char *pointer, struct problems *problems)
{
    if (member->kind == MEMBER_OTHER) {
        member->take(into, value, pointer, problems);
    } else if (member->kind == MEMBER_BOOL) {
        if (json_is_boolean(value))
            *(bool *)place_of(into, member) = json_is_true(value);
        else
            problem_add(problems, pointer, "wrong_type", "true or false is needed here");
    } else if (json_is_null(value) && may_be_null(member)) {
        if (member->kind == MEMBER_TIME)
            *(int64_t *)place_of(into, member) = 0;
        else
            *(char *)place_of(into, member) = '\0';
    } else if (!json_is_string(value)) {
        problem_add(problems, pointer, "wrong_type", "text is needed here");
    } else if (strlen(json_string_value(value)) != json_string_length(value)) {
        problem_add(problems, pointer, "control_character", "the character U+0000 is not allowed here");
    } else {
        member_take_text(into, member, json_string_value(value), pointer, problems);
    }
}

static void unknown(const struct member *members, const char *key, const char *pointer, struct problems *problems)
{
    const char *names[NAMES_MAX];
    int count = 0;

    for (; members->name && count < NAMES_MAX; members++)
        names[count++] = members->name;
    char *near = problem_near(key, names, count);
    problem_add(problems, pointer, "unknown_key", "\"%.60s\" is not a key that is known here%s", key, near);
    free(near);
}

static const struct member *find(const struct member *members, const char *key)
{
    while (members->name && strcmp(members->name, key) != 0)
        members++;
    return members->name ? members : NULL;
}

static void check_required(const struct member *members, const json_t *root, struct problems *problems)
{
    for (; members->name; members++) {
        if (!members->required || json_object_get(root, members->name))
            continue;
        char *pointer = problem_pointer("", members->name);
        problem_add(problems, pointer, "missing", "\"%s\" is needed", members->name);
        free(pointer);
    }
}

bool member_read(void *into, const struct member *members, json_t *root, bool whole, struct problems *problems)
{
    const char *key;
    json_t *value;

    if (!json_is_object(root)) {
        problem_add(problems, "", "wrong_type", "the body has to be a JSON object");
        return false;
    }
    json_object_foreach(root, key, value)
    {
        const struct member *member = find(members, key);
        char *pointer = problem_pointer("", key);
        if (!member)
            unknown(members, key, pointer, problems);
        else if (member->fixed && !whole)
            problem_add(problems, pointer, "fixed", "\"%s\" cannot be changed: make another one", key);
        else
            take(into, member, value, pointer, problems);
        free(pointer);
    }
    if (whole)
        check_required(members, root, problems);
    return !problem_any(problems);
}
