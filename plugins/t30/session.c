/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The T.30 session: where spandsp's fax engine runs. With t38.c and class1.c it is the file that knows its private
 * structs (the public interface of 0.0.6 has neither the rate to start with nor the far end's DIS).
 *
 * All handlers run inside session_transmit, session_receive, session_advance, session_packet or session_octets. They
 * cannot end the T.30 they are called from, so they mark the session as over, and the function at the bottom of the
 * stack ends it. From the mark on, nothing that T.30 still does reaches the line, the journal or the trace. */
#include "config.h"

#define SPANDSP_EXPOSE_INTERNAL_STRUCTURES
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tiffio.h>
#include <spandsp.h>
#include <spandsp/expose.h>

#include "plugins/t30/session.h"

#include "plugins/t30/class1.h"
#include "plugins/t30/confirm.h"
#include "plugins/t30/offer.h"
#include "plugins/t30/page_file.h"
#include "plugins/t30/record.h"
#include "plugins/t30/rendition.h"
#include "plugins/t30/screen.h"
#include "plugins/t30/short_training.h"
#include "plugins/t30/t38.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"

#define REPEAT_MS          5000  /* our answer's 1.3 s, the far end's T4 and 1.2 s of its frame, at their longest */
#define PHASE_C_NON_ECM_RX 5     /* t30.c has it to itself: a page without error correction is awaited, or TCF */
#define NO_RESULT          (-1)  /* no page was answered yet */
#define STANDSTILL_MS      30000 /* spandsp, with all its timers off, would wait for ever */

struct session {
    struct options options;
    struct session_hooks hooks;
    void *context;
    fax_state_t *fax;      /* on audio, else NULL */
    struct t38 *t38;       /* on T.38, else NULL */
    struct class1 *class1; /* on a modem, else NULL */
    int t38_version;
    t30_state_t *t30; /* of one of these */
    struct page_file files[OPTIONS_FILES_MAX];
    int choice;                           /* of them, to send */
    struct short_training short_training; /* on audio */
    struct confirm confirm;
    struct trace trace;
    bool over;     /* see above */
    bool finished; /* T.30 has ended: phase E was reached */
    enum outcome_end end;
    char message[RECORD_MESSAGE_SIZE];
    int t30_result;
    int64_t samples;
    int64_t spoke_at_ms;    /* line time of our last frame, as T.30 gave it */
    int64_t moved_at_ms;    /* line time when T.30 was last known to be about something */
    int64_t answered_at_ms; /* UTC */
    int64_t ended_at_ms;
    const char *phase;
    int phase_rate;
    bool nsf_seen;
    bool trained_said;
    bool negotiated;
    t30_stats_t stats; /* of the last page, or of the last agreement */
    const char *modem;
    int bad_rows, longest_bad_run, ecm_retries;
};

/* spandsp's table of rates (t30.c); t30_state_t.current_fallback is an index into it. */
static const struct {
    int rate_bps;
    unsigned modem;
    const char *name;
} rates[] = {{14400, OPTIONS_V17, "V.17"},      {12000, OPTIONS_V17, "V.17"},     {9600, OPTIONS_V17, "V.17"},
             {9600, OPTIONS_V29, "V.29"},       {7200, OPTIONS_V17, "V.17"},      {7200, OPTIONS_V29, "V.29"},
             {4800, OPTIONS_V27TER, "V.27ter"}, {2400, OPTIONS_V27TER, "V.27ter"}};
#define RATE_COUNT ((int)(sizeof rates / sizeof *rates))

/* A constant of the process, set once by session_setup. */
static void (*real_hdlc_accept)(void *, const uint8_t *, int, int);

int64_t session_line_ms(const struct session *session)
{
    return session->samples * 1000 / SESSION_RATE;
}

bool session_is_over(const struct session *session)
{
    return session->over;
}

/* Mark the end; for handlers. The first reason counts. */
static void stop(struct session *session, enum outcome_end end, const char *message)
{
    if (session->over)
        return;
    session->over = true;
    session->end = end;
    session->ended_at_ms = clock_now_ms();
    if (message)
        snprintf(session->message, sizeof session->message, "%s", message);
}

static void stop_for_disk(struct session *session, int error)
{
    if (error != 0)
        stop(session, error == ERR_FULL ? OUTCOME_END_DISK_FULL : OUTCOME_END_DISK_ERROR, err_message());
}

void session_end(struct session *session, enum outcome_end end, const char *message)
{
    bool was_over = session->over;

    if (!session->finished)
        t30_terminate(session->t30);
    if (was_over)
        return;
    /* A far end that hangs up while we say DCN has ended nothing: spandsp's own code stands. */
    if (end == OUTCOME_END_HUNG_UP && session->t30_result != T30_ERR_CALLDROPPED)
        return;
    session->over = false;
    stop(session, end, message);
}

static void announce(struct session *session, const char *phase)
{
    char station[32];
    int rate = session->phase_rate;

    if (session->phase && strcmp(session->phase, phase) == 0 && rate == session->stats.bit_rate)
        return;
    session->phase = phase;
    session->phase_rate = session->stats.bit_rate;
    if (session->hooks.phase)
        session->hooks.phase(session->context, phase,
                             record_clean_text(station, sizeof station, t30_get_rx_ident(session->t30)),
                             session->stats.bit_rate);
}

static void note_agreement(struct session *session)
{
    int index = session->t30->current_fallback;

    t30_get_transfer_statistics(session->t30, &session->stats);
    session->modem = index >= 0 && index < RATE_COUNT ? rates[index].name : "";
    session->negotiated = true;
}

static void say_trained(struct session *session)
{
    if (session->hooks.trained && !session->trained_said)
        session->hooks.trained(session->context);
    session->trained_said = true;
}

/* The frames between which the image phase begins, for progress. */
static void follow_frame(struct session *session, bool received, const uint8_t *frame, int length)
{
    bool cfr = length >= 3 && (frame[2] & 0xFE) == T30_CFR;

    if (received && session->answered_at_ms == 0) {
        session->answered_at_ms = clock_now_ms();
        announce(session, "negotiating");
    }
    if (cfr && received == session->options.sending) {
        note_agreement(session);
        announce(session, session->options.sending ? "sending" : "receiving");
        say_trained(session);
    }
}

/* We refuse the last page of a document. spandsp expects nothing but DCN after that; T.30 5.3.6.1.7 lets the sender
 * train again and repeat the page, as after any other page. */
static void expect_page_again(t30_state_t *t30)
{
    if (t30->next_rx_step != T30_EOP && t30->next_rx_step != T30_PRI_EOP)
        return;
    t30->next_rx_step = T30_MPS;
    t30->end_of_procedure_detected = false;
}

/* Every good frame passes here: a sent one before it is handed to the modem, a received one before T.30 acts on it. */
static void on_frame(t30_state_t *t30, void *user, int received, const uint8_t *frame, int length)
{
    struct session *session = user;
    int error;

    if (session->over)
        return;
    if (!received)
        session->spoke_at_ms = session_line_ms(session);
    trace_add(&session->trace, session_line_ms(session), received != 0, frame, length);
    error = received ? confirm_frame_received(&session->confirm, frame, length)
                     : confirm_frame_sent(&session->confirm, frame, length);
    stop_for_disk(session, error);
    if (!received && length >= 3 && (frame[2] & 0xFE) == T30_RTN)
        expect_page_again(t30);
    if (!session->over)
        follow_frame(session, received != 0, frame, length);
}

/* Start at the fastest rate that both ends and the options allow. */
static int limit_rate(struct session *session)
{
    t30_state_t *t30 = session->t30;
    int index = t30->current_fallback;

    t30->current_permitted_modems &= (int)session->options.modems;
    while (index < RATE_COUNT && (!(rates[index].modem & (unsigned)t30->current_permitted_modems) ||
                                  rates[index].rate_bps > session->options.max_rate_bps))
        index++;
    if (index == RATE_COUNT)
        return T30_ERR_INCOMPATIBLE;
    t30->current_fallback = index;
    return T30_ERR_OK;
}

static bool can_receive(const t30_state_t *t30)
{
    return t30->far_dis_dtc_len > 4 && (t30->far_dis_dtc_frame[4] & 0x02); /* DIS bit 10 */
}

/* The far end's DIS or DTC is there: choose what to send. A DIS after the first page (EOM, or one repeated) leaves the
 * choice as it is, since spandsp has its place in that document. */
static int choose_document(struct session *session)
{
    char name[PAGE_FILE_NAME_SIZE];
    enum rendition_fault fault;
    int choice;

    if (!can_receive(session->t30))
        return T30_ERR_OK; /* spandsp says so itself */
    if (session->t30->tx_page_number > 0)
        return limit_rate(session);
    choice =
        rendition_choose(&session->options, session->t30->far_dis_dtc_frame, session->t30->far_dis_dtc_len, &fault);
    if (choice < 0)
        return fault == RENDITION_WIDTH ? T30_ERR_NOSIZESUPPORT : T30_ERR_NORESSUPPORT;
    session->choice = choice;
    t30_set_tx_file(session->t30, page_file_name(name, &session->files[choice]), session->t30->tx_start_page, -1);
    return limit_rate(session);
}

static int on_phase_b(t30_state_t *t30, void *user, int fcf)
{
    struct session *session = user;

    (void)t30;
    if (session->options.sending && (fcf & 0xFE) == T30_DIS)
        return choose_document(session);
    return T30_ERR_OK;
}

static void count_quality(struct session *session)
{
    session->ecm_retries += session->stats.error_correcting_mode_retries;
    if (session->stats.error_correcting_mode)
        return;
    session->bad_rows += session->stats.bad_rows;
    if (session->stats.longest_bad_row_run > session->longest_bad_run)
        session->longest_bad_run = session->stats.longest_bad_row_run;
}

/* A page came to its end. A received one must be on disk when this returns, since spandsp answers MCF next. */
static int on_phase_d(t30_state_t *t30, void *user, int fcf)
{
    struct session *session = user;
    struct confirm *confirm = &session->confirm;
    int before = confirm->pages;
    int pages;

    if (session->over)
        return T30_ERR_OK;
    note_agreement(session);
    count_quality(session);
    pages = session->options.sending ? t30->tx_page_number : t30->rx_page_number;
    stop_for_disk(session, session->options.sending ? confirm_page_sent(confirm, pages, (uint8_t)(fcf & 0xFE))
                                                    : confirm_page_received(confirm, pages, (uint8_t)(fcf & 0xFE)));
    if (!session->options.sending && session->stats.error_correcting_mode && pages == before)
        stop(session, OUTCOME_END_REFUSED, "page: no rows in it"); /* spandsp would confirm it */
    if (!session->over && confirm->pages > before && session->hooks.page)
        session->hooks.page(session->context, confirm->pages);
    return T30_ERR_OK;
}

static void on_phase_e(t30_state_t *t30, void *user, int result)
{
    struct session *session = user;

    (void)t30;
    session->finished = true;
    session->t30_result = result;
    if (session->t38 && t38_is_wild(session->t38))
        stop(session, OUTCOME_END_REFUSED, "T.38: packets that no machine sends");
    stop(session, OUTCOME_END_T30, NULL);
}

static bool ends_page(const uint8_t *frame)
{
    static const uint8_t ends[] = {T30_MPS & 0xFE, T30_EOM & 0xFE,     T30_EOP & 0xFE,
                                   T30_PRI_MPS,    T30_PRI_EOM & 0xFE, T30_PRI_EOP & 0xFE};

    return memchr(ends, frame[2] & 0xFE, sizeof ends) != NULL;
}

/* The end of a page of which nothing was heard, without error correction. Either our answer to the page before got
 * lost and its end is said again: then 3 s after it was said the first time. Or there was a page, and the modem could
 * not train on it: then it must be refused, but spandsp, which was not told of a carrier, confirms it by repeating the
 * answer. When in doubt it is refused, since a page that comes twice is seen, and one that is missing is not. */
static void admit_missed_page(struct session *session, int end)
{
    t30_state_t *t30 = session->t30;

    if (session_line_ms(session) - session->spoke_at_ms > REPEAT_MS || end != (t30->next_rx_step & 0xFE) ||
        t30->last_rx_page_result == NO_RESULT)
        t30->image_carrier_attempted = true;
}

static void accept_frame(struct session *session, t30_state_t *t30, const uint8_t *frame, int length)
{
    char why[RECORD_MESSAGE_SIZE];

    switch (screen_judge(frame, length, why, sizeof why)) {
    case SCREEN_DROP:
        return;
    case SCREEN_REFUSE:
        trace_add(&session->trace, session_line_ms(session), true, frame, length);
        stop(session, OUTCOME_END_REFUSED, why);
        return;
    case SCREEN_PASS:
        break;
    }
    if (t30->phase == PHASE_C_NON_ECM_RX && ends_page(frame))
        admit_missed_page(session, frame[2] & 0xFE);
    if ((frame[2] & 0xFE) == T30_NSF || (frame[2] & 0xFE) == T30_NSS) {
        if (session->nsf_seen)
            return; /* spandsp leaks the one before */
        session->nsf_seen = true;
    }
    real_hdlc_accept(t30, frame, length, 1);
}

/* The executable's definition wins over spandsp's for the modems' receivers too. A negative length is a status of the
 * modem, and a frame that is not ok has a wrong checksum: neither has contents. */
__attribute__((visibility("default"))) void t30_hdlc_accept(void *user, const uint8_t *frame, int length, int ok)
{
    t30_state_t *t30 = user;
    struct session *session = t30->real_time_frame_user_data;

    if (session && session->over)
        return;
    if (session && length >= 0 && ok)
        accept_frame(session, t30, frame, length);
    else
        real_hdlc_accept(user, frame, length, ok);
}

static void take_files(struct session *session, const int *files)
{
    int i;

    for (i = 0; i < session->options.file_count; i++)
        page_file_init(&session->files[i], files[i], 0);
    if (session->options.sending)
        return;
    page_file_init(&session->files[0], files[0], session->options.limits.file_bytes);
    session->confirm.received = &session->files[0];
}

/* What T.30 sends and receives, and who hears of it. */
static void set_up_t30(struct session *session)
{
    t30_state_t *t30 = session->t30;
    char name[PAGE_FILE_NAME_SIZE];

    t30->retransmit_capable = true; /* a page that was answered with RTN is sent again, not given up */
    offer_to(t30, &session->options);
    page_file_name(name, &session->files[0]);
    if (session->options.sending)
        t30_set_tx_file(t30, name, -1, -1);
    else
        t30_set_rx_file(t30, name, -1);
    t30_set_phase_b_handler(t30, on_phase_b, session);
    t30_set_phase_d_handler(t30, on_phase_d, session);
    t30_set_phase_e_handler(t30, on_phase_e, session);
    t30_set_real_time_frame_handler(t30, on_frame, session);
}

static bool start_audio(struct session *session)
{
    session->fax = fax_init(NULL, session->options.calling);
    if (!session->fax)
        return false;
    session->t30 = fax_get_t30_state(session->fax);
    fax_set_transmit_on_idle(session->fax, 1);
    set_up_t30(session);
    return true;
}

/* A packet of T.38 is about to leave: nothing does once the session is over, but T.30's own last words. */
static int on_packet(void *context, const uint8_t *ifp, int size, bool image)
{
    struct session *session = context;

    if (session->over && session->end != OUTCOME_END_T30)
        return -1;
    session->hooks.packet(session->context, ifp, size, image);
    return 0;
}

static bool start_t38(struct session *session, const struct path_t38 *t38)
{
    session->t38 = t38_new(session->options.calling, t38->version, on_packet, session);
    if (!session->t38)
        return false;
    session->t38_version = t38->version;
    if (t38->max_rate_bps < session->options.max_rate_bps)
        session->options.max_rate_bps = t38->max_rate_bps;
    session->t30 = t38_t30(session->t38);
    set_up_t30(session);
    return true;
}

static bool start_class1(struct session *session)
{
    session->class1 = class1_new(session->options.calling);
    if (!session->class1)
        return false;
    session->t30 = class1_t30(session->class1);
    set_up_t30(session);
    return true;
}

static bool start_line(struct session *session, const struct path_t38 *t38)
{
    if (session->options.serial)
        return start_class1(session);
    return t38 ? start_t38(session, t38) : start_audio(session);
}

struct session *session_new(const struct options *options, const struct path_t38 *t38, const int *files, int journal,
                            const struct session_hooks *hooks, void *context)
{
    struct session *session = xcalloc(1, sizeof *session);

    session->options = *options;
    session->hooks = *hooks;
    session->context = context;
    session->confirm.journal = journal;
    session->confirm.sending = options->sending;
    take_files(session, files);
    if (start_line(session, t38))
        return session;
    free(session);
    return NULL;
}

/* The T.30 that was begun on audio goes without a word: what its handlers would say is not the end of the call. */
static void drop_audio(struct session *session)
{
    t30_state_t *t30 = fax_get_t30_state(session->fax);

    t30_set_phase_b_handler(t30, NULL, NULL);
    t30_set_phase_d_handler(t30, NULL, NULL);
    t30_set_phase_e_handler(t30, NULL, NULL);
    t30_set_real_time_frame_handler(t30, NULL, NULL);
    t30_terminate(t30);
    fax_free(session->fax);
    session->fax = NULL;
}

/* What was learnt of the far end on audio is told again on T.38. That it answered stays true. */
static void forget_agreement(struct session *session)
{
    session->confirm.trained = session->confirm.refused_page = false;
    session->nsf_seen = session->negotiated = false;
    session->choice = 0;
    session->phase = NULL;
    session->phase_rate = 0;
    session->modem = NULL;
    memset(&session->stats, 0, sizeof session->stats);
    session->bad_rows = session->longest_bad_run = session->ecm_retries = 0;
    session->moved_at_ms = session_line_ms(session);
}

void session_switch(struct session *session, const struct path_t38 *t38)
{
    if (session->over || !session->fax)
        return;
    if (session->confirm.pages > 0 || session->confirm.end_sent) {
        session_end(session, OUTCOME_END_REFUSED, "a switch to T.38 after pages were sent");
        return;
    }
    if (!start_t38(session, t38)) {
        session_end(session, OUTCOME_END_BROKEN, "no memory for a T.38 terminal");
        return;
    }
    drop_audio(session);
    forget_agreement(session);
}

bool session_is_t38(const struct session *session)
{
    return session->t38 != NULL;
}

void session_free(struct session *session)
{
    if (!session)
        return;
    session_end(session, OUTCOME_END_ABORTED, NULL);
    if (session->fax)
        fax_free(session->fax);
    t38_free(session->t38);
    class1_free(session->class1);
    free(session);
}

/* A handler stopped the session: T.30 has to end too, or it leaks and its files stay open. */
static void end_stopped(struct session *session)
{
    if (session->over && !session->finished)
        t30_terminate(session->t30);
}

void session_transmit(struct session *session, int16_t *samples, int count)
{
    int made = 0;

    if (!session->over && session->fax) {
        made = fax_tx(session->fax, samples, count);
        end_stopped(session);
    }
    if (session->over && session->end != OUTCOME_END_T30)
        made = 0; /* the frame that could not be journalled must not leave */
    memset(samples + made, 0, (size_t)(count - made) * sizeof *samples);
}

static bool is_busy(const struct session *session)
{
    if (session->class1)
        return class1_is_at_work(session->class1);
    if (session->t38)
        return t38_is_sending(session->t38) || t38_is_hearing(session->t38);
    return session->fax->modems.transmit || session->t30->rx_signal_present;
}

/* Nothing is sent, nothing is heard, no timer runs: after a lost DCN, for one, or a far end that fell silent after EOM.
 */
static bool is_waiting_in_vain(const struct session *session)
{
    const t30_state_t *t30 = session->t30;

    if (is_busy(session))
        return false;
    return t30->timer_t0_t1 <= 0 && t30->timer_t2_t4 <= 0 && t30->timer_t3 <= 0 && t30->timer_t5 <= 0;
}

static void watch_for_standstill(struct session *session)
{
    if (!is_waiting_in_vain(session))
        session->moved_at_ms = session_line_ms(session);
    else if (session_line_ms(session) > session->moved_at_ms + STANDSTILL_MS)
        session_end(session, OUTCOME_END_HUNG_UP, "the far end fell silent");
}

void session_receive(struct session *session, int16_t *samples, int count)
{
    if (session->over || !session->fax)
        return;
    fax_rx(session->fax, samples, count);
    if (!session->over)
        short_training_hear(&session->short_training, session->fax, samples, count);
    session->samples += count;
    end_stopped(session);
    if (!session->over)
        watch_for_standstill(session);
}

/* The modem is of no use any more: to the call it is as if the line had gone. */
static void end_for_fault(struct session *session)
{
    const char *fault = session->class1 ? class1_fault(session->class1) : NULL;

    if (fault && !session->over)
        session_end(session, OUTCOME_END_HUNG_UP, fault);
}

void session_advance(struct session *session, int samples)
{
    if (session->over || session->fax)
        return;
    session->samples += samples;
    if (!is_waiting_in_vain(session)) /* until now, however long that was */
        session->moved_at_ms = session_line_ms(session);
    if (session->t38)
        t38_advance(session->t38, samples);
    else
        class1_advance(session->class1, samples);
    end_stopped(session);
    end_for_fault(session);
    if (!session->over)
        watch_for_standstill(session);
}

void session_packet(struct session *session, const uint8_t *ifp, int size, uint16_t sequence)
{
    if (session->over || !session->t38)
        return;
    t38_receive(session->t38, ifp, size, sequence);
    end_stopped(session);
}

void session_octets(struct session *session, const uint8_t *octets, size_t size)
{
    if (session->over || !session->class1)
        return;
    class1_receive(session->class1, octets, size);
    end_stopped(session);
    end_for_fault(session);
}

const uint8_t *session_output(const struct session *session, size_t *size)
{
    return class1_output(session->class1, size);
}

void session_written(struct session *session, size_t size)
{
    class1_written(session->class1, size);
}

bool session_is_sending_page(const struct session *session)
{
    return !session->over && class1_is_sending_page(session->class1);
}

void session_leave(struct session *session)
{
    class1_leave(session->class1);
}

int session_due(const struct session *session)
{
    int64_t standstill;
    int due;

    if (session->over || session->fax)
        return INT_MAX;
    due = session->t38 ? t38_due(session->t38) : class1_due(session->class1);
    if (!is_waiting_in_vain(session))
        return due;
    standstill = (session->moved_at_ms + STANDSTILL_MS + 1) * (SESSION_RATE / 1000) - session->samples;
    if (standstill < 0)
        standstill = 0;
    return standstill < due ? (int)standstill : due;
}

bool session_is_sending(const struct session *session)
{
    return session->t38 && !session->over && t38_is_sending(session->t38);
}

json_t *session_record(const struct session *session)
{
    const struct confirm *confirm = &session->confirm;
    struct record record = {.facts = {.end = session->end,
                                      .t30_result = session->t30_result,
                                      .sending = session->options.sending,
                                      .answered = confirm->answered,
                                      .trained = confirm->trained,
                                      .refused_page = confirm->refused_page,
                                      .end_sent = confirm->end_sent,
                                      .final_confirmed = confirm->final_confirmed,
                                      .complete = confirm->complete,
                                      .pages = confirm->pages},
                            .message = session->message,
                            .dialogue = session->class1 ? class1_dialogue(session->class1) : NULL,
                            .mode = session->class1 ? "class1"
                                    : session->t38  ? "t38"
                                                    : "audio",
                            .t38_version = session->t38_version,
                            .remote_station_id = t30_get_rx_ident(session->t30),
                            .local_station_id = session->options.station_id,
                            .subaddress = t30_get_rx_sub_address(session->t30),
                            .rendition = session->choice,
                            .negotiated = session->negotiated,
                            .ecm = session->stats.error_correcting_mode != 0,
                            .rate_bps = session->stats.bit_rate,
                            .modem = session->modem,
                            .encoding = session->stats.encoding,
                            .x_resolution = session->stats.x_resolution,
                            .y_resolution = session->stats.y_resolution,
                            .width = session->stats.width,
                            .polling = session->options.calling != session->options.sending,
                            .bad_rows = session->bad_rows,
                            .longest_bad_run = session->longest_bad_run,
                            .ecm_retries = session->ecm_retries,
                            .answered_at_ms = session->answered_at_ms,
                            .ended_at_ms = session->ended_at_ms,
                            .line_ms = session_line_ms(session)};

    return record_to_json(&record, &session->trace);
}

static int drop_packet(void *context, const uint8_t *ifp, int size, bool image)
{
    (void)context, (void)ifp, (void)size, (void)image;
    return 0;
}

static void warm_t38(bool calling)
{
    struct t38 *t38 = t38_new(calling, 0, drop_packet, NULL);

    if (!t38)
        return;
    t38_advance(t38, SESSION_RATE);
    t30_terminate(t38_t30(t38));
    t38_free(t38);
}

/* Run both ends of a call for a moment: touches the code and tables that every call needs, so that forked engines share
 * their pages, and makes libc read the time zone while it may. */
static void warm(void)
{
    int16_t samples[160];
    int side, i;

    /* With no TZ at all, glibc looks at /etc/localtime anew in each localtime(), which spandsp calls for a header line.
     */
    setenv("TZ", ":/etc/localtime", 0);
    tzset();
    for (side = 0; side < 2; side++) {
        fax_state_t *fax = fax_init(NULL, side);

        for (i = 0; fax && i < 10; i++) {
            memset(samples, 0, sizeof samples);
            fax_tx(fax, samples, 160);
            fax_rx(fax, samples, 160);
        }
        if (fax) {
            t30_terminate(fax_get_t30_state(fax));
            fax_free(fax);
        }
        warm_t38(side != 0);
    }
}

void session_setup(void)
{
    real_hdlc_accept = (void (*)(void *, const uint8_t *, int, int))dlsym(RTLD_NEXT, "t30_hdlc_accept");
    if (!real_hdlc_accept) {
        log_error("spandsp is not what it should be: t30_hdlc_accept is missing");
        exit(EXIT_FAILURE);
    }
    page_file_setup();
    warm();
}
