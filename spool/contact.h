/* SPDX-License-Identifier: GPL-2.0-or-later */
/* People and offices that faxes go to, and the groups they are in. Lists and searches are spool/contact_list.
 *
 * Thread: loop, but for contact_json.
 */
#ifndef FAXD_SPOOL_CONTACT_H
#define FAXD_SPOOL_CONTACT_H

#include "server/base/number.h"

#include <jansson.h>
#include <stdint.h>

#define CONTACT_ID_SIZE    40
#define CONTACT_NAME_SIZE  128
#define CONTACT_EMAIL_SIZE 255
#define CONTACT_NOTES_SIZE 2001

#define CONTACTS_MAX 100000

struct spool;
struct stmt;

struct contact {
    int64_t id; /* row */
    char public_id[CONTACT_ID_SIZE];
    char name[CONTACT_NAME_SIZE];
    char organization[CONTACT_NAME_SIZE];
    char number[NUMBER_SIZE]; /* normalised */
    char email[CONTACT_EMAIL_SIZE];
    char notes[CONTACT_NOTES_SIZE];
    int64_t owner; /* api key's row */
    int64_t created_at, updated_at;
};

/* A new row: fills id, public_id and times. 0, ERR_FULL (CONTACTS_MAX). Texts were checked by the caller. */
int contact_create(struct contact *contact, struct spool *spool);

/* The parts of it, for many: how many there are, a row that is not counted, and counting, whatever room there is. */
int contact_rows(int64_t *rows, struct spool *spool);
int contact_insert(struct contact *contact, struct spool *spool);
int contact_add_rows(struct spool *spool, int count);

/* 0, ERR_NOT_FOUND. */
/* What a fax keeps of whom it went to: {"id", "name"}, a new object. */
json_t *contact_called(const struct contact *contact);

int contact_find(struct contact *contact, struct spool *spool, const char *public_id);

/* The contact with this number and name (however it is spelled), the oldest of several: 0, ERR_NOT_FOUND. */
int contact_same(struct contact *contact, struct spool *spool, const char *number, const char *name);

/* Write what was changed. */
int contact_update(struct contact *contact, struct spool *spool);

int contact_delete(struct spool *spool, const char *public_id);

/* The object of /v1/contacts, new reference. `groups`: array of ids, taken over. */
json_t *contact_json(const struct contact *contact, json_t *groups);

/* The same with the groups looked up. */
int contact_describe(json_t **object, struct spool *spool, const struct contact *contact);

/* For spool/contact_list. */
#define CONTACT_COLUMNS                                                                                                \
    "id, public_id, name, organization, number, email, notes, owner, created_at, updated_at, name_key, "               \
    "organization_key"
void contact_read(struct contact *contact, struct stmt *stmt);

#endif
