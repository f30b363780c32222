/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Idempotency-Key on POST: the same request again gets the same reply again, and does nothing.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_IDEMPOTENT_H
#define FAXD_WEB_IDEMPOTENT_H

#include <stdbool.h>

struct request;

/* Before the body is read: take the key in. False when the reply is made: a fault of the key, or its first request is
 * still under way. */
bool idempotent_key(struct request *request);

/* Before the handler, the body read. True when it has to run; false when the reply is made: a stored one, or a
 * conflict. */
bool idempotent_begin(struct request *request);

/* After it, in the same part of the turn: keep a reply of success with what it did. 0 or an error. */
int idempotent_keep(struct request *request);

#endif
