/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about settings of fax modems, their makes, and what a dial command's result means. */
#include "config.h"

#include "plugins/class1/dial.h"
#include "plugins/class1/makes.h"
#include "plugins/class1/setup.h"

#include "server/base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/facts.h"

/* A provider with one line; `provider` and `line` are JSON objects. 0 or what setup_read says. */
static int read_setup(struct setup *setup, struct settings **settings, const char *provider, const char *line)
{
    char json[2048];

    snprintf(json, sizeof json,
             "{\"name\":\"modems\",\"engine\":\"/e\",\"settings\":%s,"
             "\"lines\":[{\"name\":\"one\",\"number\":\"5551\",\"settings\":%s}]}",
             provider, line);
    assert_int_equal(settings_parse(settings, json), 0);
    return setup_read(setup, *settings);
}

static void a_line_needs_only_its_device(void **state)
{
    struct settings *settings;
    struct setup setup;
    const struct setup_line *line;

    (void)state;
    assert_int_equal(read_setup(&setup, &settings, "{}", "{\"device\":\"/dev/ttyS0\"}"), 0);
    line = &setup.lines[0];
    assert_string_equal(line->device, "/dev/ttyS0");
    assert_string_equal(line->lock_dir, "/run/lock");
    assert_string_equal(line->station_id, "5551");
    assert_int_equal(line->flow, TTY_FLOW_HARDWARE);
    assert_int_equal(line->dial_timeout_s, 60);
    assert_int_equal(setup_rings(line), 2); /* or the caller id would come too late */
    assert_true(line->retry_min_s == 5 && line->retry_max_s == 300);
    setup_clear(&setup);
    settings_free(settings);
}

static void a_line_goes_before_its_provider(void **state)
{
    struct settings *settings;
    struct setup setup;

    (void)state;
    assert_int_equal(read_setup(&setup, &settings,
                                "{\"rings\":3,\"dial\":\"pulse\",\"init\":\"ATM0  AT&K3\",\"distinctive\":{\"RING "
                                "1\":\"1\"}}",
                                "{\"device\":\"/dev/ttyS0\",\"rings\":\"5\",\"caller_id\":\"no\",\"distinctive\":"
                                "\"{\\\"RING 2\\\":\\\"77\\\"}\"}"),
                     0);
    assert_int_equal(setup_rings(&setup.lines[0]), 5);
    assert_true(setup.lines[0].pulse);
    assert_int_equal(setup.lines[0].init_count, 2);
    assert_string_equal(setup.lines[0].inits[1], "AT&K3");
    assert_string_equal(json_string_value(json_object_get(setup.lines[0].distinctive, "RING 2")), "77");
    setup_clear(&setup);
    settings_free(settings);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *provider, *line, *says;
    } table[] = {
        {"{}", "{}", "line one: device is missing"},
        {"{}", "{\"device\":\"ttyS0\"}", "device is missing"},
        {"{\"device\":\"/dev/ttyS0\"}", "{\"device\":\"/dev/ttyS0\"}", "unknown setting \"device\""},
        {"{\"baud\":5}", "{\"device\":\"/d\"}", "unknown setting \"baud\""},
        {"{}", "{\"device\":\"/d\",\"flow\":\"rts\"}", "flow is \"rts\""},
        {"{}", "{\"device\":\"/d\",\"rings\":0}", "rings is not"},
        {"{}", "{\"device\":\"/d\",\"make\":\"acme\"}", "make \"acme\" is not known"},
        {"{}", "{\"device\":\"/d\",\"init\":\"X4\"}", "\"X4\" is no command"},
        {"{}", "{\"device\":\"/d\",\"dial_prefix\":\"9;\"}", "dial_prefix"},
        {"{}", "{\"device\":\"/d\",\"dial_command\":\"ATDT\"}", "dial_command"},
        {"{}", "{\"device\":\"/d\",\"dial_command\":\"ATDT%s%s\"}", "dial_command"},
        {"{}", "{\"device\":\"/d\",\"dial_command\":\"ATDT%n%s\"}", "dial_command"},
        {"{}", "{\"device\":\"/d\",\"answer_command\":\"A\"}", "answer_command"},
        {"{}", "{\"device\":\"/d\",\"plus\":\"a\"}", "plus"},
        {"{}", "{\"device\":\"/d\",\"modems\":\"v17\"}", "modems lacks v27ter"},
        {"{}", "{\"device\":\"/d\",\"modems\":\"v27ter v34\"}", "modems: \"v34\" is not known"},
        {"{}", "{\"device\":\"/d\",\"quirks\":\"odd\"}", "quirks: \"odd\" is not known"},
        {"{}", "{\"device\":\"/d\",\"lock_dir\":\"lock\"}", "lock_dir"},
        {"{}", "{\"device\":\"/d\",\"retry_min_s\":10,\"retry_max_s\":5}", "retry_max_s is less"},
        {"{}", "{\"device\":\"/d\",\"distinctive\":{\"RING 2\":5}}", "distinctive: \"RING 2\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct settings *settings;
        struct setup setup;

        assert_int_equal(read_setup(&setup, &settings, table[i].provider, table[i].line), ERR_INVALID);
        if (strstr(err_message(), table[i].says) == NULL)
            fail_msg("%s: %s", table[i].line, err_message());
        settings_free(settings);
    }
}

static void two_lines_do_not_share_a_device(void **state)
{
    struct settings *settings;
    struct setup setup;

    (void)state;
    assert_int_equal(settings_parse(&settings,
                                    "{\"name\":\"m\",\"lines\":[{\"name\":\"a\",\"settings\":{\"device\":"
                                    "\"/dev/ttyS0\"}},{\"name\":\"b\",\"settings\":{\"device\":\"/dev/ttyS0\"}}]}"),
                     0);
    assert_int_equal(setup_read(&setup, settings), ERR_INVALID);
    assert_non_null(strstr(err_message(), "line a has the device /dev/ttyS0 too"));
    settings_free(settings);
}

static void numbers_are_dialled_as_the_line_wants_it(void **state)
{
    static const struct {
        const char *settings, *number, *command; /* NULL = no number */
    } table[] = {
        {"{}", "5551234", "ATDT5551234"},
        {"{}", "P5551234", "ATDP5551234"},
        {"{}", "+1 (555) 123-4", "ATDT15551234"},
        {"{\"plus\":\"011\"}", "+15551234", "ATDT01115551234"},
        {"{\"plus\":\"011\",\"dial_prefix\":\"9,\"}", "+15551234", "ATDT9,01115551234"},
        {"{\"dial_prefix\":\"0W\"}", "T*67#", "ATDT0W*67#"},
        {"{\"dial\":\"pulse\"}", "555", "ATDP555"},
        {"{\"dial\":\"pulse\"}", "T555", "ATDT555"},
        {"{\"dial_command\":\"ATX3DT%s;\",\"dial\":\"pulse\"}", "555", "ATX3DT555;"},
        {"{}", "555;H1", NULL},
        {"{}", "55\r5", NULL},
        {"{}", "", NULL},
        {"{}", "TT5", NULL},
        {"{}", "555,5", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct settings *settings;
        struct setup setup;
        char command[SETUP_DIAL_SIZE];
        int err;

        assert_int_equal(read_setup(&setup, &settings, table[i].settings, "{\"device\":\"/d\"}"), 0);
        err = setup_dial_command(command, &setup.lines[0], table[i].number);
        if ((err == 0) != (table[i].command != NULL))
            fail_msg("%s: %d", table[i].number, err);
        if (table[i].command != NULL)
            assert_string_equal(command, table[i].command);
        setup_clear(&setup);
        settings_free(settings);
    }
}

static void settings_choose_the_modulations(void **state)
{
    struct settings *settings;
    struct setup setup;

    (void)state;
    assert_int_equal(read_setup(&setup, &settings, "{}", "{\"device\":\"/d\",\"modems\":\"v27ter v29\"}"), 0);
    assert_true(setup_allows(&setup.lines[0], 24) && setup_allows(&setup.lines[0], 96));
    assert_false(setup_allows(&setup.lines[0], 97) || setup_allows(&setup.lines[0], 3));
    setup_clear(&setup);
    settings_free(settings);
}

static void makes_are_known_by_what_they_say(void **state)
{
    static const struct {
        const char *identity, *path, *make;
    } table[] = {
        {"5601\nU.S. Robotics 56K FAX EXT V4.14.5\n", "/dev/ttyS0", "usr"},
        {"USRobotics Courier V.Everything\n", "/dev/ttyS0", "usr"},
        {"MultiTech Systems\nMT5634ZBA-V92\n", "/dev/ttyS0", "multitech"},
        {"CX93001-EIS_V0.2002-V92\n", "/dev/ttyACM0", "conexant"},
        {"Zoom FaxModem 56Kx Dualmode - Version 22460 CX93001\n", "/dev/ttyS0", "zoom"},
        {"LT V.92 1.0 MT5634SMI\n", "/dev/ttyS0", "agere"},
        {"Agere SoftModem\n", "/dev/ttyS0", "agere"},
        {"www.soft-switch.org\nspandsp\n", "/dev/pts/3", "spandsp"},
        {"www.soft-switch.org\nspandsp\n", "/dev/ttyIAX0", "iaxmodem"},
        {"nobody knows\n", "/dev/ttyS0", "generic"},
        {"", "/dev/ttyS0", "generic"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++)
        assert_string_equal(makes_find(table[i].identity, table[i].path)->name, table[i].make);
}

static void every_make_is_whole(void **state)
{
    const struct make *make;

    (void)state;
    for (int i = 0; (make = makes_at(i)) != NULL; i++) {
        assert_ptr_equal(makes_named(make->name), make);
        assert_true(make->title[0] != '\0');
        assert_int_equal(strncmp(make->reset, "AT", 2), 0);
        for (int flow = TTY_FLOW_HARDWARE; flow <= TTY_FLOW_NONE; flow++)
            assert_int_equal(strncmp(make->flow[flow], "AT", 2), 0);
        assert_non_null(make->caller_id[0]);
    }
    assert_null(makes_named("acme"));
}

static void results_are_outcomes(void **state)
{
    static const struct {
        enum answer_kind result;
        int64_t elapsed_ms;
        const char *outcome;
    } table[] = {
        {ANSWER_BUSY, 9000, "busy"},
        {ANSWER_NO_DIAL_TONE, 3000, "no_dial_tone"},
        {ANSWER_NO_ANSWER, 40000, "no_answer"},
        {ANSWER_NO_CARRIER, 100, "no_answer"},   /* too soon for anybody to have answered */
        {ANSWER_NO_CARRIER, 20000, "not_fax"},   /* before the modem's own time was up */
        {ANSWER_NO_CARRIER, 60000, "no_answer"}, /* when it was */
        {ANSWER_FCERROR, 20000, "not_fax"},
        {ANSWER_VOICE, 9000, "not_fax"},
        {ANSWER_DELAYED, 10, "call_delayed"},
        {ANSWER_BLACKLISTED, 10, "blacklisted"},
        {ANSWER_ERROR, 10, "internal"},
        {ANSWER_CONNECT, 9000, "success"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++)
        assert_string_equal(dial_outcome(table[i].result, table[i].elapsed_ms, 60), table[i].outcome);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_line_needs_only_its_device),
        cmocka_unit_test(a_line_goes_before_its_provider),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(two_lines_do_not_share_a_device),
        cmocka_unit_test(numbers_are_dialled_as_the_line_wants_it),
        cmocka_unit_test(settings_choose_the_modulations),
        cmocka_unit_test(makes_are_known_by_what_they_say),
        cmocka_unit_test(every_make_is_whole),
        cmocka_unit_test(results_are_outcomes),
    };
    return cmocka_run_group_tests_name("class1_setup", facts, NULL, NULL);
}
