/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the audit log: its chain, what it follows and what it finds. */
#include "config.h"

#include "spool/audit.h"

#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "db/db.h"
#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/audit_list.h"
#include "spool/audit_verify.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

static int add(struct spool *spool, const char *action, const char *object)
{
    const struct audit_entry entry = {.actor = AUDIT_KEY,
                                      .actor_id = "key_1",
                                      .actor_name = "one",
                                      .address = "192.0.2.1",
                                      .action = action,
                                      .object = object,
                                      .detail = "{\"to\":\"1002\"}"};
    return audit_write(spool, &entry);
}

static void add_many(struct spool *spool, int count)
{
    char object[16];
    for (int i = 0; i < count; i++) {
        snprintf(object, sizeof object, "fax_%d", i);
        assert_int_equal(add(spool, i % 2 ? "fax.viewed" : "fax.sent", object), 0);
    }
    spool_facts_turn(spool);
}

/* ---- looking ---- */

static struct audit_result verified;
static json_t *page;

static void on_verified(void *context, int error, const struct audit_result *result)
{
    (void)context;
    assert_int_equal(error, 0);
    verified = *result;
}

static void verify(struct spool *spool)
{
    struct audit_verification *verification;
    assert_int_equal(audit_verify_start(&verification, spool, on_verified, NULL), 0);
}

static void assert_broken(struct spool *spool, enum audit_fault fault, int64_t sequence)
{
    verify(spool);
    assert_int_equal(verified.fault, fault);
    assert_int_equal(verified.broken, sequence);
}

static void on_listed(void *context, int error, json_t *listed)
{
    (void)context;
    assert_int_equal(error, 0);
    page = json_loads(json_string_value(json_object_get(listed, "text")), 0, NULL);
}

/* The numbers of a page with a space behind each; the page is kept until the next. */
static const char *list(struct spool *spool, const struct audit_query *query)
{
    static char text[4096];
    const json_t *entry;
    size_t i, length = 0;
    json_decref(page);
    page = NULL;
    text[0] = '\0';
    assert_int_equal(audit_list_start(spool, query, on_listed, NULL), 0);
    json_array_foreach(json_object_get(page, "data"), i, entry) length += (size_t)snprintf(
        text + length, sizeof text - length, "%lld ", json_integer_value(json_object_get(entry, "sequence")));
    return text;
}

/* What somebody with the file in his hands can do. */
static void behind_its_back(struct spool *spool, const char *sql)
{
    assert_int_equal(db_write_begin(spool_db(spool)), 0);
    assert_int_equal(db_exec(spool_db(spool), "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete"), 0);
    assert_int_equal(db_exec(spool_db(spool), sql), 0);
    spool_facts_turn(spool);
}

/* ---- the chain ---- */

static size_t put(unsigned char *to, const char *text)
{
    size_t length = strlen(text);
    memset(to, 0, 8);
    to[7] = (unsigned char)length;
    memcpy(to + 8, text, length);
    return 8 + length;
}

static void a_hash_is_what_the_description_says(void **state)
{
    (void)state;
    const struct audit_entry entry = {AUDIT_KEY, "key_1", "one", "192.0.2.1", "fax.sent", "fax_1", "{}"};
    static const char *const fields[] = {"7", "1000", "1", "key_1", "one", "192.0.2.1", "fax.sent", "fax_1", "{}"};
    unsigned char octets[300] = {0}, hash[32];
    char previous[AUDIT_HASH_SIZE], want[AUDIT_HASH_SIZE], got[AUDIT_HASH_SIZE];
    size_t size = 32;
    memset(octets, 0xab, 32);
    str_hex(previous, octets, 32);
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        size += put(octets + size, fields[i]);
    crypto_hash_sha256(hash, octets, size);
    str_hex(want, hash, sizeof hash);
    audit_hash(got, previous, 7, 1000, &entry);
    assert_string_equal(got, want);
}

static void nothing_can_be_shifted_from_one_field_to_the_next(void **state)
{
    (void)state;
    const struct audit_entry a = {AUDIT_KEY, "key_1", "on", "e", "fax.sent", "fax_1", "{}"};
    const struct audit_entry b = {AUDIT_KEY, "key_1", "o", "ne", "fax.sent", "fax_1", "{}"};
    char first[AUDIT_HASH_SIZE], second[AUDIT_HASH_SIZE];
    audit_hash(first, "", 1, 1, &a);
    audit_hash(second, "", 1, 1, &b);
    assert_string_not_equal(first, second);
}

static void entries_are_numbered_and_chained_across_a_restart(void **state)
{
    struct spool_facts *facts = *state;
    struct audit_head head;
    add_many(facts->spool, 3);
    spool_facts_reopen(facts);
    add_many(facts->spool, 2);
    audit_head(&head, facts->spool);
    assert_int_equal(head.sequence, 5);
    verify(facts->spool);
    assert_int_equal(verified.fault, AUDIT_FAULT_NONE);
    assert_int_equal(verified.entries, 5);
    assert_string_equal(verified.head.hash, head.hash);
    assert_string_equal(list(facts->spool, &(struct audit_query){.limit = 10}), "5 4 3 2 1 ");
    const json_t *data = json_object_get(page, "data");
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(json_string_value(json_object_get(json_array_get(data, i), "previous")),
                            json_string_value(json_object_get(json_array_get(data, i + 1), "hash")));
    assert_true(json_is_null(json_object_get(json_array_get(data, 4), "previous")));
}

static void an_empty_log_is_right(void **state)
{
    verify(spool_of(state));
    assert_int_equal(verified.fault, AUDIT_FAULT_NONE);
    assert_int_equal(verified.entries, 0);
}

static void entries_of_an_undone_part_are_gone_and_the_chain_goes_on(void **state)
{
    struct spool *spool = spool_of(state);
    struct audit_head head;
    add_many(spool, 1);
    assert_int_equal(add(spool, "fax.sent", "kept"), 0);
    assert_int_equal(spool_part_begin(spool), 0);
    assert_int_equal(add(spool, "fax.sent", "undone"), 0);
    assert_int_equal(spool_part_end(spool, false), 0);
    assert_int_equal(add(spool, "fax.sent", "after"), 0);
    audit_head(&head, spool);
    assert_int_equal(head.sequence, 1); /* what is not committed is not there */
    spool_facts_turn(spool);
    verify(spool);
    assert_int_equal(verified.fault, AUDIT_FAULT_NONE);
    assert_int_equal(verified.entries, 3);
    assert_string_equal(list(spool, &(struct audit_query){.limit = 9, .object = "undone"}), "");
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_void_turn_takes_its_entries_and_the_head_back(void **state)
{
    struct spool_facts *facts = *state;
    struct audit_head before, after;
    const struct audit_entry look = {.actor_id = "k", .action = "fax.viewed", .object = "fax_1"};
    add_many(facts->spool, 2);
    audit_head(&before, facts->spool);
    assert_int_equal(add(facts->spool, "fax.sent", "void"), 0);
    assert_int_equal(audit_write_look(facts->spool, &look), 0);
    limit_files(1);
    int error = spool_turn_end(facts->spool);
    limit_files(0);
    assert_true(error == ERR_IO || error == ERR_FULL);
    audit_head(&after, facts->spool);
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(audit_write_look(facts->spool, &look), 0); /* the void one did not count */
    spool_facts_turn(facts->spool);
    verify(facts->spool);
    assert_int_equal(verified.fault, AUDIT_FAULT_NONE);
    assert_int_equal(verified.entries, 3);
    spool_facts_reopen(facts);
    verify(facts->spool);
    assert_int_equal(verified.entries, 3);
}

/* ---- what was changed ---- */

static void the_table_takes_no_change(void **state)
{
    struct spool *spool = spool_of(state);
    add_many(spool, 3);
    assert_int_equal(db_write_begin(spool_db(spool)), 0);
    assert_true(db_exec(spool_db(spool), "UPDATE audit SET object = 'x' WHERE sequence = 2") < 0);
    assert_true(db_exec(spool_db(spool), "DELETE FROM audit WHERE sequence = 2") < 0);
    spool_facts_turn(spool);
    verify(spool);
    assert_int_equal(verified.entries, 3);
}

static void a_changed_entry_is_named(void **state)
{
    static const char *const changes[] = {
        "at = at + 1",  "actor_kind = 2", "actor = 'x'",   "actor_name = 'x'", "address = 'x'",
        "action = 'x'", "object = 'x'",   "detail = '{}'", "hash = 'x'",       "hash = substr(hash, 1, 63) || 'x'"};
    struct spool_facts *facts = *state;
    char sql[200];
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        if (i > 0) {
            spool_facts_teardown(state);
            spool_facts_setup(state);
            facts = *state;
        }
        add_many(facts->spool, 5);
        snprintf(sql, sizeof sql, "UPDATE audit SET %s WHERE sequence = 3", changes[i]);
        behind_its_back(facts->spool, sql);
        assert_broken(facts->spool, AUDIT_FAULT_CHANGED, 3);
    }
}

/* Whoever hashes his change anew has to hash all that follows too, up to the head that the server knows. */
static void an_entry_that_was_hashed_anew_breaks_the_next(void **state)
{
    struct spool *spool = spool_of(state);
    const struct audit_entry forged = {AUDIT_KEY, "key_1", "one", "192.0.2.1", "fax.sent", "forged", "{}"};
    char hash[AUDIT_HASH_SIZE], sql[300];
    struct audit_head head;
    add_many(spool, 1);
    audit_head(&head, spool);
    add_many(spool, 2);
    int64_t at_ms = spool_facts_number(spool, "SELECT at AS n FROM audit WHERE sequence = 2");
    audit_hash(hash, head.hash, 2, at_ms, &forged);
    snprintf(sql, sizeof sql,
             "UPDATE audit SET object = 'forged', detail = '{}', action = 'fax.sent', hash = '%s'"
             " WHERE sequence = 2",
             hash);
    behind_its_back(spool, sql);
    assert_broken(spool, AUDIT_FAULT_CHANGED, 3);
}

static void an_entry_that_is_missing_is_named(void **state)
{
    struct spool *spool = spool_of(state);
    add_many(spool, 5);
    behind_its_back(spool, "DELETE FROM audit WHERE sequence = 4");
    assert_broken(spool, AUDIT_FAULT_MISSING, 4);
    assert_int_equal(verified.entries, 3);
    assert_int_equal(db_exec(spool_db(spool), "DELETE FROM audit WHERE sequence = 1"), 0);
    assert_broken(spool, AUDIT_FAULT_MISSING, 1);
}

static void an_end_that_is_missing_is_named_while_the_server_knows_it(void **state)
{
    struct spool *spool = spool_of(state);
    add_many(spool, 5);
    behind_its_back(spool, "DELETE FROM audit WHERE sequence > 3");
    assert_broken(spool, AUDIT_FAULT_MISSING, 4);
    assert_int_equal(verified.head.sequence, 5);
}

static void an_entry_before_the_first_is_named(void **state)
{
    struct spool *spool = spool_of(state);
    add_many(spool, 2);
    behind_its_back(spool, "INSERT INTO audit SELECT -1, at, actor_kind, actor, actor_name, address, action, object,"
                           " detail, hash FROM audit WHERE sequence = 1");
    assert_broken(spool, AUDIT_FAULT_ADDED, -1);
}

static void many_entries_are_verified_in_slices(void **state)
{
    struct spool *spool = spool_of(state);
    add_many(spool, 5001);
    verify(spool);
    assert_int_equal(verified.entries, 5001);
    behind_its_back(spool, "UPDATE audit SET object = 'x' WHERE sequence = 4500");
    assert_broken(spool, AUDIT_FAULT_CHANGED, 4500);
}

/* ---- what is written ---- */

static void a_look_is_told_once_an_hour_for_each_who_and_what(void **state)
{
    struct spool *spool = spool_of(state);
    struct audit_entry look = {.actor = AUDIT_USER, .actor_id = "usr_1", .action = "fax.viewed", .object = "fax_1"};
    for (int i = 0; i < 3; i++)
        assert_int_equal(audit_write_look(spool, &look), 0);
    look.object = "fax_2";
    assert_int_equal(audit_write_look(spool, &look), 0);
    look.actor_id = "usr_2";
    assert_int_equal(audit_write_look(spool, &look), 0);
    look.action = "audit.viewed";
    assert_int_equal(audit_write_look(spool, &look), 0);
    spool_facts_turn(spool);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM audit"), 4);
    clock_shift(3600000);
    assert_int_equal(audit_write_look(spool, &look), 0);
    clock_shift(-3600000);
    spool_facts_turn(spool);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM audit"), 5);
}

static void refusals_are_bounded_and_the_others_counted(void **state)
{
    struct spool *spool = spool_of(state);
    const struct audit_entry refusal = {.actor = AUDIT_UNKNOWN, .action = "access.refused"};
    clock_shift(60000 - clock_mono_ms() % 60000); /* the begin of a minute */
    for (int i = 0; i < AUDIT_REFUSALS_MAX + 7; i++)
        assert_int_equal(audit_write_refusal(spool, &refusal), 0);
    spool_facts_turn(spool);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM audit"), AUDIT_REFUSALS_MAX);
    clock_shift(60000);
    assert_int_equal(add(spool, "fax.sent", "fax_1"), 0);
    spool_facts_turn(spool);
    assert_string_equal(list(spool, &(struct audit_query){.limit = 10, .action = "access.refusals_counted"}), "31 ");
    const json_t *detail = json_object_get(json_array_get(json_object_get(page, "data"), 0), "detail");
    assert_int_equal(json_integer_value(json_object_get(detail, "count")), 7);
    assert_string_equal(list(spool, &(struct audit_query){.limit = 1}), "32 ");
    for (int i = 0; i < 2; i++) /* nothing is counted twice */
        assert_int_equal(audit_write_refusal(spool, &refusal), 0);
    spool_facts_turn(spool);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM audit"), AUDIT_REFUSALS_MAX + 4);
}

static void what_a_stranger_sends_is_cut_and_made_text(void **state)
{
    struct spool *spool = spool_of(state);
    char object[3000], detail[3000];
    memset(object, 'x', sizeof object);
    object[sizeof object - 1] = '\0';
    memset(detail, ' ', sizeof detail);
    detail[sizeof detail - 1] = '\0';
    const struct audit_entry entry = {.actor = AUDIT_UNKNOWN,
                                      .actor_name = "a\xff"
                                                    "b",
                                      .action = "x",
                                      .object = object,
                                      .detail = detail};
    assert_int_equal(audit_write(spool, &entry), 0);
    spool_facts_turn(spool);
    list(spool, &(struct audit_query){.limit = 1});
    const json_t *got = json_array_get(json_object_get(page, "data"), 0);
    assert_int_equal(json_string_length(json_object_get(got, "object")), AUDIT_OBJECT_MAX);
    assert_string_equal(json_string_value(json_object_get(json_object_get(got, "actor"), "name")), "a?b");
    assert_int_equal(json_object_size(json_object_get(got, "detail")), 0);
    verify(spool);
    assert_int_equal(verified.fault, AUDIT_FAULT_NONE);
}

/* ---- lists ---- */

static void a_list_is_filtered_and_paged(void **state)
{
    struct spool *spool = spool_of(state);
    add_many(spool, 6); /* 1 sent, 2 viewed, ... */
    assert_int_equal(audit_write_server(spool, "server.started", "", "{}"), 0);
    spool_facts_turn(spool);
    assert_string_equal(list(spool, &(struct audit_query){.limit = 10, .action = "fax.sent"}), "5 3 1 ");
    assert_string_equal(list(spool, &(struct audit_query){.limit = 10, .action = "fax.*"}), "6 5 4 3 2 1 ");
    assert_string_equal(list(spool, &(struct audit_query){.limit = 10, .action = "*"}), "7 6 5 4 3 2 1 ");
    assert_string_equal(list(spool, &(struct audit_query){.limit = 10, .actor = "server"}), "7 ");
    assert_string_equal(list(spool, &(struct audit_query){.limit = 10, .actor = "key_1", .action = "fax.viewed"}),
                        "6 4 2 ");
    assert_string_equal(list(spool, &(struct audit_query){.limit = 10, .object = "fax_3"}), "4 ");
    assert_string_equal(list(spool, &(struct audit_query){.limit = 10, .object = "fax_3", .actor = "key_2"}), "");
    assert_string_equal(list(spool, &(struct audit_query){.limit = 4}), "7 6 5 4 ");
    assert_true(json_is_true(json_object_get(page, "has_more")));
    char *cursor = xstrdup(json_string_value(json_object_get(page, "next_cursor")));
    add_many(spool, 2); /* shifts nothing */
    assert_string_equal(list(spool, &(struct audit_query){.limit = 3, .cursor = cursor}), "3 2 1 ");
    assert_false(json_is_true(json_object_get(page, "has_more")));
    free(cursor);
}

static void a_list_is_by_time_also_when_the_clock_was_set_back(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t now_ms = clock_now_ms();
    add_many(spool, 1);
    clock_shift(-10000000);
    add_many(spool, 1);
    clock_shift(10000000);
    assert_string_equal(list(spool, &(struct audit_query){.limit = 10}), "1 2 ");
    assert_string_equal(list(spool, &(struct audit_query){.limit = 10, .from_ms = now_ms - 5000000}), "1 ");
    assert_string_equal(list(spool, &(struct audit_query){.limit = 10, .to_ms = now_ms - 5000000}), "2 ");
    assert_string_equal(
        list(spool, &(struct audit_query){.limit = 10, .from_ms = now_ms - 20000000, .to_ms = now_ms + 60000}), "1 2 ");
    verify(spool);
    assert_int_equal(verified.fault, AUDIT_FAULT_NONE);
}

static void a_filter_that_finds_little_ends_its_page_and_goes_on(void **state)
{
    struct spool *spool = spool_of(state);
    struct audit_query query = {.limit = 10, .action = "key.*", .object = "much"};
    assert_int_equal(add(spool, "key.created", "much"), 0);
    for (int i = 0; i < AUDIT_LIST_LOOKED; i++)
        assert_int_equal(add(spool, "fax.sent", "much"), 0);
    spool_facts_turn(spool);
    assert_string_equal(list(spool, &query), "");
    assert_true(json_is_true(json_object_get(page, "has_more")));
    char *cursor = xstrdup(json_string_value(json_object_get(page, "next_cursor")));
    query.cursor = cursor;
    assert_string_equal(list(spool, &query), "1 ");
    free(cursor);
}

static void seldom_actions_are_found_at_once(void **state)
{
    struct spool *spool = spool_of(state);
    assert_int_equal(add(spool, "key.created", "rare"), 0);
    assert_int_equal(add(spool, "key.revoked", "rare"), 0);
    add_many(spool, AUDIT_LIST_LOOKED);
    assert_string_equal(list(spool, &(struct audit_query){.limit = 10, .action = "key.*"}), "2 1 ");
    assert_true(json_is_false(json_object_get(page, "has_more")));
    assert_string_equal(list(spool, &(struct audit_query){.limit = 1, .action = "key.*"}), "2 ");
    assert_true(json_is_true(json_object_get(page, "has_more")));
    assert_string_equal(list(spool, &(struct audit_query){.limit = 9, .action = "key.*", .actor = "key_1"}), "2 1 ");
    assert_string_equal(list(spool, &(struct audit_query){.limit = 9, .action = "key.*", .actor = "key_2"}), "");
    assert_string_equal(list(spool, &(struct audit_query){.limit = 9, .action = "none.*"}), "");
    assert_true(json_is_false(json_object_get(page, "has_more")));
}

static void wrong_filters_are_refused(void **state)
{
    static const char *const cursors[] = {"x", "1", "1-", "-1", "1-x", "1-0", "99999999999999999999-1"};
    struct audit_query query = {.limit = 0};
    char action[AUDIT_ACTION_MAX + 2];
    assert_int_equal(audit_list_start(spool_of(state), &query, on_listed, NULL), ERR_INVALID);
    query.limit = AUDIT_LIST_MAX + 1;
    assert_int_equal(audit_list_start(spool_of(state), &query, on_listed, NULL), ERR_INVALID);
    query.limit = 1;
    for (size_t i = 0; i < COUNT_OF(cursors); i++) {
        query.cursor = cursors[i];
        assert_int_equal(audit_list_start(spool_of(state), &query, on_listed, NULL), ERR_INVALID);
    }
    memset(action, 'x', sizeof action - 1);
    action[sizeof action - 1] = '\0';
    query = (struct audit_query){.limit = 1, .action = action};
    assert_int_equal(audit_list_start(spool_of(state), &query, on_listed, NULL), ERR_INVALID);
}

static int forget_page(void **state)
{
    json_decref(page);
    page = NULL;
    return spool_facts_teardown(state);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, spool_facts_setup, forget_page)

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_hash_is_what_the_description_says),
        cmocka_unit_test(nothing_can_be_shifted_from_one_field_to_the_next),
        FACT(entries_are_numbered_and_chained_across_a_restart),
        FACT(an_empty_log_is_right),
        FACT(entries_of_an_undone_part_are_gone_and_the_chain_goes_on),
        FACT(a_void_turn_takes_its_entries_and_the_head_back),
        FACT(the_table_takes_no_change),
        FACT(a_changed_entry_is_named),
        FACT(an_entry_that_was_hashed_anew_breaks_the_next),
        FACT(an_entry_that_is_missing_is_named),
        FACT(an_end_that_is_missing_is_named_while_the_server_knows_it),
        FACT(an_entry_before_the_first_is_named),
        FACT(many_entries_are_verified_in_slices),
        FACT(a_look_is_told_once_an_hour_for_each_who_and_what),
        FACT(refusals_are_bounded_and_the_others_counted),
        FACT(what_a_stranger_sends_is_cut_and_made_text),
        FACT(a_list_is_filtered_and_paged),
        FACT(a_list_is_by_time_also_when_the_clock_was_set_back),
        FACT(a_filter_that_finds_little_ends_its_page_and_goes_on),
        FACT(seldom_actions_are_found_at_once),
        FACT(wrong_filters_are_refused),
    };
    return cmocka_run_group_tests_name("audit", facts, NULL, NULL);
}
