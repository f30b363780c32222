/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One T.30 session on spandsp: samples in, samples out, and what happened.
 *
 * The session writes the call journal and keeps received pages safe (server/base/journal.h); all of a call's state is
 * in its struct. It ends by itself (T.30 ran to its end, a frame was refused, a page could not be stored: see
 * session_is_over) or is ended by its owner; nothing may be sent to the line after it is over by anything but T.30.
 *
 * Thread: one.
 */
#ifndef FAXD_T30_SESSION_H
#define FAXD_T30_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "plugins/t30/options.h"
#include "plugins/t30/outcome.h"

#define SESSION_RATE 8000 /* samples a second */

struct session;

/* Called while samples are worked on; must not end or free the session. */
struct session_hooks {
    /* "negotiating", "sending" or "receiving"; the texts are valid during the call. */
    void (*phase)(void *context, const char *phase, const char *station_id, int rate_bps);
    /* Page `number` (from 1) is confirmed; a received one is on disk. */
    void (*page)(void *context, int number);
};

/* Prepare the process: resolve what is forwarded, warm the modems' tables. Once, before the sandbox and before any
 * other function here. */
void session_setup(void);

/* Start a call. `options` is copied; `files` are options->file_count documents or the one file to fill; they and
 * `journal` (-1: none) stay the caller's and have to outlive the session. The caller frees with session_free. */
struct session *session_new(const struct options *options, const int *files, int journal,
                            const struct session_hooks *hooks, void *context);

/* Ends the T.30 if it still runs. NULL is fine. */
void session_free(struct session *session);

/* The next `count` samples for the line (16-bit linear, 8 kHz); silence when T.30 has nothing to say. */
void session_transmit(struct session *session, int16_t *samples, int count);

/* `count` samples from the line; they are changed in place. Line time goes by with them. */
void session_receive(struct session *session, int16_t *samples, int count);

/* True when the call has ended and only the record is left. */
bool session_is_over(const struct session *session);

/* End the call for a reason of the owner's; the first reason counts. `message` (copied, may be NULL) goes into the
 * record. */
void session_end(struct session *session, enum outcome_end end, const char *message);

/* Line time so far. */
int64_t session_line_ms(const struct session *session);

/* The call record (plugins/include/faxdext.h, FaxdCallRecord), for a session that is over. The caller owns it. */
json_t *session_record(const struct session *session);

#endif
