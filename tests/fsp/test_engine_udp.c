/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real T.30 engine on UDP: RTP, T.38, and the switch from one to the other. These calls take as long as on a real
 * line, so they run side by side. */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "tests/fsp/call_pair.h"

#define LOOK_US     2000
#define CALL_MS_MAX 500000
#define ROWS        150
#define MANY        8 /* pages: however late the test is, the call is not over */

static char work[64];

static const char *program(const char *name)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/%s", getenv("FAXD_BUILD"), name);
    return path;
}

static int udp_socket(int family)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    assert_int_equal(family == AF_INET ? bind(fd, (struct sockaddr *)&v4, sizeof v4)
                                       : bind(fd, (struct sockaddr *)&v6, sizeof v6),
                     0);
    return fd;
}

static int port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;

    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    if (address.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&address)->sin_port);
    return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
}

/* What happens to a call. */
enum trick {
    PLAIN,
    STRANGER,    /* a third party sends to both ends all the time */
    NAT,         /* the caller is told a wrong port, and where else media may come from */
    KEYS,        /* SRTP */
    HANGUP,      /* the far end hangs up in mid-page */
    ABORT,       /* ... or the own side gives up */
    LATE_SWITCH, /* T.38 is asked for when a page has been confirmed */
    BAD_PATH     /* an order that is none */
};

struct scenario {
    const char *name;
    const char *path; /* keys of both sides' path */
    const char *job;  /* further keys of both jobs */
    int family;
    int pages;
    enum trick trick;
    const char *switch_to; /* keys of the path after the caller heard a tone; the callee is told later */
    bool caller_first;
};

struct call {
    const struct scenario *scenario;
    struct pair pair;
    char folder[96];
    int64_t switched_at;
    bool switched[2];
    bool tricked;
    bool told[2];
    int stranger;
};

/* Keys of SRTP; what is one side's for sending is the other's for receiving. */
static void add_keys(json_t *path, enum pair_side side)
{
    static const char *const keys[2] = {"WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
                                        "PS1uQCVeeCFCanVycCpFCLMhJkwAcmVjZWl2ZWtl"};
    const char *suite = "AES_CM_128_HMAC_SHA1_80";

    json_object_set_new(path, "srtp",
                        json_pack("{s:{s:s,s:s},s:{s:s,s:s}}", "send", "suite", suite, "key", keys[side], "receive",
                                  "suite", suite, "key", keys[1 - side]));
}

static json_t *path_to(const struct call *call, enum pair_side side, const char *keys)
{
    const struct pair_end *far = &call->pair.ends[1 - side];
    const char *address = call->scenario->family == AF_INET6 ? "::1" : "127.0.0.1";
    json_t *path = json_loads(keys, 0, NULL);

    assert_non_null(path);
    json_object_set_new(path, "address", json_string(address));
    json_object_set_new(path, "port", json_integer(port_of(far->media)));
    json_object_set_new(path, "rtcp_port", json_integer(far->rtcp >= 0 ? port_of(far->rtcp) : 0));
    if (call->scenario->trick == KEYS)
        add_keys(path, side);
    if (call->scenario->trick == NAT && side == PAIR_SENDER) {
        json_object_set_new(path, "port", json_integer(9));
        json_object_set_new(path, "latch", json_pack("[s]", address));
    }
    return path;
}

static void update(json_t *object, const char *json)
{
    json_t *keys = json_loads(json ? json : "{}", 0, NULL);

    assert_non_null(keys);
    json_object_update(object, keys);
    json_decref(keys);
}

static void open_call(struct call *call, const struct scenario *scenario)
{
    char document[192];
    int side;

    memset(call, 0, sizeof *call);
    call->scenario = scenario;
    snprintf(call->folder, sizeof call->folder, "%s/XXXXXX", work);
    assert_non_null(mkdtemp(call->folder));
    snprintf(document, sizeof document, "%s/document.tif", call->folder);
    pair_make_short_document(document, scenario->pages, ROWS);
    pair_init(&call->pair, call->folder, document);
    call->stranger = udp_socket(AF_INET);
    for (side = 0; side < 2; side++) {
        call->pair.ends[side].media = udp_socket(scenario->family);
        call->pair.ends[side].rtcp = udp_socket(scenario->family);
    }
    for (side = 0; side < 2; side++) {
        json_t *job = call->pair.ends[side].job;

        update(job, "{\"carrier\":\"udp\",\"media\":\"datagram\"}");
        update(job, scenario->job);
        json_object_set_new(job, "path", path_to(call, (enum pair_side)side, scenario->path));
    }
}

static void start_call(struct call *call, struct engine *engine)
{
    pair_start_side(&call->pair, PAIR_RECEIVER, engine);
    pair_start_side(&call->pair, PAIR_SENDER, engine);
}

static void command_path(struct call *call, enum pair_side side, const char *keys)
{
    json_t *path = path_to(call, side, keys);

    json_object_set_new(path, "command", json_string("path"));
    assert_int_equal(engine_command(call->pair.ends[side].call, path), 0);
    json_decref(path);
}

/* An engine that has just ended is no reader. */
static void command(struct pair_end *end, const char *json)
{
    json_t *order = json_loads(json, 0, NULL);
    int error = engine_command(end->call, order);

    assert_true(error == 0 || error == ERR_CLOSED);
    json_decref(order);
}

#define HANG_UP "{\"command\":\"hangup\"}"

/* As call control does: a re-INVITE once the caller heard a fax machine; its answer reaches one side later. */
static void follow_switch(struct call *call)
{
    enum pair_side first = call->scenario->caller_first ? PAIR_SENDER : PAIR_RECEIVER;

    if (!call->scenario->switch_to)
        return;
    if (!call->switched[first] && call->pair.ends[PAIR_SENDER].tones[0]) {
        command_path(call, first, call->scenario->switch_to);
        call->switched[first] = true;
        call->switched_at = clock_mono_ms();
    }
    if (call->switched[first] && !call->switched[1 - first] && clock_mono_ms() >= call->switched_at + 100) {
        command_path(call, (enum pair_side)(1 - first), call->scenario->switch_to);
        call->switched[1 - first] = true;
    }
}

static bool has_ended(const struct pair_end *end)
{
    return end->record || end->gone;
}

/* Whoever ends tells the other by BYE. */
static void pass_on_end(struct call *call)
{
    int side;

    for (side = 0; side < 2; side++)
        if (has_ended(&call->pair.ends[side]) && !call->told[1 - side]) {
            call->told[1 - side] = true;
            command(&call->pair.ends[1 - side], HANG_UP);
        }
}

/* A datagram from a third address: UDPTL as it could be, or RTP. */
static void send_as_stranger(struct call *call)
{
    static const uint8_t udptl[] = {0, 1, 1, 2, 0, 0};
    static const uint8_t rtp[172] = {0x80, 0, 0, 1};
    bool t38 = strstr(call->scenario->path, "t38") != NULL;
    int side;

    for (side = 0; side < 2; side++) {
        struct sockaddr_in to = {.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                 .sin_port = htons((uint16_t)port_of(call->pair.ends[side].media))};

        sendto(call->stranger, t38 ? udptl : rtp, t38 ? sizeof udptl : sizeof rtp, 0, (struct sockaddr *)&to,
               sizeof to);
    }
}

static void play_trick(struct call *call)
{
    struct pair_end *sender = &call->pair.ends[PAIR_SENDER], *receiver = &call->pair.ends[PAIR_RECEIVER];
    enum trick trick = call->scenario->trick;

    if (trick == STRANGER)
        send_as_stranger(call);
    if (call->tricked || has_ended(sender) || has_ended(receiver))
        return;
    if ((trick == HANGUP || trick == ABORT) && strstr(receiver->phases, "receiving")) {
        call->tricked = true;
        command(receiver, trick == HANGUP ? HANG_UP : "{\"command\":\"abort\"}");
    } else if (trick == LATE_SWITCH && sender->pages > 0) {
        call->tricked = true;
        command_path(call, PAIR_SENDER, "{\"mode\":\"t38\"}");
    } else if (trick == BAD_PATH && sender->tones[0]) {
        call->tricked = true;
        command(sender, "{\"command\":\"path\",\"mode\":\"t38\",\"address\":\"nowhere\"}");
    }
}

static bool look(struct call *call)
{
    int side;

    for (side = 0; side < 2; side++)
        if (!has_ended(&call->pair.ends[side]))
            pair_peek(&call->pair.ends[side]);
    follow_switch(call);
    play_trick(call);
    pass_on_end(call);
    return has_ended(&call->pair.ends[0]) && has_ended(&call->pair.ends[1]);
}

static void run_calls(struct call *calls, int count)
{
    int64_t until = clock_mono_ms() + CALL_MS_MAX;
    int i, running;

    do {
        running = 0;
        for (i = 0; i < count; i++)
            running += look(&calls[i]) ? 0 : 1;
        usleep(LOOK_US);
        assert_true(clock_mono_ms() < until);
    } while (running > 0);
    for (i = 0; i < count; i++)
        pair_finish(&calls[i].pair);
}

static void close_call(struct call *call)
{
    int side;

    for (side = 0; side < 2; side++) {
        close(call->pair.ends[side].media);
        close(call->pair.ends[side].rtcp);
    }
    close(call->stranger);
    unlink(call->pair.document);
    pair_clear(&call->pair);
    assert_int_equal(rmdir(call->folder), 0);
}

static void print_records(const struct call *call)
{
    int side;

    print_message("%s: sender %s, receiver %s\n", call->scenario->name, pair_text(&call->pair.ends[0], "outcome"),
                  pair_text(&call->pair.ends[1], "outcome"));
    for (side = 0; side < 2; side++) {
        char *text = json_dumps(call->pair.ends[side].record, JSON_INDENT(1));

        print_message("%s\n", text ? text : "no record");
        free(text);
    }
}

static void check_delivered(const struct call *call)
{
    const struct pair_end *sender = &call->pair.ends[PAIR_SENDER], *receiver = &call->pair.ends[PAIR_RECEIVER];
    int pages = call->scenario->pages;

    if (strcmp(pair_text(sender, "outcome"), "success") != 0 || strcmp(pair_text(receiver, "outcome"), "success") != 0)
        print_records(call);
    assert_string_equal(pair_text(sender, "outcome"), "success");
    assert_string_equal(pair_text(receiver, "outcome"), "success");
    assert_int_equal(pair_number(sender, "pages_confirmed"), pages);
    assert_int_equal(pair_number(receiver, "pages_received"), pages);
    assert_true(sender->journal.final_confirmed && receiver->journal.receive_complete);
    assert_true(sender->journal.closed && receiver->journal.closed);
    assert_true(sender->trained && receiver->trained);
    if (strstr(call->scenario->path, "rtp")) {
        assert_non_null(strstr(sender->tones, "ced"));
        assert_string_equal(receiver->tones, "cng ");
    } else {
        assert_string_equal(sender->tones, "");
    }
    assert_int_equal(pair_same_pages(call->pair.received, call->pair.document), pages);
}

#define T38  "{\"mode\":\"t38\"}"
#define PCMU "{\"mode\":\"rtp\",\"codec\":\"PCMU\"}"
#define PCMA "{\"mode\":\"rtp\",\"codec\":\"PCMA\",\"payload\":8}"

static const struct scenario ways[] = {
    {.name = "T.38", .path = T38, .family = AF_INET, .pages = 1},
    {.name = "T.38 without ECM", .path = T38, .job = "{\"ecm\":false}", .family = AF_INET, .pages = 2},
    {.name = "T.38 version 3 over IPv6",
     .path = "{\"mode\":\"t38\",\"version\":3,\"ec\":\"fec\"}",
     .family = AF_INET6,
     .pages = 1},
    {.name = "T.38 at 9600",
     .path = "{\"mode\":\"t38\",\"version\":1,\"max_bit_rate\":9600,\"ec\":\"none\"}",
     .family = AF_INET,
     .pages = 1},
    {.name = "T.38 with local TCF",
     .path = "{\"mode\":\"t38\",\"rate_management\":\"localTCF\"}",
     .family = AF_INET,
     .pages = 1},
    {.name = "PCMU", .path = PCMU, .family = AF_INET, .pages = 1},
    {.name = "PCMA over IPv6, without ECM", .path = PCMA, .job = "{\"ecm\":false}", .family = AF_INET6, .pages = 1},
    {.name = "PCMU to T.38, the called side first", .path = PCMU, .family = AF_INET, .pages = 1, .switch_to = T38},
    {.name = "PCMA to T.38, the calling side first",
     .path = PCMA,
     .family = AF_INET,
     .pages = 1,
     .switch_to = "{\"mode\":\"t38\",\"version\":2}",
     .caller_first = true},
    {.name = "SRTP", .path = PCMU, .family = AF_INET, .pages = 1, .trick = KEYS},
    {.name = "SRTP to T.38", .path = PCMA, .family = AF_INET, .pages = 1, .trick = KEYS, .switch_to = T38},
    {.name = "T.38 among strangers", .path = T38, .family = AF_INET, .pages = 1, .trick = STRANGER},
    {.name = "PCMU among strangers", .path = PCMU, .family = AF_INET, .pages = 1, .trick = STRANGER},
    {.name = "T.38 through NAT", .path = T38, .family = AF_INET, .pages = 1, .trick = NAT},
    {.name = "PCMA through NAT", .path = PCMA, .family = AF_INET, .pages = 1, .trick = NAT},
};
#define WAYS ((int)(sizeof ways / sizeof *ways))

static void check_packets(const struct call *call, bool refused)
{
    int side;

    for (side = 0; side < 2; side++) {
        const json_t *loss = json_object_get(call->pair.ends[side].record, "packet_loss");
        json_int_t strangers = json_integer_value(json_object_get(loss, "refused"));

        assert_true(json_integer_value(json_object_get(loss, "expected")) > 30);
        assert_true(refused ? strangers > 100 : strangers == 0);
    }
}

static void every_way_is_bit_exact(void **state)
{
    struct engine *engine;
    struct call calls[WAYS];
    int i;

    (void)state;
    assert_int_equal(engine_open(&engine, program("faxd-t30"), 1), 0);
    for (i = 0; i < WAYS; i++) {
        open_call(&calls[i], &ways[i]);
        start_call(&calls[i], engine);
    }
    run_calls(calls, WAYS);
    for (i = 0; i < WAYS; i++) {
        bool t38 = ways[i].switch_to || strstr(ways[i].path, "t38");

        check_delivered(&calls[i]);
        assert_string_equal(pair_text(&calls[i].pair.ends[0], "mode"), t38 ? "t38" : "audio");
        check_packets(&calls[i], ways[i].trick == STRANGER);
        close_call(&calls[i]);
    }
    engine_close(engine);
}

/* Calls that do not come to their end. */
static const struct scenario ends[] = {
    {.name = "T.38, the far end hangs up", .path = T38, .family = AF_INET, .pages = MANY, .trick = HANGUP},
    {.name = "PCMU, the far end hangs up", .path = PCMU, .family = AF_INET, .pages = MANY, .trick = HANGUP},
    {.name = "T.38, aborted", .path = T38, .family = AF_INET, .pages = MANY, .trick = ABORT},
    {.name = "PCMU, aborted", .path = PCMU, .family = AF_INET, .pages = MANY, .trick = ABORT},
    {.name = "a switch after a page", .path = PCMU, .family = AF_INET, .pages = MANY, .trick = LATE_SWITCH},
    {.name = "a path that is none", .path = PCMU, .family = AF_INET, .pages = 1, .trick = BAD_PATH},
};
#define ENDS ((int)(sizeof ends / sizeof *ends))

/* Of the receiver, then of the sender. */
static const char *const end_outcomes[ENDS][2] = {
    {"disconnected", "disconnected"}, {"disconnected", "disconnected"},         {"aborted", "disconnected"},
    {"aborted", "disconnected"},      {"receive_incomplete", "protocol_error"}, {"disconnected", "internal"}};

static void every_other_end_has_its_word(void **state)
{
    struct engine *engine;
    struct call calls[ENDS];
    int i;

    (void)state;
    assert_int_equal(engine_open(&engine, program("faxd-t30"), 4), 0);
    for (i = 0; i < ENDS; i++) {
        open_call(&calls[i], &ends[i]);
        start_call(&calls[i], engine);
    }
    run_calls(calls, ENDS);
    for (i = 0; i < ENDS; i++) {
        if (strcmp(pair_text(&calls[i].pair.ends[PAIR_RECEIVER], "outcome"), end_outcomes[i][0]) != 0 ||
            strcmp(pair_text(&calls[i].pair.ends[PAIR_SENDER], "outcome"), end_outcomes[i][1]) != 0)
            print_records(&calls[i]);
        assert_true(calls[i].tricked);
        assert_string_equal(pair_text(&calls[i].pair.ends[PAIR_RECEIVER], "outcome"), end_outcomes[i][0]);
        assert_string_equal(pair_text(&calls[i].pair.ends[PAIR_SENDER], "outcome"), end_outcomes[i][1]);
        close_call(&calls[i]);
    }
    engine_close(engine);
}

/* ---- a far end of the test's own ---- */

/* T.30 frames of all kinds, from the address octet; the far end puts them in any order and spoils some. */
static const struct {
    uint8_t size;
    uint8_t octets[12];
} frames[] = {
    {8, {0xFF, 0x13, 0x80, 0x00, 0xEE, 0xF8, 0xC4, 0x00}},  /* DIS */
    {8, {0xFF, 0x13, 0x83, 0x00, 0xC6, 0xF0, 0xC4, 0x00}},  /* DCS, ECM at 9600 */
    {7, {0xFF, 0x13, 0x83, 0x00, 0x86, 0xF0, 0x00}},        /* DCS without ECM */
    {6, {0xFF, 0x03, 0x42, 0x20, 0x20, 0x20}},              /* TSI */
    {3, {0xFF, 0x13, 0x84}},                                /* CFR */
    {3, {0xFF, 0x13, 0x44}},                                /* FTT */
    {3, {0xFF, 0x13, 0x8C}},                                /* MCF */
    {3, {0xFF, 0x13, 0x4C}},                                /* RTN */
    {3, {0xFF, 0x13, 0x2F}},                                /* EOP */
    {3, {0xFF, 0x13, 0x4F}},                                /* MPS */
    {3, {0xFF, 0x13, 0x8F}},                                /* EOM */
    {7, {0xFF, 0x13, 0xBF, 0x2F, 0x00, 0x00, 0x01}},        /* PPS-EOP */
    {3, {0xFF, 0x13, 0xEC}},                                /* RNR */
    {3, {0xFF, 0x13, 0x6F}},                                /* RR */
    {12, {0xFF, 0x03, 0x06, 0x00, 1, 2, 3, 4, 5, 6, 7, 8}}, /* FCD */
    {3, {0xFF, 0x03, 0x86}},                                /* RCP */
    {5, {0xFF, 0x13, 0x12, 0xC0, 0x00}},                    /* CTC */
    {4, {0xFF, 0x13, 0xCE, 0x2F}},                          /* EOR-EOP */
    {3, {0xFF, 0x13, 0x1A}},                                /* CRP */
};

struct stranger {
    int fd;
    struct sockaddr_in to;
    unsigned seed;
    uint16_t sequence;
    int version;
    unsigned calm; /* how seldom something is spoilt */
};

static unsigned draw(struct stranger *stranger, unsigned below)
{
    stranger->seed = stranger->seed * 1103515245u + 12345u;
    return (stranger->seed >> 16) % below;
}

static uint8_t mirrored(uint8_t octet)
{
    uint8_t mirror = 0;
    int i;

    for (i = 0; i < 8; i++)
        mirror |= (uint8_t)((octet >> i & 1) << (7 - i));
    return mirror;
}

/* Frame and end of frame in one IFP packet, as T.38 7.3 has it; version 0 packs its fields otherwise. */
static size_t make_frame(struct stranger *stranger, uint8_t *ifp)
{
    static const uint8_t closes[] = {2, 4, 2, 4, 3, 5, 1};
    unsigned index = draw(stranger, sizeof frames / sizeof *frames), size = frames[index].size, i;
    unsigned type = draw(stranger, 4) == 0 ? draw(stranger, 9) : 0;
    unsigned shift = stranger->version == 0 ? 4 : 3;
    uint8_t octet;

    ifp[0] = (uint8_t)(0xC0 | type << 1);
    ifp[1] = 2;
    ifp[2] = 0x80;
    ifp[3] = 0;
    ifp[4] = (uint8_t)(size - 1);
    for (i = 0; i < size; i++) {
        octet = frames[index].octets[i];
        if (i > 2 && index > 2 && index != 16 && draw(stranger, 12 * stranger->calm) == 0)
            octet = (uint8_t)draw(stranger, 256);
        ifp[5 + i] = mirrored(octet);
    }
    ifp[5 + size] = (uint8_t)(closes[draw(stranger, sizeof closes)] << shift);
    return 6 + size;
}

static size_t make_image(struct stranger *stranger, uint8_t *ifp)
{
    unsigned size = 1 + draw(stranger, 60), shift = stranger->version == 0 ? 4 : 3, i;

    ifp[0] = (uint8_t)(0xC0 | draw(stranger, 9) << 1);
    ifp[1] = 1;
    ifp[2] = (uint8_t)(0x80 | (draw(stranger, 6) == 0 ? 7 : 6) << shift);
    ifp[3] = 0;
    ifp[4] = (uint8_t)(size - 1);
    for (i = 0; i < size; i++)
        ifp[5 + i] = draw(stranger, 3) == 0 ? (uint8_t)draw(stranger, 256) : 0;
    return 5 + size;
}

static size_t make_ifp(struct stranger *stranger, uint8_t *ifp)
{
    unsigned kind = draw(stranger, 10), spoilt;
    size_t size;

    if (kind < 3) {
        ifp[0] = (uint8_t)(draw(stranger, 16) << 1);
        size = 1;
    } else if (kind < 8) {
        size = make_frame(stranger, ifp);
    } else {
        size = make_image(stranger, ifp);
    }
    for (spoilt = draw(stranger, 5 * stranger->calm) == 0 ? 1 + draw(stranger, 4) : 0; spoilt > 0; spoilt--)
        ifp[draw(stranger, (unsigned)size)] ^= (uint8_t)(1u << draw(stranger, 8));
    return size;
}

/* A datagram of UDPTL without repeats; one in twenty is cut or longer than it says. */
static void speak(struct stranger *stranger)
{
    uint8_t octets[256] = {0};
    size_t size = make_ifp(stranger, octets + 3);

    octets[0] = (uint8_t)(stranger->sequence >> 8);
    octets[1] = (uint8_t)stranger->sequence;
    octets[2] = (uint8_t)size;
    octets[3 + size] = 0;
    octets[4 + size] = 0;
    size += 5;
    if (draw(stranger, 20) == 0)
        size = draw(stranger, (unsigned)size + 20);
    stranger->sequence = (uint16_t)(stranger->sequence + 1 + (draw(stranger, 50) == 0 ? draw(stranger, 20) : 0));
    sendto(stranger->fd, octets, size, 0, (struct sockaddr *)&stranger->to, sizeof stranger->to);
}

static int drain(int fd)
{
    uint8_t octets[2048];
    int count = 0;

    while (recv(fd, octets, sizeof octets, 0) > 0)
        count++;
    return count;
}

static void open_stranger(struct stranger *stranger, struct call *call, enum pair_side side, unsigned seed)
{
    int family = AF_INET;

    memset(stranger, 0, sizeof *stranger);
    assert_int_equal(call->scenario->family, family);
    stranger->fd = call->pair.ends[1 - side].media;
    stranger->seed = seed;
    stranger->version = strstr(call->scenario->path, "\"version\":1") ? 1 : 0;
    stranger->calm = 1 + seed % 3 * 20;
    stranger->to = (struct sockaddr_in){.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                        .sin_port = htons((uint16_t)port_of(call->pair.ends[side].media))};
}

/* How often a process had to be woken, by the kernel's count. */
static long wakes_of(int pid)
{
    char path[64], line[128];
    long wakes = -1;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    if (!(file = fopen(path, "r")))
        return -1;
    while (fgets(line, sizeof line, file))
        sscanf(line, "voluntary_ctxt_switches: %ld", &wakes);
    fclose(file);
    return wakes;
}

static void check_orders(struct engine_call *call)
{
    char long_text[ENGINE_COMMAND_MAX + 1];
    json_t *order;

    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    order = json_pack("{s:s}", "command", long_text);
    assert_int_equal(engine_command(call, order), ERR_TOO_BIG);
    json_object_set_new(order, "command", json_string("dance"));
    assert_int_equal(engine_command(call, order), 0); /* unknown ones are ignored */
    json_decref(order);
}

/* An answerer on T.38 whose caller says nothing: CED, DIS again and again, and silence between. One on RTP gives up. */
static bool is_receiving(const struct call *call)
{
    return strstr(call->pair.ends[PAIR_RECEIVER].phases, "receiving") != NULL;
}

static long long standstill_of(const struct pair_end *end)
{
    return json_integer_value(json_object_get(json_object_get(end->record, "packet_loss"), "standstill_ms"));
}

static void an_end_that_stood_still_says_so(void **state)
{
    static const struct scenario stopped[] = {
        {.name = "T.38", .path = T38, .family = AF_INET, .pages = MANY},
        {.name = "PCMU", .path = PCMU, .family = AF_INET, .pages = MANY},
    };
    int64_t until = clock_mono_ms() + CALL_MS_MAX;
    struct engine *engine;
    struct call calls[2];
    int i, pid;

    (void)state;
    assert_int_equal(engine_open(&engine, program("faxd-t30"), 4), 0);
    for (i = 0; i < 2; i++) {
        open_call(&calls[i], &stopped[i]);
        start_call(&calls[i], engine);
    }
    while (!is_receiving(&calls[0]) || !is_receiving(&calls[1])) {
        look(&calls[0]);
        look(&calls[1]);
        usleep(LOOK_US);
        assert_true(clock_mono_ms() < until);
    }
    pid = pair_child_of(pair_child_of(getpid()));
    assert_int_equal(kill(pid, SIGSTOP), 0);
    usleep(1500000);
    assert_int_equal(kill(pid, SIGCONT), 0);
    usleep(500000);
    for (i = 0; i < 2; i++)
        command(&calls[i].pair.ends[PAIR_RECEIVER], HANG_UP);
    run_calls(calls, 2);
    for (i = 0; i < 2; i++) {
        print_message("%s: %lld and %lld ms\n", stopped[i].name, standstill_of(&calls[i].pair.ends[PAIR_SENDER]),
                      standstill_of(&calls[i].pair.ends[PAIR_RECEIVER]));
        assert_true(standstill_of(&calls[i].pair.ends[PAIR_SENDER]) > 1000);
        assert_true(i == 0 ||
                    standstill_of(&calls[i].pair.ends[PAIR_RECEIVER]) > 1000); /* of T.38 it has nothing due */
        close_call(&calls[i]);
    }
    engine_close(engine);
}

static void an_engine_wakes_for_its_packets_only(void **state)
{
    static const struct scenario silent = {.name = "silent", .path = T38, .family = AF_INET, .pages = 1};
    static const struct scenario mute = {.name = "mute", .path = PCMU, .family = AF_INET, .pages = 1};
    struct engine *engine;
    struct call call, audio;
    struct pair_end *end;
    int64_t until = clock_mono_ms() + 15000;
    int packets = 0, pid;
    long wakes;

    (void)state;
    assert_int_equal(engine_open(&engine, program("faxd-t30"), 1), 0);
    open_call(&call, &silent);
    open_call(&audio, &mute);
    pair_start_side(&audio.pair, PAIR_RECEIVER, engine);
    pair_start_side(&call.pair, PAIR_RECEIVER, engine);
    end = &call.pair.ends[PAIR_RECEIVER];
    while (clock_mono_ms() < until) {
        packets += drain(call.pair.ends[PAIR_SENDER].media);
        usleep(20000);
    }
    pid = pair_child_of(pair_child_of(getpid()));
    wakes = wakes_of(pid);
    packets += drain(call.pair.ends[PAIR_SENDER].media);
    print_message("%ld wakes, %d packets\n", wakes, packets);
    assert_in_range(packets, 20, 2000);
    assert_in_range(wakes, 1, packets + 25); /* and for timers, and at the start */
    check_orders(end->call);
    engine_abort(end->call);
    pair_follow(end, 20000, NULL);
    assert_string_equal(pair_text(end, "outcome"), "aborted");
    pair_follow(&audio.pair.ends[PAIR_RECEIVER], 20000, NULL);
    assert_string_equal(pair_text(&audio.pair.ends[PAIR_RECEIVER], "outcome"), "media_timeout");
    close_call(&audio);
    close_call(&call);
    engine_close(engine);
}

/* The longest step of the timestamps in `packets` of RTP from `fd`; `*last` is that before the first of them, and then
 * the last one's. */
static uint32_t longest_step(int fd, int packets, uint32_t *last)
{
    uint32_t timestamp, step = 0;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    uint8_t octets[2048];

    for (int i = 0; i < packets; i++) {
        assert_int_equal(poll(&ready, 1, 20000), 1);
        assert_true(recv(fd, octets, sizeof octets, 0) >= 12);
        timestamp = (uint32_t)octets[4] << 24 | (uint32_t)octets[5] << 16 | (uint32_t)octets[6] << 8 | octets[7];
        if (timestamp - *last > step)
            step = timestamp - *last;
        *last = timestamp;
    }
    return step;
}

static void a_hushed_end_leaves_out_half_a_second(void **state)
{
    static const struct scenario mute = {.name = "hushed", .path = PCMU, .family = AF_INET, .pages = 1};
    struct engine *engine;
    struct call call;
    struct pair_end *end;
    json_t *order = json_pack("{s:s}", "command", "hush");
    uint32_t last = 0;
    int fd;

    (void)state;
    assert_int_equal(engine_open(&engine, program("faxd-t30"), 1), 0);
    open_call(&call, &mute);
    pair_start_side(&call.pair, PAIR_RECEIVER, engine);
    end = &call.pair.ends[PAIR_RECEIVER];
    fd = call.pair.ends[PAIR_SENDER].media;
    longest_step(fd, 3, &last); /* it speaks */
    assert_int_equal(engine_command(end->call, order), 0);
    assert_in_range(longest_step(fd, 40, &last), 24 * 160, 100 * 160);
    engine_abort(end->call);
    pair_follow(end, 20000, NULL);
    close_call(&call);
    engine_close(engine);
    json_decref(order);
}

#define STRANGERS        12
#define STRANGER_PACKETS 10000

/* Anything at all from the right address: each engine stays in order, whatever becomes of its call, and the calls of
 * others go on. */
static void no_packet_harms_an_engine(void **state)
{
    static const struct scenario hostile[] = {
        {.name = "hostile, version 0", .path = T38, .family = AF_INET, .pages = 1},
        {.name = "hostile, version 1", .path = "{\"mode\":\"t38\",\"version\":1}", .family = AF_INET, .pages = 1}};
    struct stranger strangers[STRANGERS];
    struct call calls[STRANGERS], honest;
    struct engine *engine;
    int i, packet, spawner;

    (void)state;
    assert_int_equal(engine_open(&engine, program("faxd-t30"), 1), 0);
    spawner = pair_child_of(getpid());
    open_call(&honest, &ways[0]);
    start_call(&honest, engine);
    for (i = 0; i < STRANGERS; i++) {
        open_call(&calls[i], &hostile[i / 2 % 2]);
        open_stranger(&strangers[i], &calls[i], (enum pair_side)(i % 2), (unsigned)i);
        pair_start_side(&calls[i].pair, (enum pair_side)(i % 2), engine);
    }
    for (packet = 0; packet < STRANGER_PACKETS; packet++) {
        for (i = 0; i < STRANGERS; i++) {
            speak(&strangers[i]);
            if (packet % 50 == 0)
                drain(strangers[i].fd);
        }
        if (packet % 50 == 0)
            look(&honest);
        usleep(1000);
    }
    for (i = 0; i < STRANGERS; i++) {
        struct pair_end *end = &calls[i].pair.ends[i % 2];

        engine_abort(end->call);
        pair_follow(end, 20000, NULL);
        assert_false(end->gone);
        assert_string_not_equal(pair_text(end, "outcome"), "success");
        assert_string_not_equal(pair_text(end, "outcome"), "internal");
        close_call(&calls[i]);
    }
    run_calls(&honest, 1);
    check_delivered(&honest);
    close_call(&honest);
    assert_int_equal(pair_child_of(getpid()), spawner);
    engine_close(engine);
}

static int set_up(void **state)
{
    (void)state;
    log_open("test_engine_udp", LOG_LEVEL_INFO);
    snprintf(work, sizeof work, "/tmp/faxd-test-engine-udp-XXXXXX");
    return mkdtemp(work) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_is_bit_exact),
        cmocka_unit_test(every_other_end_has_its_word),
        cmocka_unit_test(an_end_that_stood_still_says_so),
        cmocka_unit_test(an_engine_wakes_for_its_packets_only),
        cmocka_unit_test(a_hushed_end_leaves_out_half_a_second),
        cmocka_unit_test(no_packet_harms_an_engine),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
