/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about API keys. */
#include "config.h"

#include "spool/key.h"
#include "spool/key_expiry.h"

#include <string.h>
#include <sys/socket.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

static void a_key_opens_with_its_token_only(void **state)
{
    struct spool_facts *facts = *state;
    char token[KEY_TOKEN_SIZE], wrong[KEY_TOKEN_SIZE];
    struct key made, key;
    assert_int_equal(key_create(token, &made, facts->spool, "billing", KEY_FAX_SEND | KEY_FAX_READ, false, 0), 0);
    assert_int_equal(strncmp(token, "fxk_live_", 9), 0);
    assert_int_equal(strlen(token), 9 + 32);
    for (int i = 0; i < 2; i++) { /* from the row, then from memory */
        assert_int_equal(key_check(&key, facts->spool, token), 0);
        assert_int_equal(key.id, made.id);
        assert_string_equal(key.name, "billing");
        assert_int_equal(key.scopes, KEY_FAX_SEND | KEY_FAX_READ);
        assert_false(key.test);
    }
    strcpy(wrong, token);
    wrong[40] = wrong[40] == 'x' ? 'y' : 'x';
    assert_int_equal(key_check(&key, facts->spool, wrong), ERR_NOT_FOUND);
    assert_int_equal(key_check(&key, facts->spool, ""), ERR_NOT_FOUND);
    assert_int_equal(key_check(&key, facts->spool, "fxk_live_"), ERR_NOT_FOUND);
    assert_int_equal(key_check(&key, facts->spool,
                               "fxk_live_0000000000000000000000000000000000000000000000000000000000000000000000000"),
                     ERR_NOT_FOUND);
    spool_facts_reopen(facts);
    assert_int_equal(key_check(&key, facts->spool, token), 0);
}

static void two_keys_differ_and_a_test_key_says_so(void **state)
{
    char first[KEY_TOKEN_SIZE], second[KEY_TOKEN_SIZE];
    struct key a, b;
    assert_int_equal(key_create(first, &a, spool_of(state), "a", KEY_ALL, true, 0), 0);
    assert_int_equal(key_create(second, &b, spool_of(state), "a", KEY_ALL, true, 0), 0);
    assert_string_not_equal(first, second);
    assert_string_not_equal(a.public_id, b.public_id);
    assert_int_equal(strncmp(first, "fxk_test_", 9), 0);
    assert_int_equal(key_check(&a, spool_of(state), first), 0);
    assert_true(a.test);
    assert_int_equal(key_count(spool_of(state)), 2);
}

static void the_token_is_not_in_the_store(void **state)
{
    struct spool *spool = spool_of(state);
    char token[KEY_TOKEN_SIZE], sql[256];
    struct key key;
    assert_int_equal(key_create(token, &key, spool, "a", KEY_ALL, false, 0), 0);
    strcpy(sql, "SELECT count(*) AS n FROM api_key WHERE hash LIKE '%");
    strcat(sql, token + 9);
    strcat(sql, "%' OR name LIKE '%fxk%' OR length(hash) <> 64");
    assert_int_equal(spool_facts_number(spool, sql), 0);
    json_t *shown = key_json(&key);
    assert_null(json_object_get(shown, "token"));
    assert_int_equal(json_array_size(json_object_get(shown, "scopes")), 7);
    json_decref(shown);
}

static void a_revoked_key_is_worth_nothing_at_once(void **state)
{
    struct spool *spool = spool_of(state);
    char token[KEY_TOKEN_SIZE];
    struct key key, found;
    assert_int_equal(key_create(token, &key, spool, "a", KEY_ALL, false, 0), 0);
    assert_int_equal(key_check(&found, spool, token), 0);
    assert_int_equal(key_revoke(spool, key.public_id), 0);
    assert_int_equal(key_check(&found, spool, token), ERR_NOT_FOUND);
    assert_int_equal(key_count(spool), 0);
    assert_int_equal(key_find(&found, spool, key.public_id), 0);
    assert_true(found.revoked_at > 0);
    assert_int_equal(key_revoke(spool, key.public_id), 0);
    assert_int_equal(key_revoke(spool, "key_NOT"), ERR_NOT_FOUND);
    json_t *list = keys_json(spool);
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
}

static void a_key_ends_with_its_time(void **state)
{
    struct spool *spool = spool_of(state);
    char token[KEY_TOKEN_SIZE];
    struct key key;
    assert_int_equal(key_create(token, &key, spool, "a", KEY_ALL, false, clock_now_ms() + 60000), 0);
    assert_int_equal(key_check(&key, spool, token), 0);
    clock_shift(60000);
    assert_int_equal(key_check(&key, spool, token), ERR_NOT_FOUND); /* though it is in memory */
    assert_int_equal(key_count(spool), 0);
    clock_shift(-60000);
}

static void a_key_of_an_undone_request_is_worth_nothing(void **state)
{
    struct spool *spool = spool_of(state);
    char token[KEY_TOKEN_SIZE];
    struct key key;
    assert_int_equal(spool_part_begin(spool), 0);
    assert_int_equal(key_create(token, &key, spool, "a", KEY_ALL, false, 0), 0);
    assert_int_equal(key_check(&key, spool, token), 0);
    assert_int_equal(spool_part_end(spool, false), 0);
    assert_int_equal(key_check(&key, spool, token), ERR_NOT_FOUND);
}

static void use_is_noted_once_a_minute(void **state)
{
    struct spool *spool = spool_of(state);
    char token[KEY_TOKEN_SIZE];
    struct key key, row;
    assert_int_equal(key_create(token, &key, spool, "a", KEY_ALL, false, 0), 0);
    assert_int_equal(key_check(&key, spool, token), 0);
    int64_t first = key.last_used_at;
    assert_true(first > 0);
    clock_shift(59000);
    assert_int_equal(key_check(&key, spool, token), 0);
    assert_true(key.last_used_at == first);
    clock_shift(2000);
    assert_int_equal(key_check(&key, spool, token), 0);
    clock_shift(-61000);
    assert_true(key.last_used_at >= first + 60000);
    assert_int_equal(key_find(&row, spool, key.public_id), 0);
    assert_true(row.last_used_at == key.last_used_at);
}

static void what_is_wrong_is_refused(void **state)
{
    struct spool *spool = spool_of(state);
    char token[KEY_TOKEN_SIZE], name[200];
    struct key key;
    memset(name, 'n', sizeof(name));
    name[128] = '\0';
    assert_int_equal(key_create(token, &key, spool, name, KEY_ALL, false, 0), ERR_INVALID);
    name[127] = '\0';
    assert_int_equal(key_create(token, &key, spool, name, KEY_ALL, false, 0), 0);
    assert_string_equal(key.name, name);
    assert_int_equal(key_create(token, &key, spool, NULL, KEY_ALL, false, 0), ERR_INVALID);
    assert_int_equal(key_create(token, &key, spool, "\xff", KEY_ALL, false, 0), ERR_INVALID);
    assert_int_equal(key_create(token, &key, spool, "a", 0, false, 0), ERR_INVALID);
    assert_int_equal(key_create(token, &key, spool, "a", 1u << 7, false, 0), ERR_INVALID);
}

static void scopes_go_by_their_words(void **state)
{
    static const struct {
        const char *list;
        int error;
        unsigned scopes;
    } table[] = {
        {"[\"fax:send\"]", 0, KEY_FAX_SEND},
        {"[\"fax:read\",\"config:*\",\"fax:read\"]", 0, KEY_FAX_READ | KEY_CONFIG},
        {"[\"fax:send\",\"fax:read\",\"fax:cancel\",\"document:read\",\"inbox:manage\",\"config:*\",\"audit:read\"]", 0,
         KEY_ALL},
        {"[]", ERR_INVALID, 0},
        {"{}", ERR_INVALID, 0},
        {"[\"fax:*\"]", ERR_INVALID, 0},
        {"[7]", ERR_INVALID, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        unsigned scopes;
        json_t *list = json_loads(table[i].list, 0, NULL);
        assert_int_equal(key_scopes_parse(&scopes, list), table[i].error);
        if (!table[i].error)
            assert_int_equal(scopes, table[i].scopes);
        json_decref(list);
    }
}

static void a_rotated_key_opens_with_both_tokens_until_the_overlap_ends(void **state)
{
    struct spool *spool = spool_of(state);
    char first[KEY_TOKEN_SIZE], second[KEY_TOKEN_SIZE], third[KEY_TOKEN_SIZE];
    struct key made, key;
    assert_int_equal(key_create(first, &made, spool, "a", KEY_FAX_READ, true, 0), 0);
    assert_int_equal(key_check(&key, spool, first), 0);
    assert_int_equal(key_rotate(second, &key, spool, made.public_id, 60), 0);
    assert_int_equal(key.id, made.id);
    assert_int_equal(strncmp(second, "fxk_test_", 9), 0);
    assert_string_not_equal(first, second);
    for (int i = 0; i < 2; i++) { /* from the row, then from memory */
        assert_int_equal(key_check(&key, spool, first), 0);
        assert_int_equal(key.id, made.id);
        assert_int_equal(key_check(&key, spool, second), 0);
        assert_int_equal(key.id, made.id);
    }
    clock_shift(60000);
    assert_int_equal(key_check(&key, spool, first), ERR_NOT_FOUND);
    assert_int_equal(key_check(&key, spool, second), 0);
    assert_int_equal(key_rotate(third, &key, spool, made.public_id, 60), 0);
    assert_int_equal(key_check(&key, spool, first), ERR_NOT_FOUND);
    assert_int_equal(key_check(&key, spool, second), 0);
    assert_int_equal(key_check(&key, spool, third), 0);
    clock_shift(-60000);
}

static void a_second_rotation_and_one_without_overlap_end_the_older_token(void **state)
{
    struct spool *spool = spool_of(state);
    char tokens[4][KEY_TOKEN_SIZE];
    struct key made, key;
    assert_int_equal(key_create(tokens[0], &made, spool, "a", KEY_ALL, false, 0), 0);
    assert_int_equal(key_rotate(tokens[1], &key, spool, made.public_id, 3600), 0);
    assert_int_equal(key_check(&key, spool, tokens[0]), 0);
    assert_int_equal(key_rotate(tokens[2], &key, spool, made.public_id, 3600), 0);
    assert_int_equal(key_check(&key, spool, tokens[0]), ERR_NOT_FOUND);
    assert_int_equal(key_check(&key, spool, tokens[1]), 0);
    assert_int_equal(key_rotate(tokens[3], &key, spool, made.public_id, 0), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(key_check(&key, spool, tokens[i]), ERR_NOT_FOUND);
    assert_int_equal(key_check(&key, spool, tokens[3]), 0);
    assert_int_equal(key_count(spool), 1);
    assert_int_equal(key_revoke(spool, made.public_id), 0);
    assert_int_equal(key_check(&key, spool, tokens[3]), ERR_NOT_FOUND);
    assert_int_equal(key_rotate(tokens[0], &key, spool, made.public_id, 0), ERR_CONFLICT);
    assert_int_equal(key_rotate(tokens[0], &key, spool, "key_NOT", 0), ERR_NOT_FOUND);
}

static void an_undone_rotation_leaves_the_token(void **state)
{
    struct spool *spool = spool_of(state);
    char first[KEY_TOKEN_SIZE], second[KEY_TOKEN_SIZE];
    struct key made, key;
    assert_int_equal(key_create(first, &made, spool, "a", KEY_ALL, false, 0), 0);
    assert_int_equal(spool_part_begin(spool), 0);
    assert_int_equal(key_rotate(second, &key, spool, made.public_id, 0), 0);
    assert_int_equal(key_check(&key, spool, second), 0);
    assert_int_equal(spool_part_end(spool, false), 0);
    assert_int_equal(key_check(&key, spool, second), ERR_NOT_FOUND);
    assert_int_equal(key_check(&key, spool, first), 0);
}

static void a_rule_is_kept_with_its_key(void **state)
{
    struct spool_facts *facts = *state;
    char token[KEY_TOKEN_SIZE];
    struct key_rule rule = {.allow_count = 2, .per_minute = 90};
    struct address inside = {.family = AF_INET, .octets = {10, 1, 2, 3}};
    struct address outside = {.family = AF_INET, .octets = {11, 1, 2, 3}};
    struct key key;
    assert_int_equal(cidr_parse(&rule.allow[0], "10.0.0.0/8"), 0);
    assert_int_equal(cidr_parse(&rule.allow[1], "2001:db8::/32"), 0);
    assert_int_equal(key_create(token, &key, facts->spool, "a", KEY_ALL, false, 0), 0);
    assert_true(key_rule_allows(&key.rule, &outside));
    assert_int_equal(key_check(&key, facts->spool, token), 0);
    assert_int_equal(key_bind(&key, facts->spool, &rule), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(key_check(&key, facts->spool, token), 0);
        assert_int_equal(key.rule.per_minute, 90);
        assert_true(key_rule_allows(&key.rule, &inside));
        assert_false(key_rule_allows(&key.rule, &outside));
        spool_facts_reopen(facts);
    }
    json_t *shown = key_json(&key), *networks = json_object_get(shown, "allow_from");
    assert_int_equal(json_array_size(networks), 2);
    assert_string_equal(json_string_value(json_array_get(networks, 1)), "2001:db8::/32");
    json_decref(shown);
    key_rule_from_text(&rule, "what is this");
    assert_int_equal(rule.allow_count, 3);
    assert_false(key_rule_allows(&rule, &inside));
}

static void a_key_that_ends_soon_is_told_of_once(void **state)
{
    struct spool *spool = spool_of(state);
    static const char count[] = "SELECT count(*) AS n FROM event WHERE type = 'api_key.expiring'";
    const int64_t day = 86400000;
    char token[KEY_TOKEN_SIZE];
    struct key key;
    assert_int_equal(key_create(token, &key, spool, "soon", KEY_ALL, false, clock_now_ms() + 8 * day), 0);
    assert_int_equal(key_create(token, &key, spool, "revoked", KEY_ALL, false, clock_now_ms() + 2 * day), 0);
    assert_int_equal(key_revoke(spool, key.public_id), 0);
    assert_int_equal(key_create(token, &key, spool, "never", KEY_ALL, false, 0), 0);
    assert_int_equal(key_expiry_warn(spool, 10), 0);
    clock_shift(day + 1000);
    assert_int_equal(key_expiry_warn(spool, 10), 1);
    assert_int_equal(key_expiry_warn(spool, 10), 0);
    assert_int_equal(spool_facts_number(spool, count), 1);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM event WHERE data LIKE '%\"name\":\"soon\"%'"),
                     1);
    clock_shift(-day - 1000);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(a_key_opens_with_its_token_only),
        FACT(two_keys_differ_and_a_test_key_says_so),
        FACT(the_token_is_not_in_the_store),
        FACT(a_revoked_key_is_worth_nothing_at_once),
        FACT(a_key_ends_with_its_time),
        FACT(a_key_of_an_undone_request_is_worth_nothing),
        FACT(use_is_noted_once_a_minute),
        FACT(what_is_wrong_is_refused),
        FACT(scopes_go_by_their_words),
        FACT(a_rotated_key_opens_with_both_tokens_until_the_overlap_ends),
        FACT(a_second_rotation_and_one_without_overlap_end_the_older_token),
        FACT(an_undone_rotation_leaves_the_token),
        FACT(a_rule_is_kept_with_its_key),
        FACT(a_key_that_ends_soon_is_told_of_once),
    };
    return cmocka_run_group_tests_name("key", facts, NULL, NULL);
}
