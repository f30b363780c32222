/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The call journal: an append-only file for each attempt, opened by faxd, written by the engine (DESIGN section 4).
 * When an engine or a host dies, faxd reads it to say truthfully how far the call got.
 *
 * One line for each fact, each one write(2) with O_APPEND, so that a torn end is at most one unfinished line, which the
 * reader ignores:
 *   C            the far end answered and spoke T.30 (first frame received)
 *   P n          page n of this call's file (counted from 1) was confirmed by the far end (MCF, RTP, or PIP/PRI form)
 *   E            the final post-message command (EOP, PPS-EOP, EOR-EOP) is about to leave; synced before it does
 *   N            the far end answered that command with a refusal (RTN, PIN, PPR, ERR ...): the E before it is void
 *   M            the final confirmation (MCF, RTP) for E was received
 *   R n octets   received page n is in the file, synced, which was `octets` long then; synced before MCF leaves
 *   K            the sender's EOP for the received document was answered with MCF by us
 *   X            the engine ended the call in order and sent its record
 */
#ifndef FAXD_BASE_JOURNAL_H
#define FAXD_BASE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

struct journal_state {
    bool answered;         /* C seen */
    int pages_confirmed;   /* highest n of P */
    bool end_sent;         /* E without a later N */
    bool final_confirmed;  /* M seen */
    int pages_received;    /* highest n of R */
    int64_t received_size; /* octets of the file at that page */
    bool receive_complete; /* K seen */
    bool closed;           /* X seen */
};

enum journal_mark {
    JOURNAL_ANSWERED = 'C',
    JOURNAL_PAGE_CONFIRMED = 'P',
    JOURNAL_END_SENT = 'E',
    JOURNAL_END_REFUSED = 'N',
    JOURNAL_FINAL_CONFIRMED = 'M',
    JOURNAL_PAGE_RECEIVED = 'R',
    JOURNAL_RECEIVE_COMPLETE = 'K',
    JOURNAL_CLOSED = 'X'
};

/* Append one mark; `page` for P and R, `size_bytes` for R, else ignored. E, R and M are followed by fdatasync before
 * the call returns. 0 or ERR_IO. `fd` -1 writes nothing and returns 0 (an engine run by hand). */
int journal_write(int fd, enum journal_mark mark, int page, int64_t size_bytes);

/* Read what a journal says; a missing or empty file is an empty state. Unknown or torn lines are skipped; at most 1 MiB
 * is read. 0 or ERR_IO. */
int journal_read(struct journal_state *state, const char *path);

/* Mark a descriptor as the journal of a call under way: the lock goes with the open file, to whoever the descriptor is
 * handed, and ends when the last of them has closed it or died. 0, ERR_CONFLICT when another open file has it. */
int journal_hold(int fd);

/* True as long as anybody has the call of this journal (journal_hold), false when all are gone or there is no file. A
 * journal is read for a verdict only when nobody can write to it any more. */
bool journal_is_held(const char *path);

#endif
