/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a job may say, and which rendition a far end gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "plugins/t30/options.h"
#include "plugins/t30/rendition.h"
#include "server/base/err.h"

#define SEND    "\"role\":\"caller\",\"direction\":\"send\",\"carrier\":\"audio\",\"media\":\"stream\""
#define RECEIVE "\"role\":\"answerer\",\"direction\":\"receive\",\"carrier\":\"audio\",\"media\":\"stream\""
#define FILES   "\"files\":[{\"resolution\":\"fine\",\"width\":1728}]"

static void the_least_that_a_job_says_has_defaults(void **state)
{
    struct options options;

    (void)state;
    assert_int_equal(options_parse(&options, "{" SEND "," FILES "}"), 0);
    assert_true(options.calling && options.sending && options.ecm && options.has_journal);
    assert_int_equal(options.modems, OPTIONS_V17 | OPTIONS_V29 | OPTIONS_V27TER);
    assert_int_equal(options.compressions, OPTIONS_MH | OPTIONS_MR | OPTIONS_MMR);
    assert_int_equal(options.max_rate_bps, 14400);
    assert_int_equal(options.file_count, 1);
    assert_int_equal(options.audio.pace, 0);
    assert_int_equal(options.audio.chunk_ms, 200);
    assert_false(options.audio.noise);
    assert_int_equal(options.limits.call_ms, 3600000);
    assert_int_equal(options_descriptor_count(&options), 4);
}

static void a_whole_job_is_read(void **state)
{
    static const char job[] =
        "{" RECEIVE ",\"journal\":false,\"station_id\":\"+1 555 123\",\"ecm\":false,\"modems\":[\"v29\",\"v27ter\"],"
        "\"max_rate_bps\":9600,\"compressions\":[\"mr\"],\"subaddress\":\"12\",\"password\":\"34\","
        "\"audio\":{\"pace\":20,\"noise_dbm0\":-40.5,\"delay_ms\":400,\"drop_after_ms\":1000},"
        "\"limits\":{\"call_ms\":60000,\"cpu_s\":10,\"memory_bytes\":134217728,\"file_bytes\":1000000}}";
    struct options options;

    (void)state;
    assert_int_equal(options_parse(&options, job), 0);
    assert_false(options.calling || options.sending || options.ecm || options.has_journal);
    assert_string_equal(options.station_id, "+1 555 123");
    assert_int_equal(options.modems, OPTIONS_V29 | OPTIONS_V27TER);
    assert_int_equal(options.compressions, OPTIONS_MH | OPTIONS_MR); /* MH is never optional */
    assert_int_equal(options.audio.pace, 20);
    assert_int_equal(options.audio.chunk_ms, 20); /* of a paced call */
    assert_true(options.audio.noise);
    assert_true(options.audio.noise_dbm0 < -40.4 && options.audio.noise_dbm0 > -40.6);
    assert_int_equal(options.limits.file_bytes, 1000000);
    assert_int_equal(options_descriptor_count(&options), 3);
}

static void a_job_on_datagrams_has_a_path(void **state)
{
    static const char job[] = "{\"role\":\"answerer\",\"direction\":\"receive\",\"carrier\":\"udp\","
                              "\"media\":\"datagram\",\"rtcp\":true,"
                              "\"path\":{\"mode\":\"t38\",\"address\":\"192.0.2.1\",\"port\":4000}}";
    struct options options;

    (void)state;
    assert_int_equal(options_parse(&options, job), 0);
    assert_true(options.datagram && options.has_rtcp);
    assert_int_equal(options.path.mode, PATH_T38);
    assert_int_equal(options_descriptor_count(&options), 5);
}

static void what_is_wrong_is_refused_by_name(void **state)
{
    static const struct {
        const char *job, *named;
    } facts[] = {
        {"", "job"},
        {"[]", "not a JSON object"},
        {"{" SEND "," FILES ",\"ecm\":true,\"ecm\":false}", "job"},
        {"{\"role\":\"boss\"}", "\"role\""},
        {"{\"role\":\"caller\"}", "\"direction\""},
        {"{\"role\":\"caller\",\"direction\":\"send\",\"carrier\":\"t38\"}", "\"carrier\""},
        {"{\"role\":\"caller\",\"direction\":\"send\",\"carrier\":\"audio\",\"media\":\"tty\"}", "\"media\""},
        {"{\"role\":\"caller\",\"direction\":\"send\",\"carrier\":\"udp\",\"media\":\"stream\"}", "\"media\""},
        {"{\"role\":\"caller\",\"direction\":\"send\",\"carrier\":\"udp\",\"media\":\"datagram\"}", "\"mode\""},
        {"{" SEND "}", "\"files\""},
        {"{" SEND ",\"files\":[]}", "\"files\""},
        {"{" SEND ",\"files\":[{}]}", "\"files.resolution\""},
        {"{" SEND ",\"files\":[{\"resolution\":\"fine\",\"width\":-1}]}", "\"width\""},
        {"{" SEND "," FILES ",\"station_id\":\"123456789012345678901\"}", "\"station_id\""},
        {"{" SEND "," FILES ",\"station_id\":\"M\\u00fcller\"}", "\"station_id\""},
        {"{" SEND "," FILES ",\"subaddress\":7}", "\"subaddress\""},
        {"{" SEND "," FILES ",\"ecm\":\"yes\"}", "\"ecm\""},
        {"{" SEND "," FILES ",\"modems\":[\"v90\"]}", "\"modems\""},
        {"{" SEND "," FILES ",\"modems\":\"v17\"}", "\"modems\""},
        {"{" SEND "," FILES ",\"max_rate_bps\":1200}", "\"max_rate_bps\""},
        {"{" SEND "," FILES ",\"audio\":[]}", "\"audio\""},
        {"{" SEND "," FILES ",\"audio\":{\"pace\":-1}}", "\"pace\""},
        {"{" SEND "," FILES ",\"audio\":{\"noise_dbm0\":10}}", "\"noise_dbm0\""},
        {"{" SEND "," FILES ",\"audio\":{\"delay_ms\":99999}}", "\"delay_ms\""},
        {"{" SEND "," FILES ",\"limits\":{\"call_ms\":0}}", "\"call_ms\""},
        {"{" SEND "," FILES ",\"limits\":{\"memory_bytes\":1.5}}", "\"memory_bytes\""},
    };
    struct options options;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof facts / sizeof *facts; i++) {
        assert_int_equal(options_parse(&options, facts[i].job), ERR_INVALID);
        if (!strstr(err_message(), facts[i].named))
            fail_msg("%s: %s", facts[i].job, err_message());
    }
}

static void a_header_with_accents_is_readable_at_least(void **state)
{
    struct options options;

    (void)state;
    assert_int_equal(options_parse(&options, "{" SEND "," FILES ",\"header\":\"M\\u00fcller \\u20ac\"}"), 0);
    assert_string_equal(options.header, "M?ller ?");
    assert_int_equal(options_parse(&options, "{" SEND "," FILES ",\"header\":\"1234567890123456789012345678901234567890"
                                             "12345678901234567890\"}"),
                     0);
    assert_int_equal(strlen(options.header), 50);
}

/* DIS of machines, from the address octet: octet 4 has the rates and fine, 5 the widths, 8 the finer ones. */
static const uint8_t old_machine[] = {0xFF, 0x13, 0x80, 0x00, 0x0A, 0x00};
static const uint8_t fine_machine[] = {0xFF, 0x13, 0x80, 0x00, 0x4A, 0x80, 0x00};
static const uint8_t b4_machine[] = {0xFF, 0x13, 0x80, 0x00, 0x4A, 0x84, 0x00};
static const uint8_t wide_machine[] = {0xFF, 0x13, 0x80, 0x00, 0x4A, 0x82, 0x00};
static const uint8_t best_machine[] = {0xFF, 0x13, 0x80, 0x00, 0x4A, 0x82, 0x80, 0x80, 0x07};

static void a_far_end_gets_what_it_can_print(void **state)
{
    static const struct {
        const uint8_t *dis;
        int length, choice;
        enum rendition_fault fault;
        struct options_file files[4];
    } facts[] = {
        /* the first one, if it fits, even when there is a finer one */
        {best_machine, 9, 0, RENDITION_FITS, {{OPTIONS_FINE, 1728, 0}, {OPTIONS_SUPERFINE, 1728, 0}}},
        {old_machine, 6, 1, RENDITION_FITS, {{OPTIONS_FINE, 1728, 0}, {OPTIONS_STANDARD, 1728, 0}}},
        {fine_machine,
         7,
         2,
         RENDITION_FITS,
         {{OPTIONS_SUPERFINE, 1728, 0}, {OPTIONS_STANDARD, 1728, 0}, {OPTIONS_FINE, 1728, 0}}},
        {fine_machine, 7, 1, RENDITION_FITS, {{OPTIONS_FINE, 2048, 0}, {OPTIONS_FINE, 1728, 0}}},
        {wide_machine,
         7,
         2,
         RENDITION_FITS,
         {{OPTIONS_SUPERFINE, 2432, 0}, {OPTIONS_FINE, 1728, 0}, {OPTIONS_FINE, 2432, 0}}},
        {best_machine, 9, 0, RENDITION_FITS, {{OPTIONS_300, 2592, 0}}},
        {best_machine, 9, 0, RENDITION_FITS, {{OPTIONS_400, 3456, 0}}},
        {fine_machine, 7, -1, RENDITION_RESOLUTION, {{OPTIONS_SUPERFINE, 1728, 0}, {OPTIONS_300, 2592, 0}}},
        {fine_machine, 7, -1, RENDITION_WIDTH, {{OPTIONS_FINE, 2048, 0}, {OPTIONS_SUPERFINE, 1728, 0}}},
        {best_machine, 9, -1, RENDITION_WIDTH, {{OPTIONS_FINE, 1700, 0}}},
        {old_machine, 3, 0, RENDITION_FITS, {{OPTIONS_STANDARD, 1728, 0}}},
        /* A4 paper alone: the shrunk one; when there is none, better a long page than no call */
        {fine_machine, 7, 1, RENDITION_FITS, {{OPTIONS_FINE, 1728, 356}, {OPTIONS_FINE, 1728, 297}}},
        {fine_machine, 7, 0, RENDITION_FITS, {{OPTIONS_FINE, 1728, 356}, {OPTIONS_STANDARD, 1728, 356}}},
        {fine_machine, 7, 0, RENDITION_FITS, {{OPTIONS_FINE, 1728, 300}, {OPTIONS_FINE, 1728, 297}}},
        {b4_machine, 7, 0, RENDITION_FITS, {{OPTIONS_FINE, 1728, 356}, {OPTIONS_FINE, 1728, 297}}},
        {b4_machine, 7, 1, RENDITION_FITS, {{OPTIONS_FINE, 1728, 420}, {OPTIONS_FINE, 1728, 297}}},
    };
    enum rendition_fault fault;
    struct options options;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof facts / sizeof *facts; i++) {
        memset(&options, 0, sizeof options);
        memcpy(options.files, facts[i].files, sizeof facts[i].files);
        while (options.file_count < 4 && options.files[options.file_count].width > 0)
            options.file_count++;
        assert_int_equal(rendition_choose(&options, facts[i].dis, facts[i].length, &fault), facts[i].choice);
        assert_int_equal(fault, facts[i].fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_that_a_job_says_has_defaults),
        cmocka_unit_test(a_whole_job_is_read),
        cmocka_unit_test(a_job_on_datagrams_has_a_path),
        cmocka_unit_test(what_is_wrong_is_refused_by_name),
        cmocka_unit_test(a_header_with_accents_is_readable_at_least),
        cmocka_unit_test(a_far_end_gets_what_it_can_print),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
