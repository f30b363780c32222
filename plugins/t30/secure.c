/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SRTP by libsrtp2. Debian builds it on NSS, which it starts and ends again around each cipher unless somebody else
 * holds NSS: each new session then loads libraries and reads /dev/urandom, which the sandbox denies. So one session
 * of secure_setup is kept for the life of the process, and with it NSS. */
#include "config.h"

#include "plugins/t30/secure.h"

#include <srtp2/srtp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"

#define SOURCES_MAX     16 /* SSRCs of one far end; libsrtp2 keeps a key schedule for each */
#define REPLAY_WINDOW   128
#define BASE64_SIZE     40 /* of SECURE_KEY_SIZE octets: no padding */
#define RTP_HEADER_SIZE 12

struct secure {
    srtp_t send, receive;
    uint32_t sources[SOURCES_MAX]; /* that had an authentic packet */
    int source_count;
};

/* A constant of the process, set once by secure_setup. */
static srtp_t keeper;

static int base64_value(char digit)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = digit ? strchr(digits, digit) : NULL;
    return found ? (int)(found - digits) : -1;
}

static int decode_key(uint8_t *octets, const char *base64)
{
    uint32_t bits = 0;

    if (strlen(base64) != BASE64_SIZE)
        return err_set(ERR_INVALID, "an SRTP key has to be %d characters of base64, not %zu", BASE64_SIZE,
                       strlen(base64));
    for (int i = 0; i < BASE64_SIZE; i++) {
        int value = base64_value(base64[i]);
        if (value < 0)
            return err_set(ERR_INVALID, "character %d of an SRTP key is not base64", i + 1);
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 == 3) {
            *octets++ = (uint8_t)(bits >> 16);
            *octets++ = (uint8_t)(bits >> 8);
            *octets++ = (uint8_t)bits;
        }
    }
    return 0;
}

int secure_key_parse(struct secure_key *key, const char *suite, const char *base64)
{
    struct secure_key parsed = {.suite = SECURE_NONE};
    int error = 0;

    if (strcmp(suite, "AES_CM_128_HMAC_SHA1_80") == 0)
        parsed.suite = SECURE_SHA80;
    else if (strcmp(suite, "AES_CM_128_HMAC_SHA1_32") == 0)
        parsed.suite = SECURE_SHA32;
    else
        error = err_set(ERR_UNSUPPORTED, "SRTP suite %.40s is not known: AES_CM_128_HMAC_SHA1_80 and _32 are", suite);
    if (!error && (error = decode_key(parsed.octets, base64)) == 0)
        *key = parsed;
    explicit_bzero(&parsed, sizeof parsed);
    return error;
}

static int open_session(srtp_t *session, const struct secure_key *key, srtp_ssrc_type_t direction)
{
    uint8_t octets[SECURE_KEY_SIZE];
    srtp_policy_t policy = {.ssrc = {.type = direction}, .key = octets, .window_size = REPLAY_WINDOW};

    /* libsrtp2 wants a key that it may write to. */
    memcpy(octets, key->octets, sizeof octets);
    if (key->suite == SECURE_SHA32)
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
    else
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
    srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    srtp_err_status_t status = srtp_create(session, &policy);
    explicit_bzero(octets, sizeof octets);
    return status == srtp_err_status_ok ? 0 : err_set(ERR_INTERNAL, "libsrtp2 makes no session: error %d", status);
}

int secure_setup(void)
{
    static const struct secure_key key = {.suite = SECURE_SHA80};

    if (keeper)
        return 0;
    srtp_err_status_t status = srtp_init();
    if (status != srtp_err_status_ok)
        return err_set(ERR_INTERNAL, "libsrtp2 does not start: error %d", status);
    return open_session(&keeper, &key, ssrc_any_outbound);
}

struct secure *secure_new(const struct secure_key *send, const struct secure_key *receive)
{
    struct secure *secure = calloc(1, sizeof *secure);

    if (!secure) {
        err_set(ERR_FULL, "no memory for SRTP");
        return NULL;
    }
    if (open_session(&secure->send, send, ssrc_any_outbound) != 0 ||
        open_session(&secure->receive, receive, ssrc_any_inbound) != 0) {
        secure_free(secure);
        return NULL;
    }
    return secure;
}

void secure_free(struct secure *secure)
{
    if (!secure)
        return;
    if (secure->send)
        srtp_dealloc(secure->send);
    if (secure->receive)
        srtp_dealloc(secure->receive);
    free(secure);
}

static int refused(srtp_err_status_t status)
{
    switch ((int)status) {
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
        return err_set(ERR_DENIED, "an SRTP packet came twice");
    default:
        return err_set(ERR_DENIED, "an SRTP packet is not authentic: error %d of libsrtp2", status);
    }
}

int secure_protect_rtp(struct secure *secure, uint8_t *packet, size_t *size)
{
    int length = (int)*size;
    srtp_err_status_t status = srtp_protect(secure->send, packet, &length);

    if (status != srtp_err_status_ok)
        return err_set(ERR_INTERNAL, "libsrtp2 protects no packet: error %d", status);
    *size = (size_t)length;
    return 0;
}

int secure_protect_rtcp(struct secure *secure, uint8_t *packet, size_t *size)
{
    int length = (int)*size;
    srtp_err_status_t status = srtp_protect_rtcp(secure->send, packet, &length);

    if (status != srtp_err_status_ok)
        return err_set(ERR_INTERNAL, "libsrtp2 protects no RTCP packet: error %d", status);
    *size = (size_t)length;
    return 0;
}

static uint32_t source_at(const uint8_t *octets)
{
    return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];
}

static bool is_known(const struct secure *secure, uint32_t source)
{
    for (int i = 0; i < secure->source_count; i++) {
        if (secure->sources[i] == source)
            return true;
    }
    return false;
}

/* RTP and RTCP of one SSRC share a stream in libsrtp2. */
static int check(struct secure *secure, uint8_t *packet, size_t *size, uint32_t source,
                 srtp_err_status_t (*unprotect)(srtp_t, void *, int *))
{
    bool known = is_known(secure, source);
    int length = (int)*size;

    if (!known && secure->source_count == SOURCES_MAX)
        return err_set(ERR_DENIED, "the far end has changed its SSRC %d times", SOURCES_MAX);
    srtp_err_status_t status = unprotect(secure->receive, packet, &length);
    if (status != srtp_err_status_ok)
        return refused(status);
    if (!known)
        secure->sources[secure->source_count++] = source;
    *size = (size_t)length;
    return 0;
}

int secure_check_rtp(struct secure *secure, uint8_t *packet, size_t *size)
{
    if (*size < RTP_HEADER_SIZE)
        return err_set(ERR_DENIED, "an SRTP packet is too short");
    return check(secure, packet, size, source_at(packet + 8), srtp_unprotect);
}

int secure_check_rtcp(struct secure *secure, uint8_t *packet, size_t *size)
{
    if (*size < RTP_HEADER_SIZE)
        return err_set(ERR_DENIED, "an SRTCP packet is too short");
    return check(secure, packet, size, source_at(packet + 4), srtp_unprotect_rtcp);
}
