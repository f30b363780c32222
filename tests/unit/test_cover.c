/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about where cover pages lie and which fields they ask for. */
#include "config.h"

#include "tests/lib/facts.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/cover.h"
#include "spool/page_style.h"
#include "tests/lib/spool_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIB 1024

struct covers {
    struct spool_facts *spool;
    char own[96], shipped[96];
};

static int setup(void **state)
{
    struct covers *covers = xcalloc(1, sizeof(*covers));
    spool_facts_setup((void **)&covers->spool);
    snprintf(covers->own, sizeof(covers->own), "%s/own", covers->spool->dir);
    snprintf(covers->shipped, sizeof(covers->shipped), "%s/shipped", covers->spool->dir);
    assert_int_equal(mkdir(covers->own, 0700), 0);
    assert_int_equal(mkdir(covers->shipped, 0700), 0);
    const struct page_style style = {
        .sender = "", .time_zone = "", .paper = "a4", .covers = {covers->own, covers->shipped}};
    page_style_set(covers->spool->spool, &style);
    *state = covers;
    return 0;
}

static int teardown(void **state)
{
    struct covers *covers = *state;
    spool_facts_teardown((void **)&covers->spool);
    free(covers);
    return 0;
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The template, or the message, valid until the next call; the result in `*error`. */
static const char *read_cover(const struct covers *covers, const char *name, int *error)
{
    static char text[500];
    char *data = NULL;
    size_t size = 0;
    *error = cover_read(&data, &size, covers->spool->spool, name);
    snprintf(text, sizeof(text), "%s", *error ? err_message() : data);
    if (!*error)
        assert_int_equal(size, strlen(data));
    free(data);
    return text;
}

static void expect_list(const struct covers *covers, const char *wanted)
{
    json_t *list = cover_list(covers->spool->spool);
    char *text = json_dumps(list, JSON_COMPACT);
    assert_string_equal(text, wanted);
    free(text);
    json_decref(list);
}

static void the_offices_own_wins_over_the_shipped_one(void **state)
{
    struct covers *covers = *state;
    int error;
    put(covers->own, "plain.svg", "<svg>own</svg>");
    put(covers->shipped, "plain.svg", "<svg>shipped</svg>");
    put(covers->shipped, "letter.svg", "<svg>letter</svg>");
    assert_string_equal(read_cover(covers, "plain", &error), "<svg>own</svg>");
    assert_string_equal(read_cover(covers, "letter", &error), "<svg>letter</svg>");
    expect_list(covers, "[\"letter\",\"plain\"]");
}

static void a_folder_that_is_not_there_has_no_covers(void **state)
{
    struct covers *covers = *state;
    int error;
    const struct page_style style = {.sender = "", .time_zone = "", .paper = "a4", .covers = {"", "/nonexistent"}};
    page_style_set(covers->spool->spool, &style);
    expect_list(covers, "[]");
    assert_string_equal(read_cover(covers, "plain", &error), "there is no cover page \"plain\"; there are: none");
    assert_int_equal(error, ERR_NOT_FOUND);
}

static void a_cover_that_is_not_there_is_told_with_those_that_are(void **state)
{
    struct covers *covers = *state;
    int error;
    put(covers->own, "a.svg", "<svg/>");
    put(covers->shipped, "b.svg", "<svg/>");
    assert_string_equal(read_cover(covers, "c", &error), "there is no cover page \"c\"; there are: a, b");
    assert_int_equal(error, ERR_NOT_FOUND);
}

static void a_name_is_never_a_path(void **state)
{
    struct covers *covers = *state;
    static const char *const names[] = {"",  "../faxd", "a/b", "/etc/passwd", ".",    "..",
                                        "A", "a.svg",   "a b", "\u00fc",      "a%2f", "a\n"};
    char long_name[COVER_NAME_SIZE + 1];
    int error;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        read_cover(covers, names[i], &error);
        if (error != ERR_INVALID)
            fail_msg("\"%s\" is a name", names[i]);
    }
    memset(long_name, 'a', sizeof(long_name));
    long_name[COVER_NAME_SIZE] = '\0';
    read_cover(covers, long_name, &error);
    assert_int_equal(error, ERR_INVALID);
    long_name[COVER_NAME_SIZE - 1] = '\0';
    read_cover(covers, long_name, &error);
    assert_int_equal(error, ERR_NOT_FOUND);
}

static void files_with_other_names_are_not_listed(void **state)
{
    struct covers *covers = *state;
    static const char *const names[] = {"Upper.svg", "two words.svg", ".svg", "plain.svg~",
                                        "plain.png", ".hidden.svg",   "svg",  "a.b.svg"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        put(covers->own, names[i], "<svg/>");
    put(covers->own, "good_1-x.svg", "<svg/>");
    expect_list(covers, "[\"good_1-x\"]");
}

/* Whoever may write into the folder must not have other files shown by it. */
static void what_is_no_file_is_neither_read_nor_listed(void **state)
{
    struct covers *covers = *state;
    char path[200];
    int error;
    snprintf(path, sizeof(path), "%s/link.svg", covers->own);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    snprintf(path, sizeof(path), "%s/folder.svg", covers->own);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/pipe.svg", covers->own);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_list(covers, "[]");
    assert_null(strstr(read_cover(covers, "link", &error), "root"));
    assert_int_equal(error, ERR_NOT_FOUND);
    read_cover(covers, "folder", &error);
    assert_int_equal(error, ERR_IO);
    read_cover(covers, "pipe", &error);
    assert_int_equal(error, ERR_IO);
}

static void a_template_has_a_megabyte_at_the_most(void **state)
{
    struct covers *covers = *state;
    char path[200], *data = NULL;
    size_t size = 0;
    put(covers->own, "large.svg", "<svg/>");
    snprintf(path, sizeof(path), "%s/large.svg", covers->own);
    assert_int_equal(truncate(path, KIB * KIB), 0);
    assert_int_equal(cover_read(&data, &size, covers->spool->spool, "large"), 0);
    assert_int_equal(size, KIB * KIB);
    free(data);
    assert_int_equal(truncate(path, KIB * KIB + 1), 0);
    assert_int_equal(cover_read(&data, &size, covers->spool->spool, "large"), ERR_TOO_BIG);
    assert_string_equal(err_message(), "the cover page \"large\" has more than 1024 kB");
}

static void expect_fields(const char *template, const char *wanted)
{
    json_t *list = cover_fields(template, strlen(template));
    char *text = json_dumps(list, JSON_COMPACT);
    assert_string_equal(text, wanted);
    free(text);
    json_decref(list);
}

static void a_template_says_which_fields_it_wants(void **state)
{
    (void)state;
    expect_fields("<text>{{to_name}} and {{ note }}, {{to_name}} again</text>", "[\"to_name\",\"note\"]");
    expect_fields("{{a1_b}}{{}}{{ }}{ {x}}{{Big}}{{{y}}}", "[\"a1_b\"]");
    expect_fields("", "[]");
    expect_fields("{{", "[]");
    expect_fields("{{open", "[\"open\"]");
}

static void the_search_for_fields_ends_with_the_template(void **state)
{
    (void)state;
    static const char text[] = "{{nameless";
    for (size_t size = 0; size < sizeof(text); size++) {
        char *copy = xmalloc(size + 1); /* AddressSanitizer sees a step beyond */
        memcpy(copy, text, size);
        copy = xrealloc(copy, size ? size : 1);
        json_t *list = cover_fields(copy, size);
        assert_int_equal(json_array_size(list), size > 2 ? 1 : 0);
        json_decref(list);
        free(copy);
    }
}

static void shipped_templates_ask_for_known_fields_only(void **state)
{
    struct covers *covers = *state;
    static const char *const names[] = {"plain", "letter", "urgent"};
    const char *source = getenv("FAXD_SRC");
    char folder[4000];
    snprintf(folder, sizeof(folder), "%s/spool/convert/covers", source ? source : ".");
    const struct page_style style = {.sender = "", .time_zone = "", .paper = "a4", .covers = {"", folder}};
    page_style_set(covers->spool->spool, &style);
    json_t *filled = cover_fill(NULL, NULL), *field;
    size_t at;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char *data = NULL;
        size_t size = 0;
        assert_int_equal(cover_read(&data, &size, covers->spool->spool, names[i]), 0);
        json_t *fields = cover_fields(data, size);
        assert_true(json_array_size(fields) > 8);
        json_array_foreach(fields, at, field)
        {
            if (!json_object_get(filled, json_string_value(field)))
                fail_msg("%s asks for %s", names[i], json_string_value(field));
        }
        json_decref(fields);
        free(data);
    }
    json_decref(filled);
}

static void what_is_given_wins_over_what_is_filled_in(void **state)
{
    (void)state;
    json_t *given = json_pack("{s:s, s:s}", "to_name", "Ann", "matter", "7/26");
    json_t *defaults = json_pack("{s:s, s:s}", "to_name", "nobody", "date", "2026-07-01");
    json_t *fields = cover_fill(given, defaults);
    assert_string_equal(json_string_value(json_object_get(fields, "to_name")), "Ann");
    assert_string_equal(json_string_value(json_object_get(fields, "date")), "2026-07-01");
    assert_string_equal(json_string_value(json_object_get(fields, "matter")), "7/26");
    for (int i = 0; cover_known_fields[i]; i++)
        assert_true(json_is_string(json_object_get(fields, cover_known_fields[i])));
    assert_string_equal(json_string_value(json_object_get(fields, "note")), "");
    json_decref(fields);
    json_decref(given);
    json_decref(defaults);
}

int main(void)
{
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test_setup_teardown(the_offices_own_wins_over_the_shipped_one, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_is_not_there_has_no_covers, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cover_that_is_not_there_is_told_with_those_that_are, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_is_never_a_path, setup, teardown),
        cmocka_unit_test_setup_teardown(files_with_other_names_are_not_listed, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_neither_read_nor_listed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_template_has_a_megabyte_at_the_most, setup, teardown),
        cmocka_unit_test(a_template_says_which_fields_it_wants),
        cmocka_unit_test(the_search_for_fields_ends_with_the_template),
        cmocka_unit_test_setup_teardown(shipped_templates_ask_for_known_fields_only, setup, teardown),
        cmocka_unit_test(what_is_given_wins_over_what_is_filled_in),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
