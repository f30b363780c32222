/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request to send a fax, from a JSON body or a form to the struct that the spool takes; or every fault in it.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_WEB_FAX_REQUEST_H
#define FAXD_WEB_FAX_REQUEST_H

#include "server/base/number.h"
#include "spool/submit.h"
#include "web/multipart.h"
#include "web/problem.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define FAX_REQUEST_DOCUMENTS 20 /* PREPARATION_UPLOADS_MAX of spool/preparation.h */

/* One of the documents of which the fax is made. */
struct fax_request_document {
    const void *data; /* its octets, borrowed from `decoded`, the root or the form */
    size_t size;
    unsigned char *decoded;
    json_t *info;     /* {"type", "pages", "password"}, as spool/fax_document.h */
    char pointer[40]; /* where it stands in the body */
};

/* What a request is for: a preview has no number to send to, a batch has many. */
enum fax_request_kind { FAX_REQUEST_SEND, FAX_REQUEST_PREVIEW, FAX_REQUEST_BATCH };

struct recipients;

struct fax_request {
    struct submit_request submit; /* but for original, uploads, cover, owner and test, which the caller sets */
    struct fax_request_document documents[FAX_REQUEST_DOCUMENTS];
    int document_count;
    const char *cover; /* name of the cover page, NULL = none */
    json_t *cover_fields;
    json_t *root;                                  /* what the texts are borrowed from */
    char number[NUMBER_SIZE], sender[NUMBER_SIZE]; /* of a contact and an identity: parties.h */
    json_t *options;
    enum fax_request_kind kind;
    struct recipients *recipients; /* of a batch, else NULL */
};

/* `root` is taken over. `now_ms` is for times that have to lie ahead. Faults are in `problems`; without any, the
 * request is good. The caller clears in any case. */
void fax_request_from_json(struct fax_request *request, json_t *root, enum fax_request_kind kind, int64_t now_ms,
                           struct problems *problems);

/* Each part with a file name is a document; the other parts are fields, nested ones with dots
 * ("retry.max_attempts"), list fields one part for each element. The form has to live as long as the request. */
void fax_request_from_form(struct fax_request *request, const struct multipart *form, enum fax_request_kind kind,
                           int64_t now_ms, struct problems *problems);
void fax_request_clear(struct fax_request *request);

/* An object of texts for a cover page: those that are good are set in `into`. */
void fax_request_cover_fields(json_t *into, json_t *fields, const char *pointer, struct problems *problems);

#endif
