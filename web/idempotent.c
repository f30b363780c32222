/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Idempotency keys. What makes two requests the same: method, path and body; of a form its parts in their order, since
 * clients choose a new boundary each time. */
#include "web/idempotent.h"

#include "spool/idempotency.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/str.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define VECTORS 16

/* A text with its length before it, so that "ab","c" and "a","bc" differ. */
static void hash_text(crypto_hash_sha256_state *state, const char *text, size_t size)
{
    uint64_t length = size;

    crypto_hash_sha256_update(state, (const unsigned char *)&length, sizeof length);
    crypto_hash_sha256_update(state, (const unsigned char *)text, size);
}

static void hash_form(crypto_hash_sha256_state *state, const struct multipart *form)
{
    for (int i = 0; i < form->count; i++) {
        const struct multipart_part *part = &form->parts[i];
        hash_text(state, part->name, strlen(part->name));
        hash_text(state, part->filename ? part->filename : "", part->filename ? strlen(part->filename) : 0);
        hash_text(state, part->data, part->size);
    }
}

static void hash_body(crypto_hash_sha256_state *state, struct evbuffer *body)
{
    struct evbuffer_iovec vectors[VECTORS];
    struct evbuffer_ptr at;
    size_t done = 0, size = evbuffer_get_length(body);

    while (done < size) {
        evbuffer_ptr_set(body, &at, done, EVBUFFER_PTR_SET);
        int count = evbuffer_peek(body, -1, &at, vectors, VECTORS);
        for (int i = 0; i < count && i < VECTORS; i++) {
            crypto_hash_sha256_update(state, vectors[i].iov_base, vectors[i].iov_len);
            done += vectors[i].iov_len;
        }
        if (count <= 0)
            return;
    }
}

static bool fingerprint(struct request *request)
{
    crypto_hash_sha256_state state;
    unsigned char hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256_init(&state);
    hash_text(&state, request->method, strlen(request->method));
    hash_text(&state, request->path, strlen(request->path));
    if (request_is_form(request)) {
        if (!request_form(request))
            return false;
        hash_form(&state, &request->form);
    } else {
        hash_body(&state, gate_body(request->gate));
    }
    crypto_hash_sha256_final(&state, hash);
    str_hex(request->fingerprint, hash, sizeof hash);
    return true;
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
    const char *key = request_header_in(request, "Idempotency-Key");
    struct idempotency_reply stored = {0};
    int result;

    if (!key || strcmp(request->method, "POST") != 0)
        return true;
    if (!*key || !str_copy(request->idempotency_key, sizeof request->idempotency_key, key)) {
        request_problem(request, 400, "invalid_idempotency_key", "an Idempotency-Key has 1 to 255 octets");
        return false;
    }
    if (request->route->flags & ROUTE_SECRET) {
        request_problem(request, 422, "idempotency_not_possible",
                        "this reply holds a secret that is shown once and not kept; send no Idempotency-Key here");
        return false;
    }
    if (!fingerprint(request))
        return false;
    result = idempotency_find(&stored, request->web->options.spool, request->key.id, key, request->fingerprint);
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
    result =
        idempotency_store(request->web->options.spool, request->key.id, request->idempotency_key, request->fingerprint,
                          request->status, body, request->location ? request->location : "", request->keep_reply_until);
    free(body);
    return result;
}
