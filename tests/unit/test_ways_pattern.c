/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about numbers in the names of files. */
#include "config.h"

#include "contrib/common/pattern.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "tests/lib/facts.h"

static void numbers_and_names_are_found(void **state)
{
    static const struct {
        const char *pattern, *file, *number, *name; /* number NULL = does not match */
    } rows[] = {
        {"{number}", "1002.pdf", "1002", NULL},
        {"{number}", "+1 (312) 555-0123.pdf", "+1 (312) 555-0123", NULL},
        {"{number}", "(312) 555.0123.pdf", "(312) 555.0123", NULL},
        {"{number}", "*31#1002.tif", "*31#1002", NULL},
        {"{number}", "1002", "1002", NULL},
        {"{number}", "letter.pdf", NULL, NULL},
        {"{number}", "1002x.pdf", NULL, NULL},
        {"{number}", "++1002.pdf", NULL, NULL},
        {"{number}@{name}", "1002@Dr. Ruiz.pdf", "1002", "Dr. Ruiz"},
        {"{number}@{name}", "1002@.pdf", NULL, NULL},
        {"{any} to {number}@{name}", "letter to +13125550123@Ann.pdf", "+13125550123", "Ann"},
        {"{any} to {number}", "a to b to 7.tiff", "7", NULL},
        {"{any} to {number}", " to 7.tiff", "7", NULL},
        {"fax[{number}](x)", "fax[7](x).pdf", "7", NULL},
        {"{name}#{number}", "A.B*C#7.pdf", "7", "A.B*C"},
        {"a.{number}", "ab7.pdf", NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pattern pattern;
        char *number, *name;
        assert_int_equal(pattern_compile(&pattern, rows[i].pattern), 0);
        assert_int_equal(pattern_match(&number, &name, &pattern, rows[i].file), rows[i].number != NULL);
        assert_string_equal(number != NULL ? number : "", rows[i].number != NULL ? rows[i].number : "");
        assert_string_equal(name != NULL ? name : "", rows[i].name != NULL ? rows[i].name : "");
        free(number);
        free(name);
        pattern_clear(&pattern);
    }
}

static void a_pattern_that_cannot_be_meant_is_refused(void **state)
{
    static const char *const rows[][2] = {{"", "{number} is missing"},      {"letter", "{number} is missing"},
                                          {"{number", "are known"},         {"{number}{fax}", "are known"},
                                          {"{}{number}", "are known"},      {"{number} {number}", "twice"},
                                          {"{name}{name}{number}", "twice"}};
    struct pattern pattern;
    char longest[202];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(pattern_compile(&pattern, rows[i][0]), ERR_INVALID);
        assert_non_null(strstr(err_message(), rows[i][1]));
    }
    memset(longest, '+', sizeof longest);
    longest[201] = '\0';
    assert_int_equal(pattern_compile(&pattern, longest), ERR_INVALID);
    memcpy(longest, "{number}", 8); /* the longest one, each octet escaped, fits */
    longest[200] = '\0';
    assert_int_equal(pattern_compile(&pattern, longest), 0);
    pattern_clear(&pattern);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(numbers_and_names_are_found),
        cmocka_unit_test(a_pattern_that_cannot_be_meant_is_refused),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
