/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dots to T.6 (Group 4, MMR), as fax TIFF holds them and as they go over the line.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_G4_H
#define FAXD_CONVERT_G4_H

#include <stdint.h>

struct raster;

/* The T.6 data of a page of depth 1: `*octets` of `*size`, which the caller frees with free(). 0 or ERR_FULL. */
int g4_encode(uint8_t **octets, uint64_t *size, const struct raster *page);

#endif
