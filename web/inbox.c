/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/faxes/{id}/read, assign, labels, junk, notes: what people do with received faxes. Looking at pages marks nothing:
 * a program that fetches them is nobody who has read them.
 */
#include "spool/inbox.h"

#include "spool/fax_json.h"
#include "spool/user.h"
#include "web/access.h"
#include "web/api.h"
#include "web/body.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"

#include <stdio.h>
#include <string.h>

/* --- bodies of one member --- */

struct wish {
    struct request *request;
    bool flag, nobody;
    struct user user;
    const json_t *labels;
    const char *text;
};

static bool read_body(struct wish *wish, json_t *root, const char *name, body_take_fn take)
{
    const char *const names[] = {name, NULL};
    struct problems problems = {0};
    char pointer[32];

    body_read(root, names, take, wish, &problems);
    snprintf(pointer, sizeof pointer, "/%s", name);
    if (json_is_object(root) && !json_object_get(root, name))
        problem_add(&problems, pointer, "missing", "\"%s\" is needed", name);
    if (!problem_any(&problems))
        return true;
    request_problems(wish->request, &problems);
    return false;
}

/* The fax, first of all, since whoever may not see it learns nothing more; and the body, by `take`, which has to bring
 * `name`. NULL and the reply is made; else the caller clears both. */
static json_t *read_wish(struct wish *wish, struct fax *fax, struct request *request, const char *name,
                         body_take_fn take)
{
    json_t *root;

    *wish = (struct wish){.request = request};
    if (!access_fax(fax, request))
        return NULL;
    root = request_json(request);
    if (root && read_body(wish, root, name, take))
        return root;
    json_decref(root);
    fax_clear(fax);
    return NULL;
}

static void reply(struct request *request, struct fax *fax, json_t *root, int result)
{
    if (result == 0)
        request_reply(request, 200, fax_json(fax));
    else
        request_error(request, result);
    fax_clear(fax);
    json_decref(root);
}

static void take_flag(void *context, const char *name, json_t *value, const char *pointer, struct problems *problems)
{
    struct wish *wish = context;

    (void)name;
    wish->flag = body_bool(value, pointer, problems);
}

void inbox_post_read(struct request *request)
{
    struct wish wish;
    struct fax fax;
    json_t *root = read_wish(&wish, &fax, request, "read", take_flag);

    if (root)
        reply(request, &fax, root, inbox_read(request_spool(request), &fax, wish.flag));
}

void inbox_post_junk(struct request *request)
{
    struct wish wish;
    struct fax fax;
    json_t *root = read_wish(&wish, &fax, request, "junk", take_flag);

    if (root)
        reply(request, &fax, root, inbox_junk(request_spool(request), &fax, wish.flag));
}

/* --- who sees to it --- */

static void take_user(void *context, const char *name, json_t *value, const char *pointer, struct problems *problems)
{
    struct wish *wish = context;
    const char *id = json_string_value(value);

    (void)name;
    wish->nobody = json_is_null(value);
    if (wish->nobody)
        return;
    if (!id)
        problem_add(problems, pointer, "wrong_type", "the id of a user, or null, is needed here");
    else if (user_find(&wish->user, request_spool(wish->request), id) < 0)
        problem_add(problems, pointer, "unknown_user", "there is no user %.60s", id);
    else if (wish->user.disabled)
        problem_add(problems, pointer, "disabled_user", "%s is disabled and would not see it", wish->user.name);
}

void inbox_post_assign(struct request *request)
{
    struct wish wish;
    struct fax fax;
    json_t *root = read_wish(&wish, &fax, request, "user", take_user);

    if (root)
        reply(request, &fax, root, inbox_assign(request_spool(request), &fax, wish.nobody ? NULL : &wish.user));
}

/* --- labels --- */

static bool is_twice(const json_t *labels, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (json_equal(json_array_get(labels, i), json_array_get(labels, at)))
            return true;
    }
    return false;
}

static void take_labels(void *context, const char *name, json_t *value, const char *pointer, struct problems *problems)
{
    struct wish *wish = context;
    json_t *label;
    size_t i;

    (void)name;
    wish->labels = value;
    if (!json_is_array(value) || json_array_size(value) > INBOX_LABELS_MAX) {
        problem_add(problems, pointer, "wrong_type", "a list of at most %d texts is needed here", INBOX_LABELS_MAX);
        return;
    }
    json_array_foreach(value, i, label)
    {
        char place[40];
        snprintf(place, sizeof place, "%s/%zu", pointer, i);
        body_text(label, 1, INBOX_LABEL_MAX, place, problems);
        if (is_twice(value, i))
            problem_add(problems, place, "twice", "the label is in the list already");
    }
}

void inbox_post_labels(struct request *request)
{
    struct wish wish;
    struct fax fax;
    json_t *root = read_wish(&wish, &fax, request, "labels", take_labels);

    if (root)
        reply(request, &fax, root, inbox_label(request_spool(request), &fax, wish.labels));
}

/* --- notes --- */

static void take_text(void *context, const char *name, json_t *value, const char *pointer, struct problems *problems)
{
    struct wish *wish = context;

    (void)name;
    wish->text = body_text(value, 1, INBOX_NOTE_MAX, pointer, problems);
}

/* Whom a note is by: the user's name as it is now, or the key's. */
static const char *author_of(const struct request *request)
{
    if (!request->user.id)
        return request->key.name;
    return *request->user.display_name ? request->user.display_name : request->user.name;
}

void inbox_post_note(struct request *request)
{
    struct wish wish;
    struct fax fax;
    json_t *root = read_wish(&wish, &fax, request, "text", take_text), *note = NULL;
    int result;

    if (!root)
        return;
    result = inbox_note(&note, request_spool(request), &fax, &request->user, author_of(request), wish.text);
    if (result == 0)
        request_reply(request, 201, note);
    else
        request_error(request, result);
    fax_clear(&fax);
    json_decref(root);
}

void inbox_list_notes(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    struct fax fax;
    json_t *page = NULL;
    int64_t limit;
    int result;

    if (!request_check_query(request, names) || !request_query_int(&limit, request, "limit", 1, 200, 50) ||
        !access_fax(&fax, request))
        return;
    result = inbox_notes(&page, request_spool(request), &fax, request_query(request, "cursor"), (int)limit);
    if (result == ERR_INVALID)
        request_problem(request, 400, "invalid_parameter", "%s", err_message());
    else if (result < 0)
        request_error(request, result);
    else
        request_reply(request, 200, page);
    fax_clear(&fax);
}
