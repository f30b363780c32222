/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One socket carries RTP first and UDPTL after a switch, and the far end's first UDPTL may overtake the answer that
 * tells of the switch: it is kept until then. */
#include "config.h"

#include "plugins/t30/datagram.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "server/base/err.h"
#include "server/base/log.h"

#define NS_PER_MS           INT64_C(1000000)
#define NS_PER_SAMPLE       (INT64_C(1000000000) / SESSION_RATE)
#define PERIOD_NS           (20 * NS_PER_MS)
#define LATE_NS             (480 * NS_PER_MS) /* a receiver that fills pauses waits longer: rtp_stream.c, SILENCE_MS */
#define LITTLE_LATE_SAMPLES (5 * SESSION_RATE / 1000)
#define DATAGRAMS_AT_ONCE   32
#define LATE_SAMPLES        (200 * SESSION_RATE / 1000)
#define LAST_WORDS_NS       (400 * NS_PER_MS) /* RTP's own waiting, and silence: modems give their last bits with delay */
#define HUSH_NS             (500 * NS_PER_MS)   /* then the answer to an offer of T.38 is late, or got lost */
#define FLUSH_NS            (100 * NS_PER_MS)   /* UDPTL: for a packet that was overtaken */
#define RTP_SILENCE_NS      (10000 * NS_PER_MS) /* without RTP: the path is dead */
#define T38_SILENCE_NS      (30000 * NS_PER_MS) /* ... without UDPTL, while we do not send ourselves */
#define STALE_RTP_NS        (5000 * NS_PER_MS)  /* after the switch: what of the far end's RTP was still under way */
#define EARLY_MAX           16
#define HANG_UP_MAX         256 /* datagrams that are still heard then */
#define LAST_REPEATS        2   /* of the last datagram: no later one brings it back */
#define PAUSE_REPEATS       3   /* ... of one before a pause, where the next comes after the far end has given up */
#define PAUSE_NS            (40 * NS_PER_MS) /* longer than from packet to packet of a page or a frame */
#define NTP_EPOCH_S         2208988800u
#define RTP_HEADER_SIZE     12

struct early {
    struct latch_address from;
    size_t size;
    uint8_t octets[UDPTL_DATAGRAM_MAX];
};

/* Where one of the two sockets sends to, prepared. */
struct peer {
    int socket; /* -1 = none */
    struct latch latch;
    struct sockaddr_storage to;
    socklen_t to_size; /* 0 = nobody */
};

struct datagram {
    const struct options *options;
    struct session *session;
    struct path path;
    int family;
    struct peer media, rtcp;
    bool started;
    int64_t heard_ns;
    uint64_t refused, unsent;
    int64_t standstill_ns; /* of this end, where it was too long to make up for */
    /* RTP */
    struct rtp *rtp; /* kept after a switch for what it counted */
    struct tones *tones;
    int64_t speak_ns; /* when the next packet leaves */
    int64_t hush_ns;  /* none leaves before */
    uint8_t ssrc[4];  /* the far end's */
    int64_t switched_ns;
    struct early *early[EARLY_MAX];
    int early_count;
    /* T.38: line time is clock_samples since clock_ns */
    struct udptl *udptl;
    int64_t clock_ns, clock_samples;
    int64_t busy_ns;  /* when this end last sent */
    int64_t flush_ns; /* INT64_MAX = nothing waits */
    uint8_t last[UDPTL_DATAGRAM_MAX];
    size_t last_size;
    int repeats;       /* of it to come */
    int64_t repeat_ns; /* INT64_MAX = none; 0 = from the next run on */
};

static void aim(struct datagram *datagram, struct peer *peer)
{
    peer->to_size = latch_target(&peer->latch, datagram->family, &peer->to);
}

static void put(struct datagram *datagram, const struct peer *peer, const uint8_t *octets, size_t size)
{
    if (peer->to_size == 0 || peer->socket < 0 || size == 0)
        return;
    if (sendto(peer->socket, octets, size, MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&peer->to,
               peer->to_size) < 0)
        datagram->unsent++; /* the network's loss, as any other */
}

/* A valid datagram of the far end. */
static void heard(struct datagram *datagram, struct peer *peer, const struct latch_address *from, int64_t now_ns)
{
    if (peer == &datagram->media)
        datagram->heard_ns = now_ns;
    if (!peer->latch.closed && latch_close(&peer->latch, from))
        aim(datagram, peer);
}

static int use_rules(struct datagram *datagram, int64_t now_ns)
{
    struct latch_rules rules = datagram->path.rules;

    latch_init(&datagram->media.latch, &rules);
    aim(datagram, &datagram->media);
    rules.said.port = datagram->path.mode == PATH_RTP ? datagram->path.rtcp_port : 0;
    latch_init(&datagram->rtcp.latch, &rules);
    aim(datagram, &datagram->rtcp);
    datagram->heard_ns = now_ns;
    if (datagram->media.to_size == 0 && !datagram->media.latch.on_hold)
        return err_set(ERR_INVALID, "path: the socket is IPv4 and the far end is not");
    return 0;
}

/* ---- RTP ---- */

static void rtp_options_of(struct rtp_options *to, const struct path *path)
{
    memset(to, 0, sizeof *to);
    to->codec = path->codec;
    to->payload_type = path->payload;
    to->send_key = path->send_key;
    to->receive_key = path->receive_key;
}

static int start_rtp(struct datagram *datagram)
{
    struct rtp_options options;
    uint32_t random[5] = {0};
    char cname[24];

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return err_set(ERR_IO, "no random numbers: %s", strerror(errno));
    rtp_options_of(&options, &datagram->path);
    options.ssrc = random[0];
    options.first_timestamp = random[1];
    options.first_sequence = (uint16_t)random[2];
    snprintf(cname, sizeof cname, "%08" PRIx32 "%08" PRIx32, random[3], random[4]); /* RFC 7022 4.2 */
    options.cname = cname;
    datagram->rtp = rtp_new(&options);
    explicit_bzero(&options, sizeof options);
    return datagram->rtp ? 0 : ERR_INVALID;
}

/* Samples of the line, as RTP found them. */
static void on_samples(void *context, int16_t *samples, int count)
{
    struct datagram *datagram = context;

    tones_receive(datagram->tones, samples, count);
    session_receive(datagram->session, samples, count);
}

static void speak(struct datagram *datagram, int64_t now_ns)
{
    int16_t samples[RTP_SEND_SAMPLES];
    uint8_t packet[RTP_DATAGRAM_MAX];
    int64_t missed;

    if (now_ns - datagram->speak_ns > LATE_NS) {
        missed = (now_ns - datagram->speak_ns) / PERIOD_NS;
        rtp_skip(datagram->rtp, (int)(missed * RTP_SEND_SAMPLES));
        datagram->speak_ns += missed * PERIOD_NS;
        datagram->standstill_ns += missed * PERIOD_NS;
    }
    for (; datagram->speak_ns <= now_ns && !session_is_over(datagram->session); datagram->speak_ns += PERIOD_NS) {
        session_transmit(datagram->session, samples, RTP_SEND_SAMPLES);
        if (datagram->media.to_size == 0 || now_ns < datagram->hush_ns)
            rtp_skip(datagram->rtp, RTP_SEND_SAMPLES);
        else
            put(datagram, &datagram->media, packet, rtp_send(datagram->rtp, samples, packet, sizeof packet));
    }
}

static uint64_t ntp_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)((uint32_t)now.tv_sec + NTP_EPOCH_S) << 32 | ((uint64_t)now.tv_nsec << 32) / 1000000000;
}

static bool sends_reports(const struct datagram *datagram)
{
    return datagram->rtcp.socket >= 0 && datagram->rtcp.to_size > 0;
}

static void run_rtp(struct datagram *datagram, int64_t now_ns)
{
    uint8_t packet[RTP_DATAGRAM_MAX];

    if (rtp_due_ns(datagram->rtp) <= now_ns)
        rtp_tick(datagram->rtp, now_ns, on_samples, datagram);
    speak(datagram, now_ns);
    if (sends_reports(datagram) && rtp_rtcp_due_ns(datagram->rtp) <= now_ns)
        put(datagram, &datagram->rtcp, packet, rtp_rtcp_send(datagram->rtp, now_ns, ntp_now(), packet, sizeof packet));
}

static int64_t rtp_due(const struct datagram *datagram)
{
    int64_t due_ns = rtp_due_ns(datagram->rtp);

    if (datagram->speak_ns < due_ns)
        due_ns = datagram->speak_ns;
    if (sends_reports(datagram) && rtp_rtcp_due_ns(datagram->rtp) < due_ns)
        due_ns = rtp_rtcp_due_ns(datagram->rtp);
    return due_ns;
}

static bool looks_like_rtp(const uint8_t *octets, size_t size)
{
    return size >= RTP_HEADER_SIZE && octets[0] >> 6 == 2;
}

/* The far end has switched, and we have not been told yet. */
static void keep_early(struct datagram *datagram, const struct latch_address *from, const uint8_t *octets, size_t size)
{
    struct latch open = datagram->media.latch;
    struct early *early;

    open.closed = false; /* T.38 may come from another port than RTP */
    if (!latch_allows(&open, from)) {
        datagram->refused++;
        return;
    }
    if (datagram->early_count == EARLY_MAX || size == 0)
        return;
    early = xmalloc(sizeof *early);
    early->from = *from;
    early->size = size;
    memcpy(early->octets, octets, size);
    datagram->early[datagram->early_count++] = early;
}

static void take_rtp(struct datagram *datagram, const struct latch_address *from, const uint8_t *octets, size_t size,
                     int64_t now_ns)
{
    if (!looks_like_rtp(octets, size)) {
        keep_early(datagram, from, octets, size);
    } else if (!latch_allows(&datagram->media.latch, from)) {
        datagram->refused++;
    } else if (rtp_receive(datagram->rtp, octets, size, now_ns, on_samples, datagram) == 0) {
        memcpy(datagram->ssrc, octets + 8, sizeof datagram->ssrc);
        heard(datagram, &datagram->media, from, now_ns);
    }
}

/* ---- T.38 ---- */

static int start_t38(struct datagram *datagram, int64_t now_ns)
{
    datagram->udptl = udptl_new(&datagram->path.udptl);
    if (!datagram->udptl)
        return ERR_INVALID;
    datagram->clock_ns = datagram->busy_ns = now_ns;
    datagram->clock_samples = 0;
    datagram->flush_ns = datagram->repeat_ns = INT64_MAX;
    return 0;
}

static void on_ifp(void *context, const uint8_t *ifp, size_t size, uint16_t sequence)
{
    struct datagram *datagram = context;

    session_packet(datagram->session, ifp, (int)size, sequence);
}

static void advance(struct datagram *datagram, int64_t step, int64_t now_ns)
{
    datagram->clock_samples += step;
    session_advance(datagram->session, (int)(step < INT_MAX ? step : INT_MAX));
    if (session_is_sending(datagram->session))
        datagram->busy_ns = now_ns;
}

/* A packet is at hand that may have waited for us: line time goes towards now, but not to where a timer would say that
 * it did not come. */
static void keep_time_for_packet(struct datagram *datagram, int64_t now_ns)
{
    int64_t step = (now_ns - datagram->clock_ns) / NS_PER_SAMPLE - datagram->clock_samples;
    int64_t due = session_due(datagram->session);

    if (step >= due)
        step = due - 1;
    if (step > 0)
        advance(datagram, step, now_ns);
}

/* Bring line time to now. After a standstill of ours it stops just before the next thing due, so that what the far end
 * sent meanwhile is heard before a timer says that it did not. */
static void keep_time(struct datagram *datagram, int64_t now_ns)
{
    int64_t step = (now_ns - datagram->clock_ns) / NS_PER_SAMPLE - datagram->clock_samples;
    int64_t due = session_due(datagram->session);

    if (step > due + LATE_SAMPLES) {
        datagram->standstill_ns += (step - due) * NS_PER_SAMPLE;
        step = due > 0 ? due - 1 : 0;
        datagram->clock_ns = now_ns;
        datagram->clock_samples = -step;
    }
    if (step <= 0 && due > 0)
        return;
    advance(datagram, step > 0 ? step : 0, now_ns);
}

static void watch_waiting(struct datagram *datagram, int64_t now_ns)
{
    if (!udptl_is_waiting(datagram->udptl))
        datagram->flush_ns = INT64_MAX;
    else if (datagram->flush_ns == INT64_MAX)
        datagram->flush_ns = now_ns + FLUSH_NS;
}

/* Redundancy brings a packet back with the next one. At the end of a frame or a page there is none for long: the far
 * end would miss that it is its turn. A datagram that comes again is dropped by its number. */
static void repeat_last(struct datagram *datagram, int64_t now_ns)
{
    if (datagram->repeat_ns > now_ns)
        return;
    if (datagram->repeat_ns > 0) {
        put(datagram, &datagram->media, datagram->last, datagram->last_size);
        datagram->repeats--;
    }
    datagram->repeat_ns = datagram->repeats > 0 ? now_ns + PAUSE_NS : INT64_MAX;
}

static void take_all(struct datagram *datagram, int64_t now_ns);

/* What is due, and in order: when we come late to it, packets may wait that should have been heard before. */
static void run_t38(struct datagram *datagram, int64_t now_ns)
{
    int64_t step = (now_ns - datagram->clock_ns) / NS_PER_SAMPLE - datagram->clock_samples;

    if (step > (int64_t)session_due(datagram->session) + LITTLE_LATE_SAMPLES)
        take_all(datagram, now_ns);
    if (datagram->flush_ns <= now_ns) {
        datagram->flush_ns = INT64_MAX;
        udptl_flush(datagram->udptl, on_ifp, datagram);
    }
    keep_time(datagram, now_ns);
    repeat_last(datagram, now_ns);
}

static int64_t t38_due_ns(const struct datagram *datagram)
{
    int due = session_due(datagram->session);
    int64_t due_ns = INT64_MAX;

    if (due < INT_MAX)
        due_ns = datagram->clock_ns + (datagram->clock_samples + due) * NS_PER_SAMPLE;
    if (datagram->repeat_ns < due_ns)
        due_ns = datagram->repeat_ns;
    return due_ns < datagram->flush_ns ? due_ns : datagram->flush_ns;
}

void datagram_send_packet(struct datagram *datagram, const uint8_t *ifp, int size, bool image)
{
    int used = udptl_send(datagram->udptl, ifp, (size_t)size, image, datagram->last, sizeof datagram->last);

    datagram->last_size = used > 0 ? (size_t)used : 0;
    put(datagram, &datagram->media, datagram->last, datagram->last_size);
    datagram->repeats = datagram->path.udptl.correction == UDPTL_NONE ? 0 : PAUSE_REPEATS;
    datagram->repeat_ns = datagram->repeats > 0 ? 0 : INT64_MAX;
}

/* A number of UDPTL can look like the start of RTP, but not with the far end's own SSRC in its place. */
static bool is_stale_rtp(const struct datagram *datagram, const uint8_t *octets, size_t size, int64_t now_ns)
{
    return datagram->rtp && now_ns - datagram->switched_ns < STALE_RTP_NS && looks_like_rtp(octets, size) &&
           memcmp(octets + 8, datagram->ssrc, sizeof datagram->ssrc) == 0;
}

static void take_t38(struct datagram *datagram, const struct latch_address *from, const uint8_t *octets, size_t size,
                     int64_t now_ns)
{
    const struct udptl_counts *counts = udptl_counts(datagram->udptl);
    uint64_t before;

    if (!latch_allows(&datagram->media.latch, from)) {
        datagram->refused++;
        return;
    }
    if (is_stale_rtp(datagram, octets, size, now_ns))
        return;
    keep_time_for_packet(datagram, now_ns);
    before = counts->received + counts->duplicate + counts->late;
    udptl_receive(datagram->udptl, octets, size, on_ifp, datagram);
    if (counts->received + counts->duplicate + counts->late != before)
        heard(datagram, &datagram->media, from, now_ns);
    watch_waiting(datagram, now_ns);
}

/* ---- both ---- */

static void start(struct datagram *datagram, int64_t now_ns)
{
    datagram->started = true;
    datagram->heard_ns = datagram->speak_ns = now_ns;
    datagram->clock_ns = datagram->busy_ns = now_ns;
}

static int family_of(int socket)
{
    int family = AF_INET;
    socklen_t size = sizeof family;

    /* Not getsockname, which the sandbox does not have. */
    getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &size);
    return family;
}

struct datagram *datagram_new(const struct options *options, int media, int rtcp, struct session *session,
                              tones_heard_fn *heard_tone, void *context)
{
    struct datagram *datagram = xcalloc(1, sizeof *datagram);
    int error;

    datagram->options = options;
    datagram->session = session;
    datagram->path = options->path;
    datagram->media.socket = media;
    datagram->rtcp.socket = rtcp;
    datagram->family = family_of(media);
    error = use_rules(datagram, 0);
    if (!error && datagram->path.mode == PATH_RTP) {
        datagram->tones = tones_new(options->calling, heard_tone, context);
        error = start_rtp(datagram);
    } else if (!error) {
        error = start_t38(datagram, 0);
    }
    if (!error)
        return datagram;
    datagram_free(datagram);
    return NULL;
}

static void drop_early(struct datagram *datagram)
{
    while (datagram->early_count > 0)
        free(datagram->early[--datagram->early_count]);
}

void datagram_free(struct datagram *datagram)
{
    if (!datagram)
        return;
    drop_early(datagram);
    tones_free(datagram->tones);
    rtp_free(datagram->rtp);
    udptl_free(datagram->udptl);
    explicit_bzero(&datagram->path, sizeof datagram->path); /* keys */
    free(datagram);
}

static bool take_one(struct datagram *datagram, int64_t now_ns)
{
    struct sockaddr_storage sender;
    socklen_t sender_size = sizeof sender;
    struct latch_address from;
    uint8_t octets[UDPTL_DATAGRAM_MAX + 1];
    ssize_t size =
        recvfrom(datagram->media.socket, octets, sizeof octets, MSG_DONTWAIT, (struct sockaddr *)&sender, &sender_size);

    if (size < 0)
        return false;
    if (size > UDPTL_DATAGRAM_MAX)
        return true;
    latch_read_address(&from, &sender);
    if (datagram->path.mode == PATH_RTP)
        take_rtp(datagram, &from, octets, (size_t)size, now_ns);
    else
        take_t38(datagram, &from, octets, (size_t)size, now_ns);
    return true;
}

static void take_all(struct datagram *datagram, int64_t now_ns)
{
    for (int i = 0; i < DATAGRAMS_AT_ONCE && take_one(datagram, now_ns); i++)
        ;
}

void datagram_hear(struct datagram *datagram, int64_t now_ns)
{
    if (!datagram->started)
        start(datagram, now_ns);
    /* An engine that was held up, by a disk that syncs for its other calls perhaps, hears all that waits before time
     * goes on. For T.38 run_t38 sees to that, and what comes in time comes alone: to ask once more for each is a tenth
     * of what a call costs. */
    if (datagram->path.mode == PATH_RTP)
        take_all(datagram, now_ns);
    else
        take_one(datagram, now_ns);
}

void datagram_hear_rtcp(struct datagram *datagram, int64_t now_ns)
{
    struct sockaddr_storage sender;
    socklen_t sender_size = sizeof sender;
    struct latch_address from;
    uint8_t octets[RTP_DATAGRAM_MAX];
    ssize_t size =
        recvfrom(datagram->rtcp.socket, octets, sizeof octets, MSG_DONTWAIT, (struct sockaddr *)&sender, &sender_size);

    if (size < 0 || datagram->path.mode != PATH_RTP)
        return;
    latch_read_address(&from, &sender);
    if (!latch_allows(&datagram->rtcp.latch, &from))
        datagram->refused++;
    else if (rtp_rtcp_receive(datagram->rtp, octets, (size_t)size, now_ns) == 0)
        heard(datagram, &datagram->rtcp, &from, now_ns);
}

void datagram_run(struct datagram *datagram, int64_t now_ns)
{
    if (!datagram->started)
        start(datagram, now_ns);
    if (datagram->path.mode == PATH_RTP)
        run_rtp(datagram, now_ns);
    else
        run_t38(datagram, now_ns);
}

int64_t datagram_due_ns(const struct datagram *datagram)
{
    if (!datagram->started)
        return 0;
    return datagram->path.mode == PATH_RTP ? rtp_due(datagram) : t38_due_ns(datagram);
}

static void use_rtp(struct datagram *datagram, const struct path *path)
{
    struct rtp_options options;

    rtp_options_of(&options, path);
    if (rtp_change(datagram->rtp, &options) != 0)
        session_end(datagram->session, OUTCOME_END_BROKEN, err_message());
    explicit_bzero(&options, sizeof options);
}

static void switch_to_t38(struct datagram *datagram, int64_t now_ns)
{
    int i;

    datagram_stop_tones(datagram);
    datagram->switched_ns = now_ns;
    if (start_t38(datagram, now_ns) != 0) {
        session_end(datagram->session, OUTCOME_END_BROKEN, err_message());
        return;
    }
    session_switch(datagram->session, &datagram->path.t38);
    for (i = 0; i < datagram->early_count; i++)
        take_t38(datagram, &datagram->early[i]->from, datagram->early[i]->octets, datagram->early[i]->size, now_ns);
    drop_early(datagram);
}

void datagram_set_path(struct datagram *datagram, const struct path *path, int64_t now_ns)
{
    bool was_rtp = datagram->path.mode == PATH_RTP;

    if (!was_rtp && path->mode == PATH_RTP) {
        log_info("a call on T.38 does not go back to audio");
        return;
    }
    if (!datagram->started)
        start(datagram, now_ns);
    if (path->mode == PATH_RTP)
        use_rtp(datagram, path);
    datagram->hush_ns = 0;
    datagram->path = *path;
    if (use_rules(datagram, now_ns) != 0)
        session_end(datagram->session, OUTCOME_END_BROKEN, err_message());
    if (was_rtp && path->mode == PATH_T38)
        switch_to_t38(datagram, now_ns);
}

void datagram_hush(struct datagram *datagram, int64_t now_ns)
{
    datagram->hush_ns = now_ns + HUSH_NS;
}

void datagram_hang_up(struct datagram *datagram, int64_t now_ns)
{
    int i;

    for (i = 0; i < HANG_UP_MAX && !session_is_over(datagram->session) && take_one(datagram, now_ns); i++)
        ;
    if (datagram->path.mode == PATH_RTP)
        rtp_tick(datagram->rtp, now_ns + LAST_WORDS_NS, on_samples, datagram);
    else
        udptl_flush(datagram->udptl, on_ifp, datagram);
    datagram->last_size = 0; /* nobody is there to hear it again */
    session_end(datagram->session, OUTCOME_END_HUNG_UP, "the far end hung up");
}

void datagram_stop_tones(struct datagram *datagram)
{
    tones_free(datagram->tones);
    datagram->tones = NULL;
}

void datagram_finish(struct datagram *datagram, int64_t now_ns)
{
    uint8_t packet[RTP_DATAGRAM_MAX];
    int i;

    if (datagram->path.mode == PATH_RTP && sends_reports(datagram))
        put(datagram, &datagram->rtcp, packet, rtp_rtcp_bye(datagram->rtp, now_ns, ntp_now(), packet, sizeof packet));
    for (i = 0; i < LAST_REPEATS && datagram->path.mode == PATH_T38; i++)
        put(datagram, &datagram->media, datagram->last, datagram->last_size);
}

bool datagram_is_silent(const struct datagram *datagram, int64_t now_ns)
{
    int64_t since_ns = datagram->heard_ns;

    if (!datagram->started || datagram->media.latch.on_hold)
        return false;
    if (datagram->path.mode == PATH_RTP)
        return now_ns - since_ns > RTP_SILENCE_NS;
    if (datagram->busy_ns > since_ns)
        since_ns = datagram->busy_ns;
    return now_ns - since_ns > T38_SILENCE_NS;
}

void datagram_describe(const struct datagram *datagram, json_t *record)
{
    struct rtp_stats audio = {0};
    struct udptl_counts packets = {0};
    json_t *loss;

    if (datagram->rtp)
        rtp_stats(datagram->rtp, &audio);
    if (datagram->udptl)
        packets = *udptl_counts(datagram->udptl);
    loss = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "expected",
                     (json_int_t)(audio.expected + packets.received + packets.recovered + packets.lost), "lost",
                     (json_int_t)(audio.lost + packets.lost), "recovered",
                     (json_int_t)(audio.recovered + packets.recovered), "late", (json_int_t)(audio.late + packets.late),
                     "refused", (json_int_t)datagram->refused, "standstill_ms",
                     (json_int_t)(datagram->standstill_ns / NS_PER_MS));
    json_object_set_new(record, "packet_loss", loss);
    if (datagram->path.mode != PATH_RTP)
        return;
    json_object_set_new(record, "codec", json_string(datagram->path.codec == RTP_PCMU ? "PCMU" : "PCMA"));
    json_object_set_new(record, "jitter_ms", json_real(audio.jitter_ms));
}
