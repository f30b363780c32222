/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DELETE /v1/faxes/{id}: the documents of a fax that has ended go and its record stays, or that goes as well. Reading
 * documents is not enough to delete them: it takes the scope of who may cancel a sent fax or manage received ones. */
#include "spool/fax.h"
#include "spool/fax_json.h"
#include "spool/purge.h"
#include "web/access.h"
#include "web/api.h"
#include "web/auth.h"
#include "web/rendering.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"

#include <string.h>

/* False and the reply is made. */
static bool wants_record(bool *record, struct request *request)
{
    static const char *const names[] = {"record", NULL};
    const char *word = request_query(request, "record");
    struct problems problems = {0};

    *record = word && strcmp(word, "true") == 0;
    if (!request_check_query(request, names))
        return false;
    if (!word || *record || strcmp(word, "false") == 0)
        return true;
    problem_add(&problems, "?record", "unknown_word", "\"%.60s\" is not one of: true, false", word);
    request_problems(request, &problems); /* cleared there */
    return false;
}

static bool may_purge(struct request *request, const struct fax *fax, bool record)
{
    return auth_has(request, fax->direction == FAX_INBOUND ? KEY_INBOX_MANAGE : KEY_FAX_CANCEL) &&
           (!record || auth_has(request, KEY_CONFIG));
}

static void purge(struct request *request, struct fax *fax, bool record)
{
    struct spool *spool = request_spool(request);
    int result = record ? purge_record(spool, fax) : purge_documents(spool, fax);

    renderings_forget(request->web->renderings);
    if (result < 0)
        request_error(request, result);
    else if (record)
        request_reply_empty(request, 204);
    else
        request_reply(request, 200, fax_json(fax));
}

void purge_fax(struct request *request)
{
    struct fax fax = {0};
    bool record;

    if (!wants_record(&record, request) || !access_fax(&fax, request))
        return;
    if (may_purge(request, &fax, record))
        purge(request, &fax, record);
    fax_clear(&fax);
}
