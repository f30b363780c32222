/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two small parsers. Options come from whoever prints, the URI from the administrator. */
#include "config.h"

#include "contrib/cups/words.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#define SCHEME "faxd:"

/* The value at `text` with its quotes and backslashes taken off, up to a space. Returns where it ends. */
static const char *read_value(char *value, const char *text)
{
    char quote = '\0';
    for (; *text != '\0' && (quote != '\0' || strchr(" \t\n", *text) == NULL); text++) {
        if (quote == '\0' && (*text == '\'' || *text == '"'))
            quote = *text;
        else if (quote != '\0' && *text == quote)
            quote = '\0';
        else if (*text == '\\' && text[1] != '\0')
            *value++ = *++text;
        else
            *value++ = *text;
    }
    *value = '\0';
    return text;
}

static void set(json_t *object, const char *name, const char *value)
{
    if (str_is_utf8(name, strlen(name)) && str_is_utf8(value, strlen(value)))
        json_object_set_new(object, name, json_string(value));
}

static void set_flag(json_t *object, const char *name)
{
    bool no = strncmp(name, "no", 2) == 0 && name[2] != '\0';
    set(object, no ? name + 2 : name, no ? "false" : "true");
}

json_t *words_of_options(const char *text)
{
    json_t *options = json_object();
    char *room = xmalloc(strlen(text) + 1);
    while (*(text += strspn(text, " \t\n")) != '\0') {
        size_t length = strcspn(text, "= \t\n");
        char *name = xasprintf("%.*s", (int)length, text);
        text += length;
        if (*text == '=') {
            text = read_value(room, text + 1);
            set(options, name, room);
        } else {
            set_flag(options, name);
        }
        free(name);
    }
    free(room);
    return options;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Undo percent-encoding in place. False when it is none. */
static bool decode(char *text)
{
    char *to = text;
    for (; *text != '\0'; text++) {
        if (*text != '%') {
            *to++ = *text;
            continue;
        }
        int high = hex(text[1]), low = high >= 0 ? hex(text[2]) : -1;
        if (low < 0 || (high == 0 && low == 0))
            return false;
        *to++ = (char)(high << 4 | low);
        text += 2;
    }
    *to = '\0';
    return true;
}

static int read_query(json_t *query, const char *text)
{
    static const char *const known[] = {"key-file", "tls", "wait", "title", "group", "tag", "from", "cover", "retry"};
    char *copy = xstrdup(text), *rest = copy, *part;
    int error = 0;
    while (error == 0 && (part = strsep(&rest, "&")) != NULL) {
        char *value = strchr(part, '=');
        bool is_known = false;
        if (value != NULL)
            *value++ = '\0';
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            is_known = is_known || strcmp(part, known[i]) == 0;
        if (*part != '\0' && (!is_known || value == NULL || !decode(value)))
            error = err_set(ERR_INVALID, "\"%s\" of the device URI is not known, or has no value", part);
        else if (*part != '\0')
            set(query, part, value);
    }
    free(copy);
    return error;
}

int words_of_uri(char **server, json_t **query, const char *uri)
{
    size_t scheme = strlen(SCHEME);
    const char *at = uri + scheme;
    *server = NULL;
    *query = json_object();
    if (strncmp(uri, SCHEME, scheme) != 0 || (*at != '\0' && *at != '/')) {
        json_decref(*query);
        return err_set(ERR_INVALID, "the device URI \"%s\" is not of the form faxd:/ or faxd://host:port/", uri);
    }
    const char *questions = strchr(at, '?');
    int error = questions != NULL ? read_query(*query, questions + 1) : 0;
    const char *tls = json_string_value(json_object_get(*query, "tls"));
    size_t length = strncmp(at, "//", 2) == 0 ? strcspn(at + 2, "/?") : 0;
    if (length > 0)
        *server =
            xasprintf("%s://%.*s", tls != NULL && strcmp(tls, "yes") == 0 ? "https" : "http", (int)length, at + 2);
    if (error != 0) {
        json_decref(*query);
        free(*server);
    }
    return error;
}
