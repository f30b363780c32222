/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The front end of T.30 on a Class 1 modem (ITU-T T.31): what T.30 wants to send and hear becomes +FTH, +FTM, +FRH and
 * +FRM, and what the modem says becomes frames, bits and carriers. HDLC at V.21 is the modem's, at page speed ours.
 *
 * It begins where ATD or ATA ended with CONNECT: a caller's modem is about to hand over the first frame, an answerer's
 * waits for one to send. It does not hang up. A page, or a block of one, is made whole before its +FTM, so that the
 * modem never runs out of it.
 *
 * The line is a serial device: octets in, octets out. What a modem does is not trusted: an answer that does not come is
 * asked for again, and at last the modem is given up.
 *
 * Thread: one (a part of the session). Times are samples of line time, 8000 a second.
 */
#ifndef FAXD_T30_CLASS1_H
#define FAXD_T30_CLASS1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tiffio.h>
#include <spandsp.h>

#include "plugins/t30/dialogue.h"

struct class1;

/* With a T.30 of its own, which has no handlers yet but the modem's. NULL when memory is out. The caller ends the T.30
 * and frees with class1_free. */
struct class1 *class1_new(bool calling);

/* NULL is fine. */
void class1_free(struct class1 *class1);

/* Borrowed. */
t30_state_t *class1_t30(struct class1 *class1);

/* Octets of the modem, any. T.30's handlers run inside. */
void class1_receive(struct class1 *class1, const uint8_t *octets, size_t size);

/* Line time goes by. The first time, also of 0 samples, begins the call. */
void class1_advance(struct class1 *class1, int samples);

/* Line time until class1_advance has something to do; INT_MAX = nothing before the modem says something. */
int class1_due(const struct class1 *class1);

/* What is to be written to the modem, borrowed until the next call here; then say how much of it was. */
const uint8_t *class1_output(const struct class1 *class1, size_t *size);
void class1_written(struct class1 *class1, size_t size);

/* The modem is sending a page: the one time at which its XON and XOFF are not data. */
bool class1_is_sending_page(const struct class1 *class1);

/* Something is being sent, heard, or stopped: T.30 does not wait in vain. */
bool class1_is_at_work(const struct class1 *class1);

/* No more comes of T.30: leave the modem in command state, as far as octets can. */
void class1_leave(struct class1 *class1);

/* What was said so far. Borrowed. */
const struct dialogue *class1_dialogue(const struct class1 *class1);

/* Why the modem was given up, NULL = it was not. */
const char *class1_fault(const struct class1 *class1);

#endif
