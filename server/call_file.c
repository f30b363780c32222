/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files between faxd and a host. On the route: outbound makes the one that a call sends, inbound the one that it
 * receives; both drop theirs when the attempt's end is committed, and the next start sweeps what a crash left. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/call_file.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/attempt.h"
#include "spool/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const struct {
    char letter;
    const char *suffix;
} kinds[] = {
    [CALL_FILE_SEND] = {'a', "tif"},     [CALL_FILE_SEND_2] = {'a', "2.tif"}, [CALL_FILE_SEND_3] = {'a', "3.tif"},
    [CALL_FILE_SEND_4] = {'a', "4.tif"}, [CALL_FILE_SEND_5] = {'a', "5.tif"}, [CALL_FILE_RECEIVE] = {'r', "tif"},
    [CALL_FILE_END] = {'r', "end"}};

#define ROOM_LEAST (4 << 20) /* octets: some forty pages */
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])
#define ASIDE      'k'

static int path_in(char path[CALL_FILE_PATH_SIZE], const char *folder, const char *below, const char *provider,
                   enum call_file_kind kind, int64_t attempt)
{
    int length = snprintf(path, CALL_FILE_PATH_SIZE, "%s%s/%s/%c%lld.%s", folder, below, provider, kinds[kind].letter,
                          (long long)attempt, kinds[kind].suffix);

    if (length >= CALL_FILE_PATH_SIZE)
        return err_set(ERR_TOO_BIG, "the path of the folder of calls is too long");
    return 0;
}

int call_file_path(char path[CALL_FILE_PATH_SIZE], struct spool *spool, const char *provider, enum call_file_kind kind,
                   int64_t attempt)
{
    if (kind == CALL_FILE_END)
        return path_in(path, spool_state_dir(spool), "/hosts", provider, kind, attempt);
    return path_in(path, spool_call_dir(spool, 0), "", provider, kind, attempt);
}

int call_file_find(char path[CALL_FILE_PATH_SIZE], struct spool *spool, const char *provider, enum call_file_kind kind,
                   int64_t attempt)
{
    const char *other = spool_call_dir(spool, 1);
    int error = call_file_path(path, spool, provider, kind, attempt);

    if (error != 0 || access(path, F_OK) == 0)
        return error;
    if (kind != CALL_FILE_END && other != NULL && path_in(path, other, "", provider, kind, attempt) == 0 &&
        access(path, F_OK) == 0)
        return 0;
    return err_set(ERR_NOT_FOUND, "call %lld has no such file", (long long)attempt);
}

int call_file_create(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return err_set(errno == ENOSPC ? ERR_FULL : ERR_IO, "cannot create %s: %s", path, strerror(errno));
    return fd;
}

static int write_synced(const char *path, const void *octets, size_t size)
{
    int fd = call_file_create(path);
    ssize_t written;
    int error = 0;

    if (fd < 0)
        return fd;
    written = write(fd, octets, size);
    if (written != (ssize_t)size || fsync(fd) != 0)
        error = err_set(ERR_IO, "cannot write %s: %s", path, written >= 0 ? "no room" : strerror(errno));
    close(fd);
    return error;
}

static int sync_folder_of(const char *path)
{
    char folder[CALL_FILE_PATH_SIZE];
    int fd, error = 0;

    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        error = err_set(ERR_IO, "cannot sync %s: %s", folder, strerror(errno));
    if (fd >= 0)
        close(fd);
    return error;
}

int call_file_keep_end(const char *path, const struct link_message *ended)
{
    char *octets = xmalloc(LINK_BYTES_MAX);
    char *temporary = xasprintf("%s.new", path);
    int size = link_encode(octets, LINK_BYTES_MAX, ended);
    int error = size < 0 ? size : write_synced(temporary, octets, (size_t)size);

    if (error == 0 && rename(temporary, path) != 0)
        error = err_set(ERR_IO, "cannot rename %s: %s", temporary, strerror(errno));
    if (error == 0)
        error = sync_folder_of(path);
    if (error != 0)
        unlink(temporary);
    free(temporary);
    free(octets);
    return error;
}

int call_file_read_end(struct link_message *ended, char *scratch, const char *path)
{
    char *octets;
    ssize_t size;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int error;

    if (fd < 0)
        return err_set(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open %s: %s", path, strerror(errno));
    octets = xmalloc(LINK_BYTES_MAX);
    size = read(fd, octets, LINK_BYTES_MAX);
    close(fd);
    error = size < 0 ? err_set(ERR_IO, "cannot read %s: %s", path, strerror(errno))
                     : link_decode(ended, scratch, octets, (size_t)size);
    free(octets);
    return error;
}

bool call_file_has_room(struct spool *spool)
{
    struct statvfs room;

    if (!spool_encrypts(spool) || statvfs(spool_call_dir(spool, 0), &room) != 0)
        return true;
    return (int64_t)room.f_bavail * (int64_t)room.f_frsize >= ROOM_LEAST || room.f_blocks == 0; /* 0: no limit */
}

/* --- the end of the files --- */

struct drop {
    struct spool *spool;
    char *provider;
    int64_t attempt;
};

static void drop_now(void *context, int error)
{
    struct drop *drop = context;
    char path[CALL_FILE_PATH_SIZE];

    for (unsigned kind = 0; error == 0 && kind < KIND_COUNT; kind++)
        while (call_file_find(path, drop->spool, drop->provider, (enum call_file_kind)kind, drop->attempt) == 0 &&
               unlink(path) == 0)
            continue;
    free(drop->provider);
    free(drop);
}

void call_file_drop(struct spool *spool, const char *provider, int64_t attempt)
{
    struct drop *drop = xcalloc(1, sizeof *drop);

    drop->spool = spool;
    drop->provider = xstrdup(provider);
    drop->attempt = attempt;
    spool_after_commit(spool, drop_now, drop);
}

/* The attempt that a file name speaks of, 0 for other files. */
static int64_t attempt_of(const char *name)
{
    char number[24];
    const char *dot = strchr(name, '.');
    int64_t attempt;

    if ((name[0] != 'a' && name[0] != 'r' && name[0] != ASIDE) || dot == NULL || dot - name >= (long)sizeof number)
        return 0;
    snprintf(number, sizeof number, "%.*s", (int)(dot - name - 1), name + 1);
    return str_to_int(&attempt, number, 1, INT64_MAX) == 0 ? attempt : 0;
}

static bool has_documents(struct spool *spool, int64_t id)
{
    struct fax fax = {0};
    int error = fax_get(&fax, spool, id);
    bool purged = fax.purged_at != 0;

    fax_clear(&fax);
    return error == 0 ? !purged : error != ERR_NOT_FOUND;
}

/* Those of a call while it is open; what was put aside until its fax is purged. */
static bool is_needed(struct spool *spool, char letter, int64_t id)
{
    struct attempt attempt;
    int error = attempt_get(&attempt, spool, id);

    if (error != 0)
        return error != ERR_NOT_FOUND;
    return letter == ASIDE ? has_documents(spool, attempt.fax) : attempt.ended_at == 0;
}

static void sweep_folder(struct spool *spool, int parent, const char *name)
{
    int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = folder >= 0 ? fdopendir(folder) : NULL;
    const struct dirent *entry;

    if (dir == NULL) {
        if (folder >= 0)
            close(folder);
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        int64_t attempt = attempt_of(entry->d_name);

        if (attempt != 0 && !is_needed(spool, entry->d_name[0], attempt) && unlinkat(folder, entry->d_name, 0) == 0)
            log_debug("file of a call that is over removed provider=%s file=%s", name, entry->d_name);
    }
    closedir(dir);
}

static void sweep_hosts(struct spool *spool, const char *path)
{
    DIR *hosts = opendir(path);
    const struct dirent *entry;

    while (hosts != NULL && (entry = readdir(hosts)) != NULL)
        if (entry->d_name[0] != '.')
            sweep_folder(spool, dirfd(hosts), entry->d_name);
    if (hosts != NULL)
        closedir(hosts);
}

/* STATE/hosts is one of the two wherever there are two. */
void call_file_sweep(struct spool *spool)
{
    for (int i = 0; i < 2; i++)
        if (spool_call_dir(spool, i) != NULL)
            sweep_hosts(spool, spool_call_dir(spool, i));
}
