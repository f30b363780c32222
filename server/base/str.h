/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small text helpers: bounded copies, UTF-8 and UTF-16, hexadecimal, identifiers.
 *
 * Thread: any.
 */
#ifndef FAXD_BASE_STR_H
#define FAXD_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STR_ULID_SIZE      27 /* 26 characters and the end */
#define STR_STATION_ID_MAX 20 /* T.30 5.3.6.2.4 */

/* Copy at most size - 1 octets and end the string; returns true when all of `from` fitted. `from` NULL reads as "".
 * A cut never leaves half a UTF-8 character. */
bool str_copy(char *to, size_t size, const char *from);

/* True when `text` is valid UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool str_is_utf8(const char *text, size_t length);

/* UTF-8 to UTF-16 with an end; the caller frees with free(). Invalid input octets become U+FFFD. NULL gives NULL. */
uint16_t *str_to_utf16(const char *text);

/* At most `max_units` UTF-16 units up to the end, to UTF-8; the caller frees with free(). Unpaired surrogates become
 * U+FFFD. NULL gives NULL. */
char *str_from_utf16(const uint16_t *units, size_t max_units);

/* Lower-case hexadecimal of `size` octets; `text` has room for 2 * size + 1. Returns `text`. */
char *str_hex(char *text, const void *octets, size_t size);

/* A new ULID (Crockford base 32, 48 bits of UTC ms and 80 random bits), ascending within this process even when the
 * clock does not move. Returns `text`. */
char *str_ulid(char text[STR_ULID_SIZE], int64_t now_ms);

/* Whole-string decimal to int64 within [low, high]: 0 or ERR_INVALID. */
int str_to_int(int64_t *value, const char *text, int64_t low, int64_t high);

/* What a person may type into a T.30 identification (T.30 5.3.6.2.4): at most 20 of digits, space, letters, + and
 * common printable ASCII: 0, or ERR_INVALID / ERR_TOO_BIG with a message that names the fault. */
int str_check_station_id(const char *text);

#endif
