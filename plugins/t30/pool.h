/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The spawner's side when an engine carries several calls: hands each job to an engine with room, or forks one.
 *
 * The spawner and each engine share a SOCK_SEQPACKET pair: jobs go down (text and descriptors), one octet comes up for
 * each call that has ended. An engine leaves when its socket is closed and its calls have ended, and the spawner closes
 * it when it counts no call there: so no job can meet an engine that is about to leave.
 *
 * Thread: the only one.
 */
#ifndef FAXD_T30_POOL_H
#define FAXD_T30_POOL_H

/* Runs in a new engine: serve the jobs that come over `jobs` until it is closed. Returns the exit status. */
typedef int (*pool_engine_fn)(int jobs, int calls_per_engine);

/* Serve jobs from `socket` (the owner's, as in server/base/spawner.h) until the owner closes it, with up to
 * `calls_per_engine` calls in each engine. Returns the exit status of the program. */
int pool_serve(int socket, int calls_per_engine, pool_engine_fn engine);

#endif
