/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Comma-separated values (RFC 4180) as spreadsheets write and read them.
 *
 * Thread: any; a struct csv belongs to one.
 */
#ifndef FAXD_BASE_CSV_H
#define FAXD_BASE_CSV_H

#include <stddef.h>
#include <stdio.h>

#define CSV_CELLS_MAX  64
#define CSV_RECORD_MAX 16384 /* octets of all cells of a record */

struct csv {
    /* the record that csv_next() has read */
    char *cells[CSV_CELLS_MAX];
    int count;
    int line; /* on which it begins, counted from 1 */
    /* the reader's own */
    const char *at, *end;
    char separator;
    int next_line;
    char text[CSV_RECORD_MAX + CSV_CELLS_MAX];
};

/* Read `size` octets, which are borrowed. A byte order mark is left out; what stands between cells is a comma, or a
 * semicolon or a tab where the first line has no comma. */
void csv_start(struct csv *csv, const char *text, size_t size);

/* The next record that is not empty: 1, and 0 at the end. ERR_INVALID (message) for one that is wrong: text behind a
 * quoted cell, an octet 0, no UTF-8, too many cells; the next call goes on behind it. ERR_TOO_BIG when a record has no
 * end (a quote that is never closed) or is too long: where the next one would begin is not known, so that is the end.
 * A cell that csv_write() has guarded comes back as it was. */
int csv_next(struct csv *csv);

/* Write a record. A cell that a spreadsheet would take for a formula (it begins with = @ + - or a tab, and is no
 * number) gets a ' in front. Errors show in ferror(). */
void csv_write(FILE *out, const char *const *cells, int count);

#endif
