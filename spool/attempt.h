/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attempts: one row for each call placed or answered, with the raw values and the call record.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_ATTEMPT_H
#define FAXD_SPOOL_ATTEMPT_H

#include "spool/fax.h"
#include "spool/retry.h"

#include <jansson.h>

struct attempt {
    int64_t id;  /* also the job number on the link */
    int64_t fax; /* row */
    int number;  /* 1, 2, ... within the fax */
    char provider[64];
    char line[64]; /* line's name in its provider */
    int line_index;
    char run[40];                                          /* run of the host that has it, "" = not yet handed over */
    int64_t started_at, dialed_at, connected_at, ended_at; /* ended_at 0 = open */
    int first_page;      /* of the document, counted from 1, that this call's file starts with */
    bool first_repeated; /* resume first_and_remaining: page 1 stands before it */
    bool transmitting;   /* a status FS_TRANSMITTING or FS_RECEIVING was seen */
    int pages_confirmed; /* in this call */
};

/* Raw and decided values of an ended call. Texts borrowed, NULL = none. */
struct attempt_result {
    enum fax_outcome outcome;
    const char *message; /* reason in words, "" = the outcome's own */
    uint32_t fs_status;
    int pages_confirmed;  /* of this call's file, in order from its first */
    bool end_sent;        /* the last EOP left */
    bool final_confirmed; /* and was answered with a confirmation */
    const json_t *record; /* FaxdCallRecord, or NULL */
    const char *remote_station_id;
    int64_t connected_at, ended_at;
};

/* A claimed fax gets its call: attempt row, calls + 1, state dialing (event fax.dialing). `line` is the line's name.
 * Inbound: attempt_begin_inbound makes fax and attempt rows in one step (state ringing). */
int attempt_begin(struct attempt *attempt, struct spool *spool, struct fax *fax, const char *provider, const char *line,
                  int line_index);
int attempt_begin_inbound(struct attempt *attempt, struct fax *fax, struct spool *spool, const char *provider,
                          const char *line, int line_index, const char *called, const char *caller);

/* The fax that comes in over a simulator is a test, as are those of test keys. */
int attempt_set_test(struct spool *spool, struct fax *fax);

int attempt_get(struct attempt *attempt, struct spool *spool, int64_t id);

/* Which run of the host has the order. */
int attempt_set_run(struct spool *spool, int64_t id, const char *run);
int attempt_set_connected(struct spool *spool, int64_t id, int64_t at_ms);
int attempt_set_transmitting(struct spool *spool, int64_t id);
/* Page count of this call so far (shown live); no event row unless fax.page_sent is wanted by an endpoint. */
int attempt_set_pages(struct spool *spool, int64_t id, int pages);

/* The outbound call ended: closes the attempt row, decides with retry_decide() and moves the fax on: delivered,
 * scheduled for a retry, failed, unconfirmed, canceled, ...; frees its number (claim_number_free). A second call for
 * the same attempt is refused with ERR_CONFLICT (an event that was replayed). `*decision` may be NULL. */
int attempt_end(struct retry_decision *decision, struct spool *spool, int64_t id, const struct attempt_result *result);

/* The inbound call ended, its pages adopted (`document` "" = none): received, partially_received, failed, rejected. */
int attempt_end_inbound(struct spool *spool, int64_t id, const struct attempt_result *result, const char *document,
                        int pages, enum fax_state state);

/* Pages of the document that are confirmed when `pages` of this call's file are (and those confirmed before it). Pure.
 */
int attempt_document_pages(const struct attempt *attempt, const struct fax *fax, int pages);

/* Attempts without an end, oldest first, for recovery at start: fn for each. */
int attempt_each_open(struct spool *spool,
                      void (*fn)(void *context, const struct attempt *attempt, enum fax_direction direction),
                      void *context);

/* STATE/journals/<id>; the journal file is created by attempt_journal (0600, append) and removed 24 h after the end. */
int attempt_journal_path(char *path, size_t size, struct spool *spool, int64_t id);
/* A descriptor that carries the journal's lock (journal_hold), or an error. */
int attempt_journal(struct spool *spool, int64_t id);

#endif
