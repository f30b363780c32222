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

struct sandbox_limits {
    unsigned long address_space_bytes; /* RLIMIT_AS, 0 = leave */
    unsigned cpu_s;                    /* RLIMIT_CPU soft limit (SIGXCPU), hard is 5 s more; 0 = leave */
    unsigned long file_bytes;          /* RLIMIT_FSIZE, 0 = leave */
    bool may_fork;                     /* the spawner's per-call children never do */
};

/* True when the running kernel has Landlock. */
bool sandbox_has_landlock(void);

/* Close the fences: no new privileges, no core file, the limits, Landlock with no path at all where the kernel has it,
 * and a seccomp filter that allows reading, writing, syncing and seeking on open descriptors, socket messages on them,
 * epoll, poll, timers, clocks, memory and exit; open, socket, exec, fork, ptrace and all else fail with EPERM.
 * 0 or ERR_IO: the caller must then leave, not go on without a fence. */
int sandbox_enter(const struct sandbox_limits *limits);

#endif
