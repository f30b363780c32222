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
#include <wchar.h>

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

void text_lines(const char *text)
{
    if (!isatty(STDOUT_FILENO)) {
        fputs(text, stdout);
        return;
    }
    while (*text != '\0') {
        char *line = xasprintf("%.*s", (int)strcspn(text, "\n"), text);
        text_print(stdout, "%s\n", line);
        text += strlen(line);
        text += *text == '\n';
        free(line);
    }
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

static char *plain(const json_t *value)
{
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

char *text_at(const json_t *object, const char *path)
{
    const json_t *value = find(object, path);
    json_t *item;
    size_t i;
    if (!json_is_array(value))
        return plain(value);
    char *list = xstrdup("");
    json_array_foreach((json_t *)value, i, item)
    {
        char *one = plain(item), *longer = xasprintf("%s%s%s", list, i > 0 ? ", " : "", one);
        free(list);
        free(one);
        list = longer;
    }
    return list;
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

void text_json_part(const json_t *json)
{
    size_t layout = isatty(STDOUT_FILENO) ? JSON_INDENT(2) : JSON_COMPACT;
    json_dumpf(json, stdout, layout | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
}

void text_json(const json_t *json)
{
    text_json_part(json);
    putchar('\n');
}

/* --- tables --- */

struct text_table {
    int columns, rows, room;
    char **cells; /* row by row */
    int *widths;
};

struct text_table *text_table_new(int columns)
{
    struct text_table *table = xcalloc(1, sizeof *table);
    table->columns = columns;
    table->widths = xcalloc((size_t)columns + 1, sizeof *table->widths);
    for (int i = 0; i < columns; i++)
        table->widths[i] = SHORTEST_CELL;
    return table;
}

/* Columns on the screen: two of a Chinese character, none of an accent that joins the letter before it. */
static int width_of(const char *text)
{
    int width = 0;
    while (*text != '\0') {
        uint32_t point = 0;
        int length = character(&point, text), columns = length > 0 ? wcwidth((wchar_t)point) : 1;
        width += columns >= 0 ? columns : 1;
        text += length > 0 ? length : 1;
    }
    return width;
}

void text_table_add(struct text_table *table, const char *const *cells)
{
    if (table->rows == table->room) {
        table->room = table->room * 2 + 16;
        table->cells = xrealloc(table->cells, (size_t)table->room * (size_t)table->columns * sizeof *table->cells);
    }
    for (int i = 0; i < table->columns; i++) {
        char *cell = text_clean(cells[i]);
        int width = width_of(cell);
        if (width > table->widths[i])
            table->widths[i] = width < CELL_MAX ? width : CELL_MAX;
        table->cells[table->rows * table->columns + i] = cell;
    }
    table->rows++;
}

/* The last cells of a row that are empty leave no blanks at its end. */
static int used_columns(const struct text_table *table, int row)
{
    int used = table->columns;
    while (used > 1 && table->cells[row * table->columns + used - 1][0] == '\0')
        used--;
    return used;
}

void text_table_print(struct text_table *table)
{
    for (int row = 0; row < table->rows; row++) {
        int used = used_columns(table, row);
        for (int column = 0; column < table->columns; column++) {
            char *cell = table->cells[row * table->columns + column];
            int gap = table->widths[column] - width_of(cell) + 2;
            fputs(cell, stdout);
            if (column + 1 < used)
                printf("%*s", gap > 1 ? gap : 1, "");
        }
        putchar('\n');
        for (int column = 0; column < table->columns; column++)
            free(table->cells[row * table->columns + column]);
    }
    table->rows = 0;
}

void text_table_free(struct text_table *table)
{
    if (table == NULL)
        return;
    for (int i = 0; i < table->rows * table->columns; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table->widths);
    free(table);
}
