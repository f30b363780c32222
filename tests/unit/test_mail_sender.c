/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about Authentication-Results, and about who may send. */
#include "config.h"

#include "contrib/mail/sender.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "contrib/mail/mail.h"
#include "contrib/mail/message.h"
#include "contrib/mail/settings.h"
#include "tests/lib/facts.h"

static char *ids[] = {"mx.example", "mx2.example"};
static const struct words servers = {ids, 2};

static void results_of_our_server_for_the_domain_of_from_count(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool read, dmarc, spf, dkim;
        const char *user;
    } table[] = {
        {"mx.example; none", true, false, false, false, ""},
        {"mx.example 1; dmarc=pass header.from=a.example", true, true, false, false, ""},
        {"MX.example; DMARC=Pass (p=none) header.from=A.example", true, true, false, false, ""},
        {"mx.example; dmarc=pass header.from=b.example", true, false, false, false, ""},
        {"mx.example; dmarc=pass", true, false, false, false, ""},
        {"mx.example; dmarc=fail header.from=a.example", true, false, false, false, ""},
        {"mx.example; spf=pass smtp.mailfrom=x@a.example", true, false, true, false, ""},
        {"mx.example; spf=pass smtp.mailfrom=a.example", true, false, true, false, ""},
        {"mx.example; spf=pass smtp.mailfrom=x@sub.a.example", true, false, false, false, ""},
        {"mx.example; spf=pass smtp.helo=a.example", true, false, false, false, ""},
        {"mx.example; spf=softfail smtp.mailfrom=a.example", true, false, false, false, ""},
        {"mx.example; dkim=pass header.d=a.example", true, false, false, true, ""},
        {"mx.example; dkim=pass header.i=@a.example header.s=s", true, false, false, true, ""},
        {"mx.example; dkim=pass header.d=b.example; dkim=pass header.d=a.example", true, false, false, true, ""},
        {"mx.example; dkim=pass header.d=nota.example", true, false, false, false, ""},
        {"mx.example;\r\n\tdkim=pass (2048-bit key;\r\n unprotected) header.d=a.example;\r\n\tspf=none", true, false,
         false, true, ""},
        {"mx.example ; dkim = pass header.d=a.example", true, false, false, true, ""},
        {"mx.example; dkim/1=pass header.d=a.example", true, false, false, true, ""},
        {"\"mx.example\"; dkim=pass reason=\"good; dmarc=pass\" header.d=a.example", true, false, false, true, ""},
        {"mx.example; (dmarc=pass header.from=a.example) spf=none", true, false, false, false, ""},
        {"mx.example; dkim=none reason=\"x; dmarc=pass header.from=a.example\"", true, false, false, false, ""},
        {"mx.example; auth=pass smtp.auth=alice", true, false, false, false, "alice"},
        {"mx.example; auth=fail smtp.auth=alice", true, false, false, false, ""},
        {"evil.example; dmarc=pass header.from=a.example", false, false, false, false, ""},
        {"mx.example.evil.example; dmarc=pass header.from=a.example", false, false, false, false, ""},
        {"mx.example; dmarc=pass (open header.from=a.example", true, false, false, false, ""},
        {"mx.example; dmarc=pass \"open header.from=a.example", true, false, false, false, ""},
        {"mx.example; dmarc=pass header.from=a.example; dkim=fail (\xFF)", true, false, false, false, ""},
        {"evil.example; dmarc=pass (open header.from=a.example", false, false, false, false, ""},
        {"(open mx.example; dmarc=pass header.from=a.example", true, false, false, false, ""},
        {"", false, false, false, false, ""},
        {";;;===", false, false, false, false, ""},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct auth_results results = {0};
        assert_int_equal(auth_results_add(&results, table[i].value, &servers, "a.example"), table[i].read);
        assert_int_equal(results.dmarc, table[i].dmarc);
        assert_int_equal(results.spf, table[i].spf);
        assert_int_equal(results.dkim, table[i].dkim);
        assert_string_equal(results.user, table[i].user);
    }
}

static void the_domain_that_spf_passed_for_is_kept(void **state)
{
    (void)state;
    static const struct {
        const char *value, *envelope;
    } table[] = {
        {"mx.example; spf=pass smtp.mailfrom=x@b.example", "b.example"},
        {"mx.example; spf=pass smtp.mailfrom=b.example", "b.example"},
        {"mx.example; spf=fail smtp.mailfrom=x@b.example", ""},
        {"mx.example; spf=pass smtp.helo=b.example", ""},
        {"mx.example; dkim=pass header.d=a.example smtp.mailfrom=x@b.example", ""},
        {"mx.example; dkim=none smtp.mailfrom=x@b.example; spf=pass", ""},
        {"evil.example; spf=pass smtp.mailfrom=x@b.example", ""},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct auth_results results = {0};
        auth_results_add(&results, table[i].value, &servers, "a.example");
        assert_string_equal(results.envelope, table[i].envelope);
    }
}

/* --- whole headers --- */

static struct settings settings;

static char **list(struct words *words, const char *one, const char *two)
{
    words->items = calloc(3, sizeof *words->items);
    words->items[0] = strdup(one);
    words->items[1] = two != NULL ? strdup(two) : NULL;
    words->count = two != NULL ? 2 : 1;
    return words->items;
}

static void clear_list(struct words *words)
{
    for (int i = 0; i < words->count; i++)
        free(words->items[i]);
    free(words->items);
    *words = (struct words){0};
}

static int set_up(void **state)
{
    (void)state;
    message_init();
    settings_defaults(&settings);
    struct words *words[] = {&settings.authserv_id, &settings.senders, &settings.auth_users,
                             &settings.trusted_networks};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        clear_list(words[i]);
    list(&settings.authserv_id, "mx.example", NULL);
    list(&settings.senders, "@a.example", "boss@b.example");
    list(&settings.auth_users, "alice", NULL);
    list(&settings.trusted_networks, "192.0.2.0/24", NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    settings_clear(&settings);
    return 0;
}

static void read_message(struct mail *mail, const char *message)
{
    int in = memfd_create("message", 0), out = memfd_create("documents", 0);
    assert_int_equal(write(in, message, strlen(message)), strlen(message));
    mail_init(mail);
    message_read(mail, &settings, in, out);
    close(in);
    close(out);
}

static enum sender_verdict judge(const char *message, const char *user, const char *client)
{
    char why[SENDER_WHY];
    struct mail mail;
    read_message(&mail, message);
    enum sender_verdict verdict = sender_judge(why, &mail, &settings, user, client);
    mail_clear(&mail);
    return verdict;
}

#define RESULT(server, verdict) "Authentication-Results: " server "; dmarc=" verdict " header.from=a.example\n"
#define FROM                    "From: x@a.example\n"

static void only_what_our_server_wrote_on_top_is_believed(void **state)
{
    (void)state;
    static const struct {
        const char *message;
        enum sender_verdict verdict;
    } table[] = {
        {RESULT("mx.example", "pass") FROM "\nx", SENDER_MAY},
        {"Received: by mx.example\n" RESULT("mx.example", "pass") FROM "\nx", SENDER_MAY},
        {FROM "\nx", SENDER_UNBELIEVED},
        {RESULT("evil.example", "pass") FROM "\nx", SENDER_UNBELIEVED},
        {RESULT("mx.example", "fail") RESULT("mx.example", "pass") FROM "\nx", SENDER_UNBELIEVED},
        {RESULT("mx.example", "fail") "Received: by mx.example\n" RESULT("mx.example", "pass") FROM "\nx",
         SENDER_UNBELIEVED},
        {"Received: by mx.example\nReceived: by evil.example\n" RESULT("mx.example", "pass") FROM "\nx",
         SENDER_UNBELIEVED},
        {RESULT("evil.example", "pass") RESULT("mx.example", "pass") FROM "\nx", SENDER_MAY},
        {RESULT("mx.example", "pass") "Subject: none\n\nx", SENDER_UNBELIEVED},
        {RESULT("mx.example", "pass") FROM FROM "\nx", SENDER_UNBELIEVED},
        {RESULT("mx.example", "pass") "From: x@a.example, y@a.example\n\nx", SENDER_UNBELIEVED},
        {RESULT("mx.example", "pass") "From: people: x@a.example;\n\nx", SENDER_UNBELIEVED},
        {RESULT("mx.example", "pass") "From: \"x@a.example\" <y@b.example>\n\nx", SENDER_UNBELIEVED},
        {RESULT("mx.example", "pass") "From: x@A.EXAMPLE\n\nx", SENDER_MAY},
        {"Authentication-Results: mx.example; dmarc=pass header.from=b.example\nFrom: boss@b.example\n\nx", SENDER_MAY},
        {"Authentication-Results: mx.example; dmarc=pass header.from=b.example\nFrom: temp@b.example\n\nx",
         SENDER_UNKNOWN},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++)
        assert_int_equal(judge(table[i].message, "", ""), table[i].verdict);
}

static void a_field_of_ours_that_cannot_be_read_uses_up_its_place(void **state)
{
    (void)state;
    char lengthy[AUTH_RESULTS_MAX + 1000];
    memset(lengthy, 'x', sizeof lengthy);
    lengthy[sizeof lengthy - 1] = '\0';
    const char *const broken[] = {"Authentication-Results: mx.example; dmarc=fail (open\n",
                                  "Authentication-Results: mx.example; dmarc=fail reason=\"open\n",
                                  "Authentication-Results: mx.example; dmarc=fail reason=\xFF\n",
                                  "Authentication-Results : mx.example; dmarc=fail header.from=a.example\n"};
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        char message[1000];
        snprintf(message, sizeof message, "%s%s%s\nx", broken[i], RESULT("mx.example", "pass"), FROM);
        if (judge(message, "", "") != SENDER_UNBELIEVED)
            fail_msg("believed: %s", broken[i]);
    }
    char message[sizeof lengthy + 1000];
    snprintf(message, sizeof message, "Authentication-Results: mx.example; dmarc=fail reason=%s\n%s%s\nx", lengthy,
             RESULT("mx.example", "pass"), FROM);
    assert_int_equal(judge(message, "", ""), SENDER_UNBELIEVED);
    /* A mail server that takes away fields of its name may not know this one for one of them. */
    assert_int_equal(
        judge("Authentication-Results : mx.example; dmarc=pass header.from=a.example\n" FROM "\nx", "", ""),
        SENDER_UNBELIEVED);
}

static void more_fields_of_ours_are_believed_when_the_settings_say_how_many(void **state)
{
    (void)state;
    const char *two =
        "Authentication-Results: mx.example; spf=pass smtp.mailfrom=b.example\n" RESULT("mx.example", "pass") FROM
        "\nx";
    assert_int_equal(judge(two, "", ""), SENDER_UNBELIEVED);
    settings.authserv_headers = 2;
    assert_int_equal(judge(two, "", ""), SENDER_MAY);
    settings.authserv_headers = 1;
}

static void who_signed_in_or_is_near_may_send_without_results(void **state)
{
    (void)state;
    assert_int_equal(judge(FROM "\nx", "alice", ""), SENDER_MAY);
    assert_int_equal(judge("Subject: no From\n\nx", "alice", ""), SENDER_MAY);
    assert_int_equal(judge(FROM "\nx", "mallory", ""), SENDER_UNBELIEVED);
    assert_int_equal(judge("Authentication-Results: mx.example; auth=pass smtp.auth=alice\n" FROM "\nx", "", ""),
                     SENDER_MAY);
    assert_int_equal(judge(FROM "\nx", "", "192.0.2.9"), SENDER_MAY);
    assert_int_equal(judge("From: temp@b.example\n\nx", "", "192.0.2.9"), SENDER_UNKNOWN);
    assert_int_equal(judge(FROM "\nx", "", "198.51.100.9"), SENDER_UNBELIEVED);
    assert_int_equal(judge(FROM "\nx", "", "unknown"), SENDER_UNBELIEVED);
}

static void an_envelope_sender_that_nothing_vouches_for_is_not_to_be_told(void **state)
{
    (void)state;
    static const struct {
        const char *message, *sender, *user, *client;
        bool proved;
    } table[] = {
        {RESULT("mx.example", "pass") FROM "\nx", "x@a.example", "", "", true},
        {RESULT("mx.example", "pass") FROM "\nx", "x@A.Example", "", "", true},
        {RESULT("mx.example", "pass") FROM "\nx", "X@a.example", "", "", false},
        {RESULT("mx.example", "pass") FROM "\nx", "victim@c.example", "", "", false},
        {RESULT("mx.example", "pass") FROM "\nx", "y@a.example", "", "", false},
        {RESULT("mx.example", "pass") FROM "\nx", "", "", "", false},
        {RESULT("mx.example", "fail") FROM "\nx", "x@a.example", "", "", false},
        {RESULT("evil.example", "pass") FROM "\nx", "x@a.example", "", "", false},
        {RESULT("mx.example", "pass") FROM FROM "\nx", "x@a.example", "", "", false},
        {"Authentication-Results: mx.example; spf=pass smtp.mailfrom=b@c.example\n" FROM "\nx", "b@c.example", "", "",
         true},
        {"Authentication-Results: mx.example; spf=pass smtp.mailfrom=b@c.example\n" FROM "\nx", "b@C.example", "", "",
         true},
        {"Authentication-Results: mx.example; spf=pass smtp.mailfrom=b@c.example\n" FROM "\nx", "b@sub.c.example", "",
         "", false},
        {"Authentication-Results: mx.example; spf=pass smtp.mailfrom=b@c.example\n" FROM "\nx", "x@a.example", "", "",
         false},
        {"Authentication-Results: mx.example; auth=pass smtp.auth=bob\n" FROM "\nx", "b@c.example", "", "", true},
        {FROM "\nx", "b@c.example", "bob", "", true},
        {FROM "\nx", "b@c.example", "", "192.0.2.9", true},
        {FROM "\nx", "b@c.example", "", "198.51.100.9", false},
        {FROM "\nx", "x@a.example", NULL, NULL, false},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct mail mail;
        read_message(&mail, table[i].message);
        if (sender_is_proved(&mail, &settings, table[i].sender, table[i].user, table[i].client) != table[i].proved)
            fail_msg("row %zu: %s", i, table[i].sender);
        mail_clear(&mail);
    }
}

static void what_vouches_for_the_sender_leaves_the_reader(void **state)
{
    (void)state;
    struct mail mail, copy;
    read_message(&mail, "Authentication-Results: mx.example; spf=pass smtp.mailfrom=b@c.example\n" FROM "\nx");
    json_t *json = mail_to_json(&mail);
    assert_int_equal(mail_from_json(&copy, json, 1000), 0);
    assert_true(sender_is_proved(&copy, &settings, "b@c.example", "", ""));
    json_decref(json);
    mail_clear(&mail);
    mail_clear(&copy);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(results_of_our_server_for_the_domain_of_from_count),
        cmocka_unit_test(the_domain_that_spf_passed_for_is_kept),
        cmocka_unit_test(only_what_our_server_wrote_on_top_is_believed),
        cmocka_unit_test(a_field_of_ours_that_cannot_be_read_uses_up_its_place),
        cmocka_unit_test(more_fields_of_ours_are_believed_when_the_settings_say_how_many),
        cmocka_unit_test(who_signed_in_or_is_near_may_send_without_results),
        cmocka_unit_test(an_envelope_sender_that_nothing_vouches_for_is_not_to_be_told),
        cmocka_unit_test(what_vouches_for_the_sender_leaves_the_reader),
    };
    return cmocka_run_group_tests_name("mail_sender", facts, set_up, tear_down);
}
