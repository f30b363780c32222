/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about serial devices and about talking over them, on pseudo-terminals. The other end is this test. */
#include "config.h"

#include "plugins/class1/at.h"
#include "plugins/class1/tty.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tests/lib/facts.h"

#define LONG_MS 20000

struct world {
    int master;
    char path[64];
    char heard[256]; /* lines that came unasked, with "|" between */
};

static int setup(void **state)
{
    struct world *world = xcalloc(1, sizeof *world);

    world->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (world->master < 0 || grantpt(world->master) != 0 || unlockpt(world->master) != 0 ||
        ptsname_r(world->master, world->path, sizeof world->path) != 0)
        return -1;
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    if (world->master >= 0)
        close(world->master);
    free(world);
    return 0;
}

static struct tty *open_at(const struct world *world, int speed_bps, enum tty_flow flow)
{
    const struct tty_options options = {.path = world->path, .lock_dir = "", .speed_bps = speed_bps, .flow = flow};
    struct tty *tty = NULL;

    assert_int_equal(tty_open(&tty, &options), 0);
    return tty;
}

static void take_line(void *context, const char *line)
{
    struct world *world = context;

    strcat(world->heard, line);
    strcat(world->heard, "|");
}

static struct at at_of(struct world *world, const struct tty *tty)
{
    return (struct at){.fd = tty_fd(tty), .wake_fd = -1, .on_line = take_line, .context = world};
}

static void say(const struct world *world, const char *text)
{
    assert_int_equal(write(world->master, text, strlen(text)), strlen(text));
}

static void a_device_is_raw_and_ours_alone(void **state)
{
    const struct world *world = *state;
    struct tty *tty = open_at(world, 0, TTY_FLOW_HARDWARE);
    struct termios mode;
    int excluded = 0;

    assert_int_equal(tcgetattr(tty_fd(tty), &mode), 0);
    assert_int_equal(mode.c_lflag & (ECHO | ICANON | ISIG), 0);
    assert_int_equal(mode.c_iflag & (IXON | IXOFF | ICRNL), 0);
    assert_int_equal(mode.c_oflag & OPOST, 0);
    assert_int_not_equal(mode.c_cflag & CRTSCTS, 0);
    assert_int_equal(cfgetospeed(&mode), B115200);
    assert_int_equal(tty_speed_bps(tty), 115200);
    assert_int_not_equal(fcntl(tty_fd(tty), F_GETFL) & O_NONBLOCK, 0);
    assert_int_not_equal(fcntl(tty_fd(tty), F_GETFD) & FD_CLOEXEC, 0);
    assert_int_equal(ioctl(tty_fd(tty), TIOCGEXCL, &excluded), 0);
    assert_int_equal(excluded, 1);
    tty_close(tty);
}

static void speed_and_flow_are_those_asked_for(void **state)
{
    const struct world *world = *state;
    struct tty *tty = open_at(world, 19200, TTY_FLOW_SOFTWARE);
    struct termios mode;
    const struct tty_options odd = {.path = world->path, .lock_dir = "", .speed_bps = 12345};

    assert_int_equal(tcgetattr(tty_fd(tty), &mode), 0);
    assert_int_equal(cfgetospeed(&mode), B19200);
    assert_int_equal(mode.c_cflag & CRTSCTS, 0);
    assert_int_equal(mode.c_iflag & (IXON | IXOFF), 0); /* the engine's, while a page leaves */
    tty_close(tty);
    assert_int_equal(tty_open(&tty, &odd), ERR_INVALID);
    assert_non_null(strstr(err_message(), "speed_bps"));
}

static void what_cannot_be_opened_says_why(void **state)
{
    static const struct {
        const char *path;
        int err;
        const char *says;
    } table[] = {
        {"/dev/no-such-modem", ERR_NOT_FOUND, "there is no device /dev/no-such-modem"},
        {"/dev/null", ERR_INVALID, "/dev/null is not a serial device"},
        {"/etc/passwd", ERR_INVALID, "/etc/passwd is not a serial device"},
        {"/dev/null/x", ERR_NOT_FOUND, "there is no device"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        const struct tty_options options = {.path = table[i].path, .lock_dir = ""};
        struct tty *tty = NULL;

        assert_int_equal(tty_open(&tty, &options), table[i].err);
        assert_null(tty);
        assert_non_null(strstr(err_message(), table[i].says));
    }
}

static int open_as_nobody(void *path)
{
    const struct tty_options options = {.path = path, .lock_dir = ""};
    struct tty *tty = NULL;

    if (geteuid() == 0 && setuid(65534) != 0)
        return 1;
    if (tty_open(&tty, &options) != ERR_DENIED)
        return 2;
    return strstr(err_message(), "usermod -a -G") != NULL ? 0 : 3;
}

static void without_permission_the_way_to_it_is_told(void **state)
{
    struct world *world = *state;

    assert_int_equal(chmod(world->path, 0), 0);
    if (geteuid() != 0)
        assert_int_equal(open_as_nobody(world->path), 0);
    else
        assert_int_equal(facts_in_child(open_as_nobody, world->path), 0);
}

static void a_device_that_goes_is_seen(void **state)
{
    struct world *world = *state;
    struct tty *tty = open_at(world, 0, TTY_FLOW_NONE);
    struct at at = at_of(world, tty);
    enum answer_kind kind;

    assert_true(tty_is_there(tty));
    close(world->master);
    world->master = -1;
    assert_int_equal(at_next(&at, &kind, clock_mono_ms() + LONG_MS), ERR_CLOSED);
    assert_int_equal(at_drain(&at), ERR_CLOSED);
    tty_close(tty);
}

static void a_command_gets_its_answer(void **state)
{
    struct world *world = *state;
    struct tty *tty = open_at(world, 0, TTY_FLOW_NONE);
    struct at at = at_of(world, tty);
    struct at_report report = {.used = 0};
    enum answer_kind kind;
    char info[64], sent[32] = "";

    at.report = &report;
    /* It answers before it is asked, which a pseudo-terminal keeps; what came before the command is drained. */
    say(world, "\r\nRING\r\n");
    assert_int_equal(at_drain(&at), 0);
    assert_string_equal(world->heard, "RING|");
    assert_int_equal(at_send(&at, "ATI3"), 0);
    assert_int_equal(read(world->master, sent, sizeof sent), 5);
    assert_string_equal(sent, "ATI3\r");
    say(world, "ATI3\r\r\nOne\r\nNMBR = 555\r\nTwo\r\n\r\nOK\r\n");
    info[0] = '\0';
    for (kind = ANSWER_TEXT; !answer_is_final(kind);) {
        assert_int_equal(at_next(&at, &kind, clock_mono_ms() + LONG_MS), 0);
        assert_true(strlen(info) + strlen(at.line.text) + 2 < sizeof info);
        strcat(strcat(info, at.line.text), ";");
    }
    assert_string_equal(info, "One;NMBR = 555;Two;OK;"); /* without the echo */
    assert_string_equal(world->heard, "RING|NMBR = 555|");
    assert_string_equal(report.text, "< RING\n> ATI3\n< One\n< NMBR = 555\n< Two\n< OK\n");
    tty_close(tty);
}

/* A modem in a child: takes `count` commands and gives each the answer. */
static pid_t answer_all(const struct world *world, const char *answer, int count)
{
    pid_t pid = fork();
    char octet;

    if (pid != 0)
        return pid;
    while (count > 0 && read(world->master, &octet, 1) == 1)
        if (octet == '\r') {
            say(world, answer);
            count--;
        }
    _exit(0);
}

static void a_command_that_is_refused_is_an_error_that_names_it(void **state)
{
    struct world *world = *state;
    struct tty *tty = open_at(world, 0, TTY_FLOW_NONE);
    struct at at = at_of(world, tty);
    pid_t pid = answer_all(world, "\r\nERROR\r\n", 2);
    enum answer_kind kind;
    char info[8];

    assert_int_equal(at_order(&at, "AT&Z9"), ERR_INVALID);
    assert_string_equal(err_message(), "the modem answers ERROR to AT&Z9");
    assert_int_equal(at_command(&at, &kind, info, sizeof info, "ATX", LONG_MS), 0);
    assert_int_equal(kind, ANSWER_ERROR);
    waitpid(pid, NULL, 0);
    tty_close(tty);
}

static void information_is_joined_and_bounded(void **state)
{
    struct world *world = *state;
    struct tty *tty = open_at(world, 0, TTY_FLOW_NONE);
    struct at at = at_of(world, tty);
    pid_t pid = answer_all(world, "\r\n123\r\n456\r\n789\r\nOK\r\n", 1);
    enum answer_kind kind;
    char info[8];

    assert_int_equal(at_command(&at, &kind, info, sizeof info, "ATI", LONG_MS), 0);
    assert_string_equal(info, "123\n456");
    waitpid(pid, NULL, 0);
    tty_close(tty);
}

static void silence_and_babble_end_a_wait(void **state)
{
    struct world *world = *state;
    struct tty *tty = open_at(world, 0, TTY_FLOW_NONE);
    struct at at = at_of(world, tty);
    enum answer_kind kind = ANSWER_TEXT;
    int err = 0;

    assert_int_equal(at_command(&at, &kind, NULL, 0, "AT", 20), ERR_AGAIN);
    assert_string_equal(err_message(), "the modem does not answer AT");
    for (int i = 0; i < 1000 && err == 0; i++) {
        say(world, "babble\r\n");
        err = at_next(&at, &kind, clock_mono_ms() + LONG_MS);
    }
    assert_int_equal(err, ERR_AGAIN);
    assert_string_equal(err_message(), "the modem says no end of lines");
    tty_close(tty);
}

static void a_wake_ends_every_wait(void **state)
{
    struct world *world = *state;
    struct tty *tty = open_at(world, 0, TTY_FLOW_NONE);
    struct at at = at_of(world, tty);
    enum answer_kind kind;

    at.wake_fd = eventfd(1, EFD_CLOEXEC);
    assert_int_equal(at_next(&at, &kind, clock_mono_ms() + LONG_MS), ERR_CONFLICT);
    assert_int_equal(at_pause(&at, LONG_MS), ERR_CONFLICT);
    close(at.wake_fd);
    tty_close(tty);
}

static void an_abort_is_an_octet_and_swallows_the_answer(void **state)
{
    struct world *world = *state;
    struct tty *tty = open_at(world, 0, TTY_FLOW_NONE);
    struct at at = at_of(world, tty);
    char octet = 0;

    say(world, "\r\nOK\r\n");
    at_abort(&at, LONG_MS);
    assert_int_equal(read(world->master, &octet, 1), 1);
    assert_int_equal(octet, AT_ABORT_OCTET);
    assert_int_equal(at_drain(&at), 0);
    assert_string_equal(world->heard, "");
    tty_close(tty);
}

static void a_report_is_bounded(void **state)
{
    struct at_report report = {.used = 0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        at_report(&report, "line %d", i);
    assert_true(report.used < sizeof report.text);
    assert_int_equal(strlen(report.text), report.used);
    at_report(NULL, "nothing");
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, setup, teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(a_device_is_raw_and_ours_alone),
        FACT(speed_and_flow_are_those_asked_for),
        FACT(what_cannot_be_opened_says_why),
        FACT(without_permission_the_way_to_it_is_told),
        FACT(a_device_that_goes_is_seen),
        FACT(a_command_gets_its_answer),
        FACT(a_command_that_is_refused_is_an_error_that_names_it),
        FACT(information_is_joined_and_bounded),
        FACT(silence_and_babble_end_a_wait),
        FACT(a_wake_ends_every_wait),
        FACT(an_abort_is_an_octet_and_swallows_the_answer),
        FACT(a_report_is_bounded),
    };
    return cmocka_run_group_tests_name("tty", facts, NULL, NULL);
}
