/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The converter by hand: faxd-convert [OPTION...] INPUT OUTPUT.
 *
 * Thread: the only one.
 */
#ifndef FAXD_CONVERT_COMMAND_H
#define FAXD_CONVERT_COMMAND_H

/* Exit statuses. */
enum command_exit { COMMAND_OK = 0, COMMAND_DOCUMENT = 1, COMMAND_USAGE = 2, COMMAND_SYSTEM = 3, COMMAND_CRASH = 4 };

/* Run as the arguments say, print the result, return the exit status. */
int command_run(int argc, char **argv);

#endif
