/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The web part and the spool without the rest of faxd, for tests of HTTP: faxes come in and stay where they are.
 *
 *   web_server STATE [body_max memory_max connections_max]
 *
 * Prints "PORT KEY" when it listens, and ends at the end of its standard input. Commands come from there, a line each:
 *   drain     as before a stop
 *   prepare   every fax that waits becomes ready, its upload taken as the fax TIFF that it has to be for this */
#include "spool/converter.h"
#include "spool/fax.h"
#include "spool/key.h"
#include "spool/spool.h"
#include "spool/submit.h"
#include "web/web.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct server {
    struct event_base *base;
    struct web *web;
    struct spool *spool;
    struct converter *converter;
    bool stop;
    int send_enabled, receive_enabled;
};

static json_t *lines(void *context)
{
    struct server *server = context;

    return json_pack("[{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:n}]", "id", "exchange/1001", "provider", "exchange",
                     "name", "1001", "number", "1001", "state", "idle", "send_enabled", server->send_enabled,
                     "receive_enabled", server->receive_enabled, "call");
}

static int line_set(void *context, const char *line, int send, int receive)
{
    struct server *server = context;

    if (strcmp(line, "exchange/1001") != 0)
        return err_set(ERR_NOT_FOUND, "no such line");
    if (send >= 0)
        server->send_enabled = send;
    if (receive >= 0)
        server->receive_enabled = receive;
    return 0;
}

static void prepare(struct spool *spool)
{
    int64_t ids[64];
    int count = submit_waiting(spool, 0, ids, 64);

    for (int i = 0; i < count; i++) {
        struct fax fax;
        if (fax_get(&fax, spool, ids[i]) == 0) {
            const struct submit_form form = {fax.original, "fine", 1728};

            if (submit_prepared(spool, &fax, &form, 1, 1) < 0)
                log_error("%s", err_message());
            fax_clear(&fax);
        }
    }
}

static void on_input(evutil_socket_t fd, short what, void *context)
{
    struct server *server = context;
    char line[64];
    ssize_t got = read(fd, line, sizeof line - 1);

    (void)what;
    if (got <= 0) {
        server->stop = true;
        return;
    }
    line[got] = '\0';
    if (strncmp(line, "drain", 5) == 0)
        web_drain(server->web);
    if (strncmp(line, "prepare", 7) == 0)
        prepare(server->spool);
}

/* The programs of this build lie in its top folder, this one in tests/flow. */
static void open_converter(struct server *server)
{
    const char *build = getenv("FAXD_BUILD");
    char *program = xasprintf("%s/faxd-convert", build ? build : ".");

    if (converter_open(&server->converter, server->base, program, 2) < 0)
        log_error("%s", err_message());
    free(program);
}

static size_t number(char **argv, int argc, int at, size_t otherwise)
{
    return at < argc ? (size_t)strtoull(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    struct server server = {.send_enabled = 1, .receive_enabled = 1, .base = event_base_new()};
    struct spool_options spool_options = {.state_dir = argv[1], .base = server.base};
    struct web_options options = {
        .base = server.base,
        .address = "127.0.0.1",
        .body_max = number(argv, argc, 2, 8 << 20),
        .memory_max = number(argv, argc, 3, 32 << 20),
        .connections_max = (int)number(argv, argc, 4, 100),
        .version = "test",
        .server = &server,
        .lines = lines,
        .line_set = line_set,
    };
    struct event *input = event_new(server.base, 0, EV_READ | EV_PERSIST, on_input, &server);
    char token[KEY_TOKEN_SIZE];
    struct key key;
    int result = 1;

    signal(SIGPIPE, SIG_IGN);
    log_open("web_server", LOG_LEVEL_WARNING);
    open_converter(&server);
    options.converter = server.converter;
    if (argc < 2 || spool_open(&options.spool, &spool_options) < 0 ||
        key_create(token, &key, options.spool, "test", KEY_ALL, false, 0) < 0 || web_open(&server.web, &options) < 0) {
        fprintf(stderr, "web_server: %s\n", err_message());
        goto out;
    }
    server.spool = options.spool;
    spool_turn_end(options.spool);
    event_add(input, NULL);
    printf("%d %s\n", web_port(server.web), token);
    fflush(stdout);
    while (!server.stop) {
        event_base_loop(server.base, EVLOOP_ONCE);
        if (spool_turn_end(options.spool) < 0)
            goto out;
    }
    result = 0;
out:
    web_close(server.web);
    converter_close(server.converter);
    spool_close(options.spool);
    event_free(input);
    event_base_free(server.base);
    return result;
}
