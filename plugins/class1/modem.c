/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a modem. Its thread does one thing after the other: bring it up, watch it, make it ready after a job;
 * between two of them it hands the device to a job that wants it, and waits until it comes back. All waits are for
 * descriptors, and one event ends them all when the provider closes.
 *
 * "down" is a modem that is not there, or with another program; "faulty" is one that is there and does not work, which
 * somebody has to mend. Both are tried again, ever more seldom.
 */
#include "config.h"

#include "plugins/class1/modem.h"

#include "plugins/class1/probe.h"
#include "plugins/class1/ring.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define DOWN_MIN_MS 1000
#define DOWN_MAX_MS 30000
#define DTR_MS      500 /* &D2 wants DTR to be down for S25, 50 ms */
#define HANG_UP_MS  3000
#define SETTLE_MS   100 /* for what a modem says late of a call that is over */
#define REASON_SIZE 256

enum modem_state { MODEM_DOWN, MODEM_UP, MODEM_FAULTY };

static const char *const state_words[] = {[MODEM_DOWN] = "down", [MODEM_UP] = "up", [MODEM_FAULTY] = "faulty"};

struct modem {
    struct modem_options options;
    pthread_t thread;
    bool started;
    int stop_fd, wake_fd, cancel_fd; /* eventfds: the end; look again; the job is cancelled */

    /* Of whoever has the device: the thread, or the job that borrowed it. */
    struct tty *tty; /* NULL = closed */
    struct at at;
    struct probe probe;

    /* The thread's own. */
    int64_t retry_at, check_at; /* monotonic ms */
    int64_t backoff_ms;
    struct at_report report;

    pthread_mutex_t lock; /* guards all that follows */
    pthread_cond_t changed;
    enum modem_state state;
    bool ready; /* up, and fit to be borrowed */
    bool stop, wanted, borrowed, used, test_wanted;
    bool receive, taken, cancelled, answered;
    struct ring ring;
    char reason[REASON_SIZE], model[PROBE_MODEL_SIZE];
    int64_t since_ms, tested_at; /* UTC ms */
    bool test_ok;
    char *test_report;
};

static void event_set(int fd)
{
    const uint64_t one = 1;

    (void)!write(fd, &one, sizeof one);
}

static void event_clear(int fd)
{
    uint64_t count;

    (void)!read(fd, &count, sizeof count);
}

/* --- rings --- */

static struct ring_rules rules_of(const struct modem *modem)
{
    return (struct ring_rules){.distinctive = modem->options.setup->distinctive,
                               .did_prefix = modem->options.setup->did_pattern};
}

/* Is there a call to be told of? Locked. */
static bool ring_is_due(const struct modem *modem)
{
    return modem->receive && !modem->taken && !modem->ring.quiet &&
           modem->ring.count >= setup_rings(modem->options.setup) && ring_is_alive(&modem->ring, clock_mono_ms());
}

static void tell_ring(struct modem *modem, bool due)
{
    if (due)
        modem->options.rang(modem->options.context, modem->options.line);
}

/* A line that the modem says unasked. */
static void on_line(void *context, const char *line)
{
    struct modem *modem = context;
    struct ring_rules rules = rules_of(modem);
    bool rang, due;

    pthread_mutex_lock(&modem->lock);
    rang = ring_take(&modem->ring, &rules, line, clock_mono_ms());
    due = rang && ring_is_due(modem);
    pthread_mutex_unlock(&modem->lock);
    if (rang)
        log_debug("%s line=%d", line, modem->options.line);
    tell_ring(modem, due);
}

/* --- states --- */

static bool is_stopping(struct modem *modem)
{
    bool stop;

    pthread_mutex_lock(&modem->lock);
    stop = modem->stop;
    pthread_mutex_unlock(&modem->lock);
    return stop;
}

static void say_state(const struct modem *modem, enum modem_state state, const char *reason)
{
    const struct setup_line *setup = modem->options.setup;

    if (state == MODEM_UP)
        log_info("modem is up device=%s model=\"%s\" line=%d", setup->device, modem->probe.model, modem->options.line);
    else if (state == MODEM_FAULTY)
        log_error("modem is faulty device=%s: %s line=%d", setup->device, reason, modem->options.line);
    else
        log_warning("modem is down device=%s: %s line=%d", setup->device, reason, modem->options.line);
}

static void set_state(struct modem *modem, enum modem_state state, const char *reason)
{
    bool news;

    pthread_mutex_lock(&modem->lock);
    news = modem->state != state || strcmp(modem->reason, reason) != 0;
    if (modem->state != state)
        modem->since_ms = clock_now_ms();
    modem->state = state;
    modem->ready = state == MODEM_UP;
    str_copy(modem->reason, sizeof modem->reason, reason);
    if (state == MODEM_UP)
        str_copy(modem->model, sizeof modem->model, modem->probe.model);
    else
        memset(&modem->ring, 0, sizeof modem->ring);
    pthread_cond_broadcast(&modem->changed);
    pthread_mutex_unlock(&modem->lock);
    if (!news)
        return;
    say_state(modem, state, reason);
    modem->options.changed(modem->options.context);
}

static bool is_absence(int err)
{
    return err == ERR_NOT_FOUND || err == ERR_CLOSED || err == ERR_CONFLICT;
}

static void close_tty(struct modem *modem)
{
    tty_close(modem->tty);
    modem->tty = NULL;
}

/* It cannot be used, as the error says: closed, and tried again later. */
static void fall(struct modem *modem, int err)
{
    const struct setup_line *setup = modem->options.setup;
    enum modem_state state = is_absence(err) ? MODEM_DOWN : MODEM_FAULTY;
    int64_t least_ms = state == MODEM_DOWN ? DOWN_MIN_MS : setup->retry_min_s * 1000LL;
    int64_t most_ms = state == MODEM_DOWN ? DOWN_MAX_MS : setup->retry_max_s * 1000LL;
    char reason[REASON_SIZE];

    str_copy(reason, sizeof reason, err_message());
    close_tty(modem);
    if (is_stopping(modem))
        return;
    modem->backoff_ms = modem->state == state && modem->backoff_ms > 0 ? modem->backoff_ms * 2 : least_ms;
    if (modem->backoff_ms > most_ms)
        modem->backoff_ms = most_ms;
    modem->retry_at = clock_mono_ms() + modem->backoff_ms;
    set_state(modem, state, reason);
}

static void next_check(struct modem *modem)
{
    int check_s = modem->options.setup->check_s;

    modem->check_at = check_s > 0 ? clock_mono_ms() + check_s * 1000LL : INT64_MAX;
}

/* --- bringing it up --- */

static int open_tty(struct modem *modem)
{
    const struct setup_line *setup = modem->options.setup;
    struct tty_options options = {.path = setup->device,
                                  .lock_dir = setup->lock_dir,
                                  .speed_bps = setup->speed_bps,
                                  .flow = (enum tty_flow)setup->flow};
    int err = tty_open(&modem->tty, &options);

    if (err != 0)
        return err;
    tty_flush(modem->tty);
    modem->at = (struct at){.fd = tty_fd(modem->tty),
                            .wake_fd = modem->stop_fd,
                            .report = &modem->report,
                            .on_line = on_line,
                            .context = modem};
    return 0;
}

/* It does not answer: everything that may bring a modem back to its senses. Without DTR (a pseudo-terminal), closing
 * the device says the same. */
static int reset(struct modem *modem)
{
    static const char end_of_data[] = {0x10, 0x03};
    enum answer_kind result;
    int err;

    at_report(&modem->report, "  (reset: abort, DTR down, ATZ)");
    (void)!write(modem->at.fd, end_of_data, sizeof end_of_data);
    at_abort(&modem->at, SETTLE_MS);
    tty_set_dtr(modem->tty, false);
    err = at_pause(&modem->at, DTR_MS);
    close_tty(modem);
    if (err == 0)
        err = open_tty(modem);
    if (err == 0 && (err = at_command(&modem->at, &result, NULL, 0, "ATZ", AT_ANSWER_MS)) == ERR_AGAIN)
        err = 0; /* the probe says it better */
    return err;
}

static int probe(struct modem *modem)
{
    int err = probe_run(&modem->probe, &modem->at, modem->options.setup, tty_speed_bps(modem->tty));

    modem->at.report = NULL;
    return err;
}

/* Open the device if it is not, and make a ready modem of it. */
static int bring_up(struct modem *modem)
{
    int err = 0;

    memset(&modem->report, 0, sizeof modem->report);
    if (modem->tty == NULL)
        err = open_tty(modem);
    if (err != 0)
        return err;
    modem->at.report = &modem->report;
    err = probe(modem);
    if (err == ERR_AGAIN) {
        log_info("the modem does not answer and is reset: %s line=%d", err_message(), modem->options.line);
        err = reset(modem);
        if (err == 0)
            err = probe(modem);
    }
    return err;
}

/* What `fax line test` prints: first what came of it, then what was said. The caller frees. */
static char *test_text(struct modem *modem, int err, const char *why)
{
    struct at_report head = {.used = 0};

    if (err != 0)
        at_report(&head, "error:     %s", why);
    if (modem->tty != NULL && modem->probe.make != NULL)
        probe_report(&head, &modem->probe, modem->options.setup, tty_speed_bps(modem->tty));
    else
        at_report(&head, "device:    %s", modem->options.setup->device);
    return xasprintf("%s%s%s", head.text, modem->report.used > 0 ? "what was said:\n" : "", modem->report.text);
}

/* The test that was asked for, if one was, has this result. */
static void end_test(struct modem *modem, int err)
{
    char reason[REASON_SIZE];
    char *text;
    bool wanted;

    str_copy(reason, sizeof reason, err_message());
    text = test_text(modem, err, reason);
    pthread_mutex_lock(&modem->lock);
    wanted = modem->test_wanted && !modem->stop;
    if (wanted) {
        int64_t now_ms = clock_now_ms();

        modem->test_wanted = false;
        modem->test_ok = err == 0;
        modem->tested_at = now_ms > modem->tested_at ? now_ms : modem->tested_at + 1; /* two tests are told apart */
        free(modem->test_report);
        modem->test_report = text;
        text = NULL;
    }
    pthread_mutex_unlock(&modem->lock);
    free(text);
    if (wanted)
        modem->options.changed(modem->options.context);
    if (err != 0)
        err_set((enum err_code)err, "%s", reason); /* for fall */
}

static void come_up(struct modem *modem)
{
    int err = bring_up(modem);

    end_test(modem, err);
    if (err != 0) {
        fall(modem, err);
        return;
    }
    modem->backoff_ms = 0;
    next_check(modem);
    set_state(modem, MODEM_UP, "");
}

/* --- while it is up --- */

/* After a job: on hook, and as if it had just been opened. */
static void make_ready(struct modem *modem)
{
    enum answer_kind result;
    int err;

    modem->at.wake_fd = modem->stop_fd;
    memset(&modem->at.line, 0, sizeof modem->at.line);
    err = at_command(&modem->at, &result, NULL, 0, "ATH0", HANG_UP_MS);
    if (err == 0)
        err = at_pause(&modem->at, SETTLE_MS);
    if (err == 0)
        err = probe_ready(&modem->probe, &modem->at, modem->options.setup);
    if (err == 0) {
        next_check(modem);
        set_state(modem, MODEM_UP, "");
    } else if (err == ERR_AGAIN) {
        come_up(modem); /* which resets it */
    } else {
        fall(modem, err);
    }
}

/* A word now and then, so that a modem that hangs is found before a fax wants it. */
static void check(struct modem *modem)
{
    bool rings = modem_rings(modem);
    int err = 0;

    next_check(modem);
    if (!tty_is_there(modem->tty))
        err = err_set(ERR_CLOSED, "the device %s has gone", modem->options.setup->device);
    else if (!rings)
        err = at_order(&modem->at, "AT");
    if (err == ERR_AGAIN || err == ERR_INVALID)
        come_up(modem);
    else if (err != 0)
        fall(modem, err);
}

/* Until the modem says something, somebody wants something, or it is time to ask. */
static void watch(struct modem *modem)
{
    int64_t left_ms = modem->check_at - clock_mono_ms();
    struct pollfd fds[2] = {{.fd = modem->wake_fd, .events = POLLIN}, {.fd = modem->at.fd, .events = POLLIN}};
    int timeout_ms = modem->check_at == INT64_MAX ? -1 : left_ms > 0 ? (int)left_ms : 0;
    int count = poll(fds, 2, timeout_ms);
    int err = 0;

    if (fds[0].revents != 0)
        event_clear(modem->wake_fd);
    if (count > 0 && fds[1].revents != 0)
        err = at_drain(&modem->at);
    if (err != 0)
        fall(modem, err);
    else if (clock_mono_ms() >= modem->check_at)
        check(modem);
}

/* Until the next try is due, or somebody wants something. */
static void wait_retry(struct modem *modem)
{
    struct pollfd wake = {.fd = modem->wake_fd, .events = POLLIN};
    int64_t left_ms = modem->retry_at - clock_mono_ms();

    if (poll(&wake, 1, left_ms > 0 ? (int)left_ms : 0) > 0)
        event_clear(modem->wake_fd);
}

/* --- the thread --- */

struct wishes {
    bool used, test;
};

/* Lend the device for as long as jobs want it. False at the end. */
static bool lend(struct modem *modem, struct wishes *wishes)
{
    bool stop;

    pthread_mutex_lock(&modem->lock);
    while (!modem->stop && (modem->borrowed || (modem->wanted && modem->ready))) {
        if (!modem->borrowed) {
            modem->borrowed = true;
            pthread_cond_broadcast(&modem->changed);
        }
        pthread_cond_wait(&modem->changed, &modem->lock);
    }
    *wishes = (struct wishes){.used = modem->used, .test = modem->test_wanted};
    modem->used = false;
    stop = modem->stop;
    pthread_mutex_unlock(&modem->lock);
    return !stop;
}

static void *modem_main(void *argument)
{
    struct modem *modem = argument;
    struct wishes wishes;

    while (lend(modem, &wishes)) {
        if (modem->tty != NULL && wishes.used)
            make_ready(modem);
        else if (wishes.test || (modem->tty == NULL && clock_mono_ms() >= modem->retry_at))
            come_up(modem);
        else if (modem->tty == NULL)
            wait_retry(modem);
        else
            watch(modem);
    }
    close_tty(modem);
    return NULL;
}

struct modem *modem_new(const struct modem_options *options)
{
    struct modem *modem = xcalloc(1, sizeof *modem);

    modem->options = *options;
    modem->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    modem->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    modem->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&modem->lock, NULL);
    pthread_cond_init(&modem->changed, NULL);
    modem->since_ms = clock_now_ms();
    str_copy(modem->reason, sizeof modem->reason, "the modem has not been asked yet");
    return modem;
}

void modem_start(struct modem *modem)
{
    sigset_t all, before;

    if (modem->stop_fd < 0 || modem->wake_fd < 0 || modem->cancel_fd < 0) {
        log_error("no descriptors for a modem line=%d", modem->options.line);
        return;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the host's */
    modem->started = pthread_create(&modem->thread, NULL, modem_main, modem) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!modem->started)
        log_error("no thread for a modem line=%d", modem->options.line);
}

static void close_event(int fd)
{
    if (fd >= 0)
        close(fd);
}

void modem_free(struct modem *modem)
{
    if (modem == NULL)
        return;
    if (modem->started) {
        pthread_mutex_lock(&modem->lock);
        modem->stop = true;
        pthread_cond_broadcast(&modem->changed);
        pthread_mutex_unlock(&modem->lock);
        event_set(modem->stop_fd);
        event_set(modem->wake_fd);
        pthread_join(modem->thread, NULL);
    }
    close_event(modem->stop_fd);
    close_event(modem->wake_fd);
    close_event(modem->cancel_fd);
    pthread_cond_destroy(&modem->changed);
    pthread_mutex_destroy(&modem->lock);
    free(modem->test_report);
    free(modem);
}

/* --- jobs --- */

void modem_enable(struct modem *modem, bool receive)
{
    bool due;

    pthread_mutex_lock(&modem->lock);
    modem->receive = receive;
    due = ring_is_due(modem);
    pthread_mutex_unlock(&modem->lock);
    tell_ring(modem, due);
}

bool modem_take(struct modem *modem)
{
    bool free_before;

    pthread_mutex_lock(&modem->lock);
    free_before = !modem->taken;
    if (free_before) {
        modem->taken = true;
        modem->cancelled = modem->answered = false;
        event_clear(modem->cancel_fd);
    }
    pthread_mutex_unlock(&modem->lock);
    return free_before;
}

void modem_release(struct modem *modem)
{
    bool due;

    pthread_mutex_lock(&modem->lock);
    modem->taken = false;
    if (modem->cancelled && !modem->answered)
        modem->ring.quiet = modem->ring.count > 0;
    due = ring_is_due(modem);
    pthread_mutex_unlock(&modem->lock);
    tell_ring(modem, due);
}

void modem_cancel(struct modem *modem)
{
    pthread_mutex_lock(&modem->lock);
    modem->cancelled = true;
    event_set(modem->cancel_fd);
    pthread_cond_broadcast(&modem->changed);
    pthread_mutex_unlock(&modem->lock);
}

int modem_borrow(struct modem *modem)
{
    int err = 0;

    pthread_mutex_lock(&modem->lock);
    modem->wanted = true;
    event_set(modem->wake_fd);
    while (!modem->borrowed && modem->state == MODEM_UP && !modem->cancelled)
        pthread_cond_wait(&modem->changed, &modem->lock);
    modem->wanted = false;
    if (!modem->borrowed && modem->cancelled)
        err = err_set(ERR_CONFLICT, "the call was aborted before the modem was ready");
    else if (!modem->borrowed)
        err = err_set(ERR_CLOSED, "the modem is %s: %s", state_words[modem->state], modem->reason);
    pthread_mutex_unlock(&modem->lock);
    if (err == 0)
        modem->at.wake_fd = modem->cancel_fd;
    return err;
}

struct at *modem_at(struct modem *modem)
{
    return &modem->at;
}

json_t *modem_plan(struct modem *modem, int *fd)
{
    *fd = fcntl(modem->at.fd, F_DUPFD_CLOEXEC, 0);
    if (*fd < 0) {
        err_set(ERR_IO, "no descriptor for the modem: %s", strerror(errno));
        return NULL;
    }
    return probe_json(&modem->probe, modem->options.setup, tty_speed_bps(modem->tty));
}

void modem_return(struct modem *modem)
{
    pthread_mutex_lock(&modem->lock);
    modem->borrowed = false;
    modem->used = true;
    modem->ready = false; /* until the thread has made it so */
    pthread_cond_broadcast(&modem->changed);
    pthread_mutex_unlock(&modem->lock);
}

bool modem_rings(struct modem *modem)
{
    bool rings;

    pthread_mutex_lock(&modem->lock);
    rings = ring_is_alive(&modem->ring, clock_mono_ms());
    pthread_mutex_unlock(&modem->lock);
    return rings;
}

json_t *modem_ring_info(struct modem *modem)
{
    json_t *info;

    pthread_mutex_lock(&modem->lock);
    info = ring_info(&modem->ring, modem->options.setup->number);
    pthread_mutex_unlock(&modem->lock);
    return info;
}

json_t *modem_answer(struct modem *modem)
{
    json_t *info = NULL;

    pthread_mutex_lock(&modem->lock);
    if (ring_is_alive(&modem->ring, clock_mono_ms())) {
        info = ring_info(&modem->ring, modem->options.setup->number);
        modem->answered = true;
        memset(&modem->ring, 0, sizeof modem->ring);
    }
    pthread_mutex_unlock(&modem->lock);
    return info;
}

/* --- looking --- */

bool modem_test(struct modem *modem)
{
    bool busy;

    pthread_mutex_lock(&modem->lock);
    busy = modem->taken;
    modem->test_wanted = modem->test_wanted || !busy;
    pthread_mutex_unlock(&modem->lock);
    if (busy)
        err_set(ERR_CONFLICT, "the line is in a call");
    else
        event_set(modem->wake_fd);
    return !busy;
}

int64_t modem_tested_at(struct modem *modem)
{
    int64_t at_ms;

    pthread_mutex_lock(&modem->lock);
    at_ms = modem->tested_at;
    pthread_mutex_unlock(&modem->lock);
    return at_ms;
}

json_t *modem_json(struct modem *modem, bool with_report)
{
    json_t *object;

    pthread_mutex_lock(&modem->lock);
    object = json_pack("{s:i, s:s, s:s, s:s, s:s, s:I}", "line", modem->options.line, "state",
                       state_words[modem->state], "reason", modem->reason, "device", modem->options.setup->device,
                       "model", modem->model, "since_ms", (json_int_t)modem->since_ms);
    if (modem->tested_at != 0)
        json_object_set_new(object, "last_test",
                            json_pack("{s:I, s:b, s:s}", "at_ms", (json_int_t)modem->tested_at, "ok",
                                      (int)modem->test_ok, "report",
                                      with_report && modem->test_report != NULL ? modem->test_report : ""));
    pthread_mutex_unlock(&modem->lock);
    return object;
}
