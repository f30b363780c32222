/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about batches: slices, counts that add up, what a crash or a failed slice leaves, canceling. */
#include "config.h"

#include "spool/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/claim.h"
#include "spool/document.h"
#include "spool/fax_again.h"
#include "spool/fax_state.h"
#include "spool/purge.h"
#include "spool/submit.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

/* A batch to so many numbers, of one upload, with a cover when that is asked for. */
static struct batch make(struct spool *spool, int count, bool cover, bool hold)
{
    char upload[DOCUMENT_SHA_SIZE], list[DOCUMENT_SHA_SIZE], template[DOCUMENT_SHA_SIZE];
    size_t room = (size_t)count * 64 + 1, length = 0;
    char *lines = xmalloc(room);
    struct batch batch;
    lines[0] = '\0';
    for (int i = 0; i < count; i++)
        length += (size_t)snprintf(lines + length, room - length, "{\"to\":\"%d\",\"client_reference\":\"r%d\"}\n",
                                   1000 + i, i);
    strcpy(list, spool_facts_document(spool, lines));
    strcpy(upload, spool_facts_document(spool, "an upload"));
    if (cover)
        strcpy(template, spool_facts_document(spool, "a cover"));
    const struct submit_upload uploads[] = {{upload, NULL}};
    const struct submit_request wanted = {.uploads = uploads,
                                          .upload_count = 1,
                                          .cover = cover ? template : NULL,
                                          .priority = FAX_BULK,
                                          .hold = hold,
                                          .owner = 3,
                                          .from = "us"};
    assert_int_equal(batch_create(&batch, spool, &wanted, list, count), 0);
    spool_facts_turn(spool);
    free(lines);
    return batch;
}

/* The number of a status in the batch's counts, and that all of them add up. */
static int counted(struct spool *spool, const char *id, const char *status)
{
    struct batch batch;
    const char *word;
    json_t *count;
    int sum = 0;
    assert_int_equal(batch_find(&batch, spool, id), 0);
    json_t *object = batch_json(spool, &batch), *counts = json_object_get(object, "counts");
    json_object_foreach(counts, word, count) sum += (int)json_integer_value(count);
    assert_int_equal(sum, batch.total);
    int found = (int)json_integer_value(json_object_get(counts, status));
    json_decref(object);
    return found;
}

/* Run slices until there is nothing to do. */
static void work(struct spool *spool)
{
    int done;
    while ((done = batch_run(spool)) > 0)
        spool_facts_turn(spool);
    assert_int_equal(done, 0);
}

static void prepare_first(struct spool *spool)
{
    struct fax fax;
    int64_t id;
    assert_int_equal(submit_waiting(spool, 0, &id, 1), 1);
    spool_facts_read(&fax, spool, id);
    assert_int_equal(spool_facts_prepared(spool, &fax, spool_facts_document(spool, "its pages"), 2), 0);
    fax_clear(&fax);
}

static void all_wait_for_the_first_and_take_its_pages(void **state)
{
    struct spool *spool = spool_of(state);
    struct batch batch = make(spool, 300, false, true);
    work(spool);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM fax"), 1);
    assert_int_equal(counted(spool, batch.public_id, "preparing"), 300);
    assert_int_equal(batch_run(spool), 0); /* it waits, and does not turn round */
    prepare_first(spool);
    work(spool);
    assert_int_equal(counted(spool, batch.public_id, "held"), 300);
    assert_int_equal(spool_facts_number(spool, "SELECT count(DISTINCT document) AS n FROM fax"), 1);
    assert_int_equal(spool_facts_number(spool, "SELECT count(DISTINCT destination) AS n FROM fax"), 300);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM fax WHERE sender = 'us' AND owner = 3"), 300);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM batch_document"), 0);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM document"), 2);
}

static void a_restart_goes_on_where_the_last_slice_ended(void **state)
{
    struct spool_facts *facts = *state;
    struct batch batch = make(facts->spool, 200, false, true);
    work(facts->spool);
    prepare_first(facts->spool);
    for (int slices = 0; slices < 2; slices++) {
        assert_true(batch_run(facts->spool) > 0);
        spool_facts_reopen(facts);
        assert_int_equal(
            spool_facts_number(facts->spool, "SELECT (SELECT count(*) FROM fax) - expanded AS n FROM batch"), 0);
    }
    /* A slice that is undone leaves nothing, and is made again. */
    int64_t before = spool_facts_number(facts->spool, "SELECT count(*) AS n FROM fax");
    assert_int_equal(spool_part_begin(facts->spool), 0);
    assert_true(batch_run(facts->spool) > 0);
    assert_int_equal(spool_part_end(facts->spool, false), 0);
    assert_int_equal(spool_facts_number(facts->spool, "SELECT count(*) AS n FROM fax"), before);
    work(facts->spool);
    assert_int_equal(counted(facts->spool, batch.public_id, "held"), 200);
    assert_int_equal(spool_facts_number(facts->spool, "SELECT count(DISTINCT client_reference) AS n FROM fax"), 200);
}

static void a_first_that_is_canceled_is_followed_by_another(void **state)
{
    struct spool *spool = spool_of(state);
    struct batch batch = make(spool, 10, false, true);
    struct fax fax;
    work(spool);
    spool_facts_read(&fax, spool, 1);
    assert_int_equal(fax_state_cancel(spool, fax.public_id), 0);
    fax_clear(&fax);
    work(spool);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM fax"), 2);
    prepare_first(spool);
    work(spool);
    assert_int_equal(counted(spool, batch.public_id, "held"), 9);
    assert_int_equal(counted(spool, batch.public_id, "canceled"), 1);
}

static void what_fails_for_the_first_fails_for_all(void **state)
{
    struct spool *spool = spool_of(state);
    struct batch batch = make(spool, 90, false, false);
    struct fax fax;
    work(spool);
    spool_facts_read(&fax, spool, 1);
    assert_int_equal(submit_failed(spool, &fax, OUTCOME_DOCUMENT_UNSUPPORTED, "no such thing"), 0);
    fax_clear(&fax);
    work(spool);
    assert_int_equal(counted(spool, batch.public_id, "failed"), 90);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM fax WHERE message = 'no such thing'"), 90);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM event WHERE type = 'batch.completed'"), 1);
}

/* Covers: the first alone, then a few at a time. */
static void covers_are_prepared_a_few_at_a_time(void **state)
{
    struct spool *spool = spool_of(state);
    struct batch batch = make(spool, 50, true, true);
    work(spool);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM fax"), 1);
    prepare_first(spool);
    work(spool);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM fax WHERE state = 1"), 16);
    for (int i = 0; i < 49; i++) {
        prepare_first(spool);
        work(spool);
        assert_true(spool_facts_number(spool, "SELECT count(*) AS n FROM fax WHERE state = 1") <= 16);
    }
    assert_int_equal(counted(spool, batch.public_id, "held"), 50);
}

static void nothing_of_a_canceled_batch_is_claimed(void **state)
{
    struct spool *spool = spool_of(state);
    struct batch batch = make(spool, 120, false, false);
    struct fax fax;
    work(spool);
    prepare_first(spool);
    work(spool);
    int64_t call = spool_facts_call(spool);
    assert_int_equal(batch_cancel(spool, &batch), 0);
    assert_int_equal(claim_next(&fax, spool, "default", false), ERR_AGAIN); /* so many looked at, all put away */
    work(spool);
    assert_int_equal(claim_next(&fax, spool, "default", false), ERR_NOT_FOUND);
    assert_int_equal(counted(spool, batch.public_id, "canceled"), 119);
    assert_int_equal(counted(spool, batch.public_id, "dialing"), 1);
    /* Its call fails: another one would follow if the batch stood. */
    struct attempt_result result = {.outcome = OUTCOME_BUSY};
    assert_int_equal(attempt_end(NULL, spool, call, &result), 0);
    work(spool);
    assert_int_equal(counted(spool, batch.public_id, "canceled"), 120);
    spool_facts_read(&fax, spool, 1);
    assert_int_equal(fax_again_retry(spool, &fax, true), ERR_CONFLICT);
    fax_clear(&fax);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM event WHERE type = 'batch.completed'"), 1);
}

static void canceled_before_the_first_is_prepared_nobody_else_gets_a_fax(void **state)
{
    struct spool *spool = spool_of(state);
    struct batch batch = make(spool, 5000, false, false);
    work(spool);
    assert_int_equal(batch_cancel(spool, &batch), 0);
    work(spool);
    assert_int_equal(counted(spool, batch.public_id, "canceled"), 5000);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM fax"), 1);
    assert_int_equal(spool_facts_number(spool, "SELECT completed_at > 0 AS n FROM batch"), 1);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM batch_document"), 0);
}

static void a_deadline_that_passes_meanwhile_expires_the_rest(void **state)
{
    struct spool *spool = spool_of(state);
    char upload[DOCUMENT_SHA_SIZE], list[DOCUMENT_SHA_SIZE];
    struct batch batch;
    strcpy(list, spool_facts_document(spool, "{\"to\":\"1\"}\n{\"to\":\"2\"}\n{\"to\":\"3\"}\n"));
    strcpy(upload, spool_facts_document(spool, "an upload"));
    const struct submit_upload uploads[] = {{upload, NULL}};
    const struct submit_request wanted = {
        .uploads = uploads, .upload_count = 1, .priority = FAX_BULK, .expires_at = clock_now_ms() + 50000};
    assert_int_equal(batch_create(&batch, spool, &wanted, list, 3), 0);
    work(spool);
    prepare_first(spool);
    clock_shift(60000);
    work(spool);
    clock_shift(-60000);
    assert_int_equal(counted(spool, batch.public_id, "expired"), 2);
    assert_int_equal(counted(spool, batch.public_id, "queued"), 1);
}

static void a_batch_goes_with_the_last_of_its_records(void **state)
{
    struct spool *spool = spool_of(state);
    struct batch batch = make(spool, 3, false, true);
    struct fax fax;
    work(spool);
    assert_int_equal(batch_cancel(spool, &batch), 0);
    work(spool);
    spool_facts_read(&fax, spool, 1);
    assert_int_equal(purge_record(spool, &fax), 0);
    fax_clear(&fax);
    assert_int_equal(batch_find(&batch, spool, batch.public_id), ERR_NOT_FOUND);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM batch_count"), 0);
}

static void one_that_waits_does_not_keep_the_next_from_its_turn(void **state)
{
    struct spool *spool = spool_of(state);
    struct batch first = make(spool, 5, false, true), second = make(spool, 5, false, true);
    work(spool);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM fax"), 2);
    prepare_first(spool);
    work(spool);
    assert_int_equal(counted(spool, first.public_id, "held") + counted(spool, second.public_id, "held"), 5);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(all_wait_for_the_first_and_take_its_pages),
        FACT(a_restart_goes_on_where_the_last_slice_ended),
        FACT(a_first_that_is_canceled_is_followed_by_another),
        FACT(what_fails_for_the_first_fails_for_all),
        FACT(covers_are_prepared_a_few_at_a_time),
        FACT(nothing_of_a_canceled_batch_is_claimed),
        FACT(canceled_before_the_first_is_prepared_nobody_else_gets_a_fax),
        FACT(a_deadline_that_passes_meanwhile_expires_the_rest),
        FACT(a_batch_goes_with_the_last_of_its_records),
        FACT(one_that_waits_does_not_keep_the_next_from_its_turn),
    };
    return cmocka_run_group_tests_name("batch", facts, NULL, NULL);
}
