/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the server says of itself: lines, providers and trunks for the API, readiness, metrics.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_STATUS_H
#define FAXD_SERVER_STATUS_H

#include "server/device.h"
#include "server/host.h"
#include "server/line.h"
#include "server/trunk.h"

#include <event2/buffer.h>
#include <jansson.h>
#include <stdbool.h>

struct converter;
struct spool;

/* Borrowed; filled for each look. */
struct status_facts {
    struct spool *spool;
    const struct line_table *lines;
    const struct trunk_table *trunks;
    const struct device_table *devices;
    struct host *const *hosts;
    int host_count;
    const struct converter *converter;
    int undecided; /* calls whose end is not known yet, after a crash */
    bool draining;
};

/* New references. */
json_t *status_lines(const struct status_facts *facts);
json_t *status_providers(const struct status_facts *facts);
json_t *status_trunks(const struct status_facts *facts);

/* {"status":"ok"|"degraded"|"draining", "checks":{"disk":"ok"|"full", "providers":{name: state}, "undecided_calls":n}};
 * `*ok` false: send faxes elsewhere for now (draining, or the disk is full). Degraded: a provider is not up. */
json_t *status_ready(const struct status_facts *facts, bool *ok);

/* Appends lines in Prometheus' text format. */
void status_metrics(const struct status_facts *facts, struct evbuffer *out);

#endif
