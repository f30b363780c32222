/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A second look at a short training of V.17 that failed.
 *
 * spandsp's receiver chooses its symbol timing from the sample at which it first notices the carrier. With noise on the
 * line, and be it that of G.711, that sample moves, and one short training in ten fails: a page, or a block of one, is
 * lost for it. Heard again from a sample or two away it succeeds. So the last samples are kept, and after a failure the
 * receiver hears them again.
 *
 * Thread: one (a part of the session).
 */
#ifndef FAXD_T30_SHORT_TRAINING_H
#define FAXD_T30_SHORT_TRAINING_H

#include <stdbool.h>
#include <stdint.h>
#include <tiffio.h>
#include <spandsp.h>

#define SHORT_TRAINING_SAMPLES 2560 /* 320 ms: a short training, what the signal takes to be noticed, and some more */

/* Zero at the start. */
struct short_training {
    int16_t samples[SHORT_TRAINING_SAMPLES]; /* a ring */
    int next;
    bool looked; /* again, at the training that has failed */
};

/* After fax_rx took `count` samples (at most SHORT_TRAINING_SAMPLES), as they are now. The receiver's handlers run
 * inside. True when a training was saved. */
bool short_training_hear(struct short_training *training, fax_state_t *fax, const int16_t *samples, int count);

#endif
