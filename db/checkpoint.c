/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checkpoint thread, on a connection of its own. A passive checkpoint waits for nobody and makes nobody wait. The
 * truncating one holds writers off while it copies what is left, so a passive one goes first and leaves it little to
 * do.
 */
#include "db/checkpoint.h"

#include "db/db.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PASSIVE_PAGES  1000  /* 4 MB of 4 kB pages between two passive checkpoints */
#define TRUNCATE_PAGES 16384 /* 64 MB */
#define WRITER_WAIT_MS 100   /* a truncating one gives way when the log is in use: the next commit asks again */

struct checkpoint {
    struct db *db;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the fields below */
    pthread_cond_t wake;
    int pages; /* length of the log as last told */
    int done;  /* length at the last checkpoint */
    bool wanted, stop;
};

static void run(struct checkpoint *checkpoint, int pages)
{
    sqlite3 *handle = db_handle(checkpoint->db);
    int code = sqlite3_wal_checkpoint_v2(handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (code == SQLITE_OK && pages > TRUNCATE_PAGES)
        code = sqlite3_wal_checkpoint_v2(handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
        log_warning("store: checkpoint failed: %s", sqlite3_errmsg(handle));
}

static void *work(void *context)
{
    struct checkpoint *checkpoint = context;
    db_own(checkpoint->db);
    pthread_mutex_lock(&checkpoint->lock);
    while (!checkpoint->stop) {
        if (!checkpoint->wanted) {
            pthread_cond_wait(&checkpoint->wake, &checkpoint->lock);
            continue;
        }
        int pages = checkpoint->pages;
        checkpoint->done = pages;
        checkpoint->wanted = false;
        pthread_mutex_unlock(&checkpoint->lock);
        run(checkpoint, pages);
        pthread_mutex_lock(&checkpoint->lock);
    }
    pthread_mutex_unlock(&checkpoint->lock);
    return NULL;
}

int checkpoint_start(struct checkpoint **out, const char *path)
{
    struct checkpoint *checkpoint = xcalloc(1, sizeof(*checkpoint));
    int error = db_open(&checkpoint->db, path, DB_WRITER);
    if (error) {
        free(checkpoint);
        return error;
    }
    sqlite3_busy_timeout(db_handle(checkpoint->db), WRITER_WAIT_MS);
    pthread_mutex_init(&checkpoint->lock, NULL);
    pthread_cond_init(&checkpoint->wake, NULL);
    int code = pthread_create(&checkpoint->thread, NULL, work, checkpoint);
    if (code) {
        db_close(checkpoint->db);
        free(checkpoint);
        return err_set(ERR_INTERNAL, "cannot start the checkpoint thread: %s", strerror(code));
    }
    *out = checkpoint;
    return 0;
}

void checkpoint_wake(struct checkpoint *checkpoint, int wal_pages)
{
    pthread_mutex_lock(&checkpoint->lock);
    if (wal_pages < checkpoint->done)
        checkpoint->done = 0; /* the log was started from its beginning */
    checkpoint->pages = wal_pages;
    if (wal_pages - checkpoint->done >= PASSIVE_PAGES && !checkpoint->wanted) {
        checkpoint->wanted = true;
        pthread_cond_signal(&checkpoint->wake);
    }
    pthread_mutex_unlock(&checkpoint->lock);
}

void checkpoint_stop(struct checkpoint *checkpoint)
{
    if (!checkpoint)
        return;
    pthread_mutex_lock(&checkpoint->lock);
    checkpoint->stop = true;
    pthread_cond_signal(&checkpoint->wake);
    pthread_mutex_unlock(&checkpoint->lock);
    pthread_join(checkpoint->thread, NULL);
    db_own(checkpoint->db);
    db_close(checkpoint->db);
    pthread_cond_destroy(&checkpoint->wake);
    pthread_mutex_destroy(&checkpoint->lock);
    free(checkpoint);
}
