/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening and closing: puts the parts of the spool together. The only file that knows them all.
 *
 * Nothing here walks the queue: a start with a million faxes costs what a start with none does. What has to look at
 * every row or file (counts, the sweep) is left to the reader thread.
 */
#include "config.h"

#include "spool/spool_private.h"

#include "db/checkpoint.h"
#include "db/db.h"
#include "db/migrate.h"
#include "db/reader.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/attempt_journal.h"
#include "spool/block.h"
#include "spool/audit.h"
#include "spool/batch.h"
#include "spool/contact_import.h"
#include "spool/document.h"
#include "spool/document_cipher.h"
#include "spool/event.h"
#include "spool/fax_count.h"
#include "spool/inbound_rule.h"
#include "spool/key.h"
#include "spool/mail_private.h"
#include "spool/outbound_rule.h"
#include "spool/retention.h"
#include "spool/retry.h"
#include "spool/route_delivery.h"
#include "spool/session.h"
#include "spool/subscription.h"
#include "spool/sweep.h"
#include "spool/user.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_TRIES        20
#define LOCK_PAUSE_US     50000
#define PATH_SIZE         4096
#define MIN_FREE_BYTES    (64ll * 1024 * 1024)
#define IDEMPOTENCY_TTL_S (72 * 3600)

static int lock_fault(const struct spool *spool, const char *path)
{
    if (errno == EWOULDBLOCK)
        return err_set(ERR_CONFLICT, "another faxd has the state folder %s", spool->state_dir);
    return err_set(ERR_IO, "cannot lock %s: %s", path, strerror(errno));
}

static int take_lock(struct spool *spool)
{
    char path[PATH_SIZE];
    if (mkdir(spool->state_dir, 0700) != 0 && errno != EEXIST)
        return err_set(ERR_IO, "cannot make the state folder %s: %s", spool->state_dir, strerror(errno));
    char *absolute = realpath(spool->state_dir, NULL);
    if (!absolute)
        return err_set(ERR_IO, "cannot find the state folder %s: %s", spool->state_dir, strerror(errno));
    free(spool->state_dir);
    spool->state_dir = absolute;
    int error = spool_path(path, sizeof(path), spool, "lock");
    if (error)
        return error;
    spool->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (spool->lock_fd < 0)
        return err_set(ERR_IO, "cannot open %s: %s", path, strerror(errno));
    /* A faxd that was killed while it started a program has left a copy of itself, for a moment. */
    for (int i = 0; flock(spool->lock_fd, LOCK_EX | LOCK_NB) != 0; i++) {
        if (errno != EWOULDBLOCK || i == LOCK_TRIES)
            return lock_fault(spool, path);
        usleep(LOCK_PAUSE_US);
    }
    return 0;
}

static void wal_grew(void *context, int pages)
{
    struct spool *spool = context;
    checkpoint_wake(spool->checkpoint, pages);
}

/* The store holds secrets of webhooks: it is its owner's alone, wherever the folder came from. SQLite gives the log the
 * same mode. */
static int make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(ERR_IO, "cannot open %s: %s", path, strerror(errno));
    close(fd);
    return 0;
}

static int open_store(struct spool *spool)
{
    char path[PATH_SIZE];
    int error = spool_path(path, sizeof(path), spool, "faxd.db");
    if (!error)
        error = make_private(path);
    if (!error)
        error = db_open(&spool->db, path, DB_WRITER);
    if (!error)
        error = migrate(spool->db);
    if (!error)
        error = checkpoint_start(&spool->checkpoint, path);
    if (!error) {
        db_listen_wal(spool->db, wal_grew, spool);
        error = reader_start(&spool->reader, path, spool->base);
    }
    if (!error)
        error = fax_count_open(spool, path);
    return error;
}

static int open_parts(struct spool *spool)
{
    int error = document_cipher_check(spool);
    if (!error)
        error = document_start(spool);
    if (!error)
        error = attempt_journal_start(spool);
    if (!error)
        error = event_start(spool);
    if (!error)
        error = subscription_start(spool);
    if (!error)
        error = mail_start(spool);
    if (!error)
        error = key_start(spool);
    if (!error)
        error = user_start(spool);
    if (!error)
        error = session_start(spool);
    if (!error)
        error = block_start(spool);
    if (!error)
        error = outbound_rule_start(spool);
    if (!error)
        error = inbound_rule_start(spool);
    if (!error)
        error = route_delivery_start(spool);
    if (!error)
        error = audit_start(spool);
    if (!error)
        error = sweep_start(spool);
    if (!error)
        error = retention_start(spool);
    if (!error)
        error = batch_start(spool);
    if (!error)
        error = contact_import_start(spool);
    return error;
}

static void set_call_dirs(struct spool *spool, const char *call_dir)
{
    char *own = xasprintf("%s/hosts", spool->state_dir), *other = call_dir ? xstrdup(call_dir) : NULL;
    spool->call_dirs[0] = spool->encrypt && other ? other : own;
    spool->call_dirs[1] = spool->encrypt && other ? own : other;
}

int spool_open(struct spool **out, const struct spool_options *options)
{
    *out = NULL;
    if (sodium_init() < 0)
        return err_set(ERR_INTERNAL, "libsodium cannot start");
    struct spool *spool = xcalloc(1, sizeof(*spool));
    spool->loop = pthread_self();
    spool->lock_fd = -1;
    spool->state_dir = xstrdup(options->state_dir);
    spool->base = options->base;
    spool->min_free_bytes = options->min_free_bytes > 0 ? options->min_free_bytes : MIN_FREE_BYTES;
    spool->idempotency_ttl_s = options->idempotency_ttl_s > 0 ? options->idempotency_ttl_s : IDEMPOTENCY_TTL_S;
    spool->has_room = true;
    spool->free_bytes = INT64_MAX;
    spool->policy = xcalloc(1, sizeof(*spool->policy));
    retry_policy_default(spool->policy);
    spool->cipher_keys = options->cipher_keys;
    spool->encrypt = options->encrypt;
    spool->work_dir = xstrdup(options->work_dir ? options->work_dir : "/tmp");
    int error = take_lock(spool);
    if (!error)
        set_call_dirs(spool, options->call_dir);
    if (!error)
        error = open_store(spool);
    if (!error)
        error = open_parts(spool);
    if (error) {
        spool_close(spool);
        return error;
    }
    *out = spool;
    return 0;
}

void spool_close(struct spool *spool)
{
    if (!spool)
        return;
    spool_assert_loop(spool);
    if (spool->db)
        spool_turn_end(spool);  /* a failure is logged there */
    reader_stop(spool->reader); /* its callbacks still find the parts */
    if (spool->db)
        spool_turn_end(spool);
    for (int i = spool->hook_count; i > 0; i--)
        if (spool->hooks[i - 1]->close)
            spool->hooks[i - 1]->close(spool);
    if (spool->db)
        db_listen_wal(spool->db, NULL, NULL);
    checkpoint_stop(spool->checkpoint);
    db_close(spool->db);
    if (spool->lock_fd >= 0)
        close(spool->lock_fd);
    free(spool->after.list);
    free(spool->policy);
    free(spool->route_patience);
    free(spool->work_dir);
    free(spool->call_dirs[0]);
    free(spool->call_dirs[1]);
    free(spool->state_dir);
    free(spool);
}
