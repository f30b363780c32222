/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A far end that sends anything, in any order and at any time. An input is a row of datagrams: one octet of what it is
 * (bit 0 RTCP, bit 1 SRTP), one of time, two of length, the octets. Time delivered has to stay bounded. */
#include "plugins/t30/rtp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *context, int16_t *samples, int samples_count)
{
    int64_t *total = context;

    if (samples_count < 1 || samples_count > RTP_DATAGRAM_MAX)
        abort();
    for (int i = 0; i < samples_count; i++)
        samples[i]++;
    *total += samples_count;
}

static struct rtp *open_rtp(enum secure_suite suite)
{
    struct rtp_options options = {.codec = RTP_PCMA, .payload_type = 8, .ssrc = 1, .cname = "fuzz"};

    options.send_key.suite = options.receive_key.suite = suite;
    if (rtp_setup() != 0)
        abort();
    struct rtp *rtp = rtp_new(&options);
    if (!rtp)
        abort();
    return rtp;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rtp *sides[2] = {open_rtp(SECURE_NONE), open_rtp(SECURE_SHA80)};
    uint8_t packet[RTP_DATAGRAM_MAX];
    int64_t now_ns = 1, total = 0, datagrams = 0;

    while (size >= 4) {
        struct rtp *rtp = sides[data[0] >> 1 & 1];
        bool is_rtcp = data[0] & 1;
        size_t length = (size_t)data[2] << 8 | data[3];
        now_ns += data[1] * INT64_C(4000000);
        data += 4;
        size -= 4;
        length = length < size ? length : size;
        if (is_rtcp)
            rtp_rtcp_receive(rtp, data, length, now_ns);
        else
            rtp_receive(rtp, data, length, now_ns, count, &total);
        rtp_tick(rtp, now_ns, count, &total);
        if (rtp_due_ns(rtp) <= now_ns || rtp_rtcp_send(rtp, now_ns, 1, packet, sizeof packet) == 0)
            abort();
        data += length;
        size -= length;
        datagrams++;
    }
    /* A second of gap, the samples of the packet, and the time that went by. */
    if (total > datagrams * (3 * RTP_RATE + RTP_DATAGRAM_MAX) + now_ns / 125000)
        abort();
    rtp_free(sides[0]);
    rtp_free(sides[1]);
    return 0;
}
