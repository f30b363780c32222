/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One T.30 session on spandsp: samples, T.38 packets or a Class 1 modem's octets in and out, and what happened.
 *
 * A session that began on audio may go over to T.38 once: T.30 begins anew there, in the same session.
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
#include "plugins/t30/path.h"

#define SESSION_RATE 8000 /* samples a second */

struct session;

/* Called while samples are worked on; must not end or free the session. */
struct session_hooks {
    /* "negotiating", "sending" or "receiving"; the texts are valid during the call. */
    void (*phase)(void *context, const char *phase, const char *station_id, int rate_bps);
    /* Page `number` (from 1) is confirmed; a received one is on disk. */
    void (*page)(void *context, int number);
    /* CFR was received, or is about to be sent: once in a session. May be NULL. */
    void (*trained)(void *context);
    /* T.38: an IFP packet to send, once; `image` when it is a part of an image and not of the dialogue. */
    void (*packet)(void *context, const uint8_t *ifp, int size, bool image);
};

/* Prepare the process: resolve what is forwarded, warm the modems' tables. Once, before the sandbox and before any
 * other function here. */
void session_setup(void);

/* Start a call: on a Class 1 modem (options->serial), on T.38 (`t38` not NULL), or on audio. `options` is copied;
 * `files` are options->file_count documents or the one file to fill; they and `journal` (-1: none) stay the caller's
 * and have to outlive the session. NULL when memory is out. The caller frees with session_free. */
struct session *session_new(const struct options *options, const struct path_t38 *t38, const int *files, int journal,
                            const struct session_hooks *hooks, void *context);

/* Go over from audio to T.38. Ends the session if something was confirmed already, since it would be sent again, or if
 * memory is out; without effect on a session that is over or on T.38. */
void session_switch(struct session *session, const struct path_t38 *t38);

bool session_is_t38(const struct session *session);

/* Ends the T.30 if it still runs. NULL is fine. */
void session_free(struct session *session);

/* The next `count` samples for the line (16-bit linear, 8 kHz); silence when T.30 has nothing to say. */
void session_transmit(struct session *session, int16_t *samples, int count);

/* `count` samples from the line; they are changed in place. Line time goes by with them. */
void session_receive(struct session *session, int16_t *samples, int count);

/* T.38 and modem: line time goes by; packets that become due are sent through the hook, octets put out. */
void session_advance(struct session *session, int samples);

/* T.38: a packet of the far end with UDPTL's number. Any octets. */
void session_packet(struct session *session, const uint8_t *ifp, int size, uint16_t sequence);

/* Modem: octets that it said, any. */
void session_octets(struct session *session, const uint8_t *octets, size_t size);

/* Modem: what is to be said to it, borrowed until the next call here; then how much of it was. */
const uint8_t *session_output(const struct session *session, size_t *size);
void session_written(struct session *session, size_t size);

/* Modem: it is sending a page. */
bool session_is_sending_page(const struct session *session);

/* Modem: the session is over, and the last octets are put out that bring it back to commands. */
void session_leave(struct session *session);

/* T.38 and modem: line time until session_advance has something to do, in samples; 0 = now, INT_MAX = never. */
int session_due(const struct session *session);

/* T.38: true while this end sends a tone, a frame or a page. */
bool session_is_sending(const struct session *session);

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
