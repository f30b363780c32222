/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Session descriptions (RFC 4566, answers by RFC 3264) as a fax endpoint needs them: a peer's text is read into a fixed
 * struct, ours is written into the caller's buffer.
 *
 * The text is a stranger's: lines are looked at up to SDP_LINE_MAX octets, media lines are counted, numbers and
 * addresses are checked, and what a fax has no use for is passed over. No memory is allocated.
 *
 * Thread: any (no state).
 */
#ifndef FAXD_SIP_SDP_H
#define FAXD_SIP_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SDP_LINE_MAX     1024 /* octets of a line that are looked at; the rest of it is passed over */
#define SDP_MEDIA_MAX    8
#define SDP_CRYPTO_MAX   4    /* a=crypto lines kept of a media line, the first ones that we can use */
#define SDP_ADDRESS_SIZE 46   /* room for an IPv6 address and its end */
#define SDP_KEY_SIZE     41   /* base64 of 30 octets (128 bit key, 112 bit salt) and the end */
#define SDP_TEXT_SIZE    4096 /* enough for all that is written here, whatever the offer */

enum sdp_kind { SDP_AUDIO, SDP_IMAGE, SDP_OTHER };

enum sdp_direction { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };

enum sdp_codec { SDP_PCMU, SDP_PCMA };
#define SDP_CODEC_COUNT 2

enum sdp_suite { SDP_AES_CM_128_HMAC_SHA1_80, SDP_AES_CM_128_HMAC_SHA1_32 };

/* In order of what they ask of an endpoint. */
enum sdp_ec { SDP_EC_NONE, SDP_EC_REDUNDANCY, SDP_EC_FEC };

/* One a=crypto (RFC 4568): a master key and salt, without lifetime and MKI. */
struct sdp_crypto {
    int tag; /* 1 to 999999999 */
    enum sdp_suite suite;
    char key[SDP_KEY_SIZE]; /* base64 */
};

/* What an endpoint says of its T.38 (T.38 Annex D), theirs as read or ours to be written. Init ours with
 * sdp_t38_init(). */
struct sdp_t38 {
    int version;
    int max_bit_rate;      /* bit/s */
    bool local_tcf;        /* T38FaxRateManagement: localTCF; else transferredTCF */
    enum sdp_ec ec;        /* of ours: the most that we can and want */
    bool fill_bit_removal; /* the three are read only; never written */
    bool transcoding_mmr;
    bool transcoding_jbig;
    int max_buffer;       /* octets; 0 = not told */
    int max_datagram;     /* octets of UDPTL */
    int max_ifp;          /* octets; 0 = not told */
    int ec_depth_min;     /* packets; -1 = not told */
    int ec_depth_max;     /* packets; -1 = not told */
    int fec_max_span;     /* packets; 0 = not told */
    char vendor_info[32]; /* "country extension manufacturer"; "" = not told */
};

/* One media line with what holds for it, that of the session included. */
struct sdp_media {
    enum sdp_kind kind;
    char name[16];                  /* as it stands in m=: "audio" */
    char protocol[32];              /* "RTP/AVP" */
    char formats[256];              /* all formats, as many as fit */
    int port;                       /* 0 = refused or not wanted */
    char address[SDP_ADDRESS_SIZE]; /* IPv4 or IPv6; "" = none of use (name, multicast, no c=) */
    enum sdp_direction direction;   /* as the peer sees it */
    /* Of audio. */
    bool secure;                  /* the protocol is RTP/SAVP or RTP/SAVPF */
    int payload[SDP_CODEC_COUNT]; /* payload type that means this codec; -1 = not offered */
    enum sdp_codec first;         /* the codec of the two that comes first; of use when one is there */
    int ptime_ms;                 /* 0 = not told */
    int rtcp_port;                /* port + 1 when a=rtcp does not tell; 0 with port 0 */
    char rtcp_address[SDP_ADDRESS_SIZE];
    struct sdp_crypto crypto[SDP_CRYPTO_MAX];
    int crypto_count;
    /* Of image. */
    struct sdp_t38 t38;
};

struct sdp {
    struct sdp_media media[SDP_MEDIA_MAX];
    int media_count;
};

/* Read `size` octets of `text`, which need no end and may hold anything. 0; ERR_INVALID when it is no session
 * description (no v=0 in front, an m= line that cannot be read); ERR_TOO_BIG for more than SDP_MEDIA_MAX media lines.
 * A description without media lines is in order. Lines that we do not know or cannot read are passed over. */
int sdp_parse(struct sdp *sdp, const char *text, size_t size);

/* What we take of audio. */
struct sdp_audio_wish {
    enum sdp_codec codecs[SDP_CODEC_COUNT]; /* the best first */
    int codec_count;                        /* 0: both, in the peer's order */
    bool plain, secure;                     /* RTP/AVP and RTP/AVPF may be taken; RTP/SAVP and RTP/SAVPF may */
};

/* Index of the first media line that can carry T.38 over UDPTL, or -1: image, udptl, format t38, with a port and an
 * address. */
int sdp_find_image(const struct sdp *sdp);

/* Index of the first media line that can carry a fax as audio, or -1; then `codec` is what to speak. A secure line
 * needs a key that we can use. */
int sdp_find_audio(const struct sdp *sdp, const struct sdp_audio_wish *wish, enum sdp_codec *codec);

/* True when the peer does not listen there: sendonly or inactive, or the address 0.0.0.0 or ::. */
bool sdp_is_held(const struct sdp_media *media);

/* The direction to answer with. */
enum sdp_direction sdp_direction_answer(enum sdp_direction offered);

/* "PCMU" or "PCMA". */
const char *sdp_codec_name(enum sdp_codec codec);

/* "AES_CM_128_HMAC_SHA1_80", ... */
const char *sdp_suite_name(enum sdp_suite suite);

/* "none", "redundancy" or "fec". */
const char *sdp_ec_name(enum sdp_ec ec);

/* What Annex D takes for told when nothing is: version 0, 14400 bit/s, transferredTCF, no error correction, and the
 * datagram of 400 octets that peers assume. */
void sdp_t38_init(struct sdp_t38 *t38);

/* What holds between us and a peer, whichever of the two offered: the lower version and rate, the lesser of the error
 * corrections, transferredTCF, their limits (max_datagram, max_buffer, max_ifp are what we may send), no fill
 * bit removal, no transcoding. */
void sdp_t38_agree(struct sdp_t38 *agreed, const struct sdp_t38 *ours, const struct sdp_t38 *theirs);

/* Who writes. `address` is where all media is received, IPv4 or IPv6. The same id for all of a dialog; the version
 * goes up by one with each description that differs (RFC 3264 section 8). */
struct sdp_origin {
    uint64_t session_id, session_version;
    const char *address;
};

/* A media line of ours. */
struct sdp_line {
    enum sdp_kind kind;              /* SDP_OTHER only with `refused` */
    int port;                        /* 0: the line is not used */
    const struct sdp_media *refused; /* offers: a line of the session so far that stays out of use, with its name,
                                      * protocol and formats; the rest of this struct is not looked at. NULL else */
    enum sdp_direction direction;
    /* Of audio. */
    enum sdp_codec codecs[SDP_CODEC_COUNT]; /* offers: in this order; answers: the first, which has to be offered */
    int codec_count;
    int rtcp_port;                   /* 0 or port + 1: not told */
    const struct sdp_crypto *crypto; /* NULL: RTP/AVP. Answers: with the tag of the offered one that was taken */
    /* Of image. */
    const struct sdp_t38 *t38; /* what we can */
};

/* Write an offer with the given lines, in order; `text` is ended. A later offer of the same dialog has at least as many
 * lines as the session so far, each in its place; a line may turn from audio into an image and back (RFC 3264 section
 * 8.3). 0; ERR_FULL when `size` is too small (SDP_TEXT_SIZE is enough), ERR_INVALID for an address that is none, a line
 * that is not in order or more than SDP_MEDIA_MAX lines. `text` is "" then. */
int sdp_write_offer(char *text, size_t size, const struct sdp_origin *origin, const struct sdp_line *lines, int count);

/* Write the answer to `offer`: line number `chosen` is filled from `line`, all others are refused (port 0, their own
 * formats); -1 refuses all. An image line gets what sdp_t38_agree() says, but our own max_datagram and max_buffer; an
 * audio line the one codec with the payload type of the offer. Errors as sdp_write_offer(), and ERR_INVALID when the
 * line is not of the chosen one's kind or its codec was not offered. */
int sdp_write_answer(char *text, size_t size, const struct sdp_origin *origin, const struct sdp *offer, int chosen,
                     const struct sdp_line *line);

#endif
