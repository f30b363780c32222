/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing back. The result first, the file last: where the file is, its result is. */
#include "config.h"

#include "contrib/hotfolder/outcome.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "contrib/hotfolder/entry.h"
#include "contrib/hotfolder/folder.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "web/cli/text.h"

#define NAME_MOST 230 /* with what is put behind it a name has at most 255 octets */

static bool exists(int dir, const char *name)
{
    struct stat about;
    return fstatat(dir, name, &about, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Whether a result there is of this claim: it was written before a crash. */
static bool is_ours(int dir, const char *result, const char *claim)
{
    int fd = openat(dir, result, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    json_t *json = fd >= 0 ? json_loadfd(fd, 0, NULL) : NULL;
    const char *of = json_string_value(json_object_get(json, "claim"));
    bool ours = of != NULL && strcmp(of, claim) == 0;
    json_decref(json);
    if (fd >= 0)
        close(fd);
    return ours;
}

/* Whether a file of that name, with its result and sidecar, can be put there. */
static bool is_free(int dir, const struct entry *entry, const char *name, const char *result, const char *side)
{
    bool ours = is_ours(dir, result, entry->id);
    if (strlen(name) > NAME_MOST || exists(dir, name) || (exists(dir, result) && !ours))
        return false;
    /* Beside our result it may be our sidecar, moved before a crash. */
    return !exists(dir, side) || (ours && !exists(entry->dir, side));
}

/* The file's own name where that is free, else with the claim before it. The caller frees. */
static char *free_name(int dir, const struct entry *entry)
{
    char *result = xasprintf("%s.result.json", entry->name), *side = xasprintf("%s.json", entry->name);
    char *own = xasprintf("%s-%.*s", entry->id, NAME_MOST - 30, entry->name);
    char *own_result = xasprintf("%s.result.json", own);
    if (!is_ours(dir, own_result, entry->id) && is_free(dir, entry, entry->name, result, side)) {
        free(own);
        own = xstrdup(entry->name);
    }
    free(own_result);
    free(result);
    free(side);
    return own;
}

static int move_out(int target, const struct entry *entry, const char *from, const char *to)
{
    if (!exists(entry->dir, from) || renameat2(entry->dir, from, target, to, RENAME_NOREPLACE) == 0)
        return 0;
    return err_set(ERR_IO, "cannot move %s: %s", from, strerror(errno));
}

/* The file and its sidecar out of the claim, and the claim away. */
static int empty(struct folder *folder, struct entry *entry, int target, const char *name, bool keep)
{
    char *side = xasprintf("%s.json", entry->name), *to_side = xasprintf("%s.json", name);
    int error = 0;
    if (!keep) {
        unlinkat(entry->dir, side, 0);
        unlinkat(entry->dir, entry->name, 0);
    } else {
        error = move_out(target, entry, side, to_side);
        if (error == 0)
            error = move_out(target, entry, entry->name, name);
    }
    if (error == 0) {
        fsync(target);
        unlinkat(entry->dir, ".fax", 0);
        unlinkat(folder->work, entry->id, AT_REMOVEDIR);
    }
    free(side);
    free(to_side);
    return error;
}

static int write_back(struct folder *folder, struct entry *entry, int target, json_t *result, bool keep)
{
    char *name = free_name(target, entry), *to_result = xasprintf("%s.result.json", name);
    int error = entry_write_json(target, to_result, result, folder->mode & 0666, folder->group);
    if (error == 0)
        error = empty(folder, entry, target, name, keep);
    free(name);
    free(to_result);
    return error;
}

static json_t *result_of(const struct entry *entry, const char *status, const char *reason)
{
    char now[CLOCK_TEXT_SIZE], *name = text_clean(entry->name), *why = text_clean(reason);
    json_t *result = json_pack("{s:s, s:s, s:s, s:s?, s:s}", "file", name, "claim", entry->id, "status", status,
                               "reason", why[0] != '\0' ? why : NULL, "written_at", clock_format(now, clock_now_ms()));
    free(name);
    free(why);
    return result;
}

void outcome_refused(struct folder *folder, struct entry *entry, const char *why)
{
    char *reason = xstrdup(why); /* it may be the message that is set anew below */
    json_t *result = result_of(entry, "refused", reason);
    json_object_set_new(result, "id", json_null());
    log_warning("refused folder=%s name=%s why=%s", folder->settings->path, entry->name, reason);
    if (!entry_enter(folder, entry) || write_back(folder, entry, folder->failed, result, true) != 0)
        log_error("cannot write back folder=%s name=%s why=%s", folder->settings->path, entry->name, err_message());
    json_decref(result);
    free(reason);
    entry_free(folder, entry);
}

bool outcome_finish(struct folder *folder, struct entry *entry)
{
    if (!entry_enter(folder, entry))
        return false;
    char *name = free_name(folder->failed, entry), *result = xasprintf("%s.result.json", name);
    bool ours = is_ours(folder->failed, result, entry->id);
    if (ours && empty(folder, entry, folder->failed, name, true) != 0)
        log_error("cannot write back folder=%s name=%s why=%s", folder->settings->path, entry->name, err_message());
    if (ours)
        entry_free(folder, entry);
    free(name);
    free(result);
    return ours;
}

static void add_fax(json_t *result, const json_t *fax)
{
    static const char *const keys[] = {"id",    "number", "to",     "delivery",
                                       "pages", "calls",  "timing", "client_reference"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        json_t *value = json_object_get(fax, keys[i]);
        json_object_set_new(result, keys[i], value != NULL ? json_incref(value) : json_null());
    }
    json_t *code = json_object_get(json_object_get(fax, "error"), "code");
    json_object_set_new(result, "code", code != NULL ? json_incref(code) : json_null());
}

void outcome_ended(struct folder *folder, struct entry *entry, const json_t *fax)
{
    char *status = text_at(fax, "status"), *why = text_at(fax, "error.message");
    bool delivered = strcmp(status, "delivered") == 0;
    json_t *result = result_of(entry, status, why);
    add_fax(result, fax);
    if (entry_enter(folder, entry) && write_back(folder, entry, delivered ? folder->done : folder->failed, result,
                                                 !delivered || folder->settings->keep) == 0) {
        log_info("ended folder=%s name=%s fax=%s status=%s", folder->settings->path, entry->name, entry->fax, status);
        entry_free(folder, entry);
    } else {
        log_error("cannot write back folder=%s name=%s fax=%s why=%s", folder->settings->path, entry->name, entry->fax,
                  err_message());
        entry->look = true; /* tried again with the next look */
    }
    json_decref(result);
    free(status);
    free(why);
}
