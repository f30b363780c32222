/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the codec of the link: what is written is read back, and nothing else is read. */
#include "config.h"

#include "server/base/err.h"
#include "server/link/link.h"
#include "tests/lib/facts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char scratch[LINK_BYTES_MAX * 2];

/* Every field set, each to a value of its own. */
static const struct link_message full = {
    .type = LINK_ENDED,
    .number = 0x0102030405060708,
    .job = UINT64_MAX,
    .pid = 4711,
    .version = LINK_VERSION,
    .line = 999,
    .device = 0xFFFFFFFF,
    .flags = LINK_FLAG_NO_RECORD,
    .phase = LINK_PHASE_FINAL,
    .status = 0x20000008,
    .error = 122,
    .page = 3,
    .result = LINK_RESULT_RECEIVED,
    .outcome = LINK_OUTCOME_UNKNOWN,
    .run = "01J",
    .text = "",
    .file = "/a/b.tif",
    .destination = "+15551234567",
    .caller_name = "Gr\xc3\xbc\xc3\x9f",
    .caller_number = "1001",
    .receiver_name = "\xf0\x9f\x93\xa0",
    .options = "{}",
    .station_id = "far end",
    .caller_id = "1",
    .routing = "2|3",
    .ring = "{\"called\":\"1002\"}",
    .record = "{\"outcome\":\"busy\"}",
};

static void texts_equal(const char *got, const char *want)
{
    if (want)
        assert_string_equal(got, want);
    else
        assert_null(got);
}

static void messages_equal(const struct link_message *got, const struct link_message *want)
{
    assert_int_equal(got->type, want->type);
    assert_true(got->number == want->number);
    assert_true(got->job == want->job);
    assert_true(got->pid == want->pid);
    assert_int_equal(got->version, want->version);
    assert_int_equal(got->line, want->line);
    assert_int_equal(got->device, want->device);
    assert_int_equal(got->flags, want->flags);
    assert_int_equal(got->phase, want->phase);
    assert_int_equal(got->status, want->status);
    assert_int_equal(got->error, want->error);
    assert_int_equal(got->page, want->page);
    assert_int_equal(got->result, want->result);
    assert_int_equal(got->outcome, want->outcome);
    texts_equal(got->run, want->run);
    texts_equal(got->text, want->text);
    texts_equal(got->file, want->file);
    texts_equal(got->destination, want->destination);
    texts_equal(got->caller_name, want->caller_name);
    texts_equal(got->caller_number, want->caller_number);
    texts_equal(got->receiver_name, want->receiver_name);
    texts_equal(got->options, want->options);
    texts_equal(got->station_id, want->station_id);
    texts_equal(got->caller_id, want->caller_id);
    texts_equal(got->routing, want->routing);
    texts_equal(got->ring, want->ring);
    texts_equal(got->record, want->record);
}

static void every_field_comes_back(void **state)
{
    (void)state;
    uint8_t octets[LINK_BYTES_MAX];
    int size = link_encode(octets, sizeof(octets), &full);
    assert_true(size > 0);
    struct link_message got;
    assert_int_equal(link_decode(&got, scratch, octets, (size_t)size), 0);
    messages_equal(&got, &full);
}

static void absent_fields_read_as_nothing(void **state)
{
    (void)state;
    uint8_t octets[LINK_BYTES_MAX];
    const struct link_message ready = {.type = LINK_READY};
    int size = link_encode(octets, sizeof(octets), &ready);
    assert_int_equal(size, 6);
    struct link_message got;
    memset(&got, 0xff, sizeof(got));
    assert_int_equal(link_decode(&got, scratch, octets, (size_t)size), 0);
    messages_equal(&got, &ready);
}

static void an_empty_text_is_not_an_absent_one(void **state)
{
    (void)state;
    uint8_t octets[64];
    const struct link_message hello = {.type = LINK_HELLO, .run = ""};
    int size = link_encode(octets, sizeof(octets), &hello);
    struct link_message got;
    assert_int_equal(link_decode(&got, scratch, octets, (size_t)size), 0);
    assert_non_null(got.run);
    assert_string_equal(got.run, "");
    assert_null(got.text);
}

static void every_type_has_a_name(void **state)
{
    (void)state;
    const enum link_type all[] = {LINK_HELLO,  LINK_SEND,        LINK_RECEIVE, LINK_REJECT, LINK_ABORT,
                                  LINK_REPORT, LINK_LINE_ENABLE, LINK_ACK,     LINK_DRAIN,  LINK_STOP,
                                  LINK_TEST,   LINK_STATE,       LINK_WELCOME, LINK_DEVICE, LINK_JOB,
                                  LINK_READY,  LINK_RING,        LINK_STATUS,  LINK_ENDED,  LINK_FAULT};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        assert_string_not_equal(link_type_name(all[i]), "unknown");
        uint8_t octets[16];
        struct link_message got;
        int size = link_encode(octets, sizeof(octets), &(struct link_message){.type = all[i]});
        assert_int_equal(link_decode(&got, scratch, octets, (size_t)size), 0);
        assert_int_equal(got.type, all[i]);
    }
    assert_string_equal(link_type_name((enum link_type)63), "unknown");
}

/* Any cut of a whole message is refused, but for cuts between two fields, which are shorter messages. */
static void no_cut_reads_past_its_end(void **state)
{
    (void)state;
    uint8_t octets[LINK_BYTES_MAX];
    int size = link_encode(octets, sizeof(octets), &full);
    for (int cut = 0; cut < size; cut++) {
        uint8_t *exact = malloc(cut ? (size_t)cut : 1); /* AddressSanitizer sees a read beyond */
        assert_non_null(exact);
        memcpy(exact, octets, (size_t)cut);
        struct link_message got;
        int result = link_decode(&got, scratch, exact, (size_t)cut);
        assert_true(result == 0 || result == ERR_INVALID);
        if (cut < 6)
            assert_int_equal(result, ERR_INVALID);
        free(exact);
    }
}

#define HEAD             "FXL\x01\x01\x00"
#define NUMBER(tag, low) tag "\x00\x08\x00\x00\x00" low "\x00\x00\x00\x00\x00\x00\x00"
#define OCTETS(text)     text, sizeof(text) - 1

static void what_is_not_a_message_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *octets;
        size_t size;
        int want;
        const char *message;
    } cases[] = {
        {OCTETS(HEAD), 0, NULL},
        {OCTETS(HEAD NUMBER("\x01", "\x05")), 0, NULL},
        {OCTETS(""), ERR_INVALID, "protocol"},
        {OCTETS("FXM\x01\x01\x00"), ERR_INVALID, "protocol"},
        {OCTETS("FXL\x02\x01\x00"), ERR_UNSUPPORTED, "version 2"},
        {OCTETS("FXL\x02\xff\xff garbage"), ERR_UNSUPPORTED, "version 2"},
        {OCTETS("FXL\x01\x00\x00"), ERR_INVALID, "unknown type 0"},
        {OCTETS("FXL\x01\x0c\x00"), ERR_INVALID, "unknown type 12"},
        {OCTETS("FXL\x01\x01\x01"), ERR_INVALID, "unknown type 257"},
        {OCTETS(HEAD "\x00\x00\x00\x00\x00\x00"), ERR_INVALID, "unknown tag 0"},
        {OCTETS(HEAD "\x1b\x00\x00\x00\x00\x00"), ERR_INVALID, "unknown tag 27"},
        {OCTETS(HEAD "\x01\x01\x00\x00\x00\x00"), ERR_INVALID, "unknown tag 257"},
        {OCTETS(HEAD "\x01\x00\x08"), ERR_INVALID, "within a field"},
        {OCTETS(HEAD "\x01\x00\x04\x00\x00\x00\x01\x02\x03\x04"), ERR_INVALID, "4 octets"},
        {OCTETS(HEAD "\x01\x00\x09\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09"), ERR_INVALID, "9 octets"},
        {OCTETS(HEAD "\x01\x00\x08\x00\x00\x00\x01\x02\x03"), ERR_INVALID, "longer than the message"},
        {OCTETS(HEAD "\x0e\x00\xff\xff\xff\xff"
                     "abc"),
         ERR_INVALID, "longer than the message"},
        {OCTETS(HEAD NUMBER("\x01", "\x05") NUMBER("\x01", "\x05")), ERR_INVALID, "twice"},
        {OCTETS(HEAD "\x05\x00\x08\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00"), ERR_INVALID, "line"},
        {OCTETS(HEAD NUMBER("\x08", "\x07")), ERR_INVALID, "phase"},
        {OCTETS(HEAD NUMBER("\x0c", "\x06")), ERR_INVALID, "result"},
        {OCTETS(HEAD NUMBER("\x0d", "\x0d")), ERR_INVALID, "outcome"},
        {OCTETS(HEAD "\x0e\x00\x03\x00\x00\x00"
                     "a\x00"
                     "b"),
         ERR_INVALID, "run"},
        {OCTETS(HEAD "\x0e\x00\x02\x00\x00\x00"
                     "\xc3("),
         ERR_INVALID, "run"},
        {OCTETS(HEAD "\x0f\x00\x03\x00\x00\x00"
                     "\xed\xa0\x80"),
         ERR_INVALID, "text"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct link_message got;
        int result = link_decode(&got, scratch, cases[i].octets, cases[i].size);
        if (result != cases[i].want || (cases[i].message && !strstr(err_message(), cases[i].message)))
            fail_msg("case %zu: got %d \"%s\", want %d \"%s\"", i, result, err_message(), cases[i].want,
                     cases[i].message);
    }
}

static void a_message_that_does_not_fit_is_not_cut(void **state)
{
    (void)state;
    uint8_t *octets = malloc(LINK_BYTES_MAX + 1);
    char *record = malloc(LINK_BYTES_MAX + 1);
    assert_true(octets && record);
    memset(record, 'r', LINK_BYTES_MAX);
    record[LINK_BYTES_MAX - 12] = '\0';
    struct link_message message = {.type = LINK_ENDED, .record = record};
    assert_int_equal(link_encode(octets, LINK_BYTES_MAX + 1, &message), LINK_BYTES_MAX);
    struct link_message got;
    assert_int_equal(link_decode(&got, scratch, octets, LINK_BYTES_MAX), 0);
    assert_string_equal(got.record, record);
    record[LINK_BYTES_MAX - 12] = 'r';
    record[LINK_BYTES_MAX - 11] = '\0';
    assert_int_equal(link_encode(octets, LINK_BYTES_MAX + 1, &message), ERR_TOO_BIG);
    assert_int_equal(link_encode(octets, 3, &(struct link_message){.type = LINK_READY}), ERR_TOO_BIG);
    int whole = link_encode(octets, LINK_BYTES_MAX, &full);
    for (int size = 0; size < whole; size++)
        assert_int_equal(link_encode(octets, (size_t)size, &full), ERR_TOO_BIG);
    free(octets);
    free(record);
}

static void a_descriptor_travels_with_its_order(void **state)
{
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct link_message got;
    int fd = 99;
    assert_int_equal(link_receive(pair[1], &got, scratch, &fd), ERR_AGAIN);
    assert_int_equal(fd, -1);
    assert_int_equal(link_send(pair[0], &full, null), 0);
    assert_int_equal(link_send(pair[0], &full, -1), 0);
    assert_int_equal(link_receive(pair[1], &got, scratch, &fd), 0);
    messages_equal(&got, &full);
    assert_true(fd >= 0 && fd != null);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
    assert_int_equal(link_receive(pair[1], &got, scratch, &fd), 0);
    assert_int_equal(fd, -1);
    close(pair[0]);
    assert_int_equal(link_receive(pair[1], &got, scratch, &fd), ERR_CLOSED);
    close(pair[1]);
    close(null);
}

static void a_refused_message_leaves_no_descriptor_open(void **state)
{
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    int before = dup(0);
    close(before);
    char garbage[] = "garbage";
    struct iovec part = {.iov_base = garbage, .iov_len = sizeof(garbage)};
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr head = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof(control.room)};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&head);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &pair[0], sizeof(int));
    assert_int_equal(sendmsg(pair[0], &head, 0), sizeof(garbage));
    struct link_message got;
    int fd = 99;
    assert_int_equal(link_receive(pair[1], &got, scratch, &fd), ERR_INVALID);
    assert_int_equal(fd, -1);
    int after = dup(0);
    assert_int_equal(after, before); /* the lowest free number is what it was */
    close(after);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_back),
        cmocka_unit_test(absent_fields_read_as_nothing),
        cmocka_unit_test(an_empty_text_is_not_an_absent_one),
        cmocka_unit_test(every_type_has_a_name),
        cmocka_unit_test(no_cut_reads_past_its_end),
        cmocka_unit_test(what_is_not_a_message_is_refused),
        cmocka_unit_test(a_message_that_does_not_fit_is_not_cut),
        cmocka_unit_test(a_descriptor_travels_with_its_order),
        cmocka_unit_test(a_refused_message_leaves_no_descriptor_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
