/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables as text/csv (RFC 4180), safe to open in a spreadsheet: a text that such a program would take for a formula
 * gets an apostrophe in front. Phone numbers stay as they are.
 *
 * Thread: any.
 */
#ifndef FAXD_WEB_CSV_H
#define FAXD_WEB_CSV_H

#include <event2/buffer.h>
#include <stdbool.h>
#include <stdint.h>

/* A field; `last` ends the line. */
void csv_text(struct evbuffer *out, const char *text, bool last);
void csv_number(struct evbuffer *out, int64_t number, bool last);

#endif
