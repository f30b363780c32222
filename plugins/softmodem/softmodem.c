/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The softmodem provider: audio fax. The exported calls are common/fsp.c's; this file is the carrier that they need,
 * chosen by the setting "carrier": lines that call one another on an exchange inside the provider (here, with setup.c
 * and exchange.c), or the telephone network by SIP, in G.711 only (plugins/sip/sip_carrier.c).
 *
 * Outbound: fsp.c -> exchange_dial -> call_run. Inbound: exchange rings -> provider_ring -> fsp.c -> exchange_answer ->
 * call_run.
 */
#include "plugins/common/fsp.h"
#include "plugins/sip/sip_carrier.h"
#include "plugins/softmodem/exchange.h"
#include "plugins/softmodem/setup.h"

#include "server/base/log.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_MS     200 /* lock-step unit: 20 ms would cost 1.9 times the CPU of bare spandsp, this 1.2 */
#define CHUNK_LOW_MS 100 /* near real time: ten wakes a second, and no more delay than a satellite hop */
#define PACE_LOW     10

/* The exchange as a carrier. */
struct modem {
    struct fsp *fsp;
    struct setup setup;
    struct exchange *exchange;
    atomic_bool *may_send; /* for each line */
};

static void on_ring(void *self, int line)
{
    provider_ring(&((struct modem *)self)->fsp->provider, line);
}

static void close_modem(void *self)
{
    struct modem *modem = self;

    exchange_free(modem->exchange);
    setup_clear(&modem->setup);
    free(modem->may_send);
    free(modem);
}

static void enable(void *self, int line, bool receive, bool send)
{
    struct modem *modem = self;

    atomic_store(&modem->may_send[line], send);
    exchange_enable(modem->exchange, line, receive);
}

static bool take(void *self, int line)
{
    return exchange_take(((struct modem *)self)->exchange, line);
}

static void release(void *self, int line)
{
    exchange_release(((struct modem *)self)->exchange, line);
}

static void cancel(void *self, int line)
{
    exchange_cancel(((struct modem *)self)->exchange, line);
}

static const char *station_id(void *self, int line)
{
    return ((struct modem *)self)->setup.lines[line].station_id;
}

static json_t *ring_info(void *self, int line)
{
    struct modem *modem = self;

    return json_pack("{s:s, s:s, s:s, s:s}", "caller_id", exchange_caller(modem->exchange, line), "caller_name", "",
                     "called", exchange_number(modem->exchange, line), "diversion", "");
}

/* "audio" of the engine's job; the impairments are those of the called line. */
static json_t *audio_new(const struct modem *modem, const struct setup_line *called)
{
    int pace = modem->setup.pace;
    json_t *audio =
        json_pack("{s:i, s:i}", "pace", pace, "chunk_ms", pace && pace <= PACE_LOW ? CHUNK_LOW_MS : CHUNK_MS);

    if (called && !isnan(called->noise_dbm0))
        json_object_set_new(audio, "noise_dbm0", json_real(called->noise_dbm0));
    if (called && called->delay_ms)
        json_object_set_new(audio, "delay_ms", json_integer(called->delay_ms));
    if (called && called->drop_after_ms)
        json_object_set_new(audio, "drop_after_ms", json_integer(called->drop_after_ms));
    return audio;
}

/* The line stands: the fax itself. Closes `media`. */
static BOOL talk(struct modem *modem, struct job *job, struct call_files *files, int media, bool sends,
                 const char *station)
{
    struct call_plan plan = {.engine = modem->fsp->engine,
                             .sends = sends,
                             .station_id = station,
                             .audio = audio_new(modem, sends ? NULL : &modem->setup.lines[job_line(job)]),
                             .media = media,
                             .rtcp = -1};
    BOOL done = call_run(job, &plan, files);

    json_decref(plan.audio);
    return done;
}

static const struct {
    const char *outcome, *message;
} call_ends[] = {
    [EXCHANGE_CONNECTED] = {"success", NULL},
    [EXCHANGE_UNKNOWN] = {"bad_address", "no line has this number"},
    [EXCHANGE_BUSY] = {"busy", "the line is engaged"},
    [EXCHANGE_NO_ANSWER] = {"no_answer", "the line rang and nobody answered"},
    [EXCHANGE_DECLINED] = {"call_rejected", "the called line rejected the call"},
    [EXCHANGE_GONE] = {"no_answer", "the caller hung up before the answer"},
    [EXCHANGE_CANCELLED] = {"aborted", "the call was aborted before the far end answered"},
    [EXCHANGE_FAILED] = {"internal", "no socket for the call"},
};

static BOOL finish_unconnected(struct job *job, enum exchange_result result)
{
    json_object_set_new(job_record(job), "mode", json_string("audio"));
    json_object_set_new(job_record(job), "connected", json_false());
    return job_finish(job, call_ends[result].outcome, call_ends[result].message);
}

static BOOL send_files(void *self, struct job *job, struct call_files *files, const char *number, const char *station)
{
    struct modem *modem = self;
    enum exchange_result result;
    int media;

    if (!atomic_load(&modem->may_send[job_line(job)]))
        return job_finish(job, "line_unavailable", "the line is disabled for sending");
    job_say(job, FS_DIALING, 0);
    result = exchange_dial(modem->exchange, job_line(job), number, &media);
    if (result != EXCHANGE_CONNECTED)
        return finish_unconnected(job, result);
    return talk(modem, job, files, media, true, station);
}

static BOOL receive_files(void *self, struct job *job, struct call_files *files)
{
    struct modem *modem = self;
    const char *caller = exchange_caller(modem->exchange, job_line(job));
    enum exchange_result result;
    BOOL done;
    int media;

    job_set_caller(job, caller, exchange_number(modem->exchange, job_line(job)));
    result = exchange_answer(modem->exchange, job_line(job), &media);
    if (result != EXCHANGE_CONNECTED)
        return finish_unconnected(job, result);
    job_say(job, FS_ANSWERED, 0);
    done = talk(modem, job, files, media, false, station_id(modem, job_line(job)));
    json_object_set_new(job_record(job), "caller_id", json_string(caller));
    return done;
}

static int open_exchange(struct fsp *fsp)
{
    struct modem *modem = xcalloc(1, sizeof(*modem));
    int err = setup_read(&modem->setup, fsp->settings);

    modem->fsp = fsp;
    modem->may_send = xcalloc((unsigned long)fsp->settings->line_count, sizeof(*modem->may_send));
    if (!err)
        err = setup_exchange(&modem->exchange, &modem->setup, fsp->settings, on_ring, modem);
    if (err) {
        close_modem(modem);
        return err;
    }
    fsp->carrier = (struct carrier){.self = modem,
                                    .close = close_modem,
                                    .enable = enable,
                                    .take = take,
                                    .release = release,
                                    .send = send_files,
                                    .receive = receive_files,
                                    .cancel = cancel,
                                    .ring_info = ring_info,
                                    .station_id = station_id};
    return 0;
}

static int open_softmodem(struct fsp *fsp)
{
    const char *carrier = json_string_value(json_object_get(fsp->settings->values, "carrier"));

    if (carrier && !strcmp(carrier, "sip"))
        return sip_carrier_open(fsp, SIP_CARRIER_AUDIO);
    return open_exchange(fsp);
}

const struct fsp_kind fsp_kind = {.name = "softmodem", .open = open_softmodem};
