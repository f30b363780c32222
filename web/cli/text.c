/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last step before a terminal. */
#include "config.h"

#include "web/cli/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/str.h"

#define CELL_MAX      60
#define SHORTEST_CELL 2

/* Octets of the UTF-8 character at `text`, 0 when there is none; `*point` gets its number. */
static int character(uint32_t *point, const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    int length = c[0] < 0x80 ? 1 : c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : c[0] >= 0xc2 ? 2 : 0;
    if (length == 0 || strnlen(text, (size_t)length) < (size_t)length || !str_is_utf8(text, (size_t)length))
        return 0;
    *point = length == 1 ? c[0] : c[0] & (0x7fu >> length);
    for (int i = 1; i < length; i++)
        *point = *point << 6 | (c[i] & 0x3fu);
    return length;
}

static bool is_unsafe(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || (point >= 0x200b && point <= 0x200f) ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
           (point >= 0xe0000 && point <= 0xe0fff);
}

char *text_clean(const char *text)
{
    if (text == NULL)
        text = "";
    char *clean = xmalloc(4 * strlen(text) + 1), *to = clean;
    while (*text != '\0') {
        uint32_t point = 0;
        int length = character(&point, text);
        if (length > 1 && is_unsafe(point)) {
            /* As many octets as \xNN for each: no longer than that. */
            to += sprintf(to, "\\u{%x}", point);
        } else if (length == 0 || is_unsafe(point)) {
            to += sprintf(to, "\\x%02x", (unsigned char)*text);
            length = 1;
        } else {
            memcpy(to, text, (size_t)length);
            to += length;
        }
        text += length;
    }
    *to = '\0';
    return clean;
}

static void print_cleaned(FILE *file, const char *format, va_list arguments)
{
    for (const char *c = format; *c != '\0'; c++) {
        if (c[0] == '%' && c[1] == 's') {
            char *clean = text_clean(va_arg(arguments, const char *));
            fputs(clean, file);
            free(clean);
            c++;
        } else {
            putc(*c, file);
        }
    }
}

void text_print(FILE *file, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_cleaned(file, format, arguments);
    va_end(arguments);
}

void text_complain(const char *format, ...)
{
    va_list arguments;
    fflush(stdout);
    fputs("fax: ", stderr);
    va_start(arguments, format);
    print_cleaned(stderr, format, arguments);
    va_end(arguments);
    putc('\n', stderr);
}

static const json_t *find(const json_t *object, const char *path)
{
    while (object != NULL && *path != '\0') {
        size_t length = strcspn(path, ".");
        char key[64];
        if (length >= sizeof key)
            return NULL;
        memcpy(key, path, length);
        key[length] = '\0';
        object = json_object_get(object, key);
        path += length + (path[length] == '.');
    }
    return object;
}

char *text_at(const json_t *object, const char *path)
{
    const json_t *value = find(object, path);
    if (json_is_string(value))
        return xstrdup(json_string_value(value));
    if (json_is_integer(value))
        return xasprintf("%lld", (long long)json_integer_value(value));
    if (json_is_real(value))
        return xasprintf("%g", json_real_value(value));
    if (json_is_boolean(value))
        return xstrdup(json_is_true(value) ? "yes" : "no");
    return xstrdup("");
}

char *text_time(const char *rfc3339)
{
    int64_t at_ms;
    char text[32];
    struct tm local;
    if (clock_parse(&at_ms, rfc3339) != 0)
        return text_clean(rfc3339);
    time_t at = (time_t)(at_ms / 1000);
    if (localtime_r(&at, &local) == NULL || strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local) == 0)
        return text_clean(rfc3339);
    return xstrdup(text);
}

void text_json(const json_t *json)
{
    size_t layout = isatty(STDOUT_FILENO) ? JSON_INDENT(2) : JSON_COMPACT;
    json_dumpf(json, stdout, layout | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
    putchar('\n');
}

/* --- tables --- */

struct text_table {
    int columns, rows, room;
    char **cells; /* row by row */
};

struct text_table *text_table_new(int columns)
{
    struct text_table *table = xcalloc(1, sizeof *table);
    table->columns = columns;
    return table;
}

void text_table_add(struct text_table *table, const char *const *cells)
{
    if (table->rows == table->room) {
        table->room = table->room * 2 + 16;
        table->cells = xrealloc(table->cells, (size_t)table->room * (size_t)table->columns * sizeof *table->cells);
    }
    for (int i = 0; i < table->columns; i++)
        table->cells[table->rows * table->columns + i] = text_clean(cells[i]);
    table->rows++;
}

/* Columns on the screen, close enough: characters. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += (*text & 0xc0) != 0x80;
    return width;
}

static int column_width(const struct text_table *table, int column)
{
    int widest = SHORTEST_CELL;
    for (int row = 0; row < table->rows; row++) {
        int width = width_of(table->cells[row * table->columns + column]);
        if (width > widest)
            widest = width < CELL_MAX ? width : CELL_MAX;
    }
    return widest;
}

void text_table_print(const struct text_table *table)
{
    int *widths = xcalloc((size_t)table->columns, sizeof *widths);
    for (int column = 0; column < table->columns; column++)
        widths[column] = column_width(table, column);
    for (int row = 0; row < table->rows; row++) {
        for (int column = 0; column < table->columns; column++) {
            const char *cell = table->cells[row * table->columns + column];
            int gap = widths[column] - width_of(cell) + 2;
            fputs(cell, stdout);
            if (column + 1 < table->columns)
                printf("%*s", gap > 1 ? gap : 1, "");
        }
        putchar('\n');
    }
    free(widths);
}

void text_table_free(struct text_table *table)
{
    if (table == NULL)
        return;
    for (int i = 0; i < table->rows * table->columns; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table);
}
