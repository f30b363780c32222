/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about comma-separated values, as RFC 4180, spreadsheets and strangers write them; and about folded text. */
#include "config.h"

#include "server/base/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "server/base/fold.h"
#include "tests/lib/facts.h"

#define READ(text) read_all(text, sizeof(text) - 1)

/* All records as one text: cells with | between, records with / behind, faults as ! (and !! where it ends). */
static const char *read_all(const void *text, size_t size)
{
    static char said[4096]; /* a record adds 2,000 at most */
    struct csv *csv = malloc(sizeof *csv);
    int result, length = 0;
    char *copy = malloc(size + 1); /* of its own size, so that a sanitizer sees a step too far */

    memcpy(copy, text, size);
    csv_start(csv, copy, size);
    said[0] = '\0';
    while ((result = csv_next(csv)) != 0 && length < 400) {
        if (result < 0)
            length += snprintf(said + length, sizeof said - (size_t)length, result == ERR_TOO_BIG ? "!!" : "!");
        for (int i = 0; result == 1 && i < csv->count; i++)
            length += snprintf(said + length, sizeof said - (size_t)length, "%s%.30s", i ? "|" : "", csv->cells[i]);
        if (result == 1)
            length += snprintf(said + length, sizeof said - (size_t)length, "/");
    }
    free(copy);
    free(csv);
    return said;
}

static void records_are_read_as_they_are_written(void **state)
{
    static const struct {
        const char *text, *records;
    } cases[] = {
        {"", ""},
        {"\n\r\n\r\n", ""},
        {"a", "a/"},
        {"a,b\r\nc,d\r\n", "a|b/c|d/"},
        {"a,b\nc,d", "a|b/c|d/"},
        {"a,b\rc,d\r", "a|b/c|d/"},
        {"\xef\xbb\xbf"
         "a,b\n",
         "a|b/"},
        {"a,\n,b\n,\n", "a|/|b/|/"},
        {"\"a\",\"b,c\"\n", "a|b,c/"},
        {"\"a\"\"b\",\"\"\n", "a\"b|/"},
        {"\"a\r\nb\",c\n", "a\r\nb|c/"},
        {"a \"b\" c,d\n", "a \"b\" c|d/"},
        {"a;b,c\n", "a;b|c/"}, /* a comma in the first line: commas separate */
        {"a;b\n1;2,5\n", "a|b/1|2,5/"},
        {"a\tb\n1\t2\n", "a|b/1|2/"},
        {"\"a;b\",c\n", "a;b|c/"},
        {"'=a,'+1,'a,''\n", "=a|+1|'a|''/"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(read_all(cases[i].text, strlen(cases[i].text)), cases[i].records);
}

static void what_is_wrong_costs_its_line_and_no_other(void **state)
{
    static const char zero[] = "a,b\nx\0y,1\nc,d\n";
    char many[200];
    (void)state;
    assert_string_equal(READ("a,b\n\"x\"y,1\nc,d\n"), "a|b/!c|d/");
    assert_string_equal(READ("a,b\n\xff,1\nc,d\n"), "a|b/!c|d/");
    assert_string_equal(READ("a,b\n\"\xed\xa0\x80\",1\nc,d\n"), "a|b/!c|d/");
    assert_string_equal(READ(zero), "a|b/!c|d/");
    memset(many, ',', 64);
    strcpy(many + 64, "\na,b\n");
    assert_string_equal(read_all(many, strlen(many)), "!a|b/");
    memset(many, ',', 63);
    strcpy(many + 63, "\n");
    assert_int_equal(strlen(read_all(many, 64)), 64); /* 64 empty cells */
}

static void a_record_without_an_end_ends_the_file(void **state)
{
    char *large = malloc(CSV_RECORD_MAX + 100);
    (void)state;
    assert_string_equal(READ("a,b\n\"x,1\nc,d\n"), "a|b/!!");
    assert_string_equal(READ("\""), "!!");
    assert_string_equal(READ("a,\"b\"\""), "!!");
    memset(large, 'x', CSV_RECORD_MAX + 100);
    assert_string_equal(read_all(large, CSV_RECORD_MAX + 1), "!!");
    assert_int_equal(strlen(read_all(large, CSV_RECORD_MAX)), 31);
    memset(large, '"', CSV_RECORD_MAX + 100);
    assert_int_equal(strlen(read_all(large, CSV_RECORD_MAX)), 31);
    for (int i = 0; i < CSV_RECORD_MAX; i++)
        large[i] = i % 400 == 399 ? ',' : 'x';
    assert_int_equal(read_all(large, CSV_RECORD_MAX)[0], 'x'); /* cells of a record share its room */
    free(large);
}

static void lines_are_counted_through_quotes(void **state)
{
    static const char text[] = "a\n\n\"b\r\nb\nb\rb\"\r\nc\n";
    struct csv *csv = malloc(sizeof *csv);
    (void)state;
    csv_start(csv, text, sizeof text - 1);
    assert_int_equal(csv_next(csv), 1);
    assert_int_equal(csv->line, 1);
    assert_int_equal(csv_next(csv), 1);
    assert_int_equal(csv->line, 3);
    assert_int_equal(csv_next(csv), 1);
    assert_int_equal(csv->line, 7);
    assert_int_equal(csv_next(csv), 0);
    free(csv);
}

static void what_is_written_is_read_back(void **state)
{
    static const char *const cells[] = {"plain", "",           "a,b",  "a\"b", "a\r\nb", "=1+1", "@x",
                                        "+1555", "+",          "-1-1", "-5",   "\tx",    "'=x",  "''=x",
                                        "'x",    "semi;colon", "ü",    " x ",  "\rx",    "'"};
    char *text = NULL;
    size_t size;
    struct csv *csv = malloc(sizeof *csv);
    FILE *out = open_memstream(&text, &size);
    (void)state;
    csv_write(out, cells, (int)COUNT_OF(cells));
    fclose(out);
    csv_start(csv, text, size);
    assert_int_equal(csv_next(csv), 1);
    assert_int_equal(csv->count, COUNT_OF(cells));
    for (size_t i = 0; i < COUNT_OF(cells); i++)
        assert_string_equal(csv->cells[i], cells[i]);
    /* No formula stands at the start of a cell. */
    assert_null(strstr(text, ",=1"));
    assert_null(strstr(text, ",@x"));
    assert_null(strstr(text, ",-1-1"));
    assert_non_null(strstr(text, ",+1555,"));
    free(text);
    free(csv);
}

static void folded_text_has_neither_case_nor_accents(void **state)
{
    static const struct {
        const char *text, *folded;
    } cases[] = {
        {"", ""},
        {"M\u00dcLLER & S\u00f6hne", "muller & sohne"},
        {"Stra\u00dfe", "strasse"},
        {"  a \t\n b  ", "a b"},
        {"\u0141\u00f3d\u017a", "\u0142odz"},
        {"\u0418\u0432\u0430\u043d", "\u0438\u0432\u0430\u043d"},
        {"\uff21\uff22", "ab"}, /* wide letters */
        {"\xff", ""},
        {"\u0301", ""},
    };
    char folded[32], end[40];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(fold_text(folded, sizeof folded, cases[i].text), cases[i].folded);
    assert_string_equal(fold_text(folded, 4, "a\u0142\u0142"), "a\u0142"); /* no half characters */
    fold_range_end(end, sizeof end, "ab");
    assert_true(strcmp("ab\u6f22", end) < 0 && strcmp("ac", end) > 0);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(records_are_read_as_they_are_written),
        cmocka_unit_test(what_is_wrong_costs_its_line_and_no_other),
        cmocka_unit_test(a_record_without_an_end_ends_the_file),
        cmocka_unit_test(lines_are_counted_through_quotes),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(folded_text_has_neither_case_nor_accents),
    };
    return cmocka_run_group_tests_name("csv", facts, NULL, NULL);
}
