/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The audio front end of a call: samples between a session and a stream socket whose other end is another engine.
 *
 * Both sides work in lock-step: each writes a chunk, then reads one, so that line time is the same on both and nothing
 * is lost however busy the machine is. A paced call does so at absolute times; a time that was missed is skipped. What
 * this side hears can be impaired: noise, delay, and a line that is cut. Never blocks.
 *
 * Thread: one (a part of the call).
 */
#ifndef FAXD_T30_AUDIO_H
#define FAXD_T30_AUDIO_H

#include <stdbool.h>
#include <stdint.h>

#include "plugins/t30/options.h"
#include "plugins/t30/session.h"

struct audio;

/* `media` is a non-blocking SOCK_STREAM socket; it and `session` stay the caller's and outlive the audio. Nothing is
 * read or written yet. The caller frees with audio_free. */
struct audio *audio_new(const struct options *options, int media, struct session *session);

/* NULL is fine. */
void audio_free(struct audio *audio);

/* Do what can be done at the time `now_ns` (monotonic): exchange one chunk at most. True when another call may find
 * more to do at once. The session may be over afterwards. */
bool audio_step(struct audio *audio, int64_t now_ns);

/* When audio_step is next to be called even if the socket is quiet: a monotonic time, or INT64_MAX. */
int64_t audio_due_ns(const struct audio *audio);

/* True while a chunk waits for room in the socket. */
bool audio_wants_room(const struct audio *audio);

/* Monotonic time of the last sign of life of the far end. */
int64_t audio_heard_ns(const struct audio *audio);

#endif
