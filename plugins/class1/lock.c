/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lock files. The file is written under another name and appears by link(), which only one can do. A stale one is
 * removed under flock(), so that of two who find it only one does; and ours stays flocked while it is held, which tells
 * a lock of this process from one of an earlier process that had our number.
 */
#include "config.h"

#include "plugins/class1/lock.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TRIES        4
#define GARBLED_S    60 /* a lock without a process id is somebody's who is writing it, until it is so old */
#define PROGRAM_SIZE 32

struct lock {
    char *path;
    int fd; /* flocked */
};

/* "/dev/ttyS0" is LCK..ttyS0; of a device in a folder below /dev the folder's name is part of it. */
static int lock_path(char **out, const char *folder, const char *device)
{
    char real[PATH_MAX];
    const char *name = real;

    if (realpath(device, real) == NULL) {
        if (errno == ENOENT || errno == ENOTDIR)
            return err_set(ERR_NOT_FOUND, "there is no device %s", device);
        return err_set(errno == EACCES ? ERR_DENIED : ERR_IO, "cannot find %s: %s", device, strerror(errno));
    }
    if (strncmp(real, "/dev/", 5) == 0)
        name = real + 5;
    else if (strrchr(real, '/') != NULL)
        name = strrchr(real, '/') + 1;
    *out = xasprintf("%s/LCK..%s", folder, name);
    for (char *at = *out + strlen(folder) + 1; *at != '\0'; at++)
        if (*at == '/')
            *at = '_';
    return 0;
}

static int cannot(const char *what, const char *path)
{
    return err_set(errno == EACCES || errno == EPERM ? ERR_DENIED : ERR_IO,
                   "cannot %s the lock file %s: %s (setting lock_dir)", what, path, strerror(errno));
}

/* A file with our process id, flocked, under a name of its own. */
static int lock_write(char **temporary, int *fd, const char *path)
{
    char text[16];

    *temporary = xasprintf("%s.%d.%llx", path, (int)getpid(), (unsigned long long)(uintptr_t)temporary);
    *fd = open(*temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (*fd < 0)
        return cannot("make", *temporary);
    snprintf(text, sizeof text, "%10d\n", (int)getpid());
    if (write(*fd, text, 11) != 11 || fchmod(*fd, 0644) != 0 || flock(*fd, LOCK_EX | LOCK_NB) != 0)
        return cannot("write", *temporary);
    return 0;
}

/* The process id in a lock, 0 when there is none. */
static pid_t read_pid(int fd)
{
    char text[16] = "";
    ssize_t size = pread(fd, text, sizeof text - 1, 0);
    char *end;
    long pid;

    if (size <= 0)
        return 0;
    text[size] = '\0';
    pid = strtol(text, &end, 10);
    return end != text && pid > 0 && pid <= INT_MAX && (*end == '\n' || *end == '\0') ? (pid_t)pid : 0;
}

static void program_of(char name[PROGRAM_SIZE], pid_t pid)
{
    char path[64];
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    file = fopen(path, "re");
    if (file == NULL || fgets(name, PROGRAM_SIZE, file) == NULL)
        strcpy(name, "not known");
    name[strcspn(name, "\n")] = '\0';
    if (file != NULL)
        fclose(file);
}

static bool is_stale(int fd, pid_t pid)
{
    struct stat status;

    if (pid == 0)
        return fstat(fd, &status) == 0 && time(NULL) - status.st_mtime > GARBLED_S;
    return pid == getpid() || (kill(pid, 0) != 0 && errno == ESRCH);
}

static int in_use(const char *path, pid_t pid)
{
    char name[PROGRAM_SIZE];

    if (pid == 0)
        return err_set(ERR_CONFLICT, "locked by %s, which names no process", path);
    if (pid == getpid())
        return err_set(ERR_CONFLICT, "locked by another line of this provider (%s)", path);
    program_of(name, pid);
    return err_set(ERR_CONFLICT, "locked by process %d (%s), see %s", (int)pid, name, path);
}

/* There is a lock. 0 when it was stale and is gone. */
static int lock_overtake(const char *path)
{
    struct stat ours, there;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), err = 0;
    pid_t pid;

    if (fd < 0)
        return errno == ENOENT ? 0 : cannot("read", path);
    pid = read_pid(fd);
    if (!is_stale(fd, pid) || flock(fd, LOCK_EX | LOCK_NB) != 0)
        err = in_use(path, pid);
    else if (fstat(fd, &ours) == 0 && lstat(path, &there) == 0 && ours.st_ino == there.st_ino && unlink(path) != 0 &&
             errno != ENOENT)
        err = cannot("remove the stale", path);
    else if (pid != 0)
        log_info("took over the lock %s of process %d, which is gone", path, (int)pid);
    close(fd);
    return err;
}

int lock_take(struct lock **out, const char *folder, const char *device)
{
    char *path = NULL, *temporary = NULL;
    int fd = -1, err;

    *out = NULL;
    if (folder[0] == '\0')
        return 0;
    err = lock_path(&path, folder, device);
    if (err == 0)
        err = lock_write(&temporary, &fd, path);
    for (int i = 0; err == 0 && i < TRIES; i++) {
        if (link(temporary, path) == 0)
            break;
        err = errno == EEXIST ? lock_overtake(path) : cannot("make", path);
        if (err == 0 && i == TRIES - 1)
            err = err_set(ERR_CONFLICT, "others take the lock %s again and again", path);
    }
    if (fd >= 0)
        unlink(temporary);
    free(temporary);
    if (err != 0) {
        if (fd >= 0)
            close(fd);
        free(path);
        return err;
    }
    *out = xcalloc(1, sizeof **out);
    **out = (struct lock){.path = path, .fd = fd};
    return 0;
}

void lock_release(struct lock *lock)
{
    if (lock == NULL)
        return;
    unlink(lock->path);
    close(lock->fd);
    free(lock->path);
    free(lock);
}
