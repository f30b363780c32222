/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about inbound rules: what they compare, names of files, and what becomes of deliveries and their fax. */
#include "config.h"

#include "spool/inbound_rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "spool/attempt.h"
#include "spool/fax_state.h"
#include "spool/mail.h"
#include "spool/retention.h"
#include "spool/route_delivery.h"
#include "spool/route_fax.h"
#include "spool/route_name.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

#define FRIDAY_NOON 1795176000000 /* 2026-11-20T12:00:00Z */

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

/* --- conditions --- */

static bool in_group(void *context, const char *line, const char *group)
{
    (void)context;
    return strcmp(line, "exchange/1001") == 0 && strcmp(group, "sales") == 0;
}

static void each_condition_compares_as_a_person_means_it(void **state)
{
    static const struct {
        const char *match;
        struct inbound_facts facts;
        bool meets;
    } cases[] = {
        {"{}", {.did = ""}, true},
        {"{\"did\":\"+49 (30) 1\"}", {.did = "+49301"}, true},
        {"{\"did\":\"+49301\"}", {.did = "tel:+49-30-1"}, true},
        {"{\"did\":\"1\"}", {.did = "11"}, false},
        {"{\"did\":\"sales\"}", {.did = "sales"}, true},
        {"{\"did_prefix\":\"+\"}", {.did = "+1"}, true},
        {"{\"did_prefix\":\"+\"}", {.did = ""}, false},
        {"{\"line\":\"exchange/1001\"}", {.line = "exchange/10011"}, false},
        {"{\"group\":\"sales\"}", {.line = "exchange/1001"}, true},
        {"{\"group\":\"sales\"}", {.line = "exchange/1002"}, false},
        {"{\"from\":\"+1 202\"}", {.from = "+1202"}, true},
        {"{\"from_prefix\":\"+1\"}", {.from = "anonymous"}, false},
        {"{\"anonymous\":true}", {.from = "Anonymous"}, true},
        {"{\"anonymous\":true}", {.from = ""}, true},
        {"{\"anonymous\":false}", {.from = "bob"}, true},
        {"{\"anonymous\":false}", {.from = "restricted"}, false},
        {"{\"station_id\":\" a b \"}", {.station_id = "A B"}, true},
        {"{\"station_id\":\"a b\"}", {.station_id = "AB"}, false},
        {"{\"station_id_prefix\":\"a\"}", {.station_id = " acme"}, true},
        {"{\"subaddress\":\"12\"}", {.subaddress = "12 "}, false},
        {"{\"pages_min\":2,\"pages_max\":2}", {.pages = 2}, true},
        {"{\"pages_min\":2}", {.pages = 1}, false},
        {"{\"outcome\":\"received\"}", {.partial = true}, false},
        {"{\"outcome\":\"any\"}", {.partial = true}, true},
        {"{\"window\":{\"from\":\"11:00\",\"to\":\"13:00\",\"days\":[5],\"time_zone\":\"UTC\"}}", {.did = ""}, true},
        {"{\"window\":{\"from\":\"11:00\",\"to\":\"13:00\",\"days\":[6],\"time_zone\":\"UTC\"}}", {.did = ""}, false},
        {"{\"did\":\"1\",\"from\":\"2\"}", {.did = "1", .from = "3"}, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct route_faults faults = {0};
        struct inbound_facts facts = cases[i].facts;
        struct inbound_match match;
        char why[INBOUND_WHY_SIZE];
        json_t *object = json_loads(cases[i].match, 0, NULL);
        const char **texts[] = {&facts.did, &facts.from, &facts.station_id, &facts.subaddress, &facts.line};

        for (size_t k = 0; k < COUNT_OF(texts); k++)
            *texts[k] = *texts[k] ? *texts[k] : "";
        facts.at_ms = FRIDAY_NOON;
        facts.in_group = in_group;
        inbound_match_read(&match, object, &faults);
        assert_int_equal(faults.count, 0);
        if (inbound_match_meets(why, &match, &facts) != cases[i].meets)
            fail_msg("%s: %s", cases[i].match, why);
        assert_int_equal(*why == '\0', cases[i].meets); /* who says no says why */
        inbound_match_clear(&match);
        json_decref(object);
    }
}

static void what_is_read_is_written_and_read_again_alike(void **state)
{
    json_t *object = json_pack("{s:s, s:s, s:b, s:i, s:{s:s, s:s}}", "did", "+49 30", "station_id", "acme", "anonymous",
                               0, "pages_max", 7, "window", "from", "22:00", "to", "06:00");
    struct route_faults faults = {0};
    struct inbound_match match, again;

    (void)state;
    inbound_match_read(&match, object, &faults);
    json_t *written = inbound_match_json(&match);
    inbound_match_read(&again, written, &faults);
    json_t *rewritten = inbound_match_json(&again);
    assert_int_equal(faults.count, 0);
    assert_string_equal(again.did, "+4930");
    assert_true(json_equal(written, rewritten));
    inbound_match_clear(&match);
    inbound_match_clear(&again);
    json_decref(object);
    json_decref(written);
    json_decref(rewritten);
}

/* --- names --- */

static void no_field_leads_out_of_its_folder(void **state)
{
    static const struct {
        const char *pattern, *text, *name;
    } cases[] = {
        {"{from}-{id}", "../../etc/passwd", "_._.._etc_passwd-fax_1.pdf"},
        {"{from}{id}", ".hidden", "_hiddenfax_1.pdf"},
        {"{from} {id}", "-rf", "_rf fax_1.pdf"},
        {"{from} {id}", "", "unknown fax_1.pdf"},
        {"{from} {id}", "a\nb\xC3\xA4", "a_b__ fax_1.pdf"},
        {"{date}T{time} {pages} {line} {id}", "", "20261120T120000 3 sip_1 fax_1.pdf"},
    };
    char name[ROUTE_NAME_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct route_name_fields fields = {.id = "fax_1",
                                                 .from = cases[i].text,
                                                 .to = "",
                                                 .station_id = "",
                                                 .subaddress = "",
                                                 .line = "sip/1",
                                                 .status = "received",
                                                 .pages = 3,
                                                 .at_ms = FRIDAY_NOON,
                                                 .zone = "UTC"};
        assert_int_equal(route_name_check(cases[i].pattern), 0);
        assert_string_equal(route_name_make(name, cases[i].pattern, &fields, ".pdf"), cases[i].name);
    }
}

static void a_name_that_is_cut_is_still_the_faxes_own(void **state)
{
    const char *from = "123456789012345678901234567890123456789012345678901234567890";
    const struct route_name_fields fields = {.id = "fax_1",
                                             .from = from,
                                             .to = from,
                                             .station_id = from,
                                             .subaddress = from,
                                             .line = from,
                                             .status = from,
                                             .zone = "UTC"};
    char name[ROUTE_NAME_SIZE];
    (void)state;
    route_name_make(name, "{from}{to}{station_id}{subaddress}{line}{from}{to}{id}", &fields, ".tif");
    assert_string_equal(name, "fax_1.tif");
}

static void names_that_will_not_do_are_refused(void **state)
{
    static const char *const bad[] = {"", "x", "{date}", "a/{id}", ".{id}", "-{id}", "{id}{what}", "{id}{", "{id}\n"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(route_name_check(bad[i]), ERR_INVALID);
}

static void a_folder_may_be_written_with_slashes_behind_it(void **state)
{
    static const struct {
        const char *path, *root;
        bool lies;
    } cases[] = {
        {"/srv/fax/in", "/srv/fax", true},
        {"/srv/fax/in", "/srv/fax//", true},
        {"/srv/fax", "/srv/fax/", true},
        {"/srv/fax/", "/srv/fax", true},
        {"/srv/faxes", "/srv/fax", false},
        {"/srv/faxes", "/srv/fax/", false},
        {"/srv", "/srv/fax", false},
        {"/srv", "/", true},
        {"/", "/", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (route_path_lies_in(cases[i].path, cases[i].root) != cases[i].lies)
            fail_msg("%s in %s", cases[i].path, cases[i].root);
}

/* --- deliveries --- */

static void add_rule(struct spool *spool, const char *text)
{
    struct inbound_rule rule = {.enabled = true, .match = {.anonymous = -1}};
    struct route_policy policy = inbound_rule_policy(spool, true);
    struct route_faults faults = {0};
    json_t *methods = json_loads(text, 0, NULL);

    policy.spool = NULL;
    rule.method_count = route_methods_read(rule.methods, methods, &policy, NULL, 0, &faults);
    assert_int_equal(faults.count, 0);
    assert_int_equal(inbound_rule_create(&rule, spool), 0);
    inbound_rule_clear(&rule);
    json_decref(methods);
}

/* A fax that was received, whole or in part: its row. */
static int64_t receive_as(struct spool *spool, enum fax_state state)
{
    const struct attempt_result result = {
        .outcome = state == FAX_RECEIVED ? OUTCOME_SUCCESS : OUTCOME_RECEIVE_INCOMPLETE, .pages_confirmed = 1};
    struct attempt attempt;
    struct fax fax;
    const char *sha = spool_facts_document(spool, "pages");

    assert_int_equal(attempt_begin_inbound(&attempt, &fax, spool, "exchange", "1001", 0, "1002", "1003"), 0);
    assert_int_equal(attempt_end_inbound(spool, attempt.id, &result, sha, 1, state), 0);
    int64_t id = fax.id;
    fax_clear(&fax);
    return id;
}

static int64_t receive(struct spool *spool)
{
    return receive_as(spool, FAX_RECEIVED);
}

/* Takes what is due in the lane behind `after`, and tells how it ended. */
static void work_off(struct spool *spool, const char *after, enum route_told told, const char *reason)
{
    struct route_delivery delivery;
    assert_int_equal(route_delivery_next(&delivery, spool, after), 1);
    assert_int_equal(route_delivery_taken(spool, &delivery), 0);
    assert_int_equal(route_delivery_taken(spool, &delivery), ERR_CONFLICT);
    assert_int_equal(route_delivery_told(spool, delivery.id, told, reason, 0), 0);
    route_delivery_clear(&delivery);
}

#define TWO "[{\"type\":\"folder\",\"folder\":\"/a\"},{\"type\":\"command\",\"argv\":[\"/bin/true\"]}]"

static void a_fax_follows_its_deliveries(void **state)
{
    struct spool *spool = spool_of(state);
    bool open;
    add_rule(spool, TWO);
    int64_t id = receive(spool);
    assert_int_equal(spool_facts_state(spool, id), FAX_ROUTING);
    work_off(spool, "", ROUTE_TOLD_DONE, "stored");
    assert_int_equal(spool_facts_state(spool, id), FAX_ROUTING);
    work_off(spool, "2", ROUTE_TOLD_GIVEN_UP, "no");
    assert_int_equal(spool_facts_state(spool, id), FAX_ROUTE_FAILED);
    assert_int_equal(route_delivery_open(&open, spool, id), 0);
    assert_false(open);
    assert_non_null(strstr(spool_facts_events(spool, id), "inbound.received inbound.route_failed"));
}

static void usage_counts_a_fax_once_whatever_becomes_of_it(void **state)
{
    struct spool *spool = spool_of(state);
    add_rule(spool, TWO);
    receive(spool);
    work_off(spool, "", ROUTE_TOLD_DONE, "");
    work_off(spool, "2", ROUTE_TOLD_DONE, "");
    assert_int_equal(spool_facts_number(spool, "SELECT sum(faxes) AS n FROM usage WHERE direction = 1"), 1);
    assert_int_equal(spool_facts_number(spool, "SELECT state AS n FROM usage WHERE direction = 1"), FAX_RECEIVED);
}

static void a_fax_that_came_in_part_is_routed_as_well(void **state)
{
    struct spool *spool = spool_of(state);
    add_rule(spool, TWO);
    int64_t id = receive_as(spool, FAX_PARTIALLY_RECEIVED);
    assert_int_equal(spool_facts_state(spool, id), FAX_ROUTING);
    assert_int_equal(spool_facts_state(spool, receive_as(spool, FAX_RECEIVE_FAILED)), FAX_RECEIVE_FAILED);
    assert_int_equal(
        spool_facts_number(spool, "SELECT state AS n FROM usage WHERE direction = 1 ORDER BY state LIMIT 1"),
        FAX_PARTIALLY_RECEIVED);
}

static void retention_leaves_alone_what_still_waits(void **state)
{
    const struct retention_policy policy = {.inbound_records_days = 1, .inbound_documents_days = 1};
    struct spool *spool = spool_of(state);
    add_rule(spool, TWO);
    receive(spool);
    spool_facts_number(spool, "UPDATE fax SET ended_at = 1000 RETURNING id AS n");
    retention_set(spool, &policy);
    assert_int_equal(retention_run(spool, 10), 0);
    work_off(spool, "", ROUTE_TOLD_GIVEN_UP, "no"); /* one has failed, the other waits */
    assert_int_equal(retention_run(spool, 10), 0);
    work_off(spool, "2", ROUTE_TOLD_DONE, "");
    assert_int_equal(retention_run(spool, 10), 1);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM route_delivery"), 0);
}

static void what_a_crash_left_running_is_done_again(void **state)
{
    struct spool_facts *facts = *state;
    struct route_delivery delivery;
    add_rule(facts->spool, "[{\"type\":\"folder\",\"folder\":\"/a\"}]");
    receive(facts->spool);
    assert_int_equal(route_delivery_next(&delivery, facts->spool, ""), 1);
    assert_int_equal(route_delivery_taken(facts->spool, &delivery), 0);
    route_delivery_clear(&delivery);
    assert_int_equal(route_delivery_next(&delivery, facts->spool, ""), 0);
    spool_facts_reopen(facts);
    assert_int_equal(route_delivery_next(&delivery, facts->spool, ""), 1);
    assert_int_equal(delivery.tries, 1); /* the next one is the second */
    route_delivery_clear(&delivery);
}

static void tries_are_ever_further_apart_until_patience_ends(void **state)
{
    static const int64_t wanted_s[] = {5, 30, 120, 600, 1800, 3600, 3600};
    struct spool *spool = spool_of(state);
    struct route_delivery delivery;
    int64_t id;
    add_rule(spool, "[{\"type\":\"folder\",\"folder\":\"/a\"}]");
    id = receive(spool);
    for (size_t i = 0; i < COUNT_OF(wanted_s); i++) {
        int64_t before = clock_now_ms();
        work_off(spool, "", ROUTE_TOLD_AGAIN, "no room");
        assert_int_equal(route_delivery_next(&delivery, spool, ""), 1);
        assert_in_range(delivery.next_at - before, 1000 * wanted_s[i], 1000 * wanted_s[i] + 60000);
        route_delivery_clear(&delivery);
    }
    const struct route_patience over = {{1}, 0};
    route_patience_set(spool, &over);
    work_off(spool, "", ROUTE_TOLD_AGAIN, "no room");
    assert_int_equal(spool_facts_state(spool, id), FAX_ROUTE_FAILED);
    assert_int_equal(route_delivery_next(&delivery, spool, ""), 0);
}

static void a_lane_that_waits_hides_no_other(void **state)
{
    struct spool *spool = spool_of(state);
    struct route_delivery delivery;
    char lane[ROUTE_LANE_SIZE] = "";
    int lanes = 0;
    add_rule(spool, TWO);
    for (int i = 0; i < 5; i++)
        receive(spool);
    while (route_delivery_next(&delivery, spool, lane) == 1) {
        lanes++;
        memcpy(lane, delivery.lane, sizeof lane);
        route_delivery_clear(&delivery);
    }
    assert_int_equal(lanes, 2);
}

static void changes_of_rules_that_are_undone_are_not_held(void **state)
{
    struct spool *spool = spool_of(state);
    spool_facts_turn(spool);
    assert_int_equal(spool_part_begin(spool), 0);
    add_rule(spool, TWO);
    assert_non_null(inbound_rule_at(spool, 0));
    assert_int_equal(spool_part_end(spool, false), 0);
    assert_null(inbound_rule_at(spool, 0));
}

static void a_test_fax_is_not_routed(void **state)
{
    struct spool *spool = spool_of(state);
    const struct attempt_result result = {.outcome = OUTCOME_SUCCESS, .pages_confirmed = 1};
    struct attempt attempt;
    struct fax fax;
    add_rule(spool, TWO);
    assert_int_equal(attempt_begin_inbound(&attempt, &fax, spool, "exchange", "1001", 0, "1002", "1003"), 0);
    assert_int_equal(attempt_set_test(spool, &fax), 0);
    const char *sha = spool_facts_document(spool, "pages");
    assert_int_equal(attempt_end_inbound(spool, attempt.id, &result, sha, 1, FAX_RECEIVED), 0);
    assert_int_equal(spool_facts_state(spool, fax.id), FAX_RECEIVED);
    fax_clear(&fax);
}

static void what_cannot_be_read_is_not_taken_for_something_else(void **state)
{
    struct spool_facts *facts = *state;
    struct route_delivery delivery;
    add_rule(facts->spool, TWO);
    receive(facts->spool);
    spool_facts_number(facts->spool, "UPDATE route_delivery SET settings = '{\"type\":\"owl\"}' RETURNING id AS n");
    assert_int_equal(route_delivery_next(&delivery, facts->spool, ""), 1);
    assert_true(delivery.unreadable);
    route_delivery_clear(&delivery);
    /* A rule with no method that this version knows is off: its faxes would be routing for ever. */
    spool_facts_number(facts->spool, "UPDATE inbound_rule SET methods = '[{\"type\":\"owl\"}]' RETURNING id AS n");
    spool_facts_reopen(facts);
    assert_int_equal(spool_facts_state(facts->spool, receive(facts->spool)), FAX_RECEIVED);
}

/* --- a fax that is routed again --- */

static int64_t take(struct spool *spool, const char *after)
{
    struct route_delivery delivery;
    assert_int_equal(route_delivery_next(&delivery, spool, after), 1);
    assert_int_equal(route_delivery_taken(spool, &delivery), 0);
    int64_t id = delivery.id;
    route_delivery_clear(&delivery);
    return id;
}

static void route_again(struct spool *spool, int64_t id)
{
    struct fax fax;
    spool_facts_read(&fax, spool, id);
    assert_int_equal(route_fax_again(spool, &fax), 0);
    fax_clear(&fax);
}

static int in_state(struct spool *spool, enum route_state state)
{
    char sql[100];
    snprintf(sql, sizeof sql, "SELECT count(*) AS n FROM route_delivery WHERE state = %d", state);
    return (int)spool_facts_number(spool, sql);
}

static void a_try_of_an_earlier_round_is_the_last_one(void **state)
{
    struct spool_facts *facts = *state;
    struct spool *spool = facts->spool;
    add_rule(spool, "[{\"type\":\"folder\",\"folder\":\"/a\"}]");
    int64_t id = receive(spool), old = take(spool, "");
    route_again(spool, id);
    assert_int_equal(in_state(spool, ROUTE_WAITING), 1);
    assert_int_equal(route_delivery_told(spool, old, ROUTE_TOLD_AGAIN, "no room", 0), 0);
    assert_int_equal(in_state(spool, ROUTE_GIVEN_UP), 1);
    assert_int_equal(spool_facts_state(spool, id), FAX_ROUTING);
    take(spool, "");
    route_again(spool, id);
    spool_facts_reopen(facts); /* a crash does not bring it back either */
    spool = facts->spool;
    assert_int_equal(in_state(spool, ROUTE_WAITING), 1);
    assert_int_equal(in_state(spool, ROUTE_GIVEN_UP), 2);
    work_off(spool, "", ROUTE_TOLD_DONE, "stored");
    assert_int_equal(spool_facts_state(spool, id), FAX_ROUTED);
}

static void a_try_of_an_earlier_round_does_not_move_the_fax(void **state)
{
    struct spool *spool = spool_of(state);
    char rule[INBOUND_ID_SIZE];
    add_rule(spool, TWO);
    int64_t id = receive(spool), first = take(spool, ""), second = take(spool, "2");
    snprintf(rule, sizeof rule, "%s", inbound_rule_at(spool, 0)->public_id);
    assert_int_equal(inbound_rule_delete(spool, rule), 0);
    route_again(spool, id);
    assert_int_equal(spool_facts_state(spool, id), FAX_RECEIVED);
    assert_int_equal(route_delivery_told(spool, first, ROUTE_TOLD_DONE, "stored", 0), 0);
    assert_int_equal(spool_facts_state(spool, id), FAX_RECEIVED);
    assert_int_equal(route_delivery_told(spool, second, ROUTE_TOLD_GIVEN_UP, "no", 0), 0);
    assert_int_equal(spool_facts_state(spool, id), FAX_RECEIVED);
}

/* --- those by e-mail --- */

static int on_mail_end(struct spool *spool, int64_t delivery, enum mail_told told, const char *reason, int64_t next_at)
{
    static const enum route_told means[] = {[MAIL_TOLD_DONE] = ROUTE_TOLD_DONE,
                                            [MAIL_TOLD_AGAIN] = ROUTE_TOLD_THEIRS,
                                            [MAIL_TOLD_GIVEN_UP] = ROUTE_TOLD_GIVEN_UP};
    if (told == MAIL_TOLD_RESUMED)
        return route_delivery_resumed(spool, delivery, reason, next_at);
    return route_delivery_told(spool, delivery, means[told], reason, next_at);
}

static void begin_mail(struct spool *spool)
{
    struct mail_policy policy;
    mail_policy_default(&policy);
    policy.configured = true;
    mail_policy_set(spool, &policy);
    mail_on_end(spool, on_mail_end);
    add_rule(spool, "[{\"type\":\"email\",\"to\":\"anna@office.example\"}]");
}

/* Takes what is due in the lanes of mails: the mail. */
static struct mail take_mail(struct spool *spool, int64_t fax)
{
    struct mail mail = {.kind = MAIL_ROUTED, .to = (char *)"anna@office.example", .fax = fax};
    mail.delivery = take(spool, "2");
    assert_int_equal(mail_queue(&mail, spool), 0);
    return mail; /* nothing in it is to be freed */
}

static int count_due(struct spool *spool)
{
    struct mail due[4];
    int64_t next_at;
    int count = mail_due(due, 4, &next_at, spool, clock_now_ms());
    for (int i = 0; i < count; i++)
        mail_clear(&due[i]);
    return count;
}

static void mails_of_an_earlier_round_are_not_sent(void **state)
{
    struct spool *spool = spool_of(state);
    begin_mail(spool);
    int64_t id = receive(spool);
    struct mail old = take_mail(spool, id);
    route_again(spool, id);
    assert_int_equal(count_due(spool), 0);
    assert_int_equal(in_state(spool, ROUTE_GIVEN_UP), 1);
    struct mail mail = take_mail(spool, id);
    /* Both were under way. */
    assert_int_equal(mail_failed(spool, old.id, 450, "later", false), 0);
    assert_int_equal(mail_sent(spool, old.id), 0);
    assert_int_equal(in_state(spool, ROUTE_DELIVERED), 1);
    assert_int_equal(spool_facts_state(spool, id), FAX_ROUTING);
    assert_int_equal(mail_sent(spool, mail.id), 0);
    assert_int_equal(spool_facts_state(spool, id), FAX_ROUTED);
}

static void a_mail_that_is_sent_once_more_is_its_deliverys(void **state)
{
    struct spool *spool = spool_of(state);
    struct route_delivery delivery;
    bool open;
    begin_mail(spool);
    int64_t id = receive(spool);
    struct mail mail = take_mail(spool, id);
    assert_int_equal(mail_failed(spool, mail.id, 550, "nobody", true), 0);
    assert_int_equal(spool_facts_state(spool, id), FAX_ROUTE_FAILED);
    assert_int_equal(mail_retry(spool, mail.public_id), 0);
    assert_int_equal(spool_facts_state(spool, id), FAX_ROUTING);
    assert_int_equal(route_delivery_open(&open, spool, id), 0);
    assert_true(open);
    assert_int_equal(mail_sent(spool, mail.id), 0);
    assert_int_equal(spool_facts_state(spool, id), FAX_ROUTED);
    /* What has arrived stays so, whoever says what. */
    assert_int_equal(route_delivery_told(spool, mail.delivery, ROUTE_TOLD_GIVEN_UP, "no", 0), 0);
    assert_int_equal(route_delivery_get(&delivery, spool, mail.delivery), 0);
    assert_int_equal(delivery.state, ROUTE_DELIVERED);
    assert_int_equal(delivery.tries, 2);
    route_delivery_clear(&delivery);
    assert_int_equal(spool_facts_state(spool, id), FAX_ROUTED);
}

static void a_delivery_has_one_mail_at_a_time(void **state)
{
    struct spool *spool = spool_of(state);
    struct route_delivery delivery;
    char sql[100], public_id[ROUTE_DELIVERY_ID_SIZE];
    struct fax fax;
    begin_mail(spool);
    int64_t id = receive(spool);
    struct mail first = take_mail(spool, id);
    assert_int_equal(mail_failed(spool, first.id, 550, "nobody", true), 0);
    assert_int_equal(route_delivery_get(&delivery, spool, first.delivery), 0);
    snprintf(public_id, sizeof public_id, "%s", delivery.public_id);
    route_delivery_clear(&delivery);
    spool_facts_read(&fax, spool, id);
    assert_int_equal(route_delivery_retry(&delivery, spool, &fax, public_id), 0);
    route_delivery_clear(&delivery);
    assert_int_equal(mail_retry(spool, first.public_id), ERR_CONFLICT);
    struct mail second = take_mail(spool, id);
    assert_int_equal(mail_retry(spool, first.public_id), ERR_CONFLICT);
    assert_int_equal(mail_failed(spool, second.id, 550, "nobody", true), 0);
    assert_int_equal(mail_retry(spool, first.public_id), 0);
    assert_int_equal(mail_retry(spool, second.public_id), ERR_CONFLICT);
    snprintf(sql, sizeof sql, "SELECT count(*) AS n FROM mail WHERE state = %d", MAIL_WAITING);
    assert_int_equal(spool_facts_number(spool, sql), 1);
    fax_clear(&fax);
}

/* A mail that was sent once more before its delivery heard of such: its end is that of the fax. */
static void a_fax_whose_delivery_had_failed_is_routed_when_it_arrives(void **state)
{
    struct spool *spool = spool_of(state);
    begin_mail(spool);
    int64_t id = receive(spool);
    struct mail mail = take_mail(spool, id);
    assert_int_equal(mail_failed(spool, mail.id, 550, "nobody", true), 0);
    assert_int_equal(spool_facts_state(spool, id), FAX_ROUTE_FAILED);
    assert_int_equal(mail_sent(spool, mail.id), 0);
    assert_int_equal(spool_facts_state(spool, id), FAX_ROUTED);
    assert_non_null(strstr(spool_facts_events(spool, id), " inbound.routed"));
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(each_condition_compares_as_a_person_means_it),
        cmocka_unit_test(what_is_read_is_written_and_read_again_alike),
        cmocka_unit_test(no_field_leads_out_of_its_folder),
        cmocka_unit_test(a_name_that_is_cut_is_still_the_faxes_own),
        cmocka_unit_test(names_that_will_not_do_are_refused),
        cmocka_unit_test(a_folder_may_be_written_with_slashes_behind_it),
        FACT(a_fax_follows_its_deliveries),
        FACT(usage_counts_a_fax_once_whatever_becomes_of_it),
        FACT(a_fax_that_came_in_part_is_routed_as_well),
        FACT(retention_leaves_alone_what_still_waits),
        FACT(what_a_crash_left_running_is_done_again),
        FACT(tries_are_ever_further_apart_until_patience_ends),
        FACT(a_lane_that_waits_hides_no_other),
        FACT(changes_of_rules_that_are_undone_are_not_held),
        FACT(a_test_fax_is_not_routed),
        FACT(what_cannot_be_read_is_not_taken_for_something_else),
        FACT(a_try_of_an_earlier_round_is_the_last_one),
        FACT(a_try_of_an_earlier_round_does_not_move_the_fax),
        FACT(mails_of_an_earlier_round_are_not_sent),
        FACT(a_mail_that_is_sent_once_more_is_its_deliverys),
        FACT(a_delivery_has_one_mail_at_a_time),
        FACT(a_fax_whose_delivery_had_failed_is_routed_when_it_arrives),
    };
    return cmocka_run_group_tests_name("route_rules", facts, NULL, NULL);
}
