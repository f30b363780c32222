/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fill the store of a state folder with queued faxes of a line group: fill_queue DIR COUNT GROUP.
 * faxd must not run; the folder is made when it is not there. */
#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/spool.h"

#include <stdio.h>
#include <stdlib.h>

#define TURN 50000

static int fill(struct spool *spool, long from, long to, const char *group)
{
    struct stmt *stmt;
    int error =
        stmt_open(&stmt, spool_db(spool),
                  "WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
                  " INSERT INTO fax (public_id, direction, state, destination, line_group, priority, created_at,"
                  " updated_at, queued_at, document, original, pages_total, max_attempts)"
                  " SELECT printf('fax_FILL%018d', i), 0, 4, printf('+1666%07d', i % 10000000), ?, 2, 1, 1, 1,"
                  " printf('%064d', 7), printf('%064d', 8), 1, 5 FROM n");

    if (error != 0)
        return error;
    stmt_bind_int(stmt, from + 1);
    stmt_bind_int(stmt, to);
    stmt_bind_text(stmt, group);
    error = stmt_run(NULL, stmt);
    return error == 0 ? spool_turn_end(spool) : error;
}

int main(int argc, char **argv)
{
    struct spool *spool = NULL;
    long count = argc == 4 ? atol(argv[2]) : 0;
    int error;

    if (count < 1)
        return 2;
    log_set_level(LOG_LEVEL_ERROR);
    error = spool_open(&spool, &(struct spool_options){.state_dir = argv[1]});
    for (long done = 0; error == 0 && done < count; done += TURN)
        error = fill(spool, done, done + TURN < count ? done + TURN : count, argv[3]);
    if (error != 0)
        fprintf(stderr, "fill_queue: %s\n", err_message());
    spool_close(spool);
    return error != 0;
}
