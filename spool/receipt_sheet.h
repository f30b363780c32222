/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of a fax, on one sheet that can be filed. It says what is known and no more: "delivered" only where the
 * far end confirmed every page and the end.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_RECEIPT_SHEET_H
#define FAXD_SPOOL_RECEIPT_SHEET_H

#include <jansson.h>

struct fax;
struct spool;

/* The converter's job for the sheet of a fax that has ended (new reference), and its input: the first page as it left,
 * or nothing where no pages are left. 0 and a descriptor that the caller closes, or an error and neither. */
int receipt_sheet(json_t **job, int *input, struct spool *spool, const struct fax *fax);

#endif
