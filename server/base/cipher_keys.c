/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and makes key files. What is in one is told to nobody: messages name the line, the length and the id. */
#include "config.h"

#include "server/base/cipher_keys.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_SIZE 128 /* a key is 44 characters, or 64 */

struct cipher_key {
    unsigned char octets[CIPHER_KEY_SIZE];
    char id[CIPHER_KEY_ID_SIZE];
};

struct cipher_keys {
    int count;
    struct cipher_key list[CIPHER_KEYS_MAX + 1]; /* the last for a key too many, while it is looked at */
};

/* --- a line --- */

static void name_key(struct cipher_key *key)
{
    static const unsigned char purpose[] = "faxd key id";
    unsigned char hash[crypto_generichash_BYTES];

    crypto_generichash(hash, sizeof hash, purpose, sizeof purpose - 1, key->octets, sizeof key->octets);
    str_hex(key->id, hash, (CIPHER_KEY_ID_SIZE - 1) / 2);
}

/* The octets of a line, or 0 when it is neither base64 nor hexadecimal. What looks like both is hexadecimal: base64 of
 * 64 characters is 48 octets, which is no key. */
static size_t decode(unsigned char *octets, size_t size, const char *line, size_t length)
{
    size_t got;

    if (sodium_hex2bin(octets, size, line, length, NULL, &got, NULL) == 0 && got * 2 == length)
        return got;
    if (sodium_base642bin(octets, size, line, length, NULL, &got, NULL, sodium_base64_VARIANT_ORIGINAL) == 0)
        return got;
    return 0;
}

static int add_line(struct cipher_keys *keys, const char *line, size_t length, const char *name, int number)
{
    unsigned char octets[LINE_SIZE];
    struct cipher_key *key = &keys->list[keys->count];
    size_t size = length < LINE_SIZE ? decode(octets, sizeof octets, line, length) : 0;
    int error = 0;

    if (size != CIPHER_KEY_SIZE)
        error = err_set(ERR_INVALID,
                        "%s:%d: this is no key: a key is 32 octets, written as 44 characters of base64 or 64 of "
                        "hexadecimal, and this line has %zu octets in %zu characters; faxd --make-key FILE makes one",
                        name, number, size, length);
    else if (keys->count == CIPHER_KEYS_MAX)
        error = err_set(ERR_TOO_BIG, "%s:%d: more than %d keys: faxd --rotate-documents, then remove the old ones",
                        name, number, CIPHER_KEYS_MAX);
    if (error == 0) {
        memcpy(key->octets, octets, sizeof key->octets);
        name_key(key);
        if (cipher_keys_has(keys, key->id))
            error = err_set(ERR_INVALID, "%s:%d: key %s is there twice", name, number, key->id);
        else
            keys->count++;
    }
    sodium_memzero(octets, sizeof octets);
    return error;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

int cipher_keys_parse(struct cipher_keys **out, const char *text, size_t size, const char *name)
{
    const char *at = text, *end = text + size;
    struct cipher_keys *keys;
    int error = 0;

    if (sodium_init() < 0 || (keys = sodium_malloc(sizeof *keys)) == NULL)
        return err_set(ERR_INTERNAL, "no protected memory for the keys of %s", name);
    sodium_memzero(keys, sizeof *keys);
    for (int number = 1; at < end && error == 0; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at)), *last = newline != NULL ? newline : end;
        const char *next = newline != NULL ? newline + 1 : end;

        while (at < last && is_blank(*at))
            at++;
        while (last > at && is_blank(last[-1]))
            last--;
        if (last > at && *at != '#')
            error = add_line(keys, at, (size_t)(last - at), name, number);
        at = next;
    }
    if (error == 0 && keys->count == 0)
        error = err_set(ERR_INVALID, "%s: there is no key in it; faxd --make-key FILE makes one", name);
    if (error != 0)
        cipher_keys_free(keys);
    else
        *out = keys;
    return error;
}

/* --- a file --- */

static int check_mode(int fd, const char *path, enum cipher_keys_access access, struct stat *status)
{
    mode_t others = access == CIPHER_KEYS_CREDENTIAL ? 0027 : 0077;

    if (fstat(fd, status) != 0)
        return err_set(ERR_IO, "cannot look at %s: %s", path, strerror(errno));
    if (!S_ISREG(status->st_mode))
        return err_set(ERR_INVALID, "%s is no file", path);
    if ((status->st_mode & others) != 0)
        return err_set(ERR_DENIED, "key file %s is open to others (mode %04o): chmod 600 %s", path,
                       (unsigned)status->st_mode & 07777, path);
    if (status->st_size > CIPHER_KEY_FILE_MAX)
        return err_set(ERR_TOO_BIG, "key file %s has more than %d octets", path, CIPHER_KEY_FILE_MAX);
    return 0;
}

static int check_owner(const struct stat *status, const char *path)
{
    if (status->st_uid == geteuid() || status->st_uid == 0)
        return 0;
    return err_set(ERR_DENIED, "key file %s belongs to user %u: it has to be ours or root's: chown %u %s", path,
                   (unsigned)status->st_uid, (unsigned)geteuid(), path);
}

/* The text of an open key file, in protected memory: the caller frees with sodium_free. */
static int read_text(char **text, size_t *size, int fd, const char *path)
{
    ssize_t got = 0;

    *size = 0;
    *text = sodium_init() < 0 ? NULL : sodium_malloc(CIPHER_KEY_FILE_MAX);
    if (*text == NULL)
        return err_set(ERR_INTERNAL, "no protected memory for the keys of %s", path);
    while (*size < CIPHER_KEY_FILE_MAX && (got = read(fd, *text + *size, CIPHER_KEY_FILE_MAX - *size)) > 0)
        *size += (size_t)got;
    if (got >= 0)
        return 0;
    sodium_free(*text);
    *text = NULL;
    return err_set(ERR_IO, "cannot read %s: %s", path, strerror(errno));
}

int cipher_keys_load(struct cipher_keys **out, const char *path, enum cipher_keys_access access)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    char *text = NULL;
    size_t size;
    int error;

    if (fd < 0)
        return err_set(ERR_IO, "cannot open key file %s: %s", path, strerror(errno));
    error = check_mode(fd, path, access, &status);
    if (error == 0)
        error = check_owner(&status, path);
    if (error == 0)
        error = read_text(&text, &size, fd, path);
    if (error == 0)
        error = cipher_keys_parse(out, text, size, path);
    sodium_free(text);
    close(fd);
    return error;
}

void cipher_keys_free(struct cipher_keys *keys)
{
    sodium_free(keys); /* wipes it */
}

/* --- a new key --- */

static int sync_folder_of(const char *path)
{
    char *folder = xstrdup(path), *slash = strrchr(folder, '/');
    int fd, error = 0;

    if (slash != NULL)
        slash[slash == folder] = '\0';
    fd = open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        error = err_set(ERR_IO, "cannot sync the folder of %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(folder);
    return error;
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);

        if (written < 0 && errno != EINTR)
            return -1;
        if (written > 0) {
            data += written;
            size -= (size_t)written;
        }
    }
    return 0;
}

/* The new key's line, and the old text below it; `owner` NULL = whoever we are. */
static int replace(const char *path, const char *line, const char *old, size_t old_size, const struct stat *owner)
{
    char *temporary = xasprintf("%s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int error = 0;

    if (fd < 0) {
        error = err_set(ERR_IO, "cannot make %s: %s", temporary, strerror(errno));
        free(temporary);
        return error;
    }
    if (fchmod(fd, 0600) != 0 || (owner != NULL && fchown(fd, owner->st_uid, owner->st_gid) != 0) ||
        write_all(fd, line, strlen(line)) != 0 || write_all(fd, old, old_size) != 0 || fsync(fd) != 0 ||
        rename(temporary, path) != 0) {
        error = err_set(errno == ENOSPC ? ERR_FULL : ERR_IO, "cannot write %s: %s", path, strerror(errno));
        unlink(temporary);
    }
    close(fd);
    free(temporary);
    return error == 0 ? sync_folder_of(path) : error;
}

/* The file that is there has to be right: a new key above a line that nobody can read would keep faxd from starting.
 * Its owner is kept: root makes keys for the user of the service. */
static int read_old(char **text, size_t *size, struct stat *status, const char *path)
{
    struct cipher_keys *keys = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int error;

    if (fd < 0)
        return err_set(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open %s: %s", path, strerror(errno));
    error = check_mode(fd, path, CIPHER_KEYS_OWNER, status);
    if (error == 0)
        error = read_text(text, size, fd, path);
    if (error == 0)
        error = cipher_keys_parse(&keys, *text, *size, path);
    cipher_keys_free(keys);
    close(fd);
    return error;
}

int cipher_keys_make(char id[CIPHER_KEY_ID_SIZE], const char *path)
{
    struct cipher_key key;
    struct stat status;
    char line[LINE_SIZE], *old = NULL;
    size_t old_size = 0;
    int error = read_old(&old, &old_size, &status, path);
    bool is_new = error == ERR_NOT_FOUND;

    if (is_new)
        error = sodium_init() < 0 ? err_set(ERR_INTERNAL, "libsodium cannot start") : 0;
    if (error == 0) {
        randombytes_buf(key.octets, sizeof key.octets);
        name_key(&key);
        sodium_bin2base64(line, sizeof line - 1, key.octets, sizeof key.octets, sodium_base64_VARIANT_ORIGINAL);
        memcpy(line + strlen(line), "\n", 2);
        error = replace(path, line, old, old_size, is_new ? NULL : &status);
        memcpy(id, key.id, sizeof key.id);
        sodium_memzero(&key, sizeof key);
        sodium_memzero(line, sizeof line);
    }
    sodium_free(old);
    return error;
}

/* --- looking --- */

const char *cipher_keys_newest(const struct cipher_keys *keys)
{
    return keys->list[0].id;
}

const unsigned char *cipher_keys_find(const struct cipher_keys *keys, const char *id)
{
    for (int i = 0; keys != NULL && i < keys->count; i++)
        if (strcmp(keys->list[i].id, id) == 0)
            return keys->list[i].octets;
    return NULL;
}

bool cipher_keys_has(const struct cipher_keys *keys, const char *id)
{
    return cipher_keys_find(keys, id) != NULL;
}
