/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is at the other end of a datagram socket and what is spoken: "path" of the job or of an order
 * (plugins/common/engine.h) as a checked struct.
 *
 * Thread: any (no state).
 */
#ifndef FAXD_T30_PATH_H
#define FAXD_T30_PATH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "plugins/t30/latch.h"
#include "plugins/t30/rtp.h"
#include "plugins/t30/secure.h"
#include "plugins/t30/udptl.h"

enum path_mode { PATH_RTP, PATH_T38 };

/* T.38 as agreed with the far end. */
struct path_t38 {
    int version;      /* of IFP, 0 to 3 */
    int max_rate_bps; /* that the path carries */
};

struct path {
    enum path_mode mode;
    struct latch_rules rules;
    /* RTP */
    uint16_t rtcp_port; /* 0: no RTCP is sent */
    enum rtp_codec codec;
    uint8_t payload;
    struct secure_key send_key, receive_key;
    /* T.38 */
    struct path_t38 t38;
    struct udptl_options udptl;
};

/* Read and check. Absent keys get the defaults of RFC 3264, RFC 3551 and T.38; a wrong type or a value out of range is
 * refused by name. 0 or ERR_INVALID, ERR_UNSUPPORTED; messages show no keys. */
int path_parse(struct path *path, const json_t *object);

#endif
