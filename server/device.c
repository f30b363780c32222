/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What providers say of the devices behind their lines. The route is that of trunks (trunk.c): a module posts that
 * something has changed -> its host asks it -> LINK_STATE -> device_take() -> events, the lines that may send,
 * /v1/lines and /metrics. The text is a plug-in's: nothing of it is believed before the whole of it was checked. */
#include "server/device.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "server/provider_answer.h"
#include "spool/nullable.h"
#include "spool/trunk_told.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One provider's devices. */
struct device_set {
    char *provider;
    struct device *devices;
    int count;
};

struct device_table {
    struct device_set **sets;
    int count;
};

int device_table_new(struct device_table **out)
{
    *out = xcalloc(1, sizeof **out);
    return 0;
}

static void set_free(struct device_set *set)
{
    for (int i = 0; i < set->count; i++)
        free(set->devices[i].test.report);
    free(set->devices);
    free(set->provider);
    free(set);
}

void device_table_free(struct device_table *table)
{
    if (table == NULL)
        return;
    for (int i = 0; i < table->count; i++)
        set_free(table->sets[i]);
    free(table->sets);
    free(table);
}

static int set_position(const struct device_table *table, const char *provider)
{
    int i = 0;

    while (i < table->count && strcmp(table->sets[i]->provider, provider) != 0)
        i++;
    return i;
}

/* Takes `set` over. */
static void set_put(struct device_table *table, struct device_set *set)
{
    int at = set_position(table, set->provider);

    if (at == table->count)
        table->sets = xrealloc(table->sets, (unsigned long)++table->count * sizeof *table->sets);
    else
        set_free(table->sets[at]);
    table->sets[at] = set;
}

static struct device *find_in(const struct device_set *set, int line)
{
    for (int i = 0; i < set->count; i++)
        if (set->devices[i].line == line)
            return &set->devices[i];
    return NULL;
}

/* --- reading an answer --- */

static const char *const state_names[] = {[DEVICE_UP] = "up", [DEVICE_DOWN] = "down", [DEVICE_FAULTY] = "faulty"};

static int read_test(struct device *device, const char *what, const json_t *object)
{
    char report[DEVICE_REPORT_SIZE];
    int error;

    if (object == NULL || json_is_null(object))
        return 0;
    if (!json_is_object(object))
        return answer_wrong(what, "last_test");
    device->test.ok = json_is_true(json_object_get(object, "ok"));
    if ((error = answer_time(&device->test.at_ms, what, object, "at_ms")) != 0 ||
        (error = answer_text(report, sizeof report, what, object, "report")) != 0)
        return error;
    device->test.report = xstrdup(report);
    return device->test.at_ms > 0 ? 0 : answer_wrong(what, "last_test");
}

/* `device` is zero; what it holds then is the caller's, whatever the result. */
static int read_device(struct device *device, const json_t *object)
{
    const json_t *line = json_object_get(object, "line");
    char what[40];
    int error, state = 0;

    if (!json_is_integer(line) || json_integer_value(line) < 0 || json_integer_value(line) >= DEVICES_MAX)
        return err_set(ERR_INVALID, "a device names no line");
    device->line = (int)json_integer_value(line);
    snprintf(what, sizeof what, "device of line %d", device->line);
    if ((error = answer_word(&state, what, object, "state", state_names, DEVICE_STATE_COUNT)) != 0 ||
        (error = answer_text(device->reason, sizeof device->reason, what, object, "reason")) != 0 ||
        (error = answer_text(device->path, sizeof device->path, what, object, "device")) != 0 ||
        (error = answer_text(device->model, sizeof device->model, what, object, "model")) != 0 ||
        (error = answer_time(&device->since_ms, what, object, "since_ms")) != 0)
        return error;
    device->state = (enum device_state)state;
    return read_test(device, what, json_object_get(object, "last_test"));
}

static int read_devices(struct device_set *set, const json_t *list)
{
    const json_t *entry;
    size_t i;

    if (list == NULL || json_is_null(list))
        return 0;
    if (!json_is_array(list) || json_array_size(list) > DEVICES_MAX)
        return err_set(ERR_INVALID, "\"devices\" is not a list of at most %d", DEVICES_MAX);
    set->devices = xcalloc(json_array_size(list) + 1, sizeof *set->devices);
    json_array_foreach(list, i, entry)
    {
        struct device *device = &set->devices[set->count];
        int error = read_device(device, entry);
        bool twice = error == 0 && find_in(set, device->line) != NULL;

        set->count++;
        if (twice)
            error = err_set(ERR_INVALID, "there are two devices of line %d", device->line);
        if (error != 0)
            return error;
    }
    return 0;
}

static int read_answer(struct device_set *set, const char *text)
{
    json_t *root = json_loads(text != NULL ? text : "", JSON_REJECT_DUPLICATES, NULL);
    int error = json_is_object(root) ? read_devices(set, json_object_get(root, "devices"))
                                     : err_set(ERR_INVALID, "it is no JSON object");

    json_decref(root);
    return error;
}

/* --- what it means --- */

static int tell(struct spool *spool, const struct line *line, const struct device *device)
{
    json_t *data;
    int error;

    if (device->state == DEVICE_DOWN)
        return 0; /* somebody unplugged it, or has it in use */
    data = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "provider", line->provider, "line", line->id, "device",
                     device->path, "state", state_names[device->state], "reason", device->reason, "since",
                     nullable_time(device->since_ms));
    error = trunk_told_device(spool, line->provider, line->name, device->state == DEVICE_UP, data);
    json_decref(data);
    return error;
}

int device_take(struct device_table *table, struct spool *spool, const struct line_table *lines, const char *provider,
                const char *text)
{
    struct device_set *set = xcalloc(1, sizeof *set);
    int error;

    set->provider = xstrdup(provider);
    error = read_answer(set, text);
    if (error != 0) {
        set_free(set);
        return error;
    }
    set_put(table, set);
    for (int i = 0; i < line_count(lines) && error == 0; i++) {
        const struct line *line = line_at(lines, i);
        const struct device *device = strcmp(line->provider, provider) == 0 ? find_in(set, line->index) : NULL;

        if (device != NULL)
            error = tell(spool, line, device);
    }
    return error;
}

void device_lose(struct device_table *table, const char *provider)
{
    int at = set_position(table, provider);

    if (at == table->count)
        return;
    set_free(table->sets[at]);
    table->sets[at] = table->sets[--table->count];
}

/* --- looking --- */

const struct device *device_of(const struct device_table *table, const struct line *line)
{
    int at = set_position(table, line->provider);

    return at < table->count ? find_in(table->sets[at], line->index) : NULL;
}

const char *device_blocks_line(const struct device_table *table, const struct line *line)
{
    const struct device *device = device_of(table, line);

    if (device == NULL || device->state == DEVICE_UP)
        return NULL;
    return device->reason[0] != '\0' ? device->reason : state_names[device->state];
}

json_t *device_json(const struct device *device)
{
    json_t *test = json_null();

    if (device == NULL)
        return test;
    if (device->test.at_ms > 0)
        test = json_pack("{s:o, s:b, s:o}", "at", nullable_time(device->test.at_ms), "ok", (int)device->test.ok,
                         "report", nullable_text(device->test.report));
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "state", state_names[device->state], "reason",
                     nullable_text(device->reason), "path", nullable_text(device->path), "model",
                     nullable_text(device->model), "since", nullable_time(device->since_ms), "last_test", test);
}
