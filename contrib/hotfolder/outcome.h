/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of a file: the file goes to done/ or failed/, and beside it NAME.result.json tells.
 *
 * Each step can be done again after a crash between any two of them.
 *
 * Thread: one.
 */
#ifndef FAXD_HOTFOLDER_OUTCOME_H
#define FAXD_HOTFOLDER_OUTCOME_H

#include <jansson.h>
#include <stdbool.h>

struct entry;
struct folder;

/* It was never accepted. The entry is gone after this. */
void outcome_refused(struct folder *folder, struct entry *entry, const char *why);

/* Its fax has ended; delivered goes to done/, everything else to failed/. The entry is gone after this, or stays to be
 * written back later when the disk does not take it. */
void outcome_ended(struct folder *folder, struct entry *entry, const json_t *fax);

/* Finish what outcome_refused began before a crash: the result is there, so that the file must not be sent, though what
 * its sidecar said may be gone already. True when it was so, and the entry is gone. */
bool outcome_finish(struct folder *folder, struct entry *entry);

#endif
