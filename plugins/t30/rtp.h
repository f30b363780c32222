/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RTP (RFC 3550) with G.711 (RFC 3551: PCMU, PCMA) for modem signals, RTCP with it, SRTP under it.
 *
 * The far end's packets drive the receive side: their samples go straight through, in order and as many as its
 * timestamps say, so that its clock may run fast or slow without a sample being put in or left out. What is missing is
 * waited for (`wait_ms`), then concealed with the right number of samples.
 *
 * Pure: no sockets and no clock. All times `now_ns` are of one steady clock of the caller's that never runs back.
 * Thread: one for each struct rtp.
 */
#ifndef FAXD_T30_RTP_H
#define FAXD_T30_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugins/t30/secure.h"

#define RTP_RATE         8000 /* samples a second */
#define RTP_SEND_SAMPLES 160  /* in each packet of ours: 20 ms */
#define RTP_DATAGRAM_MAX 1500 /* octets; longer ones that come are refused. Enough room for any packet of ours */

enum rtp_codec { RTP_PCMU, RTP_PCMA };

struct rtp_options {
    enum rtp_codec codec;
    uint8_t payload_type; /* of the codec, both ways: 0 (PCMU), 8 (PCMA), or what SDP said; under 128 */

    /* Random numbers of the caller's (RFC 3550 5.1, 8). Not looked at by rtp_change. */
    uint32_t ssrc;
    uint32_t first_timestamp;
    uint16_t first_sequence;
    const char
        *cname; /* for RTCP, copied, cut at 63 octets; NULL: RTCP has an empty one. Not looked at by rtp_change */

    int wait_ms;    /* for a missing packet; 0: 60 */
    int silence_ms; /* without audio, until line time goes on by our clock; 0: 500 */

    struct secure_key send_key, receive_key; /* SRTP; SECURE_NONE in both: plain RTP */
};

/* `count` samples (16-bit linear, 8 kHz) of the line, next in time; the receiver may change them in place. Must not
 * call back into the struct rtp that delivers. */
typedef void rtp_samples_fn(void *context, int16_t *samples, int count);

struct rtp_stats {
    /* Received, over all streams (SSRCs) of the call. */
    uint64_t received;      /* valid packets */
    uint64_t expected;      /* by sequence numbers */
    uint64_t lost;          /* given up and concealed */
    uint64_t recovered;     /* came out of order, but in time */
    uint64_t late;          /* came after they had been given up */
    uint64_t duplicate;     /* came twice */
    uint64_t other_payload; /* comfort noise, events, and what else is not G.711 */
    uint64_t invalid;       /* no RTP or RTCP, by version, length or payload type */
    uint64_t denied;        /* SRTP or SRTCP that is not authentic or came twice */
    uint64_t resyncs;       /* new SSRC, or a jump of sequence or time too far to be a gap */
    uint64_t concealed;     /* samples put in the place of lost ones */
    uint64_t silence;       /* samples put in where nothing was sent, or nothing came for silence_ms */
    uint64_t skipped;       /* samples of silence left out to make up for such that was put in before they came */
    double jitter_ms;       /* of arrival, RFC 3550 6.4.1 */

    uint64_t sent; /* packets of ours */

    /* What the far end's RTCP says about our packets. */
    bool reported;
    int64_t far_lost; /* may be negative: duplicates */
    double far_fraction_lost;
    double far_jitter_ms;
    double round_trip_ms; /* -1: not known */
    bool far_left;        /* BYE came */
};

struct rtp;

/* Prepare the process, once, before the sandbox: tables, libsrtp2. 0 or ERR_INTERNAL. */
int rtp_setup(void);

/* `options` is copied. NULL with err_message() if the keys are refused (only one way has one). The caller frees with
 * rtp_free. */
struct rtp *rtp_new(const struct rtp_options *options);

/* NULL is fine; wipes the keys. */
void rtp_free(struct rtp *rtp);

/* A new far end, codec or keys in mid-call (a path command). Our own numbering goes on, and so does SRTP's state where
 * the keys are the same; the far end's stream starts anew with its next packet. 0, or an err code with nothing changed.
 */
int rtp_change(struct rtp *rtp, const struct rtp_options *options);

/* ---- receiving ---- */

/* One datagram from the far end. Delivers any number of runs of samples, in order of time. 0: it is RTP, and authentic
 * if there are keys (its address may be latched), whatever becomes of its samples. ERR_INVALID: no RTP; ERR_DENIED: not
 * authentic, or a replay. Either is counted. */
int rtp_receive(struct rtp *rtp, const uint8_t *packet, size_t size, int64_t now_ns, rtp_samples_fn *deliver,
                void *context);

/* Time has passed: give up what was waited for long enough; where nothing was heard for silence_ms, deliver silence as
 * our clock goes. */
void rtp_tick(struct rtp *rtp, int64_t now_ns, rtp_samples_fn *deliver, void *context);

/* When rtp_tick is to be called next; later costs only accuracy. 0 until the first call of rtp_tick or rtp_receive,
 * which starts the clock. Never further away than silence_ms and one packet. */
int64_t rtp_due_ns(const struct rtp *rtp);

/* ---- sending ---- */

/* The next RTP_SEND_SAMPLES samples as a packet of at most `room` octets (RTP_DATAGRAM_MAX is always enough). Its size,
 * or 0 with err_message() when room is too small or libsrtp2 refuses; its time has passed all the same. */
size_t rtp_send(struct rtp *rtp, const int16_t *samples, uint8_t *packet, size_t room);

/* Line time passes by `count` samples with nothing sent (on hold); the next packet is marked as the start of a
 * talkspurt. */
void rtp_skip(struct rtp *rtp, int count);

/* ---- RTCP (RFC 3550 6) ---- */

/* When the next report is due: every 5 s, varied by half (6.2). 0 until the clock is started as for rtp_due_ns, or by
 * rtp_rtcp_send. */
int64_t rtp_rtcp_due_ns(const struct rtp *rtp);

/* A compound packet of SR (RR if nothing was sent since the last) with a block about the far end's stream if there is
 * one, and SDES with our CNAME; `ntp` is the time of day (6.4.1: seconds since 1900 and their fraction, 32 bits each).
 * Its size, or 0 with err_message(). */
size_t rtp_rtcp_send(struct rtp *rtp, int64_t now_ns, uint64_t ntp, uint8_t *packet, size_t room);

/* The same with BYE at its end: the last one. */
size_t rtp_rtcp_bye(struct rtp *rtp, int64_t now_ns, uint64_t ntp, uint8_t *packet, size_t room);

/* A datagram that came to the RTCP socket. 0, ERR_INVALID or ERR_DENIED as rtp_receive. */
int rtp_rtcp_receive(struct rtp *rtp, const uint8_t *packet, size_t size, int64_t now_ns);

/* So far. */
void rtp_stats(const struct rtp *rtp, struct rtp_stats *stats);

#endif
