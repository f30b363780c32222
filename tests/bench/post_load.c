/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Submissions as a number of clients make them at the same time: post_load PORT KEY FILE CLIENTS SECONDS
 *
 * Each client keeps one connection, posts the document, waits for the 202, and posts again. Prints accepted faxes a
 * second and the median and 99th percentile of the time to a reply in ms. */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES_MAX 200000

static struct {
    int port;
    char *request;
    size_t size;
    double until;
} load;

struct client {
    pthread_t thread;
    long accepted, failed;
    float *samples;
};

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int dial(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load.port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? fd : -1;
}

/* One reply with a Content-Length, read whole; its status, or -1. */
static int reply(int fd)
{
    char text[16384];
    size_t have = 0;

    for (;;) {
        ssize_t got = read(fd, text + have, sizeof text - 1 - have);
        char *end, *length;

        if (got <= 0)
            return -1;
        have += (size_t)got;
        text[have] = '\0';
        end = strstr(text, "\r\n\r\n");
        length = strcasestr(text, "content-length:");
        if (end != NULL && length != NULL && have >= (size_t)(end + 4 - text) + strtoul(length + 15, NULL, 10))
            return atoi(text + 9);
        if (have == sizeof text - 1)
            return -1;
    }
}

static void *run(void *argument)
{
    struct client *client = argument;
    int fd = dial();

    while (fd >= 0 && now() < load.until) {
        double began = now();

        if (write(fd, load.request, load.size) != (ssize_t)load.size || reply(fd) != 202) {
            client->failed++;
            break;
        }
        if (client->accepted < SAMPLES_MAX)
            client->samples[client->accepted] = (float)((now() - began) * 1000);
        client->accepted++;
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

static void make_request(const char *key, const char *path)
{
    FILE *file = fopen(path, "rb");
    char *body = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&body, &size);
    static char data[1 << 20];
    size_t read_size = file != NULL ? fread(data, 1, sizeof data, file) : 0;

    if (read_size == 0)
        exit(2);
    fclose(file);
    fprintf(out,
            "--b\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\n99\r\n--b\r\nContent-Disposition: form-data; "
            "name=\"file\"; filename=\"page.tif\"\r\n\r\n");
    fwrite(data, 1, read_size, out);
    fputs("\r\n--b--\r\n", out);
    fclose(out);
    out = open_memstream(&load.request, &load.size);
    fprintf(
        out,
        "POST /v1/faxes HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: multipart/form-data; "
        "boundary=b\r\nContent-Length: %zu\r\n\r\n",
        key, size);
    fwrite(body, 1, size, out);
    fclose(out);
    free(body);
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int clients = argc == 6 ? atoi(argv[4]) : 0;
    long accepted = 0, failed = 0, kept = 0;
    struct client *list;
    float *all;
    double began;

    if (clients < 1)
        return 2;
    load.port = atoi(argv[1]);
    make_request(argv[2], argv[3]);
    list = calloc((size_t)clients, sizeof *list);
    began = now();
    load.until = began + atof(argv[5]);
    for (int i = 0; i < clients; i++) {
        list[i].samples = malloc(SAMPLES_MAX * sizeof(float));
        pthread_create(&list[i].thread, NULL, run, &list[i]);
    }
    for (int i = 0; i < clients; i++) {
        pthread_join(list[i].thread, NULL);
        accepted += list[i].accepted;
        failed += list[i].failed;
    }
    double seconds = now() - began;

    all = malloc((size_t)(accepted + 1) * sizeof *all);
    for (int i = 0; i < clients; i++)
        for (long k = 0; k < list[i].accepted && k < SAMPLES_MAX; k++)
            all[kept++] = list[i].samples[k];
    qsort(all, (size_t)kept, sizeof *all, compare);
    if (failed > 0 || kept == 0) {
        fprintf(stderr, "post_load: %ld submissions failed\n", failed);
        return 1;
    }
    printf("%.1f %.3f %.3f\n", (double)accepted / seconds, (double)all[kept / 2], (double)all[kept * 99 / 100]);
    return 0;
}
