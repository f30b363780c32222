/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of faxstat by a format: "%-4j %3i %1a" with widths as printf has them, each letter a column.
 *
 * Thread: any.
 */
#ifndef FAXD_HYLAFAX_LAYOUT_H
#define FAXD_HYLAFAX_LAYOUT_H

/* One column: its letter, its title, and its text of a row; the row is the caller's. The text is freed with free(). */
struct layout_column {
    char letter;
    const char *title;
    char *(*text)(const void *row);
};

/* A row as a line without spaces at its end; `row` NULL = the titles. Letters that no column has come out empty. A
 * table ends with letter 0. The caller frees. */
char *layout_line(const char *format, const struct layout_column *columns, const void *row);

#endif
