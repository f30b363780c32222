/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a template of a cover page may not have, though nothing of it would be obeyed when it is drawn: who stores one
 * is told at once, and what others get to see is a plain drawing.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_COVER_CHECK_H
#define FAXD_CONVERT_COVER_CHECK_H

#include <libxml/tree.h>

/* 0; ERR_INVALID and a message that names the element: scripts, references to anything outside of the drawing, style
 * sheets from elsewhere, an encoding other than UTF-8. */
int cover_check(const xmlDoc *document);

#endif
