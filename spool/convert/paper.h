/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sheets of paper for what has no size of its own: texts and covers.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_CONVERT_PAPER_H
#define FAXD_CONVERT_PAPER_H

enum paper { PAPER_A4, PAPER_LETTER, PAPER_LEGAL };

/* "a4", "letter" or "legal": 0, or ERR_INVALID with a message that lists them. */
int paper_parse(enum paper *paper, const char *word);

/* Its width and height in points. */
void paper_size(double *width, double *height, enum paper paper);

#endif
