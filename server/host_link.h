/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection to a provider host: link messages over a non-blocking socket on the loop, with a queue for what the
 * socket does not take at once.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_HOST_LINK_H
#define FAXD_SERVER_HOST_LINK_H

#include "server/link/link.h"

#include <event2/event.h>
#include <sys/types.h>

struct host_link;

struct host_link_handler {
    void *context;
    void (*message)(void *context, const struct link_message *message); /* texts valid during the call */
    void (*batch)(void *context);                                       /* after a run of messages of one wake */
    void (*closed)(void *context); /* the host closed it, or sent nonsense; close the link from here or later */
};

/* Connect to the socket `link` in the folder `dir`. 0; ERR_NOT_FOUND when nobody listens there (no file, or refused);
 * ERR_IO; ERR_DENIED when the peer runs as another user than we or root. The caller closes with host_link_close. */
int host_link_open(struct host_link **out, struct event_base *base, const char *dir,
                   const struct host_link_handler *handler);

/* Process id of the host, as the kernel knows it. */
pid_t host_link_peer(const struct host_link *link);

/* Send or queue; a descriptor (`fd` >= 0) is duplicated when queued. ERR_FULL when 10,000 wait: the host hangs. */
int host_link_send(struct host_link *link, const struct link_message *message, int fd);

/* Read what is there already, as at the death of the host, when its last words are still in the socket. */
void host_link_read_rest(struct host_link *link);

/* NULL is fine. Not from within `message`. */
void host_link_close(struct host_link *link);

#endif
