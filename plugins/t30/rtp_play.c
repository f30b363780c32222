/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time that went by without packets is delivered as silence by our clock and is owed: what comes later for that time is
 * not filled again, and samples of a longer silence are left out until the debt is paid. Samples with a signal in them
 * are never left out. */
#include "config.h"

#include "plugins/t30/rtp_play.h"

#include <stdbool.h>
#include <string.h>

#define FILL_MAX      RTP_RATE
#define OWED_MAX      (60 * RTP_RATE)
#define OWED_LATE_MAX RTP_RATE /* once packets come again; more is no stall of a network: the far end's clock stood */
#define QUIET_LEVEL   32       /* about -60 dBm0 */
#define QUIET_KEPT    (RTP_RATE / 10) /* T.30's pauses between signals are 75 ms */

static void remember(struct rtp_play *play, const int16_t *samples, int count)
{
    if (count >= RTP_PLAY_HISTORY) {
        memcpy(play->history, samples + count - RTP_PLAY_HISTORY, sizeof play->history);
        return;
    }
    memmove(play->history, play->history + count, (size_t)(RTP_PLAY_HISTORY - count) * sizeof *samples);
    memcpy(play->history + RTP_PLAY_HISTORY - count, samples, (size_t)count * sizeof *samples);
}

/* Time that silence was delivered for already is not filled twice: what is left of `count`. */
static int pay(struct rtp_play *play, int count)
{
    int paid = count < play->owed ? count : play->owed;
    play->owed -= paid;
    return count - paid;
}

static void count_quiet(struct rtp_play *play, int count)
{
    play->quiet_run = play->quiet_run + count < QUIET_KEPT ? play->quiet_run + count : QUIET_KEPT;
}

static void play_silence(struct rtp_play *play, int count, const struct rtp_sink *sink)
{
    int16_t samples[RTP_SEND_SAMPLES];

    play->stats->silence += (uint64_t)count;
    count_quiet(play, count);
    while (count > 0) {
        int run = count < RTP_SEND_SAMPLES ? count : RTP_SEND_SAMPLES;
        memset(samples, 0, sizeof samples);
        sink->deliver(sink->context, samples, run);
        count -= run;
    }
}

/* The last 20 ms again and again: carriers and symbol rates of all fax modems have whole periods in 10 ms, so that
 * receivers keep their lock and lose the bits of the gap only. Tried with spandsp, one page with ECM at 0.1 % loss, 400
 * calls each: silence fails 107 (V.17) and 169 (V.29), repetition 13 and 18, at any level; at half the level the fewest
 * rows are bad where there is no ECM. */
static void play_repeat(struct rtp_play *play, int count, const struct rtp_sink *sink)
{
    int16_t samples[RTP_PLAY_HISTORY];

    play->stats->concealed += (uint64_t)count;
    while (count > 0) {
        int run = count < RTP_PLAY_HISTORY ? count : RTP_PLAY_HISTORY;
        for (int i = 0; i < RTP_PLAY_HISTORY; i++)
            samples[i] = (int16_t)(play->history[i] / 2);
        sink->deliver(sink->context, samples, run);
        count -= run;
    }
}

void rtp_play_gap(struct rtp_play *play, int gap, int lost, const struct rtp_sink *sink)
{
    gap = pay(play, gap);
    if (gap > FILL_MAX) {
        play->stats->resyncs++;
        gap = FILL_MAX;
    }
    int concealed = lost < gap ? lost : gap;
    if (concealed > 0)
        play_repeat(play, concealed, sink);
    if (gap > concealed)
        play_silence(play, gap - concealed, sink);
}

static bool is_quiet(const int16_t *samples, int count)
{
    for (int i = 0; i < count; i++) {
        if (samples[i] > QUIET_LEVEL || samples[i] < -QUIET_LEVEL)
            return false;
    }
    return true;
}

void rtp_play_samples(struct rtp_play *play, int16_t *samples, int count, const struct rtp_sink *sink)
{
    remember(play, samples, count);
    if (play->owed > OWED_LATE_MAX)
        play->owed = OWED_LATE_MAX;
    if (!is_quiet(samples, count)) {
        play->quiet_run = 0;
    } else if (play->quiet_run >= QUIET_KEPT && play->owed >= count) {
        play->owed -= count;
        play->stats->skipped += (uint64_t)count;
        return;
    } else {
        count_quiet(play, count);
    }
    sink->deliver(sink->context, samples, count);
}

void rtp_play_nothing(struct rtp_play *play, int count, const struct rtp_sink *sink)
{
    play->owed = play->owed + count < OWED_MAX ? play->owed + count : OWED_MAX;
    play_silence(play, count, sink);
}

void rtp_play_reset(struct rtp_play *play)
{
    play->owed = 0;
    memset(play->history, 0, sizeof play->history);
}
