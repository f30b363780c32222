/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RTP, RTCP and SRTP: what a far end sends, in whatever order, becomes line time without a sample too many or too few.
 */
#include "tests/lib/facts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "plugins/t30/rtp.h"
#include "server/base/err.h"

#define MS         INT64_C(1000000)
#define HEARD_MAX  200000
#define OWN_SSRC   0x11111111
#define FAR_SSRC   0x22222222
#define KEY_BASE64 "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"

/* The line that a session hears. */
struct heard {
    int count;
    int16_t samples[HEARD_MAX];
};

struct world {
    struct rtp *near, *far;
    struct heard heard;
    int64_t now_ns;
    int sent;
    uint8_t packet[RTP_DATAGRAM_MAX];
    size_t size;
};

static void hear(void *context, int16_t *samples, int count)
{
    struct heard *heard = context;

    assert_in_range(count, 1, RTP_DATAGRAM_MAX);
    assert_true(heard->count + count <= HEARD_MAX);
    memcpy(heard->samples + heard->count, samples, (size_t)count * sizeof *samples);
    heard->count += count;
    samples[0] = 1; /* may be changed */
}

static struct rtp_options options_of(uint32_t ssrc)
{
    return (struct rtp_options){.codec = RTP_PCMU,
                                .payload_type = 0,
                                .ssrc = ssrc,
                                .first_timestamp = 0xFFFFF000,
                                .first_sequence = 0xFFF0,
                                .cname = "line@fax.example"};
}

static void make_world(struct world *world, enum secure_suite suite, bool same_key)
{
    struct rtp_options near = options_of(OWN_SSRC), far = options_of(FAR_SSRC);

    memset(world, 0, sizeof *world);
    near.send_key.suite = near.receive_key.suite = far.send_key.suite = far.receive_key.suite = suite;
    far.send_key.octets[0] = 1;
    near.receive_key.octets[0] = same_key ? 1 : 2;
    assert_non_null(world->near = rtp_new(&near));
    assert_non_null(world->far = rtp_new(&far));
    world->now_ns = 1000 * MS;
}

static int set_up(void **state)
{
    make_world(*state = malloc(sizeof(struct world)), SECURE_NONE, true);
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    rtp_free(world->near);
    rtp_free(world->far);
    free(world);
    return 0;
}

/* The far end's next packet: a level that tells which it is. mu-law keeps these exactly. */
static int16_t level_of(int number)
{
    return (int16_t)(988 + number % 8 * 64);
}

static void make_packet(struct world *world)
{
    int16_t samples[RTP_SEND_SAMPLES];

    for (int i = 0; i < RTP_SEND_SAMPLES; i++)
        samples[i] = level_of(world->sent);
    world->sent++;
    world->size = rtp_send(world->far, samples, world->packet, sizeof world->packet);
    assert_int_not_equal(world->size, 0);
}

static int arrive(struct world *world)
{
    return rtp_receive(world->near, world->packet, world->size, world->now_ns, hear, &world->heard);
}

/* `ms` go by, with the ticks that are due. */
static void wait_for(struct world *world, int ms)
{
    int64_t end_ns = world->now_ns + ms * MS, due_ns;

    while ((due_ns = rtp_due_ns(world->near)) <= end_ns) {
        world->now_ns = due_ns > world->now_ns ? due_ns : world->now_ns;
        rtp_tick(world->near, world->now_ns, hear, &world->heard);
    }
    world->now_ns = end_ns;
}

static void send_packets(struct world *world, int count)
{
    for (int i = 0; i < count; i++) {
        make_packet(world);
        assert_int_equal(arrive(world), 0);
        wait_for(world, 20);
    }
}

static void lose_packets(struct world *world, int count)
{
    for (int i = 0; i < count; i++) {
        make_packet(world);
        wait_for(world, 20);
    }
}

static struct rtp_stats stats_of(const struct world *world)
{
    struct rtp_stats stats;

    rtp_stats(world->near, &stats);
    return stats;
}

/* Every packet from `first` stands in its place. */
static void assert_heard_in_order(const struct world *world, int first, int last)
{
    assert_true(world->heard.count >= last * RTP_SEND_SAMPLES);
    for (int i = first * RTP_SEND_SAMPLES; i < last * RTP_SEND_SAMPLES; i++)
        assert_int_equal(world->heard.samples[i], level_of(i / RTP_SEND_SAMPLES));
}

/* A packet by hand, level and size as wished. */
static int arrive_raw(struct world *world, uint16_t sequence, uint32_t timestamp, uint8_t payload_type, uint32_t ssrc,
                      size_t size)
{
    uint8_t packet[12 + 1400] = {0x80,
                                 payload_type,
                                 (uint8_t)(sequence >> 8),
                                 (uint8_t)sequence,
                                 (uint8_t)(timestamp >> 24),
                                 (uint8_t)(timestamp >> 16),
                                 (uint8_t)(timestamp >> 8),
                                 (uint8_t)timestamp,
                                 (uint8_t)(ssrc >> 24),
                                 (uint8_t)(ssrc >> 16),
                                 (uint8_t)(ssrc >> 8),
                                 (uint8_t)ssrc};

    memset(packet + 12, 0x90, size);
    return rtp_receive(world->near, packet, 12 + size, world->now_ns, hear, &world->heard);
}

/* ---- receiving ---- */

static void test_passes_in_order_over_both_wraps(void **state)
{
    struct world *world = *state;

    send_packets(world, 60);
    assert_int_equal(world->heard.count, 60 * RTP_SEND_SAMPLES);
    assert_heard_in_order(world, 0, 60);
    struct rtp_stats stats = stats_of(world);
    assert_int_equal(stats.received, 60);
    assert_int_equal(stats.expected, 60);
    assert_int_equal(stats.lost + stats.late + stats.recovered + stats.resyncs + stats.silence, 0);
}

static void test_conceals_loss_with_the_right_time(void **state)
{
    static const int losses[] = {1, 2, 5, 20};
    struct world *world = *state;
    int total = 10;

    send_packets(world, 10);
    for (size_t i = 0; i < COUNT_OF(losses); i++) {
        lose_packets(world, losses[i]);
        send_packets(world, 10);
        total += losses[i] + 10;
        wait_for(world, 60);
        assert_int_equal(world->heard.count, total * RTP_SEND_SAMPLES);
        assert_heard_in_order(world, total - 10, total);
    }
    assert_int_equal(stats_of(world).lost, 28);
    assert_int_equal(stats_of(world).concealed, 28 * RTP_SEND_SAMPLES);
    assert_int_equal(stats_of(world).expected, total);
    assert_true(world->heard.samples[10 * RTP_SEND_SAMPLES] != 0);
}

static void test_waits_for_the_missing_only_so_long(void **state)
{
    struct world *world = *state;

    send_packets(world, 3);
    make_packet(world); /* lost */
    make_packet(world);
    arrive(world);
    assert_int_equal(world->heard.count, 3 * RTP_SEND_SAMPLES);
    wait_for(world, 59);
    assert_int_equal(world->heard.count, 3 * RTP_SEND_SAMPLES);
    wait_for(world, 1);
    assert_int_equal(world->heard.count, 5 * RTP_SEND_SAMPLES);
}

static void test_puts_in_order_what_comes_in_another(void **state)
{
    static const int order[] = {0, 2, 1, 5, 4, 3, 6, 8, 9, 7};
    struct world *world = *state;
    uint8_t packets[COUNT_OF(order)][RTP_DATAGRAM_MAX];
    size_t sizes[COUNT_OF(order)];

    for (size_t i = 0; i < COUNT_OF(order); i++) {
        make_packet(world);
        memcpy(packets[i], world->packet, sizes[i] = world->size);
    }
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        assert_int_equal(
            rtp_receive(world->near, packets[order[i]], sizes[order[i]], world->now_ns, hear, &world->heard), 0);
        wait_for(world, 20);
    }
    assert_int_equal(world->heard.count, 10 * RTP_SEND_SAMPLES);
    assert_heard_in_order(world, 0, 10);
    assert_int_equal(stats_of(world).lost, 0);
    assert_int_equal(stats_of(world).recovered, 4);
}

static void test_hears_nothing_twice(void **state)
{
    struct world *world = *state;
    uint8_t old[RTP_DATAGRAM_MAX];

    for (int i = 0; i < 10; i++) {
        make_packet(world);
        arrive(world);
        arrive(world);
    }
    assert_int_equal(world->heard.count, 10 * RTP_SEND_SAMPLES);
    assert_int_equal(stats_of(world).duplicate, 10);
    make_packet(world);
    memcpy(old, world->packet, world->size);
    make_packet(world);
    arrive(world);
    arrive(world); /* while it is held */
    assert_int_equal(stats_of(world).duplicate, 11);
    wait_for(world, 60);
    assert_int_equal(rtp_receive(world->near, old, world->size, world->now_ns, hear, &world->heard), 0);
    assert_int_equal(stats_of(world).late, 1);
    assert_int_equal(world->heard.count, 12 * RTP_SEND_SAMPLES);
}

static void test_follows_the_far_ends_clock(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 1000; i++) { /* 1,000 ppm fast, then slow */
        make_packet(world);
        arrive(world);
        world->now_ns += i < 500 ? 19980000 : 20020000;
        rtp_tick(world->near, world->now_ns, hear, &world->heard);
    }
    assert_int_equal(world->heard.count, 1000 * RTP_SEND_SAMPLES);
    assert_heard_in_order(world, 0, 1000);
}

static void test_takes_any_length_of_packet(void **state)
{
    static const int sizes[] = {80, 240, 320, 40, 1, 163, 1400, 160};
    struct world *world = *state;
    uint32_t timestamp = 0xFFFFFF00;

    for (size_t i = 0; i < 4 * COUNT_OF(sizes); i++) {
        size_t size = (size_t)sizes[i % COUNT_OF(sizes)];
        assert_int_equal(arrive_raw(world, (uint16_t)i, timestamp, 0, FAR_SSRC, size), 0);
        timestamp += (uint32_t)size;
    }
    assert_int_equal((uint32_t)world->heard.count, timestamp - 0xFFFFFF00);
    assert_int_equal(stats_of(world).concealed + stats_of(world).silence, 0);
}

static void test_understands_both_laws(void **state)
{
    struct world *world = *state;

    arrive_raw(world, 0, 0, 0, FAR_SSRC, 160);
    arrive_raw(world, 1, 160, 8, FAR_SSRC, 160);
    assert_int_equal(world->heard.samples[1], 15996);
    assert_int_equal(world->heard.samples[161], 2752);
}

/* ---- time without packets ---- */

static void test_fills_what_was_not_sent(void **state)
{
    struct world *world = *state;

    send_packets(world, 10);
    for (int i = 0; i < 20; i++) { /* 400 ms without packets: less than what starts our clock */
        rtp_skip(world->far, RTP_SEND_SAMPLES);
        wait_for(world, 20);
    }
    assert_int_equal(world->heard.count, 10 * RTP_SEND_SAMPLES);
    send_packets(world, 10);
    assert_int_equal(world->heard.count, 40 * RTP_SEND_SAMPLES);
    assert_int_equal(world->heard.samples[10 * RTP_SEND_SAMPLES + 1], 0);
    assert_int_equal(stats_of(world).silence, 20 * RTP_SEND_SAMPLES);
    assert_int_equal(stats_of(world).lost, 0);
}

static void test_time_goes_on_while_nothing_comes(void **state)
{
    struct world *world = *state;

    send_packets(world, 10);
    for (int i = 0; i < 100; i++) {
        rtp_skip(world->far, RTP_SEND_SAMPLES);
        wait_for(world, 20);
    }
    assert_in_range(world->heard.count, (10 + 74) * RTP_SEND_SAMPLES, (10 + 76) * RTP_SEND_SAMPLES);
    send_packets(world, 10);
    assert_int_equal(world->heard.count, 120 * RTP_SEND_SAMPLES);
    assert_int_equal(stats_of(world).resyncs, 0);
}

static void test_a_stalled_network_costs_no_signal(void **state)
{
    struct world *world = *state;
    uint8_t packets[50][RTP_DATAGRAM_MAX];

    send_packets(world, 10);
    for (int i = 0; i < 50; i++) { /* a second */
        make_packet(world);
        memcpy(packets[i], world->packet, world->size);
        wait_for(world, 20);
    }
    int before = world->heard.count;
    for (int i = 0; i < 50; i++)
        rtp_receive(world->near, packets[i], world->size, world->now_ns, hear, &world->heard);
    assert_int_equal(world->heard.count, before + 50 * RTP_SEND_SAMPLES);
    /* What was put in is made up for in the far end's next silence, but not its first 100 ms. */
    int16_t quiet[RTP_SEND_SAMPLES] = {0};
    for (int i = 0; i < 100; i++) {
        world->size = rtp_send(world->far, quiet, world->packet, sizeof world->packet);
        arrive(world);
        wait_for(world, 20);
    }
    assert_int_equal(world->heard.count, 160 * RTP_SEND_SAMPLES);
    assert_int_equal(stats_of(world).skipped, before - 10 * RTP_SEND_SAMPLES);
}

static void test_a_sleeper_gets_no_flood(void **state)
{
    struct world *world = *state;

    send_packets(world, 1);
    world->now_ns += INT64_C(3600) * 1000 * MS;
    rtp_tick(world->near, world->now_ns, hear, &world->heard);
    assert_true(world->heard.count <= RTP_RATE);
    assert_true(rtp_due_ns(world->near) > world->now_ns);
}

static void test_other_payloads_take_numbers_not_time(void **state)
{
    struct world *world = *state;

    arrive_raw(world, 0, 0, 0, FAR_SSRC, 160);
    arrive_raw(world, 1, 160, 13, FAR_SSRC, 1);
    arrive_raw(world, 2, 160, 101, FAR_SSRC, 4);
    assert_int_equal(world->heard.count, 160);
    arrive_raw(world, 3, 480, 0, FAR_SSRC, 160);
    assert_int_equal(world->heard.count, 640);
    assert_int_equal(stats_of(world).other_payload, 2);
    assert_int_equal(stats_of(world).lost, 0);
}

/* ---- other streams ---- */

static void test_a_new_ssrc_is_a_new_stream(void **state)
{
    struct world *world = *state;

    arrive_raw(world, 100, 0, 0, FAR_SSRC, 160);
    arrive_raw(world, 5000, 70000, 0, 0x33333333, 160); /* a stray changes nothing */
    arrive_raw(world, 101, 160, 0, FAR_SSRC, 160);
    assert_int_equal(world->heard.count, 320);
    arrive_raw(world, 900, 900000, 0, 0x44444444, 160);
    arrive_raw(world, 901, 900160, 0, 0x44444444, 160);
    arrive_raw(world, 902, 900320, 0, 0x44444444, 160);
    assert_int_equal(world->heard.count, 5 * 160);
    arrive_raw(world, 102, 320, 0, FAR_SSRC, 160);
    assert_int_equal(world->heard.count, 5 * 160);
    assert_int_equal(stats_of(world).resyncs, 1);
}

static void test_a_jump_is_a_new_stream(void **state)
{
    struct world *world = *state;

    arrive_raw(world, 100, 0, 0, FAR_SSRC, 160);
    arrive_raw(world, 30000, 12345678, 0, FAR_SSRC, 160);
    assert_int_equal(world->heard.count, 160);
    arrive_raw(world, 30001, 12345838, 0, FAR_SSRC, 160);
    assert_int_equal(world->heard.count, 480);
    arrive_raw(world, 30002, 99999999, 0, FAR_SSRC, 160); /* of time: bounded */
    assert_true(world->heard.count <= 640 + RTP_RATE);
    assert_int_equal(stats_of(world).resyncs, 2);
}

static void test_a_changed_path_starts_anew(void **state)
{
    struct world *world = *state;
    struct rtp_options options = options_of(1);

    send_packets(world, 3);
    options.codec = RTP_PCMA;
    options.payload_type = 8;
    assert_int_equal(rtp_change(world->near, &options), 0);
    arrive_raw(world, 7, 7, 8, 0x55555555, 160);
    assert_int_equal(world->heard.count, 4 * 160);
    int16_t samples[RTP_SEND_SAMPLES] = {0};
    assert_int_equal(rtp_send(world->near, samples, world->packet, sizeof world->packet), 172);
    assert_int_equal(world->packet[1], 0x88);
    assert_memory_equal(world->packet + 8, "\x11\x11\x11\x11", 4);
}

static void test_refuses_what_is_no_rtp(void **state)
{
    static const struct {
        uint8_t octets[20];
        size_t size;
    } cases[] = {
        {{0}, 0},
        {{0x80}, 11},              /* short */
        {{0x40}, 20},              /* version 1 */
        {{0x8F}, 20},              /* 15 sources */
        {{0x90}, 14},              /* no room for an extension */
        {{0x90, [14] = 0xFF}, 20}, /* a long extension */
        {{0xA0, [19] = 9}, 20},    /* more padding than payload */
        {{0xA0}, 20},              /* padding of 0 octets */
        {{0x80, 200, 0, 4}, 20},   /* RTCP */
    };
    struct world *world = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(rtp_receive(world->near, cases[i].octets, cases[i].size, 1, hear, &world->heard), ERR_INVALID);
    uint8_t big[RTP_DATAGRAM_MAX + 1] = {0x80};
    assert_int_equal(rtp_receive(world->near, big, sizeof big, 1, hear, &world->heard), ERR_INVALID);
    assert_int_equal(stats_of(world).invalid, COUNT_OF(cases) + 1);
    assert_int_equal(world->heard.count, 0);
    static const uint8_t full[] = {0xB1, 0,    0, 1, 0, 0, 0, 0, 0, 0, 0, 1,
                                   9,    9,    9, 9, 1, 2, 0, 1, 7, 7, 7, 7, /* source, extension */
                                   0x90, 0x90, 0, 2};                        /* two samples, padding */
    assert_int_equal(rtp_receive(world->near, full, sizeof full, 1, hear, &world->heard), 0);
    assert_int_equal(world->heard.count, 2);
}

static uint32_t next_random(uint32_t *random)
{
    return *random = *random * 1664525 + 1013904223;
}

static void test_mutations_do_no_harm(void **state)
{
    struct world *world = *state;
    uint32_t random = 1;

    for (int i = 0; i < 10000; i++) {
        make_packet(world);
        for (int flips = 1 + (int)(next_random(&random) >> 30); flips > 0; flips--)
            world->packet[(next_random(&random) >> 16) % (flips & 1 ? 12 : world->size)] ^=
                (uint8_t)(1U << (next_random(&random) >> 29));
        world->size -= (next_random(&random) >> 28) == 0 ? (next_random(&random) >> 16) % world->size : 0;
        if (i & 1)
            arrive(world);
        else
            rtp_rtcp_receive(world->near, world->packet, world->size, world->now_ns);
        world->now_ns += 20 * MS;
        rtp_tick(world->near, world->now_ns, hear, &world->heard);
        world->heard.count = 0;
    }
    send_packets(world, 10); /* whatever the last state was, it finds back */
    wait_for(world, 100);
    world->heard.count = 0;
    world->sent = 0;
    send_packets(world, 50);
    assert_int_equal(world->heard.count, 50 * RTP_SEND_SAMPLES);
    assert_heard_in_order(world, 0, 50);
}

/* ---- sending ---- */

static void test_sends_well_formed_packets(void **state)
{
    struct world *world = *state;
    static const uint8_t first[] = {0x80, 0x80, 0xFF, 0xF0, 0xFF, 0xFF, 0xF0, 0, 0x22, 0x22, 0x22, 0x22};
    static const uint8_t second[] = {0x80, 0, 0xFF, 0xF1, 0xFF, 0xFF, 0xF0, 160, 0x22, 0x22, 0x22, 0x22};

    make_packet(world);
    assert_int_equal(world->size, 172);
    assert_memory_equal(world->packet, first, sizeof first);
    make_packet(world);
    assert_memory_equal(world->packet, second, sizeof second);
    rtp_skip(world->far, 80);
    make_packet(world);
    assert_int_equal(world->packet[1], 0x80);
    assert_int_equal(world->packet[7], (320 + 80) & 0xFF);
    int16_t samples[RTP_SEND_SAMPLES] = {0};
    assert_int_equal(rtp_send(world->far, samples, world->packet, 171), 0);
}

/* ---- RTCP ---- */

static uint32_t word_at(const uint8_t *octets)
{
    return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];
}

static void test_reports_what_came(void **state)
{
    struct world *world = *state;
    uint8_t report[RTP_DATAGRAM_MAX];

    send_packets(world, 15);
    lose_packets(world, 5);
    send_packets(world, 5);
    size_t size = rtp_rtcp_send(world->near, world->now_ns, 1, report, sizeof report);
    assert_int_equal(size, 32 + 28); /* nothing was sent: RR */
    assert_int_equal(word_at(report), 0x81C90007);
    assert_int_equal(word_at(report + 4), OWN_SSRC);
    assert_int_equal(word_at(report + 8), FAR_SSRC);
    assert_int_equal(word_at(report + 12), (uint32_t)(5 * 255 / 25) << 24 | 5);
    assert_int_equal(word_at(report + 16), 0x10000 + 0xFFF0 + 24);
    assert_int_equal(word_at(report + 20), 0);
    assert_int_equal(word_at(report + 24), 0);
    assert_int_equal(word_at(report + 32), 0x81CA0006);
    assert_memory_equal(report + 40, "\x01\x10line@fax.example\0\0", 20);

    int16_t samples[RTP_SEND_SAMPLES] = {0};
    rtp_send(world->near, samples, world->packet, sizeof world->packet);
    size = rtp_rtcp_bye(world->near, world->now_ns, UINT64_C(0x0102030405060708), report, sizeof report);
    assert_int_equal(size, 52 + 28 + 8);
    assert_int_equal(word_at(report), 0x81C8000C);
    assert_int_equal(word_at(report + 8), 0x01020304);
    assert_int_equal(word_at(report + 12), 0x05060708);
    assert_int_equal(word_at(report + 20), 1);
    assert_int_equal(word_at(report + 24), 160);
    assert_int_equal(report[28 + 4], 0); /* nothing was lost since */
    assert_int_equal(word_at(report + 80), 0x81CB0001);
}

static void test_learns_from_reports(void **state)
{
    struct world *world = *state;
    uint8_t report[RTP_DATAGRAM_MAX];
    struct rtp_stats stats;

    send_packets(world, 10);
    lose_packets(world, 10);
    send_packets(world, 5);
    size_t size = rtp_rtcp_send(world->far, world->now_ns, UINT64_C(5000) << 32, report, sizeof report);
    world->now_ns += 30 * MS;
    assert_int_equal(rtp_rtcp_receive(world->near, report, size, world->now_ns), 0);
    world->now_ns += 500 * MS;
    size = rtp_rtcp_send(world->near, world->now_ns, UINT64_C(9000) << 32, report, sizeof report);
    assert_int_equal(word_at(report + 24), 5000 << 16);
    assert_int_equal(word_at(report + 28), 32768);
    world->now_ns += 30 * MS;
    assert_int_equal(rtp_rtcp_receive(world->far, report, size, world->now_ns), 0);
    rtp_stats(world->far, &stats);
    assert_true(stats.reported);
    assert_int_equal(stats.far_lost, 10);
    assert_true(stats.round_trip_ms > 59 && stats.round_trip_ms < 61);
    assert_false(stats_of(world).far_left);
    size = rtp_rtcp_bye(world->far, world->now_ns, 1, report, sizeof report);
    assert_int_equal(rtp_rtcp_receive(world->near, report, size, world->now_ns), 0);
    assert_true(stats_of(world).far_left);
    for (size_t cut = 0; cut < size; cut += cut == 0 ? 1 : 3)
        rtp_rtcp_receive(world->near, report, cut, world->now_ns);
    assert_int_equal(rtp_rtcp_receive(world->near, report, size - 1, world->now_ns), ERR_INVALID);
}

static void test_reports_every_few_seconds(void **state)
{
    struct world *world = *state;
    uint8_t report[RTP_DATAGRAM_MAX];

    assert_int_equal(rtp_rtcp_due_ns(world->near), 0);
    rtp_tick(world->near, world->now_ns, hear, &world->heard);
    for (int i = 0; i < 100; i++) {
        int64_t interval_ms = (rtp_rtcp_due_ns(world->near) - world->now_ns) / MS;
        assert_in_range(interval_ms, i == 0 ? 1250 : 2500, i == 0 ? 3750 : 7500);
        world->now_ns = rtp_rtcp_due_ns(world->near);
        assert_int_not_equal(rtp_rtcp_send(world->near, world->now_ns, 1, report, sizeof report), 0);
    }
}

static void test_measures_jitter(void **state)
{
    struct world *world = *state;

    for (int i = 0; i < 400; i++) {
        make_packet(world);
        arrive(world);
        world->now_ns += i & 1 ? 30 * MS : 10 * MS;
    }
    assert_true(stats_of(world).jitter_ms > 9.9 && stats_of(world).jitter_ms < 10.1);
}

/* ---- SRTP ---- */

static void test_srtp_goes_through(void **state)
{
    static const enum secure_suite suites[] = {SECURE_SHA80, SECURE_SHA32};
    struct world *world = malloc(sizeof *world);
    uint8_t report[RTP_DATAGRAM_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(suites); i++) {
        make_world(world, suites[i], true);
        send_packets(world, 40); /* past the wrap of the sequence number */
        assert_int_equal(world->size, suites[i] == SECURE_SHA80 ? 182 : 176);
        assert_heard_in_order(world, 0, 40);
        assert_int_equal(arrive(world), ERR_DENIED); /* again */
        world->packet[20] ^= 1;
        assert_int_equal(arrive(world), ERR_DENIED);
        assert_int_equal(stats_of(world).denied, 2);
        size_t size = rtp_rtcp_send(world->far, world->now_ns, 1, report, sizeof report);
        assert_int_equal(size, 28 + 28 + 14);
        assert_int_equal(rtp_rtcp_receive(world->near, report, size, world->now_ns), 0);
        assert_int_equal(rtp_rtcp_receive(world->near, report, size, world->now_ns), ERR_DENIED);
        struct rtp_options plain = options_of(1);
        assert_int_equal(rtp_change(world->far, &plain), 0);
        make_packet(world);
        assert_int_equal(arrive(world), ERR_DENIED);
        rtp_free(world->near);
        rtp_free(world->far);
    }
    free(world);
}

static void test_srtp_of_another_key_is_denied(void **state)
{
    struct world *world = malloc(sizeof *world);

    (void)state;
    make_world(world, SECURE_SHA80, false);
    for (int i = 0; i < 10; i++) {
        make_packet(world);
        assert_int_equal(arrive(world), ERR_DENIED);
    }
    assert_int_equal(world->heard.count, 0);
    assert_int_equal(stats_of(world).denied, 10);
    assert_int_equal(stats_of(world).received, 0);
    rtp_free(world->near);
    rtp_free(world->far);
    free(world);
}

static void test_srtp_needs_both_keys(void **state)
{
    struct rtp_options options = options_of(1);

    (void)state;
    options.send_key.suite = SECURE_SHA80;
    assert_null(rtp_new(&options));
}

static void test_a_far_end_has_so_many_ssrcs(void **state)
{
    struct world *world = malloc(sizeof *world);

    (void)state;
    make_world(world, SECURE_SHA80, true);
    for (uint32_t i = 0; i < 20; i++) {
        struct rtp_options options = options_of(1000 + i);
        rtp_free(world->far);
        options.send_key = (struct secure_key){.suite = SECURE_SHA80, .octets = {1}};
        options.receive_key = options.send_key;
        world->far = rtp_new(&options);
        make_packet(world);
        assert_int_equal(arrive(world), i < 16 ? 0 : ERR_DENIED);
    }
    rtp_free(world->near);
    rtp_free(world->far);
    free(world);
}

static void test_the_same_keys_keep_their_state(void **state)
{
    struct world *world = malloc(sizeof *world);
    struct rtp_options options = options_of(1);

    (void)state;
    make_world(world, SECURE_SHA80, true);
    send_packets(world, 20);
    options.send_key = options.receive_key = (struct secure_key){.suite = SECURE_SHA80};
    options.receive_key.octets[0] = 1;
    assert_int_equal(rtp_change(world->near, &options), 0);
    assert_int_equal(arrive(world), ERR_DENIED);
    send_packets(world, 1);
    rtp_free(world->near);
    rtp_free(world->far);
    free(world);
}

/* Engines are forked after rtp_setup; no file can be opened then. */
static int hear_over_srtp(void *argument)
{
    struct world *world = argument;
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return 2;
    files.rlim_cur = 0;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        return 2;
    make_world(world, SECURE_SHA80, true);
    send_packets(world, 3);
    rtp_free(world->near);
    rtp_free(world->far);
    return world->heard.count == 3 * RTP_SEND_SAMPLES ? 0 : 1;
}

static void test_srtp_works_in_a_child_without_files(void **state)
{
    struct world *world = malloc(sizeof *world);

    (void)state;
    assert_int_equal(facts_in_child(hear_over_srtp, world), 0);
    free(world);
}

static void test_reads_keys_of_sdp(void **state)
{
    struct secure_key key;

    (void)state;
    assert_int_equal(secure_key_parse(&key, "AES_CM_128_HMAC_SHA1_80", KEY_BASE64), 0);
    assert_int_equal(key.suite, SECURE_SHA80);
    assert_memory_equal(key.octets, "YS___semctl () {\t220;}\n}\nunles", 30);
    assert_int_equal(secure_key_parse(&key, "AES_CM_128_HMAC_SHA1_32", KEY_BASE64), 0);
    assert_int_equal(key.suite, SECURE_SHA32);
    assert_int_equal(secure_key_parse(&key, "AEAD_AES_128_GCM", KEY_BASE64), ERR_UNSUPPORTED);
    assert_int_equal(secure_key_parse(&key, "AES_CM_128_HMAC_SHA1_80", "WVNf"), ERR_INVALID);
    assert_int_equal(secure_key_parse(&key, "AES_CM_128_HMAC_SHA1_80", "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGV="),
                     ERR_INVALID);
}

static int set_up_all(void **state)
{
    (void)state;
    return rtp_setup();
}

#define FACT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(test_passes_in_order_over_both_wraps),
        FACT(test_conceals_loss_with_the_right_time),
        FACT(test_waits_for_the_missing_only_so_long),
        FACT(test_puts_in_order_what_comes_in_another),
        FACT(test_hears_nothing_twice),
        FACT(test_follows_the_far_ends_clock),
        FACT(test_takes_any_length_of_packet),
        FACT(test_understands_both_laws),
        FACT(test_fills_what_was_not_sent),
        FACT(test_time_goes_on_while_nothing_comes),
        FACT(test_a_stalled_network_costs_no_signal),
        FACT(test_a_sleeper_gets_no_flood),
        FACT(test_other_payloads_take_numbers_not_time),
        FACT(test_a_new_ssrc_is_a_new_stream),
        FACT(test_a_jump_is_a_new_stream),
        FACT(test_a_changed_path_starts_anew),
        FACT(test_refuses_what_is_no_rtp),
        FACT(test_mutations_do_no_harm),
        FACT(test_sends_well_formed_packets),
        FACT(test_reports_what_came),
        FACT(test_learns_from_reports),
        FACT(test_reports_every_few_seconds),
        FACT(test_measures_jitter),
        cmocka_unit_test(test_srtp_goes_through),
        cmocka_unit_test(test_srtp_of_another_key_is_denied),
        cmocka_unit_test(test_srtp_needs_both_keys),
        cmocka_unit_test(test_a_far_end_has_so_many_ssrcs),
        cmocka_unit_test(test_the_same_keys_keep_their_state),
        cmocka_unit_test(test_srtp_works_in_a_child_without_files),
        cmocka_unit_test(test_reads_keys_of_sdp),
    };
    return cmocka_run_group_tests(tests, set_up_all, NULL);
}
