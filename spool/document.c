/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents. A turn's new files lie in documents/tmp/ until the turn ends; then they are synced together, renamed to
 * their hash, and the folders synced, before the rows that name them are committed. A crash in between leaves a file
 * that no row names, which the sweep after the next start removes; never a row without its file.
 */
#include "config.h" /* memfd_create */

#include "spool/document.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/document_cipher.h"
#include "spool/document_count.h"
#include "spool/spool_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDERS 256

struct pending {
    char sha[DOCUMENT_SHA_SIZE];
    char *path; /* temporary name */
};

struct document_store {
    struct pending *pending;
    size_t count, room, before_part;
    unsigned long temp_number;
};

static int io_error(const char *doing, const char *path)
{
    int code = errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
    return err_set(code, "cannot %s %s: %s", doing, path, strerror(errno));
}

static int final_path(char path[DOCUMENT_PATH_SIZE], const struct spool *spool, const char *sha)
{
    return spool_path(path, DOCUMENT_PATH_SIZE, spool, "documents/%.2s/%s", sha, sha);
}

bool document_is_sha(const char *text)
{
    return strlen(text) == DOCUMENT_SHA_SIZE - 1 && strspn(text, "0123456789abcdef") == DOCUMENT_SHA_SIZE - 1;
}

static struct pending *find_pending(const struct document_store *store, const char *sha)
{
    for (size_t i = store->count; i > 0; i--)
        if (memcmp(store->pending[i - 1].sha, sha, DOCUMENT_SHA_SIZE) == 0)
            return &store->pending[i - 1];
    return NULL;
}

static void forget_from(struct document_store *store, size_t first)
{
    for (size_t i = first; i < store->count; i++) {
        unlink(store->pending[i].path); /* not there when it was renamed already */
        free(store->pending[i].path);
    }
    store->count = first;
}

/* ---- the turn's end ---- */

static int sync_path(const char *path, int flags, int (*sync)(int fd))
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0)
        return io_error("open", path);
    int error = sync(fd) == 0 ? 0 : io_error("sync", path);
    close(fd);
    return error;
}

static int sync_folder_of(const struct spool *spool, const char *sha)
{
    char path[DOCUMENT_PATH_SIZE];
    int error = spool_path(path, sizeof(path), spool, "documents/%.2s", sha);
    return error ? error : sync_path(path, O_DIRECTORY, fsync);
}

static int sync_all(const struct spool *spool)
{
    char path[DOCUMENT_PATH_SIZE];
    int error = spool_path(path, sizeof(path), spool, "documents");
    return error ? error : sync_path(path, O_DIRECTORY, syncfs);
}

/* One file: its data, then its folder. Several: the file system once for the data and once for the names, which is what
 * many separate syncs would come to. */
static int sync_turn(struct spool *spool)
{
    struct document_store *store = spool->documents;
    char path[DOCUMENT_PATH_SIZE];
    if (!store->count)
        return 0;
    bool one = store->count == 1;
    int error = one ? sync_path(store->pending[0].path, 0, fdatasync) : sync_all(spool);
    for (size_t i = 0; i < store->count && !error; i++) {
        error = final_path(path, spool, store->pending[i].sha);
        if (!error && rename(store->pending[i].path, path) != 0)
            error = io_error("rename a document to", path);
    }
    if (error)
        return error;
    return one ? sync_folder_of(spool, store->pending[0].sha) : sync_all(spool);
}

static void forget_turn(struct spool *spool)
{
    forget_from(spool->documents, 0);
}

static void part_begin(struct spool *spool)
{
    spool->documents->before_part = spool->documents->count;
}

static void part_undo(struct spool *spool)
{
    forget_from(spool->documents, spool->documents->before_part);
}

static void close_store(struct spool *spool)
{
    forget_from(spool->documents, 0);
    free(spool->documents->pending);
    free(spool->documents);
    spool->documents = NULL;
}

static const struct spool_hook hook = {
    .sync = sync_turn,
    .committed = forget_turn,
    .voided = forget_turn,
    .part_begin = part_begin,
    .part_undo = part_undo,
    .close = close_store,
};

/* ---- start ---- */

static int make_folder(bool *made, const char *path)
{
    if (mkdir(path, 0700) == 0)
        *made = true;
    else if (errno != EEXIST)
        return io_error("make", path);
    return 0;
}

static int make_folders(struct spool *spool)
{
    char path[DOCUMENT_PATH_SIZE];
    bool made = false;
    int error = spool_path(path, sizeof(path), spool, "documents");
    if (!error)
        error = make_folder(&made, path);
    if (!error)
        error = spool_path(path, sizeof(path), spool, "documents/tmp");
    if (!error)
        error = make_folder(&made, path);
    for (int i = 0; i < FOLDERS && !error; i++) {
        error = spool_path(path, sizeof(path), spool, "documents/%02x", i);
        if (!error)
            error = make_folder(&made, path);
    }
    return error || !made ? error : sync_all(spool);
}

/* What a crash left half written: nobody else has the state folder, so all of it goes. */
static int empty_temp(struct spool *spool)
{
    char path[DOCUMENT_PATH_SIZE];
    struct dirent *entry;
    int error = spool_path(path, sizeof(path), spool, "documents/tmp");
    if (error)
        return error;
    DIR *folder = opendir(path);
    if (!folder)
        return io_error("read", path);
    while ((entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    return 0;
}

int document_start(struct spool *spool)
{
    spool->documents = xcalloc(1, sizeof(*spool->documents));
    spool_hook(spool, &hook);
    int error = make_folders(spool);
    return error ? error : empty_temp(spool);
}

/* ---- storing ---- */

static int row_exists(struct spool *spool, const char *sha)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT 1 AS one FROM document WHERE sha256 = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, sha);
    error = stmt_step(stmt);
    stmt_close(stmt);
    return error;
}

/* 1 when it is stored, or will be with this turn. A row whose file was lost by other hands does not count: storing the
 * document again heals it. */
static int is_stored(struct spool *spool, const char *sha)
{
    char path[DOCUMENT_PATH_SIZE];
    if (find_pending(spool->documents, sha))
        return 1;
    int found = row_exists(spool, sha);
    if (found != 1)
        return found;
    int error = final_path(path, spool, sha);
    return error ? error : access(path, R_OK) == 0;
}

static int write_row(struct spool *spool, const char *sha, int64_t size_bytes)
{
    struct stmt *stmt;
    int error = document_count_stored(spool, sha, size_bytes);
    if (error)
        return error;
    error = stmt_open(&stmt, spool_db(spool),
                      "INSERT INTO document (sha256, size, created_at) VALUES (?, ?, ?)"
                      " ON CONFLICT (sha256) DO UPDATE SET size = excluded.size");
    if (error)
        return error;
    stmt_bind_text(stmt, sha);
    stmt_bind_int(stmt, size_bytes);
    stmt_bind_int(stmt, clock_now_ms());
    return stmt_run(NULL, stmt);
}

/* The file under `path` becomes document `sha` when the turn ends; row now. Takes the file over with 0. */
static int add_pending(struct spool *spool, const char *sha, const char *path, int64_t size_bytes)
{
    struct document_store *store = spool->documents;
    int error = document_cipher_note(spool);
    if (!error)
        error = write_row(spool, sha, size_bytes);
    if (error)
        return error;
    if (store->count == store->room) {
        store->room = store->room ? store->room * 2 : 16;
        store->pending = xrealloc(store->pending, store->room * sizeof(*store->pending));
    }
    struct pending *pending = &store->pending[store->count++];
    str_copy(pending->sha, sizeof(pending->sha), sha);
    pending->path = xstrdup(path);
    return 0;
}

int document_reserve(int *fd, char path[DOCUMENT_PATH_SIZE], struct spool *spool)
{
    unsigned long number = __atomic_add_fetch(&spool->documents->temp_number, 1, __ATOMIC_RELAXED);
    int error = spool_path(path, DOCUMENT_PATH_SIZE, spool, "documents/tmp/%lu", number);
    if (error)
        return error;
    *fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return *fd >= 0 ? 0 : io_error("make", path);
}

/* A child's output is plain, so under encryption it never gets a name on the disk. */
int document_temp(int *fd, char path[DOCUMENT_PATH_SIZE], struct spool *spool)
{
    if (!spool->encrypt)
        return document_reserve(fd, path, spool);
    spool_assert_loop(spool);
    path[0] = '\0';
    *fd = memfd_create("document", MFD_CLOEXEC);
    return *fd >= 0 ? 0 : io_error("make", "a file in memory");
}

static void name_octets(char sha[DOCUMENT_SHA_SIZE], const void *data, size_t size)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, data, size);
    str_hex(sha, hash, sizeof(hash));
}

int document_write(char sha[DOCUMENT_SHA_SIZE], struct spool *spool, int fd, const void *data, size_t size)
{
    name_octets(sha, data, size);
    int error = document_cipher_write(spool, fd, sha, data, size, "a document");
    return error || fdatasync(fd) == 0 ? error : io_error("sync", "a document");
}

int document_put(char sha[DOCUMENT_SHA_SIZE], struct spool *spool, const void *data, size_t size)
{
    char path[DOCUMENT_PATH_SIZE];
    int fd;
    spool_assert_loop(spool);
    name_octets(sha, data, size);
    int stored = is_stored(spool, sha);
    if (stored)
        return stored < 0 ? stored : 0;
    if (!spool_has_room(spool))
        return err_set(ERR_FULL, "the disk has no room for documents");
    int error = document_reserve(&fd, path, spool);
    if (error)
        return error;
    error = document_cipher_write(spool, fd, sha, data, size, path);
    close(fd);
    if (!error)
        error = add_pending(spool, sha, path, (int64_t)size);
    if (error)
        unlink(path);
    return error;
}

static int hash_file(char sha[DOCUMENT_SHA_SIZE], int64_t *size_bytes, int fd, const char *path)
{
    unsigned char hash[crypto_hash_sha256_BYTES], buffer[65536];
    crypto_hash_sha256_state state;
    ssize_t got;
    crypto_hash_sha256_init(&state);
    *size_bytes = 0;
    while ((got = pread(fd, buffer, sizeof(buffer), *size_bytes)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return io_error("read", path);
        crypto_hash_sha256_update(&state, buffer, (unsigned long long)got);
        *size_bytes += got;
    }
    crypto_hash_sha256_final(&state, hash);
    str_hex(sha, hash, sizeof(hash));
    return 0;
}

int document_adopt_known(struct spool *spool, const char *path, const char *sha, int64_t size_bytes)
{
    spool_assert_loop(spool);
    int error = 0;
    int stored = is_stored(spool, sha);
    if (!stored) {
        error = add_pending(spool, sha, path, size_bytes);
        if (!error)
            return 0;
    }
    unlink(path);
    return stored < 0 ? stored : error;
}

/* What a child wrote to memory, under encryption. */
static int adopt_memory(struct spool *spool, const char *sha, int fd, int64_t size_bytes)
{
    char path[DOCUMENT_PATH_SIZE];
    int file;
    int stored = is_stored(spool, sha);
    if (stored)
        return stored < 0 ? stored : 0;
    int error = document_reserve(&file, path, spool);
    if (error)
        return error;
    error = document_cipher_copy(spool, file, sha, fd, path);
    close(file);
    if (!error)
        return document_adopt_known(spool, path, sha, size_bytes);
    unlink(path);
    return error;
}

int document_adopt(char sha[DOCUMENT_SHA_SIZE], struct spool *spool, int fd, const char *path)
{
    int64_t size_bytes;
    spool_assert_loop(spool);
    int error = hash_file(sha, &size_bytes, fd, path);
    if (!error && !path[0])
        return adopt_memory(spool, sha, fd, size_bytes);
    if (!error)
        return document_adopt_known(spool, path, sha, size_bytes);
    if (path[0])
        unlink(path);
    return error;
}

int document_copy(char sha[DOCUMENT_SHA_SIZE], struct spool *spool, int fd)
{
    struct stat status;
    size_t size = 0;
    if (fstat(fd, &status) != 0)
        return io_error("read", "a file to be kept");
    char *data = xmalloc((size_t)status.st_size + 1);
    while (size < (size_t)status.st_size) {
        ssize_t got = pread(fd, data + size, (size_t)status.st_size - size, (off_t)size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    int error = size == (size_t)status.st_size ? document_put(sha, spool, data, size)
                                               : err_set(ERR_IO, "a file to be kept ends too early");
    free(data);
    return error;
}

/* ---- finding ---- */

int document_path(char path[DOCUMENT_PATH_SIZE], struct spool *spool, const char *sha)
{
    spool_assert_loop(spool);
    if (!document_is_sha(sha))
        return err_set(ERR_NOT_FOUND, "no such document");
    const struct pending *pending = find_pending(spool->documents, sha);
    if (pending) {
        str_copy(path, DOCUMENT_PATH_SIZE, pending->path);
        return 0;
    }
    int error = final_path(path, spool, sha);
    if (!error && access(path, F_OK) != 0)
        error = err_set(ERR_NOT_FOUND, "document %s is not there", sha);
    return error;
}

int document_open(struct spool *spool, const char *sha)
{
    char path[DOCUMENT_PATH_SIZE];
    int error = document_path(path, spool, sha);
    if (error)
        return error;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 ? document_cipher_open(spool, sha, fd, path) : io_error("open", path);
}

int document_prepared(char sha[DOCUMENT_SHA_SIZE], struct document_form *form, struct spool *spool,
                      const char *original, const char *options)
{
    char path[DOCUMENT_PATH_SIZE];
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT document, pages, width, length_mm, resolution FROM prepared"
                          " WHERE original = ? AND options = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, original);
    stmt_bind_text(stmt, options);
    error = stmt_step(stmt);
    if (error == 1) {
        str_copy(sha, DOCUMENT_SHA_SIZE, stmt_text(stmt, "document"));
        form->pages = (int)stmt_int(stmt, "pages");
        form->width = (int)stmt_int(stmt, "width");
        form->length_mm = (int)stmt_int(stmt, "length_mm");
        str_copy(form->resolution, sizeof(form->resolution), stmt_text(stmt, "resolution"));
    }
    stmt_close(stmt);
    if (error != 1)
        return error ? error : err_set(ERR_NOT_FOUND, "not prepared yet");
    return document_path(path, spool, sha);
}

int document_remember(struct spool *spool, const char *original, const char *options, const char *prepared,
                      const struct document_form *form)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO prepared (original, options, document, pages, width, length_mm, resolution)"
                          " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (original, options) DO UPDATE SET"
                          " document = excluded.document, pages = excluded.pages, width = excluded.width,"
                          " length_mm = excluded.length_mm,"
                          " resolution = excluded.resolution");
    if (error)
        return error;
    stmt_bind_text(stmt, original);
    stmt_bind_text(stmt, options);
    stmt_bind_text(stmt, prepared);
    stmt_bind_int(stmt, form->pages);
    stmt_bind_int(stmt, form->width);
    stmt_bind_int(stmt, form->length_mm);
    stmt_bind_text(stmt, form->resolution);
    return stmt_run(NULL, stmt);
}

int document_drop_stray(struct spool *spool, const char *sha)
{
    char path[DOCUMENT_PATH_SIZE];
    spool_assert_loop(spool);
    if (!document_is_sha(sha) || find_pending(spool->documents, sha))
        return 0;
    int found = row_exists(spool, sha);
    if (found)
        return found < 0 ? found : 0;
    int error = final_path(path, spool, sha);
    if (!error && unlink(path) != 0 && errno != ENOENT)
        error = io_error("remove", path);
    return error;
}
