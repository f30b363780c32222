/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What else a key is bound to, beside scopes and expiry: where it may be used from, and how often.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_SPOOL_KEY_RULE_H
#define FAXD_SPOOL_KEY_RULE_H

#include "server/base/cidr.h"

#include <jansson.h>
#include <stdbool.h>

#define KEY_ALLOW_MAX      16 /* networks */
#define KEY_PER_MINUTE_MAX 1000000

struct key_rule {
    struct cidr allow[KEY_ALLOW_MAX];
    int allow_count; /* 0 = from everywhere */
    int per_minute;  /* requests; 0 = the server's default */
};

bool key_rule_allows(const struct key_rule *rule, const struct address *address);

/* The networks as texts: a new array. */
json_t *key_rule_networks(const struct key_rule *rule);

/* As a row holds them: texts with spaces between. The caller frees the first. A text that cannot be read, which nothing
 * here writes, allows nothing. */
char *key_rule_text(const struct key_rule *rule);
void key_rule_from_text(struct key_rule *rule, const char *text);

#endif
