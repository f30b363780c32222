/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about datagrams with descriptors. */
#include "config.h"

#include "server/base/fdpass.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/base/err.h"
#include "tests/lib/facts.h"

static int ends[2];

static int open_pair(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}

static int close_pair(void **state)
{
    (void)state;
    close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
    return 0;
}

static void close_sender(void)
{
    close(ends[1]);
    ends[1] = -1;
}

static void a_datagram_arrives_whole_and_without_descriptors(void **state)
{
    (void)state;
    char data[16];
    int fds[FDPASS_MAX], count = FDPASS_MAX;
    assert_int_equal(fdpass_send(ends[1], "hello", 5, NULL, 0), 0);
    assert_int_equal(fdpass_send(ends[1], "again", 5, NULL, 0), 0);
    assert_int_equal(fdpass_receive(ends[0], data, sizeof data, fds, &count), 5);
    assert_memory_equal(data, "hello", 5);
    assert_int_equal(count, 0);
}

static void a_descriptor_arrives_open_and_closes_on_exec(void **state)
{
    (void)state;
    int pipe_ends[2], fds[FDPASS_MAX], count = FDPASS_MAX;
    char data[16], octet;
    assert_int_equal(pipe(pipe_ends), 0);
    assert_int_equal(fdpass_send(ends[1], "fd", 2, &pipe_ends[0], 1), 0);
    close(pipe_ends[0]);
    assert_int_equal(fdpass_receive(ends[0], data, sizeof data, fds, &count), 2);
    assert_int_equal(count, 1);
    assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
    assert_int_equal(write(pipe_ends[1], "x", 1), 1);
    assert_int_equal(read(fds[0], &octet, 1), 1);
    assert_int_equal(octet, 'x');
    close(fds[0]);
    close(pipe_ends[1]);
}

static void the_largest_datagram_takes_sixteen_descriptors(void **state)
{
    (void)state;
    int out[FDPASS_MAX], in[FDPASS_MAX], count = FDPASS_MAX;
    char *data = malloc(FDPASS_BYTES_MAX), *back = malloc(FDPASS_BYTES_MAX);
    memset(data, 'd', FDPASS_BYTES_MAX);
    for (int i = 0; i < FDPASS_MAX; i++)
        out[i] = STDERR_FILENO;
    assert_int_equal(fdpass_send(ends[1], data, FDPASS_BYTES_MAX, out, FDPASS_MAX), 0);
    assert_int_equal(fdpass_receive(ends[0], back, FDPASS_BYTES_MAX, in, &count), FDPASS_BYTES_MAX);
    assert_memory_equal(data, back, FDPASS_BYTES_MAX);
    assert_int_equal(count, FDPASS_MAX);
    for (int i = 0; i < count; i++)
        close(in[i]);
    free(data);
    free(back);
}

static void surplus_descriptors_are_closed(void **state)
{
    (void)state;
    int out[3] = {STDERR_FILENO, STDERR_FILENO, STDERR_FILENO}, in[1], count = 1;
    char data[16];
    int before = facts_open_descriptors();
    assert_int_equal(fdpass_send(ends[1], "three", 5, out, 3), 0);
    assert_int_equal(fdpass_receive(ends[0], data, sizeof data, in, &count), 5);
    assert_int_equal(count, 1);
    assert_int_equal(facts_open_descriptors(), before + 1);
    close(in[0]);
}

static void a_datagram_that_was_cut_is_refused_with_its_descriptors(void **state)
{
    (void)state;
    int out[2] = {STDERR_FILENO, STDERR_FILENO}, in[FDPASS_MAX], count = FDPASS_MAX;
    char data[4];
    int before = facts_open_descriptors();
    assert_int_equal(fdpass_send(ends[1], "too long", 8, out, 2), 0);
    assert_int_equal(fdpass_receive(ends[0], data, sizeof data, in, &count), ERR_TOO_BIG);
    assert_int_equal(count, 0);
    assert_int_equal(facts_open_descriptors(), before);
}

static void an_empty_socket_says_again(void **state)
{
    (void)state;
    int fds[FDPASS_MAX], count = FDPASS_MAX;
    char data[4];
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    assert_int_equal(fdpass_receive(ends[0], data, sizeof data, fds, &count), ERR_AGAIN);
    assert_int_equal(count, 0);
}

static void a_full_socket_says_again(void **state)
{
    (void)state;
    int rc = 0;
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 100000 && rc == 0; i++)
        rc = fdpass_send(ends[1], "fill", 4, NULL, 0);
    assert_int_equal(rc, ERR_AGAIN);
}

static void both_sides_see_that_the_other_has_gone(void **state)
{
    (void)state;
    int fds[FDPASS_MAX], count = FDPASS_MAX;
    char data[4];
    assert_int_equal(fdpass_send(ends[1], "last", 4, NULL, 0), 0);
    close_sender();
    assert_int_equal(fdpass_receive(ends[0], data, sizeof data, fds, &count), 4);
    assert_int_equal(fdpass_receive(ends[0], data, sizeof data, fds, &count), ERR_CLOSED);
    assert_int_equal(fdpass_send(ends[0], "more", 4, NULL, 0), ERR_CLOSED);
}

static void an_empty_datagram_ends_the_conversation(void **state)
{
    (void)state;
    int fds[FDPASS_MAX], count = FDPASS_MAX;
    char data[4];
    assert_int_equal(send(ends[1], "", 0, 0), 0);
    assert_int_equal(fdpass_receive(ends[0], data, sizeof data, fds, &count), ERR_CLOSED);
}

static void what_is_no_socket_is_an_error(void **state)
{
    (void)state;
    int null = open("/dev/null", O_RDWR), fds[1], count = 1;
    char data[4];
    assert_int_equal(fdpass_send(null, "x", 1, NULL, 0), ERR_IO);
    assert_int_equal(fdpass_receive(null, data, sizeof data, fds, &count), ERR_IO);
    close(null);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, open_pair, close_pair)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(a_datagram_arrives_whole_and_without_descriptors),
        FACT(a_descriptor_arrives_open_and_closes_on_exec),
        FACT(the_largest_datagram_takes_sixteen_descriptors),
        FACT(surplus_descriptors_are_closed),
        FACT(a_datagram_that_was_cut_is_refused_with_its_descriptors),
        FACT(an_empty_socket_says_again),
        FACT(a_full_socket_says_again),
        FACT(both_sides_see_that_the_other_has_gone),
        FACT(an_empty_datagram_ends_the_conversation),
        FACT(what_is_no_socket_is_an_error),
    };
    return cmocka_run_group_tests_name("fdpass", facts, NULL, NULL);
}
