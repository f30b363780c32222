/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `fax send --wait` and `fax watch ID`. The event stream tells when to look; between events pages of a call under way
 * are asked for every second, and any fax now and then, in case an event was lost.
 */
#include "config.h"

#include "web/cli/progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define TICK_MS       250
#define LOOK_CALL_MS  1000
#define LOOK_QUEUE_MS 15000
#define BAR_WIDTH     24

struct progress {
    struct cli *cli;
    const char *id;
    char *path;
    json_t *fax;       /* newest, NULL before the first look */
    int64_t looked_ms; /* monotonic; 0 = look now */
    int64_t since_ms;
    bool bar;       /* on a terminal */
    int bar_length; /* columns drawn */
    char last[256]; /* line printed, without a terminal */
    int failure;    /* exit status of a look that failed for good */
};

/* Something moves: pages are made, or a call is under way. */
static bool is_moving(const char *status)
{
    return strcmp(status, "preparing") == 0 || strcmp(status, "dialing") == 0 || strcmp(status, "negotiating") == 0 ||
           strcmp(status, "sending") == 0 || strcmp(status, "receiving") == 0 || strcmp(status, "canceling") == 0 ||
           strcmp(status, "ringing") == 0;
}

/* How many pages are done, of how many: made while the fax is prepared, else confirmed. */
static json_int_t pages_done(json_int_t *total, const json_t *fax)
{
    const json_t *preparation = json_object_get(fax, "preparation"), *pages = json_object_get(fax, "pages");
    bool preparing = json_is_object(preparation);
    *total = json_integer_value(preparing ? json_object_get(preparation, "of") : json_object_get(pages, "total"));
    return json_integer_value(preparing ? json_object_get(preparation, "pages") : json_object_get(pages, "confirmed"));
}

/* "sending 2/4 pages, 14400 bit/s to 1002 (try 2)". The caller frees. */
static char *describe(const json_t *fax)
{
    char *status = text_at(fax, "status"), *to = text_at(fax, "to"), *next = text_at(fax, "next_attempt_at");
    char *reason = text_at(fax, "reason"), *at = text_time(next), pages[64] = "";
    json_int_t total, confirmed = pages_done(&total, fax);
    json_int_t tries = json_integer_value(json_object_get(fax, "attempts"));
    if (total > 0)
        snprintf(pages, sizeof pages, " %lld/%lld pages", (long long)confirmed, (long long)total);
    char *text = xasprintf("%s%s%s%s%s%s%s%s%s", status, pages, to[0] != '\0' ? " to " : "", to,
                           next[0] != '\0' ? ", next try " : "", next[0] != '\0' ? at : "",
                           reason[0] != '\0' ? " (" : "", reason, reason[0] != '\0' ? ")" : "");
    if (tries > 1) {
        char *longer = xasprintf("%s, try %lld", text, (long long)tries);
        free(text);
        text = longer;
    }
    free(status);
    free(to);
    free(next);
    free(reason);
    free(at);
    return text;
}

void progress_print(const json_t *fax)
{
    char *id = text_at(fax, "id"), *text = describe(fax), *message = text_at(fax, "error.message");
    char *hint = text_at(fax, "error.hint");
    text_print(stdout, message[0] != '\0' ? "%s %s: %s" : "%s %s%s", id, text, message);
    bool ended = message[0] == '\0' || message[strlen(message) - 1] == '.';
    text_print(stdout, "%s%s\n", hint[0] == '\0' ? "" : ended ? " " : ". ", hint);
    free(id);
    free(text);
    free(message);
    free(hint);
}

static int terminal_width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

static void draw_bar(struct progress *progress)
{
    json_int_t total, confirmed = pages_done(&total, progress->fax);
    int filled = total > 0 && confirmed >= 0 && confirmed <= total ? (int)(confirmed * BAR_WIDTH / total) : 0;
    int64_t seconds = (clock_mono_ms() - progress->since_ms) / 1000;
    char bar[BAR_WIDTH + 1], *text = describe(progress->fax), *clean = text_clean(text);
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', (size_t)filled);
    bar[BAR_WIDTH] = '\0';
    /* Cut to one line of the terminal: a wrapped line could not be drawn over. */
    char *line = xasprintf("[%s] %02lld:%02lld %s", bar, (long long)seconds / 60, (long long)seconds % 60, clean);
    int length = (int)strlen(line), most = terminal_width() - 1;
    if (length > most)
        length = most;
    fprintf(stderr, "\r%.*s%*s", length, line, progress->bar_length > length ? progress->bar_length - length : 0, "");
    fflush(stderr);
    progress->bar_length = length;
    free(line);
    free(clean);
    free(text);
}

static void clear_bar(struct progress *progress)
{
    if (progress->bar_length > 0)
        fprintf(stderr, "\r%*s\r", progress->bar_length, "");
    fflush(stderr);
    progress->bar_length = 0;
}

/* On a change, one line. */
static void draw_line(struct progress *progress)
{
    char *text = describe(progress->fax);
    if (strncmp(text, progress->last, sizeof progress->last - 1) != 0) {
        text_print(stderr, "%s %s\n", progress->id, text);
        snprintf(progress->last, sizeof progress->last, "%s", text);
    }
    free(text);
}

static void draw(struct progress *progress)
{
    if (progress->bar)
        draw_bar(progress);
    else
        draw_line(progress);
}

static const char *status_of(const struct progress *progress)
{
    const char *status = json_string_value(json_object_get(progress->fax, "status"));
    return status != NULL ? status : "";
}

/* Ask for the fax. True when the following ends here. */
static bool look(struct progress *progress)
{
    json_t *fax = NULL;
    clear_bar(progress); /* a complaint wants a line of its own */
    int verdict = client_request(&fax, progress->cli->client, "GET", progress->path, NULL);
    progress->looked_ms = clock_mono_ms();
    if (verdict == VERDICT_UNREACHABLE) /* it may be restarting; the fax goes on */
        return false;
    if (verdict != VERDICT_OK || !json_is_object(fax)) {
        progress->failure = verdict != VERDICT_OK ? verdict : VERDICT_ERROR;
        json_decref(fax);
        return true;
    }
    json_decref(progress->fax);
    progress->fax = fax;
    return verdict_is_final(status_of(progress));
}

static bool on_event(const char *type, const json_t *event, void *context)
{
    struct progress *progress = context;
    const char *id = json_string_value(json_object_get(json_object_get(event, "data"), "id"));
    (void)type;
    if (id != NULL && strcmp(id, progress->id) == 0)
        progress->looked_ms = 0;
    return false;
}

static bool on_tick(void *context)
{
    struct progress *progress = context;
    int64_t interval = is_moving(status_of(progress)) ? LOOK_CALL_MS : LOOK_QUEUE_MS;
    bool ended = false;
    if (progress->looked_ms == 0 || clock_mono_ms() - progress->looked_ms >= interval)
        ended = look(progress);
    if (progress->fax != NULL && !(ended && progress->bar))
        draw(progress);
    return ended;
}

int progress_follow(struct cli *cli, const char *id, const json_t *first)
{
    char *escaped = client_escape(id);
    struct progress progress = {.cli = cli,
                                .id = id,
                                .path = xasprintf("/v1/faxes/%s", escaped),
                                .fax = json_deep_copy(first),
                                .since_ms = clock_mono_ms(),
                                .bar = isatty(STDERR_FILENO) && !cli->json};
    int verdict = VERDICT_OK;
    if (progress.fax != NULL)
        draw(&progress);
    if (!look(&progress))
        verdict = client_follow(cli->client, on_event, on_tick, TICK_MS, &progress);
    clear_bar(&progress);
    if (progress.failure != 0)
        verdict = progress.failure;
    if (verdict != VERDICT_OK && progress.fax != NULL)
        text_complain("%s was accepted; what becomes of it is not known here", id);
    if (verdict == VERDICT_OK && progress.fax != NULL) {
        if (cli->json)
            text_json(progress.fax);
        else
            progress_print(progress.fax);
        verdict = verdict_of_fax(progress.fax);
    }
    json_decref(progress.fax);
    free(progress.path);
    free(escaped);
    return verdict;
}
