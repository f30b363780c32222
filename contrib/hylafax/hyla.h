/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What sendfax, faxstat, faxrm and faxalter share: which server, which settings, jobs by number.
 *
 * Thread: one.
 */
#ifndef FAXD_HYLAFAX_HYLA_H
#define FAXD_HYLAFAX_HYLA_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct client;

/* Name the program, and read the configuration files: SYSCONFDIR/faxd/hylafax.conf, ~/.hylarc, ~/.faxd; each line is
 * "Tag: value", later ones count. */
void hyla_open(const char *program);
void hyla_close(void);

/* A setting by its tag; NULL = not set. Borrowed. */
const char *hyla_setting(const char *tag);
bool hyla_setting_is_no(const char *tag);

/* "[modem@]host[:port]" of -h, before FAXSERVER and the setting Host. What stands before @ comes back in `*modem`, NULL
 * = nothing; the caller frees. */
void hyla_host(char **modem, const char *host);

/* The client for that server. NULL and the reason is said. Owned here. */
struct client *hyla_client(void);
/* What messages call the server. Borrowed. */
const char *hyla_host_name(void);

/* Who it is: FAXUSER, or the name of the user. Borrowed. */
const char *hyla_user(void);

/* "program: message" to standard error. */
void hyla_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* GET, POST, PATCH, DELETE; what went wrong is said, with `what` ("Job 7") before it, unless `what` is NULL. True when
 * it went well; `*reply` may be NULL, the caller frees. */
bool hyla_request(json_t **reply, const char *what, const char *method, const char *path, const json_t *body);

/* The fax of a job that is to be sent or was. NULL and the reason is said; the caller frees. */
json_t *hyla_job(const char *number);

/* 0 to 255, or a word, to the priority of faxd; NULL = neither. */
const char *hyla_priority(const char *text);
/* And back: the number in the middle of its range. */
int hyla_priority_number(const char *priority);

/* RFC 3339. The caller frees. */
char *hyla_time(int64_t at_ms);

#endif
