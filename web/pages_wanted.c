/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks that need the server's configuration, which fax_request.c does not know. */
#include "web/pages_wanted.h"

#include "spool/cover.h"
#include "spool/page_style.h"
#include "web/recipients.h"
#include "web/request.h"
#include "web/upload.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <stdlib.h>
#include <string.h>

bool can_be_read(struct request *request)
{
    const struct fax_request *wanted = &request->upload->wanted;
    const json_t *programs = page_style(request_spool(request))->programs;
    struct problems problems = {0};

    for (int i = 0; i < wanted->document_count; i++) {
        const char *type = json_string_value(json_object_get(wanted->documents[i].info, "type"));
        if (type && !json_object_get(programs, type))
            problem_add(&problems, wanted->documents[i].pointer, "document_unsupported",
                        "the document is of type %s, and no program that reads it is installed here: send it as PDF",
                        type);
    }
    if (!problem_any(&problems))
        return true;
    request_problems(request, &problems);
    return false;
}

static bool is_known(const char *name)
{
    for (int i = 0; cover_known_fields[i]; i++) {
        if (strcmp(cover_known_fields[i], name) == 0)
            return true;
    }
    return false;
}

static bool asks_for(const json_t *list, const char *name)
{
    json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (strcmp(json_string_value(item), name) == 0)
            return true;
    }
    return false;
}

/* A field is there when all bring it: the request, or each recipient of a batch. */
static bool is_given(const struct fax_request *wanted, const char *name)
{
    if (json_object_get(wanted->cover_fields, name))
        return true;
    return wanted->recipients &&
           json_integer_value(json_object_get(wanted->recipients->field_counts, name)) == wanted->recipients->count;
}

static void refuse_unknown(const json_t *list, const json_t *given, const char *pointer, const char *cover,
                           struct problems *problems)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)given, key, value)
    {
        if (is_known(key) || asks_for(list, key))
            continue;
        char *place = problem_pointer(pointer, key);
        problem_add(problems, place, "unknown_field", "the cover page \"%s\" has no field \"%s\"", cover, key);
        free(place);
    }
}

static void check_fields(const struct cover_use *cover, const struct fax_request *wanted, struct problems *problems)
{
    json_t *list = cover_fields(cover->data, cover->size), *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *name = json_string_value(item);
        if (!is_known(name) && !is_given(wanted, name))
            problem_add(problems, "/cover_page/fields", "missing_field",
                        "the cover page \"%s\" asks for the field \"%s\", which is not given", wanted->cover, name);
    }
    refuse_unknown(list, wanted->cover_fields, "/cover_page/fields", wanted->cover, problems);
    if (wanted->recipients)
        refuse_unknown(list, wanted->recipients->field_counts, "/recipients", wanted->cover, problems);
    json_decref(list);
}

bool cover_check(struct cover_use *cover, struct request *request)
{
    const struct fax_request *wanted = &request->upload->wanted;
    struct problems problems = {0};
    int result;

    *cover = (struct cover_use){0};
    if (!wanted->cover)
        return true;
    result = cover_read(&cover->data, &cover->size, request_spool(request), wanted->cover);
    if (result < 0 && result != ERR_NOT_FOUND && result != ERR_INVALID) {
        request_error(request, result);
        return false;
    }
    if (result < 0)
        problem_add(&problems, "/cover_page/template", "unknown_cover_page", "%s", err_message());
    else
        check_fields(cover, wanted, &problems);
    if (!problem_any(&problems))
        return true;
    request_problems(request, &problems);
    cover_use_clear(cover);
    return false;
}

void cover_use_clear(struct cover_use *cover)
{
    free(cover->data);
    cover->data = NULL;
}

void use_style(struct fax_request *wanted, const struct spool *spool)
{
    const struct page_style *style = page_style(spool);

    if (!json_object_get(wanted->options, "paper") && strcmp(style->paper, "a4") != 0)
        json_object_set_new(wanted->options, "paper", json_string(style->paper));
}
