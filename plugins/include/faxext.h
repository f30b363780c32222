/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The optional configuration interface of the documented API: the server hands five callbacks to a plug-in.
 *
 * Data are opaque octets kept by (device id, GUID string); device 0 stands for the whole provider. What faxd serves is
 * described in faxdext.h.
 */
#ifndef _FAXEXT_H_
#define _FAXEXT_H_

#include "win32.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whose numbering a device id follows. Virtual devices: DEV_ID_SRC_FAX. */
typedef enum { DEV_ID_SRC_FAX = 0, DEV_ID_SRC_TAPI = 1 } FAX_ENUM_DEVICE_ID_SOURCE;

/* Plug-in's: data that it registered for were changed by somebody else. Valid during the call. */
typedef HRESULT(CALLBACK *PFAX_EXT_CONFIG_CHANGE)(DWORD dwDeviceId, LPCWSTR lpcwstrNameGUID, LPBYTE lpData,
                                                  DWORD dwDataSize);

/* Read: *ppData is the server's allocation, freed with PFAX_EXT_FREE_BUFFER. Win32 error; ERROR_FILE_NOT_FOUND. */
typedef DWORD(CALLBACK *PFAX_EXT_GET_DATA)(DWORD dwDeviceId, FAX_ENUM_DEVICE_ID_SOURCE DevIdSrc,
                                           LPCWSTR lpcwstrNameGUID, LPBYTE *ppData, LPDWORD lpdwDataSize);

/* Write. Win32 error. The writer is not told of its own change. */
typedef DWORD(CALLBACK *PFAX_EXT_SET_DATA)(HINSTANCE hInst, DWORD dwDeviceId, FAX_ENUM_DEVICE_ID_SOURCE DevIdSrc,
                                           LPCWSTR lpcwstrNameGUID, LPBYTE lpData, DWORD dwDataSize);

/* Ask to be told of changes: a handle, or NULL and the last error. */
typedef HANDLE(CALLBACK *PFAX_EXT_REGISTER_FOR_EVENTS)(HINSTANCE hInst, DWORD dwDeviceId,
                                                       FAX_ENUM_DEVICE_ID_SOURCE DevIdSrc, LPCWSTR lpcwstrNameGUID,
                                                       PFAX_EXT_CONFIG_CHANGE lpConfigChangeCallback);

/* Ask no longer. Win32 error. */
typedef DWORD(CALLBACK *PFAX_EXT_UNREGISTER_FOR_EVENTS)(HANDLE hNotification);

/* Free what PFAX_EXT_GET_DATA gave; NULL is fine. */
typedef VOID(CALLBACK *PFAX_EXT_FREE_BUFFER)(LPVOID lpvBuffer);

/* Plug-in's: called once, after FaxDevVirtualDeviceCreation and before FaxDevInitialize. The callbacks stay valid. */
FSP_EXPORT HRESULT WINAPI FaxExtInitializeConfig(PFAX_EXT_GET_DATA GetExtensionData, PFAX_EXT_SET_DATA SetExtensionData,
                                                 PFAX_EXT_REGISTER_FOR_EVENTS RegisterForExtensionEvents,
                                                 PFAX_EXT_UNREGISTER_FOR_EVENTS UnregisterForExtensionEvents,
                                                 PFAX_EXT_FREE_BUFFER FreeExtensionBuffer);

typedef HRESULT(WINAPI *PFAX_EXT_INITIALIZE_CONFIG)(PFAX_EXT_GET_DATA, PFAX_EXT_SET_DATA, PFAX_EXT_REGISTER_FOR_EVENTS,
                                                    PFAX_EXT_UNREGISTER_FOR_EVENTS, PFAX_EXT_FREE_BUFFER);

#ifdef __cplusplus
}
#endif
#endif
