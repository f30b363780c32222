/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trunks: a provider's ways to the network, as its module last described them (faxdext.h, FaxdProviderAsk). Held in
 * memory; what was told of them as events is on record (spool/trunk_told).
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_TRUNK_H
#define FAXD_SERVER_TRUNK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define TRUNK_NAME_SIZE 64
#define TRUNK_TEXT_SIZE 256
#define TRUNKS_MAX      64 /* of one provider */

struct spool;
struct trunk_table;

enum trunk_state { TRUNK_UP, TRUNK_DOWN, TRUNK_REGISTERING, TRUNK_DISABLED, TRUNK_STATE_COUNT };

/* The result of the last probe. */
struct trunk_test {
    int64_t at_ms; /* UTC; 0 = there was none */
    bool ok;
    int status; /* of SIP, 0 = no answer */
    char reason[TRUNK_TEXT_SIZE];
    int64_t rtt_ms;
};

struct trunk {
    const char *provider; /* borrowed from the table */
    char name[TRUNK_NAME_SIZE];
    enum trunk_state state;
    char reason[TRUNK_TEXT_SIZE];
    char kind[16];
    char registrar[TRUNK_TEXT_SIZE];
    int64_t since_ms; /* UTC, 0 = not told */
    int64_t calls, calls_total, failures_total;
    struct trunk_test test;
};

/* The caller frees with trunk_table_free. */
int trunk_table_new(struct trunk_table **out);
void trunk_table_free(struct trunk_table *table);

/* A provider's answer `text` replaces the one before; a trunk that went down or came back is told as an event (within
 * the caller's turn). 0; ERR_INVALID with a message that names the fault, and nothing has changed; or an error of the
 * store, with the answer taken. */
int trunk_take(struct trunk_table *table, struct spool *spool, const char *provider, const char *text);

/* The provider's process is gone: its trunks are shown as down until it answers again. No event: hosts are started
 * again within a second or tell by themselves that they are not. */
void trunk_lose(struct trunk_table *table, const char *provider);

/* Why no line of the provider can send now, NULL = they can. Borrowed until the next trunk_take. */
const char *trunk_blocks_lines(const struct trunk_table *table, const char *provider);

/* All trunks in order of their providers' first answers. Borrowed until the next trunk_take. */
int trunk_count(const struct trunk_table *table);
const struct trunk *trunk_at(const struct trunk_table *table, int position);
const struct trunk *trunk_find(const struct trunk_table *table, const char *provider, const char *name);

/* The object of /v1/trunks, new reference. */
json_t *trunk_json(const struct trunk *trunk);

#endif
