/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One loaded FSP: its exports, its heap, the completion port that all its packets come to, and the order in which it is
 * started and shut down. Calls of a job are in worker.c.
 *
 * Keys on the port: PROVIDER_RING_KEY for rings; a job's key tells its line and its run, so that a packet that comes
 * late is told apart from those of the line's next job.
 *
 * Thread: start and stop the main thread; the struct is read-only in between.
 */
#ifndef FAXD_FSPHOST_PROVIDER_H
#define FAXD_FSPHOST_PROVIDER_H

#include "plugins/include/faxdev.h"
#include "plugins/include/faxdext.h"
#include "plugins/include/faxext.h"
#include "server/fsphost/settings.h"

#include <stdbool.h>

#define PROVIDER_DEVICES_MAX 1000u
#define PROVIDER_RING_KEY    ((ULONG_PTR)0x10000)

typedef BOOL(WINAPI *provider_dll_main)(HINSTANCE, DWORD, LPVOID);

/* What an FSP exports; NULL where it has no optional one. */
struct provider_exports {
    PFAXDEVVIRTUALDEVICECREATION create_devices;
    PFAXDEVINITIALIZE initialize;
    PFAXDEVSTARTJOB start_job;
    PFAXDEVSEND send;
    PFAXDEVRECEIVE receive;
    PFAXDEVREPORTSTATUS report_status;
    PFAXDEVENDJOB end_job;
    PFAXDEVABORTOPERATION abort_operation;
    PFAXDEVSHUTDOWN shutdown;
    PFAX_EXT_INITIALIZE_CONFIG initialize_config;
    PFAXDPROVIDERCONFIG provider_config;
    PFAXDRINGINFO ring_info;
    PFAXDJOBOPTIONS job_options;
    PFAXDCALLRECORD call_record;
    PFAXDPROVIDERASK ask;
    provider_dll_main dll_main;
};

struct provider {
    struct provider_exports fsp;
    const struct settings *settings; /* borrowed */
    void *module;
    HANDLE heap, port;
    PFAX_LINECALLBACK line_callback; /* NULL when the FSP gave none */
    DWORD first_id;
    DWORD device_count;
    char *name_prefix; /* UTF-8 */
};

/* Load `path` and start it: FaxdProviderConfig, FaxDevVirtualDeviceCreation, FaxExtInitializeConfig, FaxDevInitialize.
 * The device notices (provider_notice) are the caller's next step. `settings` must outlive it. 0, or an err code with a
 * message that says what was refused; then nothing of the FSP may be called any more, and the process should leave. */
int provider_start(struct provider **out, const char *path, const struct settings *settings);

/* Tell the FSP about one device: `receive` and `send` as they are now (fsp-abi 3.4). No lock may be held. */
void provider_notice(const struct provider *provider, DWORD index, bool receive, bool send);

/* FaxDevShutdown and DllMain(DETACH) where exported, then free heap, port and `provider`. No call may be running. The
 * library stays mapped: threads of the FSP may still be in it; and without a FaxDevShutdown to end them heap, port and
 * `provider` stay too, and the caller leaves by _exit. */
void provider_stop(struct provider *provider);

/* The DeviceId for FaxDevStartJob, as the settings ask (fsp-abi A1). */
DWORD provider_start_id(const struct provider *provider, DWORD index);

/* The index of the device that a ring names: its full id, or its index, below the count (fsp-abi A1); -1 for none. */
int provider_index(const struct provider *provider, DWORD device);

/* The key of a job of `index`, and back. Runs count from 2 on and wrap before they meet the ring key. */
ULONG_PTR provider_job_key(DWORD index, DWORD run);
bool provider_key_parse(ULONG_PTR key, DWORD *index, DWORD *run);

/* The texts of FaxdRingInfo, FaxdCallRecord and FaxdProviderAsk by their size protocol: a JSON object, the caller's to
 * free, of at most LINK_RECORD_MAX octets. NULL when the FSP has no such export, has nothing to say (the result is
 * ERR_NOT_FOUND), or says what is no JSON object (ERR_INVALID). Thread: control; the job's worker; control, or
 * start-up. */
int provider_ring_info(char **text, const struct provider *provider, DWORD index);
int provider_call_record(char **text, const struct provider *provider, HANDLE job);
int provider_ask(char **text, const struct provider *provider, const char *question);

#endif
