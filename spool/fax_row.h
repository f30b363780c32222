/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A row of table fax to a struct, for spool/ only; and the stored states as SQL text.
 *
 * The states stand in queries as literals, not as bound values: the planner takes a partial index only when it sees
 * that the query's condition implies the index's.
 *
 * Thread: the statement's.
 */
#ifndef FAXD_SPOOL_FAX_ROW_H
#define FAXD_SPOOL_FAX_ROW_H

#include "spool/fax.h"

#include <jansson.h>

struct stmt;

#define SQL_PREPARING "1"
#define SQL_SCHEDULED "3"
#define SQL_QUEUED    "4"
#define SQL_WAITING   "5"
#define SQL_CANCELING "9"
#define SQL_UNCALLED  "(1, 2, 3, 4, 5)" /* preparing, held, scheduled, queued, waiting */
#define SQL_CALLING   "(6, 7, 8, 9)"    /* dialing, negotiating, sending, canceling */
/* Those of fax_state_is_final() but for one, which has something to wait for. */
#define SQL_ENDED "(10, 11, 12, 13, 14, 15, 22, 23, 24, 25, 26, 27)"

_Static_assert(FAX_PREPARING == 1 && FAX_HELD == 2 && FAX_SCHEDULED == 3 && FAX_QUEUED == 4 && FAX_WAITING == 5 &&
                   FAX_DIALING == 6 && FAX_NEGOTIATING == 7 && FAX_SENDING == 8 && FAX_CANCELING == 9 &&
                   FAX_DELIVERED == 10 && FAX_PARTIALLY_DELIVERED == 11 && FAX_UNCONFIRMED == 12 && FAX_FAILED == 13 &&
                   FAX_CANCELED == 14 && FAX_EXPIRED == 15,
               "states of sent faxes are stored");
_Static_assert(FAX_RINGING == 20 && FAX_RECEIVING == 21 && FAX_RECEIVED == 22 && FAX_PARTIALLY_RECEIVED == 23 &&
                   FAX_RECEIVE_FAILED == 24 && FAX_REJECTED == 25 && FAX_ROUTED == 26 && FAX_ROUTE_FAILED == 27 &&
                   FAX_ROUTING == 28,
               "states of received faxes are stored");
_Static_assert(FAX_OUTBOUND == 0 && FAX_INBOUND == 1, "directions are stored");
_Static_assert(FAX_URGENT == 0 && FAX_HIGH == 1 && FAX_NORMAL == 2 && FAX_BULK == 3, "priorities are stored");
_Static_assert(FAX_DELIVERY_NONE == 0 && FAX_DELIVERY_PARTIAL == 1 && FAX_DELIVERY_CONFIRMED == 2 &&
                   FAX_DELIVERY_UNCONFIRMED == 3,
               "deliveries are stored");
_Static_assert(FAX_RESUME_REMAINING == 0 && FAX_RESUME_FIRST_AND_REMAINING == 1 && FAX_RESUME_ALL == 2 &&
                   FAX_UNCONFIRMED_STOP == 0 && FAX_UNCONFIRMED_RESEND == 1,
               "policies are stored");

#define FAX_COLUMNS                                                                                                    \
    "id, public_id, direction, state, reason, owner, test, destination, sender, line_group, priority, not_before, "    \
    "expires_at, created_at, updated_at, queued_at, dialed_at, connected_at, ended_at, original, document, "           \
    "pages_total, prepared_pages, prepared_of, pages_confirmed, attempts, calls, max_attempts, resume, "               \
    "on_unconfirmed, delivery, outcome, "                                                                              \
    "message, "                                                                                                        \
    "error, remote_station_id, local_station_id, line, attempt, options, transport, client_reference, tags, "          \
    "metadata, "                                                                                                       \
    "resent_from, purged_at, purged_document, routed, user_id, "                                                       \
    "(SELECT account.public_id FROM account WHERE account.id = fax.user_id) AS user_public_id, "                       \
    "unread, junk, assigned, labels, "                                                                                 \
    "(SELECT account.public_id FROM account WHERE account.id = fax.assigned) AS assigned_public_id, "                  \
    "batch, (SELECT batch.public_id FROM batch WHERE batch.id = fax.batch) AS batch_public_id"

/* From a row with FAX_COLUMNS. The caller clears with fax_clear. */
void fax_row_read(struct fax *fax, struct stmt *stmt);

/* Run a query for one fax: steps `stmt` once and closes it. 0, ERR_NOT_FOUND, or an error; `fax` is set only with 0. */
int fax_row_one(struct fax *fax, struct stmt *stmt);

/* Run a query for ids (column "id") and close it: at most `room`; the count or an error. */
int fax_row_ids(int64_t *ids, int room, struct stmt *stmt);

/* A text of the struct gets a new value (copied); NULL reads as "". */
void fax_row_set(char **text, const char *value);

/* JSON as it is stored: "" for nothing or an empty one, keys sorted, so that equal requests give equal rows. The caller
 * frees. */
char *fax_row_json(const json_t *value);

#endif
