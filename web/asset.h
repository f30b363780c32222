/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files built into the program: the pages and the description of the API.
 *
 * Thread: loop (asset_tag remembers), else any.
 */
#ifndef FAXD_WEB_ASSET_H
#define FAXD_WEB_ASSET_H

struct asset {
    const char *path; /* where it is served */
    const char *type; /* of its content */
    const char *begin, *end;
};

/* The file served at `path`, or NULL. */
const struct asset *asset_find(const char *path);

/* A name for its content: changes with every octet of it. Valid for good. */
const char *asset_tag(const struct asset *asset);

/* First octet and the one past the last. */
extern const char asset_openapi_json[], asset_openapi_json_end[];

#endif
