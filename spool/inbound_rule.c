/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of inbound rules, and the list in memory that is read anew when they have changed. Those of the configuration
 * have no rows: they are what the file says.
 */
#include "spool/inbound_rule.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/mail.h"
#include "spool/nullable.h"
#include "spool/query.h"
#include "spool/spool_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS "id, public_id, position, name, enabled, goes_on, conditions, methods, owner, created_at"

struct rule_list {
    struct inbound_rule *rules;
    int count, room;
};

struct inbound_rules {
    struct rule_list all;  /* of the configuration, then of the table */
    json_t *configuration; /* the former as they were given, checked; NULL = none */
    char *folder_root, *command_dir;
    bool (*in_group)(void *context, const char *line, const char *group);
    void *context;
    int configured; /* how many of `all` */
    bool changed;   /* in this turn */
    bool stale;
};

/* ---- memory ---- */

void inbound_rule_clear(struct inbound_rule *rule)
{
    inbound_match_clear(&rule->match);
    for (int i = 0; i < rule->method_count; i++)
        route_method_clear(&rule->methods[i]);
    rule->method_count = 0;
}

static void drop_rules(struct rule_list *list)
{
    for (int i = 0; i < list->count; i++)
        inbound_rule_clear(&list->rules[i]);
    free(list->rules);
    *list = (struct rule_list){NULL, 0, 0};
}

static struct inbound_rule *add_rule(struct rule_list *list)
{
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 16;
        list->rules = xrealloc(list->rules, (size_t)list->room * sizeof(*list->rules));
    }
    list->rules[list->count] = (struct inbound_rule){.position = list->count + 1, .enabled = true};
    return &list->rules[list->count++];
}

static void read_methods(struct inbound_rule *rule, const char *text)
{
    json_t *list = json_loads(text, 0, NULL), *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        if (rule->method_count < ROUTE_METHODS_MAX && route_method_load(&rule->methods[rule->method_count], item))
            rule->method_count++;
    }
    json_decref(list);
}

static void read_conditions(struct inbound_rule *rule, const char *text)
{
    struct route_faults faults = {0};
    json_t *match = json_loads(text, 0, NULL);
    inbound_match_read(&rule->match, match, &faults);
    if (faults.count) {
        /* The system's time zones have changed: a rule that meets nothing is better than one that meets all. */
        log_error("inbound rule %s is disabled: its conditions cannot be read", rule->public_id);
        rule->enabled = false;
    }
    json_decref(match);
}

static void read_row(struct inbound_rule *rule, struct stmt *stmt)
{
    rule->id = stmt_int(stmt, "id");
    str_copy(rule->public_id, sizeof(rule->public_id), stmt_text(stmt, "public_id"));
    str_copy(rule->name, sizeof(rule->name), stmt_text(stmt, "name"));
    rule->enabled = stmt_int(stmt, "enabled") != 0;
    rule->goes_on = stmt_int(stmt, "goes_on") != 0;
    rule->owner = stmt_int(stmt, "owner");
    rule->created_at = stmt_int(stmt, "created_at");
    read_conditions(rule, stmt_text(stmt, "conditions"));
    read_methods(rule, stmt_text(stmt, "methods"));
}

static void add_configured(struct inbound_rules *store);

static int load(struct spool *spool)
{
    struct inbound_rules *store = spool->inbound_rules;
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM inbound_rule ORDER BY position, id");
    if (error)
        return error;
    drop_rules(&store->all);
    add_configured(store);
    store->configured = store->all.count;
    while ((error = stmt_step(stmt)) == 1)
        read_row(add_rule(&store->all), stmt);
    stmt_close(stmt);
    store->stale = error != 0;
    return error;
}

static void undone(struct spool *spool)
{
    spool->inbound_rules->stale |= spool->inbound_rules->changed;
}

static void committed(struct spool *spool)
{
    spool->inbound_rules->changed = false;
}

static void close_rules(struct spool *spool)
{
    struct inbound_rules *store = spool->inbound_rules;
    drop_rules(&store->all);
    json_decref(store->configuration);
    free(store->folder_root);
    free(store->command_dir);
    free(store);
    spool->inbound_rules = NULL;
}

static const struct spool_hook hook = {
    .committed = committed, .voided = undone, .part_undo = undone, .close = close_rules};

static struct inbound_rules *store_of(struct spool *spool)
{
    spool_assert_loop(spool);
    if (spool->inbound_rules->stale && load(spool))
        log_error("inbound rules cannot be read: %s", err_message());
    return spool->inbound_rules;
}

int inbound_rule_start(struct spool *spool)
{
    struct inbound_rules *store = xcalloc(1, sizeof(*store));
    store->folder_root = xstrdup("");
    store->command_dir = xstrdup("");
    spool->inbound_rules = store;
    spool_hook(spool, &hook);
    return load(spool);
}

const struct inbound_rule *inbound_rule_at(struct spool *spool, int index)
{
    const struct inbound_rules *store = store_of(spool);
    return index >= 0 && index < store->all.count ? &store->all.rules[index] : NULL;
}

const struct inbound_rule *inbound_rule_find(struct spool *spool, const char *public_id)
{
    const struct inbound_rules *store = store_of(spool);
    for (int i = 0; i < store->all.count; i++)
        if (strcmp(store->all.rules[i].public_id, public_id) == 0)
            return &store->all.rules[i];
    return NULL;
}

/* ---- what rules may do ---- */

void inbound_rule_setup(struct spool *spool, const struct inbound_setup *setup)
{
    struct inbound_rules *store = store_of(spool);
    free(store->folder_root);
    free(store->command_dir);
    store->folder_root = xstrdup(setup->folder_root ? setup->folder_root : "");
    store->command_dir = xstrdup(setup->command_dir ? setup->command_dir : "");
    store->in_group = setup->in_group;
    store->context = setup->context;
}

struct route_policy inbound_rule_policy(struct spool *spool, bool trusted)
{
    const struct inbound_rules *store = store_of(spool);
    return (struct route_policy){.trusted = trusted,
                                 .folder_root = store->folder_root,
                                 .command_dir = store->command_dir,
                                 .mail = mail_configured(spool),
                                 .spool = spool};
}

bool inbound_rule_in_group(void *spool, const char *line, const char *group)
{
    const struct inbound_rules *store = store_of(spool);
    return store->in_group && store->in_group(store->context, line, group);
}

/* ---- the configuration ---- */

struct first_fault {
    char text[400];
};

static void keep_first(void *context, const char *pointer, const char *code, const char *message)
{
    struct first_fault *fault = context;
    (void)code;
    if (!*fault->text)
        snprintf(fault->text, sizeof(fault->text), "%s: %s", pointer, message);
}

/* Users are not looked up: the configuration is read before there are any. */
static int read_configured(struct inbound_rule *rule, const json_t *object)
{
    static const struct route_policy policy = {.trusted = true, .folder_root = "", .command_dir = "", .mail = true};
    static const char *const thens[] = {"stop", "continue", NULL};
    struct first_fault fault = {""};
    struct route_faults faults = {keep_first, &fault, 0};
    const char *name = json_string_value(json_object_get(object, "name"));
    str_copy(rule->name, sizeof(rule->name), name);
    snprintf(rule->public_id, sizeof(rule->public_id), "conf_%.70s", name ? name : "");
    inbound_match_read(&rule->match, json_object_get(object, "match"), &faults);
    rule->goes_on = route_take_word(&faults, object, "", "then", thens, 0) == 1;
    rule->method_count =
        route_methods_read(rule->methods, json_object_get(object, "methods"), &policy, NULL, 0, &faults);
    if (faults.count)
        return err_set(ERR_INVALID, "the rule \"%s\": %s", rule->name, fault.text);
    return 0;
}

/* They were checked. */
static void add_configured(struct inbound_rules *store)
{
    json_t *object;
    size_t i;
    json_array_foreach(store->configuration, i, object)
    {
        read_configured(add_rule(&store->all), object);
    }
}

int inbound_rules_check(const json_t *list)
{
    json_t *object;
    size_t i;
    if (json_array_size(list) > INBOUND_RULES_MAX)
        return err_set(ERR_INVALID, "there are more than %d rules", INBOUND_RULES_MAX);
    json_array_foreach((json_t *)list, i, object)
    {
        struct inbound_rule rule = {.id = 0};
        int error = read_configured(&rule, object);
        inbound_rule_clear(&rule);
        if (error)
            return error;
    }
    return 0;
}

/* A webhook without a secret in the file would get another with each start. */
int inbound_rules_from_config(struct spool *spool, const json_t *list)
{
    struct inbound_rules *store = store_of(spool);
    int error = inbound_rules_check(list);
    if (error)
        return error;
    json_decref(store->configuration);
    store->configuration = list ? json_deep_copy(list) : NULL;
    return load(spool);
}

/* ---- rows ---- */

static char *conditions_text(const struct inbound_rule *rule)
{
    json_t *match = inbound_match_json(&rule->match);
    char *text = json_dumps(match, JSON_COMPACT);
    json_decref(match);
    return text;
}

static char *methods_text(const struct inbound_rule *rule)
{
    json_t *list = json_array();
    for (int i = 0; i < rule->method_count; i++)
        json_array_append(list, rule->methods[i].settings);
    char *text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return text;
}

/* Runs and closes a statement whose first placeholders are those of a rule's own columns; of a new one there are three
 * more. */
static int run_with_rule(struct stmt *stmt, const struct inbound_rule *rule, int configured, bool is_new)
{
    char *conditions = conditions_text(rule), *methods = methods_text(rule);
    stmt_bind_text(stmt, rule->name);
    stmt_bind_int(stmt, rule->enabled);
    stmt_bind_int(stmt, rule->goes_on);
    stmt_bind_text(stmt, conditions);
    stmt_bind_text(stmt, methods);
    stmt_bind_int(stmt, rule->position - configured);
    if (is_new) {
        stmt_bind_text(stmt, rule->public_id);
        stmt_bind_int(stmt, rule->owner);
        stmt_bind_int(stmt, rule->created_at);
    } else {
        stmt_bind_int(stmt, rule->id);
    }
    int error = stmt_run(NULL, stmt);
    free(conditions);
    free(methods);
    return error;
}

/* Rows' positions (without those of the configuration) close up or make room: from `low` to `high`, by `step`. */
static int shift(struct spool *spool, int low, int high, int step)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE inbound_rule SET position = position + ? WHERE position >= ? AND position <= ?");
    if (error)
        return error;
    stmt_bind_int(stmt, step);
    stmt_bind_int(stmt, low);
    stmt_bind_int(stmt, high);
    return stmt_run(NULL, stmt);
}

static void bound_position(struct inbound_rule *rule, int configured, int last)
{
    if (rule->position < 1 || rule->position > last)
        rule->position = last;
    if (rule->position <= configured)
        rule->position = configured + 1;
}

static int changed(struct spool *spool)
{
    spool->inbound_rules->changed = true;
    return load(spool);
}

int inbound_rule_create(struct inbound_rule *rule, struct spool *spool)
{
    char ulid[STR_ULID_SIZE];
    const struct inbound_rules *store = store_of(spool);
    int configured = store->configured;
    struct stmt *stmt;
    if (store->all.count - configured >= INBOUND_RULES_MAX)
        return err_set(ERR_FULL, "there are %d rules already", INBOUND_RULES_MAX);
    rule->created_at = clock_now_ms();
    snprintf(rule->public_id, sizeof(rule->public_id), "rti_%s", str_ulid(ulid, rule->created_at));
    bound_position(rule, configured, store->all.count + 1);
    int error = shift(spool, rule->position - configured, INBOUND_RULES_MAX, 1);
    if (!error)
        error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO inbound_rule (name, enabled, goes_on, conditions, methods, position, public_id,"
                          " owner, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    if (!error)
        error = run_with_rule(stmt, rule, configured, true);
    return error ? error : changed(spool);
}

/* One that can be changed. */
static int find_row(const struct inbound_rule **rule, struct spool *spool, const char *public_id)
{
    *rule = inbound_rule_find(spool, public_id);
    if (!*rule)
        return err_set(ERR_NOT_FOUND, "there is no rule %.60s", public_id);
    return (*rule)->id ? 0 : err_set(ERR_CONFLICT, "this rule stands in the configuration: it is changed there");
}

int inbound_rule_update(struct inbound_rule *rule, struct spool *spool)
{
    const struct inbound_rule *before;
    struct stmt *stmt;
    int error = find_row(&before, spool, rule->public_id);
    if (error)
        return error;
    const struct inbound_rules *store = spool->inbound_rules;
    int configured = store->configured, was = before->position;
    bound_position(rule, configured, store->all.count);
    if (rule->position > was)
        error = shift(spool, was - configured + 1, rule->position - configured, -1);
    else if (rule->position < was)
        error = shift(spool, rule->position - configured, was - configured - 1, 1);
    if (!error)
        error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE inbound_rule SET name = ?, enabled = ?, goes_on = ?, conditions = ?, methods = ?,"
                          " position = ? WHERE id = ?");
    if (!error)
        error = run_with_rule(stmt, rule, configured, false);
    return error ? error : changed(spool);
}

int inbound_rule_delete(struct spool *spool, const char *public_id)
{
    const struct inbound_rule *rule;
    struct stmt *stmt;
    int error = find_row(&rule, spool, public_id);
    if (!error)
        error = stmt_open(&stmt, spool_db(spool), "DELETE FROM inbound_rule WHERE id = ?");
    if (error)
        return error;
    int position = rule->position - spool->inbound_rules->configured;
    stmt_bind_int(stmt, rule->id);
    error = stmt_run(NULL, stmt);
    if (!error)
        error = shift(spool, position + 1, INBOUND_RULES_MAX + 1, -1);
    return error ? error : changed(spool);
}

/* ---- JSON ---- */

json_t *inbound_rule_json(const struct inbound_rule *rule, bool with_secrets)
{
    json_t *methods = json_array();
    for (int i = 0; i < rule->method_count; i++)
        json_array_append_new(methods, route_method_json(&rule->methods[i], with_secrets));
    return json_pack("{s:s, s:i, s:s, s:b, s:b, s:o, s:s, s:o, s:o}", "id", rule->public_id, "position", rule->position,
                     "name", rule->name, "enabled", rule->enabled, "from_config", rule->id == 0, "match",
                     inbound_match_json(&rule->match), "then", rule->goes_on ? "continue" : "stop", "methods", methods,
                     "created_at", nullable_time(rule->created_at));
}

int inbound_rule_page(json_t **page, struct spool *spool, const char *cursor, int limit)
{
    const struct inbound_rules *store = store_of(spool);
    int64_t after = 0;
    *page = NULL;
    if (limit < 1 || limit > QUERY_LIMIT_MAX)
        return err_set(ERR_INVALID, "limit: 1 to %d", QUERY_LIMIT_MAX);
    if (cursor && str_to_int(&after, cursor, 1, 2 * INBOUND_RULES_MAX))
        return err_set(ERR_INVALID, "cursor: not one of ours");
    json_t *data = json_array();
    int i = (int)after;
    for (; i < store->all.count && i < after + limit; i++)
        json_array_append_new(data, inbound_rule_json(&store->all.rules[i], false));
    bool more = i < store->all.count;
    *page = json_pack("{s:o, s:b, s:o}", "data", data, "has_more", more, "next_cursor",
                      more ? json_sprintf("%d", i) : json_null());
    return 0;
}
