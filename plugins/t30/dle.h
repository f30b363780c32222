/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Data on a Class 1 modem's serial line (ITU-T T.31 8.3): DLE shields itself, DLE ETX ends.
 *
 * Thread: any (no state but the caller's).
 */
#ifndef FAXD_T30_DLE_H
#define FAXD_T30_DLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DLE     0x10
#define DLE_ETX 0x03
#define DLE_SUB 0x1A /* behind DLE: two DLEs of data */
#define DLE_END (-1)

/* What was heard of a stream so far; zero at its start. */
struct dle {
    bool escaped;
};

/* The next octet of the stream: the number of octets of data that it brings, 0 to 2, or DLE_END. A pair that means
 * nothing is left out. */
int dle_take(struct dle *dle, uint8_t octet, uint8_t data[2]);

/* Shield `size` octets; `to` has room for twice as many. Returns how many they became. */
size_t dle_shield(uint8_t *to, const uint8_t *from, size_t size);

#endif
