/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the far end's line time is made up: of the samples that came, of such that stand for lost ones, and of silence.
 * Part of rtp_stream. Pure. Thread: one for each struct rtp_play.
 */
#ifndef FAXD_T30_RTP_PLAY_H
#define FAXD_T30_RTP_PLAY_H

#include <stdint.h>

#include "plugins/t30/rtp.h"

#define RTP_PLAY_HISTORY 160

/* Where samples go during one call from outside. */
struct rtp_sink {
    rtp_samples_fn *deliver;
    void *context;
};

/* Zero-initialise, but for `stats`. */
struct rtp_play {
    struct rtp_stats *stats;           /* silence, concealed, skipped, resyncs are counted */
    int owed;                          /* samples delivered as silence whose packets may still come */
    int quiet_run;                     /* samples of silence delivered last, up to what counts */
    int16_t history[RTP_PLAY_HISTORY]; /* the last samples that came */
};

/* Another stream begins: nothing is owed to it, and nothing of the old one is repeated. */
void rtp_play_reset(struct rtp_play *play);

/* `count` samples that came, 1 to RTP_DATAGRAM_MAX; may change them. */
void rtp_play_samples(struct rtp_play *play, int16_t *samples, int count, const struct rtp_sink *sink);

/* `gap` samples (over 0) are missing before what comes next, of which up to `lost` were sent and lost. */
void rtp_play_gap(struct rtp_play *play, int gap, int lost, const struct rtp_sink *sink);

/* Nothing came for `count` samples of our clock. */
void rtp_play_nothing(struct rtp_play *play, int count, const struct rtp_sink *sink);

#endif
