/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The body of POST /v1/faxes, read into a fax request: on the loop when it is small, on the worker when it is not. A
 * large document is then also hashed, written and synced there, so that the loop has only to take its file over.
 *
 * Thread: loop, but for upload_read, which runs on the worker for large bodies; until its end all of the struct is the
 * worker's.
 */
#ifndef FAXD_WEB_UPLOAD_H
#define FAXD_WEB_UPLOAD_H

#include "spool/document.h"
#include "web/fax_request.h"
#include "web/fingerprint.h"

#include <stdbool.h>

#define UPLOAD_LARGE (1 << 20) /* octets from which the worker reads a body */

struct request;

struct upload {
    /* what there is to read */
    struct request *request;
    void (*go_on)(struct request *request);
    struct evbuffer *body;
    char *type; /* Content-Type */
    const char *method, *path;
    int64_t now_ms;
    enum fax_request_kind kind;
    bool writes;     /* documents go to files while the body is read; else they stay in memory */
    int64_t claimed; /* room on the disk, spool_claim_room */

    /* what came of it */
    struct fax_request wanted;
    struct problems problems;
    int status; /* of the reply when the body could not be read, else 0 */
    const char *code;
    char detail[512];
    char fingerprint[FINGERPRINT_SIZE]; /* "" when the body could not be read */
    struct {
        char *temporary; /* file of the store's, NULL = the document is still in memory */
        char sha[DOCUMENT_SHA_SIZE];
    } written[FAX_REQUEST_DOCUMENTS + 1]; /* the last is the list of a batch */

    struct multipart form;
};

/* Take the body of a request over and read it; then `go_on` is called, at once when it was small. */
void upload_start(struct request *request, void (*go_on)(struct request *request));

/* Document `index` becomes one of the store's: 0 and its hash, or ERR_FULL, ERR_IO. */
int upload_store(char sha[DOCUMENT_SHA_SIZE], struct upload *upload, int index);

/* The same for the recipients of a batch. */
int upload_store_recipients(char sha[DOCUMENT_SHA_SIZE], struct upload *upload);

void upload_free(struct upload *upload); /* NULL is fine */

#endif
