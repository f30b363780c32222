/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request's body as JSON, under limits that keep a small body from becoming a large tree.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_WEB_JSON_BODY_H
#define FAXD_WEB_JSON_BODY_H

#include <event2/buffer.h>
#include <jansson.h>

#define JSON_BODY_DEPTH  16   /* nested arrays and objects */
#define JSON_BODY_VALUES 4096 /* commas, colons and brackets outside of texts */

struct json_fault {
    char detail[256];
    int line, column; /* from 1; 0 = of the whole body */
};

/* Parses and drains `body`. 0 and a new reference in `*root`; ERR_INVALID (not JSON, a key twice) or ERR_TOO_BIG
 * (nested too deeply, too many values) and `*fault`. */
int json_body_parse(json_t **root, struct json_fault *fault, struct evbuffer *body);

#endif
