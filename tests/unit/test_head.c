/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the heads of HTTP requests. */
#include "config.h"

#include "web/head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/facts.h"

static enum head_fault parse(struct head *head, const char *text)
{
    return head_parse(head, text, strlen(text));
}

static void a_head_gives_what_the_gate_needs(void **state)
{
    (void)state;
    struct head head;
    assert_int_equal(parse(&head, "POST /v1/faxes?x=1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer k \r\n"
                                  "Content-Length: 12\r\nExpect: 100-Continue\r\n\r\n"),
                     HEAD_OK);
    assert_string_equal(head.method, "POST");
    assert_string_equal(head.target, "/v1/faxes?x=1");
    assert_string_equal(head.authorization, "Bearer k");
    assert_int_equal(head.length, 12);
    assert_true(head.expects_continue);
    assert_false(head.chunked);
    head_clear(&head);
}

static void the_clean_head_has_no_body_and_no_target(void **state)
{
    (void)state;
    struct head head;
    assert_int_equal(parse(&head, "PUT /secret HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nX-A: b\r\n\r\n"),
                     HEAD_OK);
    assert_true(head.chunked);
    assert_string_equal(head.clean, "PUT / HTTP/1.1\r\nContent-Length: 0\r\nHost: a\r\nX-A: b\r\n\r\n");
    head_clear(&head);
}

static void the_absolute_form_loses_its_authority(void **state)
{
    (void)state;
    static const struct {
        const char *sent, *target;
    } table[] = {
        {"http://a/v1/faxes", "/v1/faxes"},
        {"HTTPS://a:1/x?y", "/x?y"},
        {"http://a", "/"},
        {"http://a?x", "/?x"},
        {"/x", "/x"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct head head;
        char text[128];
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", table[i].sent);
        assert_int_equal(parse(&head, text), HEAD_OK);
        assert_string_equal(head.target, table[i].target);
        head_clear(&head);
    }
}

static void what_is_not_http_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum head_fault fault;
    } table[] = {
        {"\r\n\r\n", HEAD_SYNTAX},
        {"GET\r\n\r\n", HEAD_SYNTAX},
        {"GET /\r\n\r\n", HEAD_SYNTAX},
        {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", HEAD_SYNTAX},
        {"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", HEAD_SYNTAX},
        {"GET a HTTP/1.1\r\nHost: a\r\n\r\n", HEAD_SYNTAX},
        {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", HEAD_SYNTAX},
        {"GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", HEAD_SYNTAX},
        {"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", HEAD_SYNTAX},
        {"GET / HTTP/1.1\nHost: a\r\n\r\n", HEAD_SYNTAX},
        {"GET / HTTP/1.1\r\nHost: a\n\r\n\r\n", HEAD_SYNTAX},
        {"GET / HTTP/1.1\r\n\r\n", HEAD_SYNTAX},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", HEAD_SYNTAX},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", HEAD_SYNTAX},
        {"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", HEAD_SYNTAX},
        {"GET / HTTP/1.1\r\nHost: a\x01\r\n\r\n", HEAD_SYNTAX},
        {"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", HEAD_SYNTAX},
        {"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", HEAD_SYNTAX},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", HEAD_VERSION},
        {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", HEAD_VERSION},
        {"GET / http/1.1\r\nHost: a\r\n\r\n", HEAD_SYNTAX},
        {"get / HTTP/1.1\r\nHost: a\r\n\r\n", HEAD_METHOD},
        {"PROPFINDPROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n", HEAD_METHOD},
        {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", HEAD_METHOD},
        {"GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", HEAD_EXPECTATION},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", HEAD_CODING},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", HEAD_CODING},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", HEAD_FRAMING},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", HEAD_FRAMING},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", HEAD_FRAMING},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", HEAD_FRAMING},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n", HEAD_FRAMING},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n", HEAD_FRAMING},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000000000000\r\n\r\n", HEAD_FRAMING},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct head head;
        enum head_fault fault = parse(&head, table[i].text);
        if (fault != table[i].fault)
            fail_msg("fault %d, not %d, for:\n%s", fault, table[i].fault, table[i].text);
        assert_null(head.clean);
        head_clear(&head);
    }
}

static void a_zero_octet_is_refused(void **state)
{
    (void)state;
    static const char text[] = "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n";
    struct head head;
    assert_int_equal(head_parse(&head, text, sizeof text - 1), HEAD_SYNTAX);
    head_clear(&head);
}

static void a_hundred_fields_are_the_most(void **state)
{
    (void)state;
    char text[4096] = "GET / HTTP/1.1\r\nHost: a\r\n";
    struct head head;
    for (int i = 1; i < HEAD_MAX_FIELDS; i++)
        strcat(text, "a: b\r\n");
    size_t size = strlen(text);
    strcat(text, "\r\n");
    assert_int_equal(parse(&head, text), HEAD_OK);
    head_clear(&head);
    strcpy(text + size, "a: b\r\n\r\n");
    assert_int_equal(parse(&head, text), HEAD_SYNTAX);
    head_clear(&head);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_head_gives_what_the_gate_needs),
        cmocka_unit_test(the_clean_head_has_no_body_and_no_target),
        cmocka_unit_test(the_absolute_form_loses_its_authority),
        cmocka_unit_test(what_is_not_http_is_refused),
        cmocka_unit_test(a_zero_octet_is_refused),
        cmocka_unit_test(a_hundred_fields_are_the_most),
    };
    return cmocka_run_group_tests_name("head", facts, NULL, NULL);
}
