/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The octets of an RTP packet (RFC 3550 5.1, 5.3.1). Pure. Thread: any. */
#ifndef FAXD_T30_RTP_PACKET_H
#define FAXD_T30_RTP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTP_PACKET_HEADER 12 /* octets, without sources and extension */

struct rtp_packet {
    bool marker;
    uint8_t payload_type;
    uint16_t sequence;
    uint32_t timestamp;
    uint32_t ssrc;
    const uint8_t *payload; /* inside the octets that were parsed */
    size_t size;            /* of the payload; may be 0 */
};

/* Numbers as they stand on the network. */
static inline uint32_t rtp_packet_get32(const uint8_t *octets)
{
    return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];
}

static inline void rtp_packet_put32(uint8_t *octets, uint32_t value)
{
    octets[0] = (uint8_t)(value >> 24);
    octets[1] = (uint8_t)(value >> 16);
    octets[2] = (uint8_t)(value >> 8);
    octets[3] = (uint8_t)value;
}

/* 0, or ERR_INVALID: not version 2, shorter than what it says that it holds, or one of the payload types 64 to 95,
 * which are RTCP (RFC 5761 4). */
int rtp_packet_parse(struct rtp_packet *packet, const uint8_t *octets, size_t size);

/* Write RTP_PACKET_HEADER octets. */
void rtp_packet_write_header(const struct rtp_packet *packet, uint8_t *octets);

#endif
