/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The front end of a call on UDP sockets: RTP (and RTCP) or T.38 over UDPTL between a session and a far end that is
 * named by a path and may change.
 *
 * RTP is sent at absolute times of 20 ms; what is heard goes by the far end's clock. T.38 goes by ours. A machine that
 * stood still for a while sends up to LATE of it after, and lets the rest not have happened. Never blocks.
 *
 * Thread: one (a part of the call).
 */
#ifndef FAXD_T30_DATAGRAM_H
#define FAXD_T30_DATAGRAM_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "plugins/t30/options.h"
#include "plugins/t30/path.h"
#include "plugins/t30/session.h"
#include "plugins/t30/tones.h"

struct datagram;

/* `media` and `rtcp` (-1 = none) are bound, non-blocking UDP sockets; they, `options` and `session` (in the mode of the
 * options' path) stay the caller's and outlive the datagram. `heard` is told of tones while the mode is RTP; it must
 * not end the session. NULL with err_message() when RTP refuses its keys or memory is out. The caller frees with
 * datagram_free. Nothing is sent yet. */
struct datagram *datagram_new(const struct options *options, int media, int rtcp, struct session *session,
                              tones_heard_fn *heard, void *context);

/* NULL is fine. */
void datagram_free(struct datagram *datagram);

/* All of these may end the session. Times are monotonic. */

/* Take what waits, if anything does: some of it, since the socket tells of the rest again. */
void datagram_hear(struct datagram *datagram, int64_t now_ns);
void datagram_hear_rtcp(struct datagram *datagram, int64_t now_ns);

/* Do what is due. */
void datagram_run(struct datagram *datagram, int64_t now_ns);

/* When datagram_run is next to be called, if nothing comes before. */
int64_t datagram_due_ns(const struct datagram *datagram);

/* Another far end, codec or mode; copied. RTP after T.38 is ignored. */
void datagram_set_path(struct datagram *datagram, const struct path *path, int64_t now_ns);

/* The far end hung up: what it sent before is heard to its end, then the session ends. */
void datagram_hang_up(struct datagram *datagram, int64_t now_ns);

/* Send no RTP for a moment, or until the next path. */
void datagram_hush(struct datagram *datagram, int64_t now_ns);

/* An IFP packet of the session's. */
void datagram_send_packet(struct datagram *datagram, const uint8_t *ifp, int size, bool image);

/* No tones are listened for any more. */
void datagram_stop_tones(struct datagram *datagram);

/* The session is over: last datagrams. */
void datagram_finish(struct datagram *datagram, int64_t now_ns);

/* True when the far end should have been heard of, and was not for too long. */
bool datagram_is_silent(const struct datagram *datagram, int64_t now_ns);

/* Add what the record tells of datagrams: "codec", "packet_loss", "jitter_ms". */
void datagram_describe(const struct datagram *datagram, json_t *record);

#endif
