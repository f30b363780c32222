/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups of contacts.
 *
 * Thread: loop, but for contact_group_ids.
 */
#ifndef FAXD_SPOOL_CONTACT_GROUP_H
#define FAXD_SPOOL_CONTACT_GROUP_H

#include "spool/contact.h"

#include <stdbool.h>

#define CONTACT_GROUPS_MAX  1000
#define CONTACT_GROUPS_OF   50    /* of one contact */
#define CONTACT_MEMBERS_MAX 20000 /* as many as a batch has recipients */

struct db;

struct contact_group {
    int64_t id;
    char public_id[CONTACT_ID_SIZE];
    char name[CONTACT_NAME_SIZE];
    int members;
    int64_t created_at;
};

/* 0, ERR_CONFLICT when there is one of that name (however it is spelled), ERR_FULL. */
int contact_group_create(struct contact_group *group, struct spool *spool, const char *name, int64_t owner);
int contact_group_find(struct contact_group *group, struct spool *spool, const char *public_id);
int contact_group_named(struct contact_group *group, struct spool *spool, const char *name);
int contact_group_rename(struct spool *spool, const char *public_id, const char *name);

/* Its contacts stay. */
int contact_group_delete(struct spool *spool, const char *public_id);

/* Put a contact (row) into these groups (rows) and no others. ERR_FULL (message) when one has CONTACT_MEMBERS_MAX
 * members or the contact would be in more than CONTACT_GROUPS_OF groups. */
int contact_group_set(struct spool *spool, int64_t contact, const int64_t *groups, int count);

/* The parts of it, for many: is a contact in a group, and in how many; how many groups there are; put a contact into a
 * group, `*joined` when it was not in it; and count so many new members, whatever room there is. */
int contact_group_has(bool *member, struct spool *spool, int64_t contact, int64_t group);
int contact_group_count(int64_t *groups, struct spool *spool, int64_t contact);
int contact_group_rows(int64_t *rows, struct spool *spool);
int contact_group_join(bool *joined, struct spool *spool, int64_t contact, int64_t group);
int contact_group_add(struct spool *spool, int64_t group, int count);

/* The object of /v1/groups, new reference. */
json_t *contact_group_json(const struct contact_group *group);

/* For spool/contact_list. */
#define CONTACT_GROUP_COLUMNS "id, public_id, name, members, created_at, name_key"
void contact_group_read(struct contact_group *group, struct stmt *stmt);

/* The groups of a contact by name, their ids or their names: new array, empty when the store fails. Thread: that of
 * `db`. */
json_t *contact_group_ids(struct db *db, int64_t contact);
json_t *contact_group_names(struct db *db, int64_t contact);

#endif
