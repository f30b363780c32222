/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Matches paths against patterns, segment by segment. Nothing here becomes a file name, so "..", "//" and the like are
 * just paths that match nothing. */
#include "web/route.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static bool take_param(char param[ROUTE_PARAM_SIZE], const char *text, size_t size)
{
    size_t length = 0;

    for (size_t i = 0; i < size; i++) {
        int c = (unsigned char)text[i];
        if (c == '%') {
            if (i + 2 >= size || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0)
                return false;
            c = hex(text[i + 1]) * 16 + hex(text[i + 2]);
            i += 2;
        }
        if (c <= ' ' || c >= 127 || length + 1 == ROUTE_PARAM_SIZE)
            return false;
        param[length++] = (char)c;
    }
    param[length] = '\0';
    return length > 0;
}

static bool matches(char params[ROUTE_PARAMS][ROUTE_PARAM_SIZE], const char *pattern, const char *path)
{
    int count = 0;

    while (*pattern && *path) {
        size_t step = strcspn(pattern + 1, "/") + 1, size = strcspn(path + 1, "/") + 1;
        if (*pattern != '/' || *path != '/')
            return false;
        if (strcmp(pattern, "/{*}") == 0)
            return take_param(params[count], path + 1, strlen(path + 1));
        if (pattern[1] == '{') {
            if (count == ROUTE_PARAMS || !take_param(params[count++], path + 1, size - 1))
                return false;
        } else if (step != size || memcmp(pattern, path, size) != 0) {
            return false;
        }
        pattern += step;
        path += size;
    }
    return *pattern == *path;
}

static void add_allow(char allow[ROUTE_ALLOW_SIZE], const char *method)
{
    size_t length = strlen(allow);

    snprintf(allow + length, ROUTE_ALLOW_SIZE - length, "%s%s%s", length ? ", " : "", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

enum route_result route_find(const struct route **route, char params[ROUTE_PARAMS][ROUTE_PARAM_SIZE],
                             char allow[ROUTE_ALLOW_SIZE], const struct route *table, const char *method,
                             const char *path)
{
    allow[0] = '\0';
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    for (; table->method; table++) {
        if (!matches(params, table->pattern, path))
            continue;
        if (strcmp(table->method, method) == 0) {
            *route = table;
            return ROUTE_FOUND;
        }
        add_allow(allow, table->method);
    }
    return allow[0] ? ROUTE_NO_METHOD : ROUTE_NO_PATH;
}
