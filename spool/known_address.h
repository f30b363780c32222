/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From where users have signed in: an address with which a name's password was right once is not a stranger's.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_KNOWN_ADDRESS_H
#define FAXD_SPOOL_KNOWN_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#define KNOWN_ADDRESSES_OF_A_USER 20
#define KNOWN_ADDRESS_AGE_MS      (90 * 86400 * INT64_C(1000)) /* since the last sign-in from there */

struct spool;

/* False also when it cannot be looked up. `address` is a text as known_address_note() got it. */
bool known_address_has(struct spool *spool, int64_t user_id, const char *address);

/* A sign-in from there; the one that was used least lately goes when there are too many. 0, or an error. */
int known_address_note(struct spool *spool, int64_t user_id, const char *address);

#endif
