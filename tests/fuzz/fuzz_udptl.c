/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any datagrams through UDPTL. The first octet is the reorder window, then each datagram has its length before it in
 * two octets; a length of 0xFFFF is a flush. What is delivered must go forward, and a good stream must get through
 * afterwards.
 */
#include "plugins/t30/udptl.h"

#include <stdlib.h>
#include <string.h>

/* The first 40 may be taken for late ones, the next 6 for repetitions of hostile ones that wait. */
#define GOOD 60

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct ear {
    uint64_t heard;
    uint16_t last;
    uint8_t sum, octet; /* of the last packet */
};

static void hear(void *context, const uint8_t *ifp, size_t size, uint16_t seq)
{
    struct ear *ear = context;
    size_t i;

    if (size == 0 || size > UDPTL_IFP_MAX || (ear->heard > 0 && (int16_t)(uint16_t)(seq - ear->last) <= 0))
        abort();
    for (i = 0; i < size; i++)
        ear->sum ^= ifp[i];
    ear->octet = ifp[0];
    ear->last = seq;
    ear->heard++;
}

static void feed(struct udptl *udptl, struct ear *ear, const uint8_t *data, size_t size)
{
    while (size >= 2) {
        size_t length = (size_t)data[0] << 8 | data[1];

        data += 2;
        size -= 2;
        if (length == 0xFFFF) {
            udptl_flush(udptl, hear, ear);
            if (udptl_is_waiting(udptl))
                abort();
            continue;
        }
        if (length > size)
            length = size;
        udptl_receive(udptl, data, length, hear, ear);
        data += length;
        size -= length;
    }
}

static void good_stream(struct udptl *udptl, struct ear *ear, unsigned kind)
{
    struct udptl_options options = {.correction = (enum udptl_correction)(kind % 3),
                                    .redundancy_control = 2,
                                    .redundancy_image = 7,
                                    .fec_entries = 3,
                                    .fec_span = 4};
    struct udptl *sender = udptl_new(&options);
    uint8_t datagram[UDPTL_DATAGRAM_MAX];
    uint8_t i;

    for (i = 0; i < GOOD; i++) {
        int length = udptl_send(sender, &i, 1, i & 1, datagram, sizeof datagram);

        if (length <= 0)
            abort();
        udptl_receive(udptl, datagram, (size_t)length, hear, ear);
    }
    udptl_flush(udptl, hear, ear);
    if (ear->octet != GOOD - 1)
        abort();
    udptl_free(sender);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct udptl_options options = {.correction = UDPTL_NONE};
    const struct udptl_counts *counts;
    struct ear ear = {0};
    struct udptl *udptl;

    if (size == 0)
        return 0;
    options.reorder = data[0] % (UDPTL_REORDER_MAX + 1);
    udptl = udptl_new(&options);
    feed(udptl, &ear, data + 1, size - 1);
    good_stream(udptl, &ear, data[0] >> 4);
    counts = udptl_counts(udptl);
    if (ear.heard > counts->received + counts->recovered)
        abort();
    udptl_free(udptl);
    return 0;
}
