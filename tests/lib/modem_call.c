/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a call, and the samples of its lines. */
#include "config.h"

#include "tests/lib/modem_call.h"

#include <string.h>

#include "server/base/str.h"

#define TICK_MS       MODEM_LINE_CHUNK_MS
#define DIAL_MS       500  /* from ATD to the first tone */
#define RING_MS       3000 /* from ring to ring; real ones take 5 or 6 s */
#define CALLER_ID_MS  1000 /* after the first ring */
#define TONE_MS       600  /* a busy tone that is known for one */
#define NOBODY_MS     3000 /* the tones before "the number you have dialled" */
#define MACHINE_MS    1000 /* until a person or nobody picks up */
#define LAST_WORDS_MS 200  /* after the delay of the line, before a stream is closed */
#define VOICE_LEVEL   6000
#define VOICE_CHUNKS  12 /* of one syllable */
#define SEED_STEP     7919u

void modem_call_free(struct modem_call *call)
{
    int side;

    for (side = 0; side < 2; side++) {
        if (call->ends[side])
            call->ends[side]->call = NULL;
        modem_line_free(call->lines[side]);
    }
    *call = (struct modem_call){.exchange = call->exchange};
}

static void enter(struct modem_call *call, enum modem_call_state state)
{
    call->state = state;
    call->state_ms = 0;
}

/* Never full: each call has an end, and each party one call at most. */
static struct modem_call *new_call(struct modem_exchange *exchange, struct modem_party *from, const char *to)
{
    int i = 0;

    while (exchange->calls[i].state != CALL_FREE)
        i++;
    exchange->calls[i].exchange = exchange;
    exchange->calls[i].ends[0] = from;
    if (from)
        from->call = &exchange->calls[i];
    str_copy(exchange->calls[i].to, sizeof exchange->calls[i].to, to);
    return &exchange->calls[i];
}

static struct modem_line *new_line(struct modem_exchange *exchange, const struct modem_party *speaker)
{
    struct modem_line *line = modem_line_new(exchange->seed + SEED_STEP * ++exchange->line_count);

    modem_line_set_delay(line, exchange->delay_ms);
    modem_line_set_noise(line, exchange->noise_dbm0);
    modem_line_set_level(line, speaker ? speaker->level_db : 0.0);
    return line;
}

void modem_call_interrupt(struct modem_call *call, int side)
{
    struct modem_party *party = call->ends[side];

    if (!party || party->hole_after_ms < 0)
        return;
    modem_line_interrupt(call->lines[side],
                         call->state_ms > party->hole_after_ms ? call->state_ms : party->hole_after_ms,
                         party->hole_for_ms);
    party->hole_after_ms = -1;
}

static void connect_end(struct modem_call *call, int side)
{
    struct modem_party *party = call->ends[side];

    call->lines[side] = new_line(call->exchange, call->ends[1 - side]);
    modem_call_interrupt(call, side);
    if (!party)
        return;
    if (party->stream)
        modem_stream_start(party->stream);
    else if (side == 0)
        modem_connect(party->modem);
}

void modem_call_stand(struct modem_call *call)
{
    enter(call, CALL_STANDS);
    call->exchange->counts.connected++;
    modem_party_tell(call->exchange, "answered", call->to, call->ends[0] ? call->ends[0]->number : NULL);
    connect_end(call, 0);
    connect_end(call, 1);
}

/* ---- ends that leave ---- */

/* A stream machine is there for one call. */
static void leave(struct modem_party *party)
{
    party->call = NULL;
    modem_party_tell(party->exchange, "hung_up", party->number, NULL);
    if (party->kind == PARTY_STREAM)
        modem_party_remove(party);
}

void modem_call_hang_up(struct modem_party *party)
{
    struct modem_call *call = party->call;

    if (!call)
        return;
    call->ends[call->ends[0] == party ? 0 : 1] = NULL;
    call->left = true;
    call->alone_ms = 0;
    leave(party);
    if (call->state < CALL_STANDS || (!call->ends[0] && !call->ends[1]))
        modem_call_free(call);
}

/* The caller hears why the call does not stand, and leaves. */
static void refuse(struct modem_call *call)
{
    struct modem_party *from = call->ends[0];

    if (from->kind == PARTY_STREAM)
        modem_call_hang_up(from);
    else
        modem_refuse(from->modem, call->refusal);
}

/* ---- dialling ---- */

static void send_tone(struct modem_call *call, enum modem_result refusal, int tone_ms)
{
    call->refusal = refusal;
    call->tone_ms = tone_ms;
    enter(call, CALL_TONE);
}

static void route_to_behaviour(struct modem_call *call, enum modem_behaviour behaviour)
{
    switch (behaviour) {
    case BEHAVIOUR_BUSY:
    case BEHAVIOUR_REORDER:
        send_tone(call, MODEM_BUSY, TONE_MS);
        break;
    case BEHAVIOUR_NOBODY:
        send_tone(call, MODEM_NO_CARRIER, NOBODY_MS);
        break;
    case BEHAVIOUR_VOICE:
        call->voice = true;
        enter(call, CALL_RINGING);
        break;
    case BEHAVIOUR_NO_ANSWER:
    case BEHAVIOUR_SILENT:
        enter(call, CALL_RINGING);
        break;
    }
}

static void begin_ringing(struct modem_call *call, struct modem_party *to)
{
    call->ends[1] = to;
    to->call = call;
    enter(call, CALL_RINGING);
    modem_party_tell(call->exchange, "ringing", to->number, call->ring.caller[0] ? call->ring.caller : NULL);
}

static void route(struct modem_call *call)
{
    struct modem_party *to = modem_party_find(call->exchange, call->to);

    if (!to)
        route_to_behaviour(call, BEHAVIOUR_NOBODY);
    else if (to->kind == PARTY_BEHAVIOUR)
        route_to_behaviour(call, to->behaviour);
    else if (modem_party_is_engaged(to))
        route_to_behaviour(call, BEHAVIOUR_BUSY);
    else
        begin_ringing(call, to);
}

void modem_call_dial(struct modem_party *from, const char *to)
{
    struct modem_call *call = new_call(from->exchange, from, to);

    str_copy(call->ring.caller, sizeof call->ring.caller, from->number);
    enter(call, CALL_DIALLED);
    from->exchange->counts.calls++;
    modem_party_tell(from->exchange, "dialled", from->number, to);
}

void modem_call_ring(struct modem_party *to, const struct modem_ring *ring)
{
    struct modem_call *call = new_call(to->exchange, NULL, to->number);

    call->ring = *ring;
    begin_ringing(call, to);
}

/* ---- time ---- */

/* Somebody talks: noise in syllables, and pauses between sentences. */
static void speak(struct modem_exchange *exchange, int64_t ms, int16_t samples[MODEM_LINE_CHUNK])
{
    int64_t chunk = ms / TICK_MS, syllable = chunk % VOICE_CHUNKS;
    int level = chunk / VOICE_CHUNKS % 8 < 6 ? (int)(VOICE_LEVEL * syllable / VOICE_CHUNKS) : 0, i;

    for (i = 0; i < MODEM_LINE_CHUNK; i++) {
        exchange->random = exchange->random * 1664525 + 1013904223;
        samples[i] = (int16_t)((int)(exchange->random >> 16) * level / 65536 - level / 2);
    }
}

static void say(const struct modem_call *call, int side, int16_t samples[MODEM_LINE_CHUNK])
{
    const struct modem_party *party = call->ends[side];

    if (party && party->modem)
        modem_say(party->modem, samples, MODEM_LINE_CHUNK);
    else if (party)
        modem_stream_say(party->stream, samples);
    else if (side == 1 && call->voice)
        speak(call->exchange, call->state_ms, samples);
    else
        memset(samples, 0, MODEM_LINE_CHUNK * sizeof *samples);
}

static void hear(const struct modem_call *call, int side, int16_t samples[MODEM_LINE_CHUNK])
{
    const struct modem_party *party = call->ends[side];

    if (party && party->modem)
        modem_hear(party->modem, samples, MODEM_LINE_CHUNK);
    else if (party)
        modem_stream_hear(party->stream, samples);
}

/* Both speak before either hears: what one hears changes what it says next, not now. */
static void carry(struct modem_call *call)
{
    int16_t said[2][MODEM_LINE_CHUNK];
    int side;

    say(call, 0, said[0]);
    say(call, 1, said[1]);
    for (side = 0; side < 2; side++)
        modem_line_carry(call->lines[side], said[1 - side], said[1 - side]);
    if (call->state == CALL_CUT)
        memset(said, 0, sizeof said);
    /* One that hears nothing for too long hangs up, and its call may be gone with it. */
    for (side = 0; side < 2 && call->state != CALL_FREE; side++)
        hear(call, side, said[1 - side]);
}

static void watch_drop(struct modem_call *call)
{
    int side;

    for (side = 0; side < 2; side++) {
        if (!call->ends[side] || call->ends[side]->drop_after_ms < 0 ||
            call->state_ms < call->ends[side]->drop_after_ms)
            continue;
        call->ends[side]->drop_after_ms = -1;
        modem_party_tell(call->exchange, "line_cut", call->ends[side]->number, NULL);
        enter(call, CALL_CUT);
        return;
    }
}

/* A stream machine that has closed, or whose line ended, leaves; when the last end has left the call is free. */
static void watch_streams(struct modem_call *call)
{
    bool ended = call->state == CALL_CUT || (call->left && call->alone_ms > call->exchange->delay_ms + LAST_WORDS_MS);
    struct modem_party *party;
    int side;

    for (side = 0; side < 2 && call->state != CALL_FREE; side++) {
        party = call->ends[side];
        if (party && party->stream && (ended || modem_stream_is_over(party->stream)))
            modem_call_hang_up(party);
    }
}

static void tick_standing(struct modem_call *call)
{
    carry(call);
    if (call->state == CALL_FREE)
        return;
    if (call->left)
        call->alone_ms += TICK_MS;
    if (call->state == CALL_STANDS)
        watch_drop(call);
    watch_streams(call);
}

static void ring_once(struct modem_call *call, struct modem_party *to)
{
    if (call->ring.times > 0 && call->rings >= call->ring.times) {
        modem_party_tell(call->exchange, "gave_up", to->number, call->ring.caller);
        modem_call_free(call);
        return;
    }
    modem_ring(to->modem, &call->ring, ++call->rings);
}

static void tick_ringing(struct modem_call *call)
{
    struct modem_party *to = call->ends[1];
    const struct modem_party *nobody = to ? NULL : modem_party_find(call->exchange, call->to);

    if (nobody && nobody->behaviour != BEHAVIOUR_NO_ANSWER && call->state_ms >= MACHINE_MS)
        modem_call_stand(call);
    else if (to && to->stream && call->state_ms >= to->answer_ms)
        modem_call_stand(call);
    else if (to && to->modem && call->state_ms % RING_MS == 0)
        ring_once(call, to);
    else if (to && to->modem && call->state_ms == CALLER_ID_MS)
        modem_tell_caller(to->modem, &call->ring);
}

void modem_call_tick(struct modem_call *call)
{
    enum modem_call_state state = call->state;

    switch (state) {
    case CALL_FREE:
        return;
    case CALL_DIALLED:
        if (call->state_ms >= DIAL_MS)
            route(call);
        break;
    case CALL_TONE:
        if (call->state_ms >= call->tone_ms && call->state_ms < call->tone_ms + TICK_MS)
            refuse(call);
        break;
    case CALL_RINGING:
        tick_ringing(call);
        break;
    case CALL_STANDS:
    case CALL_CUT:
        tick_standing(call);
        break;
    }
    if (call->state == state)
        call->state_ms += TICK_MS;
}
