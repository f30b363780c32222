/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDPTL, the framing of T.38 over UDP (ITU-T T.38 clause 9.1): each datagram carries one IFP packet and what brings
 * back earlier ones that were lost: copies of them (redundancy) or their parity (FEC).
 *
 * No socket and no clock: the owner moves the datagrams and the time. The two directions are independent; receiving
 * takes both kinds of recovery, whatever is sent. Every octet of a received datagram may be hostile: a datagram costs a
 * bounded number of steps and no memory beyond what udptl_new took (about 90 kB).
 *
 * Thread: one (a part of the call).
 */
#ifndef FAXD_T30_UDPTL_H
#define FAXD_T30_UDPTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UDPTL_IFP_MAX        1024 /* octets of an IFP packet, either way */
#define UDPTL_DATAGRAM_MAX   2048 /* octets of a datagram, either way */
#define UDPTL_REDUNDANCY_MAX 7    /* times that an IFP packet is repeated */
#define UDPTL_FEC_REACH      25   /* entries x span: how far back parity goes */
#define UDPTL_REORDER_MAX    6

enum udptl_correction { UDPTL_NONE, UDPTL_REDUNDANCY, UDPTL_FEC };

struct udptl_options {
    enum udptl_correction correction; /* of what we send */
    /* With UDPTL_REDUNDANCY, how often an IFP packet is repeated, by its kind: 0 to UDPTL_REDUNDANCY_MAX. */
    unsigned redundancy_control;
    unsigned redundancy_image;
    /* With UDPTL_FEC: parities in a datagram, and IFP packets under each. 1 and more, their product at most
     * UDPTL_FEC_REACH. */
    unsigned fec_entries;
    unsigned fec_span;
    size_t max_datagram; /* what the far end takes (T38FaxMaxDatagram); 0 = not known */
    /* Where a gap cannot be filled yet: by how many a datagram may be newer and still wait for the missing one. 0 =
     * never wait; UDPTL_REORDER_MAX at most. */
    unsigned reorder;
};

/* Of datagrams and the IFP packets in them. The far end has sent received + recovered + lost, as far as is known. */
struct udptl_counts {
    uint64_t sent;
    uint64_t received;  /* came in time with an IFP packet of their own */
    uint64_t recovered; /* came back by redundancy or parity */
    uint64_t lost;      /* were passed over */
    uint64_t late;      /* came after they were recovered or passed over; dropped */
    uint64_t duplicate; /* came again; dropped */
    uint64_t malformed; /* not UDPTL, or only up to the end of the IFP packet, which is taken all the same */
    uint64_t stray;     /* numbered far from the others; dropped until a run of them shows that it is a new count */
    uint64_t restarts;  /* ... which so often was: the far end began to count anew */
};

struct udptl;

/* One IFP packet, valid during the call. `seq` grows by one from packet to packet (modulo 65536), by more where packets
 * were passed over: T.38's own notion of loss. It is the far end's number until that begins to count anew; then it goes
 * on after a gap of less than 64. A packet recovered by parity may have zero octets behind its end (parity knows no
 * lengths): spandsp obeys it and then complains with -1. May call udptl_send, not the rest of this header. */
typedef void (*udptl_deliver_fn)(void *context, const uint8_t *ifp, size_t size, uint16_t seq);

/* NULL with a message when an option is out of its range. The caller frees with udptl_free. */
struct udptl *udptl_new(const struct udptl_options *options);

/* NULL is fine. What waits is dropped. */
void udptl_free(struct udptl *udptl);

/* Make the datagram that carries `ifp` (1 to UDPTL_IFP_MAX octets); `image` says that it is image data (T.4, ECM or
 * not), else it counts as control (indicators, HDLC of V.21). An IFP packet is repeated as often as its kind says;
 * between a control packet that is due again and the new one, image packets are repeated too, since the format knows no
 * holes. `room` and the far end's limit hold: the oldest is left out first. Returns the octets used, or ERR_TOO_BIG
 * when the IFP packet does not fit by itself, ERR_INVALID when it is empty; nothing is then counted as sent. */
int udptl_send(struct udptl *udptl, const uint8_t *ifp, size_t size, bool image, uint8_t *datagram, size_t room);

/* Take one datagram and deliver what is now due: 0 or more IFP packets, each once, in order. An empty IFP packet has
 * its number but is not delivered. Counts say what became of it; nothing here is an error. */
void udptl_receive(struct udptl *udptl, const uint8_t *datagram, size_t size, udptl_deliver_fn deliver, void *context);

/* True while IFP packets wait for a missing one (only with `reorder`). The owner calls udptl_flush when that has lasted
 * too long; about 100 ms. */
bool udptl_is_waiting(const struct udptl *udptl);

/* Stop waiting: pass over what is missing and deliver what is there. */
void udptl_flush(struct udptl *udptl, udptl_deliver_fn deliver, void *context);

/* Borrowed, valid and kept up to date until udptl_free. */
const struct udptl_counts *udptl_counts(const struct udptl *udptl);

#endif
