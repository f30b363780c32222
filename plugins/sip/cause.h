/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a call was not connected: SIP status codes and Q.850 causes in the words of the outcomes.
 *
 * Thread: any (no state).
 */
#ifndef FAXD_SIP_CAUSE_H
#define FAXD_SIP_CAUSE_H

#include <stdbool.h>

/* The Q.850 cause (1 to 127) that a Reason header names (RFC 3326): `text` is its value, or several joined by commas;
 * the first Q.850 counts, other protocols are passed over. 0 when there is none, or the text (or NULL) is not in order.
 * At most 1024 octets are looked at. */
int cause_parse_reason(const char *text);

/* Outcome word of a call that failed before it was answered ("busy", "no_answer", "bad_address", ...): never NULL.
 * `sip_status` is the final response, 0 when none came; `q850` the cause of a Reason header or 0. The cause, which
 * comes from the telephone network itself, counts more than the status, unless it says nothing ("normal, unspecified").
 */
const char *cause_outcome(int sip_status, int q850);

/* True when another trunk may have better luck: this one, or the network behind it, could not or would not carry the
 * call. False when the answer is about the destination itself: it is busy, does not answer, does not exist, declines.
 * A status of 0 (nothing was heard) or 408 is false: only the caller knows whether anything was heard at all. */
bool cause_try_next_trunk(int sip_status, int q850);

#endif
