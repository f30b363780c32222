/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/trunks: how the providers' ways to the network are, and testing one. */
#include "web/api.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"

#include <string.h>

static json_t *all_trunks(const struct request *request)
{
    const struct web_options *options = &request->web->options;
    json_t *trunks = options->trunks ? options->trunks(options->server) : NULL;

    return trunks ? trunks : json_array();
}

static bool has(const json_t *object, const char *key, const char *value)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text && strcmp(text, value) == 0;
}

/* The trunk of the path. New reference or NULL. */
static json_t *find_trunk(const struct request *request)
{
    json_t *trunks = all_trunks(request), *trunk, *found = NULL;
    size_t index;

    json_array_foreach(trunks, index, trunk)
    {
        if (has(trunk, "provider", request->params[0]) && has(trunk, "name", request->params[1]))
            found = json_incref(trunk);
    }
    json_decref(trunks);
    return found;
}

static void no_such_trunk(struct request *request)
{
    request_problem(request, 404, "no_such_trunk", "there is no trunk %s/%s", request->params[0], request->params[1]);
}

void trunks_list(struct request *request)
{
    static const char *const names[] = {NULL};

    if (request_check_query(request, names))
        request_reply(request, 200, json_pack("{s:o}", "data", all_trunks(request)));
}

void trunks_get(struct request *request)
{
    json_t *trunk = find_trunk(request);

    if (trunk)
        request_reply(request, 200, trunk);
    else
        no_such_trunk(request);
}

/* Replied with the trunk as it is now: the result becomes its last_test. */
void trunks_test(struct request *request)
{
    const struct web_options *options = &request->web->options;
    json_t *trunk = find_trunk(request);
    int result;

    if (!trunk) {
        no_such_trunk(request);
        return;
    }
    result = options->trunk_test(options->server, request->params[0], request->params[1]);
    if (result == 0)
        request_reply(request, 202, json_incref(trunk));
    else if (result == ERR_NOT_FOUND)
        no_such_trunk(request);
    else if (result == ERR_CLOSED)
        request_problem(request, 503, "provider_down", "%s", err_message());
    else
        request_error(request, result);
    json_decref(trunk);
}
