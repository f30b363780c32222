/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many contacts at once, so that neither the loop waits for them nor half of them stays: first each is looked at, a
 * slice a turn, and whether there is room for all; then the whole list is stored, and from that commit on it is done,
 * a slice a turn, whatever happens: a start finishes what the last run left.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_CONTACT_IMPORT_H
#define FAXD_SPOOL_CONTACT_IMPORT_H

#include <stddef.h>
#include <stdint.h>

#define CONTACT_IMPORTS_MAX 8 /* under way; one is worked on, the others wait */

struct spool;

struct contact_imported {
    int created, updated, groups_created;
    int line; /* with ERR_FULL: the line for which there is no room */
};

/* Called once, after the commit of the last slice: 0, or ERR_FULL (message), ERR_CLOSED; then nothing was done. But
 * ERR_CLOSED may also come when the spool closes in the midst of it; the next start goes on. */
typedef void (*contact_import_done)(void *context, int error, const struct contact_imported *imported);

/* `lines`: a JSON object on each, with "line" (its number in the file), "name" and "number" (normalised), and what else
 * is said of the contact: "organization", "email", "notes", and "groups", an array of names. Checked by the caller;
 * taken over, freed with free(). Who is there already by number and name gets what the line says. 0, or ERR_FULL:
 * CONTACT_IMPORTS_MAX are under way; then `lines` is freed and `done` not called. */
int contact_import(struct spool *spool, char *lines, int64_t owner, contact_import_done done, void *context);

/* One slice: what the timer does. 1 = there is more, 0 = none, or an error. For tests, within no part. */
int contact_import_run(struct spool *spool);

int contact_import_start(struct spool *spool); /* for spool_open.c */

#endif
