/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every request has to pass that makes faxes go out, however it makes them.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_FAX_ACCEPT_H
#define FAXD_WEB_FAX_ACCEPT_H

#include <jansson.h>
#include <stdbool.h>

struct fax;
struct request;

/* Is the server taking faxes? False and the reply is made. */
bool fax_accept_now(struct request *request);

/* Is there a line that could carry it? Else it would wait without end. `group` NULL or "" = the default one. False and
 * the reply is made. */
bool fax_accept_line(struct request *request, const char *group, bool test);

/* May it go without its header line, if `options` say so? False and the reply is made. */
bool fax_accept_header(struct request *request, const json_t *options);

/* The event of a fax whose options turn its header line off; else nothing. 0 or an error. */
int fax_accept_tell(struct request *request, const struct fax *fax, const json_t *options);

/* 202, with the fax and where it is. */
void fax_accept_reply(struct request *request, const struct fax *fax);

#endif
