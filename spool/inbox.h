/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people do with received faxes: who sees to one, what is read, labels, junk, notes.
 *
 * All but inbox_arrive takes a received fax that has ended, as read in this turn, which follows: ERR_CONFLICT for any
 * other (message).
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_INBOX_H
#define FAXD_SPOOL_INBOX_H

#include "spool/fax.h"

#include <jansson.h>

#define INBOX_LABELS_MAX 50
#define INBOX_LABEL_MAX  64    /* octets */
#define INBOX_NOTE_MAX   10000 /* octets */
#define INBOX_NOTES_MAX  1000  /* of a fax */

struct spool;

/* Pages have come: nobody has read them. */
int inbox_arrive(struct spool *spool, struct fax *fax);

int inbox_read(struct spool *spool, struct fax *fax, bool read);

/* `user` NULL = nobody's. Event inbound.assigned, unless it was so before. */
int inbox_assign(struct spool *spool, struct fax *fax, const struct user *user);

/* Event inbound.junked, also when it is taken back, and then the fax meets the inbound rules unless it has met some
 * (spool/route_fax.h); none when it was so before. */
int inbox_junk(struct spool *spool, struct fax *fax, bool junk);

/* A block rule says that it is: the event names it. */
int inbox_junk_by(struct spool *spool, struct fax *fax, const char *rule);

/* In place of those there were. `labels`: an array of at most INBOX_LABELS_MAX texts of 1..INBOX_LABEL_MAX octets, each
 * once (checked by the caller). */
int inbox_label(struct spool *spool, struct fax *fax, const json_t *labels);

/* Add one, of 1..INBOX_NOTE_MAX octets of UTF-8, and give it as JSON. `user` id 0 and `author`: who wrote it, when that
 * is no user. ERR_CONFLICT when there are INBOX_NOTES_MAX. */
int inbox_note(json_t **note, struct spool *spool, const struct fax *fax, const struct user *user, const char *author,
               const char *text);

/* {"data":[{"id","author","user","text","created_at"}...],"has_more","next_cursor"}, oldest first. ERR_INVALID
 * (cursor). */
int inbox_notes(json_t **page, struct spool *spool, const struct fax *fax, const char *cursor, int limit);

/* For the two files of this header: ERR_CONFLICT unless the fax is received and has ended. */
int inbox_check(const struct fax *fax);

#endif
