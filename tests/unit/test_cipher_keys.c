/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about key files. */
#include "config.h"

#include "server/base/cipher_keys.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/err.h"
#include "tests/lib/facts.h"

#define HEX    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define BASE64 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" /* the same key */
#define OTHER  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8="

static int parse(struct cipher_keys **keys, const char *text)
{
    return cipher_keys_parse(keys, text, strlen(text), "keys.txt");
}

static void base64_and_hexadecimal_name_the_same_key(void **state)
{
    struct cipher_keys *one, *two;

    (void)state;
    assert_int_equal(parse(&one, HEX "\n"), 0);
    assert_int_equal(parse(&two, "# made today\r\n\r\n  " BASE64 " \t"), 0);
    assert_string_equal(cipher_keys_newest(one), cipher_keys_newest(two));
    assert_int_equal(strlen(cipher_keys_newest(one)), 16);
    assert_memory_equal(cipher_keys_find(one, cipher_keys_newest(one)), cipher_keys_find(two, cipher_keys_newest(one)),
                        CIPHER_KEY_SIZE);
    assert_int_equal(cipher_keys_find(one, cipher_keys_newest(one))[31], 31);
    cipher_keys_free(one);
    cipher_keys_free(two);
}

static void the_first_line_encrypts_and_all_are_known(void **state)
{
    struct cipher_keys *keys, *old;

    (void)state;
    assert_int_equal(parse(&keys, OTHER "\n" HEX "\n"), 0);
    assert_int_equal(parse(&old, HEX), 0);
    assert_string_not_equal(cipher_keys_newest(keys), cipher_keys_newest(old));
    assert_true(cipher_keys_has(keys, cipher_keys_newest(old)));
    assert_false(cipher_keys_has(old, cipher_keys_newest(keys)));
    assert_false(cipher_keys_has(NULL, cipher_keys_newest(keys)));
    assert_false(cipher_keys_has(keys, ""));
    cipher_keys_free(keys);
    cipher_keys_free(old);
}

static void a_line_that_is_no_key_is_named_and_not_shown(void **state)
{
    static const struct {
        const char *text, *word;
    } faults[] = {
        {"", "there is no key in it"},
        {"# nothing\n\n", "there is no key in it"},
        {"c2hvcnQ=\n", "keys.txt:1: this is no key: a key is 32 octets"},
        {HEX "\nc2hvcnQ=\n", "keys.txt:2:"},
        {"secretsecretsecretsecretsecretsecretsecretse\n", "keys.txt:1:"},
        {HEX "00\n", "33 octets"},
        {"000102\n", "3 octets"},
        {"not a key at all\n", "0 octets in 16 characters"},
        {HEX "\n" BASE64 "\n", "keys.txt:2: key "},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct cipher_keys *keys = NULL;

        assert_int_equal(parse(&keys, faults[i].text), ERR_INVALID);
        assert_null(keys);
        if (strstr(err_message(), faults[i].word) == NULL)
            fail_msg("'%s' is not in: %s", faults[i].word, err_message());
        assert_null(strstr(err_message(), "secret"));
        assert_null(strstr(err_message(), "c2hvcnQ"));
    }
}

static void too_many_keys_are_refused(void **state)
{
    struct cipher_keys *keys = NULL;
    char text[(CIPHER_KEYS_MAX + 1) * 66 + 1], *at = text;

    (void)state;
    for (int i = 0; i <= CIPHER_KEYS_MAX; i++)
        at += sprintf(at, "%064x\n", (unsigned)i + 1);
    assert_int_equal(cipher_keys_parse(&keys, text, (size_t)(at - text), "keys.txt"), ERR_TOO_BIG);
    assert_int_equal(cipher_keys_parse(&keys, text, (size_t)(at - text) - 65, "keys.txt"), 0);
    cipher_keys_free(keys);
}

static void a_file_that_others_can_read_is_refused(void **state)
{
    static const struct {
        mode_t mode;
        enum cipher_keys_access access;
        int code;
    } table[] = {
        {0600, CIPHER_KEYS_OWNER, 0},
        {0400, CIPHER_KEYS_OWNER, 0},
        {0640, CIPHER_KEYS_OWNER, ERR_DENIED},
        {0604, CIPHER_KEYS_OWNER, ERR_DENIED},
        {0620, CIPHER_KEYS_OWNER, ERR_DENIED},
        {0440, CIPHER_KEYS_CREDENTIAL, 0},
        {0400, CIPHER_KEYS_CREDENTIAL, 0},
        {0444, CIPHER_KEYS_CREDENTIAL, ERR_DENIED},
        {0460, CIPHER_KEYS_CREDENTIAL, ERR_DENIED},
    };
    char path[64];
    int fd = facts_temporary_file(path);

    (void)state;
    assert_int_equal(write(fd, HEX "\n", 65), 65);
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct cipher_keys *keys = NULL;

        assert_int_equal(fchmod(fd, table[i].mode), 0);
        assert_int_equal(cipher_keys_load(&keys, path, table[i].access), table[i].code);
        if (table[i].code != 0)
            assert_non_null(strstr(err_message(), "chmod 600"));
        cipher_keys_free(keys);
    }
    close(fd);
    unlink(path);
}

static void the_file_of_another_user_is_refused(void **state)
{
    struct cipher_keys *keys = NULL;
    char path[64], id[CIPHER_KEY_ID_SIZE];
    struct stat status;
    int fd = facts_temporary_file(path);

    (void)state;
    if (geteuid() == 0) { /* only root can make one */
        assert_int_equal(write(fd, HEX "\n", 65), 65);
        assert_int_equal(fchown(fd, 65534, 65534), 0);
        assert_int_equal(cipher_keys_load(&keys, path, CIPHER_KEYS_OWNER), ERR_DENIED);
        assert_non_null(strstr(err_message(), "belongs to user 65534"));
        assert_int_equal(cipher_keys_make(id, path), 0); /* for that user, whose it stays */
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_uid, 65534);
    }
    close(fd);
    unlink(path);
}

static void what_is_no_file_is_told(void **state)
{
    struct cipher_keys *keys = NULL;

    (void)state;
    assert_int_equal(cipher_keys_load(&keys, "/no/such/file", CIPHER_KEYS_OWNER), ERR_IO);
    assert_non_null(strstr(err_message(), "/no/such/file"));
    assert_int_equal(cipher_keys_load(&keys, "/dev/null", CIPHER_KEYS_OWNER), ERR_INVALID);
    assert_null(keys);
}

static void a_new_key_stands_above_the_old_ones(void **state)
{
    char path[64], first[CIPHER_KEY_ID_SIZE], second[CIPHER_KEY_ID_SIZE];
    struct cipher_keys *keys;
    struct stat status;

    (void)state;
    close(facts_temporary_file(path));
    unlink(path);
    assert_int_equal(cipher_keys_make(first, path), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(cipher_keys_load(&keys, path, CIPHER_KEYS_OWNER), 0);
    assert_string_equal(cipher_keys_newest(keys), first);
    cipher_keys_free(keys);
    assert_int_equal(cipher_keys_make(second, path), 0);
    assert_int_equal(cipher_keys_load(&keys, path, CIPHER_KEYS_OWNER), 0);
    assert_string_equal(cipher_keys_newest(keys), second);
    assert_true(cipher_keys_has(keys, first));
    assert_string_not_equal(first, second);
    cipher_keys_free(keys);
    unlink(path);
}

static void no_key_is_put_above_what_is_no_key_file(void **state)
{
    char path[64], id[CIPHER_KEY_ID_SIZE], text[16] = "";
    int fd = facts_temporary_file(path);

    (void)state;
    assert_int_equal(write(fd, "my diary\n", 9), 9);
    assert_int_equal(cipher_keys_make(id, path), ERR_INVALID);
    assert_int_equal(pread(fd, text, sizeof text, 0), 9);
    assert_string_equal(text, "my diary\n");
    assert_int_equal(cipher_keys_make(id, "/no/such/folder/key"), ERR_IO);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(base64_and_hexadecimal_name_the_same_key),
        cmocka_unit_test(the_first_line_encrypts_and_all_are_known),
        cmocka_unit_test(a_line_that_is_no_key_is_named_and_not_shown),
        cmocka_unit_test(too_many_keys_are_refused),
        cmocka_unit_test(a_file_that_others_can_read_is_refused),
        cmocka_unit_test(the_file_of_another_user_is_refused),
        cmocka_unit_test(what_is_no_file_is_told),
        cmocka_unit_test(a_new_key_stands_above_the_old_ones),
        cmocka_unit_test(no_key_is_put_above_what_is_no_key_file),
    };
    return cmocka_run_group_tests_name("cipher_keys", facts, NULL, NULL);
}
