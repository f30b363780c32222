/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about JSON bodies and their limits. */
#include "config.h"

#include "web/json_body.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "tests/lib/facts.h"

/* In many small chains, as a socket delivers it. */
static int parse(json_t **root, struct json_fault *fault, const char *text)
{
    struct evbuffer *body = evbuffer_new();
    for (size_t at = 0, size = strlen(text); at < size; at += 1000)
        evbuffer_add_reference(body, text + at, size - at < 1000 ? size - at : 1000, NULL, NULL);
    int result = json_body_parse(root, fault, body);
    assert_true(result < 0 || evbuffer_get_length(body) == 0);
    evbuffer_free(body);
    return result;
}

static char *repeat(const char *before, const char *middle, size_t count, const char *after)
{
    size_t size = strlen(middle);
    char *text = malloc(strlen(before) + count * size + strlen(after) + 1), *at = stpcpy(text, before);
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, middle);
    strcpy(at, after);
    return text;
}

static void a_body_becomes_a_tree(void **state)
{
    (void)state;
    struct json_fault fault;
    json_t *root;
    assert_int_equal(parse(&root, &fault, " {\"a\": [1, {\"b\": \"[{,:\\\"\\\\\"}]} \n"), 0);
    const json_t *b = json_object_get(json_array_get(json_object_get(root, "a"), 1), "b");
    assert_string_equal(json_string_value(b), "[{,:\"\\");
    json_decref(root);
}

static void a_fault_has_a_place(void **state)
{
    (void)state;
    struct json_fault fault;
    json_t *root;
    assert_int_equal(parse(&root, &fault, "{\n \"a\" 1}"), ERR_INVALID);
    assert_null(root);
    assert_int_equal(fault.line, 2);
    assert_true(fault.column > 0 && fault.detail[0]);
}

static void what_is_not_json_is_refused(void **state)
{
    (void)state;
    static const char *const table[] = {"",         " ",          "{",   "}",           "{\"a\":1,\"a\":2}",
                                        "{} {}",    "[1,]",       "nul", "\"\\u0000\"", "\"\\ud800\"",
                                        "\"\xff\"", "{\"a\":01}", "'a'", "1e999"};
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct json_fault fault;
        json_t *root;
        if (parse(&root, &fault, table[i]) != ERR_INVALID)
            fail_msg("taken: %s", table[i]);
    }
}

static void depth_and_number_of_values_are_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *before, *middle;
        size_t count;
        const char *after;
        int result;
    } table[] = {
        {"", "[", JSON_BODY_DEPTH, "]]]]]]]]]]]]]]]]", 0},
        {"", "[", JSON_BODY_DEPTH + 1, "]]]]]]]]]]]]]]]]]", ERR_TOO_BIG},
        {"", "[", 1000000, "", ERR_TOO_BIG},
        {"", "{\"a\":", 1000000, "", ERR_TOO_BIG},
        {"[0", ",0", JSON_BODY_VALUES - 2, "]", 0},
        {"[0", ",0", JSON_BODY_VALUES + 1, "]", ERR_TOO_BIG},
        {"[[]", ",[]", 1000000, "]", ERR_TOO_BIG},
        {"[\"", ",[{:\\\"", 1000000, "\"]", 0},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char *text = repeat(table[i].before, table[i].middle, table[i].count, table[i].after);
        struct json_fault fault;
        json_t *root;
        assert_int_equal(parse(&root, &fault, text), table[i].result);
        json_decref(root);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_body_becomes_a_tree),
        cmocka_unit_test(a_fault_has_a_place),
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(depth_and_number_of_values_are_bounded),
    };
    return cmocka_run_group_tests_name("json_body", facts, NULL, NULL);
}
