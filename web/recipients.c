/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each recipient is an object of its own: a number, and what its fax has of its own. Numbers are compared as lines dial
 * them, so that no spelling hides that a number is there twice.
 */
#include "web/recipients.h"

#include "spool/batch.h"
#include "spool/submit.h"
#include "web/fax_field.h"
#include "web/fax_request.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct recipients *recipients;
    size_t room;
    json_t *line; /* of the recipient that is read */
    struct problems *problems;
};

static void add_line(struct reader *reader)
{
    struct recipients *recipients = reader->recipients;
    size_t length = json_dumpb(reader->line, NULL, 0, JSON_COMPACT);

    if (recipients->size + length + 1 > reader->room) {
        reader->room = 2 * (recipients->size + length + 1);
        recipients->lines = xrealloc(recipients->lines, reader->room);
    }
    json_dumpb(reader->line, recipients->lines + recipients->size, length, JSON_COMPACT);
    recipients->lines[recipients->size + length] = '\n';
    recipients->size += length + 1;
    recipients->count++;
}

void recipients_take_number(struct recipients *recipients, const char *number, int index, const char *pointer,
                            struct problems *problems)
{
    json_t *before = json_object_get(recipients->places, number);

    if (before)
        problem_add(problems, pointer, "twice", "the number is there already: /recipients/%d",
                    (int)json_integer_value(before));
    else
        json_object_set_new(recipients->places, number, json_integer(index));
}

/* Looked up later, by whom the store belongs to. */
static void take_contact(struct reader *reader, const char *to, const char *pointer, int index)
{
    struct recipients *recipients = reader->recipients;

    if (!recipients->contacts)
        recipients->contacts = json_array();
    if (json_array_size(recipients->contacts) >= RECIPIENTS_CONTACTS_MAX)
        problem_add(reader->problems, pointer, "too_many", "at most %d recipients can be named by the id of a contact",
                    RECIPIENTS_CONTACTS_MAX);
    else
        json_array_append_new(recipients->contacts, json_pack("[s, i]", strchr(to, ':') + 1, index));
    json_object_set_new(reader->line, "to", json_string(to));
}

static void take_number(struct reader *reader, json_t *value, const char *pointer, int index)
{
    struct submit_request fields = {0};
    char number[NUMBER_SIZE];

    fax_field_take(&fields, NULL, fax_field_find("to"), value, pointer, reader->problems);
    if (fields.to && fax_field_is_contact(fields.to)) {
        take_contact(reader, fields.to, pointer, index);
    } else if (fields.to && number_normalise(number, fields.to) == 0) {
        recipients_take_number(reader->recipients, number, index, pointer, reader->problems);
        json_object_set_new(reader->line, "to", json_string(number));
    }
}

static void count_fields(struct reader *reader, const json_t *fields)
{
    json_t *counts = reader->recipients->field_counts, *value;
    const char *name;

    json_object_foreach((json_t *)fields, name, value)
        json_object_set_new(counts, name, json_integer(json_integer_value(json_object_get(counts, name)) + 1));
}

static void take_cover(struct reader *reader, json_t *cover, const char *pointer)
{
    json_t *given = json_object_get(cover, "fields"), *fields = json_object();

    if (!json_is_object(cover) || !given || json_object_size(cover) != 1) {
        problem_add(reader->problems, pointer, "wrong_type",
                    "an object with \"fields\" alone is needed here: the cover page is the same for all");
    } else {
        char *place = problem_pointer(pointer, "fields");
        fax_request_cover_fields(fields, given, place, reader->problems);
        free(place);
        count_fields(reader, fields);
        if (json_object_size(fields) > 0)
            json_object_set(reader->line, "fields", fields);
    }
    json_decref(fields);
}

static void take_member(struct reader *reader, const char *name, json_t *value, const char *pointer, int index)
{
    static const char *const names[] = {"to", "cover_page", "client_reference", "metadata"};
    struct submit_request fields = {0};
    int before = reader->problems->count;

    if (strcmp(name, "to") == 0) {
        take_number(reader, value, pointer, index);
    } else if (strcmp(name, "cover_page") == 0) {
        take_cover(reader, value, pointer);
    } else if (strcmp(name, "client_reference") == 0 || strcmp(name, "metadata") == 0) {
        fax_field_take(&fields, NULL, fax_field_find(name), value, pointer, reader->problems);
        if (reader->problems->count == before)
            json_object_set(reader->line, name, value);
    } else {
        char *near = problem_near(name, names, 4);
        problem_add(reader->problems, pointer, "unknown_key", "\"%.60s\" is not a key that is known here%s", name,
                    near);
        free(near);
    }
}

static void take_recipient(struct reader *reader, json_t *recipient, const char *pointer, int index)
{
    const char *name;
    json_t *value;

    if (!json_is_object(recipient)) {
        problem_add(reader->problems, pointer, "wrong_type", "an object with \"to\" is needed here");
        return;
    }
    reader->line = json_object();
    json_object_foreach(recipient, name, value)
    {
        char *place = problem_pointer(pointer, name);
        take_member(reader, name, value, place, index);
        free(place);
    }
    if (!json_object_get(recipient, "to"))
        problem_add(reader->problems, pointer, "missing", "the number to send to is needed: \"to\"");
    add_line(reader);
    json_decref(reader->line);
}

struct recipients *recipients_read(json_t *list, const char *pointer, struct problems *problems)
{
    struct reader reader = {.recipients = xcalloc(1, sizeof(struct recipients)), .problems = problems};
    size_t count = json_array_size(list), index;
    json_t *recipient;

    reader.recipients->field_counts = json_object();
    reader.recipients->places = json_object();
    if (!json_is_array(list) || count == 0 || count > BATCH_RECIPIENTS_MAX) {
        problem_add(problems, pointer, json_is_array(list) ? "wrong_count" : "wrong_type",
                    "a list of 1 to %d recipients is needed here", BATCH_RECIPIENTS_MAX);
        return reader.recipients;
    }
    json_array_foreach(list, index, recipient)
    {
        char place[64];
        snprintf(place, sizeof place, "%.20s/%zu", pointer, index);
        take_recipient(&reader, recipient, place, (int)index);
    }
    return reader.recipients;
}

void recipients_free(struct recipients *recipients)
{
    if (!recipients)
        return;
    json_decref(recipients->field_counts);
    json_decref(recipients->places);
    json_decref(recipients->contacts);
    free(recipients->lines);
    free(recipients);
}
