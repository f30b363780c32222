/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who faxes are sent as: number, station id, header and time zone. As long as there are any, exactly one of them is the
 * default.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_IDENTITY_H
#define FAXD_SPOOL_IDENTITY_H

#include "server/base/number.h"
#include "server/base/str.h"
#include "spool/query.h"
#include "spool/receipt_wish.h"

#define IDENTITIES_MAX   1000
#define IDENTITY_ID_SIZE 40

struct identity {
    int64_t id;
    char public_id[IDENTITY_ID_SIZE];
    char name[128];
    char number[NUMBER_SIZE]; /* normalised, "" = none */
    char station_id[STR_STATION_ID_MAX + 1];
    char header_text[101];
    char time_zone[65];
    char caller_id[NUMBER_SIZE];              /* normalised, "" = none */
    char receipt_email[MAIL_ADDRESS_MAX + 1]; /* for faxes that ask for no receipt themselves, "" = none */
    enum receipt_on receipt_on;
    char language[MAIL_LANGUAGE_MAX + 1]; /* of mails, "" = the default */
    bool is_default;
    int64_t owner; /* api key's row */
    int64_t created_at;
};

/* A new row: fills id, public_id and created_at. The first one is the default, whatever it says; another one takes that
 * from the present one. 0, ERR_FULL. */
int identity_create(struct identity *identity, struct spool *spool);

/* 0, ERR_NOT_FOUND. */
int identity_find(struct identity *identity, struct spool *spool, const char *public_id);
int identity_default(struct identity *identity, struct spool *spool);

/* Write what was changed. ERR_CONFLICT (message) when the default would no longer be one. */
int identity_update(struct identity *identity, struct spool *spool);

/* ERR_CONFLICT when it is the default and not the last. */
int identity_delete(struct spool *spool, const char *public_id);

/* The object of /v1/identities, new reference; a page of them, the oldest first. */
json_t *identity_json(const struct identity *identity);
int identity_list(struct spool *spool, const char *cursor, int limit, query_done done, void *context);

#endif
