/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A document that `fax send` sends. A file is read while it is sent; what can be read only once (standard input, a
 * pipe, a device) is read into memory first, since a request that is tried again sends it again.
 *
 * Thread: any.
 */
#ifndef FAXD_CLI_SOURCE_H
#define FAXD_CLI_SOURCE_H

#include <curl/curl.h>
#include <stddef.h>

#define SOURCE_MEMORY_MAX (64 << 20) /* octets kept of what can be read only once */

struct source {
    const char *path; /* borrowed */
    char *octets;     /* NULL: a file that can be read again */
    size_t size;
};

/* Look at `path` ("-" is standard input), and read it when that can be done only once. Returns an exit status
 * (verdict.h) and has said why when it is not 0. Closed with source_close() in either case. */
int source_open(struct source *source, const char *path);
void source_close(struct source *source);

/* Add it to `form` as another part "file"; it must stay open until the form has been sent. Nonzero when that fails. */
int source_add(const struct source *source, curl_mime *form);

#endif
