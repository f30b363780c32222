/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faxmail.conf: where faxd and the mail server are, who may send, and how much of a message is read.
 *
 * Thread: one.
 */
#ifndef FAXMAIL_SETTINGS_H
#define FAXMAIL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETTINGS_FILE SYSCONFDIR "/faxd/faxmail.conf"

struct words {
    char **items;
    int count;
};

enum settings_body { BODY_COVER, BODY_PAGE, BODY_NONE };
enum settings_unbelieved { UNBELIEVED_REJECT, UNBELIEVED_ANSWER, UNBELIEVED_DROP };
enum settings_tls { TLS_NONE, TLS_TRY, TLS_REQUIRE };

struct settings {
    /* faxd */
    char *server, *key_file, *ca_file;
    char *from; /* identity or number that faxes are from, "" = faxd's default */
    int wait_s; /* for the pages of a fax to be made */
    bool receipt;
    /* the way in */
    struct words domains;
    char *temp_dir;
    int max_message_mib, max_header_kib, max_parts, max_depth, max_recipients, max_hops, max_sessions, timeout_s;
    int memory_mib, cpu_s; /* of the process that reads a message */
    /* who may send */
    struct words authserv_id, senders, auth_users, trusted_networks;
    int authserv_headers, trusted_hops;
    int unbelieved; /* enum settings_unbelieved */
    bool before_queue;
    /* what is sent */
    char *cover, *time_zone;
    int body; /* enum settings_body */
    int small_image_kib;
    /* answers */
    char *smarthost, *smarthost_user, *smarthost_password_file, *answer_from, *hostname;
    int smarthost_tls; /* enum settings_tls */
    bool answer_accepted;
    /* read from key files */
    char *key, *smarthost_password;
};

/* Read `path`, and the key files it names. 0, or ERR_INVALID, ERR_IO with a message; `settings` is to be cleared in any
 * case. */
int settings_read(struct settings *settings, const char *path);

/* As without a file: every key at its default. */
void settings_defaults(struct settings *settings);
void settings_clear(struct settings *settings);

static inline int64_t settings_message_bytes(const struct settings *settings)
{
    return (int64_t)settings->max_message_mib << 20;
}

/* True when `word` is one of them, whatever its case. */
bool words_have(const struct words *words, const char *word);

#endif
