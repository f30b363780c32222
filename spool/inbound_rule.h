/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inbound rules: what is done with received faxes. All are held in memory, in their order: those of the configuration
 * first, as they stand in the file, then those made by API. A fax goes by the first rule that it meets, and by the ones
 * behind it as long as they say "continue".
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_INBOUND_RULE_H
#define FAXD_SPOOL_INBOUND_RULE_H

#include "spool/inbound_match.h"
#include "spool/route_method.h"

#define INBOUND_RULES_MAX 200 /* of each kind */
#define INBOUND_ID_SIZE   80
#define INBOUND_NAME_SIZE 128

struct spool;

struct inbound_rule {
    int64_t id;                      /* row, 0 = of the configuration */
    char public_id[INBOUND_ID_SIZE]; /* "rti_" and ULID; "conf_" and its name in the configuration */
    int position;                    /* 1, 2, ..., of both kinds together */
    char name[INBOUND_NAME_SIZE];
    bool enabled, goes_on; /* goes_on: then = continue */
    struct inbound_match match;
    struct route_method methods[ROUTE_METHODS_MAX];
    int method_count;
    int64_t owner, created_at;
};

void inbound_rule_clear(struct inbound_rule *rule);

/* What rules may do here and who knows of groups, set at start and with each reload. Texts are copied. */
struct inbound_setup {
    const char *folder_root, *command_dir; /* "" = none */
    bool (*in_group)(void *context, const char *line, const char *group);
    void *context;
};
void inbound_rule_setup(struct spool *spool, const struct inbound_setup *setup);

/* The same as a policy for rules of the API, or (trusted) of the configuration; borrowed. */
struct route_policy inbound_rule_policy(struct spool *spool, bool trusted);

bool inbound_rule_in_group(void *spool, const char *line, const char *group); /* for struct inbound_facts */

/* The rules of the configuration, in place of those there were: an array of objects as the API takes them, and "name".
 * 0, or ERR_INVALID: the message names the rule and its first fault, and the old ones stay. */
int inbound_rules_from_config(struct spool *spool, const json_t *list);

/* Rules, as the API takes them, without touching anything: the same result. */
int inbound_rules_check(const json_t *list);

/* Insert at its position (0 or past the end: the last one; before those of the configuration: right behind them), and
 * fill id, public_id, position. 0, ERR_FULL. What it owns stays the caller's. */
int inbound_rule_create(struct inbound_rule *rule, struct spool *spool);

/* Borrowed until rules change; NULL = none. */
const struct inbound_rule *inbound_rule_find(struct spool *spool, const char *public_id);

/* Write what was changed, the position too. ERR_NOT_FOUND, ERR_CONFLICT (it stands in the configuration). */
int inbound_rule_update(struct inbound_rule *rule, struct spool *spool);
int inbound_rule_delete(struct spool *spool, const char *public_id);

/* All in their order, those that are disabled as well; NULL behind the last. */
const struct inbound_rule *inbound_rule_at(struct spool *spool, int index);

/* The object of /v1/routes/inbound, new reference; a page of them in their order. */
json_t *inbound_rule_json(const struct inbound_rule *rule, bool with_secrets);
int inbound_rule_page(json_t **page, struct spool *spool, const char *cursor, int limit);

int inbound_rule_start(struct spool *spool); /* for spool_open.c */

#endif
