/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One fax, sent or received: the row and the struct. Attempts are spool/attempt, changes of state spool/fax_state.
 *
 * Thread: loop, except the pure functions and those that take a reader's database.
 */
#ifndef FAXD_SPOOL_FAX_H
#define FAXD_SPOOL_FAX_H

#include "spool/outcome.h"
#include "spool/user.h"

#include <stdbool.h>
#include <stdint.h>

#define FAX_ID_SIZE 32 /* "fax_" + ULID and the end */

struct spool;

enum fax_direction { FAX_OUTBOUND = 0, FAX_INBOUND = 1 };

/* Stored in rows: never renumber. */
enum fax_state {
    /* outbound */
    FAX_PREPARING = 1,
    FAX_HELD = 2,
    FAX_SCHEDULED = 3,
    FAX_QUEUED = 4,
    FAX_WAITING = 5, /* its number is engaged by another call of ours; shown as queued, reason destination_busy */
    FAX_DIALING = 6,
    FAX_NEGOTIATING = 7,
    FAX_SENDING = 8,
    FAX_CANCELING = 9,
    FAX_DELIVERED = 10,
    FAX_PARTIALLY_DELIVERED = 11,
    FAX_UNCONFIRMED = 12,
    FAX_FAILED = 13,
    FAX_CANCELED = 14,
    FAX_EXPIRED = 15,
    /* inbound */
    FAX_RINGING = 20,
    FAX_RECEIVING = 21,
    FAX_RECEIVED = 22,
    FAX_PARTIALLY_RECEIVED = 23,
    FAX_RECEIVE_FAILED = 24, /* shown as failed */
    FAX_REJECTED = 25,
    FAX_ROUTED = 26,
    FAX_ROUTE_FAILED = 27,
    FAX_ROUTING = 28 /* received, and deliveries by rules wait */
};

#define FAX_STATES (FAX_ROUTING + 1) /* room for a value of each state */

enum fax_priority { FAX_URGENT = 0, FAX_HIGH = 1, FAX_NORMAL = 2, FAX_BULK = 3 };

enum fax_delivery {
    FAX_DELIVERY_NONE = 0,
    FAX_DELIVERY_PARTIAL = 1,
    FAX_DELIVERY_CONFIRMED = 2,
    FAX_DELIVERY_UNCONFIRMED = 3
};

enum fax_resume { FAX_RESUME_REMAINING = 0, FAX_RESUME_FIRST_AND_REMAINING = 1, FAX_RESUME_ALL = 2 };

enum fax_on_unconfirmed { FAX_UNCONFIRMED_STOP = 0, FAX_UNCONFIRMED_RESEND = 1 };

/* All texts are the struct's own ("" when there is nothing); fax_clear frees them. Times are UTC ms, 0 = none. */
struct fax {
    int64_t id; /* row */
    char public_id[FAX_ID_SIZE];
    enum fax_direction direction;
    enum fax_state state;
    char *reason;            /* why it waits: "", "destination_busy", "retry", "held_by_user" ... */
    int64_t owner;           /* api key's row, 0 = the server itself */
    int64_t user_id;         /* whose it is: row of the user who sent it, 0 = nobody's */
    char user[USER_ID_SIZE]; /* that user's public id, "" = none */
    bool test;               /* made with a test key: only simulator lines may carry it */
    char *destination;       /* number called: ours when inbound */
    char *sender;            /* from: identity or number; caller id when inbound */
    char *line_group;        /* or the queue of an outbound rule */
    bool routed;             /* it was chosen by rules: spool/outbound_rule.h */
    enum fax_priority priority;
    int64_t not_before;
    int64_t expires_at;
    int64_t created_at, updated_at, queued_at, dialed_at, connected_at, ended_at;
    char *original;                  /* sha256 of the upload, "" = purged or inbound */
    char *document;                  /* sha256 of the fax TIFF, "" = not prepared, or purged */
    int pages_total;                 /* -1 = not known yet */
    int prepared_pages, prepared_of; /* while preparing: pages made, of how many (-1 = not known) */
    int pages_confirmed;             /* by the far end (out), whole pages held (in) */
    int attempts;                    /* that counted */
    int calls;                       /* attempts made, counted or not */
    int max_attempts;
    enum fax_resume resume;
    enum fax_on_unconfirmed on_unconfirmed;
    enum fax_delivery delivery;
    enum fax_outcome outcome; /* of the last attempt */
    char *message;            /* reason in words of the last attempt */
    char *error;              /* JSON: error object (fax_json_error) of the last failure, "" = none */
    char *remote_station_id, *local_station_id;
    char *line;      /* "provider/line" of the running or last call */
    int64_t attempt; /* running attempt's id, 0 = none */
    char *options;   /* JSON: what the request asked for (ecm, max_rate_bps, resolution, delays ...) */
    char *transport; /* JSON: mode, rate_bps, ecm ... of the last call */
    char *client_reference, *tags, *metadata; /* text, JSON array, JSON object */
    char *resent_from;                        /* public id */
    int64_t purged_at;                        /* its documents were deleted, 0 = they were not */
    char *purged_document;                    /* sha256 of what `document` was until then */
    bool unread, junk;                        /* received: nobody said that it is read; somebody said it is junk */
    int64_t assigned;                         /* received: row of the user who sees to it, 0 = nobody */
    char assigned_to[USER_ID_SIZE];           /* that user's public id, "" = none */
    char *labels;                             /* JSON array */
    int64_t batch;                            /* row of the batch that it is of, 0 = none */
    char batch_id[FAX_ID_SIZE];               /* that one's public id, "" = none */
};

/* 0, ERR_NOT_FOUND, ERR_INTERNAL. The caller clears with fax_clear. */
int fax_get(struct fax *fax, struct spool *spool, int64_t id);
int fax_find(struct fax *fax, struct spool *spool, const char *public_id);
void fax_clear(struct fax *fax);

/* The word shown to users ("queued" for FAX_WAITING, "failed" for FAX_RECEIVE_FAILED). */
const char *fax_state_name(enum fax_state state);
bool fax_state_is_final(enum fax_state state);
bool fax_state_in_call(enum fax_state state); /* dialing, negotiating, sending, canceling, ringing, receiving */
const char *fax_priority_name(enum fax_priority priority);
/* Why it waits, as a sentence; NULL for a word that is not known, "" among them. */
const char *fax_reason_text(const char *reason);
const char *fax_delivery_name(enum fax_delivery delivery);

/* Counts by state for /metrics, held in memory since start: `counts` has room for FAX_STATES. */
void fax_counts(const struct spool *spool, int64_t *counts);

#endif
