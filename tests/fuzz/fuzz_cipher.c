/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: encrypted files and key files. The first octet chooses:
 *
 *   'f'   the rest is a file to decrypt, label "x"
 *   'm'   four octets (place, place, xor, cut) and content: what is encrypted comes back; changed or cut it does not
 *   else  the rest is the text of a key file
 */
#include "config.h" /* memfd_create */

#include "server/base/cipher_file.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

static struct cipher_keys *keys;

static void must(bool good)
{
    if (!good)
        abort();
}

static int memory_of(const void *data, size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    return fd;
}

static void decrypt(const uint8_t *data, size_t size)
{
    int fd = memory_of(data, size), memory = -1;
    char id[CIPHER_KEY_ID_SIZE];
    int found = cipher_file_probe(id, fd, "file");
    int error = cipher_file_open(&memory, fd, keys, "x", "file");

    must(error != 0 || found == 1);
    must((error == 0) == (memory >= 0));
    if (error == 0) {
        must(cipher_file_size(lseek(memory, 0, SEEK_END)) == (int64_t)size);
        close(memory);
    } else {
        must(err_message()[0] != '\0');
    }
    close(fd);
}

static void check_content(int memory, const uint8_t *content, size_t size)
{
    uint8_t *got = malloc(size + 1);

    must(got != NULL && pread(memory, got, size + 1, 0) == (ssize_t)size);
    must(memcmp(got, content, size) == 0);
    free(got);
    close(memory);
}

static void change(const uint8_t *how, const uint8_t *content, size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC), memory = -1, error;
    off_t whole = cipher_file_size((int64_t)size), at = (how[0] << 8 | how[1]) % whole;
    uint8_t octet;

    must(cipher_file_write(fd, content, size, keys, "x", "file") == 0);
    must(lseek(fd, 0, SEEK_END) == whole);
    must(pread(fd, &octet, 1, at) == 1);
    octet ^= how[2];
    must(pwrite(fd, &octet, 1, at) == 1);
    must(ftruncate(fd, how[3] < whole ? whole - how[3] : 0) == 0);
    error = cipher_file_open(&memory, fd, keys, "x", "file");
    must((error == 0) == (how[2] == 0 && how[3] == 0));
    if (error == 0)
        check_content(memory, content, size);
    close(fd);
}

static void read_keys(const uint8_t *data, size_t size)
{
    struct cipher_keys *read = NULL;

    if (cipher_keys_parse(&read, (const char *)data, size, "keys") == 0)
        must(cipher_keys_has(read, cipher_keys_newest(read)));
    else
        must(read == NULL && err_message()[0] != '\0');
    cipher_keys_free(read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (keys == NULL)
        must(cipher_keys_parse(&keys, KEY, strlen(KEY), "keys") == 0);
    if (size > 0 && data[0] == 'f')
        decrypt(data + 1, size - 1);
    else if (size >= 5 && data[0] == 'm')
        change(data + 1, data + 5, size - 5);
    else if (size > 0)
        read_keys(data + 1, size - 1);
    return 0;
}
