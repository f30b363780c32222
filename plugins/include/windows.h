/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FSP sources include this name; see win32.h for what there is. */
#ifndef FAXD_WINDOWS_H
#define FAXD_WINDOWS_H
#include "win32.h"
#endif
