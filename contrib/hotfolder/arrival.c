/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a file is complete. Events of inotify begin the wait, file times and a lease end it: a lease to read is not
 * given while anybody has the file open to write, be it that the writer has paused for an hour. */
#include "config.h"

#include "contrib/hotfolder/arrival.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "contrib/hotfolder/entry.h"
#include "contrib/hotfolder/folder.h"
#include "contrib/common/pattern.h"
#include "server/base/clock.h"
#include "server/base/log.h"

#define UNSURE_MS 30000 /* where no lease can be had, a file that was only found has to be this old */

struct arrival {
    TAILQ_ENTRY(arrival) list;
    char *name;
    off_t size;
    struct timespec changed;
    int64_t due_at, seen_at; /* monotonic ms; due 0 = with the next note */
    bool found;
    bool told; /* that it is ignored */
};

bool arrival_is_ignored(const char *name)
{
    static const char *const endings[] = {".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~"};
    size_t length = strlen(name);
    if (name[0] == '.' || strcmp(name, "work") == 0 || strcmp(name, "done") == 0 || strcmp(name, "failed") == 0)
        return true;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t size = strlen(endings[i]);
        if (length >= size && strcasecmp(name + length - size, endings[i]) == 0)
            return true;
    }
    return false;
}

static bool is_sidecar(const char *name)
{
    size_t length = strlen(name);
    return length > 5 && strcmp(name + length - 5, ".json") == 0;
}

static void forget(struct folder *folder, struct arrival *arrival)
{
    TAILQ_REMOVE(&folder->arrivals, arrival, list);
    free(arrival->name);
    free(arrival);
}

void arrival_forget_all(struct folder *folder)
{
    while (!TAILQ_EMPTY(&folder->arrivals))
        forget(folder, TAILQ_FIRST(&folder->arrivals));
}

static struct arrival *find(struct folder *folder, const char *name)
{
    struct arrival *arrival;
    TAILQ_FOREACH(arrival, &folder->arrivals, list)
    {
        if (strcmp(arrival->name, name) == 0)
            return arrival;
    }
    return NULL;
}

void arrival_note(struct folder *folder, const char *name, bool found)
{
    struct stat about;
    struct arrival *arrival = find(folder, name);
    if (arrival_is_ignored(name) || fstatat(folder->in, name, &about, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    if (arrival == NULL) {
        arrival = xcalloc(1, sizeof *arrival);
        arrival->name = xstrdup(name);
        arrival->seen_at = clock_mono_ms();
        arrival->found = found;
        TAILQ_INSERT_TAIL(&folder->arrivals, arrival, list);
    } else if (arrival->told || (found && arrival->size == about.st_size && arrival->due_at != 0)) {
        return; /* it is waited for already */
    }
    arrival->found = arrival->found && found;
    arrival->size = about.st_size;
    arrival->changed = about.st_mtim;
    arrival->due_at = clock_mono_ms() + folder->all->settle_ms;
}

enum open_state { NOT_OPEN, OPEN_TO_WRITE, NOT_KNOWN };

static enum open_state open_state(const struct folder *folder, const char *name)
{
    int fd = openat(folder->in, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    enum open_state state = NOT_KNOWN;
    if (fd < 0)
        return errno == EWOULDBLOCK ? OPEN_TO_WRITE : NOT_KNOWN;
    if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
        fcntl(fd, F_SETLEASE, F_UNLCK);
        state = NOT_OPEN;
    } else if (errno == EAGAIN) {
        state = OPEN_TO_WRITE;
    }
    close(fd);
    return state;
}

static int64_t age_ms(const struct stat *about)
{
    return clock_now_ms() - (about->st_mtim.tv_sec * 1000ll + about->st_mtim.tv_nsec / 1000000);
}

/* Whether nobody writes to it any more. Without a lease the word of inotify is all there is; a file that was only found
 * has not even that. */
static bool is_complete(const struct arrival *arrival, const struct folder *folder, const struct stat *about)
{
    switch (open_state(folder, arrival->name)) {
    case NOT_OPEN:
        return true;
    case OPEN_TO_WRITE:
        return false;
    case NOT_KNOWN:
        break;
    }
    return !arrival->found || age_ms(about) >= UNSURE_MS;
}

static bool has_number(const struct folder *folder, const char *name)
{
    bool has = false;
    for (int i = 0; i < folder->settings->pattern_count && !has; i++) {
        char *number, *person;
        has = pattern_match(&number, &person, &folder->settings->patterns[i], name);
        free(number);
        free(person);
    }
    return has;
}

/* Whether a document may be taken as it is: with its sidecar when there is one, and when it needs one not before that
 * has come or has not come for so long that this is to be told. */
static bool is_due(struct arrival *arrival, const struct folder *folder, bool sidecar)
{
    const struct folder_settings *settings = folder->settings;
    bool waits = settings->sidecar == SIDECAR_REQUIRED ||
                 (settings->sidecar == SIDECAR_OPTIONAL && !has_number(folder, arrival->name));
    int64_t until = arrival->seen_at + settings->sidecar_wait_ms;
    if (sidecar || !waits || clock_mono_ms() >= until)
        return true;
    arrival->due_at = until;
    return false;
}

/* A sidecar has come, which is never sent itself: its document, if that is here, may be due. */
static void look_at_document(struct folder *folder, const char *sidecar)
{
    char *name = xasprintf("%.*s", (int)(strlen(sidecar) - 5), sidecar);
    struct arrival *document = find(folder, name);
    if (document != NULL)
        document->due_at = clock_mono_ms();
    else
        arrival_note(folder, name, true);
    free(name);
}

/* True when its sidecar is there. `*ready` gets whether that one is complete. */
static bool find_sidecar(bool *ready, const struct folder *folder, const char *name)
{
    struct stat about;
    struct arrival sidecar = {.name = xasprintf("%s.json", name), .found = true};
    bool there =
        folder->settings->sidecar != SIDECAR_NO && fstatat(folder->in, sidecar.name, &about, AT_SYMLINK_NOFOLLOW) == 0;
    *ready = !there || !S_ISREG(about.st_mode) || (about.st_size > 0 && is_complete(&sidecar, folder, &about));
    free(sidecar.name);
    return there;
}

/* Something else than a file: told once, and left alone. */
static void ignore(struct folder *folder, const struct arrival *arrival, const struct stat *about)
{
    log_warning("ignored, only files in the folder itself are sent folder=%s name=%s kind=%s", folder->settings->path,
                arrival->name, S_ISDIR(about->st_mode) ? "folder" : "special");
}

static void look(struct folder *folder, struct arrival *arrival)
{
    struct stat about;
    bool ready;
    if (fstatat(folder->in, arrival->name, &about, AT_SYMLINK_NOFOLLOW) != 0) {
        forget(folder, arrival); /* taken away again */
        return;
    }
    if (!S_ISREG(about.st_mode) && !S_ISLNK(about.st_mode)) {
        ignore(folder, arrival, &about);
        arrival->due_at = 0;
        arrival->told = true; /* kept for that */
        return;
    }
    if (about.st_size != arrival->size || about.st_mtim.tv_sec != arrival->changed.tv_sec ||
        about.st_mtim.tv_nsec != arrival->changed.tv_nsec) {
        arrival->size = about.st_size;
        arrival->changed = about.st_mtim;
        arrival->due_at = clock_mono_ms() + folder->all->settle_ms;
        return;
    }
    if (is_sidecar(arrival->name)) {
        char *name = xstrdup(arrival->name);
        forget(folder, arrival);
        look_at_document(folder, name);
        free(name);
        return;
    }
    if (S_ISREG(about.st_mode) && about.st_size == 0) {
        arrival->due_at = 0; /* it was made, and will be written */
        return;
    }
    bool sidecar = find_sidecar(&ready, folder, arrival->name);
    if (!ready || (S_ISREG(about.st_mode) && !is_complete(arrival, folder, &about))) {
        int64_t pause = folder->all->settle_ms > 0 ? folder->all->settle_ms : 1000;
        arrival->due_at = clock_mono_ms() + pause;
    } else if (is_due(arrival, folder, sidecar)) {
        entry_claim(folder, arrival->name, sidecar);
        forget(folder, arrival);
    }
}

int64_t arrival_work(struct folder *folder)
{
    struct arrival *arrival, *next = TAILQ_FIRST(&folder->arrivals);
    int64_t now = clock_mono_ms(), again = 0;
    while ((arrival = next) != NULL) {
        next = TAILQ_NEXT(arrival, list);
        if (arrival->due_at != 0 && arrival->due_at <= now)
            look(folder, arrival);
    }
    TAILQ_FOREACH(arrival, &folder->arrivals, list)
    {
        again = folder_sooner(again, arrival->due_at);
    }
    return again;
}
