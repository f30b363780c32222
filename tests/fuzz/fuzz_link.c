/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any octets through the link's decoder. What it accepts must survive a second trip unchanged. */
#include "server/link/link.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char scratch[LINK_BYTES_MAX * 2], scratch_again[LINK_BYTES_MAX * 2];
    static uint8_t octets[LINK_BYTES_MAX], octets_again[LINK_BYTES_MAX];
    struct link_message message, again;
    if (link_decode(&message, scratch, data, size) != 0)
        return 0;
    int length = link_encode(octets, sizeof(octets), &message);
    if (length <= 0 || link_decode(&again, scratch_again, octets, (size_t)length) != 0)
        abort();
    int length_again = link_encode(octets_again, sizeof(octets_again), &again);
    if (length_again != length || memcmp(octets, octets_again, (size_t)length) != 0)
        abort();
    return 0;
}
