/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a provider's section: first the frame that every provider has (name, lines, engine), then, by tables of keys
 * that the plug-ins keep, what they alone understand. First step of a plug-in's life: FaxdProviderConfig comes here.
 */
#include "plugins/common/settings.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_SIZE 320 /* of what a message names */

static const char *text_of(const json_t *object, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : otherwise;
}

static json_t *object_of(json_t *parent, const char *key)
{
    json_t *value = json_object_get(parent, key);

    if (value)
        return json_is_object(value) ? value : NULL;
    value = json_object();
    json_object_set_new(parent, key, value);
    return value;
}

static int line_parse(struct settings_line *line, json_t *entry, size_t index)
{
    line->name = text_of(entry, "name", "");
    line->number = text_of(entry, "number", "");
    line->settings = json_is_object(entry) ? object_of(entry, "settings") : NULL;
    if (!line->settings)
        return err_set(ERR_INVALID, "lines: entry %zu is not an object with a section of settings", index);
    return 0;
}

static int lines_parse(struct settings *settings)
{
    json_t *lines = json_object_get(settings->root, "lines");
    json_t *entry;
    size_t count = json_array_size(lines), i;
    int err;

    if (count == 0 || count > SETTINGS_LINES_MAX)
        return err_set(ERR_INVALID, "provider %s: has %zu lines, wants 1 to %d", settings->name, count,
                       SETTINGS_LINES_MAX);
    settings->lines = xcalloc(count, sizeof(*settings->lines));
    settings->line_count = (int)count;
    json_array_foreach(lines, i, entry)
    {
        err = line_parse(&settings->lines[i], entry, i);
        if (err)
            return err;
    }
    return 0;
}

static int frame_parse(struct settings *settings)
{
    json_t *calls = json_object_get(settings->root, "calls_per_engine");

    settings->name = text_of(settings->root, "name", "");
    settings->engine = text_of(settings->root, "engine", "");
    settings->work_dir = text_of(settings->root, "work_dir", "");
    settings->calls_per_engine = calls ? (int)json_integer_value(calls) : 1;
    settings->values = object_of(settings->root, "settings");
    if (settings->calls_per_engine < 1 || settings->calls_per_engine > 1024)
        return err_set(ERR_INVALID, "provider %s: calls_per_engine is not 1 to 1024", settings->name);
    if (!settings->values)
        return err_set(ERR_INVALID, "provider %s: settings is not a section", settings->name);
    return lines_parse(settings);
}

int settings_parse(struct settings **out, const char *json)
{
    struct settings *settings = xcalloc(1, sizeof(*settings));
    json_error_t fault;
    int err;

    settings->root = json_loads(json, JSON_REJECT_DUPLICATES, &fault);
    if (json_is_object(settings->root))
        err = frame_parse(settings);
    else
        err = err_set(ERR_INVALID, "provider section is not a JSON object: %s", settings->root ? "" : fault.text);
    if (err) {
        settings_free(settings);
        return err;
    }
    *out = settings;
    return 0;
}

void settings_free(struct settings *settings)
{
    if (!settings)
        return;
    json_decref(settings->root);
    free(settings->lines);
    free(settings);
}

static const struct settings_key *key_find(const struct settings_key *keys, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (!strcmp(keys[i].name, name))
            return &keys[i];
    }
    return NULL;
}

static int key_unknown(const char *where, const char *name, const struct settings_key *keys, int count)
{
    char known[LIST_SIZE] = "";
    size_t used = 0;

    for (int i = 0; i < count && used < sizeof(known); i++)
        used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "", keys[i].name);
    return err_set(ERR_INVALID, "%s: unknown setting \"%.64s\" (known: %s)", where, name, known);
}

static bool number_of(double *number, const json_t *value)
{
    const char *text = json_string_value(value);
    char *end = NULL;

    if (json_is_number(value)) {
        *number = json_number_value(value);
        return true;
    }
    if (!text || !*text)
        return false;
    errno = 0;
    *number = strtod(text, &end);
    return !errno && !*end;
}

static int read_number(void *to, const json_t *value, const char *where, const struct settings_key *key)
{
    double number;

    if (!number_of(&number, value) || !(number >= key->low && number <= key->high) ||
        (key->type == SETTINGS_INT && number != floor(number)))
        return err_set(ERR_INVALID, "%s: %s is not a%s number from %.10g to %.10g", where, key->name,
                       key->type == SETTINGS_INT ? " whole" : "", key->low, key->high);
    if (key->type == SETTINGS_INT)
        *(int *)to = (int)number;
    else
        *(double *)to = number;
    return 0;
}

static int read_bool(bool *to, const json_t *value, const char *where, const struct settings_key *key)
{
    const char *text = json_string_value(value);

    if (json_is_boolean(value))
        *to = json_is_true(value);
    else if (text && (!strcmp(text, "yes") || !strcmp(text, "true") || !strcmp(text, "on")))
        *to = true;
    else if (text && (!strcmp(text, "no") || !strcmp(text, "false") || !strcmp(text, "off")))
        *to = false;
    else
        return err_set(ERR_INVALID, "%s: %s is neither yes nor no", where, key->name);
    return 0;
}

/* A whole number stands for its digits: a user or a password may be one. */
static const char *digits_of(json_t *object, const char *name, const json_t *value)
{
    char digits[24];

    if (!json_is_integer(value))
        return NULL;
    snprintf(digits, sizeof(digits), "%lld", (long long)json_integer_value(value));
    json_object_set_new(object, name, json_string(digits));
    return json_string_value(json_object_get(object, name));
}

static int read_text(const char **to, json_t *object, const json_t *value, const char *where,
                     const struct settings_key *key)
{
    const char *text = json_is_string(value) ? json_string_value(value) : digits_of(object, key->name, value);

    if (!text || strlen(text) > (size_t)key->high)
        return err_set(ERR_INVALID, "%s: %s is not a text of at most %g octets", where, key->name, key->high);
    *to = text;
    return 0;
}

static int read_word(int *to, const json_t *value, const char *where, const struct settings_key *key)
{
    const char *text = json_string_value(value);
    char known[LIST_SIZE] = "";
    size_t used = 0;

    for (int i = 0; key->words[i]; i++) {
        if (text && !strcmp(text, key->words[i])) {
            *to = i;
            return 0;
        }
        if (used < sizeof(known))
            used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "", key->words[i]);
    }
    return err_set(ERR_INVALID, "%s: %s is \"%.64s\", not one of %s", where, key->name, text ? text : "", known);
}

static int read_object(json_t **to, json_t *value, const char *where, const struct settings_key *key)
{
    const char *text = json_string_value(value);
    json_t *object = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : json_incref(value);

    if (!json_is_object(object)) {
        json_decref(object);
        return err_set(ERR_INVALID, "%s: %s is not a JSON object", where, key->name);
    }
    json_decref(*to);
    *to = object;
    return 0;
}

static int read_key(void *to, json_t *object, json_t *value, const char *where, const struct settings_key *key)
{
    void *field = (char *)to + key->offset;

    switch (key->type) {
    case SETTINGS_INT:
    case SETTINGS_REAL:
        return read_number(field, value, where, key);
    case SETTINGS_BOOL:
        return read_bool(field, value, where, key);
    case SETTINGS_TEXT:
        return read_text(field, object, value, where, key);
    case SETTINGS_WORD:
        return read_word(field, value, where, key);
    case SETTINGS_OBJECT:
        return read_object(field, value, where, key);
    }
    return err_set(ERR_INTERNAL, "%s: no such type of setting", key->name);
}

int settings_read(void *to, const json_t *object, const char *where, const struct settings_key *keys, int count)
{
    const char *name;
    json_t *value;
    int err = 0;

    json_object_foreach((json_t *)object, name, value)
    {
        const struct settings_key *key = key_find(keys, count, name);

        err = key ? read_key(to, (json_t *)object, value, where, key) : key_unknown(where, name, keys, count);
        if (err)
            return err;
    }
    return 0;
}
