/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fences around an engine, a converter and every other process that decodes a stranger's bytes.
 *
 * Seccomp is the first fence: a list of what may be called, all else is EPERM. Landlock is the second, for a kernel
 * whose seccomp filter someone found a way around. A filter sees the values of arguments and not what they point to, so
 * a call that takes a path is allowed only where a number tells that it works on a descriptor.
 */
#include "config.h"

#include "server/base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef HAVE_LINUX_LANDLOCK_H
#include <linux/landlock.h>
#endif

#include "server/base/err.h"

#ifdef FAXD_SANITIZED
#define REFUSE SCMP_ACT_LOG
#else
#define REFUSE SCMP_ACT_ERRNO(EPERM)
#endif

#define CPU_GRACE_S 5

static const int allowed_calls[] = {
    /* open descriptors */
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
    SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(close), SCMP_SYS(ftruncate), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
    /* messages on sockets that were handed in */
    SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(getsockopt),
    SCMP_SYS(shutdown),
    /* waiting */
    SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
    SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_gettime), SCMP_SYS(eventfd2), SCMP_SYS(poll),
    SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(restart_syscall),
    /* time */
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(setitimer),
    /* memory */
    SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(membarrier),
    /* the process itself */
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
    SCMP_SYS(getrusage), SCMP_SYS(getrandom), SCMP_SYS(sysinfo), SCMP_SYS(uname), SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(futex), SCMP_SYS(sched_yield),
    SCMP_SYS(rseq), SCMP_SYS(set_robust_list), SCMP_SYS(exit), SCMP_SYS(exit_group)};

/* Calls that are allowed for some values of one argument: (argument & mask) == value. */
struct guarded_call {
    int call;
    unsigned argument;
    uint64_t mask;
    uint64_t value;
};

#define ALL_BITS UINT64_MAX
#define LOW_BITS UINT64_C(0xFFFFFFFF) /* the kernel reads an int; the upper half is whatever the register held */

static const struct guarded_call guarded_calls[] = {
    {SCMP_SYS(mmap), 2, PROT_EXEC, 0},
    {SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
    /* fstat() of glibc; it can still ask about a path, and learns no more than that it is there */
    {SCMP_SYS(newfstatat), 3, AT_EMPTY_PATH, AT_EMPTY_PATH},
    {SCMP_SYS(fcntl), 1, LOW_BITS, F_GETFL},
    {SCMP_SYS(fcntl), 1, LOW_BITS, F_SETFL},
    {SCMP_SYS(fcntl), 1, LOW_BITS, F_GETFD},
    {SCMP_SYS(prlimit64), 2, ALL_BITS, 0}, /* reading limits, not setting them */
    /* XON and XOFF of a modem's line; fails on all else that an engine has */
    {SCMP_SYS(ioctl), 1, LOW_BITS, TCGETS},
    {SCMP_SYS(ioctl), 1, LOW_BITS, TCSETS},
};

static int allow_plain(scmp_filter_ctx filter)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof allowed_calls / sizeof *allowed_calls; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed_calls[i], 0);
    return rc;
}

static int allow_guarded(scmp_filter_ctx filter, const struct guarded_call *guard)
{
    struct scmp_arg_cmp test = {
        .arg = guard->argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = guard->mask, .datum_b = guard->value};
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, guard->call, 1, &test);
}

static int allow_all_guarded(scmp_filter_ctx filter)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof guarded_calls / sizeof *guarded_calls; i++)
        rc = allow_guarded(filter, &guarded_calls[i]);
    /* abort() signals its own thread; nobody else's process may be signalled */
    const struct guarded_call own_signal = {SCMP_SYS(tgkill), 0, LOW_BITS, (uint64_t)getpid()};
    return rc == 0 ? allow_guarded(filter, &own_signal) : rc;
}

/* Plain children only: no threads, no shared memory, no name spaces. */
static int allow_fork(scmp_filter_ctx filter)
{
    const uint64_t refused = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                             CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
    const struct guarded_call plain = {SCMP_SYS(clone), 0, refused, 0};
    int rc = allow_guarded(filter, &plain);
    return rc == 0 ? seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(wait4), 0) : rc;
}

/* Opening for reading, and what goes with it. */
static int allow_files(scmp_filter_ctx filter)
{
    static const int calls[] = {SCMP_SYS(access),     SCMP_SYS(faccessat),  SCMP_SYS(faccessat2), SCMP_SYS(stat),
                                SCMP_SYS(lstat),      SCMP_SYS(newfstatat), SCMP_SYS(statx),      SCMP_SYS(readlink),
                                SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(fstatfs),    SCMP_SYS(fadvise64),
                                SCMP_SYS(getcwd),     SCMP_SYS(statfs),     SCMP_SYS(mincore)};
    const uint64_t refused = O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);
    const struct guarded_call reading[] = {
        {SCMP_SYS(openat), 2, refused, O_RDONLY},
        {SCMP_SYS(open), 1, refused, O_RDONLY},
        {SCMP_SYS(fcntl), 1, LOW_BITS, F_SETFD},
        {SCMP_SYS(fcntl), 1, LOW_BITS, F_DUPFD_CLOEXEC},
    };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof calls / sizeof *calls; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
    for (size_t i = 0; rc == 0 && i < sizeof reading / sizeof *reading; i++)
        rc = allow_guarded(filter, &reading[i]);
    return rc;
}

/* Threads of this process, no processes. clone3() hides its flags in memory, so glibc is told to use the old call. */
static int allow_threads(scmp_filter_ctx filter)
{
    static const int calls[] = {SCMP_SYS(set_tid_address), SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_getattr),
                                SCMP_SYS(sched_getparam), SCMP_SYS(sched_getscheduler)};
    const struct guarded_call thread = {SCMP_SYS(clone), 0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM};
    const struct guarded_call name = {SCMP_SYS(prctl), 0, LOW_BITS, PR_SET_NAME};
    int rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    for (size_t i = 0; rc == 0 && i < sizeof calls / sizeof *calls; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
    if (rc == 0)
        rc = allow_guarded(filter, &name);
    return rc == 0 ? allow_guarded(filter, &thread) : rc;
}

static int enter_seccomp(const struct sandbox_limits *limits)
{
    scmp_filter_ctx filter = seccomp_init(REFUSE);
    if (!filter)
        return err_set(ERR_IO, "cannot build the seccomp filter");
    int rc = allow_plain(filter);
    if (rc == 0)
        rc = allow_all_guarded(filter);
    if (rc == 0 && limits->may_fork)
        rc = allow_fork(filter);
    if (rc == 0 && limits->readable)
        rc = allow_files(filter);
    if (rc == 0 && limits->readable)
        rc = allow_threads(filter);
    if (rc == 0)
        rc = seccomp_load(filter);
    seccomp_release(filter);
    return rc == 0 ? 0 : err_set(ERR_IO, "cannot enter the seccomp filter: %s", strerror(-rc));
}

#if defined HAVE_LINUX_LANDLOCK_H && defined SYS_landlock_create_ruleset

/* The version of the kernel's Landlock, 0 or less without it. */
static long landlock_version(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* Every kind of file access that this version knows. Given as numbers since the build may have older headers than the
 * kernel: version 2 added renaming across folders, 3 truncation, 5 ioctl on devices. */
static uint64_t landlock_rights(long version)
{
    unsigned bits = version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13;
    return (UINT64_C(1) << bits) - 1;
}

/* Paths that are not there are passed over: not every machine has every folder of fonts. */
static int landlock_allow(int rules, const char *path, uint64_t rights)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = open(path, O_PATH | O_CLOEXEC)};
    struct stat status;
    if (rule.parent_fd < 0)
        return 0;
    if (fstat(rule.parent_fd, &status) == 0 && !S_ISDIR(status.st_mode))
        rule.allowed_access &=
            LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE;
    int rc = 0;
    if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        rc = err_set(ERR_IO, "cannot allow %s in Landlock: %s", path, strerror(errno));
    close(rule.parent_fd);
    return rc;
}

static int enter_landlock(const char *const *readable, uint64_t readable_rights, const char *writable)
{
    long version = landlock_version();
    if (version <= 0)
        return 0;
    struct landlock_ruleset_attr rules = {.handled_access_fs = landlock_rights(version)};
    int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    if (fd < 0)
        return err_set(ERR_IO, "cannot make a Landlock rule set: %s", strerror(errno));
    int rc = 0;
    for (size_t i = 0; rc == 0 && readable && readable[i]; i++)
        rc = landlock_allow(fd, readable[i], readable_rights);
    if (rc == 0 && writable)
        rc = landlock_allow(fd, writable, rules.handled_access_fs);
    if (rc == 0 && writable) /* where office suites put their sockets, whatever TMPDIR says */
        rc = landlock_allow(fd, "/tmp", LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE);
    if (rc == 0 && syscall(SYS_landlock_restrict_self, fd, 0) != 0)
        rc = err_set(ERR_IO, "cannot enter Landlock: %s", strerror(errno));
    close(fd);
    return rc;
}

#define READ_RIGHTS    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define PROGRAM_RIGHTS (READ_RIGHTS | LANDLOCK_ACCESS_FS_EXECUTE)

#else

#define READ_RIGHTS    0
#define PROGRAM_RIGHTS 0

static long landlock_version(void)
{
    return 0;
}

static int enter_landlock(const char *const *readable, uint64_t readable_rights, const char *writable)
{
    (void)readable, (void)readable_rights, (void)writable;
    return 0;
}

#endif

bool sandbox_has_landlock(void)
{
    return landlock_version() > 0;
}

static int limit(__rlimit_resource_t resource, const char *name, rlim_t soft, rlim_t hard)
{
    struct rlimit old;
    if (getrlimit(resource, &old) != 0)
        return err_set(ERR_IO, "cannot read the limit %s: %s", name, strerror(errno));
    /* A limit that is tighter already stays: without privilege it could not be raised. */
    struct rlimit wanted = {.rlim_max = hard < old.rlim_max ? hard : old.rlim_max};
    wanted.rlim_cur = soft < wanted.rlim_max ? soft : wanted.rlim_max;
    if (setrlimit(resource, &wanted) != 0)
        return err_set(ERR_IO, "cannot set the limit %s: %s", name, strerror(errno));
    return 0;
}

static int set_limits(const struct sandbox_limits *limits)
{
    int rc = limit(RLIMIT_CORE, "core", 0, 0); /* a core file would hold the pages of somebody's fax */
#ifndef FAXD_SANITIZED
    if (rc == 0 && limits->address_space_bytes > 0)
        rc = limit(RLIMIT_AS, "address space", limits->address_space_bytes, limits->address_space_bytes);
#endif
    if (rc == 0 && limits->cpu_s > 0)
        rc = limit(RLIMIT_CPU, "cpu", limits->cpu_s, limits->cpu_s + CPU_GRACE_S);
    if (rc == 0 && limits->file_bytes > 0)
        rc = limit(RLIMIT_FSIZE, "file size", limits->file_bytes, limits->file_bytes);
    return rc;
}

#ifdef FAXD_SANITIZED
/* LeakSanitizer looks for leaks at exit by ways that the fence closes; what a fenced process leaks is found by the unit
 * tests of its parts. */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);

static int fenced;

int __lsan_is_turned_off(void)
{
    return fenced;
}
#endif

static int give_up_root(void)
{
    if (geteuid() != 0)
        return 0;
    if (setgroups(0, NULL) != 0 || setresgid(SANDBOX_NOBODY, SANDBOX_NOBODY, SANDBOX_NOBODY) != 0 ||
        setresuid(SANDBOX_NOBODY, SANDBOX_NOBODY, SANDBOX_NOBODY) != 0)
        return err_set(ERR_IO, "cannot give up root: %s", strerror(errno));
    return 0;
}

int sandbox_enter(const struct sandbox_limits *limits)
{
#ifdef FAXD_SANITIZED
    fenced = 1;
#endif
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_set(ERR_IO, "cannot give up new privileges: %s", strerror(errno));
    int rc = set_limits(limits);
    if (rc == 0 && limits->readable)
        rc = give_up_root();
    if (rc == 0)
        rc = enter_landlock(limits->readable, READ_RIGHTS, NULL);
    return rc == 0 ? enter_seccomp(limits) : rc; /* last: it refuses what the others need */
}

/* A list of what is refused: which calls an office suite makes nobody can tell. */
static int enter_program_seccomp(void)
{
    static const int refused[] = {SCMP_SYS(ptrace),       SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
                                  SCMP_SYS(mount),        SCMP_SYS(umount2),          SCMP_SYS(pivot_root),
                                  SCMP_SYS(chroot),       SCMP_SYS(unshare),          SCMP_SYS(setns),
                                  SCMP_SYS(bpf),          SCMP_SYS(perf_event_open),  SCMP_SYS(keyctl),
                                  SCMP_SYS(add_key),      SCMP_SYS(request_key),      SCMP_SYS(init_module),
                                  SCMP_SYS(finit_module), SCMP_SYS(kexec_load),       SCMP_SYS(swapon),
                                  SCMP_SYS(reboot),       SCMP_SYS(userfaultfd),      SCMP_SYS(io_uring_setup)};
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        return err_set(ERR_IO, "cannot build the seccomp filter");
    const struct scmp_arg_cmp not_local = {.arg = 0, .op = SCMP_CMP_NE, .datum_a = AF_UNIX, .datum_b = 0};
    int rc = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1, &not_local);
    for (size_t i = 0; rc == 0 && i < sizeof refused / sizeof *refused; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
    if (rc == 0)
        rc = seccomp_load(filter);
    seccomp_release(filter);
    return rc == 0 ? 0 : err_set(ERR_IO, "cannot enter the seccomp filter: %s", strerror(-rc));
}

int sandbox_enter_program(const struct sandbox_limits *limits, const char *folder)
{
    static const char *const system_folders[] = {"/usr",
                                                 "/lib",
                                                 "/lib64",
                                                 "/bin",
                                                 "/etc",
                                                 "/opt",
                                                 "/var/lib",
                                                 "/var/cache/fontconfig",
                                                 "/var/spool/libreoffice",
                                                 "/dev/null",
                                                 "/dev/urandom",
                                                 "/dev/random",
                                                 "/dev/zero",
                                                 "/proc",
                                                 "/sys/devices/system/cpu",
                                                 NULL};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_set(ERR_IO, "cannot give up new privileges: %s", strerror(errno));
    int rc = set_limits(limits);
    if (rc == 0)
        rc = give_up_root();
    if (rc == 0)
        rc = enter_landlock(system_folders, PROGRAM_RIGHTS, folder);
    return rc == 0 ? enter_program_seccomp() : rc;
}
