/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about what is pure in the provider host: results, packets, settings, and the backlog of events. */
#include "plugins/include/faxdev.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/fsphost/backlog.h"
#include "server/fsphost/outcome.h"
#include "server/fsphost/packet.h"
#include "server/fsphost/settings.h"
#include "tests/lib/facts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

/* --- results --- */

static void success_needs_both_the_return_value_and_the_status(void **state)
{
    static const struct {
        bool ok, reported;
        DWORD status;
        enum link_result result;
        enum link_outcome word;
    } sent[] = {
        {true, true, FS_COMPLETED, LINK_RESULT_SENT, LINK_OUTCOME_NONE},
        {true, true, FS_TRANSMITTING, LINK_RESULT_SENT_UNCONFIRMED, LINK_OUTCOME_NONE},
        {true, true, 0, LINK_RESULT_SENT_UNCONFIRMED, LINK_OUTCOME_NONE},
        {true, false, 0, LINK_RESULT_SENT_UNCONFIRMED, LINK_OUTCOME_NONE},
        {true, true, FS_BUSY, LINK_RESULT_FAILED, LINK_OUTCOME_BUSY},
        {false, true, FS_COMPLETED, LINK_RESULT_FAILED, LINK_OUTCOME_FATAL_ERROR},
        {false, true, FS_NO_ANSWER, LINK_RESULT_FAILED, LINK_OUTCOME_NO_ANSWER},
        {false, true, FS_USER_ABORT, LINK_RESULT_FAILED, LINK_OUTCOME_ABORTED},
        {false, true, FS_CALL_BLACKLISTED, LINK_RESULT_FAILED, LINK_OUTCOME_BLACKLISTED},
        {false, true, 0x80000012, LINK_RESULT_FAILED, LINK_OUTCOME_UNKNOWN},
        {false, false, 0, LINK_RESULT_FAILED, LINK_OUTCOME_FATAL_ERROR},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sent); i++) {
        struct outcome outcome = outcome_of_send(sent[i].ok, sent[i].reported, sent[i].status);

        if (outcome.result != sent[i].result || outcome.word != sent[i].word)
            fail_msg("%d %d %x: result %d, word %d", sent[i].ok, sent[i].reported, sent[i].status, outcome.result,
                     outcome.word);
    }
    assert_int_equal(outcome_of_receive(true, true, FS_COMPLETED).result, LINK_RESULT_RECEIVED);
    assert_int_equal(outcome_of_receive(false, true, FS_DISCONNECTED).word, LINK_OUTCOME_DISCONNECTED);
    assert_int_equal(outcome_phase(FS_DIALING), LINK_PHASE_DIALING);
    assert_int_equal(outcome_phase(0x12345), LINK_PHASE_NONE);
}

/* --- packets --- */

struct block {
    FAX_DEV_STATUS status;
    WCHAR text[8];
};

static struct block good_block(void)
{
    struct block block = {
        .status = {.SizeOfStruct = sizeof(FAX_DEV_STATUS), .StatusId = FS_TRANSMITTING, .PageCount = 3, .ErrorCode = 7},
        .text = {'+', '1', ' ', 0xe4}};
    return block;
}

static void a_packet_is_read_with_its_texts(void **state)
{
    struct block block = good_block();
    struct packet_status status;

    (void)state;
    block.status.CSI = block.text;
    assert_int_equal(packet_read_status(&status, &block, sizeof block, sizeof block), 0);
    assert_int_equal(status.status, FS_TRANSMITTING);
    assert_int_equal(status.page, 3);
    assert_int_equal(status.error, 7);
    assert_string_equal(status.station_id, "+1 \xc3\xa4");
    assert_null(status.caller_id);
    packet_status_clear(&status);
}

static void an_older_struct_has_zeros_where_it_ends_and_a_later_one_is_cut(void **state)
{
    struct block block = good_block();
    struct packet_status status;

    (void)state;
    block.status.SizeOfStruct = 8; /* size and StatusId */
    assert_int_equal(packet_read_status(&status, &block, sizeof block, sizeof block), 0);
    assert_int_equal(status.status, FS_TRANSMITTING);
    assert_int_equal(status.page, 0);
    packet_status_clear(&status);
    block.status.SizeOfStruct = sizeof block.status + 1000;
    assert_int_equal(packet_read_status(&status, &block, sizeof block, sizeof block), 0);
    assert_int_equal(status.page, 3);
    packet_status_clear(&status);
}

static void a_packet_that_points_elsewhere_is_refused(void **state)
{
    static WCHAR outside[] = {'x', 0};
    struct packet_status status;

    (void)state;
    for (int i = 0; i < 6; i++) {
        struct block block = good_block();
        size_t size = sizeof block;

        switch (i) {
        case 0:
            block.status.CSI = outside;
            break;
        case 1: /* no end within the block */
            memset(block.text, 0x41, sizeof block.text);
            block.status.CSI = block.text;
            break;
        case 2: /* an odd address */
            block.status.CallerId = (LPWSTR)(void *)((char *)block.text + 1);
            break;
        case 3: /* just behind the end */
            block.status.RoutingInfo = block.text + 8;
            break;
        case 4:
            size = 4;
            break;
        case 5:
            block.status.SizeOfStruct = 0;
            break;
        }
        if (packet_read_status(&status, &block, size, (DWORD)size) != ERR_INVALID)
            fail_msg("case %d was taken", i);
        assert_true(err_message()[0] != '\0');
    }
}

static void a_report_with_a_wrong_text_keeps_its_status(void **state)
{
    static WCHAR outside[] = {'x', 0};
    struct block block = good_block();
    struct packet_status status;
    bool faulty = false;

    (void)state;
    block.status.StatusId = FS_COMPLETED;
    block.status.CSI = outside;
    assert_int_equal(packet_read_report(&status, &faulty, &block, sizeof block), 0);
    assert_true(faulty);
    assert_int_equal(status.status, FS_COMPLETED);
    assert_null(status.station_id);
    packet_status_clear(&status);
}

/* --- settings --- */

static void settings_are_checked_and_passed_on_as_they_are(void **state)
{
    static const char *const wrong[] = {"",
                                        "[]",
                                        "{\"start_id\":\"both\"}",
                                        "{\"start_id\":1}",
                                        "{\"dial_prefix\":\"123456789\"}",
                                        "{\"dial_prefix\":[]}",
                                        "{\"lines\":{}}",
                                        "{\"lines\":[1]}",
                                        "{\"lines\":[{\"send\":\"yes\"}]}"};
    static const char text[] = "{\"start_id\":\"full\",\"dial_prefix\":\"T\",\"other\":[1,2],"
                               "\"lines\":[{\"name\":\"a\",\"send\":false},{\"name\":\"b\",\"receive\":false}]}";
    struct settings *settings = NULL;
    char *line;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        if (settings_parse(&settings, wrong[i]) != ERR_INVALID)
            fail_msg("taken: %s", wrong[i]);
    assert_int_equal(settings_parse(&settings, text), 0);
    assert_string_equal(settings_text(settings), text);
    assert_true(settings_start_id_is_full(settings));
    assert_string_equal(settings_dial_prefix(settings), "T");
    assert_int_equal(settings_line_count(settings), 2);
    assert_false(settings_line_may_send(settings, 0));
    assert_true(settings_line_may_receive(settings, 0));
    assert_true(settings_line_may_send(settings, 1));
    assert_false(settings_line_may_receive(settings, 1));
    line = settings_line_text(settings, 1);
    assert_non_null(strstr(line, "\"b\""));
    free(line);
    assert_null(settings_line_text(settings, 2));
    settings_free(settings);
}

/* --- the backlog --- */

static void add(struct backlog *backlog, uint64_t number)
{
    const struct link_message message = {.type = LINK_STATUS, .number = number, .job = 1, .station_id = "somebody"};

    assert_int_equal(backlog_add(backlog, &message), 0);
}

static uint64_t number_of(const struct iovec *octets)
{
    char *scratch = malloc(LINK_BYTES_MAX * 2);
    struct link_message message;

    assert_int_equal(link_decode(&message, scratch, octets->iov_base, octets->iov_len), 0);
    free(scratch);
    return message.number;
}

static void events_are_kept_until_dropped_and_read_again_after_a_rewind(void **state)
{
    struct backlog *backlog = backlog_new();
    struct iovec messages[8];
    size_t empty = backlog_size(backlog);

    (void)state;
    for (uint64_t i = 1; i <= 20000; i++)
        add(backlog, i);
    assert_int_equal(backlog_end(backlog), 20000);
    for (uint64_t at = 0; at < 20000;) {
        int count = backlog_peek(backlog, messages, 8);

        assert_in_range(count, 1, 8);
        for (int i = 0; i < count; i++)
            assert_int_equal(number_of(&messages[i]), at + (uint64_t)i + 1);
        backlog_advance(backlog, count);
        at += (uint64_t)count;
    }
    assert_int_equal(backlog_peek(backlog, messages, 8), 0);
    backlog_drop(backlog, 15000);
    assert_int_equal(backlog_first(backlog), 15000);
    backlog_rewind(backlog, 15000);
    assert_true(backlog_peek(backlog, messages, 1) == 1);
    assert_int_equal(number_of(&messages[0]), 15001);
    backlog_rewind(backlog, 20000);
    backlog_drop(backlog, 20000);
    assert_true(backlog_size(backlog) <= empty + 2 * 1024 * 1024); /* memory comes back */
    add(backlog, 20001);
    assert_true(backlog_peek(backlog, messages, 1) == 1);
    assert_int_equal(number_of(&messages[0]), 20001);
    backlog_free(backlog);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(success_needs_both_the_return_value_and_the_status),
        cmocka_unit_test(a_packet_is_read_with_its_texts),
        cmocka_unit_test(an_older_struct_has_zeros_where_it_ends_and_a_later_one_is_cut),
        cmocka_unit_test(a_packet_that_points_elsewhere_is_refused),
        cmocka_unit_test(a_report_with_a_wrong_text_keeps_its_status),
        cmocka_unit_test(settings_are_checked_and_passed_on_as_they_are),
        cmocka_unit_test(events_are_kept_until_dropped_and_read_again_after_a_rewind),
    };
    return cmocka_run_group_tests_name("fsphost", facts, NULL, NULL);
}
