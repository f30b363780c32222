/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands and answers. Between the device (tty.c) and those who know what to ask: probe.c, dial.c, modem.c. */
#include "config.h"

#include "plugins/class1/at.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/str.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define WRITE_MS     2000 /* until a modem that takes no octets is one that does not answer */
#define REPORT_LINES 4    /* of one answer that are shown: some makes answer ATI4 with a page */
#define LINES_MAX    200  /* of one answer: what says more is not a modem */

void at_report(struct at_report *report, const char *fmt, ...)
{
    size_t room = report != NULL ? sizeof report->text - report->used : 0;
    va_list list;
    int size;

    if (room < 2)
        return;
    va_start(list, fmt);
    size = vsnprintf(report->text + report->used, room - 1, fmt, list);
    va_end(list);
    if (size < 0)
        return;
    report->used += (size_t)size < room - 1 ? (size_t)size : room - 2;
    report->text[report->used++] = '\n';
    report->text[report->used] = '\0';
}

/* Until `fd` is ready for `events`. */
static int wait_ready(struct at *at, short events, int64_t until_ms)
{
    struct pollfd fds[2] = {{.fd = at->wake_fd, .events = POLLIN}, {.fd = at->fd, .events = events}};

    for (;;) {
        int64_t left_ms = until_ms - clock_mono_ms();
        int count = poll(fds, 2, left_ms > 0 ? (int)left_ms : 0);

        if (count < 0 && errno != EINTR)
            return err_set(ERR_IO, "cannot wait for the modem: %s", strerror(errno));
        if (count < 0)
            continue;
        if (fds[0].revents != 0)
            return err_set(ERR_CONFLICT, "the wait for the modem was ended");
        if (fds[1].revents != 0)
            return 0; /* a hang-up too: read or write tells */
        if (left_ms <= 0)
            return err_set(ERR_AGAIN, "no answer from the modem");
    }
}

static int gone(void)
{
    return err_set(ERR_CLOSED, "the modem's device has gone: unplugged, or switched off");
}

/* One octet: 0, ERR_AGAIN when there is none now, ERR_CLOSED. */
static int read_octet(struct at *at, char *octet)
{
    ssize_t size = read(at->fd, octet, 1);

    if (size == 1)
        return 0;
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return ERR_AGAIN;
    return gone();
}

static bool is_echo(const struct at *at)
{
    return at->sent[0] != '\0' && strcasecmp(at->line.text, at->sent) == 0;
}

/* A whole line, if one has come. ERR_AGAIN when not. */
static int take_line(struct at *at, enum answer_kind *kind)
{
    char octet;
    int err;

    while ((err = read_octet(at, &octet)) == 0) {
        if (!answer_line_add(&at->line, octet) || is_echo(at))
            continue;
        *kind = answer_kind(at->line.text);
        at->lines++;
        if (at->lines <= REPORT_LINES)
            at_report(at->report, "< %s", at->line.text);
        return 0;
    }
    return err;
}

static bool is_unasked(enum answer_kind kind)
{
    return kind == ANSWER_RING || kind == ANSWER_CALLER;
}

int at_next(struct at *at, enum answer_kind *kind, int64_t until_ms)
{
    for (;;) {
        int err = take_line(at, kind);

        if (err == 0) {
            if (is_unasked(*kind) && at->on_line != NULL)
                at->on_line(at->context, at->line.text);
            return at->lines <= LINES_MAX ? 0 : err_set(ERR_AGAIN, "the modem says no end of lines");
        }
        if (err == ERR_AGAIN)
            err = wait_ready(at, POLLIN, until_ms);
        if (err != 0)
            return err;
    }
}

int at_drain(struct at *at)
{
    enum answer_kind kind;
    int err = 0;

    for (int i = 0; i < LINES_MAX && (err = take_line(at, &kind)) == 0; i++)
        if (at->on_line != NULL)
            at->on_line(at->context, at->line.text);
    return err == ERR_AGAIN ? 0 : err;
}

static int write_all(struct at *at, const char *text, size_t size)
{
    int64_t until_ms = clock_mono_ms() + WRITE_MS;

    while (size > 0) {
        ssize_t written = write(at->fd, text, size);
        int err = 0;

        if (written > 0) {
            text += written;
            size -= (size_t)written;
        } else if (written < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
            return gone();
        } else {
            err = wait_ready(at, POLLOUT, until_ms);
        }
        if (err == ERR_AGAIN)
            return err_set(ERR_AGAIN, "the modem takes no commands: flow control holds them (cable, setting flow)");
        if (err != 0)
            return err;
    }
    return 0;
}

int at_send(struct at *at, const char *command)
{
    char text[AT_COMMAND_SIZE + 1];
    int err = at_drain(at), size;

    if (err != 0)
        return err;
    at->lines = 0;
    at_report(at->report, "> %s", command);
    str_copy(at->sent, sizeof at->sent, command);
    size = snprintf(text, sizeof text, "%s\r", at->sent);
    return write_all(at, text, (size_t)size);
}

static void add_info(char *info, size_t size, const char *line)
{
    size_t used = strlen(info);

    if (used + strlen(line) + 2 <= size)
        snprintf(info + used, size - used, "%s%s", used > 0 ? "\n" : "", line);
}

int at_command(struct at *at, enum answer_kind *result, char *info, size_t size, const char *command, int timeout_ms)
{
    int64_t until_ms = clock_mono_ms() + timeout_ms;
    int err = at_send(at, command);

    if (info != NULL)
        info[0] = '\0';
    while (err == 0 && (err = at_next(at, result, until_ms)) == 0 && !answer_is_final(*result))
        if (info != NULL && *result == ANSWER_TEXT)
            add_info(info, size, at->line.text);
    at->sent[0] = '\0';
    if (err == ERR_AGAIN) {
        at_report(at->report, "  (%s)", err_message());
        return err_set(ERR_AGAIN, "the modem does not answer %s", command);
    }
    return err;
}

int at_order(struct at *at, const char *command)
{
    enum answer_kind result;
    int err = at_command(at, &result, NULL, 0, command, AT_ANSWER_MS);

    if (err == 0 && result != ANSWER_OK)
        err = err_set(ERR_INVALID, "the modem answers %s to %s", answer_name(result), command);
    return err;
}

void at_abort(struct at *at, int ms)
{
    const char octet = AT_ABORT_OCTET;
    int64_t until_ms = clock_mono_ms() + ms;
    int wake_fd = at->wake_fd;
    enum answer_kind kind;

    at->wake_fd = -1; /* it was most likely the wake that led here, and the time is short */
    at->lines = 0;
    if (write_all(at, &octet, 1) == 0)
        while (at_next(at, &kind, until_ms) == 0 && !answer_is_final(kind))
            ;
    at->wake_fd = wake_fd;
}

int at_pause(struct at *at, int ms)
{
    struct pollfd wake = {.fd = at->wake_fd, .events = POLLIN};
    int64_t until_ms = clock_mono_ms() + ms, left_ms;

    while ((left_ms = until_ms - clock_mono_ms()) > 0)
        if (poll(&wake, 1, (int)left_ms) > 0)
            return err_set(ERR_CONFLICT, "the wait for the modem was ended");
    return 0;
}
