/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that are not called for the time being: those where a telephone was answered twice in a row, and what
 * somebody has suspended. New faxes to them are refused (spool/callable), queued ones are held.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_SUSPENSION_H
#define FAXD_SPOOL_SUSPENSION_H

struct destination;
struct spool;

#define SUSPENSION_NOT_FAX 2 /* calls in a row that were answered by no fax machine */

/* Suspend it from now on, event destination.suspended; the caller writes the row. When it is suspended already only the
 * reason is taken. */
int suspension_begin(struct destination *destination, struct spool *spool, const char *reason);

/* Call it again: the faxes that were held for it go on. The caller writes the row. */
int suspension_end(struct destination *destination, struct spool *spool);

#endif
