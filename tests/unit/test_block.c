/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about block rules: which of many decides, and that memory follows the store. */
#include "config.h"

#include "spool/block.h"

#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

#define NOW 1000000

static void add(struct block_table *table, int64_t id, const char *what, int64_t expires_at)
{
    struct block_rule rule = {.id = id, .expires_at = expires_at};

    rule.direction = what[0] == 'i' ? FAX_INBOUND : FAX_OUTBOUND;
    rule.action = what[1] == 'a' ? BLOCK_ALLOW : what[1] == 'q' ? BLOCK_QUARANTINE : BLOCK_DENY;
    rule.kind = what[2] == 'n' ? BLOCK_NUMBER : what[2] == 'p' ? BLOCK_PREFIX : BLOCK_ANONYMOUS;
    snprintf(rule.value, sizeof rule.value, "%s", what + 3);
    block_table_add(table, &rule);
}

static int decides(const struct block_table *table, enum fax_direction direction, const char *number)
{
    const struct block_rule *rule = block_table_find(table, direction, number, NOW);

    return rule ? (int)rule->id : 0;
}

static void the_closest_rule_decides(void **state)
{
    /* o/i direction, d/a action, n/p/a kind, value */
    static const char *const rules[] = {
        "",    "odp+1900", "oap+19005", "odn+19005551234", "odn1002", "oan1002",    "idp+1", "ida",
        "odp", "oap5",     "odp5",      "odp*31#",         "idn+155", "iap+155512", "odn+1", "odp+"};
    static const struct {
        const char *number;
        int out, in;
    } cases[] = {
        {"+1900", 1, 6},
        {"+190", 15, 6},
        {"+19005", 2, 6},
        {"+19005551234", 3, 6},
        {"+190055512345", 2, 6},
        {"1002", 5, 0},
        {"", 0, 7},
        {"9", 8, 0},
        {"5", 9, 0},
        {"51", 9, 0},
        {"*31#5", 11, 0},
        {"+155", 15, 12},
        {"+1551", 15, 6},
        {"+155512", 15, 13},
        {"+1", 14, 6},
        {"+4930123456", 15, 0},
    };
    struct block_table *table = block_table_new();
    (void)state;
    for (size_t i = 1; i < COUNT_OF(rules); i++)
        add(table, (int64_t)i, rules[i], 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (decides(table, FAX_OUTBOUND, cases[i].number) != cases[i].out ||
            decides(table, FAX_INBOUND, cases[i].number) != cases[i].in)
            fail_msg("%s: %d and %d decide", cases[i].number, decides(table, FAX_OUTBOUND, cases[i].number),
                     decides(table, FAX_INBOUND, cases[i].number));
    }
    block_table_remove(table, 5);
    assert_int_equal(decides(table, FAX_OUTBOUND, "1002"), 4);
    block_table_remove(table, 4);
    block_table_remove(table, 4);
    assert_int_equal(decides(table, FAX_OUTBOUND, "1002"), 8);
    block_table_free(table);
}

static void an_expired_rule_gives_way_to_the_next(void **state)
{
    struct block_table *table = block_table_new();
    (void)state;
    add(table, 1, "odp+19", 0);
    add(table, 2, "oan+190", NOW);
    add(table, 3, "oap+190", NOW + 1);
    assert_int_equal(decides(table, FAX_OUTBOUND, "+190"), 3);
    block_table_remove(table, 3);
    assert_int_equal(decides(table, FAX_OUTBOUND, "+190"), 1);
    block_table_free(table);
}

static void ten_thousand_rules_are_all_found_and_removed(void **state)
{
    struct block_table *table = block_table_new();
    char value[32];
    (void)state;
    for (int i = 1; i <= BLOCK_RULES_MAX; i++) {
        snprintf(value, sizeof value, "odn+1555%07d", i);
        add(table, i, value, 0);
    }
    for (int i = 1; i <= BLOCK_RULES_MAX; i++) {
        snprintf(value, sizeof value, "+1555%07d", i);
        assert_int_equal(decides(table, FAX_OUTBOUND, value), i);
    }
    for (int i = 1; i <= BLOCK_RULES_MAX; i += 2)
        block_table_remove(table, i);
    assert_int_equal(decides(table, FAX_OUTBOUND, "+15550000001"), 0);
    assert_int_equal(decides(table, FAX_OUTBOUND, "+15550000002"), 2);
    block_table_free(table);
}

/* ---- rows ---- */

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

static struct block_rule deny(const char *number)
{
    struct block_rule rule = {.direction = FAX_OUTBOUND, .kind = BLOCK_NUMBER};

    snprintf(rule.value, sizeof rule.value, "%s", number);
    return rule;
}

static bool denies(struct spool *spool, const char *number)
{
    return block_denies(spool, FAX_OUTBOUND, number) != NULL;
}

static void what_is_undone_denies_nothing(void **state)
{
    struct spool *spool = spool_of(state);
    struct block_rule kept = deny("1"), undone = deny("2"), changed;

    assert_int_equal(block_create(&kept, spool), 0);
    spool_facts_turn(spool);
    spool_part_begin(spool);
    assert_int_equal(block_create(&undone, spool), 0);
    assert_int_equal(block_delete(spool, kept.public_id), 0);
    assert_true(denies(spool, "2") && !denies(spool, "1"));
    spool_part_end(spool, false);
    assert_true(denies(spool, "1") && !denies(spool, "2"));
    changed = kept;
    changed.action = BLOCK_ALLOW;
    assert_int_equal(block_update(&changed, spool), 0);
    assert_false(denies(spool, "1"));
    spool_facts_turn(spool);
    spool_part_begin(spool); /* another's part that fails costs nothing */
    spool_part_end(spool, false);
    assert_false(denies(spool, "1"));
    assert_int_equal(block_delete(spool, kept.public_id), 0);
    assert_int_equal(block_delete(spool, kept.public_id), ERR_NOT_FOUND);
}

static void rules_are_there_again_after_a_restart(void **state)
{
    struct spool_facts *facts = *state;
    struct block_rule rule = deny("1"), same = deny("1"), found;

    assert_int_equal(block_create(&rule, facts->spool), 0);
    assert_int_equal(block_create(&same, facts->spool), ERR_CONFLICT);
    assert_int_equal(block_hit(facts->spool, rule.id), 0);
    spool_facts_reopen(facts);
    assert_true(denies(facts->spool, "1"));
    assert_int_equal(block_find(&found, facts->spool, rule.public_id), 0);
    assert_int_equal(found.hits, 1);
    assert_true(found.last_hit_at > 0);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(the_closest_rule_decides),
        cmocka_unit_test(an_expired_rule_gives_way_to_the_next),
        cmocka_unit_test(ten_thousand_rules_are_all_found_and_removed),
        FACT(what_is_undone_denies_nothing),
        FACT(rules_are_there_again_after_a_restart),
    };
    return cmocka_run_group_tests_name("block", facts, NULL, NULL);
}
