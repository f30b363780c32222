/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faxes that were only looked at: their pages stay for a while, in files without a name.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_PREVIEW_H
#define FAXD_WEB_PREVIEW_H

#define PREVIEWS_MAX   64 /* then the oldest goes */
#define PREVIEWS_AGE_S 900

struct previews;

struct previews *previews_new(void);
void previews_free(struct previews *previews); /* NULL is fine */

#endif
