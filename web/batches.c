/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/batches: one document set to many. The faxes are made behind the reply (spool/batch.h). */
#include "spool/batch.h"
#include "spool/event.h"
#include "spool/submit.h"
#include "web/access.h"
#include "web/api.h"
#include "web/fax_accept.h"
#include "web/recipients.h"
#include "web/request.h"
#include "web/upload.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/log.h"

static void reply_batch(struct request *request, int status, const struct batch *batch)
{
    request_reply(request, status, batch_json(request_spool(request), batch));
}

/* --- POST /v1/batches --- */

/* Once for all of its faxes. */
static int tell_header(struct request *request, const struct batch *batch)
{
    json_t *data;
    int result;

    if (!json_is_false(json_object_get(request->upload->wanted.options, "header_show")))
        return 0;
    data = json_pack("{s:s, s:o, s:o}", "batch", batch->public_id, "key",
                     request->key.id ? json_string(request->key.public_id) : json_null(), "user",
                     request->user.id ? json_string(request->user.public_id) : json_null());
    result = event_write(request_spool(request), "fax.header_hidden", NULL, data);
    json_decref(data);
    return result;
}

static int create(struct batch *batch, struct request *request, const struct cover_use *cover)
{
    const struct fax_request *wanted = &request->upload->wanted;
    struct fax_stored stored;
    char list[DOCUMENT_SHA_SIZE];
    int result = fax_accept_store(&stored, request, cover);

    if (result == 0)
        result = upload_store_recipients(list, request->upload);
    if (result == 0)
        result = batch_create(batch, request_spool(request), &wanted->submit, list, wanted->recipients->count);
    return result == 0 ? tell_header(request, batch) : result;
}

void batches_post(struct request *request)
{
    struct cover_use cover = {0};
    struct batch batch;
    int result;

    if (!fax_accept_upload(&cover, request))
        return;
    result = create(&batch, request, &cover);
    cover_use_clear(&cover);
    if (result < 0) {
        request_error(request, result);
        return;
    }
    log_info("batch is accepted batch=%s recipients=%d key=%s user=%s", batch.public_id, batch.total,
             request->key.public_id, request->user.public_id);
    request->location = xasprintf("/v1/batches/%s", batch.public_id);
    reply_batch(request, 202, &batch);
}

/* --- those there are --- */

/* A sender's own, else any. False and the reply is made. */
static bool find(struct batch *batch, struct request *request)
{
    int64_t user = access_user(request);
    int result = batch_find(batch, request_spool(request), request->params[0]);

    if (result == 0 && user && batch->user_id != user)
        result = ERR_NOT_FOUND;
    if (result == ERR_NOT_FOUND)
        request_problem(request, 404, "no_such_batch", "there is no batch %s", request->params[0]);
    else if (result < 0)
        request_error(request, result);
    return result == 0;
}

void batches_get(struct request *request)
{
    struct batch batch;

    if (find(&batch, request))
        reply_batch(request, 200, &batch);
}

void batches_list(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    json_t *page = NULL;
    int64_t limit;
    int result;

    if (!request_check_query(request, names) || !request_query_int(&limit, request, "limit", 1, 100, 50))
        return;
    result =
        batch_page(&page, request_spool(request), request_query(request, "cursor"), (int)limit, access_user(request));
    if (result == 0)
        request_reply(request, 200, page);
    else if (result == ERR_INVALID)
        request_problem(request, 400, "invalid_parameter", "%s", err_message());
    else
        request_error(request, result);
}

void batches_cancel(struct request *request)
{
    struct batch batch;
    int result;

    if (!find(&batch, request))
        return;
    result = batch_cancel(request_spool(request), &batch);
    if (result == 0)
        reply_batch(request, 202, &batch);
    else
        request_error(request, result);
}
