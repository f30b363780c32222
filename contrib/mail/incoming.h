/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A message on its way in, in a temporary file without a name.
 *
 * Thread: one.
 */
#ifndef FAXMAIL_INCOMING_H
#define FAXMAIL_INCOMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct settings;

struct incoming {
    int fd;       /* -1 = none */
    int64_t size; /* octets that came */
    int64_t most; /* octets that are kept */
    bool failed;  /* no room on the disk, or the like */
};

/* A new file without a name: its descriptor, or ERR_IO. */
int incoming_file(const struct settings *settings);

/* 0 or ERR_IO. The caller closes in any case. */
int incoming_open(struct incoming *incoming, const struct settings *settings);
void incoming_add(struct incoming *incoming, const void *data, size_t size);
bool incoming_is_too_large(const struct incoming *incoming);
void incoming_close(struct incoming *incoming);

/* Add all of descriptor `from`. 0 or ERR_IO. */
int incoming_take(struct incoming *incoming, int from);

#endif
