/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A modem's life: opened, probed, watched for rings, given up when it is gone or does not work, tried again. A thread
 * of its own owns the device while the line is idle; a job borrows it.
 *
 * Thread: any, one lock; modem_at, modem_plan and modem_return belong to the job that has borrowed it. Callbacks are
 * called without the lock, from the modem's thread, or from that of whoever ends a job or enables the line.
 */
#ifndef FAXD_PLUGINS_CLASS1_MODEM_H
#define FAXD_PLUGINS_CLASS1_MODEM_H

#include "plugins/class1/at.h"
#include "plugins/class1/setup.h"

#include <jansson.h>
#include <stdbool.h>

struct modem;

struct modem_options {
    const struct setup_line *setup; /* borrowed */
    int line;
    void (*rang)(void *context, int line); /* there is a call to be answered; repeated while it rings */
    void (*changed)(void *context);        /* what modem_json tells has changed */
    void *context;
};

/* Down, with nothing done yet. Free with modem_free when no job is on it. */
struct modem *modem_new(const struct modem_options *options);

/* Begin: what the modem is shows later, through `changed`. */
void modem_start(struct modem *modem);

/* Ends the thread, hangs up, closes the device. NULL is fine. */
void modem_free(struct modem *modem);

/* Are rings to be told? */
void modem_enable(struct modem *modem, bool receive);

/* A job begins: false when there is one. From now on no ring is told. */
bool modem_take(struct modem *modem);

/* It ends. A call that still rings is told again; or, when the job was cancelled before it answered, no more. */
void modem_release(struct modem *modem);

/* Whatever the job waits for here ends; it stays so until the release. */
void modem_cancel(struct modem *modem);

/* Have the device: waits until the modem is ready. 0; ERR_CLOSED when it is not in order, with the reason as message;
 * ERR_CONFLICT when cancelled. */
int modem_borrow(struct modem *modem);

/* To talk to it; its wake is the cancel. */
struct at *modem_at(struct modem *modem);

/* For the engine: "modem" of its job (a new object) and a descriptor of its own, -1 and a message when there is none.
 */
json_t *modem_plan(struct modem *modem, int *fd);

/* Give it back: it is hung up and made ready again. */
void modem_return(struct modem *modem);

/* Does a call ring now? */
bool modem_rings(struct modem *modem);

/* The call that rings is being answered: what was known of it, as FaxdRingInfo; it is no more one that rings. NULL when
 * the caller has given up. A new object. */
json_t *modem_answer(struct modem *modem);

/* FaxdRingInfo. A new object. */
json_t *modem_ring_info(struct modem *modem);

/* Begin a test: false with a message when it cannot be now. Its result becomes "last_test". */
bool modem_test(struct modem *modem);

/* When it was tested last: UTC ms, 0 = never. */
int64_t modem_tested_at(struct modem *modem);

/* An element of "devices" (faxdext.h). A new object. */
json_t *modem_json(struct modem *modem, bool with_report);

#endif
