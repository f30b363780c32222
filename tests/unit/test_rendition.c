/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the forms of a fax: which there are, and what each depends on. */
#include "config.h"

#include "tests/lib/facts.h"

#include "spool/rendition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *object(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    return json;
}

static const char *resolution_of(const char *options)
{
    static struct rendition rendition;
    json_t *json = options ? object(options) : NULL;
    rendition_first(&rendition, json);
    json_decref(json);
    assert_int_equal(rendition.width_max, RENDITION_WIDTH_WIDEST);
    assert_false(rendition.strict);
    return rendition.resolution;
}

static void the_first_form_is_the_one_asked_for(void **state)
{
    (void)state;
    assert_string_equal(resolution_of("{\"resolution\":\"superfine\"}"), "superfine");
    assert_string_equal(resolution_of("{\"resolution\":\"standard\"}"), "standard");
    assert_string_equal(resolution_of("{\"resolution\":\"\"}"), "fine");
    assert_string_equal(resolution_of("{}"), "fine");
    assert_string_equal(resolution_of(NULL), "fine");
}

static void others_are_for_machines_that_can_do_less(void **state)
{
    (void)state;
    static const struct {
        int width, length_mm;
        const char *resolution, *wanted;
    } table[] = {
        {1728, 297, "standard", ""},
        {1728, 297, "fine", "standard"},
        {1728, 309, "superfine", "fine standard"},
        {2048, 297, "standard", "standard"},
        {2048, 297, "fine", "fine standard"},
        {2432, 297, "superfine", "fine standard"},
        {1728, 356, "standard", "standard/297"},
        {1728, 356, "fine", "standard fine/297 standard/297"},
        {2432, 420, "superfine", "fine standard fine/297 standard/297"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct rendition list[RENDITIONS_MAX];
        char got[512] = "";
        int count = rendition_others(list, table[i].width, table[i].resolution, table[i].length_mm);
        assert_in_range(count, 0, RENDITIONS_MAX - 1);
        for (int k = 0; k < count; k++) {
            assert_true(list[k].strict);
            assert_int_equal(list[k].width_max, RENDITION_WIDTH);
            snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s%s", k ? " " : "", list[k].resolution,
                     list[k].length_max_mm == RENDITION_LENGTH_MM ? "/297" : "");
        }
        assert_string_equal(got, table[i].wanted);
    }
}

/* The key of a first form; valid for a while. */
static const char *key_of(const char *options, const char *info)
{
    static char keys[8][RENDITION_KEY_SIZE];
    static size_t next;
    struct rendition rendition;
    char *key = keys[next++ % COUNT_OF(keys)];
    json_t *of_fax = object(options), *of_upload = object(info);
    rendition_first(&rendition, of_fax);
    rendition_key(key, &rendition, of_fax, of_upload);
    json_decref(of_fax);
    json_decref(of_upload);
    return key;
}

static void the_key_holds_what_the_dots_depend_on(void **state)
{
    (void)state;
    const char *plain = key_of("{}", "{}");
    assert_string_not_equal(key_of("{\"resolution\":\"superfine\"}", "{}"), plain);
    assert_string_not_equal(key_of("{\"dither\":\"halftone\"}", "{}"), plain);
    assert_string_not_equal(key_of("{\"paper\":\"letter\"}", "{}"), plain);
    assert_string_not_equal(key_of("{}", "{\"pages\":\"2\"}"), plain);
    assert_string_not_equal(key_of("{}", "{\"password\":\"secret\"}"), plain);
}

static void the_key_has_nothing_else(void **state)
{
    (void)state;
    const char *plain = key_of("{}", "{}");
    assert_string_equal(key_of("{\"resolution\":\"fine\",\"dither\":\"auto\",\"paper\":\"a4\"}", "{}"), plain);
    assert_string_equal(key_of("{\"header\":\"ACME\",\"ecm\":false}", "{\"type\":\"office\"}"), plain);
    assert_string_equal(key_of("{}", "{\"pages\":\"\",\"password\":\"\"}"), plain);
}

static void a_strict_form_has_a_key_of_its_own(void **state)
{
    (void)state;
    struct rendition rendition = {.resolution = "fine", .width_max = RENDITION_WIDTH};
    char loose[RENDITION_KEY_SIZE], strict[RENDITION_KEY_SIZE];
    rendition_key(loose, &rendition, NULL, NULL);
    rendition.strict = true;
    rendition_key(strict, &rendition, NULL, NULL);
    assert_string_not_equal(loose, strict);
}

static void the_key_does_not_tell_the_password(void **state)
{
    (void)state;
    const char *key = key_of("{}", "{\"password\":\"open sesame\"}");
    assert_null(strstr(key, "sesame"));
    assert_string_equal(key_of("{}", "{\"password\":\"open sesame\"}"), key);
    assert_string_not_equal(key_of("{}", "{\"password\":\"open Sesame\"}"), key);
}

/* As many parts as a range may have, and zeros in front, which mean nothing. */
static void a_long_range_leaves_the_password_in_the_key(void **state)
{
    (void)state;
    char parts[500] = "", zeros[500], first[1000], second[1000];
    for (int i = 0; i < 32; i++)
        snprintf(parts + strlen(parts), sizeof(parts) - strlen(parts), "%s%d-%d", i ? "," : "", 10001 + i, 20001 + i);
    snprintf(zeros, sizeof(zeros), "%0450d", 1);
    const char *const ranges[] = {parts, zeros};
    for (size_t i = 0; i < COUNT_OF(ranges); i++) {
        snprintf(first, sizeof(first), "{\"pages\":\"%s\",\"password\":\"secret\"}", ranges[i]);
        snprintf(second, sizeof(second), "{\"pages\":\"%s\",\"password\":\"a guess\"}", ranges[i]);
        assert_string_not_equal(key_of("{}", first), key_of("{}", second));
    }
    snprintf(second, sizeof(second), "{\"pages\":\"%s5\",\"password\":\"secret\"}", parts);
    snprintf(first, sizeof(first), "{\"pages\":\"%s\",\"password\":\"secret\"}", parts);
    assert_string_not_equal(key_of("{}", first), key_of("{}", second));
}

static void the_job_says_what_the_key_says(void **state)
{
    (void)state;
    struct rendition rendition = {.resolution = "standard", .width_max = RENDITION_WIDTH, .strict = true};
    json_t *options = object("{\"dither\":\"diffusion\",\"paper\":\"legal\",\"ecm\":true}");
    json_t *info = object("{\"type\":\"pdf\",\"pages\":\"1-3\",\"password\":\"secret\"}");
    json_t *got = rendition_job(&rendition, options, info);
    json_t *wanted =
        object("{\"op\":\"prepare\",\"resolution\":\"standard\",\"max_width\":1728,\"max_length_mm\":0,\"strict\":true,"
               "\"dither\":\"diffusion\",\"paper\":\"legal\",\"parts\":2,\"pages\":\"1-3\","
               "\"password\":\"secret\"}");
    assert_true(json_equal(got, wanted));
    json_decref(got);
    json_decref(wanted);
    json_decref(info);
    json_decref(options);

    got = rendition_job(&rendition, NULL, NULL);
    assert_null(json_object_get(got, "pages"));
    assert_null(json_object_get(got, "password"));
    assert_string_equal(json_string_value(json_object_get(got, "dither")), "auto");
    json_decref(got);
}

int main(void)
{
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test(the_first_form_is_the_one_asked_for),
        cmocka_unit_test(others_are_for_machines_that_can_do_less),
        cmocka_unit_test(the_key_holds_what_the_dots_depend_on),
        cmocka_unit_test(the_key_has_nothing_else),
        cmocka_unit_test(a_strict_form_has_a_key_of_its_own),
        cmocka_unit_test(the_key_does_not_tell_the_password),
        cmocka_unit_test(a_long_range_leaves_the_password_in_the_key),
        cmocka_unit_test(the_job_says_what_the_key_says),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
