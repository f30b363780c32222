/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The turn: everything the loop writes between two waits is one transaction, and what waits for it is let go when it is
 * on disk. Files before rows, rows before announcements.
 *
 * This file knows neither faxes nor documents: the parts that do follow the turn through hooks (spool_private.h), which
 * spool_open.c puts together.
 */
#include "config.h"

#include "spool/spool_private.h"

#include "db/db.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#define ROOM_LOOK_MS 1000

void spool_assert_loop(const struct spool *spool)
{
    assert(pthread_equal(spool->loop, pthread_self()));
    (void)spool;
}

void spool_hook(struct spool *spool, const struct spool_hook *hook)
{
    assert(spool->hook_count < SPOOL_HOOKS_MAX);
    spool->hooks[spool->hook_count++] = hook;
}

int spool_path(char *path, size_t size, const struct spool *spool, const char *fmt, ...)
{
    va_list args;
    int head = snprintf(path, size, "%s/", spool->state_dir);
    if (head < 0 || (size_t)head >= size)
        return err_set(ERR_TOO_BIG, "the state folder's name is too long");
    va_start(args, fmt);
    int tail = vsnprintf(path + head, size - (size_t)head, fmt, args);
    va_end(args);
    if (tail < 0 || (size_t)head + (size_t)tail >= size)
        return err_set(ERR_TOO_BIG, "the state folder's name is too long");
    return 0;
}

struct db *spool_db(struct spool *spool)
{
    spool_assert_loop(spool);
    return spool->db;
}

const char *spool_state_dir(const struct spool *spool)
{
    return spool->state_dir;
}

const char *spool_call_dir(const struct spool *spool, int number)
{
    return spool->call_dirs[number];
}

const char *spool_work_dir(const struct spool *spool)
{
    return spool->work_dir;
}

bool spool_encrypts(const struct spool *spool)
{
    return spool->encrypt;
}

void spool_mark(struct spool *spool, unsigned changes)
{
    spool->changes |= changes;
}

void spool_listen(struct spool *spool, spool_change_fn fn, void *context)
{
    spool_assert_loop(spool);
    assert(spool->listener_count < SPOOL_LISTENERS_MAX);
    spool->listeners[spool->listener_count].fn = fn;
    spool->listeners[spool->listener_count++].context = context;
}

void spool_after_commit(struct spool *spool, void (*fn)(void *context, int error), void *context)
{
    struct spool_callbacks *after = &spool->after;
    spool_assert_loop(spool);
    if (after->count == after->room) {
        after->room = after->room ? after->room * 2 : 64;
        after->list = xrealloc(after->list, after->room * sizeof(*after->list));
    }
    after->list[after->count++] = (struct spool_callback){fn, context};
}

int spool_part_begin(struct spool *spool)
{
    spool_assert_loop(spool);
    assert(!spool->part);
    spool->part = true;
    spool->changes_before_part = spool->changes;
    db_part_begin(spool->db);
    for (int i = 0; i < spool->hook_count; i++)
        if (spool->hooks[i]->part_begin)
            spool->hooks[i]->part_begin(spool);
    return 0;
}

/* Callbacks asked for within an undone part stay: whoever waits for the turn's end is never left without an answer. */
int spool_part_end(struct spool *spool, bool keep)
{
    spool_assert_loop(spool);
    assert(spool->part);
    spool->part = false;
    int error = db_part_end(spool->db, keep);
    if (keep && !error)
        return 0;
    spool->changes = spool->changes_before_part | (spool->changes & SPOOL_CHANGE_FULL); /* the disk stays as it is */
    for (int i = 0; i < spool->hook_count; i++)
        if (spool->hooks[i]->part_undo)
            spool->hooks[i]->part_undo(spool);
    return error;
}

/* Files, then rows. */
static int commit(struct spool *spool)
{
    int error = 0;
    for (int i = 0; i < spool->hook_count && !error; i++)
        if (spool->hooks[i]->sync)
            error = spool->hooks[i]->sync(spool);
    if (!error)
        error = db_turn_commit(spool->db);
    else
        db_turn_void(spool->db);
    if (error)
        log_error("store: a turn could not be committed: %s", err_message());
    for (int i = 0; i < spool->hook_count; i++) {
        void (*then)(struct spool *) = error ? spool->hooks[i]->voided : spool->hooks[i]->committed;
        if (then)
            then(spool);
    }
    return error;
}

static void announce(struct spool *spool, unsigned changes)
{
    if (changes)
        for (int i = 0; i < spool->listener_count; i++)
            spool->listeners[i].fn(spool->listeners[i].context, changes);
    for (int i = 0; i < spool->hook_count; i++)
        if (spool->hooks[i]->announce)
            spool->hooks[i]->announce(spool);
}

int spool_turn_end(struct spool *spool)
{
    spool_assert_loop(spool);
    assert(!spool->part);
    while (db_turn_is_open(spool->db) || spool->after.count || spool->changes) {
        struct spool_callbacks after = spool->after;
        unsigned changes = spool->changes;
        spool->after = (struct spool_callbacks){NULL, 0, 0};
        spool->changes = 0;
        int error = db_turn_is_open(spool->db) ? commit(spool) : 0;
        for (size_t i = 0; i < after.count; i++)
            after.list[i].fn(after.list[i].context, error);
        free(after.list);
        if (error)
            return error;
        announce(spool, changes);
    }
    return 0;
}

static void look_at_room(struct spool *spool)
{
    struct statvfs disk;
    int64_t now = clock_mono_ms();
    if (spool->room_looked_at && now - spool->room_looked_at < ROOM_LOOK_MS)
        return;
    spool->room_looked_at = now ? now : 1;
    if (statvfs(spool->state_dir, &disk) != 0) {
        log_warning("store: cannot ask %s for its room: %s", spool->state_dir, strerror(errno));
        return;
    }
    spool->free_bytes = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
    bool room = spool->free_bytes >= spool->min_free_bytes;
    if (room != spool->has_room) {
        log_warning("store: the disk has %s", room ? "room again" : "less room than min_free");
        spool_mark(spool, SPOOL_CHANGE_FULL);
    }
    spool->has_room = room;
}

bool spool_has_room(struct spool *spool)
{
    spool_assert_loop(spool);
    look_at_room(spool);
    return spool->has_room && spool->free_bytes - spool->claimed_bytes >= spool->min_free_bytes;
}

void spool_claim_room(struct spool *spool, int64_t bytes)
{
    spool_assert_loop(spool);
    spool->claimed_bytes += bytes;
}

void spool_used_room(struct spool *spool, int64_t bytes)
{
    spool->free_bytes -= bytes;
}

int64_t spool_free_bytes(struct spool *spool)
{
    spool_assert_loop(spool);
    look_at_room(spool);
    return spool->free_bytes;
}
