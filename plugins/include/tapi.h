/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the FSP interface uses of TAPI: three handle types, the ring message, and message numbers. */
#ifndef FAXD_TAPI_H
#define FAXD_TAPI_H

#include "win32.h"

/* 32 bits on every architecture, also where pointers have 64. */
typedef DWORD HCALL, HLINE, HLINEAPP;

#define LINE_CALLSTATE    2L
#define LINE_CLOSE        3L
#define LINE_DEVSPECIFIC  4L
#define LINE_LINEDEVSTATE 8L
#define LINE_REPLY        12L
#define LINE_CREATE       19L
#define LINE_REMOVE       25L

#define LINEDEVSTATE_OTHER   0x00000001 /* faxdext.h: the provider's state has changed */
#define LINEDEVSTATE_RINGING 0x00000002

/* A ring on a virtual device, or a change of the provider's state: posted to the port of FaxDevVirtualDeviceCreation,
 * freed by the host. */
typedef struct linemessage_tag {
    DWORD hDevice; /* DeviceIdPrefix + index */
    DWORD dwMessageID;
    DWORD_PTR dwCallbackInstance;
    DWORD_PTR dwParam1; /* LINEDEVSTATE_* */
    DWORD_PTR dwParam2;
    DWORD_PTR dwParam3;
} LINEMESSAGE, *LPLINEMESSAGE;

#endif
