/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about session descriptions: read, chosen from, answered. */
#include "config.h"

#include "plugins/sip/sdp.h"

#include "server/base/err.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/facts.h"

#define HEAD "v=0\r\no=- 10 11 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define KEY  "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"

static const struct sdp_origin origin = {.session_id = 7, .session_version = 8, .address = "198.51.100.9"};

static void parse(struct sdp *sdp, const char *text)
{
    assert_int_equal(sdp_parse(sdp, text, strlen(text)), 0);
}

/* One media line behind a usual head. */
static const struct sdp_media *media_of(struct sdp *sdp, const char *lines)
{
    char text[4096];

    snprintf(text, sizeof(text), HEAD "%s", lines);
    parse(sdp, text);
    assert_true(sdp->media_count >= 1);
    return &sdp->media[0];
}

static const char *source_folder(void)
{
    return getenv("FAXD_SRC") ? getenv("FAXD_SRC") : ".";
}

/* A description of tests/fuzz/corpus/sdp; `size` octets. */
static void sample_read(char *text, size_t room, size_t *size, const char *name)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/sdp/%s", source_folder(), name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    *size = fread(text, 1, room, file);
    assert_true(*size > 0 && *size < room);
    fclose(file);
}

static void sample(struct sdp *sdp, const char *name)
{
    char text[8192];
    size_t size;

    sample_read(text, sizeof(text), &size, name);
    assert_int_equal(sdp_parse(sdp, text, size), 0);
}

static void assert_t38_equal(const struct sdp_t38 *got, const struct sdp_t38 *wanted)
{
    assert_int_equal(got->version, wanted->version);
    assert_int_equal(got->max_bit_rate, wanted->max_bit_rate);
    assert_int_equal(got->local_tcf, wanted->local_tcf);
    assert_int_equal(got->ec, wanted->ec);
    assert_int_equal(got->fill_bit_removal, wanted->fill_bit_removal);
    assert_int_equal(got->transcoding_mmr, wanted->transcoding_mmr);
    assert_int_equal(got->transcoding_jbig, wanted->transcoding_jbig);
    assert_int_equal(got->max_buffer, wanted->max_buffer);
    assert_int_equal(got->max_datagram, wanted->max_datagram);
    assert_int_equal(got->max_ifp, wanted->max_ifp);
    assert_int_equal(got->ec_depth_min, wanted->ec_depth_min);
    assert_int_equal(got->ec_depth_max, wanted->ec_depth_max);
    assert_int_equal(got->fec_max_span, wanted->fec_max_span);
    assert_string_equal(got->vendor_info, wanted->vendor_info);
}

/* ---- reading ---- */

static void peers_images_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int index, port;
        const char *address;
        int version, rate, datagram, buffer, ifp;
        enum sdp_ec ec;
    } table[] = {
        {"asterisk_t38_reinvite", 0, 4428, "203.0.113.10", 0, 14400, 397, 0, 0, SDP_EC_REDUNDANCY},
        {"freeswitch_t38", 0, 23456, "198.51.100.20", 0, 14400, 400, 2000, 0, SDP_EC_REDUNDANCY},
        {"cisco_both_lines", 1, 16888, "192.0.2.30", 0, 14400, 320, 200, 0, SDP_EC_REDUNDANCY},
        {"audiocodes_v3", 1, 6002, "192.0.2.77", 3, 33600, 560, 1024, 160, SDP_EC_REDUNDANCY},
        {"rtpengine_t38", 0, 30018, "198.51.100.40", 0, 14400, 512, 1800, 0, SDP_EC_FEC},
        {"fritzbox_t38", 0, 7084, "192.0.2.99", 0, 14400, 512, 2000, 0, SDP_EC_REDUNDANCY},
        {"old_gateway_misspelled", 0, 9000, "192.0.2.5", 1, 9600, 72, 1024, 0, SDP_EC_REDUNDANCY},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct sdp sdp;
        sample(&sdp, table[i].name);
        assert_int_equal(sdp_find_image(&sdp), table[i].index);
        const struct sdp_media *media = &sdp.media[table[i].index];
        assert_int_equal(media->port, table[i].port);
        assert_string_equal(media->address, table[i].address);
        assert_int_equal(media->t38.version, table[i].version);
        assert_int_equal(media->t38.max_bit_rate, table[i].rate);
        assert_int_equal(media->t38.max_datagram, table[i].datagram);
        assert_int_equal(media->t38.max_buffer, table[i].buffer);
        assert_int_equal(media->t38.max_ifp, table[i].ifp);
        assert_int_equal(media->t38.ec, table[i].ec);
        assert_false(media->t38.local_tcf);
        assert_int_equal(media->direction, SDP_SENDRECV);
    }
}

static void peers_audio_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int index;
        enum sdp_codec codec;
        int payload, rtcp_port;
    } table[] = {
        {"asterisk_audio", 0, SDP_PCMA, 8, 17207},   {"asterisk_srtp", 0, SDP_PCMU, 0, 11041},
        {"cisco_both_lines", 0, SDP_PCMU, 0, 16887}, {"fritzbox_audio", 0, SDP_PCMA, 8, 7085},
        {"back_to_audio", 1, SDP_PCMU, 96, 17207},
    };
    const struct sdp_audio_wish wish = {.plain = true, .secure = true};
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct sdp sdp;
        enum sdp_codec codec;
        sample(&sdp, table[i].name);
        assert_int_equal(sdp_find_audio(&sdp, &wish, &codec), table[i].index);
        assert_int_equal(codec, table[i].codec);
        assert_int_equal(sdp.media[table[i].index].payload[codec], table[i].payload);
        assert_int_equal(sdp.media[table[i].index].rtcp_port, table[i].rtcp_port);
    }
}

static void dtls_and_video_are_of_no_use(void **state)
{
    (void)state;
    struct sdp sdp;
    enum sdp_codec codec;
    const struct sdp_audio_wish wish = {.plain = true, .secure = true};
    sample(&sdp, "webrtc_video");
    assert_int_equal(sdp.media_count, 3);
    assert_int_equal(sdp_find_audio(&sdp, &wish, &codec), -1);
    assert_int_equal(sdp_find_image(&sdp), -1);
}

static void what_is_no_description_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
    } table[] = {
        {"", ERR_INVALID},
        {"\r\n\r\n", ERR_INVALID},
        {"o=- 1 1 IN IP4 1.2.3.4\r\nv=0\r\n", ERR_INVALID},
        {"v=1\r\n", ERR_INVALID},
        {HEAD "m=audio\r\n", ERR_INVALID},
        {HEAD "m=audio x RTP/AVP 0\r\n", ERR_INVALID},
        {HEAD "m=audio -1 RTP/AVP 0\r\n", ERR_INVALID},
        {HEAD "m=audio 65536 RTP/AVP 0\r\n", ERR_INVALID},
        {HEAD "m=audio 99999999999999999999 RTP/AVP 0\r\n", ERR_INVALID},
        {HEAD "m=audio 4000x RTP/AVP 0\r\n", ERR_INVALID},
        {HEAD "m=a-name-that-is-too-long 4000 RTP/AVP 0\r\n", ERR_INVALID},
        {HEAD "m=audio 4000 RTP/\xc3\xa4 0\r\n", ERR_INVALID},
        {"v=0\nm=a 1 b 1\nm=a 1 b 1\nm=a 1 b 1\nm=a 1 b 1\nm=a 1 b 1\nm=a 1 b 1\nm=a 1 b 1\nm=a 1 b 1\nm=a 1 b 1\n",
         ERR_TOO_BIG},
        {"v=0\nm=a 1 b 1\nm=a 1 b 1\nm=a 1 b 1\nm=a 1 b 1\nm=a 1 b 1\nm=a 1 b 1\nm=a 1 b 1\nm=a 1 b 1\n", 0},
        {"v=0", 0},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct sdp sdp;
        assert_int_equal(sdp_parse(&sdp, table[i].text, strlen(table[i].text)), table[i].err);
        if (table[i].err)
            assert_int_equal(sdp.media_count, 0);
    }
}

static void lines_end_with_or_without_cr_and_are_cut(void **state)
{
    (void)state;
    struct sdp sdp;
    char text[8192];
    parse(&sdp, "v=0\nc=IN IP4 192.0.2.1\nm=audio 4000/2 RTP/AVP 0");
    assert_int_equal(sdp.media[0].port, 4000);
    assert_string_equal(sdp.media[0].address, "192.0.2.1");
    snprintf(text, sizeof(text), "v=0\nc=IN IP4 192.0.2.1\na=x:%04000d\nm=audio 4000 RTP/AVP 8\n", 1);
    parse(&sdp, text);
    assert_int_equal(sdp.media[0].payload[SDP_PCMA], 8);
    snprintf(text, sizeof(text), "v=0\nm=audio 4000 RTP/AVP %02000d 0\n", 1);
    parse(&sdp, text);
    assert_string_equal(sdp.media[0].formats, "");
    static const char nul[] = "v=0\nc=IN IP4 192.0.2.1\nm=audio\0004000 RTP/AVP 0\n\0\0";
    assert_int_equal(sdp_parse(&sdp, nul, sizeof(nul)), 0);
    assert_string_equal(sdp.media[0].name, "audio");
}

static void addresses_that_cannot_be_sent_to_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *line, *address;
    } table[] = {
        {"c=IN IP4 192.0.2.7", "192.0.2.7"},
        {"c=IN IP4 192.0.2.7/127", "192.0.2.7"},
        {"c=in ip4  192.0.2.7", "192.0.2.7"},
        {"c=IN IP6 2001:DB8:0::7", "2001:db8::7"},
        {"c=IN IP4 0.0.0.0", "0.0.0.0"},
        {"c=IN IP4 224.2.1.1/127", ""},
        {"c=IN IP4 239.255.255.250", ""},
        {"c=IN IP4 255.255.255.255", ""},
        {"c=IN IP6 ff02::1", ""},
        {"c=IN IP6 ::ffff:224.0.0.1", ""},
        {"c=IN IP4 2001:db8::7", ""},
        {"c=IN IP6 192.0.2.7", ""},
        {"c=IN IP6 fe80::1%eth0", ""},
        {"c=IN IP4 fax.example.net", ""},
        {"c=IN IP4", ""},
        {"c=ATM NSAP 1", ""},
        {"c=", ""},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct sdp sdp;
        char lines[256];
        snprintf(lines, sizeof(lines), "m=image 4000 udptl t38\r\n%s\r\n", table[i].line);
        assert_string_equal(media_of(&sdp, lines)->address, table[i].address);
        assert_int_equal(sdp_find_image(&sdp), table[i].address[0] ? 0 : -1);
    }
}

static void a_line_without_an_own_address_has_the_sessions(void **state)
{
    (void)state;
    struct sdp sdp;
    parse(&sdp, "v=0\nc=IN IP4 192.0.2.1\na=sendonly\nm=audio 4000 RTP/AVP 0\nc=IN IP6 ::1\na=inactive\n"
                "m=image 4002 udptl t38\n");
    assert_string_equal(sdp.media[0].address, "::1");
    assert_int_equal(sdp.media[0].direction, SDP_INACTIVE);
    assert_string_equal(sdp.media[1].address, "192.0.2.1");
    assert_int_equal(sdp.media[1].direction, SDP_SENDONLY);
    parse(&sdp, "v=0\nm=audio 4000 RTP/AVP 0\n");
    assert_string_equal(sdp.media[0].address, "");
}

static void payload_types_of_g711_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        int pcmu, pcma;
        enum sdp_codec first;
    } table[] = {
        {"m=audio 4000 RTP/AVP 0 8\n", 0, 8, SDP_PCMU},
        {"m=audio 4000 RTP/AVP 8 0\n", 0, 8, SDP_PCMA},
        {"m=audio 4000 RTP/AVP 18 8\n", -1, 8, SDP_PCMA},
        {"m=audio 4000 RTP/AVP 96 97\na=rtpmap:97 pcmu/8000\na=rtpmap:96 PCMA/8000/1\n", 97, 96, SDP_PCMA},
        {"m=audio 4000 RTP/AVP 96 8\na=rtpmap:96 PCMU/8000\n", 96, 8, SDP_PCMU},
        {"m=audio 4000 RTP/AVP 0 96\na=rtpmap:96 PCMU/8000\n", 0, -1, SDP_PCMU},
        {"m=audio 4000 RTP/AVP 96 0\na=rtpmap:96 PCMU/8000\n", 96, -1, SDP_PCMU},
        {"m=audio 4000 RTP/AVP 96\na=rtpmap:96 PCMU/16000\n", -1, -1, SDP_PCMU},
        {"m=audio 4000 RTP/AVP 96\na=rtpmap:96 PCMU/8000/2\n", -1, -1, SDP_PCMU},
        {"m=audio 4000 RTP/AVP 96\na=rtpmap:97 PCMU/8000\n", -1, -1, SDP_PCMU},
        {"m=audio 4000 RTP/AVP 128\na=rtpmap:128 PCMU/8000\n", -1, -1, SDP_PCMU},
        {"m=audio 4000 RTP/AVP 10 08x 80\na=rtpmap:\na=rtpmap:x PCMU/8000\n", -1, -1, SDP_PCMU},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct sdp sdp;
        enum sdp_codec codec;
        const struct sdp_media *media = media_of(&sdp, table[i].lines);
        const struct sdp_audio_wish wish = {.plain = true};
        assert_int_equal(media->payload[SDP_PCMU], table[i].pcmu);
        assert_int_equal(media->payload[SDP_PCMA], table[i].pcma);
        bool there = table[i].pcmu >= 0 || table[i].pcma >= 0;
        assert_int_equal(sdp_find_audio(&sdp, &wish, &codec), there ? 0 : -1);
        if (there)
            assert_int_equal(codec, table[i].first);
    }
}

static void rtcp_and_ptime_are_told_or_follow(void **state)
{
    (void)state;
    struct sdp sdp;
    const struct sdp_media *media = media_of(&sdp, "m=audio 4000 RTP/AVP 0\na=rtcp:53020\na=ptime:30\n");
    assert_int_equal(media->rtcp_port, 53020);
    assert_string_equal(media->rtcp_address, "192.0.2.1");
    assert_int_equal(media->ptime_ms, 30);
    media = media_of(&sdp, "m=audio 4000 RTP/AVP 0\na=rtcp:5000 IN IP6 2001:db8::4\nc=IN IP4 192.0.2.9\n");
    assert_string_equal(media->rtcp_address, "2001:db8::4");
    media = media_of(&sdp, "m=audio 4000 RTP/AVP 0\na=rtcp:99999\na=ptime:-4\nc=IN IP4 192.0.2.9\n");
    assert_int_equal(media->rtcp_port, 4001);
    assert_string_equal(media->rtcp_address, "192.0.2.9");
    assert_int_equal(media->ptime_ms, 0);
    assert_int_equal(media_of(&sdp, "m=audio 65535 RTP/AVP 0\n")->rtcp_port, 0);
}

static void only_keys_that_we_can_use_are_kept(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int tag; /* 0: passed over */
        enum sdp_suite suite;
    } table[] = {
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY, 1, SDP_AES_CM_128_HMAC_SHA1_80},
        {"999999999 aes_cm_128_hmac_sha1_32 INLINE:" KEY, 999999999, SDP_AES_CM_128_HMAC_SHA1_32},
        {"2 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^31", 2, SDP_AES_CM_128_HMAC_SHA1_80},
        {"3 AES_CM_128_HMAC_SHA1_80 inline:" KEY " WSH=64", 3, SDP_AES_CM_128_HMAC_SHA1_80},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|1:4", 0, SDP_AES_CM_128_HMAC_SHA1_80},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^20|1:4", 0, SDP_AES_CM_128_HMAC_SHA1_80},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY ";inline:" KEY, 0, SDP_AES_CM_128_HMAC_SHA1_80},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY " UNENCRYPTED_SRTP", 0, SDP_AES_CM_128_HMAC_SHA1_80},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "A", 0, SDP_AES_CM_128_HMAC_SHA1_80},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:WVNf", 0, SDP_AES_CM_128_HMAC_SHA1_80},
        {"1 AES_CM_128_HMAC_SHA1_80 inline:", 0, SDP_AES_CM_128_HMAC_SHA1_80},
        {"1 AES_CM_128_HMAC_SHA1_80", 0, SDP_AES_CM_128_HMAC_SHA1_80},
        {"1 AES_256_CM_HMAC_SHA1_80 inline:" KEY, 0, SDP_AES_CM_128_HMAC_SHA1_80},
        {"0 AES_CM_128_HMAC_SHA1_80 inline:" KEY, 0, SDP_AES_CM_128_HMAC_SHA1_80},
        {"x AES_CM_128_HMAC_SHA1_80 inline:" KEY, 0, SDP_AES_CM_128_HMAC_SHA1_80},
    };
    const struct sdp_audio_wish wish = {.secure = true};
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct sdp sdp;
        enum sdp_codec codec;
        char lines[512];
        snprintf(lines, sizeof(lines), "m=audio 4000 RTP/SAVP 0\na=crypto:%s\n", table[i].line);
        const struct sdp_media *media = media_of(&sdp, lines);
        assert_int_equal(media->crypto_count, table[i].tag ? 1 : 0);
        assert_int_equal(sdp_find_audio(&sdp, &wish, &codec), table[i].tag ? 0 : -1);
        if (table[i].tag) {
            assert_int_equal(media->crypto[0].tag, table[i].tag);
            assert_int_equal(media->crypto[0].suite, table[i].suite);
            assert_string_equal(media->crypto[0].key, KEY);
        }
    }
}

static void t38_attributes_have_many_spellings(void **state)
{
    (void)state;
    struct sdp sdp = {0};
    const struct sdp_t38 *t38 = &sdp.media[0].t38;
    media_of(&sdp, "m=image 4000 udptl t38\na=T38FaxFillBitRemoval\na=T38FaxTranscodingMMR:1\n"
                   "a=t38faxtranscodingjbig: 0\na=T38FaxRateManagement: localTCF\na=T38FaxUdpECDepth: 2 4\n"
                   "a=T38FaxUdpFECMaxSpan:5\na=T38VendorInfo: 0 0 37\na=T38FaxMaxIFP:200\na=T38MaxBitRate:33600\n");
    assert_true(t38->fill_bit_removal && t38->transcoding_mmr && !t38->transcoding_jbig && t38->local_tcf);
    assert_int_equal(t38->ec_depth_min, 2);
    assert_int_equal(t38->ec_depth_max, 4);
    assert_int_equal(t38->fec_max_span, 5);
    assert_int_equal(t38->max_ifp, 200);
    assert_int_equal(t38->max_bit_rate, 33600);
    assert_string_equal(t38->vendor_info, "0 0 37");
    media_of(&sdp, "m=image 4000 udptl t38\na=T38FaxRateManagement:transferredTCF\na=T38FaxUdpEC:t38UDPNoEC\n"
                   "a=T38VendorInfo:\xff\na=T38FaxUdpECDepth:3\na=T38FaxFillBitRemoval:false\n");
    assert_false(t38->local_tcf || t38->fill_bit_removal);
    assert_int_equal(t38->ec, SDP_EC_NONE);
    assert_int_equal(t38->ec_depth_min, 3);
    assert_int_equal(t38->ec_depth_max, -1);
    assert_string_equal(t38->vendor_info, "");
    media_of(&sdp, "m=image 4000 udptl t38\na=T38FaxUdpEC:t38UDPFEC\na=T38FaxUdpEC:t38UDPRedundancy\n");
    assert_int_equal(t38->ec, SDP_EC_FEC);
}

static void what_is_not_told_of_t38_has_defaults(void **state)
{
    (void)state;
    static const char *const table[] = {
        "m=image 4000 udptl t38\n",
        "m=image 4000 udptl t38\na=T38FaxVersion:\na=T38MaxBitRate:x\na=T38FaxMaxDatagram:0\na=T38FaxMaxBuffer\n",
        "m=image 4000 udptl t38\na=T38MaxBitRate:0\na=T38FaxRateManagement\na=T38FaxUdpEC\na=T38FaxNews:1\na=T38\n",
        "m=image 4000 udptl t38\na=T38MaxBitRate:-9600\na=T38FaxUdpECDepth\na=T38FaxVersion:-1\na=\na\na=:\n",
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct sdp sdp;
        struct sdp_t38 wanted;
        sdp_t38_init(&wanted);
        const struct sdp_t38 *t38 = &media_of(&sdp, table[i])->t38;
        assert_int_equal(t38->version, 0);
        assert_int_equal(t38->max_bit_rate, 14400);
        assert_int_equal(t38->max_datagram, 400);
        assert_t38_equal(t38, &wanted);
    }
}

static void a_t38_attribute_above_the_lines_holds_for_all(void **state)
{
    (void)state;
    struct sdp sdp;
    parse(&sdp, "v=0\nc=IN IP4 192.0.2.1\na=T38MaxBitRate:9600\nm=audio 4000 RTP/AVP 0\nm=image 4002 udptl t38\n");
    assert_int_equal(sdp.media[1].t38.max_bit_rate, 9600);
}

/* ---- choosing ---- */

static void the_first_usable_image_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        int index;
    } table[] = {
        {"m=image 4000 udptl t38\n", 0},
        {"m=image 4000 UDPTL T38\n", 0},
        {"m=image 0 udptl t38\nm=image 4000 udptl t38\n", 1},
        {"m=audio 4000 RTP/AVP 0\nm=image 4002 udptl t38\n", 1},
        {"m=image 4000 tcp t38\n", -1},
        {"m=image 4000 UDP/TLS/UDPTL t38\n", -1},
        {"m=image 4000 udptl t39\n", -1},
        {"m=image 4000 udptl\n", -1},
        {"m=audio 4000 udptl t38\n", -1},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct sdp sdp;
        media_of(&sdp, table[i].lines);
        assert_int_equal(sdp_find_image(&sdp), table[i].index);
    }
}

static void the_wish_decides_over_audio(void **state)
{
    (void)state;
    struct sdp sdp;
    enum sdp_codec codec;
    struct sdp_audio_wish wish = {.codecs = {SDP_PCMA, SDP_PCMU}, .codec_count = 2, .plain = true};
    media_of(&sdp, "m=audio 0 RTP/AVP 0\nm=audio 4000 RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY
                   "\nm=audio 4002 RTP/AVPF 0 8\n");
    assert_int_equal(sdp_find_audio(&sdp, &wish, &codec), 2);
    assert_int_equal(codec, SDP_PCMA);
    wish.codec_count = 0;
    assert_int_equal(sdp_find_audio(&sdp, &wish, &codec), 2);
    assert_int_equal(codec, SDP_PCMU);
    wish.secure = true;
    assert_int_equal(sdp_find_audio(&sdp, &wish, &codec), 1);
    wish.codecs[0] = SDP_PCMA;
    wish.codec_count = 1;
    assert_int_equal(sdp_find_audio(&sdp, &wish, &codec), 2);
    wish.plain = false;
    assert_int_equal(sdp_find_audio(&sdp, &wish, &codec), -1);
}

static void a_peer_on_hold_is_noticed(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        bool held;
        enum sdp_direction answer;
    } table[] = {
        {"m=audio 4000 RTP/AVP 0\n", false, SDP_SENDRECV},
        {"m=audio 4000 RTP/AVP 0\na=sendonly\n", true, SDP_RECVONLY},
        {"m=audio 4000 RTP/AVP 0\na=RECVONLY \n", false, SDP_SENDONLY},
        {"m=audio 4000 RTP/AVP 0\na=inactive\n", true, SDP_INACTIVE},
        {"m=audio 4000 RTP/AVP 0\nc=IN IP4 0.0.0.0\n", true, SDP_SENDRECV},
        {"m=audio 4000 RTP/AVP 0\nc=IN IP6 ::\n", true, SDP_SENDRECV},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct sdp sdp;
        const struct sdp_media *media = media_of(&sdp, table[i].lines);
        assert_int_equal(sdp_is_held(media), table[i].held);
        assert_int_equal(sdp_direction_answer(media->direction), table[i].answer);
    }
}

/* ---- agreeing ---- */

static void the_lesser_of_both_is_agreed(void **state)
{
    (void)state;
    struct sdp_t38 ours, theirs, agreed;
    sdp_t38_init(&ours);
    sdp_t38_init(&theirs);
    ours.version = 0;
    ours.ec = SDP_EC_REDUNDANCY;
    ours.max_datagram = 1400;
    theirs.version = 3;
    theirs.max_bit_rate = 33600;
    theirs.ec = SDP_EC_FEC;
    theirs.local_tcf = theirs.fill_bit_removal = theirs.transcoding_mmr = theirs.transcoding_jbig = true;
    theirs.max_datagram = 173;
    sdp_t38_agree(&agreed, &ours, &theirs);
    assert_int_equal(agreed.version, 0);
    assert_int_equal(agreed.max_bit_rate, 14400);
    assert_int_equal(agreed.ec, SDP_EC_REDUNDANCY);
    assert_int_equal(agreed.max_datagram, 173);
    assert_false(agreed.local_tcf);
    assert_false(agreed.fill_bit_removal || agreed.transcoding_mmr || agreed.transcoding_jbig);
    theirs.ec = SDP_EC_NONE;
    theirs.max_datagram = 40; /* no identification would fit */
    sdp_t38_agree(&theirs, &ours, &theirs);
    assert_int_equal(theirs.ec, SDP_EC_NONE);
    assert_int_equal(theirs.max_datagram, 96);
}

/* ---- writing ---- */

static void audio_is_offered(void **state)
{
    (void)state;
    char text[SDP_TEXT_SIZE];
    const struct sdp_line line = {
        .kind = SDP_AUDIO, .port = 4000, .codecs = {SDP_PCMA, SDP_PCMU}, .codec_count = 2, .rtcp_port = 4001};
    assert_int_equal(sdp_write_offer(text, sizeof(text), &origin, &line, 1), 0);
    assert_string_equal(text, "v=0\r\no=- 7 8 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n"
                              "m=audio 4000 RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
                              "a=ptime:20\r\na=silenceSupp:off - - - -\r\na=sendrecv\r\n");
}

static void secure_audio_is_offered_over_ipv6(void **state)
{
    (void)state;
    char text[SDP_TEXT_SIZE];
    const struct sdp_origin six = {.session_id = UINT64_MAX, .address = "2001:db8::9"};
    const struct sdp_crypto crypto = {.tag = 1, .suite = SDP_AES_CM_128_HMAC_SHA1_32, .key = KEY};
    const struct sdp_line line = {.kind = SDP_AUDIO,
                                  .port = 4000,
                                  .codecs = {SDP_PCMU},
                                  .codec_count = 1,
                                  .rtcp_port = 5000,
                                  .crypto = &crypto,
                                  .direction = SDP_RECVONLY};
    assert_int_equal(sdp_write_offer(text, sizeof(text), &six, &line, 1), 0);
    assert_string_equal(text, "v=0\r\no=- 18446744073709551615 0 IN IP6 2001:db8::9\r\ns=-\r\n"
                              "c=IN IP6 2001:db8::9\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 0\r\na=rtcp:5000\r\n"
                              "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:" KEY "\r\na=rtpmap:0 PCMU/8000\r\n"
                              "a=ptime:20\r\na=silenceSupp:off - - - -\r\na=recvonly\r\n");
}

static struct sdp_t38 our_t38(void)
{
    struct sdp_t38 t38;

    sdp_t38_init(&t38);
    t38.ec = SDP_EC_FEC;
    t38.max_buffer = 2000;
    t38.max_datagram = 1400;
    return t38;
}

static void things_have_names(void **state)
{
    (void)state;
    assert_string_equal(sdp_codec_name(SDP_PCMU), "PCMU");
    assert_string_equal(sdp_codec_name(SDP_PCMA), "PCMA");
    assert_string_equal(sdp_suite_name(SDP_AES_CM_128_HMAC_SHA1_32), "AES_CM_128_HMAC_SHA1_32");
    assert_string_equal(sdp_ec_name(SDP_EC_NONE), "none");
    assert_string_equal(sdp_ec_name(SDP_EC_REDUNDANCY), "redundancy");
    assert_string_equal(sdp_ec_name(SDP_EC_FEC), "fec");
}

static void both_kinds_and_lines_out_of_use_are_offered(void **state)
{
    (void)state;
    char text[SDP_TEXT_SIZE];
    struct sdp before;
    struct sdp_t38 t38 = our_t38();
    t38.max_ifp = 200;
    t38.fec_max_span = 4;
    t38.ec_depth_min = 1; /* only said with redundancy */
    sample(&before, "webrtc_video");
    const struct sdp_line lines[] = {
        {.kind = SDP_AUDIO, .port = 0, .codecs = {SDP_PCMU}, .codec_count = 1},
        {.refused = &before.media[1]},
        {.kind = SDP_IMAGE, .port = 4000, .t38 = &t38},
        {.kind = SDP_IMAGE},
    };
    assert_int_equal(sdp_write_offer(text, sizeof(text), &origin, lines, COUNT_OF(lines)), 0);
    assert_string_equal(
        strstr(text, "m="),
        "m=audio 0 RTP/AVP 0\r\nm=video 0 UDP/TLS/RTP/SAVPF 96\r\n"
        "m=image 4000 udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\n"
        "a=T38FaxRateManagement:transferredTCF\r\na=T38FaxMaxBuffer:2000\r\na=T38FaxMaxDatagram:1400\r\n"
        "a=T38FaxMaxIFP:200\r\na=T38FaxUdpEC:t38UDPFEC\r\na=T38FaxUdpFECMaxSpan:4\r\n"
        "m=image 0 udptl t38\r\n");
}

static void an_image_answer_says_what_is_agreed(void **state)
{
    (void)state;
    static const struct {
        const char *lines, *answer;
    } table[] = {
        {"m=audio 16886 RTP/AVP 0 8 18\nm=image 5000 udptl t38\na=T38FaxVersion:3\na=T38MaxBitRate:9600\n"
         "a=T38FaxFillBitRemoval\na=T38FaxTranscodingMMR\na=T38FaxTranscodingJBIG\na=T38FaxMaxDatagram:100\n"
         "a=T38FaxUdpEC:t38UDPRedundancy\n",
         "m=audio 0 RTP/AVP 0 8 18\r\nm=image 4000 udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:9600\r\n"
         "a=T38FaxRateManagement:transferredTCF\r\na=T38FaxMaxBuffer:2000\r\na=T38FaxMaxDatagram:1400\r\n"
         "a=T38FaxUdpEC:t38UDPRedundancy\r\n"},
        {"m=image 5000 UDPTL t38\na=T38FaxUdpEC:t38UDPFEC\na=T38FaxRateManagement:localTCF\na=sendonly\n",
         "m=image 4000 UDPTL t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\n"
         "a=T38FaxRateManagement:transferredTCF\r\na=T38FaxMaxBuffer:2000\r\na=T38FaxMaxDatagram:1400\r\n"
         "a=T38FaxUdpEC:t38UDPFEC\r\na=recvonly\r\n"},
        {"m=image 0 udptl t38\nm=image 5000 udptl t38\nm=video 9 X y z\n",
         "m=image 0 udptl t38\r\nm=image 4000 udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\n"
         "a=T38FaxRateManagement:transferredTCF\r\na=T38FaxMaxBuffer:2000\r\na=T38FaxMaxDatagram:1400\r\n"
         "m=video 0 X y z\r\n"},
    };
    struct sdp_t38 ours = our_t38();
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char text[SDP_TEXT_SIZE];
        struct sdp offer;
        media_of(&offer, table[i].lines);
        int chosen = sdp_find_image(&offer);
        struct sdp_line line = {.kind = SDP_IMAGE, .port = 4000, .t38 = &ours};
        line.direction = sdp_direction_answer(offer.media[chosen].direction);
        assert_int_equal(sdp_write_answer(text, sizeof(text), &origin, &offer, chosen, &line), 0);
        assert_string_equal(strstr(text, "m="), table[i].answer);
    }
}

static void limits_are_told_to_those_who_know_them(void **state)
{
    (void)state;
    char text[SDP_TEXT_SIZE];
    struct sdp offer;
    struct sdp_t38 ours = our_t38();
    struct sdp_line line = {.kind = SDP_IMAGE, .port = 4000, .t38 = &ours};
    ours.version = 3;
    ours.max_bit_rate = 33600;
    ours.max_ifp = 180;
    ours.ec_depth_min = 2;
    ours.ec_depth_max = 5;
    sample(&offer, "audiocodes_v3");
    assert_int_equal(sdp_write_answer(text, sizeof(text), &origin, &offer, 1, &line), 0);
    assert_string_equal(strstr(text, "m="),
                        "m=audio 0 RTP/AVP 8\r\nm=image 4000 udptl t38\r\na=T38FaxVersion:3\r\n"
                        "a=T38MaxBitRate:33600\r\na=T38FaxRateManagement:transferredTCF\r\na=T38FaxMaxBuffer:2000\r\n"
                        "a=T38FaxMaxDatagram:1400\r\na=T38FaxMaxIFP:180\r\na=T38FaxUdpEC:t38UDPRedundancy\r\n"
                        "a=T38FaxUdpECDepth:2 5\r\n");
}

static void an_audio_answer_names_one_codec(void **state)
{
    (void)state;
    char text[SDP_TEXT_SIZE];
    struct sdp offer;
    const struct sdp_line line = {
        .kind = SDP_AUDIO, .port = 4000, .codecs = {SDP_PCMU}, .codec_count = 1, .direction = SDP_SENDONLY};
    sample(&offer, "back_to_audio");
    assert_int_equal(sdp_write_answer(text, sizeof(text), &origin, &offer, 1, &line), 0);
    assert_string_equal(strstr(text, "m="), "m=image 0 udptl t38\r\nm=audio 4000 RTP/AVPF 96\r\n"
                                            "a=rtpmap:96 PCMU/8000\r\na=ptime:20\r\na=silenceSupp:off - - - -\r\n"
                                            "a=sendonly\r\n");
}

static void a_secure_answer_keeps_the_tag(void **state)
{
    (void)state;
    char text[SDP_TEXT_SIZE];
    struct sdp offer;
    struct sdp_crypto crypto = {.key = KEY};
    struct sdp_line line = {.kind = SDP_AUDIO, .port = 4000, .codecs = {SDP_PCMU}, .codec_count = 1};
    sample(&offer, "asterisk_srtp");
    crypto.tag = offer.media[0].crypto[1].tag;
    crypto.suite = offer.media[0].crypto[1].suite;
    assert_int_equal(sdp_write_answer(text, sizeof(text), &origin, &offer, 0, &line), ERR_INVALID);
    assert_string_equal(text, "");
    line.crypto = &crypto;
    assert_int_equal(sdp_write_answer(text, sizeof(text), &origin, &offer, 0, &line), 0);
    assert_string_equal(strstr(text, "m="), "m=audio 4000 RTP/SAVP 0\r\n"
                                            "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:" KEY "\r\n"
                                            "a=rtpmap:0 PCMU/8000\r\na=ptime:20\r\na=silenceSupp:off - - - -\r\n"
                                            "a=sendrecv\r\n");
}

static void all_lines_can_be_refused(void **state)
{
    (void)state;
    char text[SDP_TEXT_SIZE];
    struct sdp offer;
    media_of(&offer, "m=audio 16886 RTP/AVP 0 8 18\nm=image 5000 udptl t38\nm=image 5002 udptl\n");
    const struct sdp_line none = {.kind = SDP_IMAGE};
    static const char refusal[] = "m=audio 0 RTP/AVP 0 8 18\r\nm=image 0 udptl t38\r\nm=image 0 udptl 0\r\n";
    assert_int_equal(sdp_write_answer(text, sizeof(text), &origin, &offer, -1, NULL), 0);
    assert_string_equal(strstr(text, "m="), refusal);
    assert_int_equal(sdp_write_answer(text, sizeof(text), &origin, &offer, 1, &none), 0);
    assert_string_equal(strstr(text, "m="), refusal);
}

static void what_cannot_be_answered_is_an_error(void **state)
{
    (void)state;
    char text[SDP_TEXT_SIZE];
    struct sdp offer;
    struct sdp_t38 t38 = our_t38();
    const struct sdp_line image = {.kind = SDP_IMAGE, .port = 4000, .t38 = &t38};
    const struct sdp_line pcma = {.kind = SDP_AUDIO, .port = 4000, .codecs = {SDP_PCMA}, .codec_count = 1};
    const struct sdp_line no_codec = {.kind = SDP_AUDIO, .port = 4000};
    const struct sdp_line no_t38 = {.kind = SDP_IMAGE, .port = 4000};
    const struct sdp_line bad_port = {.kind = SDP_IMAGE, .port = 65536, .t38 = &t38};
    const struct sdp_line other = {.kind = SDP_OTHER, .port = 4000};
    const struct sdp_origin nowhere = {.address = "fax.example.net"};
    media_of(&offer, "m=audio 16886 RTP/AVP 0\nm=image 5000 udptl t38\n");
    assert_int_equal(sdp_write_answer(text, sizeof(text), &origin, &offer, 0, &image), ERR_INVALID);
    assert_int_equal(sdp_write_answer(text, sizeof(text), &origin, &offer, 0, &pcma), ERR_INVALID);
    assert_int_equal(sdp_write_answer(text, sizeof(text), &origin, &offer, 0, &no_codec), ERR_INVALID);
    assert_int_equal(sdp_write_answer(text, sizeof(text), &origin, &offer, 1, &no_t38), ERR_INVALID);
    assert_int_equal(sdp_write_answer(text, sizeof(text), &origin, &offer, 1, &bad_port), ERR_INVALID);
    assert_int_equal(sdp_write_answer(text, sizeof(text), &origin, &offer, 2, &image), ERR_INVALID);
    assert_int_equal(sdp_write_answer(text, sizeof(text), &origin, &offer, -2, &image), ERR_INVALID);
    assert_int_equal(sdp_write_answer(text, sizeof(text), &nowhere, &offer, 1, &image), ERR_INVALID);
    assert_int_equal(sdp_write_offer(text, sizeof(text), &origin, &other, 1), ERR_INVALID);
    assert_int_equal(sdp_write_offer(text, sizeof(text), &origin, &image, SDP_MEDIA_MAX + 1), ERR_INVALID);
    assert_string_equal(text, "");
}

static void a_buffer_too_small_is_left_empty(void **state)
{
    (void)state;
    char whole[SDP_TEXT_SIZE];
    struct sdp_t38 t38 = our_t38();
    const struct sdp_line lines[] = {
        {.kind = SDP_AUDIO, .port = 4000, .codecs = {SDP_PCMU, SDP_PCMA}, .codec_count = 2},
        {.kind = SDP_IMAGE, .port = 4000, .t38 = &t38},
    };
    assert_int_equal(sdp_write_offer(whole, sizeof(whole), &origin, lines, 2), 0);
    for (size_t size = 0; size <= strlen(whole) + 1; size++) {
        char *text = malloc(size ? size : 1);
        int err = sdp_write_offer(text, size, &origin, lines, 2);
        assert_int_equal(err, size > strlen(whole) ? 0 : ERR_FULL);
        if (size > 0)
            assert_string_equal(text, err ? "" : whole);
        free(text);
    }
}

static void our_offers_are_read_back(void **state)
{
    (void)state;
    char text[SDP_TEXT_SIZE];
    struct sdp sdp;
    struct sdp_t38 t38 = our_t38();
    t38.vendor_info[0] = '1';
    const struct sdp_line line = {.kind = SDP_IMAGE, .port = 4000, .t38 = &t38, .direction = SDP_INACTIVE};
    assert_int_equal(sdp_write_offer(text, sizeof(text), &origin, &line, 1), 0);
    parse(&sdp, text);
    assert_t38_equal(&sdp.media[0].t38, &t38);
    assert_int_equal(sdp.media[0].direction, SDP_INACTIVE);
    assert_non_null(strstr(text, "\r\no=- 7 8 IN IP4 198.51.100.9\r\n"));
}

static void the_largest_answer_fits(void **state)
{
    (void)state;
    char text[SDP_TEXT_SIZE], lines[8192] = "";
    struct sdp offer;
    struct sdp_t38 t38 = our_t38();
    const struct sdp_line line = {.kind = SDP_IMAGE, .port = 4000, .t38 = &t38};
    for (int i = 0; i < SDP_MEDIA_MAX - 1; i++)
        strcat(lines,
               "m=abcdefghijklmno 65535 abcdefghijklmnopqrstuvwxyz01234 1234567890123456789012345678901234567890 "
               "1234567890123456789012345678901234567890 1234567890123456789012345678901234567890 "
               "1234567890123456789012345678901234567890 1234567890123456789012345678901234567890 "
               "12345678901234567890123456789012345678901234567890 12345678901234567890\n");
    strcat(lines, "m=image 1 udptl t38\n");
    char all[8192 + 128];
    snprintf(all, sizeof(all), HEAD "%s", lines);
    parse(&offer, all);
    assert_int_equal(sdp_write_answer(text, sizeof(text), &origin, &offer, SDP_MEDIA_MAX - 1, &line), 0);
}

/* ---- hostile texts ---- */

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Change, drop, double or cut some octets of a text in memory of exactly its size. */
static char *mutated(size_t *size, const char *from, size_t length, uint32_t *seed)
{
    static const char favourites[] = "\r\n\0 :=/;|0189-\xff,am";
    char *text = malloc(2 * length + 1);
    size_t used = 0, cut = next_random(seed) % 8 ? length : next_random(seed) % length;

    for (size_t i = 0; i < cut; i++) {
        uint32_t dice = next_random(seed) % 100;
        if (dice == 0)
            continue;
        text[used++] = dice == 1 ? favourites[next_random(seed) % sizeof(favourites)] : from[i];
        if (dice == 2)
            text[used++] = (char)next_random(seed);
    }
    *size = used;
    return realloc(text, used ? used : 1);
}

static void answer_in_any_way(const struct sdp *offer)
{
    char text[SDP_TEXT_SIZE];
    struct sdp again;
    struct sdp_t38 t38 = our_t38();
    const struct sdp_audio_wish wish = {.plain = true};
    struct sdp_line line = {.kind = SDP_IMAGE, .port = 4000, .t38 = &t38, .codec_count = 1};
    int chosen = sdp_find_image(offer);

    if (chosen < 0) {
        line.kind = SDP_AUDIO;
        chosen = sdp_find_audio(offer, &wish, &line.codecs[0]);
    }
    assert_int_equal(sdp_write_answer(text, sizeof(text), &origin, offer, chosen, &line), 0);
    assert_int_equal(sdp_parse(&again, text, strlen(text)), 0);
    assert_int_equal(again.media_count, offer->media_count);
}

static void ten_thousand_broken_descriptions_do_no_harm(void **state)
{
    (void)state;
    static const char *const names[] = {"asterisk_audio",   "asterisk_srtp", "asterisk_t38_reinvite", "audiocodes_v3",
                                        "cisco_both_lines", "fritzbox_t38",  "rtpengine_t38",         "webrtc_video"};
    uint32_t seed = 38;
    int read = 0;
    for (int i = 0; i < 10000; i++) {
        char from[8192];
        size_t length, size;
        struct sdp sdp;
        sample_read(from, sizeof(from), &length, names[(size_t)i % COUNT_OF(names)]);
        char *text = mutated(&size, from, length, &seed);
        if (sdp_parse(&sdp, text, size) == 0) {
            answer_in_any_way(&sdp);
            read++;
        }
        free(text);
    }
    assert_true(read > 5000); /* else they would prove little */
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(peers_images_are_read),
        cmocka_unit_test(peers_audio_is_read),
        cmocka_unit_test(dtls_and_video_are_of_no_use),
        cmocka_unit_test(what_is_no_description_is_refused),
        cmocka_unit_test(lines_end_with_or_without_cr_and_are_cut),
        cmocka_unit_test(addresses_that_cannot_be_sent_to_are_none),
        cmocka_unit_test(a_line_without_an_own_address_has_the_sessions),
        cmocka_unit_test(payload_types_of_g711_are_found),
        cmocka_unit_test(rtcp_and_ptime_are_told_or_follow),
        cmocka_unit_test(only_keys_that_we_can_use_are_kept),
        cmocka_unit_test(t38_attributes_have_many_spellings),
        cmocka_unit_test(what_is_not_told_of_t38_has_defaults),
        cmocka_unit_test(a_t38_attribute_above_the_lines_holds_for_all),
        cmocka_unit_test(the_first_usable_image_is_found),
        cmocka_unit_test(the_wish_decides_over_audio),
        cmocka_unit_test(a_peer_on_hold_is_noticed),
        cmocka_unit_test(the_lesser_of_both_is_agreed),
        cmocka_unit_test(things_have_names),
        cmocka_unit_test(audio_is_offered),
        cmocka_unit_test(secure_audio_is_offered_over_ipv6),
        cmocka_unit_test(both_kinds_and_lines_out_of_use_are_offered),
        cmocka_unit_test(an_image_answer_says_what_is_agreed),
        cmocka_unit_test(limits_are_told_to_those_who_know_them),
        cmocka_unit_test(an_audio_answer_names_one_codec),
        cmocka_unit_test(a_secure_answer_keeps_the_tag),
        cmocka_unit_test(all_lines_can_be_refused),
        cmocka_unit_test(what_cannot_be_answered_is_an_error),
        cmocka_unit_test(a_buffer_too_small_is_left_empty),
        cmocka_unit_test(our_offers_are_read_back),
        cmocka_unit_test(the_largest_answer_fits),
        cmocka_unit_test(ten_thousand_broken_descriptions_do_no_harm),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
