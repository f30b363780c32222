/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dialling and answering. The CONNECT that ends both is the engine's beginning: behind that of ATD frames of the far
 * end follow (an implicit +FRH=3), behind that of ATA ours are expected (an implicit +FTH=3).
 */
#include "config.h"

#include "plugins/class1/dial.h"

#include "server/base/clock.h"
#include "server/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ABORT_MS       3000
#define ANSWER_MS      60000
#define GRACE_MS       5000 /* for the modem's own timer to come first */
#define TONE_DIGIT_MS  300
#define PULSE_DIGIT_MS 1800  /* a nought and the pause behind it */
#define PAUSE_MS       2000  /* of a comma (S8) */
#define WAIT_TONE_MS   20000 /* of a W: the second dial tone may take its time */
#define AT_ONCE_MS     5000  /* nobody has heard a number ring and answered it before */

static void finish(struct dial_end *end, const char *outcome, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void finish(struct dial_end *end, const char *outcome, const char *fmt, ...)
{
    va_list list;

    end->outcome = outcome;
    va_start(list, fmt);
    vsnprintf(end->message, sizeof end->message, fmt, list);
    va_end(list);
}

/* NO CARRIER is said of two things, and only the time tells them apart. When it comes as the modem's own timer (S7)
 * runs out, the modem has heard no fax all the while: the number rang and nobody answered, for of those who answer and
 * are no fax hardly one stays on the line so long. When it comes before, the modem has noticed a change on the line
 * that ended its wait: somebody answered, spoke, and hung up. In the first seconds not even the ring can have been
 * heard: the modem gave up by itself, which is no reason to call the number that of no fax. */
static const char *no_carrier(int64_t elapsed_ms, int dial_timeout_s)
{
    if (elapsed_ms < AT_ONCE_MS || elapsed_ms >= (int64_t)dial_timeout_s * 1000 - 2000)
        return "no_answer";
    return "not_fax";
}

const char *dial_outcome(enum answer_kind result, int64_t elapsed_ms, int dial_timeout_s)
{
    switch (result) {
    case ANSWER_BUSY:
        return "busy";
    case ANSWER_NO_DIAL_TONE:
        return "no_dial_tone";
    case ANSWER_NO_ANSWER:
        return "no_answer";
    case ANSWER_NO_CARRIER:
        return no_carrier(elapsed_ms, dial_timeout_s);
    case ANSWER_FCERROR: /* a carrier, but of no fax */
    case ANSWER_VOICE:
        return "not_fax";
    case ANSWER_DELAYED: /* the modem obeys a rule of its country for calls that are repeated */
        return "call_delayed";
    case ANSWER_BLACKLISTED:
        return "blacklisted";
    case ANSWER_CONNECT:
    case ANSWER_OK:
        return "success";
    case ANSWER_ERROR:
    case ANSWER_TEXT:
    case ANSWER_RING:
    case ANSWER_CALLER:
        break;
    }
    return "internal";
}

static const char *explain(enum answer_kind result)
{
    switch (result) {
    case ANSWER_NO_DIAL_TONE:
        return "the line gives no dial tone: is the telephone cable plugged in? A PBX may need init ATX3";
    case ANSWER_NO_CARRIER:
        return "no fax answered";
    case ANSWER_DELAYED:
        return "the modem makes calls to this number wait, as its country wants it";
    case ANSWER_BLACKLISTED:
        return "the modem refuses to call this number again, as its country wants it";
    case ANSWER_FCERROR:
        return "something answered, but with another carrier than a fax has";
    case ANSWER_VOICE:
        return "a person answered";
    case ANSWER_TEXT:
    case ANSWER_OK:
    case ANSWER_CONNECT:
    case ANSWER_RING:
    case ANSWER_ERROR:
    case ANSWER_BUSY:
    case ANSWER_NO_ANSWER:
    case ANSWER_CALLER:
        break;
    }
    return "";
}

/* On hook, whatever was going on. False when the modem does not answer even that. */
static bool hang_up(struct at *at)
{
    enum answer_kind result;
    int wake_fd = at->wake_fd, err;

    at_abort(at, ABORT_MS);
    at->wake_fd = -1;
    err = at_command(at, &result, NULL, 0, "ATH0", ABORT_MS);
    at->wake_fd = wake_fd;
    return err == 0;
}

/* The wait has ended without a result. `what` is for the message of a timeout. */
static void fail(struct dial_end *end, struct at *at, int err, const char *late)
{
    char why[DIAL_MESSAGE_SIZE];

    snprintf(why, sizeof why, "%.*s", (int)sizeof why - 1, err_message());
    if (err == ERR_CLOSED || err == ERR_IO)
        finish(end, "line_unavailable", "%s", why);
    else if (!hang_up(at) && err == ERR_AGAIN)
        finish(end, "line_unavailable", "the modem has stopped answering");
    else if (err == ERR_CONFLICT)
        finish(end, "aborted", "the call was aborted before the far end answered");
    else
        finish(end, "no_answer", "%s", late);
}

static void take_result(struct dial_end *end, enum answer_kind result, int64_t elapsed_ms,
                        const struct setup_line *line, const char *command)
{
    const char *outcome = dial_outcome(result, elapsed_ms, line->dial_timeout_s);
    const char *words = explain(result);

    if (result == ANSWER_ERROR)
        finish(end, outcome, "the modem answers ERROR to %s", command);
    else
        finish(end, outcome, "the modem says %s%s%s", answer_name(result), words[0] != '\0' ? ": " : "", words);
}

/* Between the return key and the modem's own timer. */
static int64_t dialling_ms(const char *command, bool pulse)
{
    int64_t ms = 0;

    for (const char *at = command + 2; *at != '\0'; at++)
        ms += *at == ',' ? PAUSE_MS : *at == 'W' || *at == 'w' ? WAIT_TONE_MS : pulse ? PULSE_DIGIT_MS : TONE_DIGIT_MS;
    return ms;
}

/* A ring after the dial command has left: exchange and modem have seized the line at the same time. The modem goes on
 * hook again, and the ring is announced when the job is over. */
static void give_way(struct dial_end *end, struct at *at)
{
    at_abort(at, ABORT_MS);
    finish(end, "line_unavailable", "a call came as the line was about to dial");
}

void dial_call(struct dial_end *end, struct at *at, const struct setup_line *line, const char *command)
{
    int64_t begun_ms = clock_mono_ms();
    bool pulse = command[3] == 'P' || command[3] == 'p';
    int64_t until_ms = begun_ms + line->dial_timeout_s * 1000LL + dialling_ms(command, pulse) + GRACE_MS;
    enum answer_kind kind;
    char late[64];
    int err = at_send(at, command);

    memset(end, 0, sizeof *end);
    while (err == 0 && (err = at_next(at, &kind, until_ms)) == 0) {
        if (kind == ANSWER_RING) {
            give_way(end, at);
            return;
        }
        if (kind == ANSWER_CONNECT) {
            end->connected = true;
            return;
        }
        /* OK is no result of ATD: some modems say it before they say CONNECT. */
        if (answer_is_final(kind) && kind != ANSWER_OK) {
            take_result(end, kind, clock_mono_ms() - begun_ms, line, command);
            return;
        }
    }
    snprintf(late, sizeof late, "nobody answered within %d s", line->dial_timeout_s);
    fail(end, at, err, late);
}

void dial_answer(struct dial_end *end, struct at *at, const struct setup_line *line)
{
    int64_t until_ms = clock_mono_ms() + ANSWER_MS;
    enum answer_kind kind = ANSWER_TEXT;
    int err = at_send(at, line->answer_command);

    memset(end, 0, sizeof *end);
    while (err == 0 && (err = at_next(at, &kind, until_ms)) == 0 && (!answer_is_final(kind) || kind == ANSWER_OK))
        ;
    if (err != 0)
        fail(end, at, err, "the modem answered the call, and no fax came of it");
    else if (kind == ANSWER_CONNECT)
        end->connected = true;
    else if (kind == ANSWER_ERROR)
        finish(end, "internal", "the modem answers ERROR to %s", line->answer_command);
    else
        finish(end, "no_answer", "the modem says %s: the caller has hung up", answer_name(kind));
}
