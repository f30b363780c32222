/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what is asked for to a statement, which is put together from constants. */
#include "config.h" /* open_memstream */

#include "spool/list_plan.h"

#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/fax.h"
#include "spool/list.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAD_STATE "fax WHERE state + 0 = ?" /* one way for each state */

/* ---- conditions ---- */

static void add(struct list_clause *clause, const char *sql)
{
    size_t length = strlen(clause->sql);
    str_copy(clause->sql + length, sizeof(clause->sql) - length, sql);
}

static void add_number(struct list_clause *clause, const char *sql, int64_t value)
{
    add(clause, sql);
    clause->binds[clause->bind_count++] = (struct list_bind){.number = value};
}

static void add_text(struct list_clause *clause, const char *sql, const char *text)
{
    add(clause, sql);
    clause->binds[clause->bind_count++] = (struct list_bind){.text = text};
}

/* A copy that lasts as long as the plan; NULL with its message when there is no room. */
static char *keep(struct list_plan *plan, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = plan->texts + plan->texts_used;
    if (size > sizeof(plan->texts) - plan->texts_used) {
        err_set(ERR_INVALID, "filters: longer than anything that is stored");
        return NULL;
    }
    plan->texts_used += size;
    return memcpy(copy, text, size);
}

static char *keep_lower(struct list_plan *plan, const char *text)
{
    char *copy = keep(plan, text);
    for (char *c = copy; c && *c; c++)
        *c = (char)tolower((unsigned char)*c); /* as the store's lower(): the letters of ASCII */
    return copy;
}

/* `sql` for the text, kept. */
static int rest_text(struct list_plan *plan, const char *sql, const char *text, const char **kept)
{
    *kept = NULL;
    if (!text || !*text)
        return 0;
    *kept = keep(plan, text);
    if (!*kept)
        return ERR_INVALID;
    add_text(&plan->rest, sql, *kept);
    return 0;
}

/* ---- what leads to the rows ---- */

/* The first that is given leads: they are tried in the order of how few rows each leaves, as a rule. */
static void lead(struct list_plan *plan, const char *sql, const char *text, int64_t number)
{
    if (plan->lead)
        return;
    plan->lead = sql;
    plan->lead_id = "fax.id";
    plan->lead_value = (struct list_bind){.text = text, .number = number};
}

static void lead_table(struct list_plan *plan, const char *sql, const char *id, const char *text)
{
    if (plan->lead)
        return;
    lead(plan, sql, text, 0);
    plan->lead_id = id;
}

/* Own faxes, and those that are one's own to see to: two ways that are each in order, so that the store merges them
 * as they come instead of sorting them all. */
static void lead_own(struct list_plan *plan, const struct list_query *query)
{
    static const char sent[] = "fax WHERE user_id > 0 AND user_id = ?";
    static const char received[] = "fax WHERE assigned > 0 AND assigned = ? AND +user_id <> ?";
    bool inbox = query->unread || query->junk || query->has_assignee || query->assigned ||
                 (query->label && *query->label) || (query->direction && *query->direction == 'i');
    bool outbox = query->direction && *query->direction == 'o';
    if (query->user <= 0)
        return;
    add_number(&plan->rest, " AND (user_id = ?", query->user);
    add_number(&plan->rest, " OR assigned = ?)", query->user);
    if (inbox)
        lead(plan, "fax WHERE assigned > 0 AND assigned = ?", NULL, query->user);
    lead(plan, sent, NULL, query->user);
    if (!inbox && !outbox && plan->lead == sent)
        plan->other_lead = received;
}

/* ---- the filters, those that leave few rows first ---- */

static int take_texts(struct list_plan *plan, const struct list_query *query)
{
    const char *text;
    int error = rest_text(plan, " AND client_reference = ?", query->client_reference, &text);
    if (!error && text) /* that it is not empty lets the planner see that the index, which leaves those out, will do */
        lead(plan, "fax WHERE client_reference <> '' AND client_reference = ?", text, 0);
    if (!error)
        error = rest_text(plan, " AND destination = ?", query->to, &text);
    if (!error && text)
        lead(plan, "fax WHERE destination = ?", text, 0);
    if (!error)
        error = rest_text(plan, " AND sender = ?", query->from, &text);
    if (!error && text && !(text = keep_lower(plan, query->from)))
        error = ERR_INVALID;
    if (!error && text)
        lead(plan, "fax WHERE sender <> '' AND lower(sender) = ?", text, 0);
    return error;
}

static int take_words(struct list_plan *plan, const struct list_query *query)
{
    const char *text;
    int error =
        rest_text(plan, " AND EXISTS (SELECT 1 FROM fax_label WHERE fax_label.fax = fax.id AND fax_label.label = ?)",
                  query->label, &text);
    if (!error && text && query->unread != LIST_YES) /* fewer are unread */
        lead_table(plan, "fax_label CROSS JOIN fax ON fax.id = fax_label.fax WHERE fax_label.label = ?",
                   "fax_label.fax", text);
    if (!error && query->tag && !str_is_utf8(query->tag, strlen(query->tag)))
        return err_set(ERR_INVALID, "tag: not UTF-8");
    if (!error)
        error = rest_text(plan, " AND EXISTS (SELECT 1 FROM fax_tag WHERE fax_tag.tag = ? AND fax_tag.fax = fax.id)",
                          query->tag, &text);
    if (!error && text)
        lead_table(plan, "fax_tag CROSS JOIN fax ON fax.id = fax_tag.fax WHERE fax_tag.tag = ?", "fax_tag.fax", text);
    return error;
}

static void take_marks(struct list_plan *plan, const struct list_query *query)
{
    static const char *const unread[] = {"", " AND unread = 1", " AND direction = 1 AND unread = 0"};
    static const char *const junk[] = {"", " AND junk = 1", " AND direction = 1 AND junk = 0"};
    static const char *const assigned[] = {"", " AND assigned > 0", " AND direction = 1 AND assigned = 0"};
    add(&plan->rest, unread[query->unread]);
    add(&plan->rest, junk[query->junk]);
    add(&plan->rest, assigned[query->has_assignee]);
    if (query->assigned > 0)
        add_number(&plan->rest, " AND assigned = ?", query->assigned);
    if (query->unread == LIST_YES)
        lead(plan, "fax WHERE unread = 1", NULL, 0);
    if (query->junk == LIST_YES)
        lead(plan, "fax WHERE junk = 1", NULL, 0);
    if (query->assigned > 0)
        lead(plan, "fax WHERE assigned > 0 AND assigned = ?", NULL, query->assigned);
}

static int take_error(struct list_plan *plan, const char *word)
{
    if (!word || !*word)
        return 0;
    enum fax_outcome outcome = outcome_from_code(word);
    if (outcome == OUTCOME_NONE)
        return err_set(ERR_INVALID, "error: %.40s is not known", word);
    add_number(&plan->rest, " AND outcome = ?", outcome);
    if (outcome > OUTCOME_SUCCESS)
        lead(plan, "fax WHERE outcome > 1 AND outcome = ?", NULL, outcome);
    return 0;
}

/* Marks the states that a word shows. */
static bool mark_states(bool *wanted, const char *word, size_t length)
{
    bool known = false;
    for (int state = 1; state < FAX_STATES; state++) {
        const char *name = fax_state_name((enum fax_state)state);
        if (strlen(name) != length || strncmp(name, word, length) != 0 || strcmp(name, "unknown") == 0)
            continue;
        wanted[state] = known = true;
    }
    return known;
}

static int take_status(struct list_plan *plan, const char *words)
{
    bool wanted[FAX_STATES] = {false};
    char number[16];
    if (!words || !*words)
        return 0;
    for (const char *word = words;; word++) {
        size_t length = strcspn(word, ",");
        if (!mark_states(wanted, word, length))
            return err_set(ERR_INVALID, "status: %.*s is not known", length > 40 ? 40 : (int)length, word);
        word += length;
        if (!*word)
            break;
    }
    add(&plan->rest, " AND state IN (0");
    for (int state = 1; state < FAX_STATES; state++) {
        if (!wanted[state])
            continue;
        snprintf(number, sizeof(number), ", %d", state);
        add(&plan->rest, number);
        plan->states[plan->state_count++] = state;
    }
    add(&plan->rest, ")");
    lead(plan, LEAD_STATE, NULL, 0);
    return 0;
}

static int take_direction(struct list_plan *plan, const char *word)
{
    if (!word || !*word)
        return 0;
    if (strcmp(word, "outbound") != 0 && strcmp(word, "inbound") != 0)
        return err_set(ERR_INVALID, "direction: outbound or inbound");
    add(&plan->rest, *word == 'i' ? " AND direction = 1" : " AND direction = 0");
    return 0;
}

/* Marks that most have. */
static void lead_by_many(struct list_plan *plan, const struct list_query *query)
{
    if (query->has_assignee == LIST_NO)
        lead(plan, "fax WHERE direction = 1 AND assigned = 0", NULL, 0);
    if (query->junk == LIST_NO)
        lead(plan, "fax WHERE direction = 1 AND junk = 0", NULL, 0);
    if (query->unread == LIST_NO)
        lead(plan, "fax WHERE direction + 0 = ?", NULL, FAX_INBOUND);
    if (query->direction && *query->direction)
        lead(plan, "fax WHERE direction + 0 = ?", NULL, *query->direction == 'i' ? FAX_INBOUND : FAX_OUTBOUND);
    lead(plan, "fax WHERE fax.id > 0", NULL, 0);
}

static void take_numbers(struct list_plan *plan, const struct list_query *query)
{
    if (query->batch > 0) {
        add_number(&plan->rest, " AND batch = ?", query->batch);
        lead(plan, "fax WHERE batch > 0 AND batch = ?", NULL, query->batch);
    }
    if (query->owner > 0)
        add_number(&plan->rest, " AND owner = ?", query->owner);
    plan->created_from = query->created_gte;
    plan->created_until = query->created_lt;
    if (query->created_gte > 0)
        add_number(&plan->rest, " AND created_at >= ?", query->created_gte);
    if (query->created_lt > 0)
        add_number(&plan->rest, " AND created_at < ?", query->created_lt);
}

static int take_cursor(struct list_plan *plan, const char *cursor)
{
    plan->before = INT64_MAX;
    if (cursor && *cursor && str_to_int(&plan->before, cursor, 1, INT64_MAX))
        return err_set(ERR_INVALID, "cursor: not one of ours");
    return 0;
}

static int take_search(struct list_plan *plan, const struct list_query *query)
{
    plan->contacts = query->contacts;
    if (query->q && list_search_text(plan->q, query->q))
        return err_set(ERR_INVALID, "q: at most %d octets", LIST_SEARCH_MAX);
    return 0;
}

int list_plan_make(struct list_plan *plan, const struct list_query *query)
{
    add(&plan->rest, "1");
    take_numbers(plan, query);
    lead_own(plan, query);
    int error = take_texts(plan, query);
    if (!error)
        error = take_words(plan, query);
    take_marks(plan, query);
    if (!error)
        error = take_error(plan, query->error);
    if (!error)
        error = take_status(plan, query->status);
    if (!error)
        error = take_direction(plan, query->direction);
    if (!error)
        error = take_search(plan, query);
    lead_by_many(plan, query);
    return error ? error : take_cursor(plan, query->cursor);
}

/* ---- the statement ---- */

static void bind_value(struct stmt *stmt, const struct list_bind *bind)
{
    if (bind->text)
        stmt_bind_text(stmt, bind->text);
    else
        stmt_bind_int(stmt, bind->number);
}

static bool is_few(const struct list_walk *walk)
{
    return walk->found && !walk->found->too_many;
}

static bool by_states(const struct list_plan *plan)
{
    return plan->state_count > 0 && strcmp(plan->lead, LEAD_STATE) == 0;
}

/* How many ways lead to the rows, besides the other one to own faxes. */
static int ways(const struct list_plan *plan)
{
    return by_states(plan) ? plan->state_count : 1;
}

static void print_way(FILE *out, const struct list_walk *walk, const char *search, const char *lead_sql)
{
    const struct list_plan *plan = walk->plan;
    fprintf(out, "SELECT %s AS id, (%s%s) AS wanted FROM %s AND %s >= ? AND %s < ?", plan->lead_id, plan->rest.sql,
            search, lead_sql, plan->lead_id, plan->lead_id);
}

static void print_few(FILE *out, const struct list_walk *walk)
{
    char *ids = list_search_ids(walk->found->ids, walk->found->count);
    fprintf(out,
            "SELECT fax.id AS id, (%s) AS wanted FROM fax WHERE %s AND fax.id >= ? AND fax.id < ? ORDER BY id DESC",
            walk->plan->rest.sql, ids);
    free(ids);
}

static void print_all(FILE *out, const struct list_walk *walk)
{
    const struct list_plan *plan = walk->plan;
    char *search = walk->found ? list_search_condition(walk->found) : xstrdup("");
    for (int i = 0; i < ways(plan); i++) {
        fputs(i ? " UNION ALL " : "", out);
        print_way(out, walk, search, plan->lead);
    }
    if (plan->other_lead) {
        fputs(" UNION ALL ", out);
        print_way(out, walk, search, plan->other_lead);
    }
    fprintf(out, " ORDER BY %s DESC", ways(plan) > 1 || plan->other_lead ? "id" : plan->lead_id);
    free(search);
}

char *list_walk_sql(const struct list_walk *walk)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    if (is_few(walk))
        print_few(out, walk);
    else
        print_all(out, walk);
    fclose(out);
    return text;
}

static void bind_way(const struct list_walk *walk, const struct list_bind *values, int count)
{
    for (int i = 0; i < walk->plan->rest.bind_count; i++)
        bind_value(walk->stmt, &walk->plan->rest.binds[i]);
    if (walk->found && !is_few(walk))
        list_search_bind(walk->stmt, walk->found);
    for (int i = 0; i < count; i++)
        bind_value(walk->stmt, &values[i]);
    stmt_bind_int(walk->stmt, walk->first);
    stmt_bind_int(walk->stmt, walk->before);
}

static void bind_all(const struct list_walk *walk)
{
    const struct list_plan *plan = walk->plan;
    const struct list_bind other[2] = {plan->lead_value, plan->lead_value};
    if (is_few(walk)) {
        bind_way(walk, NULL, 0);
        return;
    }
    for (int i = 0; i < ways(plan); i++) {
        const struct list_bind state = {.number = plan->states[i]};
        bind_way(walk, by_states(plan) ? &state : &plan->lead_value, strchr(plan->lead, '?') ? 1 : 0);
    }
    if (plan->other_lead)
        bind_way(walk, other, 2);
}

int list_walk_open(struct list_walk *walk, struct db *db)
{
    walk->stmt = NULL;
    walk->sql = list_walk_sql(walk);
    int error = walk->sql ? stmt_open_once(&walk->stmt, db, walk->sql) : err_set(ERR_INTERNAL, "no memory for a list");
    if (!error)
        bind_all(walk);
    return error;
}

void list_walk_close(struct list_walk *walk)
{
    stmt_close(walk->stmt);
    free(walk->sql);
}
