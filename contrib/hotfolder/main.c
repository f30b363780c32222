/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faxd-hotfolder: what is put into a folder is faxed, through faxd's REST API.
 *
 *   arrival.c  waits until a file is complete, and claims it by a rename
 *   entry.c    sends a claimed file, with a key that stays the same whatever happens
 *   follow.c   reads from faxd's events what became of it
 *   outcome.c  writes that back
 *
 * One thread, which waits for inotify, a signal, or the next thing that is due.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "contrib/hotfolder/arrival.h"
#include "contrib/hotfolder/folder.h"
#include "contrib/hotfolder/settings.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"

static const char help[] = "Usage: faxd-hotfolder [--config FILE] [--check]\n"
                           "Fax what is put into folders.\n"
                           "\n"
                           "  --config FILE  the configuration (default " SYSCONFDIR "/faxd/faxd-hotfolder.conf)\n"
                           "  --check        say whether the configuration is fine, and exit\n"
                           "  --help, --version\n"
                           "\n"
                           "See faxd-hotfolder(8) and faxd-hotfolder.conf(5).\n";

struct daemon {
    struct settings settings;
    struct folder *folders;
    int opened; /* of them */
    int inotify, signals;
    bool ended, lost; /* asked to; a folder has gone */
};

static struct folder *folder_of(const struct daemon *daemon, int watch)
{
    for (int i = 0; i < daemon->opened; i++) {
        if (daemon->folders[i].watch == watch)
            return &daemon->folders[i];
    }
    return NULL;
}

static void take_event(struct daemon *daemon, const struct inotify_event *event)
{
    struct folder *folder = folder_of(daemon, event->wd);
    if (event->mask & IN_Q_OVERFLOW) {
        log_warning("too much happened at once, looking at all folders again");
        for (int i = 0; i < daemon->opened; i++)
            folder_scan(&daemon->folders[i]);
    } else if (folder != NULL && event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) {
        log_error("the folder is gone folder=%s", folder->settings->path);
        daemon->lost = true;
    } else if (folder != NULL && event->len > 0) {
        /* What was only made will be written, but for folders and links. */
        arrival_note(folder, event->name, (event->mask & IN_CREATE) != 0);
    }
}

static void read_events(struct daemon *daemon)
{
    _Alignas(struct inotify_event) char room[64 << 10];
    ssize_t got;
    while ((got = read(daemon->inotify, room, sizeof room)) > 0) {
        for (const char *at = room; at < room + got;) {
            const struct inotify_event *event = (const void *)at;
            take_event(daemon, event);
            at += sizeof *event + event->len;
        }
    }
}

/* Wait for something to do, until `again` (monotonic ms, 0 = no limit). */
static void wait_until(struct daemon *daemon, int64_t again)
{
    struct pollfd wanted[] = {{.fd = daemon->inotify, .events = POLLIN}, {.fd = daemon->signals, .events = POLLIN}};
    int64_t left = again - clock_mono_ms();
    int timeout = again == 0 ? -1 : left <= 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
    if (poll(wanted, 2, timeout) <= 0)
        return;
    if (wanted[1].revents != 0)
        daemon->ended = true;
    if (wanted[0].revents != 0)
        read_events(daemon);
}

static int open_all(struct daemon *daemon)
{
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    sigprocmask(SIG_BLOCK, &ending, NULL);
    signal(SIGIO, SIG_IGN); /* somebody wants to write to a file that we look at */
    signal(SIGPIPE, SIG_IGN);
    daemon->signals = signalfd(-1, &ending, SFD_CLOEXEC);
    daemon->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (daemon->signals < 0 || daemon->inotify < 0)
        return err_set(ERR_IO, "cannot watch folders: %s", strerror(errno));
    daemon->folders = xcalloc((unsigned long)daemon->settings.folder_count, sizeof *daemon->folders);
    for (int i = 0; i < daemon->settings.folder_count; i++) {
        daemon->opened = i + 1;
        int error = folder_open(&daemon->folders[i], &daemon->settings, &daemon->settings.folders[i], daemon->inotify);
        if (error != 0)
            return error;
    }
    return 0;
}

static void run(struct daemon *daemon)
{
    puts("ready");
    fflush(stdout);
    while (!daemon->ended && !daemon->lost) {
        int64_t again = 0;
        for (int i = 0; i < daemon->opened; i++)
            again = folder_sooner(again, folder_work(&daemon->folders[i]));
        wait_until(daemon, again);
    }
}

static void close_all(struct daemon *daemon)
{
    for (int i = 0; i < daemon->opened; i++)
        folder_close(&daemon->folders[i]);
    free(daemon->folders);
    if (daemon->inotify >= 0)
        close(daemon->inotify);
    if (daemon->signals >= 0)
        close(daemon->signals);
}

static int serve(const char *config, bool check)
{
    struct daemon daemon = {.inotify = -1, .signals = -1};
    int status = EX_OK, error = 0;
    if (settings_read(&daemon.settings, config) != 0) {
        fprintf(stderr, "faxd-hotfolder: %s\n", err_message());
        status = EX_CONFIG;
    } else if (!check && (error = open_all(&daemon)) != 0) {
        log_error("%s", err_message());
        status = error == ERR_IO ? EX_IOERR : EX_CONFIG; /* a folder that is away may come back */
    } else if (!check) {
        run(&daemon);
        status = daemon.lost ? EX_IOERR : EX_OK;
    }
    close_all(&daemon);
    settings_clear(&daemon.settings);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"check", no_argument, NULL, 'k'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'v'},
                                            {NULL, 0, NULL, 0}};
    const char *config = SYSCONFDIR "/faxd/faxd-hotfolder.conf";
    bool check = false;
    int found;
    log_open("faxd-hotfolder", LOG_LEVEL_INFO);
    while ((found = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (found == 'c')
            config = optarg;
        else if (found == 'k')
            check = true;
        else if (found == 'h')
            return fputs(help, stdout) >= 0 ? EX_OK : EX_IOERR;
        else if (found == 'v')
            return puts("faxd-hotfolder " PACKAGE_VERSION) >= 0 ? EX_OK : EX_IOERR;
        else
            return EX_USAGE;
    }
    if (optind < argc) {
        fputs(help, stderr);
        return EX_USAGE;
    }
    return serve(config, check);
}
