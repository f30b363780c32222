/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One row for each trunk and each device of a line, written in the transaction of its event. */
#include "spool/trunk_told.h"

#include "db/stmt.h"
#include "server/base/log.h"
#include "spool/event.h"
#include "spool/spool.h"

#include <stdlib.h>

static int read_told(bool *known, bool *up, struct spool *spool, const char *provider, const char *name)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT up FROM trunk_told WHERE provider = ? AND name = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, provider);
    stmt_bind_text(stmt, name);
    error = stmt_step(stmt);
    *known = error == 1;
    if (error == 1)
        *up = stmt_int(stmt, "up") != 0;
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

static int write_told(struct spool *spool, const char *provider, const char *name, bool up)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO trunk_told (provider, name, up) VALUES (?, ?, ?)"
                          " ON CONFLICT (provider, name) DO UPDATE SET up = excluded.up");
    if (error)
        return error;
    stmt_bind_text(stmt, provider);
    stmt_bind_text(stmt, name);
    stmt_bind_int(stmt, up);
    return stmt_run(NULL, stmt);
}

/* `*news`: it was told otherwise before; of what was never told, only that it is not up is news. */
static int take_told(bool *news, struct spool *spool, const char *provider, const char *name, bool up)
{
    bool known = false, was_up = true;
    int error = read_told(&known, &was_up, spool, provider, name);
    *news = was_up != up;
    if (error || (known && was_up == up))
        return error;
    return write_told(spool, provider, name, up);
}

int trunk_told(struct spool *spool, const char *provider, const char *name, bool up, json_t *data)
{
    bool news = false;
    int error = take_told(&news, spool, provider, name, up);
    if (error || !news)
        return error;
    if (up)
        log_info("trunk is up provider=%s trunk=%s", provider, name);
    else
        log_warning("trunk is down provider=%s trunk=%s", provider, name);
    return event_write(spool, up ? "trunk.up" : "trunk.down", NULL, data);
}

/* A name of a trunk has no slash: the row is the line's alone. */
int trunk_told_device(struct spool *spool, const char *provider, const char *name, bool works, json_t *data)
{
    char *row = xasprintf("/%s", name);
    bool news = false;
    int error = take_told(&news, spool, provider, row, works);
    free(row);
    if (error || !news || works)
        return error;
    log_warning("a line's device is faulty provider=%s line=%s", provider, name);
    return event_write(spool, "channel.fault", NULL, data);
}
