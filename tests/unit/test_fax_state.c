/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about states: every step that is allowed, with its events; every other is refused; and what people wish. */
#include "config.h"

#include "spool/fax_state.h"

#include <stdio.h>
#include <string.h>

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "spool/attempt.h"
#include "spool/claim.h"
#include "spool/fax_row.h"
#include "spool/submit.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

#define FINAL_OF(from)                                                                                                 \
    {from, FAX_DELIVERED, "fax.delivered"}, {from, FAX_PARTIALLY_DELIVERED, "fax.partially_delivered"},                \
        {from, FAX_UNCONFIRMED, "fax.unconfirmed"}, {from, FAX_FAILED, "fax.failed"},                                  \
        {from, FAX_EXPIRED, "fax.expired"}, {from, FAX_SCHEDULED, "fax.retry_scheduled"},                              \
        {from, FAX_QUEUED, "fax.retry_scheduled"},                                                                     \
    {                                                                                                                  \
        from, FAX_CANCELING, ""                                                                                        \
    }

#define RECEIVED_OF(from)                                                                                              \
    {from, FAX_RECEIVED, "inbound.received"}, {from, FAX_PARTIALLY_RECEIVED, "inbound.partially_received"},            \
        {from, FAX_RECEIVE_FAILED, "inbound.failed"},                                                                  \
    {                                                                                                                  \
        from, FAX_REJECTED, "inbound.rejected"                                                                         \
    }

static const struct {
    enum fax_state from, to;
    const char *events;
} allowed[] = {
    {FAX_PREPARING, FAX_QUEUED, "fax.prepared"},
    {FAX_PREPARING, FAX_SCHEDULED, "fax.prepared fax.scheduled"},
    {FAX_PREPARING, FAX_HELD, "fax.prepared fax.held"},
    {FAX_PREPARING, FAX_FAILED, "fax.prepare_failed fax.failed"},
    {FAX_PREPARING, FAX_CANCELED, "fax.canceled"},
    {FAX_PREPARING, FAX_EXPIRED, "fax.expired"},
    {FAX_HELD, FAX_QUEUED, "fax.released"},
    {FAX_HELD, FAX_SCHEDULED, "fax.released fax.scheduled"},
    {FAX_HELD, FAX_CANCELED, "fax.canceled"},
    {FAX_HELD, FAX_EXPIRED, "fax.expired"},
    {FAX_SCHEDULED, FAX_QUEUED, ""},
    {FAX_SCHEDULED, FAX_HELD, "fax.held"},
    {FAX_SCHEDULED, FAX_CANCELED, "fax.canceled"},
    {FAX_SCHEDULED, FAX_EXPIRED, "fax.expired"},
    {FAX_QUEUED, FAX_WAITING, ""},
    {FAX_QUEUED, FAX_DIALING, "fax.dialing"},
    {FAX_QUEUED, FAX_SCHEDULED, "fax.scheduled"},
    {FAX_QUEUED, FAX_HELD, "fax.held"},
    {FAX_QUEUED, FAX_FAILED, "fax.failed"},
    {FAX_QUEUED, FAX_CANCELED, "fax.canceled"},
    {FAX_QUEUED, FAX_EXPIRED, "fax.expired"},
    {FAX_WAITING, FAX_QUEUED, ""},
    {FAX_WAITING, FAX_SCHEDULED, "fax.scheduled"},
    {FAX_WAITING, FAX_HELD, "fax.held"},
    {FAX_WAITING, FAX_CANCELED, "fax.canceled"},
    {FAX_WAITING, FAX_EXPIRED, "fax.expired"},
    {FAX_DIALING, FAX_NEGOTIATING, "fax.connected"},
    {FAX_DIALING, FAX_SENDING, "fax.connected"},
    {FAX_NEGOTIATING, FAX_SENDING, ""},
    FINAL_OF(FAX_DIALING),
    FINAL_OF(FAX_NEGOTIATING),
    FINAL_OF(FAX_SENDING),
    {FAX_CANCELING, FAX_CANCELED, "fax.canceled"},
    {FAX_CANCELING, FAX_DELIVERED, "fax.delivered"},
    {FAX_CANCELING, FAX_UNCONFIRMED, "fax.unconfirmed"},
    {FAX_RINGING, FAX_RECEIVING, "inbound.receiving"},
    RECEIVED_OF(FAX_RINGING),
    RECEIVED_OF(FAX_RECEIVING),
    {FAX_RECEIVED, FAX_ROUTING, ""},
    {FAX_PARTIALLY_RECEIVED, FAX_ROUTING, ""},
    {FAX_ROUTING, FAX_ROUTED, "inbound.routed"},
    {FAX_ROUTING, FAX_ROUTE_FAILED, "inbound.route_failed"},
    {FAX_ROUTED, FAX_ROUTING, ""},
    {FAX_ROUTED, FAX_ROUTE_FAILED, "inbound.route_failed"},
    {FAX_ROUTE_FAILED, FAX_ROUTING, ""},
    {FAX_ROUTE_FAILED, FAX_ROUTED, "inbound.routed"},
    {FAX_ROUTING, FAX_RECEIVED, ""},
    {FAX_ROUTING, FAX_PARTIALLY_RECEIVED, ""},
    {FAX_ROUTED, FAX_RECEIVED, ""},
    {FAX_ROUTED, FAX_PARTIALLY_RECEIVED, ""},
    {FAX_ROUTE_FAILED, FAX_RECEIVED, ""},
    {FAX_ROUTE_FAILED, FAX_PARTIALLY_RECEIVED, ""},
};

static const char *events_of_step(enum fax_state from, enum fax_state to)
{
    for (size_t i = 0; i < COUNT_OF(allowed); i++)
        if (allowed[i].from == from && allowed[i].to == to)
            return allowed[i].events;
    return NULL;
}

static bool is_state(int state)
{
    return strcmp(fax_state_name((enum fax_state)state), "unknown") != 0;
}

/* A fax that was put into a state by force. */
static void make(struct fax *fax, struct spool *spool, enum fax_state state)
{
    struct attempt attempt;
    char sql[128];
    assert_int_equal(attempt_begin_inbound(&attempt, fax, spool, "exchange", "1001", 0, "1002", ""), 0);
    snprintf(sql, sizeof(sql), "DELETE FROM event WHERE fax = %lld RETURNING sequence AS n", (long long)fax->id);
    spool_facts_number(spool, sql);
    snprintf(sql, sizeof(sql), "UPDATE fax SET state = %d, direction = %d WHERE id = %lld RETURNING id AS n",
             (int)state, state < FAX_RINGING ? FAX_OUTBOUND : FAX_INBOUND, (long long)fax->id);
    int64_t id = spool_facts_number(spool, sql);
    fax_clear(fax);
    spool_facts_read(fax, spool, id);
}

static void the_table_of_steps_is_the_whole_truth(void **state)
{
    struct spool *spool = spool_of(state);
    int taken = 0;
    for (int from = 1; from < FAX_STATES; from++)
        for (int to = 1; to < FAX_STATES; to++) {
            struct fax fax;
            if (!is_state(from) || !is_state(to) || from == to)
                continue;
            make(&fax, spool, (enum fax_state)from);
            const char *events = events_of_step((enum fax_state)from, (enum fax_state)to);
            int error = fax_state_change(spool, &fax, (enum fax_state)to);
            if (error != (events ? 0 : ERR_CONFLICT))
                fail_msg("%d to %d: %d", from, to, error);
            assert_int_equal(fax.state, events ? to : from);
            assert_int_equal(spool_facts_state(spool, fax.id), events ? to : from);
            assert_string_equal(spool_facts_events(spool, fax.id), events ? events : "");
            taken += events != NULL;
            fax_clear(&fax);
        }
    assert_int_equal(taken, COUNT_OF(allowed));
}

static void a_final_state_has_no_way_back_to_the_queue(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(allowed); i++)
        if (fax_state_is_final(allowed[i].from))
            assert_true(fax_state_is_final(allowed[i].to));
}

static void a_fax_that_moved_meanwhile_is_a_conflict(void **state)
{
    struct spool *spool = spool_of(state);
    struct fax mine, theirs;
    int64_t id = spool_facts_queue(spool, "1002", 1);
    spool_facts_read(&mine, spool, id);
    spool_facts_read(&theirs, spool, id);
    assert_int_equal(fax_state_change(spool, &theirs, FAX_HELD), 0);
    assert_int_equal(fax_state_change(spool, &mine, FAX_CANCELED), ERR_CONFLICT);
    assert_int_equal(spool_facts_state(spool, id), FAX_HELD);
    assert_null(strstr(spool_facts_events(spool, id), "fax.canceled"));
    fax_clear(&mine);
    fax_clear(&theirs);
}

static void fields_go_with_the_state(void **state)
{
    struct spool_facts *facts = *state;
    struct fax fax;
    int64_t id = spool_facts_queue(facts->spool, "1002", 1);
    spool_facts_read(&fax, facts->spool, id);
    fax_row_set(&fax.reason, "retry");
    fax.not_before = 77;
    fax.outcome = OUTCOME_BUSY;
    assert_int_equal(fax_state_change(facts->spool, &fax, FAX_SCHEDULED), 0);
    fax.not_before = 78;
    assert_int_equal(fax_state_change(facts->spool, &fax, FAX_SCHEDULED), 0); /* same state: fields only */
    fax_clear(&fax);
    spool_facts_reopen(facts);
    spool_facts_read(&fax, facts->spool, id);
    assert_string_equal(fax.reason, "retry");
    assert_int_equal(fax.not_before, 78);
    assert_int_equal(fax.outcome, OUTCOME_BUSY);
    assert_string_equal(spool_facts_events(facts->spool, id), "fax.accepted fax.prepared fax.scheduled");
    fax_clear(&fax);
}

static void move(struct spool *spool, int64_t id, enum fax_state next)
{
    struct fax fax;
    spool_facts_read(&fax, spool, id);
    assert_int_equal(fax_state_change(spool, &fax, next), 0);
    fax_clear(&fax);
}

static const char *name_of(struct spool *spool, int64_t id)
{
    static char name[FAX_ID_SIZE];
    struct fax fax;
    spool_facts_read(&fax, spool, id);
    snprintf(name, sizeof(name), "%s", fax.public_id);
    fax_clear(&fax);
    return name;
}

static void cancel_works_in_every_state_before_the_end(void **state)
{
    static const struct {
        enum fax_state from, to;
        int error;
    } table[] = {
        {FAX_PREPARING, FAX_CANCELED, 0},
        {FAX_HELD, FAX_CANCELED, 0},
        {FAX_SCHEDULED, FAX_CANCELED, 0},
        {FAX_QUEUED, FAX_CANCELED, 0},
        {FAX_WAITING, FAX_CANCELED, 0},
        {FAX_DIALING, FAX_CANCELING, 0},
        {FAX_NEGOTIATING, FAX_CANCELING, 0},
        {FAX_SENDING, FAX_CANCELING, 0},
        {FAX_CANCELING, FAX_CANCELING, 0},
        {FAX_CANCELED, FAX_CANCELED, 0},
        {FAX_DELIVERED, FAX_DELIVERED, ERR_CONFLICT},
        {FAX_UNCONFIRMED, FAX_UNCONFIRMED, ERR_CONFLICT},
        {FAX_FAILED, FAX_FAILED, ERR_CONFLICT},
        {FAX_EXPIRED, FAX_EXPIRED, ERR_CONFLICT},
        {FAX_RINGING, FAX_RINGING, ERR_CONFLICT},
        {FAX_RECEIVING, FAX_RECEIVING, ERR_CONFLICT},
        {FAX_RECEIVED, FAX_RECEIVED, ERR_CONFLICT},
    };
    struct spool *spool = spool_of(state);
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct fax fax;
        make(&fax, spool, table[i].from);
        assert_int_equal(fax_state_cancel(spool, fax.public_id), table[i].error);
        assert_int_equal(spool_facts_state(spool, fax.id), table[i].to);
        fax_clear(&fax);
    }
    assert_int_equal(fax_state_cancel(spool, "fax_NOT"), ERR_NOT_FOUND);
}

static void hold_and_release_are_a_pair(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t id = spool_facts_queue(spool, "1002", 1);
    struct fax fax;
    assert_int_equal(fax_state_release(spool, name_of(spool, id)), ERR_CONFLICT);
    assert_int_equal(fax_state_hold(spool, name_of(spool, id)), 0);
    assert_int_equal(fax_state_hold(spool, name_of(spool, id)), 0);
    spool_facts_read(&fax, spool, id);
    assert_int_equal(fax.state, FAX_HELD);
    assert_string_equal(fax.reason, "held_by_user");
    fax_clear(&fax);
    assert_int_equal(fax_state_release(spool, name_of(spool, id)), 0);
    assert_int_equal(spool_facts_state(spool, id), FAX_QUEUED);
    spool_facts_call(spool);
    assert_int_equal(fax_state_hold(spool, name_of(spool, id)), ERR_CONFLICT);
    assert_int_equal(fax_state_release(spool, name_of(spool, id)), ERR_CONFLICT);
}

static void release_respects_the_time_asked_for(void **state)
{
    struct spool *spool = spool_of(state);
    struct fax fax;
    struct submit_request request = {.to = "1002", .hold = true, .not_before = clock_now_ms() + 3600000};
    request.original = spool_facts_document(spool, "an upload");
    assert_int_equal(submit(&fax, spool, &request), 0);
    assert_int_equal(spool_facts_prepared(spool, &fax, request.original, 1), 0);
    assert_int_equal(fax.state, FAX_HELD);
    assert_int_equal(fax_state_release(spool, fax.public_id), 0);
    assert_int_equal(spool_facts_state(spool, fax.id), FAX_SCHEDULED);
    fax_clear(&fax);
}

static void a_fax_is_held_while_it_is_being_prepared(void **state)
{
    struct spool *spool = spool_of(state);
    struct fax fax;
    struct submit_request request = {.to = "1002"};
    request.original = spool_facts_document(spool, "an upload");
    for (int release = 0; release < 2; release++) {
        assert_int_equal(submit(&fax, spool, &request), 0);
        assert_int_equal(fax_state_hold(spool, fax.public_id), 0);
        if (release)
            assert_int_equal(fax_state_release(spool, fax.public_id), 0);
        int64_t id = fax.id;
        fax_clear(&fax);
        spool_facts_read(&fax, spool, id);
        assert_int_equal(fax.state, FAX_PREPARING);
        assert_int_equal(spool_facts_prepared(spool, &fax, request.original, 1), 0);
        assert_int_equal(fax.state, release ? FAX_QUEUED : FAX_HELD);
        fax_clear(&fax);
    }
}

static unsigned changes_seen;

static void note_changes(void *context, unsigned changes)
{
    (void)context;
    changes_seen = changes;
}

static int canceling_seen;

static void note_canceling(void *context, int64_t fax, int64_t attempt)
{
    int64_t *expected = context;
    assert_int_equal(fax, expected[canceling_seen]);
    assert_true(attempt > 0);
    canceling_seen++;
}

static void cancel_in_a_call_is_announced_and_found(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t ids[2] = {spool_facts_queue(spool, "1002", 1), spool_facts_queue(spool, "1003", 1)};
    spool_facts_call(spool);
    spool_facts_call(spool);
    spool_facts_turn(spool);
    spool_listen(spool, note_changes, NULL);
    assert_int_equal(fax_state_cancel(spool, name_of(spool, ids[0])), 0);
    assert_int_equal(fax_state_cancel(spool, name_of(spool, ids[1])), 0);
    spool_facts_turn(spool);
    assert_int_equal(changes_seen, SPOOL_CHANGE_CANCEL);
    canceling_seen = 0;
    assert_int_equal(fax_state_each_canceling(spool, note_canceling, ids), 0);
    assert_int_equal(canceling_seen, 2);
}

/* ---- one call at a time to a number ---- */

static void a_fax_that_waits_for_a_number_is_never_forgotten(void **state)
{
    static const enum fax_state ends[] = {FAX_HELD, FAX_CANCELED, FAX_EXPIRED, FAX_SCHEDULED, FAX_FAILED};
    struct spool *spool = spool_of(state);
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        struct fax none;
        int64_t calling = spool_facts_queue(spool, "1002", 1), next = spool_facts_queue(spool, "1002", 1),
                last = spool_facts_queue(spool, "1002", 1);
        int64_t call = spool_facts_call(spool);
        assert_int_equal(claim_next(&none, spool, "default", false), ERR_NOT_FOUND);
        assert_int_equal(spool_facts_state(spool, next), FAX_WAITING);
        assert_int_equal(spool_facts_state(spool, last), FAX_WAITING);
        struct attempt_result result = {.outcome = OUTCOME_BAD_ADDRESS};
        assert_int_equal(attempt_end(NULL, spool, call, &result), 0);
        assert_int_equal(spool_facts_state(spool, calling), FAX_FAILED);
        assert_int_equal(spool_facts_state(spool, next), FAX_QUEUED);
        assert_int_equal(spool_facts_state(spool, last), FAX_WAITING);
        move(spool, next, ends[i]); /* the one that was to free the number never calls */
        assert_int_equal(spool_facts_state(spool, last), FAX_QUEUED);
        move(spool, last, FAX_CANCELED);
    }
}

static void a_canceled_call_frees_its_number(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t calling = spool_facts_queue(spool, "1002", 1), next = spool_facts_queue(spool, "1002", 1);
    struct fax none;
    int64_t call = spool_facts_call(spool);
    assert_int_equal(claim_next(&none, spool, "default", false), ERR_NOT_FOUND);
    assert_int_equal(fax_state_cancel(spool, name_of(spool, calling)), 0);
    assert_int_equal(spool_facts_state(spool, next), FAX_WAITING); /* still in the call */
    struct attempt_result result = {.outcome = OUTCOME_ABORTED};
    assert_int_equal(attempt_end(NULL, spool, call, &result), 0);
    assert_int_equal(spool_facts_state(spool, next), FAX_QUEUED);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(the_table_of_steps_is_the_whole_truth),      FACT(a_final_state_has_no_way_back_to_the_queue),
        FACT(a_fax_that_moved_meanwhile_is_a_conflict),   FACT(fields_go_with_the_state),
        FACT(cancel_works_in_every_state_before_the_end), FACT(hold_and_release_are_a_pair),
        FACT(release_respects_the_time_asked_for),        FACT(a_fax_is_held_while_it_is_being_prepared),
        FACT(cancel_in_a_call_is_announced_and_found),    FACT(a_fax_that_waits_for_a_number_is_never_forgotten),
        FACT(a_canceled_call_frees_its_number),
    };
    return cmocka_run_group_tests_name("fax_state", facts, NULL, NULL);
}
