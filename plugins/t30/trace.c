/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frame trace of a call, for its record. A hundred pages in error correction mode make some 600 commands and
 * answers, and a record has 48 kB: so the middle gives way. */
#include "plugins/t30/trace.h"

#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <spandsp.h>

#include "plugins/t30/screen.h"
#include "server/base/str.h"

#define TEXT_OF_FRAME 72 /* octets of JSON around name and hex, with the longest time and direction */

static bool is_image(const uint8_t *frame, int length)
{
    return length >= 3 && ((frame[2] & 0xFE) == T4_FCD || (frame[2] & 0xFE) == T4_RCP);
}

void trace_add(struct trace *trace, int64_t at_ms, bool received, const uint8_t *frame, int length)
{
    struct trace_frame *slot;
    unsigned index = trace->count;

    if (length < 1 || is_image(frame, length))
        return;
    if (index >= TRACE_FIRST)
        index = TRACE_FIRST + (index - TRACE_FIRST) % TRACE_LAST;
    slot = &trace->frames[index];
    slot->at_ms = at_ms;
    slot->received = received;
    slot->length = (uint8_t)(length < TRACE_OCTETS ? length : TRACE_OCTETS);
    memcpy(slot->octets, frame, slot->length);
    trace->count++;
}

static const struct trace_frame *frame_at(const struct trace *trace, unsigned number)
{
    if (number >= TRACE_FIRST)
        number = TRACE_FIRST + (number - TRACE_FIRST) % TRACE_LAST;
    return &trace->frames[number];
}

static size_t text_size(const struct trace_frame *frame)
{
    return TEXT_OF_FRAME + 2 * (size_t)frame->length;
}

/* The number of the first frame of the tail: as many of the newest as are kept and as the budget has room for. */
static unsigned tail_start(const struct trace *trace, unsigned head, size_t budget)
{
    unsigned oldest = head, start = trace->count;

    if (trace->count > TRACE_FIRST + TRACE_LAST)
        oldest = trace->count - TRACE_LAST;
    while (start > oldest && text_size(frame_at(trace, start - 1)) <= budget)
        budget -= text_size(frame_at(trace, --start));
    return start;
}

static int append(json_t *array, const struct trace_frame *frame)
{
    char name[16], hex[2 * TRACE_OCTETS + 1];

    screen_frame_name(name, sizeof name, frame->octets, frame->length);
    str_hex(hex, frame->octets, frame->length);
    return json_array_append_new(array, json_pack("{s:I,s:s,s:s,s:s}", "at_ms", (json_int_t)frame->at_ms, "dir",
                                                  frame->received ? "received" : "sent", "name", name, "hex", hex));
}

json_t *trace_to_json(const struct trace *trace, size_t budget, unsigned *omitted)
{
    json_t *array = json_array();
    unsigned head = 0, number;
    size_t used = 0;

    /* The head gets a third of the room at most, so that the end of the call is there in any case. */
    while (head < trace->count && head < TRACE_FIRST && used + text_size(&trace->frames[head]) <= budget / 3)
        used += text_size(&trace->frames[head++]);
    number = tail_start(trace, head, budget - used);
    *omitted = number - head;
    for (unsigned i = 0; i < head; i++)
        append(array, &trace->frames[i]);
    for (; number < trace->count; number++)
        append(array, frame_at(trace, number));
    return array;
}
