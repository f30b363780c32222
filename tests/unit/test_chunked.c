/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about chunked bodies. */
#include "config.h"

#include "web/chunked.h"

#include <string.h>

#include "server/base/err.h"
#include "tests/lib/facts.h"

/* Feed `text` in pieces of `step` octets; the last result, and what came out. */
static int decode(char *body, size_t room, size_t *left, const char *text, size_t step)
{
    struct chunked chunked = {0};
    struct evbuffer *in = evbuffer_new(), *out = evbuffer_new();
    size_t size = strlen(text);
    int result = 0;
    for (size_t at = 0; at < size && result == 0; at += step) {
        evbuffer_add(in, text + at, at + step < size ? step : size - at);
        result = chunked_decode(&chunked, in, out);
    }
    int got = evbuffer_copyout(out, body, room - 1);
    body[got > 0 ? got : 0] = '\0';
    *left = evbuffer_get_length(in);
    evbuffer_free(in);
    evbuffer_free(out);
    return result;
}

static void a_body_is_the_same_however_it_arrives(void **state)
{
    (void)state;
    static const char text[] = "5\r\nhello\r\n1;name=\"value\"\r\n,\r\n00006\r\n world\r\n0\r\nTrailer: x\r\n\r\n";
    char body[64];
    size_t left;
    for (size_t step = 1; step < sizeof text; step++) {
        assert_int_equal(decode(body, sizeof body, &left, text, step), 1);
        assert_string_equal(body, "hello, world");
    }
}

static void what_follows_is_left(void **state)
{
    (void)state;
    char body[64];
    size_t left;
    assert_int_equal(decode(body, sizeof body, &left, "1\r\na\r\n0\r\n\r\nGET /", 64), 1);
    assert_int_equal(left, 5);
}

static void a_body_that_has_not_ended_asks_for_more(void **state)
{
    (void)state;
    static const char *const table[] = {"5",     "5\r\n",        "5\r\nhel", "5\r\nhello", "5\r\nhello\r\n",
                                        "0\r\n", "0\r\nA: b\r\n"};
    char body[64];
    size_t left;
    for (size_t i = 0; i < COUNT_OF(table); i++)
        assert_int_equal(decode(body, sizeof body, &left, table[i], 64), 0);
}

static void bad_framing_is_refused(void **state)
{
    (void)state;
    static const char *const table[] = {"x\r\n",
                                        "\r\n",
                                        "-1\r\n",
                                        "0x5\r\n",
                                        "5 5\n\r\n5x\r\n",
                                        "+5\r\n",
                                        "5\r\nhelloXX",
                                        "5\nhello\r\n0\r\n\r\n",
                                        "fffffffffffffffff\r\n"};
    char body[64];
    size_t left;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (decode(body, sizeof body, &left, table[i], 64) != ERR_INVALID)
            fail_msg("taken: %s", table[i]);
    }
}

static void lines_and_trailers_are_bounded(void **state)
{
    (void)state;
    static char text[8192];
    char body[8];
    size_t left;
    memset(text, '1', 300);
    assert_int_equal(decode(body, sizeof body, &left, text, 1024), ERR_INVALID);
    strcpy(text, "0\r\n");
    for (int i = 0; i < 1000; i++)
        strcat(text, "a: b\r\n");
    assert_int_equal(decode(body, sizeof body, &left, text, 1024), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_body_is_the_same_however_it_arrives),   cmocka_unit_test(what_follows_is_left),
        cmocka_unit_test(a_body_that_has_not_ended_asks_for_more), cmocka_unit_test(bad_framing_is_refused),
        cmocka_unit_test(lines_and_trailers_are_bounded),
    };
    return cmocka_run_group_tests_name("chunked", facts, NULL, NULL);
}
