/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wrong passwords by whatever they are counted by, and how long nobody may try again after them. The table is bounded:
 * who fills it drops the oldest entries of a part of it, which he cannot choose.
 *
 * Thread: any (its owner's).
 */
#ifndef FAXD_WEB_THROTTLE_H
#define FAXD_WEB_THROTTLE_H

#include <stdint.h>

#define THROTTLE_LEAST_MS  30000            /* after the first failure too many, then twice as long each time ... */
#define THROTTLE_MOST_MS   (15 * 60 * 1000) /* ... up to this */
#define THROTTLE_FORGET_MS (3600 * 1000)    /* without a try for so long, all is forgotten */

struct throttle;

/* So many failures are free. */
struct throttle *throttle_new(int free_failures);
void throttle_free(struct throttle *throttle);

/* How long `who` has to wait before the next try, ms; 0 = not at all. */
int64_t throttle_wait_ms(struct throttle *throttle, const char *who, int64_t now_ms);
/* A try begins. It counts as a failure until it is known to be none, so that many at once gain nothing. Returns how
 * long the next one would have to wait. */
int64_t throttle_try(struct throttle *throttle, const char *who, int64_t now_ms);
/* It was none. */
void throttle_take_back(struct throttle *throttle, const char *who);
/* Forget all that `who` did. */
void throttle_forget(struct throttle *throttle, const char *who);

/* The wait after so many failures; pure. */
int64_t throttle_wait_after(int failures, int free_failures);

#endif
