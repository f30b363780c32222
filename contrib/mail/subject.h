/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options in brackets in the subject of a message:
 *
 *     [low] [normal] [hi] [urgent]    priority (also bulk, high)
 *     [at=18:00] [at=2026-11-21T18:00:00Z]  not before: the next time that clocks show this, or a moment
 *     [cover] [cover=NAME] [nocover]  with this cover page, or without
 *     [bill=22343]                    whom it is for, kept with the fax
 *     [standard] [fine] [superfine]   resolution
 *
 * What stands in other brackets ("[EXTERNAL]") belongs to the subject.
 *
 * Thread: any (pure).
 */
#ifndef FAXMAIL_SUBJECT_H
#define FAXMAIL_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>

#define SUBJECT_MAX  400
#define SUBJECT_WORD 64

struct subject {
    char text[SUBJECT_MAX + 1];   /* without the options */
    const char *priority;         /* as faxd calls it, NULL = not said */
    const char *resolution;       /* the same */
    char bill[SUBJECT_WORD + 1];  /* "" = none */
    char cover[SUBJECT_WORD + 1]; /* "" = not said */
    bool with_cover, without_cover;
    int64_t not_before;            /* ms, 0 = at once */
    char unknown[SUBJECT_MAX + 1]; /* options that are not known, as "[x] [y]" */
};

/* `at_ms` is the time of the message, from which "the next 18:00" counts, in `zone`. 0, or ERR_INVALID with a sentence:
 * an option that is known, with a value that is not. */
int subject_parse(struct subject *subject, const char *text, int64_t at_ms, const char *zone);

#endif
