/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way back to the I/O thread. */
#include "config.h"

#include "server/fsphost/report.h"

#include "server/base/err.h"
#include "server/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FAULTS_WAITING_MAX 64u

/* `lock` guards all but `event`. */
struct report_box {
    pthread_mutex_t lock;
    int event;
    struct report *first, **last;
    unsigned faults_waiting;
    unsigned faults_left_out;
};

int report_box_new(struct report_box **out)
{
    struct report_box *box = xcalloc(1, sizeof(*box));
    pthread_mutex_init(&box->lock, NULL);
    box->last = &box->first;
    box->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    *out = box;
    return box->event >= 0 ? 0 : err_set(ERR_IO, "no eventfd: %s", strerror(errno));
}

void report_box_free(struct report_box *box)
{
    if (!box)
        return;
    if (box->event >= 0)
        close(box->event);
    pthread_mutex_destroy(&box->lock);
    free(box);
}

int report_box_fd(const struct report_box *box)
{
    return box->event;
}

/* With the lock held. */
static void box_append(struct report_box *box, struct report *report)
{
    uint64_t one = 1;
    report->next = NULL;
    if (!box->first && write(box->event, &one, sizeof(one)) < 0)
        log_error("the I/O thread cannot be woken: %s", strerror(errno));
    *box->last = report;
    box->last = &report->next;
}

void report_post(struct report_box *box, struct report *report)
{
    pthread_mutex_lock(&box->lock);
    box_append(box, report);
    pthread_mutex_unlock(&box->lock);
}

void report_fault(struct report_box *box, uint32_t line, const char *fmt, ...)
{
    struct report_fault *fault = xcalloc(1, sizeof(*fault));
    va_list args;
    va_start(args, fmt);
    vsnprintf(fault->text, sizeof(fault->text), fmt, args);
    va_end(args);
    fault->report.kind = REPORT_FAULT;
    fault->line = line;
    pthread_mutex_lock(&box->lock);
    if (box->faults_waiting == FAULTS_WAITING_MAX) {
        box->faults_left_out++;
        free(fault);
    } else {
        if (box->faults_left_out) {
            size_t used = strlen(fault->text);
            snprintf(fault->text + used, sizeof(fault->text) - used, " (and %u more)", box->faults_left_out);
        }
        box->faults_left_out = 0;
        box->faults_waiting++;
        box_append(box, &fault->report);
    }
    pthread_mutex_unlock(&box->lock);
}

struct report *report_take(struct report_box *box)
{
    uint64_t counter;
    pthread_mutex_lock(&box->lock);
    struct report *first = box->first;
    box->first = NULL;
    box->last = &box->first;
    box->faults_waiting = 0;
    if (first && read(box->event, &counter, sizeof(counter)) < 0)
        log_error("the wake of the I/O thread cannot be read: %s", strerror(errno));
    pthread_mutex_unlock(&box->lock);
    return first;
}
