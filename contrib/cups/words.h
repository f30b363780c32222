/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What CUPS hands to a backend as text: the options of a job, and the URI of its queue.
 *
 * Thread: any.
 */
#ifndef FAXD_CUPS_WORDS_H
#define FAXD_CUPS_WORDS_H

#include <jansson.h>

/* "name=value name='two words' flag noflag" to an object of texts; a flag is "true", "noflag" is flag "false". The last
 * of the same name counts. The caller frees. */
json_t *words_of_options(const char *text);

/* "faxd:/?key-file=/etc/k" or "faxd://host:port/?..." to `*server`, an http or https URL (NULL = this machine's), and
 * `*query`, an object of texts. 0 or ERR_INVALID with a message; the caller frees both when it is 0. */
int words_of_uri(char **server, json_t **query, const char *uri);

#endif
