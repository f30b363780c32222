/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The outcome of a call, and the record that tells it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <tiffio.h>
#include <spandsp.h>

#include "plugins/t30/outcome.h"
#include "plugins/t30/record.h"
#include "plugins/t30/trace.h"

struct word {
    int code;
    const char *sending, *receiving;
};

/* Every completion code of spandsp; before training, unless it says otherwise. */
static const struct word words[] = {
    {T30_ERR_OK, "success", "success"},
    {T30_ERR_CEDTONE, "not_fax", "sender_not_fax"},
    {T30_ERR_T0_EXPIRED, "not_fax", "sender_not_fax"},
    {T30_ERR_T1_EXPIRED, "not_fax", "sender_not_fax"},
    {T30_ERR_T3_EXPIRED, "protocol_error", "protocol_error"},
    {T30_ERR_HDLC_CARRIER, "protocol_error", "protocol_error"},
    {T30_ERR_CANNOT_TRAIN, "training_failed", "training_failed"},
    {T30_ERR_OPER_INT_FAIL, "protocol_error", "protocol_error"},
    {T30_ERR_INCOMPATIBLE, "capability_mismatch", "capability_mismatch"},
    {T30_ERR_RX_INCAPABLE, "capability_mismatch", "capability_mismatch"},
    {T30_ERR_TX_INCAPABLE, "capability_mismatch", "capability_mismatch"},
    {T30_ERR_NORESSUPPORT, "capability_mismatch", "capability_mismatch"},
    {T30_ERR_NOSIZESUPPORT, "capability_mismatch", "capability_mismatch"},
    {T30_ERR_UNEXPECTED, "protocol_error", "protocol_error"},
    {T30_ERR_TX_BADDCS, "training_failed", "training_failed"},
    {T30_ERR_TX_BADPG, "disconnected", "disconnected"},
    {T30_ERR_TX_ECMPHD, "page_transfer_failed", "page_transfer_failed"},
    {T30_ERR_TX_GOTDCN, "disconnected", "disconnected"},
    {T30_ERR_TX_INVALRSP, "protocol_error", "protocol_error"},
    {T30_ERR_TX_NODIS, "protocol_error", "protocol_error"},
    {T30_ERR_TX_PHBDEAD, "training_failed", "training_failed"},
    {T30_ERR_TX_PHDDEAD, "page_transfer_failed", "page_transfer_failed"},
    {T30_ERR_TX_T5EXP, "page_transfer_failed", "page_transfer_failed"},
    {T30_ERR_RX_ECMPHD, "protocol_error", "protocol_error"},
    {T30_ERR_RX_GOTDCS, "protocol_error", "protocol_error"},
    {T30_ERR_RX_INVALCMD, "protocol_error", "protocol_error"},
    {T30_ERR_RX_NOCARRIER, "carrier_lost", "carrier_lost"},
    {T30_ERR_RX_NOEOL, "carrier_lost", "carrier_lost"},
    {T30_ERR_RX_NOFAX, "carrier_lost", "carrier_lost"},
    {T30_ERR_RX_T2EXPDCN, "disconnected", "disconnected"},
    {T30_ERR_RX_T2EXPD, "carrier_lost", "carrier_lost"},
    {T30_ERR_RX_T2EXPFAX, "carrier_lost", "carrier_lost"},
    {T30_ERR_RX_T2EXPMPS, "carrier_lost", "carrier_lost"},
    {T30_ERR_RX_T2EXPRR, "page_transfer_failed", "page_transfer_failed"},
    {T30_ERR_RX_T2EXP, "training_failed", "training_failed"},
    {T30_ERR_RX_DCNWHY, "disconnected", "disconnected"},
    {T30_ERR_RX_DCNDATA, "disconnected", "disconnected"},
    {T30_ERR_RX_DCNFAX, "disconnected", "disconnected"},
    {T30_ERR_RX_DCNPHD, "disconnected", "disconnected"},
    {T30_ERR_RX_DCNRRD, "disconnected", "disconnected"},
    {T30_ERR_RX_DCNNORTN, "page_transfer_failed", "page_transfer_failed"},
    {T30_ERR_FILEERROR, "internal", "internal"},
    {T30_ERR_NOPAGE, "internal", "internal"},
    {T30_ERR_BADTIFF, "internal", "internal"},
    {T30_ERR_BADPAGE, "internal", "internal"},
    {T30_ERR_BADTAG, "internal", "internal"},
    {T30_ERR_BADTIFFHDR, "internal", "internal"},
    {T30_ERR_NOMEM, "internal", "internal"},
    {T30_ERR_RETRYDCN, "training_failed", "training_failed"},
    {T30_ERR_CALLDROPPED, "disconnected", "disconnected"},
    {T30_ERR_NOPOLL, "capability_mismatch", "capability_mismatch"},
    {T30_ERR_IDENT_UNACCEPTABLE, "remote_auth_required", "remote_auth_required"},
    {T30_ERR_SUB_UNACCEPTABLE, "remote_auth_required", "remote_auth_required"},
    {T30_ERR_SEP_UNACCEPTABLE, "remote_auth_required", "remote_auth_required"},
    {T30_ERR_PSA_UNACCEPTABLE, "remote_auth_required", "remote_auth_required"},
    {T30_ERR_SID_UNACCEPTABLE, "remote_auth_required", "remote_auth_required"},
    {T30_ERR_PWD_UNACCEPTABLE, "remote_auth_required", "remote_auth_required"},
    {T30_ERR_TSA_UNACCEPTABLE, "remote_auth_required", "remote_auth_required"},
    {T30_ERR_IRA_UNACCEPTABLE, "remote_auth_required", "remote_auth_required"},
    {T30_ERR_CIA_UNACCEPTABLE, "remote_auth_required", "remote_auth_required"},
    {T30_ERR_ISP_UNACCEPTABLE, "remote_auth_required", "remote_auth_required"},
    {T30_ERR_CSA_UNACCEPTABLE, "remote_auth_required", "remote_auth_required"},
};

static void every_completion_code_has_its_word(void **state)
{
    size_t i;

    (void)state;
    assert_int_equal(sizeof words / sizeof *words, T30_ERR_CSA_UNACCEPTABLE + 1);
    for (i = 0; i < sizeof words / sizeof *words; i++) {
        assert_int_equal(words[i].code, i);
        assert_string_equal(outcome_of_t30(words[i].code, true, false), words[i].sending);
        assert_string_equal(outcome_of_t30(words[i].code, false, false), words[i].receiving);
    }
    assert_string_equal(outcome_of_t30(T30_ERR_RETRYDCN, true, true), "page_transfer_failed");
    assert_string_equal(outcome_of_t30(9999, true, true), "internal");
    assert_string_equal(outcome_of_t30(-1, true, true), "internal");
}

static void what_was_confirmed_counts_more_than_how_it_ended(void **state)
{
    static const struct {
        const char *word;
        struct outcome_facts facts;
    } facts[] = {
        /* sending */
        {"success",
         {.end = OUTCOME_END_T30, .sending = true, .answered = true, .end_sent = true, .final_confirmed = true}},
        {"success",
         {.end = OUTCOME_END_HUNG_UP, .t30_result = T30_ERR_CALLDROPPED, .sending = true, .final_confirmed = true}},
        {"success", {.end = OUTCOME_END_ABORTED, .sending = true, .end_sent = true, .final_confirmed = true}},
        {"confirmation_lost", {.end = OUTCOME_END_HUNG_UP, .sending = true, .answered = true, .end_sent = true}},
        {"confirmation_lost",
         {.end = OUTCOME_END_T30, .t30_result = T30_ERR_TX_PHDDEAD, .sending = true, .end_sent = true}},
        {"confirmation_lost", {.end = OUTCOME_END_ABORTED, .sending = true, .answered = true, .end_sent = true}},
        {"page_transfer_failed", {.end = OUTCOME_END_T30, .sending = true, .answered = true, .refused_page = true}},
        {"page_transfer_failed", {.end = OUTCOME_END_HUNG_UP, .sending = true, .answered = true, .refused_page = true}},
        {"disconnected", {.end = OUTCOME_END_HUNG_UP, .sending = true, .answered = true, .pages = 3}},
        {"disconnected", {.end = OUTCOME_END_CUT, .sending = true, .answered = true}},
        {"aborted", {.end = OUTCOME_END_ABORTED, .sending = true, .answered = true, .pages = 1}},
        {"protocol_error", {.end = OUTCOME_END_REFUSED, .sending = true, .answered = true}},
        {"not_fax", {.end = OUTCOME_END_LIMIT, .sending = true}},
        {"disconnected", {.end = OUTCOME_END_LIMIT, .sending = true, .answered = true}},
        {"not_fax", {.end = OUTCOME_END_CPU, .sending = true}},
        {"media_timeout", {.end = OUTCOME_END_MEDIA_TIMEOUT, .sending = true}},
        {"internal", {.end = OUTCOME_END_DISK_ERROR, .sending = true}},
        {"storage_full", {.end = OUTCOME_END_DISK_FULL, .sending = true}},
        /* receiving */
        {"success", {.end = OUTCOME_END_T30, .answered = true, .complete = true, .pages = 2}},
        {"success", {.end = OUTCOME_END_HUNG_UP, .t30_result = T30_ERR_CALLDROPPED, .complete = true, .pages = 2}},
        {"receive_incomplete", {.end = OUTCOME_END_HUNG_UP, .answered = true, .pages = 2}},
        {"receive_incomplete",
         {.end = OUTCOME_END_T30, .t30_result = T30_ERR_RX_T2EXPFAX, .answered = true, .pages = 1}},
        {"carrier_lost", {.end = OUTCOME_END_T30, .t30_result = T30_ERR_RX_T2EXPFAX, .answered = true}},
        {"protocol_error", {.end = OUTCOME_END_REFUSED, .answered = true, .pages = 2}},
        {"storage_full", {.end = OUTCOME_END_DISK_FULL, .answered = true, .pages = 2}},
        {"aborted", {.end = OUTCOME_END_ABORTED, .answered = true, .pages = 2}},
        {"sender_not_fax", {.end = OUTCOME_END_T30, .t30_result = T30_ERR_RX_T2EXP}},
        {"training_failed", {.end = OUTCOME_END_T30, .t30_result = T30_ERR_RX_T2EXP, .answered = true}},
        {"sender_not_fax", {.end = OUTCOME_END_LIMIT}},
        {"page_transfer_failed", {.end = OUTCOME_END_T30, .t30_result = T30_ERR_RX_DCNDATA, .refused_page = true}},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof facts / sizeof *facts; i++)
        if (strcmp(outcome_decide(&facts[i].facts), facts[i].word) != 0)
            fail_msg("fact %zu: %s, not %s", i, outcome_decide(&facts[i].facts), facts[i].word);
}

static void texts_of_the_far_end_are_made_harmless(void **state)
{
    char clean[12];

    (void)state;
    assert_string_equal(record_clean_text(clean, sizeof clean, "  +1 555  "), "+1 555");
    assert_string_equal(record_clean_text(clean, sizeof clean, "a\nb\x1b\xff"), "a?b??");
    assert_string_equal(record_clean_text(clean, sizeof clean, "123456789012345"), "12345678901");
    assert_string_equal(record_clean_text(clean, sizeof clean, "   "), "");
    assert_string_equal(record_clean_text(clean, sizeof clean, NULL), "");
}

static void resolutions_are_told_in_dots_an_inch(void **state)
{
    char text[RECORD_RESOLUTION_SIZE];

    (void)state;
    assert_string_equal(record_resolution(text, T4_X_RESOLUTION_R8, T4_Y_RESOLUTION_STANDARD), "204x98");
    assert_string_equal(record_resolution(text, T4_X_RESOLUTION_R8, T4_Y_RESOLUTION_FINE), "204x196");
    assert_string_equal(record_resolution(text, T4_X_RESOLUTION_R8, T4_Y_RESOLUTION_SUPERFINE), "204x391");
    assert_string_equal(record_resolution(text, T4_X_RESOLUTION_300, T4_Y_RESOLUTION_300), "300x300");
    assert_string_equal(record_resolution(text, T4_X_RESOLUTION_R16, T4_Y_RESOLUTION_SUPERFINE), "408x391");
    assert_string_equal(record_resolution(text, 0, 0), "");
}

static void fill_trace(struct trace *trace, unsigned frames, int length)
{
    uint8_t frame[64] = {0xFF, 0x13, 0xBD};
    unsigned i;

    memset(trace, 0, sizeof *trace);
    for (i = 0; i < frames; i++)
        trace_add(trace, i, i % 2, frame, length);
}

static long long time_of(const json_t *frames, size_t index)
{
    return json_integer_value(json_object_get(json_array_get(frames, index), "at_ms"));
}

static void a_trace_keeps_its_start_and_its_end(void **state)
{
    static struct trace trace;
    unsigned omitted;
    json_t *frames;

    (void)state;
    fill_trace(&trace, 1000, 3);
    frames = trace_to_json(&trace, 1000000, &omitted);
    assert_int_equal(json_array_size(frames), 400);
    assert_int_equal(omitted, 600);
    assert_int_equal(time_of(frames, 0), 0);
    assert_int_equal(time_of(frames, 99), 99);
    assert_int_equal(time_of(frames, 100), 700);
    assert_int_equal(time_of(frames, 399), 999);
    json_decref(frames);
    fill_trace(&trace, 7, 3);
    frames = trace_to_json(&trace, 1000000, &omitted);
    assert_int_equal(json_array_size(frames), 7);
    assert_int_equal(omitted, 0);
    assert_string_equal(json_string_value(json_object_get(json_array_get(frames, 0), "name")), "PPR");
    assert_string_equal(json_string_value(json_object_get(json_array_get(frames, 0), "hex")), "ff13bd");
    assert_string_equal(json_string_value(json_object_get(json_array_get(frames, 1), "dir")), "received");
    json_decref(frames);
}

static void image_data_is_no_part_of_a_trace(void **state)
{
    static struct trace trace;
    const uint8_t fcd[] = {0xFF, 0x03, 0x06, 0x00, 0x00}, rcp[] = {0xFF, 0x03, 0x86};

    (void)state;
    memset(&trace, 0, sizeof trace);
    trace_add(&trace, 0, true, fcd, sizeof fcd);
    trace_add(&trace, 0, true, rcp, sizeof rcp);
    assert_int_equal(trace.count, 0);
}

/* The worst that a call can leave: a thousand long frames, every text at its longest. */
static void a_record_has_room_in_a_message(void **state)
{
    static struct trace trace;
    char message[RECORD_MESSAGE_SIZE];
    struct record record = {.facts = {.end = OUTCOME_END_REFUSED, .t30_result = T30_ERR_RX_T2EXP, .sending = true},
                            .mode = "class1",
                            .message = message,
                            .negotiated = true,
                            .modem = "V.27ter",
                            .encoding = T4_COMPRESSION_ITU_T6,
                            .remote_station_id = "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
                            .local_station_id = "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
                            .subaddress = "\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\",
                            .rate_bps = 14400,
                            .x_resolution = 47244,
                            .y_resolution = 47244,
                            .width = 10000,
                            .line_ms = 3600000000,
                            .answered_at_ms = INT64_MAX,
                            .ended_at_ms = INT64_MAX};
    json_t *object;
    char *text;

    (void)state;
    memset(message, '"', sizeof message);
    message[sizeof message - 1] = '\0';
    fill_trace(&trace, 1000, 60);
    trace.frames[0].at_ms = INT64_MAX;
    object = record_to_json(&record, &trace);
    text = json_dumps(object, JSON_COMPACT);
    assert_non_null(text);
    assert_in_range(strlen(text), 30000, RECORD_BYTES_MAX);
    assert_true(json_integer_value(json_object_get(object, "frames_omitted")) > 600);
    free(text);
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_completion_code_has_its_word),
        cmocka_unit_test(what_was_confirmed_counts_more_than_how_it_ended),
        cmocka_unit_test(texts_of_the_far_end_are_made_harmless),
        cmocka_unit_test(resolutions_are_told_in_dots_an_inch),
        cmocka_unit_test(a_trace_keeps_its_start_and_its_end),
        cmocka_unit_test(image_data_is_no_part_of_a_trace),
        cmocka_unit_test(a_record_has_room_in_a_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
