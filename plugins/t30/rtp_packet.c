/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "plugins/t30/rtp_packet.h"

#include "server/base/err.h"

#define RTP_VERSION 2
#define PADDING     0x20
#define EXTENSION   0x10
#define SOURCES     0x0F
#define MARKER      0x80

/* What stands before the payload, or 0 when `size` octets do not hold it. */
static size_t header_size(const uint8_t *octets, size_t size)
{
    size_t header = RTP_PACKET_HEADER + 4 * (size_t)(octets[0] & SOURCES);

    if (octets[0] & EXTENSION) {
        if (size < header + 4)
            return 0;
        header += 4 + 4 * ((size_t)octets[header + 2] << 8 | octets[header + 3]);
    }
    return header <= size ? header : 0;
}

int rtp_packet_parse(struct rtp_packet *packet, const uint8_t *octets, size_t size)
{
    if (size < RTP_PACKET_HEADER || octets[0] >> 6 != RTP_VERSION)
        return err_set(ERR_INVALID, "%zu octets that are no RTP", size);
    size_t header = header_size(octets, size);
    if (header == 0)
        return err_set(ERR_INVALID, "an RTP packet of %zu octets is shorter than its header", size);
    size_t padding = octets[0] & PADDING ? octets[size - 1] : 0;
    if (padding > size - header || ((octets[0] & PADDING) && padding == 0))
        return err_set(ERR_INVALID, "an RTP packet of %zu octets with %zu of padding", size, padding);
    uint8_t payload_type = octets[1] & 0x7F;
    if (payload_type >= 64 && payload_type < 96)
        return err_set(ERR_INVALID, "RTCP where RTP should be");
    *packet = (struct rtp_packet){.marker = octets[1] & MARKER,
                                  .payload_type = payload_type,
                                  .sequence = (uint16_t)(octets[2] << 8 | octets[3]),
                                  .timestamp = rtp_packet_get32(octets + 4),
                                  .ssrc = rtp_packet_get32(octets + 8),
                                  .payload = octets + header,
                                  .size = size - header - padding};
    return 0;
}

void rtp_packet_write_header(const struct rtp_packet *packet, uint8_t *octets)
{
    octets[0] = RTP_VERSION << 6;
    octets[1] = (uint8_t)((packet->marker ? MARKER : 0) | packet->payload_type);
    octets[2] = (uint8_t)(packet->sequence >> 8);
    octets[3] = (uint8_t)packet->sequence;
    rtp_packet_put32(octets + 4, packet->timestamp);
    rtp_packet_put32(octets + 8, packet->ssrc);
}
