/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys that end soon: the event api_key.expiring, once for each key, some days before.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_KEY_EXPIRY_H
#define FAXD_SPOOL_KEY_EXPIRY_H

#define KEY_EXPIRY_DAYS 7

struct spool;

/* Write the events that are due, at most `room`: their number, or an error. The spool does so by itself. */
int key_expiry_warn(struct spool *spool, int room);

#endif
