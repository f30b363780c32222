/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about documents: stored once, there when the turn is over, and swept when nothing names them. */
#include "config.h"

#include "spool/document.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

/* SHA-256 of "abc" (FIPS 180-4, example). */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

static void final_name(char path[256], const struct spool_facts *facts, const char *sha)
{
    snprintf(path, 256, "%s/documents/%.2s/%s", facts->dir, sha, sha);
}

static int files_in(const struct spool_facts *facts, const char *folder)
{
    char path[256];
    int count = 0;
    struct dirent *entry;
    snprintf(path, sizeof(path), "%s/%s", facts->dir, folder);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while ((entry = readdir(dir)))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static void holds(struct spool *spool, const char *sha, const char *text)
{
    char content[256] = "";
    int fd = document_open(spool, sha);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(read(fd, content, sizeof(content) - 1), strlen(text));
    assert_string_equal(content, text);
    close(fd);
}

static void a_document_is_there_at_once_and_stays(void **state)
{
    struct spool_facts *facts = *state;
    char sha[DOCUMENT_SHA_SIZE], path[DOCUMENT_PATH_SIZE], named[256];
    assert_int_equal(document_put(sha, facts->spool, "abc", 3), 0);
    assert_string_equal(sha, ABC);
    holds(facts->spool, sha, "abc"); /* before the turn's end */
    final_name(named, facts, sha);
    assert_int_not_equal(access(named, F_OK), 0);
    spool_facts_turn(facts->spool);
    holds(facts->spool, sha, "abc");
    assert_int_equal(access(named, F_OK), 0);
    assert_int_equal(document_path(path, facts->spool, sha), 0);
    assert_string_equal(path, named);
    assert_int_equal(files_in(facts, "documents/tmp"), 0);
    spool_facts_reopen(facts);
    holds(facts->spool, sha, "abc");
    struct stat info;
    assert_int_equal(stat(named, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void the_same_octets_are_stored_once(void **state)
{
    struct spool_facts *facts = *state;
    char sha[DOCUMENT_SHA_SIZE];
    for (int i = 0; i < 3; i++)
        assert_int_equal(document_put(sha, facts->spool, "abc", 3), 0);
    assert_int_equal(files_in(facts, "documents/tmp"), 1);
    spool_facts_turn(facts->spool);
    assert_int_equal(document_put(sha, facts->spool, "abc", 3), 0);
    assert_int_equal(files_in(facts, "documents/tmp"), 0);
    assert_int_equal(spool_facts_number(facts->spool, "SELECT count(*) AS n FROM document"), 1);
}

static void many_documents_in_one_turn(void **state)
{
    struct spool_facts *facts = *state;
    char sha[100][DOCUMENT_SHA_SIZE], text[32];
    for (int i = 0; i < 100; i++) {
        int length = snprintf(text, sizeof(text), "document %d", i);
        assert_int_equal(document_put(sha[i], facts->spool, text, (size_t)length), 0);
    }
    spool_facts_turn(facts->spool);
    spool_facts_reopen(facts);
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof(text), "document %d", i);
        holds(facts->spool, sha[i], text);
    }
}

static void an_empty_document_and_a_big_one(void **state)
{
    struct spool_facts *facts = *state;
    char sha[DOCUMENT_SHA_SIZE];
    struct stat info;
    size_t size = 3000000;
    char *big = malloc(size);
    memset(big, 7, size);
    assert_int_equal(document_put(sha, facts->spool, "", 0), 0);
    holds(facts->spool, sha, "");
    assert_int_equal(document_put(sha, facts->spool, big, size), 0);
    spool_facts_turn(facts->spool);
    int fd = document_open(facts->spool, sha);
    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(info.st_size, size);
    close(fd);
    free(big);
}

static void a_childs_file_is_taken_over(void **state)
{
    struct spool_facts *facts = *state;
    char sha[DOCUMENT_SHA_SIZE], path[DOCUMENT_PATH_SIZE];
    int fd;
    for (int i = 0; i < 2; i++) { /* the second time it is there already */
        assert_int_equal(document_temp(&fd, path, facts->spool), 0);
        assert_int_equal(write(fd, "abc", 3), 3);
        assert_int_equal(document_adopt(sha, facts->spool, fd, path), 0);
        assert_string_equal(sha, ABC);
        close(fd);
        spool_facts_turn(facts->spool);
        assert_int_not_equal(access(path, F_OK), 0);
        holds(facts->spool, sha, "abc");
    }
    assert_int_equal(files_in(facts, "documents/tmp"), 0);
}

static void what_is_not_there_is_not_found(void **state)
{
    static const char *const names[] = {ABC, "", "abc", "../../../../etc/passwd",
                                        "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"};
    char path[DOCUMENT_PATH_SIZE];
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(document_path(path, spool_of(state), names[i]), ERR_NOT_FOUND);
        assert_int_equal(document_open(spool_of(state), names[i]), ERR_NOT_FOUND);
    }
}

static void a_prepared_form_is_remembered(void **state)
{
    struct spool_facts *facts = *state;
    char original[DOCUMENT_SHA_SIZE], prepared[DOCUMENT_SHA_SIZE], found[DOCUMENT_SHA_SIZE], named[256];
    struct document_form form = {0};
    const struct document_form three = {3, 2048, 297, "superfine"}, four = {4, 1728, 297, "fine"};
    strcpy(original, spool_facts_document(facts->spool, "upload"));
    strcpy(prepared, spool_facts_document(facts->spool, "fine"));
    assert_int_equal(document_prepared(found, &form, facts->spool, original, "fine threshold"), ERR_NOT_FOUND);
    assert_int_equal(document_remember(facts->spool, original, "fine threshold", prepared, &three), 0);
    spool_facts_reopen(facts);
    assert_int_equal(document_prepared(found, &form, facts->spool, original, "fine threshold"), 0);
    assert_string_equal(found, prepared);
    assert_memory_equal(&form, &three, sizeof(form));
    assert_int_equal(document_prepared(found, &form, facts->spool, original, "standard threshold"), ERR_NOT_FOUND);
    assert_int_equal(document_remember(facts->spool, original, "fine threshold", original, &four), 0);
    assert_int_equal(document_prepared(found, &form, facts->spool, original, "fine threshold"), 0);
    assert_string_equal(found, original);
    final_name(named, facts, original);
    spool_facts_turn(facts->spool);
    assert_int_equal(unlink(named), 0); /* by other hands: prepared again rather than sent from nowhere */
    assert_int_equal(document_prepared(found, &form, facts->spool, original, "fine threshold"), ERR_NOT_FOUND);
}

static void a_lost_file_is_healed_by_storing_it_again(void **state)
{
    struct spool_facts *facts = *state;
    char sha[DOCUMENT_SHA_SIZE], named[256];
    assert_int_equal(document_put(sha, facts->spool, "abc", 3), 0);
    spool_facts_turn(facts->spool);
    final_name(named, facts, sha);
    assert_int_equal(unlink(named), 0);
    assert_int_equal(document_put(sha, facts->spool, "abc", 3), 0);
    spool_facts_turn(facts->spool);
    holds(facts->spool, sha, "abc");
}

static void put_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void a_start_sweeps_what_a_crash_left(void **state)
{
    struct spool_facts *facts = *state;
    char kept[DOCUMENT_SHA_SIZE], stray[256], half[256], foreign[256];
    strcpy(kept, spool_facts_document(facts->spool, "kept"));
    spool_facts_turn(facts->spool);
    final_name(stray, facts, ABC); /* renamed, but its rows were not committed */
    snprintf(half, sizeof(half), "%s/documents/tmp/77", facts->dir);
    snprintf(foreign, sizeof(foreign), "%s/documents/ba/README", facts->dir);
    put_file(stray);
    put_file(half);
    put_file(foreign);
    clock_shift(1000); /* the files are older than the start */
    spool_facts_reopen(facts);
    clock_shift(-1000);
    assert_int_not_equal(access(stray, F_OK), 0);
    assert_int_not_equal(access(half, F_OK), 0);
    assert_int_equal(access(foreign, F_OK), 0); /* not one of ours */
    holds(facts->spool, kept, "kept");
}

static void a_stray_is_left_alone_while_it_is_being_stored(void **state)
{
    struct spool_facts *facts = *state;
    char sha[DOCUMENT_SHA_SIZE], named[256];
    final_name(named, facts, ABC);
    put_file(named);
    assert_int_equal(document_put(sha, facts->spool, "abc", 3), 0);
    assert_int_equal(document_drop_stray(facts->spool, sha), 0);
    spool_facts_turn(facts->spool);
    assert_int_equal(document_drop_stray(facts->spool, sha), 0); /* it has a row now */
    holds(facts->spool, sha, "abc");
}

static void an_adopted_file_that_cannot_be_kept_is_gone(void **state)
{
    struct spool_facts *facts = *state;
    char sha[DOCUMENT_SHA_SIZE], path[DOCUMENT_PATH_SIZE];
    int fd;
    assert_int_equal(document_temp(&fd, path, facts->spool), 0);
    close(fd);
    assert_int_equal(document_adopt(sha, facts->spool, fd, path), ERR_IO); /* a closed descriptor */
    assert_int_not_equal(access(path, F_OK), 0);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(a_document_is_there_at_once_and_stays),
        FACT(the_same_octets_are_stored_once),
        FACT(many_documents_in_one_turn),
        FACT(an_empty_document_and_a_big_one),
        FACT(a_childs_file_is_taken_over),
        FACT(what_is_not_there_is_not_found),
        FACT(a_prepared_form_is_remembered),
        FACT(a_lost_file_is_healed_by_storing_it_again),
        FACT(a_start_sweeps_what_a_crash_left),
        FACT(a_stray_is_left_alone_while_it_is_being_stored),
        FACT(an_adopted_file_that_cannot_be_kept_is_gone),
    };
    return cmocka_run_group_tests_name("document", facts, NULL, NULL);
}
