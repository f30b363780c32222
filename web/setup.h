/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first user, who needs a code from STATE/setup.code: whoever can read that folder owns the server anyhow.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_SETUP_H
#define FAXD_WEB_SETUP_H

struct web;

/* At start: while there is no user, the file is there; else it is not. 0 or ERR_IO. */
int setup_open(struct web *web);
/* A user was made in this turn: the code is worth nothing any more, and its file goes after the commit. */
void setup_close(struct web *web);

#endif
