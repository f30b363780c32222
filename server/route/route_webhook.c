/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Method webhook: what came, and a link to its document, signed as webhooks are. The same webhook-id on every try. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/route/route_private.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/http_post.h"
#include "spool/fax_json.h"
#include "spool/nullable.h"

#include <stdlib.h>

#define GONE 410

static void on_posted(void *context, const struct http_answer *answer)
{
    struct route_work *work = context;

    work->post = NULL;
    if (answer->status >= 200 && answer->status < 300)
        route_end(work, ROUTE_TOLD_DONE, "answered with %d", answer->status);
    else if (answer->status == GONE)
        route_end(work, ROUTE_TOLD_GIVEN_UP, "answered with 410: nobody wants it there any more");
    else if (answer->status != 0)
        route_end(work, ROUTE_TOLD_AGAIN, "answered with %d: %s", answer->status, answer->why);
    else
        route_end(work, ROUTE_TOLD_AGAIN, "%s", answer->why);
}

/* {"type","timestamp","data":{... as in events ..., "from","station_id","rule","delivery","attempt","document":
 * {"url","format","expires_at"}}}; the caller frees. */
static char *body_of(const struct route_work *work)
{
    const struct routes_options *options = &work->routes->options;
    int64_t now_ms = clock_now_ms(), expires_at = (now_ms / 1000 + route_number(work, "expires_s")) * 1000;
    char *url = options->sign_link(options->context, work->fax.public_id, !route_is_pdf(work), expires_at);
    char at[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE], *text;
    json_t *data = fax_json_thin(&work->fax), *body;

    json_object_set_new(data, "from", nullable_text(work->fax.sender));
    json_object_set_new(data, "remote_station_id", nullable_text(work->fax.remote_station_id));
    json_object_set_new(data, "rule", json_string(work->delivery.rule));
    json_object_set_new(data, "delivery", json_string(work->delivery.public_id));
    json_object_set_new(data, "attempt", json_integer(work->delivery.tries));
    json_object_set_new(data, "document",
                        json_pack("{s:o, s:s, s:s}", "url", nullable_text(url), "format",
                                  route_is_pdf(work) ? "pdf" : "tiff", "expires_at", clock_format(until, expires_at)));
    body =
        json_pack("{s:s, s:s, s:o}", "type", "inbound.document", "timestamp", clock_format(at, now_ms), "data", data);
    text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    free(url);
    return text;
}

void route_webhook_begin(struct route_work *work)
{
    char *body = body_of(work);
    const struct http_wish wish = {.url = route_text(work, "url"),
                                   .body = body,
                                   .id = work->delivery.public_id,
                                   .secret = route_text(work, "secret")};

    if (http_post_start(&work->post, work->routes->poster, &wish, on_posted, work) != 0)
        route_end(work, ROUTE_TOLD_AGAIN, "%s", err_message());
    free(body);
}
