/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shielding, there and back. */
#include "plugins/t30/dle.h"

int dle_take(struct dle *dle, uint8_t octet, uint8_t data[2])
{
    if (!dle->escaped) {
        dle->escaped = octet == DLE;
        data[0] = octet;
        return dle->escaped ? 0 : 1;
    }
    dle->escaped = false;
    data[0] = data[1] = DLE;
    switch (octet) {
    case DLE_ETX:
        return DLE_END;
    case DLE:
        return 1;
    case DLE_SUB:
        return 2;
    default:
        return 0;
    }
}

size_t dle_shield(uint8_t *to, const uint8_t *from, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        if (from[i] == DLE)
            to[used++] = DLE;
        to[used++] = from[i];
    }
    return used;
}
