/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between call control and the T.30 engine: turns a job's options into the engine's job, the engine's events into
 * status packets, and its record into the outcome. Reached from FaxDevSend and FaxDevReceive of softmodem once the line
 * stands.
 *
 * An engine may die or hang: its end-of-file ends the call here, and after an abort it gets ABORT_GRACE_MS, then the
 * control socket is closed on it, so that the line is free again whatever it does.
 */
#include "config.h"

#include "plugins/common/call.h"

#include "plugins/common/document.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ABORT_GRACE_MS 5000 /* time enough for a DCN at the pace of a real line */
#define WAIT_MS        2500 /* longest wait for an event before the abort is looked at again */

static int files_add(struct call_files *files, const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return err_set(ERR_IO, "cannot open %s: %s", path, strerror(errno));
    files->fds[files->count++] = fd;
    return 0;
}

static int files_add_document(struct call_files *files, const char *path, const struct document *facts)
{
    int err = files_add(files, path, O_RDONLY);

    if (!err)
        json_array_append_new(files->facts, json_pack("{s:s, s:i, s:i}", "resolution", facts->resolution, "width",
                                                      facts->width, "length_mm", facts->length_mm));
    return err;
}

int call_open_files(struct call_files *files, struct job *job, const char *file)
{
    const struct options *options = job_options(job);
    struct document facts;
    int err = document_read(&facts, file);

    if (err)
        return err;
    files->facts = json_array();
    files->pages = facts.pages;
    err = files_add_document(files, file, &facts);
    for (int i = 0; !err && i < options->rendition_count; i++) {
        const struct options_rendition *rendition = &options->renditions[i];

        if (!strcmp(rendition->file, file))
            continue;
        err = document_read(&facts, rendition->file);
        if (!err)
            err = files_add_document(files, rendition->file, &facts);
    }
    return err;
}

int call_open_receive(struct call_files *files, const char *file)
{
    return files_add(files, file, O_RDWR);
}

void call_close_files(struct call_files *files)
{
    for (int i = 0; i < files->count; i++)
        close(files->fds[i]);
    files->count = 0;
    json_decref(files->facts);
    files->facts = NULL;
}

static void set_texts(json_t *to, const struct options *options, const char *station_id)
{
    json_object_set_new(to, "station_id", json_string(options->station_id[0] ? options->station_id : station_id));
    json_object_set_new(to, "header", json_string(options->header));
    json_object_set_new(to, "subaddress", json_string(options->subaddress));
    json_object_set_new(to, "password", json_string(options->password));
}

enum { WAY_STREAM, WAY_DATAGRAMS, WAY_MODEM };

static const struct way {
    const char *carrier, *media;
} ways[] = {
    [WAY_STREAM] = {"audio", "stream"}, [WAY_DATAGRAMS] = {"udp", "datagram"}, [WAY_MODEM] = {"modem", "serial"}};

/* The engine's job (engine.h) from the options of ours. */
static json_t *engine_job(struct job *job, const struct call_plan *plan, const struct call_files *files)
{
    const struct options *options = job_options(job);
    const struct way *way = &ways[plan->path ? WAY_DATAGRAMS : plan->modem ? WAY_MODEM : WAY_STREAM];
    json_t *to = json_pack("{s:s, s:s, s:s, s:s, s:b, s:i, s:{s:I}}", "role", plan->sends ? "caller" : "answerer",
                           "direction", plan->sends ? "send" : "receive", "carrier", way->carrier, "media", way->media,
                           "ecm", (int)options->ecm, "max_rate_bps", options->max_rate_bps, "limits", "call_ms",
                           (json_int_t)options->call_limit_s * 1000);

    set_texts(to, options, plan->station_id);
    if (files->facts)
        json_object_set(to, "files", files->facts);
    if (options->modems)
        json_object_set(to, "modems", (json_t *)options->modems);
    if (options->compressions)
        json_object_set(to, "compressions", (json_t *)options->compressions);
    if (plan->audio)
        json_object_set(to, "audio", plan->audio);
    if (plan->path)
        json_object_set(to, "path", (json_t *)plan->path);
    if (plan->modem)
        json_object_set(to, "modem", (json_t *)plan->modem);
    return to;
}

static void on_phase(struct job *job, const json_t *event)
{
    const char *phase = json_string_value(json_object_get(event, "phase"));
    const char *station = json_string_value(json_object_get(event, "station_id"));

    if (station && station[0])
        job_set_station(job, station);
    if (phase && !strcmp(phase, "sending"))
        job_say(job, FS_TRANSMITTING, 1);
    else if (phase && !strcmp(phase, "receiving"))
        job_say(job, FS_RECEIVING, 1);
    else if (station && station[0])
        job_say(job, job_status(job), 0); /* negotiating: the same state, now with the far end's name */
}

/* Page n is through, so n + 1 is the current one, but after the last. */
static void on_page(struct job *job, const json_t *event, const struct call_plan *plan, int pages)
{
    json_int_t page = json_integer_value(json_object_get(event, "page"));

    if (page < 1 || page > DOCUMENT_PAGES_MAX)
        return;
    if (!plan->sends)
        job_say(job, FS_RECEIVING, (DWORD)page + 1);
    else
        job_say(job, FS_TRANSMITTING, (DWORD)(page < pages ? page + 1 : page));
}

/* The next event. After an abort only ABORT_GRACE_MS are left for it: `*give_up_at` is kept here, 0 = no abort yet. */
static int next_event(struct job *job, struct engine_call *call, json_t **event, int64_t *give_up_at)
{
    for (;;) {
        int err = engine_wait(call, event, WAIT_MS);

        if (err != ERR_AGAIN)
            return err;
        if (!*give_up_at && job_is_aborted(job))
            *give_up_at = clock_mono_ms() + ABORT_GRACE_MS;
        else if (*give_up_at && clock_mono_ms() >= *give_up_at)
            return err_set(ERR_CLOSED, "the engine did not heed the abort");
    }
}

/* Until "ended": true and the record is the job's; false when the engine went without a word. */
static bool follow(struct job *job, struct engine_call *call, const struct call_plan *plan, int pages)
{
    int64_t give_up_at = 0;
    json_t *event;

    while (!next_event(job, call, &event, &give_up_at)) {
        const char *kind = json_string_value(json_object_get(event, "event"));
        json_t *record = json_object_get(event, "record");
        bool ended = kind && !strcmp(kind, "ended");

        if (kind && !strcmp(kind, "phase"))
            on_phase(job, event);
        else if (kind && !strcmp(kind, "page"))
            on_page(job, event, plan, pages);
        else if (plan->on_event && kind && !ended)
            plan->on_event(plan->context, event);
        else if (ended && json_is_object(record))
            job_set_record(job, json_incref(record));
        json_decref(event);
        if (ended)
            return true;
    }
    return false;
}

static void abort_engine(void *call)
{
    engine_abort(call);
}

/* Say the end of the call. `message` is for a call that has no record. */
static BOOL conclude(struct job *job, const struct call_plan *plan, const char *outcome, const char *message)
{
    const char *changed;

    if (plan->on_record)
        plan->on_record(plan->context, job_record(job));
    changed = json_string_value(json_object_get(job_record(job), "outcome"));
    return job_finish(job, changed ? changed : outcome, message);
}

static BOOL finish(struct job *job, const struct call_plan *plan, bool recorded)
{
    if (recorded)
        return conclude(job, plan, "internal", NULL);
    log_warning("the engine ended without a record: %s line=%d", err_message(), job_line(job));
    if (job_is_aborted(job))
        return conclude(job, plan, "aborted", "the call was aborted; its engine left no record");
    return conclude(job, plan, "internal", "the fax engine died during the call; the journal tells how far it got");
}

static void say_engine(const struct call_plan *plan, struct engine_call *call)
{
    if (plan->on_engine)
        plan->on_engine(plan->context, call);
}

BOOL call_run(struct job *job, const struct call_plan *plan, struct call_files *files)
{
    json_t *order = engine_job(job, plan, files);
    struct engine_call *call = NULL;
    bool recorded = false;
    int err = engine_start(&call, plan->engine, order, plan->media, plan->rtcp, job_options(job)->journal_fd,
                           files->fds, files->count);

    json_decref(order);
    close(plan->media); /* the engine has its own: the far end must see it close when that one goes */
    if (plan->rtcp >= 0)
        close(plan->rtcp);
    if (err) {
        log_error("cannot start the engine: %s line=%d", err_message(), job_line(job));
        return conclude(job, plan, "internal", "the fax engine cannot be started");
    }
    say_engine(plan, call);
    job_on_abort(job, abort_engine, call);
    recorded = follow(job, call, plan, files->pages);
    job_on_abort(job, NULL, NULL);
    say_engine(plan, NULL);
    engine_call_free(call);
    return finish(job, plan, recorded);
}
