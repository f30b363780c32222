/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the queue: who goes next, who waits, and that the answer is an index seek. */
#include "config.h"

#include "spool/claim.h"

#include <stdio.h>
#include <string.h>

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "spool/attempt.h"
#include "spool/document.h"
#include "spool/fax_row.h"
#include "spool/fax_state.h"
#include "spool/submit.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

static int64_t queue(struct spool *spool, const struct submit_request *given)
{
    struct submit_request request = *given;
    struct fax fax;
    request.original = spool_facts_document(spool, "an upload");
    assert_int_equal(submit(&fax, spool, &request), 0);
    assert_int_equal(spool_facts_prepared(spool, &fax, request.original, 1), 0);
    int64_t id = fax.id;
    fax_clear(&fax);
    return id;
}

/* Claims without calling: the row stays, so it is put on hold to see the next. */
static int64_t next(struct spool *spool, const char *group, bool test)
{
    struct fax fax;
    if (claim_next(&fax, spool, group, test))
        return 0;
    int64_t id = fax.id;
    assert_int_equal(fax_state_change(spool, &fax, FAX_HELD), 0);
    fax_clear(&fax);
    return id;
}

static void by_priority_then_by_age(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t bulk = queue(spool, &(struct submit_request){.to = "1", .priority = FAX_BULK});
    int64_t first = queue(spool, &(struct submit_request){.to = "2", .priority = FAX_NORMAL});
    int64_t urgent = queue(spool, &(struct submit_request){.to = "3", .priority = FAX_URGENT});
    int64_t second = queue(spool, &(struct submit_request){.to = "4", .priority = FAX_NORMAL});
    int64_t high = queue(spool, &(struct submit_request){.to = "5", .priority = FAX_HIGH});
    assert_int_equal(next(spool, "default", false), urgent);
    assert_int_equal(next(spool, "default", false), high);
    assert_int_equal(next(spool, "default", false), first);
    assert_int_equal(next(spool, "default", false), second);
    assert_int_equal(next(spool, "default", false), bulk);
    assert_int_equal(next(spool, "default", false), 0);
}

static void groups_and_test_faxes_are_kept_apart(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t plain = queue(spool, &(struct submit_request){.to = "1"});
    int64_t trunk = queue(spool, &(struct submit_request){.to = "2", .line_group = "trunk"});
    int64_t test = queue(spool, &(struct submit_request){.to = "3", .test = true});
    assert_int_equal(next(spool, "trunk", false), trunk);
    assert_int_equal(next(spool, "trunk", false), 0);
    assert_int_equal(next(spool, "default", true), test);
    assert_int_equal(next(spool, "default", true), 0);
    assert_int_equal(next(spool, "default", false), plain);
}

static void a_claim_by_itself_changes_nothing(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t id = queue(spool, &(struct submit_request){.to = "1"});
    struct fax fax;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(claim_next(&fax, spool, "default", false), 0);
        assert_int_equal(fax.id, id);
        fax_clear(&fax);
    }
}

static void one_call_at_a_time_to_a_number(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t first = queue(spool, &(struct submit_request){.to = "1002", .priority = FAX_NORMAL});
    int64_t normal = queue(spool, &(struct submit_request){.to = "1002", .priority = FAX_NORMAL});
    int64_t other = queue(spool, &(struct submit_request){.to = "1003", .priority = FAX_NORMAL});
    int64_t high = queue(spool, &(struct submit_request){.to = "1002", .priority = FAX_HIGH});
    struct fax fax;
    assert_int_equal(claim_next(&fax, spool, "default", false), 0);
    assert_int_equal(fax.id, high);
    struct attempt attempt;
    assert_int_equal(attempt_begin(&attempt, spool, &fax, "exchange", "1001", 0), 0);
    fax_clear(&fax);
    assert_int_equal(next(spool, "default", false), other);
    spool_facts_read(&fax, spool, first);
    assert_int_equal(fax.state, FAX_WAITING);
    assert_string_equal(fax.reason, "destination_busy");
    assert_string_equal(fax_state_name(fax.state), "queued");
    fax_clear(&fax);
    assert_string_equal(spool_facts_events(spool, first), "fax.accepted fax.prepared"); /* nobody's business */
    assert_int_equal(claim_number_free(spool, "1002"), 0);
    assert_int_equal(spool_facts_state(spool, first), FAX_WAITING); /* it is not free */
    struct attempt_result result = {
        .outcome = OUTCOME_SUCCESS, .pages_confirmed = 1, .end_sent = true, .final_confirmed = true};
    assert_int_equal(attempt_end(NULL, spool, attempt.id, &result), 0);
    assert_int_equal(spool_facts_state(spool, first), FAX_QUEUED);
    assert_int_equal(spool_facts_state(spool, normal), FAX_WAITING); /* one at a time */
    assert_int_equal(next(spool, "default", false), first);
    assert_int_equal(spool_facts_state(spool, normal), FAX_QUEUED);
}

static void a_test_call_engages_no_number(void **state)
{
    struct spool *spool = spool_of(state);
    struct attempt attempt;
    struct fax fax;
    queue(spool, &(struct submit_request){.to = "1002", .test = true});
    int64_t real = queue(spool, &(struct submit_request){.to = "1002"});
    assert_int_equal(claim_next(&fax, spool, "default", true), 0);
    assert_int_equal(attempt_begin(&attempt, spool, &fax, "simulator", "1", 0), 0);
    fax_clear(&fax);
    assert_int_equal(next(spool, "default", false), real);
}

static void an_incoming_call_from_a_number_does_not_engage_it(void **state)
{
    struct spool *spool = spool_of(state);
    struct attempt attempt;
    struct fax fax;
    assert_int_equal(attempt_begin_inbound(&attempt, &fax, spool, "exchange", "1001", 0, "1001", "1002"), 0);
    fax_clear(&fax);
    int64_t id = queue(spool, &(struct submit_request){.to = "1001"});
    assert_int_equal(next(spool, "default", false), id);
}

static void a_crowd_before_an_engaged_number_is_worked_off_in_steps(void **state)
{
    struct spool *spool = spool_of(state);
    struct fax fax;
    for (int i = 0; i < 101; i++)
        queue(spool, &(struct submit_request){.to = "1002"});
    int64_t last = queue(spool, &(struct submit_request){.to = "1003"});
    spool_facts_call(spool);
    assert_int_equal(claim_next(&fax, spool, "default", false), ERR_AGAIN);
    assert_int_equal(claim_next(&fax, spool, "default", false), 0);
    assert_int_equal(fax.id, last);
    fax_clear(&fax);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM fax WHERE state = 5"), 100);
}

static void what_is_due_later_is_queued_in_its_time(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t now = clock_now_ms(), next_at = -1;
    assert_int_equal(claim_promote(&next_at, spool, now, 10), 0);
    assert_int_equal(next_at, 0);
    int64_t late = queue(spool, &(struct submit_request){.to = "1", .not_before = now + 9000000});
    int64_t soon = queue(spool, &(struct submit_request){.to = "2", .not_before = now + 5000000});
    assert_int_equal(claim_promote(&next_at, spool, now, 10), 0);
    assert_true(next_at == now + 5000000);
    assert_int_equal(claim_promote(&next_at, spool, now + 5000000, 10), 1);
    assert_true(next_at == now + 9000000);
    assert_int_equal(spool_facts_state(spool, soon), FAX_QUEUED);
    assert_int_equal(spool_facts_state(spool, late), FAX_SCHEDULED);
    assert_int_equal(next(spool, "default", false), soon);
}

static void promotion_takes_no_more_than_asked(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t now = clock_now_ms(), next_at;
    for (int i = 0; i < 5; i++)
        queue(spool, &(struct submit_request){.to = "1", .not_before = now + 1000000 + i});
    assert_int_equal(claim_promote(&next_at, spool, now + 2000000, 2), 2);
    assert_true(next_at == now + 1000002); /* past: look again at once */
    assert_int_equal(claim_promote(&next_at, spool, now + 2000000, 10), 3);
    assert_int_equal(next_at, 0);
}

static void a_fax_that_waits_too_long_expires_wherever_it_waits(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t now = clock_now_ms(), next_at;
    struct submit_request request = {.to = "1", .expires_at = now + 5000000};
    struct fax preparing;
    int64_t queued = queue(spool, &request);
    request.hold = true;
    int64_t held = queue(spool, &request);
    request.hold = false;
    request.not_before = now + 4000000;
    int64_t scheduled = queue(spool, &request);
    request.not_before = 0;
    request.original = spool_facts_document(spool, "another upload");
    assert_int_equal(submit(&preparing, spool, &request), 0);
    int64_t lasting = queue(spool, &(struct submit_request){.to = "2"});
    assert_int_equal(claim_promote(&next_at, spool, now, 10), 0);
    assert_true(next_at == now + 4000000);
    assert_int_equal(claim_promote(&next_at, spool, now + 5000000, 10), 4);
    assert_int_equal(spool_facts_state(spool, queued), FAX_EXPIRED);
    assert_int_equal(spool_facts_state(spool, held), FAX_EXPIRED);
    assert_int_equal(spool_facts_state(spool, scheduled), FAX_EXPIRED); /* not queued for a moment */
    assert_int_equal(spool_facts_state(spool, preparing.id), FAX_EXPIRED);
    assert_int_equal(spool_facts_state(spool, lasting), FAX_QUEUED);
    assert_string_equal(spool_facts_events(spool, scheduled), "fax.accepted fax.prepared fax.scheduled fax.expired");
    fax_clear(&preparing);
}

static void an_expired_fax_is_not_claimed(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t old = queue(spool, &(struct submit_request){.to = "1", .expires_at = clock_now_ms() + 1000});
    int64_t good = queue(spool, &(struct submit_request){.to = "2"});
    clock_shift(1001);
    assert_int_equal(next(spool, "default", false), good);
    clock_shift(-1001);
    assert_int_equal(spool_facts_state(spool, old), FAX_EXPIRED);
}

/* ---- cost ---- */

/* The queries of the queue, as they stand in the program, and the index that each has to use. */
static const struct {
    const char *sql, *index;
} plans[] = {
    {"SELECT " FAX_COLUMNS " FROM fax WHERE state = " SQL_QUEUED
     " AND line_group = ? AND test = ? ORDER BY priority, id LIMIT 1",
     "fax_ready"},
    {"SELECT 1 FROM fax WHERE destination = ? AND test = ? AND direction = 0 AND state IN " SQL_CALLING " LIMIT 1",
     "fax_active"},
    {"SELECT " FAX_COLUMNS " FROM fax WHERE state = " SQL_WAITING
     " AND destination = ? AND test = ? ORDER BY priority, id LIMIT 1",
     "fax_waiting"},
    {"SELECT id FROM fax WHERE state = " SQL_SCHEDULED " AND not_before <= ? ORDER BY not_before, id LIMIT ?",
     "fax_later"},
    {"SELECT not_before AS at FROM fax WHERE state = " SQL_SCHEDULED " ORDER BY not_before, id LIMIT 1", "fax_later"},
    {"SELECT id FROM fax WHERE expires_at > 0 AND state IN " SQL_UNCALLED
     " AND expires_at <= ? ORDER BY expires_at, id LIMIT ?",
     "fax_expiring"},
    {"SELECT expires_at AS at FROM fax WHERE expires_at > 0 AND state IN " SQL_UNCALLED
     " ORDER BY expires_at, id LIMIT 1",
     "fax_expiring"},
    {"SELECT id FROM fax WHERE state = " SQL_PREPARING " AND id > ? ORDER BY id LIMIT ?", "fax_preparing"},
    {"SELECT id, attempt FROM fax WHERE state = " SQL_CANCELING " AND id > ? ORDER BY id LIMIT 1", "fax_canceling"},
    {"SELECT id FROM attempt WHERE ended_at = 0 AND id > ? ORDER BY id LIMIT 1", "attempt_open"},
    {"SELECT d.id FROM delivery d JOIN event e ON e.sequence = d.event WHERE d.endpoint = ? AND d.next_at > 0 AND "
     "d.next_at <= ?"
     " ORDER BY d.next_at, d.id LIMIT ?",
     "delivery_due"},
};

static void the_queue_is_asked_by_index_and_nothing_is_sorted(void **state)
{
    struct spool *spool = spool_of(state);
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        char sql[4096], plan[1024] = "";
        struct stmt *stmt;
        snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", plans[i].sql);
        for (char *mark = sql; (mark = strchr(mark, '?'));)
            *mark = '7';
        assert_int_equal(stmt_open_once(&stmt, spool_db(spool), sql), 0);
        while (stmt_step(stmt) == 1) {
            size_t length = strlen(plan);
            snprintf(plan + length, sizeof(plan) - length, "%s; ", stmt_text(stmt, "detail"));
        }
        stmt_close(stmt);
        if (!strstr(plan, plans[i].index) || strstr(plan, "TEMP B-TREE"))
            fail_msg("%s\n%s", plans[i].sql, plan);
    }
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(by_priority_then_by_age),
        FACT(groups_and_test_faxes_are_kept_apart),
        FACT(a_claim_by_itself_changes_nothing),
        FACT(one_call_at_a_time_to_a_number),
        FACT(a_test_call_engages_no_number),
        FACT(an_incoming_call_from_a_number_does_not_engage_it),
        FACT(a_crowd_before_an_engaged_number_is_worked_off_in_steps),
        FACT(what_is_due_later_is_queued_in_its_time),
        FACT(promotion_takes_no_more_than_asked),
        FACT(a_fax_that_waits_too_long_expires_wherever_it_waits),
        FACT(an_expired_fax_is_not_claimed),
        FACT(the_queue_is_asked_by_index_and_nothing_is_sorted),
    };
    return cmocka_run_group_tests_name("claim", facts, NULL, NULL);
}
