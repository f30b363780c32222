/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about spawners. This program is its own spawner: started with --spawner it serves jobs.
 *
 * A job's text is an order; the answer goes to the job's first descriptor.
 */
#include "config.h"

#include "server/base/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/fdpass.h"
#include "tests/lib/facts.h"

/* ---- the spawner's side ---- */

static int stdout_is_stderr(void)
{
    struct stat out, err;
    return fstat(STDOUT_FILENO, &out) == 0 && fstat(STDERR_FILENO, &err) == 0 && out.st_dev == err.st_dev &&
           out.st_ino == err.st_ino;
}

static void describe_process(int fd, const char *text, int count, const char *context)
{
    sigset_t blocked;
    struct sigaction child;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    sigaction(SIGCHLD, NULL, &child);
    int socket_open = fcntl(SPAWNER_FD, F_GETFD) >= 0;
    int close_on_exec = fcntl(fd, F_GETFD) == FD_CLOEXEC;
    dprintf(fd,
            "text=%s count=%d context=%s socket=%d cloexec=%d descriptors=%d child=%d blocked=%d leader=%d stdout=%d",
            text, count, context, socket_open, close_on_exec, facts_open_descriptors(),
            child.sa_handler == SIG_DFL && !(child.sa_flags & SA_NOCLDWAIT), sigismember(&blocked, SIGUSR1),
            getsid(0) == getppid(), stdout_is_stderr());
}

static int run_job(char *text, const int *fds, int count, void *context)
{
    char go[8];
    if (strcmp(text, "pid") == 0)
        dprintf(fds[0], "%d", (int)getpid());
    else if (strcmp(text, "wait") == 0 && read(fds[0], go, sizeof go) > 0)
        dprintf(fds[0], "went on");
    else if (strcmp(text, "crash") == 0)
        raise(SIGKILL);
    else if (strncmp(text, "describe", 8) == 0)
        describe_process(fds[0], text, count, context);
    return EXIT_SUCCESS;
}

/* ---- the owner's side ---- */

static char program_path[4096];

struct spawner {
    int socket;
    pid_t pid;
};

static struct spawner start(void)
{
    struct spawner spawner;
    static const char *const extra[] = {"the-context", NULL};
    assert_int_equal(spawner_start(&spawner.socket, &spawner.pid, program_path, extra), 0);
    assert_true(spawner.socket >= 0 && spawner.pid > 0);
    return spawner;
}

/* Close the owner's end and return the spawner's exit status. */
static int stop(struct spawner *spawner)
{
    int status;
    if (spawner->socket >= 0)
        close(spawner->socket);
    assert_int_equal(waitpid(spawner->pid, &status, 0), spawner->pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Give one job a socket of its own and return our end of it. */
static int give_job(const struct spawner *spawner, const char *text)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(fdpass_send(spawner->socket, text, strlen(text), &pair[1], 1), 0);
    close(pair[1]);
    return pair[0];
}

/* The job's answer, "" when it left without one. */
static char *take_answer(char answer[512], int fd)
{
    ssize_t got = read(fd, answer, 511);
    answer[got > 0 ? got : 0] = '\0';
    close(fd);
    return answer;
}

static void a_child_gets_its_text_its_descriptors_and_nothing_else(void **state)
{
    (void)state;
    char answer[512];
    int stray = open("/dev/null", O_RDONLY); /* without close-on-exec: it must not reach the spawner */
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    struct spawner spawner = start();
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    /* descriptors: 0, 1, 2 and the job's */
    take_answer(answer, give_job(&spawner, "describe"));
    assert_string_equal(answer, "text=describe count=1 context=the-context socket=0 cloexec=1 descriptors=4 child=1 "
                                "blocked=0 leader=1 stdout=1");
    close(stray);
    assert_int_equal(stop(&spawner), 0);
}

static void a_short_text_after_a_long_one_has_its_own_end(void **state)
{
    (void)state;
    char answer[512];
    struct spawner spawner = start();
    take_answer(answer, give_job(&spawner, "describe-with-a-long-tail"));
    assert_non_null(strstr(answer, "text=describe-with-a-long-tail count"));
    take_answer(answer, give_job(&spawner, "describe"));
    assert_non_null(strstr(answer, "text=describe count"));
    assert_int_equal(stop(&spawner), 0);
}

static void each_job_has_a_process_of_its_own(void **state)
{
    (void)state;
    char first[512], second[512];
    struct spawner spawner = start();
    take_answer(first, give_job(&spawner, "pid"));
    take_answer(second, give_job(&spawner, "pid"));
    assert_string_not_equal(first, second);
    assert_int_not_equal(atoi(first), spawner.pid);
    assert_int_equal(stop(&spawner), 0);
}

static void a_crash_costs_its_own_job_only(void **state)
{
    (void)state;
    char answer[512];
    struct spawner spawner = start();
    assert_string_equal(take_answer(answer, give_job(&spawner, "crash")), "");
    take_answer(answer, give_job(&spawner, "pid"));
    assert_true(atoi(answer) > 0);
    assert_int_equal(stop(&spawner), 0);
}

static void an_ended_child_leaves_no_zombie(void **state)
{
    (void)state;
    char answer[512];
    struct spawner spawner = start();
    pid_t child = atoi(take_answer(answer, give_job(&spawner, "pid")));
    assert_true(child > 0);
    int rc = 0;
    for (int i = 0; i < 500 && rc == 0; i++) { /* its answer comes a moment before its end */
        usleep(10000);
        rc = kill(child, 0); /* works on a zombie */
    }
    assert_int_equal(rc, -1);
    assert_int_equal(errno, ESRCH);
    assert_int_equal(stop(&spawner), 0);
}

static void children_go_on_when_the_spawner_has_left(void **state)
{
    (void)state;
    char answer[512];
    struct spawner spawner = start();
    int job = give_job(&spawner, "wait");
    take_answer(answer, give_job(&spawner, "pid")); /* both jobs are forked now, in order */
    assert_int_equal(stop(&spawner), 0);
    assert_int_equal(write(job, "go", 2), 2);
    assert_string_equal(take_answer(answer, job), "went on");
}

static void an_oversized_job_is_refused_and_the_next_one_served(void **state)
{
    (void)state;
    char answer[512];
    struct spawner spawner = start();
    int before = facts_open_descriptors();
    char *big = calloc(1, FDPASS_BYTES_MAX + 1);
    assert_int_equal(send(spawner.socket, big, FDPASS_BYTES_MAX + 1, 0), FDPASS_BYTES_MAX + 1);
    free(big);
    take_answer(answer, give_job(&spawner, "pid"));
    assert_true(atoi(answer) > 0);
    assert_int_equal(facts_open_descriptors(), before);
    assert_int_equal(stop(&spawner), 0);
}

static void a_missing_program_is_an_error_that_leaves_nothing_open(void **state)
{
    (void)state;
    int socket = -1, before = facts_open_descriptors();
    pid_t pid = -1;
    assert_int_equal(spawner_start(&socket, &pid, "/nonexistent/faxd-t30", NULL), ERR_IO);
    assert_non_null(strstr(err_message(), "/nonexistent/faxd-t30"));
    assert_int_equal(socket, -1);
    assert_int_equal(facts_open_descriptors(), before);
}

static void the_owners_end_closes_on_exec(void **state)
{
    (void)state;
    struct spawner spawner = start();
    assert_int_equal(fcntl(spawner.socket, F_GETFD), FD_CLOEXEC);
    assert_int_equal(stop(&spawner), 0);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--spawner") == 0)
        return spawner_serve(SPAWNER_FD, run_job, argv[2]);
    ssize_t length = readlink("/proc/self/exe", program_path, sizeof program_path - 1);
    if (length < 0)
        return EXIT_FAILURE;
    program_path[length] = '\0';
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_child_gets_its_text_its_descriptors_and_nothing_else),
        cmocka_unit_test(a_short_text_after_a_long_one_has_its_own_end),
        cmocka_unit_test(each_job_has_a_process_of_its_own),
        cmocka_unit_test(a_crash_costs_its_own_job_only),
        cmocka_unit_test(an_ended_child_leaves_no_zombie),
        cmocka_unit_test(children_go_on_when_the_spawner_has_left),
        cmocka_unit_test(an_oversized_job_is_refused_and_the_next_one_served),
        cmocka_unit_test(a_missing_program_is_an_error_that_leaves_nothing_open),
        cmocka_unit_test(the_owners_end_closes_on_exec),
    };
    return cmocka_run_group_tests_name("spawner", facts, NULL, NULL);
}
