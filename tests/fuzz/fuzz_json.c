/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: any octets as the JSON body of POST /v1/faxes. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "web/fax_request.h"
#include "web/json_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the spool will be given without a further look. */
static void check(const struct fax_request *request)
{
    const struct submit_request *submit = &request->submit;
    if ((request->document_count == 0 && !request->cover) || !submit->to || !json_is_object(submit->options))
        abort();
    for (int i = 0; i < request->document_count; i++) {
        if (!request->documents[i].data || request->documents[i].size == 0)
            abort();
    }
    if (submit->max_attempts < 0 || submit->max_attempts > 50 || (int)submit->priority > FAX_BULK ||
        (int)submit->resume > FAX_RESUME_ALL || (int)submit->on_unconfirmed > FAX_UNCONFIRMED_RESEND)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct evbuffer *body = evbuffer_new();
    struct fax_request request = {0};
    struct problems problems = {0};
    struct json_fault fault;
    json_t *root;
    evbuffer_add(body, data, size);
    if (json_body_parse(&root, &fault, body) == 0) {
        fax_request_from_json(&request, root, FAX_REQUEST_SEND, INT64_C(1795224123000), &problems);
        if (!problem_any(&problems))
            check(&request);
        json_t *document = problem_json(422, "validation", "", "/", "req_1", &problems);
        char *text = json_dumps(document, 0);
        if (!text)
            abort(); /* whatever a client sends, its faults can be told */
        free(text);
        json_decref(document);
        fax_request_clear(&request);
    } else if (!memchr(fault.detail, '\0', sizeof fault.detail)) {
        abort();
    }
    problem_clear(&problems);
    evbuffer_free(body);
    return 0;
}
