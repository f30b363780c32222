/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faxd's REST API, as far as mail needs it.
 *
 * Thread: one.
 */
#ifndef FAXMAIL_FAXES_H
#define FAXMAIL_FAXES_H

#include <jansson.h>
#include <stdbool.h>

struct mail;
struct settings;
struct faxes;

/* What to send: fields of the API's form by their dotted names, texts or lists of texts; documents of `mail`, in the
 * file `documents`, the body first when `with_body`. */
struct faxes_order {
    json_t *fields;
    const struct mail *mail;
    int documents;
    bool with_body;
    const char *key; /* Idempotency-Key */
};

struct faxes *faxes_open(const struct settings *settings);
void faxes_close(struct faxes *faxes);

/* Send. 0 and the fax (the caller frees), with "replayed": true when it had been accepted before; ERR_AGAIN when faxd
 * is not there, busy, or does not let us in; ERR_INVALID when it refuses the fax; ERR_CONFLICT when the key was used
 * for another request. The message is faxd's sentence. */
int faxes_post(json_t **fax, struct faxes *faxes, const struct faxes_order *order);

/* The fax with this id. 0, or ERR_AGAIN. */
int faxes_get(json_t **fax, struct faxes *faxes, const char *id);

/* The newest fax with this client_reference. 0, ERR_NOT_FOUND, ERR_AGAIN. */
int faxes_find(json_t **fax, struct faxes *faxes, const char *reference);

#endif
