/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real T.30 engine on UDP: RTP, T.38, and the switch from one to the other. These calls take as long as on a real
 * line, so they run side by side. */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
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
#define CALL_MS_MAX 150000
#define ROWS        150

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

/* What a test does with a call, beyond letting it run. */
struct scenario {
    const char *name;
    const char *path; /* keys of both sides' path */
    const char *job;  /* further keys of both jobs */
    int family;
    int pages;
    const char *switch_to; /* keys of the path after the caller heard a tone; the callee is told later */
    bool caller_first;
};

struct call {
    const struct scenario *scenario;
    struct pair pair;
    char folder[96];
    int64_t switched_at;
    bool switched[2];
};

static json_t *path_to(const struct call *call, enum pair_side side, const char *keys)
{
    const struct pair_end *far = &call->pair.ends[1 - side];
    const char *address = call->scenario->family == AF_INET6 ? "::1" : "127.0.0.1";
    json_t *path = json_loads(keys, 0, NULL);

    assert_non_null(path);
    json_object_set_new(path, "address", json_string(address));
    json_object_set_new(path, "port", json_integer(port_of(far->media)));
    json_object_set_new(path, "rtcp_port", json_integer(far->rtcp >= 0 ? port_of(far->rtcp) : 0));
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
    pair_start_udp(&call->pair, PAIR_RECEIVER, engine);
    pair_start_udp(&call->pair, PAIR_SENDER, engine);
}

static void command_path(struct call *call, enum pair_side side, const char *keys)
{
    json_t *path = path_to(call, side, keys);

    json_object_set_new(path, "command", json_string("path"));
    assert_int_equal(engine_command(call->pair.ends[side].call, path), 0);
    json_decref(path);
}

static void command(struct pair_end *end, const char *word)
{
    json_t *order = json_pack("{s:s}", "command", word);

    assert_int_equal(engine_command(end->call, order), 0);
    json_decref(order);
}

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
        if (has_ended(&call->pair.ends[side]) && !has_ended(&call->pair.ends[1 - side]))
            command(&call->pair.ends[1 - side], "hangup");
}

static bool look(struct call *call)
{
    int side;

    for (side = 0; side < 2; side++)
        if (!has_ended(&call->pair.ends[side]))
            pair_peek(&call->pair.ends[side]);
    follow_switch(call);
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
};
#define WAYS ((int)(sizeof ways / sizeof *ways))

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
        close_call(&calls[i]);
    }
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
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
