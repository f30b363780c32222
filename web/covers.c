/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/cover-pages: templates. Those of the configuration can be looked at only; others are stored, once they have been
 * drawn without a fault. */
#include "spool/cover.h"
#include "spool/cover_page.h"
#include "spool/nullable.h"
#include "web/api.h"
#include "web/body.h"
#include "web/cover_try.h"
#include "web/fax_request.h"
#include "web/page.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SAMPLE_WIDTH     900
#define SAMPLE_WIDTH_MAX 2432

/* What is asked for: name and template of a new one, or what a sample is to show. All borrowed from the body. */
struct wish {
    const char *name, *template;
    json_t *fields;
    enum cover_form form;
    int width;
};

/* --- replies --- */

static json_t *cover_json(const struct cover *cover, bool whole)
{
    json_t *object =
        json_pack("{s:s, s:b, s:o, s:I, s:o, s:o}", "name", cover->name, "from_config", cover->from_config, "fields",
                  cover_fields(cover->data, cover->size), "size", (json_int_t)cover->size, "created_at",
                  nullable_time(cover->created_at), "updated_at", nullable_time(cover->updated_at));

    if (whole)
        json_object_set_new(object, "template", nullable_text(cover->data));
    return object;
}

static bool found(struct request *request, int result)
{
    if (result == ERR_NOT_FOUND || result == ERR_INVALID)
        request_problem(request, 404, "no_such_cover_page", "%s", err_message());
    else
        return request_found(request, result, "cover_page");
    return false;
}

/* The name in the path as one that may be changed. */
static bool is_stored(struct request *request)
{
    struct cover cover;
    bool fixed;

    if (!found(request, cover_find(&cover, request_spool(request), request->params[0])))
        return false;
    fixed = cover.from_config;
    cover_clear(&cover);
    if (fixed)
        request_problem(request, 409, "from_config",
                        "\"%s\" is a file of the configuration: make another one of its text instead",
                        request->params[0]);
    return !fixed;
}

/* --- bodies --- */

static void take_template(struct wish *wish, const json_t *value, const char *pointer, struct problems *problems)
{
    wish->template = body_text(value, 1, COVER_PAGE_TEMPLATE_SIZE, pointer, problems);
    if (wish->template && strlen(wish->template) != json_string_length(value))
        problem_add(problems, pointer, "control_character", "the character U+0000 is not allowed here");
}

static void take_name(struct wish *wish, const json_t *value, const char *pointer, struct problems *problems)
{
    wish->name = body_text(value, 1, COVER_NAME_SIZE - 1, pointer, problems);
    if (wish->name && (strlen(wish->name) != json_string_length(value) || !cover_is_name(wish->name)))
        problem_add(problems, pointer, "invalid_name", "a name has a-z, 0-9, - and _ only, like billing_chicago");
}

static void take_new(void *context, const char *name, json_t *value, const char *pointer, struct problems *problems)
{
    if (strcmp(name, "name") == 0)
        take_name(context, value, pointer, problems);
    else
        take_template(context, value, pointer, problems);
}

static void take_format(struct wish *wish, const json_t *value, const char *pointer, struct problems *problems)
{
    const char *word = json_string_value(value);

    if (word && strcmp(word, "pdf") == 0)
        wish->form = COVER_PDF;
    else if (!word || strcmp(word, "png") != 0)
        problem_add(problems, pointer, "unknown_word", "one of: png, pdf is needed here");
}

static void take_sample(void *context, const char *name, json_t *value, const char *pointer, struct problems *problems)
{
    struct wish *wish = context;

    if (strcmp(name, "name") == 0) {
        take_name(wish, value, pointer, problems);
    } else if (strcmp(name, "template") == 0) {
        take_template(wish, value, pointer, problems);
    } else if (strcmp(name, "fields") == 0) {
        fax_request_cover_fields(wish->fields, value, pointer, problems);
    } else if (strcmp(name, "format") == 0) {
        take_format(wish, value, pointer, problems);
    } else {
        wish->width = (int)json_integer_value(value);
        if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > SAMPLE_WIDTH_MAX)
            problem_add(problems, pointer, "out_of_range", "a whole number from 1 to %d is needed here",
                        SAMPLE_WIDTH_MAX);
    }
}

static bool is_good(struct request *request, struct problems *problems)
{
    if (!problem_any(problems))
        return true;
    request_problems(request, problems);
    return false;
}

/* --- the resource --- */

static void add_one(json_t *data, struct spool *spool, const char *name)
{
    struct cover cover;

    if (cover_find(&cover, spool, name) != 0)
        return; /* it went meanwhile */
    json_array_append_new(data, cover_json(&cover, false));
    cover_clear(&cover);
}

void covers_list(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    const char *cursor = request_query(request, "cursor"), *last = NULL;
    json_t *all, *data, *name, *page;
    bool more = false;
    int64_t limit;
    size_t i;

    if (!request_check_query(request, names) || !request_query_int(&limit, request, "limit", 1, 200, 50))
        return;
    all = cover_list(request_spool(request));
    data = json_array();
    json_array_foreach(all, i, name)
    {
        const char *text = json_string_value(name);
        if (cursor && strcmp(text, cursor) <= 0)
            continue;
        more = (int64_t)json_array_size(data) >= limit;
        if (more)
            break;
        add_one(data, request_spool(request), text);
        last = text;
    }
    page = json_pack("{s:o, s:b, s:s?}", "data", data, "has_more", more, "next_cursor", more ? last : NULL);
    page_link(request, page);
    request_reply(request, 200, page);
    json_decref(all);
}

void covers_get(struct request *request)
{
    struct cover cover;

    if (!found(request, cover_find(&cover, request_spool(request), request->params[0])))
        return;
    request_reply(request, 200, cover_json(&cover, true));
    cover_clear(&cover);
}

static const char *text_of(const struct request *request, const char *name)
{
    return json_string_value(json_object_get(request->cover_try->root, name));
}

static void reply_stored(struct request *request, int status, const char *name)
{
    struct cover cover;

    if (!found(request, cover_find(&cover, request_spool(request), name)))
        return;
    request_reply(request, status, cover_json(&cover, true));
    cover_clear(&cover);
}

/* A file that came with the program may be replaced by one's own of its name; a file of the office may not be hidden.
 */
static bool is_free(struct request *request, const char *name)
{
    struct cover cover;
    int result = cover_find(&cover, request_spool(request), name);

    if (result == ERR_NOT_FOUND)
        return true;
    if (result == 0)
        cover_clear(&cover);
    request_problem(request, 409, "exists", "there is a cover page \"%s\" already: choose another name", name);
    return false;
}

static void write_new(struct request *request)
{
    const char *name = text_of(request, "name");

    if (!is_free(request, name) ||
        !found(request, cover_page_create(request_spool(request), name, text_of(request, "template"), request->key.id)))
        return;
    request->location = xasprintf("/v1/cover-pages/%s", name);
    reply_stored(request, 201, name);
}

static void on_new(struct request *request)
{
    web_write(request, write_new);
}

void covers_post(struct request *request)
{
    static const char *const names[] = {"name", "template", NULL};
    struct problems problems = {0};
    struct wish wish = {0};
    json_t *root = request_json(request);

    if (!root)
        return;
    body_read(root, names, take_new, &wish, &problems);
    if (!json_object_get(root, "name"))
        problem_add(&problems, "/name", "missing", "a name is needed, which faxes ask for the cover page by");
    if (!json_object_get(root, "template"))
        problem_add(&problems, "/template", "missing", "the text of an SVG drawing is needed");
    if (is_good(request, &problems) && is_free(request, wish.name))
        cover_try_start(request, json_incref(root), wish.template, strlen(wish.template), NULL, true, COVER_PAGES, 0,
                        on_new);
    json_decref(root);
}

static void write_changes(struct request *request)
{
    if (is_stored(request) &&
        found(request, cover_page_change(request_spool(request), request->params[0], text_of(request, "template"))))
        reply_stored(request, 200, request->params[0]);
}

static void on_changes(struct request *request)
{
    web_write(request, write_changes);
}

void covers_patch(struct request *request)
{
    static const char *const names[] = {"template", NULL};
    struct problems problems = {0};
    struct wish wish = {0};
    json_t *root = request_json(request);

    if (!root)
        return;
    body_read(root, names, take_new, &wish, &problems);
    if (!problem_any(&problems) && !wish.template)
        problem_add(&problems, "/template", "missing", "the text of an SVG drawing is needed");
    if (is_stored(request) && is_good(request, &problems))
        cover_try_start(request, json_incref(root), wish.template, strlen(wish.template), NULL, true, COVER_PAGES, 0,
                        on_changes);
    else
        problem_clear(&problems);
    json_decref(root);
}

void covers_delete(struct request *request)
{
    if (is_stored(request) && found(request, cover_page_delete(request_spool(request), request->params[0])))
        request_reply_empty(request, 204);
}

/* --- samples --- */

static void reply_sample(struct request *request)
{
    struct cover_try *try = request->cover_try;
    const char *format = text_of(request, "format");
    struct stat status;

    if (fstat(try->output, &status) < 0 || status.st_size == 0) {
        request_problem(request, 500, "conversion_failed", "the converter gave nothing");
    } else {
        request_reply_file(request, format && strcmp(format, "pdf") == 0 ? "application/pdf" : "image/png", try->output,
                           (size_t)status.st_size);
        try->output = -1;
    }
    request_finish(request);
}

static void start_sample(struct request *request, json_t *root, const struct wish *wish)
{
    struct cover cover = {0};

    if (wish->name && !found(request, cover_find(&cover, request_spool(request), wish->name)))
        return;
    if (wish->name)
        cover_try_start(request, json_incref(root), cover.data, cover.size, wish->fields, false, wish->form,
                        wish->width, reply_sample);
    else
        cover_try_start(request, json_incref(root), wish->template, strlen(wish->template), wish->fields, true,
                        wish->form, wish->width, reply_sample);
    cover_clear(&cover);
}

void covers_sample(struct request *request)
{
    static const char *const names[] = {"name", "template", "fields", "format", "width", NULL};
    struct wish wish = {.fields = json_object(), .form = COVER_PNG, .width = SAMPLE_WIDTH};
    struct problems problems = {0};
    json_t *root = request_json(request);

    if (root) {
        body_read(root, names, take_sample, &wish, &problems);
        if (json_is_object(root) && !json_object_get(root, "name") == !json_object_get(root, "template"))
            problem_add(&problems, "", "missing", "either the name of a cover page or a template is needed");
        if (is_good(request, &problems))
            start_sample(request, root, &wish);
    }
    json_decref(wish.fields);
    json_decref(root);
}
