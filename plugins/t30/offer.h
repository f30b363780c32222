/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this end says that it can do, and who it says that it is.
 *
 * Thread: any (no state).
 */
#ifndef FAXD_T30_OFFER_H
#define FAXD_T30_OFFER_H

#include <stdlib.h>
#include <tiffio.h>
#include <spandsp.h>

#include "plugins/t30/options.h"

/* Set modems, codings, sizes, resolutions, features and texts of a T.30 that has not started. */
void offer_to(t30_state_t *t30, const struct options *options);

#endif
