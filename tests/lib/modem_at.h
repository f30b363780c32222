/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command interpreter of a modem of the bench: ITU-T V.250 lines, with the commands of T.31 and those that real
 * makes take. It keeps the settings; what is done on the line, the modem does.
 *
 * Thread: one (the bench, under its lock).
 */
#ifndef FAXD_TESTS_MODEM_AT_H
#define FAXD_TESTS_MODEM_AT_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/modem_caller.h"
#include "tests/lib/modem_fax.h"
#include "tests/lib/modem_make.h"

enum modem_verdict {
    MODEM_DONE,  /* go on with the next command of the line; OK at its end */
    MODEM_WRONG, /* ERROR, and nothing more of the line */
    MODEM_LATER  /* the result comes later; nothing more of the line */
};

struct modem_at_handlers {
    void (*echo)(void *user, uint8_t octet);
    void (*inform)(void *user, const char *text); /* one line */
    void (*result)(void *user, enum modem_result result);
    void (*fax_line)(void *user);                               /* a line with a fax command has come in whole */
    enum modem_verdict (*dial)(void *user, const char *number); /* digits, commas and W as they were given */
    enum modem_verdict (*answer)(void *user);
    void (*hang_up)(void *user);
    enum modem_verdict (*fax)(void *user, const char *name, int value);
    void *user;
};

struct modem_at; /* opened by its functions alone */

/* Settings as after power on. `handlers` is copied. The caller frees with modem_at_free. */
struct modem_at *modem_at_new(const struct modem_at_handlers *handlers, const struct modem_make *make);
void modem_at_free(struct modem_at *at);

/* Settings as after power on, of another make if `make` is not NULL; what was typed is forgotten. */
void modem_at_reset(struct modem_at *at, const struct modem_make *make);

/* What was typed of a line is forgotten. */
void modem_at_clear(struct modem_at *at);

/* An octet in command state. A whole line is executed at once. */
void modem_at_put(struct modem_at *at, uint8_t octet);

const struct modem_make *modem_at_make(const struct modem_at *at);
bool modem_at_echoes(const struct modem_at *at);              /* ATE */
bool modem_at_is_quiet(const struct modem_at *at);            /* ATQ1 */
bool modem_at_is_verbose(const struct modem_at *at);          /* ATV1 */
bool modem_at_hears_busy(const struct modem_at *at);          /* ATX3, ATX4 */
bool modem_at_is_fax(const struct modem_at *at);              /* AT+FCLASS=1 */
bool modem_at_is_adaptive(const struct modem_at *at);         /* AT+FAR=1 */
bool modem_at_tells_rings(const struct modem_at *at);         /* AT+VDR=1: DRON and DROF */
bool modem_at_minds_dtr(const struct modem_at *at);           /* AT&D2, AT&D3 */
int modem_at_register(const struct modem_at *at, int number); /* S0 to S255 */
enum modem_caller_form modem_at_caller_form(const struct modem_at *at);

#endif
