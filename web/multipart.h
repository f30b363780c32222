/* SPDX-License-Identifier: GPL-2.0-or-later */
/* multipart/form-data (RFC 7578), as browsers and curl -F send it.
 *
 * A parser of our own and not GMime: the form subset has no nesting, no transfer encodings and no header folding, so
 * that a bounded parser over one piece of memory is smaller than the glue would be, copies nothing, and has no
 * heuristics to fool. GMime stays the choice for mail.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_WEB_MULTIPART_H
#define FAXD_WEB_MULTIPART_H

#include <stddef.h>

#define MULTIPART_BOUNDARY_SIZE 71 /* 70 characters (RFC 2046 5.1.1) and the end */
#define MULTIPART_PARTS         128
#define MULTIPART_HEAD_MAX      4096 /* octets of a part's header lines */

struct multipart_part {
    char *name;       /* valid UTF-8, not empty */
    char *filename;   /* NULL = a plain field; only ever shown, never opened */
    char *type;       /* "" = none given */
    const char *data; /* inside the body */
    size_t size;
};

struct multipart {
    struct multipart_part *parts; /* in the order sent */
    int count;
};

/* From a Content-Type header: 0, or ERR_INVALID (not multipart/form-data, no good boundary). */
int multipart_boundary(char boundary[MULTIPART_BOUNDARY_SIZE], const char *content_type);

/* Split a body; the parts point into it. 0; ERR_INVALID (message says where); ERR_TOO_BIG (parts, header lines). The
 * caller clears in any case. */
int multipart_parse(struct multipart *multipart, const char *boundary, const char *body, size_t size);
void multipart_clear(struct multipart *multipart);

#endif
