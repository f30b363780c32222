/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about how a fax enters the spool. */
#include "config.h"

#include "spool/rendition.h"
#include "spool/submit.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "spool/document.h"
#include "spool/fax_json.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

static void everything_asked_for_is_kept(void **state)
{
    struct spool_facts *facts = *state;
    json_t *options = json_pack("{s:s, s:b}", "resolution", "standard", "ecm", false);
    json_t *tags = json_pack("[s, s]", "referral", "\xC3\xA9");
    json_t *metadata = json_pack("{s:s}", "case", "77");
    char sha[DOCUMENT_SHA_SIZE];
    strcpy(sha, spool_facts_document(facts->spool, "an upload"));
    struct submit_request request = {
        .to = "+1 (555) 123-4567",
        .from = "billing",
        .original = sha,
        .line_group = "trunk",
        .priority = FAX_HIGH,
        .not_before = clock_now_ms() + 1000000,
        .expires_at = clock_now_ms() + 2000000,
        .test = true,
        .owner = 9,
        .max_attempts = 7,
        .resume = FAX_RESUME_ALL,
        .on_unconfirmed = FAX_UNCONFIRMED_RESEND,
        .options = options,
        .client_reference = "enc-7781",
        .tags = tags,
        .metadata = metadata,
        .resent_from = "fax_OLD",
    };
    struct fax made, fax;
    assert_int_equal(submit(&made, facts->spool, &request), 0);
    spool_facts_reopen(facts);
    assert_int_equal(fax_find(&fax, facts->spool, made.public_id), 0);
    assert_int_equal(strncmp(fax.public_id, "fax_", 4), 0);
    assert_int_equal(strlen(fax.public_id), 30);
    assert_int_equal(fax.state, FAX_PREPARING);
    assert_int_equal(fax.direction, FAX_OUTBOUND);
    assert_string_equal(fax.destination, "+15551234567");
    assert_string_equal(fax.sender, "billing");
    assert_string_equal(fax.original, sha);
    assert_string_equal(fax.line_group, "trunk");
    assert_int_equal(fax.priority, FAX_HIGH);
    assert_true(fax.not_before == request.not_before && fax.expires_at == request.expires_at);
    assert_true(fax.test);
    assert_int_equal(fax.owner, 9);
    assert_int_equal(fax.max_attempts, 7);
    assert_int_equal(fax.resume, FAX_RESUME_ALL);
    assert_int_equal(fax.on_unconfirmed, FAX_UNCONFIRMED_RESEND);
    assert_string_equal(fax.options, "{\"ecm\":false,\"resolution\":\"standard\"}");
    assert_string_equal(fax.client_reference, "enc-7781");
    assert_string_equal(fax.resent_from, "fax_OLD");
    assert_int_equal(fax.pages_total, -1);
    json_t *shown = fax_json(&fax);
    assert_true(json_equal(json_object_get(shown, "tags"), tags));
    assert_true(json_equal(json_object_get(shown, "metadata"), metadata));
    assert_true(json_is_null(json_object_get(json_object_get(shown, "pages"), "total")));
    assert_string_equal(json_string_value(json_object_get(shown, "status")), "preparing");
    assert_null(json_object_get(shown, "error"));
    json_decref(shown);
    assert_string_equal(spool_facts_events(facts->spool, fax.id), "fax.accepted");
    fax_clear(&fax);
    fax_clear(&made);
    json_decref(options);
    json_decref(tags);
    json_decref(metadata);
}

static void what_is_wrong_is_refused_and_leaves_nothing(void **state)
{
    struct spool *spool = spool_of(state);
    char sha[DOCUMENT_SHA_SIZE];
    strcpy(sha, spool_facts_document(spool, "an upload"));
    json_t *bad_delays = json_pack("{s:{s:[i]}}", "delays", "busy", 0);
    int64_t now = clock_now_ms();
    const struct {
        struct submit_request request;
        const char *named;
    } table[] = {
        {{.to = "12ab", .original = sha}, "to: "},
        {{.to = NULL, .original = sha}, "to: "},
        {{.to = "", .original = sha}, "to: "},
        {{.to = "1002", .original = NULL}, "documents"},
        {{.to = "1002", .original = "../../etc/passwd"}, "documents"},
        {{.to = "1002", .original = sha, .max_attempts = 51}, "retry.max_attempts"},
        {{.to = "1002", .original = sha, .max_attempts = -1}, "retry.max_attempts"},
        {{.to = "1002", .original = sha, .expires_at = now - 1}, "expires_at"},
        {{.to = "1002", .original = sha, .expires_at = now + 5000, .not_before = now + 5000}, "not_before"},
        {{.to = "1002", .original = sha, .options = bad_delays}, "retry.delays.busy"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct fax fax;
        assert_int_equal(submit(&fax, spool, &table[i].request), ERR_INVALID);
        assert_non_null(strstr(err_message(), table[i].named));
    }
    json_decref(bad_delays);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM fax"), 0);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM event"), 0);
}

static void a_prepared_fax_goes_where_it_was_asked_to(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t now = clock_now_ms();
    const struct {
        bool hold;
        int64_t not_before;
        enum fax_state next;
        const char *events;
    } table[] = {
        {false, 0, FAX_QUEUED, "fax.accepted fax.prepared"},
        {false, now - 1000, FAX_QUEUED, "fax.accepted fax.prepared"},
        {false, now + 1000000, FAX_SCHEDULED, "fax.accepted fax.prepared fax.scheduled"},
        {true, 0, FAX_HELD, "fax.accepted fax.prepared fax.held"},
        {true, now + 1000000, FAX_HELD, "fax.accepted fax.prepared fax.held"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct fax fax;
        struct submit_request request = {.to = "1002", .hold = table[i].hold, .not_before = table[i].not_before};
        request.original = spool_facts_document(spool, "an upload");
        assert_int_equal(submit(&fax, spool, &request), 0);
        assert_int_equal(spool_facts_prepared(spool, &fax, spool_facts_document(spool, "pages"), 4), 0);
        assert_int_equal(fax.state, table[i].next);
        assert_int_equal(fax.pages_total, 4);
        assert_string_equal(spool_facts_events(spool, fax.id), table[i].events);
        assert_int_equal(spool_facts_prepared(spool, &fax, request.original, 5), ERR_CONFLICT); /* told twice */
        assert_int_equal(submit_failed(spool, &fax, OUTCOME_CONVERSION_FAILED, ""), ERR_CONFLICT);
        fax_clear(&fax);
    }
}

static void a_fax_that_expired_while_it_was_prepared_is_not_queued(void **state)
{
    struct spool *spool = spool_of(state);
    struct fax fax;
    struct submit_request request = {.to = "1002", .expires_at = clock_now_ms() + 1000};
    request.original = spool_facts_document(spool, "an upload");
    assert_int_equal(submit(&fax, spool, &request), 0);
    clock_shift(1000);
    assert_int_equal(spool_facts_prepared(spool, &fax, request.original, 1), 0);
    clock_shift(-1000);
    assert_int_equal(fax.state, FAX_EXPIRED);
    fax_clear(&fax);
}

static void a_document_that_cannot_be_prepared_fails_the_fax(void **state)
{
    struct spool *spool = spool_of(state);
    struct fax fax;
    struct submit_request request = {.to = "1002"};
    request.original = spool_facts_document(spool, "not a picture");
    assert_int_equal(submit(&fax, spool, &request), 0);
    assert_int_equal(submit_failed(spool, &fax, OUTCOME_CONVERSION_FAILED, "page 3 is damaged"), 0);
    assert_int_equal(fax.state, FAX_FAILED);
    json_t *shown = fax_json(&fax);
    json_t *error = json_object_get(shown, "error");
    assert_string_equal(json_string_value(json_object_get(error, "code")), "conversion_failed");
    assert_string_equal(json_string_value(json_object_get(error, "message")), "page 3 is damaged");
    assert_string_equal(spool_facts_events(spool, fax.id), "fax.accepted fax.prepare_failed fax.failed");
    json_decref(shown);
    fax_clear(&fax);
}

static unsigned changes_seen;

static void note_changes(void *context, unsigned changes)
{
    (void)context;
    changes_seen |= changes;
}

static void the_same_upload_is_prepared_once(void **state)
{
    struct spool *spool = spool_of(state);
    char original[DOCUMENT_SHA_SIZE], pages[DOCUMENT_SHA_SIZE];
    strcpy(original, spool_facts_document(spool, "an upload"));
    strcpy(pages, spool_facts_document(spool, "pages"));
    struct submit_request request = {.to = "1002", .original = original};
    struct fax fax;
    char key[RENDITION_KEY_SIZE];
    struct rendition form = {.resolution = "standard", .width_max = RENDITION_WIDTH, .strict = true};
    const struct document_form fine = {2, 1728, 297, "fine"}, standard = {2, 1728, 297, "standard"};
    spool_listen(spool, note_changes, NULL);
    changes_seen = 0;
    assert_int_equal(submit(&fax, spool, &request), 0);
    assert_int_equal(fax.state, FAX_PREPARING);
    spool_facts_turn(spool);
    assert_int_equal(changes_seen, SPOOL_CHANGE_PREPARE);
    fax_clear(&fax);
    rendition_key(key, &form, NULL, NULL);
    assert_int_equal(document_remember(spool, original, key, original, &standard), 0);
    assert_int_equal(submit(&fax, spool, &request), 0);
    assert_int_equal(fax.state, FAX_PREPARING); /* the form that was asked for is not there */
    fax_clear(&fax);
    rendition_first(&form, NULL);
    rendition_key(key, &form, NULL, NULL);
    assert_int_equal(document_remember(spool, original, key, pages, &fine), 0);
    changes_seen = 0;
    assert_int_equal(submit(&fax, spool, &request), 0);
    assert_int_equal(fax.state, FAX_QUEUED);
    assert_string_equal(fax.document, pages);
    assert_int_equal(fax.pages_total, 2);
    fax_clear(&fax);
    json_t *other = json_pack("{s:s}", "resolution", "standard");
    request.options = other;
    assert_int_equal(submit(&fax, spool, &request), 0);
    assert_int_equal(fax.state, FAX_PREPARING); /* another form of it */
    fax_clear(&fax);
    json_decref(other);
}

static void waiting_faxes_are_found_in_order(void **state)
{
    struct spool *spool = spool_of(state);
    struct submit_request request = {.to = "1002"};
    int64_t ids[3], found[4];
    struct fax fax;
    for (int i = 0; i < 3; i++) {
        request.original = spool_facts_document(spool, "an upload");
        assert_int_equal(submit(&fax, spool, &request), 0);
        ids[i] = fax.id;
        fax_clear(&fax);
        spool_facts_queue(spool, "1003", 1);
    }
    assert_int_equal(submit_waiting(spool, 0, found, 2), 2);
    assert_true(found[0] == ids[0] && found[1] == ids[1]);
    assert_int_equal(submit_waiting(spool, found[1], found, 4), 1);
    assert_int_equal(found[0], ids[2]);
    assert_int_equal(submit_waiting(spool, ids[2], found, 4), 0);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(everything_asked_for_is_kept),
        FACT(what_is_wrong_is_refused_and_leaves_nothing),
        FACT(a_prepared_fax_goes_where_it_was_asked_to),
        FACT(a_fax_that_expired_while_it_was_prepared_is_not_queued),
        FACT(a_document_that_cannot_be_prepared_fails_the_fax),
        FACT(the_same_upload_is_prepared_once),
        FACT(waiting_faxes_are_found_in_order),
    };
    return cmocka_run_group_tests_name("submit", facts, NULL, NULL);
}
