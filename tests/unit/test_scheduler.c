/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about lines, and the choice of one for a fax. */
#include "server/line.h"
#include "server/scheduler.h"
#include "spool/attempt.h"
#include "tests/lib/facts.h"

#include <stdbool.h>
#include <string.h>

static struct line *add(struct line_table *table, const char *name, const char *group)
{
    const char *const groups[] = {group, NULL};
    const struct line_options options = {.provider = "p",
                                         .name = name,
                                         .number = name,
                                         .station_id = name,
                                         .groups = groups,
                                         .index = line_count(table),
                                         .send_enabled = true,
                                         .receive_enabled = true};
    struct line *line = line_add(table, &options);

    line->open = true;
    line->state = LINE_IDLE;
    return line;
}

static struct fax fax_to(const char *number)
{
    return (struct fax){.destination = (char *)number, .line = (char *)""};
}

static int setup(void **state)
{
    struct line_table *table;

    line_table_new(&table);
    *state = table;
    return 0;
}

static int teardown(void **state)
{
    line_table_free(*state);
    return 0;
}

static void an_idle_line_of_the_group_is_chosen_in_turn(void **state)
{
    struct line_table *table = *state;
    struct line *one = add(table, "1", "a"), *two = add(table, "2", "a"), *other = add(table, "3", "b");
    struct fax fax = fax_to("99");

    assert_ptr_equal(scheduler_choose(table, "a", &fax, 0), one);
    assert_ptr_equal(scheduler_choose(table, "a", &fax, 1), two);
    assert_ptr_equal(scheduler_choose(table, "a", &fax, 2), one);
    assert_ptr_equal(scheduler_choose(table, "b", &fax, 0), other);
    assert_null(scheduler_choose(table, "c", &fax, 0));
}

static void lines_that_cannot_send_now_are_left_out(void **state)
{
    struct line_table *table = *state;
    struct line *line = add(table, "1", "a");
    struct fax fax = fax_to("99");

    line->state = LINE_BUSY;
    assert_null(scheduler_choose(table, "a", &fax, 0));
    line->state = LINE_LOST;
    assert_null(scheduler_choose(table, "a", &fax, 0));
    line->state = LINE_IDLE;
    line->open = false; /* its provider drains */
    assert_null(scheduler_choose(table, "a", &fax, 0));
    line->open = true;
    line->send_enabled = false;
    assert_null(scheduler_choose(table, "a", &fax, 0));
    line->send_enabled = true;
    line_set_unavailable(line, "no trunk is up");
    assert_null(scheduler_choose(table, "a", &fax, 0));
    assert_string_equal(line_shown_state(line), "unavailable");
    line->state = LINE_BUSY; /* a call that runs may go on */
    assert_string_equal(line_shown_state(line), "busy");
    line->state = LINE_IDLE;
    line_set_unavailable(line, NULL);
    assert_string_equal(line_shown_state(line), "idle");
    assert_ptr_equal(scheduler_choose(table, "a", &fax, 0), line);
}

static void test_faxes_and_real_ones_never_share_a_line(void **state)
{
    struct line_table *table = *state;
    struct line *real = add(table, "1", "a"), *simulated = add(table, "2", "a");
    struct fax fax = fax_to("99"), test = fax_to("99");

    simulated->simulated = true;
    test.test = true;
    for (unsigned from = 0; from < 4; from++) {
        assert_ptr_equal(scheduler_choose(table, "a", &fax, from), real);
        assert_ptr_equal(scheduler_choose(table, "a", &test, from), simulated);
    }
}

static void a_line_does_not_call_itself_while_there_are_others(void **state)
{
    struct line_table *table = *state;
    struct line *one = add(table, "1001", "a");
    struct fax fax = fax_to("1001");

    assert_ptr_equal(scheduler_choose(table, "a", &fax, 0), one); /* alone: there is nobody else */
    struct line *two = add(table, "1002", "a");
    assert_ptr_equal(scheduler_choose(table, "a", &fax, 0), two);
    two->state = LINE_BUSY;
    assert_null(scheduler_choose(table, "a", &fax, 0)); /* it will be idle again */
    two->send_enabled = false;
    assert_ptr_equal(scheduler_choose(table, "a", &fax, 0), one);
}

static void after_a_line_failed_another_is_tried(void **state)
{
    struct line_table *table = *state;
    struct line *one = add(table, "1", "a"), *two = add(table, "2", "a");
    struct fax fax = fax_to("99");

    fax.line = (char *)"p/1";
    assert_ptr_equal(scheduler_choose(table, "a", &fax, 0), one); /* the last call was fine */
    fax.outcome = OUTCOME_LINE_UNAVAILABLE;
    assert_ptr_equal(scheduler_choose(table, "a", &fax, 0), two);
    fax.outcome = OUTCOME_NO_DIAL_TONE;
    assert_ptr_equal(scheduler_choose(table, "a", &fax, 0), two);
    two->state = LINE_BUSY;
    assert_ptr_equal(scheduler_choose(table, "a", &fax, 0), one); /* better than none */
}

static void a_job_is_found_by_its_number_as_long_as_it_lasts(void **state)
{
    struct line_table *table = *state;
    struct line *one = add(table, "1", "a"), *two = add(table, "2", "a");
    const struct attempt attempt = {.id = 7}, same_bucket = {.id = 7 + 1024};
    const struct fax fax = {.public_id = "fax_1", .direction = FAX_OUTBOUND, .destination = (char *)"99"};

    line_job_begin(table, one, &attempt, &fax);
    line_job_begin(table, two, &same_bucket, &fax);
    assert_string_equal(one->job.peer, "99");
    assert_ptr_equal(line_by_job(table, 7), one);
    assert_ptr_equal(line_by_job(table, 7 + 1024), two);
    assert_int_equal(one->state, LINE_BUSY);
    line_job_end(table, one);
    assert_null(line_by_job(table, 7));
    assert_ptr_equal(line_by_job(table, 7 + 1024), two);
    assert_int_equal(one->state, LINE_IDLE);
    two->state = LINE_LOST;
    line_job_end(table, two);
    assert_int_equal(two->state, LINE_LOST); /* idle it is not */
    assert_ptr_equal(line_by_id(table, "p/2"), two);
    assert_null(line_by_id(table, "p/3"));
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, setup, teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(an_idle_line_of_the_group_is_chosen_in_turn), FACT(lines_that_cannot_send_now_are_left_out),
        FACT(test_faxes_and_real_ones_never_share_a_line), FACT(a_line_does_not_call_itself_while_there_are_others),
        FACT(after_a_line_failed_another_is_tried),        FACT(a_job_is_found_by_its_number_as_long_as_it_lasts),
    };
    return cmocka_run_group_tests_name("scheduler", facts, NULL, NULL);
}
