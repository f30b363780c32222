/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about lists: filters, pages that do not shift, and the thread that makes them. */
#include "config.h"

#include "spool/list.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "spool/attempt.h"
#include "spool/document.h"
#include "spool/fax_state.h"
#include "spool/submit.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

struct answer {
    int calls;
    int error;
    json_t *page;
    struct event_base *base;
};

static void take(void *context, int error, json_t *page)
{
    struct answer *answer = context;
    answer->calls++;
    answer->error = error;
    answer->page = page ? json_loads(json_string_value(json_object_get(page, "text")), 0, NULL) : NULL;
    if (answer->base)
        event_base_loopbreak(answer->base);
}

static json_t *list(struct spool *spool, const struct list_query *query)
{
    struct answer answer = {0};
    if (list_start(spool, query, take, &answer))
        fail_msg("%s", err_message());
    assert_int_equal(answer.calls, 1);
    assert_int_equal(answer.error, 0);
    return answer.page;
}

/* The numbers (`to`) of a page with a space between, newest first. */
static const char *numbers(json_t *page)
{
    static char text[4096];
    size_t index;
    json_t *fax;
    text[0] = '\0';
    json_array_foreach(json_object_get(page, "data"), index, fax)
    {
        size_t length = strlen(text);
        snprintf(text + length, sizeof(text) - length, "%s%s", index ? " " : "",
                 json_string_value(json_object_get(fax, "to")));
    }
    return text;
}

static const char *find(struct spool *spool, struct list_query query)
{
    if (!query.limit)
        query.limit = 100;
    json_t *page = list(spool, &query);
    const char *found = numbers(page);
    json_decref(page);
    return found;
}

static void fill(struct spool *spool)
{
    struct attempt attempt;
    struct fax fax;
    spool_facts_queue(spool, "11", 1);
    spool_facts_queue(spool, "12", 1);
    struct attempt_result result = {.outcome = OUTCOME_BAD_ADDRESS};
    assert_int_equal(attempt_end(NULL, spool, spool_facts_call(spool), &result), 0); /* 11 failed */
    spool_facts_call(spool);                                                         /* 12 is dialing */
    json_t *tags = json_pack("[s, s]", "re%ferral", "Urgent");
    struct submit_request request = {
        .to = "13", .from = "billing", .owner = 5, .client_reference = "ref-1", .tags = tags, .priority = FAX_NORMAL};
    request.original = spool_facts_document(spool, "an upload");
    assert_int_equal(submit(&fax, spool, &request), 0); /* 13 is preparing */
    json_decref(tags);
    fax_clear(&fax);
    spool_facts_queue(spool, "14", 1); /* 14 is queued */
    assert_int_equal(attempt_begin_inbound(&attempt, &fax, spool, "exchange", "1001", 0, "15", "99"), 0);
    fax_clear(&fax);
    struct attempt_result failed = {.outcome = OUTCOME_SENDER_NOT_FAX};
    assert_int_equal(attempt_end_inbound(spool, attempt.id, &failed, "", 0, FAX_RECEIVE_FAILED), 0); /* 15 failed */
    spool_facts_turn(spool);
}

static void filters_find_what_they_say(void **state)
{
    struct spool *spool = spool_of(state);
    fill(spool);
    assert_string_equal(find(spool, (struct list_query){0}), "15 14 13 12 11");
    assert_string_equal(find(spool, (struct list_query){.direction = "inbound"}), "15");
    assert_string_equal(find(spool, (struct list_query){.direction = "outbound"}), "14 13 12 11");
    assert_string_equal(find(spool, (struct list_query){.status = "failed"}), "15 11");
    assert_string_equal(find(spool, (struct list_query){.status = "failed", .direction = "outbound"}), "11");
    assert_string_equal(find(spool, (struct list_query){.status = "dialing,preparing"}), "13 12");
    assert_string_equal(find(spool, (struct list_query){.status = "delivered"}), "");
    assert_string_equal(find(spool, (struct list_query){.to = "12"}), "12");
    assert_string_equal(find(spool, (struct list_query){.to = "1"}), "");
    assert_string_equal(find(spool, (struct list_query){.from = "99"}), "15");
    assert_string_equal(find(spool, (struct list_query){.error = "bad_address"}), "11");
    assert_string_equal(find(spool, (struct list_query){.client_reference = "ref-1"}), "13");
    assert_string_equal(find(spool, (struct list_query){.owner = 5}), "13");
    assert_string_equal(find(spool, (struct list_query){.owner = 6}), "");
    int64_t now = clock_now_ms();
    assert_string_equal(find(spool, (struct list_query){.created_gte = now + 60000}), "");
    assert_string_equal(find(spool, (struct list_query){.created_lt = now + 60000, .to = "14"}), "14");
}

static void tags_are_found_exactly(void **state)
{
    struct spool *spool = spool_of(state);
    fill(spool);
    assert_string_equal(find(spool, (struct list_query){.tag = "re%ferral"}), "13");
    assert_string_equal(find(spool, (struct list_query){.tag = "Urgent"}), "13");
    assert_string_equal(find(spool, (struct list_query){.tag = "urgent"}), "");
    assert_string_equal(find(spool, (struct list_query){.tag = "%"}), "");
    assert_string_equal(find(spool, (struct list_query){.tag = "re%"}), "");
    assert_string_equal(find(spool, (struct list_query){.tag = "Urgen_"}), "");
}

static void a_waiting_fax_is_listed_as_queued(void **state)
{
    struct spool *spool = spool_of(state);
    struct fax fax;
    int64_t id = spool_facts_queue(spool, "11", 1);
    spool_facts_read(&fax, spool, id);
    assert_int_equal(fax_state_change(spool, &fax, FAX_WAITING), 0);
    fax_clear(&fax);
    spool_facts_turn(spool);
    assert_string_equal(find(spool, (struct list_query){.status = "queued"}), "11");
}

static void values_are_never_read_as_sql(void **state)
{
    struct spool *spool = spool_of(state);
    fill(spool);
    assert_string_equal(find(spool, (struct list_query){.to = "' OR 1=1 --"}), "");
    assert_string_equal(find(spool, (struct list_query){.tag = "\"' OR 1=1 --"}), "");
    assert_string_equal(find(spool, (struct list_query){.client_reference = "'; DROP TABLE fax; --"}), "");
    assert_string_equal(find(spool, (struct list_query){.to = "14"}), "14");
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        struct list_query query;
        const char *named;
    } table[] = {
        {{.limit = 0}, "limit"},
        {{.limit = 1001}, "limit"},
        {{.limit = 1, .cursor = "x"}, "cursor"},
        {{.limit = 1, .cursor = "-1"}, "cursor"},
        {{.limit = 1, .direction = "up"}, "direction"},
        {{.limit = 1, .status = "happy"}, "status"},
        {{.limit = 1, .status = "queued,"}, "status"},
        {{.limit = 1, .status = "unknown"}, "status"},
        {{.limit = 1, .error = "weather"}, "error"},
        {{.limit = 1, .tag = "\xff"}, "tag"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct answer answer = {0};
        assert_int_equal(list_start(spool_of(state), &table[i].query, take, &answer), ERR_INVALID);
        assert_non_null(strstr(err_message(), table[i].named));
        assert_int_equal(answer.calls, 0);
    }
}

static void pages_do_not_shift_while_faxes_come_in(void **state)
{
    struct spool *spool = spool_of(state);
    char seen[256] = "", cursor[32] = "", to[8];
    for (int i = 10; i < 20; i++) {
        snprintf(to, sizeof(to), "%d", i);
        spool_facts_queue(spool, to, 1);
    }
    spool_facts_turn(spool);
    for (int pages = 1;; pages++) {
        struct list_query query = {.limit = 3, .cursor = *cursor ? cursor : NULL};
        json_t *page = list(spool, &query);
        strcat(strcat(seen, numbers(page)), " ");
        bool more = json_is_true(json_object_get(page, "has_more"));
        const char *next = json_string_value(json_object_get(page, "next_cursor"));
        assert_int_equal(more, next != NULL);
        if (next)
            strcpy(cursor, next);
        json_decref(page);
        spool_facts_queue(spool, "77", 1); /* between two pages */
        spool_facts_turn(spool);
        if (!more) {
            assert_int_equal(pages, 4);
            break;
        }
    }
    assert_string_equal(seen, "19 18 17 16 15 14 13 12 11 10 ");
}

static void a_full_page_at_the_end_has_no_more(void **state)
{
    struct spool *spool = spool_of(state);
    for (int i = 0; i < 3; i++)
        spool_facts_queue(spool, "11", 1);
    spool_facts_turn(spool);
    struct list_query query = {.limit = 3};
    json_t *page = list(spool, &query);
    assert_true(json_is_false(json_object_get(page, "has_more")));
    assert_true(json_is_null(json_object_get(page, "next_cursor")));
    json_decref(page);
}

static void open_threaded(struct spool_facts *facts, struct event_base *base)
{
    spool_close(facts->spool);
    struct spool_options options = {.state_dir = facts->dir, .min_free_bytes = 1, .base = base};
    assert_int_equal(spool_open(&facts->spool, &options), 0);
}

static void a_list_is_made_beside_the_loop(void **state)
{
    struct spool_facts *facts = *state;
    struct event_base *base = event_base_new();
    fill(facts->spool);
    open_threaded(facts, base);
    struct answer answers[20] = {{0}};
    struct list_query query = {.limit = 2, .direction = "outbound"};
    for (size_t i = 0; i < COUNT_OF(answers); i++)
        assert_int_equal(list_start(facts->spool, &query, take, &answers[i]), 0);
    answers[COUNT_OF(answers) - 1].base = base;
    for (int i = 0; i < 20; i++) { /* the loop goes on writing meanwhile */
        spool_facts_queue(facts->spool, "77", 1);
        spool_facts_turn(facts->spool);
    }
    event_base_dispatch(base);
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        assert_int_equal(answers[i].calls, 1);
        assert_int_equal(answers[i].error, 0);
        assert_int_equal(json_array_size(json_object_get(answers[i].page, "data")), 2);
        json_decref(answers[i].page);
    }
    open_threaded(facts, NULL);
    event_base_free(base);
}

static void every_list_is_answered_when_the_spool_closes(void **state)
{
    struct spool_facts *facts = *state;
    struct event_base *base = event_base_new();
    fill(facts->spool);
    open_threaded(facts, base);
    struct answer answers[50] = {{0}};
    struct list_query query = {.limit = 100};
    for (size_t i = 0; i < COUNT_OF(answers); i++)
        assert_int_equal(list_start(facts->spool, &query, take, &answers[i]), 0);
    open_threaded(facts, NULL);
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        assert_int_equal(answers[i].calls, 1);
        assert_int_equal(answers[i].error, ERR_CLOSED);
        assert_null(answers[i].page);
    }
    event_base_free(base);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(filters_find_what_they_say),
        FACT(tags_are_found_exactly),
        FACT(a_waiting_fax_is_listed_as_queued),
        FACT(values_are_never_read_as_sql),
        FACT(what_is_wrong_is_named),
        FACT(pages_do_not_shift_while_faxes_come_in),
        FACT(a_full_page_at_the_end_has_no_more),
        FACT(a_list_is_made_beside_the_loop),
        FACT(every_list_is_answered_when_the_spool_closes),
    };
    return cmocka_run_group_tests_name("list", facts, NULL, NULL);
}
