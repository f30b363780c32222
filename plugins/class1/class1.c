/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The class1 provider: faxes by modems on serial lines, one line for each. The exported calls are common/fsp.c's; this
 * file is the carrier that they need.
 *
 * Outbound: fsp.c -> modem_borrow -> dial_call -> call_run with the modem's descriptor -> modem_return. Inbound: the
 * modem's thread hears RING -> provider_ring -> fsp.c -> modem_borrow -> dial_answer -> call_run.
 */
#include "config.h"

#include "plugins/class1/dial.h"
#include "plugins/class1/modem.h"
#include "plugins/class1/setup.h"
#include "plugins/common/fsp.h"

#include "server/base/err.h"
#include "server/base/log.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define REPORTS_MAX 6 /* of tests, in one answer: the newest */

struct class1 {
    struct fsp *fsp;
    struct setup setup;
    struct modem **modems;
    atomic_bool *may_send; /* for each line */
};

static void on_rang(void *context, int line)
{
    provider_ring(&((struct class1 *)context)->fsp->provider, line);
}

static void on_changed(void *context)
{
    provider_changed(&((struct class1 *)context)->fsp->provider);
}

/* --- start and stop --- */

static void close_class1(void *self)
{
    struct class1 *class1 = self;

    for (int i = 0; i < class1->setup.line_count; i++)
        modem_free(class1->modems[i]);
    setup_clear(&class1->setup);
    free(class1->modems);
    free(class1->may_send);
    free(class1);
}

static void start(void *self)
{
    struct class1 *class1 = self;

    for (int i = 0; i < class1->setup.line_count; i++)
        modem_start(class1->modems[i]);
}

/* --- lines --- */

static struct modem *modem_of(void *self, int line)
{
    return ((struct class1 *)self)->modems[line];
}

static void enable(void *self, int line, bool receive, bool send)
{
    atomic_store(&((struct class1 *)self)->may_send[line], send);
    modem_enable(modem_of(self, line), receive);
}

static bool take(void *self, int line)
{
    return modem_take(modem_of(self, line));
}

static void release(void *self, int line)
{
    modem_release(modem_of(self, line));
}

static void cancel(void *self, int line)
{
    modem_cancel(modem_of(self, line));
}

static json_t *info_of_ring(void *self, int line)
{
    return modem_ring_info(modem_of(self, line));
}

static const char *station_id(void *self, int line)
{
    return ((struct class1 *)self)->setup.lines[line].station_id;
}

/* --- calls --- */

/* `context` is the caller's number, NULL of a call of ours. */
static void on_record(void *context, json_t *record)
{
    const char *caller = context;

    json_object_set_new(record, "mode", json_string("class1"));
    if (caller != NULL && caller[0] != '\0')
        json_object_set_new(record, "caller_id", json_string(caller));
}

static BOOL finish_unconnected(struct job *job, const char *outcome, const char *message)
{
    json_object_set_new(job_record(job), "mode", json_string("class1"));
    json_object_set_new(job_record(job), "connected", json_false());
    return job_finish(job, outcome, message);
}

/* The modem said CONNECT: the fax itself. */
static BOOL run_fax(struct class1 *class1, struct job *job, struct call_files *files, const char *station,
                    const char *caller)
{
    struct call_plan plan = {.engine = class1->fsp->engine,
                             .sends = caller == NULL,
                             .station_id = station,
                             .media = -1,
                             .rtcp = -1,
                             .on_record = on_record,
                             .context = (void *)caller};
    json_t *facts = modem_plan(class1->modems[job_line(job)], &plan.media);
    int max_rate_bps = class1->setup.lines[job_line(job)].max_rate_bps;
    BOOL done;

    if (max_rate_bps < job_options(job)->max_rate_bps)
        job_options(job)->max_rate_bps = max_rate_bps;
    if (facts == NULL)
        return finish_unconnected(job, "internal", err_message());
    plan.modem = facts;
    done = call_run(job, &plan, files);
    json_decref(facts);
    return done;
}

/* The modem cannot be had. */
static BOOL finish_unborrowed(struct job *job, int err)
{
    return finish_unconnected(job, err == ERR_CONFLICT ? "aborted" : "line_unavailable", err_message());
}

static BOOL send_borrowed(struct class1 *class1, struct job *job, struct call_files *files, const char *command,
                          const char *station)
{
    struct modem *modem = class1->modems[job_line(job)];
    struct dial_end end;

    /* Glare: who calls us is answered; the fax goes by another line, or later. */
    if (at_drain(modem_at(modem)) != 0)
        return finish_unconnected(job, "line_unavailable", err_message());
    if (modem_rings(modem))
        return finish_unconnected(job, "line_unavailable", "a call came as the line was about to dial");
    job_say(job, FS_DIALING, 0);
    dial_call(&end, modem_at(modem), &class1->setup.lines[job_line(job)], command);
    if (!end.connected)
        return finish_unconnected(job, end.outcome, end.message);
    return run_fax(class1, job, files, station, NULL);
}

static BOOL send_files(void *self, struct job *job, struct call_files *files, const char *number, const char *station)
{
    struct class1 *class1 = self;
    int line = job_line(job), err;
    char command[SETUP_DIAL_SIZE];
    BOOL done;

    if (!atomic_load(&class1->may_send[line]))
        return job_finish(job, "line_unavailable", "the line is disabled for sending");
    if (setup_dial_command(command, &class1->setup.lines[line], number) != 0)
        return finish_unconnected(job, "bad_address", err_message());
    err = modem_borrow(class1->modems[line]);
    if (err != 0)
        return finish_unborrowed(job, err);
    done = send_borrowed(class1, job, files, command, station);
    modem_return(class1->modems[line]);
    return done;
}

static BOOL receive_borrowed(struct class1 *class1, struct job *job, struct call_files *files, const json_t *ring)
{
    int line = job_line(job);
    const char *caller = json_string_value(json_object_get(ring, "caller_id"));
    struct dial_end end;

    job_set_caller(job, caller, json_string_value(json_object_get(ring, "called")));
    dial_answer(&end, modem_at(class1->modems[line]), &class1->setup.lines[line]);
    if (!end.connected)
        return finish_unconnected(job, end.outcome, end.message);
    job_say(job, FS_ANSWERED, 0);
    return run_fax(class1, job, files, station_id(class1, line), caller);
}

static BOOL receive_files(void *self, struct job *job, struct call_files *files)
{
    struct class1 *class1 = self;
    struct modem *modem = class1->modems[job_line(job)];
    int err = modem_borrow(modem);
    json_t *ring;
    BOOL done;

    if (err != 0)
        return finish_unborrowed(job, err);
    ring = at_drain(modem_at(modem)) == 0 ? modem_answer(modem) : NULL;
    if (ring != NULL)
        done = receive_borrowed(class1, job, files, ring);
    else
        done = finish_unconnected(job, "no_answer", "the caller hung up before the answer");
    json_decref(ring);
    modem_return(modem);
    return done;
}

/* --- questions --- */

/* Is the test of this line among the newest, whose reports are told? */
static bool is_newest(struct class1 *class1, int line)
{
    int64_t at_ms = modem_tested_at(class1->modems[line]);
    int later = 0;

    for (int i = 0; i < class1->setup.line_count; i++)
        later += modem_tested_at(class1->modems[i]) > at_ms;
    return later < REPORTS_MAX;
}

static json_t *tell_devices(struct class1 *class1)
{
    json_t *devices = json_array();

    for (int i = 0; i < class1->setup.line_count; i++)
        json_array_append_new(devices, modem_json(class1->modems[i], is_newest(class1, i)));
    return json_pack("{s:[], s:o}", "trunks", "devices", devices);
}

static json_t *test(struct class1 *class1, const json_t *line)
{
    json_int_t number = json_is_integer(line) ? json_integer_value(line) : -1;

    if (number < 0 || number >= class1->setup.line_count)
        return json_pack("{s:s}", "error", "there is no such line");
    if (!modem_test(class1->modems[number]))
        return json_pack("{s:s}", "error", err_message());
    return json_pack("{s:b}", "started", 1);
}

static json_t *ask(void *self, const json_t *question)
{
    const char *about = json_string_value(json_object_get(question, "ask"));

    if (about != NULL && strcmp(about, "trunks") == 0)
        return tell_devices(self);
    if (about != NULL && strcmp(about, "test") == 0)
        return test(self, json_object_get(question, "line"));
    return NULL;
}

static void make_modems(struct class1 *class1)
{
    for (int i = 0; i < class1->setup.line_count; i++) {
        struct modem_options options = {
            .setup = &class1->setup.lines[i], .line = i, .rang = on_rang, .changed = on_changed, .context = class1};

        class1->modems[i] = modem_new(&options);
    }
}

static int open_class1(struct fsp *fsp)
{
    struct class1 *class1 = xcalloc(1, sizeof *class1);
    int err = setup_read(&class1->setup, fsp->settings);

    class1->fsp = fsp;
    if (err != 0) {
        close_class1(class1);
        return err;
    }
    class1->modems = xcalloc((unsigned long)class1->setup.line_count, sizeof *class1->modems);
    class1->may_send = xcalloc((unsigned long)class1->setup.line_count, sizeof *class1->may_send);
    make_modems(class1);
    fsp->settings->calls_per_engine = 1; /* another's page or disk must not hold up a modem's answer */
    fsp->carrier = (struct carrier){.self = class1,
                                    .close = close_class1,
                                    .start = start,
                                    .enable = enable,
                                    .take = take,
                                    .release = release,
                                    .send = send_files,
                                    .receive = receive_files,
                                    .cancel = cancel,
                                    .ring_info = info_of_ring,
                                    .station_id = station_id,
                                    .ask = ask};
    return 0;
}

const struct fsp_kind fsp_kind = {.name = "class1", .open = open_class1};
