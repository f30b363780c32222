/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A token is base64url of: version, copy, five octets of seconds since 1970, the fax's id, and the MAC of all these. */
#include "config.h" /* O_NOFOLLOW */

#include "web/link_token.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN_VERSION 1
#define ID_AT         7
#define MAC_SIZE      crypto_auth_hmacsha256_BYTES
#define ENCODING      sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define MOST          (ID_AT + FAX_ID_SIZE + MAC_SIZE)

_Static_assert(crypto_auth_hmacsha256_KEYBYTES == LINK_SECRET_SIZE, "the secret is the key of the MAC");
_Static_assert((MOST + 2) / 3 * 4 < LINK_TOKEN_SIZE, "any token fits");

/* --- tokens --- */

char *link_token_write(char token[LINK_TOKEN_SIZE], const struct link *link,
                       const unsigned char secret[LINK_SECRET_SIZE])
{
    unsigned char octets[MOST] = {TOKEN_VERSION, (unsigned char)link->copy};
    size_t size = ID_AT + strlen(link->fax);
    int64_t at_s = link->expires_at / 1000;

    for (int i = 0; i < 5; i++)
        octets[2 + i] = (unsigned char)(at_s >> (32 - 8 * i));
    memcpy(octets + ID_AT, link->fax, strlen(link->fax));
    crypto_auth_hmacsha256(octets + size, octets, size, secret);
    return sodium_bin2base64(token, LINK_TOKEN_SIZE, octets, size + MAC_SIZE, ENCODING);
}

/* libsodium 1.0.18 takes some octets past ASCII for letters: a link has one form only. */
static bool is_plain(const char *token)
{
    return token[strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")] == '\0';
}

int link_token_read(struct link *link, const char *token, const unsigned char secret[LINK_SECRET_SIZE])
{
    unsigned char octets[MOST];
    const char *end;
    size_t size;
    int64_t at_s = 0;

    *link = (struct link){.copy = LINK_PDF};
    if (!is_plain(token) ||
        sodium_base642bin(octets, sizeof octets, token, strlen(token), NULL, &size, &end, ENCODING) != 0 || *end ||
        size <= ID_AT + MAC_SIZE || size - ID_AT - MAC_SIZE >= sizeof link->fax)
        return err_set(ERR_NOT_FOUND, "no such link");
    size -= MAC_SIZE;
    if (crypto_auth_hmacsha256_verify(octets + size, octets, size, secret) != 0)
        return err_set(ERR_NOT_FOUND, "no such link");
    if (octets[0] != TOKEN_VERSION || octets[1] < LINK_PDF || octets[1] > LINK_ORIGINAL)
        return err_set(ERR_NOT_FOUND, "no such link");
    for (int i = 0; i < 5; i++)
        at_s = at_s << 8 | octets[2 + i];
    link->copy = (enum link_copy)octets[1];
    link->expires_at = at_s * 1000;
    memcpy(link->fax, octets + ID_AT, size - ID_AT);
    link->fax[size - ID_AT] = '\0';
    return 0;
}

/* --- the secret --- */

static int sync_folder_of(const char *path)
{
    char *folder = xstrdup(path), *slash = strrchr(folder, '/');
    int fd, error = -1;

    if (slash)
        *slash = '\0';
    fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        error = fsync(fd);
        close(fd);
    }
    free(folder);
    return error;
}

/* Whole or not at all, and never to be lost once a link was given out. */
static int make_secret(unsigned char secret[LINK_SECRET_SIZE], const char *path)
{
    char *fresh = xasprintf("%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600), error = 0;

    randombytes_buf(secret, LINK_SECRET_SIZE);
    if (fd < 0 || fchmod(fd, 0600) < 0 || write(fd, secret, LINK_SECRET_SIZE) != LINK_SECRET_SIZE || fsync(fd) < 0 ||
        rename(fresh, path) < 0 || sync_folder_of(path) < 0)
        error = err_set(ERR_IO, "cannot write %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(fresh);
    return error;
}

int link_secret_open(unsigned char secret[LINK_SECRET_SIZE], const char *path)
{
    unsigned char octets[LINK_SECRET_SIZE + 1];
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t size;

    if (fd < 0 && errno == ENOENT)
        return make_secret(secret, path);
    if (fd < 0)
        return err_set(ERR_IO, "cannot read %s: %s", path, strerror(errno));
    size = read(fd, octets, sizeof octets);
    close(fd);
    if (size != LINK_SECRET_SIZE)
        return err_set(ERR_INVALID, "%s does not hold %d octets: remove it, which ends all links, and start again",
                       path, LINK_SECRET_SIZE);
    memcpy(secret, octets, LINK_SECRET_SIZE);
    sodium_memzero(octets, sizeof octets);
    return 0;
}
