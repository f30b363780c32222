/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads uploads. Base64 of 60 MiB takes a second to parse and decode: long enough for every other client to notice. */
#include "config.h"

#include "web/upload.h"

#include "spool/spool.h"
#include "web/json_body.h"
#include "web/recipients.h"
#include "web/request.h"
#include "web/routes.h"
#include "web/web_private.h"
#include "web/worker.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* --- reading: any thread --- */

__attribute__((format(printf, 4, 5))) static void fail(struct upload *upload, int status, const char *code,
                                                       const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(upload->detail, sizeof upload->detail, fmt, args);
    va_end(args);
    upload->status = status;
    upload->code = code;
}

static void read_json(struct upload *upload)
{
    struct json_fault fault;
    json_t *root;
    int result;

    fingerprint_body(upload->fingerprint, upload->method, upload->path, upload->body);
    result = upload->kind == FAX_REQUEST_BATCH ? json_body_parse_many(&root, &fault, upload->body)
                                               : json_body_parse(&root, &fault, upload->body);
    if (result == 0)
        fax_request_from_json(&upload->wanted, root, upload->kind, upload->now_ms, &upload->problems);
    else if (result == ERR_TOO_BIG)
        fail(upload, 413, "json_too_complex", "%s", fault.detail);
    else
        fail(upload, 400, "malformed_json", "the body is not JSON: line %d, column %d: %s", fault.line, fault.column,
             fault.detail);
}

static void read_form(struct upload *upload)
{
    char boundary[MULTIPART_BOUNDARY_SIZE];
    int result = multipart_boundary(boundary, upload->type);

    if (result == 0)
        result = multipart_parse(&upload->form, boundary, (const char *)evbuffer_pullup(upload->body, -1),
                                 evbuffer_get_length(upload->body));
    if (result < 0) {
        fail(upload, result == ERR_TOO_BIG ? 413 : 400, "malformed_form", "the form cannot be read: %s", err_message());
        return;
    }
    fingerprint_form(upload->fingerprint, upload->method, upload->path, &upload->form);
    fax_request_from_form(&upload->wanted, &upload->form, upload->kind, upload->now_ms, &upload->problems);
}

static int write_document(struct upload *upload, int index, const void *data, size_t size)
{
    struct spool *spool = request_spool(upload->request);
    char path[DOCUMENT_PATH_SIZE];
    int fd, result = document_reserve(&fd, path, spool);

    if (result < 0)
        return result;
    upload->written[index].temporary = xstrdup(path);
    result = document_write(upload->written[index].sha, spool, fd, data, size);
    close(fd);
    return result;
}

static void write_documents(struct upload *upload)
{
    const struct fax_request *wanted = &upload->wanted;
    int result = 0;

    for (int i = 0; i < wanted->document_count && result == 0; i++)
        result = write_document(upload, i, wanted->documents[i].data, wanted->documents[i].size);
    if (result == 0 && wanted->recipients)
        result = write_document(upload, FAX_REQUEST_DOCUMENTS, wanted->recipients->lines, wanted->recipients->size);
    if (result < 0)
        fail(upload, 503, "storage_full", "the document cannot be written: %s", err_message());
}

static void upload_read(void *context)
{
    struct upload *upload = context;

    if (strncasecmp(upload->type, "multipart/", 10) == 0)
        read_form(upload);
    else
        read_json(upload);
    if (upload->writes && upload->status == 0 && !problem_any(&upload->problems))
        write_documents(upload);
}

/* --- the loop's side --- */

static void on_read(void *context)
{
    struct upload *upload = context;

    upload->go_on(upload->request);
}

static void read_elsewhere(struct upload *upload)
{
    struct web *web = upload->request->web;

    upload->claimed = (int64_t)evbuffer_get_length(upload->body);
    spool_claim_room(web->options.spool, upload->claimed);
    if (!spool_has_room(web->options.spool)) {
        fail(upload, 503, "storage_full", "the disk has no room for documents");
        upload->go_on(upload->request);
        return;
    }
    upload->writes = upload->kind != FAX_REQUEST_PREVIEW;
    worker_run(web->worker, upload_read, on_read, upload);
}

void upload_start(struct request *request, void (*go_on)(struct request *request))
{
    struct upload *upload = xcalloc(1, sizeof *upload);
    struct evbuffer *body = gate_body(request->gate);
    const char *type = request_header_in(request, "Content-Type");

    upload->request = request;
    upload->type = xstrdup(type ? type : "");
    upload->method = request->method;
    upload->path = request->path;
    upload->now_ms = clock_now_ms();
    upload->kind = request->route->flags & ROUTE_PREVIEW ? FAX_REQUEST_PREVIEW
                   : request->route->flags & ROUTE_BATCH ? FAX_REQUEST_BATCH
                                                         : FAX_REQUEST_SEND;
    upload->body = evbuffer_new();
    if (!upload->body)
        abort();
    upload->go_on = go_on;
    request->upload = upload;
    evbuffer_add_buffer(upload->body, body);
    /* Few octets may be many recipients, each of which is looked at. */
    if (evbuffer_get_length(upload->body) > (upload->kind == FAX_REQUEST_BATCH ? ROUTE_BODY_SMALL : UPLOAD_LARGE)) {
        read_elsewhere(upload);
    } else {
        upload_read(upload);
        go_on(request);
    }
}

static int store(char sha[DOCUMENT_SHA_SIZE], struct upload *upload, int index, const void *data, size_t size)
{
    struct spool *spool = request_spool(upload->request);
    int result;

    if (!upload->written[index].temporary)
        return document_put(sha, spool, data, size);
    memcpy(sha, upload->written[index].sha, DOCUMENT_SHA_SIZE);
    result = document_adopt_known(spool, upload->written[index].temporary, sha, (int64_t)size);
    free(upload->written[index].temporary);
    upload->written[index].temporary = NULL;
    return result;
}

int upload_store(char sha[DOCUMENT_SHA_SIZE], struct upload *upload, int index)
{
    const struct fax_request_document *document = &upload->wanted.documents[index];

    return store(sha, upload, index, document->data, document->size);
}

int upload_store_recipients(char sha[DOCUMENT_SHA_SIZE], struct upload *upload)
{
    const struct recipients *recipients = upload->wanted.recipients;

    return store(sha, upload, FAX_REQUEST_DOCUMENTS, recipients->lines, recipients->size);
}

void upload_free(struct upload *upload)
{
    if (!upload)
        return;
    for (int i = 0; i <= FAX_REQUEST_DOCUMENTS; i++) {
        if (upload->written[i].temporary)
            unlink(upload->written[i].temporary);
        free(upload->written[i].temporary);
    }
    if (upload->claimed && upload->request->web)
        spool_claim_room(request_spool(upload->request), -upload->claimed);
    fax_request_clear(&upload->wanted);
    problem_clear(&upload->problems);
    multipart_clear(&upload->form);
    evbuffer_free(upload->body);
    free(upload->type);
    free(upload);
}
