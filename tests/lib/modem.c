/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A modem: joins its device, its interpreter and its signals, and does to them what the faults say.
 *
 * An octet of the host is, by what the modem is doing: data of a frame or page; the abort of a command that waits for
 * the line; kept until the result of a command that cannot be aborted; or part of a command line. */
#include "config.h"

#include "tests/lib/modem.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "tests/lib/modem_at.h"
#include "tests/lib/modem_pty.h"

#define PATH_SIZE      256
#define INPUT_SIZE     1024
#define SERVE_MAX      65536 /* octets of one visit, so that a host that never stops does not stop the others */
#define GARBAGE_MAX    4096
#define ABORT_AFTER_MS 125 /* V.250 5.6.1: an end of line behind the command is no abort */
#define XON            0x11
#define XOFF           0x13

enum hook { ON_HOOK, DIALLING, OFF_HOOK };

struct modem {
    struct modem_handlers handlers;
    struct modem_counts *counts;
    struct modem_pty *pty; /* NULL = vanished */
    struct modem_at *at;
    struct modem_fax *fax;
    struct modem_faults faults;
    char link[PATH_SIZE];
    bool dtr;
    enum hook hook;
    bool setting_up;      /* ATD or ATA has not said CONNECT yet: an abort hangs up */
    bool waiting;         /* a result is to come before another command is read */
    bool receiving_page;  /* +FRM, not trained yet */
    bool receiving;       /* +FRH or +FRM, before CONNECT */
    bool wrong_carrier;   /* the fault "fcerror" is under way */
    bool carrier_is_done; /* S7 ran out */
    int64_t command_ms;   /* when the last command that waits was given */
    int64_t dialled_ms;
    int64_t stopped_ms; /* until then the host is not read */
    bool stopped_by_xoff;
    bool fax_result;       /* the last thing said is the final result of a fax command */
    int64_t fax_result_us; /* when it had been written; 0 = none */
    uint8_t input[INPUT_SIZE];
    size_t input_at, input_count;
    uint32_t random;
};

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- what the host gets to see ---- */

static void say(struct modem *modem, const void *octets, size_t count, int later_ms)
{
    if (modem->pty && modem->dtr && !modem->faults.hang && !modem_pty_say(modem->pty, octets, count, later_ms))
        modem->counts->lost_octets += (int64_t)count;
}

static void inform(void *user, const char *text)
{
    struct modem *modem = user;
    char line[MODEM_CALLER_SIZE];
    int length = snprintf(line, sizeof line, modem_at_is_verbose(modem->at) ? "\r\n%s\r\n" : "%s\r\n", text);

    say(modem, line, (size_t)length, 0);
}

static void print_result(struct modem *modem, enum modem_result result)
{
    static const struct {
        const char *words, *number;
    } results[] = {
        [MODEM_OK] = {"OK", "0"},
        [MODEM_CONNECT] = {"CONNECT", "1"},
        [MODEM_RING] = {"RING", "2"},
        [MODEM_NO_CARRIER] = {"NO CARRIER", "3"},
        [MODEM_ERROR] = {"ERROR", "4"},
        [MODEM_NO_DIALTONE] = {"NO DIALTONE", "6"},
        [MODEM_BUSY] = {"BUSY", "7"},
        [MODEM_NO_ANSWER] = {"NO ANSWER", "8"},
        [MODEM_FCERROR] = {"+FCERROR", "+F4"},
        [MODEM_FRH3] = {"+FRH:3", "+FRH:3"},
    };
    char line[32];
    int length;

    if (modem_at_is_quiet(modem->at))
        return;
    if (modem_at_is_verbose(modem->at))
        length = snprintf(line, sizeof line, "\r\n%s\r\n", results[result].words);
    else
        length = snprintf(line, sizeof line, "%s\r", results[result].number);
    say(modem, line, (size_t)length, modem->faults.slow_ms);
}

static bool is_lost(int *count)
{
    if (*count <= 0)
        return false;
    (*count)--;
    return true;
}

static bool ends_fax_command(const struct modem *modem, enum modem_result result)
{
    return modem->hook == OFF_HOOK && !modem->setting_up &&
           (result == MODEM_OK || result == MODEM_NO_CARRIER || result == MODEM_FCERROR || result == MODEM_ERROR);
}

static void tell(struct modem *modem, enum modem_result result)
{
    if (result == MODEM_CONNECT && is_lost(&modem->faults.lose_connect))
        return;
    if (result == MODEM_OK && is_lost(&modem->faults.lose_ok))
        return;
    print_result(modem, result);
}

/* The result of a command line. */
static void line_result(void *user, enum modem_result result)
{
    tell(user, result);
}

/* The result of a command that waited. */
static void late_result(struct modem *modem, enum modem_result result)
{
    modem->fax_result = ends_fax_command(modem, result);
    modem->waiting = false;
    modem->receiving = modem->receiving && result == MODEM_FRH3;
    modem->receiving_page = false;
    if (result != MODEM_FRH3)
        modem->setting_up = false;
    tell(modem, result);
}

/* ---- what the signals tell ---- */

static void fax_result(void *user, enum modem_result result)
{
    struct modem *modem = user;

    if (modem->wrong_carrier || modem->carrier_is_done)
        return;
    if (result == MODEM_CONNECT && modem->receiving_page && is_lost(&modem->faults.fcerror)) {
        /* Ended when spandsp has returned: it is in the middle of its training. */
        modem->wrong_carrier = true;
        return;
    }
    if (result == MODEM_CONNECT && modem->receiving && modem->faults.ok_before_connect)
        tell(modem, MODEM_OK);
    late_result(modem, result);
}

static void fax_data(void *user, const uint8_t *octets, size_t count)
{
    struct modem *modem = user;

    if (!modem->wrong_carrier)
        say(modem, octets, count, 0);
}

/* NO CARRIER has been said. What follows waits until spandsp has returned. */
static void fax_line_is_done(void *user)
{
    struct modem *modem = user;

    modem->carrier_is_done = true;
}

/* ---- hook ---- */

static void go_on_hook(struct modem *modem)
{
    bool was_off = modem->hook != ON_HOOK;

    modem->hook = ON_HOOK;
    modem->setting_up = false;
    modem->waiting = false;
    modem->receiving = false;
    modem->receiving_page = false;
    modem->fax_result = false;
    modem->fax_result_us = 0;
    modem_fax_hang_up(modem->fax);
    if (was_off)
        modem->handlers.hang_up(modem->handlers.user);
}

static void at_hang_up(void *user)
{
    go_on_hook(user);
}

static void wait_for_line(struct modem *modem)
{
    modem->waiting = true;
    modem->setting_up = true;
    modem->command_ms = clock_mono_ms();
}

static enum modem_verdict at_dial(void *user, const char *number)
{
    struct modem *modem = user;

    if (modem->hook != ON_HOOK)
        return MODEM_WRONG;
    wait_for_line(modem);
    modem->hook = DIALLING;
    modem->dialled_ms = modem->command_ms;
    if (modem->faults.no_dialtone)
        modem_refuse(modem, MODEM_NO_DIALTONE);
    else if (modem->faults.no_carrier_early)
        modem_refuse(modem, MODEM_NO_CARRIER);
    else
        modem->handlers.dial(modem->handlers.user, number);
    return MODEM_LATER;
}

/* Without a call that rings the modem goes off hook all the same and sends its tone to nobody. */
static enum modem_verdict at_answer(void *user)
{
    struct modem *modem = user;

    if (modem->hook != ON_HOOK)
        return MODEM_WRONG;
    wait_for_line(modem);
    modem->hook = OFF_HOOK;
    modem->handlers.answer(modem->handlers.user);
    modem_fax_answer(modem->fax);
    return MODEM_LATER;
}

static enum modem_verdict at_fax(void *user, const char *name, int value)
{
    struct modem *modem = user;

    if (modem->hook != OFF_HOOK)
        return MODEM_WRONG;
    modem->waiting = true;
    modem->receiving = name[1] == 'R' && name[2] != 'S';
    modem->receiving_page = modem->receiving && name[2] == 'M';
    modem->command_ms = clock_mono_ms();
    modem_fax_set_adaptive(modem->fax, modem_at_is_adaptive(modem->at));
    modem_fax_command(modem->fax, name, value);
    return MODEM_LATER;
}

static void at_fax_line(void *user)
{
    struct modem *modem = user;

    if (modem->fax_result_us > 0 && modem->hook == OFF_HOOK)
        turnaround_add(&modem->counts->turnaround, now_us() - modem->fax_result_us);
    modem->fax_result = false;
    modem->fax_result_us = 0;
}

static void at_echo(void *user, uint8_t octet)
{
    say(user, &octet, 1, 0);
}

/* ---- power ---- */

static void make_parts(struct modem *modem)
{
    const struct modem_at_handlers at = {
        .echo = at_echo,
        .inform = inform,
        .result = line_result,
        .fax_line = at_fax_line,
        .dial = at_dial,
        .answer = at_answer,
        .hang_up = at_hang_up,
        .fax = at_fax,
        .user = modem,
    };
    const struct modem_fax_handlers fax = {
        .result = fax_result,
        .data = fax_data,
        .line_is_done = fax_line_is_done,
        .user = modem,
    };

    modem->at = modem_at_new(&at, modem_make_find("spandsp"));
    modem->fax = modem_fax_new(&fax);
}

int modem_open(struct modem **out, const char *link, const struct modem_handlers *handlers, struct modem_counts *counts,
               unsigned seed)
{
    struct modem_pty *pty;
    struct modem *modem;
    int result = modem_pty_open(&pty, link);

    *out = NULL;
    if (result < 0)
        return result;
    modem = xcalloc(1, sizeof *modem);
    modem->pty = pty;
    modem->handlers = *handlers;
    modem->counts = counts;
    modem->random = seed | 1;
    strcpy(modem->link, link);
    make_parts(modem);
    *out = modem;
    return 0;
}

void modem_close(struct modem *modem)
{
    if (!modem)
        return;
    modem_pty_close(modem->pty);
    modem_fax_free(modem->fax);
    modem_at_free(modem->at);
    free(modem);
}

/* ---- the serial side ---- */

static bool is_stopped(const struct modem *modem)
{
    return modem->stopped_ms > 0;
}

int modem_poll(const struct modem *modem, struct pollfd polled[MODEM_POLLED])
{
    bool listens = modem->dtr && !is_stopped(modem) && modem->input_count == 0;

    if (!modem->pty)
        return 0;
    polled[0] = (struct pollfd){.fd = modem_pty_watch_fd(modem->pty), .events = POLLIN};
    polled[1] = (struct pollfd){.fd = modem_pty_data_fd(modem->pty), .events = POLLIN};
    return listens ? 2 : 1;
}

/* What was typed is gone with DTR. What the host writes after it is its own: when the device is open again already,
 * that cannot be told apart, and is kept. */
static void drop_dtr(struct modem *modem, bool is_up_again)
{
    if (modem_at_minds_dtr(modem->at))
        go_on_hook(modem);
    modem_at_clear(modem->at);
    modem->input_count = 0;
    if (!is_up_again)
        modem_pty_forget(modem->pty);
}

static void watch_dtr(struct modem *modem)
{
    enum modem_pty_dtr dtr = modem_pty_look(modem->pty);

    if (modem->dtr && dtr != MODEM_PTY_UP)
        drop_dtr(modem, dtr == MODEM_PTY_DROPPED);
    modem->dtr = dtr != MODEM_PTY_DOWN;
}

static void watch_stop(struct modem *modem)
{
    static const uint8_t xon = XON;

    if (!is_stopped(modem) || clock_mono_ms() < modem->stopped_ms)
        return;
    modem->stopped_ms = 0;
    if (modem->stopped_by_xoff)
        say(modem, &xon, 1, 0);
}

/* An octet while the line is awaited. */
static void abort_command(struct modem *modem, uint8_t octet)
{
    if ((octet == '\r' || octet == '\n') && clock_mono_ms() - modem->command_ms < ABORT_AFTER_MS)
        return;
    if (modem->setting_up) {
        go_on_hook(modem);
        tell(modem, MODEM_NO_CARRIER);
        return;
    }
    modem_fax_abort(modem->fax, MODEM_OK);
}

static void put_command(struct modem *modem, uint8_t octet)
{
    if (modem->faults.echo && !modem_at_echoes(modem->at))
        say(modem, &octet, 1, 0);
    modem_at_put(modem->at, octet);
}

static size_t take_data(struct modem *modem, const uint8_t *octets, size_t count)
{
    enum modem_fax_mode before = modem_fax_mode(modem->fax);
    size_t taken = modem_fax_put(modem->fax, octets, count);

    /* A page that has been given whole: its OK comes when it has been sent. */
    if (before == MODEM_FAX_PAGE && modem_fax_mode(modem->fax) == MODEM_FAX_COMMAND)
        modem->waiting = true;
    return taken;
}

/* How many octets of those given were used; 0 = the others have to wait. */
static size_t take_input(struct modem *modem, const uint8_t *octets, size_t count)
{
    enum modem_fax_mode mode = modem_fax_mode(modem->fax);

    if (modem->faults.hang)
        return count;
    if (mode == MODEM_FAX_FRAMES || mode == MODEM_FAX_PAGE)
        return take_data(modem, octets, count);
    if (mode == MODEM_FAX_RECEIVING || modem->hook == DIALLING)
        abort_command(modem, *octets);
    else if (modem->waiting)
        return 0;
    else
        put_command(modem, *octets);
    return 1;
}

/* False when what is left has to wait. */
static bool use_input(struct modem *modem)
{
    size_t used;

    while (modem->input_count > 0) {
        used = take_input(modem, modem->input + modem->input_at, modem->input_count);
        if (used == 0)
            return false;
        /* A command line may have closed the device under us, or forgotten the input. */
        used = used < modem->input_count ? used : modem->input_count;
        modem->input_at += used;
        modem->input_count -= used;
    }
    return true;
}

static void read_host(struct modem *modem)
{
    size_t all = 0;

    while (!is_stopped(modem) && use_input(modem) && all < SERVE_MAX) {
        modem->input_at = 0;
        modem->input_count = modem_pty_read(modem->pty, modem->input, sizeof modem->input);
        if (modem->input_count == 0)
            return;
        all += modem->input_count;
    }
}

static void write_host(struct modem *modem)
{
    if (!modem_pty_flush(modem->pty))
        return;
    if (modem->fax_result)
        modem->fax_result_us = now_us();
    modem->fax_result = false;
}

/* Nobody answers: S7 counts from the dialling. */
static void watch_dialling(struct modem *modem)
{
    int64_t wait_ms = (int64_t)modem_at_register(modem->at, 7) * 1000;

    if (modem->hook != DIALLING || clock_mono_ms() - modem->dialled_ms < wait_ms)
        return;
    go_on_hook(modem);
    tell(modem, modem_at_make(modem->at)->unanswered);
}

void modem_serve(struct modem *modem)
{
    if (!modem->pty)
        return;
    watch_dtr(modem);
    watch_stop(modem);
    watch_dialling(modem);
    if (modem->dtr)
        read_host(modem);
    write_host(modem);
}

/* ---- the line ---- */

bool modem_is_off_hook(const struct modem *modem)
{
    return modem->hook != ON_HOOK;
}

static void tell_pattern(struct modem *modem, int pattern)
{
    char line[16];

    snprintf(line, sizeof line, "RING %d", pattern);
    inform(modem, line);
}

void modem_ring(struct modem *modem, const struct modem_ring *ring, int nth)
{
    int answer_after = modem_at_register(modem->at, 0);

    if (modem_at_tells_rings(modem->at)) {
        inform(modem, ring->pattern == 2 ? "DRON=8" : ring->pattern == 3 ? "DRON=4" : "DRON=20");
        inform(modem, ring->pattern == 2 ? "DROF=4" : ring->pattern == 3 ? "DROF=2" : "DROF=40");
    }
    if (ring->pattern > 0 && !modem_at_tells_rings(modem->at))
        tell_pattern(modem, ring->pattern);
    else
        tell(modem, MODEM_RING);
    if (answer_after > 0 && nth >= answer_after && modem->dtr)
        at_answer(modem);
}

void modem_tell_caller(struct modem *modem, const struct modem_ring *ring)
{
    char text[MODEM_CALLER_SIZE], *line, *rest = text;

    modem_caller_text(text, ring, modem_at_caller_form(modem->at), modem_at_make(modem->at)->blanks);
    while ((line = strsep(&rest, "\n")) && *line)
        inform(modem, line);
    if (!ring->did[0])
        return;
    snprintf(text, sizeof text, "DDN_NMBR= %s", ring->did);
    inform(modem, text);
}

void modem_connect(struct modem *modem)
{
    modem->hook = OFF_HOOK;
    modem_fax_call(modem->fax, clock_mono_ms() - modem->dialled_ms, modem_at_register(modem->at, 7));
}

void modem_refuse(struct modem *modem, enum modem_result result)
{
    /* It does not know the tone: it goes on listening for a carrier. */
    if (result == MODEM_BUSY && !modem_at_hears_busy(modem->at))
        return;
    go_on_hook(modem);
    tell(modem, result);
}

void modem_say(struct modem *modem, int16_t *samples, int count)
{
    if (modem->hook != OFF_HOOK) {
        memset(samples, 0, (size_t)count * sizeof *samples);
        return;
    }
    modem_fax_say(modem->fax, samples, count);
    if (modem_fax_ran_dry(modem->fax))
        modem->counts->underruns++;
}

void modem_hear(struct modem *modem, int16_t *samples, int count)
{
    if (modem->hook != OFF_HOOK)
        return;
    modem_fax_hear(modem->fax, samples, count);
    if (modem->wrong_carrier) {
        modem_fax_drop(modem->fax);
        modem->wrong_carrier = false;
        late_result(modem, MODEM_FCERROR);
    }
    if (modem->carrier_is_done) {
        modem->carrier_is_done = false;
        go_on_hook(modem);
    }
}

/* ---- faults ---- */

void modem_set_make(struct modem *modem, const struct modem_make *make)
{
    modem_at_reset(modem->at, make);
}

void modem_fault_garbage(struct modem *modem, int count)
{
    uint8_t octets[GARBAGE_MAX];
    int i;

    count = count < GARBAGE_MAX ? count : GARBAGE_MAX;
    for (i = 0; i < count; i++) {
        modem->random ^= modem->random << 13;
        modem->random ^= modem->random >> 17;
        modem->random ^= modem->random << 5;
        octets[i] = (uint8_t)(modem->random >> 8);
    }
    say(modem, octets, (size_t)count, 0);
}

struct modem_faults *modem_faults(struct modem *modem)
{
    return &modem->faults;
}

void modem_fault_stop(struct modem *modem, int ms, bool xoff)
{
    static const uint8_t octet = XOFF;

    modem->stopped_ms = clock_mono_ms() + ms;
    modem->stopped_by_xoff = xoff;
    if (xoff)
        say(modem, &octet, 1, 0);
}

int modem_fault_vanish(struct modem *modem)
{
    if (!modem->pty)
        return err_set(ERR_CONFLICT, "the device has vanished already");
    go_on_hook(modem);
    modem_pty_close(modem->pty);
    modem->pty = NULL;
    modem->dtr = false;
    modem->input_count = 0;
    modem->stopped_ms = 0;
    return 0;
}

int modem_fault_return(struct modem *modem)
{
    if (modem->pty)
        return err_set(ERR_CONFLICT, "the device is there");
    modem_at_reset(modem->at, NULL);
    return modem_pty_open(&modem->pty, modem->link);
}
