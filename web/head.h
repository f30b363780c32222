/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The head of an HTTP/1 request, checked before evhttp sees it (RFC 9112): request line, framing headers, sizes.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_WEB_HEAD_H
#define FAXD_WEB_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAD_MAX_BYTES  16384
#define HEAD_MAX_FIELDS 100

enum head_fault {
    HEAD_OK = 0,
    HEAD_SYNTAX,      /* not HTTP/1: 400 */
    HEAD_FRAMING,     /* Content-Length and Transfer-Encoding that contradict: 400 */
    HEAD_METHOD,      /* a method that nothing here has: 501 */
    HEAD_CODING,      /* a transfer coding other than chunked: 501 */
    HEAD_EXPECTATION, /* an Expect other than 100-continue: 417 */
    HEAD_VERSION      /* HTTP/2.0 and the like: 505 */
};

/* Texts are the struct's own; head_clear frees them. */
struct head {
    char method[8];
    char *target;        /* origin form, starts with '/' */
    char *authorization; /* "" = none */
    char *cookie;        /* "" = none */
    char *forwarded_for; /* values of X-Forwarded-For with commas between; "" = none */
    char *forwarded;     /* the same of Forwarded */
    int minor;           /* HTTP/1.minor, 0 or 1 */
    bool chunked;
    bool expects_continue;
    int64_t length; /* Content-Length, -1 = none */
    char *clean;    /* the head for evhttp: target "/", no body, no Expect; ends with an empty line */
};

/* `text` is the whole head with its empty line, `size` octets of at most HEAD_MAX_BYTES; not kept. On a fault the
 * struct has what was understood until then (method[0] may be 0), still to be cleared. */
enum head_fault head_parse(struct head *head, const char *text, size_t size);
void head_clear(struct head *head);

#endif
