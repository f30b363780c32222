/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sweep. The reader thread walks one folder at a time and names candidates: files without a row in its snapshot
 * that are older than this run. The loop has the last word on each, on its own connection, so that a file of the turn
 * under way or of a row committed a moment ago is never taken.
 */
#include "config.h"

#include "spool/sweep.h"

#include "db/reader.h"
#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/attempt_journal.h"
#include "spool/destination.h"
#include "spool/document.h"
#include "spool/event.h"
#include "spool/idempotency.h"
#include "spool/key_expiry.h"
#include "spool/mail.h"
#include "spool/session.h"
#include "spool/spool_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <event2/event.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDERS              256
#define JOURNALS             FOLDERS /* the step after the last folder of documents */
#define NAMES_MAX            4096    /* a step; the rest waits for the next start or hour */
#define KEEP_JOURNALS_MS     (24 * 3600 * 1000ll)
#define KEEP_EVENTS_MS       (30 * 24 * 3600 * 1000ll)
#define KEEP_DESTINATIONS_MS (90 * 24 * 3600 * 1000ll)
#define TRIM_ROOM            1000
#define TRIM_EVERY_S         60
#define JOURNALS_EVERY       60 /* trims */

struct sweep {
    struct spool *spool;
    struct event *timer;
    int step; /* folder of documents, JOURNALS */
    int trims;
    bool under_way;
    /* below: the reader thread's while a step is under way */
    char path[DOCUMENT_PATH_SIZE];
    int64_t before_ms; /* younger files are not looked at */
    char **names;
    size_t count;
};

static bool is_old(int folder, const char *name, int64_t before_ms)
{
    struct stat info;
    if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    return (int64_t)info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000 < before_ms;
}

static bool has_row(struct db *db, const char *sha)
{
    struct stmt *stmt;
    if (stmt_open(&stmt, db, "SELECT 1 AS one FROM document WHERE sha256 = ?"))
        return true; /* not known: leave the file */
    stmt_bind_text(stmt, sha);
    int found = stmt_step(stmt);
    stmt_close(stmt);
    return found != 0;
}

static bool is_candidate(const struct sweep *sweep, struct db *db, int folder, const char *name)
{
    int64_t attempt;
    if (sweep->step < FOLDERS)
        return document_is_sha(name) && !has_row(db, name) && is_old(folder, name, sweep->before_ms);
    return str_to_int(&attempt, name, 1, INT64_MAX) == 0 &&
           attempt_journal_is_stale(db, attempt, sweep->before_ms) == 1 && is_old(folder, name, sweep->before_ms);
}

/* On the reader thread. */
static void look(void *context, struct db *db)
{
    struct sweep *sweep = context;
    struct dirent *entry;
    DIR *folder = opendir(sweep->path);
    if (!folder) {
        log_warning("sweep: cannot read %s: %s", sweep->path, strerror(errno));
        return;
    }
    while (sweep->count < NAMES_MAX && (entry = readdir(folder)))
        if (is_candidate(sweep, db, dirfd(folder), entry->d_name))
            sweep->names[sweep->count++] = xstrdup(entry->d_name);
    closedir(folder);
}

static void drop(struct sweep *sweep, const char *name)
{
    char path[DOCUMENT_PATH_SIZE];
    int error;
    if (sweep->step < FOLDERS) {
        error = document_drop_stray(sweep->spool, name);
    } else {
        error = spool_path(path, sizeof(path), sweep->spool, "journals/%s", name);
        if (!error && unlink(path) != 0 && errno != ENOENT)
            error = err_set(ERR_IO, "cannot remove %s: %s", path, strerror(errno));
    }
    if (error)
        log_warning("sweep: %s", err_message());
}

static void next_step(struct sweep *sweep);

static void looked(void *context, int error)
{
    struct sweep *sweep = context;
    for (size_t i = 0; i < sweep->count; i++) {
        if (!error)
            drop(sweep, sweep->names[i]);
        free(sweep->names[i]);
    }
    if (!error && sweep->count)
        log_info("sweep: %zu files that nothing names were removed from %s", sweep->count, sweep->path);
    free(sweep->names);
    sweep->names = NULL;
    sweep->count = 0;
    sweep->under_way = false;
    if (!error && ++sweep->step <= JOURNALS)
        next_step(sweep);
}

static void next_step(struct sweep *sweep)
{
    int64_t now_ms = clock_now_ms();
    bool journals = sweep->step == JOURNALS;
    int error = journals ? spool_path(sweep->path, sizeof(sweep->path), sweep->spool, "journals")
                         : spool_path(sweep->path, sizeof(sweep->path), sweep->spool, "documents/%02x", sweep->step);
    if (error)
        return;
    if (journals)
        sweep->before_ms = now_ms - KEEP_JOURNALS_MS;
    sweep->names = xcalloc(NAMES_MAX, sizeof(*sweep->names));
    sweep->under_way = true;
    if (!reader_post(sweep->spool->reader, look, looked, sweep))
        return;
    free(sweep->names);
    sweep->names = NULL;
    sweep->under_way = false;
}

static void wait_for(struct sweep *sweep, int seconds)
{
    struct timeval wait = {.tv_sec = seconds};
    event_add(sweep->timer, &wait);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct sweep *sweep = context;
    int64_t now_ms = clock_now_ms();
    (void)fd;
    (void)what;
    int events = event_trim(sweep->spool, now_ms - KEEP_EVENTS_MS, TRIM_ROOM);
    int keys = idempotency_trim(sweep->spool, now_ms, TRIM_ROOM);
    int sessions = session_trim(sweep->spool, now_ms, TRIM_ROOM);
    int numbers = destination_trim(sweep->spool, now_ms - KEEP_DESTINATIONS_MS, TRIM_ROOM);
    int ending = key_expiry_warn(sweep->spool, TRIM_ROOM);
    int mails = mail_trim(sweep->spool, now_ms - KEEP_EVENTS_MS, TRIM_ROOM);
    if (mails < 0 || events < 0 || keys < 0 || sessions < 0 || numbers < 0 || ending < 0)
        log_warning("sweep: %s", err_message());
    if (++sweep->trims % JOURNALS_EVERY == 0 && !sweep->under_way) {
        sweep->step = JOURNALS;
        next_step(sweep);
    }
    wait_for(sweep, events == TRIM_ROOM || keys == TRIM_ROOM || sessions == TRIM_ROOM || numbers == TRIM_ROOM
                        ? 1
                        : TRIM_EVERY_S);
}

static void close_sweep(struct spool *spool)
{
    if (spool->sweep->timer)
        event_free(spool->sweep->timer);
    free(spool->sweep);
    spool->sweep = NULL;
}

static const struct spool_hook hook = {.close = close_sweep};

int sweep_start(struct spool *spool)
{
    struct sweep *sweep = xcalloc(1, sizeof(*sweep));
    sweep->spool = spool;
    sweep->before_ms = clock_now_ms();
    spool->sweep = sweep;
    spool_hook(spool, &hook);
    if (spool->base) {
        sweep->timer = evtimer_new(spool->base, on_timer, sweep);
        if (!sweep->timer)
            return err_set(ERR_INTERNAL, "cannot make the sweep's timer");
        wait_for(sweep, TRIM_EVERY_S);
    }
    next_step(sweep);
    return 0;
}
