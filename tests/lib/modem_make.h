/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes of modems that the bench can look like: what they say of themselves and which commands they know.
 *
 * What real ones answer, shortened to what a fax program looks at. Thread: any (constants).
 */
#ifndef FAXD_TESTS_MODEM_MAKE_H
#define FAXD_TESTS_MODEM_MAKE_H

#include <stdbool.h>

#include "tests/lib/modem_fax.h"

struct modem_make {
    const char *name;
    const char *identity[10]; /* ATI0 to ATI9; lines apart by \n; NULL = ERROR */
    const char *manufacturer, *model, *revision;
    const char *classes;          /* +FCLASS=? */
    const char *transmit;         /* +FTM=? */
    const char *receive;          /* +FRM=? */
    const char *frames;           /* +FTH=?, +FRH=? */
    const char *basic;            /* letters of commands that are taken and do nothing */
    const char *extended;         /* commands behind & \ % * # $ - that are taken, each with a blank around it */
    const char *plus;             /* names behind + that are taken, each with a blank around it */
    const char *caller_id;        /* " +VCID #CID ", what turns it on */
    bool blanks;                  /* "NMBR = 1" instead of "NMBR=1" */
    enum modem_result unanswered; /* nobody answered within S7 */
};

/* The make `name`, or NULL. */
const struct modem_make *modem_make_find(const char *name);

/* True when " a bc " has the word `word`. */
bool modem_make_knows(const char *words, const char *word);

/* True when the list of numbers, as modems print it, has `value`. */
bool modem_make_lists(const char *numbers, int value);

#endif
