/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A mail as it goes over the wire: RFC 5322 and MIME, lines ended by CRLF. Heads are written by GMime (RFC 2047, RFC
 * 2231); attachments stay in their files and are read and encoded as the mail leaves, so that a large fax costs no
 * memory.
 *
 * Thread: loop.
 */
#ifndef FAXD_MAIL_MESSAGE_H
#define FAXD_MAIL_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#define MESSAGE_PARTS_MAX 2

struct message_head {
    const char *from, *from_name; /* address, display name ("" = none) */
    const char *to;
    const char *subject; /* UTF-8, one line */
    const char *id;      /* without < and > */
    const char *faxd_id; /* for X-Faxd-Id */
    const char *language;
    int64_t date_ms;
};

/* What is attached: a regular file or memory. */
struct message_part {
    int fd;
    const char *type;     /* "application/pdf", "image/tiff" */
    const char *basename; /* UTF-8, with its ending */
};

struct message;

/* `text` is UTF-8 with lines ended by "\n". Texts are copied, the descriptors are taken over (also on an error, of
 * which there is ERR_IO: the size of a file cannot be told). The caller frees. */
int message_new(struct message **out, const struct message_head *head, const char *text,
                const struct message_part *parts, int count);
void message_free(struct message *message); /* NULL is fine */

/* Octets of the whole. */
int64_t message_size(const struct message *message);

/* The next octets: how many, 0 at the end, or ERR_IO (a file could not be read, or became shorter). */
long message_read(struct message *message, char *buffer, size_t room);

/* A name that every system takes for a file: what stands for something in paths becomes "_". `name` is changed. */
void message_tidy_name(char *name);

#endif
