/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/webhook-endpoints: who is told of events, and what became of the telling. */
#include "spool/outbox.h"
#include "web/api.h"
#include "server/base/private_address.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <stdlib.h>
#include <string.h>

struct wanted {
    const char *url;
    const json_t *events;
    int enabled; /* -1 = leave */
};

static bool found(struct request *request, int result)
{
    if (result == ERR_NOT_FOUND)
        request_problem(request, 404, "not_found", "%s", err_message());
    else if (result < 0)
        request_error(request, result);
    return result == 0;
}

static void reply_endpoint(struct request *request, int status, const char *public_id)
{
    struct outbox_endpoint endpoint;

    if (!found(request, outbox_endpoint_find(&endpoint, request_spool(request), public_id)))
        return;
    request_reply(request, status, outbox_endpoint_json(&endpoint, false));
    outbox_endpoint_clear(&endpoint);
}

/* --- reading a body --- */

static void take_url(struct wanted *wanted, const struct web *web, const json_t *value, const char *pointer,
                     struct problems *problems)
{
    wanted->url = json_string_value(value);
    if (!wanted->url)
        problem_add(problems, pointer, "wrong_type", "text is needed here");
    else if (!web->options.allow_private_webhooks && private_address_in_url(wanted->url))
        problem_add(problems, pointer, "private_address",
                    "private and loopback addresses are refused unless the configuration allows them");
}

static void take(struct wanted *wanted, const struct web *web, const char *key, const json_t *value,
                 const char *pointer, bool is_patch, struct problems *problems)
{
    static const char *const names[] = {"url", "events", "enabled"};

    if (strcmp(key, "url") == 0) {
        take_url(wanted, web, value, pointer, problems);
    } else if (strcmp(key, "events") == 0) {
        wanted->events = value;
        if (!json_is_array(value))
            problem_add(problems, pointer, "wrong_type", "a list of event types is needed here");
    } else if (is_patch && strcmp(key, "enabled") == 0) {
        wanted->enabled = json_is_true(value);
        if (!json_is_boolean(value))
            problem_add(problems, pointer, "wrong_type", "true or false is needed here");
    } else {
        char *near = problem_near(key, names, is_patch ? 3 : 2);
        problem_add(problems, pointer, "unknown_key", "\"%.60s\" is not a key that is known here%s", key, near);
        free(near);
    }
}

/* False and the reply is made. */
static bool read_wanted(struct wanted *wanted, struct request *request, json_t *root, bool is_patch)
{
    struct problems problems = {0};
    const char *key;
    json_t *value;

    *wanted = (struct wanted){.enabled = -1};
    if (!json_is_object(root))
        problem_add(&problems, "", "wrong_type", "the body has to be a JSON object");
    json_object_foreach(root, key, value)
    {
        char *pointer = problem_pointer("", key);
        take(wanted, request->web, key, value, pointer, is_patch, &problems);
        free(pointer);
    }
    if (!is_patch && !json_object_get(root, "url"))
        problem_add(&problems, "/url", "missing", "the address to post events to is needed");
    if (!problem_any(&problems))
        return true;
    request_problems(request, &problems);
    return false;
}

/* --- endpoints --- */

void webhooks_list(struct request *request)
{
    request_reply(request, 200, json_pack("{s:o}", "data", outbox_endpoints_json(request_spool(request))));
}

void webhooks_get(struct request *request)
{
    reply_endpoint(request, 200, request->params[0]);
}

void webhooks_post(struct request *request)
{
    json_t *root = request_json(request);
    struct outbox_endpoint endpoint = {0};
    struct wanted wanted;
    int result;

    if (!root)
        return;
    if (read_wanted(&wanted, request, root, false)) {
        result = outbox_endpoint_create(&endpoint, request_spool(request), wanted.url, NULL, wanted.events,
                                        request->key.id, false);
        if (result == ERR_FULL) {
            request_problem(request, 409, "too_many_endpoints", "%s", err_message());
        } else if (result < 0) {
            request_error(request, result);
        } else {
            request->location = xasprintf("/v1/webhook-endpoints/%s", endpoint.public_id);
            request_reply(request, 201, outbox_endpoint_json(&endpoint, true));
        }
        outbox_endpoint_clear(&endpoint);
    }
    json_decref(root);
}

static int change(struct request *request, const struct wanted *wanted)
{
    struct outbox_endpoint endpoint;
    int result = 0;

    if (wanted->url || wanted->events)
        result = outbox_endpoint_update(request_spool(request), request->params[0], wanted->url, wanted->events);
    if (result == 0 && wanted->enabled >= 0) {
        result = outbox_endpoint_find(&endpoint, request_spool(request), request->params[0]);
        if (result == 0)
            result =
                outbox_endpoint_enable(request_spool(request), endpoint.id, wanted->enabled, "disabled by request");
        if (result == 0)
            outbox_endpoint_clear(&endpoint);
    }
    return result;
}

void webhooks_patch(struct request *request)
{
    json_t *root = request_json(request);
    struct wanted wanted;

    if (!root)
        return;
    if (read_wanted(&wanted, request, root, true) && found(request, change(request, &wanted)))
        reply_endpoint(request, 200, request->params[0]);
    json_decref(root);
}

void webhooks_delete(struct request *request)
{
    if (found(request, outbox_endpoint_delete(request_spool(request), request->params[0])))
        request_reply_empty(request, 204);
}

void webhooks_rotate(struct request *request)
{
    struct outbox_endpoint endpoint;

    if (!found(request, outbox_endpoint_rotate(&endpoint, request_spool(request), request->params[0])))
        return;
    request_reply(request, 200, outbox_endpoint_json(&endpoint, true));
    outbox_endpoint_clear(&endpoint);
}

void webhooks_test(struct request *request)
{
    if (found(request, outbox_endpoint_test(request_spool(request), request->params[0])))
        request_reply(request, 202, json_pack("{s:s}", "type", "webhook_endpoint.test"));
}

/* --- deliveries --- */

void webhooks_deliveries(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    json_t *page = NULL;
    int64_t limit;
    int result;

    if (!request_check_query(request, names) || !request_query_int(&limit, request, "limit", 1, 1000, 50))
        return;
    result = outbox_deliveries_json(&page, request_spool(request), request->params[0], request_query(request, "cursor"),
                                    (int)limit);
    if (result == ERR_INVALID)
        request_problem(request, 400, "invalid_parameter", "%s", err_message());
    else if (found(request, result))
        request_reply(request, 200, page);
}

void webhooks_replay(struct request *request)
{
    if (found(request, outbox_replay(request_spool(request), request->params[0], request->params[1])))
        request_reply(request, 202, json_pack("{s:s}", "id", request->params[1]));
}
