/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of lines; packets and reports on their way to faxd. */
#include "server/fsphost/lines.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/fsphost/heap.h"

#include <stdlib.h>

static void fault_say(void *context, uint32_t line, const char *text)
{
    struct lines *lines = context;
    if (line == LINK_NO_LINE)
        log_warning("fault: %s", text);
    else
        log_warning("fault: %s line=%u", text, line);
    peer_event(lines->peer, &(struct link_message){.type = LINK_FAULT, .line = line, .text = text});
}

void lines_fault(struct lines *lines, uint32_t line, const char *text)
{
    fault_tell(&lines->faults, clock_mono_ms(), line, text);
}

void lines_init(struct lines *lines, struct provider *provider, struct control *control, struct report_box *box,
                int64_t abort_grace_ms)
{
    *lines = (struct lines){
        .provider = provider,
        .control = control,
        .box = box,
        .abort_grace_ms = abort_grace_ms,
        .count = provider->device_count,
        .faults = {.tell = fault_say, .context = lines},
    };
    lines->line = xcalloc(lines->count, sizeof(*lines->line));
    for (uint32_t i = 0; i < lines->count; i++) {
        struct line *line = &lines->line[i];
        line->worker = worker_new(provider, i, box);
        line->rights = (settings_line_may_receive(provider->settings, i) ? CONTROL_MAY_RECEIVE : 0) |
                       (settings_line_may_send(provider->settings, i) ? CONTROL_MAY_SEND : 0);
        provider_notice(provider, i, line->rights & CONTROL_MAY_RECEIVE, line->rights & CONTROL_MAY_SEND);
    }
    lines_state_init(lines);
}

bool lines_clear(struct lines *lines)
{
    bool all = true;
    for (uint32_t i = 0; i < lines->count; i++) {
        if (lines->line[i].job)
            all = false;
        else
            worker_free(lines->line[i].worker);
    }
    if (!all)
        return false;
    while (lines->jobs) {
        struct job *job = lines->jobs;
        lines->jobs = job->next;
        job_free(job);
    }
    for (uint32_t i = 0; i < lines->count; i++)
        lines_ring_clear(lines, &lines->line[i]);
    free(lines->line);
    free(lines->state);
    port_batch_clear(&lines->batch);
    return true;
}

void lines_greet(struct lines *lines)
{
    for (uint32_t i = 0; i < lines->count; i++) {
        char *name = xasprintf("%s%u", lines->provider->name_prefix, i);
        unsigned rights = lines->line[i].rights;
        peer_answer(lines->peer, &(struct link_message){
                                     .type = LINK_DEVICE,
                                     .line = i,
                                     .device = lines->provider->first_id + i,
                                     .flags = (rights & CONTROL_MAY_SEND ? LINK_FLAG_SEND : 0) |
                                              (rights & CONTROL_MAY_RECEIVE ? LINK_FLAG_RECEIVE : 0) |
                                              (lines->line[i].lost ? LINK_FLAG_LOST : 0),
                                     .text = name,
                                 });
        free(name);
    }
    for (const struct job *job = lines->jobs; job; job = job->next)
        peer_answer(lines->peer, &(struct link_message){.type = LINK_JOB, .job = job->id, .line = job->line});
    lines_state_greet(lines);
}

void lines_order_enable(struct lines *lines, const struct link_message *order)
{
    if (order->line >= lines->count) {
        log_warning("faxd enables line %u, which does not exist", order->line);
        return;
    }
    struct line *line = &lines->line[order->line];
    unsigned rights = (order->flags & LINK_FLAG_RECEIVE ? CONTROL_MAY_RECEIVE : 0) |
                      (order->flags & LINK_FLAG_SEND ? CONTROL_MAY_SEND : 0);
    if (line->rights != rights)
        lines->notice_due = true;
    line->rights = rights;
}

/* One round at a time, with the rights of its moment: a faxd that enables a thousand lines causes one or two. */
void lines_notice(struct lines *lines)
{
    if (!lines->notice_due || lines->notice_out)
        return;
    struct control_call *call = control_call_new(CONTROL_NOTICE, LINK_NO_LINE);
    call->rights = xcalloc(lines->count, 1);
    for (uint32_t i = 0; i < lines->count; i++)
        call->rights[i] = lines->closed ? 0 : (uint8_t)lines->line[i].rights;
    lines->notice_due = false;
    lines->notice_out = true;
    control_give(lines->control, call);
}

void lines_close(struct lines *lines, bool abort)
{
    if (!lines->closed)
        lines->notice_due = true;
    lines->closed = true;
    for (uint32_t i = 0; abort && i < lines->count; i++)
        lines_abort(lines, i);
}

/* --- packets --- */

void lines_say_status(struct lines *lines, const struct job *job, const struct packet_status *status)
{
    peer_event(lines->peer, &(struct link_message){
                                .type = LINK_STATUS,
                                .job = job->id,
                                .phase = outcome_phase(status->status),
                                .status = status->status,
                                .page = status->page,
                                .error = status->error,
                                .station_id = status->station_id,
                                .caller_id = status->caller_id,
                                .routing = status->routing,
                            });
}

static void packet_status(struct lines *lines, const struct port_entry *entry, uint32_t index, uint32_t run,
                          size_t size)
{
    struct packet_status status;
    const struct line *line = &lines->line[index];
    if (packet_read_status(&status, entry->packet, size, entry->bytes)) {
        lines_fault(lines, index, err_message());
        return;
    }
    if (line->job && line->job->run == run)
        lines_say_status(lines, line->job, &status);
    else if (!line->rejecting || line->run != run)
        lines_fault(lines, index, "a status packet after FaxDevEndJob");
    packet_status_clear(&status);
}

static void packet_line(struct lines *lines, const struct port_entry *entry, size_t size)
{
    DWORD device, state;
    if (packet_read_line(&device, &state, entry->packet, size, entry->bytes)) {
        lines_fault(lines, LINK_NO_LINE, err_message());
        return;
    }
    int index = provider_index(lines->provider, device);
    if (index < 0)
        lines_fault(lines, LINK_NO_LINE, "a line message of a device that does not exist");
    else if (state == LINEDEVSTATE_OTHER)
        lines->state_due = true;
    else
        lines_ring(lines, (uint32_t)index);
}

/* The packet is taken from the FSP before it is read, and freed whatever it holds. */
static void packet_handle(struct lines *lines, const struct port_entry *entry)
{
    DWORD index = LINK_NO_LINE, run = 0;
    size_t size;
    bool is_job = provider_key_parse(entry->key, &index, &run) && index < lines->count;
    if (!is_job)
        index = LINK_NO_LINE;
    if (!heap_take(lines->provider->heap, entry->packet, &size)) {
        lines_fault(lines, index, "a posted packet is no live block of the provider's heap");
        return;
    }
    if (is_job)
        packet_status(lines, entry, index, run, size);
    else if (entry->key == PROVIDER_RING_KEY)
        packet_line(lines, entry, size);
    else
        lines_fault(lines, LINK_NO_LINE, "a packet with a completion key that was never given out");
    heap_discard(entry->packet);
}

/* --- reports --- */

static void control_report(struct lines *lines, struct control_call *call)
{
    switch (call->kind) {
    case CONTROL_ABORT:
        break;
    case CONTROL_REPORT: {
        const struct job *job = lines_job(lines, call->job);
        if (!call->result && job && !job->ended)
            lines_say_status(lines, job, &call->status);
        break;
    }
    case CONTROL_RING_INFO:
        lines_ring_info(lines, call);
        break;
    case CONTROL_REJECT:
        lines->line[call->line].rejecting = false;
        lines->busy--;
        break;
    case CONTROL_NOTICE:
        lines->notice_out = false;
        break;
    case CONTROL_STATE:
    case CONTROL_TEST:
        lines_state_answered(lines, call);
        break;
    }
    control_call_free(call);
}

static void report_handle(struct lines *lines, struct report *report)
{
    switch (report->kind) {
    case REPORT_JOB:
        lines_job_ended(lines, (struct job *)report);
        break;
    case REPORT_CONTROL:
        control_report(lines, (struct control_call *)report);
        break;
    case REPORT_FAULT: {
        struct report_fault *fault = (struct report_fault *)report;
        lines_fault(lines, fault->line, fault->text);
        free(fault);
        break;
    }
    }
}

_Static_assert(offsetof(struct job, report) == 0 && offsetof(struct control_call, report) == 0 &&
                   offsetof(struct report_fault, report) == 0,
               "a report is the head of what it reports");

/* Reports are taken first and handled last: every packet that was posted before an operation ended is in the port by
 * then, and so goes out before the end does. */
void lines_work(struct lines *lines)
{
    struct report *report = report_take(lines->box);
    if (port_take(lines->provider->port, &lines->batch)) {
        for (size_t i = 0; i < lines->batch.count; i++)
            packet_handle(lines, &lines->batch.entries[i]);
    }
    while (report) {
        struct report *next = report->next;
        report_handle(lines, report);
        report = next;
    }
}

int64_t lines_tick(struct lines *lines, int64_t now_ms)
{
    int64_t look_at = fault_tick(&lines->faults, now_ms);
    for (uint32_t i = 0; lines->busy && i < lines->count; i++) {
        lines_job_tick(lines, i, now_ms, &look_at);
        lines_ring_tick(lines, i, now_ms, &look_at);
    }
    return look_at;
}
