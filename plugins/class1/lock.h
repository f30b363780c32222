/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UUCP lock files: how programs that use serial lines keep out of one another's way (FHS 3.0, 5.9: /run/lock/LCK..ttyS0
 * holds the process id as ten characters and a line feed).
 *
 * Thread: any; a lock belongs to one.
 */
#ifndef FAXD_PLUGINS_CLASS1_LOCK_H
#define FAXD_PLUGINS_CLASS1_LOCK_H

struct lock;

/* Lock the device at `path` (links are followed: what counts is the device behind them) by a file in `folder`; "" locks
 * nothing and `*out` is NULL. A lock whose process is gone is taken over. 0; ERR_CONFLICT with who has it;
 * ERR_NOT_FOUND when there is no such device; ERR_DENIED or ERR_IO with the reason. Free with lock_release. */
int lock_take(struct lock **out, const char *folder, const char *path);

/* Removes the file. NULL is fine. */
void lock_release(struct lock *lock);

#endif
