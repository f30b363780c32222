/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDPTL between T.38's core and the media socket.
 *
 * Sequence numbers are widened to 64 bits on arrival (called `number`), so that nothing below has to think of their
 * wrap. What was received lies in a ring by number: delivered packets as history for parity, newer ones while they
 * wait. A hole is a number of the ring that is not there.
 *
 * The encoding is aligned PER (X.691): each length takes one octet below 128, else two with the first bit set;
 * fragments (first two bits set) begin at 16,384 octets, which no datagram here holds.
 */
#include "config.h"

#include "plugins/t30/udptl.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "server/base/log.h"

#define RING          32  /* of the last packets sent, and of those received */
#define WAITING       8   /* datagrams whose parity may still be wanted */
#define AHEAD_MAX     256 /* a longer gap than that (8 s at 30 ms) is a new count rather than loss */
#define BEHIND_MAX    512 /* what is older than that is no late datagram */
#define STRAYS        2
#define STRAYS_BEHIND 8
#define STRAY_NEAR    8     /* from one stray to the next */
#define FIRST         65536 /* the lowest number: what lies before the first datagram is above 0 too */
#define PARITY_BIT    0x80  /* error-recovery is a CHOICE of two: one bit, then padding */

_Static_assert(UDPTL_FEC_REACH + UDPTL_REORDER_MAX <= RING,
               "parity of a datagram that waits goes back beyond the ring");
_Static_assert(UDPTL_REORDER_MAX < WAITING, "more datagrams may wait than are kept");

struct packet {
    int64_t number; /* 0 = none */
    bool recovered;
    bool image;
    uint16_t size;
    uint8_t octets[UDPTL_IFP_MAX];
};

struct field {
    const uint8_t *octets;
    size_t size;
};

/* A datagram taken apart; its fields point into it. */
struct parts {
    uint16_t seq;
    struct field primary;
    bool is_parity;
    bool damaged; /* the primary is good, what follows is not */
    size_t span;  /* of parity */
    size_t count; /* of extra */
    struct field extra[RING];
};

/* A datagram whose parity is of use as long as there are holes before it. */
struct kept_datagram {
    int64_t number; /* 0 = none */
    struct parts parts;
    uint8_t octets[UDPTL_DATAGRAM_MAX];
};

struct udptl {
    struct udptl_options options;
    struct udptl_counts counts;
    struct packet sent[RING]; /* the number of the next is counts.sent */

    int64_t first;   /* what is missing before it was perhaps never sent */
    int64_t next;    /* the lowest not delivered; 0 before the first datagram */
    int64_t newest;  /* the highest that is there */
    uint16_t shift;  /* the far end's sequence number + shift = number, modulo 65536 */
    unsigned strays; /* in close succession, up to stray_seq */
    uint16_t stray_seq;
    struct packet received[RING];
    struct kept_datagram kept[WAITING];
};

struct reader {
    const uint8_t *at, *end;
};

struct writer {
    uint8_t *octets;
    size_t size, room;
};

static bool options_are_good(const struct udptl_options *options)
{
    if (options->redundancy_control > UDPTL_REDUNDANCY_MAX || options->redundancy_image > UDPTL_REDUNDANCY_MAX) {
        err_set(ERR_INVALID, "UDPTL redundancy is 0 to %d", UDPTL_REDUNDANCY_MAX);
        return false;
    }
    if (options->reorder > UDPTL_REORDER_MAX) {
        err_set(ERR_INVALID, "UDPTL waits for %d datagrams at most", UDPTL_REORDER_MAX);
        return false;
    }
    if (options->correction == UDPTL_FEC &&
        (options->fec_entries < 1 || options->fec_entries > UDPTL_FEC_REACH || options->fec_span < 1 ||
         options->fec_span > UDPTL_FEC_REACH || options->fec_entries * options->fec_span > UDPTL_FEC_REACH)) {
        err_set(ERR_INVALID, "UDPTL FEC: entries and span are 1 or more, their product %d at most", UDPTL_FEC_REACH);
        return false;
    }
    return true;
}

struct udptl *udptl_new(const struct udptl_options *options)
{
    struct udptl *udptl;

    if (!options_are_good(options))
        return NULL;
    udptl = xcalloc(1, sizeof *udptl);
    udptl->options = *options;
    return udptl;
}

void udptl_free(struct udptl *udptl)
{
    free(udptl);
}

const struct udptl_counts *udptl_counts(const struct udptl *udptl)
{
    return &udptl->counts;
}

/* ---- sending */

static size_t field_room(size_t size)
{
    return (size < 0x80 ? 1 : 2) + size;
}

static void put_octet(struct writer *writer, size_t octet)
{
    writer->octets[writer->size++] = (uint8_t)octet;
}

static void put_length(struct writer *writer, size_t length)
{
    if (length >= 0x80)
        put_octet(writer, 0x80 | length >> 8);
    put_octet(writer, length & 0xFF);
}

static void put_field(struct writer *writer, const uint8_t *octets, size_t size)
{
    put_length(writer, size);
    memcpy(writer->octets + writer->size, octets, size);
    writer->size += size;
}

/* The packet sent `back` datagrams ago; 1 is the last. */
static const struct packet *sent_before(const struct udptl *udptl, size_t back)
{
    return &udptl->sent[(udptl->counts.sent - back) % RING];
}

/* How far back the secondaries go so that each kind is repeated as often as it should be. */
static size_t secondaries_due(const struct udptl *udptl)
{
    const struct udptl_options *options = &udptl->options;
    size_t back, due = 0;

    for (back = 1; back <= UDPTL_REDUNDANCY_MAX && back <= udptl->counts.sent; back++) {
        if (back <= (sent_before(udptl, back)->image ? options->redundancy_image : options->redundancy_control))
            due = back;
    }
    return due;
}

static void put_secondaries(const struct udptl *udptl, struct writer *writer, size_t due)
{
    size_t room = writer->room - writer->size - 2, count = 0, back;

    while (count < due && field_room(sent_before(udptl, count + 1)->size) <= room)
        room -= field_room(sent_before(udptl, ++count)->size);
    put_octet(writer, 0);
    put_length(writer, count);
    for (back = 1; back <= count; back++)
        put_field(writer, sent_before(udptl, back)->octets, sent_before(udptl, back)->size);
}

/* Parity `entry` of a datagram is over the packets entries - entry, 2 * entries - entry, ... before it, `span` of them:
 * neighbours are in different groups, so that a run of losses as long as there are entries can be repaired. */
static size_t group_back(size_t entries, size_t entry, size_t place)
{
    return place * entries - entry;
}

static size_t parity_size(const struct udptl *udptl, size_t entries, size_t span, size_t entry)
{
    size_t size = 0, place;

    for (place = 1; place <= span; place++) {
        const struct packet *packet = sent_before(udptl, group_back(entries, entry, place));

        if (packet->size > size)
            size = packet->size;
    }
    return size;
}

static bool parities_fit(const struct udptl *udptl, const struct writer *writer, size_t entries, size_t span)
{
    size_t size = writer->size + 4, entry;

    if (entries * span > udptl->counts.sent)
        return false;
    for (entry = 0; entry < entries; entry++)
        size += field_room(parity_size(udptl, entries, span, entry));
    return size <= writer->room;
}

static void put_parity(const struct udptl *udptl, struct writer *writer, size_t entries, size_t span, size_t entry)
{
    uint8_t parity[UDPTL_IFP_MAX] = {0};
    size_t place, i;

    for (place = 1; place <= span; place++) {
        const struct packet *packet = sent_before(udptl, group_back(entries, entry, place));

        for (i = 0; i < packet->size; i++)
            parity[i] ^= packet->octets[i];
    }
    put_field(writer, parity, parity_size(udptl, entries, span, entry));
}

/* As many entries as there is room and history for, then as long a span. */
static void put_parities(const struct udptl *udptl, struct writer *writer)
{
    size_t entries, span, entry;

    for (entries = udptl->options.fec_entries; entries > 0; entries--) {
        for (span = udptl->options.fec_span; span > 0; span--) {
            if (!parities_fit(udptl, writer, entries, span))
                continue;
            put_octet(writer, PARITY_BIT);
            put_octet(writer, 1); /* fec-npackets is an INTEGER without bounds: it has a length */
            put_octet(writer, span);
            put_length(writer, entries);
            for (entry = 0; entry < entries; entry++)
                put_parity(udptl, writer, entries, span, entry);
            return;
        }
    }
    put_secondaries(udptl, writer, 0);
}

static size_t room_of(const struct udptl *udptl, size_t room)
{
    size_t limit = udptl->options.max_datagram;

    if (limit == 0 || limit > UDPTL_DATAGRAM_MAX)
        limit = UDPTL_DATAGRAM_MAX;
    return room < limit ? room : limit;
}

static void remember_sent(struct udptl *udptl, const uint8_t *ifp, size_t size, bool image)
{
    struct packet *packet = &udptl->sent[udptl->counts.sent % RING];

    packet->image = image;
    packet->size = (uint16_t)size;
    memcpy(packet->octets, ifp, size);
    udptl->counts.sent++;
}

int udptl_send(struct udptl *udptl, const uint8_t *ifp, size_t size, bool image, uint8_t *datagram, size_t room)
{
    struct writer writer = {datagram, 0, room_of(udptl, room)};

    if (size == 0)
        return err_set(ERR_INVALID, "an IFP packet is empty");
    if (size > UDPTL_IFP_MAX || 2 + field_room(size) + 2 > writer.room)
        return err_set(ERR_TOO_BIG, "an IFP packet of %zu octets does not fit into a UDPTL datagram of %zu", size,
                       writer.room);
    put_octet(&writer, udptl->counts.sent >> 8 & 0xFF);
    put_octet(&writer, udptl->counts.sent & 0xFF);
    put_field(&writer, ifp, size);
    switch (udptl->options.correction) {
    case UDPTL_NONE:
        put_secondaries(udptl, &writer, 0);
        break;
    case UDPTL_REDUNDANCY:
        put_secondaries(udptl, &writer, secondaries_due(udptl));
        break;
    case UDPTL_FEC:
        put_parities(udptl, &writer);
        break;
    }
    remember_sent(udptl, ifp, size, image);
    return (int)writer.size;
}

/* ---- taking a datagram apart */

static bool get_octet(struct reader *reader, uint8_t *octet)
{
    if (reader->at == reader->end)
        return false;
    *octet = *reader->at++;
    return true;
}

static bool get_length(struct reader *reader, size_t *length)
{
    uint8_t first, second;

    if (!get_octet(reader, &first))
        return false;
    *length = first;
    if (first < 0x80)
        return true;
    if ((first & 0x40) || !get_octet(reader, &second))
        return false;
    *length = (size_t)(first & 0x3F) << 8 | second;
    return true;
}

static bool get_field(struct reader *reader, struct field *field)
{
    if (!get_length(reader, &field->size) || field->size > (size_t)(reader->end - reader->at))
        return false;
    field->octets = reader->at;
    reader->at += field->size;
    return true;
}

/* An INTEGER of which only small values are of use: anything else becomes 0. */
static bool get_small(struct reader *reader, size_t *value)
{
    struct field field;

    if (!get_field(reader, &field) || field.size == 0)
        return false;
    *value = field.size == 1 && field.octets[0] < 0x80 ? field.octets[0] : 0;
    return true;
}

/* All fields must be whole for any of them to be of use; those beyond the ring are of none. */
static bool get_fields(struct reader *reader, struct parts *parts)
{
    struct field field;
    size_t count, i;

    if (!get_length(reader, &count))
        return false;
    for (i = 0; i < count; i++) {
        if (!get_field(reader, &field))
            return false;
        if (i < RING)
            parts->extra[i] = field;
    }
    parts->count = count;
    return true;
}

static bool get_recovery(struct reader *reader, struct parts *parts)
{
    uint8_t choice;

    if (!get_octet(reader, &choice))
        return false;
    parts->is_parity = (choice & PARITY_BIT) != 0;
    if (parts->is_parity && !get_small(reader, &parts->span))
        return false;
    return get_fields(reader, parts);
}

/* False when there is no primary to be had. */
static bool take_apart(struct parts *parts, const uint8_t *datagram, size_t size)
{
    struct reader reader;

    memset(parts, 0, sizeof *parts);
    if (size < 2 || size > UDPTL_DATAGRAM_MAX)
        return false;
    parts->seq = (uint16_t)(datagram[0] << 8 | datagram[1]);
    reader = (struct reader){datagram + 2, datagram + size};
    if (!get_field(&reader, &parts->primary) || parts->primary.size > UDPTL_IFP_MAX)
        return false;
    parts->damaged = !get_recovery(&reader, parts);
    if (parts->damaged)
        parts->count = 0;
    return true;
}

/* ---- receiving */

static const struct packet *received_find(const struct udptl *udptl, int64_t number)
{
    const struct packet *packet = &udptl->received[number % RING];

    return packet->number == number ? packet : NULL;
}

static struct packet *received_keep(struct udptl *udptl, int64_t number, const uint8_t *octets, size_t size)
{
    struct packet *packet = &udptl->received[number % RING];

    packet->number = number;
    packet->recovered = false;
    packet->size = (uint16_t)size;
    if (size > 0)
        memcpy(packet->octets, octets, size);
    return packet;
}

/* Deliver from `next` on, passing over what is missing below `limit`, up to the first hole or the newest. */
static void deliver_below(struct udptl *udptl, int64_t limit, udptl_deliver_fn deliver, void *context)
{
    for (; udptl->next <= udptl->newest; udptl->next++) {
        const struct packet *packet = received_find(udptl, udptl->next);

        if (!packet && udptl->next >= limit)
            return;
        if (packet && packet->size > 0)
            deliver(context, packet->octets, packet->size, (uint16_t)udptl->next);
        if (!packet && udptl->next >= udptl->first)
            udptl->counts.lost++;
    }
}

bool udptl_is_waiting(const struct udptl *udptl)
{
    return udptl->next != 0 && udptl->next <= udptl->newest;
}

void udptl_flush(struct udptl *udptl, udptl_deliver_fn deliver, void *context)
{
    if (udptl_is_waiting(udptl))
        deliver_below(udptl, udptl->newest, deliver, context);
}

static bool secondary_is_usable(const struct field *field)
{
    return field->size > 0 && field->size <= UDPTL_IFP_MAX;
}

/* How many packets before its own a datagram brings along without a hole. */
static size_t secondaries_whole(const struct parts *parts)
{
    size_t whole = 0;

    while (!parts->is_parity && whole < parts->count && whole < RING - 1 && secondary_is_usable(&parts->extra[whole]))
        whole++;
    return whole;
}

/* The count begins, or begins anew, with this datagram at `number`. What came with it was sent, so that is wanted too.
 * Near zero an older datagram may have been overtaken by this one: worth the wait if waiting was asked for. */
static void begin_at(struct udptl *udptl, const struct parts *parts, int64_t number)
{
    size_t before = secondaries_whole(parts);

    if (parts->seq <= udptl->options.reorder && parts->seq > before)
        before = parts->seq;
    udptl->first = number;
    udptl->next = number - (int64_t)before;
    udptl->newest = number - 1;
    udptl->shift = (uint16_t)(number - parts->seq);
    udptl->strays = 0;
}

/* Datagrams far off are strays until some in close succession show that the far end counts anew. Not too far back they
 * may be a block that a slow route held up, which must not be heard as new: there it takes more of them. */
static bool stray_is_confirmed(struct udptl *udptl, uint16_t seq, int16_t distance)
{
    uint16_t after = (uint16_t)(seq - udptl->stray_seq);

    if (after < 1 || after > STRAY_NEAR)
        udptl->strays = 0;
    udptl->strays++;
    udptl->stray_seq = seq;
    return udptl->strays >= (distance < 0 && distance >= -BEHIND_MAX ? STRAYS_BEHIND : STRAYS);
}

/* The number of a datagram, or 0 for one to be dropped. */
static int64_t number_of(struct udptl *udptl, const struct parts *parts, udptl_deliver_fn deliver, void *context)
{
    int16_t distance;

    if (udptl->next == 0) {
        begin_at(udptl, parts, FIRST + parts->seq);
        return udptl->newest + 1;
    }
    distance = (int16_t)(uint16_t)(parts->seq + udptl->shift - udptl->next);
    if (distance >= -RING && distance <= AHEAD_MAX) {
        udptl->strays = 0;
        return udptl->next + distance;
    }
    if (!stray_is_confirmed(udptl, parts->seq, distance)) {
        udptl->counts.stray++;
        return 0;
    }
    udptl->counts.restarts++;
    udptl_flush(udptl, deliver, context);
    /* Beyond the ring, so that nothing of the old count is taken for a part of the new one; but what T.38 sees as its
     * numbers goes on after a gap, and not back, which it would take for late packets. */
    begin_at(udptl, parts, udptl->newest + 2 + RING);
    return udptl->newest + 1;
}

/* True when the number is not wanted any more. */
static bool drop_if_old(struct udptl *udptl, int64_t number, const struct parts *parts)
{
    const struct packet *packet = received_find(udptl, number);

    if (packet && !packet->recovered) {
        udptl->counts.duplicate++;
        return true;
    }
    if (!packet && number >= udptl->next)
        return false;
    udptl->counts.late++;
    /* It is too late to be delivered, but parity may need it; and should it come again, that is a duplicate. */
    if (number > udptl->newest - RING)
        received_keep(udptl, number, parts->primary.octets, parts->primary.size);
    return true;
}

static bool is_hole(const struct udptl *udptl, int64_t number)
{
    return number >= udptl->next && number > udptl->newest - RING && !received_find(udptl, number);
}

static void recover(struct udptl *udptl, int64_t number, const uint8_t *octets, size_t size)
{
    received_keep(udptl, number, octets, size)->recovered = true;
    udptl->counts.recovered++;
}

static void take_secondaries(struct udptl *udptl, int64_t number, const struct parts *parts)
{
    size_t i;

    for (i = 0; i < parts->count && i < RING; i++) {
        if (secondary_is_usable(&parts->extra[i]) && is_hole(udptl, number - 1 - (int64_t)i))
            recover(udptl, number - 1 - (int64_t)i, parts->extra[i].octets, parts->extra[i].size);
    }
}

/* Keep a datagram for its parity. */
static void keep_parity(struct udptl *udptl, int64_t number, const uint8_t *datagram, size_t size)
{
    struct kept_datagram *kept = &udptl->kept[number % WAITING];

    memcpy(kept->octets, datagram, size);
    kept->number = take_apart(&kept->parts, kept->octets, size) ? number : 0;
}

/* Nothing but zeros beyond `size`: what parity brought back is as long as the longest of its group. */
static bool packet_ends_by(const struct packet *packet, size_t size)
{
    size_t i;

    for (i = size; i < packet->size; i++) {
        if (packet->octets[i] != 0)
            return false;
    }
    return true;
}

/* The number of the only packet of a group that is missing, or 0 when there is none, or more. */
static int64_t only_hole(const struct udptl *udptl, const struct kept_datagram *kept, size_t entry)
{
    const struct parts *parts = &kept->parts;
    int64_t hole = 0;
    size_t place;

    for (place = 1; place <= parts->span; place++) {
        int64_t number = kept->number - (int64_t)group_back(parts->count, entry, place);
        const struct packet *packet = received_find(udptl, number);

        if (packet && !packet_ends_by(packet, parts->extra[entry].size))
            return 0; /* then this is not the group's parity */
        if (!packet && hole != 0)
            return 0;
        if (!packet)
            hole = number;
    }
    return hole;
}

static bool repair(struct udptl *udptl, const struct kept_datagram *kept, size_t entry)
{
    const struct parts *parts = &kept->parts;
    int64_t hole = only_hole(udptl, kept, entry);
    size_t size = parts->extra[entry].size, place, i;
    uint8_t octets[UDPTL_IFP_MAX];

    if (hole == 0 || !is_hole(udptl, hole) || !secondary_is_usable(&parts->extra[entry]))
        return false;
    memcpy(octets, parts->extra[entry].octets, size);
    for (place = 1; place <= parts->span; place++) {
        const struct packet *packet =
            received_find(udptl, kept->number - (int64_t)group_back(parts->count, entry, place));

        for (i = 0; packet && i < packet->size && i < size; i++)
            octets[i] ^= packet->octets[i];
    }
    recover(udptl, hole, octets, size);
    return true;
}

static bool parity_is_usable(const struct udptl *udptl, const struct kept_datagram *kept)
{
    const struct parts *parts = &kept->parts;

    return kept->number > udptl->next && parts->is_parity && parts->count <= UDPTL_FEC_REACH &&
           parts->span <= UDPTL_FEC_REACH && parts->count * parts->span <= UDPTL_FEC_REACH;
}

/* Use the parity of all datagrams that wait, until it brings nothing more: each repair can make another one possible.
 */
static void take_parities(struct udptl *udptl)
{
    bool again = true;
    size_t i, entry;

    while (again) {
        again = false;
        for (i = 0; i < WAITING; i++) {
            const struct kept_datagram *kept = &udptl->kept[i];

            for (entry = 0; parity_is_usable(udptl, kept) && entry < kept->parts.count; entry++)
                again = repair(udptl, kept, entry) || again;
        }
    }
}

void udptl_receive(struct udptl *udptl, const uint8_t *datagram, size_t size, udptl_deliver_fn deliver, void *context)
{
    struct parts parts;
    int64_t number;
    bool good = take_apart(&parts, datagram, size);

    if (!good || parts.damaged)
        udptl->counts.malformed++;
    if (!good || (number = number_of(udptl, &parts, deliver, context)) == 0 || drop_if_old(udptl, number, &parts))
        return;
    /* What the ring has no place for besides the new one goes first. */
    if (number > udptl->newest)
        deliver_below(udptl, number - RING + 1, deliver, context);
    if (number > udptl->newest)
        udptl->newest = number;
    received_keep(udptl, number, parts.primary.octets, parts.primary.size);
    udptl->counts.received++;
    if (!parts.is_parity)
        take_secondaries(udptl, number, &parts);
    else if (number > udptl->next)
        keep_parity(udptl, number, datagram, size);
    if (udptl->next < udptl->newest)
        take_parities(udptl);
    deliver_below(udptl, udptl->newest - udptl->options.reorder, deliver, context);
}
