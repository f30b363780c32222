/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Server-sent events: open streams of what happens, each from where its reader was.
 *
 * A stream that is up to date gets events as they are committed. One that is not (it came with a Last-Event-ID, or does
 * not read as fast) gets them out of the store as it drains, so that no event is kept in memory for it; one that takes
 * nothing at all for GATE_IDLE_S is dropped.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_STREAM_H
#define FAXD_WEB_STREAM_H

#include <stdint.h>

#define STREAM_HEARTBEAT_S  15
#define STREAM_BUFFER_BYTES 65536 /* unread octets of a stream before it is fed from the store */
#define STREAMS_OF_A_USER   50    /* open at a time, so that nobody takes all that there are; keys of nobody may */

struct request;
struct streams;
struct web;

struct streams *streams_new(struct web *web);
void streams_free(struct streams *streams);
/* End those that were let in by what is not good any more: a session that has ended, a user who is disabled. */
void streams_review(struct streams *streams);
/* End those of a key, which has become another; whoever may come again does. */
void streams_end_key(struct streams *streams, int64_t key);
int streams_count(const struct streams *streams);

/* Take a request over as a stream that begins after event `last`; -1 = with what happens from now on. */
void stream_open(struct streams *streams, struct request *request, int64_t last);

#endif
