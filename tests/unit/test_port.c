/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about completion ports: first in first out, never blocking, readable exactly while something is queued. */
#include "server/fsphost/port.h"
#include "tests/lib/facts.h"

#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

static HANDLE port_new(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    assert_non_null(port);
    return port;
}

static int readable(HANDLE port)
{
    struct pollfd wait = {.fd = port_fd(port), .events = POLLIN};
    return poll(&wait, 1, 0);
}

static void *number(uintptr_t value)
{
    return (void *)value;
}

static void values_pass_untouched_and_in_order(void **state)
{
    (void)state;
    HANDLE port = port_new();
    for (uintptr_t i = 0; i < 1000; i++)
        assert_true(PostQueuedCompletionStatus(port, (DWORD)i, UINTPTR_MAX - i, number(i * 3)));
    struct port_batch batch = {0};
    assert_true(port_take(port, &batch));
    assert_int_equal(batch.count, 1000);
    for (uintptr_t i = 0; i < 1000; i++) {
        assert_int_equal(batch.entries[i].bytes, i);
        assert_true(batch.entries[i].key == UINTPTR_MAX - i);
        assert_ptr_equal(batch.entries[i].packet, number(i * 3));
    }
    assert_false(port_take(port, &batch));
    assert_int_equal(batch.count, 0);
    port_batch_clear(&batch);
    port_close(port);
}

static void the_descriptor_is_readable_while_something_is_queued(void **state)
{
    (void)state;
    HANDLE port = port_new();
    struct port_batch batch = {0};
    DWORD bytes;
    ULONG_PTR key;
    LPOVERLAPPED packet;
    assert_int_equal(readable(port), 0);
    PostQueuedCompletionStatus(port, 1, 0, NULL);
    PostQueuedCompletionStatus(port, 2, 0, NULL);
    PostQueuedCompletionStatus(port, 3, 0, NULL);
    assert_int_equal(readable(port), 1);
    assert_true(GetQueuedCompletionStatus(port, &bytes, &key, &packet, 0));
    assert_int_equal(bytes, 1);
    assert_int_equal(readable(port), 1);
    assert_true(port_take(port, &batch));
    assert_int_equal(batch.count, 2);
    assert_int_equal(batch.entries[0].bytes, 2);
    assert_int_equal(batch.entries[1].bytes, 3);
    assert_int_equal(readable(port), 0);
    PostQueuedCompletionStatus(port, 4, 0, NULL);
    assert_true(GetQueuedCompletionStatus(port, &bytes, &key, &packet, INFINITE));
    assert_int_equal(readable(port), 0);
    SetLastError(0);
    assert_false(GetQueuedCompletionStatus(port, &bytes, &key, &packet, 1));
    assert_int_equal(GetLastError(), WAIT_TIMEOUT);
    port_batch_clear(&batch);
    port_close(port);
}

/* One in, one out: the list neither grows without end nor loses its order. */
static void a_standing_queue_keeps_its_order(void **state)
{
    (void)state;
    HANDLE port = port_new();
    DWORD posted = 0, bytes;
    ULONG_PTR key;
    LPOVERLAPPED packet;
    for (; posted < 100; posted++)
        PostQueuedCompletionStatus(port, posted, 0, NULL);
    for (DWORD want = 0; want < 10000; want++, posted++) {
        PostQueuedCompletionStatus(port, posted, 0, NULL);
        assert_true(GetQueuedCompletionStatus(port, &bytes, &key, &packet, 0));
        assert_int_equal(bytes, want);
    }
    port_close(port);
}

static void handles_are_checked(void **state)
{
    (void)state;
    HANDLE port = port_new();
    HANDLE wrong[] = {NULL, (HANDLE)1, &port, INVALID_HANDLE_VALUE, GetProcessHeap(), (HANDLE)((uintptr_t)port + 1)};
    struct port_batch batch = {0};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        SetLastError(0);
        assert_false(PostQueuedCompletionStatus(wrong[i], 0, 0, NULL));
        assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
        assert_false(port_take(wrong[i], &batch));
        assert_int_equal(port_fd(wrong[i]), -1);
        port_close(wrong[i]);
    }
    PostQueuedCompletionStatus(port, 0, 0, NULL);
    port_close(port);
    assert_false(PostQueuedCompletionStatus(port, 0, 0, NULL));
    HANDLE next = port_new(); /* the same slot, but not the same handle, and empty */
    assert_ptr_not_equal(next, port);
    assert_int_equal(readable(next), 0);
    port_close(next);
    assert_null(CreateIoCompletionPort(number(5), NULL, 0, 0));
    assert_int_equal(GetLastError(), ERROR_NOT_SUPPORTED);
}

static void ports_are_counted(void **state)
{
    (void)state;
    HANDLE ports[64];
    for (int i = 0; i < 64; i++)
        ports[i] = port_new();
    assert_null(CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0));
    for (int i = 0; i < 64; i++)
        port_close(ports[i]);
}

#define POSTS 20000

static void *post_many(void *port)
{
    for (uintptr_t i = 1; i <= POSTS; i++)
        assert_true(PostQueuedCompletionStatus(port, 56, (ULONG_PTR)pthread_self(), number(i)));
    return NULL;
}

/* Nothing is lost, nothing comes twice, and the bell never stays silent: the reader waits without a timeout. */
static void threads_post_while_one_reads(void **state)
{
    (void)state;
    HANDLE port = port_new();
    pthread_t threads[3];
    uintptr_t last[3] = {0};
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, port), 0);
    struct port_batch batch = {0};
    for (size_t seen = 0; seen < 3 * POSTS;) {
        struct pollfd wait = {.fd = port_fd(port), .events = POLLIN};
        assert_int_equal(poll(&wait, 1, 20000), 1);
        port_take(port, &batch);
        for (size_t i = 0; i < batch.count; i++, seen++) {
            for (int thread = 0; thread < 3; thread++) {
                if (batch.entries[i].key == (ULONG_PTR)threads[thread])
                    assert_ptr_equal(batch.entries[i].packet, number(++last[thread]));
            }
        }
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(last[i], POSTS);
    }
    port_batch_clear(&batch);
    port_close(port);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_pass_untouched_and_in_order),
        cmocka_unit_test(the_descriptor_is_readable_while_something_is_queued),
        cmocka_unit_test(a_standing_queue_keeps_its_order),
        cmocka_unit_test(handles_are_checked),
        cmocka_unit_test(ports_are_counted),
        cmocka_unit_test(threads_post_while_one_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
