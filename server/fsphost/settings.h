/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The provider's configuration as faxd hands it over: one JSON object (faxdext.h, FaxdProviderConfig). The host itself
 * reads only a few keys of it and passes the whole text on.
 *
 *   "start_id"     "index" (default) or "full": what FaxDevStartJob gets as DeviceId
 *   "dial_prefix"  put in front of each number to dial; default "T", as a Windows server does; at most 8 octets
 *   "lines"        element i: "send", "receive" (booleans, default true) until faxd says otherwise
 *
 * Thread: any; read-only once parsed.
 */
#ifndef FAXD_FSPHOST_SETTINGS_H
#define FAXD_FSPHOST_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

struct settings;

/* Parse `text`. 0, or ERR_INVALID with a message that names the key. The caller frees with settings_free (NULL is
 * fine). */
int settings_parse(struct settings **out, const char *text);
void settings_free(struct settings *settings);

/* Read descriptor `fd` to its end and parse that; at most 4 MiB. 0, ERR_IO, ERR_TOO_BIG or ERR_INVALID. */
int settings_read(struct settings **out, int fd);

/* The text of the whole object, borrowed. */
const char *settings_text(const struct settings *settings);

/* Element `index` of "lines" as text, the caller's to free; NULL when there is none. */
char *settings_line_text(const struct settings *settings, size_t index);

size_t settings_line_count(const struct settings *settings);
bool settings_line_may_send(const struct settings *settings, size_t index);
bool settings_line_may_receive(const struct settings *settings, size_t index);

/* Borrowed, never NULL. */
const char *settings_dial_prefix(const struct settings *settings);

/* True when FaxDevStartJob is to get the full device id. */
bool settings_start_id_is_full(const struct settings *settings);

#endif
