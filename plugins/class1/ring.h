/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A call that rings a modem: how often, who calls, which number was dialled. Put together from the lines that the modem
 * says while nobody has asked it anything.
 *
 * Thread: the caller's (modem.c holds its lock).
 */
#ifndef FAXD_PLUGINS_CLASS1_RING_H
#define FAXD_PLUGINS_CLASS1_RING_H

#include "plugins/class1/answer.h"

#include <jansson.h>
#include <stdint.h>

#define RING_GONE_MS 8000 /* without another RING: the caller has given up. Exchanges ring every 4 to 6 s */

struct ring {
    int count;       /* of RING; 0 = nobody calls, or only the caller id has come yet */
    int64_t last_ms; /* monotonic, of the last line; 0 = nothing */
    struct answer_caller caller;
    char called[ANSWER_TEXT_SIZE]; /* "" = not told */
    bool quiet;                    /* it was rejected: let it ring */
};

/* How a line reads what it is told. */
struct ring_rules {
    const json_t *distinctive; /* {"RING 2": "5551235"}: lines, in any case, and the number that was called; or NULL */
    const char *did_prefix;    /* what stands before digits that were dialled; "" = the modem's own names only */
};

/* Take a line that came at `now_ms`: true when it was a ring. Anything else that tells of the call is kept. */
bool ring_take(struct ring *ring, const struct ring_rules *rules, const char *line, int64_t now_ms);

/* Does somebody ring? */
bool ring_is_alive(const struct ring *ring, int64_t now_ms);

/* As FaxdRingInfo has it; `number` is the line's own. A new object. */
json_t *ring_info(const struct ring *ring, const char *number);

#endif
