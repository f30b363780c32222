/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What providers say of their trunks. On the route: a module posts that its state has changed -> its host asks it ->
 * LINK_STATE -> trunk_take() -> events, the lines that may send, /v1/trunks and /metrics. The text is a plug-in's:
 * nothing of it is believed before the whole of it was checked. */
#include "server/trunk.h"

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

/* One provider's answer. */
struct trunk_set {
    char *provider;
    struct trunk trunks[TRUNKS_MAX];
    int count;
    bool lines_unavailable;
    char lines_reason[TRUNK_TEXT_SIZE];
};

struct trunk_table {
    struct trunk_set **sets;
    int count;
};

int trunk_table_new(struct trunk_table **out)
{
    *out = xcalloc(1, sizeof **out);
    return 0;
}

static void set_free(struct trunk_set *set)
{
    free(set->provider);
    free(set);
}

void trunk_table_free(struct trunk_table *table)
{
    if (table == NULL)
        return;
    for (int i = 0; i < table->count; i++)
        set_free(table->sets[i]);
    free(table->sets);
    free(table);
}

static int set_position(const struct trunk_table *table, const char *provider)
{
    int i = 0;

    while (i < table->count && strcmp(table->sets[i]->provider, provider) != 0)
        i++;
    return i;
}

/* Takes `set` over. */
static void set_put(struct trunk_table *table, struct trunk_set *set)
{
    int at = set_position(table, set->provider);

    if (at == table->count)
        table->sets = xrealloc(table->sets, (unsigned long)++table->count * sizeof *table->sets);
    else
        set_free(table->sets[at]);
    table->sets[at] = set;
}

/* --- reading an answer --- */

static const char *const state_names[] = {
    [TRUNK_UP] = "up", [TRUNK_DOWN] = "down", [TRUNK_REGISTERING] = "registering", [TRUNK_DISABLED] = "disabled"};

/* A step of a path and a label of /metrics. */
static bool is_name(const char *name)
{
    size_t length = name != NULL ? strlen(name) : 0;

    for (size_t i = 0; i < length; i++)
        if (name[i] < ' ' || name[i] > '~' || strchr("/\"\\", name[i]) != NULL)
            return false;
    return length > 0 && length < TRUNK_NAME_SIZE;
}

static int read_test(struct trunk_test *to, const char *what, const json_t *object)
{
    int64_t status = 0;
    int error;

    if (object == NULL || json_is_null(object))
        return 0;
    if (!json_is_object(object))
        return answer_wrong(what, "last_test");
    to->ok = json_is_true(json_object_get(object, "ok"));
    if ((error = answer_time(&to->at_ms, what, object, "at_ms")) != 0 ||
        (error = answer_count(&status, what, object, "status")) != 0 ||
        (error = answer_count(&to->rtt_ms, what, object, "rtt_ms")) != 0 ||
        (error = answer_text(to->reason, sizeof to->reason, what, object, "reason")) != 0)
        return error;
    to->status = status < 1000 ? (int)status : 0;
    return to->at_ms > 0 ? 0 : answer_wrong(what, "last_test");
}

static int read_trunk(struct trunk *trunk, const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "name"));
    char what[sizeof trunk->name + 8];
    int error, state = 0;

    if (!is_name(name))
        return err_set(ERR_INVALID, "a trunk has no name that can be shown");
    str_copy(trunk->name, sizeof trunk->name, name);
    snprintf(what, sizeof what, "trunk %s", name);
    if ((error = answer_word(&state, what, object, "state", state_names, TRUNK_STATE_COUNT)) != 0 ||
        (error = answer_text(trunk->reason, sizeof trunk->reason, what, object, "reason")) != 0 ||
        (error = answer_text(trunk->kind, sizeof trunk->kind, what, object, "kind")) != 0 ||
        (error = answer_text(trunk->registrar, sizeof trunk->registrar, what, object, "registrar")) != 0 ||
        (error = answer_time(&trunk->since_ms, what, object, "since_ms")) != 0 ||
        (error = answer_count(&trunk->calls, what, object, "calls")) != 0 ||
        (error = answer_count(&trunk->calls_total, what, object, "calls_total")) != 0 ||
        (error = answer_count(&trunk->failures_total, what, object, "failures_total")) != 0)
        return error;
    trunk->state = (enum trunk_state)state;
    return read_test(&trunk->test, what, json_object_get(object, "last_test"));
}

static const struct trunk *find_in(const struct trunk_set *set, const char *name)
{
    for (int i = 0; i < set->count; i++)
        if (strcmp(set->trunks[i].name, name) == 0)
            return &set->trunks[i];
    return NULL;
}

static int read_trunks(struct trunk_set *set, const json_t *list)
{
    const json_t *entry;
    size_t i;

    if (!json_is_array(list) || json_array_size(list) > TRUNKS_MAX)
        return err_set(ERR_INVALID, "\"trunks\" is not a list of at most %d", TRUNKS_MAX);
    json_array_foreach(list, i, entry)
    {
        struct trunk trunk = {.provider = set->provider};
        int error = read_trunk(&trunk, entry);

        if (error == 0 && find_in(set, trunk.name) != NULL)
            error = err_set(ERR_INVALID, "there are two trunks %s", trunk.name);
        if (error != 0)
            return error;
        set->trunks[set->count++] = trunk;
    }
    return 0;
}

static int read_lines(struct trunk_set *set, const json_t *root)
{
    const char *word = json_string_value(json_object_get(root, "lines"));

    set->lines_unavailable = word != NULL && strcmp(word, "unavailable") == 0;
    return answer_text(set->lines_reason, sizeof set->lines_reason, "the provider", root, "lines_reason");
}

static int read_answer(struct trunk_set *set, const char *text)
{
    json_t *root = json_loads(text != NULL ? text : "", JSON_REJECT_DUPLICATES, NULL);
    int error = json_is_object(root) ? read_trunks(set, json_object_get(root, "trunks"))
                                     : err_set(ERR_INVALID, "it is no JSON object");

    if (error == 0)
        error = read_lines(set, root);
    json_decref(root);
    return error;
}

/* --- what it means --- */

static int tell(struct spool *spool, const struct trunk *trunk)
{
    json_t *data;
    int error;

    if (trunk->state != TRUNK_UP && trunk->state != TRUNK_DOWN)
        return 0; /* on its way, or nobody expects it */
    data = json_pack("{s:s, s:s, s:s, s:s, s:o}", "provider", trunk->provider, "trunk", trunk->name, "state",
                     state_names[trunk->state], "reason", trunk->reason, "since", nullable_time(trunk->since_ms));
    error = trunk_told(spool, trunk->provider, trunk->name, trunk->state == TRUNK_UP, data);
    json_decref(data);
    return error;
}

int trunk_take(struct trunk_table *table, struct spool *spool, const char *provider, const char *text)
{
    struct trunk_set *set = xcalloc(1, sizeof *set);
    int error;

    set->provider = xstrdup(provider);
    error = read_answer(set, text);
    if (error != 0) {
        set_free(set);
        return error;
    }
    set_put(table, set);
    for (int i = 0; i < set->count && error == 0; i++)
        error = tell(spool, &set->trunks[i]);
    return error;
}

void trunk_lose(struct trunk_table *table, const char *provider)
{
    int at = set_position(table, provider);
    struct trunk_set *set = at < table->count ? table->sets[at] : NULL;

    for (int i = 0; set != NULL && i < set->count; i++) {
        struct trunk *trunk = &set->trunks[i];

        trunk->calls = 0;
        if (trunk->state == TRUNK_DISABLED)
            continue;
        trunk->state = TRUNK_DOWN;
        trunk->since_ms = clock_now_ms();
        str_copy(trunk->reason, sizeof trunk->reason, "the provider does not run");
    }
    if (set != NULL)
        set->lines_unavailable = false; /* its lines are down by themselves */
}

const char *trunk_blocks_lines(const struct trunk_table *table, const char *provider)
{
    int at = set_position(table, provider);

    if (at == table->count || !table->sets[at]->lines_unavailable)
        return NULL;
    return table->sets[at]->lines_reason;
}

/* --- looking --- */

int trunk_count(const struct trunk_table *table)
{
    int count = 0;

    for (int i = 0; i < table->count; i++)
        count += table->sets[i]->count;
    return count;
}

const struct trunk *trunk_at(const struct trunk_table *table, int position)
{
    int i = 0;

    for (; position >= table->sets[i]->count; i++)
        position -= table->sets[i]->count;
    return &table->sets[i]->trunks[position];
}

const struct trunk *trunk_find(const struct trunk_table *table, const char *provider, const char *name)
{
    int at = set_position(table, provider);

    return at < table->count ? find_in(table->sets[at], name) : NULL;
}

static json_t *test_json(const struct trunk_test *test)
{
    if (test->at_ms == 0)
        return json_null();
    return json_pack("{s:o, s:b, s:o, s:o, s:I}", "at", nullable_time(test->at_ms), "ok", test->ok, "status",
                     test->status > 0 ? json_integer(test->status) : json_null(), "reason", nullable_text(test->reason),
                     "rtt_ms", (json_int_t)test->rtt_ms);
}

json_t *trunk_json(const struct trunk *trunk)
{
    return json_pack("{s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o}", "id",
                     json_sprintf("%s/%s", trunk->provider, trunk->name), "provider", trunk->provider, "name",
                     trunk->name, "state", state_names[trunk->state], "reason", nullable_text(trunk->reason), "since",
                     nullable_time(trunk->since_ms), "kind", nullable_text(trunk->kind), "registrar",
                     nullable_text(trunk->registrar), "calls", (json_int_t)trunk->calls, "calls_total",
                     (json_int_t)trunk->calls_total, "failures_total", (json_int_t)trunk->failures_total, "last_test",
                     test_json(&trunk->test));
}
