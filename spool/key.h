/* SPDX-License-Identifier: GPL-2.0-or-later */
/* API keys: "fxk_live_" or "fxk_test_" and 32 random characters, stored as SHA-256 (the secret has 160 random bits, so
 * a slow hash would add nothing), shown once.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_KEY_H
#define FAXD_SPOOL_KEY_H

#include "spool/key_rule.h"
#include "spool/user.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define KEY_TOKEN_SIZE 64
#define KEY_ID_SIZE    40

struct spool;

enum key_scope {
    KEY_FAX_SEND = 1u << 0,
    KEY_FAX_READ = 1u << 1,
    KEY_FAX_CANCEL = 1u << 2,
    KEY_DOCUMENT_READ = 1u << 3,
    KEY_INBOX_MANAGE = 1u << 4,
    KEY_CONFIG = 1u << 5, /* "config:*": lines, webhooks, keys */
    KEY_AUDIT_READ = 1u << 6,
    KEY_ALL = (1u << 7) - 1
};

struct key {
    int64_t id;
    char public_id[KEY_ID_SIZE]; /* "key_" + ULID */
    char name[128];
    unsigned scopes;
    bool test;
    int64_t created_at, expires_at, revoked_at, last_used_at;
    int64_t user_id;         /* row of the user who it is, and who it does not see more than; 0 = nobody's */
    char user[USER_ID_SIZE]; /* that user's public id, "" = none */
    struct key_rule rule;
    int64_t old_until;   /* until then the token of before the last rotation works too; 0 = none does */
    int64_t token_until; /* of key_check: that token ends then; 0 = with the key */
};

/* `token` gets the secret, once. 0, ERR_INVALID (name over 127 octets, no scope), ERR_FULL (10,000 keys). */
int key_create(char token[KEY_TOKEN_SIZE], struct key *key, struct spool *spool, const char *name, unsigned scopes,
               bool test, int64_t expires_at);
/* The key of a token, valid now: 0; ERR_NOT_FOUND (unknown, revoked, expired: not told apart). Answers from a cache in
 * memory; last_used_at is written at most once a minute. */
int key_check(struct key *key, struct spool *spool, const char *token);
int key_find(struct key *key, struct spool *spool, const char *public_id);
int key_revoke(struct spool *spool, const char *public_id);
/* All keys of a user. */
int key_revoke_user(struct spool *spool, int64_t user_id);
/* A new key becomes a user's. */
int key_give(struct key *key, struct spool *spool, const struct user *user);
/* Write name, scopes, expires_at and rule of a key that was read. 0, ERR_NOT_FOUND, ERR_CONFLICT (it is revoked). */
int key_change(struct key *key, struct spool *spool);
/* A new key gets its rule. */
int key_bind(struct key *key, struct spool *spool, const struct key_rule *rule);
/* Another token for a key; the one that it has works for `overlap_s` more, one of an earlier rotation not at all. 0,
 * ERR_NOT_FOUND, ERR_CONFLICT (it is revoked or has expired). */
int key_rotate(char token[KEY_TOKEN_SIZE], struct key *key, struct spool *spool, const char *public_id, int overlap_s);
int key_count(struct spool *spool); /* valid ones, or an error */
json_t *key_json(const struct key *key);
json_t *keys_json(struct spool *spool);
int key_scopes_parse(unsigned *scopes, const json_t *list); /* array of words; ERR_INVALID names the unknown one */

int key_start(struct spool *spool); /* for spool_open.c */

#endif
