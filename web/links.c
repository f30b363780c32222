/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signed links: a document for somebody without a key, for a short time. Nothing is stored for one; it ends with its
 * time or with the documents, whichever comes first. */
#include "spool/fax.h"
#include "spool/page_style.h"
#include "web/access.h"
#include "web/api.h"
#include "web/documents.h"
#include "web/link_token.h"
#include "web/request.h"
#include "web/web.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <stdlib.h>
#include <string.h>

#define EXPIRES_S     600
#define EXPIRES_MAX_S 604800

struct wanted_link {
    const char *format, *copy;
    int64_t expires_s;
};

static const struct {
    const char *format;
    enum link_copy copy;
} formats[] = {{"pdf", LINK_PDF}, {"tiff", LINK_TIFF}, {"pdf-searchable", LINK_SEARCHABLE}};

static const char *const link_names[] = {"format", "copy", "expires_s"};

static void take_link(struct wanted_link *wanted, const char *key, const json_t *value, const char *pointer,
                      struct problems *problems)
{
    if (strcmp(key, "format") == 0) {
        wanted->format = json_string_value(value);
        if (!wanted->format)
            problem_add(problems, pointer, "wrong_type", "text is needed here: pdf, tiff or pdf-searchable");
    } else if (strcmp(key, "copy") == 0) {
        wanted->copy = json_string_value(value);
        if (!wanted->copy || (strcmp(wanted->copy, "as_sent") != 0 && strcmp(wanted->copy, "original") != 0))
            problem_add(problems, pointer, "unknown_word", "as_sent or original is needed here");
    } else if (strcmp(key, "expires_s") == 0) {
        wanted->expires_s = json_integer_value(value);
        if (!json_is_integer(value) || wanted->expires_s < 1 || wanted->expires_s > EXPIRES_MAX_S)
            problem_add(problems, pointer, "out_of_range", "a whole number from 1 to %d is needed here", EXPIRES_MAX_S);
    } else {
        char *near = problem_near(key, link_names, sizeof link_names / sizeof *link_names);
        problem_add(problems, pointer, "unknown_key", "\"%.60s\" is not a key that is known here%s", key, near);
        free(near);
    }
}

/* What format and copy come to; 0 and a fault when they do not go together. */
static enum link_copy choose(const struct request *request, const struct wanted_link *wanted, struct problems *problems)
{
    bool original = wanted->copy && strcmp(wanted->copy, "original") == 0;
    const char *format = wanted->format ? wanted->format : "pdf";

    if (original && wanted->format)
        problem_add(problems, "/format", "not_supported", "the original is given as it came: leave the format out");
    if (original)
        return LINK_ORIGINAL;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (strcmp(format, formats[i].format) != 0)
            continue;
        if (formats[i].copy == LINK_SEARCHABLE && !page_style(request_spool(request))->searchable)
            problem_add(problems, "/format", "not_supported",
                        "searchable PDFs are not offered here: the administrator can turn them on by "
                        "convert|searchable");
        return formats[i].copy;
    }
    problem_add(problems, "/format", "unknown_word", "\"%.60s\" is not one of: pdf, tiff, pdf-searchable", format);
    return LINK_PDF;
}

static bool read_link(struct link *link, struct request *request, json_t *root)
{
    struct wanted_link wanted = {.expires_s = EXPIRES_S};
    struct problems problems = {0};
    const char *key;
    json_t *value;

    if (!json_is_object(root))
        problem_add(&problems, "", "wrong_type", "the body has to be a JSON object");
    json_object_foreach(root, key, value)
    {
        char *pointer = problem_pointer("", key);
        take_link(&wanted, key, value, pointer, &problems);
        free(pointer);
    }
    *link = (struct link){.copy = choose(request, &wanted, &problems)};
    link->expires_at = (clock_now_ms() / 1000 + wanted.expires_s) * 1000;
    if (!problem_any(&problems))
        return true;
    request_problems(request, &problems);
    return false;
}

void links_post(struct request *request)
{
    json_t *root = request_json(request);
    char token[LINK_TOKEN_SIZE], at[CLOCK_TEXT_SIZE];
    struct link link;
    struct fax fax;

    if (!root)
        return;
    if (read_link(&link, request, root) && access_fax(&fax, request)) {
        if (documents_there(request, &fax, link.copy == LINK_ORIGINAL)) {
            char *url;
            str_copy(link.fax, sizeof link.fax, fax.public_id);
            url = xasprintf("/v1/links/%s", link_token_write(token, &link, request->web->link_secret));
            request_reply(request, 201,
                          json_pack("{s:s, s:s}", "url", url, "expires_at", clock_format(at, link.expires_at)));
            free(url);
        }
        fax_clear(&fax);
    }
    json_decref(root);
}

char *web_sign_link(const struct web *web, const char *fax, bool tiff, int64_t expires_at)
{
    struct link link = {.copy = tiff ? LINK_TIFF : LINK_PDF, .expires_at = expires_at / 1000 * 1000};
    char token[LINK_TOKEN_SIZE];

    str_copy(link.fax, sizeof link.fax, fax);
    return xasprintf("/v1/links/%s", link_token_write(token, &link, web->link_secret));
}

/* The token opens a document: it does not go into logs and problem documents. */
static void forget_token(struct request *request)
{
    free(request->path);
    request->path = xstrdup("/v1/links/{token}");
}

static void give(struct request *request, const struct link *link)
{
    bool original = link->copy == LINK_ORIGINAL;
    const char *format = "tiff";
    struct fax fax;
    int result = fax_find(&fax, request_spool(request), link->fax);

    if (result == ERR_NOT_FOUND) { /* there was one when the link was made */
        request_problem(request, 410, "purged", "the fax was deleted");
        return;
    }
    if (result < 0) {
        request_error(request, result);
        return;
    }
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (formats[i].copy == link->copy)
            format = formats[i].format;
    }
    str_copy(request->params[0], sizeof request->params[0], fax.public_id); /* the name of the file */
    witness_about(request, fax.public_id);
    if (documents_there(request, &fax, original))
        documents_give(request, &fax, format, original, 1);
    fax_clear(&fax);
}

void links_get(struct request *request)
{
    static const char *const names[] = {NULL};
    struct link link;

    forget_token(request);
    if (!request_check_query(request, names))
        return;
    if (link_token_read(&link, request->params[0], request->web->link_secret) < 0)
        request_problem(request, 404, "no_such_link", "there is no such link; was it copied whole?");
    else if (link.expires_at <= clock_now_ms())
        request_problem(request, 410, "link_expired", "the time of this link is over");
    else
        give(request, &link);
    request_header(request, "Cache-Control", "no-store");
}
