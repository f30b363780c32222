/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the last step before a terminal. */
#include "config.h"

#include "web/cli/text.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/facts.h"

static void nothing_from_a_stranger_controls_a_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *text, *clean;
    } table[] = {
        {"", ""},
        {"+49 30 1234", "+49 30 1234"},
        {"\xC3\x84rzte \xE2\x82\xAC \xF0\x9F\x93\xA0", "\xC3\x84rzte \xE2\x82\xAC \xF0\x9F\x93\xA0"},
        {"\033[2J", "\\x1b[2J"},
        {"a\nb\tc\r", "a\\x0ab\\x09c\\x0d"},
        {"\x7F", "\\x7f"},
        {"\xC2\x9B", "\\u{9b}"},                     /* CSI as one character */
        {"\x9B", "\\x9b"},                           /* and as a bare octet */
        {"\xE2\x80\xAEtxt", "\\u{202e}txt"},         /* writes from right to left */
        {"\xF3\xA0\x81\x81", "\\u{e0041}"},          /* a tag, not seen */
        {"\xC0\xAF", "\\xc0\\xaf"},                  /* overlong */
        {"\xED\xA0\x80", "\\xed\\xa0\\x80"},         /* half of a pair */
        {"\xE2\x82", "\\xe2\\x82"},                  /* cut short */
        {"\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"} /* past the last character */
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char *clean = text_clean(table[i].text);
        assert_string_equal(clean, table[i].clean);
        free(clean);
    }
    char *nothing = text_clean(NULL);
    assert_string_equal(nothing, "");
    free(nothing);
}

static void a_value_is_found_by_its_path(void **state)
{
    (void)state;
    static const struct {
        const char *path, *text;
    } table[] = {
        {"id", "fax_1"},  {"pages.total", "3"}, {"error.deep.code", "busy"},
        {"hold", "no"},   {"share", "0.5"},     {"error", ""},
        {"none", ""},     {"id.more", ""},      {"null", ""},
        {"list", "1, b"}, {"pages.none", ""},
    };
    json_t *fax = json_pack("{s:s, s:{s:i}, s:{s:{s:s}}, s:b, s:f, s:n, s:[i, s]}", "id", "fax_1", "pages", "total", 3,
                            "error", "deep", "code", "busy", "hold", 0, "share", 0.5, "null", "list", 1, "b");
    assert_non_null(fax);
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char *text = text_at(fax, table[i].path);
        assert_string_equal(text, table[i].text);
        free(text);
    }
    char *nothing = text_at(NULL, "id");
    assert_string_equal(nothing, "");
    free(nothing);
    json_decref(fax);
}

static void a_table_is_as_wide_as_the_screen_shows_it(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"NAME", "NUMBER"}, {"M\u00fcller", "1"}, {"\u5c71\u7530", "2"}, {"e\u0301te\u0301", "3"}, {"\033c", ""}};
    static const char wanted[] = "NAME    NUMBER\nM\u00fcller  1\n\u5c71\u7530    2\ne\u0301te\u0301     3\n\\x1bc\n";
    char printed[256] = "";
    int before = dup(STDOUT_FILENO);
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);
    struct text_table *table = text_table_new(2);
    /* The second piece keeps the widths of the first. */
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        text_table_add(table, rows[i]);
        if (i >= 1)
            text_table_print(table);
    }
    text_table_free(table);
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
    rewind(file);
    assert_true(fread(printed, 1, sizeof printed - 1, file) > 0);
    fclose(file);
    assert_string_equal(printed, wanted);
}

static void times_are_shown_in_local_time_and_other_texts_as_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } table[] = {
        {"2026-11-21T01:02:03.123Z", "2026-11-21 03:02:03"},
        {"2026-11-21T01:02:03Z", "2026-11-21 03:02:03"},
        {"tomorrow", "tomorrow"},
        {"\033c", "\\x1bc"},
        {"", ""},
    };
    setenv("TZ", "XXX-2", 1);
    tzset();
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char *shown = text_time(table[i].text);
        assert_string_equal(shown, table[i].shown);
        free(shown);
    }
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(nothing_from_a_stranger_controls_a_terminal),
        cmocka_unit_test(a_value_is_found_by_its_path),
        cmocka_unit_test(a_table_is_as_wide_as_the_screen_shows_it),
        cmocka_unit_test(times_are_shown_in_local_time_and_other_texts_as_they_are),
    };
    assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
    return cmocka_run_group_tests(facts, NULL, NULL);
}
