/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fax that is to be sent: fields of POST /v1/faxes and documents, as the form that web/cli/client.h posts.
 *
 * Thread: one.
 */
#ifndef FAXD_CONTRIB_ORDER_H
#define FAXD_CONTRIB_ORDER_H

#include <jansson.h>
#include <stdbool.h>

struct client;

struct order {
    struct order_field {
        char *name, *value;
    } * fields;
    struct order_file {
        char *path, *name; /* opened anew for each try; what it is called */
    } * files;
    int field_count, file_count;
};

/* Set a field by its dotted name in place of what it was; "" or NULL takes it away. A list's field is added once more
 * with order_add. All texts are copied. */
void order_set(struct order *order, const char *name, const char *value);
void order_add(struct order *order, const char *name, const char *value);
bool order_has(const struct order *order, const char *name);

/* "KEY=VALUE" as order_add; ERR_INVALID when it is not of that form. */
int order_add_pair(struct order *order, const char *pair);

/* Every field of a request's JSON in place of those of the same name. ERR_INVALID names what no form can hold:
 * documents, lists of objects, texts that are no text. */
int order_set_json(struct order *order, const json_t *request);

void order_file(struct order *order, const char *path, const char *name);

/* POST /v1/faxes. `*fax` gets the fax object, the caller frees. Returns what client_post_form does (web/cli/verdict.h).
 */
int order_send(json_t **fax, struct client *client, struct order *order, const char *idempotency_key);

void order_clear(struct order *order);

#endif
