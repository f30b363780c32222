/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A range of ports, gone through in a circle. Who holds a port is the kernel's business: a pair is free when it can be
 * bound. */
#include "config.h"

#include "plugins/sip/ports.h"

#include "plugins/sip/ip.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BYTES (256 * 1024) /* a second of a call while its engine is started on a busy machine, and more */

struct ports {
    char address[INET6_ADDRSTRLEN];
    int low, count; /* first even port, number of pairs */
    pthread_mutex_t lock;
    int next; /* pair to try */
};

struct ports *ports_new(const char *address, int low, int high)
{
    struct ports *ports = xcalloc(1, sizeof(*ports));
    uint32_t first;

    str_copy(ports->address, sizeof(ports->address), address);
    ports->low = low + low % 2;
    ports->count = (high + 1 - ports->low) / 2;
    pthread_mutex_init(&ports->lock, NULL);
    /* What is still under way to the ports of a provider that ended, or of another on this machine, is not met first.
     * Without a number the range begins at its start, which works as well. */
    if (ports->count > 0 && getrandom(&first, sizeof(first), GRND_NONBLOCK) == (ssize_t)sizeof(first))
        ports->next = (int)(first % (uint32_t)ports->count);
    return ports;
}

void ports_free(struct ports *ports)
{
    if (!ports)
        return;
    pthread_mutex_destroy(&ports->lock);
    free(ports);
}

/* A socket on `port`, or -1 and errno. */
static int open_port(const char *address, int port)
{
    struct sockaddr_storage where;
    socklen_t size = ip_address(&where, address, port);
    int room = RECEIVE_BYTES, fd, error;

    if (size == 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    fd = socket(where.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    if (bind(fd, (struct sockaddr *)&where, size) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

static bool open_pair(const struct ports *ports, int index, struct ports_pair *pair)
{
    int port = ports->low + 2 * index, error;

    pair->port = (uint16_t)port;
    pair->media = open_port(ports->address, port);
    if (pair->media < 0)
        return false;
    pair->rtcp = open_port(ports->address, port + 1);
    if (pair->rtcp >= 0)
        return true;
    error = errno;
    close(pair->media);
    errno = error;
    return false;
}

int ports_take(struct ports *ports, struct ports_pair *pair)
{
    for (int i = 0; i < ports->count; i++) {
        int index;

        pthread_mutex_lock(&ports->lock);
        index = ports->next;
        ports->next = (ports->next + 1) % ports->count;
        pthread_mutex_unlock(&ports->lock);
        if (open_pair(ports, index, pair))
            return 0;
        if (errno == EADDRNOTAVAIL)
            return err_set(ERR_INVALID, "media cannot be received at %s: it is no address of this machine",
                           ports->address);
        if (errno != EADDRINUSE)
            return err_set(ERR_IO, "cannot open a port for media: %s", strerror(errno));
    }
    return err_set(ERR_FULL, "no port for media is free from %d to %d", ports->low, ports->low + 2 * ports->count - 1);
}

void ports_close(struct ports_pair *pair)
{
    if (pair->media >= 0)
        close(pair->media);
    if (pair->rtcp >= 0)
        close(pair->rtcp);
    pair->media = pair->rtcp = -1;
}
