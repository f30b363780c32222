/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about devices of lines: what is taken of a provider's answer, what is not, and what is told of it. */
#include "server/device.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/event.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UP     "{\"trunks\":[],\"devices\":[{\"line\":0,\"state\":\"up\"},{\"line\":1,\"state\":\"up\"}]}"
#define FAULTY "{\"trunks\":[],\"devices\":[{\"line\":1,\"state\":\"faulty\",\"reason\":\"no answer\"}]}"
#define DOWN   "{\"trunks\":[],\"devices\":[{\"line\":1,\"state\":\"down\",\"reason\":\"gone\"}]}"

struct world {
    void *facts; /* of the spool */
    struct spool *spool;
    struct line_table *lines;
    struct device_table *table;
};

static int setup(void **state)
{
    struct world *world = xcalloc(1, sizeof *world);

    spool_facts_setup(&world->facts);
    world->spool = ((struct spool_facts *)world->facts)->spool;
    device_table_new(&world->table);
    line_table_new(&world->lines);
    line_add(world->lines, &(struct line_options){.provider = "modems", .name = "a", .index = 0});
    line_add(world->lines, &(struct line_options){.provider = "modems", .name = "b", .index = 1});
    line_add(world->lines, &(struct line_options){.provider = "other", .name = "b", .index = 1});
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    device_table_free(world->table);
    line_table_free(world->lines);
    spool_facts_teardown(&world->facts);
    free(world);
    return 0;
}

static int take(struct world *world, const char *text)
{
    return device_take(world->table, world->spool, world->lines, "modems", text);
}

static const char *blocks(const struct world *world, int line)
{
    return device_blocks_line(world->table, line_at(world->lines, line));
}

static int faults(struct world *world)
{
    return (int)spool_facts_number(world->spool, "SELECT count(*) AS n FROM event WHERE type = 'channel.fault'");
}

static void a_device_is_shown_with_its_line(void **state)
{
    struct world *world = *state;
    const struct device *device;
    json_t *shown;

    assert_int_equal(take(world, "{\"trunks\":[],\"devices\":[{\"line\":1,\"state\":\"up\",\"reason\":\"\",\"device\":"
                                 "\"/dev/ttyS0\",\"model\":\"USR\",\"since_ms\":1795222800000,\"last_test\":{\"at_ms\":"
                                 "1795222800000,\"ok\":true,\"report\":\"> AT\\n< OK\\n\"},\"unheard_of\":1}]}"),
                     0);
    assert_null(device_of(world->table, line_at(world->lines, 0)));
    assert_null(device_of(world->table, line_at(world->lines, 2)));
    device = device_of(world->table, line_at(world->lines, 1));
    shown = device_json(device);
    assert_string_equal(json_string_value(json_object_get(shown, "path")), "/dev/ttyS0");
    assert_string_equal(json_string_value(json_object_get(shown, "since")), "2026-11-21T01:00:00.000Z");
    assert_true(json_is_null(json_object_get(shown, "reason")));
    assert_string_equal(json_string_value(json_object_get(json_object_get(shown, "last_test"), "report")),
                        "> AT\n< OK\n");
    json_decref(shown);
    shown = device_json(NULL);
    assert_true(json_is_null(shown));
    json_decref(shown);
}

static void a_line_waits_for_its_device(void **state)
{
    struct world *world = *state;

    assert_null(blocks(world, 1)); /* nothing was told */
    assert_int_equal(take(world, UP), 0);
    assert_null(blocks(world, 1));
    assert_int_equal(take(world, DOWN), 0);
    assert_string_equal(blocks(world, 1), "gone");
    assert_null(blocks(world, 0));
    assert_null(blocks(world, 2));
    assert_int_equal(take(world, "{\"trunks\":[],\"devices\":[{\"line\":1,\"state\":\"faulty\"}]}"), 0);
    assert_string_equal(blocks(world, 1), "faulty");
    assert_int_equal(take(world, "{\"trunks\":[]}"), 0); /* a provider without devices */
    assert_null(blocks(world, 1));
    assert_int_equal(take(world, FAULTY), 0);
    device_lose(world->table, "modems");
    device_lose(world->table, "never heard of");
    assert_null(blocks(world, 1));
}

static void a_fault_is_told_once(void **state)
{
    struct world *world = *state;

    assert_int_equal(take(world, UP), 0);
    assert_int_equal(take(world, DOWN), 0); /* unplugged: no fault */
    assert_int_equal(faults(world), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(take(world, FAULTY), 0);
    assert_int_equal(faults(world), 1);
    assert_int_equal(take(world, DOWN), 0);
    assert_int_equal(take(world, FAULTY), 0); /* still the same one */
    assert_int_equal(faults(world), 1);
    assert_int_equal(take(world, UP), 0);
    assert_int_equal(take(world, FAULTY), 0);
    assert_int_equal(faults(world), 2);
}

static void a_restart_tells_no_fault_twice(void **state)
{
    struct world *world = *state;

    assert_int_equal(take(world, FAULTY), 0); /* faulty from the start is news */
    assert_int_equal(faults(world), 1);
    spool_facts_turn(world->spool);
    device_table_free(world->table);
    device_table_new(&world->table);
    assert_int_equal(take(world, FAULTY), 0);
    assert_int_equal(faults(world), 1);
}

static void an_answer_that_is_wrong_changes_nothing(void **state)
{
    static const char *const wrong[] = {
        "",
        "[]",
        "{\"devices\":5}",
        "{\"devices\":[5]}",
        "{\"devices\":[{\"state\":\"up\"}]}",
        "{\"devices\":[{\"line\":\"0\",\"state\":\"up\"}]}",
        "{\"devices\":[{\"line\":-1,\"state\":\"up\"}]}",
        "{\"devices\":[{\"line\":99999,\"state\":\"up\"}]}",
        "{\"devices\":[{\"line\":0}]}",
        "{\"devices\":[{\"line\":0,\"state\":\"fine\"}]}",
        "{\"devices\":[{\"line\":0,\"state\":\"up\",\"reason\":5}]}",
        "{\"devices\":[{\"line\":0,\"state\":\"up\",\"since_ms\":999999999999999999}]}",
        "{\"devices\":[{\"line\":0,\"state\":\"up\",\"since_ms\":-1}]}",
        "{\"devices\":[{\"line\":0,\"state\":\"up\",\"last_test\":true}]}",
        "{\"devices\":[{\"line\":0,\"state\":\"up\",\"last_test\":{\"ok\":true}}]}",
        "{\"devices\":[{\"line\":0,\"state\":\"up\",\"last_test\":{\"at_ms\":5,\"report\":[]}}]}",
        "{\"devices\":[{\"line\":0,\"state\":\"up\"},{\"line\":0,\"state\":\"down\"}]}",
        "{\"devices\":[{\"line\":0,\"state\":\"up\",\"last_test\":{\"at_ms\":5,\"report\":\"x\"}},{\"line\":0}]}",
    };
    struct world *world = *state;

    assert_int_equal(take(world, FAULTY), 0);
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        if (take(world, wrong[i]) != ERR_INVALID)
            fail_msg("taken: %s", wrong[i]);
    assert_string_equal(blocks(world, 1), "no answer");
    assert_int_equal(faults(world), 1);
}

static void a_long_report_is_cut(void **state)
{
    struct world *world = *state;
    char *text = xasprintf(
        "{\"devices\":[{\"line\":0,\"state\":\"up\",\"last_test\":{\"at_ms\":5,\"report\":\"%09000d\"}}]}", 1);

    assert_int_equal(take(world, text), 0);
    assert_int_equal(strlen(device_of(world->table, line_at(world->lines, 0))->test.report), DEVICE_REPORT_SIZE - 1);
    free(text);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, setup, teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(a_device_is_shown_with_its_line),
        FACT(a_line_waits_for_its_device),
        FACT(a_fault_is_told_once),
        FACT(a_restart_tells_no_fault_twice),
        FACT(an_answer_that_is_wrong_changes_nothing),
        FACT(a_long_report_is_cut),
    };
    return cmocka_run_group_tests_name("device", facts, NULL, NULL);
}
