/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One RTP session of a call: what we send, RTCP, and SRTP around all; receiving is rtp_stream.c. */
#include "config.h"

#include "plugins/t30/rtp.h"

#include <stdlib.h>
#include <string.h>

#include <spandsp/telephony.h>
#include <spandsp/bit_operations.h>
#include <spandsp/g711.h>

#include "plugins/t30/rtcp.h"
#include "plugins/t30/rtp_packet.h"
#include "plugins/t30/rtp_stream.h"
#include "server/base/err.h"

#define NS_PER_S    INT64_C(1000000000)
#define INTERVAL_NS (5 * NS_PER_S) /* RFC 3550 6.2: between reports */

struct rtp {
    enum rtp_codec codec;
    uint8_t payload_type;
    struct secure_key send_key, receive_key;
    struct secure *secure; /* NULL: plain RTP */
    struct rtp_stream *stream;
    struct rtp_stats stats;

    uint32_t ssrc, timestamp;
    uint16_t sequence;
    bool mark_next;
    uint64_t octets_sent;
    char cname[RTCP_CNAME_MAX + 1];

    bool started;
    int64_t report_due_ns;
    uint32_t random;
    uint64_t sent_at_report; /* packets */
    uint32_t last_report;    /* middle of the time in our last SR, and when that went out */
    int64_t last_report_ns;
    uint32_t far_report; /* the same of the far end's last SR that came */
    int64_t far_report_ns;
};

/* ---- life ---- */

int rtp_setup(void)
{
    return secure_setup();
}

static bool is_same_key(const struct secure_key *one, const struct secure_key *other)
{
    return one->suite == other->suite && (one->suite == SECURE_NONE || memcmp(one, other, sizeof *one) == 0);
}

/* Make `secure` for the options' keys; NULL for plain RTP. */
static int make_secure(struct secure **secure, const struct rtp_options *options)
{
    *secure = NULL;
    if (options->send_key.suite == SECURE_NONE && options->receive_key.suite == SECURE_NONE)
        return 0;
    if (options->send_key.suite == SECURE_NONE || options->receive_key.suite == SECURE_NONE)
        return err_set(ERR_INVALID, "SRTP needs a key for either direction");
    *secure = secure_new(&options->send_key, &options->receive_key);
    return *secure ? 0 : ERR_INTERNAL;
}

static void set_options(struct rtp *rtp, const struct rtp_options *options)
{
    rtp->codec = options->codec;
    rtp->payload_type = options->payload_type;
    rtp->send_key = options->send_key;
    rtp->receive_key = options->receive_key;
}

struct rtp *rtp_new(const struct rtp_options *options)
{
    struct rtp *rtp = calloc(1, sizeof *rtp);

    if (!rtp || !(rtp->stream = rtp_stream_new(options, &rtp->stats))) {
        free(rtp);
        err_set(ERR_FULL, "no memory for RTP");
        return NULL;
    }
    if (make_secure(&rtp->secure, options) != 0) {
        rtp_free(rtp);
        return NULL;
    }
    set_options(rtp, options);
    rtp->ssrc = options->ssrc;
    rtp->timestamp = options->first_timestamp;
    rtp->sequence = options->first_sequence;
    rtp->mark_next = true;
    rtp->random = options->ssrc ^ options->first_timestamp;
    rtp->stats.round_trip_ms = -1;
    strncpy(rtp->cname, options->cname ? options->cname : "", RTCP_CNAME_MAX);
    return rtp;
}

void rtp_free(struct rtp *rtp)
{
    if (!rtp)
        return;
    secure_free(rtp->secure);
    rtp_stream_free(rtp->stream);
    explicit_bzero(rtp, sizeof *rtp);
    free(rtp);
}

int rtp_change(struct rtp *rtp, const struct rtp_options *options)
{
    /* The same keys with SRTP's state forgotten would use the key stream of old packets again. */
    if (!is_same_key(&options->send_key, &rtp->send_key) || !is_same_key(&options->receive_key, &rtp->receive_key)) {
        struct secure *secure;
        int error = make_secure(&secure, options);
        if (error)
            return error;
        secure_free(rtp->secure);
        rtp->secure = secure;
    }
    set_options(rtp, options);
    rtp_stream_change(rtp->stream, options);
    rtp->far_report = 0;
    rtp->stats.far_left = false;
    rtp->mark_next = true;
    return 0;
}

void rtp_stats(const struct rtp *rtp, struct rtp_stats *stats)
{
    *stats = rtp->stats;
}

/* ---- time ---- */

/* xorshift; only spreads reports. */
static uint32_t next_random(struct rtp *rtp)
{
    uint32_t x = rtp->random ? rtp->random : 1;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return rtp->random = x;
}

/* 0.5 to 1.5 times `interval_ns`. */
static int64_t spread(struct rtp *rtp, int64_t interval_ns)
{
    return interval_ns / 2 + (int64_t)((uint64_t)interval_ns * (next_random(rtp) >> 16) >> 16);
}

static void start(struct rtp *rtp, int64_t now_ns)
{
    if (rtp->started)
        return;
    rtp->started = true;
    rtp->report_due_ns = now_ns + spread(rtp, INTERVAL_NS / 2);
    rtp_stream_start(rtp->stream, now_ns);
}

void rtp_tick(struct rtp *rtp, int64_t now_ns, rtp_samples_fn *deliver, void *context)
{
    start(rtp, now_ns);
    rtp_stream_tick(rtp->stream, now_ns, deliver, context);
}

int64_t rtp_due_ns(const struct rtp *rtp)
{
    return rtp_stream_due_ns(rtp->stream);
}

int64_t rtp_rtcp_due_ns(const struct rtp *rtp)
{
    return rtp->report_due_ns;
}

/* ---- receiving ---- */

/* What of a refusal is counted. */
static int refuse(struct rtp *rtp, int error)
{
    if (error == ERR_DENIED)
        rtp->stats.denied++;
    else
        rtp->stats.invalid++;
    return error;
}

/* The octets of a datagram, deciphered into `plain` where there are keys. */
static int open_packet(const struct rtp *rtp, const uint8_t **packet, size_t *size, uint8_t *plain,
                       int (*check)(struct secure *, uint8_t *, size_t *))
{
    if (*size > RTP_DATAGRAM_MAX)
        return err_set(ERR_INVALID, "a datagram of %zu octets, more than %d", *size, RTP_DATAGRAM_MAX);
    if (!rtp->secure)
        return 0;
    memcpy(plain, *packet, *size);
    *packet = plain;
    return check(rtp->secure, plain, size);
}

int rtp_receive(struct rtp *rtp, const uint8_t *packet, size_t size, int64_t now_ns, rtp_samples_fn *deliver,
                void *context)
{
    _Alignas(8) uint8_t plain[RTP_DATAGRAM_MAX];
    struct rtp_packet parsed;
    uint32_t before, after;

    start(rtp, now_ns);
    /* Before the cipher, so that RTCP and strays on the port are told apart from forgeries. */
    int error = rtp_packet_parse(&parsed, packet, size);
    if (!error)
        error = open_packet(rtp, &packet, &size, plain, secure_check_rtp);
    if (!error && rtp->secure)
        error = rtp_packet_parse(&parsed, packet, size);
    if (error)
        return refuse(rtp, error);
    rtp->stats.received++;
    bool had_stream = rtp_stream_source(rtp->stream, &before);
    rtp_stream_receive(rtp->stream, &parsed, now_ns, deliver, context);
    if (rtp_stream_source(rtp->stream, &after) && (!had_stream || before != after)) {
        rtp->far_report = 0;
        rtp->stats.far_left = false;
    }
    return 0;
}

/* ---- sending ---- */

void rtp_skip(struct rtp *rtp, int count)
{
    rtp->timestamp += (uint32_t)count;
    rtp->mark_next = true;
}

static void encode(enum rtp_codec codec, const int16_t *samples, uint8_t *payload)
{
    for (int i = 0; i < RTP_SEND_SAMPLES; i++)
        payload[i] = codec == RTP_PCMA ? linear_to_alaw(samples[i]) : linear_to_ulaw(samples[i]);
}

size_t rtp_send(struct rtp *rtp, const int16_t *samples, uint8_t *packet, size_t room)
{
    const struct rtp_packet header = {.marker = rtp->mark_next,
                                      .payload_type = rtp->payload_type,
                                      .sequence = rtp->sequence++,
                                      .timestamp = rtp->timestamp,
                                      .ssrc = rtp->ssrc};
    size_t size = RTP_PACKET_HEADER + RTP_SEND_SAMPLES;

    rtp->timestamp += RTP_SEND_SAMPLES;
    rtp->mark_next = false;
    if (room < size + (rtp->secure ? SECURE_TRAILER_MAX : 0)) {
        err_set(ERR_TOO_BIG, "an RTP packet has more than %zu octets", room);
        return 0;
    }
    rtp_packet_write_header(&header, packet);
    encode(rtp->codec, samples, packet + RTP_PACKET_HEADER);
    if (rtp->secure && secure_protect_rtp(rtp->secure, packet, &size) != 0)
        return 0;
    rtp->stats.sent++;
    rtp->octets_sent += RTP_SEND_SAMPLES;
    return size;
}

/* ---- RTCP ---- */

static uint32_t middle(uint64_t ntp)
{
    return (uint32_t)(ntp >> 16);
}

/* RFC 3550 6.4.1, LSR and DLSR. */
static void add_far_report(const struct rtp *rtp, struct rtcp_block *block, int64_t now_ns)
{
    if (rtp->far_report == 0)
        return;
    block->last_report = rtp->far_report;
    block->delay = (uint32_t)((now_ns - rtp->far_report_ns) / 1000 * 65536 / 1000000);
}

static size_t report(struct rtp *rtp, int64_t now_ns, uint64_t ntp, bool bye, uint8_t *packet, size_t room)
{
    struct rtcp_report report = {.ssrc = rtp->ssrc,
                                 .sends = rtp->stats.sent > rtp->sent_at_report,
                                 .ntp = ntp,
                                 .timestamp = rtp->timestamp,
                                 .packets = (uint32_t)rtp->stats.sent,
                                 .octets = (uint32_t)rtp->octets_sent,
                                 .cname = rtp->cname,
                                 .bye = bye};

    rtp->started = true;
    rtp->report_due_ns = now_ns + spread(rtp, INTERVAL_NS);
    if (room < RTCP_SIZE_MAX + (rtp->secure ? SECURE_TRAILER_MAX : 0)) {
        err_set(ERR_TOO_BIG, "an RTCP packet may have more than %zu octets", room);
        return 0;
    }
    report.has_block = rtp_stream_block(rtp->stream, &report.block);
    if (report.has_block)
        add_far_report(rtp, &report.block, now_ns);
    size_t size = rtcp_write(&report, packet, room);
    if (rtp->secure && secure_protect_rtcp(rtp->secure, packet, &size) != 0)
        return 0;
    if (report.sends) {
        rtp->last_report = middle(ntp);
        rtp->last_report_ns = now_ns;
    }
    rtp->sent_at_report = rtp->stats.sent;
    return size;
}

size_t rtp_rtcp_send(struct rtp *rtp, int64_t now_ns, uint64_t ntp, uint8_t *packet, size_t room)
{
    return report(rtp, now_ns, ntp, false, packet, room);
}

size_t rtp_rtcp_bye(struct rtp *rtp, int64_t now_ns, uint64_t ntp, uint8_t *packet, size_t room)
{
    return report(rtp, now_ns, ntp, true, packet, room);
}

/* What the far end says about our packets. */
static void hear_block(struct rtp *rtp, const struct rtcp_block *block, int64_t now_ns)
{
    struct rtp_stats *stats = &rtp->stats;

    stats->reported = true;
    stats->far_lost = block->lost;
    stats->far_fraction_lost = block->fraction_lost / 256.0;
    stats->far_jitter_ms = block->jitter * 1000.0 / RTP_RATE;
    if (block->last_report != 0 && block->last_report == rtp->last_report) {
        double round_trip_ms = (double)(now_ns - rtp->last_report_ns) / 1e6 - block->delay * 1000.0 / 65536;
        stats->round_trip_ms = round_trip_ms > 0 ? round_trip_ms : 0;
    }
}

int rtp_rtcp_receive(struct rtp *rtp, const uint8_t *packet, size_t size, int64_t now_ns)
{
    _Alignas(8) uint8_t plain[RTP_DATAGRAM_MAX];
    struct rtcp_heard heard;
    uint32_t far;

    bool has_stream = rtp_stream_source(rtp->stream, &far);
    int error = open_packet(rtp, &packet, &size, plain, secure_check_rtcp);
    if (!error)
        error = rtcp_parse(&heard, rtp->ssrc, far, packet, size);
    if (error)
        return refuse(rtp, error);
    if (has_stream && heard.sends) {
        rtp->far_report = middle(heard.ntp);
        rtp->far_report_ns = now_ns;
    }
    if (heard.has_block)
        hear_block(rtp, &heard.block, now_ns);
    if (has_stream && heard.bye)
        rtp->stats.far_left = true;
    return 0;
}
