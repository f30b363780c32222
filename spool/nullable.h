/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of the API's objects that are null when there is nothing to say. New references.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_SPOOL_NULLABLE_H
#define FAXD_SPOOL_NULLABLE_H

#include <jansson.h>
#include <stdint.h>

/* null for "" and NULL, and for what is no UTF-8: texts from a far end may hold anything. */
json_t *nullable_text(const char *text);
/* null for 0; UTC ms as RFC 3339. */
json_t *nullable_time(int64_t at_ms);

#endif
