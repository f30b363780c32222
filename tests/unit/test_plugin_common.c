/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What our plug-ins share: settings, job options, status blocks, texts of a reception, devices, records. */
#include "config.h"

#include "tests/lib/facts.h"

#include "plugins/common/options.h"
#include "plugins/common/provider.h"
#include "plugins/common/received.h"
#include "plugins/common/settings.h"
#include "plugins/common/status.h"
#include "server/base/err.h"
#include "server/base/str.h"

#include <stdlib.h>
#include <string.h>

static const char *const colours[] = {"red", "green", NULL};

struct sample {
    int number, colour;
    double share;
    bool flag;
    const char *text;
    json_t *object;
};

static const struct settings_key keys[] = {
    {"number", SETTINGS_INT, offsetof(struct sample, number), -5, 100, NULL},
    {"colour", SETTINGS_WORD, offsetof(struct sample, colour), 0, 0, colours},
    {"share", SETTINGS_REAL, offsetof(struct sample, share), 0, 1, NULL},
    {"flag", SETTINGS_BOOL, offsetof(struct sample, flag), 0, 0, NULL},
    {"text", SETTINGS_TEXT, offsetof(struct sample, text), 0, 4, NULL},
    {"object", SETTINGS_OBJECT, offsetof(struct sample, object), 0, 0, NULL},
};

static int read_sample(struct sample *sample, json_t *object)
{
    return settings_read(sample, object, "here", keys, COUNT_OF(keys));
}

static void settings_are_read_from_values_and_from_texts(void **state)
{
    static const char *const forms[] = {
        "{\"number\":7,\"colour\":\"green\",\"share\":0.5,\"flag\":true,\"text\":\"abcd\",\"object\":{\"a\":1}}",
        "{\"number\":\"7\",\"colour\":\"green\",\"share\":\"0.5\",\"flag\":\"yes\",\"text\":\"abcd\","
        "\"object\":\"{\\\"a\\\":1}\"}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        json_t *object = json_loads(forms[i], 0, NULL);
        struct sample sample = {0};

        assert_int_equal(read_sample(&sample, object), 0);
        assert_int_equal(sample.number, 7);
        assert_int_equal(sample.colour, 1);
        assert_true(sample.share > 0.49 && sample.share < 0.51 && sample.flag);
        assert_string_equal(sample.text, "abcd");
        assert_int_equal(json_integer_value(json_object_get(sample.object, "a")), 1);
        json_decref(sample.object);
        json_decref(object);
    }
}

static void wrong_settings_are_named(void **state)
{
    static const struct {
        const char *text, *message;
    } facts[] = {
        {"{\"numbr\":1}", "here: unknown setting \"numbr\" (known: number, colour, share, flag, text, object)"},
        {"{\"number\":101}", "here: number is not a whole number from -5 to 100"},
        {"{\"number\":1.5}", "here: number is not a whole number from -5 to 100"},
        {"{\"number\":\"1x\"}", "here: number is not a whole number from -5 to 100"},
        {"{\"number\":\"\"}", "here: number is not a whole number from -5 to 100"},
        {"{\"number\":\"nan\"}", "here: number is not a whole number from -5 to 100"},
        {"{\"share\":\"inf\"}", "here: share is not a number from 0 to 1"},
        {"{\"share\":null}", "here: share is not a number from 0 to 1"},
        {"{\"colour\":\"blue\"}", "here: colour is \"blue\", not one of red, green"},
        {"{\"colour\":1}", "here: colour is \"\", not one of red, green"},
        {"{\"flag\":1}", "here: flag is neither yes nor no"},
        {"{\"text\":\"abcde\"}", "here: text is not a text of at most 4 octets"},
        {"{\"object\":[]}", "here: object is not a JSON object"},
        {"{\"object\":\"{\"}", "here: object is not a JSON object"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(facts); i++) {
        json_t *object = json_loads(facts[i].text, 0, NULL);
        struct sample sample = {0};

        assert_int_equal(read_sample(&sample, object), ERR_INVALID);
        assert_string_equal(err_message(), facts[i].message);
        json_decref(object);
    }
}

static void a_providers_section_has_lines(void **state)
{
    struct settings *settings;

    (void)state;
    assert_int_equal(settings_parse(&settings, "{\"name\":\"x\",\"engine\":\"/e\",\"calls_per_engine\":4,"
                                               "\"lines\":[{\"name\":\"a\",\"number\":\"1\",\"settings\":{}},{}]}"),
                     0);
    assert_string_equal(settings->engine, "/e");
    assert_int_equal(settings->calls_per_engine, 4);
    assert_int_equal(settings->line_count, 2);
    assert_string_equal(settings->lines[0].number, "1");
    assert_string_equal(settings->lines[1].name, "");
    assert_true(json_is_object(settings->lines[1].settings));
    settings_free(settings);
    assert_int_equal(settings_parse(&settings, "{\"lines\":[]}"), ERR_INVALID);
    assert_int_equal(settings_parse(&settings, "{\"lines\":[1]}"), ERR_INVALID);
    assert_int_equal(settings_parse(&settings, "{\"lines\":[{\"settings\":1}]}"), ERR_INVALID);
    assert_int_equal(settings_parse(&settings, "{\"calls_per_engine\":0,\"lines\":[{}]}"), ERR_INVALID);
    assert_int_equal(settings_parse(&settings, "{\"a\":1,\"a\":2,\"lines\":[{}]}"), ERR_INVALID);
    assert_int_equal(settings_parse(&settings, "[]"), ERR_INVALID);
    assert_int_equal(settings_parse(&settings, ""), ERR_INVALID);
}

static void job_options_have_defaults_and_ranges(void **state)
{
    static const char *const wrong[] = {"{\"ecm\":1}",
                                        "{\"max_rate_bps\":100}",
                                        "{\"journal_fd\":-2}",
                                        "{\"modems\":\"v17\"}",
                                        "{\"modems\":[1]}",
                                        "{\"modems\":[]}",
                                        "{\"station_id\":5}",
                                        "{\"renditions\":{}}",
                                        "{\"renditions\":[{\"file\":\"x.tif\"}]}",
                                        "{\"renditions\":[1]}",
                                        "{\"call_limit_s\":0}",
                                        "{\"transport\":\"T38\"}",
                                        "{\"transport\":5}",
                                        "[]",
                                        "{"};
    struct options options;

    (void)state;
    options_init(&options);
    assert_int_equal(options.journal_fd, -1);
    assert_true(options.ecm);
    assert_string_equal(options.transport, "auto");
    assert_int_equal(options_parse(&options,
                                   "{\"ecm\":false,\"station_id\":\"A\",\"unheard_of\":1,\"password\":null,"
                                   "\"renditions\":[{\"file\":\"/a.tif\",\"width\":1728}],\"transport\":\"t38\"}"),
                     0);
    assert_string_equal(options.transport, "t38");
    assert_false(options.ecm);
    assert_string_equal(options.password, "");
    assert_int_equal(options.rendition_count, 1);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_equal(options_parse(&options, wrong[i]), ERR_INVALID);
        assert_string_equal(options.station_id, "A"); /* nothing changed */
    }
    assert_int_equal(options_parse(&options, NULL), ERR_INVALID);
    options_clear(&options);
}

static void a_status_block_has_its_strings_behind_it(void **state)
{
    struct status status = {.id = FS_TRANSMITTING, .page = 3};
    struct {
        FAX_DEV_STATUS head;
        char strings[1024];
    } block;
    char *text;

    (void)state;
    assert_int_equal(status_size(&status), sizeof(FAX_DEV_STATUS));
    status_set_text(status.csi, "+1555");
    status_set_text(status.routing, "1002");
    assert_int_equal(status_size(&status), sizeof(FAX_DEV_STATUS) + 2 * (6 + 5));
    memset(&block, 0xff, sizeof(block));
    status_fill(&block.head, &status);
    assert_int_equal(block.head.SizeOfStruct, sizeof(FAX_DEV_STATUS));
    assert_int_equal(block.head.PageCount, 3);
    assert_ptr_equal(block.head.CSI, block.strings);
    assert_null(block.head.CallerId);
    assert_ptr_equal(block.head.RoutingInfo, block.strings + 12);
    text = str_from_utf16(block.head.CSI, 64);
    assert_string_equal(text, "+1555");
    free(text);
}

static void a_long_text_is_cut(void **state)
{
    struct status status = {0};
    char text[500];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    status_set_text(status.csi, text);
    assert_int_equal(status_size(&status), sizeof(FAX_DEV_STATUS) + 2 * STATUS_TEXT_UNITS);
}

static void outcomes_have_status_codes(void **state)
{
    (void)state;
    assert_int_equal(status_from_outcome("success"), FS_COMPLETED);
    assert_int_equal(status_from_outcome("aborted"), FS_USER_ABORT);
    assert_int_equal(status_from_outcome("call_rejected"), FS_DISCONNECTED);
    assert_int_equal(status_from_outcome("training_failed"), FS_FATAL_ERROR);
    assert_int_equal(status_from_outcome(NULL), FS_FATAL_ERROR);
}

struct block {
    FAX_RECEIVE head;
    WCHAR strings[FAXDEVRECEIVE_SIZE / 2];
};

static void a_reception_names_its_station_behind_the_file(void **state)
{
    struct block block = {0};
    char *text;

    (void)state;
    block.head.FileName = block.strings;
    block.strings[0] = '/';
    block.strings[1] = 'f';
    received_fill(&block.head, "+1555", "Reception");
    assert_ptr_equal(block.head.ReceiverNumber, block.strings + 3);
    assert_ptr_equal(block.head.ReceiverName, block.strings + 3 + 6);
    text = str_from_utf16(block.head.ReceiverName, 64);
    assert_string_equal(text, "Reception");
    free(text);
    received_fill(&block.head, "", "x");
    assert_null(block.head.ReceiverNumber);
    assert_ptr_equal(block.head.ReceiverName, block.strings + 3);
}

static void a_full_reception_block_gets_no_names(void **state)
{
    struct block block = {0};
    WCHAR elsewhere[] = {'/', 0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(block.strings); i++)
        block.strings[i] = 'x';
    block.head.FileName = block.strings;
    received_fill(&block.head, "1", "2");
    assert_null(block.head.ReceiverNumber);
    block.strings[COUNT_OF(block.strings) - 4] = 0; /* room for three units: one text of two and its end */
    received_fill(&block.head, "12", "3");
    assert_ptr_equal(block.head.ReceiverNumber, block.strings + COUNT_OF(block.strings) - 3);
    assert_null(block.head.ReceiverName);
    block.head.FileName = elsewhere;
    received_fill(&block.head, "1", "2");
    assert_null(block.head.ReceiverNumber);
}

static void devices_are_known_by_index_and_by_id(void **state)
{
    struct provider a = {0}, b = {0};
    WCHAR prefix[128];
    DWORD count, id, other;
    char *text;

    (void)state;
    assert_true(provider_create(&a, "exchange", 4, &count, prefix, &id, NULL, 0));
    text = str_from_utf16(prefix, 128);
    assert_string_equal(text, "exchange/");
    free(text);
    assert_true(provider_create(&b, "another", 4, &count, prefix, &other, NULL, 0));
    assert_int_equal(count, 4);
    assert_int_not_equal(id, 0);
    assert_int_not_equal(id, other);
    assert_int_equal(provider_line(&a, 3), 3);
    assert_int_equal(provider_line(&a, id + 3), 3);
    assert_int_equal(provider_line(&a, 4), -1);
    assert_int_equal(provider_line(&a, id + 4), -1);
    assert_int_equal(provider_line(&a, id - 1), -1);
    assert_false(provider_create(&a, "exchange", 0, &count, prefix, &id, NULL, 0));
}

/* A record of so many frames and messages, as text, read again. */
static json_t *fitted(int frames, int messages)
{
    json_t *record = json_pack("{s:[], s:[], s:i}", "frames", "sip", "frames_omitted", 7), *back;
    char text[49152];
    DWORD needed;

    for (int i = 0; i < frames; i++)
        json_array_append_new(json_object_get(record, "frames"), json_pack("{s:i, s:s}", "at_ms", i, "hex", "ff1380"));
    for (int i = 0; i < messages; i++)
        json_array_append_new(json_object_get(record, "sip"),
                              json_pack("{s:i, s:o}", "at_ms", i, "text", json_sprintf("%01000d", i)));
    assert_true(provider_text(record, text, sizeof(text), &needed));
    json_decref(record);
    back = json_loads(text, 0, NULL);
    assert_non_null(back);
    return back;
}

static void a_long_record_loses_frames_before_messages(void **state)
{
    static const struct {
        int frames, messages; /* in it */
        int kept, omitted, messages_kept, messages_omitted;
    } table[] = {
        {100, 10, 100, 7, 10, 0},
        {100, 46, 50, 57, 46, 0},
        {100, 60, 0, 107, 30, 30},
        {0, 60, 0, 7, 30, 30},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        json_t *back = fitted(table[i].frames, table[i].messages);

        assert_int_equal(json_array_size(json_object_get(back, "frames")), table[i].kept);
        assert_int_equal(json_integer_value(json_object_get(back, "frames_omitted")), table[i].omitted);
        assert_int_equal(json_array_size(json_object_get(back, "sip")), table[i].messages_kept);
        assert_int_equal(json_integer_value(json_object_get(back, "sip_omitted")), table[i].messages_omitted);
        json_decref(back);
    }
}

static void a_long_record_loses_frames_not_facts(void **state)
{
    json_t *record = json_pack("{s:s, s:[]}", "outcome", "success", "frames"), *back;
    DWORD needed;
    char *text;

    (void)state;
    for (int i = 0; i < 1000; i++)
        json_array_append_new(
            json_object_get(record, "frames"),
            json_pack("{s:i, s:s}", "at_ms", i, "hex", "ff13800cee86fef8ff13800cee86fef8ff13800cee86fef8"));
    assert_true(provider_text(record, NULL, 0, &needed));
    assert_in_range(needed, 20000, 49152);
    text = malloc(needed);
    assert_false(provider_text(record, text, needed - 1, &needed));
    assert_int_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    assert_true(provider_text(record, text, needed, &needed));
    back = json_loads(text, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(back, "outcome")), "success");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(json_object_get(back, "frames"), 0), "at_ms")),
                     0);
    assert_false(provider_text(record, NULL, 10, &needed));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_false(provider_text(record, text, needed, NULL));
    json_decref(back);
    json_decref(record);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_read_from_values_and_from_texts),
        cmocka_unit_test(wrong_settings_are_named),
        cmocka_unit_test(a_providers_section_has_lines),
        cmocka_unit_test(job_options_have_defaults_and_ranges),
        cmocka_unit_test(a_status_block_has_its_strings_behind_it),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(outcomes_have_status_codes),
        cmocka_unit_test(a_reception_names_its_station_behind_the_file),
        cmocka_unit_test(a_full_reception_block_gets_no_names),
        cmocka_unit_test(devices_are_known_by_index_and_by_id),
        cmocka_unit_test(a_long_record_loses_frames_not_facts),
        cmocka_unit_test(a_long_record_loses_frames_before_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
