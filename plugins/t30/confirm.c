/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The truth about pages. spandsp's own completion code is not enough: it says OK after a refused last page, and knows
 * nothing of what a crash left. */
#include "plugins/t30/confirm.h"

#include <stdlib.h>
#include <tiffio.h>
#include <spandsp.h>

#include "server/base/journal.h"

#define FCF(frame) ((uint8_t)((frame)[2] & 0xFE))

static bool ends_document(uint8_t command)
{
    return command == T30_EOP || command == T30_PRI_EOP;
}

/* EOP by itself, or the second field of PPS and EOR (T.30 A.4.3). */
static bool is_final_command(const uint8_t *frame, int length)
{
    if (FCF(frame) == T30_PPS || FCF(frame) == T30_EOR)
        return length >= 4 && ends_document(frame[3] & 0xFE);
    return ends_document(FCF(frame));
}

static bool is_confirmation(uint8_t fcf)
{
    return fcf == T30_MCF || fcf == T30_RTP || fcf == T30_PIP;
}

static bool is_refusal(uint8_t fcf)
{
    return fcf == T30_RTN || fcf == T30_PIN || fcf == T30_PPR || fcf == T30_ERR;
}

static int sent_by_sender(struct confirm *confirm, const uint8_t *frame, int length)
{
    int error;

    if (!is_final_command(frame, length) || confirm->end_sent)
        return 0; /* repeated for want of an answer: E stands */
    if ((error = journal_write(confirm->journal, JOURNAL_END_SENT, 0, 0)) != 0)
        return error;
    confirm->end_sent = true;
    return 0;
}

static int sent_by_receiver(struct confirm *confirm, const uint8_t *frame)
{
    if (FCF(frame) == T30_CFR)
        confirm->trained = true;
    if (FCF(frame) == T30_RTN) {
        confirm->refused_page = true;
        confirm->end_received = false;
    }
    if (!confirm->end_received || confirm->complete || !is_confirmation(FCF(frame)))
        return 0;
    confirm->complete = true;
    return journal_write(confirm->journal, JOURNAL_RECEIVE_COMPLETE, 0, 0);
}

int confirm_frame_sent(struct confirm *confirm, const uint8_t *frame, int length)
{
    if (length < 3)
        return 0;
    return confirm->sending ? sent_by_sender(confirm, frame, length) : sent_by_receiver(confirm, frame);
}

int confirm_frame_received(struct confirm *confirm, const uint8_t *frame, int length)
{
    int error = 0;

    if (length < 3)
        return 0;
    if (!confirm->answered)
        error = journal_write(confirm->journal, JOURNAL_ANSWERED, 0, 0);
    confirm->answered = true;
    if (error || !confirm->sending)
        return error;
    if (FCF(frame) == T30_CFR)
        confirm->trained = true;
    if (FCF(frame) == T30_RTN || FCF(frame) == T30_ERR)
        confirm->refused_page = true;
    if (!confirm->end_sent || confirm->final_confirmed || !is_refusal(FCF(frame)))
        return 0;
    confirm->end_sent = false;
    return journal_write(confirm->journal, JOURNAL_END_REFUSED, 0, 0);
}

int confirm_page_sent(struct confirm *confirm, int pages, uint8_t fcf)
{
    int error;

    if (!is_confirmation(fcf) || pages <= confirm->pages)
        return 0;
    confirm->pages = pages;
    confirm->refused_page = false;
    if ((error = journal_write(confirm->journal, JOURNAL_PAGE_CONFIRMED, pages, 0)) != 0 || !confirm->end_sent)
        return error;
    confirm->final_confirmed = true;
    return journal_write(confirm->journal, JOURNAL_FINAL_CONFIRMED, 0, 0);
}

int confirm_page_received(struct confirm *confirm, int pages, uint8_t fcf)
{
    int64_t size;
    int error;

    if (pages > confirm->pages) {
        if ((error = page_file_commit(confirm->received, &size)) != 0)
            return error;
        if ((error = journal_write(confirm->journal, JOURNAL_PAGE_RECEIVED, pages, size)) != 0)
            return error;
        confirm->pages = pages;
        confirm->refused_page = false;
    }
    confirm->end_received = ends_document(fcf);
    return 0;
}
