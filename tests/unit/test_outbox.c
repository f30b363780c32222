/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about webhook endpoints and their deliveries. */
#include "config.h"

#include "spool/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "spool/event.h"
#include "spool/subscription.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

#define URL "https://example.net/hook"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

static struct outbox_endpoint make(struct spool *spool, const char *url, const char *events)
{
    struct outbox_endpoint endpoint;
    json_t *list = events ? json_loads(events, 0, NULL) : NULL;
    assert_int_equal(outbox_endpoint_create(&endpoint, spool, url, NULL, list, 0, false), 0);
    json_decref(list);
    return endpoint;
}

/* When the next delivery of any endpoint is due, 0 = none. */
static int64_t next_at(struct spool *spool)
{
    struct outbox_waiting list[OUTBOX_ENDPOINTS_MAX];
    int64_t first = 0;
    int count = outbox_waiting(list, OUTBOX_ENDPOINTS_MAX, spool);
    assert_in_range(count, 0, OUTBOX_ENDPOINTS_MAX);
    for (int i = 0; i < count; i++)
        if (first == 0 || list[i].next_at < first)
            first = list[i].next_at;
    return first;
}

static int due_of_all(struct outbox_delivery *list, int room, struct spool *spool, int64_t now)
{
    struct outbox_waiting endpoints[OUTBOX_ENDPOINTS_MAX];
    int endpoint_count = outbox_waiting(endpoints, OUTBOX_ENDPOINTS_MAX, spool), count = 0;
    for (int i = 0; i < endpoint_count; i++) {
        int more = outbox_due(&list[count], room - count, spool, endpoints[i].endpoint, now);
        assert_in_range(more, 0, room - count);
        count += more;
    }
    return count;
}

/* What is due by `now`: the count; the first in `*first` (cleared by the caller when there is one). */
static int due(struct spool *spool, int64_t now, struct outbox_delivery *first)
{
    struct outbox_delivery list[16];
    int count = due_of_all(list, 16, spool, now);
    assert_in_range(count, 0, 16);
    for (int i = first ? 1 : 0; i < count; i++)
        outbox_delivery_clear(&list[i]);
    if (first && count)
        *first = list[0];
    return count;
}

static int64_t status_of(struct spool *spool, const char *endpoint, const char *key, char *text, size_t size)
{
    json_t *page;
    assert_int_equal(outbox_deliveries_json(&page, spool, endpoint, NULL, 1), 0);
    json_t *value = json_object_get(json_array_get(json_object_get(page, "data"), 0), key);
    int64_t number = json_integer_value(value);
    if (text)
        strncpy(text, json_is_string(value) ? json_string_value(value) : "", size - 1)[size - 1] = '\0';
    json_decref(page);
    return number;
}

static void urls_and_secrets_are_checked(void **state)
{
    static const struct {
        const char *url;
        bool good;
    } table[] = {
        {"https://example.net", true},
        {"http://example.net:8080/a?b=c#d", true},
        {"http://127.0.0.1:9/x", true},
        {"https://[2001:db8::1]:443/x", true},
        {"ftp://example.net/", false},
        {"example.net", false},
        {"https://", false},
        {"https:///path", false},
        {"https://user:pw@example.net", false},
        {"https://example.net:0/", false},
        {"https://example.net:65536/", false},
        {"https://example.net:/", false},
        {"https://example .net/", false},
        {"https://example.net/\r\nX: y", false},
        {"https://[::1/", false},
        {"https://ex\xC3\xA4mple.net/", false},
        {"", false},
        {NULL, false},
    };
    struct spool *spool = spool_of(state);
    struct outbox_endpoint endpoint;
    char longest[2100];
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        int error = outbox_endpoint_create(&endpoint, spool, table[i].url, NULL, NULL, 0, false);
        if (error != (table[i].good ? 0 : ERR_INVALID))
            fail_msg("%s: %d", table[i].url, error);
        if (!error)
            outbox_endpoint_clear(&endpoint);
    }
    memset(longest, 'a', sizeof(longest));
    memcpy(longest, "https://", 8);
    longest[2001] = '\0';
    assert_int_equal(outbox_endpoint_create(&endpoint, spool, longest, NULL, NULL, 0, false), ERR_INVALID);
    assert_int_equal(outbox_endpoint_create(&endpoint, spool, URL, "plain", NULL, 0, false), ERR_INVALID);
    assert_int_equal(outbox_endpoint_create(&endpoint, spool, URL, "whsec_c2hvcnQ=", NULL, 0, false), ERR_INVALID);
    assert_int_equal(
        outbox_endpoint_create(&endpoint, spool, URL, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", NULL, 0, false), 0);
    assert_string_equal(endpoint.secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    outbox_endpoint_clear(&endpoint);
}

static void event_lists_are_checked(void **state)
{
    static const struct {
        const char *events;
        int error;
    } table[] = {
        {"[]", 0},
        {"[\"fax.*\"]", 0},
        {"[\"fax.delivered\",\"inbound.received\"]", 0},
        {"{}", ERR_INVALID},
        {"[7]", ERR_INVALID},
        {"[\"\"]", ERR_INVALID},
        {"[\"*\"]", ERR_INVALID},
        {"[\"fax*\"]", ERR_INVALID},
        {"[\"fax.*.x\"]", ERR_INVALID},
        {"[\"Fax.Sent\"]", ERR_INVALID},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct outbox_endpoint endpoint;
        json_t *events = json_loads(table[i].events, 0, NULL);
        int error = outbox_endpoint_create(&endpoint, spool_of(state), URL, NULL, events, 0, false);
        if (error != table[i].error)
            fail_msg("%s: %d", table[i].events, error);
        if (!error)
            outbox_endpoint_clear(&endpoint);
        json_decref(events);
    }
}

static void patterns_match_types(void **state)
{
    static const struct {
        const char *patterns, *type;
        bool matches;
    } table[] = {
        {"[]", "fax.delivered", true},
        {"[]", "webhook_endpoint.disabled", true},
        {"[]", "fax.page_sent", false}, /* opt-in */
        {"[]", "inbound.ringing", false},
        {"[\"fax.*\"]", "fax.delivered", true},
        {"[\"fax.*\"]", "fax.page_sent", false},
        {"[\"fax.*\"]", "inbound.received", false},
        {"[\"fax.*\"]", "faxes.x", false},
        {"[\"fax.page_sent\"]", "fax.page_sent", true},
        {"[\"fax.delivered\"]", "fax.delivered", true},
        {"[\"fax.delivered\"]", "fax.delivered_twice", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        json_t *patterns = json_loads(table[i].patterns, 0, NULL);
        assert_int_equal(subscription_matches(patterns, table[i].type), table[i].matches);
        json_decref(patterns);
    }
}

static void an_event_is_delivered_to_who_wants_it(void **state)
{
    struct spool *spool = spool_of(state);
    struct outbox_endpoint all = make(spool, URL, NULL), some = make(spool, "http://a.example/", "[\"trunk.up\"]");
    struct outbox_delivery first = {0};
    int64_t now = clock_now_ms() + 1000;
    assert_int_equal(event_write(spool, "trunk.up", NULL, NULL), 0);
    assert_int_equal(event_write(spool, "trunk.down", NULL, NULL), 0);
    assert_int_equal(due(spool, now, &first), 3);
    assert_int_equal(first.endpoint, all.id);
    assert_string_equal(first.type, "trunk.up");
    assert_int_equal(strncmp(first.public_id, "msg_", 4), 0);
    json_t *body = json_loads(first.body, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(body, "sequence")), first.event);
    json_decref(body);
    outbox_delivery_clear(&first);
    outbox_endpoint_clear(&all);
    outbox_endpoint_clear(&some);
}

static void a_success_ends_a_delivery(void **state)
{
    struct spool *spool = spool_of(state);
    struct outbox_endpoint endpoint = make(spool, URL, NULL);
    struct outbox_delivery first = {0};
    char word[32];
    int64_t now = clock_now_ms() + 1000;
    assert_int_equal(event_write(spool, "trunk.up", NULL, NULL), 0);
    assert_int_equal(due(spool, now, &first), 1);
    assert_int_equal(outbox_result(spool, first.id, 204, NULL, -1, now), 0);
    assert_int_equal(outbox_result(spool, first.id, 204, NULL, -1, now), ERR_CONFLICT);
    assert_int_equal(next_at(spool), 0);
    assert_int_equal(due(spool, now + 864000000, NULL), 0);
    status_of(spool, endpoint.public_id, "status", word, sizeof(word));
    assert_string_equal(word, "delivered");
    assert_int_equal(status_of(spool, endpoint.public_id, "http_status", NULL, 0), 204);
    outbox_delivery_clear(&first);
    outbox_endpoint_clear(&endpoint);
}

static void failures_are_retried_at_their_times_and_then_given_up(void **state)
{
    static const int delays_s[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};
    struct spool_facts *facts = *state;
    struct outbox_endpoint endpoint = make(facts->spool, URL, NULL);
    struct outbox_delivery first = {0};
    char id[OUTBOX_ID_SIZE] = "", word[32];
    int64_t now = clock_now_ms() + 1000;
    assert_int_equal(event_write(facts->spool, "trunk.up", NULL, NULL), 0);
    for (size_t i = 0; i <= COUNT_OF(delays_s); i++) {
        assert_int_equal(due(facts->spool, now, &first), 1);
        assert_int_equal(first.tries, i);
        if (i)
            assert_string_equal(first.public_id, id); /* the same on every try */
        strcpy(id, first.public_id);
        assert_int_equal(outbox_result(facts->spool, first.id, i % 2 ? 500 : 0, "no answer", -1, now), 0);
        outbox_delivery_clear(&first);
        spool_facts_reopen(facts);
        if (i == COUNT_OF(delays_s))
            break;
        int64_t soonest = next_at(facts->spool);
        assert_in_range(soonest, now + 1000ll * delays_s[i], now + 1100ll * delays_s[i]); /* with jitter */
        assert_int_equal(due(facts->spool, soonest - 1, NULL), 0);
        now = soonest;
    }
    assert_int_equal(next_at(facts->spool), 0);
    status_of(facts->spool, endpoint.public_id, "status", word, sizeof(word));
    assert_string_equal(word, "failed");
    status_of(facts->spool, endpoint.public_id, "error", word, sizeof(word));
    assert_string_equal(word, "no answer");
    outbox_endpoint_clear(&endpoint);
}

static void retry_after_is_honoured(void **state)
{
    struct spool *spool = spool_of(state);
    struct outbox_endpoint endpoint = make(spool, URL, NULL);
    struct outbox_delivery first = {0};
    int64_t now = clock_now_ms() + 1000;
    assert_int_equal(event_write(spool, "trunk.up", NULL, NULL), 0);
    assert_int_equal(due(spool, now, &first), 1);
    assert_int_equal(outbox_result(spool, first.id, 503, "", 120, now), 0);
    assert_in_range(next_at(spool), now + 120000, now + 132000);
    assert_int_equal(outbox_result(spool, first.id, 503, "", 1, now), 0); /* sooner than ours: ours */
    assert_in_range(next_at(spool), now + 300000, now + 330000);
    assert_int_equal(outbox_result(spool, first.id, 503, "", 99999999, now), 0); /* a day at most */
    assert_in_range(next_at(spool), now + 86400000, now + 95040000);
    outbox_delivery_clear(&first);
    outbox_endpoint_clear(&endpoint);
}

static void what_is_taken_comes_back_after_a_crash_only(void **state)
{
    struct spool_facts *facts = *state;
    struct outbox_endpoint endpoint = make(facts->spool, URL, NULL);
    struct outbox_delivery first = {0};
    int64_t now = clock_now_ms() + 1000;
    assert_int_equal(event_write(facts->spool, "trunk.up", NULL, NULL), 0);
    assert_int_equal(due(facts->spool, now, &first), 1);
    assert_int_equal(outbox_taken(facts->spool, first.id, now), 0);
    assert_int_equal(due(facts->spool, now + 59999, NULL), 0);
    spool_facts_reopen(facts); /* in the midst of the request */
    assert_int_equal(due(facts->spool, now + 60000, NULL), 1);
    outbox_delivery_clear(&first);
    outbox_endpoint_clear(&endpoint);
}

static void gone_disables_the_endpoint_and_says_so(void **state)
{
    struct spool *spool = spool_of(state);
    struct outbox_endpoint endpoint = make(spool, URL, NULL), other = make(spool, "http://b.example/", NULL);
    struct outbox_delivery first = {0};
    int64_t now = clock_now_ms() + 1000, last;
    json_t *events;
    assert_int_equal(event_write(spool, "trunk.up", NULL, NULL), 0);
    assert_int_equal(event_write(spool, "trunk.up", NULL, NULL), 0);
    assert_int_equal(due(spool, now, &first), 4);
    assert_int_equal(first.endpoint, endpoint.id);
    assert_int_equal(outbox_result(spool, first.id, 410, "", -1, now), 0);
    outbox_delivery_clear(&first);
    outbox_endpoint_clear(&endpoint);
    assert_int_equal(outbox_endpoint_get(&endpoint, spool, 1), 0);
    assert_false(endpoint.enabled);
    assert_string_equal(endpoint.disabled_reason, "it answered 410 Gone");
    assert_int_equal(due(spool, now + 1000, &first), 3); /* the other's two, and the news for it */
    assert_int_equal(first.endpoint, other.id);
    assert_int_equal(event_since(&events, &last, spool, &(struct event_range){.after = 2, .limit = 10, .fax = 0}), 0);
    assert_string_equal(json_string_value(json_object_get(json_array_get(events, 0), "type")),
                        "webhook_endpoint.disabled");
    json_decref(events);
    outbox_delivery_clear(&first);
    outbox_endpoint_clear(&endpoint);
    outbox_endpoint_clear(&other);
}

static void a_delivery_is_replayed_on_request(void **state)
{
    struct spool *spool = spool_of(state);
    struct outbox_endpoint endpoint = make(spool, URL, NULL), other = make(spool, "http://b.example/", "[\"no.such\"]");
    struct outbox_delivery first = {0}, again = {0};
    int64_t now = clock_now_ms() + 1000;
    assert_int_equal(event_write(spool, "trunk.up", NULL, NULL), 0);
    assert_int_equal(due(spool, now, &first), 1);
    assert_int_equal(outbox_result(spool, first.id, 200, "", -1, now), 0);
    assert_int_equal(outbox_replay(spool, other.public_id, first.public_id), ERR_NOT_FOUND);
    assert_int_equal(outbox_replay(spool, "whe_NOT", first.public_id), ERR_NOT_FOUND);
    assert_int_equal(outbox_replay(spool, endpoint.public_id, first.public_id), 0);
    assert_int_equal(due(spool, clock_now_ms(), &again), 1);
    assert_string_equal(again.public_id, first.public_id);
    assert_int_equal(outbox_endpoint_enable(spool, endpoint.id, false, "by hand"), 0);
    assert_int_equal(next_at(spool), 0); /* given up */
    assert_int_equal(outbox_replay(spool, endpoint.public_id, first.public_id), ERR_CONFLICT);
    assert_int_equal(outbox_endpoint_enable(spool, endpoint.id, true, NULL), 0);
    assert_int_equal(outbox_replay(spool, endpoint.public_id, first.public_id), 0);
    assert_int_equal(outbox_endpoint_enable(spool, 777, true, NULL), ERR_NOT_FOUND);
    outbox_delivery_clear(&first);
    outbox_delivery_clear(&again);
    outbox_endpoint_clear(&endpoint);
    outbox_endpoint_clear(&other);
}

static void deliveries_are_listed_newest_first(void **state)
{
    struct spool *spool = spool_of(state);
    struct outbox_endpoint endpoint = make(spool, URL, NULL);
    json_t *page, *rest;
    for (int i = 0; i < 5; i++)
        assert_int_equal(event_write(spool, "trunk.up", NULL, NULL), 0);
    assert_int_equal(outbox_deliveries_json(&page, spool, endpoint.public_id, NULL, 3), 0);
    assert_int_equal(json_array_size(json_object_get(page, "data")), 3);
    assert_true(json_is_true(json_object_get(page, "has_more")));
    assert_int_equal(json_integer_value(json_object_get(json_array_get(json_object_get(page, "data"), 0), "sequence")),
                     5);
    const char *cursor = json_string_value(json_object_get(page, "next_cursor"));
    assert_int_equal(outbox_deliveries_json(&rest, spool, endpoint.public_id, cursor, 3), 0);
    assert_int_equal(json_array_size(json_object_get(rest, "data")), 2);
    assert_true(json_is_false(json_object_get(rest, "has_more")));
    assert_true(json_is_null(json_object_get(rest, "next_cursor")));
    json_decref(page);
    json_decref(rest);
    assert_int_equal(outbox_deliveries_json(&page, spool, endpoint.public_id, "x", 3), ERR_INVALID);
    assert_int_equal(outbox_deliveries_json(&page, spool, endpoint.public_id, NULL, 0), ERR_INVALID);
    assert_int_equal(outbox_deliveries_json(&page, spool, "whe_NOT", NULL, 3), ERR_NOT_FOUND);
    outbox_endpoint_clear(&endpoint);
}

static void the_configurations_endpoints_replace_their_own(void **state)
{
    struct spool_facts *facts = *state;
    struct outbox_endpoint by_api = make(facts->spool, "http://api.example/", NULL), found;
    json_t *first =
        json_loads("[{\"url\":\"http://a.example/\"},{\"url\":\"http://b.example/\",\"events\":[\"fax.*\"]}]", 0, NULL);
    json_t *second = json_loads(
        "[{\"url\":\"http://b.example/\",\"events\":[\"trunk.up\"]},{\"url\":\"http://c.example/\"}]", 0, NULL);
    json_t *bad = json_loads("[{\"url\":\"nonsense\"}]", 0, NULL);
    assert_int_equal(outbox_endpoints_from_config(facts->spool, first), 0);
    json_t *shown = outbox_endpoints_json(facts->spool);
    assert_int_equal(json_array_size(shown), 3);
    assert_null(json_object_get(json_array_get(shown, 0), "secret"));
    char kept[OUTBOX_ID_SIZE];
    strcpy(kept, json_string_value(json_object_get(json_array_get(shown, 2), "id")));
    json_decref(shown);
    assert_int_equal(outbox_endpoint_delete(facts->spool, kept), ERR_CONFLICT);
    assert_int_equal(event_write(facts->spool, "fax.delivered", NULL, NULL), 0);
    spool_facts_reopen(facts);
    assert_int_equal(outbox_endpoints_from_config(facts->spool, second), 0);
    shown = outbox_endpoints_json(facts->spool);
    assert_int_equal(json_array_size(shown), 3);
    json_decref(shown);
    assert_int_equal(outbox_endpoint_find(&found, facts->spool, kept), 0); /* the same row: its deliveries go on */
    assert_string_equal(found.events, "[\"trunk.up\"]");
    outbox_endpoint_clear(&found);
    assert_int_equal(due(facts->spool, clock_now_ms() + 1000, NULL), 2); /* a.example's went with it */
    assert_int_equal(outbox_endpoints_from_config(facts->spool, bad), ERR_INVALID);
    spool_facts_turn(facts->spool);
    assert_int_equal(outbox_endpoint_delete(facts->spool, by_api.public_id), 0);
    assert_int_equal(outbox_endpoint_delete(facts->spool, by_api.public_id), ERR_NOT_FOUND);
    outbox_endpoint_clear(&by_api);
    json_decref(first);
    json_decref(second);
    json_decref(bad);
}

static void an_undone_endpoint_gets_nothing(void **state)
{
    struct spool *spool = spool_of(state);
    assert_int_equal(spool_part_begin(spool), 0);
    struct outbox_endpoint endpoint = make(spool, URL, NULL);
    assert_int_equal(event_write(spool, "trunk.up", NULL, NULL), 0);
    assert_int_equal(due(spool, clock_now_ms() + 1000, NULL), 1);
    assert_int_equal(spool_part_end(spool, false), 0);
    assert_int_equal(event_write(spool, "trunk.up", NULL, NULL), 0);
    assert_int_equal(due(spool, clock_now_ms() + 1000, NULL), 0);
    outbox_endpoint_clear(&endpoint);
}

static void a_rotated_secret_signs_beside_the_new_one_for_a_day(void **state)
{
    struct spool *spool = spool_of(state);
    struct outbox_endpoint made = make(spool, URL, NULL), rotated, later;
    assert_int_equal(outbox_endpoint_rotate(&rotated, spool, made.public_id), 0);
    assert_string_not_equal(rotated.secret, made.secret);
    assert_string_equal(rotated.old_secret, made.secret);
    clock_shift(OUTBOX_ROTATE_MS + 1);
    assert_int_equal(outbox_endpoint_get(&later, spool, made.id), 0);
    assert_string_equal(later.secret, rotated.secret);
    assert_string_equal(later.old_secret, "");
    assert_int_equal(outbox_endpoint_rotate(&later, spool, "whe_none"), ERR_NOT_FOUND);
    outbox_endpoint_clear(&made);
    outbox_endpoint_clear(&rotated);
    outbox_endpoint_clear(&later);
}

static void an_endpoint_is_changed_in_part(void **state)
{
    struct spool *spool = spool_of(state);
    struct outbox_endpoint made = make(spool, URL, "[\"fax.failed\"]"), read;
    json_t *events = json_pack("[s]", "fax.*");
    assert_int_equal(outbox_endpoint_update(spool, made.public_id, "https://example.net/other", NULL), 0);
    assert_int_equal(outbox_endpoint_update(spool, made.public_id, NULL, events), 0);
    assert_int_equal(outbox_endpoint_update(spool, made.public_id, "ftp://example.net", NULL), ERR_INVALID);
    assert_int_equal(outbox_endpoint_get(&read, spool, made.id), 0);
    assert_string_equal(read.url, "https://example.net/other");
    assert_string_equal(read.events, "[\"fax.*\"]");
    assert_true(subscription_wants(spool, "fax.delivered"));
    json_decref(events);
    outbox_endpoint_clear(&made);
    outbox_endpoint_clear(&read);
}

static void a_test_event_goes_to_one_endpoint_only(void **state)
{
    struct spool *spool = spool_of(state);
    struct outbox_endpoint one = make(spool, URL, "[\"fax.failed\"]"), other = make(spool, URL "2", NULL);
    struct outbox_delivery due[4];
    assert_int_equal(outbox_endpoint_test(spool, one.public_id), 0);
    assert_int_equal(due_of_all(due, 4, spool, clock_now_ms()), 1);
    assert_int_equal(due[0].endpoint, one.id);
    assert_string_equal(due[0].type, "webhook_endpoint.test");
    outbox_delivery_clear(&due[0]);
    assert_int_equal(outbox_endpoint_enable(spool, one.id, false, "x"), 0);
    assert_int_equal(outbox_endpoint_test(spool, one.public_id), ERR_CONFLICT);
    outbox_endpoint_clear(&one);
    outbox_endpoint_clear(&other);
}

static void there_is_a_cap(void **state)
{
    struct outbox_endpoint endpoint;
    for (int i = 0; i < 100; i++) {
        endpoint = make(spool_of(state), URL, NULL);
        outbox_endpoint_clear(&endpoint);
    }
    assert_int_equal(outbox_endpoint_create(&endpoint, spool_of(state), URL, NULL, NULL, 0, false), ERR_FULL);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(urls_and_secrets_are_checked),
        FACT(event_lists_are_checked),
        FACT(patterns_match_types),
        FACT(an_event_is_delivered_to_who_wants_it),
        FACT(a_success_ends_a_delivery),
        FACT(failures_are_retried_at_their_times_and_then_given_up),
        FACT(retry_after_is_honoured),
        FACT(what_is_taken_comes_back_after_a_crash_only),
        FACT(gone_disables_the_endpoint_and_says_so),
        FACT(a_delivery_is_replayed_on_request),
        FACT(deliveries_are_listed_newest_first),
        FACT(the_configurations_endpoints_replace_their_own),
        FACT(an_undone_endpoint_gets_nothing),
        FACT(a_rotated_secret_signs_beside_the_new_one_for_a_day),
        FACT(an_endpoint_is_changed_in_part),
        FACT(a_test_event_goes_to_one_endpoint_only),
        FACT(there_is_a_cap),
    };
    return cmocka_run_group_tests_name("outbox", facts, NULL, NULL);
}
