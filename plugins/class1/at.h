/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Talking to a modem in command state: a line out, its answer back, every wait bounded and to be woken.
 *
 * Reads octet by octet: behind the CONNECT of a fax call nothing is taken that is the engine's.
 *
 * Thread: the owner of the modem (modem.h).
 */
#ifndef FAXD_PLUGINS_CLASS1_AT_H
#define FAXD_PLUGINS_CLASS1_AT_H

#include "plugins/class1/answer.h"

#include <stdint.h>

#define AT_COMMAND_SIZE 160
#define AT_REPORT_SIZE  3072 /* what was asked and answered, for an administrator */
#define AT_ANSWER_MS    5000 /* for an answer that needs no call */
#define AT_ABORT_OCTET  0x18 /* any octet aborts (T.31 8.3.3, V.250 5.6.1); this one is no command and no data */

struct at_report {
    char text[AT_REPORT_SIZE];
    size_t used;
};

struct at {
    int fd;      /* non-blocking */
    int wake_fd; /* readable: every wait ends with ERR_CONFLICT; -1 = none */
    struct answer_line line;
    char sent[AT_COMMAND_SIZE]; /* the last command, to know its echo */
    int lines;                  /* taken since the last command, bounded */
    struct at_report *report;   /* NULL = none is written */
    /* Each line that is no part of an answer: RING and caller id while something else is waited for, all while nothing
     * is. `line` is borrowed. */
    void (*on_line)(void *context, const char *line);
    void *context;
};

/* Results of all: 0; ERR_AGAIN nothing came in time; ERR_CLOSED the device is gone; ERR_CONFLICT woken; ERR_IO. */

/* Send a command line ("ATD123"); what came unasked before it goes to on_line. */
int at_send(struct at *at, const char *command);

/* The next line that is no echo: in at->line.text, its kind in `*kind`. RING and caller id were told to on_line, and
 * are given too. `until_ms` is monotonic. */
int at_next(struct at *at, enum answer_kind *kind, int64_t until_ms);

/* Send a command and wait for what ends it. Lines of information are joined by line feeds in `info` (NULL = not
 * wanted), cut to `size`. */
int at_command(struct at *at, enum answer_kind *result, char *info, size_t size, const char *command, int timeout_ms);

/* As at_command; ERR_INVALID when the modem says anything but OK. */
int at_order(struct at *at, const char *command);

/* End whatever the modem is doing by an octet, and swallow what it says then for `ms`, or until its final result. */
void at_abort(struct at *at, int ms);

/* Take what has come, without waiting: 0 or ERR_CLOSED. */
int at_drain(struct at *at);

/* Let `ms` pass: 0, ERR_CONFLICT when woken. */
int at_pause(struct at *at, int ms);

/* Add a line to a report (printf style). NULL is fine. */
void at_report(struct at_report *report, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
