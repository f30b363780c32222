/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Problem documents: the one shape of every error reply. */
#include "web/problem.h"

#include "server/base/log.h"
#include "server/base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DETAIL_MAX 400
#define WORD_MAX   48 /* longer words are not compared */

/* Texts that quote a client's octets have to be UTF-8 again before they go into JSON. */
static json_t *text_json(char *text)
{
    if (!str_is_utf8(text, strlen(text))) {
        for (char *c = text; *c; c++) {
            if ((unsigned char)*c >= 128)
                *c = '?';
        }
    }
    return json_string(text);
}

static json_t *detail_json(const char *fmt, va_list args)
{
    char raw[DETAIL_MAX * 2], cut[DETAIL_MAX];

    vsnprintf(raw, sizeof raw, fmt, args);
    str_copy(cut, sizeof cut, raw);
    return text_json(cut);
}

static json_t *pointer_json(const char *pointer)
{
    char cut[DETAIL_MAX];

    str_copy(cut, sizeof cut, pointer);
    return text_json(cut);
}

void problem_add(struct problems *problems, const char *pointer, const char *code, const char *fmt, ...)
{
    va_list args;

    problems->count++;
    if (!problems->errors)
        problems->errors = json_array();
    if (json_array_size(problems->errors) >= (size_t)(problems->most ? problems->most : PROBLEM_MAX))
        return;
    va_start(args, fmt);
    json_array_append_new(problems->errors, json_pack("{s:o, s:s, s:o}", "pointer", pointer_json(pointer), "code", code,
                                                      "detail", detail_json(fmt, args)));
    va_end(args);
}

bool problem_any(const struct problems *problems)
{
    return problems->count > 0;
}

void problem_clear(struct problems *problems)
{
    json_decref(problems->errors);
    *problems = (struct problems){0};
}

json_t *problem_json(int status, const char *code, const char *detail, const char *instance, const char *request_id,
                     const struct problems *problems)
{
    char cut[DETAIL_MAX], path[DETAIL_MAX], type[128];
    json_t *document;

    str_copy(cut, sizeof cut, detail);
    str_copy(path, sizeof path, instance);
    snprintf(type, sizeof type, "/problems/%s", code);
    document =
        json_pack("{s:s, s:s, s:i, s:o, s:o, s:s, s:s}", "type", type, "title", problem_title(status), "status", status,
                  "detail", text_json(cut), "instance", text_json(path), "code", code, "request_id", request_id);
    if (problems && problem_any(problems)) {
        json_object_set(document, "errors", problems->errors);
        int left_out = problems->count - (int)json_array_size(problems->errors);
        if (left_out > 0)
            json_object_set_new(document, "errors_left_out", json_integer(left_out));
    }
    return document;
}

static const struct {
    int status;
    const char *title;
} titles[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

const char *problem_title(int status)
{
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
        if (titles[i].status == status)
            return titles[i].title;
    }
    return "Error";
}

char *problem_pointer(const char *base, const char *name)
{
    size_t length = strlen(base);
    char *pointer = xmalloc(length + 2 * strlen(name) + 2), *at = pointer + length;

    memcpy(pointer, base, length);
    *at++ = '/';
    for (; *name; name++) {
        if (*name == '~' || *name == '/') {
            *at++ = '~';
            *at++ = *name == '~' ? '0' : '1';
        } else {
            *at++ = *name;
        }
    }
    *at = '\0';
    return pointer;
}

static int least(int a, int b, int c)
{
    int low = a < b ? a : b;
    return low < c ? low : c;
}

/* Edits between two words (Levenshtein), case aside. */
static int distance(const char *a, const char *b)
{
    int row[WORD_MAX + 1], length = (int)strlen(b);

    for (int j = 0; j <= length; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int corner = row[0];
        row[0] = i;
        for (int j = 1; j <= length; j++) {
            int above = row[j];
            int same = (a[i - 1] | 32) == (b[j - 1] | 32);
            row[j] = least(row[j] + 1, row[j - 1] + 1, corner + !same);
            corner = above;
        }
    }
    return row[length];
}

static bool is_near(const char *word, const char *other)
{
    int length = (int)strlen(word);

    if (length > WORD_MAX || strlen(other) > WORD_MAX || length < 2)
        return false;
    return distance(word, other) <= (length <= 4 ? 1 : length <= 8 ? 2 : 3);
}

char *problem_near(const char *word, const char *const *words, int count)
{
    char *text = xstrdup("");
    int found = 0;

    for (int i = 0; i < count && found < 3; i++) {
        if (!is_near(word, words[i]))
            continue;
        char *longer = xasprintf("%s%s%s", text, found++ ? ", " : " (did you mean ", words[i]);
        free(text);
        text = longer;
    }
    if (found) {
        char *closed = xasprintf("%s?)", text);
        free(text);
        text = closed;
    }
    return text;
}
