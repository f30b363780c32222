/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Error results, shared by every program of the project.
 *
 * A function that can fail returns int: 0, or one of the negative codes below. The place that finds a failure sets the
 * message with err_set(); everyone above cleans up and passes the code on. The message is kept per thread and is valid
 * until the next err_set() on that thread. A fax outcome such as "busy" is data (spool/outcome.h), never an error here.
 *
 * Thread: any.
 */
#ifndef FAXD_BASE_ERR_H
#define FAXD_BASE_ERR_H

enum err_code {
    ERR_OK = 0,
    ERR_IO = -1,          /* a system call failed: disk, socket, process */
    ERR_NOT_FOUND = -2,   /* no such thing */
    ERR_INVALID = -3,     /* input that is not what it should be; the message names it and the fix */
    ERR_TOO_BIG = -4,     /* input over a stated limit */
    ERR_CONFLICT = -5,    /* the thing is not in a state that allows this */
    ERR_FULL = -6,        /* no room: disk, table, connection cap */
    ERR_DENIED = -7,      /* not allowed */
    ERR_UNSUPPORTED = -8, /* valid, but nothing here can do it */
    ERR_CLOSED = -9,      /* the other side is gone */
    ERR_AGAIN = -10,      /* not now; try again later */
    ERR_INTERNAL = -11,   /* a library or store failed in a way that only a log can explain */
    ERR_DAMAGED = -12     /* what was stored cannot be had back */
};

/* Set this thread's message (printf style, 511 octets at most, cut beyond) and return `code`, so that
 * `return err_set(ERR_IO, "cannot open %s: %s", path, strerror(errno));` reads as one step. */
int err_set(enum err_code code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* This thread's last message; never NULL, "" when none was set. Borrowed, valid until the next err_set(). */
const char *err_message(void);

/* Stable word for a code ("io", "not_found", ...), for logs. Never NULL. */
const char *err_name(int code);

#endif
