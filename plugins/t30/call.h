/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One call of the engine: its descriptors, its session, its media, and the FSP at the control socket.
 *
 * Thread: one (the loop).
 */
#ifndef FAXD_T30_CALL_H
#define FAXD_T30_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "plugins/t30/options.h"

struct call;

/* Take over a job: `fds` (control, media, RTCP and journal if any, files) belong to the call from now on, also when it
 * is refused. The sockets have to be non-blocking (call_prepare). NULL with the reason when descriptors and options do
 * not match; the FSP has been told. */
struct call *call_new(const struct options *options, const int *fds, int count);

/* Make the sockets among `fds` non-blocking; outside the sandbox or inside. */
void call_prepare(const int *fds, int count);

/* Tell the FSP at `control` that its job cannot be done: "ended" with outcome "internal" and the reason. */
void call_refuse(int control, const char *reason);

/* Closes what it has. NULL is fine. */
void call_free(struct call *call);

int call_control(const struct call *call);
int call_media(const struct call *call);
int call_rtcp(const struct call *call); /* -1 = none */

/* True when the media are a stream between engines: what is in it may have to wait there for its time. */
bool call_has_stream(const struct call *call);

/* A socket is readable, or a stream has hung up. */
void call_hear_media(struct call *call, int64_t now_ns);
void call_hear_rtcp(struct call *call, int64_t now_ns);

/* Work on the media until there is nothing to do at once. */
void call_run(struct call *call, int64_t now_ns);

/* The control socket is readable or has hung up. */
void call_hear_control(struct call *call);

/* The control socket has room again. */
void call_retry_ended(struct call *call);

/* When call_run has to be called at the latest. */
int64_t call_due_ns(const struct call *call);

/* May that be some milliseconds late? */
bool call_may_wait(const struct call *call);

/* What the loop has to wait for. */
bool call_wants_media(const struct call *call);
bool call_wants_media_room(const struct call *call);
bool call_wants_control_room(const struct call *call);

/* True when the FSP has its record, or is gone: the call can be freed. */
bool call_is_done(const struct call *call);

#endif
