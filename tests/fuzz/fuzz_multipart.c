/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: a Content-Type in the first line, and any octets after it as the form that is posted to /v1/faxes. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "web/fax_request.h"
#include "web/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct multipart *form, const char *body, size_t size)
{
    for (int i = 0; i < form->count; i++) {
        const struct multipart_part *part = &form->parts[i];
        if (!part->name || !*part->name || !part->type || part->data < body || part->size > size ||
            part->data + part->size > body + size)
            abort();
    }
}

static void read_request(const struct multipart *form)
{
    struct fax_request request = {0};
    struct problems problems = {0};
    fax_request_from_form(&request, form, FAX_REQUEST_SEND, INT64_C(1795224123000), &problems);
    if (!problem_any(&problems) && ((request.document_count == 0 && !request.cover) || !request.submit.to))
        abort();
    json_t *document = problem_json(422, "validation", "", "/", "req_1", &problems);
    char *text = json_dumps(document, 0);
    if (!text)
        abort();
    free(text);
    json_decref(document);
    problem_clear(&problems);
    fax_request_clear(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\n', size);
    char type[512], boundary[MULTIPART_BOUNDARY_SIZE];
    struct multipart form;
    if (!end || (size_t)(end - data) >= sizeof type)
        return 0;
    memcpy(type, data, (size_t)(end - data));
    type[end - data] = '\0';
    if (multipart_boundary(boundary, type) < 0)
        return 0;
    /* In memory of its own, so that a read past its end is seen. */
    size_t length = size - (size_t)(end + 1 - data);
    char *body = malloc(length ? length : 1);
    memcpy(body, end + 1, length);
    if (multipart_parse(&form, boundary, body, length) == 0) {
        check(&form, body, length);
        read_request(&form);
    }
    multipart_clear(&form);
    free(body);
    return 0;
}
