/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about forms. */
#include "config.h"

#include "web/multipart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "tests/lib/facts.h"

static int parse(struct multipart *form, const char *body)
{
    return multipart_parse(form, "B", body, strlen(body));
}

static void a_form_of_curl_is_split(void **state)
{
    (void)state;
    static const char body[] = "--B\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\n1002\r\n"
                               "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"page.tif\"\r\n"
                               "Content-Type: image/tiff\r\n\r\nII*\0\r\n--\r\n\r\n--B--\r\n";
    struct multipart form;
    assert_int_equal(multipart_parse(&form, "B", body, sizeof body - 1), 0);
    assert_int_equal(form.count, 2);
    assert_string_equal(form.parts[0].name, "to");
    assert_null(form.parts[0].filename);
    assert_int_equal(form.parts[0].size, 4);
    assert_memory_equal(form.parts[0].data, "1002", 4);
    assert_string_equal(form.parts[1].filename, "page.tif");
    assert_string_equal(form.parts[1].type, "image/tiff");
    assert_int_equal(form.parts[1].size, 10);
    assert_memory_equal(form.parts[1].data, "II*\0\r\n--\r\n", 10);
    multipart_clear(&form);
}

static void values_may_be_empty_or_look_like_boundaries(void **state)
{
    (void)state;
    struct multipart form;
    assert_int_equal(
        parse(&form, "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n"
                     "--B\r\nContent-Disposition: form-data; name=b\r\n\r\n-- B is not one, nor is\n--B\r\n--B--"),
        0);
    assert_int_equal(form.count, 2);
    assert_int_equal(form.parts[0].size, 0);
    assert_int_equal(form.parts[1].size, strlen("-- B is not one, nor is\n--B"));
    multipart_clear(&form);
}

static void a_preamble_and_an_epilogue_are_read_over(void **state)
{
    (void)state;
    struct multipart form;
    assert_int_equal(
        parse(&form, "hello\r\n--B \t\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--B--\r\nbye"), 0);
    assert_int_equal(form.count, 1);
    multipart_clear(&form);
    assert_int_equal(parse(&form, "--B--\r\n"), 0);
    assert_int_equal(form.count, 0);
    multipart_clear(&form);
}

static void names_are_read_as_browsers_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *header, *name, *filename;
    } table[] = {
        {"form-data; name=\"a\"", "a", NULL},
        {"form-data;name=a", "a", NULL},
        {"form-data; NAME=\"a\"; FileName=\"b\"", "a", "b"},
        {"form-data; filename=\"b; name=c\"; name=\"a\"", "a", "b; name=c"},
        {"form-data; name=\"a\\\"b\"", "a\"b", NULL},
        {"form-data; name=\"a\"; filename=\"C:\\dir\\x.tif\"", "a", "C:\\dir\\x.tif"},
        {"form-data; name=\"a\"; filename=\"\"", "a", ""},
        {"form-data; name=\"\xc3\xa4\"", "\xc3\xa4", NULL},
        {"Form-Data; other=\"x\"; name=\"retry.max_attempts\"", "retry.max_attempts", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct multipart form;
        char body[256];
        snprintf(body, sizeof body, "--B\r\nContent-Disposition: %s\r\n\r\nx\r\n--B--", table[i].header);
        assert_int_equal(parse(&form, body), 0);
        assert_string_equal(form.parts[0].name, table[i].name);
        if (table[i].filename)
            assert_string_equal(form.parts[0].filename, table[i].filename);
        else
            assert_null(form.parts[0].filename);
        multipart_clear(&form);
    }
}

static void what_is_not_a_form_is_refused(void **state)
{
    (void)state;
    static const char *const table[] = {
        "",
        "x",
        "--B",
        "--Bx\r\n",
        "--B\r\n",
        "--B\r\n\r\nx\r\n--B--",
        "--B\r\nContent-Type: a/b\r\n\r\nx\r\n--B--",
        "--B\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--B--",
        "--B\r\nContent-Disposition: form-datax; name=\"a\"\r\n\r\nx\r\n--B--",
        "--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--",
        "--B\r\nContent-Disposition: form-data; name=\"\"\r\n\r\nx\r\n--B--",
        "--B\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n--B--",
        "--B\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\nx\r\n--B--",
        "--B\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n\r\nx\r\n--B--",
        "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx",
        "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--B",
        "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--Bad\r\n",
        "--B\r\nContent-Disposition: form-data; name=\"a\"\r\nno colon\r\n\r\nx\r\n--B--",
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct multipart form;
        if (parse(&form, table[i]) != ERR_INVALID)
            fail_msg("taken: %s", table[i]);
        multipart_clear(&form);
    }
}

static void parts_and_heads_are_bounded(void **state)
{
    (void)state;
    static char body[MULTIPART_PARTS * 64 + 8192];
    static const char part[] = "--B\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n";
    struct multipart form;
    for (int i = 0; i < MULTIPART_PARTS; i++)
        memcpy(body + (size_t)i * (sizeof part - 1), part, sizeof part - 1);
    char *end = body + MULTIPART_PARTS * (sizeof part - 1);
    strcpy(end, "--B--");
    assert_int_equal(parse(&form, body), 0);
    assert_int_equal(form.count, MULTIPART_PARTS);
    multipart_clear(&form);
    strcpy(end, part);
    strcat(end, "--B--");
    assert_int_equal(parse(&form, body), ERR_TOO_BIG);
    multipart_clear(&form);
    size_t head = (size_t)sprintf(body, "--B\r\nContent-Disposition: form-data; name=a\r\nX: ");
    memset(body + head, 'x', 5000);
    strcpy(body + head + 5000, "\r\n\r\nx\r\n--B--");
    assert_int_equal(parse(&form, body), ERR_TOO_BIG);
    multipart_clear(&form);
}

static void the_boundary_is_taken_from_the_type(void **state)
{
    (void)state;
    static const struct {
        const char *type, *boundary;
    } table[] = {
        {"multipart/form-data; boundary=abc", "abc"},
        {"Multipart/Form-Data; charset=utf-8; BOUNDARY=\"a b'()+_,-./:=?\"", "a b'()+_,-./:=?"},
        {"multipart/form-data", NULL},
        {"multipart/form-data; boundary=", NULL},
        {"multipart/form-data; boundary=\"\"", NULL},
        {"multipart/form-data; boundary=\"a", NULL},
        {"multipart/form-data; boundary=a@b", NULL},
        {"multipart/form-data; boundary="
         "12345678901234567890123456789012345678901234567890123456789012345678901",
         NULL},
        {"multipart/mixed; boundary=a", NULL},
        {"", NULL},
        {NULL, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char boundary[MULTIPART_BOUNDARY_SIZE];
        int result = multipart_boundary(boundary, table[i].type);
        assert_int_equal(result, table[i].boundary ? 0 : ERR_INVALID);
        if (table[i].boundary)
            assert_string_equal(boundary, table[i].boundary);
    }
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_form_of_curl_is_split),
        cmocka_unit_test(values_may_be_empty_or_look_like_boundaries),
        cmocka_unit_test(a_preamble_and_an_epilogue_are_read_over),
        cmocka_unit_test(names_are_read_as_browsers_write_them),
        cmocka_unit_test(what_is_not_a_form_is_refused),
        cmocka_unit_test(parts_and_heads_are_bounded),
        cmocka_unit_test(the_boundary_is_taken_from_the_type),
    };
    return cmocka_run_group_tests_name("multipart", facts, NULL, NULL);
}
