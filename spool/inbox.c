/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Marks of received faxes. Each is a column of its own with an index that holds only the faxes that are marked, so that
 * what is unread is found at once among a million that are not.
 */
#include "spool/inbox.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/str.h"
#include "spool/event.h"
#include "spool/fax_row.h"
#include "spool/route_fax.h"
#include "spool/spool_private.h"

#include <stdlib.h>

int inbox_check(const struct fax *fax)
{
    if (fax->direction != FAX_INBOUND)
        return err_set(ERR_CONFLICT, "the fax was sent: only what was received is in the inbox");
    if (!fax_state_is_final(fax->state))
        return err_set(ERR_CONFLICT, "the fax is %s: it is not in the inbox yet", fax_state_name(fax->state));
    return 0;
}

/* `sql` sets a number, and updated_at. */
static int set_number(struct spool *spool, struct fax *fax, const char *sql, int64_t value)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), sql);
    if (error)
        return error;
    fax->updated_at = clock_now_ms();
    stmt_bind_int(stmt, value);
    stmt_bind_int(stmt, fax->updated_at);
    stmt_bind_int(stmt, fax->id);
    return stmt_run(NULL, stmt);
}

static int set_unread(struct spool *spool, struct fax *fax, bool unread)
{
    fax->unread = unread;
    return set_number(spool, fax, "UPDATE fax SET unread = ?, updated_at = ? WHERE id = ?", unread);
}

int inbox_arrive(struct spool *spool, struct fax *fax)
{
    spool_assert_loop(spool);
    return set_unread(spool, fax, true);
}

int inbox_read(struct spool *spool, struct fax *fax, bool read)
{
    spool_assert_loop(spool);
    int error = inbox_check(fax);
    return error || fax->unread == !read ? error : set_unread(spool, fax, !read);
}

/* Takes `data` over. */
static int tell(struct spool *spool, const char *type, const struct fax *fax, json_t *data)
{
    int error = event_write(spool, type, fax, data);
    json_decref(data);
    return error;
}

int inbox_assign(struct spool *spool, struct fax *fax, const struct user *user)
{
    int64_t id = user ? user->id : 0;
    spool_assert_loop(spool);
    int error = inbox_check(fax);
    if (error || fax->assigned == id)
        return error;
    fax->assigned = id;
    str_copy(fax->assigned_to, sizeof(fax->assigned_to), user ? user->public_id : "");
    error = set_number(spool, fax, "UPDATE fax SET assigned = ?, updated_at = ? WHERE id = ?", id);
    return error ? error
                 : tell(spool, "inbound.assigned", fax,
                        json_pack("{s:o}", "assigned", user ? json_string(user->public_id) : json_null()));
}

static int set_junk(struct spool *spool, struct fax *fax, bool junk, const char *rule)
{
    spool_assert_loop(spool);
    int error = inbox_check(fax);
    if (error || fax->junk == junk)
        return error;
    fax->junk = junk;
    error = set_number(spool, fax, "UPDATE fax SET junk = ?, updated_at = ? WHERE id = ?", junk);
    if (error)
        return error;
    json_t *data = json_pack("{s:b}", "junk", junk);
    if (rule)
        json_object_set_new(data, "rule", json_string(rule));
    error = tell(spool, "inbound.junked", fax, data);
    return error || junk ? error : route_fax_released(spool, fax);
}

int inbox_junk(struct spool *spool, struct fax *fax, bool junk)
{
    return set_junk(spool, fax, junk, NULL);
}

int inbox_junk_by(struct spool *spool, struct fax *fax, const char *rule)
{
    return set_junk(spool, fax, true, rule);
}

/* ---- labels ---- */

static int drop_labels(struct spool *spool, const struct fax *fax)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "DELETE FROM fax_label WHERE fax = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, fax->id);
    return stmt_run(NULL, stmt);
}

static int add_label(struct spool *spool, const struct fax *fax, const char *label)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "INSERT INTO fax_label (label, fax) VALUES (?, ?)");
    if (error)
        return error;
    stmt_bind_text(stmt, label);
    stmt_bind_int(stmt, fax->id);
    return stmt_run(NULL, stmt);
}

static int show_labels(struct spool *spool, struct fax *fax, const json_t *labels)
{
    struct stmt *stmt;
    free(fax->labels);
    fax->labels = fax_row_json(labels);
    fax->updated_at = clock_now_ms();
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE fax SET labels = ?, updated_at = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, fax->labels);
    stmt_bind_int(stmt, fax->updated_at);
    stmt_bind_int(stmt, fax->id);
    return stmt_run(NULL, stmt);
}

int inbox_label(struct spool *spool, struct fax *fax, const json_t *labels)
{
    size_t i;
    json_t *label;
    spool_assert_loop(spool);
    int error = inbox_check(fax);
    if (!error)
        error = drop_labels(spool, fax);
    json_array_foreach((json_t *)labels, i, label)
    {
        if (!error)
            error = add_label(spool, fax, json_string_value(label));
    }
    return error ? error : show_labels(spool, fax, labels);
}
