/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Test help: two calls of the real engine joined by a socket pair or by UDP, and what came of them. */
#ifndef FAXD_TESTS_FSP_CALL_PAIR_H
#define FAXD_TESTS_FSP_CALL_PAIR_H

#include <jansson.h>
#include <stdbool.h>

#include "plugins/common/engine.h"
#include "server/base/journal.h"

enum pair_side { PAIR_SENDER, PAIR_RECEIVER };

struct pair_end {
    struct engine_call *call;
    json_t *job;     /* defaults of its side; change before pair_start */
    json_t *record;  /* of "ended"; NULL while it runs, or when the engine died */
    bool gone;       /* end-of-file without "ended" */
    int pages;       /* "page" events */
    char phases[64]; /* "negotiating sending " */
    char tones[32];  /* "ced preamble " */
    bool trained;
    int media, rtcp; /* UDP sockets or a modem to start with, the caller's; -1 = none */
    char journal_path[128];
    struct journal_state journal;
};

struct pair {
    struct pair_end ends[2];
    char document[256];
    char received[128];
};

/* Jobs for sending `document` from a caller to an answerer, unpaced; files in the folder `work`. */
void pair_init(struct pair *pair, const char *work, const char *document);

/* Start both; each side in its engine. */
void pair_start(struct pair *pair, struct engine *sender, struct engine *receiver);

/* Start one side on its own media: UDP sockets or a modem. */
void pair_start_side(struct pair *pair, enum pair_side side, struct engine *engine);

/* Take events of one side until it has ended (or `until` says so): at most `timeout_ms`. */
void pair_follow(struct pair_end *end, int timeout_ms, bool (*until)(const struct pair_end *end));

/* Take the events of one side that are there. */
void pair_peek(struct pair_end *end);

/* Run both to their end and read the journals. */
void pair_finish(struct pair *pair);

/* A child process of `parent`, the newest; 0 when it has none. */
int pair_child_of(int parent);

void pair_clear(struct pair *pair);

/* A text, number or true of a record; "" / -1 / false when absent. */
const char *pair_text(const struct pair_end *end, const char *key);
long long pair_number(const struct pair_end *end, const char *key);
bool pair_true(const struct pair_end *end, const char *key);

/* The pages of `path` are, pixel for pixel, the pages of `original` from the first on: how many there are; -1 when one
 * differs or cannot be read. */
int pair_same_pages(const char *path, const char *original);

/* A TIFF of `pages` pages of `rows` rows, quickly sent. */
void pair_make_short_document(const char *path, int pages, int rows);

/* A TIFF with the pages of `source` again and again until there are `pages`. */
void pair_make_document(const char *path, const char *const *sources, int source_count, int pages);

#endif
