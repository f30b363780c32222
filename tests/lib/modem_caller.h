/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the exchange sends with a ring, and what modems print of it: caller id, distinctive rings, the number that was
 * called.
 *
 * Thread: any.
 */
#ifndef FAXD_TESTS_MODEM_CALLER_H
#define FAXD_TESTS_MODEM_CALLER_H

#include <stdbool.h>
#include <stddef.h>

#define MODEM_NUMBER_SIZE 44
#define MODEM_NAME_SIZE   32
#define MODEM_CALLER_SIZE 512 /* room for all lines */

struct modem_ring {
    char caller[MODEM_NUMBER_SIZE]; /* "P" = withheld, "O" = out of area, "" = the exchange sends no caller id */
    char name[MODEM_NAME_SIZE];     /* "" = none */
    char did[MODEM_NUMBER_SIZE];    /* "" = none */
    int pattern;                    /* distinctive ring 1 to 3; 0 = none */
    int times;                      /* rings, then the caller gives up; 0 = no end */
};

enum modem_caller_form { MODEM_CALLER_OFF, MODEM_CALLER_LINES, MODEM_CALLER_MESSAGE };

/* The lines of AT+VCID=1, or of 2 (MESG= with the octets of the exchange's message, ETSI EN 300 659-3), ended by \n
 * each. Returns `text`. */
char *modem_caller_text(char text[MODEM_CALLER_SIZE], const struct modem_ring *ring, enum modem_caller_form form,
                        bool blanks);

#endif
