/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A test reception: pages, made by the converter of a text, then a ring, ordered of the simulator's host. From there on
 * it is a reception as any (server/inbound.c). */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/test_call.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/call_file.h"
#include "server/host.h"
#include "server/line.h"
#include "spool/converter.h"
#include "spool/rendition.h"
#include "spool/spool.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <unistd.h>

struct test_call {
    LIST_ENTRY(test_call) link;
    struct test_calls *calls;
    struct converter_job *work;
    char *path, *made; /* the pages; what is being made of them */
    char *line;        /* id */
    json_t *ring;
    void (*done)(void *context, int error, const char *line, const char *number);
    void *context;
};

struct test_calls {
    struct test_calls_options options;
    LIST_HEAD(test_call_list, test_call) list;
};

struct test_calls *test_calls_new(const struct test_calls_options *options)
{
    struct test_calls *calls = xcalloc(1, sizeof *calls);

    calls->options = *options;
    LIST_INIT(&calls->list);
    return calls;
}

static void call_free(struct test_call *call)
{
    LIST_REMOVE(call, link);
    converter_cancel(call->work);
    if (call->made != NULL)
        unlink(call->made);
    json_decref(call->ring);
    free(call->made);
    free(call->path);
    free(call->line);
    free(call);
}

static void end(struct test_call *call, int error)
{
    struct line *line = line_by_id(call->calls->options.lines, call->line);

    call->done(call->context, error, call->line, line != NULL ? line->number : "");
    call_free(call);
}

void test_calls_free(struct test_calls *calls)
{
    struct test_call *call;

    if (calls == NULL)
        return;
    while ((call = LIST_FIRST(&calls->list)) != NULL)
        end(call, err_set(ERR_CLOSED, "the server leaves"));
    free(calls);
}

/* --- the line --- */

static bool can_ring(const struct line *line)
{
    return line->simulated && line->receive_enabled && line->open && line->state == LINE_IDLE && line->job.id == 0;
}

static int find_line(struct line **found, const struct test_calls *calls, const char *number)
{
    bool any = false;

    for (int i = 0; i < line_count(calls->options.lines); i++) {
        struct line *line = line_at(calls->options.lines, i);

        if (!line->simulated || (number[0] != '\0' && strcmp(line->number, number) != 0))
            continue;
        any = true;
        if (!can_ring(line))
            continue;
        *found = line;
        return 0;
    }
    if (any)
        return err_set(ERR_CONFLICT, "every line of a simulator that could ring is busy");
    return err_set(ERR_NOT_FOUND, "no simulator has %s%.40s", number[0] != '\0' ? "a line with the number " : "a line",
                   number);
}

static int ring(struct test_call *call)
{
    struct line *line = line_by_id(call->calls->options.lines, call->line);
    char *text;
    int error;

    if (line == NULL || !can_ring(line))
        return err_set(ERR_CONFLICT, "the line %s is busy", call->line);
    text = json_dumps(call->ring, JSON_COMPACT);
    const struct link_message order = {.type = LINK_TEST, .line = (uint32_t)line->index, .ring = text};
    error = host_order(line->host, &order, -1);
    free(text);
    return error;
}

/* --- its pages --- */

static void on_made(void *context, int error, json_t *result)
{
    struct test_call *call = context;
    const char *fault = json_string_value(json_object_get(result, "message"));

    call->work = NULL;
    if (error == 0 && json_object_get(result, "error") != NULL)
        error = err_set(ERR_IO, "the pages of a test could not be made: %.100s", fault != NULL ? fault : "");
    if (error == 0 && rename(call->made, call->path) != 0)
        error = err_set(ERR_IO, "cannot rename %s: %s", call->made, strerror(errno));
    if (error == 0)
        error = ring(call);
    end(call, error);
}

/* A descriptor of the text that the pages are made of. */
static int write_text(int pages)
{
    int fd = memfd_create("test pages", MFD_CLOEXEC);

    if (fd < 0)
        return err_set(ERR_AGAIN, "no memory for the pages of a test: %s", strerror(errno));
    for (int page = 1; page <= pages; page++)
        dprintf(fd, "%s\n\n\nThis is a test.\n\nPage %d of %d, as the simulator of faxd received it.\n",
                page > 1 ? "\f" : "", page, pages);
    return fd;
}

static int make_pages(struct test_call *call, int pages)
{
    struct rendition form;
    int error, input = write_text(pages), output = -1;
    json_t *job;

    if (input < 0)
        return input;
    rendition_first(&form, NULL);
    job = rendition_job(&form, NULL, NULL);
    output = call_file_create(call->made);
    error = output < 0
                ? output
                : converter_run(&call->work, call->calls->options.converter, job, &input, 1, output, on_made, call);
    if (output >= 0)
        close(output);
    close(input);
    json_decref(job);
    return error;
}

int test_call_begin(struct test_calls *calls, const struct test_call_wish *wish,
                    void (*done)(void *context, int error, const char *line, const char *number), void *context)
{
    struct line *line = NULL;
    struct test_call *call;
    int error = find_line(&line, calls, wish->to);

    if (error != 0)
        return error;
    call = xcalloc(1, sizeof *call);
    call->calls = calls;
    call->done = done;
    call->context = context;
    call->line = xstrdup(line->id);
    call->path = xasprintf("%s/%s/test%d.tif", spool_call_dir(calls->options.spool, 0), line->provider, wish->pages);
    call->made = xasprintf("%s.%p", call->path, (void *)call);
    call->ring = json_pack("{s:s, s:s, s:s, s:s}", "file", call->path, "caller_id", wish->from, "called", line->number,
                           "station_id", wish->station_id);
    LIST_INSERT_HEAD(&calls->list, call, link);
    error = call->ring != NULL ? make_pages(call, wish->pages) : err_set(ERR_INVALID, "from: not UTF-8");
    if (error != 0)
        call_free(call);
    return error;
}
