/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about events: in order, numbered for ever, told after their commit. */
#include "config.h"

#include "spool/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "spool/fax_state.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

static json_t *since(struct spool *spool, int64_t cursor, int limit, int64_t fax, int64_t *last)
{
    json_t *events;
    assert_int_equal(
        event_since(&events, last, spool, &(struct event_range){.after = cursor, .limit = limit, .fax = fax}), 0);
    return events;
}

static void an_event_tells_the_thin_truth(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t id = spool_facts_queue(spool, "1002", 3), last;
    json_t *events = since(spool, 0, 10, id, &last);
    assert_int_equal(json_array_size(events), 2);
    json_t *event = json_array_get(events, 1), *data = json_object_get(event, "data");
    assert_string_equal(json_string_value(json_object_get(event, "type")), "fax.prepared");
    char number[32];
    snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(json_object_get(event, "sequence")));
    assert_string_equal(json_string_value(json_object_get(event, "id")), number);
    assert_int_equal(json_integer_value(json_object_get(event, "sequence")), last);
    assert_string_equal(json_string_value(json_object_get(data, "status")), "queued");
    assert_string_equal(json_string_value(json_object_get(data, "to")), "1002");
    assert_string_equal(json_string_value(json_object_get(data, "delivery")), "none");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(data, "pages"), "total")), 3);
    assert_true(json_is_null(json_object_get(data, "error")));
    assert_null(json_object_get(data, "document_sha256"));
    int64_t at;
    assert_int_equal(clock_parse(&at, json_string_value(json_object_get(event, "timestamp"))), 0);
    json_decref(events);
}

static void events_are_paged_by_number(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t last, before;
    for (int i = 0; i < 7; i++) {
        json_t *data = json_pack("{s:i}", "i", i);
        assert_int_equal(event_write(spool, "trunk.up", NULL, data), 0);
        json_decref(data);
    }
    json_t *events = since(spool, 0, 5, 0, &last);
    assert_int_equal(json_array_size(events), 5);
    json_decref(events);
    before = last;
    events = since(spool, last, 5, 0, &last);
    assert_int_equal(json_array_size(events), 2);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(json_array_get(events, 0), "data"), "i")), 5);
    assert_true(last > before);
    json_decref(events);
    before = last;
    events = since(spool, last, 5, 0, &last);
    assert_int_equal(json_array_size(events), 0);
    assert_int_equal(last, before); /* the cursor stays */
    json_decref(events);
}

static void a_faxs_events_are_its_own(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t first = spool_facts_queue(spool, "1002", 1), second = spool_facts_queue(spool, "1003", 1);
    assert_int_equal(event_write(spool, "trunk.up", NULL, NULL), 0);
    assert_string_equal(spool_facts_events(spool, first), "fax.accepted fax.prepared");
    assert_string_equal(spool_facts_events(spool, second), "fax.accepted fax.prepared");
}

static int told;
static int64_t told_last;

static void listener(void *context, int64_t sequence, const char *type, const char *body, int64_t user)
{
    json_t *parsed = json_loads(body, 0, NULL);
    assert_non_null(parsed);
    assert_string_equal(json_string_value(json_object_get(parsed, "type")), type);
    assert_int_equal(user, 0);
    assert_int_equal(json_integer_value(json_object_get(parsed, "sequence")), sequence);
    assert_true(json_is_object(json_object_get(parsed, "data")));
    assert_true(sequence > told_last);
    told_last = sequence;
    told++;
    json_decref(parsed);
    if (context && told == 1) /* it may write: that comes with the next commit */
        assert_int_equal(event_write(context, "trunk.down", NULL, NULL), 0);
}

static void a_listener_hears_of_what_is_committed(void **state)
{
    struct spool *spool = spool_of(state);
    told = 0;
    told_last = 0;
    event_listen(spool, listener, spool);
    assert_int_equal(event_write(spool, "trunk.up", NULL, NULL), 0);
    assert_int_equal(event_write(spool, "trunk.up", NULL, NULL), 0);
    assert_int_equal(told, 0);
    spool_facts_turn(spool);
    assert_int_equal(told, 3);
    assert_int_equal(spool_part_begin(spool), 0);
    assert_int_equal(event_write(spool, "trunk.up", NULL, NULL), 0);
    assert_int_equal(spool_part_end(spool, false), 0);
    spool_facts_turn(spool);
    assert_int_equal(told, 3);
}

static void old_events_go_and_their_numbers_do_not_come_back(void **state)
{
    struct spool_facts *facts = *state;
    int64_t last, after;
    for (int i = 0; i < 5; i++)
        assert_int_equal(event_write(facts->spool, "trunk.up", NULL, NULL), 0);
    json_decref(since(facts->spool, 0, 10, 0, &last));
    assert_int_equal(event_trim(facts->spool, clock_now_ms() - 1000, 10), 0);
    int64_t soon = clock_now_ms() + 1000;
    assert_int_equal(event_trim(facts->spool, soon, 2), 2);
    assert_int_equal(event_trim(facts->spool, soon, 10), 3);
    assert_int_equal(event_trim(facts->spool, soon, 10), 0);
    spool_facts_reopen(facts);
    assert_int_equal(event_write(facts->spool, "trunk.up", NULL, NULL), 0);
    json_decref(since(facts->spool, 0, 10, 0, &after));
    assert_int_equal(after, last + 1);
}

static void octets_of_strangers_do_not_break_an_event(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t last;
    json_t *data = json_pack("{s:s}", "text", "quote \" line\n \xE2\x80\xA8 end");
    assert_int_equal(event_write(spool, "trunk.up", NULL, data), 0);
    told = 0;
    told_last = 0;
    event_listen(spool, listener, NULL);
    assert_int_equal(event_write(spool, "trunk.up", NULL, data), 0);
    spool_facts_turn(spool);
    assert_int_equal(told, 1);
    json_t *events = since(spool, 0, 10, 0, &last);
    assert_true(json_equal(json_object_get(json_array_get(events, 0), "data"), data));
    json_decref(events);
    json_decref(data);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(an_event_tells_the_thin_truth),
        FACT(events_are_paged_by_number),
        FACT(a_faxs_events_are_its_own),
        FACT(a_listener_hears_of_what_is_committed),
        FACT(old_events_go_and_their_numbers_do_not_come_back),
        FACT(octets_of_strangers_do_not_break_an_event),
    };
    return cmocka_run_group_tests_name("event", facts, NULL, NULL);
}
