/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the claim to the request. */
#include "config.h"

#include "contrib/hotfolder/entry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "contrib/common/order.h"
#include "contrib/hotfolder/folder.h"
#include "contrib/hotfolder/outcome.h"
#include "contrib/common/pattern.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "web/cli/client.h"
#include "web/cli/verdict.h"

#define SIDECAR_MAX (256 << 10)
#define ACCEPTED    ".fax"
#define STALE_S     (60 * 3600) /* faxd keeps an Idempotency-Key for 72 hours, if it is not configured otherwise */

char *entry_key(const struct entry *entry)
{
    return xasprintf("hotfolder-%s", entry->id);
}

static void leave(struct folder *folder)
{
    if (folder->entered != NULL) {
        close(folder->entered->dir);
        folder->entered->dir = -1;
    }
    folder->entered = NULL;
}

bool entry_enter(struct folder *folder, struct entry *entry)
{
    if (folder->entered == entry)
        return true;
    leave(folder);
    entry->dir = openat(folder->work, entry->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (entry->dir >= 0)
        folder->entered = entry;
    else
        log_error("cannot use folder=%s name=work/%s why=%s", folder->settings->path, entry->id, strerror(errno));
    return entry->dir >= 0;
}

void entry_free(struct folder *folder, struct entry *entry)
{
    if (folder->entered == entry)
        leave(folder);
    TAILQ_REMOVE(&folder->entries, entry, list);
    free(entry->id);
    free(entry->name);
    free(entry->fax);
    free(entry);
}

static int make_file(int dir, const char *name, gid_t group)
{
    /* What lies there is a half one of before, or a trap: in done/ and failed/ others may have put it. */
    unlinkat(dir, name, 0);
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && group != (gid_t)-1 && fchown(fd, (uid_t)-1, group) != 0)
        log_warning("a result cannot be given to the group of its folder name=%s why=%s", name, strerror(errno));
    return fd;
}

int entry_write_json(int dir, const char *name, const json_t *json, mode_t mode, gid_t group)
{
    char *temporary = xasprintf(".%.200s.new", name), *text = json_dumps(json, JSON_INDENT(1));
    int fd = make_file(dir, temporary, group);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool good = file != NULL && text != NULL && fputs(text, file) >= 0 && fputc('\n', file) != EOF &&
                fflush(file) == 0 && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    int error = good ? 0 : err_set(ERR_IO, "cannot write %s: %s", name, strerror(errno));
    if (file != NULL)
        fclose(file);
    else if (fd >= 0)
        close(fd);
    if (error == 0 && (renameat(dir, temporary, dir, name) != 0 || fsync(dir) != 0))
        error = err_set(ERR_IO, "cannot write %s: %s", name, strerror(errno));
    if (error != 0)
        unlinkat(dir, temporary, 0);
    free(temporary);
    free(text);
    return error;
}

static struct entry *entry_new(struct folder *folder, const char *id, const char *name)
{
    struct entry *entry = xcalloc(1, sizeof *entry);
    entry->id = xstrdup(id);
    entry->name = xstrdup(name);
    entry->dir = -1;
    TAILQ_INSERT_TAIL(&folder->entries, entry, list);
    return entry;
}

/* --- claim --- */

static int make_dir(const struct folder *folder, const char *id)
{
    if (mkdirat(folder->work, id, 0700) != 0)
        return -1;
    return openat(folder->work, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/* The sidecar goes first: a document without the sidecar that belongs to it must never look claimed. */
static int move_in(const struct folder *folder, int dir, const char *name, bool sidecar)
{
    char *side = xasprintf("%s.json", name);
    int bad = sidecar ? renameat(folder->in, side, dir, side) : 0;
    if (bad == 0 && renameat(folder->in, name, dir, name) != 0) {
        bad = -errno;
        if (sidecar)
            renameat(dir, side, folder->in, side);
        errno = -bad;
    }
    free(side);
    return bad;
}

void entry_claim(struct folder *folder, const char *name, bool sidecar)
{
    char id[STR_ULID_SIZE];
    int dir = make_dir(folder, str_ulid(id, clock_now_ms()));
    if (dir < 0 || move_in(folder, dir, name, sidecar) != 0) {
        log_error("cannot take a file folder=%s name=%s why=%s", folder->settings->path, name, strerror(errno));
        if (dir >= 0)
            close(dir);
        unlinkat(folder->work, id, AT_REMOVEDIR);
        return;
    }
    /* The claim is on the disk before faxd hears of it, else a power failure might have the file sent twice. */
    if (fsync(dir) != 0 || fsync(folder->work) != 0 || fsync(folder->in) != 0)
        log_warning("cannot sync folder=%s why=%s", folder->settings->path, strerror(errno));
    close(dir);
    log_info("taken folder=%s name=%s claim=%s", folder->settings->path, name, id);
    entry_new(folder, id, name);
}

/* --- what may not be sent --- */

static bool owner_is_fine(const struct folder_settings *settings, uid_t owner)
{
    for (int i = 0; i < settings->owner_count; i++) {
        if (settings->owners[i] == owner)
            return true;
    }
    return settings->owner_count == 0;
}

/* Why a claimed file is refused, NULL = it is not. */
static const char *fault_of(const struct folder *folder, const struct entry *entry, const char *name, off_t most)
{
    const struct folder_settings *settings = folder->settings;
    struct stat about;
    if (fstatat(entry->dir, name, &about, AT_SYMLINK_NOFOLLOW) != 0)
        return "it cannot be read";
    if (S_ISLNK(about.st_mode))
        return "it is a symbolic link";
    if (!S_ISREG(about.st_mode))
        return "it is no regular file";
    if (about.st_nlink != 1 && !settings->hard_links)
        return "it has other names besides (hard links)";
    if (!owner_is_fine(settings, about.st_uid))
        return "its owner may not send from this folder";
    return about.st_size > most ? "it is too large" : NULL;
}

/* --- what is sent --- */

static bool has_file(const struct entry *entry, const char *name)
{
    struct stat about;
    return fstatat(entry->dir, name, &about, AT_SYMLINK_NOFOLLOW) == 0;
}

static int add_sidecar(struct order *order, const struct entry *entry, const char *side)
{
    json_error_t where;
    int fd = openat(entry->dir, side, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
    if (fd < 0)
        return err_set(ERR_INVALID, "the sidecar cannot be read: %s", strerror(errno));
    json_t *json = json_loadfd(fd, JSON_REJECT_DUPLICATES, &where);
    close(fd);
    int error = json == NULL ? err_set(ERR_INVALID, "the sidecar is no JSON: line %d: %s", where.line, where.text)
                             : order_set_json(order, json);
    if (json != NULL && error != 0) {
        char *why = xstrdup(err_message());
        err_set(ERR_INVALID, "the sidecar: %s", why);
        free(why);
    }
    json_decref(json);
    return error;
}

static void add_name(struct order *order, const struct folder *folder, const struct entry *entry)
{
    for (int i = 0; i < folder->settings->pattern_count && !order_has(order, "to"); i++) {
        char *number, *person;
        if (pattern_match(&number, &person, &folder->settings->patterns[i], entry->name)) {
            order_set(order, "to", number);
            if (person != NULL && order_has(order, "cover_page.template"))
                order_set(order, "cover_page.fields.to_name", person);
        }
        free(number);
        free(person);
    }
}

/* Settings first, then what the name says, then what the sidecar says. */
static int make_order(struct order *order, const struct folder *folder, const struct entry *entry)
{
    char *side = xasprintf("%s.json", entry->name), *key = entry_key(entry);
    bool has_side = has_file(entry, side);
    const char *fault = fault_of(folder, entry, entry->name, folder->settings->size_max);
    if (fault == NULL && has_side)
        fault = fault_of(folder, entry, side, SIDECAR_MAX);
    int error = fault != NULL ? err_set(ERR_DENIED, "%s", fault) : 0;
    for (int i = 0; i < folder->settings->field_count && error == 0; i++)
        error = order_add_pair(order, folder->settings->fields[i]);
    if (error == 0)
        add_name(order, folder, entry);
    if (error == 0 && has_side)
        error = add_sidecar(order, entry, side);
    else if (error == 0 && folder->settings->sidecar == SIDECAR_REQUIRED)
        error = err_set(ERR_INVALID, "there is no sidecar %s", side);
    if (error == 0 && !order_has(order, "to"))
        error = err_set(ERR_INVALID, "there is no number in its name, and no sidecar %s", side);
    if (error == 0 && !order_has(order, "client_reference"))
        order_set(order, "client_reference", key);
    free(side);
    free(key);
    return error;
}

/* The answer means that this file will never be accepted, not that something is wrong with faxd or the key. */
static bool is_refusal(long status)
{
    return status == 400 || status == 413 || status == 415 || status == 422;
}

static void accepted(struct folder *folder, struct entry *entry, const json_t *fax)
{
    const char *id = json_string_value(json_object_get(fax, "id"));
    json_t *kept = json_pack("{s:s?}", "id", id);
    if (id == NULL || entry_write_json(entry->dir, ACCEPTED, kept, 0600, (gid_t)-1) != 0) {
        log_error("cannot keep that a fax was accepted, it is asked for again folder=%s name=%s",
                  folder->settings->path, entry->name);
        folder_away(folder);
    } else {
        entry->fax = xstrdup(id);
        entry->look = entry->old;
        if (folder->follow_at == 0)
            folder->follow_at = clock_mono_ms();
        log_info("accepted folder=%s name=%s fax=%s", folder->settings->path, entry->name, id);
    }
    json_decref(kept);
}

/* What faxd has of this claim: `*fax` is NULL when it has none; the caller frees. VERDICT_OK, or what client_request
 * returns. */
static int find_sent(json_t **fax, const struct folder *folder, const struct entry *entry)
{
    char *key = entry_key(entry), *path = xasprintf("/v1/faxes?limit=1&client_reference=%s", key);
    json_t *reply = NULL;
    int verdict = client_request(&reply, folder->client, "GET", path, NULL);
    *fax = json_incref(json_array_get(json_object_get(reply, "data"), 0));
    json_decref(reply);
    free(path);
    free(key);
    return verdict;
}

/* It is refused, unless it was accepted before: under other settings, say, of which nothing is known any more. */
static void refuse(struct folder *folder, struct entry *entry, const char *why)
{
    char *reason = xstrdup(why); /* it may be the message that is set anew below */
    json_t *fax = NULL;
    if (entry->old && find_sent(&fax, folder, entry) != VERDICT_OK)
        folder_away(folder);
    else if (fax != NULL)
        accepted(folder, entry, fax);
    else
        outcome_refused(folder, entry, reason);
    json_decref(fax);
    free(reason);
}

static void post(struct folder *folder, struct entry *entry, struct order *order, int fd)
{
    char *path = xasprintf("/proc/self/fd/%d", fd), *key = entry_key(entry);
    json_t *fax = NULL;
    order_file(order, path, str_is_utf8(entry->name, strlen(entry->name)) ? entry->name : "document");
    int verdict = order_send(&fax, folder->client, order, key);
    entry->old = true;
    if (verdict == VERDICT_OK) {
        folder_back(folder);
        accepted(folder, entry, fax);
    } else if (is_refusal(client_status(folder->client))) {
        folder_back(folder);
        refuse(folder, entry,
               strstr(client_why(folder->client), "Idempotency-Key") != NULL
                   ? "it was sent before, as another request, and that fax is not found: see the faxes of its number"
                   : client_why(folder->client));
    } else {
        folder_away(folder);
    }
    json_decref(fax);
    free(path);
    free(key);
}

/* It may have been sent so long ago that faxd does not know the key any more: then the fax itself tells. True when it
 * is to be sent now. */
static bool was_not_sent(struct folder *folder, struct entry *entry, const struct order *order)
{
    struct stat about;
    json_t *fax = NULL;
    char *key = entry_key(entry);
    bool stale = entry->old && fstat(entry->dir, &about) == 0 && about.st_mtime < time(NULL) - STALE_S;
    bool ours = false, go = !stale;
    for (int i = 0; i < order->field_count; i++)
        ours = ours ||
               (strcmp(order->fields[i].name, "client_reference") == 0 && strcmp(order->fields[i].value, key) == 0);
    if (stale && !ours) {
        outcome_refused(folder, entry, "it is not known whether it was sent days ago: see the faxes of its number");
    } else if (stale && find_sent(&fax, folder, entry) != VERDICT_OK) {
        folder_away(folder);
    } else if (stale) {
        go = fax == NULL;
        if (fax != NULL)
            accepted(folder, entry, fax);
    }
    json_decref(fax);
    free(key);
    return go;
}

static void send_entry(struct folder *folder, struct entry *entry)
{
    struct order order = {.field_count = 0};
    int fd = -1, error = make_order(&order, folder, entry);
    if (error == 0) {
        fd = openat(entry->dir, entry->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
        error = fd < 0 ? err_set(ERR_DENIED, "it cannot be read: %s", strerror(errno)) : 0;
    }
    if (error == 0 && was_not_sent(folder, entry, &order))
        post(folder, entry, &order, fd);
    else if (error != 0)
        refuse(folder, entry, err_message());
    if (fd >= 0)
        close(fd);
    order_clear(&order);
}

void entry_send_all(struct folder *folder)
{
    struct entry *entry, *next = TAILQ_FIRST(&folder->entries);
    while ((entry = next) != NULL && folder->retry_at <= clock_mono_ms()) {
        next = TAILQ_NEXT(entry, list);
        if (entry->fax == NULL && entry_enter(folder, entry))
            send_entry(folder, entry);
    }
}

/* --- after a start --- */

/* The file of a claim: what is neither hidden nor a sidecar of another; and the sidecar. The caller frees both. */
static void find_files(char **file, char **side, int dir)
{
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy >= 0 ? fdopendir(copy) : NULL;
    const struct dirent *at;
    *file = *side = NULL;
    while (list != NULL && (at = readdir(list)) != NULL) {
        size_t length = strlen(at->d_name);
        bool is_side = length > 5 && strcmp(at->d_name + length - 5, ".json") == 0;
        char **place = is_side ? side : file;
        if (at->d_name[0] == '.')
            continue;
        free(*place);
        *place = xstrdup(at->d_name);
    }
    if (list != NULL)
        closedir(list);
}

static char *read_accepted(int dir)
{
    int fd = openat(dir, ACCEPTED, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    json_t *json = fd >= 0 ? json_loadfd(fd, 0, NULL) : NULL;
    const char *id = json_string_value(json_object_get(json, "id"));
    char *fax = id != NULL ? xstrdup(id) : NULL;
    json_decref(json);
    if (fd >= 0)
        close(fd);
    return fax;
}

/* A claim without its file: the claim was broken off, so that the sidecar belongs back; or all was written back. */
static void clean(struct folder *folder, const char *id, int dir, const char *side, bool ended)
{
    if (side != NULL && !ended && renameat2(dir, side, folder->in, side, RENAME_NOREPLACE) != 0)
        log_warning("a sidecar is left folder=%s name=work/%s/%s", folder->settings->path, id, side);
    if (ended)
        unlinkat(dir, ACCEPTED, 0);
    if (unlinkat(folder->work, id, AT_REMOVEDIR) != 0 && errno != ENOENT)
        log_warning("cannot clean up folder=%s name=work/%s why=%s", folder->settings->path, id, strerror(errno));
    close(dir);
}

static void recover(struct folder *folder, const char *id)
{
    char *file, *side;
    int dir = openat(folder->work, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (dir < 0)
        return;
    char *fax = read_accepted(dir);
    find_files(&file, &side, dir);
    if (file == NULL) {
        clean(folder, id, dir, side, fax != NULL);
        free(fax);
    } else {
        struct entry *entry = entry_new(folder, id, file);
        close(dir);
        entry->fax = fax;
        entry->old = entry->look = true;
        if (fax != NULL)
            folder->follow_at = clock_mono_ms();
        log_info("taken up again folder=%s name=%s claim=%s fax=%s", folder->settings->path, file, id,
                 fax != NULL ? fax : "none");
        if (fax == NULL)
            outcome_finish(folder, entry);
    }
    free(file);
    free(side);
}

void entry_recover(struct folder *folder)
{
    int copy = openat(folder->work, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy >= 0 ? fdopendir(copy) : NULL;
    const struct dirent *at;
    while (list != NULL && (at = readdir(list)) != NULL) {
        if (at->d_name[0] != '.')
            recover(folder, at->d_name);
    }
    if (list != NULL)
        closedir(list);
}
