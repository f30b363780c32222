/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the files of a call, and the signature of webhooks. */
#include <config.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/call_file.h"
#include "server/http_post.h"
#include "spool/purge.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct spool *spool_of(void **state)
{
    struct spool_facts *facts = *state;
    char path[128];

    snprintf(path, sizeof path, "%s/hosts", facts->dir);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/hosts/exchange", facts->dir);
    mkdir(path, 0700);
    return facts->spool;
}

static void make(struct spool *spool, enum call_file_kind kind, int64_t attempt)
{
    char path[CALL_FILE_PATH_SIZE];

    assert_int_equal(call_file_path(path, spool, "exchange", kind, attempt), 0);
    int fd = call_file_create(path);
    assert_true(fd >= 0);
    close(fd);
}

static bool is_there(struct spool *spool, enum call_file_kind kind, int64_t attempt)
{
    char path[CALL_FILE_PATH_SIZE];

    assert_int_equal(call_file_path(path, spool, "exchange", kind, attempt), 0);
    return access(path, F_OK) == 0;
}

static void the_last_word_on_a_call_is_kept_whole(void **state)
{
    struct spool *spool = spool_of(state);
    const struct link_message ended = {.type = LINK_ENDED,
                                       .number = 9,
                                       .job = 5,
                                       .result = LINK_RESULT_RECEIVED,
                                       .status = 0x20000008,
                                       .record = "{\"ecm\":true}"};
    char path[CALL_FILE_PATH_SIZE], *scratch = xmalloc(LINK_BYTES_MAX * 2);
    struct link_message again;

    assert_int_equal(call_file_path(path, spool, "exchange", CALL_FILE_END, 5), 0);
    assert_int_equal(call_file_read_end(&again, scratch, path), ERR_NOT_FOUND);
    assert_int_equal(call_file_keep_end(path, &ended), 0);
    assert_int_equal(call_file_read_end(&again, scratch, path), 0);
    assert_int_equal(again.result, LINK_RESULT_RECEIVED);
    assert_int_equal(again.job, 5);
    assert_string_equal(again.record, "{\"ecm\":true}");
    assert_int_equal(truncate(path, 25), 0);
    assert_int_equal(call_file_read_end(&again, scratch, path), ERR_INVALID);
    free(scratch);
}

static void files_go_when_the_end_is_committed(void **state)
{
    struct spool *spool = spool_of(state);

    make(spool, CALL_FILE_SEND, 3);
    make(spool, CALL_FILE_RECEIVE, 3);
    make(spool, CALL_FILE_END, 3);
    call_file_drop(spool, "exchange", 3);
    assert_true(is_there(spool, CALL_FILE_SEND, 3));
    spool_facts_turn(spool);
    assert_false(is_there(spool, CALL_FILE_SEND, 3));
    assert_false(is_there(spool, CALL_FILE_RECEIVE, 3));
    assert_false(is_there(spool, CALL_FILE_END, 3));
}

static void a_start_sweeps_the_files_of_calls_that_are_over(void **state)
{
    struct spool *spool = spool_of(state);

    spool_facts_queue(spool, "99", 1);
    int64_t open_call = spool_facts_call(spool);
    spool_facts_turn(spool);
    make(spool, CALL_FILE_SEND, open_call);
    make(spool, CALL_FILE_SEND, open_call + 100); /* of no call that is known */
    make(spool, CALL_FILE_RECEIVE, open_call + 100);
    call_file_sweep(spool);
    assert_true(is_there(spool, CALL_FILE_SEND, open_call));
    assert_false(is_there(spool, CALL_FILE_SEND, open_call + 100));
    assert_false(is_there(spool, CALL_FILE_RECEIVE, open_call + 100));
}

static void make_aside(const struct spool_facts *facts, int64_t attempt)
{
    char path[128];

    snprintf(path, sizeof path, "%s/hosts/exchange/k%lld.tif", facts->dir, (long long)attempt);
    int fd = call_file_create(path);
    assert_true(fd >= 0);
    close(fd);
}

static bool aside_is_there(const struct spool_facts *facts, int64_t attempt)
{
    char path[128];

    snprintf(path, sizeof path, "%s/hosts/exchange/k%lld.tif", facts->dir, (long long)attempt);
    return access(path, F_OK) == 0;
}

/* A received call whose file could not be read. */
static int64_t failed_reception(struct spool *spool, int64_t *fax_row)
{
    const struct attempt_result result = {.outcome = OUTCOME_RECEIVE_INCOMPLETE};
    struct attempt attempt;
    struct fax fax;

    assert_int_equal(attempt_begin_inbound(&attempt, &fax, spool, "exchange", "1001", 0, "1001", ""), 0);
    assert_int_equal(attempt_end_inbound(spool, attempt.id, &result, "", 0, FAX_RECEIVE_FAILED), 0);
    *fax_row = fax.id;
    fax_clear(&fax);
    return attempt.id;
}

static void a_start_keeps_what_was_put_aside_until_its_fax_is_purged(void **state)
{
    struct spool_facts *facts = *state;
    struct spool *spool = spool_of(state);
    struct fax fax = {0};
    int64_t kept_fax, purged_fax;
    int64_t kept = failed_reception(spool, &kept_fax), purged = failed_reception(spool, &purged_fax);

    spool_facts_read(&fax, spool, purged_fax);
    assert_int_equal(purge_documents(spool, &fax), 0);
    fax_clear(&fax);
    spool_facts_turn(spool);
    make_aside(facts, kept);
    make_aside(facts, purged); /* as if a crash had come between the commit and the file */
    make_aside(facts, purged + 100);
    call_file_sweep(spool);
    assert_true(aside_is_there(facts, kept));
    assert_false(aside_is_there(facts, purged));
    assert_false(aside_is_there(facts, purged + 100));
}

/* The example of the Standard Webhooks reference libraries. */
static void webhooks_are_signed_as_standard_webhooks_says(void **state)
{
    char signature[HTTP_SIGNATURE_SIZE];

    (void)state;
    assert_int_equal(http_sign(signature, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
                               1614265330, "{\"test\": 2432232314}"),
                     0);
    assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_int_equal(http_sign(signature, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "a", 1, ""), ERR_INVALID);
    assert_int_equal(http_sign(signature, "whsec_???", "a", 1, ""), ERR_INVALID);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(the_last_word_on_a_call_is_kept_whole),
        FACT(files_go_when_the_end_is_committed),
        FACT(a_start_sweeps_the_files_of_calls_that_are_over),
        FACT(a_start_keeps_what_was_put_aside_until_its_fax_is_purged),
        cmocka_unit_test(webhooks_are_signed_as_standard_webhooks_says),
    };
    return cmocka_run_group_tests_name("call_file", facts, NULL, NULL);
}
