/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the rows of outgoing mails. */
#include "config.h"

#include "spool/mail.h"

#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "spool/event.h"
#include "spool/fax_state.h"
#include "spool/purge.h"
#include "spool/receipt_wish.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

#define ANNA "anna@office.example"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

static void configure(struct spool *spool, const char *alarm_to)
{
    struct mail_policy policy;
    mail_policy_default(&policy);
    policy.configured = true;
    policy.alarm_to = alarm_to;
    mail_policy_set(spool, &policy);
}

static int64_t queue(struct spool *spool, int64_t fax, int64_t delivery)
{
    struct mail mail = {.kind = MAIL_ROUTED, .to = (char *)ANNA, .fax = fax, .delivery = delivery};
    assert_int_equal(mail_queue(&mail, spool), 0);
    return mail.id;
}

static int due(struct spool *spool, int64_t *next_at)
{
    struct mail list[8];
    int count = mail_due(list, 8, next_at, spool, clock_now_ms());
    for (int i = 0; i < count; i++)
        mail_clear(&list[i]);
    return count;
}

static void addresses_are_checked(void **state)
{
    static const char *const good[] = {ANNA, "a.b+c=d@x-y.example", "o'neil@example.com", "x@localhost"};
    static const char *const bad[] = {"",
                                      "anna",
                                      "@office.example",
                                      "anna@",
                                      "a b@office.example",
                                      "anna@office..example",
                                      ".anna@office.example",
                                      "anna.@office.example",
                                      "a..b@office.example",
                                      "anna@-office.example",
                                      "anna@office-.example",
                                      "anna@office.example.",
                                      "a@b@c",
                                      "<anna@office.example>",
                                      "Anna <anna@office.example>",
                                      "anna@office.example,bela@office.example",
                                      "anna@office.example\r\nBcc: x@y.example",
                                      "\"anna\"@office.example",
                                      "anna@[127.0.0.1]",
                                      "m\xc3\xbcller@office.example"};
    char lengthy[300];
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        if (mail_address_check(good[i]) != 0)
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (mail_address_check(bad[i]) != ERR_INVALID)
            fail_msg("taken: %s", bad[i]);
    memset(lengthy, 'a', sizeof(lengthy));
    memcpy(lengthy + 60, "@", 1);
    lengthy[299] = '\0';
    assert_int_equal(mail_address_check(lengthy), ERR_INVALID);
}

static void nothing_is_queued_without_a_server(void **state)
{
    struct mail mail = {.kind = MAIL_ALARM, .to = (char *)ANNA};
    assert_false(mail_configured(spool_of(state)));
    assert_int_equal(mail_queue(&mail, spool_of(state)), ERR_UNSUPPORTED);
    configure(spool_of(state), "");
    assert_int_equal(mail_queue(&mail, spool_of(state)), 0);
    mail.to = (char *)"nobody";
    assert_int_equal(mail_queue(&mail, spool_of(state)), ERR_INVALID);
}

static void failures_are_tried_again_at_their_times_and_then_given_up(void **state)
{
    static const int delays_s[] = {5, 30, 120, 600, 1800, 3600, 3600};
    struct spool *spool = spool_of(state);
    struct mail mail;
    int64_t next_at;
    configure(spool, "");
    int64_t id = queue(spool, 0, 0);
    for (size_t i = 0; i < sizeof(delays_s) / sizeof(*delays_s); i++) {
        assert_int_equal(due(spool, &next_at), 1);
        assert_int_equal(mail_failed(spool, id, 450, "450 later", false), 0);
        assert_int_equal(due(spool, &next_at), 0);
        assert_in_range(next_at - clock_now_ms(), delays_s[i] * 1000 - 500, delays_s[i] * 1100);
        clock_shift(next_at - clock_now_ms());
    }
    clock_shift(3 * 86400 * 1000LL);
    assert_int_equal(mail_failed(spool, id, 450, "450 later", false), 0);
    assert_int_equal(mail_get(&mail, spool, id), 0);
    assert_int_equal(mail.state, MAIL_GIVEN_UP);
    assert_int_equal(mail.next_at, 0);
    assert_string_equal(mail.reason, "450 later");
    mail_clear(&mail);
    assert_int_equal(due(spool, &next_at), 0);
    assert_int_equal(next_at, 0);
}

static struct {
    int count;
    int64_t delivery, next_at;
    enum mail_told told;
    char reason[64];
} told;

static int on_end(struct spool *spool, int64_t delivery, enum mail_told what, const char *reason, int64_t next_at)
{
    (void)spool;
    told.count++;
    told.delivery = delivery;
    told.told = what;
    told.next_at = next_at;
    snprintf(told.reason, sizeof(told.reason), "%s", reason);
    return 0;
}

static void the_delivery_of_a_mail_is_told_of_each_end(void **state)
{
    struct spool *spool = spool_of(state);
    configure(spool, "");
    mail_on_end(spool, on_end);
    memset(&told, 0, sizeof(told));
    int64_t first = queue(spool, 0, 77), second = queue(spool, 0, 78), alone = queue(spool, 0, 0);
    assert_int_equal(mail_failed(spool, first, 421, "421 busy", false), 0);
    assert_int_equal(told.delivery, 77);
    assert_int_equal(told.told, MAIL_TOLD_AGAIN);
    assert_string_equal(told.reason, "421 busy");
    assert_true(told.next_at > clock_now_ms());
    assert_int_equal(mail_sent(spool, first), 0);
    assert_int_equal(told.told, MAIL_TOLD_DONE);
    assert_int_equal(mail_failed(spool, second, 550, "550 nobody", true), 0);
    assert_int_equal(told.delivery, 78);
    assert_int_equal(told.told, MAIL_TOLD_GIVEN_UP);
    assert_int_equal(mail_sent(spool, alone), 0);
    assert_int_equal(told.count, 3);
    assert_int_equal(mail_sent(spool, first), ERR_CONFLICT); /* an end is one */
}

static void what_is_canceled_is_not_sent(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t next_at;
    configure(spool, "");
    int64_t id = queue(spool, 0, 0);
    assert_int_equal(mail_cancel(spool, id, "the rule was deleted"), 0);
    assert_int_equal(due(spool, &next_at), 0);
    assert_int_equal(mail_cancel(spool, id, "again"), ERR_NOT_FOUND);
}

static void what_was_given_up_is_sent_once_more_when_somebody_asks(void **state)
{
    struct spool *spool = spool_of(state);
    struct mail mail;
    int64_t next_at;
    configure(spool, "");
    int64_t id = queue(spool, 0, 0);
    assert_int_equal(mail_get(&mail, spool, id), 0);
    assert_int_equal(mail_retry(spool, mail.public_id), ERR_CONFLICT);
    assert_int_equal(mail_failed(spool, id, 550, "550 nobody", true), 0);
    assert_int_equal(due(spool, &next_at), 0);
    clock_shift(30 * 86400 * 1000LL); /* its time begins anew */
    assert_int_equal(mail_retry(spool, mail.public_id), 0);
    assert_int_equal(due(spool, &next_at), 1);
    assert_int_equal(mail_failed(spool, id, 450, "450 later", false), 0);
    assert_int_equal(due(spool, &next_at), 0);
    assert_true(next_at > 0);
    assert_int_equal(mail_sent(spool, id), 0);
    assert_int_equal(mail_retry(spool, mail.public_id), ERR_CONFLICT);
    assert_int_equal(mail_retry(spool, "mail_none"), ERR_NOT_FOUND);
    mail_clear(&mail);
}

static void who_reads_events_does_not_learn_whom_a_mail_was_for(void **state)
{
    struct spool *spool = spool_of(state);
    const struct event_range range = {.limit = 10};
    json_t *events;
    int64_t last;
    configure(spool, "");
    int64_t id = queue(spool, 0, 0);
    assert_int_equal(mail_failed(spool, id, 550, "550 5.1.1 <Anna@office.example>: nobody; anna@office.example", true),
                     0);
    assert_int_equal(event_since(&events, &last, spool, &range), 0);
    const json_t *data = json_object_get(json_array_get(events, json_array_size(events) - 1), "data");
    assert_string_equal(json_string_value(json_object_get(data, "reason")),
                        "550 5.1.1 <the recipient>: nobody; the recipient");
    json_decref(events);
}

static void mails_go_with_their_fax(void **state)
{
    struct spool *spool = spool_of(state);
    struct fax fax;
    configure(spool, "");
    int64_t id = spool_facts_queue(spool, "+12025550123", 1);
    queue(spool, id, 0);
    queue(spool, 0, 0);
    spool_facts_read(&fax, spool, id);
    assert_int_equal(fax_state_cancel(spool, fax.public_id), 0);
    fax_clear(&fax);
    spool_facts_read(&fax, spool, id);
    assert_int_equal(purge_record(spool, &fax), 0);
    fax_clear(&fax);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM mail"), 1);
}

static void old_mails_about_no_fax_are_deleted(void **state)
{
    struct spool *spool = spool_of(state);
    configure(spool, "");
    int64_t first = queue(spool, 0, 0), second = queue(spool, 0, 0);
    assert_int_equal(mail_sent(spool, first), 0);
    assert_int_equal(mail_trim(spool, clock_now_ms() - 1000, 10), 0);
    assert_int_equal(mail_trim(spool, clock_now_ms() + 1000, 10), 1);
    assert_int_equal(spool_facts_number(spool, "SELECT id AS n FROM mail"), second);
}

static void alarms_of_one_topic_are_an_hour_apart(void **state)
{
    struct spool *spool = spool_of(state);
    json_t *first = json_pack("{s:s, s:s}", "provider", "sip", "trunk", "a");
    json_t *second = json_pack("{s:s, s:s}", "provider", "sip", "trunk", "b");
    configure(spool, "");
    assert_int_equal(event_write(spool, "trunk.down", NULL, first), 0);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM mail"), 0); /* nobody wants them */
    configure(spool, "admin@office.example");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(event_write(spool, "trunk.down", NULL, first), 0);
        assert_int_equal(event_write(spool, "trunk.up", NULL, first), 0);
        assert_int_equal(event_write(spool, "trunk.down", NULL, second), 0);
        mail_on_flood(spool, "key");
    }
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM mail"), 3);
    clock_shift(3601 * 1000LL);
    assert_int_equal(event_write(spool, "trunk.down", NULL, first), 0);
    mail_on_flood(spool, "key");
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM mail"), 5);
    json_decref(first);
    json_decref(second);
}

static void the_wish_for_a_receipt_is_read_out_of_the_options(void **state)
{
    struct receipt_wish wish;
    (void)state;
    assert_false(receipt_wish_read(&wish, NULL));
    assert_false(receipt_wish_read(&wish, ""));
    assert_false(receipt_wish_read(&wish, "{\"header\":\"the receipt\"}"));
    assert_false(receipt_wish_read(&wish, "{\"receipt\":17}"));
    assert_false(receipt_wish_read(&wish, "{\"receipt\":{\"on\":\"failed\"}}"));
    assert_true(receipt_wish_read(&wish, "{\"receipt\":{\"email\":\"" ANNA "\"}}"));
    assert_int_equal(wish.on, RECEIPT_ON_ALWAYS);
    assert_false(wish.first_page);
    assert_true(receipt_wish_read(&wish, "{\"receipt\":{\"email\":\"" ANNA
                                         "\",\"on\":\"failed\",\"attach\":true,\"language\":\"de\"}}"));
    assert_int_equal(wish.on, RECEIPT_ON_FAILED);
    assert_true(wish.attach);
    assert_string_equal(wish.language, "de");
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_checked),
        FACT(nothing_is_queued_without_a_server),
        FACT(failures_are_tried_again_at_their_times_and_then_given_up),
        FACT(the_delivery_of_a_mail_is_told_of_each_end),
        FACT(what_is_canceled_is_not_sent),
        FACT(what_was_given_up_is_sent_once_more_when_somebody_asks),
        FACT(who_reads_events_does_not_learn_whom_a_mail_was_for),
        FACT(mails_go_with_their_fax),
        FACT(old_mails_about_no_fax_are_deleted),
        FACT(alarms_of_one_topic_are_an_hour_apart),
        cmocka_unit_test(the_wish_for_a_receipt_is_read_out_of_the_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
