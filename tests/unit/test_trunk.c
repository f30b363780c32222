/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about trunks: what is taken of a provider's answer, what is not, and what is told of it. */
#include "server/trunk.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/event.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UP   "{\"trunks\":[{\"name\":\"office\",\"state\":\"up\"}]}"
#define DOWN "{\"trunks\":[{\"name\":\"office\",\"state\":\"down\",\"reason\":\"503\"}]}"

struct world {
    void *facts; /* of the spool */
    struct spool *spool;
    struct trunk_table *table;
};

static int setup(void **state)
{
    struct world *world = xcalloc(1, sizeof *world);

    spool_facts_setup(&world->facts);
    world->spool = ((struct spool_facts *)world->facts)->spool;
    trunk_table_new(&world->table);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    trunk_table_free(world->table);
    spool_facts_teardown(&world->facts);
    free(world);
    return 0;
}

static int take(struct world *world, const char *text)
{
    return trunk_take(world->table, world->spool, "pbx", text);
}

static int count_of(struct world *world, const char *type)
{
    char *sql = xasprintf("SELECT count(*) AS n FROM event WHERE type = '%s'", type);
    int count = (int)spool_facts_number(world->spool, sql);

    free(sql);
    return count;
}

static void an_answer_is_shown_as_it_is(void **state)
{
    struct world *world = *state;
    const struct trunk *trunk;
    json_t *shown;

    assert_int_equal(take(world, "{\"trunks\":[{\"name\":\"office\",\"state\":\"up\",\"reason\":\"registered\","
                                 "\"since_ms\":1795222800000,\"registrar\":\"sip:a\",\"kind\":\"register\",\"calls\":2,"
                                 "\"calls_total\":40,\"failures_total\":3,\"last_test\":{\"at_ms\":1795222800000,"
                                 "\"ok\":true,\"status\":200,\"reason\":\"OK\",\"rtt_ms\":3},\"unheard_of\":1},"
                                 "{\"name\":\"b\",\"state\":\"registering\",\"last_test\":null}]}"),
                     0);
    assert_int_equal(trunk_count(world->table), 2);
    trunk = trunk_find(world->table, "pbx", "office");
    assert_ptr_equal(trunk, trunk_at(world->table, 0));
    shown = trunk_json(trunk);
    assert_string_equal(json_string_value(json_object_get(shown, "id")), "pbx/office");
    assert_string_equal(json_string_value(json_object_get(shown, "since")), "2026-11-21T01:00:00.000Z");
    assert_int_equal(json_integer_value(json_object_get(shown, "calls_total")), 40);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(shown, "last_test"), "rtt_ms")), 3);
    json_decref(shown);
    shown = trunk_json(trunk_find(world->table, "pbx", "b"));
    assert_string_equal(json_string_value(json_object_get(shown, "state")), "registering");
    assert_true(json_is_null(json_object_get(shown, "last_test")) && json_is_null(json_object_get(shown, "since")));
    json_decref(shown);
    assert_null(trunk_find(world->table, "pbx", "c"));
    assert_null(trunk_find(world->table, "other", "office"));
}

static void an_answer_that_is_wrong_changes_nothing(void **state)
{
    static const char *const wrong[] = {
        "",
        "[]",
        "{}",
        "{\"trunks\":{}}",
        "{\"trunks\":[5]}",
        "{\"trunks\":[{\"state\":\"up\"}]}",
        "{\"trunks\":[{\"name\":\"\",\"state\":\"up\"}]}",
        "{\"trunks\":[{\"name\":\"a/b\",\"state\":\"up\"}]}",
        "{\"trunks\":[{\"name\":\"a\\\"b\",\"state\":\"up\"}]}",
        "{\"trunks\":[{\"name\":\"a\\nb\",\"state\":\"up\"}]}",
        "{\"trunks\":[{\"name\":\"a\"}]}",
        "{\"trunks\":[{\"name\":\"a\",\"state\":\"fine\"}]}",
        "{\"trunks\":[{\"name\":\"a\",\"state\":\"up\",\"reason\":5}]}",
        "{\"trunks\":[{\"name\":\"a\",\"state\":\"up\",\"calls\":-1}]}",
        "{\"trunks\":[{\"name\":\"a\",\"state\":\"up\",\"calls\":1.5}]}",
        "{\"trunks\":[{\"name\":\"a\",\"state\":\"up\",\"since_ms\":999999999999999999}]}",
        "{\"trunks\":[{\"name\":\"a\",\"state\":\"up\",\"last_test\":true}]}",
        "{\"trunks\":[{\"name\":\"a\",\"state\":\"up\",\"last_test\":{\"ok\":true}}]}",
        "{\"trunks\":[{\"name\":\"a\",\"state\":\"up\"},{\"name\":\"a\",\"state\":\"down\"}]}",
        "{\"trunks\":[],\"lines\":\"unavailable\",\"lines_reason\":5}",
    };
    struct world *world = *state;
    json_t *many = json_pack("{s:[]}", "trunks");
    char *text;

    assert_int_equal(take(world, UP), 0);
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        if (take(world, wrong[i]) != ERR_INVALID)
            fail_msg("taken: %s", wrong[i]);
    for (int i = 0; i < TRUNKS_MAX + 1; i++)
        json_array_append_new(json_object_get(many, "trunks"),
                              json_pack("{s:o, s:s}", "name", json_sprintf("t%d", i), "state", "down"));
    text = json_dumps(many, 0);
    assert_int_equal(take(world, text), ERR_INVALID);
    free(text);
    text = xasprintf("{\"trunks\":[{\"name\":\"%064d\",\"state\":\"up\"}]}", 1);
    assert_int_equal(take(world, text), ERR_INVALID);
    free(text);
    json_decref(many);
    assert_int_equal(trunk_count(world->table), 1);
    assert_int_equal(trunk_at(world->table, 0)->state, TRUNK_UP);
    assert_int_equal(count_of(world, "trunk.down"), 0);
}

static void a_change_is_told_once(void **state)
{
    struct world *world = *state;

    assert_int_equal(take(world, UP), 0); /* as it should be: no news */
    assert_int_equal(count_of(world, "trunk.up"), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(take(world, DOWN), 0);
    assert_int_equal(count_of(world, "trunk.down"), 1);
    assert_int_equal(take(world, "{\"trunks\":[{\"name\":\"office\",\"state\":\"registering\"}]}"), 0);
    assert_int_equal(count_of(world, "trunk.up"), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(take(world, UP), 0);
    assert_int_equal(count_of(world, "trunk.up"), 1);
    assert_int_equal(count_of(world, "trunk.down"), 1);
}

static void a_restart_tells_nothing_twice_and_forgets_nothing(void **state)
{
    struct world *world = *state;

    assert_int_equal(take(world, DOWN), 0); /* a trunk that is down from the start is news */
    assert_int_equal(count_of(world, "trunk.down"), 1);
    spool_facts_turn(world->spool);
    trunk_table_free(world->table);
    trunk_table_new(&world->table);
    assert_int_equal(take(world, DOWN), 0);
    assert_int_equal(count_of(world, "trunk.down"), 1);
    assert_int_equal(take(world, UP), 0);
    assert_int_equal(count_of(world, "trunk.up"), 1);
}

static void a_provider_that_is_gone_has_no_trunk_up(void **state)
{
    struct world *world = *state;

    trunk_lose(world->table, "pbx"); /* never heard of */
    assert_int_equal(take(world, "{\"trunks\":[{\"name\":\"a\",\"state\":\"up\",\"calls\":3},"
                                 "{\"name\":\"b\",\"state\":\"disabled\"}],\"lines\":\"unavailable\"}"),
                     0);
    assert_string_equal(trunk_blocks_lines(world->table, "pbx"), "");
    trunk_lose(world->table, "pbx");
    assert_int_equal(trunk_at(world->table, 0)->state, TRUNK_DOWN);
    assert_int_equal(trunk_at(world->table, 0)->calls, 0);
    assert_int_equal(trunk_at(world->table, 1)->state, TRUNK_DISABLED);
    assert_null(trunk_blocks_lines(world->table, "pbx"));
    assert_int_equal(count_of(world, "trunk.down"), 0);
}

static void lines_wait_while_the_provider_says_so(void **state)
{
    struct world *world = *state;

    assert_null(trunk_blocks_lines(world->table, "pbx"));
    assert_int_equal(take(world, "{\"trunks\":[],\"lines\":\"unavailable\",\"lines_reason\":\"no trunk is up\"}"), 0);
    assert_string_equal(trunk_blocks_lines(world->table, "pbx"), "no trunk is up");
    assert_int_equal(take(world, "{\"trunks\":[5]}"), ERR_INVALID); /* what is wrong changes that neither */
    assert_string_equal(trunk_blocks_lines(world->table, "pbx"), "no trunk is up");
    assert_int_equal(take(world, UP), 0);
    assert_null(trunk_blocks_lines(world->table, "pbx"));
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, setup, teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(an_answer_is_shown_as_it_is),
        FACT(an_answer_that_is_wrong_changes_nothing),
        FACT(a_change_is_told_once),
        FACT(a_restart_tells_nothing_twice_and_forgets_nothing),
        FACT(a_provider_that_is_gone_has_no_trunk_up),
        FACT(lines_wait_while_the_provider_says_so),
    };
    return cmocka_run_group_tests_name("trunk", facts, NULL, NULL);
}
