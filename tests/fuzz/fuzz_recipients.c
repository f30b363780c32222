/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: any octets as the JSON list of a batch's recipients. */
#include "config.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/number.h"
#include "web/json_body.h"
#include "web/recipients.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A line is what spool/batch_run reads without a further look. */
static void check_line(const char *text, size_t length, json_t *numbers, json_t *counts)
{
    json_t *line = json_loadb(text, length, 0, NULL), *value;
    const char *to = json_string_value(json_object_get(line, "to")), *name;
    const json_t *reference = json_object_get(line, "client_reference");
    char number[NUMBER_SIZE];
    if (!to || number_normalise(number, to) != 0 || strcmp(number, to) != 0 || json_object_get(numbers, to))
        abort();
    if ((reference && !json_is_string(reference)) ||
        (json_object_get(line, "metadata") && !json_is_object(json_object_get(line, "metadata"))))
        abort();
    json_object_foreach(json_object_get(line, "fields"), name, value)
    {
        json_int_t before = json_integer_value(json_object_get(counts, name));
        if (!json_is_string(value))
            abort();
        json_object_set_new(counts, name, json_integer(before + 1));
    }
    json_object_set_new(numbers, to, json_true());
    json_decref(line);
}

static void check(const struct recipients *recipients, size_t given)
{
    json_t *numbers = json_object(), *counts = json_object();
    int lines = 0;
    for (size_t at = 0; at < recipients->size; lines++) {
        const char *end = memchr(recipients->lines + at, '\n', recipients->size - at);
        if (!end)
            abort();
        check_line(recipients->lines + at, (size_t)(end - recipients->lines) - at, numbers, counts);
        at = (size_t)(end - recipients->lines) + 1;
    }
    if (lines != recipients->count || (size_t)lines != given || !json_equal(counts, recipients->field_counts))
        abort();
    json_decref(counts);
    json_decref(numbers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct evbuffer *body = evbuffer_new();
    struct problems problems = {0};
    struct json_fault fault;
    json_t *root;
    evbuffer_add(body, data, size);
    if (json_body_parse(&root, &fault, body) == 0) {
        json_t *list = json_object_get(root, "recipients");
        struct recipients *recipients = recipients_read(list, "/recipients", &problems);
        if (!problem_any(&problems))
            check(recipients, json_array_size(list));
        json_t *document = problem_json(422, "validation", "", "/v1/batches", "req_1", &problems);
        char *text = json_dumps(document, 0);
        if (!text)
            abort(); /* whatever a client sends, its faults can be told */
        free(text);
        json_decref(document);
        recipients_free(recipients);
        json_decref(root);
    }
    problem_clear(&problems);
    evbuffer_free(body);
    return 0;
}
