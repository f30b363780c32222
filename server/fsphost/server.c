/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One poll loop. It owns the link and reads the completion port, so that nothing that a worker or an FSP's thread does
 * can wait for faxd, and nothing that faxd does can wait for an FSP.
 */
#include "config.h"

#include "server/fsphost/server.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "server/fsphost/control.h"
#include "server/fsphost/lines.h"
#include "server/fsphost/peer.h"
#include "server/fsphost/port.h"
#include "server/fsphost/report.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define ORDERS_AT_ONCE    256
#define DRAIN_PATIENCE_MS 60000 /* for the acknowledgement of the last call, after a LINK_DRAIN */
#define STOP_PATIENCE_MS  5000  /* the same after a LINK_STOP */

enum leaving { STAYING, ORPHANED, DRAINING, STOPPING };

struct server {
    const struct server_options *options;
    struct provider *provider;
    struct report_box *box;
    struct control *control;
    struct peer *peer;
    struct lines lines;
    int signals;
    char run[STR_ULID_SIZE];
    enum leaving leaving;
    int64_t alone_since; /* monotonic ms; 0 while faxd is connected */
    int64_t quiet_since; /* when the last call ended while leaving; 0 = calls run */
};

/* --- orders --- */

static void server_leave(struct server *server, enum leaving how)
{
    static const char *const why[] = {
        [STAYING] = "staying",
        [ORPHANED] = "nobody claims this host",
        [DRAINING] = "draining",
        [STOPPING] = "stopping",
    };
    if (server->leaving >= how)
        return;
    log_info("leaving: %s", why[how]);
    server->leaving = how;
    lines_close(&server->lines, how == STOPPING);
}

static void order_hello(struct server *server, const struct link_message *order)
{
    bool same_run = order->run && strcmp(order->run, server->run) == 0;
    if (peer_greet(server->peer, same_run ? order->number : 0)) {
        log_error("faxd's greeting makes no sense: %s", err_message());
        peer_disconnect(server->peer);
        return;
    }
    lines_acknowledged(&server->lines, peer_acknowledged(server->peer));
    peer_answer(server->peer, &(struct link_message){
                                  .type = LINK_WELCOME,
                                  .version = LINK_VERSION,
                                  .run = server->run,
                                  .pid = (uint64_t)getpid(),
                                  .text = server->options->name,
                                  .number = peer_newest(server->peer),
                              });
    lines_greet(&server->lines);
    peer_answer(server->peer, &(struct link_message){.type = LINK_READY});
    peer_greeted(server->peer);
    lines_greeted(&server->lines);
    if (order->version != LINK_VERSION) {
        log_warning("faxd speaks version %u of the link, this host version %d", order->version, LINK_VERSION);
        server_leave(server, DRAINING);
    }
}

/* Takes `fd` over. */
static void order_handle(struct server *server, const struct link_message *order, int fd)
{
    switch (order->type) {
    case LINK_HELLO:
        order_hello(server, order);
        break;
    case LINK_SEND:
    case LINK_RECEIVE:
        lines_order_job(&server->lines, order, fd);
        fd = -1;
        break;
    case LINK_REJECT:
        lines_order_reject(&server->lines, order);
        break;
    case LINK_ABORT:
        lines_order_abort(&server->lines, order);
        break;
    case LINK_REPORT:
        lines_order_report(&server->lines, order);
        break;
    case LINK_LINE_ENABLE:
        lines_order_enable(&server->lines, order);
        break;
    case LINK_TEST:
        lines_order_test(&server->lines, order);
        break;
    case LINK_ACK:
        peer_acknowledge(server->peer, order->number);
        lines_acknowledged(&server->lines, peer_acknowledged(server->peer));
        break;
    case LINK_DRAIN:
        server_leave(server, DRAINING);
        break;
    case LINK_STOP:
        server_leave(server, STOPPING);
        break;
    case LINK_WELCOME:
    case LINK_DEVICE:
    case LINK_JOB:
    case LINK_READY:
    case LINK_STATE:
    case LINK_RING:
    case LINK_STATUS:
    case LINK_ENDED:
    case LINK_FAULT:
        log_warning("%s is no order: dropped", link_type_name(order->type));
        break;
    }
    if (fd >= 0)
        close(fd);
}

static void orders_take(struct server *server)
{
    struct link_message order;
    int fd;
    for (int i = 0; i < ORDERS_AT_ONCE; i++) {
        int result = peer_receive(server->peer, &order, &fd);
        if (result == 0)
            order_handle(server, &order, fd);
        else if (result == ERR_UNSUPPORTED)
            server_leave(server, DRAINING);
        else if (result == ERR_INVALID || result == ERR_TOO_BIG)
            log_error("an order was dropped: %s", err_message());
        else
            break;
    }
}

/* --- leaving --- */

static int64_t alone_check(struct server *server, int64_t now_ms)
{
    if (peer_socket(server->peer) >= 0) {
        server->alone_since = 0;
        if (server->leaving == ORPHANED) {
            log_info("claimed again");
            server->leaving = STAYING;
            server->lines.closed = false;
            server->lines.notice_due = true;
        }
        return INT64_MAX;
    }
    if (!server->alone_since)
        server->alone_since = now_ms;
    int64_t until = server->alone_since + server->options->orphan_grace_ms;
    if (now_ms < until)
        return until;
    server_leave(server, ORPHANED);
    return INT64_MAX;
}

/* When the host may go: `*look_at` is lowered to when to ask again. */
static bool leave_check(struct server *server, int64_t now_ms, int64_t *look_at)
{
    if (server->leaving == STAYING || server->lines.running > 0) {
        server->quiet_since = 0;
        return false;
    }
    if (!server->quiet_since)
        server->quiet_since = now_ms;
    bool acknowledged = peer_acknowledged(server->peer) == peer_newest(server->peer);
    int64_t until = server->quiet_since + (server->leaving == STOPPING ? STOP_PATIENCE_MS : DRAIN_PATIENCE_MS);
    /* Without faxd nothing will be acknowledged: an orphan's grace is over, and who stops a host without being
     * connected (a signal) does not wait for one. */
    bool unheard = peer_socket(server->peer) < 0 && (server->leaving == ORPHANED || server->leaving == STOPPING);
    if (acknowledged || unheard || now_ms >= until)
        return true;
    if (until < *look_at)
        *look_at = until;
    return false;
}

/* --- loop --- */

static void signals_read(struct server *server)
{
    struct signalfd_siginfo info;
    while (read(server->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        log_info("signal %u", info.ssi_signo);
        server_leave(server, STOPPING);
    }
}

static int poll_timeout(int64_t look_at, int64_t now_ms)
{
    if (look_at == INT64_MAX)
        return -1;
    int64_t left = look_at - now_ms;
    if (left < 0)
        left = 0;
    return left > INT32_MAX ? INT32_MAX : (int)left;
}

enum { POLL_LISTENER, POLL_SIGNALS, POLL_REPORTS, POLL_PORT, POLL_LINK, POLL_COUNT };

static void server_poll(struct server *server, int timeout_ms)
{
    struct pollfd fds[POLL_COUNT] = {
        [POLL_LISTENER] = {.fd = peer_listener(server->peer), .events = POLLIN},
        [POLL_SIGNALS] = {.fd = server->signals, .events = POLLIN},
        [POLL_REPORTS] = {.fd = report_box_fd(server->box), .events = POLLIN},
        [POLL_PORT] = {.fd = port_fd(server->provider->port), .events = POLLIN},
        [POLL_LINK] = {.fd = peer_socket(server->peer),
                       .events = (short)(POLLIN | (peer_wants_out(server->peer) ? POLLOUT : 0))},
    };
    if (poll(fds, POLL_COUNT, timeout_ms) < 0) {
        if (errno != EINTR)
            log_error("poll: %s", strerror(errno));
        return;
    }
    if (fds[POLL_SIGNALS].revents)
        signals_read(server);
    if (fds[POLL_LINK].revents & (POLLIN | POLLHUP | POLLERR))
        orders_take(server);
    if (fds[POLL_LISTENER].revents)
        peer_accept(server->peer);
    if (fds[POLL_REPORTS].revents || fds[POLL_PORT].revents)
        lines_work(&server->lines);
}

static void server_loop(struct server *server)
{
    for (;;) {
        int64_t now_ms = clock_mono_ms();
        int64_t look_at = lines_tick(&server->lines, now_ms);
        int64_t due = control_check(server->control, now_ms);
        look_at = due < look_at ? due : look_at;
        due = alone_check(server, now_ms);
        look_at = due < look_at ? due : look_at;
        lines_notice(&server->lines);
        due = lines_state(&server->lines, now_ms);
        look_at = due < look_at ? due : look_at;
        peer_flush(server->peer);
        if (leave_check(server, now_ms, &look_at))
            return;
        server_poll(server, poll_timeout(look_at, now_ms));
    }
}

static int signals_open(struct server *server)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    server->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    return server->signals >= 0 ? 0 : err_set(ERR_IO, "no signalfd: %s", strerror(errno));
}

/* The FSP is told that no device is enabled any more, then shut down; false when a thread hangs in it. */
static bool server_shut_down(struct server *server)
{
    bool ended = control_stop(server->control);
    if (ended) {
        lines_work(&server->lines); /* what came back meanwhile */
        ended = lines_clear(&server->lines);
    }
    peer_close(server->peer);
    if (!ended) {
        log_error("a call into the FSP does not return: leaving without FaxDevShutdown");
        return false;
    }
    for (DWORD i = 0; i < server->provider->device_count; i++)
        provider_notice(server->provider, i, false, false);
    alarm(10); /* a FaxDevShutdown that hangs must not keep the host */
    provider_stop(server->provider);
    alarm(0);
    return true;
}

int server_run(const struct server_options *options, struct provider *provider, bool *hung)
{
    struct server server = {.options = options, .provider = provider, .signals = -1};
    *hung = true; /* with an error the FSP is left as it is */
    str_ulid(server.run, clock_now_ms());
    int result = signals_open(&server);
    if (!result)
        result = report_box_new(&server.box);
    if (!result)
        result = control_start(&server.control, provider, server.box);
    if (result)
        return result;
    lines_init(&server.lines, provider, server.control, server.box, options->abort_grace_ms);
    /* Last, since the socket's name says that this host is ready. */
    result = peer_open(&server.peer, options->socket_path);
    if (result)
        return result;
    server.lines.peer = server.peer;
    log_info("ready: %u lines run=%s pid=%d", server.lines.count, server.run, (int)getpid());
    server_loop(&server);
    *hung = !server_shut_down(&server);
    if (!*hung)
        report_box_free(server.box);
    close(server.signals);
    log_info("left");
    return 0;
}
