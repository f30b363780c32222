/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts provider hosts for server/host. What a host was started with stays in its folder, so that a later faxd can
 * tell whether the one that runs is the one that it wants. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/host_process.h"

#include "server/base/err.h"
#include "server/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_FD 3

/* A descriptor to read it from, or ERR_IO. */
static int write_config(const struct host_process *process)
{
    char *path = xasprintf("%s/config.json", process->dir);
    size_t size = strlen(process->config_text);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd >= 0 && (write(fd, process->config_text, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)) {
        close(fd);
        fd = -1;
    }
    if (fd < 0)
        fd = err_set(ERR_IO, "cannot write %s: %s", path, strerror(errno));
    free(path);
    return fd;
}

static int spawn(pid_t *pid, const struct host_process *process, int config_fd)
{
    char *link = xasprintf("%s/link", process->dir), *config = xasprintf("%d", CONFIG_FD);
    char *abort_grace = xasprintf("%d", process->abort_grace_s);
    char *orphan_grace = xasprintf("%d", process->orphan_grace_s);
    const char *const argv[] = {
        process->program,   "--name", process->name,   "--module",  process->module,  "--socket",   link,
        "--config-fd",      config,   "--abort-grace", abort_grace, "--orphan-grace", orphan_grace, "--log-level",
        process->log_level, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error;

    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, config_fd, CONFIG_FD);
    posix_spawn_file_actions_addclosefrom_np(&actions, CONFIG_FD + 1);
    /* A session of its own: Ctrl-C at our terminal is for faxd, which tells its hosts what it wants. */
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    error = posix_spawn(pid, process->program, &actions, &attributes, (char *const *)argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(link);
    free(config);
    free(abort_grace);
    free(orphan_grace);
    return error == 0 ? 0 : err_set(ERR_IO, "cannot start %s: %s", process->program, strerror(error));
}

int host_process_start(pid_t *pid, const struct host_process *process)
{
    int config_fd = write_config(process);
    int error = config_fd < 0 ? config_fd : spawn(pid, process, config_fd);

    if (config_fd >= 0)
        close(config_fd);
    return error;
}

bool host_process_config_is(const char *dir, const char *config_text)
{
    size_t wanted = strlen(config_text), size = 0;
    char *path = xasprintf("%s/config.json", dir), *text = xcalloc(1, wanted + 2);
    FILE *file = fopen(path, "re");
    bool same;

    if (file != NULL) {
        size = fread(text, 1, wanted + 1, file);
        fclose(file);
    }
    same = size == wanted && memcmp(text, config_text, size) == 0;
    free(path);
    free(text);
    return same;
}
