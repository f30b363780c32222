/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about users and what belongs to them. */
#include "config.h"

#include "spool/user.h"

#include <stdio.h>
#include <string.h>

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "spool/event.h"
#include "spool/fax_row.h"
#include "spool/key.h"
#include "spool/list.h"
#include "spool/submit.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

static struct user make(struct spool *spool, const char *name, enum user_role role)
{
    struct user user = {.role = role};
    strcpy(user.name, name);
    assert_int_equal(user_create(&user, spool, "stored form"), 0);
    return user;
}

static void roles_go_by_their_words(void **state)
{
    (void)state;
    static const char *const words[] = {"admin", "operator", "sender", "reader"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        assert_string_equal(user_role_name(user_role_from_name(words[i])), words[i]);
    assert_int_equal(user_role_from_name("king"), 0);
    assert_int_equal(user_role_from_name(NULL), 0);
    assert_string_equal(user_role_name(USER_ADMIN | USER_READER), "");
}

static void a_user_is_found_by_name_in_any_case_by_id_and_by_row(void **state)
{
    struct spool_facts *facts = *state;
    struct user ann = make(facts->spool, "Ann", USER_SENDER), found;
    char password[USER_PASSWORD_SIZE];
    assert_int_equal(strncmp(ann.public_id, "usr_", 4), 0);
    spool_facts_reopen(facts);
    assert_int_equal(user_find_name(&found, facts->spool, "aNN"), 0);
    assert_int_equal(found.id, ann.id);
    assert_string_equal(found.name, "Ann");
    assert_int_equal(user_find(&found, facts->spool, ann.public_id), 0);
    for (int i = 0; i < 2; i++) { /* from the row, then from memory */
        assert_int_equal(user_get(&found, facts->spool, ann.id), 0);
        assert_int_equal(found.role, USER_SENDER);
    }
    assert_int_equal(user_password(password, facts->spool, ann.id), 0);
    assert_string_equal(password, "stored form");
    assert_int_equal(user_find_name(&found, facts->spool, "bob"), ERR_NOT_FOUND);
    assert_int_equal(user_get(&found, facts->spool, 0), ERR_NOT_FOUND);
    assert_int_equal(user_get(&found, facts->spool, ann.id + 1), ERR_NOT_FOUND);
}

static void what_is_wrong_is_refused(void **state)
{
    static const struct {
        struct user user;
        int error;
    } table[] = {
        {{.name = "", .role = USER_READER}, ERR_INVALID},
        {{.name = "a b", .role = USER_READER}, ERR_INVALID},
        {{.name = "a\n", .role = USER_READER}, ERR_INVALID},
        {{.name = "<b>", .role = USER_READER}, ERR_INVALID},
        {{.name = "\xc3\xa4", .role = USER_READER}, ERR_INVALID},
        {{.name = "b", .role = 0}, ERR_INVALID},
        {{.name = "b", .role = USER_ADMIN | USER_READER}, ERR_INVALID},
        {{.name = "b", .role = USER_READER, .display_name = "\xff"}, ERR_INVALID},
        {{.name = "b", .role = USER_READER, .email = "\xff"}, ERR_INVALID},
        {{.name = "ANN", .role = USER_READER}, ERR_CONFLICT},
    };
    make(spool_of(state), "ann", USER_ADMIN);
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct user user = table[i].user;
        assert_int_equal(user_create(&user, spool_of(state), ""), table[i].error);
    }
    assert_int_equal(user_count(spool_of(state)), 1);
}

static void a_change_is_seen_at_once(void **state)
{
    struct spool *spool = spool_of(state);
    struct user ann = make(spool, "ann", USER_READER), found;
    make(spool, "bob", USER_READER);
    assert_int_equal(user_get(&found, spool, ann.id), 0);
    found.role = USER_SENDER;
    found.disabled = true;
    strcpy(found.display_name, "Ann");
    assert_int_equal(user_change(spool, &found), 0);
    assert_int_equal(user_get(&ann, spool, ann.id), 0);
    assert_true(ann.disabled && ann.role == USER_SENDER && strcmp(ann.display_name, "Ann") == 0);
    strcpy(found.name, "Bob");
    assert_int_equal(user_change(spool, &found), ERR_CONFLICT);
    found.id += 100;
    strcpy(found.name, "carl");
    assert_int_equal(user_change(spool, &found), ERR_NOT_FOUND);
}

static void what_an_undone_request_changed_is_not_remembered(void **state)
{
    struct spool *spool = spool_of(state);
    struct user ann = make(spool, "ann", USER_READER), found;
    spool_facts_turn(spool);
    assert_int_equal(spool_part_begin(spool), 0);
    ann.role = USER_ADMIN;
    assert_int_equal(user_change(spool, &ann), 0);
    assert_int_equal(user_get(&found, spool, ann.id), 0);
    assert_int_equal(found.role, USER_ADMIN);
    assert_int_equal(spool_part_end(spool, false), 0);
    assert_int_equal(user_get(&found, spool, ann.id), 0);
    assert_int_equal(found.role, USER_READER);
}

static void the_last_enabled_admin_stays_one(void **state)
{
    struct spool *spool = spool_of(state);
    struct user ann = make(spool, "ann", USER_ADMIN), bob = make(spool, "bob", USER_ADMIN), changed;
    bob.disabled = true;
    assert_int_equal(user_change(spool, &bob), 0);
    changed = ann;
    changed.role = USER_OPERATOR;
    assert_int_equal(user_change(spool, &changed), ERR_DENIED);
    changed = ann;
    changed.disabled = true;
    assert_int_equal(user_change(spool, &changed), ERR_DENIED);
    assert_int_equal(user_delete(spool, &ann), ERR_DENIED);
    strcpy(ann.email, "ann@example.com");
    assert_int_equal(user_change(spool, &ann), 0); /* which makes her none the less one */
    assert_int_equal(user_delete(spool, &bob), 0);
    bob = make(spool, "carl", USER_ADMIN);
    assert_int_equal(user_delete(spool, &ann), 0);
    assert_int_equal(user_count(spool), 1);
}

static void wrong_passwords_are_counted_until_a_right_one(void **state)
{
    struct spool *spool = spool_of(state);
    struct user ann = make(spool, "ann", USER_READER);
    int64_t until = clock_now_ms() + 60000;
    assert_int_equal(user_failed(spool, ann.id, 0), 0);
    assert_int_equal(user_failed(spool, ann.id, until), 0);
    assert_int_equal(user_get(&ann, spool, ann.id), 0);
    assert_int_equal(ann.failures, 2);
    assert_true(ann.locked_until == until);
    json_t *shown = user_json(&ann);
    assert_true(json_is_string(json_object_get(shown, "locked_until")));
    assert_null(json_object_get(shown, "password"));
    json_decref(shown);
    assert_int_equal(user_signed_in(spool, ann.id, 77), 0);
    assert_int_equal(user_get(&ann, spool, ann.id), 0);
    assert_true(ann.failures == 0 && ann.locked_until == 0 && ann.last_login_at == 77);
}

static int64_t send_as(struct spool *spool, const struct user *user)
{
    struct submit_request request = {.to = "11", .user = user, .priority = FAX_NORMAL};
    struct fax fax;
    request.original = spool_facts_document(spool, "an upload");
    assert_int_equal(submit(&fax, spool, &request), 0);
    int64_t id = fax.id;
    assert_string_equal(fax.user, user ? user->public_id : "");
    fax_clear(&fax);
    return id;
}

static void a_fax_and_its_events_say_whose_they_are(void **state)
{
    struct spool *spool = spool_of(state);
    struct user ann = make(spool, "ann", USER_SENDER), bob = make(spool, "bob", USER_SENDER);
    json_t *events = NULL;
    int64_t last;
    struct fax fax;
    int64_t id = send_as(spool, &ann);
    send_as(spool, &bob);
    send_as(spool, NULL);
    spool_facts_read(&fax, spool, id);
    assert_int_equal(fax.user_id, ann.id);
    assert_string_equal(fax.user, ann.public_id);
    fax_clear(&fax);
    assert_int_equal(
        event_since(&events, &last, spool, &(struct event_range){.after = 0, .limit = 100, .user = ann.id}), 0);
    assert_int_equal(json_array_size(events), 1);
    json_decref(events);
    assert_int_equal(
        event_since(&events, &last, spool, &(struct event_range){.after = last, .limit = 100, .user = ann.id}), 0);
    assert_int_equal(json_array_size(events), 0);
    json_decref(events);
}

static int listed;

static void count_page(void *context, int error, json_t *page)
{
    (void)context;
    assert_int_equal(error, 0);
    json_t *whole = json_loads(json_string_value(json_object_get(page, "text")), 0, NULL);
    listed = (int)json_array_size(json_object_get(whole, "data"));
    json_decref(whole);
}

static void a_list_can_be_of_ones_own(void **state)
{
    struct spool *spool = spool_of(state);
    struct user ann = make(spool, "ann", USER_SENDER);
    send_as(spool, &ann);
    send_as(spool, NULL);
    send_as(spool, &ann);
    spool_facts_turn(spool);
    struct list_query query = {.limit = 10, .user = ann.id};
    assert_int_equal(list_start(spool, &query, count_page, NULL), 0);
    assert_int_equal(listed, 2);
    query.user++;
    assert_int_equal(list_start(spool, &query, count_page, NULL), 0);
    assert_int_equal(listed, 0);
    query.user = 0;
    assert_int_equal(list_start(spool, &query, count_page, NULL), 0);
    assert_int_equal(listed, 3);
}

static void who_has_faxes_is_not_deleted(void **state)
{
    struct spool *spool = spool_of(state);
    struct user ann = make(spool, "ann", USER_SENDER), found;
    int64_t id = send_as(spool, &ann);
    char sql[64];
    assert_int_equal(user_delete(spool, &ann), ERR_CONFLICT);
    snprintf(sql, sizeof sql, "SELECT user_id AS n FROM fax WHERE id = %d", (int)id);
    assert_int_equal(spool_facts_number(spool, sql), ann.id);
    assert_int_equal(user_get(&found, spool, ann.id), 0);
}

static void keys_of_a_deleted_user_are_revoked(void **state)
{
    struct spool *spool = spool_of(state);
    struct user ann = make(spool, "ann", USER_SENDER);
    char token[KEY_TOKEN_SIZE], free_token[KEY_TOKEN_SIZE];
    struct key key, free_key;
    assert_int_equal(key_create(token, &key, spool, "k", KEY_ALL, false, 0), 0);
    assert_int_equal(key_give(&key, spool, &ann), 0);
    assert_int_equal(key_create(free_token, &free_key, spool, "f", KEY_ALL, false, 0), 0);
    assert_int_equal(key_check(&key, spool, token), 0);
    assert_int_equal(key.user_id, ann.id);
    assert_string_equal(key.user, ann.public_id);
    assert_int_equal(user_delete(spool, &ann), 0);
    assert_int_equal(key_check(&key, spool, token), ERR_NOT_FOUND);
    assert_int_equal(key_check(&free_key, spool, free_token), 0);
    assert_int_equal(free_key.user_id, 0);
}

static void pages_of_users_are_newest_first(void **state)
{
    struct spool *spool = spool_of(state);
    char name[8], cursor[32] = "", seen[64] = "";
    json_t *page, *user;
    size_t i;
    for (int n = 1; n <= 5; n++) {
        snprintf(name, sizeof name, "u%d", n);
        make(spool, name, USER_READER);
    }
    for (bool more = true; more;) {
        assert_int_equal(user_page(&page, spool, cursor, 2), 0);
        json_array_foreach(json_object_get(page, "data"), i, user)
            strcat(seen, json_string_value(json_object_get(user, "name")));
        more = json_is_true(json_object_get(page, "has_more"));
        if (more)
            strcpy(cursor, json_string_value(json_object_get(page, "next_cursor")));
        json_decref(page);
    }
    assert_string_equal(seen, "u5u4u3u2u1");
    assert_int_equal(user_page(&page, spool, "x", 2), ERR_INVALID);
    assert_int_equal(user_page(&page, spool, NULL, 0), ERR_INVALID);
    assert_int_equal(user_page(&page, spool, NULL, 201), ERR_INVALID);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(roles_go_by_their_words),
        FACT(a_user_is_found_by_name_in_any_case_by_id_and_by_row),
        FACT(what_is_wrong_is_refused),
        FACT(a_change_is_seen_at_once),
        FACT(what_an_undone_request_changed_is_not_remembered),
        FACT(the_last_enabled_admin_stays_one),
        FACT(wrong_passwords_are_counted_until_a_right_one),
        FACT(a_fax_and_its_events_say_whose_they_are),
        FACT(a_list_can_be_of_ones_own),
        FACT(who_has_faxes_is_not_deleted),
        FACT(keys_of_a_deleted_user_are_revoked),
        FACT(pages_of_users_are_newest_first),
    };
    return cmocka_run_group_tests_name("user", facts, NULL, NULL);
}
