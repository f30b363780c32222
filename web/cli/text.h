/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text for a person. What comes from the server, and through it from strangers' fax machines, may hold anything:
 * nothing of it reaches a terminal as a control.
 *
 * Thread: any.
 */
#ifndef FAXD_CLI_TEXT_H
#define FAXD_CLI_TEXT_H

#include <jansson.h>
#include <stdio.h>

/* A copy fit for a terminal: controls (C0, DEL, C1), marks that turn the direction of writing, and octets that are not
 * UTF-8 become \xNN or \u{NNNN}. NULL reads as "". The caller frees with free(). */
char *text_clean(const char *text);

/* printf to `file` where every %s argument has been cleaned: the format may hold %s alone. */
void text_print(FILE *file, const char *format, ...);

/* Print a text of several lines: as it is, but cleaned line by line when standard output is a terminal. */
void text_lines(const char *text);

/* "fax: message" to standard error, cleaned as above. */
void text_complain(const char *format, ...);

/* The text, number or truth value behind a path of keys ("error.code"), as text, and those of a list with commas
 * between; "" when it is not there. The caller frees with free(). */
char *text_at(const json_t *object, const char *path);

/* "2026-11-21T01:02:03.123Z" to "2026-11-21 01:02:03" in local time, cleaned; other texts come back as they are,
 * cleaned. The caller frees. */
char *text_time(const char *rfc3339);

/* Print JSON for programs: indented on a terminal, else one line; ASCII only. _part leaves the end of line out. */
void text_json(const json_t *json);
void text_json_part(const json_t *json);

/* A table of equal columns: rows of cells, of which the first is the head; widths are those of the screen and follow
 * the widest cell, at most 60. Cells are cleaned. The table owns its copies. Printing empties it and keeps the widths,
 * so that a long table is printed piece by piece. */
struct text_table;
struct text_table *text_table_new(int columns);
void text_table_add(struct text_table *table, const char *const *cells);
void text_table_print(struct text_table *table);
void text_table_free(struct text_table *table);

#endif
