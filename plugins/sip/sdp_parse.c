/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a peer's session description line by line. What holds for the session is kept as a media line of its own that
 * each m= begins from, so that an attribute is read the same way wherever it stands: some gateways put T38 attributes
 * above the image line.
 */
#include "config.h"

#include "plugins/sip/sdp.h"
#include "plugins/sip/sdp_t38.h"

#include "server/base/err.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PORT_MOST    65535
#define PAYLOAD_MOST 127
#define PTIME_MOST   1000
#define TAG_MOST     999999999 /* RFC 4568 section 9.1 */

struct parse {
    struct sdp *sdp;
    struct sdp_media session;   /* what media lines begin from */
    struct sdp_media *media;    /* where attributes go: a media line, or `session` */
    int place[SDP_CODEC_COUNT]; /* of the codec's format in the list of the media line */
};

/* ---- tokens ---- */

/* Copy the next word of `*at` and move on. False when there is none or it does not fit; then nothing is copied. */
static bool word_take(char *word, size_t size, const char **at)
{
    const char *start = *at + strspn(*at, " ");
    size_t length = strcspn(start, " ");

    if (length == 0 || length >= size)
        return false;
    memcpy(word, start, length);
    word[length] = '\0';
    *at = start + length;
    return true;
}

static bool is_digits(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

/* ---- c= ---- */

static bool is_unicast_4(const struct in_addr *address)
{
    return ntohl(address->s_addr) >> 28 < 14; /* above are multicast, reserved and broadcast */
}

static bool is_unicast_6(const struct in6_addr *address)
{
    struct in_addr mapped;

    if (!IN6_IS_ADDR_V4MAPPED(address))
        return !IN6_IS_ADDR_MULTICAST(address);
    memcpy(&mapped, address->s6_addr + 12, sizeof(mapped));
    return is_unicast_4(&mapped);
}

/* "IN IP4 192.0.2.1"; "" for what cannot be sent to. Names are not looked up: a stranger would decide what we ask. */
static void address_read(char address[SDP_ADDRESS_SIZE], const char *value)
{
    char net[4], type[4], host[SDP_ADDRESS_SIZE + 16];
    struct in_addr four;
    struct in6_addr six;

    address[0] = '\0';
    if (!word_take(net, sizeof(net), &value) || !word_take(type, sizeof(type), &value) ||
        !word_take(host, sizeof(host), &value) || strcasecmp(net, "IN") != 0)
        return;
    host[strcspn(host, "/")] = '\0';
    if (!strcasecmp(type, "IP4") && inet_pton(AF_INET, host, &four) == 1 && is_unicast_4(&four))
        inet_ntop(AF_INET, &four, address, SDP_ADDRESS_SIZE);
    else if (!strcasecmp(type, "IP6") && inet_pton(AF_INET6, host, &six) == 1 && is_unicast_6(&six))
        inet_ntop(AF_INET6, &six, address, SDP_ADDRESS_SIZE);
}

static void connection_read(struct parse *parse, const char *value)
{
    char address[SDP_ADDRESS_SIZE];

    address_read(address, value);
    memcpy(parse->media->address, address, sizeof(address));
}

/* ---- m= ---- */

static enum sdp_kind kind_of(const char *name)
{
    if (!strcasecmp(name, "audio"))
        return SDP_AUDIO;
    return strcasecmp(name, "image") ? SDP_OTHER : SDP_IMAGE;
}

/* Place of a payload type in the list of formats, -1 when it is not there. */
static int format_place(const struct sdp_media *media, int payload)
{
    char word[sizeof(media->formats)];
    const char *at = media->formats;

    for (int place = 0; word_take(word, sizeof(word), &at); place++) {
        if (is_digits(word) && sdp_number(word, INT_MAX, NULL) == payload)
            return place;
    }
    return -1;
}

/* Of several payload types for a codec the one that stands first is taken. */
static void codec_note(struct parse *parse, enum sdp_codec codec, int payload)
{
    struct sdp_media *media = parse->media;
    int place = format_place(media, payload);

    if (place < 0 || (media->payload[codec] >= 0 && place >= parse->place[codec]))
        return;
    media->payload[codec] = payload;
    parse->place[codec] = place;
    media->first = codec;
    for (int other = 0; other < SDP_CODEC_COUNT; other++) {
        if (media->payload[other] >= 0 && parse->place[other] < parse->place[media->first])
            media->first = (enum sdp_codec)other;
    }
}

static void formats_read(struct sdp_media *media, const char *at)
{
    char word[sizeof(media->formats)];
    size_t used = 0;

    while (word_take(word, sizeof(word), &at) && used + strlen(word) + 2 <= sizeof(media->formats))
        used += (size_t)snprintf(media->formats + used, sizeof(media->formats) - used, "%s%s", used ? " " : "", word);
}

/* The words come back in our answers: they have to be plain. */
static bool is_plain(const char *text)
{
    for (; *text; text++) {
        if (*text < ' ' || *text > '~')
            return false;
    }
    return true;
}

static int media_line_read(struct sdp_media *media, const char *value)
{
    const char *at = value, *rest = NULL;
    char port[16];

    if (!is_plain(value))
        return err_set(ERR_INVALID, "session description: m= holds characters that it may not");
    if (!word_take(media->name, sizeof(media->name), &at) || !word_take(port, sizeof(port), &at) ||
        !word_take(media->protocol, sizeof(media->protocol), &at))
        return err_set(ERR_INVALID, "session description: m=%.40s is not a media line", value);
    media->port = sdp_number(port, PORT_MOST + 1, &rest);
    if (media->port < 0 || media->port > PORT_MOST || (*rest && *rest != '/'))
        return err_set(ERR_INVALID, "session description: m=%.40s has no port", value);
    media->kind = kind_of(media->name);
    media->secure = !strcasecmp(media->protocol, "RTP/SAVP") || !strcasecmp(media->protocol, "RTP/SAVPF");
    formats_read(media, at);
    return 0;
}

/* What is known only when all lines of a media line were seen. */
static void media_finish(struct sdp_media *media)
{
    if (media->rtcp_port == 0 && media->port > 0 && media->port < PORT_MOST)
        media->rtcp_port = media->port + 1;
    if (!media->rtcp_address[0])
        memcpy(media->rtcp_address, media->address, sizeof(media->rtcp_address));
}

static int media_begin(struct parse *parse, const char *value)
{
    struct sdp *sdp = parse->sdp;

    if (sdp->media_count == SDP_MEDIA_MAX)
        return err_set(ERR_TOO_BIG, "session description: more than %d media lines", SDP_MEDIA_MAX);
    parse->media = &sdp->media[sdp->media_count++];
    *parse->media = parse->session;
    int err = media_line_read(parse->media, value);
    if (err)
        return err;
    codec_note(parse, SDP_PCMU, 0); /* RFC 3551 table 4: these need no rtpmap */
    codec_note(parse, SDP_PCMA, 8);
    return 0;
}

/* ---- a= ---- */

static void rtpmap_read(struct parse *parse, const char *value)
{
    const char *at = NULL;
    char coding[32];
    int payload = sdp_number(value, PAYLOAD_MOST + 1, &at);

    if (payload < 0 || payload > PAYLOAD_MOST || !word_take(coding, sizeof(coding), &at))
        return;
    if (!strcasecmp(coding, "PCMU/8000") || !strcasecmp(coding, "PCMU/8000/1"))
        codec_note(parse, SDP_PCMU, payload);
    else if (!strcasecmp(coding, "PCMA/8000") || !strcasecmp(coding, "PCMA/8000/1"))
        codec_note(parse, SDP_PCMA, payload);
}

static void rtcp_read(struct sdp_media *media, const char *value)
{
    const char *at = NULL;
    int port = sdp_number(value, PORT_MOST + 1, &at);

    if (port < 1 || port > PORT_MOST)
        return;
    media->rtcp_port = port;
    address_read(media->rtcp_address, at);
}

static bool suite_read(enum sdp_suite *suite, const char *name)
{
    static const enum sdp_suite known[] = {SDP_AES_CM_128_HMAC_SHA1_80, SDP_AES_CM_128_HMAC_SHA1_32};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!strcasecmp(name, sdp_suite_name(known[i]))) {
            *suite = known[i];
            return true;
        }
    }
    return false;
}

/* "inline:" key ["|" lifetime]. With an MKI (number ":" length), or several keys, packets are laid out otherwise. A
 * lifetime alone changes nothing: all in use outlast any call. */
static bool key_read(char key[SDP_KEY_SIZE], const char *value)
{
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    if (strncasecmp(value, "inline:", 7) != 0)
        return false;
    value += 7;
    if (strspn(value, base64) != SDP_KEY_SIZE - 1)
        return false;
    const char *rest = value + SDP_KEY_SIZE - 1;
    if (*rest && (*rest != '|' || strpbrk(rest, ":;") || strchr(rest + 1, '|')))
        return false;
    memcpy(key, value, SDP_KEY_SIZE - 1);
    key[SDP_KEY_SIZE - 1] = '\0';
    return true;
}

/* A parameter that is not understood makes the whole line one to pass over (RFC 4568 section 6.3.7). WSH, the size of
 * the replay window, asks nothing of the other side. */
static bool crypto_parameters_suit(const char *at)
{
    char word[SDP_LINE_MAX + 1];

    while (word_take(word, sizeof(word), &at)) {
        if (strncasecmp(word, "WSH=", 4) != 0)
            return false;
    }
    return true;
}

static void crypto_read(struct sdp_media *media, const char *value)
{
    struct sdp_crypto crypto = {0};
    const char *at = NULL;
    char suite[64], keys[256];

    crypto.tag = sdp_number(value, TAG_MOST, &at);
    if (media->crypto_count < SDP_CRYPTO_MAX && crypto.tag > 0 && word_take(suite, sizeof(suite), &at) &&
        suite_read(&crypto.suite, suite) && word_take(keys, sizeof(keys), &at) && key_read(crypto.key, keys) &&
        crypto_parameters_suit(at))
        media->crypto[media->crypto_count++] = crypto;
}

static bool direction_read(struct sdp_media *media, const char *name)
{
    static const char *const names[] = {
        [SDP_SENDRECV] = "sendrecv",
        [SDP_SENDONLY] = "sendonly",
        [SDP_RECVONLY] = "recvonly",
        [SDP_INACTIVE] = "inactive",
    };

    for (int i = SDP_SENDRECV; i <= SDP_INACTIVE; i++) {
        if (!strcasecmp(name, names[i])) {
            media->direction = (enum sdp_direction)i;
            return true;
        }
    }
    return false;
}

static void ptime_read(struct sdp_media *media, const char *value)
{
    int ptime = sdp_number(value, PTIME_MOST, NULL);

    media->ptime_ms = ptime > 0 ? ptime : 0;
}

static void attribute_read(struct parse *parse, char *name)
{
    size_t length = strcspn(name, ":="); /* some write T38FaxVersion=0 */
    char *value = name[length] ? name + length + 1 : NULL;

    name[length] = '\0';
    while (length > 0 && name[length - 1] == ' ')
        name[--length] = '\0';
    if (!value && direction_read(parse->media, name))
        return;
    sdp_t38_read(&parse->media->t38, name, value);
    if (!value || parse->media == &parse->session)
        return;
    if (!strcasecmp(name, "rtpmap"))
        rtpmap_read(parse, value);
    else if (!strcasecmp(name, "rtcp"))
        rtcp_read(parse->media, value);
    else if (!strcasecmp(name, "crypto"))
        crypto_read(parse->media, value);
    else if (!strcasecmp(name, "ptime"))
        ptime_read(parse->media, value);
}

/* ---- lines ---- */

/* Copy the next line, without its end, cut to SDP_LINE_MAX; control characters become spaces. Returns where the one
 * after it begins. */
static size_t line_take(char line[SDP_LINE_MAX + 1], const char *text, size_t size)
{
    const char *end = memchr(text, '\n', size);
    size_t length = end ? (size_t)(end - text) : size, next = end ? length + 1 : size;

    if (length > 0 && text[length - 1] == '\r')
        length--;
    if (length > SDP_LINE_MAX)
        length = SDP_LINE_MAX;
    for (size_t i = 0; i < length; i++)
        line[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i];
    while (length > 0 && line[length - 1] == ' ')
        length--;
    line[length] = '\0';
    return next;
}

static int line_read(struct parse *parse, char *line)
{
    if (!line[0] || line[1] != '=')
        return 0;
    switch (line[0]) {
    case 'c':
        connection_read(parse, line + 2);
        return 0;
    case 'm':
        return media_begin(parse, line + 2);
    case 'a':
        attribute_read(parse, line + 2);
        return 0;
    default:
        return 0;
    }
}

static void parse_begin(struct parse *parse, struct sdp *sdp)
{
    memset(sdp, 0, sizeof(*sdp));
    *parse = (struct parse){.sdp = sdp, .media = &parse->session};
    for (int i = 0; i < SDP_CODEC_COUNT; i++)
        parse->session.payload[i] = -1;
    sdp_t38_init(&parse->session.t38);
}

/* Past v=0, which comes first; -1 when it does not. */
static ssize_t version_skip(const char *text, size_t size)
{
    char line[SDP_LINE_MAX + 1];
    size_t at = 0;

    do {
        if (at >= size)
            return -1;
        at += line_take(line, text + at, size - at);
    } while (!line[0]);
    return strcmp(line, "v=0") ? -1 : (ssize_t)at;
}

int sdp_parse(struct sdp *sdp, const char *text, size_t size)
{
    struct parse parse;
    char line[SDP_LINE_MAX + 1];
    ssize_t at = version_skip(text, size);

    parse_begin(&parse, sdp);
    if (at < 0)
        return err_set(ERR_INVALID, "session description: does not begin with v=0");
    while ((size_t)at < size) {
        at += (ssize_t)line_take(line, text + at, size - (size_t)at);
        int err = line_read(&parse, line);
        if (err) {
            memset(sdp, 0, sizeof(*sdp)); /* nobody answers half of it */
            return err;
        }
    }
    for (int i = 0; i < sdp->media_count; i++)
        media_finish(&sdp->media[i]);
    return 0;
}
