/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of numbers. On the route: attempt_end() hands over what a call showed -> destination_take() -> the next
 * call's options (server/outbound). */
#include "spool/destination.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/spool.h"
#include "spool/suspension.h"

#include <stdio.h>
#include <string.h>

#define HOPELESS  3    /* failures in a row of both */
#define COUNT_MAX 1000 /* beyond it both counts are halved, so that what was long ago weighs less */
#define COLUMNS                                                                                                        \
    "number, transport, reason, t38_ok, t38_failed, t38_in_a_row, g711_ok, g711_failed, g711_in_a_row, last_outcome, " \
    "last_at, forced, calls_ok, calls_failed, not_fax_in_a_row, suspended_at, suspended_reason"

_Static_assert(DESTINATION_AUTO == 0 && DESTINATION_T38 == 1 && DESTINATION_G711 == 2, "transports are stored");

const char *destination_transport_name(enum destination_transport transport)
{
    switch (transport) {
    case DESTINATION_T38:
        return "t38";
    case DESTINATION_G711:
        return "g711";
    case DESTINATION_AUTO:
        break;
    }
    return "auto";
}

/* ---- the rule ---- */

enum lesson { LESSON_NONE, LESSON_OK, LESSON_FAILED };

/* What the far end wants, or cannot do, it would over any transport. */
static bool is_far_ends_own(enum fax_outcome outcome)
{
    return outcome == OUTCOME_CAPABILITY_MISMATCH || outcome == OUTCOME_REMOTE_AUTH_REQUIRED;
}

static enum lesson lesson_of_t38(const struct destination_call *call)
{
    if (call->outcome == OUTCOME_SUCCESS)
        return LESSON_OK;
    if (call->outcome == OUTCOME_MEDIA_TIMEOUT)
        return LESSON_FAILED;
    if (call->pages_confirmed > 0 || is_far_ends_own(call->outcome))
        return LESSON_NONE;
    return strcmp(outcome_info(call->outcome)->class_name, "protocol") == 0 ? LESSON_FAILED : LESSON_NONE;
}

static enum lesson lesson_of_g711(const struct destination_call *call)
{
    switch ((int)call->outcome) {
    case OUTCOME_SUCCESS:
        return LESSON_OK;
    case OUTCOME_TRAINING_FAILED:
    case OUTCOME_PAGE_TRANSFER_FAILED:
    case OUTCOME_CARRIER_LOST:
    case OUTCOME_PROTOCOL_ERROR:
        return LESSON_FAILED;
    default:
        return LESSON_NONE;
    }
}

/* Which transport a call has used, DESTINATION_AUTO for none of the two, and what it showed of it. */
static enum destination_transport used_by(enum lesson *lesson, const struct destination_call *call)
{
    const char *mode = json_string_value(json_object_get(call->record, "mode"));
    const char *codec = json_string_value(json_object_get(call->record, "codec"));

    *lesson = LESSON_NONE;
    /* T.38 was refused while the call still was audio. */
    if (call->outcome == OUTCOME_T38_NEGOTIATION_FAILED) {
        *lesson = LESSON_FAILED;
        return DESTINATION_T38;
    }
    if (mode && strcmp(mode, "t38") == 0) {
        *lesson = lesson_of_t38(call);
        return DESTINATION_T38;
    }
    if (!mode || strcmp(mode, "audio") != 0 || !codec || !*codec)
        return DESTINATION_AUTO;
    *lesson = lesson_of_g711(call);
    return DESTINATION_G711;
}

static void count(struct destination_record *record, enum lesson lesson)
{
    if (lesson == LESSON_OK) {
        record->ok++;
        record->in_a_row = 0;
    } else {
        record->failed++;
        record->in_a_row++;
    }
    if (record->ok + record->failed > COUNT_MAX) {
        record->ok /= 2;
        record->failed /= 2;
    }
}

/* Share of successes, with one of each assumed for what is hardly known; compared without dividing. */
static bool has_better_share(const struct destination_record *one, const struct destination_record *other)
{
    return (one->ok + 1) * (other->ok + other->failed + 2) > (other->ok + 1) * (one->ok + one->failed + 2);
}

static bool stays(const struct destination_record *failed, const struct destination_record *other)
{
    if (failed->in_a_row != other->in_a_row)
        return failed->in_a_row < other->in_a_row;
    return has_better_share(failed, other);
}

static void choose(struct destination *destination, enum destination_transport failed)
{
    bool was_t38 = failed == DESTINATION_T38;
    const struct destination_record *own = was_t38 ? &destination->t38 : &destination->g711;
    const struct destination_record *other = was_t38 ? &destination->g711 : &destination->t38;

    if (own->in_a_row >= HOPELESS && other->in_a_row >= HOPELESS)
        destination->transport = DESTINATION_AUTO;
    else if (was_t38 != stays(own, other))
        destination->transport = DESTINATION_G711;
    else if (destination->transport == DESTINATION_G711)
        destination->transport = DESTINATION_AUTO; /* away from it the provider may find its way by itself */
    else if (!was_t38)
        destination->transport = DESTINATION_T38;
}

static void say_why(struct destination *destination, enum destination_transport used, enum fax_outcome outcome)
{
    const char *transport = used == DESTINATION_T38 ? "T.38" : "G.711";

    if (outcome == OUTCOME_SUCCESS)
        snprintf(destination->reason, sizeof(destination->reason), "%s has worked", transport);
    else if (destination->t38.in_a_row >= HOPELESS && destination->g711.in_a_row >= HOPELESS)
        str_copy(destination->reason, sizeof(destination->reason), "neither T.38 nor G.711 has worked");
    else
        snprintf(destination->reason, sizeof(destination->reason), "%s has failed: %s", transport,
                 outcome_info(outcome)->code);
}

bool destination_learn(struct destination *destination, const struct destination_call *call)
{
    enum lesson lesson;
    enum destination_transport used = used_by(&lesson, call);

    if (lesson == LESSON_NONE)
        return false;
    count(used == DESTINATION_T38 ? &destination->t38 : &destination->g711, lesson);
    if (lesson == LESSON_FAILED)
        choose(destination, used);
    else if (destination->transport != used)
        destination->transport = DESTINATION_AUTO; /* what was remembered is not needed */
    destination->last_outcome = call->outcome;
    destination->last_at = call->at_ms;
    say_why(destination, used, call->outcome);
    return true;
}

static bool says_something(enum fax_outcome outcome)
{
    const char *class_name = outcome_info(outcome)->class_name;
    return outcome == OUTCOME_SUCCESS || strcmp(class_name, "call") == 0 || strcmp(class_name, "protocol") == 0;
}

bool destination_count(struct destination *destination, const struct destination_call *call)
{
    if (!says_something(call->outcome))
        return false;
    if (call->outcome == OUTCOME_SUCCESS)
        destination->calls_ok++;
    else
        destination->calls_failed++;
    if (destination->calls_ok + destination->calls_failed > COUNT_MAX) {
        destination->calls_ok /= 2;
        destination->calls_failed /= 2;
    }
    /* Only what shows that a fax machine is there speaks against a telephone. */
    if (call->outcome == OUTCOME_NOT_FAX)
        destination->not_fax_in_a_row++;
    else if (call->outcome == OUTCOME_SUCCESS || strcmp(outcome_info(call->outcome)->class_name, "protocol") == 0)
        destination->not_fax_in_a_row = 0;
    destination->last_outcome = call->outcome;
    destination->last_at = call->at_ms;
    return true;
}

/* ---- rows ---- */

static void read_row(struct destination *destination, struct stmt *stmt)
{
    memset(destination, 0, sizeof(*destination));
    str_copy(destination->number, sizeof(destination->number), stmt_text(stmt, "number"));
    destination->transport = (enum destination_transport)stmt_int(stmt, "transport");
    str_copy(destination->reason, sizeof(destination->reason), stmt_text(stmt, "reason"));
    destination->t38.ok = (int)stmt_int(stmt, "t38_ok");
    destination->t38.failed = (int)stmt_int(stmt, "t38_failed");
    destination->t38.in_a_row = (int)stmt_int(stmt, "t38_in_a_row");
    destination->g711.ok = (int)stmt_int(stmt, "g711_ok");
    destination->g711.failed = (int)stmt_int(stmt, "g711_failed");
    destination->g711.in_a_row = (int)stmt_int(stmt, "g711_in_a_row");
    destination->last_outcome = (enum fax_outcome)stmt_int(stmt, "last_outcome");
    destination->last_at = stmt_int(stmt, "last_at");
    destination->forced = (enum destination_transport)stmt_int(stmt, "forced");
    destination->calls_ok = (int)stmt_int(stmt, "calls_ok");
    destination->calls_failed = (int)stmt_int(stmt, "calls_failed");
    destination->not_fax_in_a_row = (int)stmt_int(stmt, "not_fax_in_a_row");
    destination->suspended_at = stmt_int(stmt, "suspended_at");
    str_copy(destination->suspended_reason, sizeof(destination->suspended_reason), stmt_text(stmt, "suspended_reason"));
}

int destination_get(struct destination *destination, struct spool *spool, const char *number)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM destination WHERE number = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, number);
    error = stmt_step(stmt);
    if (error == 1)
        read_row(destination, stmt);
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_NOT_FOUND, "nothing is remembered of %s", number);
}

int destination_write(struct spool *spool, const struct destination *destination)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO destination (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                          " ?, ?, ?)"
                          " ON CONFLICT (number) DO UPDATE SET transport = excluded.transport,"
                          " reason = excluded.reason, t38_ok = excluded.t38_ok, t38_failed = excluded.t38_failed,"
                          " t38_in_a_row = excluded.t38_in_a_row, g711_ok = excluded.g711_ok,"
                          " g711_failed = excluded.g711_failed, g711_in_a_row = excluded.g711_in_a_row,"
                          " last_outcome = excluded.last_outcome, last_at = excluded.last_at, forced = excluded.forced,"
                          " calls_ok = excluded.calls_ok, calls_failed = excluded.calls_failed,"
                          " not_fax_in_a_row = excluded.not_fax_in_a_row, suspended_at = excluded.suspended_at,"
                          " suspended_reason = excluded.suspended_reason");
    if (error)
        return error;
    stmt_bind_text(stmt, destination->number);
    stmt_bind_int(stmt, destination->transport);
    stmt_bind_text(stmt, destination->reason);
    stmt_bind_int(stmt, destination->t38.ok);
    stmt_bind_int(stmt, destination->t38.failed);
    stmt_bind_int(stmt, destination->t38.in_a_row);
    stmt_bind_int(stmt, destination->g711.ok);
    stmt_bind_int(stmt, destination->g711.failed);
    stmt_bind_int(stmt, destination->g711.in_a_row);
    stmt_bind_int(stmt, destination->last_outcome);
    stmt_bind_int(stmt, destination->last_at);
    stmt_bind_int(stmt, destination->forced);
    stmt_bind_int(stmt, destination->calls_ok);
    stmt_bind_int(stmt, destination->calls_failed);
    stmt_bind_int(stmt, destination->not_fax_in_a_row);
    stmt_bind_int(stmt, destination->suspended_at);
    stmt_bind_text(stmt, destination->suspended_reason);
    return stmt_run(NULL, stmt);
}

int destination_take(struct spool *spool, const char *number, const struct destination_call *call)
{
    struct destination destination = {.transport = DESTINATION_AUTO};

    if (!says_something(call->outcome))
        return 0;
    int error = destination_get(&destination, spool, number);
    if (error == ERR_NOT_FOUND) {
        str_copy(destination.number, sizeof(destination.number), number);
        error = 0;
    }
    if (error)
        return error;
    destination_count(&destination, call);
    destination_learn(&destination, call);
    if (destination.not_fax_in_a_row >= SUSPENSION_NOT_FAX && !destination.suspended_at)
        error = suspension_begin(&destination, spool, "calls were answered, but not by a fax machine");
    return error ? error : destination_write(spool, &destination);
}

static int changed_any(int error, int64_t changed, const char *number)
{
    return error || changed ? error : err_set(ERR_NOT_FOUND, "nothing is remembered of %s", number);
}

int destination_forget(struct spool *spool, const char *number)
{
    struct destination destination;
    struct stmt *stmt;
    int64_t changed = 0;
    int error = destination_get(&destination, spool, number);
    if (!error && destination.suspended_at)
        error = suspension_end(&destination, spool);
    if (!error)
        error = stmt_open(&stmt, spool_db(spool), "DELETE FROM destination WHERE number = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, number);
    error = stmt_run(&changed, stmt);
    return changed_any(error, changed, number);
}

int destination_trim(struct spool *spool, int64_t before_ms, int room)
{
    struct stmt *stmt;
    int64_t changed = 0;
    int error = stmt_open(&stmt, spool_db(spool),
                          "DELETE FROM destination WHERE number IN (SELECT number FROM destination WHERE last_at < ?"
                          " AND forced = 0 AND suspended_at = 0"
                          " ORDER BY last_at LIMIT ?)");
    if (error)
        return error;
    stmt_bind_int(stmt, before_ms);
    stmt_bind_int(stmt, room);
    error = stmt_run(&changed, stmt);
    return error ? error : (int)changed;
}

/* ---- by API ---- */

static json_t *counts_json(const struct destination_record *record)
{
    return json_pack("{s:i, s:i}", "ok", record->ok, "failed", record->failed);
}

static json_t *suspended_json(const struct destination *destination)
{
    char since[CLOCK_TEXT_SIZE];
    if (!destination->suspended_at)
        return json_null();
    return json_pack("{s:s, s:s}", "reason", destination->suspended_reason, "since",
                     clock_format(since, destination->suspended_at));
}

enum destination_transport destination_next_transport(const struct destination *destination)
{
    return destination->forced != DESTINATION_AUTO ? destination->forced : destination->transport;
}

json_t *destination_json(const struct destination *destination)
{
    const struct destination_record calls = {.ok = destination->calls_ok, .failed = destination->calls_failed};
    const char *outcome = outcome_info(destination->last_outcome)->code;
    char time[CLOCK_TEXT_SIZE];
    int all = calls.ok + calls.failed;

    return json_pack(
        "{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "number", destination->number, "transport",
        destination_transport_name(destination_next_transport(destination)), "forced_transport",
        destination_transport_name(destination->forced), "reason",
        *destination->reason ? json_string(destination->reason) : json_null(), "t38", counts_json(&destination->t38),
        "g711", counts_json(&destination->g711), "calls", counts_json(&calls), "success_rate",
        all > 0 ? json_real((double)((1000LL * calls.ok + all / 2) / all) / 1000) : json_null(), "suspended",
        suspended_json(destination), "last_outcome", *outcome ? json_string(outcome) : json_null(), "last_at",
        destination->last_at ? json_string(clock_format(time, destination->last_at)) : json_null());
}

struct question {
    int64_t before;
    int limit;
};

static json_t *page_object(void *context, struct stmt *stmt)
{
    struct destination destination;
    (void)context;
    read_row(&destination, stmt);
    return destination_json(&destination);
}

static json_t *page_cursor(void *context, struct stmt *stmt)
{
    (void)context;
    return json_sprintf("%lld", (long long)stmt_int(stmt, "id"));
}

static int run_list(json_t **answer, void *context, struct db *db)
{
    const struct question *question = context;
    const struct query_page page = {.limit = question->limit, .object = page_object, .cursor = page_cursor};
    struct stmt *stmt;
    int error = stmt_open(&stmt, db, "SELECT id, " COLUMNS " FROM destination WHERE id < ? ORDER BY id DESC LIMIT ?");
    if (error)
        return error;
    stmt_bind_int(stmt, question->before);
    stmt_bind_int(stmt, question->limit + 1);
    return query_read_page(answer, &page, stmt);
}

int destination_list(struct spool *spool, const char *cursor, int limit, query_done done, void *context)
{
    struct question *question = xmalloc(sizeof(*question));
    int error = 0;
    *question = (struct question){.before = INT64_MAX, .limit = limit};
    if (limit < 1 || limit > QUERY_LIMIT_MAX)
        error = err_set(ERR_INVALID, "limit: 1 to %d", QUERY_LIMIT_MAX);
    else if (cursor && *cursor && str_to_int(&question->before, cursor, 1, INT64_MAX))
        error = err_set(ERR_INVALID, "cursor: not one of ours");
    if (!error)
        return query_start(spool, run_list, question, done, context);
    free(question);
    return error;
}
