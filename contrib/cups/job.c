/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From options of a print job to a fax, and the answer to what cupsd has to do next. */
#include "config.h"

#include "contrib/cups/job.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "contrib/common/order.h"
#include "contrib/common/pattern.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define TAG_MAX   64
#define TITLE_MAX 200
#define TICK_MS   500
#define LOOK_MS   15000 /* should an event be lost */
#define RETRY_S   30
#define GONE_MS   20000 /* cupsd kills a backend 30 seconds after it has canceled its job */
#define LIST_MOST 100   /* faxes of one job */

static volatile sig_atomic_t canceled;

void job_cancel(void)
{
    canceled = 1;
}

void job_pause(const struct job *job)
{
    const struct timespec tick = {.tv_nsec = TICK_MS * 1000000l};
    const char *text = json_string_value(json_object_get(job->query, "retry"));
    int64_t seconds;
    if (text == NULL || str_to_int(&seconds, text, 0, 3600) != 0)
        seconds = RETRY_S;
    for (int64_t end = clock_mono_ms() + seconds * 1000; !canceled && clock_mono_ms() < end;)
        nanosleep(&tick, NULL);
}

void job_say(const char *kind, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    char *clean = text_clean(line);
    fprintf(stderr, "%s: %s\n", kind, clean);
    free(clean);
}

static const char *word(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static bool is_yes(const json_t *object, const char *name)
{
    const char *text = word(object, name);
    return text != NULL && (strcmp(text, "yes") == 0 || strcmp(text, "true") == 0);
}

/* --- what is asked for --- */

/* An option of the job: by the name that the PPD has, or the one of other fax queues. Custom values come with a word.
 */
static const char *option(const struct job *job, const char *name, const char *other)
{
    const char *value = word(job->options, name);
    if (value == NULL && other != NULL)
        value = word(job->options, other);
    if (value != NULL && strncmp(value, "Custom.", 7) == 0)
        value += 7;
    return value != NULL && value[0] != '\0' && strcasecmp(value, "None") != 0 ? value : NULL;
}

/* The number in the title, where the queue's administrator has chosen that. The caller frees. */
static char *number_in_title(const struct job *job)
{
    static const char *const patterns[] = {"{number}", "{number}@{name}", "{any} to {number}",
                                           "{any} to {number}@{name}"};
    char *number = NULL, *name = NULL;
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0] && number == NULL; i++) {
        struct pattern pattern;
        if (pattern_compile(&pattern, patterns[i]) == 0) {
            pattern_match(&number, &name, &pattern, job->title);
            pattern_clear(&pattern);
            free(name);
        }
    }
    return number;
}

static void add_number(struct order *order, const struct job *job)
{
    const char *number = option(job, "phone", "faxPhone");
    if (number != NULL) {
        order_set(order, "to", number);
    } else if (is_yes(job->query, "title")) {
        char *found = number_in_title(job);
        order_set(order, "to", found);
        free(found);
    }
}

static void add_cover(struct order *order, const struct job *job)
{
    static const char *const fields[][2] = {{"faxToName", "to_name"},
                                            {"faxToCompany", "to_company"},
                                            {"faxSubject", "subject"},
                                            {"faxNote", NULL},
                                            {"faxFromName", "from_name"}};
    const char *cover = option(job, "faxCover", NULL);
    if (cover == NULL)
        cover = word(job->query, "cover");
    if (cover == NULL)
        return;
    order_set(order, "cover_page.template", cover);
    order_set(order, "cover_page.fields.from_name", job->user);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const char *value = option(job, fields[i][0], NULL);
        char *name =
            fields[i][1] != NULL ? xasprintf("cover_page.fields.%s", fields[i][1]) : xstrdup("cover_page.note");
        if (value != NULL)
            order_set(order, name, value);
        free(name);
    }
}

/* What tells this job from all others, also when it is tried again. The caller frees. */
static char *reference_of(const struct job *job)
{
    const char *uuid = word(job->options, "job-uuid");
    return uuid != NULL ? xasprintf("cups-%s", uuid) : xasprintf("cups-%s-%s", job->printer, job->id);
}

static void add_who(struct order *order, const struct job *job)
{
    char tag[TAG_MAX + 1], title[TITLE_MAX + 1], *text = xasprintf("user:%s", job->user),
                                                 *reference = reference_of(job);
    str_copy(tag, sizeof tag, text);
    order_add(order, "tags", tag);
    if (word(job->query, "tag") != NULL)
        order_add(order, "tags", word(job->query, "tag"));
    order_set(order, "metadata.user", job->user);
    str_copy(title, sizeof title, job->title);
    order_set(order, "metadata.title", title);
    order_set(order, "metadata.printer", job->printer);
    order_set(order, "metadata.job", job->id);
    order_set(order, "client_reference", reference);
    free(text);
    free(reference);
}

static void make_order(struct order *order, const struct job *job)
{
    static const char *const fields[][2] = {
        {"faxResolution", "resolution"}, {"faxPriority", "priority"}, {"faxNotBefore", "not_before"}};
    add_number(order, job);
    add_cover(order, job);
    add_who(order, job);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        order_set(order, fields[i][1], option(job, fields[i][0], NULL));
    order_set(order, "from", word(job->query, "from"));
    order_set(order, "route.group", word(job->query, "group"));
    for (int i = 0; i < job->path_count; i++)
        order_file(order, job->paths[i], "document.pdf");
}

/* --- what becomes of it --- */

struct waiting {
    struct client *client;
    char *path;
    json_t *fax;
    int64_t looked_ms; /* 0 = look now */
    bool ended, gone;
};

static bool look(struct waiting *waiting)
{
    json_t *fax = NULL;
    int verdict = client_request(&fax, waiting->client, "GET", waiting->path, NULL);
    waiting->looked_ms = clock_mono_ms();
    if (verdict == VERDICT_OK && json_is_object(fax)) {
        char *status = text_at(fax, "status"), *confirmed = text_at(fax, "pages.confirmed"),
             *total = text_at(fax, "pages.total");
        job_say("INFO", "Fax is %s, %s of %s pages.", status, confirmed, total[0] != '\0' ? total : "?");
        waiting->ended = verdict_is_final(status);
        free(status);
        free(confirmed);
        free(total);
        json_decref(waiting->fax);
        waiting->fax = json_incref(fax);
    }
    waiting->gone = client_status(waiting->client) == 404;
    json_decref(fax);
    return waiting->ended || waiting->gone;
}

static bool on_event(const char *type, const json_t *event, void *context)
{
    struct waiting *waiting = context;
    const char *id = json_string_value(json_object_get(json_object_get(event, "data"), "id"));
    const char *ours = json_string_value(json_object_get(waiting->fax, "id"));
    (void)type;
    if (id != NULL && ours != NULL && strcmp(id, ours) == 0)
        waiting->looked_ms = 0;
    return false;
}

static bool on_tick(void *context)
{
    struct waiting *waiting = context;
    if (canceled)
        return true;
    return (waiting->looked_ms == 0 || clock_mono_ms() - waiting->looked_ms >= LOOK_MS) && look(waiting);
}

static enum job_end end_of(const json_t *fax)
{
    char *status = text_at(fax, "status"), *why = text_at(fax, "error.message");
    bool delivered = strcmp(status, "delivered") == 0;
    if (delivered)
        job_say("INFO", "Fax delivered.");
    else
        job_say("ERROR", "Fax %s%s%s", status, why[0] != '\0' ? ": " : ".", why);
    free(status);
    free(why);
    return delivered ? JOB_DONE : JOB_CANCEL;
}

/* The job is canceled, and its fax with it. Its end is seen, so that a next run of the job knows what this one did. */
static enum job_end cancel(struct waiting *waiting)
{
    const struct timespec tick = {.tv_nsec = TICK_MS * 1000000l};
    char *path = xasprintf("%s/cancel", waiting->path);
    if (client_request(NULL, waiting->client, "POST", path, NULL) == VERDICT_OK) {
        job_say("INFO", "Fax canceled.");
        for (int64_t end = clock_mono_ms() + GONE_MS; !look(waiting) && clock_mono_ms() < end;)
            nanosleep(&tick, NULL);
    } else {
        job_say("ERROR", "The fax could not be canceled: %s", client_why(waiting->client));
    }
    free(path);
    return JOB_DONE;
}

static enum job_end wait_for_end(struct client *client, const json_t *fax)
{
    struct waiting waiting = {.client = client, .fax = json_deep_copy(fax)};
    char *id = text_at(fax, "id");
    enum job_end end;
    waiting.path = xasprintf("/v1/faxes/%s", id);
    /* A server that is away is waited for: the fax is accepted, a new try would send it once more. */
    while (!look(&waiting) && !canceled)
        client_follow(client, on_event, on_tick, TICK_MS, &waiting);
    if (waiting.ended)
        end = end_of(waiting.fax);
    else if (waiting.gone)
        end = JOB_DONE;
    else
        end = cancel(&waiting);
    json_decref(waiting.fax);
    free(waiting.path);
    free(id);
    return end;
}

/* --- sending --- */

/* The faxes of this job, the last first: of earlier runs of it. VERDICT_OK, or what client_request returns; the caller
 * frees. */
static int find_sent(json_t **faxes, struct client *client, const struct job *job)
{
    char *reference = reference_of(job), *escaped = client_escape(reference);
    char *path = xasprintf("/v1/faxes?limit=%d&client_reference=%s", LIST_MOST, escaped);
    json_t *reply = NULL;
    int verdict = client_request(&reply, client, "GET", path, NULL);
    *faxes = json_incref(json_object_get(reply, "data"));
    json_decref(reply);
    free(path);
    free(escaped);
    free(reference);
    return verdict;
}

/* Whether one of the faxes, any (id NULL) or this one, has that status. */
static bool has_status(const json_t *faxes, const char *id, const char *status)
{
    size_t index;
    const json_t *fax;
    json_array_foreach(faxes, index, fax)
    {
        const char *its = word(fax, "id"), *now = word(fax, "status");
        if (its != NULL && now != NULL && strcmp(now, status) == 0 && (id == NULL || strcmp(id, its) == 0))
            return true;
    }
    return false;
}

static enum job_end refused(struct client *client)
{
    long status = client_status(client);
    if (status == 400 || status == 413 || status == 415 || status == 422) {
        job_say("ERROR", "The fax was refused: %s", client_why(client));
        return JOB_CANCEL;
    }
    if (status == 401 || status == 403) {
        job_say("STATE", "+com.faxd.key-error");
        job_say("ERROR", "The key of this queue does not allow to send: %s", client_why(client));
        return JOB_STOP;
    }
    job_say("STATE", "+offline-report");
    job_say("INFO", "Waiting for faxd: %s", client_why(client));
    return JOB_RETRY;
}

/* One POST. A job that is tried again may look different each time it comes through the filters: faxd has it already
 * then, and the key tells. NULL = not accepted; the caller frees. */
static json_t *post(struct client *client, const struct job *job, struct order *order, const char *key)
{
    json_t *fax = NULL, *faxes = NULL;
    if (order_send(&fax, client, order, key) == VERDICT_OK || client_status(client) != 422 ||
        strstr(client_why(client), "Idempotency-Key") == NULL)
        return fax;
    if (find_sent(&faxes, client, job) == VERDICT_OK)
        fax = json_incref(json_array_get(faxes, 0));
    json_decref(faxes);
    return fax;
}

/* The fax of this job. One that was canceled before this run, as it is when the queue is stopped, is sent anew: by a
 * key made of its id, so that all later runs come to the same new fax. NULL = not accepted; the caller frees. */
static json_t *send_once(struct client *client, const struct job *job, struct order *order, const json_t *before)
{
    char *base = reference_of(job), *key = xstrdup(base);
    json_t *fax = post(client, job, order, key);
    const char *id;
    while ((id = word(fax, "id")) != NULL && has_status(before, id, "canceled")) {
        char *next = xasprintf("%s-%s", base, id);
        bool other = strcmp(next, key) != 0;
        free(key);
        key = next;
        json_decref(fax);
        fax = other ? post(client, job, order, key) : NULL;
    }
    free(base);
    free(key);
    return fax;
}

static enum job_end accepted(const struct job *job, struct client *client, const json_t *fax)
{
    char *id = text_at(fax, "id"), *to = text_at(fax, "to");
    job_say("STATE", "-offline-report,com.faxd.key-error");
    job_say("INFO", "Fax to %s accepted as %s.", to, id);
    free(id);
    free(to);
    return is_yes(job->query, "wait") ? wait_for_end(client, fax) : JOB_DONE;
}

enum job_end job_send(const struct job *job, struct client *client)
{
    struct order order = {.field_count = 0};
    json_t *before = NULL, *fax = NULL;
    enum job_end end;
    make_order(&order, job);
    if (!order_has(&order, "to")) {
        job_say("ERROR", "There is no number to fax to: lp -o phone=NUMBER");
        end = JOB_CANCEL;
    } else if (find_sent(&before, client, job) != VERDICT_OK) {
        end = refused(client);
    } else if (has_status(before, NULL, "canceling")) {
        job_say("INFO", "Waiting for the fax of an earlier try to be canceled.");
        end = JOB_RETRY;
    } else {
        fax = send_once(client, job, &order, before);
        end = fax != NULL ? accepted(job, client, fax) : refused(client);
    }
    json_decref(before);
    json_decref(fax);
    order_clear(&order);
    return end;
}
