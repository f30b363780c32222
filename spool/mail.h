/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Outgoing mails: rows written in the turn that decides them, worked off by server/mail/mailer. A row holds what the
 * mail is about; its text and its attachments are made when it is due, and never stored.
 *
 * A mail that cannot be sent now is tried again after the delays of the policy; it is given up when the server refuses
 * it for good, or when the policy's time is over. Its Message-ID stays the same on every try.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_MAIL_H
#define FAXD_SPOOL_MAIL_H

#include "spool/query.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define MAIL_ID_SIZE      40  /* "mail_" + ULID and the end */
#define MAIL_ADDRESS_MAX  254 /* octets: RFC 5321 and its errata */
#define MAIL_OPTIONS_MAX  4000
#define MAIL_REASON_MAX   500
#define MAIL_DELAYS_MAX   8
#define MAIL_LANGUAGE_MAX 8

struct fax;
struct spool;

/* Stored in rows: never renumber. */
enum mail_kind {
    MAIL_ROUTED = 1,            /* a received fax, by a routing rule */
    MAIL_RECEIPT = 2,           /* what became of a sent fax, to who sent it */
    MAIL_ENDPOINT_DISABLED = 3, /* to the owner of a webhook endpoint */
    MAIL_ALARM = 4              /* to the administrator */
};

enum mail_state { MAIL_WAITING = 0, MAIL_SENT = 1, MAIL_GIVEN_UP = 2 };

/* All texts are the struct's own; mail_clear frees them. Times are UTC ms, 0 = none. */
struct mail {
    int64_t id; /* row */
    char public_id[MAIL_ID_SIZE];
    enum mail_kind kind;
    enum mail_state state;
    int64_t fax;      /* row, 0 = about no fax */
    char *to;         /* one address */
    char *options;    /* JSON object, below; "" = {} */
    int64_t delivery; /* row of route_delivery, 0 = none */
    char *topic;      /* alarms: those of the same topic are not sent one after the other; "" = none */
    int tries;
    int status;   /* what the mail server answered last, 0 = nothing */
    char *reason; /* why it was not sent, in the server's words where there are any; "" = it was, or no try yet */
    int64_t created_at, queued_at, tried_at, ended_at; /* queued: made, or sent once more by hand */
    int64_t next_at;                                   /* 0 = sent or given up */
};

/* Options, each of which may be missing:
 *   "format":     MAIL_ROUTED: "pdf" (or missing), "tiff", "link" or "none": how the pages come
 *   "language":   of the text: "en" (or missing), "de", ...; one that is not installed reads as "en"
 *   "subject":    MAIL_ROUTED: instead of the template's; fields as in templates: "{from}"
 *   "first_page": MAIL_RECEIPT: attach the proof of transmission with its picture of the first page
 *   "attach":     MAIL_RECEIPT: attach the pages as they were sent
 *   "status":     MAIL_RECEIPT: how the fax had ended
 *   "event":      MAIL_ALARM, MAIL_ENDPOINT_DISABLED: type of the event, and
 *   "data":       its data */

/* --- the policy --- */

struct mail_policy {
    bool configured;      /* false: there is no server, nothing is sent and nothing new is queued */
    const char *alarm_to; /* borrowed for the call; "" = nobody */
    int delays_s[MAIL_DELAYS_MAX], delay_count; /* between tries, the last repeats */
    int64_t give_up_s;                          /* from when it was queued */
};

/* 5 s, 30 s, 2 min, 10 min, 30 min, then hourly for 3 days. */
void mail_policy_default(struct mail_policy *policy);
void mail_policy_set(struct spool *spool, const struct mail_policy *policy);

/* May mails be queued? What asks for one is refused otherwise: 422 mail_not_configured. */
bool mail_configured(const struct spool *spool);

/* One address that can be written to: local part, "@", domain; no display name, no blanks, no control characters. 0 or
 * ERR_INVALID (message). Pure. */
int mail_address_check(const char *address);

/* --- rows --- */

/* Queue a mail: kind, fax, to, options, delivery and topic are read (texts borrowed), id and public_id are filled in.
 * It is due at once. 0, ERR_INVALID (the address, options of more than MAIL_OPTIONS_MAX octets), ERR_UNSUPPORTED (no
 * mail server is configured). */
int mail_queue(struct mail *mail, struct spool *spool);

/* A mail that is still waiting is not sent: given up with that reason; its end is not told. 0, ERR_NOT_FOUND. One that
 * the mail server is just taking may arrive all the same: then it is sent, which is told. */
int mail_cancel(struct spool *spool, int64_t id, const char *reason);

/* Some waiting mail of a delivery of this fax: 1, 0 = there is none, or an error. */
int mail_next_of_fax(int64_t *id, struct spool *spool, int64_t fax);

/* 0, ERR_NOT_FOUND. The caller clears. */
int mail_get(struct mail *mail, struct spool *spool, int64_t id);
int mail_find(struct mail *mail, struct spool *spool, const char *public_id);
void mail_clear(struct mail *mail);

/* Send it once more from the beginning, whatever became of it. 0, ERR_NOT_FOUND, ERR_CONFLICT (it is waiting and has
 * not been tried, its time is near anyway, or its delivery is under way with another one), ERR_UNSUPPORTED. */
int mail_retry(struct spool *spool, const char *public_id);

/* --- who is told --- */

enum mail_told { MAIL_TOLD_DONE, MAIL_TOLD_AGAIN, MAIL_TOLD_GIVEN_UP, MAIL_TOLD_RESUMED };

/* Called in the transaction of each try's end for mails with a delivery: row of the delivery, what became of the try,
 * why, and when it is tried again. 0, or an error that fails the turn. RESUMED: it was given up, and somebody wants it
 * sent once more; an error is the answer to that. One listener. */
typedef int (*mail_end_fn)(struct spool *spool, int64_t delivery, enum mail_told told, const char *reason,
                           int64_t next_at);
void mail_on_end(struct spool *spool, mail_end_fn fn);

/* --- what happens here and is mailed --- */

/* For spool/event.c: an event was written, with these. Its receipt, alarm or message to an owner is queued in the same
 * transaction; events that concern nobody cost a look at a table. */
int mail_on_event(struct spool *spool, const char *type, const struct fax *fax, const json_t *data);

/* Requests are refused since there are too many: an alarm, at most one an hour. `whose`: "key", "user", "address". */
void mail_on_flood(struct spool *spool, const char *whose);

/* --- shown --- */

const char *mail_kind_name(enum mail_kind kind);

/* "<mail_...@domain>", the same on every try. */
#define MAIL_MESSAGE_ID "<%s@%s>"

struct mail_list_wish {
    const char *cursor; /* NULL = from the newest */
    int limit;          /* 1..QUERY_LIMIT_MAX */
    int64_t fax;        /* row, 0 = of all */
    int state;          /* enum mail_state, -1 = all */
};

/* The object of /v1/mails, new reference; ERR_NOT_FOUND. A page of them, the newest first. */
int mail_json(json_t **object, struct spool *spool, const char *public_id);
int mail_list(struct spool *spool, const struct mail_list_wish *wish, query_done done, void *context);

/* How many wait, at most `MAIL_COUNT_MAX` are counted; since when the oldest does, 0 = none does. */
#define MAIL_COUNT_MAX 100000
int mail_waiting(int *count, int64_t *oldest_at, struct spool *spool);

/* Delete mails about no fax that ended before `before_ms`, at most `room`; the number deleted or an error. The spool
 * does so by itself. Mails about a fax go with it. */
int mail_trim(struct spool *spool, int64_t before_ms, int room);

/* --- for server/mail --- */

/* Due mails by time, at most `room`: the count or an error; each is cleared by the caller. `*next_at` is when the next
 * one after these is due, 0 = there is none. */
int mail_due(struct mail *mails, int room, int64_t *next_at, struct spool *spool, int64_t now_ms);

/* The end of a try. `status` is the server's last code, 0 = none; `reason` is in its words. `for_good`: it is of no use
 * to try again. */
int mail_sent(struct spool *spool, int64_t id);
int mail_failed(struct spool *spool, int64_t id, int status, const char *reason, bool for_good);

#endif
