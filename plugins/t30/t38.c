/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spandsp's T.38 terminal. Its public interface wants to be called every 20 ms or so; when something is due is in its
 * private structs only.
 *
 * Hostile packets can bring it to a state in which it sends empty frames for ever without time going by, inside one
 * call of t38_terminal_send_timeout. All of them pass through on_packet, whose refusal ends that loop. */
#include "config.h"

#define SPANDSP_EXPOSE_INTERNAL_STRUCTURES
#include <limits.h>

#include "plugins/t30/t38.h"

#include <spandsp/expose.h>

#include "server/base/log.h"

#define PACKETS_AT_ONCE 16  /* a silence, an indicator and a frame's end need four */
#define STEPS_AT_ONCE   64  /* then the other calls of the engine get their turn */
#define ONCE            1   /* UDPTL does the repeating */
#define IMAGE           256 /* the upper octets of a category's setting are handed through to on_packet */
#define TRANSFERRED_TCF 2

/* Of t38_terminal.c, which has them to itself: the steps of sending frames. */
#define STEP_NONE       0x00
#define STEP_HDLC_DATA  0x22
#define STEP_HDLC_CLOSE 0x23

struct t38 {
    t38_terminal_state_t *terminal;
    t38_send_fn *send;
    void *context;
    int burst; /* packets of this step */
    bool wild;
};

static int on_packet(t38_core_state_t *core, void *user, const uint8_t *ifp, int size, int setting)
{
    struct t38 *t38 = user;

    (void)core;
    if (++t38->burst > PACKETS_AT_ONCE)
        t38->wild = true;
    if (t38->wild)
        return -1;
    return t38->send(t38->context, ifp, size, (setting & IMAGE) != 0);
}

static void configure(t38_core_state_t *core, int version)
{
    t38_set_t38_version(core, version);
    t38_set_data_rate_management_method(core, TRANSFERRED_TCF);
    t38_set_redundancy_control(core, T38_PACKET_CATEGORY_INDICATOR, ONCE);
    t38_set_redundancy_control(core, T38_PACKET_CATEGORY_CONTROL_DATA, ONCE);
    t38_set_redundancy_control(core, T38_PACKET_CATEGORY_CONTROL_DATA_END, ONCE);
    t38_set_redundancy_control(core, T38_PACKET_CATEGORY_IMAGE_DATA, ONCE | IMAGE);
    t38_set_redundancy_control(core, T38_PACKET_CATEGORY_IMAGE_DATA_END, ONCE);
}

struct t38 *t38_new(bool calling, int version, t38_send_fn *send, void *context)
{
    struct t38 *t38 = xcalloc(1, sizeof *t38);

    t38->send = send;
    t38->context = context;
    t38->terminal = t38_terminal_init(NULL, calling, on_packet, t38);
    if (!t38->terminal) {
        free(t38);
        return NULL;
    }
    configure(t38_terminal_get_t38_core_state(t38->terminal), version);
    return t38;
}

void t38_free(struct t38 *t38)
{
    if (!t38)
        return;
    t38_terminal_free(t38->terminal);
    free(t38);
}

t30_state_t *t38_t30(struct t38 *t38)
{
    return t38_terminal_get_t30_state(t38->terminal);
}

static void earlier(int *due, int other)
{
    if (other < *due)
        *due = other > 0 ? other : 0;
}

/* spandsp's own conditions: a packet is due at its sample, a timeout after it, a timer when it has counted down. */
int t38_due(const struct t38 *t38)
{
    const t38_terminal_front_end_state_t *front = &t38->terminal->t38_fe;
    const t30_state_t *t30 = &t38->terminal->t30;
    int due = INT_MAX;

    if (front->current_rx_type == T30_MODEM_DONE || front->current_tx_type == T30_MODEM_DONE)
        return INT_MAX;
    if (front->timed_step != STEP_NONE)
        earlier(&due, front->next_tx_samples - front->samples);
    if (front->timeout_rx_samples != 0)
        earlier(&due, front->timeout_rx_samples - front->samples + 1);
    if (t30->timer_t0_t1 > 0)
        earlier(&due, t30->timer_t0_t1);
    if (t30->timer_t2_t4 > 0)
        earlier(&due, t30->timer_t2_t4);
    if (t30->timer_t3 > 0)
        earlier(&due, t30->timer_t3);
    if (t30->timer_t5 > 0)
        earlier(&due, t30->timer_t5);
    return due;
}

void t38_advance(struct t38 *t38, int samples)
{
    int steps = 0, step;

    do {
        step = t38_due(t38);
        if (step > samples)
            step = samples;
        t38->burst = 0;
        if (t38_terminal_send_timeout(t38->terminal, step))
            return;
        samples -= step;
    } while ((samples > 0 || t38_due(t38) == 0) && ++steps < STEPS_AT_ONCE);
}

void t38_receive(struct t38 *t38, const uint8_t *ifp, int size, uint16_t sequence)
{
    t38->burst = 0;
    t38_core_rx_ifp_packet(t38_terminal_get_t38_core_state(t38->terminal), ifp, size, sequence);
}

bool t38_is_sending(const struct t38 *t38)
{
    const t38_terminal_front_end_state_t *front = &t38->terminal->t38_fe;

    if (front->timed_step == STEP_NONE)
        return false;
    /* Frames without contents: T.30 has nothing more to say, and has not said so. */
    return (front->timed_step != STEP_HDLC_DATA && front->timed_step != STEP_HDLC_CLOSE) || front->hdlc_tx.len != 0;
}

bool t38_is_hearing(const struct t38 *t38)
{
    return t38->terminal->t30.rx_signal_present || t38->terminal->t38_fe.timeout_rx_samples != 0;
}

bool t38_is_wild(const struct t38 *t38)
{
    return t38->wild;
}
