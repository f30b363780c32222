/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about encrypted documents: the same store to those who use it, and nothing plain on the disk. */
#include "config.h"

#include "spool/document.h"
#include "spool/document_rotate.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/cipher_file.h"
#include "server/base/err.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

#define ONE "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define TWO "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8=\n"
#define MAGIC                                                                                                          \
    "\x8e"                                                                                                             \
    "faxd\r\n\x1a"

/* A spool in a folder of its own that is opened with other keys again and again. */
struct safe {
    char dir[64];
    struct cipher_keys *keys;
    struct spool *spool;
};

static int try_open(struct safe *safe, const char *keys, bool encrypt)
{
    struct spool_options options = {.state_dir = safe->dir, .encrypt = encrypt};

    spool_close(safe->spool);
    cipher_keys_free(safe->keys);
    safe->spool = NULL;
    safe->keys = NULL;
    if (keys != NULL)
        assert_int_equal(cipher_keys_parse(&safe->keys, keys, strlen(keys), "keys"), 0);
    options.cipher_keys = safe->keys;
    return spool_open(&safe->spool, &options);
}

static void open_with(struct safe *safe, const char *keys, bool encrypt)
{
    if (try_open(safe, keys, encrypt) != 0)
        fail_msg("%s", err_message());
}

static int setup(void **state)
{
    struct safe *safe = calloc(1, sizeof *safe);

    spool_facts_make_dir(safe->dir);
    open_with(safe, ONE, true);
    *state = safe;
    return 0;
}

static int teardown(void **state)
{
    struct safe *safe = *state;

    spool_close(safe->spool);
    cipher_keys_free(safe->keys);
    spool_facts_remove_dir(safe->dir);
    free(safe);
    return 0;
}

static void put(char sha[DOCUMENT_SHA_SIZE], const struct safe *safe, const char *text)
{
    assert_int_equal(document_put(sha, safe->spool, text, strlen(text)), 0);
    assert_int_equal(spool_turn_end(safe->spool), 0);
}

static void holds(const struct safe *safe, const char *sha, const char *text)
{
    char content[256] = "";
    int fd = document_open(safe->spool, sha);

    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(read(fd, content, sizeof content - 1), strlen(text));
    assert_string_equal(content, text);
    close(fd);
}

/* Octets of the file as it lies there. */
static size_t raw(char content[512], const struct safe *safe, const char *sha)
{
    char path[256];
    ssize_t got;
    int fd;

    snprintf(path, sizeof path, "%s/documents/%.2s/%s", safe->dir, sha, sha);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    got = read(fd, content, 512);
    close(fd);
    return (size_t)got;
}

static bool is_encrypted(const struct safe *safe, const char *sha)
{
    char content[512];

    return raw(content, safe, sha) > 8 && memcmp(content, MAGIC, 8) == 0;
}

static void a_document_has_the_name_of_its_plain_content_and_none_of_it(void **state)
{
    struct safe *safe = *state;
    char sha[DOCUMENT_SHA_SIZE], again[DOCUMENT_SHA_SIZE], content[512];
    size_t size;

    assert_int_equal(document_put(sha, safe->spool, "a secret page", 13), 0);
    holds(safe, sha, "a secret page"); /* in the turn as well */
    assert_int_equal(spool_turn_end(safe->spool), 0);
    holds(safe, sha, "a secret page");
    size = raw(content, safe, sha);
    assert_int_equal(size, cipher_file_size(13));
    assert_memory_equal(content, MAGIC, 8);
    assert_null(memmem(content, size, "secret", 6));
    put(again, safe, "a secret page");
    assert_string_equal(again, sha);
    assert_int_equal(spool_facts_number(safe->spool, "SELECT COUNT(*) AS n FROM document"), 1);
    assert_int_equal(spool_facts_number(safe->spool, "SELECT size AS n FROM document"), 13);
}

static void what_a_child_makes_has_no_name_until_it_is_encrypted(void **state)
{
    struct safe *safe = *state;
    char sha[DOCUMENT_SHA_SIZE], path[DOCUMENT_PATH_SIZE];
    int before = facts_open_descriptors();

    for (int i = 0; i < 2; i++) { /* the second time it is there already */
        int fd;

        assert_int_equal(document_temp(&fd, path, safe->spool), 0);
        assert_string_equal(path, "");
        assert_int_equal(write(fd, "made by a child", 15), 15);
        assert_int_equal(document_adopt(sha, safe->spool, fd, path), 0);
        close(fd);
        assert_int_equal(spool_turn_end(safe->spool), 0);
        holds(safe, sha, "made by a child");
        assert_true(is_encrypted(safe, sha));
    }
    assert_int_equal(facts_open_descriptors(), before);
}

static void octets_that_take_their_time_are_encrypted_where_they_are_written(void **state)
{
    struct safe *safe = *state;
    char sha[DOCUMENT_SHA_SIZE], path[DOCUMENT_PATH_SIZE];
    int fd;

    assert_int_equal(document_reserve(&fd, path, safe->spool), 0);
    assert_int_equal(document_write(sha, safe->spool, fd, "a large upload", 14), 0);
    close(fd);
    assert_int_equal(document_adopt_known(safe->spool, path, sha, 14), 0);
    assert_int_equal(spool_turn_end(safe->spool), 0);
    holds(safe, sha, "a large upload");
    assert_true(is_encrypted(safe, sha));
}

static void a_plain_copy_is_placed_of_either_kind(void **state)
{
    struct safe *safe = *state;
    char sha[DOCUMENT_SHA_SIZE], plain[DOCUMENT_SHA_SIZE], to[256], content[64] = "";
    struct stat status;
    int fd;

    snprintf(to, sizeof to, "%s/placed", safe->dir);
    put(sha, safe, "encrypted");
    open_with(safe, ONE, false);
    put(plain, safe, "plain");
    open_with(safe, ONE, true);
    assert_int_equal(document_place(safe->spool, sha, to), 0);
    assert_int_equal(stat(to, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(status.st_size, 9);
    assert_int_equal(document_place(safe->spool, plain, to), 0); /* over the other */
    assert_int_equal(stat(to, &status), 0);
    assert_int_equal(status.st_nlink, 2);
    fd = open(to, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, content, sizeof content), 5);
    assert_string_equal(content, "plain");
    close(fd);
    unlink(to);
}

static void plain_documents_of_before_are_still_read(void **state)
{
    struct safe *safe = *state;
    char sha[DOCUMENT_SHA_SIZE];

    open_with(safe, NULL, false);
    put(sha, safe, "of before");
    assert_false(is_encrypted(safe, sha));
    open_with(safe, ONE, true);
    holds(safe, sha, "of before");
}

static void a_plain_document_that_begins_like_an_encrypted_one_is_plain(void **state)
{
    static const char *const texts[] = {MAGIC, MAGIC "\x01 and so on, long enough to be a header of that kind",
                                        MAGIC "\x07"};
    struct safe *safe = *state;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        char sha[DOCUMENT_SHA_SIZE];

        open_with(safe, NULL, false);
        put(sha, safe, texts[i]);
        holds(safe, sha, texts[i]);
        open_with(safe, ONE, true);
        holds(safe, sha, texts[i]);
    }
}

static void without_its_key_the_spool_is_not_opened(void **state)
{
    struct safe *safe = *state;
    char sha[DOCUMENT_SHA_SIZE];

    open_with(safe, ONE, true);
    open_with(safe, NULL, false); /* nothing is encrypted yet */
    open_with(safe, ONE, true);
    put(sha, safe, "locked");
    assert_int_equal(try_open(safe, NULL, false), ERR_DENIED);
    assert_non_null(strstr(err_message(), "no key is configured"));
    assert_int_equal(try_open(safe, TWO, true), ERR_DENIED);
    assert_non_null(strstr(err_message(), "--rotate-documents"));
    open_with(safe, TWO ONE, true);
    holds(safe, sha, "locked");
    open_with(safe, ONE, false);
    holds(safe, sha, "locked");
}

static void files_of_calls_and_of_other_programs_have_their_places(void **state)
{
    struct safe *safe = *state;
    struct spool_options options = {.state_dir = safe->dir, .call_dir = "/run/x", .work_dir = "/dev/shm"};
    char hosts[128];

    snprintf(hosts, sizeof hosts, "%s/hosts", safe->dir);
    assert_string_equal(spool_call_dir(safe->spool, 0), hosts); /* no other was named */
    assert_null(spool_call_dir(safe->spool, 1));
    assert_string_equal(spool_work_dir(safe->spool), "/tmp");
    for (int on = 0; on < 2; on++) {
        spool_close(safe->spool);
        options.cipher_keys = safe->keys;
        options.encrypt = on == 1;
        assert_int_equal(spool_open(&safe->spool, &options), 0);
        assert_int_equal(spool_encrypts(safe->spool), on);
        assert_string_equal(spool_call_dir(safe->spool, on), hosts);
        assert_string_equal(spool_call_dir(safe->spool, 1 - on), "/run/x");
        assert_string_equal(spool_work_dir(safe->spool), "/dev/shm");
    }
}

static void a_part_that_is_undone_leaves_no_key_behind(void **state)
{
    struct safe *safe = *state;
    char sha[DOCUMENT_SHA_SIZE];

    assert_int_equal(spool_part_begin(safe->spool), 0);
    assert_int_equal(document_put(sha, safe->spool, "of the part", 11), 0);
    assert_int_equal(spool_part_end(safe->spool, false), 0);
    assert_int_equal(spool_turn_end(safe->spool), 0);
    assert_int_equal(spool_facts_number(safe->spool, "SELECT COUNT(*) AS n FROM document_key"), 0);
    put(sha, safe, "of the part");
    assert_int_equal(spool_facts_number(safe->spool, "SELECT COUNT(*) AS n FROM document_key"), 1);
}

static void rotate(const struct safe *safe, int seen, int rewritten)
{
    struct document_rotation done;

    assert_int_equal(document_rotate(&done, safe->spool), 0);
    assert_int_equal(done.seen, seen);
    assert_int_equal(done.rewritten, rewritten);
    assert_int_equal(done.unreadable, 0);
}

static void rotation_brings_all_under_the_newest_key(void **state)
{
    struct safe *safe = *state;
    char old[DOCUMENT_SHA_SIZE], new[DOCUMENT_SHA_SIZE], plain[DOCUMENT_SHA_SIZE];

    put(old, safe, "under the old key");
    open_with(safe, ONE, false);
    put(plain, safe, "never encrypted");
    open_with(safe, TWO ONE, true);
    put(new, safe, "under the new key");
    rotate(safe, 3, 2);
    rotate(safe, 3, 0);
    open_with(safe, TWO, true);
    holds(safe, old, "under the old key");
    holds(safe, new, "under the new key");
    holds(safe, plain, "never encrypted");
    assert_true(is_encrypted(safe, plain));
    assert_int_equal(try_open(safe, ONE, true), ERR_DENIED);
}

static void rotation_makes_all_plain_when_encryption_is_off(void **state)
{
    struct safe *safe = *state;
    char sha[DOCUMENT_SHA_SIZE];

    put(sha, safe, "plain again");
    open_with(safe, ONE, false);
    rotate(safe, 1, 1);
    assert_false(is_encrypted(safe, sha));
    open_with(safe, NULL, false);
    holds(safe, sha, "plain again");
}

static void rotation_leaves_what_it_cannot_read_and_wants_the_old_key(void **state)
{
    struct safe *safe = *state;
    char bad[DOCUMENT_SHA_SIZE], good[DOCUMENT_SHA_SIZE], path[256];
    struct document_rotation done;

    put(bad, safe, "to be damaged");
    put(good, safe, "in good order");
    snprintf(path, sizeof path, "%s/documents/%.2s/%s", safe->dir, bad, bad);
    assert_int_equal(truncate(path, cipher_file_size(13) - 1), 0);
    assert_int_equal(document_open(safe->spool, bad), ERR_DAMAGED);
    open_with(safe, TWO ONE, true);
    assert_int_equal(document_rotate(&done, safe->spool), ERR_DAMAGED);
    assert_non_null(strstr(err_message(), "1 documents cannot be read"));
    assert_int_equal(done.unreadable, 1);
    assert_int_equal(done.rewritten, 1);
    holds(safe, good, "in good order");
    assert_int_equal(try_open(safe, TWO, true), ERR_DENIED);
    open_with(safe, TWO ONE, true);
    unlink(path);
    rotate(safe, 1, 0);
    open_with(safe, TWO, true);
    holds(safe, good, "in good order");
}

static void a_document_under_the_name_of_another_is_damage(void **state)
{
    struct safe *safe = *state;
    char one[DOCUMENT_SHA_SIZE], two[DOCUMENT_SHA_SIZE], from[256], to[256];

    put(one, safe, "pay 100");
    put(two, safe, "pay 900");
    snprintf(from, sizeof from, "%s/documents/%.2s/%s", safe->dir, two, two);
    snprintf(to, sizeof to, "%s/documents/%.2s/%s", safe->dir, one, one);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(document_open(safe->spool, one), ERR_DAMAGED);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(a_document_has_the_name_of_its_plain_content_and_none_of_it),
        FACT(what_a_child_makes_has_no_name_until_it_is_encrypted),
        FACT(octets_that_take_their_time_are_encrypted_where_they_are_written),
        FACT(a_plain_copy_is_placed_of_either_kind),
        FACT(plain_documents_of_before_are_still_read),
        FACT(a_plain_document_that_begins_like_an_encrypted_one_is_plain),
        FACT(without_its_key_the_spool_is_not_opened),
        FACT(files_of_calls_and_of_other_programs_have_their_places),
        FACT(a_part_that_is_undone_leaves_no_key_behind),
        FACT(rotation_brings_all_under_the_newest_key),
        FACT(rotation_makes_all_plain_when_encryption_is_off),
        FACT(rotation_leaves_what_it_cannot_read_and_wants_the_old_key),
        FACT(a_document_under_the_name_of_another_is_damage),
    };
    return cmocka_run_group_tests_name("document_cipher", facts, NULL, NULL);
}
