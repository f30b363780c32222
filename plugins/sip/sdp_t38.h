/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The T.38 attributes of a session description, for its reader and its writer.
 *
 * Thread: any (no state).
 */
#ifndef FAXD_SIP_SDP_T38_H
#define FAXD_SIP_SDP_T38_H

struct sdp_t38;

/* Note one attribute, "T38FaxVersion" and "0"; `value` is NULL for one without. Others and unreadable ones change
 * nothing. */
void sdp_t38_read(struct sdp_t38 *t38, const char *name, const char *value);

/* The decimal number in front of `text`, after spaces: 0 or more, at most `most` (a larger one counts as that); -1
 * when there is none, or `text` is NULL. `end` may be NULL; else it becomes what follows, as far as a number was there.
 */
int sdp_number(const char *text, int most, const char **end);

#endif
