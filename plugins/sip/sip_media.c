/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Offers and answers. The version in o= goes up with each description that says something new, and only then. */
#include "config.h"

#include "plugins/sip/sip_media.h"

#include <stdio.h>
#include <string.h>

#include <sofia-sip/su_uniqueid.h>

#include "server/base/err.h"
#include "server/base/str.h"

#define KEY_OCTETS 30

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* A key of 30 random octets: 40 digits without padding. */
static void make_key(struct sdp_crypto *key)
{
    unsigned char random[KEY_OCTETS];

    su_randmem(random, sizeof(random));
    key->tag = 1;
    key->suite = SDP_AES_CM_128_HMAC_SHA1_80;
    for (int i = 0; i < KEY_OCTETS / 3; i++) {
        unsigned three = (unsigned)random[3 * i] << 16 | (unsigned)random[3 * i + 1] << 8 | random[3 * i + 2];

        for (int j = 0; j < 4; j++)
            key->key[4 * i + j] = base64_digits[three >> (18 - 6 * j) & 63];
    }
    key->key[KEY_OCTETS / 3 * 4] = '\0';
}

void sip_media_init(struct sip_media *media, const struct sip_setup *setup, bool secure, const char *own, uint16_t port)
{
    uint32_t random;

    memset(media, 0, sizeof(*media));
    media->setup = setup;
    media->secure = secure;
    str_copy(media->own, sizeof(media->own), own);
    media->port = port;
    su_randmem(&random, sizeof(random));
    media->session_id = random;
    media->codec = setup->codecs[0];
    if (secure)
        make_key(&media->key);
}

static struct sdp_origin origin_of(struct sip_media *media)
{
    return (struct sdp_origin){
        .session_id = media->session_id, .session_version = media->version, .address = media->own};
}

static void our_t38(const struct sip_media *media, struct sdp_t38 *t38)
{
    const struct sip_setup *setup = media->setup;

    sdp_t38_init(t38);
    t38->version = setup->t38_version;
    t38->ec = (enum sdp_ec)setup->t38_ec;
    t38->max_buffer = 2000;
    t38->max_datagram = setup->t38_max_datagram;
    t38->ec_depth_min = t38->ec_depth_max = -1;
}

static struct sdp_line audio_line(const struct sip_media *media, bool all_codecs)
{
    struct sdp_line line = {.kind = SDP_AUDIO, .port = media->port, .direction = SDP_SENDRECV, .rtcp_port = 0};

    line.codec_count = all_codecs ? media->setup->codec_count : 1;
    for (int i = 0; i < line.codec_count; i++)
        line.codecs[i] = all_codecs ? media->setup->codecs[i] : media->codec;
    line.crypto = media->secure ? &media->key : NULL;
    return line;
}

static int write_offer(struct sip_media *media, enum sip_media_kind kind, bool all_codecs, char *text)
{
    struct sdp_origin origin = origin_of(media);
    struct sdp_t38 t38;
    struct sdp_line lines[2];
    int count = 0;

    our_t38(media, &t38);
    if (kind != SIP_MEDIA_IMAGE)
        lines[count++] = audio_line(media, all_codecs);
    if (kind != SIP_MEDIA_AUDIO)
        lines[count++] =
            (struct sdp_line){.kind = SDP_IMAGE, .port = media->port, .direction = SDP_SENDRECV, .t38 = &t38};
    media->offered = kind;
    return sdp_write_offer(text, SDP_TEXT_SIZE, &origin, lines, count);
}

int sip_media_offer(struct sip_media *media, enum sip_media_kind kind, char text[SDP_TEXT_SIZE])
{
    media->version++;
    media->described = kind;
    return write_offer(media, kind, true, text);
}

int sip_media_repeat(struct sip_media *media, char text[SDP_TEXT_SIZE])
{
    if (media->agreed == SIP_MEDIA_NONE)
        return sip_media_offer(media, SIP_MEDIA_AUDIO, text);
    if (media->described != media->agreed) {
        media->version++;
        media->described = media->agreed;
    }
    return write_offer(media, media->agreed, false, text);
}

static bool take_image(struct sip_media *media, const struct sdp_media *line)
{
    struct sdp_t38 ours;

    our_t38(media, &ours);
    media->agreed = SIP_MEDIA_IMAGE;
    media->far = *line;
    sdp_t38_agree(&media->t38, &ours, &line->t38);
    return true;
}

/* The key of the far end: in an offer the first of our suite, in an answer the one with our tag. */
static const struct sdp_crypto *their_key(const struct sdp_media *line, int tag)
{
    for (int i = 0; i < line->crypto_count; i++)
        if (!tag || line->crypto[i].tag == tag)
            return &line->crypto[i];
    return NULL;
}

static bool take_audio(struct sip_media *media, const struct sdp_media *line, enum sdp_codec codec, int tag)
{
    const struct sdp_crypto *key = their_key(line, tag);

    if (line->secure && !key)
        return false;
    media->agreed = SIP_MEDIA_AUDIO;
    media->far = *line;
    media->codec = codec;
    media->secure = line->secure;
    if (line->secure) {
        media->theirs = *key;
        media->key.suite = key->suite;
    }
    return true;
}

static struct sdp_audio_wish audio_wish(const struct sip_media *media)
{
    struct sdp_audio_wish wish = {
        .codec_count = media->setup->codec_count, .plain = !media->secure, .secure = media->secure};

    for (int i = 0; i < wish.codec_count; i++)
        wish.codecs[i] = media->setup->codecs[i];
    return wish;
}

enum sip_media_kind sip_media_take_answer(struct sip_media *media, const struct sdp *answer)
{
    struct sdp_audio_wish wish = audio_wish(media);
    enum sip_media_kind offered = media->offered;
    enum sdp_codec codec = SDP_PCMU;
    int image = sdp_find_image(answer), audio = sdp_find_audio(answer, &wish, &codec);

    media->offered = SIP_MEDIA_NONE;
    if (image >= 0 && (offered == SIP_MEDIA_IMAGE || offered == SIP_MEDIA_BOTH))
        return take_image(media, &answer->media[image]) ? SIP_MEDIA_IMAGE : SIP_MEDIA_NONE;
    if (audio >= 0 && (offered == SIP_MEDIA_AUDIO || offered == SIP_MEDIA_BOTH))
        return take_audio(media, &answer->media[audio], codec, media->secure ? media->key.tag : 0) ? SIP_MEDIA_AUDIO
                                                                                                   : SIP_MEDIA_NONE;
    return SIP_MEDIA_NONE;
}

enum sip_media_kind sip_media_judge(const struct sip_media *media, const struct sdp *offer, bool t38)
{
    struct sdp_audio_wish wish = audio_wish(media);
    enum sdp_codec codec;

    if (t38 && sdp_find_image(offer) >= 0)
        return SIP_MEDIA_IMAGE;
    return sdp_find_audio(offer, &wish, &codec) >= 0 ? SIP_MEDIA_AUDIO : SIP_MEDIA_NONE;
}

int sip_media_answer(struct sip_media *media, const struct sdp *offer, enum sip_media_kind kind,
                     char text[SDP_TEXT_SIZE])
{
    struct sdp_audio_wish wish = audio_wish(media);
    struct sdp_origin origin;
    struct sdp_line line;
    struct sdp_t38 t38;
    enum sdp_codec codec = media->codec;
    int chosen = kind == SIP_MEDIA_IMAGE ? sdp_find_image(offer) : sdp_find_audio(offer, &wish, &codec);

    if (chosen < 0)
        return err_set(ERR_INVALID, "the offer has no line for this");
    media->version++;
    media->described = kind;
    media->offered = SIP_MEDIA_NONE;
    origin = origin_of(media);
    if (kind == SIP_MEDIA_IMAGE) {
        our_t38(media, &t38);
        line = (struct sdp_line){.kind = SDP_IMAGE, .port = media->port, .direction = SDP_SENDRECV, .t38 = &t38};
        take_image(media, &offer->media[chosen]);
    } else {
        if (!take_audio(media, &offer->media[chosen], codec, 0))
            return err_set(ERR_INVALID, "the offer has no key for SRTP");
        line = audio_line(media, false);
        line.direction = sdp_direction_answer(offer->media[chosen].direction);
        if (media->secure)
            media->key.tag = media->theirs.tag;
    }
    return sdp_write_answer(text, SDP_TEXT_SIZE, &origin, offer, chosen, &line);
}

static void add_key(json_t *to, const char *which, const struct sdp_crypto *key)
{
    json_object_set_new(to, which, json_pack("{s:s,s:s}", "suite", sdp_suite_name(key->suite), "key", key->key));
}

/* Who may send media: whom the description names, and where the signalling comes from. */
static json_t *latch_list(const struct sip_media *media)
{
    json_t *list = json_pack("[s]", media->far.address);

    if (media->signalling[0] && strcmp(media->signalling, media->far.address) != 0)
        json_array_append_new(list, json_string(media->signalling));
    return list;
}

static json_t *audio_path(const struct sip_media *media)
{
    json_t *path = json_pack("{s:s,s:i,s:s,s:i}", "mode", "rtp", "rtcp_port", media->far.rtcp_port, "codec",
                             sdp_codec_name(media->codec), "payload", media->far.payload[media->codec]);

    if (media->secure) {
        json_t *srtp = json_object();

        add_key(srtp, "send", &media->key);
        add_key(srtp, "receive", &media->theirs);
        json_object_set_new(path, "srtp", srtp);
    }
    return path;
}

static json_t *image_path(const struct sip_media *media)
{
    const struct sip_setup *setup = media->setup;

    return json_pack("{s:s,s:i,s:i,s:s,s:s,s:i,s:i,s:i,s:i,s:i}", "mode", "t38", "version", media->t38.version,
                     "max_bit_rate", media->t38.max_bit_rate, "rate_management",
                     media->t38.local_tcf ? "localTCF" : "transferredTCF", "ec", sdp_ec_name(media->t38.ec),
                     "max_datagram", media->t38.max_datagram, "redundancy_control", setup->t38_redundancy_control,
                     "redundancy_image", setup->t38_redundancy_image, "fec_entries", setup->t38_fec_entries, "fec_span",
                     setup->t38_fec_span);
}

json_t *sip_media_path(const struct sip_media *media)
{
    json_t *path;
    bool held;

    if (media->agreed == SIP_MEDIA_NONE)
        return NULL;
    held = sdp_is_held(&media->far);
    path = media->agreed == SIP_MEDIA_AUDIO ? audio_path(media) : image_path(media);
    json_object_set_new(path, "address", json_string(held ? "0.0.0.0" : media->far.address));
    json_object_set_new(path, "port", json_integer(held ? 0 : media->far.port));
    json_object_set_new(path, "latch", latch_list(media));
    return path;
}
