/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a ring: announced by the FSP, asked who it is, told to faxd, answered or rejected. FSPs ring again for
 * the same call; those repetitions are dropped while the first one is on its way.
 */
#include "server/fsphost/lines.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <stdlib.h>

static void ring_begin(struct lines *lines, struct line *line, enum line_ring ring)
{
    if (line->ring == LINE_RING_NONE)
        lines->busy++;
    line->ring = ring;
}

void lines_ring_clear(struct lines *lines, struct line *line)
{
    free(line->ring_info);
    line->ring_info = NULL;
    if (line->ring != LINE_RING_NONE)
        lines->busy--;
    line->ring = LINE_RING_NONE;
}

static void ring_tell(struct lines *lines, uint32_t index)
{
    struct line *line = &lines->line[index];
    peer_event(lines->peer, &(struct link_message){.type = LINK_RING, .line = index, .ring = line->ring_info});
    log_info("ring line=%u", index);
    free(line->ring_info);
    line->ring_info = NULL;
    line->ring = LINE_RING_TOLD;
}

static void ring_known(struct lines *lines, uint32_t index)
{
    if (peer_is_greeted(lines->peer))
        ring_tell(lines, index);
    else
        lines->line[index].ring = LINE_RING_KEPT;
}

/* fsp-abi 3.5 and A20: a ring that cannot be taken is dropped; the FSP rings again. */
void lines_ring(struct lines *lines, uint32_t index)
{
    struct line *line = &lines->line[index];
    if (lines->closed || line->lost || line->job || line->rejecting || !(line->rights & CONTROL_MAY_RECEIVE)) {
        log_debug("ring on a line that cannot take it line=%u", index);
        return;
    }
    int64_t now_ms = clock_mono_ms();
    if (line->ring == LINE_RING_ASKED)
        return;
    if (line->ring != LINE_RING_NONE && now_ms < line->ring_at + LINES_RING_KEPT_MS)
        return;
    ring_begin(lines, line, LINE_RING_ASKED);
    line->ring_at = now_ms;
    if (!lines->provider->fsp.ring_info) {
        ring_known(lines, index);
        return;
    }
    struct control_call *call = control_call_new(CONTROL_RING_INFO, index);
    control_give(lines->control, call);
}

/* FaxdRingInfo has answered; without an answer the ring still is one. */
void lines_ring_info(struct lines *lines, const struct control_call *call)
{
    struct line *line = &lines->line[call->line];
    if (line->ring != LINE_RING_ASKED || line->job || line->rejecting)
        return;
    free(line->ring_info);
    line->ring_info = call->text ? xstrdup(call->text) : NULL;
    ring_known(lines, call->line);
}

void lines_greeted(struct lines *lines)
{
    int64_t now_ms = clock_mono_ms();
    for (uint32_t i = 0; i < lines->count; i++) {
        const struct line *line = &lines->line[i];
        if (line->ring == LINE_RING_KEPT && now_ms < line->ring_at + LINES_RING_KEPT_MS)
            ring_tell(lines, i);
    }
}

void lines_order_reject(struct lines *lines, const struct link_message *order)
{
    if (order->line >= lines->count)
        return;
    struct line *line = &lines->line[order->line];
    if (line->job || line->rejecting || line->lost) {
        log_info("nothing to reject line=%u", order->line);
        return;
    }
    lines_ring_clear(lines, line);
    line->run = (line->run + 1) & 0x7FFFu;
    line->rejecting = true;
    lines->busy++;
    struct control_call *call = control_call_new(CONTROL_REJECT, order->line);
    call->run = line->run;
    call->ring = order->number;
    control_give(lines->control, call);
}

/* A ring whose FaxdRingInfo does not return stays: control_check has a say there. */
void lines_ring_tick(struct lines *lines, uint32_t index, int64_t now_ms, int64_t *look_at)
{
    struct line *line = &lines->line[index];
    int64_t until = line->ring_at + LINES_RING_KEPT_MS;
    if (line->ring != LINE_RING_KEPT && line->ring != LINE_RING_TOLD)
        return;
    if (now_ms < until) {
        if (until < *look_at)
            *look_at = until;
        return;
    }
    if (line->ring == LINE_RING_KEPT)
        log_info("a ring was dropped: no faxd to take it line=%u", index);
    lines_ring_clear(lines, line);
}
