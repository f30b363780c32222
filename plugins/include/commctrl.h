/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faxdev.h needs this header for one type, which only FaxDevConfigure uses (and no Linux host calls that). */
#ifndef FAXD_COMMCTRL_H
#define FAXD_COMMCTRL_H
#include "win32.h"
typedef struct _PSP *HPROPSHEETPAGE;
#endif
