/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds a body to jansson piece by piece: no second copy of a large base64 text is made, and depth and number of values
 * are counted before jansson sees them (it recurses, and takes some sixty octets for a value that took two). */
#include "web/json_body.h"

#include "server/base/err.h"
#include "server/base/str.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct feed {
    struct evbuffer *body;
    int depth, values, values_max;
    bool in_text, escaped;
    const char *too_big; /* why it was cut */
};

static void count_octet(struct feed *feed, char c)
{
    switch (c) {
    case '"':
        feed->in_text = true;
        break;
    case '[':
    case '{':
        feed->values++;
        if (++feed->depth > JSON_BODY_DEPTH)
            feed->too_big = "nested too deeply";
        break;
    case ']':
    case '}':
        feed->depth--;
        break;
    case ',':
    case ':':
        feed->values++;
        break;
    }
    if (feed->values > feed->values_max)
        feed->too_big = "too many values";
}

/* Inside a text: on to its end, quickly, since nearly all of a large body is base64. Returns what was passed. */
static size_t pass_text(struct feed *feed, const char *octets, size_t size)
{
    size_t at = 0;

    while (at < size && feed->in_text) {
        if (feed->escaped)
            feed->escaped = false;
        else if (octets[at] == '\\')
            feed->escaped = true;
        else if (octets[at] == '"')
            feed->in_text = false;
        at++;
    }
    return at;
}

static size_t give(void *buffer, size_t room, void *context)
{
    struct feed *feed = context;
    int got = feed->too_big ? 0 : evbuffer_remove(feed->body, buffer, room);
    const char *octets = buffer;

    if (got <= 0)
        return 0;
    for (size_t at = 0; at < (size_t)got && !feed->too_big;) {
        if (feed->in_text)
            at += pass_text(feed, octets + at, (size_t)got - at);
        else
            count_octet(feed, octets[at++]);
    }
    return feed->too_big ? 0 : (size_t)got;
}

static int parse(json_t **root, struct json_fault *fault, struct evbuffer *body, int values_max)
{
    struct feed feed = {.body = body, .values_max = values_max};
    json_error_t error;

    memset(fault, 0, sizeof *fault);
    *root = json_load_callback(give, &feed, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (*root && !feed.too_big)
        return 0;
    json_decref(*root);
    *root = NULL;
    if (feed.too_big) {
        snprintf(fault->detail, sizeof fault->detail, "the JSON body is too large a tree: %s", feed.too_big);
        return err_set(ERR_TOO_BIG, "%s", fault->detail);
    }
    str_copy(fault->detail, sizeof fault->detail, error.text);
    fault->line = error.line;
    fault->column = error.column;
    return err_set(ERR_INVALID, "line %d, column %d: %s", error.line, error.column, error.text);
}

int json_body_parse(json_t **root, struct json_fault *fault, struct evbuffer *body)
{
    return parse(root, fault, body, JSON_BODY_VALUES);
}

int json_body_parse_many(json_t **root, struct json_fault *fault, struct evbuffer *body)
{
    return parse(root, fault, body, JSON_BODY_MANY);
}
