/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the store's connections: turns, parts of turns, failures, schema steps, and the threads beside the loop.
 */
#include "config.h"

#include "db/db.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/checkpoint.h"
#include "db/migrate.h"
#include "db/migrations.h"
#include "db/reader.h"
#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

struct store {
    char dir[64], path[96];
    struct db *db;
};

static int setup(void **state)
{
    struct store *store = xcalloc(1, sizeof(*store));
    log_set_level(LOG_LEVEL_ERROR);
    spool_facts_make_dir(store->dir);
    snprintf(store->path, sizeof(store->path), "%s/test.db", store->dir);
    assert_int_equal(db_open(&store->db, store->path, DB_WRITER), 0);
    assert_int_equal(db_exec(store->db, "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT) STRICT"), 0);
    *state = store;
    return 0;
}

static int teardown(void **state)
{
    struct store *store = *state;
    db_close(store->db);
    spool_facts_remove_dir(store->dir);
    free(store);
    return 0;
}

static int add(struct db *db, const char *name)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, db, "INSERT INTO thing (name) VALUES (?)");
    if (error)
        return error;
    stmt_bind_text(stmt, name);
    return stmt_run(NULL, stmt);
}

static int64_t count(struct db *db)
{
    struct stmt *stmt;
    assert_int_equal(stmt_open(&stmt, db, "SELECT count(*) AS n FROM thing"), 0);
    assert_int_equal(stmt_step(stmt), 1);
    int64_t things = stmt_int(stmt, "n");
    stmt_close(stmt);
    return things;
}

/* ---- turns ---- */

static void the_first_write_opens_the_turn(void **state)
{
    struct db *db = ((struct store *)*state)->db;
    assert_int_equal(count(db), 0);
    assert_false(db_turn_is_open(db));
    assert_int_equal(add(db, "a"), 0);
    assert_true(db_turn_is_open(db));
    assert_int_equal(db_turn_commit(db), 0);
    assert_false(db_turn_is_open(db));
    assert_int_equal(db_turn_commit(db), 0); /* nothing to do */
}

static void others_see_a_turn_when_it_is_committed(void **state)
{
    struct store *store = *state;
    struct db *reader;
    assert_int_equal(db_open(&reader, store->path, DB_READER), 0);
    assert_int_equal(add(store->db, "a"), 0);
    assert_int_equal(count(store->db), 1);
    assert_int_equal(count(reader), 0);
    assert_int_equal(db_turn_commit(store->db), 0);
    assert_int_equal(count(reader), 1);
    db_close(reader);
}

static void a_voided_turn_leaves_nothing(void **state)
{
    struct db *db = ((struct store *)*state)->db;
    assert_int_equal(add(db, "a"), 0);
    db_turn_void(db);
    assert_int_equal(count(db), 0);
    assert_false(db_turn_is_open(db));
    assert_int_equal(add(db, "b"), 0);
    assert_int_equal(db_turn_commit(db), 0);
    assert_int_equal(count(db), 1);
}

static void a_part_is_undone_alone(void **state)
{
    struct db *db = ((struct store *)*state)->db;
    assert_int_equal(add(db, "before"), 0);
    db_part_begin(db);
    assert_int_equal(add(db, "within"), 0);
    assert_int_equal(add(db, "within"), 0);
    assert_int_equal(db_part_end(db, false), 0);
    assert_int_equal(count(db), 1);
    db_part_begin(db);
    assert_int_equal(add(db, "kept"), 0);
    assert_int_equal(db_part_end(db, true), 0);
    assert_int_equal(db_turn_commit(db), 0);
    assert_int_equal(count(db), 2);
}

static void a_part_that_writes_nothing_opens_nothing(void **state)
{
    struct db *db = ((struct store *)*state)->db;
    db_part_begin(db);
    assert_int_equal(count(db), 0);
    assert_int_equal(db_part_end(db, true), 0);
    assert_false(db_turn_is_open(db));
}

static void the_first_part_may_be_the_first_write(void **state)
{
    struct db *db = ((struct store *)*state)->db;
    db_part_begin(db);
    assert_int_equal(add(db, "within"), 0);
    assert_int_equal(db_part_end(db, false), 0);
    assert_int_equal(add(db, "after"), 0);
    assert_int_equal(db_turn_commit(db), 0);
    assert_int_equal(count(db), 1);
}

/* ---- failures ---- */

static void a_commit_that_breaks_a_rule_undoes_the_turn(void **state)
{
    struct db *db = ((struct store *)*state)->db;
    assert_int_equal(
        db_exec(db, "CREATE TABLE part (thing INTEGER REFERENCES thing(id) DEFERRABLE INITIALLY DEFERRED)"), 0);
    assert_int_equal(add(db, "a"), 0);
    assert_int_equal(db_exec(db, "INSERT INTO part VALUES (77)"), 0);
    assert_int_equal(db_turn_commit(db), ERR_CONFLICT);
    assert_false(db_turn_is_open(db));
    assert_int_equal(count(db), 0);
    assert_int_equal(add(db, "b"), 0);
    assert_int_equal(db_turn_commit(db), 0);
}

/* No file of this process may grow past `bytes`: a disk that is full, for real. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_commit_that_cannot_be_written_undoes_the_turn(void **state)
{
    struct store *store = *state;
    assert_int_equal(add(store->db, "a"), 0);
    assert_int_equal(db_turn_commit(store->db), 0);
    assert_int_equal(add(store->db, "b"), 0);
    limit_files(1);
    int error = db_turn_commit(store->db);
    limit_files(0);
    assert_true(error == ERR_IO || error == ERR_FULL);
    assert_false(db_turn_is_open(store->db));
    assert_int_equal(count(store->db), 1);
    db_close(store->db);
    assert_int_equal(db_open(&store->db, store->path, DB_WRITER), 0);
    assert_int_equal(count(store->db), 1);
}

static void a_turn_that_ran_out_of_room_cannot_be_committed(void **state)
{
    struct db *db = ((struct store *)*state)->db;
    char big[4096];
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    assert_int_equal(db_exec(db, "PRAGMA max_page_count = 40"), 0);
    int error = 0;
    for (int i = 0; i < 100 && !error; i++)
        error = add(db, big);
    assert_int_equal(error, ERR_FULL);
    assert_int_equal(add(db, big), ERR_FULL); /* no second transaction with half of the turn missing */
    if (db_turn_commit(db) == 0)
        assert_in_range(count(db), 1, 40); /* SQLite undid the last statement only: the turn is whole up to it */
    else
        assert_int_equal(count(db), 0);
    assert_int_equal(db_exec(db, "PRAGMA max_page_count = 100000"), 0);
    assert_int_equal(add(db, big), 0);
    assert_int_equal(db_turn_commit(db), 0);
}

static void what_is_not_a_database_is_not_opened(void **state)
{
    struct store *store = *state;
    struct db *db = NULL;
    char path[128];
    snprintf(path, sizeof(path), "%s/text", store->dir);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is no database\n", file);
    fclose(file);
    assert_int_equal(db_open(&db, path, DB_WRITER), ERR_IO);
    snprintf(path, sizeof(path), "%s/none", store->dir);
    assert_int_equal(db_open(&db, path, DB_READER), ERR_IO);
    assert_null(db);
}

/* ---- statements ---- */

static void columns_are_read_by_name(void **state)
{
    struct db *db = ((struct store *)*state)->db;
    struct stmt *stmt;
    assert_int_equal(stmt_open(&stmt, db, "SELECT ? AS a, ? AS b, NULL AS c"), 0);
    stmt_bind_int(stmt, INT64_MIN);
    stmt_bind_text(stmt, "text");
    assert_int_equal(stmt_step(stmt), 1);
    assert_string_equal(stmt_text(stmt, "c"), "");
    assert_string_equal(stmt_text(stmt, "b"), "text");
    assert_true(stmt_int(stmt, "a") == INT64_MIN);
    assert_int_equal(stmt_step(stmt), 0);
    stmt_close(stmt);
}

static void a_statement_in_use_can_be_used_within(void **state)
{
    struct db *db = ((struct store *)*state)->db;
    static const char sql[] = "SELECT id FROM thing ORDER BY id";
    struct stmt *outer, *inner;
    int pairs = 0;
    for (int i = 0; i < 3; i++)
        assert_int_equal(add(db, "a"), 0);
    assert_int_equal(stmt_open(&outer, db, sql), 0);
    while (stmt_step(outer) == 1) {
        assert_int_equal(stmt_open(&inner, db, sql), 0);
        while (stmt_step(inner) == 1)
            pairs++;
        stmt_close(inner);
    }
    stmt_close(outer);
    assert_int_equal(pairs, 9);
}

static void a_constraint_is_a_conflict(void **state)
{
    struct db *db = ((struct store *)*state)->db;
    struct stmt *stmt;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(stmt_open(&stmt, db, "INSERT INTO thing (id, name) VALUES (?, 'a')"), 0);
        stmt_bind_int(stmt, 1);
        assert_int_equal(stmt_run(NULL, stmt), i ? ERR_CONFLICT : 0);
    }
    assert_int_equal(db_turn_commit(db), 0);
    assert_int_equal(count(db), 1);
    assert_int_equal(stmt_open_once(&stmt, db, "SELEC nothing"), ERR_INTERNAL);
}

static void a_reader_cannot_write(void **state)
{
    struct store *store = *state;
    struct db *reader;
    assert_int_equal(db_open(&reader, store->path, DB_READER), 0);
    assert_int_equal(db_exec(reader, "INSERT INTO thing (name) VALUES ('a')"), ERR_IO);
    db_close(reader);
}

/* ---- schema ---- */

static void migrations_run_once(void **state)
{
    struct db *db = ((struct store *)*state)->db;
    assert_int_equal(migrate(db), 0);
    assert_int_equal(db_exec(db, "INSERT INTO host_run (provider, run, number) VALUES ('p', 'r', 1)"), 0);
    assert_int_equal(migrate(db), 0);
    struct stmt *stmt;
    assert_int_equal(stmt_open_once(&stmt, db, "SELECT count(*) AS n FROM host_run"), 0);
    assert_int_equal(stmt_step(stmt), 1);
    assert_int_equal(stmt_int(stmt, "n"), 1);
    stmt_close(stmt);
    assert_int_equal(stmt_open_once(&stmt, db, "PRAGMA user_version"), 0);
    assert_int_equal(stmt_step(stmt), 1);
    assert_int_equal(stmt_int(stmt, "user_version"), migrations_count);
    stmt_close(stmt);
}

static void the_store_of_a_newer_program_is_left_alone(void **state)
{
    struct db *db = ((struct store *)*state)->db;
    assert_int_equal(db_exec(db, "PRAGMA user_version = 9999"), 0);
    assert_int_equal(migrate(db), ERR_UNSUPPORTED);
    assert_int_equal(db_exec(db, "SELECT * FROM fax"), ERR_INTERNAL); /* no such table */
}

/* ---- threads ---- */

struct job {
    pthread_t ran_on;
    int64_t found;
    int done; /* calls of done */
    int error;
    struct event_base *base;
};

static void run(void *context, struct db *db)
{
    struct job *job = context;
    job->ran_on = pthread_self();
    job->found = count(db);
}

static void done(void *context, int error)
{
    struct job *job = context;
    job->done++;
    job->error = error;
    if (job->base)
        event_base_loopbreak(job->base);
}

static void a_reader_job_runs_beside_the_loop(void **state)
{
    struct store *store = *state;
    struct event_base *base = event_base_new();
    struct job jobs[100] = {{0}};
    struct reader *reader;
    assert_int_equal(reader_start(&reader, store->path, base), 0);
    assert_int_equal(add(store->db, "a"), 0);
    assert_int_equal(db_turn_commit(store->db), 0);
    for (size_t i = 0; i < COUNT_OF(jobs); i++)
        assert_int_equal(reader_post(reader, run, done, &jobs[i]), 0);
    jobs[COUNT_OF(jobs) - 1].base = base;
    event_base_dispatch(base);
    for (size_t i = 0; i < COUNT_OF(jobs); i++) {
        assert_int_equal(jobs[i].done, 1);
        assert_int_equal(jobs[i].error, 0);
        assert_int_equal(jobs[i].found, 1);
        assert_false(pthread_equal(jobs[i].ran_on, pthread_self()));
    }
    reader_stop(reader);
    event_base_free(base);
}

static void without_a_loop_a_job_runs_at_once(void **state)
{
    struct store *store = *state;
    struct reader *reader;
    struct job job = {.found = -1};
    assert_int_equal(reader_start(&reader, store->path, NULL), 0);
    assert_int_equal(reader_post(reader, run, done, &job), 0);
    assert_int_equal(job.done, 1);
    assert_int_equal(job.found, 0);
    reader_stop(reader);
}

static void spin(void *context, struct db *db)
{
    struct job *job = context;
    struct stmt *stmt;
    job->found = 0;
    if (stmt_open_once(&stmt, db,
                       "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS n FROM n"))
        return;
    job->found = stmt_step(stmt); /* would run for ever */
    stmt_close(stmt);
}

static void stopping_ends_every_job_once(void **state)
{
    struct store *store = *state;
    struct event_base *base = event_base_new();
    struct job jobs[257] = {{0}};
    struct reader *reader;
    assert_int_equal(reader_start(&reader, store->path, base), 0);
    for (int i = 0; i < 256; i++)
        assert_int_equal(reader_post(reader, spin, done, &jobs[i]), 0);
    assert_int_equal(reader_post(reader, spin, done, &jobs[256]), ERR_FULL);
    reader_stop(reader);
    for (int i = 0; i < 256; i++) {
        assert_int_equal(jobs[i].done, 1);
        assert_int_equal(jobs[i].error, ERR_CLOSED);
    }
    assert_int_equal(jobs[256].done, 0);
    event_base_free(base);
}

static off_t size_of(const char *path, const char *ending)
{
    struct stat info;
    char name[128];
    snprintf(name, sizeof(name), "%s%s", path, ending);
    return stat(name, &info) == 0 ? info.st_size : 0;
}

static void wake(void *context, int pages)
{
    checkpoint_wake(context, pages);
}

static void the_log_is_moved_in_the_background_and_cut(void **state)
{
    struct store *store = *state;
    struct checkpoint *checkpoint;
    char big[65536];
    off_t longest = 0;
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    assert_int_equal(checkpoint_start(&checkpoint, store->path), 0);
    db_listen_wal(store->db, wake, checkpoint);
    assert_int_equal(db_exec(store->db, "PRAGMA synchronous = OFF"), 0);
    for (int i = 0; i < 1200; i++) { /* one turn of 78 MB: the log has to hold all of it */
        assert_int_equal(add(store->db, big), 0);
    }
    assert_int_equal(db_turn_commit(store->db), 0);
    longest = size_of(store->path, "-wal");
    assert_true(longest > 64 * 1024 * 1024);
    for (int i = 0; i < 1000 && size_of(store->path, "-wal") > 0; i++)
        usleep(10000); /* another thread's work */
    assert_int_equal(size_of(store->path, "-wal"), 0);
    assert_true(size_of(store->path, "") > 64 * 1024 * 1024);
    checkpoint_stop(checkpoint);
    db_listen_wal(store->db, NULL, NULL);
    assert_int_equal(count(store->db), 1200);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, setup, teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(the_first_write_opens_the_turn),
        FACT(others_see_a_turn_when_it_is_committed),
        FACT(a_voided_turn_leaves_nothing),
        FACT(a_part_is_undone_alone),
        FACT(a_part_that_writes_nothing_opens_nothing),
        FACT(the_first_part_may_be_the_first_write),
        FACT(a_commit_that_breaks_a_rule_undoes_the_turn),
        FACT(a_commit_that_cannot_be_written_undoes_the_turn),
        FACT(a_turn_that_ran_out_of_room_cannot_be_committed),
        FACT(what_is_not_a_database_is_not_opened),
        FACT(columns_are_read_by_name),
        FACT(a_statement_in_use_can_be_used_within),
        FACT(a_constraint_is_a_conflict),
        FACT(a_reader_cannot_write),
        FACT(migrations_run_once),
        FACT(the_store_of_a_newer_program_is_left_alone),
        FACT(a_reader_job_runs_beside_the_loop),
        FACT(without_a_loop_a_job_runs_at_once),
        FACT(stopping_ends_every_job_once),
        FACT(the_log_is_moved_in_the_background_and_cut),
    };
    return cmocka_run_group_tests_name("db", facts, NULL, NULL);
}
