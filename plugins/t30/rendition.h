/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rendition of a document the far end can print, from its DIS or DTC.
 *
 * Thread: any (no state).
 */
#ifndef FAXD_T30_RENDITION_H
#define FAXD_T30_RENDITION_H

#include <stdbool.h>
#include <stdint.h>

#include "plugins/t30/options.h"

enum rendition_fault { RENDITION_FITS, RENDITION_RESOLUTION, RENDITION_WIDTH, RENDITION_LENGTH };

/* What keeps a machine whose DIS or DTC is `frame` (from the address octet, `length` octets; absent octets count as
 * zero) from printing `file`. T.30 table 2, bits 15, 17 to 20, 41 to 43. */
enum rendition_fault rendition_check(const struct options_file *file, const uint8_t *frame, int length);

/* The index of the rendition to send: the first (the one asked for) when it fits, else the finest and then widest that
 * does. A page that is longer than the far end's paper is cut by it into sheets, which is better than no call: when
 * nothing fits by its length, that is left out of account. -1 when even then none does, with `*fault` telling the
 * nearest reason. */
int rendition_choose(const struct options *options, const uint8_t *frame, int length, enum rendition_fault *fault);

#endif
