/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: any octets as a session description, answered in each way that there is; the answers are read again. The
 * same octets as the value of a Reason and of the headers that name a caller.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/sip/caller.h"
#include "plugins/sip/cause.h"
#include "plugins/sip/sdp.h"
#include "server/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sdp_origin origin = {
    .session_id = UINT64_MAX, .session_version = UINT64_MAX, .address = "2001:db8::1"};

static void expect(int holds)
{
    if (!holds)
        abort();
}

static void check_media(const struct sdp_media *media)
{
    expect(media->port >= 0 && media->port <= 65535 && media->rtcp_port >= 0 && media->rtcp_port <= 65535);
    expect(media->crypto_count >= 0 && media->crypto_count <= SDP_CRYPTO_MAX);
    expect(media->t38.max_bit_rate >= 2400 && media->t38.max_bit_rate <= 33600 && media->t38.version >= 0);
    expect(media->t38.max_datagram > 0 && media->t38.max_datagram <= 65535);
    for (int i = 0; i < SDP_CODEC_COUNT; i++)
        expect(media->payload[i] >= -1 && media->payload[i] <= 127);
}

/* An answer has the offer's lines in their order, all out of use but the chosen one. */
static void check_answer(const char *text, const struct sdp *offer, int chosen)
{
    struct sdp answer;

    expect(sdp_parse(&answer, text, strlen(text)) == 0);
    expect(answer.media_count == offer->media_count);
    for (int i = 0; i < answer.media_count; i++) {
        expect(!strcmp(answer.media[i].name, offer->media[i].name));
        expect(!strcmp(answer.media[i].protocol, offer->media[i].protocol));
        expect((answer.media[i].port != 0) == (i == chosen));
    }
}

static void answer_audio(const struct sdp *offer, int chosen, enum sdp_codec codec)
{
    char text[SDP_TEXT_SIZE];
    struct sdp_crypto crypto = {.tag = 1, .key = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"};
    struct sdp_line line = {.kind = SDP_AUDIO, .port = 4000, .rtcp_port = 4003, .codecs = {codec}, .codec_count = 1};

    line.crypto = offer->media[chosen].secure ? &crypto : NULL;
    line.direction = sdp_direction_answer(offer->media[chosen].direction);
    expect(sdp_write_answer(text, sizeof(text), &origin, offer, chosen, &line) == 0);
    check_answer(text, offer, chosen);
}

static void answer_image(const struct sdp *offer, int chosen)
{
    char text[SDP_TEXT_SIZE];
    struct sdp_t38 ours;
    struct sdp_line line = {.kind = SDP_IMAGE, .port = 65535, .t38 = &ours};

    sdp_t38_init(&ours);
    ours.ec = SDP_EC_FEC;
    ours.version = 3;
    ours.max_buffer = ours.max_ifp = ours.fec_max_span = 99;
    ours.ec_depth_min = ours.ec_depth_max = 3;
    expect(sdp_write_answer(text, sizeof(text), &origin, offer, chosen, &line) == 0);
    check_answer(text, offer, chosen);
}

/* A later offer that keeps all lines of this one out of use. */
static void offer_again(const struct sdp *before)
{
    char text[SDP_TEXT_SIZE];
    struct sdp_line lines[SDP_MEDIA_MAX] = {0};

    for (int i = 0; i < before->media_count; i++)
        lines[i].refused = &before->media[i];
    expect(sdp_write_offer(text, sizeof(text), &origin, lines, before->media_count) == 0);
    check_answer(text, before, -1);
}

static void answer(const struct sdp *sdp)
{
    static const struct sdp_audio_wish wishes[] = {
        {.plain = true},
        {.codecs = {SDP_PCMA, SDP_PCMU}, .codec_count = 2, .plain = true, .secure = true},
        {.codecs = {SDP_PCMU}, .codec_count = 1, .secure = true},
    };
    char text[SDP_TEXT_SIZE];
    int chosen = sdp_find_image(sdp);

    for (int i = 0; i < sdp->media_count; i++)
        check_media(&sdp->media[i]);
    if (chosen >= 0)
        answer_image(sdp, chosen);
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        enum sdp_codec codec;

        chosen = sdp_find_audio(sdp, &wishes[i], &codec);
        if (chosen >= 0)
            answer_audio(sdp, chosen, codec);
    }
    expect(sdp_write_answer(text, sizeof(text), &origin, sdp, -1, NULL) == 0);
    check_answer(text, sdp, -1);
    offer_again(sdp);
}

static int is_clean(const char *text)
{
    if (!str_is_utf8(text, strlen(text)))
        return 0;
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return 0;
    }
    return 1;
}

static void read_headers(const char *text)
{
    const struct caller_headers each[] = {
        {.asserted_identity = text}, {.remote_party_id = text}, {.from = text},
        {.diversion = text},         {.history_info = text},    {.from = text, .privacy = text},
    };
    char number[CALLER_NUMBER_SIZE], name[CALLER_NAME_SIZE];
    int cause = cause_parse_reason(text);

    expect(cause >= 0 && cause <= 127);
    for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
        struct caller caller;

        caller_identify(&caller, &each[i]);
        expect(is_clean(caller.number) && is_clean(caller.name) && is_clean(caller.diverted_by));
        expect(!caller.withheld || (!caller.number[0] && !caller.name[0]));
    }
    caller_number(number, text);
    caller_name(name, text);
    expect(is_clean(number) && is_clean(name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sdp sdp;
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    if (sdp_parse(&sdp, (const char *)data, size) == 0)
        answer(&sdp);
    memcpy(text, data, size);
    text[size] = '\0';
    read_headers(text);
    free(text);
    return 0;
}
