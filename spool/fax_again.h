/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fax once more: the same one queued again, a new one like it, a new one made of its pages.
 *
 * Each is somebody's express wish. What prevents a second copy by accident: only a fax that has ended is queued again,
 * it goes on with the first page that was not confirmed, and one that the far end may have whole has to be confirmed.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_FAX_AGAIN_H
#define FAXD_SPOOL_FAX_AGAIN_H

#include "spool/fax.h"

#include <jansson.h>

struct spool;

/* True when the far end may have all pages, though it did not say so: to call it again may send them twice. */
bool fax_again_is_doubtful(const struct fax *fax);

/* A sent fax that has ended without full delivery is queued again, at once, with all attempts before it; a deadline
 * that has passed is dropped. `fax` is as read in this turn, and follows. 0; ERR_CONFLICT (message): it is under way,
 * delivered or received, has no pages, or is doubtful and `sure` is false. */
int fax_again_retry(struct spool *spool, struct fax *fax, bool sure);

/* Whose wish it is, and where the new fax goes. */
struct fax_again {
    const char *to;          /* normalised or as typed; NULL = where the other went */
    int64_t owner;           /* key row */
    const struct user *user; /* whose it becomes; NULL = nobody's */
    bool test;
    const char *cover;          /* forward only: sha256 of a stored template, NULL = none ... */
    const json_t *cover_fields; /* ... and an object */
};

/* A new fax of the same documents, cover and options. Its pages are those that were made, unless it has a cover, which
 * names the number and the day. The caller clears `fax`. 0; ERR_CONFLICT (message): `of` was received, has not ended
 * (and would go to the same number), is purged, or needs a password that is gone; else as submit(). */
int fax_again_resend(struct fax *fax, struct spool *spool, const struct fax *of, const struct fax_again *wish);

/* A new fax made of the pages of any fax, behind a cover when one is given. The caller clears `fax`. 0; ERR_CONFLICT
 * (it has no pages); else as submit(). */
int fax_again_forward(struct fax *fax, struct spool *spool, const struct fax *of, const struct fax_again *wish);

#endif
