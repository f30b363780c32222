/* SPDX-License-Identifier: GPL-2.0-or-later */
/* winmail.dat: the way in which Outlook and Exchange wrap attachments (MS-OXTNEF). Of it, the attachments are read.
 *
 * Thread: any (pure).
 */
#ifndef FAXMAIL_TNEF_H
#define FAXMAIL_TNEF_H

#include <stdbool.h>
#include <stddef.h>

#define TNEF_NAME_SIZE   256
#define TNEF_ATTACHMENTS 64

struct tnef_attachment {
    char name[TNEF_NAME_SIZE]; /* UTF-8, "" = none */
    const void *data;          /* within the input, NULL = none (a link, an embedded message) */
    size_t size;
};

struct tnef {
    struct tnef_attachment attachments[TNEF_ATTACHMENTS];
    int count;
};

/* 0, or ERR_INVALID (what is wrong with it), ERR_TOO_BIG (too many attachments). Takes time as the input is long. */
int tnef_read(struct tnef *tnef, const void *data, size_t size);

#endif
