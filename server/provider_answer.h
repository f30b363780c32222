/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a provider's answer to FaxdProviderAsk (faxdext.h) is made of: members of JSON objects that a plug-in wrote,
 * each checked before it is taken. For trunk.c and device.c.
 *
 * `what` names the object in the message of an error: "trunk carrier", "device of line 3".
 *
 * Thread: any (pure).
 */
#ifndef FAXD_SERVER_PROVIDER_ANSWER_H
#define FAXD_SERVER_PROVIDER_ANSWER_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* ERR_INVALID with a message that names object and member. */
int answer_wrong(const char *what, const char *key);

/* Each: 0 or answer_wrong. Absent and null read as "" and 0; text that is too long is cut. */
int answer_text(char *to, size_t size, const char *what, const json_t *object, const char *key);
int answer_count(int64_t *to, const char *what, const json_t *object, const char *key); /* not negative */
int answer_time(int64_t *to, const char *what, const json_t *object, const char *key);  /* UTC ms, to the year 9999 */

/* The position of the member among `words`, which has to be there. */
int answer_word(int *to, const char *what, const json_t *object, const char *key, const char *const *words, int count);

#endif
