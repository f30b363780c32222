/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lock-step audio over a stream socket, with a delay line and a noise source on what is heard. */
#include "config.h"

#include "plugins/t30/audio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <tiffio.h>
#include <spandsp.h>

#include "server/base/log.h"

#define NOISE_SEED    1234567
#define HEAR_SAMPLES  (20 * SESSION_RATE / 1000)
#define LAST_WORDS_MS 200 /* silence after the far end's last sample: modems give their last bits with some delay */

struct audio {
    struct session *session;
    int media;
    int chunk;         /* samples */
    int64_t period_ns; /* of a paced call, else 0 */
    int64_t due_ns;
    int64_t heard_ns;
    int64_t drop_after_ms;
    bool started;
    bool deaf; /* the far end reads no more: what we say is thrown away */
    int16_t *out;
    size_t out_size, out_done; /* octets */
    int16_t *in;
    size_t in_done;
    int16_t *delayed; /* ring of `delay` samples, NULL = none */
    int delay, delay_at;
    awgn_state_t *noise;
};

struct audio *audio_new(const struct options *options, int media, struct session *session)
{
    struct audio *audio = xcalloc(1, sizeof *audio);

    audio->session = session;
    audio->media = media;
    audio->chunk = options->audio.chunk_ms * SESSION_RATE / 1000;
    if (options->audio.pace > 0)
        audio->period_ns = (int64_t)options->audio.chunk_ms * 1000000 / options->audio.pace;
    audio->drop_after_ms = options->audio.drop_after_ms;
    audio->out = xcalloc((size_t)audio->chunk, sizeof *audio->out);
    audio->in = xcalloc((size_t)audio->chunk, sizeof *audio->in);
    audio->delay = options->audio.delay_ms * SESSION_RATE / 1000;
    if (audio->delay > 0)
        audio->delayed = xcalloc((size_t)audio->delay, sizeof *audio->delayed);
    if (options->audio.noise)
        audio->noise = awgn_init_dbm0(NULL, NOISE_SEED, (float)options->audio.noise_dbm0);
    return audio;
}

void audio_free(struct audio *audio)
{
    if (!audio)
        return;
    if (audio->noise)
        awgn_free(audio->noise);
    free(audio->delayed);
    free(audio->in);
    free(audio->out);
    free(audio);
}

static void delay(struct audio *audio, int16_t *samples, int count)
{
    int16_t heard;
    int i;

    for (i = 0; i < count; i++) {
        heard = audio->delayed[audio->delay_at];
        audio->delayed[audio->delay_at] = samples[i];
        samples[i] = heard;
        audio->delay_at = (audio->delay_at + 1) % audio->delay;
    }
}

static void add_noise(struct audio *audio, int16_t *samples, int count)
{
    int i, sum;

    for (i = 0; i < count; i++) {
        sum = samples[i] + awgn(audio->noise);
        samples[i] = (int16_t)(sum > INT16_MAX ? INT16_MAX : sum < INT16_MIN ? INT16_MIN : sum);
    }
}

static void hear(struct audio *audio, int count)
{
    if (audio->delayed)
        delay(audio, audio->in, count);
    if (audio->noise)
        add_noise(audio, audio->in, count);
    /* spandsp changes its receiver between calls only: a long one would lose the start of what follows a change. */
    for (int done = 0; done < count; done += HEAR_SAMPLES)
        session_receive(audio->session, audio->in + done, count - done < HEAR_SAMPLES ? count - done : HEAR_SAMPLES);
}

/* Write what is left of the chunk. A far end that has closed is no error here: what it said last is still to be read.
 */
static void flush_out(struct audio *audio)
{
    ssize_t put;

    while (audio->out_done < audio->out_size && !audio->deaf) {
        put = send(audio->media, (char *)audio->out + audio->out_done, audio->out_size - audio->out_done, MSG_NOSIGNAL);
        if (put > 0)
            audio->out_done += (size_t)put;
        else if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        else if (put == 0 || errno != EINTR)
            audio->deaf = true;
    }
}

static void speak(struct audio *audio)
{
    session_transmit(audio->session, audio->out, audio->chunk);
    audio->out_size = (size_t)audio->chunk * sizeof *audio->out;
    audio->out_done = 0;
    flush_out(audio);
}

/* The far end hung up. What it said before is heard to the last sample, through the delay line too: a sender that has
 * its MCF in there has delivered. */
static void hear_last_words(struct audio *audio)
{
    int left = audio->delay + LAST_WORDS_MS * SESSION_RATE / 1000;
    int count = (int)(audio->in_done / sizeof *audio->in);

    if (count > 0)
        hear(audio, count);
    for (; left > 0 && !session_is_over(audio->session); left -= count) {
        count = left < audio->chunk ? left : audio->chunk;
        memset(audio->in, 0, (size_t)count * sizeof *audio->in);
        hear(audio, count);
    }
    session_end(audio->session, OUTCOME_END_HUNG_UP, "the far end hung up");
}

/* Read towards a whole chunk: true when it is there. */
static bool fill_in(struct audio *audio, int64_t now_ns)
{
    size_t want = (size_t)audio->chunk * sizeof *audio->in;
    ssize_t got;

    while (audio->in_done < want) {
        got = recv(audio->media, (char *)audio->in + audio->in_done, want - audio->in_done, 0);
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return false;
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            hear_last_words(audio);
            return false;
        }
        audio->in_done += (size_t)got;
        audio->heard_ns = now_ns;
    }
    return true;
}

static void skip_to_next_period(struct audio *audio, int64_t now_ns)
{
    audio->due_ns += audio->period_ns;
    if (audio->period_ns > 0 && audio->due_ns <= now_ns)
        audio->due_ns += ((now_ns - audio->due_ns) / audio->period_ns + 1) * audio->period_ns;
}

static void start(struct audio *audio, int64_t now_ns)
{
    audio->started = true;
    audio->heard_ns = now_ns;
    audio->due_ns = now_ns + audio->period_ns;
    speak(audio);
}

bool audio_step(struct audio *audio, int64_t now_ns)
{
    if (!audio->started)
        start(audio, now_ns);
    flush_out(audio);
    if (audio_wants_room(audio) || !fill_in(audio, now_ns))
        return false;
    if (audio->period_ns > 0) {
        if (now_ns < audio->due_ns)
            return false;
        skip_to_next_period(audio, now_ns);
    }
    hear(audio, audio->chunk);
    audio->in_done = 0;
    if (audio->drop_after_ms > 0 && session_line_ms(audio->session) >= audio->drop_after_ms)
        session_end(audio->session, OUTCOME_END_CUT, "the line was cut, as configured");
    if (session_is_over(audio->session))
        return false;
    speak(audio);
    return !session_is_over(audio->session);
}

int64_t audio_due_ns(const struct audio *audio)
{
    if (!audio->started)
        return 0;
    /* Without a whole chunk of the far end there is nothing to do at that time. */
    if (audio->period_ns == 0 || audio->in_done < (size_t)audio->chunk * sizeof *audio->in)
        return INT64_MAX;
    return audio->due_ns;
}

bool audio_wants_room(const struct audio *audio)
{
    return !audio->deaf && audio->out_done < audio->out_size;
}

int64_t audio_heard_ns(const struct audio *audio)
{
    return audio->heard_ns;
}
