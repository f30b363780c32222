/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "plugins/t30/rtcp.h"

#include <string.h>

#include "plugins/t30/rtp_packet.h"
#include "server/base/err.h"

#define VERSION_BITS 0x80
#define PADDING      0x20
#define COUNT        0x1F
#define BLOCK_SIZE   24
#define SDES_CNAME   1

enum { TYPE_SR = 200, TYPE_RR = 201, TYPE_SDES = 202, TYPE_BYE = 203 };

/* ---- writing ---- */

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    rtp_packet_put32(at, value);
    return at + 4;
}

/* The header of the part from `start` to `end` (6.4.1: length in words, less one). */
static uint8_t *close_part(uint8_t *start, uint8_t *end, int type, int count)
{
    size_t words = (size_t)(end - start) / 4 - 1;

    start[0] = (uint8_t)(VERSION_BITS | count);
    start[1] = (uint8_t)type;
    start[2] = (uint8_t)(words >> 8);
    start[3] = (uint8_t)words;
    return end;
}

static uint8_t *write_block(uint8_t *at, const struct rtcp_block *block)
{
    at = put32(at, block->ssrc);
    at = put32(at, (uint32_t)block->fraction_lost << 24 | ((uint32_t)block->lost & 0xFFFFFF));
    at = put32(at, block->highest);
    at = put32(at, block->jitter);
    at = put32(at, block->last_report);
    return put32(at, block->delay);
}

static uint8_t *write_report(uint8_t *start, const struct rtcp_report *report)
{
    uint8_t *at = put32(start + 4, report->ssrc);

    if (report->sends) {
        at = put32(at, (uint32_t)(report->ntp >> 32));
        at = put32(at, (uint32_t)report->ntp);
        at = put32(at, report->timestamp);
        at = put32(at, report->packets);
        at = put32(at, report->octets);
    }
    if (report->has_block)
        at = write_block(at, &report->block);
    return close_part(start, at, report->sends ? TYPE_SR : TYPE_RR, report->has_block ? 1 : 0);
}

/* The list of items ends with at least one octet of zero, up to a whole word (6.5). */
static uint8_t *write_names(uint8_t *start, const struct rtcp_report *report)
{
    uint8_t *at = put32(start + 4, report->ssrc);
    size_t length = strnlen(report->cname, RTCP_CNAME_MAX);

    *at++ = SDES_CNAME;
    *at++ = (uint8_t)length;
    memcpy(at, report->cname, length);
    at += length;
    do
        *at++ = 0;
    while ((at - start) % 4 != 0);
    return close_part(start, at, TYPE_SDES, 1);
}

size_t rtcp_write(const struct rtcp_report *report, uint8_t *packet, size_t room)
{
    if (room < RTCP_SIZE_MAX)
        return 0;
    uint8_t *at = write_report(packet, report);
    at = write_names(at, report);
    if (report->bye)
        at = close_part(at, put32(at + 4, report->ssrc), TYPE_BYE, 1);
    return (size_t)(at - packet);
}

/* ---- reading ---- */

/* 24 bits with a sign. */
static int32_t signed24(uint32_t value)
{
    value &= 0xFFFFFF;
    return value & 0x800000 ? (int32_t)value - 0x1000000 : (int32_t)value;
}

static void read_block(struct rtcp_block *block, const uint8_t *octets)
{
    *block = (struct rtcp_block){.ssrc = rtp_packet_get32(octets),
                                 .fraction_lost = octets[4],
                                 .lost = signed24(rtp_packet_get32(octets + 4)),
                                 .highest = rtp_packet_get32(octets + 8),
                                 .jitter = rtp_packet_get32(octets + 12),
                                 .last_report = rtp_packet_get32(octets + 16),
                                 .delay = rtp_packet_get32(octets + 20)};
}

static int read_blocks(struct rtcp_heard *heard, uint32_t own, int count, const uint8_t *at, const uint8_t *end)
{
    if (end - at < (ptrdiff_t)count * BLOCK_SIZE)
        return err_set(ERR_INVALID, "an RTCP report is shorter than its %d blocks", count);
    for (int i = 0; i < count; i++, at += BLOCK_SIZE) {
        if (rtp_packet_get32(at) != own)
            continue;
        heard->has_block = true;
        read_block(&heard->block, at);
    }
    return 0;
}

static int read_report(struct rtcp_heard *heard, uint32_t own, uint32_t far, const uint8_t *part, const uint8_t *end)
{
    bool sends = part[1] == TYPE_SR;
    ptrdiff_t header = sends ? 28 : 8;

    if (end - part < header)
        return err_set(ERR_INVALID, "an RTCP report of %td octets", end - part);
    if (sends && rtp_packet_get32(part + 4) == far) {
        heard->sends = true;
        heard->ntp = (uint64_t)rtp_packet_get32(part + 8) << 32 | rtp_packet_get32(part + 12);
    }
    return read_blocks(heard, own, part[0] & COUNT, part + header, end);
}

static int read_bye(struct rtcp_heard *heard, uint32_t far, const uint8_t *part, const uint8_t *end)
{
    int count = part[0] & COUNT;

    if (end - part < 4 + 4 * (ptrdiff_t)count)
        return err_set(ERR_INVALID, "an RTCP BYE is shorter than its %d sources", count);
    for (int i = 0; i < count; i++) {
        if (rtp_packet_get32(part + 4 + 4 * (ptrdiff_t)i) == far)
            heard->bye = true;
    }
    return 0;
}

static int read_part(struct rtcp_heard *heard, uint32_t own, uint32_t far, const uint8_t *part, const uint8_t *end)
{
    switch (part[1]) {
    case TYPE_SR:
    case TYPE_RR:
        return read_report(heard, own, far, part, end);
    case TYPE_BYE:
        return read_bye(heard, far, part, end);
    default:
        return 0;
    }
}

/* Where the part at `part` ends, or NULL when it is none. Padding belongs to the last part only (6.4.1). */
static const uint8_t *part_end(const uint8_t *part, const uint8_t *end)
{
    if (end - part < 4 || part[0] >> 6 != VERSION_BITS >> 6 || part[1] < 192 || part[1] > 223)
        return NULL;
    ptrdiff_t size = 4 * (((ptrdiff_t)part[2] << 8 | part[3]) + 1);
    if (size > end - part || ((part[0] & PADDING) && size != end - part))
        return NULL;
    return part + size;
}

int rtcp_parse(struct rtcp_heard *heard, uint32_t own, uint32_t far, const uint8_t *packet, size_t size)
{
    struct rtcp_heard found = {.sends = false};
    const uint8_t *part = packet, *end = packet + size;
    int error = 0;

    if (size == 0)
        return err_set(ERR_INVALID, "an RTCP packet without octets");
    while (part < end && !error) {
        const uint8_t *next = part_end(part, end);
        if (!next)
            return err_set(ERR_INVALID, "%zu octets that are no RTCP", size);
        error = read_part(&found, own, far, part, next);
        part = next;
    }
    if (!error)
        *heard = found;
    return error;
}
