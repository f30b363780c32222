/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about what reports and the dashboard count. */
#include "config.h"

#include "spool/usage.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/db.h"
#include "db/migrations.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/fax_state.h"
#include "spool/queue_age.h"
#include "spool/today.h"
#include "spool/usage_report.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

static int64_t number(struct spool *spool, const char *sql)
{
    return spool_facts_number(spool, sql);
}

/* A fax whose only call ends so, after a minute on the line. */
static int64_t ended(struct spool *spool, const char *to, enum fax_outcome outcome, int pages)
{
    int64_t fax = spool_facts_queue(spool, to, 3), now_ms = clock_now_ms();
    assert_int_equal(db_write_begin(spool_db(spool)), 0);
    assert_int_equal(db_exec(spool_db(spool), "UPDATE fax SET max_attempts = 1"), 0);
    int64_t attempt = spool_facts_call(spool);
    const struct attempt_result result = {.outcome = outcome,
                                          .pages_confirmed = pages,
                                          .end_sent = outcome == OUTCOME_SUCCESS,
                                          .final_confirmed = outcome == OUTCOME_SUCCESS,
                                          .connected_at = now_ms - 60000,
                                          .ended_at = now_ms};
    assert_int_equal(attempt_end(NULL, spool, attempt, &result), 0);
    spool_facts_turn(spool);
    return fax;
}

static void sql(struct spool *spool, const char *text)
{
    assert_int_equal(db_write_begin(spool_db(spool)), 0);
    assert_int_equal(db_exec(spool_db(spool), text), 0);
    spool_facts_turn(spool);
}

/* ---- counting ---- */

static void each_end_is_counted_in_its_hour(void **state)
{
    struct spool *spool = spool_of(state);
    ended(spool, "1002", OUTCOME_SUCCESS, 3);
    ended(spool, "1003", OUTCOME_SUCCESS, 3);
    ended(spool, "1004", OUTCOME_BAD_ADDRESS, 0);
    assert_int_equal(number(spool, "SELECT count(*) AS n FROM usage"), 2);
    assert_int_equal(number(spool, "SELECT faxes AS n FROM usage WHERE state = 10"), 2);
    assert_int_equal(number(spool, "SELECT pages AS n FROM usage WHERE state = 10"), 6);
    assert_int_equal(number(spool, "SELECT call_ms AS n FROM usage WHERE state = 10"), 120000);
    assert_int_equal(number(spool, "SELECT faxes AS n FROM usage WHERE state = 13 AND outcome = 7"), 1);
    assert_int_equal(number(spool, "SELECT count(*) AS n FROM usage WHERE provider = 'exchange'"), 2);
    assert_int_equal(number(spool, "SELECT hour AS n FROM usage WHERE state = 10"), clock_now_ms() / USAGE_HOUR_MS);
}

static void faxes_of_test_keys_are_not_counted(void **state)
{
    struct spool *spool = spool_of(state);
    struct fax fax;
    int64_t id = spool_facts_queue(spool, "1002", 1);
    sql(spool, "UPDATE fax SET test = 1");
    spool_facts_read(&fax, spool, id);
    assert_int_equal(fax_state_cancel(spool, fax.public_id), 0);
    fax_clear(&fax);
    spool_facts_turn(spool);
    assert_int_equal(spool_facts_state(spool, id), FAX_CANCELED);
    assert_int_equal(number(spool, "SELECT count(*) AS n FROM usage"), 0);
}

static void a_fax_that_goes_on_is_taken_back(void **state)
{
    struct spool *spool = spool_of(state);
    struct fax fax;
    int64_t id = ended(spool, "1002", OUTCOME_BAD_ADDRESS, 2);
    spool_facts_read(&fax, spool, id);
    fax.ended_at = 0; /* what it is to be */
    fax.outcome = OUTCOME_NONE;
    assert_int_equal(usage_reopened(spool, &fax), 0);
    fax_clear(&fax);
    spool_facts_turn(spool);
    assert_int_equal(number(spool, "SELECT count(*) AS n FROM usage"), 1);
    assert_int_equal(number(spool, "SELECT faxes + pages + call_ms AS n FROM usage"), 0);
}

static void an_undone_part_counts_nothing(void **state)
{
    struct spool *spool = spool_of(state);
    struct fax fax;
    int64_t id = spool_facts_queue(spool, "1002", 1);
    spool_facts_turn(spool);
    spool_facts_read(&fax, spool, id);
    assert_int_equal(spool_part_begin(spool), 0);
    assert_int_equal(fax_state_cancel(spool, fax.public_id), 0);
    assert_int_equal(spool_part_end(spool, false), 0);
    fax_clear(&fax);
    spool_facts_turn(spool);
    assert_int_equal(number(spool, "SELECT count(*) AS n FROM usage"), 0);
    assert_int_equal(queue_older_than(spool, 0), 1);
}

/* A store from before there were sums gets those that it would have. */
static void what_ended_before_there_were_sums_is_counted(void **state)
{
    struct spool *spool = spool_of(state);
    const char *insert = NULL;
    ended(spool, "1002", OUTCOME_SUCCESS, 3);
    ended(spool, "1002", OUTCOME_BAD_ADDRESS, 1);
    ended(spool, "1003", OUTCOME_BUSY, 0);
    for (int i = 0; i < migrations_count && !insert; i++)
        insert = strstr(migrations[i], "INSERT INTO usage ");
    assert_non_null(insert);
    sql(spool, "CREATE TABLE was AS SELECT * FROM usage; DELETE FROM usage");
    sql(spool, insert);
    assert_in_range(number(spool, "SELECT count(*) AS n FROM usage"), 3, 3);
    assert_int_equal(number(spool, "SELECT count(*) AS n FROM (SELECT * FROM usage EXCEPT SELECT * FROM was) AS d"), 0);
    assert_int_equal(number(spool, "SELECT count(*) AS n FROM (SELECT * FROM was EXCEPT SELECT * FROM usage) AS d"), 0);
}

/* What the sums by the day have to be: those of the hours. */
#define DAYS                                                                                                           \
    "SELECT hour / 24 AS d, direction, state, outcome, provider, sum(faxes) AS f, sum(pages) AS p, sum(call_ms) AS c"  \
    " FROM usage GROUP BY d, direction, state, outcome, provider"
#define USERS                                                                                                          \
    "SELECT hour / 24 AS d, user_id, direction, state, sum(faxes) AS f, sum(pages) AS p, sum(call_ms) AS c FROM usage" \
    " GROUP BY d, user_id, direction, state"
#define DIFFERENT(one, other) "SELECT count(*) AS n FROM (SELECT * FROM (" one ") EXCEPT SELECT * FROM (" other "))"

static void days_say_what_their_hours_say(void **state)
{
    struct spool *spool = spool_of(state);
    struct fax fax;
    ended(spool, "1002", OUTCOME_SUCCESS, 3);
    ended(spool, "1003", OUTCOME_SUCCESS, 2);
    ended(spool, "1002", OUTCOME_BAD_ADDRESS, 1);
    int64_t id = spool_facts_queue(spool, "1004", 1);
    spool_facts_read(&fax, spool, id);
    assert_int_equal(fax_state_cancel(spool, fax.public_id), 0);
    fax_clear(&fax);
    spool_facts_turn(spool);
    assert_int_equal(number(spool, "SELECT sum(faxes) AS n FROM usage_day"), 4);
    assert_int_equal(number(spool, "SELECT sum(pages) AS n FROM usage_user"), 6);
    assert_int_equal(number(spool, DIFFERENT(DAYS, "SELECT * FROM usage_day")), 0);
    assert_int_equal(number(spool, DIFFERENT("SELECT * FROM usage_day", DAYS)), 0);
    assert_int_equal(number(spool, DIFFERENT(USERS, "SELECT * FROM usage_user")), 0);
    assert_int_equal(number(spool, DIFFERENT("SELECT * FROM usage_user", USERS)), 0);
    spool_facts_read(&fax, spool, id);
    assert_int_equal(usage_reopened(spool, &fax), 0);
    fax_clear(&fax);
    spool_facts_turn(spool);
    assert_int_equal(number(spool, "SELECT sum(faxes) AS n FROM usage_day"), 3);
    assert_int_equal(number(spool, DIFFERENT(USERS, "SELECT * FROM usage_user")), 0);
}

/* ---- reports ---- */

static json_t *report;

static void on_reported(void *context, int error, json_t *made)
{
    (void)context;
    assert_int_equal(error, 0);
    report = json_incref(made);
}

static const json_t *rows_of(struct spool *spool, enum usage_group group, int64_t from_ms, int64_t to_ms)
{
    const struct usage_query query = {group, from_ms, to_ms};
    struct usage_report *handle;
    json_decref(report);
    report = NULL;
    assert_int_equal(usage_report_start(&handle, spool, &query, on_reported, NULL), 0);
    return json_object_get(report, "data");
}

static void assert_row(const json_t *rows, size_t i, const char *key, int sent, int delivered, int failed)
{
    const json_t *row = json_array_get(rows, i);
    assert_string_equal(json_string_value(json_object_get(row, "key")), key);
    assert_int_equal(json_integer_value(json_object_get(row, "sent")), sent);
    assert_int_equal(json_integer_value(json_object_get(row, "delivered")), delivered);
    assert_int_equal(json_integer_value(json_object_get(row, "failed")), failed);
}

#define HOUR (1000000 * USAGE_HOUR_MS) /* 2084-01-29T16:00Z */

/* Two hours, of which one is on the day before. */
static void fill(struct spool *spool)
{
    sql(spool,
        "INSERT INTO usage VALUES (1000000, 0, 10, 1, 'a', 0, 5, 50, 5000), (1000000, 0, 13, 4, 'a', 0, 2, 1, 500),"
        " (1000000, 0, 15, 23, '', 0, 1, 0, 0), (1000000, 1, 22, 1, 'b', 0, 4, 8, 100),"
        " (999980, 0, 10, 1, 'b', 0, 7, 7, 700), (999980, 0, 14, 0, '', 0, 1, 0, 0)");
    sql(spool, "INSERT INTO usage_day " DAYS);
    sql(spool, "INSERT INTO usage_user " USERS);
}

/* A range that begins and ends within days is put together from hours and days. */
static void a_range_of_days_and_hours_counts_each_hour_once(void **state)
{
    static const enum usage_group groups[] = {USAGE_BY_DAY, USAGE_BY_PROVIDER, USAGE_BY_USER, USAGE_BY_ERROR};
    struct spool *spool = spool_of(state);
    sql(spool, "WITH RECURSIVE n(i) AS (SELECT 1000000 UNION ALL SELECT i + 1 FROM n WHERE i < 1000119)"
               " INSERT INTO usage SELECT i, 0, 13, 4, 'a', i % 3, 1, 1, 1 FROM n");
    sql(spool, "INSERT INTO usage_day " DAYS);
    sql(spool, "INSERT INTO usage_user " USERS);
    for (size_t group = 0; group < COUNT_OF(groups); group++) {
        for (int from = 0; from < 60; from += 7) {
            for (int to = from + 1; to <= 120; to += 11) {
                int64_t failed = 0;
                size_t i;
                const json_t *row,
                    *rows = rows_of(spool, groups[group], HOUR + from * USAGE_HOUR_MS, HOUR + to * USAGE_HOUR_MS);
                json_array_foreach((json_t *)rows, i, row) failed += json_integer_value(json_object_get(row, "failed"));
                assert_int_equal(failed, to - from);
            }
        }
    }
}

static void sums_are_grouped(void **state)
{
    struct spool *spool = spool_of(state);
    const json_t *rows;
    fill(spool);
    rows = rows_of(spool, USAGE_BY_HOUR, HOUR - 100 * USAGE_HOUR_MS, HOUR + 1);
    assert_int_equal(json_array_size(rows), 2);
    assert_row(rows, 0, "2084-01-28T20:00:00.000Z", 8, 7, 0);
    assert_row(rows, 1, "2084-01-29T16:00:00.000Z", 8, 5, 3);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(rows, 1), "received")), 4);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(rows, 1), "pages_sent")), 51);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(rows, 1), "pages_received")), 8);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(rows, 1), "faxes")), 12);
    rows = rows_of(spool, USAGE_BY_DAY, HOUR - 100 * USAGE_HOUR_MS, HOUR + 1);
    assert_row(rows, 0, "2084-01-28", 8, 7, 0);
    assert_row(rows, 1, "2084-01-29", 8, 5, 3);
    rows = rows_of(spool, USAGE_BY_PROVIDER, HOUR - 100 * USAGE_HOUR_MS, HOUR + 1);
    assert_int_equal(json_array_size(rows), 3);
    assert_true(json_is_null(json_object_get(json_array_get(rows, 0), "key")));
    assert_row(rows, 1, "a", 7, 5, 2);
    assert_row(rows, 2, "b", 7, 7, 0);
    rows = rows_of(spool, USAGE_BY_ERROR, HOUR - 100 * USAGE_HOUR_MS, HOUR + 1);
    assert_int_equal(json_array_size(rows), 2);
    assert_row(rows, 0, "busy", 2, 0, 2);
    assert_row(rows, 1, "expired", 1, 0, 1);
    rows = rows_of(spool, USAGE_BY_USER, HOUR - 100 * USAGE_HOUR_MS, HOUR + 1);
    assert_int_equal(json_array_size(rows), 1);
}

static void a_report_keeps_to_its_hours(void **state)
{
    struct spool *spool = spool_of(state);
    fill(spool);
    assert_int_equal(json_array_size(rows_of(spool, USAGE_BY_HOUR, HOUR, HOUR + USAGE_HOUR_MS)), 1);
    assert_int_equal(json_array_size(rows_of(spool, USAGE_BY_HOUR, HOUR - 20 * USAGE_HOUR_MS, HOUR)), 1);
    assert_int_equal(json_array_size(rows_of(spool, USAGE_BY_HOUR, HOUR + USAGE_HOUR_MS, HOUR + 9 * USAGE_HOUR_MS)), 0);
}

static void numbers_called_are_summed_in_slices(void **state)
{
    struct spool *spool = spool_of(state);
    sql(spool,
        "INSERT INTO fax (public_id, direction, state, destination, created_at, updated_at, ended_at, pages_confirmed)"
        " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
        " SELECT 'fax_' || i, 0, CASE WHEN i % 4 = 0 THEN 13 ELSE 10 END, '+4930' || (i % 1500), 1, 1,"
        " 3600000000000 + i / 3, 2 FROM n");
    const json_t *rows = rows_of(spool, USAGE_BY_DESTINATION, HOUR, HOUR + USAGE_HOUR_MS);
    assert_int_equal(json_array_size(rows), USAGE_DESTINATIONS);
    assert_false(json_is_true(json_object_get(report, "complete"))); /* 500 numbers are not told */
    assert_row(rows, 0, "+49301", 4, 4, 0); /* 1, 1501, 3001, 4501; of those with four the first */
    assert_int_equal(json_array_size(rows_of(spool, USAGE_BY_DESTINATION, 0, HOUR)), 0);
    sql(spool, "UPDATE fax SET destination = '1002' WHERE id > 10");
    rows = rows_of(spool, USAGE_BY_DESTINATION, HOUR, HOUR + USAGE_HOUR_MS);
    assert_int_equal(json_array_size(rows), 11);
    assert_true(json_is_true(json_object_get(report, "complete")));
    assert_row(rows, 0, "1002", 4990, 4990 - 1248, 1248);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(rows, 0), "pages_sent")), 2 * 4990);
}

/* ---- the queue's ages ---- */

static void faxes_in_the_queue_are_counted_by_age_also_after_a_restart(void **state)
{
    struct spool_facts *facts = *state;
    int64_t first = spool_facts_queue(facts->spool, "1002", 1);
    spool_facts_turn(facts->spool);
    clock_shift(10 * 60000);
    spool_facts_queue(facts->spool, "1003", 1);
    assert_int_equal(queue_older_than(facts->spool, 0), 1); /* not committed yet */
    spool_facts_turn(facts->spool);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(queue_older_than(facts->spool, 0), 2);
        assert_int_equal(queue_older_than(facts->spool, 300), 1);
        assert_int_equal(queue_older_than(facts->spool, 3600), 0);
        spool_facts_reopen(facts);
    }
    clock_shift(2 * 86400000ll);
    assert_int_equal(queue_older_than(facts->spool, 86400), 2);
    struct fax fax;
    spool_facts_read(&fax, facts->spool, first);
    assert_int_equal(fax_state_hold(facts->spool, fax.public_id), 0);
    spool_facts_turn(facts->spool);
    assert_int_equal(queue_older_than(facts->spool, 0), 1);
    assert_int_equal(fax_state_release(facts->spool, fax.public_id), 0);
    fax_clear(&fax);
    spool_facts_turn(facts->spool);
    assert_int_equal(queue_older_than(facts->spool, 0), 2);
    assert_int_equal(queue_older_than(facts->spool, 86400), 1);
    clock_shift(-2 * 86400000ll - 10 * 60000);
}

static void ages_add_up(void **state)
{
    struct spool *spool = spool_of(state);
    const json_t *bucket;
    json_int_t sum = 0;
    size_t i;
    for (int k = 0; k < 5; k++) {
        spool_facts_queue(spool, k % 2 ? "1002" : "1003", 1);
        spool_facts_turn(spool);
        clock_shift(20 * 60000);
    }
    json_t *ages = queue_ages(spool);
    json_array_foreach(ages, i, bucket) sum += json_integer_value(json_object_get(bucket, "count"));
    assert_int_equal(sum, 5);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(ages, 3), "count")), 2); /* 20 and 40 minutes */
    assert_int_equal(json_integer_value(json_object_get(json_array_get(ages, 4), "count")), 3);
    json_decref(ages);
    clock_shift(-100 * 60000);
}

static void on_today(void *context, int error, json_t *today)
{
    (void)context;
    assert_int_equal(error, 0);
    report = json_incref(today);
}

static void the_dashboard_is_told_of_today(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t since_ms = today_begin(spool, clock_now_ms());
    assert_in_range(clock_now_ms() - since_ms, 0, 25 * USAGE_HOUR_MS);
    assert_int_equal(since_ms % USAGE_HOUR_MS, 0);
    ended(spool, "1002", OUTCOME_SUCCESS, 3);
    ended(spool, "1002", OUTCOME_BAD_ADDRESS, 0);
    sql(spool, "INSERT INTO usage VALUES (5, 0, 10, 1, 'old', 0, 5, 50, 5000)");
    assert_int_equal(today_start(spool, since_ms, on_today, NULL), 0);
    assert_int_equal(json_array_size(json_object_get(report, "providers")), 1);
    assert_row(json_object_get(report, "providers"), 0, "exchange", 2, 1, 1);
    assert_row(json_object_get(report, "errors"), 0, "bad_address", 1, 0, 1);
    assert_int_equal(json_integer_value(json_object_get(report, "preparing_since")), 0);
}

static int forget_report(void **state)
{
    json_decref(report);
    report = NULL;
    return spool_facts_teardown(state);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, spool_facts_setup, forget_report)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(each_end_is_counted_in_its_hour),
        FACT(faxes_of_test_keys_are_not_counted),
        FACT(a_fax_that_goes_on_is_taken_back),
        FACT(an_undone_part_counts_nothing),
        FACT(what_ended_before_there_were_sums_is_counted),
        FACT(days_say_what_their_hours_say),
        FACT(a_range_of_days_and_hours_counts_each_hour_once),
        FACT(sums_are_grouped),
        FACT(a_report_keeps_to_its_hours),
        FACT(numbers_called_are_summed_in_slices),
        FACT(faxes_in_the_queue_are_counted_by_age_also_after_a_restart),
        FACT(ages_add_up),
        FACT(the_dashboard_is_told_of_today),
    };
    return cmocka_run_group_tests_name("usage", facts, NULL, NULL);
}
