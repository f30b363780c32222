/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "tests/fsp/modem_pair.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "server/base/err.h"

#define ALL_RATES   "[24,48,72,96,73,74,97,98,121,122,145,146]"
#define PATIENCE_MS 300000
#define CALL_MS     300000
#define EMPTY_MAX   200
#define EMPTY_MS    20

void modem_pair_say(int fd, const char *text)
{
    assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

void modem_pair_await(int fd, const char *wanted)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char line[128] = "", octet;
    size_t used = 0;
    int empty = 0;

    for (;;) {
        ssize_t got;

        assert(poll(&ready, 1, PATIENCE_MS) == 1);
        got = read(fd, &octet, 1);
        if (got != 1) { /* nothing yet after all; but if the device is gone, poll says so for ever */
            if (++empty > EMPTY_MAX)
                fprintf(stderr, "%s did not come: %s\n", wanted, got < 0 ? strerror(errno) : "end of file");
            assert(empty <= EMPTY_MAX);
            poll(NULL, 0, EMPTY_MS);
            continue;
        }
        if (octet != '\n' && octet != '\r' && used + 1 < sizeof line) {
            line[used++] = octet;
            line[used] = '\0';
        } else if (octet == '\n') {
            if (strncmp(line, wanted, strlen(wanted)) == 0)
                return;
            used = 0;
            line[0] = '\0';
        }
    }
}

int modem_pair_open(const char *link)
{
    struct termios settings;
    int fd = open(link, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    assert(fd >= 0);
    assert(tcgetattr(fd, &settings) == 0);
    cfmakeraw(&settings);
    assert(tcsetattr(fd, TCSANOW, &settings) == 0);
    modem_pair_say(fd, "ATE0\r");
    modem_pair_await(fd, "OK");
    modem_pair_say(fd, "AT+FCLASS=1\r");
    modem_pair_await(fd, "OK");
    return fd;
}

void modem_pair_use(struct modem_pair *modems, enum pair_side side, int fd)
{
    struct pair_end *end = &modems->pair.ends[side];
    json_t *modem = json_pack("{s:o,s:o,s:s,s:b}", "transmit", json_loads(ALL_RATES, 0, NULL), "receive",
                              json_loads(ALL_RATES, 0, NULL), "flow", "hardware", "realtime", modems->realtime);

    end->media = fd;
    json_object_set_new(end->job, "carrier", json_string("modem"));
    json_object_set_new(end->job, "media", json_string("serial"));
    json_object_set_new(end->job, "modem", modem);
}

void modem_pair_start(struct modem_pair *modems, enum pair_side side)
{
    pair_start_side(&modems->pair, side, modems->engine);
    close(modems->pair.ends[side].media);
}

/* A stream machine on the bench, its engine started. */
static void start_stream(struct modem_pair *modems, enum pair_side side, int answer_ms)
{
    struct pair_end *end = &modems->pair.ends[side];
    int media[2];

    assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, media) == 0);
    assert(modem_bench_add_stream(modems->bench, modems->numbers[side], media[1], answer_ms) == 0);
    end->media = media[0];
    json_object_set_new(end->job, "audio", json_pack("{s:i,s:i}", "pace", 0, "chunk_ms", 20));
    modem_pair_start(modems, side);
}

static void answer(struct modem_pair *modems)
{
    int fd = modems->pair.ends[PAIR_RECEIVER].media;

    modem_pair_await(fd, "RING");
    modem_pair_say(fd, "ATA\r");
    modem_pair_await(fd, "CONNECT");
    modem_pair_start(modems, PAIR_RECEIVER);
}

static void dial(struct modem_pair *modems)
{
    char text[32];

    snprintf(text, sizeof text, "ATDT%s\r", modems->numbers[PAIR_RECEIVER]);
    modem_pair_say(modems->pair.ends[PAIR_SENDER].media, text);
}

static void hear_answer(struct modem_pair *modems)
{
    modem_pair_await(modems->pair.ends[PAIR_SENDER].media, "CONNECT");
    modem_pair_start(modems, PAIR_SENDER);
}

static void call(struct modem_pair *modems)
{
    switch (modems->ends) {
    case MODEM_TO_MODEM:
        dial(modems);
        answer(modems);
        hear_answer(modems);
        break;
    case MODEM_TO_STREAM:
        start_stream(modems, PAIR_RECEIVER, 500);
        dial(modems);
        hear_answer(modems);
        break;
    case STREAM_TO_MODEM:
        start_stream(modems, PAIR_SENDER, 0);
        assert(modem_bench_call(modems->bench, modems->numbers[PAIR_SENDER], modems->numbers[PAIR_RECEIVER]) == 0);
        answer(modems);
        break;
    }
}

/* The end of the engine, which follows the record, is that of its hold on the modem, too. */
void modem_pair_follow(struct modem_pair *modems, enum pair_side side)
{
    struct pair_end *end = &modems->pair.ends[side];
    json_t *event;

    pair_follow(end, CALL_MS, NULL);
    if (!end->gone)
        assert(engine_wait(end->call, &event, PATIENCE_MS) == ERR_CLOSED);
    assert(journal_read(&end->journal, end->journal_path) == 0);
}

void modem_pair_run(struct modem_pair *modems, void (*connected)(void *context), void *context)
{
    if (modems->ends != STREAM_TO_MODEM)
        modem_pair_use(modems, PAIR_SENDER, modem_pair_open(modems->links[PAIR_SENDER]));
    if (modems->ends != MODEM_TO_STREAM)
        modem_pair_use(modems, PAIR_RECEIVER, modem_pair_open(modems->links[PAIR_RECEIVER]));
    call(modems);
    if (connected)
        connected(context);
    modem_pair_follow(modems, PAIR_SENDER);
    modem_pair_follow(modems, PAIR_RECEIVER);
}

int modem_pair_right_pages(const struct pair *pair)
{
    if (pair_number(&pair->ends[PAIR_RECEIVER], "pages_received") <= 0)
        return 0;
    return pair_same_pages(pair->received, pair->document);
}
