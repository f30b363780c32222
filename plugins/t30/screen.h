/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frame screen: judges each T.30 frame before spandsp sees it.
 *
 * spandsp 0.0.6 can be crashed or hung by one frame with a good checksum: it trusts lengths, width and rate codes. A
 * frame that no machine in order sends is refused, which ends the call; what a noisy line makes up is dropped, as if
 * its checksum had been wrong.
 *
 * Thread: any (no state).
 */
#ifndef FAXD_T30_SCREEN_H
#define FAXD_T30_SCREEN_H

#include <stddef.h>
#include <stdint.h>

enum screen_verdict {
    SCREEN_PASS,  /* give it to spandsp */
    SCREEN_DROP,  /* not a T.30 frame: ignore it */
    SCREEN_REFUSE /* hostile or broken beyond use: end the call */
};

/* Judge a frame whose checksum was right, from its address octet on, without the checksum. When it is refused, `why`
 * becomes "NAME: reason" (cut to `size`). */
enum screen_verdict screen_judge(const uint8_t *frame, int length, char *why, size_t size);

/* Short name of a frame: "DIS", "DCS", "PPS-EOP", "FCD"; "0xNN" for an unknown one. `size` of 16 is enough. Returns
 * `name`. */
char *screen_frame_name(char *name, size_t size, const uint8_t *frame, int length);

#endif
