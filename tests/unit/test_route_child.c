/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about programs that make a delivery: what is known of their end. */
#include "config.h"

#include "server/route/route_child.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/lib/facts.h"

struct ended {
    struct event_base *base;
    struct route_child_end end;
    char why[200];
};

static void on_ended(void *context, const struct route_child_end *end)
{
    struct ended *ended = context;
    ended->end = *end;
    route_child_describe(ended->why, sizeof ended->why, end);
    event_base_loopbreak(ended->base);
}

static struct ended run(const char *script)
{
    const char *const argv[] = {"sh", "-c", script, NULL}, *const environment[] = {NULL};
    struct ended ended = {.base = event_base_new()};
    const struct route_child_options options = {.base = ended.base,
                                                .program = "/bin/sh",
                                                .argv = argv,
                                                .environment = environment,
                                                .folder = "/",
                                                .input = -1,
                                                .timeout_s = 60,
                                                .done = on_ended,
                                                .context = &ended};
    struct route_child *child;
    assert_int_equal(route_child_start(&child, &options), 0);
    event_base_dispatch(ended.base);
    event_base_free(ended.base);
    return ended;
}

static void an_end_is_told_as_it_was(void **state)
{
    (void)state;
    assert_string_equal(run("exit 0").why, "it ended with status 0");
    assert_string_equal(run("echo no; exit 3").why, "it ended with status 3: no");
    assert_string_equal(run("kill -TERM $$").why, "it was ended by signal 15");
    assert_string_equal(run("exec /nowhere").why, "it ended with status 127: sh: 1: exec: /nowhere: not found");
}

static void an_end_that_nobody_knows_is_no_success(void **state)
{
    (void)state;
    signal(SIGCHLD, SIG_IGN); /* the system forgets them at once */
    struct ended ended = run("exit 0");
    signal(SIGCHLD, SIG_DFL);
    assert_false(WIFEXITED(ended.end.status));
    assert_string_equal(ended.why, "how it ended is not known");
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(an_end_is_told_as_it_was),
        cmocka_unit_test(an_end_that_nobody_knows_is_no_success),
    };
    return cmocka_run_group_tests_name("route_child", facts, NULL, NULL);
}
