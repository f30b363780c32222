/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening a folder, and its turn of the loop. */
#include "config.h"

#include "contrib/hotfolder/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "contrib/common/account.h"
#include "contrib/hotfolder/arrival.h"
#include "contrib/hotfolder/entry.h"
#include "contrib/hotfolder/follow.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "web/cli/client.h"

#define RETRY_MOST_S 60

int64_t folder_sooner(int64_t one, int64_t other)
{
    if (one == 0 || other == 0)
        return one + other;
    return one < other ? one : other;
}

/* --- opening --- */

/* A folder of ours, made when it is not there. Nobody else may have made it: whoever owns it could change what we send.
 */
static int open_own(int *fd, const struct folder *folder, const char *name, mode_t mode)
{
    const char *path = folder->settings->path;
    struct stat about;
    bool made = mkdirat(folder->in, name, 0700) == 0;
    *fd = openat(folder->in, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (*fd < 0 || fstat(*fd, &about) != 0)
        return err_set(ERR_IO, "%s/%s cannot be used: %s", path, name, strerror(errno));
    if (made && fchown(*fd, (uid_t)-1, folder->group) != 0)
        return err_set(ERR_IO, "%s/%s cannot be given to its group: %s", path, name, strerror(errno));
    if (made && fchmod(*fd, mode) != 0)
        return err_set(ERR_IO, "%s/%s cannot be given its mode: %s", path, name, strerror(errno));
    if (about.st_uid != geteuid())
        return err_set(ERR_DENIED, "%s/%s belongs to somebody else: it has to be the user's that runs faxd-hotfolder",
                       path, name);
    return 0;
}

static int open_folders(struct folder *folder)
{
    const char *path = folder->settings->path;
    struct stat about;
    folder->in = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->in < 0 || fstat(folder->in, &about) != 0)
        return err_set(ERR_IO, "the folder %s cannot be used: %s", path, strerror(errno));
    folder->mode = about.st_mode & 0777;
    folder->group = about.st_gid;
    int error = open_own(&folder->work, folder, "work", 0700);
    if (error == 0)
        error = open_own(&folder->done, folder, "done", folder->mode);
    if (error == 0)
        error = open_own(&folder->failed, folder, "failed", folder->mode);
    if (error == 0 && fstat(folder->work, &about) == 0 && about.st_mode & 077)
        error = err_set(ERR_DENIED, "others may use %s/work: chmod 0700", path);
    return error;
}

int folder_open(struct folder *folder, const struct settings *all, const struct folder_settings *settings, int inotify)
{
    *folder = (struct folder){
        .settings = settings, .all = all, .in = -1, .work = -1, .done = -1, .failed = -1, .watch = -1, .cursor = -1};
    TAILQ_INIT(&folder->arrivals);
    TAILQ_INIT(&folder->entries);
    int error = account_open_with(&folder->client, all->server, settings->key_file);
    if (error == 0)
        error = open_folders(folder);
    if (error != 0)
        return error;
    folder->watch = inotify_add_watch(inotify, settings->path,
                                      IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF |
                                          IN_ONLYDIR | IN_EXCL_UNLINK);
    if (folder->watch < 0)
        return err_set(ERR_IO, "the folder %s cannot be watched: %s", settings->path, strerror(errno));
    entry_recover(folder);
    folder_scan(folder);
    return 0;
}

void folder_close(struct folder *folder)
{
    const int descriptors[] = {folder->in, folder->work, folder->done, folder->failed};
    arrival_forget_all(folder);
    while (!TAILQ_EMPTY(&folder->entries))
        entry_free(folder, TAILQ_FIRST(&folder->entries));
    for (size_t i = 0; i < sizeof descriptors / sizeof descriptors[0]; i++) {
        if (descriptors[i] >= 0)
            close(descriptors[i]);
    }
    client_close(folder->client);
}

/* --- its turn --- */

void folder_scan(struct folder *folder)
{
    int copy = openat(folder->in, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy >= 0 ? fdopendir(copy) : NULL;
    const struct dirent *at;
    if (list == NULL)
        log_error("cannot list folder=%s why=%s", folder->settings->path, strerror(errno));
    while (list != NULL && (at = readdir(list)) != NULL)
        arrival_note(folder, at->d_name, true);
    if (list != NULL)
        closedir(list);
    folder->rescan_at = folder->all->rescan_ms > 0 ? clock_mono_ms() + folder->all->rescan_ms : 0;
}

void folder_away(struct folder *folder)
{
    folder->retry_s = folder->away ? 2 * folder->retry_s : 1;
    if (folder->retry_s > RETRY_MOST_S)
        folder->retry_s = RETRY_MOST_S;
    folder->retry_at = clock_mono_ms() + folder->retry_s * 1000l;
    if (!folder->away)
        log_warning("faxd does not take faxes now, waiting folder=%s why=%s", folder->settings->path,
                    client_why(folder->client));
    folder->away = true;
}

void folder_back(struct folder *folder)
{
    if (folder->away)
        log_info("faxd is back folder=%s", folder->settings->path);
    folder->away = false;
    folder->retry_at = 0;
}

static bool has_unsent(const struct folder *folder)
{
    const struct entry *entry;
    TAILQ_FOREACH(entry, &folder->entries, list)
    {
        if (entry->fax == NULL)
            return true;
    }
    return false;
}

int64_t folder_work(struct folder *folder)
{
    int64_t now = clock_mono_ms();
    if (folder->rescan_at != 0 && folder->rescan_at <= now)
        folder_scan(folder);
    int64_t again = folder_sooner(folder->rescan_at, arrival_work(folder));
    entry_send_all(folder);
    now = clock_mono_ms();
    if (folder->follow_at != 0 && folder->follow_at <= now && folder->retry_at <= now) {
        folder->follow_at = now + folder->all->follow_ms;
        follow(folder);
    }
    if (folder->away && (has_unsent(folder) || folder->follow_at != 0))
        again = folder_sooner(again, folder->retry_at);
    return folder_sooner(again, folder->away ? 0 : folder->follow_at);
}
