/* SPDX-License-Identifier: GPL-2.0-or-later */
/* May a number be called? Asked when a fax is submitted, and again just before its call.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_CALLABLE_H
#define FAXD_SPOOL_CALLABLE_H

#include <stdint.h>

#define CALLABLE_WHY_SIZE 400

struct spool;

enum callable {
    CALLABLE_YES,
    CALLABLE_DENIED,   /* a block rule says no */
    CALLABLE_SUSPENDED /* repeated calls found no fax machine, or somebody suspended it */
};

struct callable_answer {
    enum callable callable;
    int64_t rule;                /* the row of the rule that denies, else 0 */
    char why[CALLABLE_WHY_SIZE]; /* a sentence, "" = it may be called */
};

/* Ask about a normalised number: 0 or an error of the store. */
int callable_ask(struct callable_answer *answer, struct spool *spool, const char *number);

#endif
