/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One direction of a telephone line of the modem bench: what one end says comes out at the other, later, weaker or
 * stronger, with noise, and with holes.
 *
 * Time is line time: it goes on by 20 ms with each chunk that is carried, whatever the clock on the wall says.
 *
 * Thread: one (the bench, under its lock).
 */
#ifndef FAXD_TESTS_MODEM_LINE_H
#define FAXD_TESTS_MODEM_LINE_H

#include <stdint.h>

#define MODEM_LINE_RATE     8000 /* samples a second */
#define MODEM_LINE_CHUNK    160  /* samples in 20 ms */
#define MODEM_LINE_CHUNK_MS 20
#define MODEM_LINE_DELAY_MS 2000 /* the longest delay */
#define MODEM_LINE_QUIETEST (-90.0)
#define MODEM_LINE_LOUDEST  (-3.0)
#define MODEM_LINE_LEVEL_DB 40.0 /* the greatest change of level, up or down */

struct modem_line;

/* No delay, no noise, level as it is said. `seed` is of the noise. The caller frees with modem_line_free. */
struct modem_line *modem_line_new(unsigned seed);

/* NULL is fine. */
void modem_line_free(struct modem_line *line);

/* 0 to MODEM_LINE_DELAY_MS. What is under way when it changes is heard twice or not at all, as on a line that is
 * switched over. */
void modem_line_set_delay(struct modem_line *line, int delay_ms);

/* Noise of so many dBm0, MODEM_LINE_QUIETEST to MODEM_LINE_LOUDEST; NAN = none. */
void modem_line_set_noise(struct modem_line *line, double noise_dbm0);

/* Change what is said by so many dB, within MODEM_LINE_LEVEL_DB of 0. */
void modem_line_set_level(struct modem_line *line, double level_db);

/* Nothing is heard, not even the noise, from `after_ms` of line time for `for_ms`. One hole at a time: a second call
 * replaces what the first one asked. */
void modem_line_interrupt(struct modem_line *line, int64_t after_ms, int64_t for_ms);

/* Put in a chunk, get out the chunk that is heard now. They may be the same array. */
void modem_line_carry(struct modem_line *line, int16_t heard[MODEM_LINE_CHUNK], const int16_t said[MODEM_LINE_CHUNK]);

#endif
