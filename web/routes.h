/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything that the web part answers, as one table.
 *
 * Thread: any (constant).
 */
#ifndef FAXD_WEB_ROUTES_H
#define FAXD_WEB_ROUTES_H

#include "web/route.h"

/* Ends with method NULL. */
extern const struct route routes[];

#endif
