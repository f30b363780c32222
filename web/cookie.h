/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A value out of a Cookie header (RFC 6265 4.2.1).
 *
 * Thread: any (pure).
 */
#ifndef FAXD_WEB_COOKIE_H
#define FAXD_WEB_COOKIE_H

#include <stdbool.h>
#include <stddef.h>

/* The first cookie of that name. False when there is none, or its value has more than size - 1 octets; `value` is ""
 * then. `header` NULL is fine. */
bool cookie_find(char *value, size_t size, const char *header, const char *name);

#endif
