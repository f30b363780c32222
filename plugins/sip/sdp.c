/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of a session description that was read (sdp_parse.c): which line to take, what to answer. The user
 * agent asks between a peer's offer and our answer (sdp_write.c), or between our offer and the peer's answer.
 */
#include "config.h"

#include "plugins/sip/sdp.h"

#include <string.h>
#include <strings.h>

static bool has_format(const struct sdp_media *media, const char *format)
{
    size_t length = strlen(format);

    for (const char *at = media->formats; *at; at += strspn(at, " ")) {
        size_t token = strcspn(at, " ");

        if (token == length && !strncasecmp(at, format, length))
            return true;
        at += token;
    }
    return false;
}

static bool is_reachable(const struct sdp_media *media)
{
    return media->port > 0 && media->address[0];
}

int sdp_find_image(const struct sdp *sdp)
{
    for (int i = 0; i < sdp->media_count; i++) {
        const struct sdp_media *media = &sdp->media[i];

        if (media->kind == SDP_IMAGE && is_reachable(media) && !strcasecmp(media->protocol, "udptl") &&
            has_format(media, "t38"))
            return i;
    }
    return -1;
}

static bool codec_choose(enum sdp_codec *codec, const struct sdp_media *media, const struct sdp_audio_wish *wish)
{
    for (int i = 0; i < wish->codec_count; i++) {
        if (media->payload[wish->codecs[i]] >= 0) {
            *codec = wish->codecs[i];
            return true;
        }
    }
    if (wish->codec_count == 0 && media->payload[media->first] >= 0) {
        *codec = media->first;
        return true;
    }
    return false;
}

static bool protocol_suits(const struct sdp_media *media, const struct sdp_audio_wish *wish)
{
    if (media->secure)
        return wish->secure && media->crypto_count > 0;
    return wish->plain && (!strcasecmp(media->protocol, "RTP/AVP") || !strcasecmp(media->protocol, "RTP/AVPF"));
}

int sdp_find_audio(const struct sdp *sdp, const struct sdp_audio_wish *wish, enum sdp_codec *codec)
{
    for (int i = 0; i < sdp->media_count; i++) {
        const struct sdp_media *media = &sdp->media[i];

        if (media->kind == SDP_AUDIO && is_reachable(media) && protocol_suits(media, wish) &&
            codec_choose(codec, media, wish))
            return i;
    }
    return -1;
}

bool sdp_is_held(const struct sdp_media *media)
{
    return media->direction == SDP_SENDONLY || media->direction == SDP_INACTIVE || !strcmp(media->address, "0.0.0.0") ||
           !strcmp(media->address, "::");
}

enum sdp_direction sdp_direction_answer(enum sdp_direction offered)
{
    switch (offered) {
    case SDP_SENDRECV:
        return SDP_SENDRECV;
    case SDP_SENDONLY:
        return SDP_RECVONLY;
    case SDP_RECVONLY:
        return SDP_SENDONLY;
    case SDP_INACTIVE:
        return SDP_INACTIVE;
    }
    return SDP_INACTIVE;
}

const char *sdp_codec_name(enum sdp_codec codec)
{
    return codec == SDP_PCMU ? "PCMU" : "PCMA";
}

const char *sdp_suite_name(enum sdp_suite suite)
{
    return suite == SDP_AES_CM_128_HMAC_SHA1_80 ? "AES_CM_128_HMAC_SHA1_80" : "AES_CM_128_HMAC_SHA1_32";
}

const char *sdp_ec_name(enum sdp_ec ec)
{
    switch (ec) {
    case SDP_EC_NONE:
        return "none";
    case SDP_EC_REDUNDANCY:
        return "redundancy";
    case SDP_EC_FEC:
        return "fec";
    }
    return "none";
}
