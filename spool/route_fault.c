/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of the objects that routing rules are made of. */
#include "spool/route_fault.h"

#include "server/base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PLACE_SIZE 160

void route_fault(struct route_faults *faults, const char *pointer, const char *code, const char *fmt, ...)
{
    char text[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    faults->count++;
    if (faults->tell)
        faults->tell(faults->context, pointer, code, text);
}

/* Names of ours have no character that a pointer escapes; a stranger's are cut and escaped. */
static const char *place_of(char place[PLACE_SIZE], const char *base, const char *name)
{
    size_t at = (size_t)snprintf(place, PLACE_SIZE, "%.60s/", base);
    for (; *name && at < PLACE_SIZE - 3; name++) {
        if (*name == '~' || *name == '/') {
            place[at++] = '~';
            place[at++] = *name == '~' ? '0' : '1';
        } else {
            place[at++] = *name;
        }
    }
    place[at] = '\0';
    return place;
}

static bool is_plain(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            return false;
    return true;
}

const char *route_take_text(struct route_faults *faults, const json_t *object, const char *base, const char *name,
                            size_t low, size_t high)
{
    char place[PLACE_SIZE];
    const json_t *value = json_object_get(object, name);
    const char *text = json_string_value(value);
    if (!value || json_is_null(value))
        return NULL;
    place_of(place, base, name);
    if (!text)
        route_fault(faults, place, "wrong_type", "text is needed here");
    else if (strlen(text) != json_string_length(value) || !is_plain(text))
        route_fault(faults, place, "control_character", "control characters are not allowed here");
    else if (strlen(text) < low || strlen(text) > high)
        route_fault(faults, place, "wrong_length", "a text of %zu to %zu octets is needed here", low, high);
    else
        return text;
    return NULL;
}

int route_take_word(struct route_faults *faults, const json_t *object, const char *base, const char *name,
                    const char *const *words, int otherwise)
{
    char place[PLACE_SIZE], list[200] = "";
    const char *text = route_take_text(faults, object, base, name, 0, 60);
    if (!text)
        return otherwise;
    for (int i = 0; words[i]; i++) {
        size_t length = strlen(list);
        if (strcmp(words[i], text) == 0)
            return i;
        snprintf(list + length, sizeof(list) - length, "%s%s", i ? ", " : "", words[i]);
    }
    route_fault(faults, place_of(place, base, name), "unknown_word", "\"%.60s\" is not one of: %s", text, list);
    return otherwise;
}

int64_t route_take_int(struct route_faults *faults, const json_t *object, const char *base, const char *name,
                       int64_t low, int64_t high, int64_t otherwise)
{
    char place[PLACE_SIZE];
    const json_t *value = json_object_get(object, name);
    if (!value || json_is_null(value))
        return otherwise;
    if (json_is_integer(value) && json_integer_value(value) >= low && json_integer_value(value) <= high)
        return json_integer_value(value);
    route_fault(faults, place_of(place, base, name), "out_of_range", "a whole number from %lld to %lld is needed here",
                (long long)low, (long long)high);
    return otherwise;
}

int route_take_bool(struct route_faults *faults, const json_t *object, const char *base, const char *name)
{
    char place[PLACE_SIZE];
    const json_t *value = json_object_get(object, name);
    if (!value || json_is_null(value))
        return -1;
    if (!json_is_boolean(value))
        route_fault(faults, place_of(place, base, name), "wrong_type", "true or false is needed here");
    return json_is_true(value);
}

void route_check_names(struct route_faults *faults, const json_t *object, const char *base, const char *const *names)
{
    char place[PLACE_SIZE];
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        int at = 0;
        while (names[at] && strcmp(names[at], key) != 0)
            at++;
        if (!names[at])
            route_fault(faults, place_of(place, base, key), "unknown_key", "\"%.60s\" is not a key that is known here",
                        key);
    }
}
