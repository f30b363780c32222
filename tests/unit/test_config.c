/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the configuration. */
#include <config.h>

#include "server/base/err.h"
#include "server/config.h"
#include "tests/lib/facts.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROVIDER "provider \"p\" { module = softmodem line \"1001\" {} }\n"

/* What the parser says of a text, in `report`; and its result. */
static int parse(struct config *config, const char *text, char *report, size_t size)
{
    FILE *stream = fmemopen(report, size, "w");
    int error = config_parse(config, "t.conf", text, stream);

    fclose(stream);
    return error;
}

static void the_embedded_default_is_an_exchange_of_four_lines_and_a_simulator(void **state)
{
    struct config config;

    (void)state;
    config_default(&config);
    assert_int_equal(config.provider_count, 2);
    assert_string_equal(config.providers[1].module, "simulator"); /* for test keys */
    assert_true(config.providers[1].simulated);
    assert_string_equal(config.providers[0].module, "softmodem");
    assert_int_equal(config.providers[0].line_count, 4);
    for (int i = 0; i < 4; i++) {
        char number[8];

        snprintf(number, sizeof number, "100%d", i + 1);
        assert_string_equal(config.providers[0].lines[i].number, number);
        assert_string_equal(config.providers[0].lines[i].station_id, number);
        assert_true(config.providers[0].lines[i].send && config.providers[0].lines[i].receive);
    }
    assert_int_equal(json_integer_value(json_object_get(config.providers[0].settings, "pace")), 0);
    assert_string_equal(config.listen_address, "127.0.0.1");
    assert_int_equal(config.listen_port, 8080);
    assert_false(config.allow_private_webhooks);
    assert_string_equal(config.encryption_key_file, ""); /* nothing is encrypted */
    assert_string_equal(config.encryption_credential, "");
    config_clear(&config);
}

/* One wrong value each, and the words that the message has to hold. */
static const struct {
    const char *text, *words[3];
} faults[] = {
    {"", {"provider", "0"}},
    {"provider \"p\" { module = softmodem }", {"provider|line", "'p'", "1 to 1000"}},
    {"provider \"p\" { line \"1\" {} }", {"provider|module", "'p'", "module = softmodem"}},
    {"provider \"a/b\" { module = x line \"1\" {} }", {"a/b", "letters"}},
    {"provider \"p\" { module = x line \"a\" {} }", {"line|number", "'a'"}},
    {"provider \"p\" { module = x line \"1\" { station_id = \"123456789012345678901\" } }", {"station_id"}},
    {"provider \"p\" { module = x abort_grace = 0 line \"1\" {} }", {"t.conf:1:", "abort_grace", "1 to 600"}},
    {"provider \"p\" { module = x start_id = both line \"1\" {} }", {"start_id", "both", "index full"}},
    {PROVIDER "server { log_level = loud }", {"t.conf:2:", "log_level", "error warning info debug"}},
    {PROVIDER "\n\nserver { drain_timeout = -1 }", {"t.conf:4:", "drain_timeout", "0 to 3600"}},
    {PROVIDER "server { log_file = \"relative\" }", {"log_file", "absolute"}},
    {PROVIDER "web { listen = \"localhost\" }", {"web|listen", "ADDRESS:PORT"}},
    {PROVIDER "web { listen = \"[::1]:70000\" }", {"web|listen", "70000"}},
    {PROVIDER "web { tls_certificate = \"/a\" }", {"web|tls_key", "belong together"}},
    {PROVIDER "web { tls_key = \"/a\" }", {"web|tls_certificate", "belong together"}},
    {PROVIDER "web { tls_certificate = a tls_key = \"/b\" }", {"web|tls_certificate", "absolute"}},
    {PROVIDER "web { tls_certificate = \"/a\" tls_key = b }", {"web|tls_key", "absolute"}},
    {PROVIDER "web { colour = red }", {"t.conf:2:", "colour"}},
    {PROVIDER "nonsense { }", {"t.conf:2:", "nonsense"}},
    {PROVIDER "retry { busy = {0} }", {"retry|busy", "1 to 604800"}},
    {PROVIDER "retry { busy = {1,2,3,4,5,6,7,8,9} }", {"retry|busy", "9 values", "8 are"}},
    {PROVIDER "retry { resume = some }", {"retry|resume", "some", "remaining"}},
    {PROVIDER "retention { outbound_documents = -1 }", {"t.conf:2:", "retention|outbound_documents", "0 to 36500"}},
    {PROVIDER "retention { inbound_records = 99999 }", {"retention|inbound_records", "0 to 36500"}},
    {PROVIDER "webhook \"w\" { }", {"webhook|url", "'w'"}},
    {PROVIDER "web { allow_private_webhooks = maybe }", {"t.conf:2:", "allow_private_webhooks"}},
    {PROVIDER "web { listen = ", {"t.conf:2:"}},
    {PROVIDER "encryption { key_file = keys }", {"encryption|key_file", "'keys'", "absolute"}},
    {PROVIDER "encryption { key_file = \"/keys\" call_dir = run }", {"encryption|call_dir", "'run'", "absolute"}},
    {PROVIDER "encryption { key_file = \"/keys\" credential = keys }", {"encryption|credential", "not from both"}},
    {PROVIDER "encryption { credential = \"/keys\" }", {"encryption|credential", "'/keys'", "LoadCredential="}},
    {PROVIDER "store { state_dir = \"\xff\" }", {"state_dir", "UTF-8"}},
};

static void every_fault_is_named_with_its_place_and_the_way_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct config config = {.drain_timeout_s = 4711};
        char report[4096] = "";

        if (parse(&config, faults[i].text, report, sizeof report) != ERR_INVALID)
            fail_msg("taken: %s", faults[i].text);
        assert_int_equal(config.drain_timeout_s, 4711); /* untouched */
        for (int k = 0; k < 3 && faults[i].words[k] != NULL; k++)
            if (strstr(report, faults[i].words[k]) == NULL)
                fail_msg("%s\nsays: %s\nwithout: %s", faults[i].text, report, faults[i].words[k]);
    }
}

static void one_run_names_every_wrong_value(void **state)
{
    struct config config;
    char report[4096] = "";

    (void)state;
    assert_int_equal(parse(&config,
                           PROVIDER "server { drain_timeout = 9999 log_level = x }\nweb { body_max_mib = 0 }\n", report,
                           sizeof report),
                     ERR_INVALID);
    assert_non_null(strstr(report, "drain_timeout"));
    assert_non_null(strstr(report, "log_level"));
    assert_non_null(strstr(report, "t.conf:3: web|body_max_mib"));
    assert_non_null(strstr(err_message(), "3 faults"));
}

static void free_settings_become_json_and_dots_make_objects(void **state)
{
    struct config config;
    char report[1024] = "";
    char *text;

    (void)state;
    assert_int_equal(
        parse(&config,
              "provider \"p\" { module = softmodem settings { pace = 3 live = true noise = -1.5 word = \"007\" "
              "numbers.2001.behaviour = busy numbers.2001.delay_ms = 5 } line \"1\" { settings { a.b = x } } }",
              report, sizeof report),
        0);
    text = json_dumps(config.providers[0].settings, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(4));
    assert_string_equal(text,
                        "{\"live\":true,\"noise\":-1.5,\"numbers\":{\"2001\":{\"behaviour\":\"busy\",\"delay_ms\":5}},"
                        "\"pace\":3,\"word\":\"007\"}");
    free(text);
    text = json_dumps(config.providers[0].lines[0].settings, JSON_COMPACT);
    assert_string_equal(text, "{\"a\":{\"b\":\"x\"}}");
    free(text);
    assert_string_equal(report, "");
    config_clear(&config);
}

static void the_example_is_read_without_complaint_and_changes_nothing(void **state)
{
    struct config example, embedded;
    char report[4096] = "", *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    (void)state;
    config_example(stream);
    fclose(stream);
    assert_int_equal(parse(&example, text, report, sizeof report), 0);
    assert_string_equal(report, "");
    config_default(&embedded);
    assert_memory_equal(&example.retry, &embedded.retry, sizeof example.retry);
    assert_int_equal(example.providers[0].line_count, embedded.providers[0].line_count);
    assert_int_equal(example.body_max, embedded.body_max);
    config_clear(&example);
    config_clear(&embedded);
    free(text);
}

static void nothing_is_deleted_unless_an_age_is_set(void **state)
{
    const struct retention_policy forever = {0}, wanted = {30, 3650, 7, 365};
    struct config config;
    char report[1024] = "";

    (void)state;
    config_default(&config);
    assert_memory_equal(&config.retention, &forever, sizeof forever);
    config_clear(&config);
    assert_int_equal(parse(&config,
                           PROVIDER "retention { outbound_documents = 30 outbound_records = 3650\n"
                                    "inbound_documents = 7 inbound_records = 365 }",
                           report, sizeof report),
                     0);
    assert_memory_equal(&config.retention, &wanted, sizeof wanted);
    config_clear(&config);
}

static void addresses_to_listen_on(void **state)
{
    static const struct {
        const char *text, *address;
        int port;
    } good[] = {{"127.0.0.1:0", "127.0.0.1", 0}, {"[::1]:8080", "::1", 8080}, {"0.0.0.0:65535", "0.0.0.0", 65535}};
    static const char *const bad[] = {"", ":1", "1", "a:", "a:b", "a:-1", "[]:1"};
    struct config config = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_int_equal(config_set_listen(&config, good[i].text), 0);
        assert_string_equal(config.listen_address, good[i].address);
        assert_int_equal(config.listen_port, good[i].port);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(config_set_listen(&config, bad[i]), ERR_INVALID);
    config_clear(&config);
}

static void a_file_that_is_not_there_or_no_text_is_told(void **state)
{
    struct config config;
    char path[64];
    int fd = facts_temporary_file(path);

    (void)state;
    assert_int_equal(config_load(&config, "/no/such/file", NULL), ERR_IO);
    assert_int_equal(write(fd, "a\0b", 3), 3);
    assert_int_equal(config_load(&config, path, NULL), ERR_INVALID);
    assert_non_null(strstr(err_message(), "NUL"));
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(the_embedded_default_is_an_exchange_of_four_lines_and_a_simulator),
        cmocka_unit_test(every_fault_is_named_with_its_place_and_the_way_out),
        cmocka_unit_test(one_run_names_every_wrong_value),
        cmocka_unit_test(free_settings_become_json_and_dots_make_objects),
        cmocka_unit_test(the_example_is_read_without_complaint_and_changes_nothing),
        cmocka_unit_test(nothing_is_deleted_unless_an_age_is_set),
        cmocka_unit_test(addresses_to_listen_on),
        cmocka_unit_test(a_file_that_is_not_there_or_no_text_is_told),
    };
    return cmocka_run_group_tests_name("config", facts, NULL, NULL);
}
