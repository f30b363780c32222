/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields and files, and the form made of them. */
#include "config.h"

#include "contrib/common/order.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "web/cli/client.h"

#define DEPTH_MAX 4

bool order_has(const struct order *order, const char *name)
{
    for (int i = 0; i < order->field_count; i++) {
        if (strcmp(order->fields[i].name, name) == 0)
            return true;
    }
    return false;
}

static void take_away(struct order *order, const char *name)
{
    int kept = 0;
    for (int i = 0; i < order->field_count; i++) {
        struct order_field *field = &order->fields[i];
        if (strcmp(field->name, name) != 0) {
            order->fields[kept++] = *field;
            continue;
        }
        free(field->name);
        free(field->value);
    }
    order->field_count = kept;
}

void order_add(struct order *order, const char *name, const char *value)
{
    order->fields = xrealloc(order->fields, (size_t)(order->field_count + 1) * sizeof *order->fields);
    order->fields[order->field_count++] = (struct order_field){xstrdup(name), xstrdup(value)};
}

void order_set(struct order *order, const char *name, const char *value)
{
    take_away(order, name);
    if (value != NULL && value[0] != '\0')
        order_add(order, name, value);
}

int order_add_pair(struct order *order, const char *pair)
{
    size_t length = strcspn(pair, "=");
    if (length == 0 || pair[length] == '\0')
        return err_set(ERR_INVALID, "\"%s\" is not KEY=VALUE", pair);
    char *name = xasprintf("%.*s", (int)length, pair);
    order_add(order, name, pair + length + 1);
    free(name);
    return 0;
}

/* A plain value as a form has it. The caller frees; NULL = it is none. */
static char *text_of(const json_t *value)
{
    if (json_is_string(value))
        return strlen(json_string_value(value)) == json_string_length(value) ? xstrdup(json_string_value(value)) : NULL;
    if (json_is_integer(value))
        return xasprintf("%lld", (long long)json_integer_value(value));
    if (json_is_real(value))
        return xasprintf("%.17g", json_real_value(value));
    if (json_is_boolean(value))
        return xstrdup(json_is_true(value) ? "true" : "false");
    return NULL;
}

static int set_plain(struct order *order, const char *name, const json_t *value, bool more)
{
    char *text = text_of(value);
    if (text == NULL)
        return err_set(ERR_INVALID, "%s: neither text nor number nor true nor false", name);
    if (more)
        order_add(order, name, text);
    else
        order_set(order, name, text);
    free(text);
    return 0;
}

static int set_list(struct order *order, const char *name, const json_t *list)
{
    size_t index;
    json_t *value;
    int error = 0;
    take_away(order, name);
    json_array_foreach(list, index, value)
    {
        if (error == 0)
            error = set_plain(order, name, value, true);
    }
    return error;
}

static int set_object(struct order *order, const char *prefix, const json_t *object, int depth)
{
    const char *key;
    json_t *value;
    int error = 0;
    if (depth == DEPTH_MAX)
        return err_set(ERR_INVALID, "%s: too many objects in each other", prefix);
    json_object_foreach((json_t *)object, key, value)
    {
        char *name = prefix != NULL ? xasprintf("%s.%s", prefix, key) : xstrdup(key);
        if (json_is_object(value))
            error = set_object(order, name, value, depth + 1);
        else if (json_is_array(value))
            error = set_list(order, name, value);
        else if (json_is_null(value))
            take_away(order, name);
        else
            error = set_plain(order, name, value, false);
        free(name);
        if (error != 0)
            return error;
    }
    return 0;
}

int order_set_json(struct order *order, const json_t *request)
{
    if (!json_is_object(request))
        return err_set(ERR_INVALID, "it is no JSON object");
    if (json_object_get(request, "documents") != NULL)
        return err_set(ERR_INVALID, "documents: the file beside it is the document");
    return set_object(order, NULL, request, 0);
}

void order_file(struct order *order, const char *path, const char *name)
{
    order->files = xrealloc(order->files, (size_t)(order->file_count + 1) * sizeof *order->files);
    order->files[order->file_count++] = (struct order_file){xstrdup(path), xstrdup(name)};
}

static int fill(curl_mime *form, void *context)
{
    const struct order *order = context;
    for (int i = 0; i < order->field_count; i++) {
        curl_mimepart *part = curl_mime_addpart(form);
        if (part == NULL || curl_mime_name(part, order->fields[i].name) != CURLE_OK ||
            curl_mime_data(part, order->fields[i].value, CURL_ZERO_TERMINATED) != CURLE_OK)
            return 1;
    }
    for (int i = 0; i < order->file_count; i++) {
        curl_mimepart *part = curl_mime_addpart(form);
        if (part == NULL || curl_mime_name(part, "file") != CURLE_OK ||
            curl_mime_type(part, "application/octet-stream") != CURLE_OK ||
            curl_mime_filedata(part, order->files[i].path) != CURLE_OK ||
            curl_mime_filename(part, order->files[i].name) != CURLE_OK)
            return 1;
    }
    return 0;
}

int order_send(json_t **fax, struct client *client, struct order *order, const char *idempotency_key)
{
    return client_post_form(fax, client, "/v1/faxes", idempotency_key, fill, order);
}

void order_clear(struct order *order)
{
    for (int i = 0; i < order->field_count; i++) {
        free(order->fields[i].name);
        free(order->fields[i].value);
    }
    for (int i = 0; i < order->file_count; i++) {
        free(order->files[i].path);
        free(order->files[i].name);
    }
    free(order->fields);
    free(order->files);
    *order = (struct order){0};
}
