/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FSP sources include this name; see win32.h for what there is. */
#ifndef FAXD_WINBASE_H
#define FAXD_WINBASE_H
#include "win32.h"
#endif
