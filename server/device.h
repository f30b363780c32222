/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices: what a line stands on where that is a thing that can break or be unplugged, such as a modem; as its module
 * last described it (faxdext.h, FaxdProviderAsk). Held in memory; what was told of them as events is on record
 * (spool/trunk_told).
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_DEVICE_H
#define FAXD_SERVER_DEVICE_H

#include "server/line.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define DEVICE_TEXT_SIZE   256
#define DEVICE_REPORT_SIZE 4096
#define DEVICES_MAX        4096 /* of one provider: no more than it may have lines */

struct spool;
struct device_table;

enum device_state { DEVICE_UP, DEVICE_DOWN, DEVICE_FAULTY, DEVICE_STATE_COUNT };

/* The result of the last test. */
struct device_test {
    int64_t at_ms; /* UTC; 0 = there was none */
    bool ok;
    char *report; /* lines of text; "" = not told */
};

struct device {
    int line; /* index in its provider */
    enum device_state state;
    char reason[DEVICE_TEXT_SIZE];
    char path[DEVICE_TEXT_SIZE]; /* "/dev/ttyUSB0" */
    char model[DEVICE_TEXT_SIZE];
    int64_t since_ms; /* UTC, 0 = not told */
    struct device_test test;
};

/* The caller frees with device_table_free. */
int device_table_new(struct device_table **out);
void device_table_free(struct device_table *table);

/* The devices in a provider's answer `text` replace those before; one that became faulty is told as an event (within
 * the caller's turn), which names the line of `lines`. 0; ERR_INVALID with a message that names the fault, and nothing
 * has changed; or an error of the store, with the answer taken. */
int device_take(struct device_table *table, struct spool *spool, const struct line_table *lines, const char *provider,
                const char *text);

/* The provider's process is gone: nothing is known of its devices until it answers again. */
void device_lose(struct device_table *table, const char *provider);

/* The device of a line, NULL = it has none that was told of. Borrowed until the next device_take. */
const struct device *device_of(const struct device_table *table, const struct line *line);

/* Why the line cannot send now, NULL = its device is no reason. Borrowed as above. */
const char *device_blocks_line(const struct device_table *table, const struct line *line);

/* "device" of the object of /v1/lines; null for NULL. New reference. */
json_t *device_json(const struct device *device);

#endif
