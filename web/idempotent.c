/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Idempotency keys: a reply is kept with what it tells of, in one transaction. */
#include "web/idempotent.h"

#include "spool/idempotency.h"
#include "web/access.h"
#include "web/fingerprint.h"
#include "web/request.h"
#include "web/upload.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/str.h"

#include <stdlib.h>
#include <string.h>

/* A key whose first request is still being read: its reply is not known yet. */
static bool is_in_progress(const struct request *request)
{
    const struct request *other;

    LIST_FOREACH(other, &request->web->requests, entry)
    {
        if (other != request && other->waiting && access_requester(other) == access_requester(request) &&
            strcmp(other->idempotency_key, request->idempotency_key) == 0)
            return true;
    }
    return false;
}

bool idempotent_key(struct request *request)
{
    const char *key = request_header_in(request, "Idempotency-Key");

    if (!key || strcmp(request->method, "POST") != 0)
        return true;
    if (!*key || !str_copy(request->idempotency_key, sizeof request->idempotency_key, key))
        request_problem(request, 400, "invalid_idempotency_key", "an Idempotency-Key has 1 to 255 octets");
    else if (request->route->flags & ROUTE_SECRET)
        request_problem(request, 422, "idempotency_not_possible",
                        "this reply holds a secret that is shown once and not kept; send no Idempotency-Key here");
    else if (is_in_progress(request))
        request_problem(request, 409, "idempotency_key_in_progress", "a request with this key is still being read");
    else
        return true;
    return false;
}

/* False when there is none: the body could not be read, which the handler will say. */
static bool take_fingerprint(struct request *request)
{
    if (request->upload)
        str_copy(request->fingerprint, sizeof request->fingerprint, request->upload->fingerprint);
    else
        fingerprint_body(request->fingerprint, request->method, request->path, gate_body(request->gate));
    return request->fingerprint[0] != '\0';
}

static void replay(struct request *request, struct idempotency_reply *stored)
{
    request_header(request, "Idempotent-Replayed", "true");
    request_reply_text(request, stored->status, "application/json", stored->body, strlen(stored->body));
    if (stored->location && *stored->location)
        request->location = stored->location;
    else
        free(stored->location);
    free(stored->body);
}

bool idempotent_begin(struct request *request)
{
    struct idempotency_reply stored = {0};
    int result;

    if (!request->idempotency_key[0] || !take_fingerprint(request))
        return true;
    result = idempotency_find(&stored, request_spool(request), access_requester(request), request->idempotency_key,
                              request->fingerprint);
    if (result == ERR_NOT_FOUND)
        return true;
    if (result == 0)
        replay(request, &stored);
    else if (result == ERR_CONFLICT)
        request_problem(request, 422, "idempotency_key_reused", "this Idempotency-Key was used with another request");
    else
        request_error(request, result);
    return false;
}

int idempotent_keep(struct request *request)
{
    size_t size = evbuffer_get_length(request->reply);
    char *body;
    int result;

    if (!request->idempotency_key[0])
        return 0;
    body = malloc(size + 1);
    if (!body)
        return err_set(ERR_INTERNAL, "no memory for a reply of %zu octets", size);
    evbuffer_copyout(request->reply, body, size);
    body[size] = '\0';
    result = idempotency_store(request_spool(request), access_requester(request), request->idempotency_key,
                               request->fingerprint, request->status, body, request->location ? request->location : "",
                               request->keep_reply_until);
    free(body);
    return result;
}
