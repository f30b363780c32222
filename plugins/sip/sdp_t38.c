/* SPDX-License-Identifier: GPL-2.0-or-later */
/* T.38 in session descriptions (T.38 Annex D): what a peer says, under the names that peers give it, and what follows
 * for both. The reader of descriptions hands each attribute here; the writer asks what was agreed.
 */
#include "config.h"

#include "plugins/sip/sdp.h"
#include "plugins/sip/sdp_t38.h"

#include "server/base/str.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define BIT_RATE_DEFAULT 14400
#define BIT_RATE_LEAST   2400 /* V.27ter's lower rate; what says less means something else */
#define BIT_RATE_MOST    33600
#define VERSION_MOST     4
#define DATAGRAM_DEFAULT 400 /* no standard names one; Asterisk, FreeSWITCH and spandsp take this */
/* Gateways that say 72 or less mean the image data of a packet, not the packet: at 14400 bit/s a chunk of 40 ms is 72
 * octets already, and a frame with an identification needs more. */
#define DATAGRAM_LEAST 96
#define SIZE_MOST      65535
#define COUNT_MOST     255

int sdp_number(const char *text, int most, const char **end)
{
    int number = -1;

    if (!text)
        return -1;
    while (*text == ' ')
        text++;
    for (; *text >= '0' && *text <= '9'; text++) {
        int digit = *text - '0', before = number < 0 ? 0 : number;

        number = before > (most - digit) / 10 ? most : before * 10 + digit;
    }
    if (end && number >= 0)
        *end = text;
    return number;
}

/* Bare means yes; but chan_sip, Cisco and others add ":0" and ":1", and some write a word. */
static bool flag_read(const char *value)
{
    while (value && *value == ' ')
        value++;
    return !value || !(*value == '0' || !strncasecmp(value, "no", 2) || !strncasecmp(value, "false", 5));
}

static int bit_rate_read(const char *value)
{
    int rate = sdp_number(value, BIT_RATE_MOST, NULL);

    return rate < BIT_RATE_LEAST ? BIT_RATE_DEFAULT : rate;
}

/* "transferredTCF" is written with one r and with two, and cut; "localTCF" has one spelling. */
static bool local_tcf_read(const char *value)
{
    while (value && *value == ' ')
        value++;
    return value && !strncasecmp(value, "local", 5);
}

/* A peer that can do both says so in two lines: the more able one holds. */
static enum sdp_ec ec_read(enum sdp_ec before, const char *value)
{
    enum sdp_ec told = SDP_EC_NONE;

    if (value && strcasestr(value, "redun"))
        told = SDP_EC_REDUNDANCY;
    else if (value && strcasestr(value, "fec"))
        told = SDP_EC_FEC;
    return told > before ? told : before;
}

static void ec_depth_read(struct sdp_t38 *t38, const char *value)
{
    const char *rest = NULL;

    t38->ec_depth_min = sdp_number(value, COUNT_MOST, &rest);
    t38->ec_depth_max = sdp_number(rest, COUNT_MOST, NULL);
}

static int size_read(int otherwise, const char *value)
{
    int size = sdp_number(value, SIZE_MOST, NULL);

    return size > 0 ? size : otherwise;
}

static int count_read(const char *value, int most)
{
    int count = sdp_number(value, most, NULL);

    return count < 0 ? 0 : count;
}

/* Three numbers; anything else is not taken along. */
static void vendor_info_read(struct sdp_t38 *t38, const char *value)
{
    if (value && value[strspn(value, "0123456789 ")] == '\0')
        str_copy(t38->vendor_info, sizeof(t38->vendor_info), value + strspn(value, " "));
}

enum attribute {
    T38_VERSION,
    T38_BIT_RATE,
    T38_FILL_BIT_REMOVAL,
    T38_TRANSCODING_MMR,
    T38_TRANSCODING_JBIG,
    T38_RATE_MANAGEMENT,
    T38_MAX_BUFFER,
    T38_MAX_DATAGRAM,
    T38_MAX_IFP,
    T38_UDP_EC,
    T38_UDP_EC_DEPTH,
    T38_UDP_FEC_MAX_SPAN,
    T38_VENDOR_INFO
};

/* Without "T38" and "Fax": the standard itself has T38FaxMaxDatagram and T38MaxBitRate, and peers put the "Fax" into
 * the one and leave it out of the other. */
static const struct {
    const char *name;
    enum attribute attribute;
} names[] = {
    {"Version", T38_VERSION},
    {"MaxBitRate", T38_BIT_RATE},
    {"BitRate", T38_BIT_RATE},
    {"FillBitRemoval", T38_FILL_BIT_REMOVAL},
    {"TranscodingMMR", T38_TRANSCODING_MMR},
    {"TranscodingJBIG", T38_TRANSCODING_JBIG},
    {"RateManagement", T38_RATE_MANAGEMENT},
    {"RateManagment", T38_RATE_MANAGEMENT},
    {"MaxBuffer", T38_MAX_BUFFER},
    {"MaxBufferSize", T38_MAX_BUFFER},
    {"MaxDatagram", T38_MAX_DATAGRAM},
    {"MaxDatagramSize", T38_MAX_DATAGRAM},
    {"MaxIFP", T38_MAX_IFP},
    {"UdpEC", T38_UDP_EC},
    {"UdpECDepth", T38_UDP_EC_DEPTH},
    {"UdpFECMaxSpan", T38_UDP_FEC_MAX_SPAN},
    {"VendorInfo", T38_VENDOR_INFO},
};

static void attribute_read(struct sdp_t38 *t38, enum attribute attribute, const char *value)
{
    switch (attribute) {
    case T38_VERSION:
        t38->version = count_read(value, VERSION_MOST);
        break;
    case T38_BIT_RATE:
        t38->max_bit_rate = bit_rate_read(value);
        break;
    case T38_FILL_BIT_REMOVAL:
        t38->fill_bit_removal = flag_read(value);
        break;
    case T38_TRANSCODING_MMR:
        t38->transcoding_mmr = flag_read(value);
        break;
    case T38_TRANSCODING_JBIG:
        t38->transcoding_jbig = flag_read(value);
        break;
    case T38_RATE_MANAGEMENT:
        t38->local_tcf = local_tcf_read(value);
        break;
    case T38_MAX_BUFFER:
        t38->max_buffer = size_read(0, value);
        break;
    case T38_MAX_DATAGRAM:
        t38->max_datagram = size_read(DATAGRAM_DEFAULT, value);
        break;
    case T38_MAX_IFP:
        t38->max_ifp = size_read(0, value);
        break;
    case T38_UDP_EC:
        t38->ec = ec_read(t38->ec, value);
        break;
    case T38_UDP_EC_DEPTH:
        ec_depth_read(t38, value);
        break;
    case T38_UDP_FEC_MAX_SPAN:
        t38->fec_max_span = count_read(value, COUNT_MOST);
        break;
    case T38_VENDOR_INFO:
        vendor_info_read(t38, value);
        break;
    }
}

void sdp_t38_read(struct sdp_t38 *t38, const char *name, const char *value)
{
    if (strncasecmp(name, "T38", 3) != 0)
        return;
    name += 3;
    if (!strncasecmp(name, "Fax", 3))
        name += 3;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!strcasecmp(name, names[i].name)) {
            attribute_read(t38, names[i].attribute, value);
            return;
        }
    }
}

void sdp_t38_init(struct sdp_t38 *t38)
{
    *t38 = (struct sdp_t38){.max_bit_rate = BIT_RATE_DEFAULT,
                            .max_datagram = DATAGRAM_DEFAULT,
                            .ec = SDP_EC_NONE,
                            .ec_depth_min = -1,
                            .ec_depth_max = -1};
}

static int lesser(int a, int b)
{
    return a < b ? a : b;
}

void sdp_t38_agree(struct sdp_t38 *agreed, const struct sdp_t38 *ours, const struct sdp_t38 *theirs)
{
    struct sdp_t38 both = *theirs;

    both.version = lesser(ours->version, theirs->version);
    both.max_bit_rate = lesser(ours->max_bit_rate, theirs->max_bit_rate);
    both.ec = ours->ec < theirs->ec ? ours->ec : theirs->ec;
    both.local_tcf = false; /* over UDPTL the training check is transferred (T.38 8.2), whatever a peer asks for */
    both.fill_bit_removal = both.transcoding_mmr = both.transcoding_jbig = false;
    if (both.max_datagram < DATAGRAM_LEAST)
        both.max_datagram = DATAGRAM_LEAST;
    *agreed = both;
}
