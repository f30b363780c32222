/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Idempotency-Key on POST: the same request again gets the same reply again, and does nothing.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_IDEMPOTENT_H
#define FAXD_WEB_IDEMPOTENT_H

#include <stdbool.h>

struct request;

/* Before the handler. True when it has to run; false when the reply is made: a stored one, or a fault of the key. */
bool idempotent_begin(struct request *request);

/* After it, in the same part of the turn: keep a reply of success with what it did. 0 or an error. */
int idempotent_keep(struct request *request);

#endif
