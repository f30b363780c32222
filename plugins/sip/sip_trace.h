/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SIP messages of one call, for its record: whole, with their session descriptions, without secrets.
 *
 * Thread: one at a time (a part of the dialog, under its lock).
 */
#ifndef FAXD_SIP_TRACE_H
#define FAXD_SIP_TRACE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIP_TRACE_MESSAGES_MAX 40
#define SIP_TRACE_BYTES_MAX    16384
#define SIP_TRACE_MESSAGE_MAX  4096 /* octets of one message that are kept */

struct sip_trace {
    json_t *messages; /* [{"at_ms","dir","text"}]; NULL = none yet */
    size_t bytes;
    unsigned omitted;
};

/* Keep a message of `size` octets that was sent to or received from the peer at `at_ms` (UTC). Digest responses and
 * media keys in it become "***"; octets that are not printable become '?'. One that has no room is counted instead. */
void sip_trace_add(struct sip_trace *trace, int64_t at_ms, bool received, const char *text, size_t size);

/* Move the messages to "sip" of a call record, behind those that are there. Their times become relative to
 * `answered_at_ms` (UTC), when line time began, as those of T.30's frames are; 0 = not answered: to the first message.
 */
void sip_trace_give(struct sip_trace *trace, int64_t answered_at_ms, json_t *record);

void sip_trace_clear(struct sip_trace *trace);

#endif
