/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the client's parser of server-sent events. */
#include "config.h"

#include "web/cli/sse.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "tests/lib/facts.h"

struct heard {
    char text[512]; /* "type|data|id;" for each event */
    int count, end_after;
};

static bool on_event(const char *type, const char *data, const char *id, void *context)
{
    struct heard *heard = context;
    size_t length = strlen(heard->text);
    snprintf(heard->text + length, sizeof heard->text - length, "%s|%.40s|%s;", type, data, id);
    heard->count++;
    return heard->count == heard->end_after;
}

static void check(const char *stream, const char *want)
{
    /* Whole, and octet by octet: where the network cuts must not matter. */
    for (size_t piece = 1; piece <= strlen(stream); piece += strlen(stream) - 1) {
        struct heard heard = {.count = 0};
        struct sse *sse = sse_new(on_event, &heard);
        for (size_t at = 0; at < strlen(stream); at += piece) {
            size_t left = strlen(stream) - at;
            assert_false(sse_feed(sse, stream + at, left < piece ? left : piece));
        }
        assert_string_equal(heard.text, want);
        sse_free(sse);
    }
}

static void an_event_ends_with_an_empty_line(void **state)
{
    (void)state;
    check("id: 7\nevent: fax.delivered\ndata: {}\n\n", "fax.delivered|{}|7;");
    check("data: {}\n", "");
    check("data:a\n\ndata:b\n\n", "message|a|;message|b|;");
    check("id: 1\ndata: a\n\ndata: b\n\n", "message|a|1;message|b|1;");
}

static void lines_end_in_any_of_three_ways(void **state)
{
    (void)state;
    check("data: a\r\n\r\ndata: b\r\n\r\n", "message|a|;message|b|;");
    check("data: a\r\rdata: b\r\r", "message|a|;message|b|;");
}

static void comments_and_unknown_fields_are_no_events(void **state)
{
    (void)state;
    check(": alive\n\n: alive\n\n", "");
    check("retry: 3000\ncolour: red\ndata: a\n\n", "message|a|;");
    check("event: x\n\ndata: a\n\n", "message|a|;");
}

static void several_data_lines_are_one_text(void **state)
{
    (void)state;
    check("data: a\ndata: b\ndata\n\n", "message|a\nb\n|;");
}

static void what_is_too_long_is_dropped_and_no_more(void **state)
{
    (void)state;
    struct heard heard = {.count = 0};
    struct sse *sse = sse_new(on_event, &heard);
    char *data = xmalloc(2 * SSE_LINE_MAX);
    memset(data, 'x', 2 * SSE_LINE_MAX);
    sse_feed(sse, "data: ", 6);
    sse_feed(sse, data, 2 * SSE_LINE_MAX);
    sse_feed(sse, "\n\ndata: next\n\n", 14);
    assert_string_equal(heard.text, "message|next|;");
    for (int i = 0; i < 3; i++) { /* many lines that are too long together */
        sse_feed(sse, "data: ", 6);
        sse_feed(sse, data, SSE_LINE_MAX / 2);
        sse_feed(sse, "\n", 1);
    }
    sse_feed(sse, "\ndata: after\n\n", 14);
    assert_string_equal(heard.text, "message|next|;message|after|;");
    free(data);
    sse_free(sse);
}

static void another_connection_keeps_the_last_id_alone(void **state)
{
    (void)state;
    struct heard heard = {.count = 0};
    struct sse *sse = sse_new(on_event, &heard);
    sse_feed(sse, "id: 41\ndata: a\n\nevent: half\ndata: ha", 36);
    sse_restart(sse);
    assert_string_equal(sse_last_id(sse), "41");
    sse_feed(sse, "data: b\n\n", 9);
    assert_string_equal(heard.text, "message|a|41;message|b|41;");
    sse_free(sse);
}

static void the_receiver_may_end_it(void **state)
{
    (void)state;
    struct heard heard = {.end_after = 1};
    struct sse *sse = sse_new(on_event, &heard);
    assert_true(sse_feed(sse, "data: a\n\ndata: b\n\n", 18));
    assert_int_equal(heard.count, 1);
    sse_free(sse);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(an_event_ends_with_an_empty_line),
        cmocka_unit_test(lines_end_in_any_of_three_ways),
        cmocka_unit_test(comments_and_unknown_fields_are_no_events),
        cmocka_unit_test(several_data_lines_are_one_text),
        cmocka_unit_test(what_is_too_long_is_dropped_and_no_more),
        cmocka_unit_test(another_connection_keeps_the_last_id_alone),
        cmocka_unit_test(the_receiver_may_end_it),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
