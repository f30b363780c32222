/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which line has what. Dialogs are called without the lock, since they call back. */
#include "config.h"

#include "plugins/sip/sip_lines.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "server/base/log.h"

struct sip_line {
    bool receive, send;
    bool taken;     /* it has a job */
    bool cancelled; /* and that was aborted */
    bool ignored;   /* what rings was rejected, and is left to ring */
    struct dialog *ringing;
    struct dialog *call; /* of the job; borrowed */
    uint64_t idle_since; /* order of becoming idle */
};

struct sip_lines {
    pthread_mutex_t lock;
    int count;
    uint64_t clock;
    void (*ring)(void *context, int line);
    void *context;
    struct sip_line lines[];
};

struct sip_lines *sip_lines_new(int count, void (*ring)(void *context, int line), void *context)
{
    struct sip_lines *lines = xcalloc(1, sizeof(*lines) + (unsigned long)count * sizeof(lines->lines[0]));

    pthread_mutex_init(&lines->lock, NULL);
    lines->count = count;
    lines->ring = ring;
    lines->context = context;
    return lines;
}

void sip_lines_free(struct sip_lines *lines)
{
    if (!lines)
        return;
    pthread_mutex_destroy(&lines->lock);
    free(lines);
}

void sip_lines_enable(struct sip_lines *lines, int line, bool receive, bool send)
{
    pthread_mutex_lock(&lines->lock);
    lines->lines[line].receive = receive;
    lines->lines[line].send = send;
    pthread_mutex_unlock(&lines->lock);
}

bool sip_lines_may_send(struct sip_lines *lines, int line)
{
    bool may;

    pthread_mutex_lock(&lines->lock);
    may = lines->lines[line].send;
    pthread_mutex_unlock(&lines->lock);
    return may;
}

/* Under the lock. */
static int find_idle(const struct sip_lines *lines)
{
    int best = -1;

    for (int i = 0; i < lines->count; i++) {
        const struct sip_line *line = &lines->lines[i];

        if (line->receive && !line->taken && !line->ringing &&
            (best < 0 || line->idle_since < lines->lines[best].idle_since))
            best = i;
    }
    return best;
}

/* A call that rang is over before anybody answered. */
static void on_gone(void *context, struct dialog *dialog)
{
    struct sip_lines *lines = context;
    bool found = false;

    pthread_mutex_lock(&lines->lock);
    for (int i = 0; i < lines->count && !found; i++) {
        found = lines->lines[i].ringing == dialog;
        if (found) {
            lines->lines[i].ringing = NULL;
            lines->lines[i].idle_since = ++lines->clock;
        }
    }
    pthread_mutex_unlock(&lines->lock);
    if (found)
        dialog_release(dialog);
}

int sip_lines_ring(struct sip_lines *lines, struct dialog *dialog)
{
    int line;

    pthread_mutex_lock(&lines->lock);
    line = find_idle(lines);
    if (line >= 0) {
        lines->lines[line].ringing = dialog;
        lines->lines[line].ignored = false;
    }
    pthread_mutex_unlock(&lines->lock);
    if (line < 0)
        return -1;
    dialog_on_gone(dialog, on_gone, lines);
    lines->ring(lines->context, line);
    return line;
}

bool sip_lines_ring_again(struct sip_lines *lines)
{
    bool any = false;

    for (int i = 0; i < lines->count; i++) {
        bool rings;

        pthread_mutex_lock(&lines->lock);
        rings = lines->lines[i].ringing && !lines->lines[i].taken && !lines->lines[i].ignored;
        any = any || lines->lines[i].ringing;
        pthread_mutex_unlock(&lines->lock);
        if (rings)
            lines->ring(lines->context, i);
    }
    return any;
}

bool sip_lines_take(struct sip_lines *lines, int line)
{
    bool taken;

    pthread_mutex_lock(&lines->lock);
    taken = lines->lines[line].taken;
    lines->lines[line].taken = true;
    if (!taken)
        lines->lines[line].cancelled = false;
    pthread_mutex_unlock(&lines->lock);
    return !taken;
}

/* The call leaves the line; under the lock. */
static struct dialog *take_ringing(struct sip_lines *lines, int line)
{
    struct dialog *dialog = lines->lines[line].ringing;

    lines->lines[line].ringing = NULL;
    return dialog;
}

static void refuse(struct dialog *dialog, int status)
{
    dialog_reject(dialog, status);
    dialog_release(dialog);
}

void sip_lines_release(struct sip_lines *lines, int line, int reject)
{
    struct dialog *refused = NULL;

    pthread_mutex_lock(&lines->lock);
    if (lines->lines[line].cancelled && lines->lines[line].ringing && reject)
        refused = take_ringing(lines, line);
    else if (lines->lines[line].cancelled)
        lines->lines[line].ignored = true;
    lines->lines[line].taken = lines->lines[line].cancelled = false;
    lines->lines[line].idle_since = ++lines->clock;
    pthread_mutex_unlock(&lines->lock);
    if (refused)
        refuse(refused, reject);
}

void sip_lines_overtake(struct sip_lines *lines, int line, int full)
{
    struct dialog *dialog;
    int other = -1;

    pthread_mutex_lock(&lines->lock);
    dialog = take_ringing(lines, line);
    if (dialog && (other = find_idle(lines)) >= 0)
        lines->lines[other].ringing = dialog;
    pthread_mutex_unlock(&lines->lock);
    if (other >= 0)
        lines->ring(lines->context, other);
    else if (dialog)
        refuse(dialog, full);
}

struct dialog *sip_lines_answer(struct sip_lines *lines, int line)
{
    struct dialog *dialog;

    pthread_mutex_lock(&lines->lock);
    dialog = take_ringing(lines, line);
    pthread_mutex_unlock(&lines->lock);
    return dialog;
}

bool sip_lines_set_call(struct sip_lines *lines, int line, struct dialog *dialog)
{
    bool cancelled;

    pthread_mutex_lock(&lines->lock);
    lines->lines[line].call = dialog;
    cancelled = lines->lines[line].cancelled;
    pthread_mutex_unlock(&lines->lock);
    return !cancelled;
}

void sip_lines_cancel(struct sip_lines *lines, int line)
{
    pthread_mutex_lock(&lines->lock);
    lines->lines[line].cancelled = true;
    if (lines->lines[line].call)
        dialog_hang_up(lines->lines[line].call); /* only posts */
    pthread_mutex_unlock(&lines->lock);
}

bool sip_lines_is_cancelled(struct sip_lines *lines, int line)
{
    bool cancelled;

    pthread_mutex_lock(&lines->lock);
    cancelled = lines->lines[line].cancelled;
    pthread_mutex_unlock(&lines->lock);
    return cancelled;
}

json_t *sip_lines_ring_info(struct sip_lines *lines, int line)
{
    const struct dialog *dialog;
    const struct caller *caller;
    json_t *info = NULL;

    pthread_mutex_lock(&lines->lock);
    dialog = lines->lines[line].ringing;
    if (dialog) {
        caller = dialog_caller(dialog);
        info = json_pack("{s:s, s:s, s:s, s:s}", "caller_id", caller->number, "caller_name", caller->name, "called",
                         dialog_called(dialog), "diversion", caller->diverted_by);
    }
    pthread_mutex_unlock(&lines->lock);
    if (!info)
        info = json_pack("{s:s, s:s, s:s, s:s}", "caller_id", "", "caller_name", "", "called", "", "diversion", "");
    return info;
}
