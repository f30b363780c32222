/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about sessions. */
#include "config.h"

#include "spool/session.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "spool/user.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

static int64_t make_user(struct spool *spool, const char *name)
{
    struct user user = {.role = USER_ADMIN};
    strcpy(user.name, name);
    assert_int_equal(user_create(&user, spool, ""), 0);
    return user.id;
}

static struct session make(char token[SESSION_TOKEN_SIZE], struct spool *spool, int64_t user)
{
    struct session session;
    assert_int_equal(session_create(token, &session, spool, user, "127.0.0.1", "a browser"), 0);
    return session;
}

static void a_session_opens_with_its_token_only(void **state)
{
    struct spool_facts *facts = *state;
    char token[SESSION_TOKEN_SIZE], wrong[SESSION_TOKEN_SIZE];
    int64_t user = make_user(facts->spool, "ann");
    struct session made = make(token, facts->spool, user), session;
    for (int i = 0; i < 2; i++) { /* from the row, then from memory */
        assert_int_equal(session_check(&session, facts->spool, token), 0);
        assert_int_equal(session.id, made.id);
        assert_int_equal(session.user_id, user);
        assert_string_equal(session.csrf, made.csrf);
    }
    strcpy(wrong, token);
    wrong[20] = wrong[20] == 'a' ? 'b' : 'a';
    assert_int_equal(session_check(&session, facts->spool, wrong), ERR_NOT_FOUND);
    assert_int_equal(session_check(&session, facts->spool, ""), ERR_NOT_FOUND);
    assert_int_equal(session_check(&session, facts->spool, token + 1), ERR_NOT_FOUND);
    spool_facts_reopen(facts);
    assert_int_equal(session_check(&session, facts->spool, token), 0);
    assert_string_equal(session.csrf, made.csrf);
}

static void two_sessions_share_nothing(void **state)
{
    char first[SESSION_TOKEN_SIZE], second[SESSION_TOKEN_SIZE];
    int64_t user = make_user(spool_of(state), "ann");
    struct session a = make(first, spool_of(state), user), b = make(second, spool_of(state), user);
    assert_string_not_equal(first, second);
    assert_string_not_equal(a.csrf, b.csrf);
    assert_int_equal(strlen(a.csrf), SESSION_CSRF_SIZE - 1);
    assert_null(strstr(first, a.csrf));
}

static void the_token_is_not_in_the_store(void **state)
{
    struct spool *spool = spool_of(state);
    char token[SESSION_TOKEN_SIZE], sql[256];
    make(token, spool, make_user(spool, "ann"));
    strcpy(sql, "SELECT count(*) AS n FROM session WHERE hash LIKE '%");
    strcat(sql, token + 30);
    strcat(sql, "%' OR length(hash) <> 64");
    assert_int_equal(spool_facts_number(spool, sql), 0);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM session WHERE agent = 'a browser'"), 1);
}

static void it_ends_when_it_is_not_used(void **state)
{
    struct spool *spool = spool_of(state);
    char token[SESSION_TOKEN_SIZE];
    struct session session = make(token, spool, make_user(spool, "ann"));
    clock_shift(SESSION_IDLE_MS - 60000);
    assert_int_equal(session_check(&session, spool, token), 0);
    clock_shift(SESSION_IDLE_MS - 60000); /* since it was used in between */
    assert_int_equal(session_check(&session, spool, token), 0);
    clock_shift(SESSION_IDLE_MS);
    assert_false(session_lasts(spool, session.id));
    assert_int_equal(session_check(&session, spool, token), ERR_NOT_FOUND); /* though it is in memory */
    clock_shift(-(3 * SESSION_IDLE_MS - 120000));
}

static void it_ends_in_the_end_however_much_it_is_used(void **state)
{
    struct spool *spool = spool_of(state);
    char token[SESSION_TOKEN_SIZE];
    struct session session = make(token, spool, make_user(spool, "ann"));
    int64_t step = SESSION_IDLE_MS / 2, shifted = 0;
    while (session_check(&session, spool, token) == 0 && shifted < 2 * SESSION_LIFE_MS) {
        assert_true(session.expires_at <= session.created_at + SESSION_LIFE_MS);
        clock_shift(step);
        shifted += step;
    }
    clock_shift(-shifted);
    assert_true(shifted >= SESSION_LIFE_MS && shifted < SESSION_LIFE_MS + SESSION_IDLE_MS);
}

static void its_lengths_can_be_set_and_shorter_ones_hold_at_once(void **state)
{
    struct spool *spool = spool_of(state);
    char token[SESSION_TOKEN_SIZE];
    int64_t user = make_user(spool, "ann");
    struct session session;
    session_set_lengths(spool, 600000, 1500000);
    session = make(token, spool, user);
    assert_int_equal(session.expires_at, session.created_at + 600000);
    for (int i = 1; i <= 2; i++) {
        clock_shift(500000);
        assert_int_equal(session_check(&session, spool, token), 0);
    }
    assert_int_equal(session.expires_at, session.created_at + 1500000);
    clock_shift(500001);
    assert_int_equal(session_check(&session, spool, token), ERR_NOT_FOUND);
    session = make(token, spool, user);
    clock_shift(400000);
    session_set_lengths(spool, 300000, 300000);
    assert_int_equal(session_check(&session, spool, token), ERR_NOT_FOUND);
    clock_shift(-1900001);
}

static void an_ended_one_is_worth_nothing_at_once(void **state)
{
    struct spool *spool = spool_of(state);
    char first[SESSION_TOKEN_SIZE], second[SESSION_TOKEN_SIZE], third[SESSION_TOKEN_SIZE];
    int64_t ann = make_user(spool, "ann"), bob = make_user(spool, "bob");
    struct session a = make(first, spool, ann), b = make(second, spool, ann), c = make(third, spool, bob), found;
    assert_int_equal(session_check(&found, spool, first), 0);
    assert_int_equal(session_end(spool, a.id), 0);
    assert_int_equal(session_check(&found, spool, first), ERR_NOT_FOUND);
    make(first, spool, ann);
    assert_int_equal(session_end_others(spool, ann, b.id), 0);
    assert_int_equal(session_check(&found, spool, first), ERR_NOT_FOUND);
    assert_int_equal(session_check(&found, spool, second), 0);
    assert_int_equal(session_check(&found, spool, third), 0);
    assert_true(session_lasts(spool, c.id));
    assert_int_equal(session_end_others(spool, ann, 0), 0);
    assert_int_equal(session_check(&found, spool, second), ERR_NOT_FOUND);
    assert_int_equal(session_end(spool, 12345), 0);
}

static void one_of_an_undone_request_is_worth_nothing(void **state)
{
    struct spool *spool = spool_of(state);
    char token[SESSION_TOKEN_SIZE];
    struct session session;
    int64_t user = make_user(spool, "ann");
    assert_int_equal(spool_part_begin(spool), 0);
    make(token, spool, user);
    assert_int_equal(session_check(&session, spool, token), 0);
    assert_int_equal(spool_part_end(spool, false), 0);
    assert_int_equal(session_check(&session, spool, token), ERR_NOT_FOUND);
}

static void one_too_many_ends_the_oldest(void **state)
{
    struct spool *spool = spool_of(state);
    char first[SESSION_TOKEN_SIZE], token[SESSION_TOKEN_SIZE], other[SESSION_TOKEN_SIZE];
    struct session session;
    int64_t user = make_user(spool, "ann");
    make(other, spool, make_user(spool, "bob"));
    make(first, spool, user);
    for (int i = 1; i < SESSIONS_OF_A_USER; i++)
        make(token, spool, user);
    assert_int_equal(session_check(&session, spool, first), 0);
    make(token, spool, user);
    assert_int_equal(session_check(&session, spool, first), ERR_NOT_FOUND);
    assert_int_equal(session_check(&session, spool, token), 0);
    assert_int_equal(session_check(&session, spool, other), 0);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM session"), SESSIONS_OF_A_USER + 1);
}

static void those_that_are_over_are_swept(void **state)
{
    struct spool *spool = spool_of(state);
    char token[SESSION_TOKEN_SIZE];
    struct session session;
    int64_t user = make_user(spool, "ann"), now = clock_now_ms();
    for (int i = 0; i < 3; i++)
        make(token, spool, user);
    assert_int_equal(session_trim(spool, now, 100), 0);
    clock_shift(60000);
    make(token, spool, user);
    clock_shift(-60000);
    assert_int_equal(session_trim(spool, now + SESSION_IDLE_MS + 30000, 2), 2);
    assert_int_equal(session_trim(spool, now + SESSION_IDLE_MS + 30000, 2), 1);
    assert_int_equal(session_check(&session, spool, token), 0);
}

static void use_is_noted_once_a_minute(void **state)
{
    struct spool *spool = spool_of(state);
    char token[SESSION_TOKEN_SIZE];
    struct session session = make(token, spool, make_user(spool, "ann"));
    int64_t first = session.seen_at;
    clock_shift(59000);
    assert_int_equal(session_check(&session, spool, token), 0);
    assert_true(session.seen_at == first);
    clock_shift(2000);
    assert_int_equal(session_check(&session, spool, token), 0);
    clock_shift(-61000);
    assert_true(session.seen_at >= first + 60000);
    assert_true(spool_facts_number(spool, "SELECT seen_at AS n FROM session") == session.seen_at);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(a_session_opens_with_its_token_only),
        FACT(two_sessions_share_nothing),
        FACT(the_token_is_not_in_the_store),
        FACT(it_ends_when_it_is_not_used),
        FACT(it_ends_in_the_end_however_much_it_is_used),
        FACT(its_lengths_can_be_set_and_shorter_ones_hold_at_once),
        FACT(an_ended_one_is_worth_nothing_at_once),
        FACT(one_of_an_undone_request_is_worth_nothing),
        FACT(one_too_many_ends_the_oldest),
        FACT(those_that_are_over_are_swept),
        FACT(use_is_noted_once_a_minute),
    };
    return cmocka_run_group_tests_name("session", facts, NULL, NULL);
}
