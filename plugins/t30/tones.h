/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hears by what tones a far end is a fax machine, each once: so early that a path can still be changed.
 *
 * Thread: one (a part of the call).
 */
#ifndef FAXD_T30_TONES_H
#define FAXD_T30_TONES_H

#include <stdbool.h>
#include <stdint.h>

struct tones;

/* "cng", "ced" or "preamble" (of V.21). */
typedef void tones_heard_fn(void *context, const char *tone);

/* A caller listens for CED and the preamble, an answerer for CNG. NULL when memory is out. The caller frees with
 * tones_free. */
struct tones *tones_new(bool calling, tones_heard_fn *heard, void *context);

/* NULL is fine. */
void tones_free(struct tones *tones);

/* The next samples of the line; NULL is fine. `heard` may be called and must not free the tones. */
void tones_receive(struct tones *tones, const int16_t *samples, int count);

#endif
