/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log: one line for each event, to standard error or a file, in logfmt style.
 *
 *   2026-11-21T01:02:03.123Z info faxd: call ended fax=fax_01J... line=exchange/1001 outcome=busy
 *
 * Levels go by consequence: error needs a person, warning may, info tells the story, debug is for developers. Every
 * line about a fax carries fax= and line=, so that one grep tells its story. Octets that are not printable UTF-8 are
 * written as \xNN, so that a peer's station id cannot forge a line. A line is at most 4,096 octets and one write().
 *
 * Thread: any (one lock, held for one write).
 */
#ifndef FAXD_BASE_LOG_H
#define FAXD_BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Name the program ("faxd", "faxd-fsp[exchange]"); copied, 63 octets at most. Call before the first thread. */
void log_open(const char *program, enum log_level level);

/* Append to the file `path` (created 0640) instead of standard error; call again after logrotate (SIGHUP).
 * Returns 0, or ERR_IO and keeps the old destination. */
int log_to_file(const char *path);

void log_set_level(enum log_level level);

/* "error", "warning", "info", "debug" to a level: 0 or ERR_INVALID. */
int log_level_parse(enum log_level *level, const char *word);

/* Keep the last lines of this process in memory, up to `size_bytes` of them; 0 = none any more. */
void log_keep(unsigned long size_bytes);

/* The last `lines` lines of those that are kept, oldest first, each with its newline. The caller frees; "" = none. */
char *log_tail(int lines);

void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* Small fixed allocations: these stop the program with a message when memory is out (STYLE section 8). Anything sized
 * by a peer or user is bounded first. The caller frees with free(). */
void *xmalloc(unsigned long size_bytes);
void *xcalloc(unsigned long count, unsigned long size_bytes);
void *xrealloc(void *old, unsigned long size_bytes);
char *xstrdup(const char *text);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
