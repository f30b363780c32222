/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading UTF-8 with the eye of somebody who did not write it. A file of its own since the log stands on it, and the
 * text helpers stand on the log. */
#include "server/base/utf8.h"

size_t utf8_next(uint32_t *point, const char *text, size_t length)
{
    const unsigned char *octets = (const unsigned char *)text;
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000}; /* below these, the form is overlong */
    if (length == 0)
        return 0;
    unsigned char first = octets[0];
    size_t size = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (size == 0 || size > length)
        return 0;
    uint32_t value = size == 1 ? first : first & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((octets[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (octets[i] & 0x3F);
    }
    if (value < lowest[size] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return 0;
    *point = value;
    return size;
}
