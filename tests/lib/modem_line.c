/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A delay line with a gain before it and a noise source behind it. */
#include "config.h"

#include "tests/lib/modem_line.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <spandsp.h>

#include "server/base/log.h"

#define DELAY_MAX (MODEM_LINE_DELAY_MS * MODEM_LINE_RATE / 1000)

struct modem_line {
    int16_t ring[DELAY_MAX + MODEM_LINE_CHUNK];
    int at;    /* where the next sample goes */
    int delay; /* samples */
    double gain;
    unsigned seed;
    awgn_state_t *noise; /* NULL = none */
    int64_t time_ms;
    int64_t hole_from_ms, hole_to_ms;
};

struct modem_line *modem_line_new(unsigned seed)
{
    struct modem_line *line = xcalloc(1, sizeof *line);

    line->gain = 1.0;
    line->seed = seed;
    return line;
}

void modem_line_free(struct modem_line *line)
{
    if (!line)
        return;
    if (line->noise)
        awgn_free(line->noise);
    free(line);
}

void modem_line_set_delay(struct modem_line *line, int delay_ms)
{
    assert(delay_ms >= 0 && delay_ms <= MODEM_LINE_DELAY_MS);
    line->delay = delay_ms * MODEM_LINE_RATE / 1000;
}

void modem_line_set_noise(struct modem_line *line, double noise_dbm0)
{
    if (line->noise)
        awgn_free(line->noise);
    line->noise = NULL;
    if (!isnan(noise_dbm0))
        line->noise = awgn_init_dbm0(NULL, (int)(line->seed & INT32_MAX), (float)noise_dbm0);
}

void modem_line_set_level(struct modem_line *line, double level_db)
{
    line->gain = pow(10.0, level_db / 20.0);
}

void modem_line_interrupt(struct modem_line *line, int64_t after_ms, int64_t for_ms)
{
    line->hole_from_ms = after_ms;
    line->hole_to_ms = after_ms + for_ms;
}

static int16_t limited(double sample)
{
    return (int16_t)(sample > INT16_MAX ? INT16_MAX : sample < INT16_MIN ? INT16_MIN : lrint(sample));
}

static int16_t carry_sample(struct modem_line *line, int16_t said)
{
    int size = (int)(sizeof line->ring / sizeof *line->ring);
    double heard;

    line->ring[line->at] = said;
    heard = line->ring[(line->at + size - line->delay) % size] * line->gain;
    line->at = (line->at + 1) % size;
    return limited(line->noise ? heard + awgn(line->noise) : heard);
}

void modem_line_carry(struct modem_line *line, int16_t heard[MODEM_LINE_CHUNK], const int16_t said[MODEM_LINE_CHUNK])
{
    int i;

    for (i = 0; i < MODEM_LINE_CHUNK; i++)
        heard[i] = carry_sample(line, said[i]);
    if (line->time_ms >= line->hole_from_ms && line->time_ms < line->hole_to_ms)
        memset(heard, 0, MODEM_LINE_CHUNK * sizeof *heard);
    line->time_ms += MODEM_LINE_CHUNK_MS;
}
