/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One step over UTF-8 (RFC 3629: no surrogates, no overlong forms).
 *
 * Thread: any.
 */
#ifndef FAXD_BASE_UTF8_H
#define FAXD_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The code point at the start of `text`: how many octets it takes, or 0 when `length` is 0 or they are not valid UTF-8.
 */
size_t utf8_next(uint32_t *point, const char *text, size_t length);

#endif
