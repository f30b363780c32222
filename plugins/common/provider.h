/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a provider of ours learns from its host: its heap, the port for rings, which lines are enabled; and how it names
 * its devices. One for each plug-in, static, filled by FaxDevVirtualDeviceCreation and FaxDevInitialize.
 *
 * Thread: provider_create and provider_init start-up; all else any.
 */
#ifndef FAXD_PLUGINS_COMMON_PROVIDER_H
#define FAXD_PLUGINS_COMMON_PROVIDER_H

#include "plugins/include/faxdev.h"

#include <jansson.h>
#include <stdatomic.h>

struct provider {
    HANDLE heap;
    HANDLE ring_port;
    ULONG_PTR ring_key;
    DWORD first_id; /* device id of line 0 */
    int line_count;
    atomic_uint jobs; /* started and not ended */
};

/* FaxDevVirtualDeviceCreation for `line_count` lines of the provider `name`: device ids begin at a number that is made
 * from the name, so that two providers of one plug-in differ. FALSE and ERROR_INVALID_PARAMETER without lines. */
BOOL provider_create(struct provider *provider, const char *name, int line_count, LPDWORD count, LPWSTR prefix,
                     LPDWORD first_id, HANDLE port, ULONG_PTR key);

/* Line index of a device given as index or as full id (fsp-abi A1), or -1. */
int provider_line(const struct provider *provider, DWORD device);

/* Announce a call on `line`: a LINEMESSAGE to the port of FaxDevVirtualDeviceCreation. */
void provider_ring(struct provider *provider, int line);

/* Something that FaxdProviderAsk tells of has changed: the host will ask. Harmless before the host has given a port. */
void provider_changed(struct provider *provider);

/* Hand `object` out as text by the size protocol of FaxdRingInfo and FaxdCallRecord: `*needed` is the size with its end
 * (never over 49,152: the list "frames", then "sip", then "modem_dialogue", is shortened to fit, and "frames_omitted",
 * "sip_omitted", "modem_dialogue_omitted" count it); FALSE and ERROR_INSUFFICIENT_BUFFER when `size` is less. `json`
 * NULL with size 0 asks for the size and is TRUE.
 */
BOOL provider_text(json_t *object, char *json, DWORD size, LPDWORD needed);

/* UTF-16 of a FAX_SEND or FAX_RECEIVE to UTF-8; NULL gives "". The caller frees with free(). */
char *provider_utf8(LPCWSTR text);

/* Fail a call of the API: sets the last error and is FALSE. */
BOOL provider_fail(DWORD error);

#endif
