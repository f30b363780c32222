/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fingerprints of requests, for Idempotency-Key. */
#include "web/fingerprint.h"

#include "server/base/str.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>

#define VECTORS 16

/* A text with its length before it, so that "ab","c" and "a","bc" differ. */
static void hash_text(crypto_hash_sha256_state *state, const char *text, size_t size)
{
    uint64_t length = size;

    crypto_hash_sha256_update(state, (const unsigned char *)&length, sizeof length);
    crypto_hash_sha256_update(state, (const unsigned char *)text, size);
}

static void begin(crypto_hash_sha256_state *state, const char *method, const char *path)
{
    crypto_hash_sha256_init(state);
    hash_text(state, method, strlen(method));
    hash_text(state, path, strlen(path));
}

static void end(char text[FINGERPRINT_SIZE], crypto_hash_sha256_state *state)
{
    unsigned char hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256_final(state, hash);
    str_hex(text, hash, sizeof hash);
}

void fingerprint_body(char text[FINGERPRINT_SIZE], const char *method, const char *path, struct evbuffer *body)
{
    crypto_hash_sha256_state state;
    struct evbuffer_iovec vectors[VECTORS];
    size_t done = 0, size = evbuffer_get_length(body);

    begin(&state, method, path);
    while (done < size) {
        struct evbuffer_ptr at;
        evbuffer_ptr_set(body, &at, done, EVBUFFER_PTR_SET);
        int count = evbuffer_peek(body, -1, &at, vectors, VECTORS);
        for (int i = 0; i < count && i < VECTORS; i++) {
            crypto_hash_sha256_update(&state, vectors[i].iov_base, vectors[i].iov_len);
            done += vectors[i].iov_len;
        }
        if (count <= 0)
            break;
    }
    end(text, &state);
}

void fingerprint_form(char text[FINGERPRINT_SIZE], const char *method, const char *path, const struct multipart *form)
{
    crypto_hash_sha256_state state;

    begin(&state, method, path);
    for (int i = 0; i < form->count; i++) {
        const struct multipart_part *part = &form->parts[i];
        const char *filename = part->filename ? part->filename : "";
        hash_text(&state, part->name, strlen(part->name));
        hash_text(&state, filename, strlen(filename));
        hash_text(&state, part->data, part->size);
    }
    end(text, &state);
}
