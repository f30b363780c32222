/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a call shows while it runs: its fax's state, its pages.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_PROGRESS_H
#define FAXD_SERVER_PROGRESS_H

#include "server/line.h"
#include "server/link/link.h"

struct spool;

/* A status packet of the call on the line. What cannot be recorded is logged: it is only news. */
void progress_take(struct spool *spool, struct line *line, const struct link_message *status);

#endif
