/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The line's end of a stream socket whose other end is a fax machine by software: one of faxd's engines, "media":
 * "stream" with chunks of 20 ms and pace 0 (plugins/common/engine.h). The machine writes a chunk, then reads one.
 *
 * A few chunks of silence are written first, and that many are always under way, so that the machine may be late by
 * them without a gap. Later than that it is waited for, for a moment; then the line hears silence.
 *
 * Thread: one (the bench, under its lock).
 */
#ifndef FAXD_TESTS_MODEM_STREAM_H
#define FAXD_TESTS_MODEM_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/modem_line.h"

#define MODEM_STREAM_SLACK 2 /* chunks under way */

struct modem_stream;

/* Takes over `fd`, always. The caller frees with modem_stream_close, which closes it. */
struct modem_stream *modem_stream_open(int fd);
void modem_stream_close(struct modem_stream *stream);

/* The call stands: from now on there are samples. */
void modem_stream_start(struct modem_stream *stream);

/* What the machine says in this chunk, and what it hears. */
void modem_stream_say(struct modem_stream *stream, int16_t samples[MODEM_LINE_CHUNK]);
void modem_stream_hear(struct modem_stream *stream, const int16_t samples[MODEM_LINE_CHUNK]);

/* The machine has closed its end and everything it said has been read. */
bool modem_stream_is_over(const struct modem_stream *stream);

/* Chunks of silence in the place of those that did not come in time. */
int modem_stream_late(const struct modem_stream *stream);

#endif
