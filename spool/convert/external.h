/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents that another program turns into PDF: PostScript by Ghostscript, office documents by LibreOffice.
 *
 * Thread: the only one of its process.
 */
#ifndef FAXD_CONVERT_EXTERNAL_H
#define FAXD_CONVERT_EXTERNAL_H

#include <jansson.h>

#include "server/base/sandbox.h"

/* Run `argv` (array of texts, the program's absolute path first) in a sandbox of its own and in a private folder made
 * below `folder` and removed afterwards, which is its HOME, its TMPDIR and where it starts. "{input}" and "{folder}" in
 * an argument are replaced; it has to leave "{folder}/input.pdf", which is copied to `output` (empty). After `wall_s`
 * or on SIGTERM the program and all that it started are ended. 0; ERR_INVALID when the program says that it cannot, or
 * leaves nothing (the message has its last words); ERR_IO when it cannot be run. */
int external_convert(int input, int output, const json_t *argv, const char *folder, const struct sandbox_limits *limits,
                     unsigned wall_s);

#endif
