/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads uploads. Base64 of 60 MiB takes a second to parse and decode: long enough for every other client to notice. */
#include "config.h"

#include "web/upload.h"

#include "spool/spool.h"
#include "web/json_body.h"
#include "web/request.h"
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
    result = json_body_parse(&root, &fault, upload->body);
    if (result == 0)
        fax_request_from_json(&upload->wanted, root, upload->now_ms, &upload->problems);
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
    fax_request_from_form(&upload->wanted, &upload->form, upload->now_ms, &upload->problems);
}

static void write_document(struct upload *upload)
{
    struct spool *spool = upload->request->web->options.spool;

    if (document_write(upload->sha, spool, upload->fd, upload->wanted.data, upload->wanted.size) < 0) {
        upload->sha[0] = '\0';
        fail(upload, 503, "storage_full", "the document cannot be written: %s", err_message());
    }
}

static void upload_read(void *context)
{
    struct upload *upload = context;

    if (strncasecmp(upload->type, "multipart/", 10) == 0)
        read_form(upload);
    else
        read_json(upload);
    if (upload->fd >= 0 && upload->status == 0 && !problem_any(&upload->problems))
        write_document(upload);
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
    if (!spool_has_room(web->options.spool) ||
        document_reserve(&upload->fd, upload->temporary, web->options.spool) < 0) {
        upload->fd = -1;
        fail(upload, 503, "storage_full", "the disk has no room for documents");
        upload->go_on(upload->request);
        return;
    }
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
    upload->fd = -1;
    upload->body = evbuffer_new();
    if (!upload->body)
        abort();
    upload->go_on = go_on;
    request->upload = upload;
    evbuffer_add_buffer(upload->body, body);
    if (evbuffer_get_length(upload->body) > UPLOAD_LARGE) {
        read_elsewhere(upload);
    } else {
        upload_read(upload);
        go_on(request);
    }
}

int upload_store(char sha[DOCUMENT_SHA_SIZE], struct upload *upload)
{
    struct spool *spool = upload->request->web->options.spool;
    int result;

    if (!upload->sha[0])
        return document_put(sha, spool, upload->wanted.data, upload->wanted.size);
    memcpy(sha, upload->sha, DOCUMENT_SHA_SIZE);
    result = document_adopt_known(spool, upload->temporary, sha, (int64_t)upload->wanted.size);
    upload->temporary[0] = '\0';
    return result;
}

void upload_free(struct upload *upload)
{
    if (!upload)
        return;
    if (upload->fd >= 0)
        close(upload->fd);
    if (upload->temporary[0])
        unlink(upload->temporary);
    if (upload->claimed && upload->request->web)
        spool_claim_room(upload->request->web->options.spool, -upload->claimed);
    fax_request_clear(&upload->wanted);
    problem_clear(&upload->problems);
    multipart_clear(&upload->form);
    evbuffer_free(upload->body);
    free(upload->type);
    free(upload);
}
