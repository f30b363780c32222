/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/system: the server itself, for those who run it. */
#include "spool/audit.h"
#include "spool/document_count.h"
#include "spool/fax.h"
#include "spool/spool.h"
#include "web/api.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define LINES_MAX 2000

static int64_t file_size(const struct spool *spool, const char *name)
{
    char *path = xasprintf("%s/%s", spool_state_dir(spool), name);
    struct stat status;
    int64_t size = stat(path, &status) == 0 ? (int64_t)status.st_size : 0;

    free(path);
    return size;
}

static json_t *disk_json(struct spool *spool)
{
    struct statvfs disk;
    int64_t total = 0;

    if (statvfs(spool_state_dir(spool), &disk) == 0)
        total = (int64_t)disk.f_blocks * (int64_t)disk.f_frsize;
    return json_pack("{s:I, s:I, s:b}", "total_bytes", (json_int_t)total, "free_bytes",
                     (json_int_t)spool_free_bytes(spool), "has_room", spool_has_room(spool));
}

static json_t *counts_json(struct spool *spool, const struct document_usage *documents)
{
    int64_t counts[FAX_STATES] = {0}, out = 0, in = 0;
    struct audit_head head;

    fax_counts(spool, counts);
    for (int state = FAX_PREPARING; state < FAX_STATES; state++)
        *(state < FAX_RINGING ? &out : &in) += counts[state];
    audit_head(&head, spool);
    return json_pack("{s:I, s:I, s:I, s:I}", "faxes_outbound", (json_int_t)out, "faxes_inbound", (json_int_t)in,
                     "documents", (json_int_t)documents->documents, "audit_entries", (json_int_t)head.sequence);
}

static json_t *health_json(const struct web_options *options)
{
    bool ok = true;
    json_t *state = options->ready ? options->ready(options->server, &ok) : NULL;

    return state ? state : json_pack("{s:s}", "status", "ok");
}

void system_get(struct request *request)
{
    static const char *const names[] = {NULL};
    const struct web *web = request->web;
    struct spool *spool = web->options.spool;
    struct document_usage documents;
    char started[CLOCK_TEXT_SIZE];

    if (!request_check_query(request, names))
        return;
    document_usage(&documents, spool);
    request_reply(request, 200,
                  json_pack("{s:s, s:s, s:I, s:o, s:o, s:{s:I, s:I, s:I}, s:b, s:o}", "version", web->options.version,
                            "started_at", clock_format(started, web->started_at), "uptime_s",
                            (json_int_t)((clock_now_ms() - web->started_at) / 1000), "health",
                            health_json(&web->options), "disk", disk_json(spool), "store", "database_bytes",
                            (json_int_t)file_size(spool, "faxd.db"), "log_bytes",
                            (json_int_t)file_size(spool, "faxd.db-wal"), "documents_bytes", (json_int_t)documents.bytes,
                            "encrypted", spool_encrypts(spool), "counts", counts_json(spool, &documents)));
}

/* Lines as they stand in the log, newest last. */
void system_log(struct request *request)
{
    static const char *const names[] = {"lines", NULL};
    json_t *lines = json_array();
    int64_t count;
    char *tail;

    if (!request_check_query(request, names) || !request_query_int(&count, request, "lines", 1, LINES_MAX, 200)) {
        json_decref(lines);
        return;
    }
    tail = log_tail((int)count);
    for (char *line = tail; *line; line += strcspn(line, "\n") + 1)
        json_array_append_new(lines, json_stringn(line, strcspn(line, "\n")));
    free(tail);
    request_reply(request, 200, json_pack("{s:o}", "data", lines));
}
