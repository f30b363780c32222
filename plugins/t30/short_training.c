/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The modems of spandsp have no interface for this: their private structs are looked at. */
#include "config.h"

#define SPANDSP_EXPOSE_INTERNAL_STRUCTURES
#include "plugins/t30/short_training.h"

#include <string.h>
#include <spandsp/expose.h>

#define PARKED   12 /* v17rx.c's TRAINING_STAGE_PARKED, which it has to itself: training failed, wait for silence */
#define TRIES    3
#define NO_START (-1)

static int16_t sample_at(const struct short_training *training, int index)
{
    return training->samples[(training->next + index) % SHORT_TRAINING_SAMPLES];
}

static void keep(struct short_training *training, const int16_t *samples, int count)
{
    for (int i = 0; i < count; i++) {
        training->samples[training->next] = samples[i];
        training->next = (training->next + 1) % SHORT_TRAINING_SAMPLES;
    }
}

/* Let the receiver hear the ring again, from `index` until it parks or knows all. Where it noticed the carrier, or
 * NO_START. */
static int hear_again(const struct short_training *training, v17_rx_state_t *modem, int index)
{
    int start = NO_START;

    v17_rx_restart(modem, modem->bit_rate, true);
    for (; index < SHORT_TRAINING_SAMPLES && modem->training_stage != PARKED; index++) {
        int16_t sample = sample_at(training, index);

        v17_rx(modem, &sample, 1);
        if (start == NO_START && modem->signal_present > 0)
            start = index;
    }
    return start;
}

static bool look_again(const struct short_training *training, v17_rx_state_t *modem)
{
    int start = hear_again(training, modem, 0);

    for (int try = 1; try <= TRIES && start > TRIES && modem->training_stage == PARKED; try++)
        hear_again(training, modem, start - try);
    return modem->training_stage != PARKED;
}

bool short_training_hear(struct short_training *training, fax_state_t *fax, const int16_t *samples, int count)
{
    v17_rx_state_t *modem = &fax->modems.fast_modems.v17_rx;

    keep(training, samples, count);
    /* The fast modems share their memory: it is V.17's while that is wanted. Once a frame of V.21 came in its place,
     * V.17 hears no more. */
    if (fax->modems.rx_handler == (span_rx_handler_t *)fsk_rx || fax->modems.current_rx_type != T30_MODEM_V17 ||
        modem->training_stage != PARKED || !modem->short_train) {
        training->looked = false;
        return false;
    }
    if (training->looked)
        return false;
    training->looked = true;
    return look_again(training, modem);
}
