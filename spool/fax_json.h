/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fax and its attempts as JSON: the shapes of api.md, in one place for REST, lists, events and webhooks.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_SPOOL_FAX_JSON_H
#define FAXD_SPOOL_FAX_JSON_H

#include "spool/fax.h"

#include <jansson.h>
#include <stdint.h>

/* The fax object of api.md, new reference. `error` is present once there was a failed call, and not when
 * the fax is delivered. */
json_t *fax_json(const struct fax *fax);
/* id, direction, status, delivery, pages, attempts, error code, to, client_reference, test. */
json_t *fax_json_thin(const struct fax *fax);
/* The error object for an outcome and its raw values. */
json_t *fax_json_error(enum fax_outcome outcome, const char *message, uint32_t fs_status, const json_t *record);
/* What a call used, out of its record (FaxdCallRecord):
 * {"mode","codec","t38_version","rate_bps","modem","ecm","compression", "resolution","bad_lines"}, null where not
 * known. */
json_t *fax_json_transport(const json_t *record);
/* Attempts of a fax, oldest first:
 * {"data":[{"number","line","provider","started_at","dialed_at","connected_at","ended_at",
 * "first_page","pages_confirmed","outcome","error","transport","remote_station_id","trunk","call_id","sip_status",
 * "sip_reason","q850","codec","t38_version","packet_loss","frames_link"}]}; T.30 frames and messages of SIP only by
 * fax_json_trace. */
int fax_json_attempts(json_t **list, struct spool *spool, const struct fax *fax);
int fax_json_trace(json_t **trace, struct spool *spool, const struct fax *fax, int number);

#endif
