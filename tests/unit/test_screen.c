/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the frame screen lets through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "plugins/t30/screen.h"

struct fact {
    const char *what;
    int length; /* of the frame; the octets after those given are 0 */
    uint8_t octets[8];
    enum screen_verdict verdict;
    const char *why;
};

static void check(const struct fact *facts, size_t count)
{
    uint8_t frame[512];
    char why[64];
    size_t i;

    for (i = 0; i < count; i++) {
        memset(frame, 0, sizeof frame);
        memcpy(frame, facts[i].octets, sizeof facts[i].octets);
        why[0] = '\0';
        if (screen_judge(frame, facts[i].length, why, sizeof why) != facts[i].verdict)
            fail_msg("%s: wrong verdict", facts[i].what);
        assert_string_equal(why, facts[i].why);
    }
}

#define CHECK(facts) check(facts, sizeof(facts) / sizeof *(facts))

static void frames_of_an_orderly_call_pass(void **state)
{
    static const struct fact facts[] = {
        {"DIS", 8, {0xFF, 0x13, 0x80, 0x00, 0xEE, 0xF8, 0xC4, 0x80}, SCREEN_PASS, ""},
        {"DIS with both width bits", 6, {0xFF, 0x13, 0x80, 0x00, 0xEE, 0xFB}, SCREEN_PASS, ""},
        {"DTC", 8, {0xFF, 0x13, 0x81, 0x00, 0xEE, 0xF8, 0xC4}, SCREEN_PASS, ""},
        {"CSI", 23, {0xFF, 0x03, 0x40, ' '}, SCREEN_PASS, ""},
        {"CSI without digits", 3, {0xFF, 0x03, 0x40}, SCREEN_PASS, ""},
        {"NSF", 30, {0xFF, 0x03, 0x20, 0xAD, 0x00}, SCREEN_PASS, ""},
        {"TSI", 23, {0xFF, 0x03, 0x43}, SCREEN_PASS, ""},
        {"DCS V.17 14400, A4", 9, {0xFF, 0x13, 0x83, 0x00, 0x66, 0x78, 0x84}, SCREEN_PASS, ""},
        {"DCS V.17 7200, A3", 9, {0xFF, 0x13, 0x83, 0x00, 0x6E, 0x7A, 0x84}, SCREEN_PASS, ""},
        {"DCS V.29 9600, B4", 6, {0xFF, 0x13, 0x83, 0x00, 0x46, 0x79}, SCREEN_PASS, ""},
        {"DCS V.27ter 2400", 6, {0xFF, 0x13, 0x82, 0x00, 0x42, 0x78}, SCREEN_PASS, ""},
        {"the longest DCS", 22, {0xFF, 0x13, 0x83, 0x00, 0x46, 0x78, 0x80, 0x80}, SCREEN_PASS, ""},
        {"CFR", 3, {0xFF, 0x13, 0x84}, SCREEN_PASS, ""},
        {"the fullest FCD", 260, {0xFF, 0x03, 0x06, 0x00}, SCREEN_PASS, ""},
        {"an empty FCD", 4, {0xFF, 0x03, 0x06, 0x07}, SCREEN_PASS, ""},
        {"RCP", 3, {0xFF, 0x03, 0x86}, SCREEN_PASS, ""},
        {"PPS-EOP", 7, {0xFF, 0x13, 0xBF, 0x2F, 0x00, 0x00, 0x10}, SCREEN_PASS, ""},
        {"PPR", 35, {0xFF, 0x13, 0xBD}, SCREEN_PASS, ""},
        {"CTC V.29 7200", 5, {0xFF, 0x13, 0x13, 0x00, 0x0C}, SCREEN_PASS, ""},
        {"EOR-MPS", 4, {0xFF, 0x13, 0xCF, 0x4F}, SCREEN_PASS, ""},
        {"MCF", 3, {0xFF, 0x13, 0x8C}, SCREEN_PASS, ""},
        {"DCN", 3, {0xFF, 0x13, 0xFB}, SCREEN_PASS, ""},
        {"a command that we do not know", 9, {0xFF, 0x13, 0x77}, SCREEN_PASS, ""},
    };

    (void)state;
    CHECK(facts);
}

static void hostile_frames_are_refused(void **state)
{
    static const struct fact facts[] = {
        {"DCS, both widths", 6, {0xFF, 0x13, 0x83, 0, 0x66, 0x7B}, SCREEN_REFUSE, "DCS: both width bits are set"},
        {"DCS, V.34", 6, {0xFF, 0x13, 0x83, 0, 0x10, 0x78}, SCREEN_REFUSE, "DCS: unknown modem and rate"},
        {"DCS, all rate bits", 6, {0xFF, 0x13, 0x83, 0, 0x3C, 0x78}, SCREEN_REFUSE, "DCS: unknown modem and rate"},
        {"DCS without width", 5, {0xFF, 0x13, 0x83, 0, 0x66}, SCREEN_REFUSE, "DCS: too short"},
        {"DCS past the printing buffer", 23, {0xFF, 0x13, 0x83, 0, 0x66, 0x78}, SCREEN_REFUSE, "DCS: too long"},
        {"DIS without rates", 4, {0xFF, 0x13, 0x80}, SCREEN_REFUSE, "DIS: too short"},
        {"DTC without rates", 4, {0xFF, 0x13, 0x81}, SCREEN_REFUSE, "DTC: too short"},
        {"FCD without number", 3, {0xFF, 0x03, 0x06}, SCREEN_REFUSE, "FCD: too short"},
        {"FCD over 256 octets", 261, {0xFF, 0x03, 0x06}, SCREEN_REFUSE, "FCD: too long"},
        {"CTC without rate", 4, {0xFF, 0x13, 0x13}, SCREEN_REFUSE, "CTC: too short"},
        {"CTC of a strange modem", 5, {0xFF, 0x13, 0x13, 0, 0x34}, SCREEN_REFUSE, "CTC: unknown modem and rate"},
        {"PPS without counts", 6, {0xFF, 0x13, 0xBF, 0x2F}, SCREEN_REFUSE, "PPS-EOP: too short"},
        {"PPS alone", 3, {0xFF, 0x13, 0xBF}, SCREEN_REFUSE, "PPS: too short"},
        {"PPR without its map", 34, {0xFF, 0x13, 0xBD}, SCREEN_REFUSE, "PPR: too short"},
        {"PPR with more than its map", 36, {0xFF, 0x13, 0xBD}, SCREEN_REFUSE, "PPR: too long"},
        {"EOR alone", 3, {0xFF, 0x13, 0xCF}, SCREEN_REFUSE, "EOR: too short"},
        {"address and control only", 2, {0xFF, 0x13}, SCREEN_REFUSE, "frame: too short for a command"},
        {"MCF of 254 octets", 254, {0xFF, 0x13, 0x8C}, SCREEN_REFUSE, "MCF: too long"},
        {"an unknown one of 400 octets", 400, {0xFF, 0x13, 0x77}, SCREEN_REFUSE, "0x77: too long"},
    };

    (void)state;
    CHECK(facts);
}

static void what_is_no_frame_of_t30_is_ignored(void **state)
{
    static const struct fact facts[] = {
        {"nothing", 0, {0}, SCREEN_DROP, ""},
        {"one octet", 1, {0xFF}, SCREEN_DROP, ""},
        {"another address", 9, {0xFE, 0x13, 0x83}, SCREEN_DROP, ""},
        {"another control field", 9, {0xFF, 0x33, 0x83}, SCREEN_DROP, ""},
        {"NSF too short to name a country", 4, {0xFF, 0x03, 0x20, 0xAD}, SCREEN_DROP, ""},
    };

    (void)state;
    CHECK(facts);
}

static void every_rate_code_is_either_known_or_refused(void **state)
{
    uint8_t dcs[6] = {0xFF, 0x13, 0x83, 0, 0, 0x78};
    char why[64];
    int code, known = 0;

    (void)state;
    for (code = 0; code < 16; code++) {
        dcs[4] = (uint8_t)(code << 2);
        known += screen_judge(dcs, 6, why, sizeof why) == SCREEN_PASS;
    }
    assert_int_equal(known, 8);
}

static void frames_have_names(void **state)
{
    static const struct {
        const char *name;
        uint8_t octets[4];
        int length;
    } facts[] = {{"DIS", {0xFF, 0x13, 0x80}, 3},           {"DTC", {0xFF, 0x13, 0x81}, 3},
                 {"CSI", {0xFF, 0x03, 0x40}, 3},           {"CIG", {0xFF, 0x03, 0x41}, 3},
                 {"NSC", {0xFF, 0x03, 0x21}, 3},           {"DCS", {0xFF, 0x13, 0x83}, 3},
                 {"PPS-MPS", {0xFF, 0x13, 0xBF, 0x4F}, 4}, {"PPS-NULL", {0xFF, 0x13, 0xBF, 0x01}, 4},
                 {"EOR-EOP", {0xFF, 0x13, 0xCE, 0x2E}, 4}, {"PRI-EOP", {0xFF, 0x13, 0x3F}, 3},
                 {"0x77", {0xFF, 0x13, 0x77}, 3},          {"frame", {0xFF, 0x13}, 2}};
    char name[16];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof facts / sizeof *facts; i++)
        assert_string_equal(screen_frame_name(name, sizeof name, facts[i].octets, facts[i].length), facts[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_an_orderly_call_pass),
        cmocka_unit_test(hostile_frames_are_refused),
        cmocka_unit_test(what_is_no_frame_of_t30_is_ignored),
        cmocka_unit_test(every_rate_code_is_either_known_or_refused),
        cmocka_unit_test(frames_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
