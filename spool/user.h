/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may use the server: users by name, each with one role. A user's password is stored as argon2id made of it; it is
 * not part of the struct, so that it cannot be shown by accident. Sessions are spool/session.
 *
 * Thread: loop, except the pure functions.
 */
#ifndef FAXD_SPOOL_USER_H
#define FAXD_SPOOL_USER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define USER_ID_SIZE       32 /* "usr_" + ULID and the end */
#define USER_NAME_SIZE     65
#define USER_DISPLAY_SIZE  129
#define USER_EMAIL_SIZE    255
#define USER_PASSWORD_SIZE 128 /* of the stored form: crypto_pwhash_STRBYTES */
#define USERS_MAX          10000

struct spool;

/* Bits, so that several make a set (web/route.h). Stored in rows: never renumber. */
enum user_role {
    USER_ADMIN = 1u << 0,    /* all */
    USER_OPERATOR = 1u << 1, /* all faxes and lines; no users, keys, webhooks, audit */
    USER_SENDER = 1u << 2,   /* sends, and sees what is its own */
    USER_READER = 1u << 3    /* sees all faxes, changes nothing */
};

struct user {
    int64_t id;                   /* row, 0 = none */
    char public_id[USER_ID_SIZE]; /* "usr_" + ULID */
    char name[USER_NAME_SIZE];    /* to sign in with; letters' case makes no difference */
    char display_name[USER_DISPLAY_SIZE], email[USER_EMAIL_SIZE];
    enum user_role role;
    bool disabled;
    int64_t created_at, last_login_at, locked_until; /* UTC ms, 0 = never */
    int failures;                                    /* wrong passwords since the last right one */
};

#define USER_NAME_RULE "a name of 1 to 64 of the characters a-z, A-Z, 0-9 and . _ @ + - is needed"

/* Is it made as a name is? NULL is not. Pure. */
bool user_is_name(const char *name);

/* "admin"; "" for what is no role. */
const char *user_role_name(unsigned role);
/* 0 when it is none. */
unsigned user_role_from_name(const char *word);

/* 0 and the user, ERR_NOT_FOUND, or an error. By row it is answered from a cache in memory. */
int user_get(struct user *user, struct spool *spool, int64_t id);
int user_find(struct user *user, struct spool *spool, const char *public_id);
int user_find_name(struct user *user, struct spool *spool, const char *name);
/* The stored form of a user's password, "" = none: no password opens it. 0, ERR_NOT_FOUND. */
int user_password(char password[USER_PASSWORD_SIZE], struct spool *spool, int64_t id);

/* How many there are, or an error. */
int user_count(struct spool *spool);

/* A new one of name, display_name, email, role and disabled; the rest is filled in. `password` is the stored form. 0,
 * ERR_INVALID (a text is too long, or the name not of the letters that names are made of), ERR_CONFLICT (the name is
 * taken), ERR_FULL (USERS_MAX). */
int user_create(struct user *user, struct spool *spool, const char *password);
/* Write name, display_name, email, role and disabled of an existing one. As user_create, and ERR_DENIED when no enabled
 * admin would be left. */
int user_change(struct spool *spool, const struct user *user);
int user_set_password(struct spool *spool, int64_t id, const char *password);
/* ERR_CONFLICT when faxes are its own: they are to go on saying whose they are. ERR_DENIED for the last enabled admin.
 * Its keys are revoked. */
int user_delete(struct spool *spool, const struct user *user);

/* Outcome of a sign-in: a right password clears the failures; a wrong one counts, and locks until then (0 = not). */
int user_signed_in(struct spool *spool, int64_t id, int64_t at_ms);
int user_failed(struct spool *spool, int64_t id, int64_t locked_until);

/* The user object of the API, a new reference. */
json_t *user_json(const struct user *user);
/* {"data":[...],"has_more","next_cursor"}, newest first, at most `limit` (1..200: it is read on the loop, by key). 0 or
 * ERR_INVALID (cursor, limit). */
int user_page(json_t **page, struct spool *spool, const char *cursor, int limit);
/* The same of those who are not disabled, of each only what it is called: {"id", "display_name"}, where who has no such
 * name is called by that to sign in with. */
int user_assignable(json_t **page, struct spool *spool, const char *cursor, int limit);

int user_start(struct spool *spool); /* for spool_open.c */

#endif
