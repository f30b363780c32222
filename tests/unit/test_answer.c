/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about what modems say and what is read of it. */
#include "config.h"

#include "plugins/class1/answer.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/facts.h"

/* The lines of `text`, with "|" between. */
static const char *lines_of(const char *text, size_t size)
{
    static char found[2048];
    struct answer_line line = {.used = 0};

    found[0] = '\0';
    for (size_t i = 0; i < size; i++)
        if (answer_line_add(&line, text[i])) {
            strcat(found, line.text);
            strcat(found, "|");
        }
    return found;
}

static void lines_end_with_their_line_feed(void **state)
{
    static const struct {
        const char *text, *lines;
    } table[] = {
        {"\r\nOK\r\n", "OK|"},
        {"AT\r\r\nOK\r\n", "AT|OK|"},
        {"OK\n", "OK|"},
        {"OK", ""},
        {"OK\r", ""},
        {"OK\rX", "OK|"},
        {"OK\rRING\r\n", "OK|RING|"},
        {"\r\n\r\n\r\n", ""},
        {"  NMBR = 5 \r\n", "NMBR = 5|"},
        {"A\tB\x01\xffZ\n", "AB??Z|"},
        {"\r\nCONNECT\r\n", "CONNECT|"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++)
        assert_string_equal(lines_of(table[i].text, strlen(table[i].text)), table[i].lines);
    assert_string_equal(lines_of("O\0K\n", 4), "OK|");
}

static void nothing_behind_a_connect_is_taken(void **state)
{
    static const char text[] = "\r\nCONNECT\r\n\xff\x03";
    struct answer_line line = {.used = 0};
    size_t i = 0;

    (void)state;
    while (!answer_line_add(&line, text[i]))
        i++;
    assert_string_equal(line.text, "CONNECT");
    assert_int_equal((unsigned char)text[i + 1], 0xff);
}

static void a_line_without_end_is_cut(void **state)
{
    struct answer_line line = {.used = 0};

    (void)state;
    for (int i = 0; i < 100000; i++)
        assert_false(answer_line_add(&line, 'A'));
    assert_true(answer_line_add(&line, '\n'));
    assert_int_equal(strlen(line.text), ANSWER_LINE_SIZE - 1);
    answer_line_add(&line, 'O');
    assert_true(answer_line_add(&line, '\n'));
    assert_string_equal(line.text, "O");
}

static void lines_have_meanings(void **state)
{
    static const struct {
        const char *line;
        enum answer_kind kind;
        bool is_final;
    } table[] = {
        {"OK", ANSWER_OK, true},
        {"ok", ANSWER_OK, true},
        {"OKAY", ANSWER_TEXT, false},
        {"CONNECT", ANSWER_CONNECT, true},
        {"CONNECT 14400", ANSWER_CONNECT, true},
        {"CONNECTED", ANSWER_TEXT, false},
        {"RING", ANSWER_RING, false},
        {"RING 2", ANSWER_RING, false},
        {"RINGING", ANSWER_TEXT, false},
        {"RRING", ANSWER_TEXT, false},
        {"NO CARRIER", ANSWER_NO_CARRIER, true},
        {"ERROR", ANSWER_ERROR, true},
        {"+CME ERROR: 4", ANSWER_ERROR, true},
        {"NO DIALTONE", ANSWER_NO_DIAL_TONE, true},
        {"NO DIAL TONE", ANSWER_NO_DIAL_TONE, true},
        {"BUSY", ANSWER_BUSY, true},
        {"NO ANSWER", ANSWER_NO_ANSWER, true},
        {"+FCERROR", ANSWER_FCERROR, true},
        {"DELAYED 00:05", ANSWER_DELAYED, true},
        {"BLACKLISTED", ANSWER_BLACKLISTED, true},
        {"VOICE", ANSWER_VOICE, true},
        {"NMBR = 5551234", ANSWER_CALLER, false},
        {"nmbr=P", ANSWER_CALLER, false},
        {"MESG = 8001", ANSWER_CALLER, false},
        {"DDN_NMBR= 1234", ANSWER_CALLER, false},
        {"NUMBER", ANSWER_TEXT, false},
        {"NAME", ANSWER_TEXT, false},
        {"ATE0V1Q0", ANSWER_TEXT, false},
        {"", ANSWER_TEXT, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (answer_kind(table[i].line) != table[i].kind)
            fail_msg("%s is read as %s", table[i].line, answer_name(answer_kind(table[i].line)));
        assert_int_equal(answer_is_final(table[i].kind), table[i].is_final);
    }
}

static void formatted_caller_id_is_read(void **state)
{
    static const struct {
        const char *line, *number, *name;
        bool withheld, out_of_area, useful;
    } table[] = {
        {"NMBR = 5551234", "5551234", "", false, false, true},
        {"NMBR=(555) 123-4", "5551234", "", false, false, true},
        {"NMBR: +4989123", "+4989123", "", false, false, true},
        {"NMBR = 55+12", "5512", "", false, false, true},
        {"NMBR = P", "", "", true, false, true},
        {"NMBR=PRIVATE", "", "", true, false, true},
        {"NMBR = O", "", "", false, true, true},
        {"NMBR = +", "", "", false, false, false},
        {"NMBR = hello", "", "", false, false, false},
        {"NMBR =", "", "", false, false, false},
        {"NAME = HARBOUR & VALE", "", "HARBOUR & VALE", false, false, true},
        {"NAME=P", "", "", true, false, true},
        {"CALLER NUMBER: 5551234", "5551234", "", false, false, true},
        {"NMBR = 123456789012345678901234567890123456789012345678901234567890123456789",
         "123456789012345678901234567890123456789012345678901234567890123", "", false, false, true},
        {"BUSY", "", "", false, false, false},
    };
    struct answer_caller caller;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        assert_int_equal(answer_caller(&caller, table[i].line), table[i].useful);
        assert_string_equal(caller.number, table[i].number);
        assert_string_equal(caller.name, table[i].name);
        assert_int_equal(caller.withheld, table[i].withheld);
        assert_int_equal(caller.out_of_area, table[i].out_of_area);
    }
    assert_true(answer_caller(&caller, "DATE = 1121"));
    assert_string_equal(caller.date, "1121");
    assert_true(answer_caller(&caller, "TIME = 1437"));
    assert_string_equal(caller.time, "1437");
    assert_true(answer_caller(&caller, "DDN_NMBR= 1234"));
    assert_string_equal(caller.called, "1234");
}

/* "MESG = " with the octets of `body` and the checksum that makes the sum nought, plus `error`. */
static const char *message(int type, const char *body, size_t size, int error)
{
    static char text[600];
    int sum = type + (int)size, used = snprintf(text, sizeof text, "MESG = %02X%02X", type, (unsigned)size);

    for (size_t i = 0; i < size; i++) {
        sum += (unsigned char)body[i];
        used += snprintf(text + used, sizeof text - (size_t)used, "%02X", (unsigned char)body[i]);
    }
    if (error >= 0)
        snprintf(text + used, sizeof text - (size_t)used, "%02X", (unsigned)(-sum + error) & 0xff);
    return text;
}

#define BODY(text) text, sizeof(text) - 1

static void unformatted_caller_id_is_read(void **state)
{
    static const char many[] = "\x01\x08"
                               "11211437\x02\x07"
                               "5551234\x07\x07"
                               "HARBOUR\x03\x02"
                               "77\x63\x01x";
    struct answer_caller caller;

    (void)state;
    assert_true(answer_caller(&caller, message(0x80, BODY(many), 0)));
    assert_string_equal(caller.number, "5551234");
    assert_string_equal(caller.name, "HARBOUR");
    assert_string_equal(caller.date, "1121");
    assert_string_equal(caller.time, "1437");
    assert_string_equal(caller.called, "77");
    assert_true(answer_caller(&caller, message(0x80, BODY(many), -1))); /* without its checksum */
    assert_true(answer_caller(&caller, message(0x04, BODY("112114375551234"), 0)));
    assert_string_equal(caller.number, "5551234");
    assert_true(answer_caller(&caller, message(0x04, BODY("11211437P"), 0)));
    assert_true(caller.withheld);
    assert_string_equal(caller.number, "");
    assert_true(answer_caller(&caller, message(0x80, BODY("\x04\x01O\x08\x01P"), 0)));
    assert_true(caller.out_of_area && caller.withheld);
}

static void broken_caller_id_tells_nothing(void **state)
{
    static const char *const broken[] = {
        "MESG = ",         "MESG = 8",     "MESG = 80",       "MESG = 80FF00",     "MESG = ZZ",
        "MESG = 80020107", "MESG = 80000", "MESG = 04020000", "MESG = 1234567890", "MESG = 8001 0",
    };
    struct answer_caller caller, nothing = {.withheld = false};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        assert_false(answer_caller(&caller, broken[i]));
        assert_memory_equal(&caller, &nothing, sizeof caller);
    }
    assert_false(answer_caller(&caller, message(0x80,
                                                BODY("\x02\x07"
                                                     "5551234"),
                                                1)));
    assert_false(answer_caller(&caller, message(0x80,
                                                BODY("\x02\x09"
                                                     "5551234"),
                                                0)));
    assert_memory_equal(&caller, &nothing, sizeof caller);
}

static void lists_of_rates_are_read(void **state)
{
    static const struct {
        const char *line;
        int count, first, last;
    } table[] = {
        {"3,24,48,72,74,73,96,98,97,122,121,146,145", 12, 24, 146},
        {"(3,24,48,72,96)", 4, 24, 96},
        {"+FTM: 24,48", 2, 24, 48},
        {"24-96", 6, 24, 96},
        {"(3,24,48,72-74,96-98,121-122,145-146)", 12, 24, 146},
        {"24,24,24", 1, 24, 24},
        {"96,24", 2, 24, 96},
        {"3", 0, 0, 0},
        {"ERROR", 0, 0, 0},
        {"", 0, 0, 0},
        {"4294967320", 0, 0, 0},
        {"24,99999999999999999999", 1, 24, 24},
        {"96-24", 0, 0, 0},
        {"-24", 1, 24, 24},
    };
    int rates[ANSWER_RATES_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        int count = answer_rates(rates, table[i].line);

        if (count != table[i].count)
            fail_msg("%s has %d rates", table[i].line, count);
        if (count > 0)
            assert_true(rates[0] == table[i].first && rates[count - 1] == table[i].last);
    }
    assert_int_equal(answer_rate_bps(145), 14400);
    assert_int_equal(answer_rate_bps(24), 2400);
    assert_int_equal(answer_rate_bps(3), 0);
}

static void lists_of_classes_are_read(void **state)
{
    (void)state;
    assert_true(answer_has_class("0,1,2", "1"));
    assert_true(answer_has_class("(0,1,2,2.0)", "1"));
    assert_true(answer_has_class("+FCLASS: 0,1", "1"));
    assert_true(answer_has_class("1", "1"));
    assert_false(answer_has_class("0,2,2.0", "1"));
    assert_false(answer_has_class("0,1.0", "1"));
    assert_true(answer_has_class("0,1.0", "1.0"));
    assert_false(answer_has_class("0,8,10", "1"));
    assert_false(answer_has_class("", "1"));
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(lines_end_with_their_line_feed), cmocka_unit_test(nothing_behind_a_connect_is_taken),
        cmocka_unit_test(a_line_without_end_is_cut),      cmocka_unit_test(lines_have_meanings),
        cmocka_unit_test(formatted_caller_id_is_read),    cmocka_unit_test(unformatted_caller_id_is_read),
        cmocka_unit_test(broken_caller_id_tells_nothing), cmocka_unit_test(lists_of_rates_are_read),
        cmocka_unit_test(lists_of_classes_are_read),
    };
    return cmocka_run_group_tests_name("answer", facts, NULL, NULL);
}
