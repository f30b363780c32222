/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fax service provider interface: what a plug-in exports, what the server exports to it, and the data between them.
 * Names, values and layouts are those of the documented Windows interface, so that a provider's source compiles here.
 *
 * All strings are UTF-16 with an end. BOOL results: zero is failure, the reason is in the last error of the same
 * thread. A plug-in must export FaxDevInitialize, FaxDevStartJob, FaxDevSend, FaxDevReceive, FaxDevReportStatus,
 * FaxDevEndJob and FaxDevAbortOperation; FaxDevShutdown is optional. A server without TAPI, as ours, also needs
 * FaxDevVirtualDeviceCreation, since it knows of no devices but virtual ones.
 *
 * Start-up:  FaxDevVirtualDeviceCreation, FaxExtInitializeConfig (faxext.h), FaxDevInitialize, then the line callback
 *            once for each device with LINE_DEVSPECIFIC.
 * A job:     FaxDevStartJob, FaxDevSend or FaxDevReceive, FaxDevReportStatus, FaxDevEndJob, on one thread;
 *            FaxDevReportStatus and FaxDevAbortOperation may come from another thread meanwhile.
 * Progress:  FAX_DEV_STATUS packets from the provider's heap, posted to the port that came with FaxDevStartJob; the
 *            server frees them. A ring is a LINEMESSAGE on the port that came with FaxDevVirtualDeviceCreation.
 */
#ifndef _FAXDEV_
#define _FAXDEV_

#include "win32.h"
#include "tapi.h"
#include "commctrl.h"

#ifdef __cplusplus
extern "C" {
#endif

/* StatusId: how far a call has got. */
#define FS_INITIALIZING     0x20000000 /* not final, as the next four */
#define FS_DIALING          0x20000001
#define FS_TRANSMITTING     0x20000002
#define FS_RECEIVING        0x20000004
#define FS_COMPLETED        0x20000008 /* final: success */
#define FS_HANDLED          0x20000010 /* final: left to the provider to deliver (legacy) */
#define FS_LINE_UNAVAILABLE 0x20000020
#define FS_BUSY             0x20000040
#define FS_NO_ANSWER        0x20000080
#define FS_BAD_ADDRESS      0x20000100
#define FS_NO_DIAL_TONE     0x20000200
#define FS_DISCONNECTED     0x20000400
#define FS_FATAL_ERROR      0x20000800
#define FS_NOT_FAX_CALL     0x20001000
#define FS_CALL_DELAYED     0x20002000
#define FS_CALL_BLACKLISTED 0x20004000
#define FS_USER_ABORT       0x20200000
#define FS_ANSWERED         0x20800000 /* not final: call answered, may prove not to be a fax */

/* Octets (not characters) of the string area that follows the struct. */
#define FAXDEVRECEIVE_SIZE      4096
#define FAXDEVREPORTSTATUS_SIZE 4096

/* What to send. The server's; read-only, void when FaxDevSend returns. */
typedef struct _FAX_SEND {
    DWORD SizeOfStruct;
    LPWSTR FileName;       /* TIFF class F, full path */
    LPWSTR CallerName;     /* sender's name */
    LPWSTR CallerNumber;   /* TSID to send */
    LPWSTR ReceiverName;   /* informational */
    LPWSTR ReceiverNumber; /* string to dial */
    BOOL Branding;         /* reserved; once: print a banner on each page */
    HCALL CallHandle;      /* reserved: 0 */
    DWORD Reserved[3];     /* 0 */
} FAX_SEND, *PFAX_SEND;

/* What to receive into: the head of a block of sizeof(FAX_RECEIVE) + FAXDEVRECEIVE_SIZE octets. The string of FileName
 * stands directly behind the struct; the provider puts its two strings behind that. */
typedef struct _FAX_RECEIVE {
    DWORD SizeOfStruct;    /* of the struct without the strings */
    LPWSTR FileName;       /* existing file to fill, full path */
    LPWSTR ReceiverName;   /* out: name of the receiving station */
    LPWSTR ReceiverNumber; /* out: what was sent as CSID */
    DWORD Reserved[4];     /* 0 */
} FAX_RECEIVE, *PFAX_RECEIVE;

/* How a job stands: a posted packet, or the head of the block given to FaxDevReportStatus. Strings stand behind the
 * struct, in the same allocation. */
typedef struct _FAX_DEV_STATUS {
    DWORD SizeOfStruct;
    DWORD StatusId;  /* FS_*, LINEERR_*, or the provider's own */
    DWORD StringId;  /* of the provider's own StatusId only */
    DWORD PageCount; /* current page, counted from 1; 0 = unknown */
    LPWSTR CSI;      /* the far end: its CSID when sending, its TSID when receiving */
    LPWSTR CallerId;
    LPWSTR RoutingInfo; /* canonical-number[|extra] */
    DWORD ErrorCode;    /* Win32 error; NO_ERROR while running and after success */
    DWORD Reserved[3];  /* 0 */
} FAX_DEV_STATUS, *PFAX_DEV_STATUS;

/* Server's, given to FaxDevInitialize; reserved, returns TRUE. */
typedef BOOL(CALLBACK *PFAX_SERVICE_CALLBACK)(HANDLE FaxHandle, DWORD DeviceId, DWORD_PTR Param1, DWORD_PTR Param2,
                                              DWORD_PTR Param3);

/* Provider's, taken from FaxDevInitialize. For a virtual device only: FaxHandle NULL, hDevice its id, dwMessage
 * LINE_DEVSPECIFIC, dwParam1 whether it may receive, dwParam2 whether it may send. */
typedef void(CALLBACK *PFAX_LINECALLBACK)(HANDLE FaxHandle, DWORD hDevice, DWORD dwMessage, DWORD_PTR dwInstance,
                                          DWORD_PTR dwParam1, DWORD_PTR dwParam2, DWORD_PTR dwParam3);

/* Server's, given to FaxDevSend: a provider may tell of its call; FALSE asks it to end the call. */
typedef BOOL(CALLBACK *PFAX_SEND_CALLBACK)(HANDLE FaxHandle, HCALL CallHandle, DWORD Reserved1, DWORD Reserved2);

/* Once, at start. LineAppHandle is 0 without TAPI. HeapHandle is the provider's heap. *LineCallbackFunction: out. */
FSP_EXPORT BOOL WINAPI FaxDevInitialize(HLINEAPP LineAppHandle, HANDLE HeapHandle,
                                        PFAX_LINECALLBACK *LineCallbackFunction,
                                        PFAX_SERVICE_CALLBACK FaxServiceCallback);

/* First call of all, before the heap is known. Out: how many devices, what their names begin with (room for 128 units
 * with the end), the id of the first. Port and key are for rings. */
FSP_EXPORT BOOL WINAPI FaxDevVirtualDeviceCreation(LPDWORD DeviceCount, LPWSTR DeviceNamePrefix, LPDWORD DeviceIdPrefix,
                                                   HANDLE CompletionPort, ULONG_PTR CompletionKey);

/* Begin a job on a device: *FaxHandle (out, not NULL) stands for it until FaxDevEndJob. DeviceId is the index of the
 * device (0-based), or its full id, as the server is configured. */
FSP_EXPORT BOOL WINAPI FaxDevStartJob(HLINE LineHandle, DWORD DeviceId, PHANDLE FaxHandle, HANDLE CompletionPortHandle,
                                      ULONG_PTR CompletionKey);

/* End a job, always called for one that was started. */
FSP_EXPORT BOOL WINAPI FaxDevEndJob(HANDLE FaxHandle);

/* Dial, send, hang up; returns when all is done. TRUE and FS_COMPLETED in FaxDevReportStatus: sent. */
FSP_EXPORT BOOL WINAPI FaxDevSend(HANDLE FaxHandle, PFAX_SEND FaxSend, PFAX_SEND_CALLBACK FaxSendCallback);

/* Answer, receive, hang up; returns when all is done. CallHandle is 0 without TAPI. */
FSP_EXPORT BOOL WINAPI FaxDevReceive(HANDLE FaxHandle, HCALL CallHandle, PFAX_RECEIVE FaxReceive);

/* (NULL, 0, &need) gives the size, (buffer, size, &need) the status; too small: FALSE and ERROR_INSUFFICIENT_BUFFER. */
FSP_EXPORT BOOL WINAPI FaxDevReportStatus(HANDLE FaxHandle, PFAX_DEV_STATUS FaxStatus, DWORD FaxStatusSize,
                                          LPDWORD FaxStatusSizeRequired);

/* Ask the running operation to stop; returns at once, TRUE means that it was asked. */
FSP_EXPORT BOOL WINAPI FaxDevAbortOperation(HANDLE FaxHandle);

/* Never called by faxd: a property page has no place here. */
FSP_EXPORT BOOL WINAPI FaxDevConfigure(HPROPSHEETPAGE *PropSheetPage);

/* Before unloading; the result is only logged. */
FSP_EXPORT HRESULT WINAPI FaxDevShutdown(void);

typedef BOOL(WINAPI *PFAXDEVINITIALIZE)(HLINEAPP, HANDLE, PFAX_LINECALLBACK *, PFAX_SERVICE_CALLBACK);
typedef BOOL(WINAPI *PFAXDEVVIRTUALDEVICECREATION)(LPDWORD, LPWSTR, LPDWORD, HANDLE, ULONG_PTR);
typedef BOOL(WINAPI *PFAXDEVSTARTJOB)(HLINE, DWORD, PHANDLE, HANDLE, ULONG_PTR);
typedef BOOL(WINAPI *PFAXDEVENDJOB)(HANDLE);
typedef BOOL(WINAPI *PFAXDEVSEND)(HANDLE, PFAX_SEND, PFAX_SEND_CALLBACK);
typedef BOOL(WINAPI *PFAXDEVRECEIVE)(HANDLE, HCALL, PFAX_RECEIVE);
typedef BOOL(WINAPI *PFAXDEVREPORTSTATUS)(HANDLE, PFAX_DEV_STATUS, DWORD, LPDWORD);
typedef BOOL(WINAPI *PFAXDEVABORTOPERATION)(HANDLE);
typedef BOOL(WINAPI *PFAXDEVCONFIGURE)(HPROPSHEETPAGE *);
typedef HRESULT(WINAPI *PFAXDEVSHUTDOWN)(void);

/* The layout is the promise: these numbers are those of Windows, where pointers have 8 octets and where they have 4. */
#ifdef __cplusplus
#define FAXDEV_ASSERT static_assert
#else
#define FAXDEV_ASSERT _Static_assert
#endif
#define FAXDEV_SIZE(type, size64, size32)                                                                              \
    FAXDEV_ASSERT(sizeof(type) == (sizeof(void *) == 8 ? (size64) : (size32)), "size of " #type)
#define FAXDEV_AT(type, field, at64, at32)                                                                             \
    FAXDEV_ASSERT(offsetof(type, field) == (sizeof(void *) == 8 ? (at64) : (at32)), "place of " #type "." #field)

FAXDEV_SIZE(WCHAR, 2, 2);
FAXDEV_SIZE(DWORD, 4, 4);
FAXDEV_SIZE(BOOL, 4, 4);
FAXDEV_SIZE(HRESULT, 4, 4);
FAXDEV_SIZE(HCALL, 4, 4);
FAXDEV_SIZE(ULONG_PTR, 8, 4);

FAXDEV_SIZE(FAX_SEND, 72, 44);
FAXDEV_AT(FAX_SEND, SizeOfStruct, 0, 0);
FAXDEV_AT(FAX_SEND, FileName, 8, 4);
FAXDEV_AT(FAX_SEND, CallerName, 16, 8);
FAXDEV_AT(FAX_SEND, CallerNumber, 24, 12);
FAXDEV_AT(FAX_SEND, ReceiverName, 32, 16);
FAXDEV_AT(FAX_SEND, ReceiverNumber, 40, 20);
FAXDEV_AT(FAX_SEND, Branding, 48, 24);
FAXDEV_AT(FAX_SEND, CallHandle, 52, 28);
FAXDEV_AT(FAX_SEND, Reserved, 56, 32);

FAXDEV_SIZE(FAX_RECEIVE, 48, 32);
FAXDEV_AT(FAX_RECEIVE, SizeOfStruct, 0, 0);
FAXDEV_AT(FAX_RECEIVE, FileName, 8, 4);
FAXDEV_AT(FAX_RECEIVE, ReceiverName, 16, 8);
FAXDEV_AT(FAX_RECEIVE, ReceiverNumber, 24, 12);
FAXDEV_AT(FAX_RECEIVE, Reserved, 32, 16);

FAXDEV_SIZE(FAX_DEV_STATUS, 56, 44);
FAXDEV_AT(FAX_DEV_STATUS, SizeOfStruct, 0, 0);
FAXDEV_AT(FAX_DEV_STATUS, StatusId, 4, 4);
FAXDEV_AT(FAX_DEV_STATUS, StringId, 8, 8);
FAXDEV_AT(FAX_DEV_STATUS, PageCount, 12, 12);
FAXDEV_AT(FAX_DEV_STATUS, CSI, 16, 16);
FAXDEV_AT(FAX_DEV_STATUS, CallerId, 24, 20);
FAXDEV_AT(FAX_DEV_STATUS, RoutingInfo, 32, 24);
FAXDEV_AT(FAX_DEV_STATUS, ErrorCode, 40, 28);
FAXDEV_AT(FAX_DEV_STATUS, Reserved, 44, 32);

FAXDEV_SIZE(LINEMESSAGE, 40, 24);
FAXDEV_AT(LINEMESSAGE, hDevice, 0, 0);
FAXDEV_AT(LINEMESSAGE, dwMessageID, 4, 4);
FAXDEV_AT(LINEMESSAGE, dwCallbackInstance, 8, 8);
FAXDEV_AT(LINEMESSAGE, dwParam1, 16, 12);
FAXDEV_AT(LINEMESSAGE, dwParam2, 24, 16);
FAXDEV_AT(LINEMESSAGE, dwParam3, 32, 20);

#ifdef __cplusplus
}
#endif
#endif
