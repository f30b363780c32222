/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fences around processes that decode a stranger's bytes: rlimits, seccomp, Landlock (DESIGN section 1).
 *
 * Call once, in a single-threaded process, after every descriptor and table is there. Under AddressSanitizer, UBSan or
 * ThreadSanitizer builds (FAXD_SANITIZED) the seccomp filter logs what it would deny (SCMP_ACT_LOG) instead of denying,
 * and the address space is not limited, since the tools need calls and room of their own.
 */
#ifndef FAXD_BASE_SANDBOX_H
#define FAXD_BASE_SANDBOX_H

#include <stdbool.h>

#define SANDBOX_NOBODY 65534 /* user and group that root becomes */

struct sandbox_limits {
    unsigned long address_space_bytes; /* RLIMIT_AS, 0 = leave */
    unsigned cpu_s;                    /* RLIMIT_CPU soft limit (SIGXCPU), hard is 5 s more; 0 = leave */
    unsigned long file_bytes;          /* RLIMIT_FSIZE, 0 = leave */
    bool may_fork;                     /* the spawner's per-call children never do */
    /* Folders and files below which files may be opened for reading (fonts, their configuration), ended with NULL;
     * NULL = nothing is opened. Libraries that read them start threads as well, so that is allowed with it. A kernel
     * without Landlock cannot tell paths apart: there a process of root's gives up being root instead. */
    const char *const *readable;
};

/* True when the running kernel has Landlock. */
bool sandbox_has_landlock(void);

/* Close the fences: no new privileges, no core file, the limits, Landlock with no path at all where the kernel has it,
 * and a seccomp filter that allows reading, writing, syncing and seeking on open descriptors, socket messages and the
 * settings of terminals on them, epoll, poll, timers, clocks, memory and exit; open, socket, exec, fork, ptrace and all
 * else fail with EPERM. 0 or ERR_IO: the caller must then leave, not go on without a fence. */
int sandbox_enter(const struct sandbox_limits *limits);

/* The wider fences around another program that turns documents into PDF, to be called right before it is executed: no
 * new privileges, no core file, the limits, no network (sockets of the machine itself only), no way to trace, mount or
 * load; where the kernel has Landlock it reads the system's folders and writes below `folder` alone. Root becomes
 * nobody, to whom `folder` has to belong. 0 or ERR_IO. */
int sandbox_enter_program(const struct sandbox_limits *limits, const char *folder);

#endif
