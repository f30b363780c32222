/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks a request along the table of fields and collects every fault, so that a client corrects them in one go. */
#include "web/fax_request.h"

#include "web/fax_field.h"
#include "server/base/log.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 256
#define NEAR_MAX  64

/* Named in the API's plan, not taken by this version: told apart from a mistyped key. */
static const char *const later[] = {
    "cover_page",
    "caller_id",
    "paper",
    "window",
    "route.trunk",
    "route.transport",
    "t30.sid",
    "confirm_to",
    "dedupe_window_s",
    "receipt",
    "webhook_url",
    "retention",
    "header.time_zone",
    "header.show",
    "media_id",
    "url",
    "html",
    "text",
    "pages",
    "header.page_numbers",
};

static bool is_later(const char *path)
{
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        if (strcmp(later[i], path) == 0)
            return true;
    }
    return false;
}

/* True when some field's path begins with "path." */
static bool is_group(const char *path)
{
    size_t length = strlen(path);

    for (const struct field *field = fax_fields; field->path; field++) {
        if (strncmp(field->path, path, length) == 0 && field->path[length] == '.')
            return true;
    }
    return false;
}

/* The names that may stand at a level ("" or "retry."), each once, for "did you mean". Caller frees each. */
static int names_at(char *names[NEAR_MAX], const char *prefix)
{
    size_t length = strlen(prefix);
    int count = 0;

    for (const struct field *field = fax_fields; field->path && count < NEAR_MAX; field++) {
        if (strncmp(field->path, prefix, length) != 0)
            continue;
        const char *name = field->path + length;
        int size = (int)strcspn(name, ".");
        if (count > 0 && (int)strlen(names[count - 1]) == size && strncmp(names[count - 1], name, (size_t)size) == 0)
            continue;
        names[count++] = xasprintf("%.*s", size, name);
    }
    return count;
}

static void unknown_key(const char *key, const char *const *names, int count, const char *pointer,
                        struct problems *problems)
{
    char *near = problem_near(key, names, count);

    problem_add(problems, pointer, "unknown_key", "\"%.60s\" is not a key that is known here%s", key, near);
    free(near);
}

static void unknown_field(const char *prefix, const char *key, const char *path, const char *pointer,
                          struct problems *problems)
{
    char *names[NEAR_MAX];
    int count;

    if (is_later(path)) {
        problem_add(problems, pointer, "not_supported", "\"%s\" is not supported by this version", path);
        return;
    }
    count = names_at(names, prefix);
    unknown_key(key, (const char *const *)names, count, pointer, problems);
    while (count > 0)
        free(names[--count]);
}

/* --- documents --- */

static bool is_tiff(const unsigned char *data, size_t size)
{
    return size >= 8 && (memcmp(data, "II*\0", 4) == 0 || memcmp(data, "MM\0*", 4) == 0 ||
                         memcmp(data, "II+\0", 4) == 0 || memcmp(data, "MM\0+", 4) == 0);
}

static void check_document(const struct fax_request *request, const char *pointer, struct problems *problems)
{
    if (request->size == 0)
        problem_add(problems, pointer, "empty_document", "the document has no octets");
    else if (!is_tiff(request->data, request->size))
        problem_add(problems, pointer, "document_unsupported", "the document is not a TIFF file");
}

static void take_data(struct fax_request *request, const json_t *data, const char *pointer, struct problems *problems)
{
    size_t length = json_string_length(data), room = length / 4 * 3 + 3;

    if (!json_is_string(data)) {
        problem_add(problems, pointer, "wrong_type", "base64 text is needed here");
        return;
    }
    if (request->decoded)
        return; /* a second document, already refused */
    request->decoded = xmalloc(room);
    if (sodium_base642bin(request->decoded, room, json_string_value(data), length, " \r\n\t", &request->size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0) {
        problem_add(problems, pointer, "not_base64", "the document is not base64 (RFC 4648 section 4, with padding)");
        return;
    }
    request->data = request->decoded;
    check_document(request, pointer, problems);
}

static void take_document_key(struct fax_request *request, const char *key, const json_t *value, const char *pointer,
                              struct problems *problems)
{
    static const char *const names[] = {"data", "filename"};

    if (strcmp(key, "data") == 0)
        take_data(request, value, pointer, problems);
    else if (strcmp(key, "filename") == 0 && !json_is_string(value))
        problem_add(problems, pointer, "wrong_type", "text is needed here");
    else if (strcmp(key, "filename") != 0 && is_later(key))
        problem_add(problems, pointer, "not_supported", "\"%s\" is not supported by this version; use data", key);
    else if (strcmp(key, "filename") != 0)
        unknown_key(key, names, 2, pointer, problems);
}

static void take_document(struct fax_request *request, const json_t *document, const char *pointer,
                          struct problems *problems)
{
    const char *key;
    json_t *value;

    if (!json_is_object(document)) {
        problem_add(problems, pointer, "wrong_type", "an object with \"data\" is needed here");
        return;
    }
    json_object_foreach((json_t *)document, key, value)
    {
        char *place = problem_pointer(pointer, key);
        take_document_key(request, key, value, place, problems);
        free(place);
    }
    if (json_object_size(document) == 0)
        problem_add(problems, pointer, "missing", "\"data\" is needed: the document as base64");
}

static void take_documents(struct fax_request *request, const json_t *list, const char *pointer,
                           struct problems *problems)
{
    size_t count = json_array_size(list);

    if (!json_is_array(list) || count == 0) {
        problem_add(problems, pointer, "wrong_type", "a list with one document is needed here");
        return;
    }
    if (count > 1)
        problem_add(problems, pointer, "too_many_documents", "%zu documents; this version sends one document in a fax",
                    count);
    take_document(request, json_array_get(list, 0), "/documents/0", problems);
}

/* --- the walk --- */

static void walk(struct fax_request *request, json_t *object, const char *prefix, const char *pointer,
                 struct problems *problems);

static void walk_key(struct fax_request *request, const char *key, json_t *value, const char *prefix,
                     const char *pointer, struct problems *problems)
{
    char path[PATH_SIZE];
    const struct field *field;
    bool fits = snprintf(path, sizeof path, "%s%s", prefix, key) < (int)sizeof path;

    field = fits && !strchr(key, '.') ? fax_field_find(path) : NULL;
    if (field && field->kind == FIELD_DOCUMENTS) {
        take_documents(request, value, pointer, problems);
    } else if (field) {
        fax_field_take(&request->submit, request->options, field, value, pointer, problems);
    } else if (fits && !strchr(key, '.') && is_group(path)) {
        if (!json_is_object(value)) {
            problem_add(problems, pointer, "wrong_type", "an object is needed here");
            return;
        }
        snprintf(path, sizeof path, "%s%s.", prefix, key);
        walk(request, value, path, pointer, problems);
    } else {
        unknown_field(prefix, key, path, pointer, problems);
    }
}

static void walk(struct fax_request *request, json_t *object, const char *prefix, const char *pointer,
                 struct problems *problems)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        char *place = problem_pointer(pointer, key);
        walk_key(request, key, value, prefix, place, problems);
        free(place);
    }
}

/* What no single field can say. */
static void check_whole(struct fax_request *request, bool has_document, int64_t now_ms, struct problems *problems)
{
    const struct submit_request *submit = &request->submit;

    if (!json_object_get(request->root, "to"))
        problem_add(problems, "/to", "missing", "the number to send to is needed");
    if (!has_document)
        problem_add(problems, "/documents", "missing", "a document is needed");
    if (submit->expires_at && submit->expires_at <= now_ms)
        problem_add(problems, "/expires_at", "in_the_past", "the fax would expire at once");
    if (submit->expires_at && submit->not_before && submit->expires_at <= submit->not_before)
        problem_add(problems, "/expires_at", "before_not_before", "the fax would expire before it may be sent");
}

static void begin(struct fax_request *request, json_t *root)
{
    *request = (struct fax_request){
        .submit = {.priority = FAX_NORMAL, .resume = FAX_RESUME_REMAINING, .on_unconfirmed = FAX_UNCONFIRMED_STOP},
        .root = root,
        .options = json_object(),
    };
    request->submit.options = request->options;
}

void fax_request_from_json(struct fax_request *request, json_t *root, int64_t now_ms, struct problems *problems)
{
    begin(request, root);
    if (!json_is_object(root)) {
        problem_add(problems, "", "wrong_type", "the body has to be a JSON object");
        return;
    }
    walk(request, root, "", "", problems);
    check_whole(request, json_object_get(root, "documents") != NULL, now_ms, problems);
}

/* --- forms --- */

static char *pointer_of_path(const char *path)
{
    char *pointer = problem_pointer("", path);

    for (char *c = pointer; *c; c++) {
        if (*c == '.')
            *c = '/';
    }
    return pointer;
}

/* The innermost object for a dotted name, made on the way; `*name` moves to its last step. NULL when a plain value
 * stands in the way. A map's keys may have dots of their own. */
static json_t *object_for(json_t *root, const char **name)
{
    json_t *object = root;
    const char *dot;

    while ((dot = strchr(*name, '.')) != NULL && !(object != root && json_object_get(root, "metadata") == object)) {
        char step[PATH_SIZE];
        snprintf(step, sizeof step, "%.*s", (int)(dot - *name), *name);
        json_t *inner = json_object_get(object, step);
        if (!inner) {
            inner = json_object();
            json_object_set_new(object, step, inner);
        }
        if (!json_is_object(inner))
            return NULL;
        object = inner;
        *name = dot + 1;
    }
    return object;
}

static bool is_list(const struct field *field)
{
    return field && (field->kind == FIELD_INTS || field->kind == FIELD_WORDS || field->kind == FIELD_TEXTS);
}

static void add_field(json_t *root, const struct multipart_part *part, const char *pointer, struct problems *problems)
{
    const struct field *field = fax_field_find(part->name);
    const char *name = part->name;
    json_t *object, *value = fax_field_from_text(field, part->data, part->size);

    if (!value) {
        problem_add(problems, pointer, "not_utf8", "the field's text is not UTF-8");
        return;
    }
    object = strlen(name) < PATH_SIZE ? object_for(root, &name) : NULL;
    if (!object) {
        problem_add(problems, pointer, "wrong_type", "a plain value and nested ones are given for the same name");
        json_decref(value);
    } else if (is_list(field)) {
        json_t *list = json_object_get(object, name);
        if (!list) {
            list = json_array();
            json_object_set_new(object, name, list);
        }
        json_array_append_new(list, value);
    } else if (json_object_get(object, name)) {
        problem_add(problems, pointer, "twice", "the field is given twice");
        json_decref(value);
    } else {
        json_object_set_new(object, name, value);
    }
}

static void add_file(struct fax_request *request, const struct multipart_part *part, const char *pointer,
                     struct problems *problems)
{
    static const char *const names[] = {"file"};

    if (strcmp(part->name, "file") != 0 && strcmp(part->name, "document") != 0 &&
        strcmp(part->name, "documents") != 0) {
        unknown_key(part->name, names, 1, pointer, problems);
    } else if (request->data) {
        problem_add(problems, pointer, "too_many_documents", "a second file; this version sends one document in a fax");
    } else {
        request->data = part->data;
        request->size = part->size;
        check_document(request, pointer, problems);
    }
}

static bool is_file(const struct multipart_part *part)
{
    return part->filename || strcmp(part->name, "file") == 0;
}

void fax_request_from_form(struct fax_request *request, const struct multipart *form, int64_t now_ms,
                           struct problems *problems)
{
    begin(request, json_object());
    for (int i = 0; i < form->count; i++) {
        const struct multipart_part *part = &form->parts[i];
        char *pointer = pointer_of_path(part->name);
        if (is_file(part))
            add_file(request, part, pointer, problems);
        else
            add_field(request->root, part, pointer, problems);
        free(pointer);
    }
    walk(request, request->root, "", "", problems);
    check_whole(request, request->data || json_object_get(request->root, "documents"), now_ms, problems);
}

void fax_request_clear(struct fax_request *request)
{
    json_decref(request->root);
    json_decref(request->options);
    free(request->decoded);
    *request = (struct fax_request){0};
}
