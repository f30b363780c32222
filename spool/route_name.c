/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File names out of patterns. */
#include "spool/route_name.h"

#include "server/base/err.h"
#include "server/base/str.h"
#include "server/base/time_zone.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define FIELD_SIZE 48 /* of what a field gives */

static const char *const names[] = {"id",         "date",  "time", "from",   "to", "station_id",
                                    "subaddress", "pages", "line", "status", NULL};

/* The field that `text` begins with, "{" and "}" around it: its index and its length, or -1. */
static int field_at(size_t *length, const char *text)
{
    for (int i = 0; names[i]; i++) {
        size_t size = strlen(names[i]);
        if (strncmp(text + 1, names[i], size) == 0 && text[size + 1] == '}') {
            *length = size + 2;
            return i;
        }
    }
    return -1;
}

static int check_octet(unsigned char octet)
{
    if (octet == '/')
        return err_set(ERR_INVALID, "a name is that of a file: it has no '/'");
    if (octet < ' ' || octet == 127)
        return err_set(ERR_INVALID, "a name has no control characters");
    return 0;
}

int route_name_check(const char *pattern)
{
    if (!*pattern || *pattern == '.' || *pattern == '-')
        return err_set(ERR_INVALID, "a name begins neither with '.' nor with '-'");
    if (strlen(pattern) > ROUTE_NAME_PATTERN_MAX)
        return err_set(ERR_INVALID, "a name has at most %d octets", ROUTE_NAME_PATTERN_MAX);
    if (!strstr(pattern, "{id}"))
        return err_set(ERR_INVALID, "a name needs {id}, so that no two faxes have the same");
    for (const char *at = pattern; *at; at++) {
        size_t length = 0;
        int error = check_octet((unsigned char)*at);
        if (error)
            return error;
        if (*at == '{' && field_at(&length, at) < 0)
            return err_set(ERR_INVALID,
                           "\"%.20s\" is not one of {id}, {date}, {time}, {from}, {to}, {station_id},"
                           " {subaddress}, {pages}, {line}, {status}",
                           at);
        at += length ? length - 1 : 0;
    }
    return 0;
}

/* A stranger's text as a part of a name. */
static void clean(char to[FIELD_SIZE], const char *text)
{
    size_t length = 0;
    for (; *text && length < FIELD_SIZE - 1; text++) {
        unsigned char octet = (unsigned char)*text;
        bool plain = octet < 128 && (isalnum(octet) || strchr("+-_", octet) || (octet == '.' && length > 0));
        to[length++] = plain ? (char)octet : '_';
    }
    to[length] = '\0';
    if (length == 0)
        str_copy(to, FIELD_SIZE, "unknown");
    if (*to == '-')
        *to = '_';
}

static void give(char to[FIELD_SIZE], int field, const struct route_name_fields *fields)
{
    const char *const texts[] = {fields->id,         NULL, NULL,         fields->from,  fields->to, fields->station_id,
                                 fields->subaddress, NULL, fields->line, fields->status};
    if (texts[field])
        clean(to, texts[field]);
    else if (strcmp(names[field], "pages") == 0)
        snprintf(to, FIELD_SIZE, "%d", fields->pages);
    else
        time_zone_format(to, FIELD_SIZE, fields->at_ms, fields->zone,
                         strcmp(names[field], "date") == 0 ? "%Y%m%d" : "%H%M%S");
}

char *route_name_make(char name[ROUTE_NAME_SIZE], const char *pattern, const struct route_name_fields *fields,
                      const char *extension)
{
    const size_t room = ROUTE_NAME_SIZE - strlen(extension) - 1;
    size_t length = 0, step;
    char id[FIELD_SIZE];
    for (const char *at = pattern; *at && length < room; at += step) {
        char text[FIELD_SIZE] = {*at, '\0'};
        int field = *at == '{' ? field_at(&step, at) : -1;
        if (field < 0)
            step = 1;
        else
            give(text, field, fields);
        length += (size_t)snprintf(name + length, room - length, "%s", text);
    }
    name[length < room ? length : room - 1] = '\0';
    /* Cut, it might no longer be the fax's own. */
    clean(id, fields->id);
    if (!strstr(name, id))
        snprintf(name, room, "%s", id);
    strcat(name, extension);
    return name;
}
