/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Constants of the fax client API that FSP sources sometimes mention. They are no part of the FSP interface: in
 * particular FPS_INITIALIZING is not FS_INITIALIZING. Providers are registered in faxd's configuration, so the
 * functions of this header's Windows namesake do not exist here. */
#ifndef FAXD_WINFAX_H
#define FAXD_WINFAX_H

#include "win32.h"

/* state of a port */
#define FPS_DIALING          0x20000001
#define FPS_SENDING          0x20000002
#define FPS_RECEIVING        0x20000004
#define FPS_COMPLETED        0x20000008
#define FPS_HANDLED          0x20000010
#define FPS_UNAVAILABLE      0x20000020
#define FPS_BUSY             0x20000040
#define FPS_NO_ANSWER        0x20000080
#define FPS_BAD_ADDRESS      0x20000100
#define FPS_NO_DIAL_TONE     0x20000200
#define FPS_DISCONNECTED     0x20000400
#define FPS_FATAL_ERROR      0x20000800
#define FPS_NOT_FAX_CALL     0x20001000
#define FPS_CALL_DELAYED     0x20002000
#define FPS_CALL_BLACKLISTED 0x20004000
#define FPS_INITIALIZING     0x20008000
#define FPS_OFFLINE          0x20010000
#define FPS_RINGING          0x20020000
#define FPS_AVAILABLE        0x20100000
#define FPS_ABORTING         0x20200000
#define FPS_ROUTING          0x20400000
#define FPS_ANSWERED         0x20800000

/* what a port is for */
#define FPF_RECEIVE 0x00000001
#define FPF_SEND    0x00000002
#define FPF_VIRTUAL 0x00000004

/* what a job is */
#define JT_UNKNOWN      0
#define JT_SEND         1
#define JT_RECEIVE      2
#define JT_ROUTING      3
#define JT_FAIL_RECEIVE 4

#endif
