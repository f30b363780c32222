/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thread with a read-only connection for what is too slow for the loop: lists, searches, counts, sweeps.
 *
 * Thread: all functions on the loop; `run` on the reader thread, `done` on the loop.
 */
#ifndef FAXD_DB_READER_H
#define FAXD_DB_READER_H

struct db;
struct event_base;
struct reader;

/* Runs jobs in order. With `base` NULL there is no thread: reader_post runs the job before it returns (unit tests).
 * 0, ERR_IO, ERR_INTERNAL. The caller ends it with reader_stop. */
int reader_start(struct reader **out, const char *path, struct event_base *base);

/* Run `run` on the reader thread, then `done` on the loop with 0; or with ERR_CLOSED when the reader stopped first
 * (`run` may then not have been called). Both get `context`, which is the job's until `done`. ERR_FULL when 256 jobs
 * wait (then neither is called). */
int reader_post(struct reader *reader, void (*run)(void *context, struct db *db),
                void (*done)(void *context, int error), void *context);

/* Interrupts a running job, waits for it, and ends all jobs. NULL is fine. */
void reader_stop(struct reader *reader);

#endif
