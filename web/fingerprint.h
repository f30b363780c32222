/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What makes two requests the same: method, path and body; of a form its parts in their order, since clients choose a
 * new boundary each time.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_WEB_FINGERPRINT_H
#define FAXD_WEB_FINGERPRINT_H

#include "web/multipart.h"

#include <event2/buffer.h>

#define FINGERPRINT_SIZE 65

/* SHA-256 in hexadecimal. `body` is not drained. */
void fingerprint_body(char text[FINGERPRINT_SIZE], const char *method, const char *path, struct evbuffer *body);
void fingerprint_form(char text[FINGERPRINT_SIZE], const char *method, const char *path, const struct multipart *form);

#endif
