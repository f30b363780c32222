/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last error of plug-in calls, one cell for each thread. The host clears it before each call and reads it after. */
#include "plugins/include/win32.h"

static _Thread_local DWORD last_error;

DWORD WINAPI GetLastError(void)
{
    return last_error;
}

void WINAPI SetLastError(DWORD code)
{
    last_error = code;
}
