/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small single-threaded process that forks a child for each job: the engine's and the converter's way to start.
 *
 * Forking a warmed process costs a quarter of exec, and keeps fork out of threaded hosts (DESIGN section 1). The owner
 * starts `PROGRAM --spawner` with one end of a SOCK_SEQPACKET pair as descriptor 3; each datagram on it is one job:
 * text (JSON, the program's own) and descriptors. The child runs the job and leaves. When the owner's end closes, the
 * spawner stops taking jobs and leaves at once; children go on (they have sockets of their own to notice by).
 */
#ifndef FAXD_BASE_SPAWNER_H
#define FAXD_BASE_SPAWNER_H

#include <sys/types.h>

#define SPAWNER_FD 3

/* Runs in the child, with the job's text (ended with NUL) and its descriptors; returns the exit status. */
typedef int (*spawner_job_fn)(char *text, const int *fds, int count, void *context);

/* Serve until the owner's end closes. Children are reaped by the kernel (SA_NOCLDWAIT), and each starts with SIGCHLD at
 * its default. Returns the exit status of the program.
 * A job that cannot be forked gets its descriptors closed, which its owner sees as end-of-file.
 * Thread: the only one. */
int spawner_serve(int socket, spawner_job_fn run, void *context);

/* Owner's side: start `program` (absolute path) as a spawner, argv is { program, "--spawner", extra..., NULL }.
 * `extra` may be NULL. On success `*socket` is the owner's end (close-on-exec) and `*pid` the spawner's process.
 * All other descriptors but 0, 1, 2 are closed in it; standard input is /dev/null, standard
 * output goes where standard error goes; it leads a session of its own, with
 * default signal actions and none blocked. The caller waits for *pid when it ends. 0 or ERR_IO.
 * Thread: any (posix_spawn with closefrom; no fork in a threaded process). */
int spawner_start(int *socket, pid_t *pid, const char *program, const char *const *extra);

/* For a process that forks children and does not care how they end: they are waited for as they die, so that their CPU
 * time is accounted to it. A child takes it back with signal(SIGCHLD, SIG_DFL). */
void spawner_reap_children(void);

#endif
