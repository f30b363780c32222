/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the tokens of links. */
#include "config.h"

#include "web/link_token.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "tests/lib/facts.h"

static const unsigned char secret[LINK_SECRET_SIZE] = "a secret of thirty-two octets...";
static const struct link a_link = {
    .fax = "fax_01M7ZMWEK2BH2ZW1TKXH8ZSM9M", .copy = LINK_TIFF, .expires_at = 1795284685000};

static void a_token_is_read_as_it_was_written(void **state)
{
    (void)state;
    char token[LINK_TOKEN_SIZE];
    struct link link = a_link, read;
    for (enum link_copy copy = LINK_PDF; copy <= LINK_ORIGINAL; copy++) {
        link.copy = copy;
        link.expires_at += 1000;
        link_token_write(token, &link, secret);
        assert_int_equal(strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                         strlen(token));
        assert_int_equal(link_token_read(&read, token, secret), 0);
        assert_string_equal(read.fax, link.fax);
        assert_int_equal(read.copy, copy);
        assert_true(read.expires_at == link.expires_at);
    }
}

static void a_token_with_any_bit_changed_is_none(void **state)
{
    (void)state;
    char token[LINK_TOKEN_SIZE], changed[LINK_TOKEN_SIZE];
    struct link read;
    link_token_write(token, &a_link, secret);
    assert_true(strchr(token, '-') && strchr(token, '_'));
    for (size_t i = 0; token[i]; i++) {
        for (int c = 1; c < 256; c++) {
            memcpy(changed, token, sizeof changed);
            if (changed[i] == (char)c)
                continue;
            changed[i] = (char)c;
            if (link_token_read(&read, changed, secret) != ERR_NOT_FOUND)
                fail_msg("%zu became %d", i, c);
        }
    }
}

static void a_token_that_is_cut_or_longer_is_none(void **state)
{
    (void)state;
    char token[LINK_TOKEN_SIZE], longer[4 * LINK_TOKEN_SIZE];
    struct link read;
    link_token_write(token, &a_link, secret);
    for (size_t length = 0; length < strlen(token); length++) {
        char cut[LINK_TOKEN_SIZE] = "";
        memcpy(cut, token, length);
        assert_int_equal(link_token_read(&read, cut, secret), ERR_NOT_FOUND);
    }
    for (const char *end = "A=\n /"; *end; end++) {
        strcpy(longer, token);
        longer[strlen(longer) + 1] = '\0';
        longer[strlen(longer)] = *end;
        assert_int_equal(link_token_read(&read, longer, secret), ERR_NOT_FOUND);
    }
    memset(longer, 'A', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(link_token_read(&read, longer, secret), ERR_NOT_FOUND);
    assert_int_equal(link_token_read(&read, "../../etc/passwd", secret), ERR_NOT_FOUND);
}

static void a_token_of_another_secret_is_none(void **state)
{
    (void)state;
    unsigned char other[LINK_SECRET_SIZE];
    char token[LINK_TOKEN_SIZE];
    struct link read;
    link_token_write(token, &a_link, secret);
    for (int i = 0; i < LINK_SECRET_SIZE; i++) {
        memcpy(other, secret, sizeof other);
        other[i] ^= 1;
        assert_int_equal(link_token_read(&read, token, other), ERR_NOT_FOUND);
    }
}

/* Signed by us, but of a kind that is not known: of a later version perhaps. */
static void a_signed_token_of_another_version_is_none(void **state)
{
    (void)state;
    unsigned char octets[7 + 30 + crypto_auth_hmacsha256_BYTES] = {2, LINK_PDF};
    char token[LINK_TOKEN_SIZE];
    struct link read;
    memcpy(octets + 7, a_link.fax, 30);
    for (int i = 0; i < 3; i++) {
        octets[0] = i == 1 ? 2 : 1;
        octets[1] = i == 2 ? 5 : LINK_PDF;
        crypto_auth_hmacsha256(octets + 37, octets, 37, secret);
        sodium_bin2base64(token, sizeof token, octets, sizeof octets, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        assert_int_equal(link_token_read(&read, token, secret), i == 0 ? 0 : ERR_NOT_FOUND);
    }
}

static void the_secret_is_made_once_for_the_server_alone(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_link_token.XXXXXX";
    unsigned char first[LINK_SECRET_SIZE], again[LINK_SECRET_SIZE];
    struct stat info;
    assert_non_null(mkdtemp(folder));
    char *path = xasprintf("%s/link.key", folder);
    assert_int_equal(link_secret_open(first, path), 0);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(link_secret_open(again, path), 0);
    assert_memory_equal(first, again, sizeof first);
    assert_int_equal(truncate(path, 31), 0);
    assert_int_equal(link_secret_open(again, path), ERR_INVALID);
    assert_int_equal(truncate(path, 33), 0);
    assert_int_equal(link_secret_open(again, path), ERR_INVALID);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/dev/zero", path), 0);
    assert_int_equal(link_secret_open(again, path), ERR_IO);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(link_secret_open(again, path), 0);
    assert_memory_not_equal(first, again, sizeof first);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(link_secret_open(again, path), ERR_IO);
    free(path);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_token_is_read_as_it_was_written),
        cmocka_unit_test(a_token_with_any_bit_changed_is_none),
        cmocka_unit_test(a_token_that_is_cut_or_longer_is_none),
        cmocka_unit_test(a_token_of_another_secret_is_none),
        cmocka_unit_test(a_signed_token_of_another_version_is_none),
        cmocka_unit_test(the_secret_is_made_once_for_the_server_alone),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("link_token", facts, NULL, NULL);
}
