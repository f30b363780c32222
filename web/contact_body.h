/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A contact as a request brings it, in a body or a line of a file.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_CONTACT_BODY_H
#define FAXD_WEB_CONTACT_BODY_H

#include "spool/contact.h"
#include "spool/contact_group.h"
#include "web/member.h"

struct contact_body {
    struct contact contact;
    struct spool *spool; /* to look groups up */
    int64_t groups[CONTACT_GROUPS_OF];
    int group_count; /* -1 = not said */
};

extern const struct member contact_members[];

/* What no single member can say. */
void contact_body_check(const struct contact_body *body, const char *pointer, struct problems *problems);

#endif
