/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Formats of faxstat. */
#include "config.h"

#include "contrib/hylafax/layout.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"

#define WIDTH_MAX 200

struct spec {
    bool left, zero;
    int width, precision; /* precision -1 = all of it */
};

static int take_number(const char **at)
{
    int number = 0;
    while (**at >= '0' && **at <= '9') {
        number = number < WIDTH_MAX ? 10 * number + **at - '0' : number;
        (*at)++;
    }
    return number < WIDTH_MAX ? number : WIDTH_MAX;
}

/* What stands between % and the letter; returns where the letter is. */
static const char *take_spec(struct spec *spec, const char *at)
{
    *spec = (struct spec){.precision = -1};
    for (; *at == '-' || *at == '0' || *at == '+' || *at == ' '; at++) {
        spec->left = spec->left || *at == '-';
        spec->zero = spec->zero || *at == '0';
    }
    spec->width = take_number(&at);
    if (*at == '.') {
        at++;
        spec->precision = take_number(&at);
    }
    return at;
}

static bool begins_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

static int characters_in(const char *text)
{
    int count = 0;
    for (; *text != '\0'; text++)
        count += begins_character(*text);
    return count;
}

/* Cut to so many characters. */
static void cut(char *text, int most)
{
    for (; *text != '\0'; text++) {
        if (begins_character(*text) && most-- == 0) {
            *text = '\0';
            return;
        }
    }
}

static void put_padded(FILE *line, const struct spec *spec, char *text)
{
    if (spec->precision >= 0)
        cut(text, spec->precision);
    int pad = spec->width - characters_in(text);
    bool zeros = spec->zero && !spec->left && text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
    for (int i = 0; i < pad && !spec->left; i++)
        fputc(zeros ? '0' : ' ', line);
    fputs(text, line);
    for (int i = 0; i < pad && spec->left; i++)
        fputc(' ', line);
}

static void put_column(FILE *line, const struct spec *spec, const struct layout_column *column, const void *row)
{
    char *text = column->letter == '\0' ? xstrdup("") : row == NULL ? xstrdup(column->title) : column->text(row);
    put_padded(line, spec, text);
    free(text);
}

char *layout_line(const char *format, const struct layout_column *columns, const void *row)
{
    char *text = NULL;
    size_t size = 0;
    FILE *line = open_memstream(&text, &size);
    if (line == NULL)
        return xstrdup("");
    for (const char *at = format; *at != '\0'; at++) {
        struct spec spec;
        const struct layout_column *column = columns;
        if (*at != '%' || at[1] == '\0') {
            fputc(*at, line);
            continue;
        }
        at = take_spec(&spec, at + 1);
        if (*at == '\0')
            break;
        while (column->letter != '\0' && column->letter != *at)
            column++;
        if (*at == '%')
            fputc('%', line);
        else
            put_column(line, &spec, column, row);
    }
    fclose(line);
    while (size > 0 && text[size - 1] == ' ')
        text[--size] = '\0';
    return text;
}
