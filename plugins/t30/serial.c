/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The modem is heard before time goes on: when we come late, what it said meanwhile was said in time. */
#include "config.h"

#include "plugins/t30/serial.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "server/base/log.h"

#define NS_PER_SAMPLE (INT64_C(1000000000) / SESSION_RATE)
#define READ_OCTETS   4096
#define READS_AT_ONCE 16 /* a device that never stops talking does not keep time from going by */

struct serial {
    struct session *session;
    int media;
    bool xon_xoff; /* the modem's flow control while it sends a page */
    bool xon_is_set;
    int64_t clock_ns, clock_samples; /* line time is clock_samples since clock_ns; 0 = not begun */
    bool full;
};

struct serial *serial_new(const struct options *options, int media, struct session *session)
{
    struct serial *serial = xcalloc(1, sizeof *serial);

    serial->session = session;
    serial->media = media;
    serial->xon_xoff = options->modem.xon_xoff;
    return serial;
}

void serial_free(struct serial *serial)
{
    free(serial);
}

/* While it hears, the modem's octets 0x11 and 0x13 are data: one ends every final frame. */
static void set_flow(struct serial *serial)
{
    bool wanted = serial->xon_xoff && session_is_sending_page(serial->session);
    struct termios settings;

    if (wanted == serial->xon_is_set || tcgetattr(serial->media, &settings) != 0)
        return;
    settings.c_iflag = wanted ? settings.c_iflag | IXON : settings.c_iflag & ~(tcflag_t)IXON;
    tcsetattr(serial->media, TCSANOW, &settings);
    serial->xon_is_set = wanted;
}

static void end(struct serial *serial, const char *why)
{
    session_end(serial->session, OUTCOME_END_HUNG_UP, why);
}

/* Samples from line time to now. */
static int64_t behind(const struct serial *serial, int64_t now_ns)
{
    return (now_ns - serial->clock_ns) / NS_PER_SAMPLE - serial->clock_samples;
}

static void advance(struct serial *serial, int64_t samples)
{
    serial->clock_samples += samples;
    session_advance(serial->session, samples < INT_MAX ? (int)samples : INT_MAX);
}

/* Octets are at hand that may have waited for us: line time goes towards now, but not to where a timer would say that
 * they did not come. */
static void keep_time_for_octets(struct serial *serial, int64_t now_ns)
{
    int64_t samples = behind(serial, now_ns);
    int due = session_due(serial->session);

    if (samples >= due)
        samples = due - 1;
    if (samples > 0)
        advance(serial, samples);
}

static void hear(struct serial *serial, int64_t now_ns)
{
    uint8_t octets[READ_OCTETS];

    for (int i = 0; i < READS_AT_ONCE && !session_is_over(serial->session); i++) {
        ssize_t got = read(serial->media, octets, sizeof octets);

        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0) {
            end(serial, "the modem's device is gone");
            return;
        }
        keep_time_for_octets(serial, now_ns);
        session_octets(serial->session, octets, (size_t)got);
    }
}

static void speak(struct serial *serial)
{
    const uint8_t *octets;
    size_t size;
    ssize_t put;

    serial->full = false;
    for (;;) {
        set_flow(serial);
        octets = session_output(serial->session, &size);
        if (size == 0)
            return;
        put = write(serial->media, octets, size);
        if (put > 0) {
            session_written(serial->session, (size_t)put);
        } else if (put < 0 && errno == EINTR) {
            continue;
        } else {
            serial->full = put < 0 && errno == EAGAIN;
            if (!serial->full)
                end(serial, "the modem's device is gone");
            return;
        }
    }
}

void serial_run(struct serial *serial, int64_t now_ns)
{
    int64_t samples;

    if (serial->clock_ns == 0) { /* the call begins, before anything is heard */
        serial->clock_ns = now_ns;
        advance(serial, 0);
    }
    hear(serial, now_ns);
    samples = behind(serial, now_ns);
    if (!session_is_over(serial->session) && (samples > 0 || session_due(serial->session) <= 0))
        advance(serial, samples > 0 ? samples : 0);
    if (!session_is_over(serial->session))
        speak(serial);
}

int64_t serial_due_ns(const struct serial *serial)
{
    int due = session_due(serial->session);

    if (serial->clock_ns == 0)
        return 0;
    return due == INT_MAX ? INT64_MAX : serial->clock_ns + (serial->clock_samples + due) * NS_PER_SAMPLE;
}

bool serial_wants_room(const struct serial *serial)
{
    return serial->full;
}

void serial_finish(struct serial *serial)
{
    const uint8_t *octets;
    size_t size;

    session_leave(serial->session);
    octets = session_output(serial->session, &size);
    /* Whoever has the device next puts the modem in order, if this does not. */
    if (size > 0 && write(serial->media, octets, size) > 0)
        session_written(serial->session, size);
}
