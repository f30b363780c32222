/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about who calls whom. */
#include "config.h"

#include "plugins/sip/caller.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/facts.h"

static void numbers_and_names_are_taken_out(void **state)
{
    (void)state;
    static const struct {
        const char *text, *number, *name;
    } table[] = {
        {"\"Dr. Ruiz\" <sip:+15551234;npdi@host;user=phone>;tag=1", "+15551234", "Dr. Ruiz"},
        {"Dr Ruiz <sips:5551234:secret@host:5061;transport=tls>", "5551234", "Dr Ruiz"},
        {"\"A \\\"B\\\" <sip:1@x>, \\\\\" <sip:22@x>", "22", "A \"B\" <sip:1@x>, \\"},
        {"<tel:+1-555-1234;phone-context=+1>", "+15551234", ""},
        {"tel:+1-(555)-12.34", "+15551234", ""},
        {"tel:+15551234,tel:+16660000", "+15551234", ""},
        {"sip:+15551234;npdi;rn=+1777@host;user=phone", "+15551234", ""},
        {"SIP:100@host;tag=a@b, <sip:200@host>", "100", ""},
        {"sip:%2B1555%20123%34@host", "+15551234", ""},
        {"\"\" <sip:fax-desk@host>", "fax-desk", ""},
        {"<sip:*98@host>", "*98", ""},
        {"<sip:fax%C3%A4@host>", "fax\xc3\xa4", ""},
        {"\"M\xc3\xbcller\" <sip:1@host>", "1", "M\xc3\xbcller"},
        {"\"  spaced  \"   <sip:+@host>", "+", "spaced"},
        {"\"Anonymous\" <sip:anonymous@anonymous.invalid>", "", "Anonymous"},
        {"<sip:5551234@anonymous.invalid>", "", ""},
        {"<sip:Restricted@host>", "", ""},
        {"<sip:unknown@host>", "", ""},
        /* nothing to be had */
        {"<sip:host.example.net>", "", ""},
        {"sip:", "", ""},
        {"sip:@host", "", ""},
        {"<sip:a@b", "", ""},
        {"<mailto:a@b>", "", ""},
        {"\"a <sip:1@b>", "", ""},
        {"\"\\", "", ""},
        {"<sip:1%0a2@host>", "", ""},
        {"<sip:1%002@host>", "", ""},
        {"<sip:1%C2%852@host>", "", ""},
        {"<sip:1%ff@host>", "", ""},
        {"<sip:1%4@host>", "", ""},
        {"<sip:1%zz@host>", "", ""},
        {"\"a\nb\" <sip:1@host>", "1", ""},
        {"\"a\xff\" <sip:1@host>", "1", ""},
        {"", "", ""},
        {"<", "", ""},
        {"<>", "", ""},
        {NULL, "", ""},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char number[CALLER_NUMBER_SIZE], name[CALLER_NAME_SIZE];
        caller_number(number, table[i].text);
        caller_name(name, table[i].text);
        assert_string_equal(number, table[i].number);
        assert_string_equal(name, table[i].name);
    }
}

static void what_is_too_long_is_no_number_but_a_short_name(void **state)
{
    (void)state;
    char text[4096], number[CALLER_NUMBER_SIZE], name[CALLER_NAME_SIZE];
    snprintf(text, sizeof(text), "<sip:%063d@host>", 1);
    caller_number(number, text);
    assert_int_equal(strlen(number), 63);
    snprintf(text, sizeof(text), "<sip:%064d@host>", 1);
    caller_number(number, text);
    assert_string_equal(number, "");
    snprintf(text, sizeof(text), "\"%0300d\" <sip:1@host>", 1);
    caller_name(name, text);
    assert_int_equal(strlen(name), CALLER_NAME_SIZE - 1);
    snprintf(text, sizeof(text), "\"%03000d\" <sip:1@host>", 1);
    caller_number(number, text);
    assert_string_equal(number, "");
}

static void the_best_header_tells_who_calls(void **state)
{
    (void)state;
    static const struct {
        struct caller_headers headers;
        const char *number, *name;
        bool withheld;
    } table[] = {
        {{.from = "\"F\" <sip:1@h>;tag=x"}, "1", "F", false},
        {{.from = "\"F\" <sip:1@h>", .asserted_identity = "\"P\" <sip:2@h>"}, "2", "P", false},
        {{.from = "\"F\" <sip:1@h>", .asserted_identity = "<sip:2@h>"}, "2", "F", false},
        {{.from = "<sip:1@h>", .asserted_identity = "<sip:gw.example.net>, <tel:+1-555-1234>"}, "+15551234", "", false},
        {{.from = "<sip:1@h>", .asserted_identity = "nonsense"}, "1", "", false},
        {{.from = "<sip:1@h>", .remote_party_id = "\"R\" <sip:3@h>;party=calling;privacy=off;screen=yes"},
         "3",
         "R",
         false},
        {{.from = "<sip:1@h>", .remote_party_id = "<sip:3@h>;party=called, <sip:4@h>"}, "4", "", false},
        {{.from = "<sip:1@h>", .asserted_identity = "<sip:2@h>", .remote_party_id = "<sip:3@h>;privacy=full"},
         "2",
         "",
         false},
        {{.remote_party_id = "\"R\" <sip:3@h>;privacy=\"full\""}, "", "", true},
        {{.remote_party_id = "\"R\" <sip:3@h>;privacy=uri-network", .from = "<sip:1@h>"}, "", "", true},
        {{.remote_party_id = "\"R\" <sip:3@h>;privacy=name"}, "3", "", false},
        {{.from = "\"Anonymous\" <sip:anonymous@anonymous.invalid>"}, "", "", true},
        {{.from = "<sip:anonymous@anonymous.invalid>", .asserted_identity = "<sip:2@h>"}, "2", "", false},
        {{.from = "\"F\" <sip:1@h>", .asserted_identity = "<sip:2@h>", .privacy = "id"}, "", "", true},
        {{.from = "<sip:1@h>", .privacy = "critical; ID"}, "", "", true},
        {{.from = "<sip:1@h>", .privacy = "none"}, "1", "", false},
        {{.from = "<sip:1@h>", .privacy = ";,;identity;"}, "1", "", false},
        {{.from = NULL}, "", "", false},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct caller caller;
        caller_identify(&caller, &table[i].headers);
        assert_string_equal(caller.number, table[i].number);
        assert_string_equal(caller.name, table[i].name);
        assert_int_equal(caller.withheld, table[i].withheld);
        assert_string_equal(caller.diverted_by, "");
    }
}

static void who_passed_the_call_on_is_told(void **state)
{
    (void)state;
    static const struct {
        struct caller_headers headers;
        const char *number;
    } table[] = {
        {{.diversion = "<sip:+15550001@h>;reason=unconditional;counter=1, <sip:+15550002@h>"}, "+15550001"},
        {{.diversion = "<sip:+15550001@h>;privacy=full"}, ""},
        {{.diversion = "<tel:+1-555-0001>", .history_info = "<sip:7@h>;index=1, <sip:8@h>;index=1.1"}, "+15550001"},
        {{.history_info = "<sip:7@h>;index=1, <sip:8@h?Reason=SIP%3Bcause%3D302>;index=1.1"}, "7"},
        {{.history_info = "<sip:7@h>;index=1, <sip:8@h>;index=1.1, <sip:8@gw>;index=1.1.1"}, "7"},
        {{.history_info = "<sip:7@h>;index=1"}, ""},
        {{.diversion = "<sip:+15550001@h>", .privacy = "id"}, "+15550001"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct caller caller;
        caller_identify(&caller, &table[i].headers);
        assert_string_equal(caller.diverted_by, table[i].number);
    }
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(numbers_and_names_are_taken_out),
        cmocka_unit_test(what_is_too_long_is_no_number_but_a_short_name),
        cmocka_unit_test(the_best_header_tells_who_calls),
        cmocka_unit_test(who_passed_the_call_on_is_told),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
