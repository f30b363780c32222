/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/faxes/{id}/deliveries, route: where received faxes went by rules, and once more. */
#include "spool/fax_json.h"
#include "spool/route_delivery.h"
#include "spool/route_fax.h"
#include "web/access.h"
#include "web/api.h"
#include "web/page.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"

/* Addresses and arguments may hold secrets: they are for those who see the rules too. */
static void hide_settings(const struct request *request, json_t *delivery)
{
    unsigned may = USER_ADMIN | USER_OPERATOR;

    if (request->session.id ? !(request->user.role & may)
                            : !(request->key.scopes & KEY_CONFIG) || (request->user.id && !(request->user.role & may)))
        json_object_set_new(delivery, "settings", json_null());
}

void deliveries_list(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    struct fax fax;
    json_t *page = NULL, *delivery;
    int64_t limit;
    size_t i;
    int result;

    if (!request_check_query(request, names) || !request_query_int(&limit, request, "limit", 1, 200, 50) ||
        !access_fax(&fax, request))
        return;
    result = route_delivery_page(&page, request_spool(request), &fax, request_query(request, "cursor"), (int)limit);
    if (result == ERR_INVALID) {
        request_problem(request, 400, "invalid_parameter", "%s", err_message());
    } else if (result < 0) {
        request_error(request, result);
    } else {
        json_array_foreach(json_object_get(page, "data"), i, delivery) hide_settings(request, delivery);
        page_link(request, page);
        request_reply(request, 200, page);
    }
    fax_clear(&fax);
}

void deliveries_retry(struct request *request)
{
    struct route_delivery delivery = {.id = 0};
    struct fax fax;
    int result;

    if (!access_fax(&fax, request))
        return;
    result = route_delivery_retry(&delivery, request_spool(request), &fax, request->params[1]);
    if (result == ERR_NOT_FOUND) {
        request_problem(request, 404, "no_such_delivery", "this fax has no such delivery");
    } else if (result < 0) {
        request_error(request, result);
    } else {
        json_t *object = route_delivery_json(&delivery);
        hide_settings(request, object);
        request_reply(request, 200, object);
    }
    route_delivery_clear(&delivery);
    fax_clear(&fax);
}

void deliveries_route(struct request *request)
{
    struct fax fax;
    int result;

    if (!access_fax(&fax, request))
        return;
    result = route_fax_again(request_spool(request), &fax);
    if (result < 0)
        request_error(request, result);
    else
        request_reply(request, 200, fax_json(&fax));
    fax_clear(&fax);
}
