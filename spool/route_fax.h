/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Received faxes meet the inbound rules: in the transaction that records the reception, when somebody releases one from
 * quarantine, and when somebody asks for it.
 *
 * A fax that meets no rule stays received; a test fax (test key, simulator) is not routed.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_ROUTE_FAX_H
#define FAXD_SPOOL_ROUTE_FAX_H

#include "spool/fax.h"
#include "spool/inbound_match.h"

#include <jansson.h>

#define ROUTE_SUBADDRESS_SIZE 64

struct spool;

/* A fax has just been received, as fax_state_change left it: quarantine, or the rules. `record` is the call's, NULL =
 * none. */
int route_fax_received(struct spool *spool, struct fax *fax, const json_t *record);

/* Somebody said that it is no junk: the rules, unless it has met some before. */
int route_fax_released(struct spool *spool, struct fax *fax);

/* Once more, by the rules of now; what waits by those of then is given up. ERR_CONFLICT: no received fax with pages
 * that are still there. */
int route_fax_again(struct spool *spool, struct fax *fax);

/* The subaddress that the far end asked for, "" = none is known. Returns `text`. */
char *route_fax_subaddress(char text[ROUTE_SUBADDRESS_SIZE], struct spool *spool, const struct fax *fax);

/* What would become of such a fax, new reference: {"status","blocked","rules":[{"id","name","position","evaluated",
 * "matches","reason","then"}],"deliveries":[{"rule","method","target"}]}. */
json_t *route_fax_dry_run(struct spool *spool, const struct inbound_facts *facts);

#endif
