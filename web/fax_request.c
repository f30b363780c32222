/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks a request along the table of fields and collects every fault, so that a client corrects them in one go. */
#include "web/fax_request.h"

#include "web/fax_field.h"
#include "web/recipients.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/media_type.h"
#include "server/base/page_range.h"
#include "server/base/str.h"
#include "server/base/time_zone.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 256
#define NEAR_MAX  64

#define PASSWORD_MAX   127
#define COVER_KEYS_MAX 50
#define COVER_KEY_MAX  60
#define COVER_TEXT_MAX 4000

/* Named in the API's plan, not taken by this version: told apart from a mistyped key. */
static const char *const later[] = {"window",      "route.trunk",     "route.transport", "t30.sid",  "confirm_to",
                                    "webhook_url", "dedupe_window_s", "retention",       "media_id", "url",
                                    "html"};

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

static struct fax_request_document *new_document(struct fax_request *request, const char *pointer,
                                                 struct problems *problems)
{
    struct fax_request_document *document;

    if (request->document_count == FAX_REQUEST_DOCUMENTS) {
        problem_add(problems, pointer, "too_many_documents", "a fax is made of at most %d documents",
                    FAX_REQUEST_DOCUMENTS);
        return NULL;
    }
    document = &request->documents[request->document_count++];
    *document = (struct fax_request_document){.info = json_object()};
    str_copy(document->pointer, sizeof document->pointer, pointer);
    return document;
}

/* Its octets are there: what are they? */
static void check_document(struct fax_request_document *document, const char *pointer, struct problems *problems)
{
    enum media_type type = media_type_of(document->data, document->size);

    if (document->size == 0)
        problem_add(problems, pointer, "empty_document", "the document has no octets");
    else if (type == MEDIA_UNKNOWN)
        problem_add(problems, pointer, "document_unsupported",
                    "the document is of no type that can be faxed: PDF, text, TIFF, JPEG, PNG, GIF, BMP, WebP, HEIC, "
                    "SVG, PostScript and office documents can");
    else if (type == MEDIA_POSTSCRIPT || type == MEDIA_OFFICE)
        json_object_set_new(document->info, "type", json_string(media_type_name(type)));
}

static void take_data(struct fax_request_document *document, const json_t *data, const char *pointer,
                      struct problems *problems)
{
    size_t length = json_string_length(data), room = length / 4 * 3 + 3;

    if (!json_is_string(data)) {
        problem_add(problems, pointer, "wrong_type", "base64 text is needed here");
        return;
    }
    free(document->decoded);
    document->decoded = xmalloc(room);
    if (sodium_base642bin(document->decoded, room, json_string_value(data), length, " \r\n\t", &document->size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0) {
        problem_add(problems, pointer, "not_base64", "the document is not base64 (RFC 4648 section 4, with padding)");
        return;
    }
    document->data = document->decoded;
    check_document(document, pointer, problems);
}

static void take_text(struct fax_request_document *document, const json_t *text, const char *pointer,
                      struct problems *problems)
{
    if (!json_is_string(text)) {
        problem_add(problems, pointer, "wrong_type", "text is needed here");
        return;
    }
    document->data = json_string_value(text);
    document->size = json_string_length(text);
    check_document(document, pointer, problems);
}

static void take_pages(struct fax_request_document *document, json_t *pages, const char *pointer,
                       struct problems *problems)
{
    struct page_range range;

    if (!json_is_string(pages))
        problem_add(problems, pointer, "wrong_type", "text like \"1-3,7\" is needed here");
    else if (page_range_parse(&range, json_string_value(pages)) < 0)
        problem_add(problems, pointer, "invalid_pages", "%s", err_message());
    else if (range.count > 0)
        json_object_set(document->info, "pages", pages);
}

static void take_password(struct fax_request_document *document, json_t *password, const char *pointer,
                          struct problems *problems)
{
    if (!json_is_string(password))
        problem_add(problems, pointer, "wrong_type", "text is needed here");
    else if (json_string_length(password) > PASSWORD_MAX)
        problem_add(problems, pointer, "too_long", "a password has at most %d octets", PASSWORD_MAX);
    else if (json_string_length(password) > 0)
        json_object_set(document->info, "password", password);
}

static void take_document_key(struct fax_request_document *document, const char *key, json_t *value,
                              const char *pointer, struct problems *problems)
{
    static const char *const names[] = {"data", "text", "pages", "password", "filename"};

    if (strcmp(key, "data") == 0)
        take_data(document, value, pointer, problems);
    else if (strcmp(key, "text") == 0)
        take_text(document, value, pointer, problems);
    else if (strcmp(key, "pages") == 0)
        take_pages(document, value, pointer, problems);
    else if (strcmp(key, "password") == 0)
        take_password(document, value, pointer, problems);
    else if (strcmp(key, "filename") == 0 && !json_is_string(value))
        problem_add(problems, pointer, "wrong_type", "text is needed here");
    else if (strcmp(key, "filename") != 0 && is_later(key))
        problem_add(problems, pointer, "not_supported", "\"%s\" is not supported by this version; use data", key);
    else if (strcmp(key, "filename") != 0)
        unknown_key(key, names, 5, pointer, problems);
}

static void take_document(struct fax_request *request, json_t *item, const char *pointer, struct problems *problems)
{
    struct fax_request_document *document;
    int before = problems->count;
    const char *key;
    json_t *value;

    if (!json_is_object(item)) {
        problem_add(problems, pointer, "wrong_type", "an object with \"data\" is needed here");
        return;
    }
    document = new_document(request, pointer, problems);
    if (!document)
        return;
    json_object_foreach(item, key, value)
    {
        char *place = problem_pointer(pointer, key);
        take_document_key(document, key, value, place, problems);
        free(place);
    }
    if (problems->count == before && !json_object_get(item, "data") == !json_object_get(item, "text"))
        problem_add(problems, pointer, "missing", "either \"data\", the document as base64, or \"text\" is needed");
}

static void take_documents(struct fax_request *request, const json_t *list, const char *pointer,
                           struct problems *problems)
{
    size_t count = json_array_size(list);

    if (!json_is_array(list) || count == 0) {
        problem_add(problems, pointer, "wrong_type", "a list of documents is needed here");
        return;
    }
    if (count > FAX_REQUEST_DOCUMENTS)
        problem_add(problems, pointer, "too_many_documents", "%zu documents; a fax is made of at most %d", count,
                    FAX_REQUEST_DOCUMENTS);
    for (size_t i = 0; i < count && i < FAX_REQUEST_DOCUMENTS; i++) {
        char place[40];
        snprintf(place, sizeof place, "/documents/%zu", i);
        take_document(request, json_array_get(list, i), place, problems);
    }
}

/* --- the cover page --- */

static void take_cover_field(json_t *into, const char *key, json_t *value, const char *pointer,
                             struct problems *problems)
{
    size_t length = strlen(key);

    if (length == 0 || length > COVER_KEY_MAX || strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_") != length)
        problem_add(problems, pointer, "invalid_name", "a field has a name of a-z, 0-9 and _ with at most %d of them",
                    COVER_KEY_MAX);
    else if (!json_is_string(value))
        problem_add(problems, pointer, "wrong_type", "text is needed here");
    else if (json_string_length(value) > COVER_TEXT_MAX)
        problem_add(problems, pointer, "too_long", "a field of a cover page has at most %d octets", COVER_TEXT_MAX);
    else
        json_object_set(into, key, value);
}

void fax_request_cover_fields(json_t *into, json_t *fields, const char *pointer, struct problems *problems)
{
    const char *key;
    json_t *value;

    if (!json_is_object(fields)) {
        problem_add(problems, pointer, "wrong_type", "an object of texts is needed here");
        return;
    }
    if (json_object_size(fields) > COVER_KEYS_MAX)
        problem_add(problems, pointer, "wrong_count", "at most %d fields are allowed", COVER_KEYS_MAX);
    json_object_foreach(fields, key, value)
    {
        char *place = problem_pointer(pointer, key);
        take_cover_field(into, key, value, place, problems);
        free(place);
    }
}

static void take_cover_key(struct fax_request *request, const char *key, json_t *value, const char *pointer,
                           struct problems *problems)
{
    static const char *const names[] = {"template", "fields", "note"};

    if (strcmp(key, "fields") == 0)
        fax_request_cover_fields(request->cover_fields, value, pointer, problems);
    else if (strcmp(key, "note") == 0)
        take_cover_field(request->cover_fields, key, value, pointer, problems);
    else if (strcmp(key, "template") != 0)
        unknown_key(key, names, 3, pointer, problems);
    else if (!json_is_string(value))
        problem_add(problems, pointer, "wrong_type", "the name of a cover page is needed here");
    else
        request->cover = json_string_value(value);
}

static void take_cover(struct fax_request *request, json_t *cover, const char *pointer, struct problems *problems)
{
    const char *key;
    json_t *value;

    if (json_is_string(cover)) { /* the name alone */
        request->cover = json_string_value(cover);
        return;
    }
    if (!json_is_object(cover)) {
        problem_add(problems, pointer, "wrong_type", "an object with \"template\" is needed here");
        return;
    }
    json_object_foreach(cover, key, value)
    {
        char *place = problem_pointer(pointer, key);
        take_cover_key(request, key, value, place, problems);
        free(place);
    }
    if (!json_object_get(cover, "template"))
        problem_add(problems, pointer, "missing", "\"template\" is needed: the name of a cover page");
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
    if (request->kind == FAX_REQUEST_BATCH && strcmp(path, "recipients") == 0) {
        request->recipients = recipients_read(value, pointer, problems);
    } else if (request->kind == FAX_REQUEST_BATCH && strcmp(path, "to") == 0) {
        problem_add(problems, pointer, "not_here", "a batch names its numbers in \"recipients\"");
    } else if (field && field->kind == FIELD_DOCUMENTS) {
        take_documents(request, value, pointer, problems);
    } else if (field && field->kind == FIELD_COVER) {
        take_cover(request, value, pointer, problems);
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
static void check_whole(struct fax_request *request, enum fax_request_kind kind, int64_t now_ms,
                        struct problems *problems)
{
    const struct submit_request *submit = &request->submit;
    const char *zone = json_string_value(json_object_get(request->options, "time_zone"));

    if (kind == FAX_REQUEST_SEND && !json_object_get(request->root, "to"))
        problem_add(problems, "/to", "missing", "the number to send to is needed");
    if (kind == FAX_REQUEST_BATCH && !json_object_get(request->root, "recipients"))
        problem_add(problems, "/recipients", "missing", "a list of recipients is needed");
    if (request->recipients && json_object_size(request->recipients->field_counts) > 0 && !request->cover)
        problem_add(problems, "/cover_page", "missing", "recipients bring fields for a cover page, and there is none");
    if (request->document_count == 0 && !json_object_get(request->root, "documents") &&
        !json_object_get(request->root, "cover_page"))
        problem_add(problems, "/documents", "missing", "a document or a cover page is needed");
    if (zone && !time_zone_is_known(zone))
        problem_add(problems, "/header/time_zone", "unknown_time_zone",
                    "\"%.60s\" is not known here: a time zone is written like Europe/Berlin", zone);
    if (submit->expires_at && submit->expires_at <= now_ms)
        problem_add(problems, "/expires_at", "in_the_past", "the fax would expire at once");
    if (submit->expires_at && submit->not_before && submit->expires_at <= submit->not_before)
        problem_add(problems, "/expires_at", "before_not_before", "the fax would expire before it may be sent");
}

static void begin(struct fax_request *request, json_t *root, enum fax_request_kind kind)
{
    *request = (struct fax_request){
        .kind = kind,
        /* What goes to many leaves the line to what goes to one. */
        .submit = {.priority = kind == FAX_REQUEST_BATCH ? FAX_BULK : FAX_NORMAL,
                   .resume = FAX_RESUME_REMAINING,
                   .on_unconfirmed = FAX_UNCONFIRMED_STOP},
        .root = root,
        .options = json_object(),
        .cover_fields = json_object(),
    };
    request->submit.options = request->options;
}

void fax_request_from_json(struct fax_request *request, json_t *root, enum fax_request_kind kind, int64_t now_ms,
                           struct problems *problems)
{
    begin(request, root, kind);
    if (!json_is_object(root)) {
        problem_add(problems, "", "wrong_type", "the body has to be a JSON object");
        return;
    }
    walk(request, root, "", "", problems);
    check_whole(request, kind, now_ms, problems);
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
    struct fax_request_document *document;

    if (strcmp(part->name, "file") != 0 && strcmp(part->name, "document") != 0 &&
        strcmp(part->name, "documents") != 0) {
        unknown_key(part->name, names, 1, pointer, problems);
        return;
    }
    document = new_document(request, pointer, problems);
    if (!document)
        return;
    document->data = part->data;
    document->size = part->size;
    check_document(document, pointer, problems);
}

static bool is_file(const struct multipart_part *part)
{
    return part->filename || strcmp(part->name, "file") == 0;
}

void fax_request_from_form(struct fax_request *request, const struct multipart *form, enum fax_request_kind kind,
                           int64_t now_ms, struct problems *problems)
{
    begin(request, json_object(), kind);
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
    check_whole(request, kind, now_ms, problems);
}

void fax_request_clear(struct fax_request *request)
{
    for (int i = 0; i < request->document_count; i++) {
        free(request->documents[i].decoded);
        json_decref(request->documents[i].info);
    }
    recipients_free(request->recipients);
    json_decref(request->root);
    json_decref(request->options);
    json_decref(request->cover_fields);
    *request = (struct fax_request){0};
}
