/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SRTP and SRTCP (RFC 3711) with keys from SDP (RFC 4568), by libsrtp2: one master key for each direction.
 *
 * Pure: no sockets, no clock. No MKI, no key derivation rate, no lifetime. Thread: one for each struct secure.
 */
#ifndef FAXD_T30_SECURE_H
#define FAXD_T30_SECURE_H

#include <stddef.h>
#include <stdint.h>

#define SECURE_KEY_SIZE    30  /* master key of 16 octets and salt of 14, RFC 4568 6.2 */
#define SECURE_TRAILER_MAX 160 /* what secure_protect_* may add: SRTP_MAX_SRTCP_TRAILER_LEN of libsrtp2 */

enum secure_suite {
    SECURE_NONE,  /* plain RTP */
    SECURE_SHA80, /* AES_CM_128_HMAC_SHA1_80 */
    SECURE_SHA32  /* AES_CM_128_HMAC_SHA1_32: RTP tags of 32 bits, RTCP tags of 80 (RFC 4568 6.2.2) */
};

struct secure_key {
    enum secure_suite suite;
    uint8_t octets[SECURE_KEY_SIZE]; /* key, then salt */
};

struct secure;

/* Fill `key` from the words of an a=crypto line: the suite's name and the base64 of key and salt (40 characters, no
 * "inline:"). ERR_UNSUPPORTED for another suite, ERR_INVALID for a key that is not 30 octets of base64; the message
 * never shows the key. */
int secure_key_parse(struct secure_key *key, const char *suite, const char *base64);

/* Prepare the process, once, before the sandbox: starts libsrtp2, which reads files then and never later. ERR_INTERNAL
 * if it fails. */
int secure_setup(void);

/* `send` protects what goes out, `receive` checks what comes in; both are copied and neither may be SECURE_NONE. NULL
 * with err_message() on failure. The caller frees with secure_free, which also wipes the keys. */
struct secure *secure_new(const struct secure_key *send, const struct secure_key *receive);

/* NULL is fine. */
void secure_free(struct secure *secure);

/* Change *size octets at `packet` in place into the protected packet; `packet` has to have room for SECURE_TRAILER_MAX
 * more. ERR_INTERNAL if libsrtp2 refuses. */
int secure_protect_rtp(struct secure *secure, uint8_t *packet, size_t *size);
int secure_protect_rtcp(struct secure *secure, uint8_t *packet, size_t *size);

/* Check and decipher *size octets in place. ERR_DENIED for what is not authentic, was there before, or is of the 17th
 * SSRC of this far end (each costs memory); the octets are undefined then. */
int secure_check_rtp(struct secure *secure, uint8_t *packet, size_t *size);
int secure_check_rtcp(struct secure *secure, uint8_t *packet, size_t *size);

#endif
