/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What earlier calls to a number have taught: whether its next call is to be T.38 or G.711. One row for each number,
 * written with the end of each call that tells something of it; kept 90 days after the last such call.
 *
 * Thread: loop; destination_learn any (pure).
 */
#ifndef FAXD_SPOOL_DESTINATION_H
#define FAXD_SPOOL_DESTINATION_H

#include "server/base/number.h"
#include "spool/outcome.h"
#include "spool/query.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct spool;

/* Stored in rows: never renumber. */
enum destination_transport {
    DESTINATION_AUTO = 0, /* nothing is remembered: the provider chooses and falls back */
    DESTINATION_T38 = 1,
    DESTINATION_G711 = 2
};

/* How one transport has done. */
struct destination_record {
    int ok, failed;
    int in_a_row; /* failures since it last worked */
};

struct destination {
    char number[NUMBER_SIZE];
    enum destination_transport transport; /* of the next call */
    char reason[128];                     /* why, "" = none */
    struct destination_record t38, g711;
    enum fax_outcome last_outcome;
    int64_t last_at;                   /* UTC ms */
    enum destination_transport forced; /* by somebody: stands before what was learned; DESTINATION_AUTO = none */
    int calls_ok, calls_failed;        /* of all that say something of the number */
    int not_fax_in_a_row;
    int64_t suspended_at; /* 0 = it is not: spool/suspension.h */
    char suspended_reason[201];
};

/* What a call has to say. */
struct destination_call {
    enum fax_outcome outcome;
    const json_t *record; /* FaxdCallRecord, or NULL */
    int pages_confirmed;  /* in this call */
    int64_t at_ms;        /* UTC */
};

/* Take a call into account. False when it tells nothing of a transport (it was not T.38 and had no codec, or ended as
 * calls do over any: busy, no answer); then nothing has changed.
 *
 * T.38 has failed when it could not be agreed, when nothing more came, or when the protocol broke before a page was
 * confirmed; G.711 when training, a page, the carrier or the protocol failed. The next call then takes the other one,
 * unless that has failed oftener in a row, or as often with the worse record. Where both have failed three times in a
 * row nothing is remembered, and nothing changes until one of them works: a number that takes no fax is not tried to
 * and fro for ever. */
bool destination_learn(struct destination *destination, const struct destination_call *call);

/* Count a call that says something of the number: not those that our own lines, documents or users ended. False for
 * these. */
bool destination_count(struct destination *destination, const struct destination_call *call);

/* "auto", "t38", "g711": for FaxdJobOptions and the API. */
const char *destination_transport_name(enum destination_transport transport);

/* Of the next call: what was forced, else what was learned. */
enum destination_transport destination_next_transport(const struct destination *destination);

/* 0, or ERR_NOT_FOUND when nothing is remembered of the number (normalised). */
int destination_get(struct destination *destination, struct spool *spool, const char *number);

/* destination_count and destination_learn for the row of a number, in the caller's transaction; and its suspension,
 * when the call was one too many that found no fax machine. */
int destination_take(struct spool *spool, const char *number, const struct destination_call *call);

/* Write what was changed by hand; a number of which nothing is remembered gets a row. */
int destination_write(struct spool *spool, const struct destination *destination);

/* Forget a number, its suspension as well: 0 or ERR_NOT_FOUND. */
int destination_forget(struct spool *spool, const char *number);

/* A page of query_page_text(), the number that was learned of last first; at most `limit`, 1..1000, read on the reader
 * thread. 0, ERR_FULL, or ERR_INVALID when `cursor` (NULL = the first page) is not one of ours. */
int destination_list(struct spool *spool, const char *cursor, int limit, query_done done, void *context);

/* The object of /v1/destinations, new reference. */
json_t *destination_json(const struct destination *destination);

/* Delete what no call has touched since `before_ms` and nobody has set, at most `room`; the number deleted or an error.
 * The spool does so by itself. */
int destination_trim(struct spool *spool, int64_t before_ms, int room);

#endif
