/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about what the service manager is told. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lib/facts.h"

#define TEXT_SIZE 256

/* A manager's socket of an abstract name, which $NOTIFY_SOCKET has from then on. */
static int manager_open(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "faxd-test-notify-%d", (int)getpid());
    char name[sizeof address.sun_path];

    assert_true(fd >= 0);
    assert_int_equal(
        bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)),
        0);
    snprintf(name, sizeof name, "@%s", address.sun_path + 1);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

/* The next thing that it was told; "" when that is nothing. */
static const char *told(int manager)
{
    static char text[TEXT_SIZE];
    ssize_t length = recv(manager, text, sizeof text - 1, 0);

    text[length > 0 ? length : 0] = '\0';
    return text;
}

static void what_is_sent_arrives_as_one_datagram(void **state)
{
    int manager = manager_open();

    (void)state;
    notify_send("READY=1\nSTATUS=ready");
    assert_string_equal(told(manager), "READY=1\nSTATUS=ready");
    assert_string_equal(told(manager), "");
    close(manager);
}

static void a_socket_with_a_path_is_found(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    char folder[] = "/tmp/faxd-notify-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", folder);
    assert_int_equal(bind(manager, (struct sockaddr *)&address, sizeof address), 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    notify_send("READY=1");
    assert_string_equal(told(manager), "READY=1");
    close(manager);
    unlink(address.sun_path);
    rmdir(folder);
}

static void leaving_takes_as_long_as_it_was_said_to(void **state)
{
    int manager = manager_open();

    (void)state;
    notify_stopping(3600);
    assert_string_equal(told(manager),
                        "STOPPING=1\nSTATUS=leaving after the calls under way\nEXTEND_TIMEOUT_USEC=3600000000");
    close(manager);
}

static void without_a_manager_nothing_is_sent_and_nothing_breaks(void **state)
{
    static const char *const names[] = {"", "/", "@", "relative", "/nonexistent/socket"};
    char overlong[200];
    int before = facts_open_descriptors();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        setenv("NOTIFY_SOCKET", names[i], 1);
        notify_send("READY=1");
    }
    memset(overlong, 'x', sizeof overlong - 1);
    overlong[0] = '/';
    overlong[sizeof overlong - 1] = '\0';
    setenv("NOTIFY_SOCKET", overlong, 1);
    notify_send("READY=1");
    unsetenv("NOTIFY_SOCKET");
    notify_send("READY=1");
    assert_int_equal(facts_open_descriptors(), before);
}

static struct event *watchdog(struct event_base *base, const char *period, const char *pid)
{
    struct event *timer;

    setenv("WATCHDOG_USEC", period, 1);
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(notify_watchdog_new(&timer, base), 0);
    return timer;
}

static void a_watchdog_is_told_again_and_again_that_the_loop_turns(void **state)
{
    struct event_base *base = event_base_new();
    int manager = manager_open();
    char pid[16];
    struct event *timer;

    (void)state;
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    timer = watchdog(base, "2000", pid);
    assert_non_null(timer);
    for (int i = 0; i < 3; i++) {
        event_base_loop(base, EVLOOP_ONCE);
        assert_string_equal(told(manager), "WATCHDOG=1");
    }
    event_free(timer);
    event_base_free(base);
    close(manager);
}

static void nobody_else_s_watchdog_is_fed(void **state)
{
    struct event_base *base = event_base_new();

    (void)state;
    assert_null(watchdog(base, "2000", "1"));
    assert_null(watchdog(base, "0", "1"));
    assert_null(watchdog(base, "soon", "1"));
    unsetenv("WATCHDOG_USEC");
    struct event *timer;
    assert_int_equal(notify_watchdog_new(&timer, base), 0);
    assert_null(timer);
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(what_is_sent_arrives_as_one_datagram),
        cmocka_unit_test(a_socket_with_a_path_is_found),
        cmocka_unit_test(leaving_takes_as_long_as_it_was_said_to),
        cmocka_unit_test(without_a_manager_nothing_is_sent_and_nothing_breaks),
        cmocka_unit_test(a_watchdog_is_told_again_and_again_that_the_loop_turns),
        cmocka_unit_test(nobody_else_s_watchdog_is_fed),
    };
    return cmocka_run_group_tests_name("notify", facts, NULL, NULL);
}
