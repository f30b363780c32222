/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration: one file read by libConfuse, or the embedded default when there is none.
 *
 * Every key is one row of the table in config.c: section, name, type, default, range, a line of help. Checks, the
 * example file (faxd --example-config) and the defaults all come from it. main.c alone turns the result into the small
 * option structs of each part.
 *
 * Thread: loop (or before it).
 */
#ifndef FAXD_SERVER_CONFIG_H
#define FAXD_SERVER_CONFIG_H

#include "server/base/forwarded.h"
#include "server/mail/mailer.h"
#include "spool/retention.h"
#include "spool/retry.h"
#include "spool/route_delivery.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct config_line {
    char *name, *number, *station_id;
    char **groups; /* NULL-ended */
    bool send, receive;
    json_t *settings;
};

struct config_provider {
    char *name;
    char *module; /* a name in the plug-ins folder ("softmodem") or an absolute path of a .so */
    char *engine; /* absolute path of another faxd-t30, "" = ours */
    char *start_id, *dial_prefix;
    int calls_per_engine, abort_grace_s, orphan_grace_s;
    bool simulated;
    json_t *settings; /* free keys, handed to the module as they are; dots make nested objects */
    struct config_line *lines;
    int line_count;
};

struct config {
    char *log_level, *log_file;
    int drain_timeout_s;
    char *state_dir;
    int64_t min_free_bytes;
    int idempotency_ttl_s;
    char *listen_address;
    int listen_port;
    char *tls_certificate, *tls_key; /* both "" = plain HTTP */
    bool allow_plain;
    int64_t body_max, memory_max;
    int connections_max;
    bool allow_private_webhooks;
    int per_minute, address_per_minute; /* requests; 0 = no limit */
    struct forwarded_proxies proxies;
    int64_t session_idle_ms, session_life_ms;
    char *encryption_key_file, *encryption_credential; /* both "" = no encryption */
    char *encryption_call_dir;                         /* "" = $RUNTIME_DIRECTORY or /run/faxd */
    bool encryption_enabled;
    int convert_parallel, convert_timeout_s;
    json_t *postscript, *office, *searchable; /* argv of other programs; empty = none */
    char *page_sender, *page_time_zone, *page_paper, *page_covers;
    bool page_header;
    int page_max_pages;
    struct retry_policy retry;
    struct retention_policy retention;
    char *public_url;          /* without a slash at its end, "" = not known */
    struct mail_settings mail; /* texts are its own; `installed` and `public_url` are set where it is used */
    json_t *webhooks;          /* [{"url","secret","events":[...]}] */
    json_t *routes;            /* inbound rules, as the API takes them */
    char *folder_root, *command_dir, *lp;
    struct route_patience patience;
    int routes_parallel;
    struct config_provider *providers;
    int provider_count;
};

/* The embedded default: SQLite in the state folder, softmodem on its exchange with lines 1001 to 1004, unpaced, web on
 * 127.0.0.1:8080. The caller clears. */
void config_default(struct config *config);

/* Read `path`. Every fault is written to `report` as "file:line: section|key: what is wrong" (NULL = the log): the
 * first syntax error, or each wrong value. 0, ERR_IO (no such file), ERR_INVALID. On an error `*config` is untouched.
 */
int config_load(struct config *config, const char *path, FILE *report);

/* The same from memory, for tests and the fuzzer; `name` stands for the file in messages. */
int config_parse(struct config *config, const char *name, const char *text, FILE *report);

void config_clear(struct config *config);

/* "ADDRESS:PORT" or "[ADDRESS]:PORT" into listen_address and listen_port: 0 or ERR_INVALID. */
int config_set_listen(struct config *config, const char *text);

/* Plain HTTP leaves this machine only when that was asked for: 0, or ERR_INVALID (the message says what to do). */
int config_check_listen(const struct config *config);
bool config_listens_on_loopback(const struct config *config);

/* The table as a commented example file with every default. */
void config_example(FILE *out);

/* A provider's JSON for FaxdProviderConfig; new reference. `engine` is used where the provider names none. */
json_t *config_provider_json(const struct config_provider *provider, const char *engine, const char *work_dir);

#endif
