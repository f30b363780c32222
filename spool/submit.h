/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fax enters the spool: the first step of the outbound route (web -> submit -> prepared -> queued).
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_SUBMIT_H
#define FAXD_SPOOL_SUBMIT_H

#include "spool/fax.h"
#include "spool/fax_document.h"
#include "spool/rendition.h"

#include <jansson.h>

struct submit_upload {
    const char *sha;    /* of a stored document */
    const json_t *info; /* {"type", "pages", "password"}, as spool/fax_document.h; NULL = nothing to say */
};

/* A form in which a fax can be sent. */
struct submit_form {
    const char *sha, *resolution;
    int width;
};

/* Texts are borrowed; NULL reads as "". Already checked by the caller but for what submit() says. */
struct submit_request {
    const char *to; /* as typed; normalised here */
    const char *from;
    const char *original; /* sha256 of a stored document: the fax is made of it alone; or the next three */
    const struct submit_upload *uploads;
    int upload_count;
    const char *cover;               /* sha256 of a stored template, NULL = none */
    const json_t *cover_fields;      /* object */
    const struct submit_form *forms; /* its pages, when they were made for another fax before; else none */
    int form_count, pages;
    const char *line_group;     /* "" = by rules (spool/outbound_rule.h); of a test key, "default" */
    enum fax_priority priority; /* 0 is urgent: set it */
    int64_t not_before, expires_at;
    bool hold;
    bool test;
    int64_t owner;           /* key row */
    const struct user *user; /* whose it becomes; NULL or id 0 = nobody's */
    int max_attempts;        /* 1..50; 0 = default (base/config, 5) */
    enum fax_resume resume;
    enum fax_on_unconfirmed on_unconfirmed;
    const json_t *options; /* object: resolution, dither, paper, ecm, max_rate_bps, modems, compressions, station_id,
                              header, header_show, page_numbers, time_zone, subaddress, password,
                              delays {class: [s, ...]} */
    const char *client_reference;
    const json_t *tags, *metadata; /* array of texts, object; may be NULL */
    const char *resent_from;
    int64_t batch;        /* row, 0 = none ... */
    const char *batch_id; /* ... its public id, and the times above were checked when it was accepted */
};

/* Write the row: state preparing, or further when the prepared document is known already. 0 and the new fax in `*fax`
 * (the caller clears it); ERR_INVALID (message names the field and the fix: number), ERR_DENIED (the number may not be
 * called: message), ERR_FULL (disk, queue closed). */
int submit(struct fax *fax, struct spool *spool, const struct submit_request *request);

/* The forms in which the pages of another fax are there, by its options and its rows of renditions, from which texts
 * are borrowed: fills `forms`, the one that was asked for first, and returns how many. */
int submit_forms(struct submit_form forms[RENDITIONS_MAX], const struct fax *fax, const json_t *options,
                 const struct fax_document *renditions, int count);

/* The document is ready, `forms` (1..RENDITIONS_MAX, the one that was asked for first) of `pages` pages: preparing ->
 * held | scheduled | queued (or expired). ERR_CONFLICT when it is not preparing. */
int submit_prepared(struct spool *spool, struct fax *fax, const struct submit_form *forms, int count, int pages);

/* How far the preparation is: pages made, of how many (-1 = not known). */
int submit_progress(struct spool *spool, int64_t fax, int done, int total);

/* It never will be: preparing -> failed with that outcome and message. */
int submit_failed(struct spool *spool, struct fax *fax, enum fax_outcome outcome, const char *message);

/* Faxes that wait to be prepared, oldest first, ids > `after`: fills at most `room`, returns the count or an error. */
int submit_waiting(struct spool *spool, int64_t after, int64_t *ids, int room);

#endif
