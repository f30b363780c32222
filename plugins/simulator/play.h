/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries out the plan of a call: waits, packets, journal, record, result.
 *
 * Thread: the job's.
 */
#ifndef FAXD_PLUGINS_SIMULATOR_PLAY_H
#define FAXD_PLUGINS_SIMULATOR_PLAY_H

#include "plugins/common/job.h"
#include "plugins/simulator/plan.h"

/* Send a document of `pages`. `journal` -1 writes none. The result is that of FaxDevSend. */
BOOL play_send(struct job *job, const struct plan *plan, int pages, int journal);

/* Receive by copying: the TIFF at `from` into the existing file `to`; the result is that of FaxDevReceive. */
BOOL play_receive(struct job *job, const struct plan *plan, const char *from, const char *to, const char *station,
                  int journal);

#endif
