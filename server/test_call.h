/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Receptions for whoever tries the API with a test key: a line of the simulator is rung, and what it then receives are
 * pages that say what they are. They are made once for each number of pages and kept beside the files of calls.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_TEST_CALL_H
#define FAXD_SERVER_TEST_CALL_H

#define TEST_CALL_PAGES_MAX 20

struct converter;
struct line_table;
struct spool;
struct test_calls;

struct test_calls_options {
    struct spool *spool;
    struct converter *converter;
    struct line_table *lines;
};

/* Texts are borrowed; "" = none. */
struct test_call_wish {
    const char *to;         /* number of the line to ring, "" = any that is idle */
    const char *from;       /* who calls */
    const char *station_id; /* what his machine says of itself, "" = the simulator's own */
    int pages;              /* 1..TEST_CALL_PAGES_MAX */
};

struct test_calls *test_calls_new(const struct test_calls_options *options);

/* Calls that are being made end with ERR_CLOSED. To be called before the converter is closed. NULL is fine. */
void test_calls_free(struct test_calls *calls);

/* Begin a call. 0; ERR_NOT_FOUND (no simulator has such a line), ERR_CONFLICT (all are busy), ERR_AGAIN, ERR_IO. Then
 * `done` is called once, not from within, when the line was told to ring, with its id and number; or with an error. */
int test_call_begin(struct test_calls *calls, const struct test_call_wish *wish,
                    void (*done)(void *context, int error, const char *line, const char *number), void *context);

#endif
