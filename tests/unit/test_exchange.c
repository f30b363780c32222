/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The telephone exchange of softmodem: who hears what. Waits here are for an event of another thread or for ring times
 * of a few milliseconds. */
#include "config.h"

#include "tests/lib/facts.h"

#include "plugins/softmodem/exchange.h"
#include "server/base/err.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINES   4
#define LONG_MS 60000

/* Rings heard, for each line. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t rang = PTHREAD_COND_INITIALIZER;
static int rings[LINES];

static void on_ring(void *context, int line)
{
    (void)context;
    pthread_mutex_lock(&lock);
    rings[line]++;
    pthread_cond_broadcast(&rang);
    pthread_mutex_unlock(&lock);
}

static void wait_rings(int line, int count)
{
    pthread_mutex_lock(&lock);
    while (rings[line] < count)
        pthread_cond_wait(&rang, &lock);
    pthread_mutex_unlock(&lock);
}

static int rings_of(int line)
{
    pthread_mutex_lock(&lock);
    int count = rings[line];
    pthread_mutex_unlock(&lock);
    return count;
}

/* Lines 0 to 3 with the numbers 1000 to 1003, all enabled. */
static struct exchange *exchange_with(int ring_timeout_ms, int dial_ms, bool decline)
{
    struct exchange_options options = {
        .ring_timeout_ms = ring_timeout_ms, .dial_ms = dial_ms, .decline = decline, .ring = on_ring};
    struct exchange *exchange = exchange_new(LINES, &options);
    char number[] = "1000";

    for (int i = 0; i < LINES; i++) {
        rings[i] = 0;
        number[3] = (char)('0' + i);
        assert_int_equal(exchange_set_number(exchange, i, number), 0);
        exchange_enable(exchange, i, true);
    }
    return exchange;
}

struct dialler {
    struct exchange *exchange;
    int line;
    const char *number;
    pthread_t thread;
    enum exchange_result result;
    int media;
};

static void *dial(void *context)
{
    struct dialler *dialler = context;

    dialler->result = exchange_dial(dialler->exchange, dialler->line, dialler->number, &dialler->media);
    return NULL;
}

static void dial_start(struct dialler *dialler, struct exchange *exchange, int line, const char *number)
{
    *dialler = (struct dialler){.exchange = exchange, .line = line, .number = number, .media = -1};
    assert_true(exchange_take(exchange, line));
    assert_int_equal(pthread_create(&dialler->thread, NULL, dial, dialler), 0);
}

static enum exchange_result dial_wait(struct dialler *dialler)
{
    pthread_join(dialler->thread, NULL);
    exchange_release(dialler->exchange, dialler->line);
    return dialler->result;
}

static enum exchange_result dial_once(struct exchange *exchange, int line, const char *number)
{
    struct dialler dialler;

    dial_start(&dialler, exchange, line, number);
    return dial_wait(&dialler);
}

static void an_answered_call_joins_both_ends(void **state)
{
    struct exchange *exchange = exchange_with(LONG_MS, 0, true);
    struct dialler caller;
    char octet = 0;
    int media;

    (void)state;
    dial_start(&caller, exchange, 0, "1001");
    wait_rings(1, 1);
    assert_string_equal(exchange_caller(exchange, 1), "1000");
    assert_true(exchange_take(exchange, 1));
    assert_int_equal(exchange_answer(exchange, 1, &media), EXCHANGE_CONNECTED);
    pthread_join(caller.thread, NULL);
    assert_int_equal(caller.result, EXCHANGE_CONNECTED);
    assert_int_equal(send(caller.media, "x", 1, 0), 1);
    assert_int_equal(recv(media, &octet, 1, 0), 1);
    assert_int_equal(octet, 'x');
    assert_string_equal(exchange_caller(exchange, 1), "");
    assert_int_equal(dial_once(exchange, 2, "1000"), EXCHANGE_BUSY); /* both are engaged */
    assert_int_equal(dial_once(exchange, 2, "1001"), EXCHANGE_BUSY);
    close(media);
    assert_int_equal(recv(caller.media, &octet, 1, 0), 0); /* hung up */
    close(caller.media);
    exchange_release(exchange, 0);
    exchange_release(exchange, 1);
    assert_int_equal(rings_of(1), 1);
    exchange_free(exchange);
}

static void numbers_are_looked_up_as_people_write_them(void **state)
{
    struct exchange *exchange = exchange_with(10, 0, true);

    (void)state;
    assert_int_equal(dial_once(exchange, 0, "4711"), EXCHANGE_UNKNOWN);
    assert_int_equal(dial_once(exchange, 0, ""), EXCHANGE_UNKNOWN);
    assert_int_equal(dial_once(exchange, 0, "T"), EXCHANGE_UNKNOWN);
    assert_int_equal(dial_once(exchange, 0, "ten"), EXCHANGE_UNKNOWN);
    assert_int_equal(dial_once(exchange, 0, "1000"), EXCHANGE_BUSY); /* its own */
    assert_int_equal(dial_once(exchange, 0, "T10-01"), EXCHANGE_NO_ANSWER);
    assert_int_equal(dial_once(exchange, 0, "P1001"), EXCHANGE_NO_ANSWER);
    exchange_free(exchange);
}

static void a_number_is_given_once(void **state)
{
    struct exchange *exchange = exchange_with(10, 0, true);

    (void)state;
    assert_int_equal(exchange_set_number(exchange, 0, "10-01"), ERR_CONFLICT);
    assert_int_equal(exchange_set_number(exchange, 0, "none"), ERR_INVALID);
    assert_int_equal(exchange_set_behaviour(exchange, "2000", EXCHANGE_BUSY), 0);
    assert_int_equal(exchange_set_behaviour(exchange, "2000", EXCHANGE_BUSY), ERR_CONFLICT);
    assert_string_equal(exchange_number(exchange, 3), "1003");
    exchange_free(exchange);
}

static void a_taken_or_ringing_line_is_busy(void **state)
{
    struct exchange *exchange = exchange_with(LONG_MS, 0, true);
    struct dialler caller;

    (void)state;
    assert_true(exchange_take(exchange, 1));
    assert_false(exchange_take(exchange, 1));
    assert_int_equal(dial_once(exchange, 0, "1001"), EXCHANGE_BUSY);
    exchange_release(exchange, 1);
    dial_start(&caller, exchange, 0, "1001");
    wait_rings(1, 1);
    assert_int_equal(dial_once(exchange, 2, "1001"), EXCHANGE_BUSY);
    assert_int_equal(dial_once(exchange, 2, "1000"), EXCHANGE_BUSY); /* the caller as well */
    exchange_cancel(exchange, 0);
    assert_int_equal(dial_wait(&caller), EXCHANGE_CANCELLED);
    exchange_free(exchange);
}

static void a_line_that_must_not_receive_rings_unheard(void **state)
{
    struct exchange *exchange = exchange_with(20, 0, true);

    (void)state;
    exchange_enable(exchange, 1, false);
    assert_int_equal(dial_once(exchange, 0, "1001"), EXCHANGE_NO_ANSWER);
    assert_int_equal(rings_of(1), 0);
    exchange_free(exchange);
}

static void a_line_enabled_while_it_rings_is_heard_at_once(void **state)
{
    struct exchange *exchange = exchange_with(LONG_MS, 0, true);
    struct dialler caller;

    (void)state;
    exchange_enable(exchange, 1, false);
    dial_start(&caller, exchange, 0, "1001");
    while (!exchange_caller(exchange, 1)[0])
        usleep(1000);
    exchange_enable(exchange, 1, true);
    wait_rings(1, 1); /* not after a fifth of the ring time, which is 12 s here */
    exchange_cancel(exchange, 0);
    dial_wait(&caller);
    exchange_free(exchange);
}

static void a_ring_is_repeated_and_ends(void **state)
{
    struct exchange *exchange = exchange_with(100, 0, true);
    struct dialler caller;
    int media;

    (void)state;
    dial_start(&caller, exchange, 0, "1001");
    wait_rings(1, 3);
    assert_int_equal(dial_wait(&caller), EXCHANGE_NO_ANSWER);
    assert_in_range(rings_of(1), 3, 6);
    assert_true(exchange_take(exchange, 1));
    assert_int_equal(exchange_answer(exchange, 1, &media), EXCHANGE_GONE);
    assert_int_equal(media, -1);
    exchange_release(exchange, 1);
    exchange_free(exchange);
}

static void a_caller_that_hangs_up_is_gone(void **state)
{
    struct exchange *exchange = exchange_with(LONG_MS, 0, true);
    struct dialler caller;
    int media;

    (void)state;
    dial_start(&caller, exchange, 0, "1001");
    wait_rings(1, 1);
    assert_true(exchange_take(exchange, 1));
    exchange_cancel(exchange, 0);
    assert_int_equal(dial_wait(&caller), EXCHANGE_CANCELLED);
    assert_int_equal(exchange_answer(exchange, 1, &media), EXCHANGE_GONE);
    exchange_release(exchange, 1);
    assert_int_equal(exchange_take(exchange, 0), true); /* a cancel is forgotten with its job */
    exchange_release(exchange, 0);
    exchange_free(exchange);
}

static void a_cancel_before_dialling_holds(void **state)
{
    struct exchange *exchange = exchange_with(LONG_MS, 0, true);
    int media;

    (void)state;
    assert_true(exchange_take(exchange, 0));
    exchange_cancel(exchange, 0);
    assert_int_equal(exchange_dial(exchange, 0, "1001", &media), EXCHANGE_CANCELLED);
    exchange_release(exchange, 0);
    assert_int_equal(rings_of(1), 0);
    exchange_free(exchange);
}

static void a_cancel_ends_the_pause_before_the_ring(void **state)
{
    struct exchange *exchange = exchange_with(LONG_MS, LONG_MS, true);
    struct dialler caller;

    (void)state;
    dial_start(&caller, exchange, 0, "1001");
    exchange_cancel(exchange, 0);
    assert_int_equal(dial_wait(&caller), EXCHANGE_CANCELLED);
    assert_int_equal(rings_of(1), 0);
    exchange_free(exchange);
}

static void reject(struct exchange *exchange, int line)
{
    assert_true(exchange_take(exchange, line));
    exchange_cancel(exchange, line);
    exchange_release(exchange, line);
}

static void a_rejected_call_is_declined(void **state)
{
    struct exchange *exchange = exchange_with(LONG_MS, 0, true);
    struct dialler caller;

    (void)state;
    dial_start(&caller, exchange, 0, "1001");
    wait_rings(1, 1);
    reject(exchange, 1);
    assert_int_equal(dial_wait(&caller), EXCHANGE_DECLINED);
    exchange_free(exchange);
}

static void an_ignored_call_rings_on_unheard(void **state)
{
    struct exchange *exchange = exchange_with(300, 0, false);
    struct dialler caller;

    (void)state;
    dial_start(&caller, exchange, 0, "1001");
    wait_rings(1, 1);
    reject(exchange, 1);
    assert_int_equal(dial_wait(&caller), EXCHANGE_NO_ANSWER);
    assert_int_equal(rings_of(1), 1);
    dial_start(&caller, exchange, 0, "1001"); /* the next call is heard again */
    wait_rings(1, 2);
    exchange_cancel(exchange, 0);
    dial_wait(&caller);
    exchange_free(exchange);
}

static void a_job_that_did_nothing_leaves_the_ring(void **state)
{
    struct exchange *exchange = exchange_with(LONG_MS, 0, true);
    struct dialler caller;

    (void)state;
    dial_start(&caller, exchange, 0, "1001");
    wait_rings(1, 1);
    assert_true(exchange_take(exchange, 1));
    exchange_release(exchange, 1);
    wait_rings(1, 2); /* again at once */
    exchange_cancel(exchange, 0);
    dial_wait(&caller);
    exchange_free(exchange);
}

static void who_calls_a_line_that_dials_hears_busy(void **state)
{
    struct exchange *exchange = exchange_with(LONG_MS, 0, true);
    struct dialler caller, other;

    (void)state;
    dial_start(&caller, exchange, 0, "1001");
    wait_rings(1, 1);
    dial_start(&other, exchange, 1, "1002"); /* not to answer: it wants out */
    assert_int_equal(dial_wait(&caller), EXCHANGE_BUSY);
    wait_rings(2, 1);
    exchange_cancel(exchange, 1);
    assert_int_equal(dial_wait(&other), EXCHANGE_CANCELLED);
    exchange_free(exchange);
}

static void two_lines_that_dial_each_other_both_hear_busy(void **state)
{
    struct exchange *exchange = exchange_with(LONG_MS, 20, true);
    struct dialler a, b;

    (void)state;
    dial_start(&a, exchange, 0, "1001");
    dial_start(&b, exchange, 1, "1000");
    assert_int_equal(dial_wait(&a), EXCHANGE_BUSY);
    exchange_cancel(exchange, 1); /* b may have found a gone already */
    assert_true(dial_wait(&b) != EXCHANGE_CONNECTED);
    exchange_free(exchange);
}

static void behaviours_stand_before_lines(void **state)
{
    struct exchange *exchange = exchange_with(10, 0, true);

    (void)state;
    assert_int_equal(exchange_set_behaviour(exchange, "1001", EXCHANGE_BUSY), 0);
    assert_int_equal(exchange_set_behaviour(exchange, "2001", EXCHANGE_NO_ANSWER), 0);
    assert_int_equal(exchange_set_behaviour(exchange, "2002", EXCHANGE_DECLINED), 0);
    assert_int_equal(dial_once(exchange, 0, "1001"), EXCHANGE_BUSY);
    assert_int_equal(dial_once(exchange, 0, "2001"), EXCHANGE_NO_ANSWER);
    assert_int_equal(dial_once(exchange, 0, "2002"), EXCHANGE_DECLINED);
    assert_int_equal(rings_of(1), 0);
    exchange_free(exchange);
}

/* Every line dials every other again and again while others answer or reject: nobody is left behind, nothing leaks. */
static void *busy_life(void *context)
{
    struct dialler *self = context;
    static const char *const numbers[LINES] = {"1000", "1001", "1002", "1003"};

    for (int round = 0; round < 200; round++) {
        int media;

        if (!exchange_take(self->exchange, self->line))
            continue;
        if (exchange_caller(self->exchange, self->line)[0] && round % 3) {
            if (exchange_answer(self->exchange, self->line, &media) == EXCHANGE_CONNECTED)
                close(media);
        } else if (exchange_dial(self->exchange, self->line, numbers[(self->line + round) % LINES], &media) ==
                   EXCHANGE_CONNECTED) {
            close(media);
            self->result++;
        }
        if (round % 7 == 0)
            exchange_cancel(self->exchange, self->line);
        exchange_release(self->exchange, self->line);
    }
    return NULL;
}

static void a_busy_exchange_keeps_its_books(void **state)
{
    struct exchange *exchange = exchange_with(10, 0, true);
    struct dialler lives[LINES];
    int descriptors = facts_open_descriptors();

    (void)state;
    for (int i = 0; i < LINES; i++) {
        lives[i] = (struct dialler){.exchange = exchange, .line = i};
        assert_int_equal(pthread_create(&lives[i].thread, NULL, busy_life, &lives[i]), 0);
    }
    for (int i = 0; i < LINES; i++)
        pthread_join(lives[i].thread, NULL);
    for (int i = 0; i < LINES; i++) {
        assert_string_equal(exchange_caller(exchange, i), "");
        assert_true(exchange_take(exchange, i));
        exchange_release(exchange, i);
    }
    assert_int_equal(facts_open_descriptors(), descriptors);
    exchange_free(exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answered_call_joins_both_ends),
        cmocka_unit_test(numbers_are_looked_up_as_people_write_them),
        cmocka_unit_test(a_number_is_given_once),
        cmocka_unit_test(a_taken_or_ringing_line_is_busy),
        cmocka_unit_test(a_line_that_must_not_receive_rings_unheard),
        cmocka_unit_test(a_line_enabled_while_it_rings_is_heard_at_once),
        cmocka_unit_test(a_ring_is_repeated_and_ends),
        cmocka_unit_test(a_caller_that_hangs_up_is_gone),
        cmocka_unit_test(a_cancel_before_dialling_holds),
        cmocka_unit_test(a_cancel_ends_the_pause_before_the_ring),
        cmocka_unit_test(a_rejected_call_is_declined),
        cmocka_unit_test(an_ignored_call_rings_on_unheard),
        cmocka_unit_test(a_job_that_did_nothing_leaves_the_ring),
        cmocka_unit_test(who_calls_a_line_that_dials_hears_busy),
        cmocka_unit_test(two_lines_that_dial_each_other_both_hear_busy),
        cmocka_unit_test(behaviours_stand_before_lines),
        cmocka_unit_test(a_busy_exchange_keeps_its_books),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
