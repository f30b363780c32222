/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What two ends have agreed to speak: the offers and answers of one dialog (RFC 3264), and the path that the engine
 * gets from them. No socket and no SIP in here.
 *
 * A dialog has one media line in use. Audio may give way to T.38 in the same line; nothing leads back.
 *
 * Thread: one at a time (a part of the dialog).
 */
#ifndef FAXD_SIP_MEDIA_H
#define FAXD_SIP_MEDIA_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "plugins/sip/sdp.h"
#include "plugins/sip/sip_setup.h"

enum sip_media_kind { SIP_MEDIA_NONE, SIP_MEDIA_AUDIO, SIP_MEDIA_IMAGE, SIP_MEDIA_BOTH };

struct sip_media {
    const struct sip_setup *setup;
    bool secure; /* audio is SRTP */
    char own[SDP_ADDRESS_SIZE], signalling[SDP_ADDRESS_SIZE];
    uint16_t port;
    uint64_t session_id, version;
    struct sdp_crypto key;         /* of ours */
    enum sip_media_kind offered;   /* by us and not answered yet */
    enum sip_media_kind described; /* what our last description had; `codec` goes with it */
    enum sip_media_kind agreed;    /* AUDIO, IMAGE, or NONE yet */
    enum sdp_codec codec;
    struct sdp_media far;     /* the line of the far end that was agreed */
    struct sdp_t38 t38;       /* of IMAGE: what was agreed */
    struct sdp_crypto theirs; /* of AUDIO with `secure` */
};

/* Media is received at `own` (to be told to the far end) and `port`; the far end's signalling comes from `signalling`
 * (IP address, "" when not known yet). `setup` outlives it. */
void sip_media_init(struct sip_media *media, const struct sip_setup *setup, bool secure, const char *own,
                    uint16_t port);

/* Write an offer of `kind`. 0 or an err code. */
int sip_media_offer(struct sip_media *media, enum sip_media_kind kind, char text[SDP_TEXT_SIZE]);

/* Write what was agreed once more, unchanged: for a refresh, or an INVITE that wants our offer. Before anything was
 * agreed, an offer of audio. */
int sip_media_repeat(struct sip_media *media, char text[SDP_TEXT_SIZE]);

/* Take the answer to our last offer. SIP_MEDIA_NONE: the far end refused it, or answers what was not offered; what was
 * agreed before stays agreed. */
enum sip_media_kind sip_media_take_answer(struct sip_media *media, const struct sdp *answer);

/* Which line of `offer` we would take: IMAGE if T.38 is allowed and offered, else AUDIO, else NONE. */
enum sip_media_kind sip_media_judge(const struct sip_media *media, const struct sdp *offer, bool t38);

/* Agree to the line of `kind` in `offer` and write the answer. 0 or an err code. */
int sip_media_answer(struct sip_media *media, const struct sdp *offer, enum sip_media_kind kind,
                     char text[SDP_TEXT_SIZE]);

/* The path for the engine (plugins/common/engine.h), a new object; NULL when nothing was agreed. */
json_t *sip_media_path(const struct sip_media *media);

#endif
