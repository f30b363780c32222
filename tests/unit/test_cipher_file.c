/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about encrypted files: what went in comes out, and nothing else ever does. */
#include "config.h" /* memfd_create */

#include "server/base/cipher_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/base/err.h"
#include "tests/lib/facts.h"

#define FIRST  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define SECOND "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8=\n" /* differs in the last octet */
#define SEALED (CIPHER_FILE_PIECE + CIPHER_FILE_EXTRA)

static struct cipher_keys *keys_of(const char *text)
{
    struct cipher_keys *keys = NULL;

    assert_int_equal(cipher_keys_parse(&keys, text, strlen(text), "keys"), 0);
    return keys;
}

static int memory_of(const void *data, size_t size)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    return fd;
}

/* The whole content of a descriptor, read by its offset: the caller frees. */
static unsigned char *content_of(size_t *size, int fd)
{
    off_t length = lseek(fd, 0, SEEK_END);
    unsigned char *octets = malloc((size_t)length + 1);

    assert_non_null(octets);
    assert_int_equal(pread(fd, octets, (size_t)length, 0), length);
    *size = (size_t)length;
    return octets;
}

static unsigned char *content_made(size_t size)
{
    unsigned char *octets = malloc(size + 1);

    assert_non_null(octets);
    for (size_t i = 0; i < size; i++)
        octets[i] = (unsigned char)(i * 31 + (i >> 8) * 7 + (i >> 16));
    return octets;
}

/* An encrypted file of made content under label "name". */
static int sealed_of(size_t size, const struct cipher_keys *keys)
{
    unsigned char *content = content_made(size);
    int fd = memfd_create("sealed", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(cipher_file_write(fd, content, size, keys, "name", "the file"), 0);
    free(content);
    return fd;
}

static void holds(int fd, const struct cipher_keys *keys, size_t size)
{
    unsigned char *wanted = content_made(size), *got;
    size_t got_size;
    int memory = -1;

    assert_int_equal(cipher_file_open(&memory, fd, keys, "name", "the file"), 0);
    assert_int_equal(fcntl(memory, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(lseek(memory, 0, SEEK_CUR), 0);
    got = content_of(&got_size, memory);
    assert_int_equal(got_size, size);
    assert_memory_equal(got, wanted, size);
    free(got);
    free(wanted);
    close(memory);
}

/* It is refused with this code, the message holds the word, and no descriptor is left. */
static void refused(int fd, const struct cipher_keys *keys, int code, const char *word)
{
    int before = facts_open_descriptors(), memory = -2;

    assert_int_equal(cipher_file_open(&memory, fd, keys, "name", "the file"), code);
    if (strstr(err_message(), word) == NULL)
        fail_msg("'%s' is not in: %s", word, err_message());
    assert_int_equal(memory, -2);
    assert_int_equal(facts_open_descriptors(), before);
}

static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 2 * 65536, 2 * 65536 + 1, 50 * 65536 + 123};

static void every_size_comes_back_as_it_was(void **state)
{
    struct cipher_keys *keys = keys_of(FIRST);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        int fd = sealed_of(sizes[i], keys);

        assert_int_equal(lseek(fd, 0, SEEK_END), cipher_file_size((int64_t)sizes[i]));
        holds(fd, keys, sizes[i]);
        close(fd);
    }
    cipher_keys_free(keys);
}

static void a_descriptor_is_encrypted_as_its_octets_are(void **state)
{
    struct cipher_keys *keys = keys_of(FIRST);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        unsigned char *content = content_made(sizes[i]);
        int from = memory_of(content, sizes[i]), to = memfd_create("sealed", MFD_CLOEXEC);

        assert_int_equal(cipher_file_copy(to, from, keys, "name", "the file"), 0);
        assert_int_equal(lseek(to, 0, SEEK_END), cipher_file_size((int64_t)sizes[i]));
        holds(to, keys, sizes[i]);
        free(content);
        close(from);
        close(to);
    }
    cipher_keys_free(keys);
}

static void two_files_of_one_content_have_nothing_in_common(void **state)
{
    struct cipher_keys *keys = keys_of(FIRST);
    int one = sealed_of(1000, keys), two = sealed_of(1000, keys);
    unsigned char *plain = content_made(1000), *a, *b;
    size_t a_size, b_size;

    (void)state;
    a = content_of(&a_size, one);
    b = content_of(&b_size, two);
    assert_memory_equal(a, b, 17); /* magic, version, key */
    assert_memory_not_equal(a + 17, b + 17, 24);
    assert_memory_not_equal(a + CIPHER_FILE_HEADER, b + CIPHER_FILE_HEADER, 16);
    for (size_t at = 0; at + 16 <= 1000; at++)
        assert_null(memmem(a, a_size, plain + at, 16));
    free(plain);
    free(a);
    free(b);
    close(one);
    close(two);
    cipher_keys_free(keys);
}

static void each_changed_octet_is_found(void **state)
{
    struct cipher_keys *keys = keys_of(FIRST);
    int fd = sealed_of(2, keys);
    size_t size;
    unsigned char *octets = content_of(&size, fd);

    (void)state;
    for (size_t i = 0; i < size; i++) {
        octets[i] ^= 0x10;
        int changed = memory_of(octets, size), memory = -1;
        int code = cipher_file_open(&memory, changed, keys, "name", "the file");

        octets[i] ^= 0x10;
        close(changed);
        if (i < 9) /* magic: no encrypted file; version: another one */
            assert_int_equal(code, ERR_UNSUPPORTED);
        else
            assert_int_equal(code, i < 17 ? ERR_DENIED : ERR_INVALID);
    }
    free(octets);
    close(fd);
    cipher_keys_free(keys);
}

static void each_cut_is_found(void **state)
{
    static const struct {
        size_t size;
        int code;
        const char *word;
    } cuts[] = {
        {0, ERR_UNSUPPORTED, "is not encrypted"},
        {7, ERR_UNSUPPORTED, "is not encrypted"},
        {8, ERR_INVALID, "cut short"},
        {CIPHER_FILE_HEADER - 1, ERR_INVALID, "cut short"},
        {CIPHER_FILE_HEADER, ERR_INVALID, "cut short"},
        {CIPHER_FILE_HEADER + 16, ERR_INVALID, "cut short"},
        {CIPHER_FILE_HEADER + 17, ERR_INVALID, "piece 1 cannot be proved"},
        {CIPHER_FILE_HEADER + SEALED - 1, ERR_INVALID, "cut short"},
        {CIPHER_FILE_HEADER + SEALED, ERR_INVALID, "its last piece is missing"},
        {CIPHER_FILE_HEADER + SEALED + 5, ERR_INVALID, "its last piece is missing"},
        {CIPHER_FILE_HEADER + 2 * SEALED, ERR_INVALID, "its last piece is missing"},
        {CIPHER_FILE_HEADER + 2 * SEALED + 20, ERR_INVALID, "piece 3 cannot be proved"},
    };
    struct cipher_keys *keys = keys_of(FIRST);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cuts); i++) {
        int fd = sealed_of(2 * CIPHER_FILE_PIECE + 100, keys);

        assert_int_equal(ftruncate(fd, (off_t)cuts[i].size), 0);
        refused(fd, keys, cuts[i].code, cuts[i].word);
        close(fd);
    }
    cipher_keys_free(keys);
}

static void pieces_in_another_order_or_twice_are_found(void **state)
{
    static const int orders[][3] = {{1, 0, 2}, {0, 0, 2}, {0, 2, 1}, {0, 1, 1}, {1, 1, 1}};
    struct cipher_keys *keys = keys_of(FIRST);
    int fd = sealed_of(3 * CIPHER_FILE_PIECE, keys);
    size_t size;
    unsigned char *octets = content_of(&size, fd);

    (void)state;
    holds(fd, keys, 3 * CIPHER_FILE_PIECE);
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        int mixed = memory_of(octets, CIPHER_FILE_HEADER);

        for (int k = 0; k < 3; k++)
            assert_int_equal(write(mixed, octets + CIPHER_FILE_HEADER + orders[i][k] * SEALED, SEALED), SEALED);
        refused(mixed, keys, ERR_INVALID, "cannot be proved");
        close(mixed);
    }
    free(octets);
    close(fd);
    cipher_keys_free(keys);
}

static void what_follows_the_end_is_found(void **state)
{
    struct cipher_keys *keys = keys_of(FIRST);
    int small = sealed_of(10, keys), full = sealed_of(CIPHER_FILE_PIECE, keys);

    (void)state;
    lseek(small, 0, SEEK_END);
    lseek(full, 0, SEEK_END);
    assert_int_equal(write(small, "x", 1), 1);
    assert_int_equal(write(full, "x", 1), 1);
    refused(small, keys, ERR_INVALID, "cannot be proved");
    refused(full, keys, ERR_INVALID, "something follows its last piece");
    close(small);
    close(full);
    cipher_keys_free(keys);
}

static void a_file_in_the_place_of_another_is_found(void **state)
{
    struct cipher_keys *keys = keys_of(FIRST);
    int fd = sealed_of(10, keys), memory;

    (void)state;
    assert_int_equal(cipher_file_open(&memory, fd, keys, "other", "the file"), ERR_INVALID);
    assert_non_null(strstr(err_message(), "not the file of this name"));
    close(fd);
    cipher_keys_free(keys);
}

static void a_key_that_is_missing_is_named(void **state)
{
    struct cipher_keys *one = keys_of(FIRST), *two = keys_of(SECOND);
    int fd = sealed_of(10, one);

    (void)state;
    refused(fd, two, ERR_DENIED, cipher_keys_newest(one));
    refused(fd, NULL, ERR_DENIED, cipher_keys_newest(one));
    close(fd);
    cipher_keys_free(one);
    cipher_keys_free(two);
}

static void old_keys_decrypt_and_the_newest_encrypts(void **state)
{
    struct cipher_keys *old = keys_of(FIRST), *both = keys_of(SECOND FIRST), *new = keys_of(SECOND);
    int before = sealed_of(70000, old), after = sealed_of(70000, both);

    (void)state;
    holds(before, both, 70000);
    holds(after, both, 70000);
    holds(after, new, 70000);
    refused(after, old, ERR_DENIED, cipher_keys_newest(new));
    close(before);
    close(after);
    cipher_keys_free(old);
    cipher_keys_free(both);
    cipher_keys_free(new);
}

static void a_plain_file_is_told_apart(void **state)
{
    static const char almost[] = {(char)0x8e, 'f', 'a', 'x', 'd', '\0'};
    static const char *const plain[] = {"", "II*", "%PDF-1.7 and more than a header's worth of text in it", almost};
    struct cipher_keys *keys = keys_of(FIRST);
    char id[CIPHER_KEY_ID_SIZE] = "untouched";

    (void)state;
    for (size_t i = 0; i < COUNT_OF(plain); i++) {
        int fd = memory_of(plain[i], strlen(plain[i]));

        assert_int_equal(cipher_file_probe(id, fd, "the file"), 0);
        assert_string_equal(id, "untouched");
        refused(fd, keys, ERR_UNSUPPORTED, "is not encrypted");
        close(fd);
    }
    int fd = sealed_of(5, keys);
    off_t place = lseek(fd, 0, SEEK_CUR);
    assert_int_equal(cipher_file_probe(id, fd, "the file"), 1);
    assert_string_equal(id, cipher_keys_newest(keys));
    assert_int_equal(lseek(fd, 0, SEEK_CUR), place);
    close(fd);
    cipher_keys_free(keys);
}

static void another_version_is_told(void **state)
{
    struct cipher_keys *keys = keys_of(FIRST);
    int fd = sealed_of(5, keys);

    (void)state;
    assert_int_equal(pwrite(fd, "\x02", 1, 8), 1);
    refused(fd, keys, ERR_UNSUPPORTED, "version 2");
    close(fd);
    cipher_keys_free(keys);
}

static void what_was_decrypted_cannot_be_changed(void **state)
{
    struct cipher_keys *keys = keys_of(FIRST);
    int fd = sealed_of(5, keys), memory;

    (void)state;
    assert_int_equal(cipher_file_open(&memory, fd, keys, "name", "the file"), 0);
    assert_int_equal(write(memory, "x", 1), -1);
    assert_int_equal(ftruncate(memory, 0), -1);
    close(memory);
    close(fd);
    cipher_keys_free(keys);
}

static void a_disk_without_room_is_told(void **state)
{
    struct cipher_keys *keys = keys_of(FIRST);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    (void)state;
    assert_true(full >= 0);
    assert_int_equal(cipher_file_write(full, "abc", 3, keys, "name", "the file"), ERR_FULL);
    assert_int_equal(cipher_file_copy(-1, -1, keys, "name", "the file"), ERR_IO);
    close(full);
    cipher_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(every_size_comes_back_as_it_was),
        cmocka_unit_test(a_descriptor_is_encrypted_as_its_octets_are),
        cmocka_unit_test(two_files_of_one_content_have_nothing_in_common),
        cmocka_unit_test(each_changed_octet_is_found),
        cmocka_unit_test(each_cut_is_found),
        cmocka_unit_test(pieces_in_another_order_or_twice_are_found),
        cmocka_unit_test(what_follows_the_end_is_found),
        cmocka_unit_test(a_file_in_the_place_of_another_is_found),
        cmocka_unit_test(a_key_that_is_missing_is_named),
        cmocka_unit_test(old_keys_decrypt_and_the_newest_encrypts),
        cmocka_unit_test(a_plain_file_is_told_apart),
        cmocka_unit_test(another_version_is_told),
        cmocka_unit_test(what_was_decrypted_cannot_be_changed),
        cmocka_unit_test(a_disk_without_room_is_told),
    };
    return cmocka_run_group_tests_name("cipher_file", facts, NULL, NULL);
}
