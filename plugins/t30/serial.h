/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The front end of a call on a Class 1 modem's serial line: octets between the device and the session, and line time by
 * the clock. Never blocks.
 *
 * Thread: one (a part of the call).
 */
#ifndef FAXD_T30_SERIAL_H
#define FAXD_T30_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "plugins/t30/options.h"
#include "plugins/t30/session.h"

struct serial;

/* `media` is the device, raw and non-blocking; it and `session` stay the caller's. The caller frees with serial_free.
 */
struct serial *serial_new(const struct options *options, int media, struct session *session);

/* NULL is fine. */
void serial_free(struct serial *serial);

/* Take what the modem says, do what is due, say what is to be said. May end the session. Monotonic time. */
void serial_run(struct serial *serial, int64_t now_ns);

/* When serial_run is next to be called, if nothing comes before. */
int64_t serial_due_ns(const struct serial *serial);

/* There is more to write than the device takes. */
bool serial_wants_room(const struct serial *serial);

/* The session is over: last octets. */
void serial_finish(struct serial *serial);

#endif
