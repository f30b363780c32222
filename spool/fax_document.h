/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The documents of a fax besides its own two columns (fax.original, fax.document): what it was made of, in which other
 * forms it can be sent, and what left in each call. Each row keeps its document from being swept.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_FAX_DOCUMENT_H
#define FAXD_SPOOL_FAX_DOCUMENT_H

#include "spool/document.h"

#include <jansson.h>
#include <stdint.h>

struct spool;

/* Stored in rows: never renumber. */
enum fax_document_role {
    FAX_DOCUMENT_UPLOAD = 1,    /* position from 1; info {"type", "pages", "password"}, each only when it is needed, and
                                   {"protected"} where a password was needed and is gone. No row for a fax of one plain
                                   upload: fax.original is it */
    FAX_DOCUMENT_COVER = 2,     /* position 0: the template; info {"fields"} */
    FAX_DOCUMENT_RENDITION = 3, /* position from 1: for machines that can do less; info {"resolution", "width"} */
    FAX_DOCUMENT_AS_SENT = 4    /* position: number of the attempt; info {"first_page"} */
};

struct fax_document {
    int position;
    char sha[DOCUMENT_SHA_SIZE];
    json_t *info; /* object, never NULL */
};

/* `info` NULL or {} = nothing to say. Replaces what was at that place. 0 or a store's error. */
int fax_document_add(struct spool *spool, int64_t fax, enum fax_document_role role, int position, const char *sha,
                     const json_t *info);

/* By position: the count, or an error. The caller frees with fax_documents_free. */
int fax_documents(struct fax_document **list, struct spool *spool, int64_t fax, enum fax_document_role role);
void fax_documents_free(struct fax_document *list, int count);

#endif
