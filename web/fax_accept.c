/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conditions of sending that concern the server, the key and the law rather than the fields of a request. */
#include "web/fax_accept.h"

#include "spool/event.h"
#include "spool/fax.h"
#include "spool/fax_json.h"
#include "web/fax_way.h"
#include "web/parties.h"
#include "web/request.h"
#include "web/upload.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/log.h"

#define REPLY_AFTER_SEND_MS (24 * 3600 * 1000LL) /* a stored reply outlives a scheduled send by a day */
#define REPLY_KEPT_MS       (72 * 3600 * 1000LL)

bool fax_accept_now(struct request *request)
{
    if (request->web->draining)
        request_problem(request, 503, "draining", "the server is about to stop and takes no new faxes");
    return !request->web->draining;
}

static bool hides_header(const json_t *options)
{
    return json_is_false(json_object_get(options, "header_show"));
}

/* Who turns the header line off has to be allowed to (47 CFR 68.318(d)), and it is written down. */
bool fax_accept_header(struct request *request, const json_t *options)
{
    if (!hides_header(options) || request->key.scopes & KEY_CONFIG) /* of a user, who is an admin then */
        return true;
    request_problem(
        request, 403, "header_required",
        "header.show=false needs a key with the scope config:*, or an admin: each page has to say who sent it");
    return false;
}

int fax_accept_tell(struct request *request, const struct fax *fax, const json_t *options)
{
    if (!hides_header(options))
        return 0;
    json_t *data = json_pack("{s:s, s:o, s:o}", "id", fax->public_id, "key",
                             request->key.id ? json_string(request->key.public_id) : json_null(), "user",
                             request->user.id ? json_string(request->user.public_id) : json_null());
    int result = event_write(request_spool(request), "fax.header_hidden", fax, data);

    json_decref(data);
    log_info("header line turned off fax=%s key=%s user=%s", fax->public_id, request->key.public_id,
             request->user.public_id);
    return result;
}

void fax_accept_reply(struct request *request, const struct fax *fax)
{
    request->location = xasprintf("/v1/faxes/%s", fax->public_id);
    witness_note(request, "to", json_string(fax->destination));
    if (fax->not_before)
        request->keep_reply_until = fax->not_before + REPLY_AFTER_SEND_MS;
    if (request->keep_reply_until < clock_now_ms() + REPLY_KEPT_MS)
        request->keep_reply_until = 0;
    request_reply(request, 202, fax_json(fax));
}

/* --- an upload --- */

static bool is_read(struct request *request)
{
    struct upload *upload = request->upload;

    if (upload->status)
        request_problem(request, upload->status, upload->code, "%s", upload->detail);
    else if (problem_any(&upload->problems))
        request_problems(request, &upload->problems);
    else
        return true;
    return false;
}

bool fax_accept_upload(struct cover_use *cover, struct request *request)
{
    const struct fax_request *wanted = &request->upload->wanted;

    return is_read(request) && fax_accept_now(request) && parties_find(request) &&
           fax_way_exists(request, wanted->submit.line_group, wanted->submit.to, request->key.test) &&
           fax_accept_header(request, wanted->options) && can_be_read(request) && cover_check(cover, request);
}

/* The documents into the store, and what the spool is told about them. */
static int store_documents(struct fax_stored *stored, struct request *request)
{
    struct fax_request *wanted = &request->upload->wanted;
    int result = 0;

    for (int i = 0; i < wanted->document_count && result == 0; i++) {
        result = upload_store(stored->shas[i], request->upload, i);
        stored->uploads[i] = (struct submit_upload){stored->shas[i], wanted->documents[i].info};
    }
    wanted->submit.uploads = stored->uploads;
    wanted->submit.upload_count = wanted->document_count;
    return result;
}

static int store_cover(struct fax_stored *stored, struct request *request, const struct cover_use *cover)
{
    struct fax_request *wanted = &request->upload->wanted;
    int result = cover->data ? document_put(stored->cover, request_spool(request), cover->data, cover->size) : 0;

    wanted->submit.cover = cover->data ? stored->cover : NULL;
    wanted->submit.cover_fields = wanted->cover_fields;
    return result;
}

int fax_accept_store(struct fax_stored *stored, struct request *request, const struct cover_use *cover)
{
    struct fax_request *wanted = &request->upload->wanted;
    int result = store_documents(stored, request);

    if (result == 0)
        result = store_cover(stored, request, cover);
    wanted->submit.owner = request->key.id;
    wanted->submit.user = &request->user;
    wanted->submit.test = request->key.test;
    use_style(wanted, request_spool(request));
    return result;
}
