/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes our session descriptions: offers, and answers to what sdp_parse.c read. Nothing of a peer's text comes back
 * but the words of its media lines, which the reader has checked.
 */
#include "config.h"

#include "plugins/sip/sdp.h"

#include "server/base/err.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PORT_MOST 65535

struct text {
    char *at;
    size_t size, used;
    bool full;
};

static void put(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *text, const char *format, ...)
{
    va_list args;

    if (text->full)
        return;
    va_start(args, format);
    int length = vsnprintf(text->at + text->used, text->size - text->used, format, args);
    va_end(args);
    text->full = length < 0 || (size_t)length >= text->size - text->used;
    if (!text->full)
        text->used += (size_t)length;
}

static int text_begin(struct text *text, char *to, size_t size)
{
    *text = (struct text){.at = to, .size = size};
    if (size == 0)
        return err_set(ERR_FULL, "session description: no room");
    to[0] = '\0';
    return 0;
}

static int text_end(struct text *text, int err)
{
    if (!err && text->full)
        err = err_set(ERR_FULL, "session description: does not fit into %zu octets", text->size);
    if (err)
        text->at[0] = '\0';
    return err;
}

static int put_session(struct text *text, const struct sdp_origin *origin)
{
    unsigned char octets[sizeof(struct in6_addr)];
    const char *type = "IP4";

    if (inet_pton(AF_INET, origin->address, octets) != 1) {
        if (inet_pton(AF_INET6, origin->address, octets) != 1)
            return err_set(ERR_INVALID, "session description: \"%.60s\" is not an IP address", origin->address);
        type = "IP6";
    }
    put(text, "v=0\r\no=- %" PRIu64 " %" PRIu64 " IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n", origin->session_id,
        origin->session_version, type, origin->address, type, origin->address);
    return 0;
}

static void put_refused(struct text *text, const struct sdp_media *media)
{
    /* The format of a line out of use means nothing, but there has to be one. */
    put(text, "m=%s 0 %s %s\r\n", media->name, media->protocol, media->formats[0] ? media->formats : "0");
}

static void put_direction(struct text *text, enum sdp_direction direction)
{
    switch (direction) {
    case SDP_SENDRECV:
        put(text, "a=sendrecv\r\n");
        return;
    case SDP_SENDONLY:
        put(text, "a=sendonly\r\n");
        return;
    case SDP_RECVONLY:
        put(text, "a=recvonly\r\n");
        return;
    case SDP_INACTIVE:
        put(text, "a=inactive\r\n");
        return;
    }
}

static void put_audio_attributes(struct text *text, const struct sdp_line *line, const int *payloads, int count)
{
    if (line->rtcp_port && line->rtcp_port != line->port + 1)
        put(text, "a=rtcp:%d\r\n", line->rtcp_port);
    if (line->crypto)
        put(text, "a=crypto:%d %s inline:%s\r\n", line->crypto->tag, sdp_suite_name(line->crypto->suite),
            line->crypto->key);
    for (int i = 0; i < count; i++)
        put(text, "a=rtpmap:%d %s/8000\r\n", payloads[i], sdp_codec_name(line->codecs[i]));
    put(text, "a=ptime:20\r\na=silenceSupp:off - - - -\r\n"); /* RFC 3108: a modem's pauses are not silence */
    put_direction(text, line->direction);
}

static void put_t38(struct text *text, const struct sdp_t38 *t38)
{
    put(text, "a=T38FaxVersion:%d\r\na=T38MaxBitRate:%d\r\na=T38FaxRateManagement:%s\r\n", t38->version,
        t38->max_bit_rate, t38->local_tcf ? "localTCF" : "transferredTCF");
    if (t38->max_buffer > 0)
        put(text, "a=T38FaxMaxBuffer:%d\r\n", t38->max_buffer);
    put(text, "a=T38FaxMaxDatagram:%d\r\n", t38->max_datagram);
    if (t38->max_ifp > 0)
        put(text, "a=T38FaxMaxIFP:%d\r\n", t38->max_ifp);
    /* None is told by leaving the line out: peers older than t38UDPNoEC have no word for it. */
    if (t38->ec != SDP_EC_NONE)
        put(text, "a=T38FaxUdpEC:%s\r\n", t38->ec == SDP_EC_FEC ? "t38UDPFEC" : "t38UDPRedundancy");
    if (t38->ec == SDP_EC_REDUNDANCY && t38->ec_depth_min >= 0) {
        put(text, "a=T38FaxUdpECDepth:%d", t38->ec_depth_min);
        if (t38->ec_depth_max >= 0)
            put(text, " %d", t38->ec_depth_max);
        put(text, "\r\n");
    }
    if (t38->ec == SDP_EC_FEC && t38->fec_max_span > 0)
        put(text, "a=T38FaxUdpFECMaxSpan:%d\r\n", t38->fec_max_span);
    if (t38->vendor_info[0])
        put(text, "a=T38VendorInfo:%s\r\n", t38->vendor_info);
}

static void put_image_attributes(struct text *text, const struct sdp_line *line, const struct sdp_t38 *t38)
{
    put_t38(text, t38);
    if (line->direction != SDP_SENDRECV) /* the default; some gateways do not expect it with an image */
        put_direction(text, line->direction);
}

static int check_line(const struct sdp_line *line)
{
    if (line->port < 0 || line->port > PORT_MOST || line->rtcp_port < 0 || line->rtcp_port > PORT_MOST)
        return err_set(ERR_INVALID, "session description: %d is not a port", line->port);
    if (line->kind == SDP_AUDIO && (line->codec_count < 1 || line->codec_count > SDP_CODEC_COUNT))
        return err_set(ERR_INVALID, "session description: an audio line has one or two codecs");
    if (line->kind == SDP_IMAGE && line->port > 0 && !line->t38)
        return err_set(ERR_INVALID, "session description: an image line needs its T.38");
    if (line->kind == SDP_OTHER)
        return err_set(ERR_INVALID, "session description: a line is neither audio nor image");
    return 0;
}

/* ---- offers ---- */

static void put_audio_offer(struct text *text, const struct sdp_line *line)
{
    static const int payload_of[] = {[SDP_PCMU] = 0, [SDP_PCMA] = 8};
    int payloads[SDP_CODEC_COUNT];

    put(text, "m=audio %d RTP/%s", line->port, line->crypto ? "SAVP" : "AVP");
    for (int i = 0; i < line->codec_count; i++) {
        payloads[i] = payload_of[line->codecs[i]];
        put(text, " %d", payloads[i]);
    }
    put(text, "\r\n");
    if (line->port > 0)
        put_audio_attributes(text, line, payloads, line->codec_count);
}

static int put_offer_line(struct text *text, const struct sdp_line *line)
{
    if (line->refused) {
        put_refused(text, line->refused);
        return 0;
    }
    int err = check_line(line);
    if (err)
        return err;
    if (line->kind == SDP_AUDIO) {
        put_audio_offer(text, line);
        return 0;
    }
    put(text, "m=image %d udptl t38\r\n", line->port);
    if (line->port > 0)
        put_image_attributes(text, line, line->t38);
    return 0;
}

int sdp_write_offer(char *text, size_t size, const struct sdp_origin *origin, const struct sdp_line *lines, int count)
{
    struct text out;
    int err = text_begin(&out, text, size);

    if (err)
        return err;
    if (count < 0 || count > SDP_MEDIA_MAX)
        return text_end(&out, err_set(ERR_INVALID, "session description: %d media lines", count));
    err = put_session(&out, origin);
    for (int i = 0; i < count && !err; i++)
        err = put_offer_line(&out, &lines[i]);
    return text_end(&out, err);
}

/* ---- answers ---- */

static int put_audio_answer(struct text *text, const struct sdp_media *offered, const struct sdp_line *line)
{
    int payload = offered->payload[line->codecs[0]];

    if (payload < 0)
        return err_set(ERR_INVALID, "session description: %s was not offered", sdp_codec_name(line->codecs[0]));
    if (offered->secure != (line->crypto != NULL))
        return err_set(ERR_INVALID, "session description: %s was offered, with%s a key of ours", offered->protocol,
                       line->crypto ? "" : "out");
    put(text, "m=%s %d %s %d\r\n", offered->name, line->port, offered->protocol, payload);
    put_audio_attributes(text, line, &payload, 1);
    return 0;
}

/* Our limits, since they tell the peer what to send; of the optional ones those that the offer knows. */
static void t38_answer(struct sdp_t38 *answer, const struct sdp_t38 *ours, const struct sdp_t38 *theirs)
{
    sdp_t38_agree(answer, ours, theirs);
    answer->max_datagram = ours->max_datagram;
    answer->max_buffer = ours->max_buffer;
    answer->max_ifp = theirs->max_ifp ? ours->max_ifp : 0;
    answer->ec_depth_min = theirs->ec_depth_min >= 0 ? ours->ec_depth_min : -1;
    answer->ec_depth_max = ours->ec_depth_max;
    answer->fec_max_span = theirs->fec_max_span ? ours->fec_max_span : 0;
    memcpy(answer->vendor_info, ours->vendor_info, sizeof(answer->vendor_info));
}

static void put_image_answer(struct text *text, const struct sdp_media *offered, const struct sdp_line *line)
{
    struct sdp_t38 answer;

    t38_answer(&answer, line->t38, &offered->t38);
    put(text, "m=%s %d %s t38\r\n", offered->name, line->port, offered->protocol);
    put_image_attributes(text, line, &answer);
}

static int put_answer_line(struct text *text, const struct sdp_media *offered, const struct sdp_line *line)
{
    int err = check_line(line);

    if (err)
        return err;
    if (line->kind != offered->kind)
        return err_set(ERR_INVALID, "session description: the chosen line is %s", offered->name);
    if (line->port == 0) {
        put_refused(text, offered);
        return 0;
    }
    if (line->kind == SDP_AUDIO)
        return put_audio_answer(text, offered, line);
    put_image_answer(text, offered, line);
    return 0;
}

int sdp_write_answer(char *text, size_t size, const struct sdp_origin *origin, const struct sdp *offer, int chosen,
                     const struct sdp_line *line)
{
    struct text out;
    int err = text_begin(&out, text, size);

    if (err)
        return err;
    if (chosen < -1 || chosen >= offer->media_count)
        return text_end(&out, err_set(ERR_INVALID, "session description: the offer has no line %d", chosen));
    err = put_session(&out, origin);
    for (int i = 0; i < offer->media_count && !err; i++) {
        if (i == chosen)
            err = put_answer_line(&out, &offer->media[i], line);
        else
            put_refused(&out, &offer->media[i]);
    }
    return text_end(&out, err);
}
