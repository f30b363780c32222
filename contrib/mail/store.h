/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents on their way into the file that the reading process hands over: decoded, looked at, and taken or refused.
 *
 * Thread: any; runs in the process of reader.h.
 */
#ifndef FAXMAIL_STORE_H
#define FAXMAIL_STORE_H

#include <gmime/gmime.h>
#include <stdbool.h>
#include <stddef.h>

struct mail_document;
struct parts;

/* A part as it stands in the message. `charset` "" = its octets as they are. `small` = left out with a note when it is
 * a picture of a few KiB, such as logos within a text. */
void store_part(struct parts *parts, GMimePart *part, const char *name, const char *charset, bool html, bool small);

/* Octets that were within something else. */
void store_octets(struct parts *parts, const void *data, size_t size, const char *name);

/* Decode a part's text, at most `most` octets, as UTF-8. NULL when it cannot be had (a message says why); the caller
 * frees with free(). */
char *store_text(size_t *size, struct parts *parts, GMimePart *part, const char *charset, size_t most);

/* The octets of a part. The same. */
char *store_content(size_t *size, struct parts *parts, GMimePart *part);

/* Append to the file; false when it is full. */
bool store_append(struct mail_document *document, struct parts *parts, const void *data, size_t size);

#endif
