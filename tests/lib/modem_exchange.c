/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What others ask of the exchange, and what its modems do. */
#include "config.h"

#include "tests/lib/modem_exchange.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "tests/lib/modem_call.h"
#include "tests/lib/modem_line.h"
#include "tests/lib/modem_party.h"

#define AFTER_MAX_MS INT64_C(86400000)

struct modem_exchange *modem_exchange_new(int delay_ms, double noise_dbm0, unsigned seed, modem_exchange_event *event,
                                          void *user)
{
    struct modem_exchange *exchange = xcalloc(1, sizeof *exchange);

    exchange->calls = xcalloc(MODEM_CALLS_MAX, sizeof *exchange->calls);
    exchange->delay_ms = delay_ms;
    exchange->noise_dbm0 = noise_dbm0;
    exchange->seed = seed;
    exchange->random = seed | 1;
    exchange->event = event;
    exchange->user = user;
    return exchange;
}

void modem_exchange_free(struct modem_exchange *exchange)
{
    int i;

    if (!exchange)
        return;
    for (i = 0; i < MODEM_CALLS_MAX; i++)
        modem_call_free(&exchange->calls[i]);
    for (i = 0; i < MODEM_PARTIES_MAX; i++)
        if (exchange->parties[i])
            modem_party_remove(exchange->parties[i]);
    free(exchange->calls);
    free(exchange);
}

static int get_party(struct modem_party **party, const struct modem_exchange *exchange, const char *number)
{
    *party = modem_party_find(exchange, number);
    return *party ? 0 : err_set(ERR_NOT_FOUND, "nobody has the number %s", number);
}

/* ---- what modems do ---- */

static void on_hang_up(void *user)
{
    modem_call_hang_up(user);
}

/* The number behind the last pause: what is before it got the outside line. A modem that dials while it rings has
 * seized the line, and has the caller. */
static void on_dial(void *user, const char *number)
{
    struct modem_party *party = user;
    const char *pause;

    if (party->call) {
        modem_call_stand(party->call);
        modem_connect(party->modem);
        return;
    }
    while ((pause = strpbrk(number, ",W")))
        number = pause + 1;
    modem_call_dial(party, number);
}

static bool on_answer(void *user)
{
    struct modem_party *party = user;

    if (!party->call)
        return false;
    modem_call_stand(party->call);
    return true;
}

/* ---- adding parties ---- */

int modem_exchange_add_modem(struct modem_exchange *exchange, const char *number, const char *link)
{
    struct modem_party *party;
    struct modem_handlers handlers = {.dial = on_dial, .answer = on_answer, .hang_up = on_hang_up};
    int result = modem_party_add(&party, exchange, number, PARTY_MODEM);

    if (result < 0)
        return result;
    handlers.user = party;
    result = modem_open(&party->modem, link, &handlers, &exchange->counts.modems, exchange->random);
    if (result < 0)
        modem_party_remove(party);
    return result;
}

int modem_exchange_add_stream(struct modem_exchange *exchange, const char *number, int fd, int answer_ms)
{
    struct modem_party *party;
    int result = modem_party_add(&party, exchange, number, PARTY_STREAM);

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
    struct modem_party *party;

    while (which < (int)(sizeof words / sizeof *words) && strcmp(words[which], behaviour) != 0)
        which++;
    if (which == (int)(sizeof words / sizeof *words))
        return err_set(ERR_INVALID, "\"%.20s\" is none of busy, no_answer, reorder, nobody, voice, silent", behaviour);
    result = modem_party_add(&party, exchange, number, PARTY_BEHAVIOUR);
    if (result == 0)
        party->behaviour = (enum modem_behaviour)which;
    return result;
}

int modem_exchange_call(struct modem_exchange *exchange, const char *from, const char *to)
{
    struct modem_party *party;
    int result = get_party(&party, exchange, from);

    if (result == 0)
        result = modem_party_check_number(to);
    if (result < 0)
        return result;
    if (party->kind != PARTY_STREAM)
        return err_set(ERR_CONFLICT, "%s is no machine on a stream: a modem is made to call by its host", from);
    if (party->call)
        return err_set(ERR_CONFLICT, "%s has a call", from);
    modem_call_dial(party, to);
    return 0;
}

int modem_exchange_ring(struct modem_exchange *exchange, const char *number, const struct modem_ring *ring)
{
    struct modem_party *party;
    int result = get_party(&party, exchange, number);

    if (result < 0)
        return result;
    if (party->kind == PARTY_BEHAVIOUR)
        return err_set(ERR_CONFLICT, "%s has nobody who could be rung", number);
    if (modem_party_is_engaged(party))
        return err_set(ERR_CONFLICT, "%s is engaged", number);
    modem_call_ring(party, ring);
    return 0;
}

/* ---- lines ---- */

static int check_after(int64_t ms)
{
    return ms >= 0 && ms <= AFTER_MAX_MS ? 0 : err_set(ERR_INVALID, "a time is 0 to %lld ms", (long long)AFTER_MAX_MS);
}

int modem_exchange_drop(struct modem_exchange *exchange, const char *number, int64_t after_ms)
{
    struct modem_party *party;
    int result = get_party(&party, exchange, number);

    if (result == 0)
        result = check_after(after_ms);
    if (result == 0)
        party->drop_after_ms = after_ms;
    return result;
}

int modem_exchange_interrupt(struct modem_exchange *exchange, const char *number, int64_t after_ms, int64_t for_ms)
{
    struct modem_party *party;
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
        modem_call_interrupt(party->call, party->call->ends[0] == party ? 0 : 1);
    return 0;
}

int modem_exchange_set_level(struct modem_exchange *exchange, const char *number, double level_db)
{
    struct modem_party *party;
    struct modem_call *call;
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
    for (i = 0; i < 2 * MODEM_CALLS_MAX; i++)
        if (exchange->calls[i / 2].lines[i % 2])
            modem_line_set_delay(exchange->calls[i / 2].lines[i % 2], delay_ms);
}

void modem_exchange_set_noise(struct modem_exchange *exchange, double noise_dbm0)
{
    int i;

    exchange->noise_dbm0 = noise_dbm0;
    for (i = 0; i < 2 * MODEM_CALLS_MAX; i++)
        if (exchange->calls[i / 2].lines[i % 2])
            modem_line_set_noise(exchange->calls[i / 2].lines[i % 2], noise_dbm0);
}

int modem_exchange_modem(struct modem **modem, struct modem_exchange *exchange, const char *number)
{
    struct modem_party *party;
    int result = get_party(&party, exchange, number);

    if (result < 0)
        return result;
    *modem = party->modem;
    return *modem ? 0 : err_set(ERR_CONFLICT, "%s is no modem", number);
}

/* ---- time ---- */

int modem_exchange_poll(const struct modem_exchange *exchange, struct pollfd *polled)
{
    int i, count = 0;

    for (i = 0; i < MODEM_PARTIES_MAX; i++)
        if (exchange->parties[i] && exchange->parties[i]->modem)
            count += modem_poll(exchange->parties[i]->modem, polled + count);
    return count;
}

void modem_exchange_serve(struct modem_exchange *exchange)
{
    int i;

    for (i = 0; i < MODEM_PARTIES_MAX; i++)
        if (exchange->parties[i] && exchange->parties[i]->modem)
            modem_serve(exchange->parties[i]->modem);
}

/* Off hook without a call that stands: time goes on for the signals all the same. */
static void tick_idle(const struct modem_party *party)
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

    for (i = 0; i < MODEM_CALLS_MAX; i++)
        modem_call_tick(&exchange->calls[i]);
    for (i = 0; i < MODEM_PARTIES_MAX; i++)
        if (exchange->parties[i])
            tick_idle(exchange->parties[i]);
}

const struct modem_exchange_counts *modem_exchange_counts(const struct modem_exchange *exchange)
{
    return &exchange->counts;
}
