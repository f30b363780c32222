/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request's body as JSON, under limits that keep a small body from becoming a large tree.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_WEB_JSON_BODY_H
#define FAXD_WEB_JSON_BODY_H

#include <event2/buffer.h>
#include <jansson.h>

#define JSON_BODY_DEPTH  16     /* nested arrays and objects */
#define JSON_BODY_VALUES 4096   /* commas, colons and brackets outside of texts */
#define JSON_BODY_MANY   600000 /* the same of a body that lists thousands of things */

struct json_fault {
    char detail[256];
    int line, column; /* from 1; 0 = of the whole body */
};

/* Parses and drains `body`. 0 and a new reference in `*root`; ERR_INVALID (not JSON, a key twice) or ERR_TOO_BIG
 * (nested too deeply, too many values) and `*fault`. */
int json_body_parse(json_t **root, struct json_fault *fault, struct evbuffer *body);

/* The same for a body of JSON_BODY_MANY values: not on the loop, unless it is short. */
int json_body_parse_many(json_t **root, struct json_fault *fault, struct evbuffer *body);

#endif
