/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One hot folder: its descriptors, what lies in it, and what of it is on its way.
 *
 * All is done through descriptors that were checked when the program started, so that nobody who may write to the
 * folder can have files read or written elsewhere by putting a link in place of one of its folders.
 *
 * Thread: one.
 */
#ifndef FAXD_HOTFOLDER_FOLDER_H
#define FAXD_HOTFOLDER_FOLDER_H

#include "contrib/hotfolder/settings.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/stat.h>

struct arrival; /* arrival.h */
struct entry;   /* entry.h */

TAILQ_HEAD(arrival_list, arrival);
TAILQ_HEAD(entry_list, entry);

struct folder {
    const struct folder_settings *settings;
    const struct settings *all;
    struct client *client;
    int in, work, done, failed; /* descriptors of the folders */
    int watch;                  /* of inotify */
    mode_t mode;                /* of the folder; what is written into it goes by that */
    gid_t group;
    struct arrival_list arrivals;
    struct entry_list entries;
    struct entry *entered; /* whose folder below work/ is open, NULL = none: there may be very many */
    int64_t rescan_at;     /* all times: monotonic ms, 0 = never */
    int64_t follow_at;
    int64_t cursor;   /* of the event that was seen last, -1 = not known */
    int64_t retry_at; /* faxd is away until then, or was when last asked */
    int retry_s;
    bool away;
};

/* Open the folder, make work, done and failed in it, and watch it by `inotify`. What work holds from before is taken
 * up, what lies in the folder is looked at. 0, or an error with a message. Closed with folder_close in either case. */
int folder_open(struct folder *folder, const struct settings *all, const struct folder_settings *settings, int inotify);
void folder_close(struct folder *folder);

/* Look at all that lies there: at the start, and when events may have been lost. */
void folder_scan(struct folder *folder);

/* Do what is due. Returns when there is something to do again (monotonic ms), 0 = when a file comes. */
int64_t folder_work(struct folder *folder);

/* faxd could not be asked, or said that it cannot now: it is asked again later, and that is logged once. */
void folder_away(struct folder *folder);
/* It answered. */
void folder_back(struct folder *folder);

/* The earlier of two times, where 0 is never. */
int64_t folder_sooner(int64_t one, int64_t other);

#endif
