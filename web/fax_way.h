/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is there a line that could carry a fax, now or when it is enabled again?
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_FAX_WAY_H
#define FAXD_WEB_FAX_WAY_H

#include <stdbool.h>

struct request;

/* A fax that no line could ever carry would wait without end: its sender hears of it at once. `group`: the one that was
 * asked for, NULL or "": those that the outbound rules say for the number `to`. `test`: it is a test key's. False and
 * the reply is made. */
bool fax_way_exists(struct request *request, const char *group, const char *to, bool test);

#endif
