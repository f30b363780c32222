/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that was claimed, until what became of it is written back.
 *
 * Below work/ each has a folder named by a ULID, which is in its Idempotency-Key as well: whatever dies when, the same
 * file is the same request. In it are the file, its sidecar NAME.json if it has one, and once faxd has accepted it .fax
 * with the fax's id. A folder with a sidecar alone is what a claim left that was broken off.
 *
 * Thread: one.
 */
#ifndef FAXD_HOTFOLDER_ENTRY_H
#define FAXD_HOTFOLDER_ENTRY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

struct folder;

struct entry {
    TAILQ_ENTRY(entry) list;
    char *id;   /* ULID */
    char *name; /* of the file */
    int dir;    /* descriptor of its folder while it is the one that is entered, else -1 */
    char *fax;  /* its id, NULL = not accepted yet */
    bool look;  /* events may have passed: the fax is to be asked for */
    bool old;   /* it was sent before, or that is not known */
};

/* Take a file out of the folder; with `sidecar`, its sidecar too. When that fails it is left where it was. */
void entry_claim(struct folder *folder, const char *name, bool sidecar);

/* Take up what is below work/. */
void entry_recover(struct folder *folder);

/* Send what was not sent yet, while faxd answers. */
void entry_send_all(struct folder *folder);

/* "hotfolder-" and its id. The caller frees. */
char *entry_key(const struct entry *entry);

/* Open its folder, and close that of the one before. False when it cannot be opened, which is logged. */
bool entry_enter(struct folder *folder, struct entry *entry);

/* Close and forget it; its folder is left as it is. */
void entry_free(struct folder *folder, struct entry *entry);

/* Write JSON into a folder whole or not at all, and on the disk when this returns; for the group too where that is
 * possible (-1 = none). 0 or ERR_IO. */
int entry_write_json(int dir, const char *name, const json_t *json, mode_t mode, gid_t group);

#endif
