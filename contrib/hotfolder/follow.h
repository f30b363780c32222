/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of the faxes of a folder: read from the events of faxd by cursor, one request for all of them, so that
 * nothing is missed between two requests or while this program did not run.
 *
 * Thread: one.
 */
#ifndef FAXD_HOTFOLDER_FOLLOW_H
#define FAXD_HOTFOLDER_FOLLOW_H

struct folder;

/* Look what happened since the last time. */
void follow(struct folder *folder);

#endif
