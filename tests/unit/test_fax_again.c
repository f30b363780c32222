/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about faxes that are sent once more, and about those that are changed while they wait. */
#include "config.h"

#include "spool/fax_again.h"
#include "spool/fax_change.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "spool/claim.h"
#include "spool/destination.h"
#include "spool/fax_document.h"
#include "spool/fax_row.h"
#include "spool/fax_state.h"
#include "spool/purge.h"
#include "spool/submit.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

/* A fax of three pages whose only call ended so. */
static int64_t ended(struct spool *spool, enum fax_outcome outcome, int pages, bool end_sent)
{
    int64_t id = spool_facts_queue(spool, "1002", 3);
    struct attempt_result result = {.outcome = outcome, .pages_confirmed = pages, .end_sent = end_sent};
    assert_int_equal(attempt_end(NULL, spool, spool_facts_call(spool), &result), 0);
    return id;
}

static int again(struct spool *spool, int64_t id, bool sure)
{
    struct fax fax;
    spool_facts_read(&fax, spool, id);
    int error = fax_again_retry(spool, &fax, sure);
    fax_clear(&fax);
    return error;
}

static void every_end_without_delivery_leads_back_and_no_other_state_does(void **state)
{
    static const enum fax_state back[] = {FAX_PARTIALLY_DELIVERED, FAX_UNCONFIRMED, FAX_FAILED, FAX_CANCELED,
                                          FAX_EXPIRED};
    struct spool *spool = spool_of(state);
    for (int from = FAX_PREPARING; from <= FAX_ROUTE_FAILED; from++) {
        struct fax fax = {.state = (enum fax_state)from};
        bool leads = false;
        for (size_t i = 0; i < COUNT_OF(back); i++)
            leads = leads || (int)back[i] == from;
        if (!leads)
            assert_int_equal(fax_state_again(spool, &fax), ERR_CONFLICT);
    }
    int64_t id = ended(spool, OUTCOME_BAD_ADDRESS, 0, false);
    assert_int_equal(again(spool, id, false), 0);
    assert_int_equal(spool_facts_state(spool, id), FAX_QUEUED);
    assert_int_equal(again(spool, id, true), ERR_CONFLICT);
}

static void a_retry_goes_on_where_it_broke_off_with_a_new_budget(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t id = ended(spool, OUTCOME_CALL_REJECTED, 2, false);
    struct attempt attempt;
    struct fax fax;
    assert_int_equal(spool_facts_state(spool, id), FAX_PARTIALLY_DELIVERED);
    assert_int_equal(again(spool, id, false), 0);
    spool_facts_read(&fax, spool, id);
    assert_int_equal(fax.attempts, 0);
    assert_int_equal(fax.calls, 1);
    assert_int_equal(fax.ended_at, 0);
    assert_int_equal(fax.delivery, FAX_DELIVERY_PARTIAL);
    fax_clear(&fax);
    int64_t call = spool_facts_call(spool);
    assert_int_equal(attempt_get(&attempt, spool, call), 0);
    assert_int_equal(attempt.first_page, 3);
    assert_int_equal(attempt.number, 2);
}

/* not_fax is repeated once: the calls of an earlier round are not held against the new one. */
static void calls_of_an_earlier_round_do_not_count(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t id = ended(spool, OUTCOME_NOT_FAX, 0, false);
    struct attempt_result result = {.outcome = OUTCOME_NOT_FAX};
    for (int round = 0; round < 2; round++) {
        assert_int_equal(spool_facts_state(spool, id), FAX_SCHEDULED);
        struct fax fax;
        spool_facts_read(&fax, spool, id);
        assert_int_equal(fax_change(spool, &fax, &(struct fax_change){.set_not_before = true}), 0);
        assert_int_equal(fax.state, FAX_QUEUED);
        fax_clear(&fax);
        assert_int_equal(attempt_end(NULL, spool, spool_facts_call(spool), &result), 0);
        assert_int_equal(spool_facts_state(spool, id), FAX_FAILED);
        assert_int_equal(destination_forget(spool, "1002"), 0); /* two such calls suspend the number */
        assert_int_equal(again(spool, id, false), 0);
        assert_int_equal(attempt_end(NULL, spool, spool_facts_call(spool), &result), 0);
    }
}

static void what_may_be_there_already_is_not_sent_unless_somebody_is_sure(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t id = ended(spool, OUTCOME_CONFIRMATION_LOST, 2, true);
    assert_int_equal(spool_facts_state(spool, id), FAX_UNCONFIRMED);
    assert_int_equal(again(spool, id, false), ERR_CONFLICT);
    assert_int_equal(spool_facts_state(spool, id), FAX_UNCONFIRMED);
    assert_int_equal(again(spool, id, true), 0);
    /* And doubt stays: the next call fails, which does not make the first one undone. */
    struct attempt_result result = {.outcome = OUTCOME_BAD_ADDRESS};
    assert_int_equal(attempt_end(NULL, spool, spool_facts_call(spool), &result), 0);
    assert_int_equal(spool_facts_state(spool, id), FAX_UNCONFIRMED);
    assert_int_equal(again(spool, id, false), ERR_CONFLICT);
}

static void a_new_fax_has_the_same_pages_in_every_form(void **state)
{
    struct spool *spool = spool_of(state);
    struct fax of, fax;
    struct fax_document *rows;
    int64_t id = ended(spool, OUTCOME_BAD_ADDRESS, 0, false);
    char sha[DOCUMENT_SHA_SIZE];
    strcpy(sha, spool_facts_document(spool, "standard"));
    json_t *info = json_pack("{s:s, s:i}", "resolution", "standard", "width", 1728);
    assert_int_equal(fax_document_add(spool, id, FAX_DOCUMENT_RENDITION, 1, sha, info), 0);
    json_decref(info);
    spool_facts_read(&of, spool, id);
    assert_int_equal(fax_again_resend(&fax, spool, &of, &(struct fax_again){.owner = 7, .test = true}), 0);
    assert_int_equal(fax.state, FAX_QUEUED);
    assert_string_equal(fax.document, of.document);
    assert_string_equal(fax.original, of.original);
    assert_string_equal(fax.resent_from, of.public_id);
    assert_int_equal(fax.owner, 7);
    assert_true(fax.test);
    assert_int_equal(fax_documents(&rows, spool, fax.id, FAX_DOCUMENT_RENDITION), 1);
    assert_string_equal(rows[0].sha, sha);
    fax_documents_free(rows, 1);
    fax_clear(&of);
    assert_int_equal(fax_again_resend(&of, spool, &fax, &(struct fax_again){.to = "10 02"}), ERR_CONFLICT);
    fax_clear(&fax);
}

static void a_document_with_a_password_cannot_get_another_cover(void **state)
{
    struct spool *spool = spool_of(state);
    char upload[DOCUMENT_SHA_SIZE], cover[DOCUMENT_SHA_SIZE];
    strcpy(upload, spool_facts_document(spool, "locked"));
    strcpy(cover, spool_facts_document(spool, "cover"));
    json_t *info = json_pack("{s:s}", "password", "secret");
    const struct submit_upload list = {upload, info};
    struct submit_request request = {
        .to = "1002", .uploads = &list, .upload_count = 1, .cover = cover, .priority = FAX_NORMAL};
    struct fax of, fax;
    assert_int_equal(submit(&of, spool, &request), 0);
    assert_int_equal(spool_facts_prepared(spool, &of, "pages", 2), 0);
    assert_int_equal(fax_state_cancel(spool, of.public_id), 0);
    fax_clear(&of);
    assert_int_equal(fax_get(&of, spool, 1), 0);
    assert_int_equal(fax_again_resend(&fax, spool, &of, &(struct fax_again){.to = "1003"}), ERR_CONFLICT);
    assert_non_null(strstr(err_message(), "password"));
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM fax_document WHERE info LIKE '%secret%'"), 0);
    json_decref(info);
    fax_clear(&of);
}

static void a_changed_fax_is_where_its_time_says(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t id = spool_facts_queue(spool, "1002", 1), later = clock_now_ms() + 100000;
    struct fax fax;
    spool_facts_read(&fax, spool, id);
    assert_int_equal(fax_change(spool, &fax, &(struct fax_change){.set_not_before = true, .not_before = later}), 0);
    assert_int_equal(fax.state, FAX_SCHEDULED);
    assert_int_equal(fax_change(spool, &fax, &(struct fax_change){.set_priority = true, .priority = FAX_URGENT}), 0);
    fax_clear(&fax);
    spool_facts_read(&fax, spool, id);
    assert_int_equal(fax.state, FAX_SCHEDULED);
    assert_int_equal(fax.not_before, later);
    assert_int_equal(fax.priority, FAX_URGENT);
    assert_int_equal(fax_change(spool, &fax, &(struct fax_change){.set_not_before = true}), 0);
    assert_int_equal(fax.state, FAX_QUEUED);
    assert_int_equal(fax_state_cancel(spool, fax.public_id), 0);
    fax_clear(&fax);
    spool_facts_read(&fax, spool, id);
    assert_int_equal(fax_change(spool, &fax, &(struct fax_change){.set_priority = true}), ERR_CONFLICT);
    fax_clear(&fax);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(every_end_without_delivery_leads_back_and_no_other_state_does),
        FACT(a_retry_goes_on_where_it_broke_off_with_a_new_budget),
        FACT(calls_of_an_earlier_round_do_not_count),
        FACT(what_may_be_there_already_is_not_sent_unless_somebody_is_sure),
        FACT(a_new_fax_has_the_same_pages_in_every_form),
        FACT(a_document_with_a_password_cannot_get_another_cover),
        FACT(a_changed_fax_is_where_its_time_says),
    };
    return cmocka_run_group_tests_name("fax_again", facts, NULL, NULL);
}
