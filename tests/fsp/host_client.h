/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faxd's side of the link, for tests: start a provider host, greet it, order calls, hear what it says. */
#ifndef FAXD_TESTS_FSP_HOST_CLIENT_H
#define FAXD_TESTS_FSP_HOST_CLIENT_H

#include "server/link/link.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define HOST_PATIENCE_MS 120000 /* under a sanitizer, on a busy machine */

struct host {
    char dir[64], socket_path[96];
    pid_t pid;
    int link;
    char run[64];
    uint64_t last; /* number of the last event */
    int devices, jobs;
    uint64_t job_list[16];
    char *state; /* newest JSON of LINK_STATE, or NULL */
    int states;  /* how many came */
    char *scratch;
    char fault[256]; /* why something returned false */
};

/* A folder for it. Freed with host_close, which ends a host that still runs. NULL is fine. */
struct host *host_open(void);
void host_close(struct host *host);

/* Start faxd-fsp with two lines, 1001 and 1002. `module` is an absolute path or a file of the build folder; `settings`
 * the JSON of the provider's settings. */
void host_start(struct host *host, const char *module, const char *settings);

/* Connect and greet, having committed events up to `committed` of this run. */
bool host_greet(struct host *host, uint64_t committed);

bool host_say(struct host *host, const struct link_message *message, int fd);

/* The next message; false when the host has closed the link, says nothing, or nonsense, or left out an event. Texts are
 * valid until the next call. */
bool host_hear(struct host *host, struct link_message *message);

/* Order tests/data/itu1.tif to a number. */
bool host_send(struct host *host, uint64_t job, uint32_t line, const char *number, int journal);

/* Hear until the call of a job has ended; how many faults were told on the way, -1 when it never did. */
int host_end_of(struct host *host, struct link_message *ended, uint64_t job);

/* Its exit status, 128 + the signal that ended it, -1 when it does not leave. */
int host_wait_exit(struct host *host);

/* Acknowledge what there was, ask it to leave, and see it go: its exit status. */
int host_stop(struct host *host);

#endif
