/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request to send a fax, from a JSON body or a form to the struct that the spool takes; or every fault in it.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_WEB_FAX_REQUEST_H
#define FAXD_WEB_FAX_REQUEST_H

#include "spool/submit.h"
#include "web/multipart.h"
#include "web/problem.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct fax_request {
    struct submit_request submit; /* but for original, owner and test, which the caller sets */
    const void *data;             /* the document's octets, borrowed from `decoded` or the form */
    size_t size;
    json_t *root; /* what the texts are borrowed from */
    json_t *options;
    unsigned char *decoded;
};

/* `root` is taken over. `now_ms` is for times that have to lie ahead. Faults are in `problems`; without any, the
 * request is good. The caller clears in any case. */
void fax_request_from_json(struct fax_request *request, json_t *root, int64_t now_ms, struct problems *problems);

/* The document is the one part with a file name; the other parts are fields, nested ones with dots
 * ("retry.max_attempts"), list fields one part for each element. The form has to live as long as the request. */
void fax_request_from_form(struct fax_request *request, const struct multipart *form, int64_t now_ms,
                           struct problems *problems);
void fax_request_clear(struct fax_request *request);

#endif
