/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The octets of RTCP (RFC 3550 6): our reports, and what is of use in the far end's. Pure. Thread: any. */
#ifndef FAXD_T30_RTCP_H
#define FAXD_T30_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTCP_CNAME_MAX 63
#define RTCP_SIZE_MAX  160 /* of a packet of ours: SR, one block, SDES, BYE */

/* A report block (6.4.1), in its own units. */
struct rtcp_block {
    uint32_t ssrc;         /* whom it is about */
    uint8_t fraction_lost; /* of 256, since the last report */
    int32_t lost;          /* 24 bits */
    uint32_t highest;      /* extended sequence number */
    uint32_t jitter;       /* timestamp units */
    uint32_t last_report;  /* middle 32 bits of the last SR's time; 0: none yet */
    uint32_t delay;        /* since then, 1/65536 s */
};

struct rtcp_report {
    uint32_t ssrc;
    bool sends; /* SR, else RR; the next four are of the SR */
    uint64_t ntp;
    uint32_t timestamp, packets, octets;
    bool has_block;
    struct rtcp_block block;
    const char *cname; /* at most RTCP_CNAME_MAX octets */
    bool bye;
};

struct rtcp_heard {
    bool sends; /* an SR of `far` */
    uint64_t ntp;
    bool has_block; /* about `own` */
    struct rtcp_block block;
    bool bye; /* of `far` */
};

/* The size of the compound packet; 0 when `room` is less than RTCP_SIZE_MAX. */
size_t rtcp_write(const struct rtcp_report *report, uint8_t *packet, size_t room);

/* What a compound packet says about the SSRCs `own` and `far`. ERR_INVALID unless all of it is well-formed (A.2, but
 * any type may be the first: RFC 5506). */
int rtcp_parse(struct rtcp_heard *heard, uint32_t own, uint32_t far, const uint8_t *packet, size_t size);

#endif
