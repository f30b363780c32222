/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Splits a form into its parts. Every step moves forward in the body and is bounded by it. */
#include "config.h" /* memmem */

#include "web/multipart.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct reader {
    const char *at, *end;
    char delimiter[MULTIPART_BOUNDARY_SIZE + 4]; /* CR LF -- boundary */
    size_t delimiter_size;
};

static bool is_boundary_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("'()+_,-./:=? ", c));
}

/* A value of a header parameter, quoted or not, at most size - 1 octets. Returns the place after it, or NULL. In
 * quotes, a backslash stands before a quote or a backslash only, since browsers send Windows paths unescaped. */
static const char *take_value(char *value, size_t size, const char *at)
{
    size_t length = 0;
    bool quoted = *at == '"';

    if (quoted)
        at++;
    for (; *at && (quoted ? *at != '"' : !strchr("; \t", *at)); at++) {
        if (quoted && at[0] == '\\' && (at[1] == '"' || at[1] == '\\'))
            at++;
        if (length + 1 == size)
            return NULL;
        value[length++] = *at;
    }
    value[length] = '\0';
    if (quoted && *at != '"')
        return NULL;
    return quoted ? at + 1 : at;
}

/* The parameter `name` of a header value ("form-data; name=...") into `value`: true when it is there and whole. */
static bool find_parameter(char *value, size_t size, const char *header, const char *name)
{
    const char *at = header + strcspn(header, ";");
    size_t length = strlen(name);

    while (at && *at == ';') {
        at++;
        at += strspn(at, " \t");
        if (strncasecmp(at, name, length) == 0 && at[length] == '=')
            return take_value(value, size, at + length + 1) != NULL;
        at += strcspn(at, "=;");
        if (*at == '=') {
            char skipped[1024];
            at = take_value(skipped, sizeof skipped, at + 1);
            if (at)
                at += strcspn(at, ";");
        }
    }
    return false;
}

int multipart_boundary(char boundary[MULTIPART_BOUNDARY_SIZE], const char *content_type)
{
    static const char wanted[] = "multipart/form-data";

    if (!content_type || strncasecmp(content_type, wanted, sizeof wanted - 1) != 0)
        return err_set(ERR_INVALID, "not multipart/form-data");
    if (!find_parameter(boundary, MULTIPART_BOUNDARY_SIZE, content_type, "boundary") || boundary[0] == '\0')
        return err_set(ERR_INVALID, "the Content-Type has no boundary of 1 to 70 characters");
    for (const char *c = boundary; *c; c++) {
        if (!is_boundary_char(*c))
            return err_set(ERR_INVALID, "the boundary has a character that is not allowed in one");
    }
    return 0;
}

/* The next "\r\n--boundary" from `at` on, or NULL. */
static const char *find_delimiter(const struct reader *reader, const char *at)
{
    return memmem(at, (size_t)(reader->end - at), reader->delimiter, reader->delimiter_size);
}

/* After a boundary: true when a part follows, false after the last. */
static int after_boundary(struct reader *reader, bool *more)
{
    if (reader->end - reader->at >= 2 && memcmp(reader->at, "--", 2) == 0) {
        *more = false;
        return 0;
    }
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t'))
        reader->at++;
    if (reader->end - reader->at < 2 || memcmp(reader->at, "\r\n", 2) != 0)
        return err_set(ERR_INVALID, "a boundary line goes on after the boundary");
    reader->at += 2;
    *more = true;
    return 0;
}

/* The first boundary stands at the start of the body or of a line. */
static int first_boundary(struct reader *reader, bool *more)
{
    const char *found;

    if ((size_t)(reader->end - reader->at) >= reader->delimiter_size - 2 &&
        memcmp(reader->at, reader->delimiter + 2, reader->delimiter_size - 2) == 0) {
        reader->at += reader->delimiter_size - 2;
        return after_boundary(reader, more);
    }
    found = find_delimiter(reader, reader->at);
    if (!found)
        return err_set(ERR_INVALID, "the boundary of the Content-Type is not in the body");
    reader->at = found + reader->delimiter_size;
    return after_boundary(reader, more);
}

static int take_disposition(struct multipart_part *part, const char *value)
{
    char text[MULTIPART_HEAD_MAX];

    if (strncasecmp(value, "form-data", 9) != 0 || (value[9] && !strchr("; \t", value[9])))
        return err_set(ERR_INVALID, "a part's Content-Disposition is not form-data");
    if (part->name)
        return err_set(ERR_INVALID, "a part has two Content-Disposition headers");
    if (!find_parameter(text, sizeof text, value, "name") || !text[0] || !str_is_utf8(text, strlen(text)))
        return err_set(ERR_INVALID, "a part has no name (or one that is not UTF-8)");
    part->name = xstrdup(text);
    if (find_parameter(text, sizeof text, value, "filename"))
        part->filename = xstrdup(text);
    return 0;
}

static int take_line(struct multipart_part *part, char *line)
{
    char *colon = strchr(line, ':');
    const char *value;

    if (!colon || colon == line)
        return err_set(ERR_INVALID, "a part has a header line without a name");
    *colon = '\0';
    value = colon + 1 + strspn(colon + 1, " \t");
    if (strcasecmp(line, "Content-Disposition") == 0)
        return take_disposition(part, value);
    if (strcasecmp(line, "Content-Type") == 0 && !part->type)
        part->type = xstrdup(value);
    return 0;
}

/* The header lines of a part, up to and with the empty line. */
static int take_head(struct multipart_part *part, struct reader *reader)
{
    char head[MULTIPART_HEAD_MAX + 1];
    const char *stop = NULL;
    size_t size = 0;

    if (reader->end - reader->at >= 2 && memcmp(reader->at, "\r\n", 2) == 0)
        return err_set(ERR_INVALID, "a part has no Content-Disposition");
    stop = memmem(reader->at, (size_t)(reader->end - reader->at), "\r\n\r\n", 4);
    if (!stop)
        return err_set(ERR_INVALID, "a part's header lines do not end");
    size = (size_t)(stop - reader->at);
    if (size > MULTIPART_HEAD_MAX)
        return err_set(ERR_TOO_BIG, "a part has more than %d octets of header lines", MULTIPART_HEAD_MAX);
    memcpy(head, reader->at, size);
    head[size] = '\0';
    reader->at = stop + 4;
    if (strlen(head) != size)
        return err_set(ERR_INVALID, "a part has a zero octet in its header lines");
    for (char *line = head, *next; line; line = next) {
        next = strstr(line, "\r\n");
        if (next) {
            *next = '\0';
            next += 2;
        }
        int result = take_line(part, line);
        if (result < 0)
            return result;
    }
    return part->name ? 0 : err_set(ERR_INVALID, "a part has no Content-Disposition");
}

static int take_part(struct multipart *multipart, struct reader *reader, bool *more)
{
    struct multipart_part *part;
    const char *stop;
    int result;

    if (multipart->count == MULTIPART_PARTS)
        return err_set(ERR_TOO_BIG, "the form has more than %d parts", MULTIPART_PARTS);
    if (multipart->count % 16 == 0)
        multipart->parts =
            xrealloc(multipart->parts, (unsigned long)(multipart->count + 16) * sizeof *multipart->parts);
    part = &multipart->parts[multipart->count++];
    *part = (struct multipart_part){0};
    if ((result = take_head(part, reader)) < 0)
        return result;
    if (!part->type)
        part->type = xstrdup("");
    /* An empty value's end is the line end that also ends the header lines. */
    stop = find_delimiter(reader, reader->at - 2);
    if (!stop)
        return err_set(ERR_INVALID, "the form ends in the middle of part \"%.100s\"", part->name);
    part->data = reader->at;
    part->size = stop < reader->at ? 0 : (size_t)(stop - reader->at);
    reader->at = stop + reader->delimiter_size;
    return after_boundary(reader, more);
}

int multipart_parse(struct multipart *multipart, const char *boundary, const char *body, size_t size)
{
    const char *start = size ? body : ""; /* an empty buffer has no memory of its own */
    struct reader reader = {.at = start, .end = start + size};
    bool more = false;
    int result;

    *multipart = (struct multipart){0};
    reader.delimiter_size = (size_t)snprintf(reader.delimiter, sizeof reader.delimiter, "\r\n--%.70s", boundary);
    result = first_boundary(&reader, &more);
    while (result == 0 && more)
        result = take_part(multipart, &reader, &more);
    return result;
}

void multipart_clear(struct multipart *multipart)
{
    for (int i = 0; i < multipart->count; i++) {
        free(multipart->parts[i].name);
        free(multipart->parts[i].filename);
        free(multipart->parts[i].type);
    }
    free(multipart->parts);
    *multipart = (struct multipart){0};
}
