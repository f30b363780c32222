/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A real spool in a temporary folder, and the few steps that tests of the spool share. Anything that fails, fails the
 * test. */
#ifndef FAXD_TESTS_SPOOL_FACTS_H
#define FAXD_TESTS_SPOOL_FACTS_H

#include "spool/attempt.h"
#include "spool/fax.h"
#include "spool/spool.h"

struct spool_facts {
    char dir[64]; /* the state folder */
    struct spool *spool;
};

/* For cmocka_unit_test_setup_teardown: `*state` is a struct spool_facts. */
int spool_facts_setup(void **state);
int spool_facts_teardown(void **state);

/* Make a temporary state folder, and remove one with all that is in it. */
void spool_facts_make_dir(char dir[64]);
void spool_facts_remove_dir(const char *dir);

/* Close and open again, as a restart does. */
void spool_facts_reopen(struct spool_facts *facts);

/* Store text as a document: its hash, valid until the next call. */
const char *spool_facts_document(struct spool *spool, const char *text);

/* submit_prepared() with one form in fine resolution. */
int spool_facts_prepared(struct spool *spool, struct fax *fax, const char *document, int pages);

/* A queued fax to a number with so many pages: its row. The turn is left open. */
int64_t spool_facts_queue(struct spool *spool, const char *to, int pages);

/* Claim the next fax of the default group and begin its call on line "exchange/1001": the attempt. */
int64_t spool_facts_call(struct spool *spool);

/* Columns of a fax. */
enum fax_state spool_facts_state(struct spool *spool, int64_t fax);
void spool_facts_read(struct fax *fax, struct spool *spool, int64_t id);

/* The types of a fax's events in order, with a space between; valid until the next call. */
const char *spool_facts_events(struct spool *spool, int64_t fax);

/* One number out of the store. */
int64_t spool_facts_number(struct spool *spool, const char *sql);

/* End the turn: it must commit. */
void spool_facts_turn(struct spool *spool);

#endif
