/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The protocol is one datagram of lines NAME=VALUE; systemd promises to keep it, so that no library is needed for it.
 *
 * The variables stay in the environment: a faxd that starts itself anew is the same process to its manager. Hosts and
 * engines inherit them, and are not believed (NotifyAccess=main). */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/notify.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The address in $NOTIFY_SOCKET: a path, or with "@" an abstract name. Its length, or 0 for one that is neither. */
static socklen_t address_of(struct sockaddr_un *address, const char *name)
{
    size_t length = strlen(name);

    if ((name[0] != '/' && name[0] != '@') || length < 2 || length >= sizeof address->sun_path)
        return 0;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, name, length);
    if (name[0] == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

void notify_send(const char *text)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    socklen_t size;
    int fd;

    if (name == NULL || name[0] == '\0')
        return;
    size = address_of(&address, name);
    if (size == 0) {
        log_warning("NOTIFY_SOCKET names no socket: %.100s", name);
        return;
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&address, size) < 0)
        log_warning("the service manager was not told \"%.40s\": %s", text, strerror(errno));
    if (fd >= 0)
        close(fd);
}

void notify_stopping(int patience_s)
{
    char text[128];

    snprintf(text, sizeof text, "STOPPING=1\nSTATUS=leaving after the calls under way\nEXTEND_TIMEOUT_USEC=%lld",
             patience_s * 1000000ll);
    notify_send(text);
}

/* --- the watchdog --- */

static void on_watchdog(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what, (void)argument;
    notify_send("WATCHDOG=1");
}

/* The manager's period in microseconds, or 0 where nobody watches this process. */
static int64_t watchdog_period_us(void)
{
    const char *period = getenv("WATCHDOG_USEC"), *whose = getenv("WATCHDOG_PID");
    int64_t us = 0, pid = 0;

    if (period == NULL || str_to_int(&us, period, 1, INT64_MAX) != 0)
        return 0;
    if (whose != NULL && (str_to_int(&pid, whose, 1, INT32_MAX) != 0 || pid != getpid()))
        return 0;
    return us;
}

int notify_watchdog_new(struct event **timer, struct event_base *base)
{
    int64_t pause_us = watchdog_period_us() / 2;
    const struct timeval pause = {.tv_sec = pause_us / 1000000, .tv_usec = pause_us % 1000000};

    *timer = NULL;
    if (pause_us == 0)
        return 0;
    *timer = event_new(base, -1, EV_PERSIST, on_watchdog, NULL);
    if (*timer == NULL || event_add(*timer, &pause) != 0)
        return err_set(ERR_INTERNAL, "cannot make the timer of the watchdog");
    return 0;
}
