/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The call journals' files: STATE/journals/<attempt>. Their names are made durable with the turn that begins the call.
 */
#include "config.h"

#include "spool/attempt.h"
#include "spool/attempt_journal.h"

#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/journal.h"
#include "spool/spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4096

static int sync_folder(struct spool *spool)
{
    char path[PATH_SIZE];
    if (!spool->journals_changed)
        return 0;
    int error = spool_path(path, sizeof(path), spool, "journals");
    if (error)
        return error;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        error = err_set(ERR_IO, "cannot sync %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    spool->journals_changed = false;
    return error;
}

static const struct spool_hook hook = {.sync = sync_folder};

int attempt_journal_start(struct spool *spool)
{
    char path[PATH_SIZE];
    spool_hook(spool, &hook);
    int error = spool_path(path, sizeof(path), spool, "journals");
    if (!error && mkdir(path, 0700) != 0 && errno != EEXIST)
        error = err_set(ERR_IO, "cannot make %s: %s", path, strerror(errno));
    return error;
}

int attempt_journal_path(char *path, size_t size, struct spool *spool, int64_t id)
{
    return spool_path(path, size, spool, "journals/%lld", (long long)id);
}

int attempt_journal(struct spool *spool, int64_t id)
{
    char path[PATH_SIZE];
    spool_assert_loop(spool);
    int error = attempt_journal_path(path, sizeof(path), spool, id);
    if (error)
        return error;
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set(errno == ENOSPC ? ERR_FULL : ERR_IO, "cannot open %s: %s", path, strerror(errno));
    spool->journals_changed = true;
    error = journal_hold(fd);
    if (error) {
        close(fd);
        return error;
    }
    return fd;
}

int attempt_journal_is_stale(struct db *db, int64_t id, int64_t before_ms)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, db, "SELECT ended_at FROM attempt WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, id);
    error = stmt_step(stmt);
    int64_t ended_at = error == 1 ? stmt_int(stmt, "ended_at") : 0;
    stmt_close(stmt);
    if (error < 0)
        return error;
    return error == 0 || (ended_at > 0 && ended_at < before_ms);
}
