/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FaxdJobOptions, read: between FaxDevStartJob and FaxDevSend or FaxDevReceive. What is wrong is refused rather than
 * mended, since a fax sent by other rules than its sender chose is worse than one that is not sent.
 */
#include "plugins/common/options.h"

#include "server/base/err.h"

#include <string.h>

#define CALL_LIMIT_S    3600
#define CALL_LIMIT_HIGH 86400
#define RATE_BPS        14400

void options_init(struct options *options)
{
    memset(options, 0, sizeof(*options));
    options->journal_fd = -1;
    options->station_id = options->caller_id = options->header = options->subaddress = options->password = "";
    options->transport = "auto";
    options->ecm = true;
    options->max_rate_bps = RATE_BPS;
    options->call_limit_s = CALL_LIMIT_S;
}

void options_clear(struct options *options)
{
    json_decref(options->root);
    options_init(options);
}

static int read_text(const char **to, const json_t *root, const char *key)
{
    const json_t *value = json_object_get(root, key);

    if (!value || json_is_null(value))
        return 0;
    if (!json_is_string(value))
        return err_set(ERR_INVALID, "options: %s is not a text", key);
    *to = json_string_value(value);
    return 0;
}

static int read_int(int *to, const json_t *root, const char *key, int low, int high)
{
    const json_t *value = json_object_get(root, key);

    if (!value || json_is_null(value))
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < low || json_integer_value(value) > high)
        return err_set(ERR_INVALID, "options: %s is not a whole number from %d to %d", key, low, high);
    *to = (int)json_integer_value(value);
    return 0;
}

static int read_bool(bool *to, const json_t *root, const char *key)
{
    const json_t *value = json_object_get(root, key);

    if (!value || json_is_null(value))
        return 0;
    if (!json_is_boolean(value))
        return err_set(ERR_INVALID, "options: %s is neither true nor false", key);
    *to = json_is_true(value);
    return 0;
}

static int read_transport(struct options *options)
{
    const char *word = options->transport;
    int err = read_text(&word, options->root, "transport");

    if (!err && strcmp(word, "auto") != 0 && strcmp(word, "t38") != 0 && strcmp(word, "g711") != 0)
        err = err_set(ERR_INVALID, "options: transport is not one of auto, t38, g711");
    if (!err)
        options->transport = word;
    return err;
}

static int read_words(const json_t **to, const json_t *root, const char *key)
{
    const json_t *list = json_object_get(root, key), *word;
    size_t i;

    if (!list || json_is_null(list))
        return 0;
    json_array_foreach(list, i, word)
    {
        if (!json_is_string(word))
            return err_set(ERR_INVALID, "options: %s holds something that is not a text", key);
    }
    if (json_array_size(list) == 0 || json_array_size(list) > 16)
        return err_set(ERR_INVALID, "options: %s is not a list of 1 to 16 texts", key);
    *to = list;
    return 0;
}

static int read_rendition(struct options_rendition *to, const json_t *entry)
{
    int err;

    to->file = to->resolution = "";
    err = read_text(&to->file, entry, "file");
    if (!err)
        err = read_text(&to->resolution, entry, "resolution");
    if (!err)
        err = read_int(&to->width, entry, "width", 0, 16384);
    if (!err && to->file[0] != '/')
        err = err_set(ERR_INVALID, "options: a rendition has no absolute path");
    return err;
}

static int read_renditions(struct options *options)
{
    const json_t *list = json_object_get(options->root, "renditions"), *entry;
    size_t i;
    int err;

    if (list && !json_is_null(list) && (!json_is_array(list) || json_array_size(list) > OPTIONS_RENDITIONS_MAX))
        return err_set(ERR_INVALID, "options: renditions is not a list of at most %d", OPTIONS_RENDITIONS_MAX);
    json_array_foreach(list, i, entry)
    {
        err = read_rendition(&options->renditions[i], entry);
        if (err)
            return err;
        options->rendition_count = (int)i + 1;
    }
    return 0;
}

static int read_all(struct options *options)
{
    const json_t *root = options->root;
    int err;

    if ((err = read_text(&options->station_id, root, "station_id")) ||
        (err = read_text(&options->caller_id, root, "caller_id")) ||
        (err = read_text(&options->header, root, "header")) ||
        (err = read_text(&options->subaddress, root, "subaddress")) ||
        (err = read_text(&options->password, root, "password")) || (err = read_bool(&options->ecm, root, "ecm")) ||
        (err = read_int(&options->journal_fd, root, "journal_fd", -1, 1 << 24)) ||
        (err = read_int(&options->max_rate_bps, root, "max_rate_bps", 2400, 33600)) ||
        (err = read_int(&options->call_limit_s, root, "call_limit_s", 1, CALL_LIMIT_HIGH)) ||
        (err = read_words(&options->modems, root, "modems")) ||
        (err = read_words(&options->compressions, root, "compressions")) || (err = read_transport(options)))
        return err;
    return read_renditions(options);
}

int options_parse(struct options *options, const char *json)
{
    struct options fresh;
    json_error_t fault;
    int err;

    options_init(&fresh);
    fresh.root = json ? json_loads(json, JSON_REJECT_DUPLICATES, &fault) : NULL;
    if (json_is_object(fresh.root))
        err = read_all(&fresh);
    else
        err = err_set(ERR_INVALID, "options are not a JSON object");
    if (err) {
        json_decref(fresh.root);
        return err;
    }
    json_decref(options->root);
    *options = fresh;
    return 0;
}
