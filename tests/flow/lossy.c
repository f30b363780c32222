/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bad network between two parties' media, for tests: what arrives at one of the two ports of a path leaves from the
 * other towards the party there, if it is not lost, and late, twice or out of order as the path is made.
 *
 *   lossy SEED        ends at the end of its standard input. Commands come from there, a line each, and are answered:
 *   open LOSS JITTER_MS DUPLICATES DRIFT_PPM     "PORT PORT INDEX": a path; LOSS and DUPLICATES of a million packets
 *   far INDEX SIDE PORT                          "ok": the party of that side (0, 1) lives at PORT of 127.0.0.1
 *   cut INDEX                                    "ok": nothing passes any more
 *
 * Each packet has its own delay of 0 to JITTER_MS, so packets overtake one another. DRIFT_PPM is for G.711 alone: the
 * sound of side 0 is played that much faster, as if its clock were, and that of side 1 slower. Each packet with
 * 160 samples is made from the samples around its place in a stream that is read at the other rate. */
#include "config.h"

#include <arpa/inet.h>
#include <math.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATHS_MAX   64
#define WAITING_MAX 8192
#define PACKET_MAX  1500
#define MILLION     1000000
#define RTP_HEADER  12
#define FRAME       160
#define RING        8192 /* samples, a power of two */
#define TAPS        16   /* of the interpolation, on either side */
#define PHASES      1024 /* places between two samples */
#define PORT_LOW    15000
#define PORT_HIGH   19998

/* One direction of a path whose clock drifts. */
struct drift {
    double step; /* samples of the source for one of ours */
    double at;   /* place of our next sample in the source */
    int64_t end; /* samples of the source that are there */
    uint32_t source_timestamp;
    uint16_t sequence;
    uint32_t timestamp;
    bool begun;
    int16_t ring[RING];
};

struct path {
    int sockets[2], spare[2]; /* the spare ones hold the ports for RTCP, which nobody answers */
    struct sockaddr_in far[2];
    uint32_t loss, duplicates;
    int jitter_ms;
    struct drift *drift[2]; /* of what comes from that side */
};

struct waiting {
    int64_t due_ns;
    struct path *path;
    int side; /* to which it goes */
    size_t size;
    uint8_t octets[PACKET_MAX];
};

struct network {
    struct path paths[PATHS_MAX];
    int path_count;
    struct waiting *waiting[WAITING_MAX];
    int waiting_count;
    uint64_t random;
    int next_port;
    float weights[PHASES][2 * TAPS];
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* xorshift64*: 0 up to below `limit`. */
static uint32_t dice(struct network *network, uint32_t limit)
{
    network->random ^= network->random >> 12;
    network->random ^= network->random << 25;
    network->random ^= network->random >> 27;
    return limit ? (uint32_t)((network->random * 0x2545F4914F6CDD1Du) >> 33) % limit : 0;
}

/* ---- G.711, by its tables of segments ---- */

static int16_t ulaw_decode(uint8_t code)
{
    int value = ~code & 0xff;
    int magnitude = (((value & 0x0f) << 3) + 0x84) << ((value & 0x70) >> 4);

    return (int16_t)(value & 0x80 ? 0x84 - magnitude : magnitude - 0x84);
}

static uint8_t ulaw_encode(int sample)
{
    int sign = sample < 0 ? 0x80 : 0, exponent = 7;
    int magnitude = (abs(sample) > 32635 ? 32635 : abs(sample)) + 0x84;

    while (exponent > 0 && !(magnitude & (0x80 << exponent)))
        exponent--;
    return (uint8_t) ~(sign | exponent << 4 | (magnitude >> (exponent + 3) & 0x0f));
}

/* ---- drift ---- */

/* Weights of a windowed sinc, a row for each of PHASES places between two samples. */
static void make_weights(struct network *network)
{
    for (int phase = 0; phase < PHASES; phase++) {
        for (int i = 0; i < 2 * TAPS; i++) {
            double away = (double)phase / PHASES + TAPS - 1 - i;
            double window = 0.5 + 0.5 * cos(M_PI * away / TAPS);
            double sinc = fabs(away) < 1e-9 ? 1 : sin(M_PI * away) / (M_PI * away);

            network->weights[phase][i] = (float)(sinc * window);
        }
    }
}

/* The source's sound at place `at`. */
static int interpolate(const struct network *network, const struct drift *drift, double at)
{
    int64_t first = (int64_t)at - TAPS + 1;
    const float *weights = network->weights[(int)((at - floor(at)) * PHASES)];
    float sum = 0;

    for (int i = 0; i < 2 * TAPS; i++)
        sum += weights[i] * drift->ring[(uint64_t)(first + i) % RING];
    return (int)lrintf(sum);
}

static void take_samples(struct drift *drift, const uint8_t *octets, size_t size)
{
    uint32_t timestamp = (uint32_t)octets[4] << 24 | (uint32_t)octets[5] << 16 | (uint32_t)octets[6] << 8 | octets[7];
    uint32_t gap;

    if (!drift->begun) {
        drift->begun = true;
        drift->at = TAPS;
        drift->end = TAPS;
        drift->source_timestamp = drift->timestamp = timestamp;
        drift->sequence = (uint16_t)(octets[2] << 8 | octets[3]);
    }
    gap = timestamp - drift->source_timestamp;
    for (; gap > 0 && gap < RING / 2; gap--)
        drift->ring[drift->end++ % RING] = 0;
    for (size_t i = RTP_HEADER; i < size; i++)
        drift->ring[drift->end++ % RING] = ulaw_decode(octets[i]);
    drift->source_timestamp = timestamp + (uint32_t)(size - RTP_HEADER);
}

/* The next packet of ours, if the source has sounded far enough. */
static bool make_packet(const struct network *network, struct drift *drift, uint8_t *octets)
{
    if (drift->at + FRAME * drift->step + TAPS + 1 >= (double)drift->end)
        return false;
    octets[2] = (uint8_t)(drift->sequence >> 8);
    octets[3] = (uint8_t)drift->sequence;
    for (int i = 0; i < 4; i++)
        octets[4 + i] = (uint8_t)(drift->timestamp >> (24 - 8 * i));
    for (int i = 0; i < FRAME; i++, drift->at += drift->step)
        octets[RTP_HEADER + i] = ulaw_encode(interpolate(network, drift, drift->at));
    drift->sequence++;
    drift->timestamp += FRAME;
    return true;
}

/* ---- the way of a packet ---- */

static void leave(struct path *path, int side, const uint8_t *octets, size_t size)
{
    if (path->far[side].sin_port)
        (void)sendto(path->sockets[side], octets, size, MSG_DONTWAIT, (struct sockaddr *)&path->far[side],
                     sizeof path->far[side]);
}

static void hold(struct network *network, struct path *path, int side, const uint8_t *octets, size_t size)
{
    int64_t delay_ns = dice(network, (uint32_t)path->jitter_ms * 1000 + 1) * INT64_C(1000);
    struct waiting *waiting;

    if (delay_ns == 0 || network->waiting_count == WAITING_MAX) {
        leave(path, side, octets, size);
        return;
    }
    waiting = malloc(sizeof *waiting);
    if (!waiting)
        abort();
    *waiting = (struct waiting){.due_ns = now_ns() + delay_ns, .path = path, .side = side, .size = size};
    memcpy(waiting->octets, octets, size);
    network->waiting[network->waiting_count++] = waiting;
}

static void pass(struct network *network, struct path *path, int side, const uint8_t *octets, size_t size)
{
    if (dice(network, MILLION) < path->loss)
        return;
    hold(network, path, side, octets, size);
    if (dice(network, MILLION) < path->duplicates)
        hold(network, path, side, octets, size);
}

static void arrive(struct network *network, struct path *path, int from)
{
    uint8_t octets[PACKET_MAX];
    ssize_t size = recv(path->sockets[from], octets, sizeof octets, MSG_DONTWAIT);
    struct drift *drift = path->drift[from];

    if (size <= 0)
        return;
    if (!drift) {
        pass(network, path, 1 - from, octets, (size_t)size);
        return;
    }
    if (size != RTP_HEADER + FRAME)
        return;
    take_samples(drift, octets, (size_t)size);
    while (make_packet(network, drift, octets))
        pass(network, path, 1 - from, octets, (size_t)size);
}

/* Send what is due; nanoseconds until the next, -1 = nothing waits. */
static int64_t release(struct network *network)
{
    int64_t now = now_ns(), next = INT64_MAX;

    for (int i = 0; i < network->waiting_count;) {
        struct waiting *waiting = network->waiting[i];

        if (waiting->due_ns > now) {
            next = waiting->due_ns < next ? waiting->due_ns : next;
            i++;
            continue;
        }
        leave(waiting->path, waiting->side, waiting->octets, waiting->size);
        free(waiting);
        network->waiting[i] = network->waiting[--network->waiting_count];
    }
    return next == INT64_MAX ? -1 : next - now;
}

/* ---- commands ---- */

static int bound(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0), room = 1 << 20;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* A free even port, and the next; the even one, 0 = there is none. */
static int bind_pair(struct network *network, int *fd, int *spare)
{
    for (int tries = 0; tries < (PORT_HIGH - PORT_LOW) / 2; tries++) {
        int port = network->next_port;

        network->next_port = port + 2 > PORT_HIGH ? PORT_LOW : port + 2;
        if ((*fd = bound(port)) < 0)
            continue;
        if ((*spare = bound(port + 1)) >= 0)
            return port;
        close(*fd);
    }
    return 0;
}

static struct drift *new_drift(int ppm)
{
    struct drift *drift = calloc(1, sizeof *drift);

    if (!drift)
        abort();
    drift->step = 1 + ppm / 1e6;
    return drift;
}

static void open_path(struct network *network, const char *arguments)
{
    struct path *path = &network->paths[network->path_count];
    int ppm = 0, ports[2];

    if (network->path_count == PATHS_MAX ||
        sscanf(arguments, "%u %d %u %d", &path->loss, &path->jitter_ms, &path->duplicates, &ppm) != 4)
        abort();
    for (int side = 0; side < 2; side++) {
        ports[side] = bind_pair(network, &path->sockets[side], &path->spare[side]);
        if (ppm)
            path->drift[side] = new_drift(side == 0 ? ppm : -ppm);
    }
    printf("%d %d %d\n", ports[0], ports[1], network->path_count++);
}

static void set_far(struct network *network, const char *arguments)
{
    int index, side, port;
    struct sockaddr_in *far;

    if (sscanf(arguments, "%d %d %d", &index, &side, &port) != 3 || index < 0 || index >= network->path_count ||
        side < 0 || side > 1)
        abort();
    far = &network->paths[index].far[side];
    far->sin_family = AF_INET;
    far->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    far->sin_port = htons((uint16_t)port);
    printf("ok\n");
}

static void cut(struct network *network, const char *arguments)
{
    int index = atoi(arguments);

    if (index < 0 || index >= network->path_count)
        abort();
    network->paths[index].loss = MILLION;
    printf("ok\n");
}

/* False at the end of the input. */
static bool obey(struct network *network)
{
    char line[128];

    if (!fgets(line, sizeof line, stdin))
        return false;
    if (strncmp(line, "open ", 5) == 0)
        open_path(network, line + 5);
    else if (strncmp(line, "far ", 4) == 0)
        set_far(network, line + 4);
    else if (strncmp(line, "cut ", 4) == 0)
        cut(network, line + 4);
    fflush(stdout);
    return true;
}

static void clear(struct network *network)
{
    while (network->waiting_count > 0)
        free(network->waiting[--network->waiting_count]);
    for (int i = 0; i < network->path_count; i++) {
        free(network->paths[i].drift[0]);
        free(network->paths[i].drift[1]);
    }
    free(network);
}

static void run(struct network *network)
{
    struct pollfd ready[1 + 2 * PATHS_MAX];

    for (;;) {
        int64_t wait_ns = release(network);
        struct timespec wait = {.tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000};
        nfds_t count = 1;

        ready[0] = (struct pollfd){.fd = 0, .events = POLLIN};
        for (int i = 0; i < network->path_count; i++)
            for (int side = 0; side < 2; side++)
                ready[count++] = (struct pollfd){.fd = network->paths[i].sockets[side], .events = POLLIN};
        if (ppoll(ready, count, wait_ns < 0 ? NULL : &wait, NULL) <= 0)
            continue;
        for (nfds_t i = 1; i < count; i++)
            if (ready[i].revents)
                arrive(network, &network->paths[(i - 1) / 2], (int)((i - 1) % 2));
        if (ready[0].revents && !obey(network))
            return;
    }
}

int main(int argc, char **argv)
{
    struct network *network = calloc(1, sizeof *network);

    if (!network || argc != 2)
        return 1;
    setvbuf(stdin, NULL, _IONBF, 0); /* poll has to see what is there */
    network->random = strtoull(argv[1], NULL, 10) * 2 + 1;
    network->next_port = PORT_LOW;
    make_weights(network);
    run(network);
    clear(network);
    return 0;
}
