/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every request has to pass that makes faxes go out, however it makes them.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_FAX_ACCEPT_H
#define FAXD_WEB_FAX_ACCEPT_H

#include "spool/document.h"
#include "web/fax_request.h"
#include "web/pages_wanted.h"

#include <jansson.h>
#include <stdbool.h>

struct fax;
struct request;

/* Is the server taking faxes? False and the reply is made. */
bool fax_accept_now(struct request *request);

/* Is there a line that could carry it? Else it would wait without end. `group` NULL or "" = one of those that the rules
 * choose for `to` (NULL: there are many). False and the reply is made. */
bool fax_accept_line(struct request *request, const char *to, const char *group, bool test);

/* May it go without its header line, if `options` say so? False and the reply is made. */
bool fax_accept_header(struct request *request, const json_t *options);

/* The event of a fax whose options turn its header line off; else nothing. 0 or an error. */
int fax_accept_tell(struct request *request, const struct fax *fax, const json_t *options);

/* All of the above for the upload of a request, and that its documents and its cover page can be made pages of. False
 * and the reply is made; else the caller clears `cover` with cover_use_clear. */
bool fax_accept_upload(struct cover_use *cover, struct request *request);

/* What the uploaded request is stored as, which its submit_request points to. */
struct fax_stored {
    struct submit_upload uploads[FAX_REQUEST_DOCUMENTS];
    char shas[FAX_REQUEST_DOCUMENTS][DOCUMENT_SHA_SIZE], cover[DOCUMENT_SHA_SIZE];
};

/* Documents and cover into the store; request->upload->wanted.submit is then complete, but for `to` of a batch. 0 or an
 * error. */
int fax_accept_store(struct fax_stored *stored, struct request *request, const struct cover_use *cover);

/* 202, with the fax and where it is. */
void fax_accept_reply(struct request *request, const struct fax *fax);

#endif
