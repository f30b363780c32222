/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hard stop for an endless loop inside spandsp or libtiff: ends the process when one step of work has used some
 * seconds of CPU. (One in order takes 20 ms at most.) The calls of the process are lost, their FSPs see
 * end-of-file, and the journals tell how far they got.
 *
 * Thread: one for the process.
 */
#ifndef FAXD_T30_WATCHDOG_H
#define FAXD_T30_WATCHDOG_H

#define WATCHDOG_S 2 /* CPU seconds; a hanging step ends after one to two of these */

/* Start watching this process. 0 or ERR_IO. */
int watchdog_start(void);

/* A new step begins. */
void watchdog_step(void);

#endif
