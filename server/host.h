/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A provider host (program faxd-fsp): started or adopted, watched, restarted with back-off; its events in order.
 *
 * A host is not always our child: it outlives a restart of faxd, and the next faxd adopts it through its socket. Its
 * folder is STATE/hosts/NAME: link (the socket), config.json (what it was started with), and the files of its calls
 * (under encryption these have a folder in memory, which then is the provider's work_dir: spool_call_dir).
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_HOST_H
#define FAXD_SERVER_HOST_H

#include "server/config.h"
#include "server/line.h"
#include "server/link/link.h"
#include "spool/host_run.h"

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>

struct host;
struct spool;

enum host_state {
    HOST_STOPPED,  /* does not run; a timer may start it again */
    HOST_STARTING, /* runs, its socket does not answer yet */
    HOST_GREETING, /* hello sent, waiting for ready */
    HOST_UP,
    HOST_DRAINING, /* takes no new jobs: another configuration or version, a lost line, or we are leaving */
    HOST_STATE_COUNT
};

/* What a host tells the rest of the server. All called on the loop, within a turn whose commit acknowledges the event.
 */
struct host_handler {
    void *context;
    /* It is up: `jobs` are the attempts it still holds. Called once for each connection, before any event. */
    void (*ready)(void *context, struct host *host, const uint64_t *jobs, int count);
    void (*ring)(void *context, struct line *line, uint64_t number, const char *ring);
    void (*status)(void *context, struct line *line, const struct link_message *message);
    void (*ended)(void *context, struct line *line, const struct link_message *message);
    /* What the provider says of its trunks (LINK_STATE), and with `text` NULL that its process is gone. */
    void (*trunks)(void *context, struct host *host, const char *text);
    /* The process is gone, with the job of this line undecided. */
    void (*lost)(void *context, struct line *line);
    /* Lines may have become idle, or ready. */
    void (*idle)(void *context);
};

struct host_options {
    struct event_base *base;
    struct spool *spool;
    struct line_table *lines;
    const struct config_provider *provider; /* stays the configuration's, must outlive the host */
    const char *program;                    /* absolute path of faxd-fsp */
    const char *module;                     /* absolute path of the FSP */
    const char *engine;                     /* absolute path of faxd-t30 */
    const char *log_level;
    struct host_handler handler;
};

/* Adds the provider's lines to the table. The caller frees with host_free, which leaves the process alone. */
int host_new(struct host **out, const struct host_options *options);
void host_free(struct host *host);

/* Adopt the host that runs, or start one. Failures are logged and tried again with back-off. */
void host_start(struct host *host);

/* An order for a job on one of its lines. `fd` (journal) stays the caller's. ERR_CLOSED when it is not up. */
int host_order(struct host *host, const struct link_message *order, int fd);

/* True when it takes new jobs. */
bool host_is_up(const struct host *host);

/* Tell it which of its lines send and receive, after a change of their flags. */
void host_enable_lines(struct host *host);

/* No new jobs from now on; it is stopped when the last has ended. `restart`: start it anew afterwards. */
void host_drain(struct host *host, bool restart);

/* Abort every call and leave, now. */
void host_stop(struct host *host);

/* True when no process of it is known any more. */
bool host_is_gone(const struct host *host);

const char *host_name(const struct host *host);
const char *host_run(const struct host *host); /* of the connected process, "" = none */
const char *host_dir(const struct host *host); /* its folder */
int host_restarts(const struct host *host);
json_t *host_json(const struct host *host); /* name, module, state, reason, pid, lines, restarts */

#endif
