/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spandsp's T.31 modem, held at its private parts where it needs help (0.0.6, as Debian 12 has it). */
#include "config.h"

#include "tests/lib/modem_fax.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#define SPANDSP_EXPOSE_INTERNAL_STRUCTURES
#include <spandsp.h>

#include "server/base/log.h"

#define RATE            8000
#define ETX             0x03
#define DLE             0x10
#define SUB             0x1A
#define FRAME_SENT_MAX  256  /* octets of a frame; more are dropped */
#define FRAME_HEARD_MAX 120  /* each may need a DLE, and spandsp collects in 256 octets */
#define PAGE_BUFFER     2048 /* octets that wait to be sent, about a second at 14400 bit/s; spandsp has room for 4096 */
#define DATA_TIMEOUT_S  5    /* T.31 8.3.3 */
#define QUIETEST_DBM0   (-39.0F)

struct modem_fax {
    t31_state_t *t31;
    struct modem_fax_handlers handlers;
    bool shielding;   /* the octet before was DLE */
    int frame_octets; /* of the frame that the host is giving */
    bool connect_due; /* a CONNECT is expected: see take_result */
    bool connected;   /* CONNECT is the last thing that was said */
    bool dry, ran_dry;
    int64_t data_wait; /* samples without data from the host */
};

/* ---- what spandsp tells ---- */

/* The numbers of its result codes are those of enum at_response code, which is not ours. */
static enum modem_result result_of(int code)
{
    static const enum modem_result results[] = {
        [AT_RESPONSE_CODE_OK] = MODEM_OK,
        [AT_RESPONSE_CODE_CONNECT] = MODEM_CONNECT,
        [AT_RESPONSE_CODE_RING] = MODEM_RING,
        [AT_RESPONSE_CODE_NO_CARRIER] = MODEM_NO_CARRIER,
        [AT_RESPONSE_CODE_ERROR] = MODEM_ERROR,
        [AT_RESPONSE_CODE_XXX] = MODEM_ERROR,
        [AT_RESPONSE_CODE_NO_DIALTONE] = MODEM_NO_DIALTONE,
        [AT_RESPONSE_CODE_BUSY] = MODEM_BUSY,
        [AT_RESPONSE_CODE_NO_ANSWER] = MODEM_NO_ANSWER,
        [AT_RESPONSE_CODE_FCERROR] = MODEM_FCERROR,
        [AT_RESPONSE_CODE_FRH3] = MODEM_FRH3,
    };

    return code >= 0 && code < (int)(sizeof results / sizeof *results) ? results[code] : MODEM_ERROR;
}

/* spandsp says CONNECT again when the flags of the preamble have gone out and the host has not given a frame yet; and
 * before a frame that was heard while the host had not asked for it, where one is due for its flags, one for itself, or
 * both. A host would take the second one for a part of the frame. */
static void take_result(struct modem_fax *fax, enum modem_result result)
{
    enum modem_fax_mode mode = modem_fax_mode(fax);

    if (result == MODEM_CONNECT && mode == MODEM_FAX_FRAMES && !fax->connect_due)
        return;
    if (result == MODEM_CONNECT && mode == MODEM_FAX_RECEIVING && fax->connected)
        return;
    fax->connected = result == MODEM_CONNECT;
    fax->connect_due = false;
    fax->data_wait = 0;
    fax->handlers.result(fax->handlers.user, result);
}

/* Results come as numbers, each in one call; what was received always lies in rx_data. */
static int on_output(at_state_t *at, void *user, const uint8_t *octets, size_t count)
{
    struct modem_fax *fax = user;

    if (octets == at->rx_data)
        fax->handlers.data(fax->handlers.user, octets, count);
    else if (count > 1)
        take_result(fax, result_of(atoi((const char *)octets)));
    return 0;
}

/* Of its controls only one matters: it hangs up when S7 has run out. The others are ours to begin with. */
static int on_control(t31_state_t *t31, void *user, int operation, const char *number)
{
    struct modem_fax *fax = user;

    (void)t31;
    (void)number;
    if (operation == AT_MODEM_CONTROL_HANGUP)
        fax->handlers.line_is_done(fax->handlers.user);
    return 0;
}

static int ignore_output(at_state_t *at, void *user, const uint8_t *octets, size_t count)
{
    (void)at;
    (void)user;
    (void)octets;
    (void)count;
    return 0;
}

/* Of itself spandsp takes -43 dBm0 for a carrier, and noise of -50 reaches that now and then: the fast modems train on
 * it, fail, and stay deaf for the page that comes then. V.21 has this limit already. */
static void limit_sensitivity(fax_modems_state_t *modems)
{
    v17_rx_signal_cutoff(&modems->fast_modems.v17_rx, QUIETEST_DBM0);
    v29_rx_signal_cutoff(&modems->fast_modems.v29_rx, QUIETEST_DBM0);
    v27ter_rx_signal_cutoff(&modems->fast_modems.v27ter_rx, QUIETEST_DBM0);
}

struct modem_fax *modem_fax_new(const struct modem_fax_handlers *handlers)
{
    struct modem_fax *fax = xcalloc(1, sizeof *fax);
    static const char numbers[] = "ATE0V0\r";

    fax->handlers = *handlers;
    fax->t31 = t31_init(NULL, ignore_output, fax, on_control, fax, NULL, NULL);
    if (!fax->t31)
        abort();
    t31_set_transmit_on_idle(fax->t31, TRUE);
    limit_sensitivity(&fax->t31->audio.modems);
    t31_at_rx(fax->t31, numbers, (int)strlen(numbers));
    fax->t31->at_state.at_tx_handler = on_output;
    fax->t31->at_state.fclass_mode = 1;
    return fax;
}

/* t31_free leaves what its parts allocated. */
void modem_fax_free(struct modem_fax *fax)
{
    if (!fax)
        return;
    queue_free(fax->t31->rx_queue);
    t31_free(fax->t31);
    free(fax);
}

/* ---- commands ---- */

enum modem_fax_mode modem_fax_mode(const struct modem_fax *fax)
{
    switch (fax->t31->at_state.at_rx_mode) {
    case AT_MODE_DELIVERY:
    case AT_MODE_CONNECTED:
        return MODEM_FAX_RECEIVING;
    case AT_MODE_HDLC:
        return MODEM_FAX_FRAMES;
    case AT_MODE_STUFFED:
        return MODEM_FAX_PAGE;
    default:
        return MODEM_FAX_COMMAND;
    }
}

/* Whatever was under way has ended: no modem runs, nothing waits, nothing half received is left over. */
static void forget(struct modem_fax *fax, int mode)
{
    at_state_t *at = &fax->t31->at_state;

    at->rx_data_bytes = 0;
    at->rx_signal_present = FALSE;
    at->rx_trained = FALSE;
    at->dte_is_waiting = FALSE;
    at->ok_is_pending = FALSE;
    at->do_hangup = FALSE;
    queue_flush(fax->t31->rx_queue);
    /* A restart of the modem that it believes to run is skipped, whatever its handlers are. */
    fax->t31->modem = FAX_MODEM_NONE;
    at_modem_control(at, AT_MODEM_CONTROL_RESTART, (const char *)(intptr_t)FAX_MODEM_SILENCE_TX);
    at->at_rx_mode = mode;
    fax->t31->dled = FALSE;
    fax->t31->tx.holding = FALSE;
    fax->shielding = false;
    fax->frame_octets = 0;
    fax->connect_due = false;
    fax->connected = false;
    fax->dry = false;
    fax->data_wait = 0;
}

/* Each start of a receiver sets this back. */
static void limit_frames(struct modem_fax *fax)
{
    hdlc_rx_set_max_frame_len(&fax->t31->audio.modems.hdlc_rx, FRAME_HEARD_MAX);
}

void modem_fax_call(struct modem_fax *fax, int64_t elapsed_ms, int carrier_wait_s)
{
    forget(fax, AT_MODE_OFFHOOK_COMMAND);
    fax->t31->at_state.silent_dial = FALSE;
    fax->t31->at_state.command_dial = FALSE;
    fax->t31->at_state.p.s_regs[7] = (uint8_t)carrier_wait_s;
    fax->t31->call_samples = elapsed_ms * RATE / 1000;
    t31_call_event(fax->t31, AT_CALL_EVENT_CONNECTED);
    limit_frames(fax);
}

void modem_fax_answer(struct modem_fax *fax)
{
    forget(fax, AT_MODE_OFFHOOK_COMMAND);
    fax->t31->call_samples = 0;
    t31_call_event(fax->t31, AT_CALL_EVENT_ANSWERED);
    fax->connect_due = true;
}

void modem_fax_hang_up(struct modem_fax *fax)
{
    forget(fax, AT_MODE_ONHOOK_COMMAND);
}

void modem_fax_command(struct modem_fax *fax, const char *name, int value)
{
    char line[32];
    int length = snprintf(line, sizeof line, "AT+%s=%d\r", name, value);

    /* A second receive command for the same modem would change neither its rate nor its training, and go on with what
     * the first one left. Frames alone may be waiting in V.21. */
    if (fax->t31->modem != FAX_MODEM_V21_RX)
        fax->t31->modem = FAX_MODEM_NONE;
    /* Left over from a page that ended early. */
    fax->t31->dled = FALSE;
    fax->t31->at_state.dte_is_waiting = FALSE;
    fax->shielding = false;
    fax->frame_octets = 0;
    fax->dry = false;
    fax->data_wait = 0;
    fax->connect_due = true;
    fax->connected = false;
    t31_at_rx(fax->t31, line, length);
    limit_frames(fax);
    /* A frame that had been heard before has been handed over with its result; spandsp still takes the next command for
     * the abort of this one. */
    if (strcmp(name, "FRH") == 0 && !fax->t31->at_state.dte_is_waiting && modem_fax_mode(fax) == MODEM_FAX_RECEIVING)
        fax->t31->at_state.at_rx_mode = AT_MODE_OFFHOOK_COMMAND;
}

void modem_fax_set_adaptive(struct modem_fax *fax, bool adaptive)
{
    fax->t31->at_state.p.adaptive_receive = adaptive;
}

void modem_fax_abort(struct modem_fax *fax, enum modem_result result)
{
    at_state_t *at = &fax->t31->at_state;

    if (at->rx_signal_present) {
        at->rx_data[at->rx_data_bytes++] = DLE;
        at->rx_data[at->rx_data_bytes++] = ETX;
        fax->handlers.data(fax->handlers.user, at->rx_data, (size_t)at->rx_data_bytes);
    }
    forget(fax, AT_MODE_OFFHOOK_COMMAND);
    fax->handlers.result(fax->handlers.user, result);
}

void modem_fax_drop(struct modem_fax *fax)
{
    forget(fax, AT_MODE_OFFHOOK_COMMAND);
}

/* ---- data of the host ---- */

static int waiting_octets(const struct modem_fax *fax)
{
    return fax->t31->tx.in_bytes - fax->t31->tx.out_bytes;
}

/* Hand on with its shield, so that spandsp sees neither DLE SUB nor half a pair. */
static void put_octet(struct modem_fax *fax, uint8_t octet)
{
    const char pair[2] = {DLE, DLE}, single = (char)octet;

    if (modem_fax_mode(fax) == MODEM_FAX_FRAMES && ++fax->frame_octets > FRAME_SENT_MAX)
        return;
    if (octet == DLE)
        t31_at_rx(fax->t31, pair, 2);
    else
        t31_at_rx(fax->t31, &single, 1);
}

static void put_end(struct modem_fax *fax)
{
    static const char end[2] = {DLE, ETX};

    /* With DLE ETX alone the frame before says by its second octet whether more are to come: none are. */
    if (modem_fax_mode(fax) == MODEM_FAX_FRAMES && fax->frame_octets == 0)
        fax->t31->hdlc_tx.buf[1] = DLE;
    fax->connect_due = true;
    fax->frame_octets = 0;
    t31_at_rx(fax->t31, end, 2);
}

/* T.31 8.3.1: behind DLE come DLE, SUB for two of them, ETX; anything else is deleted with it. */
static void put_shielded(struct modem_fax *fax, uint8_t octet)
{
    if (octet == ETX) {
        put_end(fax);
    } else if (octet == DLE || octet == SUB) {
        put_octet(fax, DLE);
        if (octet == SUB)
            put_octet(fax, DLE);
    }
}

size_t modem_fax_put(struct modem_fax *fax, const uint8_t *octets, size_t count)
{
    enum modem_fax_mode mode = modem_fax_mode(fax);
    size_t taken;

    for (taken = 0; taken < count && modem_fax_mode(fax) == mode; taken++) {
        if (mode == MODEM_FAX_PAGE && waiting_octets(fax) >= PAGE_BUFFER)
            break;
        fax->data_wait = 0;
        if (fax->shielding) {
            fax->shielding = false;
            put_shielded(fax, octets[taken]);
        } else if (octets[taken] == DLE) {
            fax->shielding = true;
        } else {
            put_octet(fax, octets[taken]);
        }
    }
    return taken;
}

/* ---- samples ---- */

static void watch_page(struct modem_fax *fax)
{
    bool dry = modem_fax_mode(fax) == MODEM_FAX_PAGE && fax->t31->tx.data_started && waiting_octets(fax) == 0;

    if (dry && !fax->dry)
        fax->ran_dry = true;
    fax->dry = dry;
}

/* The host has the word and says nothing. While a frame goes out, it rightly waits for the next CONNECT. */
static void watch_host(struct modem_fax *fax, int count)
{
    enum modem_fax_mode mode = modem_fax_mode(fax);
    bool waits =
        (mode == MODEM_FAX_PAGE && waiting_octets(fax) == 0) || (mode == MODEM_FAX_FRAMES && !fax->connect_due);

    fax->data_wait = waits ? fax->data_wait + count : 0;
    if (fax->data_wait < DATA_TIMEOUT_S * RATE)
        return;
    forget(fax, AT_MODE_OFFHOOK_COMMAND);
    fax->handlers.result(fax->handlers.user, MODEM_ERROR);
}

void modem_fax_say(struct modem_fax *fax, int16_t *samples, int count)
{
    int said = t31_tx(fax->t31, samples, count);

    if (said < count)
        memset(samples + said, 0, (size_t)(count - said) * sizeof *samples);
    watch_page(fax);
    watch_host(fax, count);
}

void modem_fax_hear(struct modem_fax *fax, int16_t *samples, int count)
{
    t31_rx(fax->t31, samples, count);
}

bool modem_fax_ran_dry(struct modem_fax *fax)
{
    bool ran_dry = fax->ran_dry;

    fax->ran_dry = false;
    return ran_dry;
}
