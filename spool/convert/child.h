/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One job in a process of its own, fenced in before the first octet of the document is looked at.
 *
 * Thread: the only one of its process.
 */
#ifndef FAXD_CONVERT_CHILD_H
#define FAXD_CONVERT_CHILD_H

/* Have libraries ready (tables, time zone, locks) before children are forked from this process or it is fenced in. */
void child_warm(void);

/* Do the job `text` (JSON) from the `count` inputs to `output`, which is emptied first. `result` (socket or pipe) gets
 * {"started":true} with a pidfd of this process as descriptor where it is a socket, so that its reader can end it
 * (SIGTERM), now and then {"progress":n,"total":n,"parts":n}, then one result. Returns the exit status: 0 whenever a
 * result was written. */
int child_run(const char *text, const int *inputs, int count, int output, int result);

#endif
