/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What contacts and identities put into a request. */
#include "web/parties.h"

#include "spool/block.h"
#include "spool/callable.h"
#include "spool/contact.h"
#include "spool/identity.h"
#include "spool/mail.h"
#include "web/fax_field.h"
#include "web/recipients.h"
#include "web/request.h"
#include "web/upload.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/str.h"

#include <stdio.h>
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

/* Also the name and the organization, on a cover page that does not say them. */
static void find_recipient(struct fax_request *wanted, struct spool *spool, struct problems *problems)
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
    json_object_set_new(wanted->options, "to_contact", contact_called(&contact));
    if (wanted->cover) {
        set_missing(wanted->cover_fields, "to_name", contact.name);
        set_missing(wanted->cover_fields, "to_company", contact.organization);
    }
}

/* The receipt that an identity always asks for; and its language, for one that the request asks for. An identity does
 * not make faxes fail where no mail is sent any more. */
static void set_receipt(json_t *options, const struct identity *identity, const struct spool *spool)
{
    json_t *receipt = json_object_get(options, "receipt");

    if (!receipt && *identity->receipt_email && mail_configured(spool)) {
        receipt =
            json_pack("{s:s, s:s}", "email", identity->receipt_email, "on", receipt_on_words[identity->receipt_on]);
        json_object_set_new(options, "receipt", receipt);
    }
    if (receipt)
        set_missing(receipt, "language", identity->language);
}

static void find_sender(struct fax_request *wanted, struct spool *spool, struct problems *problems)
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
    set_receipt(wanted->options, &identity, spool);
    if (wanted->cover)
        set_missing(wanted->cover_fields, "from_name", identity.name);
}

/* Ids of contacts in a batch: they have to be there, and no number twice. Each becomes a number when its fax is made.
 */
static void find_recipients(struct recipients *recipients, struct spool *spool, struct problems *problems)
{
    json_t *item;
    size_t i;

    json_array_foreach(recipients->contacts, i, item)
    {
        const char *id = json_string_value(json_array_get(item, 0));
        int index = (int)json_integer_value(json_array_get(item, 1));
        struct contact contact;
        char pointer[48];
        int result = contact_find(&contact, spool, id);

        snprintf(pointer, sizeof pointer, "/recipients/%d/to", index);
        if (result < 0)
            refuse(problems, result, pointer, "no_such_contact", "contact", id);
        else
            recipients_take_number(recipients, contact.number, index, pointer, problems);
    }
}

/* The numbers of a batch are looked at when their calls begin. */
static void check_callable(const char *to, struct spool *spool, struct problems *problems)
{
    struct callable_answer answer;
    char number[NUMBER_SIZE];

    if (!to || number_normalise(number, to) < 0)
        return; /* told elsewhere */
    if (callable_ask(&answer, spool, number) < 0) {
        problem_add(problems, "/to", "not_readable", "rules cannot be looked up: %s", err_message());
    } else if (answer.callable != CALLABLE_YES) {
        problem_add(problems, "/to", answer.rule ? "blacklisted" : "destination_suspended", "%s", answer.why);
        if (answer.rule)
            block_hit_later(spool, answer.rule);
    }
}

static void check_receipt(const struct fax_request *wanted, const struct spool *spool, struct problems *problems)
{
    const json_t *receipt = json_object_get(wanted->options, "receipt");

    if (!receipt)
        return;
    if (!json_object_get(receipt, "email"))
        problem_add(problems, "/receipt/email", "missing", "\"email\" is needed: where the receipt goes");
    if (!mail_configured(spool))
        problem_add(problems, "/receipt", "mail_not_configured",
                    "no receipts are sent here: the administrator can name a mail server by mail|server; leave "
                    "\"receipt\" out, or ask GET /v1/faxes/{id} for the end");
}

bool parties_callable(struct request *request, const char *to)
{
    struct problems problems = {0};

    check_callable(to, request_spool(request), &problems);
    if (!problem_any(&problems))
        return true;
    request_problems(request, &problems);
    return false;
}

bool parties_find(struct request *request)
{
    struct fax_request *wanted = &request->upload->wanted;
    struct problems problems = {0};

    find_recipient(wanted, request_spool(request), &problems);
    check_receipt(wanted, request_spool(request), &problems);
    if (wanted->recipients)
        find_recipients(wanted->recipients, request_spool(request), &problems);
    find_sender(wanted, request_spool(request), &problems);
    if (!problem_any(&problems) && !(request->route->flags & ROUTE_PREVIEW))
        check_callable(wanted->submit.to, request_spool(request), &problems);
    if (!problem_any(&problems))
        return true;
    request_problems(request, &problems);
    return false;
}
