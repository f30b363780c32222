/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has been confirmed, and the call journal that proves it (server/base/journal.h).
 *
 * Told of each frame in the moment before it leaves or is acted on, and of each page; writes the journal's marks in the
 * order that makes them true after a crash: E before the final command leaves, R and the page before its MCF leaves.
 * A function that fails means: what was about to leave must not leave.
 *
 * Thread: one (a part of the session).
 */
#ifndef FAXD_T30_CONFIRM_H
#define FAXD_T30_CONFIRM_H

#include <stdbool.h>
#include <stdint.h>

#include "plugins/t30/page_file.h"

struct confirm {
    int journal; /* -1 = none */
    bool sending;
    struct page_file *received; /* NULL when sending */
    bool answered;              /* a frame of the far end was heard */
    bool trained;               /* CFR was received or sent */
    bool refused_page;          /* the last answer to an end of page was RTN or the like */
    bool end_sent;              /* EOP is out and was not refused */
    bool final_confirmed;       /* ... and was confirmed */
    bool end_received;          /* the far end's EOP is here; our answer is due */
    bool complete;              /* ... and was MCF or RTP */
    int pages;                  /* confirmed, in either direction */
};

/* A frame of ours (from the address octet) is about to leave. 0, or ERR_IO from the journal. */
int confirm_frame_sent(struct confirm *confirm, const uint8_t *frame, int length);

/* A frame of the far end has arrived, before T.30 acts on it. 0 or ERR_IO. */
int confirm_frame_received(struct confirm *confirm, const uint8_t *frame, int length);

/* T.30 counts `pages` pages as sent, after an answer with the facsimile control field `fcf` (X bit clear). 0 or ERR_IO.
 */
int confirm_page_sent(struct confirm *confirm, int pages, uint8_t fcf);

/* The end of a page arrived with the command `fcf`, and T.30 counts `pages` as received: make the new one safe. 0;
 * ERR_FULL or ERR_IO when it could not be stored. */
int confirm_page_received(struct confirm *confirm, int pages, uint8_t fcf);

#endif
