/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTML of mail as plain text: what is to be read, line by line. Nothing is loaded and nothing is run.
 *
 * Thread: any (pure).
 */
#ifndef FAXMAIL_HTML_H
#define FAXMAIL_HTML_H

#include <stdbool.h>
#include <stddef.h>

/* At most `most` octets of text from `size` octets of UTF-8; `*cut` becomes true when there is more. The caller frees
 * with free(). Takes time and memory as the input is long. */
char *html_text(bool *cut, const char *html, size_t size, size_t most);

#endif
