/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plays a call that never happens, and says of it what an engine would say: the journal gets its marks in the order in
 * which a real call would leave them (server/base/journal.h), so that a crash in between means the same. Last step of
 * FaxDevSend and FaxDevReceive in simulator.c.
 */
#include "config.h"

#include "plugins/simulator/play.h"

#include "plugins/common/document.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/journal.h"
#include "server/base/log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STATION     "SIMULATOR" /* what the far end calls itself */
#define FOR_EVER_MS (INT64_C(1000) * 86400 * 365)

struct play {
    struct job *job;
    const struct plan *plan;
    int journal;
    const char *station; /* what the far end says of itself */
    int pages;           /* of the document */
    bool failed_disk;
};

static void mark(struct play *play, enum journal_mark what, int page, int64_t size)
{
    if (journal_write(play->journal, what, page, size)) {
        log_error("call journal: %s line=%d", err_message(), job_line(play->job));
        play->failed_disk = true;
    }
}

static void record_set(struct play *play, const char *key, json_t *value)
{
    json_object_set_new(job_record(play->job), key, value);
}

static BOOL play_end(struct play *play, const char *outcome)
{
    mark(play, JOURNAL_CLOSED, 0, 0);
    if (play->failed_disk)
        outcome = "internal";
    return job_finish(play->job, outcome, strcmp(outcome, "success") ? "simulated" : NULL);
}

/* False when the abort came. */
static bool pass(struct play *play, int64_t ms)
{
    return ms <= 0 ? !job_is_aborted(play->job) : job_wait(play->job, ms);
}

static void sleep_deaf(int64_t ms)
{
    struct timespec step = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&step, NULL);
}

/* The script's hang: with the abort heeded or not. False when the abort ends the call. */
static bool hang(struct play *play)
{
    int64_t ms = play->plan->hang_ms ? play->plan->hang_ms : FOR_EVER_MS;

    switch ((enum plan_hang)play->plan->hang) {
    case PLAN_HANG_NO:
        return true;
    case PLAN_HANG_ABORT:
        return job_wait(play->job, ms);
    case PLAN_HANG_DEAF:
        sleep_deaf(ms);
        return true;
    }
    return true;
}

static void crash_after(struct play *play, int page)
{
    if (play->plan->crash != page)
        return;
    log_warning("crash on demand after page %d line=%d", page, job_line(play->job));
    abort();
}

static void answered(struct play *play, DWORD status)
{
    mark(play, JOURNAL_ANSWERED, 0, 0);
    record_set(play, "connected", json_true());
    record_set(play, "answered_at_ms", json_integer(clock_now_ms()));
    record_set(play, "remote_station_id", json_string(play->station));
    job_set_station(play->job, play->station);
    job_say(play->job, status, 1);
    for (int i = 0; i < play->plan->packets; i++)
        job_say(play->job, status, 1);
    crash_after(play, 0);
}

/* The end of the last page: its confirmation comes, or is lost. */
static bool send_last(struct play *play)
{
    mark(play, JOURNAL_END_SENT, 0, 0);
    record_set(play, "end_sent", json_true());
    if (!strcmp(plan_results[play->plan->result], "confirmation_lost"))
        return false;
    mark(play, JOURNAL_FINAL_CONFIRMED, 0, 0);
    record_set(play, "final_confirmed", json_true());
    return true;
}

/* Pages until the plan's result, the abort or the end; returns the outcome. */
static const char *send_pages(struct play *play)
{
    const char *result = plan_results[play->plan->result];
    bool all = play->plan->result == 0 || !strcmp(result, "confirmation_lost") || play->plan->pages >= play->pages;
    int pages = all ? play->pages : play->plan->pages;

    for (int page = 1; page <= pages; page++) {
        if (!pass(play, play->plan->page_ms))
            return "aborted";
        if (page == play->pages && !send_last(play))
            return "confirmation_lost";
        mark(play, JOURNAL_PAGE_CONFIRMED, page, 0);
        record_set(play, "pages_confirmed", json_integer(page));
        if (page < play->pages)
            job_say(play->job, FS_TRANSMITTING, (DWORD)page + 1);
        crash_after(play, page);
    }
    return all ? "success" : result;
}

BOOL play_send(struct job *job, const struct plan *plan, int pages, int journal)
{
    struct play play = {.job = job, .plan = plan, .journal = journal, .pages = pages, .station = STATION};

    record_set(&play, "mode", json_string("simulated"));
    record_set(&play, "connected", json_false());
    record_set(&play, "pages_confirmed", json_integer(0));
    record_set(&play, "end_sent", json_false());
    record_set(&play, "final_confirmed", json_false());
    job_say(job, FS_DIALING, 0);
    if (!pass(&play, plan->answer_ms))
        return play_end(&play, "aborted");
    if (!plan_connects(plan))
        return play_end(&play, plan_results[plan->result]);
    if (!strcmp(plan_results[plan->result], "not_fax")) {
        record_set(&play, "connected", json_true());
        return play_end(&play, "not_fax");
    }
    answered(&play, FS_TRANSMITTING);
    if (!hang(&play) || !pass(&play, plan->call_ms))
        return play_end(&play, "aborted");
    return play_end(&play, send_pages(&play));
}

/* A page is in the file and synced: confirm it. Another result than 0 ends the copy. */
static int page_received(void *context, int page, long long size)
{
    struct play *play = context;

    mark(play, JOURNAL_PAGE_RECEIVED, page, size);
    if (play->failed_disk)
        return ERR_IO;
    record_set(play, "pages_received", json_integer(page));
    crash_after(play, page);
    job_say(play->job, FS_RECEIVING, (DWORD)page + 1);
    return pass(play, play->plan->page_ms) ? 0 : ERR_CLOSED;
}

static const char *receive_pages(struct play *play, const char *from, const char *to)
{
    bool all = play->plan->result == 0 || play->plan->pages >= play->pages;
    int err = document_copy(to, from, all ? play->pages : play->plan->pages, page_received, play);

    if (err == ERR_CLOSED)
        return "aborted";
    if (err)
        return "internal";
    if (!all)
        return plan_results[play->plan->result];
    mark(play, JOURNAL_RECEIVE_COMPLETE, 0, 0);
    record_set(play, "receive_complete", json_true());
    return "success";
}

BOOL play_receive(struct job *job, const struct plan *plan, const char *from, const char *to, const char *station,
                  int journal)
{
    struct play play = {.job = job, .plan = plan, .journal = journal, .station = *station ? station : STATION};
    struct document document;

    record_set(&play, "mode", json_string("simulated"));
    record_set(&play, "pages_received", json_integer(0));
    record_set(&play, "receive_complete", json_false());
    job_say(job, FS_ANSWERED, 0);
    if (document_read(&document, from)) {
        log_error("cannot ring with this file: %s line=%d", err_message(), job_line(job));
        return play_end(&play, "internal");
    }
    play.pages = document.pages;
    if (!strcmp(plan_results[plan->result], "not_fax"))
        return play_end(&play, "not_fax");
    answered(&play, FS_RECEIVING);
    if (!hang(&play) || !pass(&play, plan->call_ms))
        return play_end(&play, "aborted");
    return play_end(&play, receive_pages(&play, from, to));
}
