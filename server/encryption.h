/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encryption at rest as the configuration wants it: the keys, and a folder in memory for the pages of calls, which
 * providers and T.30 engines need as plain files.
 *
 * Thread: loop (or before it).
 */
#ifndef FAXD_SERVER_ENCRYPTION_H
#define FAXD_SERVER_ENCRYPTION_H

#include "server/base/cipher_keys.h"
#include "server/config.h"
#include "spool/document_rotate.h"
#include "spool/spool.h"

struct encryption {
    struct cipher_keys *keys; /* NULL = there is none, and nothing is encrypted */
    bool on;
    char *call_dir;       /* of this state folder alone; NULL without keys */
    const char *work_dir; /* in memory, open to all; NULL when nothing is encrypted */
};

/* Read the keys, make the folder, forbid core files. The configuration's state folder has to be absolute. 0; or an
 * error of cipher_keys_load; ERR_INVALID when the credential is not there, or call_dir is on a disk. What was filled in
 * is the caller's in any case: encryption_close. */
int encryption_open(struct encryption *encryption, const struct config *config);
void encryption_close(struct encryption *encryption);

/* What the spool has to know of it. Borrowed. */
void encryption_options(struct spool_options *options, const struct encryption *encryption);

/* Do two configurations want something else? (Lines of a key file are not looked at.) */
bool encryption_differs(const struct config *a, const struct config *b);

/* The spool of a state folder that no faxd uses (else ERR_CONFLICT), for a step on the command line, by the folder's
 * owner (else ERR_DENIED). Whether it succeeds or not, the caller closes the spool, and then `encryption`. */
int encryption_open_alone(struct encryption *encryption, struct spool **spool, const struct config *config);

/* faxd --rotate-documents: the whole of it, for a state folder that no faxd uses (ERR_CONFLICT). */
int encryption_rotate(struct document_rotation *done, const struct config *config);

#endif
