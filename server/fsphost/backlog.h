/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encoded messages in order: added at the end, read by a cursor that can go back, dropped from the front. Positions
 * count from 0 over the backlog's whole life.
 *
 * Messages lie in large chunks, so that a flood of status packets costs no allocation each.
 *
 * Thread: the I/O thread.
 */
#ifndef FAXD_FSPHOST_BACKLOG_H
#define FAXD_FSPHOST_BACKLOG_H

#include "server/link/link.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct backlog;

/* Never NULL; freed with backlog_free (NULL is fine). */
struct backlog *backlog_new(void);
void backlog_free(struct backlog *backlog);

/* Encode `message` at the end. 0 or ERR_TOO_BIG. */
int backlog_add(struct backlog *backlog, const struct link_message *message);

/* Up to `max` messages from the cursor on; how many. They stay valid until dropped. */
int backlog_peek(const struct backlog *backlog, struct iovec *messages, int max);

/* Move the cursor over `count` messages that backlog_peek gave. */
void backlog_advance(struct backlog *backlog, int count);

/* Set the cursor to `position`, between the first kept one and the end. */
void backlog_rewind(struct backlog *backlog, uint64_t position);

/* Forget all before `position` (at most the cursor): memory is given back chunk by chunk. */
void backlog_drop(struct backlog *backlog, uint64_t position);

/* Position after the last message; of the first one kept; of the cursor. */
uint64_t backlog_end(const struct backlog *backlog);
uint64_t backlog_first(const struct backlog *backlog);
uint64_t backlog_cursor(const struct backlog *backlog);

/* Octets of memory held. */
size_t backlog_size(const struct backlog *backlog);

#endif
