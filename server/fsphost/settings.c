/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's few keys of the provider's configuration. */
#include "config.h"

#include "server/fsphost/settings.h"

#include "server/base/err.h"
#include "server/base/log.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX        (4u * 1024 * 1024)
#define DIAL_PREFIX_MAX 8u

struct settings {
    char *text;
    json_t *root;
    json_t *lines; /* borrowed from root; NULL when absent */
    const char *dial_prefix;
    bool start_id_is_full;
};

/* `*text` of a key that is a string or absent. */
static int text_get(const char **text, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (value && !json_is_string(value))
        return err_set(ERR_INVALID, "configuration: \"%s\" is not a text", key);
    if (value)
        *text = json_string_value(value);
    return 0;
}

static int lines_check(const json_t *lines)
{
    static const char *const switches[] = {"send", "receive"};
    size_t index;
    json_t *line;
    json_array_foreach(lines, index, line)
    {
        if (!json_is_object(line))
            return err_set(ERR_INVALID, "configuration: line %zu of \"lines\" is not an object", index);
        for (int i = 0; i < 2; i++) {
            const json_t *value = json_object_get(line, switches[i]);
            if (value && !json_is_boolean(value))
                return err_set(ERR_INVALID, "configuration: \"%s\" of line %zu is not true or false", switches[i],
                               index);
        }
    }
    return 0;
}

static int keys_read(struct settings *settings)
{
    const char *start_id = "index";
    int result = text_get(&start_id, settings->root, "start_id");
    if (!result)
        result = text_get(&settings->dial_prefix, settings->root, "dial_prefix");
    if (result)
        return result;
    settings->start_id_is_full = strcmp(start_id, "full") == 0;
    if (!settings->start_id_is_full && strcmp(start_id, "index") != 0)
        return err_set(ERR_INVALID, "configuration: \"start_id\" is \"%s\", not \"index\" or \"full\"", start_id);
    if (strlen(settings->dial_prefix) > DIAL_PREFIX_MAX)
        return err_set(ERR_INVALID, "configuration: \"dial_prefix\" is longer than %u", DIAL_PREFIX_MAX);
    settings->lines = json_object_get(settings->root, "lines");
    if (settings->lines && !json_is_array(settings->lines))
        return err_set(ERR_INVALID, "configuration: \"lines\" is not a list");
    return lines_check(settings->lines);
}

int settings_parse(struct settings **out, const char *text)
{
    json_error_t error;
    struct settings *settings = xcalloc(1, sizeof(*settings));
    int result = 0;
    *out = NULL;
    settings->dial_prefix = "T";
    settings->text = xstrdup(text);
    settings->root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(settings->root))
        result = err_set(ERR_INVALID, "configuration: line %d: %s", settings->root ? 1 : error.line,
                         settings->root ? "not an object" : error.text);
    else
        result = keys_read(settings);
    if (result)
        settings_free(settings);
    else
        *out = settings;
    return result;
}

int settings_read(struct settings **out, int fd)
{
    size_t size = 0, room = 65536;
    char *text = xmalloc(room);
    int result = 0;
    *out = NULL;
    for (;;) {
        ssize_t got = read(fd, text + size, room - size - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            result = err_set(ERR_IO, "configuration cannot be read: %s", strerror(errno));
        if (got <= 0)
            break;
        size += (size_t)got;
        if (size > TEXT_MAX) {
            result = err_set(ERR_TOO_BIG, "configuration is over %u octets", TEXT_MAX);
            break;
        }
        if (room - size < 2)
            text = xrealloc(text, room *= 2);
    }
    text[size] = '\0';
    if (!result && strlen(text) != size)
        result = err_set(ERR_INVALID, "configuration contains a NUL");
    if (!result)
        result = settings_parse(out, text);
    free(text);
    return result;
}

void settings_free(struct settings *settings)
{
    if (!settings)
        return;
    json_decref(settings->root);
    free(settings->text);
    free(settings);
}

const char *settings_text(const struct settings *settings)
{
    return settings->text;
}

char *settings_line_text(const struct settings *settings, size_t index)
{
    const json_t *line = json_array_get(settings->lines, index);
    return line ? json_dumps(line, JSON_COMPACT) : NULL;
}

size_t settings_line_count(const struct settings *settings)
{
    return json_array_size(settings->lines);
}

/* Only an explicit false takes a right away. */
static bool line_may(const struct settings *settings, size_t index, const char *key)
{
    return !json_is_false(json_object_get(json_array_get(settings->lines, index), key));
}

bool settings_line_may_send(const struct settings *settings, size_t index)
{
    return line_may(settings, index, "send");
}

bool settings_line_may_receive(const struct settings *settings, size_t index)
{
    return line_may(settings, index, "receive");
}

const char *settings_dial_prefix(const struct settings *settings)
{
    return settings->dial_prefix;
}

bool settings_start_id_is_full(const struct settings *settings)
{
    return settings->start_id_is_full;
}
