/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: any octets as the head of a request, what follows its empty line as a chunked body. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "web/chunked.h"
#include "web/head.h"
#include "web/routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What evhttp will read has to be beyond doubt: one request, no body. */
static void check(const struct head *head)
{
    const char *end = strstr(head->clean, "\r\n\r\n");
    if (!end || end[4] != '\0' || head->target[0] != '/' || !strstr(head->clean, "\r\nContent-Length: 0\r\n"))
        abort();
    if ((head->chunked && head->length >= 0) || head->length < -1)
        abort();
    const struct route *route;
    char params[ROUTE_PARAMS][ROUTE_PARAM_SIZE], allow[ROUTE_ALLOW_SIZE];
    route_find(&route, params, allow, routes, head->method, head->target);
}

static void read_body(const uint8_t *data, size_t size)
{
    struct evbuffer *in = evbuffer_new(), *out = evbuffer_new();
    struct chunked chunked = {0};
    int result = 0;
    for (size_t at = 0; at < size && result == 0; at += 7) {
        evbuffer_add(in, data + at, size - at < 7 ? size - at : 7);
        result = chunked_decode(&chunked, in, out);
        if (evbuffer_get_length(out) > size)
            abort();
    }
    evbuffer_free(in);
    evbuffer_free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memmem(data, size, "\r\n\r\n", 4);
    size_t length = end ? (size_t)(end - data) + 4 : size;
    struct head head;
    if (length <= HEAD_MAX_BYTES) {
        if (head_parse(&head, (const char *)data, length) == HEAD_OK)
            check(&head);
        head_clear(&head);
    }
    read_body(data + length, size - length);
    return 0;
}
