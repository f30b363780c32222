/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Token buckets by name, in a table of fixed size: a look costs the same however many there are. A bucket holds what a
 * minute gives, and fills up steadily.
 *
 * When a set of the table is full, the bucket that was used longest ago is forgotten, which is as if it had filled up.
 * Where in the table a name stands nobody outside can tell.
 *
 * Thread: loop; time is passed in.
 */
#ifndef FAXD_WEB_LIMITER_H
#define FAXD_WEB_LIMITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limiter;

/* Room for about `room` buckets of 32 octets. */
struct limiter *limiter_new(size_t room);
void limiter_free(struct limiter *limiter);

struct limiter_state {
    bool ok;       /* there was a token */
    int remaining; /* tokens that are left */
    int full_s;    /* until the bucket is full again */
    int wait_s;    /* until there is a token; 0 = there is one */
};

/* Take a token of the bucket of `size` octets `name`, which gets `per_minute` (1 or more) a minute. */
struct limiter_state limiter_take(struct limiter *limiter, const void *name, size_t size, int per_minute,
                                  int64_t now_ms);
/* The same without taking it. */
struct limiter_state limiter_look(struct limiter *limiter, const void *name, size_t size, int per_minute,
                                  int64_t now_ms);

#endif
