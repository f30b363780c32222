/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small JSON bodies: an object whose members are looked at one by one, with every fault noted where it is.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_WEB_BODY_H
#define FAXD_WEB_BODY_H

#include "web/problem.h"

#include <jansson.h>
#include <stdbool.h>

/* Look at one member, whose name is among those that are known. */
typedef void (*body_take_fn)(void *context, const char *name, json_t *value, const char *pointer,
                             struct problems *problems);

/* Every member of `root` to `take`; unknown ones, and a root that is no object, are faults. `names` ends with NULL. */
void body_read(json_t *root, const char *const *names, body_take_fn take, void *context, struct problems *problems);

/* A text of low..high octets, borrowed; else NULL and a fault. */
const char *body_text(const json_t *value, int low, int high, const char *pointer, struct problems *problems);

/* True or false; else false and a fault. */
bool body_bool(const json_t *value, const char *pointer, struct problems *problems);

#endif
