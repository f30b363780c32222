/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks a request's head and writes the clean one that evhttp gets.
 *
 * evhttp 2.1 takes much that RFC 9112 forbids (bare line feeds, folded lines, a Content-Length next to a
 * Transfer-Encoding) and answers what it refuses with HTML of its own. So the head is judged here; evhttp sees only
 * heads that cannot fail, without a body, and everything else is answered by our own problem documents. */
#include "web/head.h"

#include "server/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

/* One line of the head without its end. */
struct line {
    const char *text;
    size_t length;
};

/* The text being written for evhttp: never longer than the head that came plus a fixed addition. */
struct clean {
    char *text;
    size_t length;
};

static void clean_add(struct clean *clean, const char *text, size_t length)
{
    memcpy(clean->text + clean->length, text, length);
    clean->length += length;
}

static bool next_line(struct line *line, const char **at, const char *end)
{
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));

    if (!stop || stop == *at || stop[-1] != '\r')
        return false;
    line->text = *at;
    line->length = (size_t)(stop - *at) - 1;
    *at = stop + 1;
    return true;
}

/* RFC 9110 5.6.2 */
static bool is_token(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= ' ' || c >= 127 || strchr("\"(),/:;<=>?@[\\]{}", c))
            return false;
    }
    return length > 0;
}

static bool is_value(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < ' ' && c != '\t') || c == 127)
            return false;
    }
    return true;
}

static enum head_fault take_method(struct head *head, const char *text, size_t length)
{
    if (!is_token(text, length))
        return HEAD_SYNTAX;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (strlen(methods[i]) == length && memcmp(methods[i], text, length) == 0) {
            memcpy(head->method, text, length);
            return HEAD_OK;
        }
    }
    return HEAD_METHOD;
}

/* Origin form, or absolute form with its scheme and authority taken off (RFC 9112 3.2.2). */
static enum head_fault take_target(struct head *head, const char *text, size_t length)
{
    const char *end = text + length;

    for (size_t i = 0; i < length; i++) {
        if (text[i] <= ' ' || text[i] >= 127)
            return HEAD_SYNTAX;
    }
    if (length > 7 && strncasecmp(text, "http://", 7) == 0)
        text += 7;
    else if (length > 8 && strncasecmp(text, "https://", 8) == 0)
        text += 8;
    if (text != end - length) {
        while (text < end && *text != '/' && *text != '?')
            text++;
        if (text == end || *text == '?') {
            head->target = xasprintf("/%.*s", (int)(end - text), text);
            return HEAD_OK;
        }
    }
    if (text == end || *text != '/')
        return HEAD_SYNTAX;
    head->target = xasprintf("%.*s", (int)(end - text), text);
    return HEAD_OK;
}

static enum head_fault take_version(struct head *head, const char *text, size_t length)
{
    if (length != 8 || memcmp(text, "HTTP/", 5) != 0 || text[6] != '.')
        return HEAD_SYNTAX;
    if (text[5] != '1' || (text[7] != '0' && text[7] != '1'))
        return HEAD_VERSION;
    head->minor = text[7] - '0';
    return HEAD_OK;
}

static enum head_fault take_request_line(struct head *head, const struct line *line)
{
    const char *end = line->text + line->length;
    const char *first = memchr(line->text, ' ', line->length);
    const char *last = first ? memchr(first + 1, ' ', (size_t)(end - first - 1)) : NULL;
    enum head_fault fault;

    if (!last)
        return HEAD_SYNTAX;
    if ((fault = take_method(head, line->text, (size_t)(first - line->text))) != HEAD_OK)
        return fault;
    if ((fault = take_target(head, first + 1, (size_t)(last - first - 1))) != HEAD_OK)
        return fault;
    return take_version(head, last + 1, (size_t)(end - last - 1));
}

/* A second Content-Length is refused even when equal: nobody honest sends one. */
static enum head_fault take_length(struct head *head, const char *value, size_t length)
{
    if (head->length >= 0 || length == 0 || length > 18)
        return HEAD_FRAMING;
    head->length = 0;
    for (size_t i = 0; i < length; i++) {
        if (value[i] < '0' || value[i] > '9')
            return HEAD_FRAMING;
        head->length = head->length * 10 + (value[i] - '0');
    }
    return HEAD_OK;
}

static bool same(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && strncasecmp(text, word, length) == 0;
}

/* Fields of one name are one list (RFC 9110 5.3). */
static void append(char **list, const char *value, size_t length)
{
    char *longer = xasprintf("%s%s%.*s", *list, **list ? "," : "", (int)length, value);

    free(*list);
    *list = longer;
}

/* A header that decides about the framing is taken in here and not passed on. */
static enum head_fault take_field(struct head *head, struct clean *clean, const struct line *line)
{
    const char *colon = memchr(line->text, ':', line->length);
    const char *value, *end = line->text + line->length;
    size_t name, length;

    if (!colon || !is_token(line->text, name = (size_t)(colon - line->text)))
        return HEAD_SYNTAX; /* a folded line begins with a space, which is no token */
    for (value = colon + 1; value < end && (*value == ' ' || *value == '\t'); value++)
        ;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    length = (size_t)(end - value);
    if (!is_value(value, length))
        return HEAD_SYNTAX;
    if (same(line->text, name, "Content-Length"))
        return take_length(head, value, length);
    if (same(line->text, name, "Transfer-Encoding")) {
        if (head->chunked || !same(value, length, "chunked"))
            return HEAD_CODING;
        head->chunked = true;
        return HEAD_OK;
    }
    if (same(line->text, name, "Expect")) {
        if (!same(value, length, "100-continue"))
            return HEAD_EXPECTATION;
        head->expects_continue = true;
        return HEAD_OK;
    }
    if (same(line->text, name, "Authorization") && !head->authorization[0]) {
        free(head->authorization);
        head->authorization = xasprintf("%.*s", (int)length, value);
    }
    if (same(line->text, name, "Cookie") && !head->cookie[0]) {
        free(head->cookie);
        head->cookie = xasprintf("%.*s", (int)length, value);
    }
    if (same(line->text, name, "X-Forwarded-For"))
        append(&head->forwarded_for, value, length);
    if (same(line->text, name, "Forwarded"))
        append(&head->forwarded, value, length);
    clean_add(clean, line->text, line->length);
    clean_add(clean, "\r\n", 2);
    return HEAD_OK;
}

static enum head_fault check(const struct head *head, bool has_host)
{
    if (head->chunked && (head->length >= 0 || head->minor == 0))
        return HEAD_FRAMING;
    if (head->minor == 1 && !has_host) /* RFC 9112 3.2 */
        return HEAD_SYNTAX;
    return HEAD_OK;
}

static enum head_fault parse(struct head *head, struct clean *clean, const char *text, size_t size)
{
    const char *at = text, *end = text + size;
    struct line line;
    bool has_host = false;
    enum head_fault fault;

    if (!next_line(&line, &at, end))
        return HEAD_SYNTAX;
    if ((fault = take_request_line(head, &line)) != HEAD_OK)
        return fault;
    clean->length = (size_t)sprintf(clean->text, "%s / HTTP/1.%d\r\nContent-Length: 0\r\n", head->method, head->minor);
    for (int fields = 0; next_line(&line, &at, end); fields++) {
        if (line.length == 0) {
            clean_add(clean, "\r\n", 3); /* with the end of the string */
            return check(head, has_host);
        }
        if (fields == HEAD_MAX_FIELDS)
            return HEAD_SYNTAX;
        if (line.length > 5 && strncasecmp(line.text, "Host:", 5) == 0) {
            if (has_host)
                return HEAD_SYNTAX;
            has_host = true;
        }
        if ((fault = take_field(head, clean, &line)) != HEAD_OK)
            return fault;
    }
    return HEAD_SYNTAX;
}

enum head_fault head_parse(struct head *head, const char *text, size_t size)
{
    struct clean clean = {xmalloc(size + 64), 0};
    enum head_fault fault;

    *head = (struct head){.length = -1,
                          .authorization = xstrdup(""),
                          .cookie = xstrdup(""),
                          .forwarded_for = xstrdup(""),
                          .forwarded = xstrdup("")};
    fault = memchr(text, '\0', size) ? HEAD_SYNTAX : parse(head, &clean, text, size);
    if (fault == HEAD_OK)
        head->clean = clean.text;
    else
        free(clean.text);
    return fault;
}

void head_clear(struct head *head)
{
    free(head->target);
    free(head->authorization);
    free(head->cookie);
    free(head->forwarded_for);
    free(head->forwarded);
    free(head->clean);
    *head = (struct head){.length = -1};
}
