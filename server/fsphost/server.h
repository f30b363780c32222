/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's loop: the link, reports of workers and control threads, the completion port, signals and time; and the
 * rules of when the host leaves.
 *
 * Thread: the main thread, which is the I/O thread.
 */
#ifndef FAXD_FSPHOST_SERVER_H
#define FAXD_FSPHOST_SERVER_H

#include "server/fsphost/provider.h"

#include <stdbool.h>
#include <stdint.h>

struct server_options {
    const char *name; /* of the provider */
    const char *socket_path;
    int64_t abort_grace_ms;  /* an operation that ignores its abort for so long costs its line */
    int64_t orphan_grace_ms; /* a host without faxd for so long leaves after its calls */
};

/* Listen, tell the FSP of its devices, and serve until it is time to leave; the FSP is then shut down, unless a thread
 * still hangs in it: `*hung` tells, and the caller must leave by _exit. SIGTERM and SIGINT are as LINK_STOP; they must
 * be blocked in every thread. 0, or an err code when it could not begin. */
int server_run(const struct server_options *options, struct provider *provider, bool *hung);

#endif
