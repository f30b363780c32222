/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files from their first sight to their claim: a file is taken when it has been closed, nobody has it open to write,
 * and its size has not changed for a while. The claim is a rename into a folder of its own below work/.
 *
 * Thread: one.
 */
#ifndef FAXD_HOTFOLDER_ARRIVAL_H
#define FAXD_HOTFOLDER_ARRIVAL_H

#include <stdbool.h>
#include <stdint.h>

struct folder;

/* Something may have come, or changed. `found`: it was found by looking, so that nobody said it is complete. */
void arrival_note(struct folder *folder, const char *name, bool found);

/* Claim what is complete. When there is something to do again (monotonic ms), 0 = with the next note. */
int64_t arrival_work(struct folder *folder);

void arrival_forget_all(struct folder *folder);

/* Names that are never taken: hidden ones, and those that programs give to what is not complete. */
bool arrival_is_ignored(const char *name);

#endif
