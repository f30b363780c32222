/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about how the store finds what it is asked for: every statement that runs while lists, searches, sums and the
 * queue are asked is explained afterwards, and none may go through a table that grows with the faxes, nor sort it.
 *
 * The statements are taken from the connections themselves, so that none is forgotten. */
#include "config.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/db.h"
#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "spool/audit.h"
#include "spool/audit_list.h"
#include "spool/audit_verify.h"
#include "spool/batch.h"
#include "spool/claim.h"
#include "spool/contact_list.h"
#include "spool/destination.h"
#include "spool/event.h"
#include "spool/fax_state.h"
#include "spool/list.h"
#include "spool/spool.h"
#include "spool/submit.h"
#include "spool/today.h"
#include "spool/usage_report.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

/* ---- the statements that ran ---- */

#define SEEN_MAX 8192

static char *seen[SEEN_MAX];
static int seen_count;
static bool watching;

static int on_statement(unsigned type, void *context, void *statement, void *text)
{
    const char *sql = sqlite3_sql(statement);
    (void)type, (void)context, (void)text;
    if (!watching || !sql || strncmp(sql, "EXPLAIN", 7) == 0)
        return 0;
    for (int i = 0; i < seen_count; i++)
        if (strcmp(seen[i], sql) == 0)
            return 0;
    assert_in_range(seen_count, 0, SEEN_MAX - 1);
    seen[seen_count++] = xstrdup(sql);
    return 0;
}

static int on_open(sqlite3 *handle, char **message, const void *thunk)
{
    (void)message, (void)thunk;
    return sqlite3_trace_v2(handle, SQLITE_TRACE_STMT, on_statement, NULL);
}

static int watch(void **state)
{
    sqlite3_auto_extension((void (*)(void))on_open);
    int error = spool_facts_setup(state);
    watching = true; /* what happens at the start, happens once */
    return error;
}

static int forget(void **state)
{
    for (int i = 0; i < seen_count; i++)
        free(seen[i]);
    seen_count = 0;
    watching = false;
    sqlite3_cancel_auto_extension((void (*)(void))on_open);
    return spool_facts_teardown(state);
}

/* ---- what is wrong with a plan ---- */

/* Tables with a row, or more, for each fax, call, request or number. */
static const char *const large[] = {
    "fax",         "attempt",  "event",       "audit",          "delivery", "destination",
    "document",    "prepared", "fax_label",   "fax_tag",        "fax_note", "fax_document",
    "idempotency", "contact",  "batch_count", "usage",          "u",        "usage_user",
    "usage_day",   "d",        "e",           "contact_member", "batch"};

/* Statements that go through a table or a partial index without bounds, and why they may. */
static const struct {
    const char *begin, *reason;
} allowed[] = {
    {"SELECT created_at FROM fax WHERE state = 1 ORDER BY id LIMIT 1", "the first of what is prepared"},
    {"SELECT not_before AS at FROM fax WHERE state = 3 ORDER BY not_before, id LIMIT 1", "the first of what waits"},
    {"SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1", "the end of the table"},
    {"SELECT sequence, created_at FROM event ORDER BY sequence LIMIT", "the beginning of the table"},
};

static bool is_allowed(const char *sql)
{
    for (size_t i = 0; i < COUNT_OF(allowed); i++)
        if (strncmp(sql, allowed[i].begin, strlen(allowed[i].begin)) == 0)
            return true;
    return false;
}

static bool reads_rows(const char *sql)
{
    return strncmp(sql, "SELECT", 6) == 0 || strncmp(sql, "UPDATE", 6) == 0 || strncmp(sql, "DELETE", 6) == 0;
}

/* "SCAN fax", with or without an index: all rows of it. */
static bool scans(const char *detail, const char *sql)
{
    char table[64];
    if (sscanf(detail, "SCAN %63s", table) != 1)
        return false;
    if (strcmp(table, "u") == 0 && strstr(sql, ") u "))
        return false; /* no table: what three ranges have brought */
    for (size_t i = 0; i < COUNT_OF(large); i++)
        if (strcmp(table, large[i]) == 0)
            return true;
    return false;
}

/* Sums by the day are grouped of few rows; only what has a row for each fax may not be sorted. */
static bool sorts(const char *detail, const char *sql)
{
    return strstr(detail, "TEMP B-TREE") && !strstr(sql, "usage") && !strstr(sql, "fax.id IN (");
}

static int faults_of(sqlite3 *handle, const char *sql)
{
    char *explain = xasprintf("EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *stmt = NULL;
    int faults = 0;
    if (sqlite3_prepare_v2(handle, explain, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", explain, sqlite3_errmsg(handle));
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(stmt, 3);
        if (!scans(detail, sql) && !sorts(detail, sql))
            continue;
        print_error("%s\n    %s\n", sql, detail);
        faults++;
    }
    sqlite3_finalize(stmt);
    free(explain);
    return faults;
}

/* All of what was asked is found by an index. */
static void assert_found_by_index(struct spool *spool)
{
    int faults = 0;
    watching = false;
    for (int i = 0; i < seen_count; i++)
        if (!is_allowed(seen[i]) && reads_rows(seen[i]))
            faults += faults_of(db_handle(spool_db(spool)), seen[i]);
    assert_int_equal(faults, 0);
}

/* The last statement that begins so leads to its rows by this index. */
static bool uses(sqlite3 *handle, const char *sql, const char *index)
{
    char *explain = xasprintf("EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *stmt = NULL;
    bool found = false;
    assert_int_equal(sqlite3_prepare_v2(handle, explain, -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(stmt, 3);
        found = found || strstr(detail, index) != NULL;
    }
    sqlite3_finalize(stmt);
    free(explain);
    return found;
}

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

/* ---- lists of faxes ---- */

static void ignore_page(void *context, int error, json_t *page)
{
    (void)context, (void)page;
    assert_int_equal(error, 0);
}

static void list(struct spool *spool, struct list_query query)
{
    query.limit = 50;
    assert_int_equal(list_start(spool, &query, ignore_page, NULL), 0);
}

/* Each filter, the index that has to lead to its rows, and whether one user's own are asked for in the same way. */
static const struct {
    struct list_query query;
    const char *index;
} filters[] = {
    {{.limit = 0}, "USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
    {{.direction = "outbound"}, "fax_by_direction"},
    {{.direction = "inbound"}, "fax_by_direction"},
    {{.status = "failed"}, "fax_by_state"},
    {{.status = "delivered,failed,queued", .direction = "outbound"}, "fax_by_state"},
    {{.to = "12"}, "fax_destination"},
    {{.from = "12"}, "fax_sender_text"},
    {{.error = "busy"}, "fax_by_error"},
    {{.tag = "x"}, "PRIMARY KEY (tag=? AND fax>? AND fax<?)"},
    {{.client_reference = "x"}, "fax_reference"},
    {{.unread = LIST_YES}, "fax_unread"},
    {{.unread = LIST_NO}, "fax_by_direction"},
    {{.junk = LIST_YES}, "fax_junk"},
    {{.junk = LIST_NO, .direction = "inbound"}, "fax_inbox"},
    {{.has_assignee = LIST_NO}, "fax_unassigned"},
    {{.assigned = 7}, "fax_assigned"},
    {{.label = "x"}, "PRIMARY KEY (label=? AND fax>? AND fax<?)"},
    {{.label = "x", .unread = LIST_YES}, "fax_unread"},
    {{.batch = 7}, "fax_batch"},
    {{.created_gte = 1000, .created_lt = 100000000}, "USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
};

static char *last_list(void)
{
    for (int i = seen_count - 1; i >= 0; i--)
        if (strstr(seen[i], " AS wanted FROM "))
            return seen[i];
    fail_msg("no list was asked for");
    return NULL;
}

static void forget_seen(void)
{
    while (seen_count > 0)
        free(seen[--seen_count]);
}

static void each_filter_has_its_index(void **state)
{
    struct spool *spool = spool_of(state);
    for (size_t i = 0; i < COUNT_OF(filters); i++) {
        forget_seen();
        list(spool, filters[i].query);
        watching = false;
        if (!uses(db_handle(spool_db(spool)), last_list(), filters[i].index))
            fail_msg("not by %s: %s", filters[i].index, last_list());
        watching = true;
        assert_found_by_index(spool);
        watching = true;
    }
}

static void two_filters_go_by_one_of_their_indices(void **state)
{
    struct spool *spool = spool_of(state);
    for (size_t one = 0; one < COUNT_OF(filters); one++) {
        for (size_t other = 0; other < COUNT_OF(filters); other++) {
            struct list_query query = filters[one].query, more = filters[other].query;
            query.direction = query.direction ? query.direction : more.direction;
            query.status = query.status ? query.status : more.status;
            query.to = query.to ? query.to : more.to;
            query.from = query.from ? query.from : more.from;
            query.error = query.error ? query.error : more.error;
            query.tag = query.tag ? query.tag : more.tag;
            query.label = query.label ? query.label : more.label;
            query.unread = query.unread ? query.unread : more.unread;
            query.junk = query.junk ? query.junk : more.junk;
            query.assigned = query.assigned ? query.assigned : more.assigned;
            query.batch = query.batch ? query.batch : more.batch;
            query.created_lt = query.created_lt ? query.created_lt : more.created_lt;
            list(spool, query);
        }
    }
    assert_found_by_index(spool);
}

static void ones_own_are_found_by_whose_they_are(void **state)
{
    struct spool *spool = spool_of(state);
    sqlite3 *handle = db_handle(spool_db(spool));
    for (size_t i = 0; i < COUNT_OF(filters); i++) {
        struct list_query query = filters[i].query;
        query.user = 7;
        forget_seen();
        list(spool, query);
        watching = false;
        if (!uses(handle, last_list(), "fax_user") && !uses(handle, last_list(), "fax_assigned") && !query.batch)
            fail_msg("not by its user: %s", last_list());
        watching = true;
        assert_found_by_index(spool);
        watching = true;
    }
}

static void a_search_goes_by_the_beginning_of_texts(void **state)
{
    struct spool *spool = spool_of(state);
    for (int i = 0; i < 3; i++)
        spool_facts_queue(spool, "+1555", 1);
    spool_facts_turn(spool);
    for (size_t i = 0; i < COUNT_OF(filters); i++) {
        struct list_query query = filters[i].query;
        query.q = i % 2 ? "+15" : "abc";
        query.contacts = true;
        list(spool, query);
        query.user = 7;
        list(spool, query);
    }
    assert_found_by_index(spool);
}

static void a_search_that_finds_many_goes_by_the_other_filter(void **state)
{
    struct spool *spool = spool_of(state);
    assert_int_equal(db_write_begin(spool_db(spool)), 0);
    assert_int_equal(db_exec(spool_db(spool),
                             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)"
                             " INSERT INTO fax (public_id, direction, state, destination, created_at, updated_at)"
                             " SELECT 'fax_' || i, 0, 10, '+1555', 1, 1 FROM n"),
                     0);
    spool_facts_turn(spool);
    for (size_t i = 0; i < COUNT_OF(filters); i++) {
        struct list_query query = filters[i].query;
        query.q = "+15";
        query.contacts = true;
        forget_seen();
        list(spool, query);
        watching = false;
        if (!strstr(last_list(), "lower(remote_station_id) >= ?") ||
            !uses(db_handle(spool_db(spool)), last_list(), filters[i].index))
            fail_msg("not by %s: %s", filters[i].index, last_list());
        watching = true;
        assert_found_by_index(spool);
        watching = true;
    }
}

/* ---- other lists ---- */

static void entries_of_the_audit_log_are_found_by_index(void **state)
{
    struct spool *spool = spool_of(state);
    static const char *const actors[] = {NULL, "key_1", "server"};
    static const char *const actions[] = {NULL, "fax.sent", "fax.*"};
    static const char *const objects[] = {NULL, "fax_1"};
    const struct audit_entry entry = {.actor = AUDIT_KEY, .actor_id = "key_1", .action = "fax.sent", .object = "fax_1"};
    assert_int_equal(audit_write(spool, &entry), 0);
    assert_int_equal(audit_write_server(spool, "fax.purged", "fax_1", "{}"), 0);
    spool_facts_turn(spool);
    for (int i = 0; i < 3 * 3 * 2 * 2; i++) {
        struct audit_query query = {.limit = 50,
                                    .actor = actors[i % 3],
                                    .action = actions[i / 3 % 3],
                                    .object = objects[i / 9 % 2],
                                    .cursor = i / 18 ? "1000000-7" : NULL,
                                    .from_ms = i / 18};
        assert_int_equal(audit_list_start(spool, &query, ignore_page, NULL), 0);
    }
    assert_found_by_index(spool);
}

static void ignore_result(void *context, int error, const struct audit_result *result)
{
    (void)context, (void)result;
    assert_int_equal(error, 0);
}

static void the_audit_log_is_verified_by_its_key(void **state)
{
    struct spool *spool = spool_of(state);
    struct audit_verification *verification;
    assert_int_equal(audit_write_server(spool, "fax.purged", "fax_1", "{}"), 0);
    spool_facts_turn(spool);
    assert_int_equal(audit_verify_start(&verification, spool, ignore_result, NULL), 0);
    assert_found_by_index(spool);
}

static void further_pages_begin_where_the_last_one_ended(void **state)
{
    struct spool *spool = spool_of(state);
    json_t *page;
    for (int i = 0; i < 8; i++) {
        const struct event_range range = {.after = i & 1, .limit = 10, .fax = i & 2 ? 7 : 0, .user = i & 4 ? 7 : 0};
        assert_int_equal(event_list(spool, &range, ignore_page, NULL), 0);
    }
    assert_int_equal(destination_list(spool, NULL, 50, ignore_page, NULL), 0);
    assert_int_equal(destination_list(spool, "7", 50, ignore_page, NULL), 0);
    assert_int_equal(batch_page(&page, spool, NULL, 50, 0), 0);
    json_decref(page);
    assert_int_equal(batch_page(&page, spool, "7", 50, 7), 0);
    json_decref(page);
    assert_found_by_index(spool);
}

static void contacts_are_found_by_their_beginning(void **state)
{
    struct spool *spool = spool_of(state);
    static const char *const searched[] = {NULL, "a", "+15"};
    for (size_t i = 0; i < COUNT_OF(searched); i++) {
        for (int64_t group = 0; group < 2; group++) {
            const struct contact_query query = {.limit = 10, .q = searched[i], .group = group};
            assert_int_equal(contact_list(spool, &query, ignore_page, NULL), 0);
        }
    }
    assert_found_by_index(spool);
}

static void sums_are_of_their_hours_and_days(void **state)
{
    struct spool *spool = spool_of(state);
    struct usage_report *report;
    for (enum usage_group group = USAGE_BY_DAY; group <= USAGE_BY_ERROR; group++) {
        const struct usage_query query = {group, 0, clock_now_ms()};
        assert_int_equal(usage_report_start(&report, spool, &query, ignore_page, NULL), 0);
    }
    assert_int_equal(today_start(spool, today_begin(spool, clock_now_ms()), ignore_page, NULL), 0);
    assert_found_by_index(spool);
}

/* ---- the queue ---- */

static void a_fax_goes_its_way_by_index(void **state)
{
    struct spool *spool = spool_of(state);
    struct attempt attempt;
    struct fax fax;
    struct attempt_result done = {.outcome = OUTCOME_BUSY}, received = {.outcome = OUTCOME_SUCCESS};
    int64_t next_at, ids[10];
    spool_facts_queue(spool, "11", 1);
    spool_facts_queue(spool, "11", 1);
    spool_facts_turn(spool);
    assert_int_equal(attempt_end(NULL, spool, spool_facts_call(spool), &done), 0);
    assert_true(claim_promote(&next_at, spool, clock_now_ms() + 1000000000, 10) >= 0);
    spool_facts_turn(spool);
    assert_int_equal(attempt_begin_inbound(&attempt, &fax, spool, "exchange", "1001", 0, "15", "99"), 0);
    fax_clear(&fax);
    assert_int_equal(attempt_end_inbound(spool, attempt.id, &received, "", 0, FAX_RECEIVED), 0);
    assert_true(submit_waiting(spool, 0, ids, 10) >= 0);
    spool_facts_turn(spool);
    assert_found_by_index(spool);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, watch, forget)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(each_filter_has_its_index),
        FACT(two_filters_go_by_one_of_their_indices),
        FACT(ones_own_are_found_by_whose_they_are),
        FACT(a_search_goes_by_the_beginning_of_texts),
        FACT(a_search_that_finds_many_goes_by_the_other_filter),
        FACT(entries_of_the_audit_log_are_found_by_index),
        FACT(the_audit_log_is_verified_by_its_key),
        FACT(further_pages_begin_where_the_last_one_ended),
        FACT(contacts_are_found_by_their_beginning),
        FACT(sums_are_of_their_hours_and_days),
        FACT(a_fax_goes_its_way_by_index),
    };
    return cmocka_run_group_tests_name("plans", facts, NULL, NULL);
}
