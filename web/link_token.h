/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The token of a signed link: which document of which fax, until when, and a MAC over that (HMAC-SHA-256) by a secret
 * of this server. Who has the token may have the document; nothing is stored for it.
 *
 * Thread: any (link_secret_open: before threads; the others are pure).
 */
#ifndef FAXD_WEB_LINK_TOKEN_H
#define FAXD_WEB_LINK_TOKEN_H

#include "spool/fax.h"

#include <stdint.h>

#define LINK_SECRET_SIZE 32
#define LINK_TOKEN_SIZE  128 /* with its end */

/* Kept in tokens: values stay. */
enum link_copy { LINK_PDF = 1, LINK_TIFF = 2, LINK_SEARCHABLE = 3, LINK_ORIGINAL = 4 };

struct link {
    char fax[FAX_ID_SIZE];
    enum link_copy copy;
    int64_t expires_at; /* UTC ms, whole seconds */
};

/* Returns `token`: base64url, nothing that a URL has to escape. */
char *link_token_write(char token[LINK_TOKEN_SIZE], const struct link *link,
                       const unsigned char secret[LINK_SECRET_SIZE]);

/* 0, or ERR_NOT_FOUND: no token of this server, or not one as it was written. Whether it has expired is not looked at.
 */
int link_token_read(struct link *link, const char *token, const unsigned char secret[LINK_SECRET_SIZE]);

/* The secret out of the file `path`, which is made (mode 0600) when there is none. 0, ERR_IO, ERR_INVALID (it is no
 * such file). */
int link_secret_open(unsigned char secret[LINK_SECRET_SIZE], const char *path);

#endif
