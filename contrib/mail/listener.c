/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whoever may connect is believed as the mail server: by a path with rights, or from this machine. */
#include "config.h"

#include "contrib/mail/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "contrib/mail/lmtp.h"
#include "contrib/mail/settings.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#define SOCKETS_MAX  8
#define FIRST_SOCKET 3 /* sd_listen_fds(3) */

static volatile sig_atomic_t ending, reading_again;

struct listener {
    struct pollfd sockets[SOCKETS_MAX];
    int count;
    pid_t *children;
    int running;
    sigset_t unblocked;
};

static void on_end(int number)
{
    (void)number;
    ending = 1;
}

static void on_again(int number)
{
    (void)number;
    reading_again = 1;
}

static void on_child(int number)
{
    (void)number; /* it ends the wait */
}

/* --- sockets --- */

static int from_systemd(struct listener *listener)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    int64_t owner, count;
    if (pid == NULL || fds == NULL || str_to_int(&owner, pid, 1, INT32_MAX) < 0 || owner != getpid() ||
        str_to_int(&count, fds, 1, SOCKETS_MAX) < 0)
        return err_set(ERR_INVALID, "there is no socket: give --listen, or start faxmail by a socket of systemd");
    for (int i = 0; i < (int)count; i++) {
        fcntl(FIRST_SOCKET + i, F_SETFD, FD_CLOEXEC);
        listener->sockets[listener->count++] = (struct pollfd){.fd = FIRST_SOCKET + i, .events = POLLIN};
    }
    return 0;
}

static int open_path(int *fd, const char *path, unsigned mode)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct stat about;
    if (!str_copy(name.sun_path, sizeof name.sun_path, path))
        return err_set(ERR_INVALID, "the path %s is too long for a socket", path);
    if (lstat(path, &about) == 0 && S_ISSOCK(about.st_mode))
        unlink(path); /* left by one that was killed */
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t old = umask(0777 & ~mode);
    bool bound = *fd >= 0 && bind(*fd, (const struct sockaddr *)&name, sizeof name) == 0;
    umask(old);
    return bound ? 0 : err_set(ERR_IO, "cannot listen on %s: %s", path, strerror(errno));
}

static int open_loopback(int *fd, const char *text)
{
    char address[64];
    const char *colon = strrchr(text, ':');
    struct sockaddr_in name = {.sin_family = AF_INET};
    int64_t port;
    int one = 1;
    snprintf(address, sizeof address, "%.*s", colon != NULL ? (int)(colon - text) : 0, text);
    if (colon == NULL || str_to_int(&port, colon + 1, 0, 65535) < 0 || inet_pton(AF_INET, address, &name.sin_addr) != 1)
        return err_set(ERR_INVALID, "\"%s\" is no address like 127.0.0.1:2424", text);
    if (ntohl(name.sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
        return err_set(ERR_INVALID,
                       "%s is not this machine itself: who can connect is believed, so that only 127.0.0.0/8 "
                       "is possible",
                       address);
    name.sin_port = htons((uint16_t)port);
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd >= 0)
        setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (*fd < 0 || bind(*fd, (const struct sockaddr *)&name, sizeof name) != 0)
        return err_set(ERR_IO, "cannot listen on %s: %s", text, strerror(errno));
    return 0;
}

static int open_own(struct listener *listener, const char *address, unsigned mode)
{
    int fd = -1, result;
    if (strncmp(address, "unix:", 5) == 0)
        result = open_path(&fd, address + 5, mode);
    else if (strncmp(address, "inet:", 5) == 0)
        result = open_loopback(&fd, address + 5);
    else
        result = err_set(ERR_INVALID, "\"%s\" is neither unix:PATH nor inet:127.0.0.1:PORT", address);
    if (result == 0 && listen(fd, SOMAXCONN) != 0)
        result = err_set(ERR_IO, "cannot listen on %s: %s", address, strerror(errno));
    if (fd >= 0)
        listener->sockets[listener->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    return result;
}

/* For whoever starts it: the port that was chosen, and that it may come. */
static void tell_ready(const struct listener *listener)
{
    struct sockaddr_in name;
    socklen_t size = sizeof name;
    if (getsockname(listener->sockets[0].fd, (struct sockaddr *)&name, &size) == 0 && name.sin_family == AF_INET)
        printf("listening on port %d\n", ntohs(name.sin_port));
    printf("ready\n");
    fflush(stdout);
}

/* --- connections --- */

static void reap(struct listener *listener)
{
    pid_t child;
    while ((child = waitpid(-1, NULL, WNOHANG)) > 0) {
        for (int i = 0; i < listener->running; i++) {
            if (listener->children[i] == child)
                listener->children[i--] = listener->children[--listener->running];
        }
    }
}

static void serve(struct listener *listener, const struct settings *settings, int fd)
{
    for (int i = 0; i < listener->count; i++)
        close(listener->sockets[i].fd);
    signal(SIGCHLD, SIG_DFL);
    signal(SIGHUP, SIG_IGN);
    lmtp_run(fd, settings, &ending, &listener->unblocked);
}

/* True in the child, when it is done. */
static bool take_connection(struct listener *listener, const struct settings *settings, int socket)
{
    int fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return false;
    pid_t child = fork();
    if (child == 0) {
        serve(listener, settings, fd);
        return true;
    }
    close(fd);
    if (child > 0)
        listener->children[listener->running++] = child;
    else
        log_error("cannot start a process for a connection: %s", strerror(errno));
    return false;
}

static void read_again(struct settings *settings, const char *file)
{
    struct settings fresh;
    reading_again = 0;
    if (settings_read(&fresh, file) < 0) {
        log_error("the old settings stay: %s", err_message());
        settings_clear(&fresh);
        return;
    }
    fresh.max_sessions = settings->max_sessions; /* room was made for so many */
    settings_clear(settings);
    *settings = fresh;
    log_info("settings read again");
}

/* True in a child. */
static bool turn(struct listener *listener, struct settings *settings)
{
    bool full = listener->running == settings->max_sessions;
    int ready = ppoll(listener->sockets, full ? 0 : (nfds_t)listener->count, NULL, &listener->unblocked);
    reap(listener);
    for (int i = 0; i < listener->count && ready > 0 && !ending; i++) {
        if (listener->sockets[i].revents != 0 && listener->running < settings->max_sessions &&
            take_connection(listener, settings, listener->sockets[i].fd))
            return true;
    }
    return false;
}

/* Let those that are at a message finish it. */
static void end_children(struct listener *listener)
{
    for (int i = 0; i < listener->running; i++)
        kill(listener->children[i], SIGTERM);
    for (int i = 0; i < listener->running; i++)
        waitpid(listener->children[i], NULL, 0);
}

static void catch_signals(struct listener *listener)
{
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGHUP);
    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, &listener->unblocked);
    sigdelset(&listener->unblocked, SIGTERM);
    const struct sigaction end = {.sa_handler = on_end}, again = {.sa_handler = on_again};
    const struct sigaction child = {.sa_handler = on_child};
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGINT, &end, NULL);
    sigaction(SIGHUP, &again, NULL);
    sigaction(SIGCHLD, &child, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int listener_run(struct settings *settings, const char *file, const char *address, unsigned mode)
{
    struct listener listener = {.count = 0};
    int result = address != NULL ? open_own(&listener, address, mode) : from_systemd(&listener);
    if (result < 0) {
        log_error("%s", err_message());
        return EX_UNAVAILABLE;
    }
    listener.children = xcalloc((size_t)settings->max_sessions, sizeof *listener.children);
    catch_signals(&listener);
    tell_ready(&listener);
    bool child = false;
    while (!ending && !child) {
        if (reading_again)
            read_again(settings, file);
        child = turn(&listener, settings);
    }
    if (!child) {
        end_children(&listener);
        if (address != NULL && strncmp(address, "unix:", 5) == 0)
            unlink(address + 5);
        for (int i = 0; i < listener.count; i++)
            close(listener.sockets[i].fd);
    }
    free(listener.children);
    return EX_OK;
}
