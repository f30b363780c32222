/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The outcome of a call in one word, from what is known when it ended.
 *
 * The words are those of the API ("training_failed", "confirmation_lost", ...); "success" when the far end confirmed
 * the last page of a document sent, or we confirmed the last page of one received.
 *
 * Thread: any (no state).
 */
#ifndef FAXD_T30_OUTCOME_H
#define FAXD_T30_OUTCOME_H

#include <stdbool.h>

/* Who or what ended the call. */
enum outcome_end {
    OUTCOME_END_T30,           /* T.30 ran to its end: the completion code tells */
    OUTCOME_END_HUNG_UP,       /* the far end closed the line */
    OUTCOME_END_ABORTED,       /* told to, or the FSP is gone */
    OUTCOME_END_CUT,           /* impairment: this side cut the line */
    OUTCOME_END_REFUSED,       /* the screen refused a frame */
    OUTCOME_END_DISK_FULL,     /* the page or the journal could not be written: no room */
    OUTCOME_END_DISK_ERROR,    /* ... for another reason */
    OUTCOME_END_LIMIT,         /* the call took longer than it may */
    OUTCOME_END_CPU,           /* the call took more CPU than it may */
    OUTCOME_END_MEDIA_TIMEOUT, /* no audio for too long */
    OUTCOME_END_BROKEN         /* the engine itself could not go on */
};

struct outcome_facts {
    enum outcome_end end;
    int t30_result; /* spandsp's completion code */
    bool sending;
    bool answered;        /* a T.30 frame of the far end was heard */
    bool trained;         /* the image phase was reached: CFR received or sent */
    bool refused_page;    /* the last answer to an end of page was RTN */
    bool end_sent;        /* sending: EOP is out and was not refused */
    bool final_confirmed; /* sending: ... and was confirmed */
    bool complete;        /* receiving: EOP was confirmed by us */
    int pages;            /* confirmed, in either direction */
};

/* Never NULL, a constant. */
const char *outcome_decide(const struct outcome_facts *facts);

/* The word for a completion code alone, before the facts have their say. Never NULL; "internal" for unknown codes. */
const char *outcome_of_t30(int t30_result, bool sending, bool trained);

#endif
