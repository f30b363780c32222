/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was read of a message: by whom, the documents in it, and what is wrong with it. Also as JSON, which is how it
 * leaves the process that reads.
 *
 * Thread: any.
 */
#ifndef FAXMAIL_MAIL_H
#define FAXMAIL_MAIL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "contrib/mail/auth_results.h"
#include "server/base/media_type.h"

#define MAIL_DOCUMENTS   20 /* FAX_REQUEST_DOCUMENTS of web/fax_request.h */
#define MAIL_NOTES       20
#define MAIL_DIGEST_SIZE 65
#define MAIL_STATUS_SIZE 12
#define MAIL_AGAIN       "4.3.0" /* status of a refusal that is none of the message: it is to come again */

/* Octets of the file that documents are written to. */
struct mail_document {
    char *name; /* "" = none */
    int64_t offset, size;
};

struct mail {
    char *from, *from_name; /* "" unless From names exactly one; the domain in lower case */
    int from_count;
    char *subject, *message_id; /* "" = none */
    int64_t date_ms;            /* 0 = none that can be read */
    char digest[MAIL_DIGEST_SIZE];
    int hops;        /* servers that it went through */
    char *automatic; /* why nothing may answer it, "" = it may be answered */
    char *loop;      /* host whose answer it is, "" = none's */
    struct auth_results results;
    struct mail_document documents[MAIL_DOCUMENTS];
    int document_count;
    struct mail_document body; /* the text of the message; size 0 = none */
    json_t *notes;             /* sentences about what was left out */
    char status[MAIL_STATUS_SIZE];
    char *refusal; /* why it is not faxed, "" = it may be */
};

void mail_init(struct mail *mail);
void mail_clear(struct mail *mail);

/* Say once more why the message cannot be faxed; the first `status` (RFC 3463) stays. */
void mail_refuse(struct mail *mail, const char *status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void mail_note(struct mail *mail, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* `*text` becomes a copy of `value`: valid UTF-8 without controls, at most `most` octets. */
void mail_text(char **text, const char *value, int most);

/* New reference. */
json_t *mail_to_json(const struct mail *mail);

/* `limit` is the size of the file that documents are in. 0, or ERR_INVALID when it is not what mail_to_json() writes.
 * The caller clears in any case. */
int mail_from_json(struct mail *mail, const json_t *json, int64_t limit);

#endif
