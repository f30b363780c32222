/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the world was last told of each trunk, and of each line's device, so that neither a restart nor a provider that
 * repeats itself tells it twice, and a trunk that comes back while faxd is away is told.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_TRUNK_TOLD_H
#define FAXD_SPOOL_TRUNK_TOLD_H

#include <jansson.h>
#include <stdbool.h>

struct spool;

/* A trunk is up, or down: an event trunk.up or trunk.down with `data` (borrowed) when it was told otherwise before. Of
 * a trunk that was never told of, only that it is down is news. 0 or an error of the store. */
int trunk_told(struct spool *spool, const char *provider, const char *name, bool up, json_t *data);

/* The device of the provider's line `name` works, or is faulty: an event channel.fault with `data` (borrowed) when it
 * is and was not told so. That it works again is remembered, and no event. As above. */
int trunk_told_device(struct spool *spool, const char *provider, const char *name, bool works, json_t *data);

#endif
