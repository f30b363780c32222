/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Test help: a host of the smallest kind, which drives a plug-in through its exported calls as faxd-fsp does: start-up
 * order, a thread for each job, packets and rings read from a completion port. What fails here stops the test program.
 */
#ifndef FAXD_TESTS_FSP_PLUGIN_H
#define FAXD_TESTS_FSP_PLUGIN_H

#include "plugins/include/faxdev.h"
#include "plugins/include/faxdext.h"

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>

#define PLUGIN_LINES   8
#define PLUGIN_PACKETS 64 /* of a call, kept; the rest is counted */

struct plugin {
    void *module;
    HANDLE heap, port;
    PFAX_LINECALLBACK line_callback;
    DWORD count, first_id;
    PFAXDPROVIDERCONFIG config;
    PFAXDEVVIRTUALDEVICECREATION create;
    PFAXDEVINITIALIZE init;
    PFAXDEVSTARTJOB start;
    PFAXDJOBOPTIONS options;
    PFAXDEVSEND send;
    PFAXDEVRECEIVE receive;
    PFAXDEVREPORTSTATUS report;
    PFAXDCALLRECORD record;
    PFAXDEVENDJOB end;
    PFAXDEVABORTOPERATION abort;
    PFAXDEVSHUTDOWN shutdown;
    PFAXDRINGINFO ring_info;
    pthread_t reader;
    pthread_mutex_t lock; /* guards all that follows, and the packets of calls */
    pthread_cond_t changed;
    int rings[PLUGIN_LINES]; /* heard and not yet taken */
    bool bad;                /* something on the port was not as it must be */
};

struct packet {
    DWORD id, page, error;
    char csi[64], caller[64];
};

struct call {
    struct plugin *plugin;
    int line;
    char file[256], number[64]; /* number "" = receive */
    char options[1024];         /* "" = none */
    pthread_t thread;
    HANDLE handle; /* under the plugin's lock; NULL before and after */
    struct packet packets[PLUGIN_PACKETS];
    int packet_count;
    bool done;
    /* When it is done: */
    BOOL result;
    DWORD last_error;
    struct packet status;     /* of FaxDevReportStatus */
    char receiver_number[64]; /* of FAX_RECEIVE */
    char receiver_name[64];
    char *record_text;
    json_t *record; /* NULL when the text is not JSON */
};

/* Load `name` ("softmodem.so") from the build folder and start it with `json`; all lines may send and receive. */
void plugin_open(struct plugin *plugin, const char *name, const char *json);

/* Load only, for tests of the start-up; then plugin_start, which is false when the plug-in refuses. */
void plugin_load(struct plugin *plugin, const char *name);
bool plugin_start(struct plugin *plugin, const char *json);

/* Shut down and let everything go. Fails the test when a packet was malformed. */
void plugin_close(struct plugin *plugin);

void plugin_enable(struct plugin *plugin, int line, bool receive, bool send);

/* Wait for a ring on `line`; false after `timeout_ms`. */
bool plugin_ring(struct plugin *plugin, int line, int timeout_ms);

/* Begin a job on a thread of its own. `number` NULL receives. `options` may be NULL. */
void call_start(struct call *call, struct plugin *plugin, int line, const char *file, const char *number,
                const char *options);

/* Wait until the packet was seen; false when the call ended without it. Page 0 = any. */
bool call_saw(struct call *call, DWORD id, DWORD page);

/* FaxDevAbortOperation from another thread. */
void call_abort(struct call *call);

/* Wait for the end and read status and record. */
void call_wait(struct call *call);

/* Has it ended within `ms`? */
bool call_ended(struct call *call, int ms);

/* Read a text, number or true of the record: "", -1, false when absent. */
const char *call_text(const struct call *call, const char *key);
long long call_number(const struct call *call, const char *key);
bool call_true(const struct call *call, const char *key);

void call_clear(struct call *call);

#endif
