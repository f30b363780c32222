/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What contacts and identities put into a request. */
#include "web/parties.h"

#include "spool/block.h"
#include "spool/callable.h"
#include "spool/contact.h"
#include "spool/identity.h"
#include "web/fax_field.h"
#include "web/request.h"
#include "web/upload.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/str.h"

#include <string.h>

#define CONTACT "contact:"

static void set_missing(json_t *object, const char *key, const char *text)
{
    if (*text && !json_object_get(object, key))
        json_object_set_new(object, key, json_string(text));
}

static void refuse(struct problems *problems, int error, const char *pointer, const char *code, const char *kind,
                   const char *id)
{
    if (error == ERR_NOT_FOUND)
        problem_add(problems, pointer, code, "there is no %s %.60s", kind, id);
    else
        problem_add(problems, pointer, "not_readable", "the %s cannot be looked up: %s", kind, err_message());
}

void parties_recipient(struct fax_request *wanted, struct spool *spool, struct problems *problems)
{
    const char *to = wanted->submit.to;
    struct contact contact;
    int result;

    if (!to || !fax_field_is_contact(to))
        return;
    result = contact_find(&contact, spool, to + strlen(CONTACT));
    if (result < 0) {
        refuse(problems, result, "/to", "no_such_contact", "contact", to + strlen(CONTACT));
        return;
    }
    str_copy(wanted->number, sizeof wanted->number, contact.number);
    wanted->submit.to = wanted->number;
    if (wanted->cover) {
        set_missing(wanted->cover_fields, "to_name", contact.name);
        set_missing(wanted->cover_fields, "to_company", contact.organization);
    }
}

void parties_sender(struct fax_request *wanted, struct spool *spool, struct problems *problems)
{
    const char *from = wanted->submit.from;
    struct identity identity;
    bool named = from && strncmp(from, "idn_", 4) == 0;
    int result;

    if (from && *from && !named)
        return; /* a number, or what its sender likes to be called */
    result = named ? identity_find(&identity, spool, from) : identity_default(&identity, spool);
    if (result == ERR_NOT_FOUND && !named)
        return;
    if (result < 0) {
        refuse(problems, result, "/from", "no_such_identity", "identity", named ? from : "");
        return;
    }
    str_copy(wanted->sender, sizeof wanted->sender, identity.number);
    wanted->submit.from = wanted->sender;
    set_missing(wanted->options, "station_id", identity.station_id);
    set_missing(wanted->options, "header", identity.header_text);
    set_missing(wanted->options, "time_zone", identity.time_zone);
    set_missing(wanted->options, "caller_id", identity.caller_id);
    if (wanted->cover)
        set_missing(wanted->cover_fields, "from_name", identity.name);
}

void parties_callable(const struct fax_request *wanted, struct spool *spool, struct problems *problems)
{
    struct callable_answer answer;
    char number[NUMBER_SIZE];

    if (!wanted->submit.to || number_normalise(number, wanted->submit.to) < 0)
        return; /* told elsewhere; the numbers of a batch are looked at before their calls */
    if (callable_ask(&answer, spool, number) < 0) {
        problem_add(problems, "/to", "not_readable", "rules cannot be looked up: %s", err_message());
    } else if (answer.callable != CALLABLE_YES) {
        problem_add(problems, "/to", answer.rule ? "blacklisted" : "destination_suspended", "%s", answer.why);
        if (answer.rule)
            block_hit_later(spool, answer.rule);
    }
}

bool parties_find(struct request *request)
{
    struct fax_request *wanted = &request->upload->wanted;
    struct problems problems = {0};

    parties_recipient(wanted, request->web->options.spool, &problems);
    parties_sender(wanted, request->web->options.spool, &problems);
    if (!problem_any(&problems) && !(request->route->flags & ROUTE_PREVIEW))
        parties_callable(wanted, request->web->options.spool, &problems);
    if (!problem_any(&problems))
        return true;
    request_problems(request, &problems);
    return false;
}
