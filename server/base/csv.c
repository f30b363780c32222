/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A reader that takes a record at a time and keeps to its bounds whatever it reads, and a writer.
 */
#include "server/base/csv.h"

#include "server/base/err.h"
#include "server/base/str.h"

#include <stdbool.h>
#include <string.h>

#define FORMULA "=@+-\t\r"

/* ---- reading ---- */

static char separator_of(const char *text, const char *end)
{
    char found = ',';

    for (; text < end && *text != '\n' && *text != '\r' && *text != '"'; text++) {
        if (*text == ',')
            return ',';
        if (found == ',' && (*text == ';' || *text == '\t'))
            found = *text;
    }
    return found;
}

void csv_start(struct csv *csv, const char *text, size_t size)
{
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        size -= 3;
    }
    csv->at = text;
    csv->end = text + size;
    csv->separator = separator_of(text, csv->end);
    csv->count = csv->line = 0;
    csv->next_line = 1;
}

static bool at_line_end(const struct csv *csv)
{
    return csv->at == csv->end || *csv->at == '\n' || *csv->at == '\r';
}

/* CR LF, LF and CR each end a line. */
static void skip_line_end(struct csv *csv)
{
    if (csv->at == csv->end)
        return;
    if (*csv->at == '\r' && csv->at + 1 < csv->end && csv->at[1] == '\n')
        csv->at++;
    csv->at++;
    csv->next_line++;
}

static void skip_line(struct csv *csv)
{
    while (!at_line_end(csv))
        csv->at++;
    skip_line_end(csv);
}

static int no_end(struct csv *csv, const char *why)
{
    csv->at = csv->end;
    return err_set(ERR_TOO_BIG, "%s: nothing behind it can be read", why);
}

static void count_line(struct csv *csv)
{
    bool pair = *csv->at == '\r' && csv->at + 1 < csv->end && csv->at[1] == '\n';

    if (*csv->at == '\n' || (*csv->at == '\r' && !pair))
        csv->next_line++;
}

/* Behind the opening quote. `*length` is what the record has so far. */
static int take_quoted(struct csv *csv, size_t *length)
{
    for (; csv->at < csv->end; csv->at++) {
        if (*csv->at == '"' && csv->at + 1 < csv->end && csv->at[1] == '"') {
            csv->at++;
        } else if (*csv->at == '"') {
            csv->at++;
            return 0;
        }
        if (*length == CSV_RECORD_MAX)
            return no_end(csv, "the record is too long");
        count_line(csv);
        csv->text[(*length)++] = *csv->at;
    }
    return no_end(csv, "a quote is opened and never closed");
}

static int take_plain(struct csv *csv, size_t *length)
{
    while (!at_line_end(csv) && *csv->at != csv->separator) {
        if (*length == CSV_RECORD_MAX)
            return no_end(csv, "the record is too long");
        csv->text[(*length)++] = *csv->at++;
    }
    return 0;
}

static int take_cell(struct csv *csv, size_t *length)
{
    int error;

    if (csv->at == csv->end || *csv->at != '"')
        return take_plain(csv, length);
    csv->at++;
    error = take_quoted(csv, length);
    if (!error && !at_line_end(csv) && *csv->at != csv->separator)
        error = err_set(ERR_INVALID, "text stands behind a quoted cell: a quote within a cell is written twice");
    return error;
}

static int check_cell(const char *cell, size_t length)
{
    if (memchr(cell, '\0', length))
        return err_set(ERR_INVALID, "there is an octet 0 in it");
    if (!str_is_utf8(cell, length))
        return err_set(ERR_INVALID, "it is not UTF-8");
    return 0;
}

/* What the writer put in front of a formula is not part of the cell. A cell that itself begins with such a mark has one
 * more, so that both come back as they were. */
static bool is_guarded(const char *cell)
{
    const char *first = cell + strspn(cell, "'");
    return first > cell && *first && strchr(FORMULA, *first);
}

static int take_record(struct csv *csv)
{
    size_t length = 0;

    csv->line = csv->next_line;
    for (csv->count = 0;;) {
        /* An end for each cell stands in the room behind CSV_RECORD_MAX. */
        size_t used = length + (size_t)csv->count, filled = used;
        if (csv->count == CSV_CELLS_MAX)
            return err_set(ERR_INVALID, "there are more than %d cells in it", CSV_CELLS_MAX);
        char *cell = csv->text + used;
        if (used > CSV_RECORD_MAX)
            return no_end(csv, "the record is too long");
        int error = take_cell(csv, &filled);
        if (!error)
            error = check_cell(cell, filled - used);
        if (error)
            return error;
        csv->text[filled] = '\0';
        length = filled - (size_t)csv->count;
        csv->cells[csv->count++] = is_guarded(cell) ? cell + 1 : cell;
        if (at_line_end(csv))
            break;
        csv->at++; /* the separator */
    }
    skip_line_end(csv);
    return 1;
}

int csv_next(struct csv *csv)
{
    for (;;) {
        if (csv->at == csv->end)
            return 0;
        int result = take_record(csv);
        if (result == ERR_INVALID)
            skip_line(csv);
        if (result != 1 || csv->count > 1 || *csv->cells[0])
            return result;
    }
}

/* ---- writing ---- */

static bool is_number(const char *cell)
{
    return cell[1] != '\0' && strspn(cell + 1, "0123456789") == strlen(cell + 1);
}

static void write_cell(FILE *out, const char *cell)
{
    bool formula = *cell && strchr(FORMULA, *cell) && !(strchr("+-", *cell) && is_number(cell));
    bool guarded = formula || is_guarded(cell);

    if (!strpbrk(cell, ",;\"\r\n\t")) {
        fprintf(out, "%s%s", guarded ? "'" : "", cell);
        return;
    }
    fputs(guarded ? "\"'" : "\"", out);
    for (; *cell; cell++) {
        if (*cell == '"')
            fputc('"', out);
        fputc(*cell, out);
    }
    fputc('"', out);
}

void csv_write(FILE *out, const char *const *cells, int count)
{
    for (int i = 0; i < count; i++) {
        if (i > 0)
            fputc(',', out);
        write_cell(out, cells[i]);
    }
    fputs("\r\n", out);
}
