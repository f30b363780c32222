/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The far end's RTP packets become samples: put in order, and what is missing filled in. See rtp.h for what is
 * promised; this is the part of struct rtp that receives. Pure. Thread: one for each stream.
 */
#ifndef FAXD_T30_RTP_STREAM_H
#define FAXD_T30_RTP_STREAM_H

#include <stdint.h>

#include "plugins/t30/rtcp.h"
#include "plugins/t30/rtp.h"
#include "plugins/t30/rtp_packet.h"

struct rtp_stream;

/* Of `options`: codec, payload_type, wait_ms, silence_ms. `stats` is counted up and has to outlive the stream. NULL
 * without memory. The caller frees with rtp_stream_free (NULL is fine). */
struct rtp_stream *rtp_stream_new(const struct rtp_options *options, struct rtp_stats *stats);
void rtp_stream_free(struct rtp_stream *stream);

/* New options, and a stream that starts anew with its next packet; what was held is dropped, time goes on. */
void rtp_stream_change(struct rtp_stream *stream, const struct rtp_options *options);

/* Start the clock of silence, if it is not yet. */
void rtp_stream_start(struct rtp_stream *stream, int64_t now_ns);

/* As rtp_receive, rtp_tick and rtp_due_ns. */
void rtp_stream_receive(struct rtp_stream *stream, const struct rtp_packet *packet, int64_t now_ns,
                        rtp_samples_fn *deliver, void *context);
void rtp_stream_tick(struct rtp_stream *stream, int64_t now_ns, rtp_samples_fn *deliver, void *context);
int64_t rtp_stream_due_ns(const struct rtp_stream *stream);

/* Whose packets are taken: true and the SSRC, once there was one. */
bool rtp_stream_source(const struct rtp_stream *stream, uint32_t *ssrc);

/* ssrc, loss and jitter of a report block about the stream; starts the next interval (RFC 3550 A.3). False: no stream
 * yet. */
bool rtp_stream_block(struct rtp_stream *stream, struct rtcp_block *block);

#endif
