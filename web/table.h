/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replies that are a table: text/csv, for a spreadsheet to open.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_TABLE_H
#define FAXD_WEB_TABLE_H

#include <jansson.h>
#include <stdio.h>

struct request;

/* The reply is a file of that name with this text, which was written on another thread. */
void table_send(struct request *request, const char *name, const json_t *text);

/* The reply is a file of that name with what `write` writes into it by csv_write() before this returns; 500 when there
 * is no memory for it. */
void table_reply(struct request *request, const char *name, void (*write)(FILE *out, const void *context),
                 const void *context);

#endif
