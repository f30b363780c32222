/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the sandbox. Each is tried in a forked child that has entered it.
 *
 * A sanitized build logs what a plain build denies, so the refusals are facts of the plain build only.
 */
#include "config.h"

#include "server/base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "server/base/log.h"
#include "tests/lib/facts.h"

#define NOT_ENTERED 99

struct trial {
    struct sandbox_limits limits;
    bool (*holds)(void);
};

static int run_trial(void *argument)
{
    const struct trial *trial = argument;
    if (sandbox_enter(&trial->limits) != 0)
        return NOT_ENTERED;
    return trial->holds() ? 0 : 1;
}

static int try_with(struct sandbox_limits limits, bool (*holds)(void))
{
    struct trial trial = {limits, holds};
    return facts_in_child(run_trial, &trial);
}

static int try_in_sandbox(bool (*holds)(void))
{
    return try_with((struct sandbox_limits){0}, holds);
}

/* Opened before the fence closes. */
static int file = -1, pair[2];

static bool file_works(void)
{
    char back[4];
    struct stat stat_buffer;
    return write(file, "data", 4) == 4 && lseek(file, 0, SEEK_SET) == 0 && read(file, back, 4) == 4 &&
           memcmp(back, "data", 4) == 0 && pwrite(file, "x", 1, 8) == 1 && fstat(file, &stat_buffer) == 0 &&
           stat_buffer.st_size == 9 && ftruncate(file, 2) == 0 && fdatasync(file) == 0 && fsync(file) == 0 &&
           fcntl(file, F_GETFL) >= 0 && close(file) == 0;
}

static void an_open_file_is_read_written_synced_and_cut(void **state)
{
    (void)state;
    assert_int_equal(try_in_sandbox(file_works), 0);
}

static bool messages_work(void)
{
    char octet;
    int epoll = epoll_create1(EPOLL_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    int bell = eventfd(0, EFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    struct itimerspec soon = {.it_value = {.tv_nsec = 1}};
    return epoll >= 0 && timer >= 0 && bell >= 0 && send(pair[0], "m", 1, MSG_NOSIGNAL) == 1 &&
           recv(pair[1], &octet, 1, 0) == 1 && timerfd_settime(timer, 0, &soon, NULL) == 0 &&
           epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event) == 0 && epoll_wait(epoll, &event, 1, 5000) == 1 &&
           fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0 && shutdown(pair[0], SHUT_RDWR) == 0;
}

static void sockets_timers_and_epoll_work(void **state)
{
    (void)state;
    assert_int_equal(try_in_sandbox(messages_work), 0);
}

static bool memory_and_clocks_work(void)
{
    struct timespec now, pause = {.tv_nsec = 1};
    struct rusage usage;
    char *small = xmalloc(100), *large = xmalloc(8 << 20);
    memset(large, 1, 8 << 20);
    large = xrealloc(large, 16 << 20);
    bool grown = large[(8 << 20) - 1] == 1;
    free(small);
    free(large);
    return grown && clock_gettime(CLOCK_MONOTONIC, &now) == 0 && nanosleep(&pause, NULL) == 0 &&
           getrusage(RUSAGE_SELF, &usage) == 0 && signal(SIGUSR1, SIG_IGN) != SIG_ERR;
}

static void memory_clocks_and_signals_work(void **state)
{
    (void)state;
    assert_int_equal(try_in_sandbox(memory_and_clocks_work), 0);
}

static bool abort_ends_us(void)
{
    signal(SIGABRT, SIG_DFL);
    abort();
}

static void abort_still_ends_with_its_signal(void **state)
{
    (void)state;
    assert_int_equal(try_in_sandbox(abort_ends_us), 128 + SIGABRT);
}

static bool limits_are_set(void)
{
    struct rlimit core, cpu, size;
    bool read =
        getrlimit(RLIMIT_CORE, &core) == 0 && getrlimit(RLIMIT_CPU, &cpu) == 0 && getrlimit(RLIMIT_FSIZE, &size) == 0;
    return read && core.rlim_max == 0 && cpu.rlim_cur == 7 && cpu.rlim_max == 12 && size.rlim_cur == 4096;
}

static void the_limits_hold_inside(void **state)
{
    (void)state;
    assert_int_equal(try_with((struct sandbox_limits){.cpu_s = 7, .file_bytes = 4096}, limits_are_set), 0);
}

static bool file_has_its_limit(void)
{
    signal(SIGXFSZ, SIG_IGN);
    return pwrite(file, "x", 1, 4095) == 1 && pwrite(file, "x", 1, 4096) < 0 && errno == EFBIG;
}

static void a_file_grows_to_its_limit(void **state)
{
    (void)state;
    assert_int_equal(try_with((struct sandbox_limits){.file_bytes = 4096}, file_has_its_limit), 0);
}

static bool status_tells(void)
{
    char text[4096];
    ssize_t got = pread(file, text, sizeof text - 1, 0); /* a status file tells what holds when it is read */
    text[got > 0 ? got : 0] = '\0';
    return strstr(text, "NoNewPrivs:\t1") && strstr(text, "Seccomp:\t2");
}

static int open_status_and_try(void *unused)
{
    (void)unused;
    struct trial trial = {.holds = status_tells};
    file = open("/proc/self/status", O_RDONLY);
    return run_trial(&trial);
}

static void the_kernel_shows_the_fence_and_no_new_privileges(void **state)
{
    (void)state;
    assert_int_equal(facts_in_child(open_status_and_try, NULL), 0);
}

#ifndef FAXD_SANITIZED

static bool refused(long result)
{
    return result == -1 && errno == EPERM;
}

static bool opening_is_refused(void)
{
    return refused(open("/dev/null", O_RDONLY)) && refused(open("/tmp/faxd-sandbox-test", O_CREAT | O_RDWR, 0600)) &&
           refused(open("/proc/self/mem", O_RDWR)) && refused(unlink("/nonexistent")) &&
           refused(mkdir("/tmp/faxd-sandbox-test", 0700)) && refused(access("/", R_OK));
}

static void no_file_can_be_opened_made_or_removed(void **state)
{
    (void)state;
    assert_int_equal(try_in_sandbox(opening_is_refused), 0);
}

static bool sockets_are_refused(void)
{
    int fresh[2];
    struct sockaddr address = {.sa_family = AF_UNIX};
    return refused(socket(AF_INET, SOCK_STREAM, 0)) && refused(socketpair(AF_UNIX, SOCK_STREAM, 0, fresh)) &&
           refused(connect(pair[0], &address, sizeof address)) && refused(bind(pair[0], &address, sizeof address));
}

static void no_socket_can_be_made_or_connected(void **state)
{
    (void)state;
    assert_int_equal(try_in_sandbox(sockets_are_refused), 0);
}

static void *do_nothing(void *unused)
{
    return unused;
}

static bool processes_are_refused(void)
{
    char *arguments[] = {(char *)"/bin/true", NULL};
    pthread_t thread;
    return refused(fork()) && refused(execv("/bin/true", arguments)) &&
           pthread_create(&thread, NULL, do_nothing, NULL) == EPERM;
}

static void nothing_can_be_forked_executed_or_threaded(void **state)
{
    (void)state;
    assert_int_equal(try_in_sandbox(processes_are_refused), 0);
}

static bool others_are_out_of_reach(void)
{
    struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};
    return refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL)) && refused(kill(getppid(), 0)) &&
           refused(tgkill(getppid(), getppid(), 0)) && refused(setrlimit(RLIMIT_CORE, &more)) &&
           refused(fcntl(file, F_SETOWN, 1)) && refused(setuid(0));
}

static void other_processes_and_limits_are_out_of_reach(void **state)
{
    (void)state;
    assert_int_equal(try_in_sandbox(others_are_out_of_reach), 0);
}

static bool code_is_refused(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page != MAP_FAILED && refused(mprotect(page, 4096, PROT_READ | PROT_EXEC)) &&
           mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EPERM;
}

static void no_new_code_can_be_mapped(void **state)
{
    (void)state;
    assert_int_equal(try_in_sandbox(code_is_refused), 0);
}

static bool memory_has_its_limit(void)
{
    errno = 0;
    return mmap(NULL, 1ul << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM;
}

static void memory_ends_at_its_limit(void **state)
{
    (void)state;
    assert_int_equal(try_with((struct sandbox_limits){.address_space_bytes = 256ul << 20}, memory_has_its_limit), 0);
}

static bool a_child_can_be_forked_and_nothing_more(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(refused(open("/dev/null", O_RDONLY)) ? 0 : 1);
    int status;
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
           refused(socket(AF_INET, SOCK_STREAM, 0));
}

static void a_spawner_may_fork_children_that_inherit_the_fence(void **state)
{
    (void)state;
    assert_int_equal(try_with((struct sandbox_limits){.may_fork = true}, a_child_can_be_forked_and_nothing_more), 0);
}

/* A folder that may be read, and a secret beside it. */
static char shown[64], secret[64];
static const char *readable[2];

static void make_folder(void)
{
    char path[80];
    snprintf(shown, sizeof shown, "/tmp/faxd-shown-XXXXXX");
    snprintf(secret, sizeof secret, "/tmp/faxd-secret-XXXXXX");
    assert_non_null(mkdtemp(shown));
    assert_int_equal(chmod(shown, 0755), 0);
    snprintf(path, sizeof path, "%s/font", shown);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    assert_true(fd >= 0 && write(fd, "abc", 3) == 3 && close(fd) == 0);
    fd = mkstemp(secret);
    assert_true(fd >= 0 && close(fd) == 0);
    readable[0] = shown;
}

static void remove_folder(void)
{
    char path[80];
    snprintf(path, sizeof path, "%s/font", shown);
    unlink(path);
    rmdir(shown);
    unlink(secret);
}

static bool only_fonts_open(void)
{
    char path[80], octets[4] = "";
    snprintf(path, sizeof path, "%s/font", shown);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool read_it = fd >= 0 && read(fd, octets, 3) == 3 && strcmp(octets, "abc") == 0;
    bool kept = open(path, O_RDWR | O_CLOEXEC) < 0 && open(path, O_WRONLY | O_TRUNC | O_CLOEXEC) < 0;
    snprintf(path, sizeof path, "%s/more", shown);
    kept = kept && open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) < 0 && mkdir(path, 0700) < 0;
    /* Landlock hides it; without Landlock, and as root before, it is nobody who asks. */
    bool hidden = open(secret, O_RDONLY | O_CLOEXEC) < 0 || (geteuid() != SANDBOX_NOBODY && !sandbox_has_landlock());
    return read_it && kept && hidden && socket(AF_UNIX, SOCK_STREAM, 0) < 0;
}

static void fonts_can_be_read_where_they_are_and_nothing_else(void **state)
{
    (void)state;
    make_folder();
    int status = try_with((struct sandbox_limits){.readable = readable}, only_fonts_open);
    remove_folder();
    assert_int_equal(status, 0);
}

static bool threads_run_but_no_processes(void)
{
    pthread_t thread;
    return pthread_create(&thread, NULL, do_nothing, NULL) == 0 && pthread_join(thread, NULL) == 0 && fork() < 0;
}

static void who_draws_may_have_threads(void **state)
{
    (void)state;
    assert_int_equal(try_with((struct sandbox_limits){.readable = readable}, threads_run_but_no_processes), 0);
}

static int in_program_fence(void *argument)
{
    (void)argument;
    char path[80];
    if (sandbox_enter_program(&(struct sandbox_limits){0}, shown) != 0)
        return NOT_ENTERED;
    snprintf(path, sizeof path, "%s/made", shown);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    bool own = fd >= 0 && unlink(path) == 0, others = sandbox_has_landlock() && open(secret, O_RDONLY) >= 0;
    bool net = socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_INET6, SOCK_DGRAM, 0) >= 0 ||
               socket(AF_NETLINK, SOCK_RAW, 0) >= 0;
    bool local = socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
    return own && local && !others && !net && ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 && geteuid() != 0 ? 0 : 1;
}

static void another_program_has_its_folder_and_no_network(void **state)
{
    (void)state;
    make_folder();
    if (geteuid() == 0)
        assert_int_equal(chown(shown, SANDBOX_NOBODY, SANDBOX_NOBODY), 0);
    int status = facts_in_child(in_program_fence, NULL);
    remove_folder();
    assert_int_equal(status, 0);
}

#endif

static int open_descriptors(void **state)
{
    (void)state;
    char path[64];
    file = facts_temporary_file(path);
    unlink(path);
    return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
}

static int close_descriptors(void **state)
{
    (void)state;
    close(file);
    close(pair[0]);
    close(pair[1]);
    return 0;
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, open_descriptors, close_descriptors)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(an_open_file_is_read_written_synced_and_cut),
        FACT(sockets_timers_and_epoll_work),
        FACT(memory_clocks_and_signals_work),
        FACT(abort_still_ends_with_its_signal),
        FACT(the_limits_hold_inside),
        FACT(a_file_grows_to_its_limit),
        FACT(the_kernel_shows_the_fence_and_no_new_privileges),
#ifndef FAXD_SANITIZED
        FACT(no_file_can_be_opened_made_or_removed),
        FACT(no_socket_can_be_made_or_connected),
        FACT(nothing_can_be_forked_executed_or_threaded),
        FACT(other_processes_and_limits_are_out_of_reach),
        FACT(no_new_code_can_be_mapped),
        FACT(memory_ends_at_its_limit),
        FACT(a_spawner_may_fork_children_that_inherit_the_fence),
        FACT(fonts_can_be_read_where_they_are_and_nothing_else),
        FACT(who_draws_may_have_threads),
        FACT(another_program_has_its_folder_and_no_network),
#endif
    };
    printf("# Landlock: %s\n", sandbox_has_landlock() ? "yes" : "no");
    return cmocka_run_group_tests_name("sandbox", facts, NULL, NULL);
}
