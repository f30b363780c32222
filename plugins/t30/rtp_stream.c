/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets in, samples out. In-order packets are played at once: there is no jitter buffer, since nobody listens who
 * minds unevenness; T.30 counts time in the samples it gets.
 * Sequence numbers say what is missing, timestamps how long it was. */
#include "config.h"

#include "plugins/t30/rtp_stream.h"

#include <stdlib.h>
#include <string.h>

#include <spandsp/telephony.h>
#include <spandsp/bit_operations.h>
#include <spandsp/g711.h>

#include "plugins/t30/rtp_play.h"

#define NS_PER_MS     INT64_C(1000000)
#define NS_PER_SAMPLE (INT64_C(1000000000) / RTP_RATE)
#define WAIT_MS       60
#define SILENCE_MS    500              /* a network that stalls for less does no harm: modems do not notice */
#define SLOTS         32               /* packets that wait for an earlier one; 60 ms need 12 of 5 ms */
#define JUMP_MAX      3000             /* numbers lost at once; RFC 3550 A.1 MAX_DROPOUT */
#define BACK_MAX      100              /* how late a packet may come; A.1 MAX_MISORDER */
#define SLEEP_MAX     (RTP_RATE / 2)   /* samples of silence at once */
#define GAP_MIN       (RTP_RATE / 200) /* less, with nothing lost, is a far end that counts badly */
#define PAYLOAD_MAX   (RTP_DATAGRAM_MAX - RTP_PACKET_HEADER)
#define PAYLOAD_PCMU  0
#define PAYLOAD_PCMA  8

/* A packet that waits. */
struct slot {
    bool used;
    bool is_audio;
    enum rtp_codec codec;
    uint16_t sequence;
    uint32_t timestamp, ssrc;
    int64_t came_ns;
    size_t size;
    uint8_t octets[PAYLOAD_MAX];
};

/* Of the SSRC at hand, RFC 3550 A.1, A.3 and A.8. */
struct reception {
    uint32_t first, highest; /* extended sequence numbers */
    uint32_t received;
    uint32_t expected_before, received_before; /* at the last report */
    bool has_transit;
    uint32_t transit;
    double jitter; /* samples */
};

struct rtp_stream {
    struct rtp_stats *stats;
    enum rtp_codec codec;
    uint8_t payload_type;
    int64_t wait_ns, silence_ns;

    bool started, synced, was_synced;
    struct rtp_play play;
    int64_t fill_ns; /* line time is covered up to here, by our clock */

    uint32_t ssrc;
    uint16_t next_sequence;
    uint32_t next_timestamp;
    uint64_t seen; /* bit i: next_sequence - 1 - i came */
    int lost;      /* packets given up since the last audio */
    int last_size; /* samples in the last audio packet */
    struct reception reception;
    uint64_t expected_of_others; /* SSRCs before */

    int held;
    int64_t give_up_ns; /* when something is held */
    struct slot slots[SLOTS];
    struct slot candidate; /* first packet of what may be a new stream */
};

/* ---- packets to samples ---- */

static void play_payload(struct rtp_stream *stream, const struct slot *slot, const struct rtp_sink *sink)
{
    int16_t samples[PAYLOAD_MAX];

    for (size_t i = 0; i < slot->size; i++)
        samples[i] = slot->codec == RTP_PCMA ? alaw_to_linear(slot->octets[i]) : ulaw_to_linear(slot->octets[i]);
    rtp_play_samples(&stream->play, samples, (int)slot->size, sink);
}

static int lost_samples(const struct rtp_stream *stream)
{
    int64_t count = (int64_t)stream->lost * stream->last_size;
    return count < INT32_MAX ? (int)count : INT32_MAX;
}

/* The next packet in order. What carries no audio takes a number, but its time is told by the audio after it. */
static void play(struct rtp_stream *stream, const struct slot *slot, const struct rtp_sink *sink)
{
    int32_t gap = (int32_t)(slot->timestamp - stream->next_timestamp);

    stream->next_sequence++;
    stream->seen = stream->seen << 1 | 1;
    if (!slot->is_audio)
        return;
    if (gap >= GAP_MIN || (gap > 0 && stream->lost > 0))
        rtp_play_gap(&stream->play, gap, lost_samples(stream), sink);
    stream->lost = 0;
    stream->last_size = (int)slot->size;
    stream->next_timestamp = slot->timestamp + (uint32_t)slot->size;
    play_payload(stream, slot, sink);
}

/* ---- order ---- */

static struct slot *slot_of(struct rtp_stream *stream, uint16_t sequence)
{
    return &stream->slots[sequence % SLOTS];
}

static void release(struct rtp_stream *stream, struct slot *slot)
{
    slot->used = false;
    stream->held--;
}

/* Play what waited for nothing but the packet before it. */
static void play_held(struct rtp_stream *stream, const struct rtp_sink *sink)
{
    struct slot *slot;

    while (stream->held > 0 && (slot = slot_of(stream, stream->next_sequence))->used) {
        play(stream, slot, sink);
        release(stream, slot);
    }
}

/* The first gap is waited for from the time when the first packet behind it came. */
static void set_give_up(struct rtp_stream *stream)
{
    int64_t first_ns = INT64_MAX;

    for (int i = 0; i < SLOTS && stream->held > 0; i++) {
        if (stream->slots[i].used && stream->slots[i].came_ns < first_ns)
            first_ns = stream->slots[i].came_ns;
    }
    if (stream->held > 0)
        stream->give_up_ns = first_ns + stream->wait_ns;
}

static void lose(struct rtp_stream *stream, int count)
{
    stream->lost += count;
    stream->stats->lost += (uint64_t)count;
    stream->next_sequence = (uint16_t)(stream->next_sequence + count);
    stream->seen = count < 64 ? stream->seen << count : 0;
}

/* The first gap will not be closed any more. */
static void give_up(struct rtp_stream *stream, const struct rtp_sink *sink)
{
    int count = 1;

    while (!slot_of(stream, (uint16_t)(stream->next_sequence + count))->used)
        count++;
    lose(stream, count);
    play_held(stream, sink);
    set_give_up(stream);
}

static void give_up_due(struct rtp_stream *stream, int64_t now_ns, const struct rtp_sink *sink)
{
    while (stream->held > 0 && now_ns >= stream->give_up_ns)
        give_up(stream, sink);
}

static void give_up_all(struct rtp_stream *stream, const struct rtp_sink *sink)
{
    while (stream->held > 0)
        give_up(stream, sink);
}

static void fill_slot(const struct rtp_stream *stream, struct slot *slot, const struct rtp_packet *packet,
                      int64_t now_ns)
{
    bool negotiated = packet->payload_type == stream->payload_type;
    bool other_law = packet->payload_type == PAYLOAD_PCMU || packet->payload_type == PAYLOAD_PCMA;

    slot->used = true;
    slot->is_audio = (negotiated || other_law) && packet->size > 0;
    slot->codec = negotiated ? stream->codec : packet->payload_type == PAYLOAD_PCMA ? RTP_PCMA : RTP_PCMU;
    slot->sequence = packet->sequence;
    slot->timestamp = packet->timestamp;
    slot->ssrc = packet->ssrc;
    slot->came_ns = now_ns;
    slot->size = packet->size;
    memcpy(slot->octets, packet->payload, packet->size);
}

/* ---- what RTCP reports ---- */

static uint64_t expected_of_this(const struct rtp_stream *stream)
{
    return stream->synced ? (uint64_t)(stream->reception.highest - stream->reception.first) + 1 : 0;
}

/* True when a later packet came before this one. */
static bool count_packet(struct rtp_stream *stream, const struct slot *slot)
{
    struct reception *reception = &stream->reception;
    int16_t ahead = (int16_t)(uint16_t)(slot->sequence - reception->highest);
    uint32_t transit = (uint32_t)(slot->came_ns / NS_PER_SAMPLE) - slot->timestamp;

    reception->received++;
    if (ahead > 0)
        reception->highest += (uint32_t)ahead;
    stream->stats->expected = stream->expected_of_others + expected_of_this(stream);
    if (!slot->is_audio)
        return ahead < 0;
    if (reception->has_transit) {
        double change = (double)(int32_t)(transit - reception->transit);
        reception->jitter += ((change < 0 ? -change : change) - reception->jitter) / 16;
    }
    reception->has_transit = true;
    reception->transit = transit;
    stream->stats->jitter_ms = reception->jitter * 1000 / RTP_RATE;
    return ahead < 0;
}

bool rtp_stream_source(const struct rtp_stream *stream, uint32_t *ssrc)
{
    *ssrc = stream->ssrc;
    return stream->synced;
}

bool rtp_stream_block(struct rtp_stream *stream, struct rtcp_block *block)
{
    struct reception *reception = &stream->reception;
    uint32_t expected = (uint32_t)expected_of_this(stream);
    int64_t lost = (int64_t)expected - reception->received;
    uint32_t interval = expected - reception->expected_before;
    int64_t interval_lost = (int64_t)interval - (reception->received - reception->received_before);

    if (!stream->synced)
        return false;
    lost = lost > 0x7FFFFF ? 0x7FFFFF : lost < -0x800000 ? -0x800000 : lost;
    *block = (struct rtcp_block){
        .ssrc = stream->ssrc,
        .fraction_lost = interval == 0 || interval_lost <= 0 ? 0 : (uint8_t)(interval_lost * 255 / interval),
        .lost = (int32_t)lost,
        .highest = reception->highest,
        .jitter = (uint32_t)reception->jitter};
    reception->expected_before = expected;
    reception->received_before = reception->received;
    return true;
}

/* ---- which stream ---- */

static void forget(struct rtp_stream *stream)
{
    stream->expected_of_others += expected_of_this(stream);
    stream->synced = false;
    stream->candidate.used = false;
    stream->held = 0;
    for (int i = 0; i < SLOTS; i++)
        stream->slots[i].used = false;
}

static void begin(struct rtp_stream *stream, uint32_t ssrc, uint16_t sequence, uint32_t timestamp)
{
    if (stream->was_synced)
        stream->stats->resyncs++;
    stream->was_synced = stream->synced = true;
    stream->ssrc = ssrc;
    stream->next_sequence = sequence;
    stream->next_timestamp = timestamp;
    stream->seen = 0;
    stream->lost = 0;
    stream->last_size = 0;
    rtp_play_reset(&stream->play);
    /* One cycle ahead, so that a packet from before the first one is no negative number. */
    stream->reception = (struct reception){.first = 0x10000U + sequence, .highest = 0x10000U + sequence};
}

/* Another SSRC, or a number that is out of all order: a stray packet, or a new stream when its next follows (A.1). True
 * when it is the latter and the first has been played. */
static bool follows_candidate(struct rtp_stream *stream, const struct rtp_packet *packet, int64_t now_ns,
                              const struct rtp_sink *sink)
{
    struct slot *candidate = &stream->candidate;

    if (!candidate->used || candidate->ssrc != packet->ssrc ||
        (uint16_t)(candidate->sequence + 1) != packet->sequence) {
        fill_slot(stream, candidate, packet, now_ns);
        return false;
    }
    give_up_all(stream, sink);
    forget(stream);
    begin(stream, candidate->ssrc, candidate->sequence, candidate->timestamp);
    count_packet(stream, candidate);
    play(stream, candidate, sink);
    return true;
}

static bool belongs(const struct rtp_stream *stream, const struct rtp_packet *packet)
{
    int distance = (int16_t)(uint16_t)(packet->sequence - stream->next_sequence);
    return packet->ssrc == stream->ssrc && distance >= -BACK_MAX && distance < JUMP_MAX;
}

/* ---- packets ---- */

static void take_late(struct rtp_stream *stream, int back)
{
    uint64_t bit = back <= 64 ? UINT64_C(1) << (back - 1) : 0;

    if (stream->seen & bit)
        stream->stats->duplicate++;
    else
        stream->stats->late++;
    stream->seen |= bit;
}

static void take_next(struct rtp_stream *stream, const struct slot *slot, const struct rtp_sink *sink)
{
    play(stream, slot, sink);
    play_held(stream, sink);
    set_give_up(stream);
}

/* False: it is held already. */
static bool hold(struct rtp_stream *stream, const struct slot *packet)
{
    struct slot *slot = slot_of(stream, packet->sequence);

    if (slot->used) {
        stream->stats->duplicate++;
        return false;
    }
    *slot = *packet;
    stream->held++;
    set_give_up(stream);
    return true;
}

static void take(struct rtp_stream *stream, const struct slot *slot, const struct rtp_sink *sink)
{
    int distance = (int16_t)(uint16_t)(slot->sequence - stream->next_sequence);

    bool reordered = count_packet(stream, slot);
    if (distance < 0) {
        take_late(stream, -distance);
        return;
    }
    if (slot->is_audio)
        stream->fill_ns = slot->came_ns + stream->silence_ns;
    if (distance >= SLOTS) {
        give_up_all(stream, sink);
        lose(stream, (uint16_t)(slot->sequence - stream->next_sequence));
        distance = 0;
    }
    if (distance == 0)
        take_next(stream, slot, sink);
    else if (!hold(stream, slot))
        return;
    stream->stats->recovered += reordered;
}

void rtp_stream_receive(struct rtp_stream *stream, const struct rtp_packet *packet, int64_t now_ns,
                        rtp_samples_fn *deliver, void *context)
{
    struct rtp_sink sink = {deliver, context};
    struct slot slot;

    rtp_stream_start(stream, now_ns);
    if (!stream->synced)
        begin(stream, packet->ssrc, packet->sequence, packet->timestamp);
    else if (!belongs(stream, packet) && !follows_candidate(stream, packet, now_ns, &sink))
        return;
    fill_slot(stream, &slot, packet, now_ns);
    if (!slot.is_audio)
        stream->stats->other_payload++;
    take(stream, &slot, &sink);
    give_up_due(stream, now_ns, &sink);
}

/* ---- time ---- */

void rtp_stream_start(struct rtp_stream *stream, int64_t now_ns)
{
    if (stream->started)
        return;
    stream->started = true;
    stream->fill_ns = now_ns + stream->silence_ns;
}

/* Whole packets of silence for the time since fill_ns; a caller that slept long gets no flood. */
static void fill_time(struct rtp_stream *stream, int64_t now_ns, const struct rtp_sink *sink)
{
    int64_t packets = (now_ns - stream->fill_ns) / (RTP_SEND_SAMPLES * NS_PER_SAMPLE);
    int count = packets > SLEEP_MAX / RTP_SEND_SAMPLES ? SLEEP_MAX : (int)packets * RTP_SEND_SAMPLES;

    if (packets <= 0)
        return;
    stream->fill_ns += packets * RTP_SEND_SAMPLES * NS_PER_SAMPLE;
    rtp_play_nothing(&stream->play, count, sink);
}

void rtp_stream_tick(struct rtp_stream *stream, int64_t now_ns, rtp_samples_fn *deliver, void *context)
{
    struct rtp_sink sink = {deliver, context};

    rtp_stream_start(stream, now_ns);
    give_up_due(stream, now_ns, &sink);
    fill_time(stream, now_ns, &sink);
}

int64_t rtp_stream_due_ns(const struct rtp_stream *stream)
{
    int64_t due_ns = stream->fill_ns + RTP_SEND_SAMPLES * NS_PER_SAMPLE;

    if (!stream->started)
        return 0;
    return stream->held > 0 && stream->give_up_ns < due_ns ? stream->give_up_ns : due_ns;
}

/* ---- life ---- */

static void set_options(struct rtp_stream *stream, const struct rtp_options *options)
{
    stream->codec = options->codec;
    stream->payload_type = options->payload_type;
    stream->wait_ns = (options->wait_ms > 0 ? options->wait_ms : WAIT_MS) * NS_PER_MS;
    stream->silence_ns = (options->silence_ms > 0 ? options->silence_ms : SILENCE_MS) * NS_PER_MS;
}

struct rtp_stream *rtp_stream_new(const struct rtp_options *options, struct rtp_stats *stats)
{
    struct rtp_stream *stream = calloc(1, sizeof *stream);

    if (!stream)
        return NULL;
    stream->stats = stream->play.stats = stats;
    set_options(stream, options);
    return stream;
}

void rtp_stream_free(struct rtp_stream *stream)
{
    free(stream);
}

void rtp_stream_change(struct rtp_stream *stream, const struct rtp_options *options)
{
    forget(stream);
    set_options(stream, options);
}
