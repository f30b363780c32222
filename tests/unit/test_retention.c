/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the end of faxes: what goes by age or by hand, in which order, and what stays because it is needed. */
#include "config.h"

#include "spool/retention.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/attempt.h"
#include "spool/claim.h"
#include "spool/document.h"
#include "spool/document_count.h"
#include "spool/event.h"
#include "spool/fax_document.h"
#include "spool/fax_json.h"
#include "spool/fax_row.h"
#include "spool/fax_state.h"
#include "spool/outbox.h"
#include "spool/purge.h"
#include "spool/submit.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

#define DAY_MS (24 * 3600 * 1000ll)

/* ---- helpers ---- */

static int64_t shifted_ms;

static void days_pass(int days)
{
    clock_shift(days * DAY_MS);
    shifted_ms += days * DAY_MS;
}

static int teardown(void **state)
{
    clock_shift(-shifted_ms);
    shifted_ms = 0;
    return spool_facts_teardown(state);
}

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

static void put(char sha[DOCUMENT_SHA_SIZE], struct spool *spool, const char *text)
{
    memcpy(sha, spool_facts_document(spool, text), DOCUMENT_SHA_SIZE);
}

static void remember(struct spool *spool, const char *original, const char *options, const char *made)
{
    const struct document_form form = {1, 1728, 297, "fine"};
    assert_int_equal(document_remember(spool, original, options, made, &form), 0);
}

/* The fax has those pages, and is in the queue. */
static void prepare(struct spool *spool, struct fax *fax, const char *document)
{
    const struct submit_form form = {document, "fine", 1728};
    assert_int_equal(fax->state, FAX_PREPARING);
    assert_int_equal(submit_prepared(spool, fax, &form, 1, 1), 0);
    assert_int_equal(fax->state, FAX_QUEUED);
}

/* A fax with that upload and those pages, in the queue. */
static int64_t queued(struct spool *spool, const char *upload, const char *pages)
{
    char original[DOCUMENT_SHA_SIZE], document[DOCUMENT_SHA_SIZE];
    struct submit_request request = {.to = "1002", .priority = FAX_NORMAL, .original = original};
    struct fax fax;
    put(original, spool, upload);
    put(document, spool, pages);
    remember(spool, original, "fine threshold", document);
    assert_int_equal(submit(&fax, spool, &request), 0);
    prepare(spool, &fax, document);
    int64_t id = fax.id;
    fax_clear(&fax);
    return id;
}

/* The same, delivered in one call; the turn is committed. */
static int64_t delivered(struct spool *spool, const char *upload, const char *pages)
{
    struct attempt_result result = {
        .outcome = OUTCOME_SUCCESS, .pages_confirmed = 1, .end_sent = true, .final_confirmed = true};
    int64_t id = queued(spool, upload, pages);
    int64_t attempt = spool_facts_call(spool);
    close(attempt_journal(spool, attempt));
    assert_int_equal(attempt_end(NULL, spool, attempt, &result), 0);
    assert_int_equal(spool_facts_state(spool, id), FAX_DELIVERED);
    spool_facts_turn(spool);
    return id;
}

static int64_t received(struct spool *spool, const char *pages)
{
    char document[DOCUMENT_SHA_SIZE] = "";
    struct attempt_result result = {.outcome = OUTCOME_SUCCESS, .pages_confirmed = 1};
    struct attempt attempt;
    struct fax fax;
    assert_int_equal(attempt_begin_inbound(&attempt, &fax, spool, "exchange", "1002", 1, "1002", "1001"), 0);
    if (pages)
        put(document, spool, pages);
    assert_int_equal(attempt_end_inbound(spool, attempt.id, &result, document, pages ? 1 : 0,
                                         pages ? FAX_RECEIVED : FAX_RECEIVE_FAILED),
                     0);
    int64_t id = fax.id;
    fax_clear(&fax);
    spool_facts_turn(spool);
    return id;
}

static void policy(struct spool *spool, int outbound_documents, int outbound_records, int inbound_documents,
                   int inbound_records)
{
    const struct retention_policy days = {outbound_documents, outbound_records, inbound_documents, inbound_records};
    retention_set(spool, &days);
}

/* Run once and commit. */
static int run(struct spool *spool)
{
    int count = retention_run(spool, 200);
    if (count < 0)
        fail_msg("%s", err_message());
    spool_facts_turn(spool);
    return count;
}

static int purge(struct spool *spool, int64_t id, int (*how)(struct spool *spool, struct fax *fax))
{
    struct fax fax;
    spool_facts_read(&fax, spool, id);
    int error = how(spool, &fax);
    fax_clear(&fax);
    return error;
}

static void purged(struct spool *spool, int64_t id, int (*how)(struct spool *spool, struct fax *fax))
{
    int error = purge(spool, id, how);
    if (error)
        fail_msg("%s", err_message());
    spool_facts_turn(spool);
}

static const char *public_id_of(struct spool *spool, int64_t id)
{
    static char public_id[FAX_ID_SIZE];
    struct fax fax;
    spool_facts_read(&fax, spool, id);
    memcpy(public_id, fax.public_id, sizeof(public_id));
    fax_clear(&fax);
    return public_id;
}

static bool has_record(struct spool *spool, int64_t id)
{
    struct fax fax;
    int error = fax_get(&fax, spool, id);
    if (!error)
        fax_clear(&fax);
    return error == 0;
}

static bool is_purged(struct spool *spool, int64_t id)
{
    struct fax fax;
    spool_facts_read(&fax, spool, id);
    bool result = fax.purged_at != 0;
    assert_int_equal(result, !*fax.document && !*fax.original);
    fax_clear(&fax);
    return result;
}

/* SHA-256 as text, without storing anything. */
static const char *sha_of(struct spool *spool, const char *text)
{
    static char sha[DOCUMENT_SHA_SIZE];
    assert_int_equal(spool_part_begin(spool), 0);
    put(sha, spool, text);
    assert_int_equal(spool_part_end(spool, false), 0);
    return sha;
}

/* Row and file agree, and tell whether the text is stored. */
static bool is_stored(const struct spool_facts *facts, const char *text)
{
    char path[256], sql[200];
    const char *sha = sha_of(facts->spool, text);
    snprintf(path, sizeof(path), "%s/documents/%.2s/%s", facts->dir, sha, sha);
    snprintf(sql, sizeof(sql), "SELECT count(*) AS n FROM document WHERE sha256 = '%s'", sha);
    bool file = access(path, F_OK) == 0;
    assert_int_equal(spool_facts_number(facts->spool, sql), file);
    return file;
}

static int64_t rows(struct spool *spool, const char *table)
{
    char sql[100];
    snprintf(sql, sizeof(sql), "SELECT count(*) AS n FROM %s", table);
    return spool_facts_number(spool, sql);
}

static int files(const struct spool_facts *facts, const char *folder)
{
    char command[200], line[32] = "";
    snprintf(command, sizeof(command), "find %s/%s -type f | wc -l", facts->dir, folder);
    FILE *pipe = popen(command, "r");
    assert_non_null(fgets(line, sizeof(line), pipe));
    pclose(pipe);
    return atoi(line);
}

/* ---- by age ---- */

static void nothing_goes_unless_the_policy_says_so(void **state)
{
    struct spool_facts *facts = *state;
    int64_t sent = delivered(facts->spool, "upload", "pages"), came = received(facts->spool, "received");
    days_pass(36500);
    assert_int_equal(run(facts->spool), 0);
    assert_false(is_purged(facts->spool, sent));
    assert_false(is_purged(facts->spool, came));
    assert_true(is_stored(facts, "pages"));
}

/* What is left of a sent and a received fax after so many days under a policy. */
static void ages_count_for_each_direction(void **state)
{
    enum { ALL, RECORD, NOTHING };
    static const struct {
        int policy[4]; /* outbound documents, records; inbound documents, records */
        int days, sent, received;
    } cases[] = {
        {{10, 0, 20, 0}, 9, ALL, ALL},           {{10, 0, 20, 0}, 10, RECORD, ALL},
        {{10, 0, 20, 0}, 19, RECORD, ALL},       {{10, 0, 20, 0}, 20, RECORD, RECORD},
        {{10, 30, 20, 40}, 30, NOTHING, RECORD}, {{10, 30, 20, 40}, 40, NOTHING, NOTHING},
        {{0, 5, 0, 0}, 5, NOTHING, ALL},         {{0, 0, 0, 5}, 5, ALL, NOTHING},
        {{9, 5, 0, 0}, 5, NOTHING, ALL},         {{1, 0, 0, 0}, 36500, RECORD, ALL},
    };
    struct spool_facts *facts = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char upload[32], pages[32], came[32];
        snprintf(upload, sizeof(upload), "upload %zu", i);
        snprintf(pages, sizeof(pages), "pages %zu", i);
        snprintf(came, sizeof(came), "received %zu", i);
        int64_t out = delivered(facts->spool, upload, pages), in = received(facts->spool, came);
        policy(facts->spool, cases[i].policy[0], cases[i].policy[1], cases[i].policy[2], cases[i].policy[3]);
        days_pass(cases[i].days);
        run(facts->spool);
        print_message("# case %zu\n", i);
        assert_int_equal(has_record(facts->spool, out), cases[i].sent != NOTHING);
        assert_int_equal(has_record(facts->spool, in), cases[i].received != NOTHING);
        assert_int_equal(is_stored(facts, upload), cases[i].sent == ALL);
        assert_int_equal(is_stored(facts, pages), cases[i].sent == ALL);
        assert_int_equal(is_stored(facts, came), cases[i].received == ALL);
        assert_int_equal(run(facts->spool), 0); /* done once */
        policy(facts->spool, 0, 1, 0, 1);       /* none is left for the next case */
        days_pass(1);
        run(facts->spool);
        assert_int_equal(rows(facts->spool, "fax"), 0);
    }
}

static void a_fax_that_has_not_ended_is_never_touched(void **state)
{
    struct spool_facts *facts = *state;
    int64_t calling = queued(facts->spool, "first", "first pages");
    spool_facts_call(facts->spool);
    int64_t waiting = queued(facts->spool, "second", "second pages");
    struct stmt *stmt;
    /* A time alone, by whatever hand, makes no end. */
    assert_int_equal(stmt_open_once(&stmt, spool_db(facts->spool), "UPDATE fax SET ended_at = 1"), 0);
    assert_int_equal(stmt_run(NULL, stmt), 0);
    policy(facts->spool, 1, 1, 1, 1);
    days_pass(1000);
    assert_int_equal(run(facts->spool), 0);
    assert_int_equal(purge(facts->spool, calling, purge_documents), ERR_CONFLICT);
    assert_int_equal(purge(facts->spool, waiting, purge_record), ERR_CONFLICT);
    assert_non_null(strstr(err_message(), "queued"));
    assert_true(is_stored(facts, "first pages"));
    assert_true(is_stored(facts, "second"));
}

static void a_batch_has_an_end(void **state)
{
    struct spool_facts *facts = *state;
    char upload[32];
    for (int i = 0; i < 7; i++) {
        snprintf(upload, sizeof(upload), "upload %d", i);
        delivered(facts->spool, upload, upload);
    }
    policy(facts->spool, 1, 2, 0, 0);
    days_pass(1);
    static const int done[] = {3, 3, 1, 0};
    for (size_t i = 0; i < COUNT_OF(done); i++) {
        assert_int_equal(retention_run(facts->spool, 3), done[i]);
        spool_facts_turn(facts->spool);
    }
    assert_int_equal(rows(facts->spool, "document"), 0);
    assert_int_equal(rows(facts->spool, "fax"), 7);
    days_pass(1);
    assert_int_equal(run(facts->spool), 7);
    assert_int_equal(rows(facts->spool, "fax"), 0);
}

/* The timer does it alone, batch by batch; the loop ends when the work is done. */
static void a_loop_works_it_off(void **state)
{
    struct spool_facts *facts = *state;
    struct spool_options options = {.state_dir = facts->dir, .min_free_bytes = 1};
    char upload[32];
    for (int i = 0; i < 120; i++) {
        snprintf(upload, sizeof(upload), "upload %d", i);
        delivered(facts->spool, upload, upload);
    }
    spool_close(facts->spool);
    options.base = event_base_new();
    assert_int_equal(spool_open(&facts->spool, &options), 0);
    policy(facts->spool, 1, 0, 0, 0);
    days_pass(1);
    policy(facts->spool, 1, 0, 0, 0); /* as after SIGHUP: due now */
    while (spool_facts_number(facts->spool, "SELECT count(*) AS n FROM fax WHERE purged_at = 0") > 0) {
        assert_true(event_base_loop(options.base, EVLOOP_ONCE) >= 0);
        spool_facts_turn(facts->spool);
    }
    assert_int_equal(files(facts, "documents"), 0);
    spool_close(facts->spool);
    event_base_free(options.base);
    options.base = NULL;
    assert_int_equal(spool_open(&facts->spool, &options), 0);
}

/* A query that walked all faxes would stop the loop for as long as that takes. */
static void every_question_is_answered_by_an_index(void **state)
{
    static const char *const questions[][2] = {
        {"SELECT id FROM fax WHERE direction = ? AND ended_at > 0 AND state IN (10, 11, 12, 13, 14, 15, 22, 23, 24, 25,"
         " 26, 27) AND ended_at <= ? ORDER BY ended_at, id LIMIT ?",
         "fax_ended"},
        {"SELECT id FROM fax WHERE direction = ? AND ended_at > 0 AND purged_at = 0 AND state IN (10, 11, 12, 13, 14,"
         " 15, 22, 23, 24, 25, 26, 27) AND ended_at <= ? ORDER BY ended_at, id LIMIT ?",
         "fax_unpurged"},
        {"SELECT 1 AS one FROM fax WHERE original = ? AND original <> '' LIMIT 1", "fax_by_original"},
        {"SELECT 1 AS one FROM fax WHERE document = ? AND document <> '' LIMIT 1", "fax_by_document"},
        {"SELECT 1 AS one FROM fax_document WHERE document = ? LIMIT 1", "fax_document_sha"},
        {"SELECT 1 AS one FROM prepared WHERE document = ? LIMIT 1", "prepared_by_document"},
    };
    for (size_t i = 0; i < COUNT_OF(questions); i++) {
        char sql[400];
        struct stmt *stmt;
        snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", questions[i][0]);
        assert_int_equal(stmt_open_once(&stmt, spool_db(spool_of(state)), sql), 0);
        for (const char *at = sql; (at = strchr(at, '?')); at++)
            stmt_bind_int(stmt, 0);
        assert_int_equal(stmt_step(stmt), 1);
        const char *plan = stmt_text(stmt, "detail");
        if (!strstr(plan, questions[i][1]) || strstr(plan, "SCAN"))
            fail_msg("%s: %s", questions[i][0], plan);
        assert_int_equal(stmt_step(stmt), 0); /* no sorting behind it */
        stmt_close(stmt);
    }
}

static void the_states_of_the_queries_are_those_that_end(void **state)
{
    char sql[200];
    for (int i = 0; i <= FAX_ROUTE_FAILED; i++) {
        snprintf(sql, sizeof(sql), "SELECT %d IN " SQL_ENDED " AS n", i);
        if (spool_facts_number(spool_of(state), sql) != fax_state_is_final((enum fax_state)i))
            fail_msg("state %d", i);
    }
}

/* ---- what a purge leaves ---- */

static void the_record_stays_and_proves_what_was_sent(void **state)
{
    struct spool_facts *facts = *state;
    int64_t id = delivered(facts->spool, "upload", "pages");
    purged(facts->spool, id, purge_documents);
    assert_true(is_purged(facts->spool, id));
    assert_false(is_stored(facts, "upload"));
    assert_false(is_stored(facts, "pages"));
    spool_facts_reopen(facts);
    struct fax fax;
    spool_facts_read(&fax, facts->spool, id);
    json_t *object = fax_json(&fax);
    assert_string_equal(json_string_value(json_object_get(object, "document_sha256")), sha_of(facts->spool, "pages"));
    assert_true(json_is_string(json_object_get(object, "documents_purged_at")));
    assert_null(json_object_get(json_object_get(object, "links"), "document"));
    assert_int_equal(fax.state, FAX_DELIVERED);
    assert_int_equal(fax.pages_confirmed, 1);
    assert_int_equal(rows(facts->spool, "attempt"), 1);
    json_decref(object);
    fax_clear(&fax);
}

static void purging_twice_is_purging_once(void **state)
{
    struct spool_facts *facts = *state;
    int64_t id = delivered(facts->spool, "upload", "pages");
    purged(facts->spool, id, purge_documents);
    int64_t at = spool_facts_number(facts->spool, "SELECT purged_at AS n FROM fax");
    days_pass(1);
    purged(facts->spool, id, purge_documents);
    assert_int_equal(spool_facts_number(facts->spool, "SELECT purged_at AS n FROM fax"), at);
    assert_int_equal(spool_facts_number(facts->spool, "SELECT count(*) AS n FROM event WHERE type = 'document.purged'"),
                     1);
}

static void webhooks_are_told(void **state)
{
    struct spool *spool = spool_of(state);
    json_t *config =
        json_pack("[{s:s, s:s, s:[s]}]", "url", "https://example.org/hook", "secret", "", "events", "document.*");
    int64_t id = delivered(spool, "upload", "pages");
    assert_int_equal(outbox_endpoints_from_config(spool, config), 0);
    json_decref(config);
    purged(spool, id, purge_documents);
    assert_int_equal(rows(spool, "delivery"), 1);
    purged(spool, id, purge_record); /* undelivered or not, what tells of the fax goes with it */
    assert_int_equal(rows(spool, "delivery"), 0);
}

static void a_record_goes_with_all_that_tells_of_it(void **state)
{
    struct spool_facts *facts = *state;
    int64_t stays = delivered(facts->spool, "other upload", "other pages");
    int64_t id = delivered(facts->spool, "upload", "pages");
    assert_int_equal(files(facts, "journals"), 2);
    purged(facts->spool, id, purge_record);
    assert_false(has_record(facts->spool, id));
    assert_true(has_record(facts->spool, stays));
    assert_false(is_stored(facts, "pages"));
    assert_int_equal(rows(facts->spool, "attempt"), 1);
    assert_int_equal(files(facts, "journals"), 1);
    assert_string_equal(spool_facts_events(facts->spool, id), "");
    assert_string_equal(spool_facts_events(facts->spool, stays), "fax.accepted fax.prepared fax.dialing fax.delivered");
    /* That it is gone can still be heard, without its number. */
    assert_int_equal(spool_facts_number(facts->spool,
                                        "SELECT count(*) AS n FROM event WHERE fax = 0 AND"
                                        " type = 'document.purged' AND data LIKE '%record_deleted\":true%'"
                                        " AND data NOT LIKE '%1002%'"),
                     1);
    int64_t counts[FAX_STATES];
    fax_counts(facts->spool, counts);
    assert_int_equal(counts[FAX_DELIVERED], 1);
}

static void a_record_goes_after_its_documents_too(void **state)
{
    struct spool_facts *facts = *state;
    int64_t id = delivered(facts->spool, "upload", "pages");
    purged(facts->spool, id, purge_documents);
    assert_int_equal(files(facts, "journals"), 1);
    purged(facts->spool, id, purge_record);
    assert_int_equal(rows(facts->spool, "fax") + rows(facts->spool, "attempt"), 0);
    assert_int_equal(files(facts, "journals"), 0);
}

static void make_file(const struct spool_facts *facts, const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/hosts", facts->dir);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/hosts/exchange", facts->dir);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/hosts/exchange/%s", facts->dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

static void a_received_file_that_was_put_aside_goes_too(void **state)
{
    struct spool_facts *facts = *state;
    int64_t id = received(facts->spool, NULL);
    char name[64];
    snprintf(name, sizeof(name), "k%lld.tif",
             (long long)spool_facts_number(facts->spool, "SELECT max(id) AS n FROM attempt"));
    make_file(facts, name);
    make_file(facts, "k999.tif");
    policy(facts->spool, 0, 0, 1, 0);
    days_pass(1);
    assert_int_equal(run(facts->spool), 1);
    assert_true(has_record(facts->spool, id));
    assert_int_equal(files(facts, "hosts"), 1);
}

/* ---- shared documents ---- */

static void a_shared_document_goes_with_the_last_fax_that_needs_it(void **state)
{
    struct spool_facts *facts = *state;
    int64_t first = delivered(facts->spool, "upload", "pages"), second = delivered(facts->spool, "upload", "pages");
    purged(facts->spool, first, purge_documents);
    assert_true(is_stored(facts, "upload"));
    assert_true(is_stored(facts, "pages"));
    assert_int_equal(rows(facts->spool, "prepared"), 1);
    assert_false(is_purged(facts->spool, second));
    purged(facts->spool, second, purge_record);
    assert_false(is_stored(facts, "upload"));
    assert_false(is_stored(facts, "pages"));
    assert_int_equal(rows(facts->spool, "prepared"), 0);
    assert_int_equal(files(facts, "documents"), 0);
}

static void pages_of_one_fax_may_be_the_upload_of_another(void **state)
{
    struct spool_facts *facts = *state;
    int64_t first = delivered(facts->spool, "upload", "pages"), second = delivered(facts->spool, "pages", "pages");
    purged(facts->spool, first, purge_documents);
    assert_false(is_stored(facts, "upload"));
    assert_true(is_stored(facts, "pages"));
    assert_int_equal(rows(facts->spool, "prepared"), 1); /* pages of pages */
    purged(facts->spool, second, purge_documents);
    assert_int_equal(rows(facts->spool, "document") + rows(facts->spool, "prepared"), 0);
}

static void a_fax_that_is_still_to_be_sent_keeps_what_it_needs(void **state)
{
    struct spool_facts *facts = *state;
    int64_t first = delivered(facts->spool, "upload", "pages"), second = queued(facts->spool, "upload", "pages");
    purged(facts->spool, first, purge_record);
    assert_true(is_stored(facts, "upload"));
    assert_true(is_stored(facts, "pages"));
    assert_int_equal(spool_facts_state(facts->spool, second), FAX_QUEUED);
}

/* Of one upload, in other resolutions; and chains, which only a foreign hand could make. */
static void everything_derived_goes(void **state)
{
    struct spool_facts *facts = *state;
    char upload[DOCUMENT_SHA_SIZE], coarse[DOCUMENT_SHA_SIZE], deeper[DOCUMENT_SHA_SIZE];
    int64_t id = delivered(facts->spool, "upload", "pages");
    put(upload, facts->spool, "upload");
    put(coarse, facts->spool, "coarse pages");
    put(deeper, facts->spool, "pages of coarse pages");
    remember(facts->spool, upload, "standard threshold", coarse);
    remember(facts->spool, coarse, "fine threshold", deeper);
    remember(facts->spool, coarse, "standard threshold", coarse);
    spool_facts_turn(facts->spool);
    purged(facts->spool, id, purge_documents);
    assert_int_equal(rows(facts->spool, "prepared"), 0);
    assert_int_equal(rows(facts->spool, "document"), 0);
    assert_int_equal(files(facts, "documents"), 0);
}

static void several_uploads_other_forms_and_copies_as_sent_go_too(void **state)
{
    static const struct {
        const char *text;
        enum fax_document_role role;
        int position;
    } others[] = {
        {"upload", FAX_DOCUMENT_UPLOAD, 1},
        {"second upload", FAX_DOCUMENT_UPLOAD, 2},
        {"coarse pages", FAX_DOCUMENT_RENDITION, 1},
        {"pages from the third", FAX_DOCUMENT_AS_SENT, 1},
    };
    struct spool_facts *facts = *state;
    char sha[DOCUMENT_SHA_SIZE], piece[DOCUMENT_SHA_SIZE];
    int64_t id = delivered(facts->spool, "upload", "pages");
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        put(sha, facts->spool, others[i].text);
        assert_int_equal(fax_document_add(facts->spool, id, others[i].role, others[i].position, sha, NULL), 0);
    }
    put(sha, facts->spool, "second upload");
    put(piece, facts->spool, "second pages");
    remember(facts->spool, sha, "fine threshold", piece);
    int64_t other = delivered(facts->spool, "third upload", "third pages");
    assert_int_equal(fax_document_add(facts->spool, other, FAX_DOCUMENT_UPLOAD, 2, sha, NULL), 0);
    spool_facts_turn(facts->spool);
    assert_int_equal(files(facts, "documents"), 8);
    purged(facts->spool, id, purge_documents);
    assert_false(is_stored(facts, "coarse pages"));
    assert_false(is_stored(facts, "pages from the third"));
    assert_true(is_stored(facts, "second upload")); /* the other fax was made of it, too */
    assert_true(is_stored(facts, "second pages"));
    assert_int_equal(files(facts, "documents"), 4);
    purged(facts->spool, other, purge_record);
    assert_int_equal(rows(facts->spool, "fax_document"), 0);
    assert_int_equal(rows(facts->spool, "prepared") + rows(facts->spool, "document"), 0);
    assert_int_equal(files(facts, "documents"), 0);
}

/* A fax that is being prepared may take them at any moment. */
static void what_was_made_of_an_upload_stays_as_long_as_the_upload(void **state)
{
    struct spool_facts *facts = *state;
    char upload[DOCUMENT_SHA_SIZE], coarse[DOCUMENT_SHA_SIZE];
    int64_t fine = delivered(facts->spool, "upload", "pages");
    put(upload, facts->spool, "upload");
    put(coarse, facts->spool, "coarse pages");
    remember(facts->spool, upload, "standard threshold", coarse);
    struct submit_request request = {.to = "1002", .priority = FAX_NORMAL, .original = upload};
    struct fax fax;
    assert_int_equal(submit(&fax, facts->spool, &request), 0);
    prepare(facts->spool, &fax, coarse);
    fax_clear(&fax);
    purged(facts->spool, fine, purge_record);
    assert_true(is_stored(facts, "pages"));
    assert_true(is_stored(facts, "upload"));
    assert_true(is_stored(facts, "coarse pages"));
    int64_t id = spool_facts_number(facts->spool, "SELECT id AS n FROM fax");
    assert_int_equal(fax_state_cancel(facts->spool, public_id_of(facts->spool, id)), 0);
    purged(facts->spool, id, purge_documents);
    assert_int_equal(rows(facts->spool, "document") + rows(facts->spool, "prepared"), 0);
}

/* What this file knows of is all there is: a new column that names documents belongs into spool/document_use.c and,
 * where it is a fax's, into spool/purge.c. */
static void every_column_that_names_documents_is_known(void **state)
{
    static const char *const known =
        "batch_document.document document.sha256 fax.document fax.original fax.purged_document fax_document.document "
        "prepared.document prepared.original ";
    char found[400] = "";
    struct stmt *stmt;
    assert_int_equal(stmt_open_once(&stmt, spool_db(spool_of(state)),
                                    "SELECT t.name || '.' || c.name || ' ' AS name FROM sqlite_schema t,"
                                    " pragma_table_info(t.name) c WHERE t.type = 'table' AND (c.name LIKE '%document%'"
                                    " OR c.name LIKE '%sha%' OR c.name LIKE '%original%') AND c.name <> 'body_sha'"
                                    " ORDER BY 1"),
                     0);
    while (stmt_step(stmt) == 1)
        strncat(found, stmt_text(stmt, "name"), sizeof(found) - strlen(found) - 1);
    stmt_close(stmt);
    assert_string_equal(found, known);
}

/* ---- the order ---- */

static void stored_again_in_the_same_turn_it_stays(void **state)
{
    struct spool_facts *facts = *state;
    int64_t id = delivered(facts->spool, "upload", "pages");
    assert_int_equal(purge(facts->spool, id, purge_documents), 0);
    int64_t next = queued(facts->spool, "upload", "pages");
    spool_facts_turn(facts->spool);
    assert_true(is_stored(facts, "upload"));
    assert_true(is_stored(facts, "pages"));
    assert_int_equal(files(facts, "documents"), 2);
    assert_int_equal(spool_facts_state(facts->spool, next), FAX_QUEUED);
}

static void a_part_that_is_undone_leaves_everything(void **state)
{
    struct spool_facts *facts = *state;
    int64_t id = delivered(facts->spool, "upload", "pages");
    assert_int_equal(spool_part_begin(facts->spool), 0);
    assert_int_equal(purge(facts->spool, id, purge_record), 0);
    assert_int_equal(spool_part_end(facts->spool, false), 0);
    spool_facts_turn(facts->spool);
    assert_false(is_purged(facts->spool, id));
    assert_true(is_stored(facts, "upload"));
    assert_int_equal(files(facts, "journals"), 1);
    struct document_usage usage;
    document_usage(&usage, facts->spool);
    assert_int_equal(usage.documents, 2);
    assert_int_equal(usage.purged, 0);
}

static void die(void *context, int error)
{
    (void)context;
    _exit(error ? 9 : 7);
}

/* The purge is committed, and the program gone before it comes to the files. */
static int purge_and_die(void *context)
{
    const struct spool_facts *facts = context;
    struct spool_options options = {.state_dir = facts->dir, .min_free_bytes = 1};
    struct spool *spool;
    if (spool_open(&spool, &options))
        return 1;
    spool_after_commit(spool, die, NULL);
    int64_t id = spool_facts_number(spool, "SELECT min(id) AS n FROM fax");
    if (purge(spool, id, purge_documents))
        return 2;
    spool_turn_end(spool);
    return 3;
}

static void a_crash_between_commit_and_files_leaves_none_behind(void **state)
{
    struct spool_facts *facts = *state;
    struct spool_options options = {.state_dir = facts->dir, .min_free_bytes = 1};
    int64_t id = delivered(facts->spool, "upload", "pages");
    delivered(facts->spool, "other upload", "other pages");
    spool_close(facts->spool);
    assert_int_equal(facts_in_child(purge_and_die, facts), 7);
    assert_int_equal(files(facts, "documents"), 4);
    days_pass(1); /* the files are older than the start */
    assert_int_equal(spool_open(&facts->spool, &options), 0);
    assert_true(is_purged(facts->spool, id));
    assert_int_equal(files(facts, "documents"), 2);
    assert_true(is_stored(facts, "other upload"));
    assert_true(is_stored(facts, "other pages"));
    assert_false(is_stored(facts, "pages"));
}

/* ---- usage ---- */

static void usage_is(struct spool *spool, int64_t documents, int64_t bytes, int64_t gone)
{
    struct document_usage usage;
    document_usage(&usage, spool);
    assert_int_equal(usage.documents, documents);
    assert_int_equal(usage.bytes, bytes);
    assert_int_equal(usage.purged, gone);
}

static void usage_follows_commits(void **state)
{
    struct spool_facts *facts = *state;
    usage_is(facts->spool, 0, 0, 0);
    spool_facts_document(facts->spool, "four");
    usage_is(facts->spool, 0, 0, 0); /* not yet */
    spool_facts_turn(facts->spool);
    usage_is(facts->spool, 1, 4, 0);
    spool_facts_document(facts->spool, "four");
    spool_facts_turn(facts->spool);
    usage_is(facts->spool, 1, 4, 0);
    int64_t id = delivered(facts->spool, "upload", "pages");
    usage_is(facts->spool, 3, 15, 0);
    spool_facts_reopen(facts);
    usage_is(facts->spool, 3, 15, 0);
    purged(facts->spool, id, purge_documents);
    usage_is(facts->spool, 1, 4, 2);
    assert_true(spool_free_bytes(facts->spool) > 0);
}

static void a_healed_document_counts_once(void **state)
{
    struct spool_facts *facts = *state;
    char path[256];
    const char *sha = spool_facts_document(facts->spool, "four");
    spool_facts_turn(facts->spool);
    snprintf(path, sizeof(path), "%s/documents/%.2s/%s", facts->dir, sha, sha);
    assert_int_equal(unlink(path), 0);
    spool_facts_document(facts->spool, "four");
    spool_facts_turn(facts->spool);
    usage_is(facts->spool, 1, 4, 0);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(nothing_goes_unless_the_policy_says_so),
        FACT(ages_count_for_each_direction),
        FACT(a_fax_that_has_not_ended_is_never_touched),
        FACT(a_batch_has_an_end),
        FACT(a_loop_works_it_off),
        FACT(every_question_is_answered_by_an_index),
        FACT(the_states_of_the_queries_are_those_that_end),
        FACT(the_record_stays_and_proves_what_was_sent),
        FACT(purging_twice_is_purging_once),
        FACT(webhooks_are_told),
        FACT(a_record_goes_with_all_that_tells_of_it),
        FACT(a_record_goes_after_its_documents_too),
        FACT(a_received_file_that_was_put_aside_goes_too),
        FACT(a_shared_document_goes_with_the_last_fax_that_needs_it),
        FACT(pages_of_one_fax_may_be_the_upload_of_another),
        FACT(a_fax_that_is_still_to_be_sent_keeps_what_it_needs),
        FACT(everything_derived_goes),
        FACT(several_uploads_other_forms_and_copies_as_sent_go_too),
        FACT(what_was_made_of_an_upload_stays_as_long_as_the_upload),
        FACT(every_column_that_names_documents_is_known),
        FACT(stored_again_in_the_same_turn_it_stays),
        FACT(a_part_that_is_undone_leaves_everything),
        FACT(a_crash_between_commit_and_files_leaves_none_behind),
        FACT(usage_follows_commits),
        FACT(a_healed_document_counts_once),
    };
    return cmocka_run_group_tests_name("retention", facts, NULL, NULL);
}
