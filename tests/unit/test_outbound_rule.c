/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about outbound rules: which one a number goes by, the queues, and what is undone. */
#include "config.h"

#include "spool/outbound_rule.h"
#include "spool/fax_again.h"

#include <stdio.h>
#include <string.h>

#include "server/base/err.h"
#include "spool/attempt.h"
#include "spool/claim.h"
#include "spool/fax_state.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

#define FRIDAY_NOON 1795176000000 /* 2026-11-20T12:00:00Z */
#define HOUR_MS     3600000LL

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

/* A rule to groups "a" and "b", open from the one UTC hour to the other (0, 0: always): its id. */
static const char *add(struct spool *spool, const char *prefix, int position, int from, int to)
{
    static char ids[8][OUTBOUND_ID_SIZE];
    static unsigned next;
    char *id = ids[next++ % 8];
    json_t *window = json_pack("{s:o, s:o, s:s}", "from", json_sprintf("%02d:00", from), "to",
                               json_sprintf("%02d:00", to), "time_zone", "UTC");
    struct outbound_rule rule = {.position = position, .groups = {"a", "b"}, .group_count = 2, .enabled = true};

    snprintf(rule.prefix, sizeof rule.prefix, "%s", prefix);
    if (from != to)
        assert_int_equal(window_read(&rule.window, window), 0);
    assert_int_equal(outbound_rule_create(&rule, spool), 0);
    snprintf(id, OUTBOUND_ID_SIZE, "%s", rule.public_id);
    window_clear(&rule.window);
    json_decref(window);
    return id;
}

static const char *goes_by(struct spool *spool, const char *number, int64_t *opens_at)
{
    const struct outbound_rule *rule = outbound_rule_for(opens_at, spool, number, FRIDAY_NOON);
    return rule ? rule->public_id : "none";
}

static void the_first_open_rule_about_a_number_is_taken(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t opens_at;
    const char *all = add(spool, "", 0, 0, 0);
    const char *night = add(spool, "+49", 1, 20, 6), *evening = add(spool, "+493", 2, 18, 20);
    const char *noon = add(spool, "+4930", 1, 11, 13);

    assert_string_equal(goes_by(spool, "+4930", &opens_at), noon);
    assert_string_equal(goes_by(spool, "+4940", &opens_at), all); /* what is closed is passed over */
    assert_int_equal(opens_at, 0);
    assert_int_equal(outbound_rule_delete(spool, all), 0);
    assert_string_equal(goes_by(spool, "+4940", &opens_at), night);
    assert_int_equal(opens_at, FRIDAY_NOON + 8 * HOUR_MS);
    assert_string_equal(goes_by(spool, "+4931", &opens_at), evening); /* it opens first */
    assert_int_equal(opens_at, FRIDAY_NOON + 6 * HOUR_MS);
    assert_string_equal(goes_by(spool, "+1", &opens_at), "none");
    assert_int_equal(opens_at, 0);
    assert_int_equal(outbound_rule_delete(spool, all), ERR_NOT_FOUND);
}

static void check_order(struct spool *spool, const char *prefixes)
{
    char got[32] = "";
    const struct outbound_rule *rule;

    for (int i = 0; (rule = outbound_rule_at(spool, i)) != NULL && !rule->retired; i++) {
        assert_int_equal(rule->position, i + 1);
        strcat(got, rule->prefix);
    }
    assert_string_equal(got, prefixes);
}

static void positions_have_no_gaps(void **state)
{
    struct spool_facts *facts = *state;
    struct spool *spool = facts->spool;
    struct outbound_rule rule;

    add(spool, "1", 0, 0, 0);
    const char *two = add(spool, "2", 99, 0, 0);
    add(spool, "3", 1, 0, 0);
    check_order(spool, "312");
    rule = *outbound_rule_find(spool, two);
    rule.position = 1;
    assert_int_equal(outbound_rule_update(&rule, spool), 0);
    check_order(spool, "231");
    rule.position = 3;
    assert_int_equal(outbound_rule_update(&rule, spool), 0);
    check_order(spool, "312");
    spool_facts_turn(spool);
    spool_part_begin(spool);
    assert_int_equal(outbound_rule_delete(spool, two), 0);
    check_order(spool, "31");
    spool_part_end(spool, false);
    check_order(spool, "312");
    assert_int_equal(outbound_rule_delete(spool, two), 0);
    spool_facts_reopen(facts);
    check_order(facts->spool, "31");
    assert_null(outbound_rule_at(facts->spool, 2)); /* nothing was queued under it: it is gone */
}

static const char *queue_of(struct spool *spool, int64_t fax)
{
    static char key[OUTBOUND_KEY_SIZE];
    struct fax row;

    spool_facts_read(&row, spool, fax);
    snprintf(key, sizeof key, "%s", row.line_group);
    fax_clear(&row);
    return key;
}

/* Call it from its queue, and end the call so. */
static void call(struct spool *spool, int64_t fax, enum fax_outcome outcome)
{
    const struct attempt_result result = {.outcome = outcome};
    struct attempt attempt;
    struct fax row;

    assert_int_equal(claim_next(&row, spool, queue_of(spool, fax), false), 0);
    assert_int_equal(row.id, fax);
    assert_int_equal(attempt_begin(&attempt, spool, &row, "p", "1", 0), 0);
    fax_clear(&row);
    assert_int_equal(attempt_end(NULL, spool, attempt.id, &result), 0);
}

static void a_failed_way_leads_to_the_next_queue_uncounted(void **state)
{
    struct spool *spool = spool_of(state);
    char first[OUTBOUND_KEY_SIZE], second[OUTBOUND_KEY_SIZE];
    const char *id = add(spool, "", 0, 0, 0);
    int64_t fax = spool_facts_queue(spool, "1002", 1);
    struct fax row;

    outbound_rule_key(first, outbound_rule_find(spool, id), 0);
    outbound_rule_key(second, outbound_rule_find(spool, id), 1);
    assert_string_equal(queue_of(spool, fax), first);
    call(spool, fax, OUTCOME_CONGESTION);
    assert_string_equal(queue_of(spool, fax), second);
    spool_facts_read(&row, spool, fax);
    assert_int_equal(row.state, FAX_QUEUED);
    assert_int_equal(row.attempts, 0);
    assert_string_equal(row.reason, "next_group");
    fax_clear(&row);
    call(spool, fax, OUTCOME_CONGESTION); /* the last group: an attempt, and from the first again, later */
    spool_facts_read(&row, spool, fax);
    assert_int_equal(row.state, FAX_SCHEDULED);
    assert_int_equal(row.attempts, 1);
    assert_string_equal(row.line_group, first);
    fax_clear(&row);
}

static void a_fax_of_a_deleted_rule_is_found_and_sent_elsewhere(void **state)
{
    struct spool_facts *facts = *state;
    char key[OUTBOUND_KEY_SIZE];
    const char *id = add(facts->spool, "", 0, 0, 0);
    int64_t fax = spool_facts_queue(facts->spool, "1002", 1);
    struct fax row;

    outbound_rule_key(key, outbound_rule_find(facts->spool, id), 0);
    assert_int_equal(outbound_rule_delete(facts->spool, id), 0);
    spool_facts_reopen(facts);
    assert_true(outbound_rule_at(facts->spool, 0)->retired); /* a fax is still queued under it */
    assert_string_equal(queue_of(facts->spool, fax), key);
    assert_int_equal(claim_next(&row, facts->spool, key, false), ERR_NOT_FOUND);
    assert_string_equal(queue_of(facts->spool, fax), "default");
    spool_facts_reopen(facts);
    assert_null(outbound_rule_at(facts->spool, 0));
}

/* Nobody looks at the queue of a rule that is not there any more. */
static void a_fax_that_is_called_again_goes_by_the_rules_of_now(void **state)
{
    struct spool_facts *facts = *state;
    const char *id = add(facts->spool, "", 0, 0, 0);
    int64_t fax = spool_facts_queue(facts->spool, "1002", 1);
    struct fax row;

    assert_int_equal(fax_get(&row, facts->spool, fax), 0);
    row.outcome = OUTCOME_BAD_ADDRESS;
    assert_int_equal(fax_state_change(facts->spool, &row, FAX_FAILED), 0);
    fax_clear(&row);
    assert_int_equal(outbound_rule_delete(facts->spool, id), 0);
    spool_facts_reopen(facts);
    assert_null(outbound_rule_at(facts->spool, 0));
    assert_int_equal(fax_get(&row, facts->spool, fax), 0);
    assert_int_equal(fax_again_retry(facts->spool, &row, true), 0);
    fax_clear(&row);
    assert_string_equal(queue_of(facts->spool, fax), "default");
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(the_first_open_rule_about_a_number_is_taken),
        FACT(positions_have_no_gaps),
        FACT(a_failed_way_leads_to_the_next_queue_uncounted),
        FACT(a_fax_of_a_deleted_rule_is_found_and_sent_elsewhere),
        FACT(a_fax_that_is_called_again_goes_by_the_rules_of_now),
    };
    return cmocka_run_group_tests_name("outbound_rule", facts, NULL, NULL);
}
