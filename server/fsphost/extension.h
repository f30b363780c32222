/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The five callbacks of FaxExtInitializeConfig (faxext.h): data by device and GUID, in memory; what was never set is
 * answered from the settings (faxdext.h says how).
 *
 * The callbacks carry no context, so there is one store in a process, as there is one provider.
 *
 * Thread: open and close start-up; the callbacks any.
 */
#ifndef FAXD_FSPHOST_EXTENSION_H
#define FAXD_FSPHOST_EXTENSION_H

#include "plugins/include/faxext.h"
#include "server/fsphost/settings.h"

/* Begin to serve `settings` (borrowed until extension_close) for device 0 and for devices `first_id` + index. */
void extension_open(const struct settings *settings, DWORD first_id, DWORD count);

/* Forget everything; calls that come later get ERROR_SHUTDOWN_IN_PROGRESS. */
void extension_close(void);

DWORD CALLBACK extension_get(DWORD device, FAX_ENUM_DEVICE_ID_SOURCE source, LPCWSTR guid, LPBYTE *data, LPDWORD size);
DWORD CALLBACK extension_set(HINSTANCE self, DWORD device, FAX_ENUM_DEVICE_ID_SOURCE source, LPCWSTR guid, LPBYTE data,
                             DWORD size);
HANDLE CALLBACK extension_register(HINSTANCE self, DWORD device, FAX_ENUM_DEVICE_ID_SOURCE source, LPCWSTR guid,
                                   PFAX_EXT_CONFIG_CHANGE changed);
DWORD CALLBACK extension_unregister(HANDLE registration);
VOID CALLBACK extension_free_buffer(LPVOID data);

#endif
