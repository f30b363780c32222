/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The T.30 frames of a call with their times, bounded: the first ones and the last ones are kept.
 *
 * Thread: one (a part of the session).
 */
#ifndef FAXD_T30_TRACE_H
#define FAXD_T30_TRACE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_FIRST  100 /* the start of a call tells who the far end is and what was agreed */
#define TRACE_LAST   300 /* its end tells why it ended */
#define TRACE_OCTETS 40

struct trace_frame {
    int64_t at_ms;
    bool received;
    uint8_t length; /* octets kept */
    uint8_t octets[TRACE_OCTETS];
};

struct trace {
    unsigned count; /* frames seen; those between the first and the last are overwritten */
    struct trace_frame frames[TRACE_FIRST + TRACE_LAST];
};

/* Keep a frame of `length` octets (cut to TRACE_OCTETS). Image data (FCD, RCP) is left out: there are thousands. */
void trace_add(struct trace *trace, int64_t at_ms, bool received, const uint8_t *frame, int length);

/* The frames as a JSON array in order of time, at most `budget` octets of text; what does not fit is left out of the
 * middle. `*omitted` is the number of frames not in it. The caller owns the array; NULL when memory is out. */
json_t *trace_to_json(const struct trace *trace, size_t budget, unsigned *omitted);

#endif
