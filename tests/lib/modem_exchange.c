/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parties and calls of the modem bench. A call is dialled, gets a tone or rings, stands, and is there until the last of
 * its ends has gone; an end that hangs up leaves the other with silence, as a line does. */
#include "config.h"

#include "tests/lib/modem_exchange.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "tests/lib/modem_line.h"
#include "tests/lib/modem_stream.h"

#define TICK_MS       MODEM_LINE_CHUNK_MS
#define DIAL_MS       500  /* from ATD to the first tone */
#define RING_MS       3000 /* from ring to ring; real ones take 5 or 6 s */
#define CALLER_ID_MS  1000 /* after the first ring */
#define TONE_MS       600  /* a busy tone that is known for one */
#define NOBODY_MS     3000 /* the tones before "the number you have dialled" */
#define MACHINE_MS    1000 /* until a person or nobody picks up */
#define LAST_WORDS_MS 200  /* after the delay of the line, before a stream is closed */
#define AFTER_MAX_MS  INT64_C(86400000)
#define VOICE_LEVEL   6000
#define VOICE_CHUNKS  12 /* of one syllable */
#define CALLS_MAX     MODEM_PARTIES_MAX
#define SEED_STEP     7919u

enum party_kind { PARTY_MODEM, PARTY_STREAM, PARTY_BEHAVIOUR };

enum behaviour {
    BEHAVIOUR_BUSY,
    BEHAVIOUR_NO_ANSWER,
    BEHAVIOUR_REORDER,
    BEHAVIOUR_NOBODY,
    BEHAVIOUR_VOICE,
    BEHAVIOUR_SILENT
};

struct call;

struct party {
    struct modem_exchange *exchange;
    char number[MODEM_NUMBER_SIZE];
    enum party_kind kind;
    struct modem *modem;
    struct modem_stream *stream;
    int answer_ms;
    enum behaviour behaviour;
    struct call *call;                  /* NULL = none */
    int64_t drop_after_ms;              /* -1 = not */
    int64_t hole_after_ms, hole_for_ms; /* -1 = none */
    double level_db;
};

enum call_state {
    CALL_FREE,
    CALL_DIALLED,
    CALL_TONE, /* the caller hears why not */
    CALL_RINGING,
    CALL_STANDS,
    CALL_CUT
};

struct call {
    struct modem_exchange *exchange;
    enum call_state state;
    struct party *ends[2];       /* the caller, the called; NULL = has gone, or there is nobody */
    struct modem_line *lines[2]; /* to that end; NULL before it stands */
    char to[MODEM_NUMBER_SIZE];
    int64_t state_ms; /* in this state */
    bool left;        /* one end has gone, ... */
    int64_t alone_ms; /* ... so long ago */
    int64_t tone_ms;
    enum modem_result refusal;
    bool voice; /* what nobody says there */
    struct modem_ring ring;
    int rings;
};

struct modem_exchange {
    int delay_ms;
    double noise_dbm0;
    unsigned seed, line_count;
    modem_exchange_event *event;
    void *user;
    struct party *parties[MODEM_PARTIES_MAX];
    struct call calls[CALLS_MAX];
    struct modem_exchange_counts counts;
    uint32_t random;
};

struct modem_exchange *modem_exchange_new(int delay_ms, double noise_dbm0, unsigned seed, modem_exchange_event *event,
                                          void *user)
{
    struct modem_exchange *exchange = xcalloc(1, sizeof *exchange);

    exchange->delay_ms = delay_ms;
    exchange->noise_dbm0 = noise_dbm0;
    exchange->seed = seed;
    exchange->random = seed | 1;
    exchange->event = event;
    exchange->user = user;
    return exchange;
}

static void tell(struct modem_exchange *exchange, const char *event, const char *number, const char *other)
{
    if (exchange->event)
        exchange->event(exchange->user, event, number, other);
}

/* ---- parties ---- */

static struct party *find_party(const struct modem_exchange *exchange, const char *number)
{
    int i;

    for (i = 0; i < MODEM_PARTIES_MAX; i++)
        if (exchange->parties[i] && strcmp(exchange->parties[i]->number, number) == 0)
            return exchange->parties[i];
    return NULL;
}

static int get_party(struct party **party, const struct modem_exchange *exchange, const char *number)
{
    *party = find_party(exchange, number);
    return *party ? 0 : err_set(ERR_NOT_FOUND, "nobody has the number %s", number);
}

static int check_number(const char *number)
{
    size_t length = strlen(number);

    if (length == 0 || length >= MODEM_NUMBER_SIZE || strspn(number, "0123456789+*#") != length)
        return err_set(ERR_INVALID, "\"%.50s\" is no number: 1 to %d digits, and + * #", number, MODEM_NUMBER_SIZE - 1);
    return 0;
}

static int add_party(struct party **party, struct modem_exchange *exchange, const char *number, enum party_kind kind)
{
    int i = 0, result = check_number(number);

    if (result < 0)
        return result;
    if (find_party(exchange, number))
        return err_set(ERR_CONFLICT, "the number %s is taken", number);
    while (i < MODEM_PARTIES_MAX && exchange->parties[i])
        i++;
    if (i == MODEM_PARTIES_MAX)
        return err_set(ERR_FULL, "the exchange has room for %d numbers", MODEM_PARTIES_MAX);
    *party = exchange->parties[i] = xcalloc(1, sizeof **party);
    (*party)->exchange = exchange;
    (*party)->kind = kind;
    (*party)->drop_after_ms = -1;
    (*party)->hole_after_ms = -1;
    str_copy((*party)->number, sizeof(*party)->number, number);
    return 0;
}

static void remove_party(struct party *party)
{
    struct modem_exchange *exchange = party->exchange;
    int i;

    for (i = 0; i < MODEM_PARTIES_MAX; i++)
        if (exchange->parties[i] == party)
            exchange->parties[i] = NULL;
    modem_close(party->modem);
    if (party->stream)
        exchange->counts.late_chunks += modem_stream_late(party->stream);
    modem_stream_close(party->stream);
    free(party);
}

static bool party_is_engaged(const struct party *party)
{
    return party->call || (party->modem && modem_is_off_hook(party->modem));
}

/* ---- calls ---- */

static void free_call(struct call *call)
{
    int side;

    for (side = 0; side < 2; side++) {
        if (call->ends[side])
            call->ends[side]->call = NULL;
        modem_line_free(call->lines[side]);
    }
    *call = (struct call){.exchange = call->exchange};
}

void modem_exchange_free(struct modem_exchange *exchange)
{
    int i;

    if (!exchange)
        return;
    for (i = 0; i < CALLS_MAX; i++)
        free_call(&exchange->calls[i]);
    for (i = 0; i < MODEM_PARTIES_MAX; i++)
        if (exchange->parties[i])
            remove_party(exchange->parties[i]);
    free(exchange);
}

static void enter(struct call *call, enum call_state state)
{
    call->state = state;
    call->state_ms = 0;
}

/* Never full: each call has an end, and each party one call at most. */
static struct call *new_call(struct modem_exchange *exchange, struct party *from, const char *to)
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

static struct modem_line *new_line(struct modem_exchange *exchange, const struct party *speaker)
{
    struct modem_line *line = modem_line_new(exchange->seed + SEED_STEP * ++exchange->line_count);

    modem_line_set_delay(line, exchange->delay_ms);
    modem_line_set_noise(line, exchange->noise_dbm0);
    modem_line_set_level(line, speaker ? speaker->level_db : 0.0);
    return line;
}

static void arm(struct call *call, int side)
{
    struct party *party = call->ends[side];

    if (!party || party->hole_after_ms < 0)
        return;
    modem_line_interrupt(call->lines[side],
                         call->state_ms > party->hole_after_ms ? call->state_ms : party->hole_after_ms,
                         party->hole_for_ms);
    party->hole_after_ms = -1;
}

static void connect_end(struct call *call, int side)
{
    struct party *party = call->ends[side];

    call->lines[side] = new_line(call->exchange, call->ends[1 - side]);
    arm(call, side);
    if (!party)
        return;
    if (party->stream)
        modem_stream_start(party->stream);
    else if (side == 0)
        modem_connect(party->modem);
}

static void stand(struct call *call)
{
    enter(call, CALL_STANDS);
    call->exchange->counts.connected++;
    tell(call->exchange, "answered", call->to, call->ends[0] ? call->ends[0]->number : NULL);
    connect_end(call, 0);
    connect_end(call, 1);
}

/* ---- ends that leave ---- */

/* A stream machine is there for one call. */
static void leave(struct party *party)
{
    party->call = NULL;
    tell(party->exchange, "hung_up", party->number, NULL);
    if (party->kind == PARTY_STREAM)
        remove_party(party);
}

static void hang_up(struct party *party)
{
    struct call *call = party->call;

    if (!call)
        return;
    call->ends[call->ends[0] == party ? 0 : 1] = NULL;
    call->left = true;
    call->alone_ms = 0;
    leave(party);
    if (call->state < CALL_STANDS || (!call->ends[0] && !call->ends[1]))
        free_call(call);
}

static void on_hang_up(void *user)
{
    hang_up(user);
}

/* The caller hears why the call does not stand, and leaves. */
static void refuse(struct call *call)
{
    struct party *from = call->ends[0];

    if (from->kind == PARTY_STREAM)
        hang_up(from);
    else
        modem_refuse(from->modem, call->refusal);
}

/* ---- dialling ---- */

static void send_tone(struct call *call, enum modem_result refusal, int tone_ms)
{
    call->refusal = refusal;
    call->tone_ms = tone_ms;
    enter(call, CALL_TONE);
}

static void route_to_behaviour(struct call *call, enum behaviour behaviour)
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

static void begin_ringing(struct call *call, struct party *to)
{
    call->ends[1] = to;
    to->call = call;
    enter(call, CALL_RINGING);
    tell(call->exchange, "ringing", to->number, call->ring.caller[0] ? call->ring.caller : NULL);
}

static void route(struct call *call)
{
    struct party *to = find_party(call->exchange, call->to);

    if (!to)
        route_to_behaviour(call, BEHAVIOUR_NOBODY);
    else if (to->kind == PARTY_BEHAVIOUR)
        route_to_behaviour(call, to->behaviour);
    else if (party_is_engaged(to))
        route_to_behaviour(call, BEHAVIOUR_BUSY);
    else
        begin_ringing(call, to);
}

static void dial(struct party *from, const char *to)
{
    struct call *call = new_call(from->exchange, from, to);

    str_copy(call->ring.caller, sizeof call->ring.caller, from->number);
    enter(call, CALL_DIALLED);
    from->exchange->counts.calls++;
    tell(from->exchange, "dialled", from->number, to);
}

/* The number behind the last pause: what is before it got the outside line. A modem that dials while it rings has
 * seized the line, and has the caller. */
static void on_dial(void *user, const char *number)
{
    struct party *party = user;
    const char *pause;

    if (party->call) {
        stand(party->call);
        modem_connect(party->modem);
        return;
    }
    while ((pause = strpbrk(number, ",W")))
        number = pause + 1;
    dial(party, number);
}

static bool on_answer(void *user)
{
    struct party *party = user;

    if (!party->call)
        return false;
    stand(party->call);
    return true;
}

/* ---- adding parties ---- */

int modem_exchange_add_modem(struct modem_exchange *exchange, const char *number, const char *link)
{
    struct party *party;
    struct modem_handlers handlers = {.dial = on_dial, .answer = on_answer, .hang_up = on_hang_up};
    int result = add_party(&party, exchange, number, PARTY_MODEM);

    if (result < 0)
        return result;
    handlers.user = party;
    result = modem_open(&party->modem, link, &handlers, &exchange->counts.modems, exchange->random);
    if (result < 0)
        remove_party(party);
    return result;
}

int modem_exchange_add_stream(struct modem_exchange *exchange, const char *number, int fd, int answer_ms)
{
    struct party *party;
    int result = add_party(&party, exchange, number, PARTY_STREAM);

    if (result < 0) {
        close(fd);
        return result;
    }
    party->stream = modem_stream_open(fd);
    party->answer_ms = answer_ms;
    return 0;
}

int modem_exchange_add_behaviour(struct modem_exchange *exchange, const char *number, const char *behaviour)
{
    static const char *const words[] = {
        [BEHAVIOUR_BUSY] = "busy",     [BEHAVIOUR_NO_ANSWER] = "no_answer", [BEHAVIOUR_REORDER] = "reorder",
        [BEHAVIOUR_NOBODY] = "nobody", [BEHAVIOUR_VOICE] = "voice",         [BEHAVIOUR_SILENT] = "silent",
    };
    int which = 0, result;
    struct party *party;

    while (which < (int)(sizeof words / sizeof *words) && strcmp(words[which], behaviour) != 0)
        which++;
    if (which == (int)(sizeof words / sizeof *words))
        return err_set(ERR_INVALID, "\"%.20s\" is none of busy, no_answer, reorder, nobody, voice, silent", behaviour);
    result = add_party(&party, exchange, number, PARTY_BEHAVIOUR);
    if (result == 0)
        party->behaviour = (enum behaviour)which;
    return result;
}

int modem_exchange_call(struct modem_exchange *exchange, const char *from, const char *to)
{
    struct party *party;
    int result = get_party(&party, exchange, from);

    if (result == 0)
        result = check_number(to);
    if (result < 0)
        return result;
    if (party->kind != PARTY_STREAM)
        return err_set(ERR_CONFLICT, "%s is no machine on a stream: a modem is made to call by its host", from);
    if (party->call)
        return err_set(ERR_CONFLICT, "%s has a call", from);
    dial(party, to);
    return 0;
}

int modem_exchange_ring(struct modem_exchange *exchange, const char *number, const struct modem_ring *ring)
{
    struct party *party;
    struct call *call;
    int result = get_party(&party, exchange, number);

    if (result < 0)
        return result;
    if (party->kind == PARTY_BEHAVIOUR)
        return err_set(ERR_CONFLICT, "%s has nobody who could be rung", number);
    if (party_is_engaged(party))
        return err_set(ERR_CONFLICT, "%s is engaged", number);
    call = new_call(exchange, NULL, number);
    call->ring = *ring;
    begin_ringing(call, party);
    return 0;
}

/* ---- lines ---- */

static int check_after(int64_t ms)
{
    return ms >= 0 && ms <= AFTER_MAX_MS ? 0 : err_set(ERR_INVALID, "a time is 0 to %lld ms", (long long)AFTER_MAX_MS);
}

int modem_exchange_drop(struct modem_exchange *exchange, const char *number, int64_t after_ms)
{
    struct party *party;
    int result = get_party(&party, exchange, number);

    if (result == 0)
        result = check_after(after_ms);
    if (result == 0)
        party->drop_after_ms = after_ms;
    return result;
}

int modem_exchange_interrupt(struct modem_exchange *exchange, const char *number, int64_t after_ms, int64_t for_ms)
{
    struct party *party;
    int result = get_party(&party, exchange, number);

    if (result == 0)
        result = check_after(after_ms);
    if (result == 0)
        result = check_after(for_ms);
    if (result < 0)
        return result;
    party->hole_after_ms = after_ms;
    party->hole_for_ms = for_ms;
    if (party->call && party->call->state == CALL_STANDS)
        arm(party->call, party->call->ends[0] == party ? 0 : 1);
    return 0;
}

int modem_exchange_set_level(struct modem_exchange *exchange, const char *number, double level_db)
{
    struct party *party;
    struct call *call;
    int result = get_party(&party, exchange, number);

    if (result < 0)
        return result;
    if (!(fabs(level_db) <= MODEM_LINE_LEVEL_DB))
        return err_set(ERR_INVALID, "a level is -%g to %g dB", MODEM_LINE_LEVEL_DB, MODEM_LINE_LEVEL_DB);
    party->level_db = level_db;
    call = party->call;
    if (call && call->state == CALL_STANDS)
        modem_line_set_level(call->lines[call->ends[0] == party ? 1 : 0], level_db);
    return 0;
}

void modem_exchange_set_delay(struct modem_exchange *exchange, int delay_ms)
{
    int i;

    exchange->delay_ms = delay_ms;
    for (i = 0; i < 2 * CALLS_MAX; i++)
        if (exchange->calls[i / 2].lines[i % 2])
            modem_line_set_delay(exchange->calls[i / 2].lines[i % 2], delay_ms);
}

void modem_exchange_set_noise(struct modem_exchange *exchange, double noise_dbm0)
{
    int i;

    exchange->noise_dbm0 = noise_dbm0;
    for (i = 0; i < 2 * CALLS_MAX; i++)
        if (exchange->calls[i / 2].lines[i % 2])
            modem_line_set_noise(exchange->calls[i / 2].lines[i % 2], noise_dbm0);
}

int modem_exchange_modem(struct modem **modem, struct modem_exchange *exchange, const char *number)
{
    struct party *party;
    int result = get_party(&party, exchange, number);

    if (result < 0)
        return result;
    *modem = party->modem;
    return *modem ? 0 : err_set(ERR_CONFLICT, "%s is no modem", number);
}

/* ---- time ---- */

int modem_exchange_poll(const struct modem_exchange *exchange, struct pollfd *polled)
{
    int i, fd, count = 0;

    for (i = 0; i < MODEM_PARTIES_MAX; i++) {
        fd = exchange->parties[i] && exchange->parties[i]->modem ? modem_poll_fd(exchange->parties[i]->modem) : -1;
        if (fd >= 0)
            polled[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    return count;
}

void modem_exchange_serve(struct modem_exchange *exchange)
{
    int i;

    for (i = 0; i < MODEM_PARTIES_MAX; i++)
        if (exchange->parties[i] && exchange->parties[i]->modem)
            modem_serve(exchange->parties[i]->modem);
}

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

static void say(const struct call *call, int side, int16_t samples[MODEM_LINE_CHUNK])
{
    const struct party *party = call->ends[side];

    if (party && party->modem)
        modem_say(party->modem, samples, MODEM_LINE_CHUNK);
    else if (party)
        modem_stream_say(party->stream, samples);
    else if (side == 1 && call->voice)
        speak(call->exchange, call->state_ms, samples);
    else
        memset(samples, 0, MODEM_LINE_CHUNK * sizeof *samples);
}

static void hear(const struct call *call, int side, int16_t samples[MODEM_LINE_CHUNK])
{
    const struct party *party = call->ends[side];

    if (party && party->modem)
        modem_hear(party->modem, samples, MODEM_LINE_CHUNK);
    else if (party)
        modem_stream_hear(party->stream, samples);
}

/* Both speak before either hears: what one hears changes what it says next, not now. */
static void carry(struct call *call)
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

static void watch_drop(struct call *call)
{
    int side;

    for (side = 0; side < 2; side++) {
        if (!call->ends[side] || call->ends[side]->drop_after_ms < 0 ||
            call->state_ms < call->ends[side]->drop_after_ms)
            continue;
        call->ends[side]->drop_after_ms = -1;
        tell(call->exchange, "line_cut", call->ends[side]->number, NULL);
        enter(call, CALL_CUT);
        return;
    }
}

/* A stream machine that has closed, or whose line ended, leaves; when the last end has left the call is free. */
static void watch_streams(struct call *call)
{
    bool ended = call->state == CALL_CUT || (call->left && call->alone_ms > call->exchange->delay_ms + LAST_WORDS_MS);
    struct party *party;
    int side;

    for (side = 0; side < 2 && call->state != CALL_FREE; side++) {
        party = call->ends[side];
        if (party && party->stream && (ended || modem_stream_is_over(party->stream)))
            hang_up(party);
    }
}

static void tick_standing(struct call *call)
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

static void ring_once(struct call *call, struct party *to)
{
    if (call->ring.times > 0 && call->rings >= call->ring.times) {
        tell(call->exchange, "gave_up", to->number, call->ring.caller);
        free_call(call);
        return;
    }
    modem_ring(to->modem, &call->ring, ++call->rings);
}

static void tick_ringing(struct call *call)
{
    struct party *to = call->ends[1];
    const struct party *nobody = to ? NULL : find_party(call->exchange, call->to);

    if (nobody && nobody->behaviour != BEHAVIOUR_NO_ANSWER && call->state_ms >= MACHINE_MS)
        stand(call);
    else if (to && to->stream && call->state_ms >= to->answer_ms)
        stand(call);
    else if (to && to->modem && call->state_ms % RING_MS == 0)
        ring_once(call, to);
    else if (to && to->modem && call->state_ms == CALLER_ID_MS)
        modem_tell_caller(to->modem, &call->ring);
}

static void tick_call(struct call *call)
{
    enum call_state state = call->state;

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

/* Off hook without a call that stands: time goes on for the signals all the same. */
static void tick_idle(const struct party *party)
{
    int16_t samples[MODEM_LINE_CHUNK];

    if (!party->modem || (party->call && party->call->state >= CALL_STANDS))
        return;
    modem_say(party->modem, samples, MODEM_LINE_CHUNK);
    memset(samples, 0, sizeof samples);
    modem_hear(party->modem, samples, MODEM_LINE_CHUNK);
}

void modem_exchange_tick(struct modem_exchange *exchange)
{
    int i;

    for (i = 0; i < CALLS_MAX; i++)
        tick_call(&exchange->calls[i]);
    for (i = 0; i < MODEM_PARTIES_MAX; i++)
        if (exchange->parties[i])
            tick_idle(exchange->parties[i]);
}

const struct modem_exchange_counts *modem_exchange_counts(const struct modem_exchange *exchange)
{
    return &exchange->counts;
}
