/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decoder of the chunked transfer coding (RFC 9112 section 7.1), for request bodies as they arrive.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_CHUNKED_H
#define FAXD_WEB_CHUNKED_H

#include <event2/buffer.h>
#include <stddef.h>
#include <stdint.h>

enum chunked_state { CHUNKED_SIZE, CHUNKED_DATA, CHUNKED_DATA_END, CHUNKED_TRAILER, CHUNKED_DONE };

/* All zeroes is the start of a body. */
struct chunked {
    enum chunked_state state;
    uint64_t left;        /* of the chunk's data */
    size_t trailer_bytes; /* seen so far; bounded, and dropped */
};

/* Move what `in` has of the body, decoded, to the end of `out`; what follows the body stays in `in`. 1 when the body is
 * complete, 0 when more has to come, ERR_INVALID (framing; the message says what). */
int chunked_decode(struct chunked *chunked, struct evbuffer *in, struct evbuffer *out);

#endif
