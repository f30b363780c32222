/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process of a provider host: how faxd-fsp is started, and with what.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_HOST_PROCESS_H
#define FAXD_SERVER_HOST_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

struct host_process {
    const char *program, *name, *module; /* absolute paths, and the provider's name */
    const char *dir;                     /* its folder: socket "link", "config.json" */
    const char *config_text;             /* JSON for FaxdProviderConfig */
    const char *log_level;
    int abort_grace_s, orphan_grace_s;
};

/* Write config.json and start the program, in a session of its own. 0 or ERR_IO. */
int host_process_start(pid_t *pid, const struct host_process *process);

/* Was the host in this folder started with this configuration? */
bool host_process_config_is(const char *dir, const char *config_text);

#endif
