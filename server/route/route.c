/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is due, lane by lane. On the route: a fax met its rules in the transaction of its reception -> the spool says so
 * after the commit -> a delivery is taken, which is committed before its method begins -> route_end() writes what
 * became of it.
 */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/route/route_private.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/http_post.h"
#include "server/loop.h"
#include "spool/converter.h"
#include "spool/spool.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LANES_MAX 2000 /* that are looked at in one turn */
#define FAILED_MS 5000

/* --- one delivery --- */

const char *route_text(const struct route_work *work, const char *name)
{
    const char *text = json_string_value(json_object_get(work->delivery.method.settings, name));

    return text != NULL ? text : "";
}

int64_t route_number(const struct route_work *work, const char *name)
{
    return json_integer_value(json_object_get(work->delivery.method.settings, name));
}

bool route_is_pdf(const struct route_work *work)
{
    return strcmp(route_text(work, "format"), "tiff") != 0;
}

static void work_free(struct route_work *work)
{
    LIST_REMOVE(work, link);
    work->routes->count--;
    converter_cancel(work->conversion);
    route_child_kill(work->child);
    http_post_cancel(work->post);
    if (work->document >= 0)
        close(work->document);
    route_file_drop(work);
    route_delivery_clear(&work->delivery);
    fax_clear(&work->fax);
    free(work);
}

void route_leave(struct route_work *work)
{
    struct routes *routes = work->routes;

    work_free(work);
    event_active(routes->timer, EV_TIMEOUT, 0);
}

void route_end(struct route_work *work, enum route_told told, const char *fmt, ...)
{
    struct routes *routes = work->routes;
    char reason[ROUTE_REASON_MAX + 1];
    va_list args;

    va_start(args, fmt);
    vsnprintf(reason, sizeof reason, fmt, args);
    va_end(args);
    routes->ended[work->delivery.method.kind][told == ROUTE_TOLD_DONE]++;
    if (route_delivery_told(routes->options.spool, work->delivery.id, told, reason, 0) != 0)
        log_error("end of a delivery not recorded delivery=%s: %s", work->delivery.public_id, err_message());
    work_free(work);
    event_active(routes->timer, EV_TIMEOUT, 0); /* once for all that end now */
}

const char *route_root(struct route_work *work, const char *path, const char *now, const char *key)
{
    if (*route_text(work, "root") == '\0')
        return "";
    if (*now != '\0' && route_path_lies_in(path, now))
        return now;
    if (*now == '\0')
        route_end(work, ROUTE_TOLD_GIVEN_UP, "this server allows it in its configuration only: routing|%s is not set",
                  key);
    else
        route_end(work, ROUTE_TOLD_GIVEN_UP, "%s does not lie in %s (routing|%s)", path, now, key);
    return NULL;
}

static void begin(struct route_work *work)
{
    if (work->delivery.unreadable) {
        route_end(work, ROUTE_TOLD_GIVEN_UP, "its settings cannot be read");
        return;
    }
    switch (work->delivery.method.kind) {
    case ROUTE_FOLDER:
        route_folder_begin(work);
        return;
    case ROUTE_EMAIL:
        route_mail_begin(work);
        return;
    case ROUTE_WEBHOOK:
        route_webhook_begin(work);
        return;
    case ROUTE_PRINT:
        route_print_begin(work);
        return;
    case ROUTE_COMMAND:
        route_command_begin(work);
        return;
    case ROUTE_INBOX:
        route_inbox_begin(work);
        return;
    }
    route_end(work, ROUTE_TOLD_GIVEN_UP, "this version has no such method");
}

/* The work may be gone: the server leaves. */
struct start {
    struct routes *routes;
    int64_t delivery;
};

static struct route_work *find_work(const struct routes *routes, int64_t delivery)
{
    struct route_work *work;

    LIST_FOREACH(work, &routes->works, link)
    {
        if (work->delivery.id == delivery)
            return work;
    }
    return NULL;
}

static void on_taken(void *context, int error)
{
    struct start *start = context;
    struct route_work *work = error == 0 ? find_work(start->routes, start->delivery) : NULL;

    free(start);
    if (work != NULL)
        begin(work);
}

/* Takes `delivery` over. */
static int work_start(struct routes *routes, struct route_delivery *delivery)
{
    struct route_work *work = xcalloc(1, sizeof *work);
    struct spool *spool = routes->options.spool;
    int error;

    work->routes = routes;
    work->document = -1;
    work->delivery = *delivery;
    delivery->method.settings = NULL;
    delivery->reason = NULL;
    LIST_INSERT_HEAD(&routes->works, work, link);
    routes->count++;
    error = fax_get(&work->fax, spool, work->delivery.fax);
    if (error == 0)
        error = route_delivery_taken(spool, &work->delivery);
    if (error != 0) {
        work_free(work);
        return error;
    }
    /* What is of the store alone needs no commit of its own. */
    if (work->delivery.method.kind == ROUTE_INBOX || work->delivery.method.kind == ROUTE_EMAIL) {
        begin(work);
        return 0;
    }
    struct start *start = xcalloc(1, sizeof *start);

    *start = (struct start){routes, work->delivery.id};
    spool_after_commit(spool, on_taken, start);
    return 0;
}

/* --- what is due --- */

static bool lane_is_busy(const struct routes *routes, const char *lane)
{
    const struct route_work *work;

    LIST_FOREACH(work, &routes->works, link)
    {
        if (strcmp(work->delivery.lane, lane) == 0)
            return true;
    }
    return false;
}

/* Lanes behind `after` up to `last` ("" = all): begins what is due, as long as there is room. The time of the next one
 * goes to `*next_at`. 0 or an error. */
static int serve_lanes(int64_t *next_at, struct routes *routes, const char *after, const char *last, int64_t now_ms)
{
    char lane[ROUTE_LANE_SIZE];
    int found = 0;

    snprintf(lane, sizeof lane, "%s", after);
    for (int i = 0; i < LANES_MAX && routes->count < routes->options.parallel; i++) {
        struct route_delivery delivery = {.id = 0};

        found = route_delivery_next(&delivery, routes->options.spool, lane);
        if (found != 1)
            break;
        memcpy(lane, delivery.lane, sizeof lane);
        if (*last != '\0' && strcmp(lane, last) > 0)
            i = LANES_MAX;
        else if (delivery.next_at > now_ms)
            *next_at = *next_at == 0 || delivery.next_at < *next_at ? delivery.next_at : *next_at;
        else if (!lane_is_busy(routes, lane))
            found = work_start(routes, &delivery);
        route_delivery_clear(&delivery);
        if (found < 0)
            break;
        memcpy(routes->last_lane, lane, sizeof routes->last_lane);
    }
    return found < 0 ? found : 0;
}

void routes_run(struct routes *routes)
{
    int64_t now_ms = clock_now_ms(), next_at = 0;
    char last[ROUTE_LANE_SIZE];
    int error;

    if (routes->closed)
        return;
    memcpy(last, routes->last_lane, sizeof last);
    error = serve_lanes(&next_at, routes, last, "", now_ms);
    if (error == 0 && *last != '\0')
        error = serve_lanes(&next_at, routes, "", last, now_ms);
    if (error != 0) {
        log_error("deliveries of received faxes cannot be worked off: %s", err_message());
        next_at = now_ms + FAILED_MS;
    }
    if (next_at != 0)
        loop_timer_at(routes->timer, next_at);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    routes_run(argument);
}

static void on_change(void *context, unsigned changes)
{
    if ((changes & SPOOL_CHANGE_ROUTE) != 0)
        routes_run(context);
}

/* --- the whole --- */

int routes_new(struct routes **out, const struct routes_options *options)
{
    struct routes *routes = xcalloc(1, sizeof *routes);
    int error;

    routes->options = *options;
    routes->lp = xstrdup(options->lp);
    routes->options.lp = NULL;
    LIST_INIT(&routes->works);
    error = http_poster_new(&routes->poster, options->base, options->allow_private, options->parallel);
    if (error == 0)
        error = route_file_start(routes);
    if (error != 0) {
        http_poster_free(routes->poster);
        free(routes->folder);
        free(routes->lp);
        free(routes);
        return error;
    }
    routes->timer = evtimer_new(options->base, on_timer, routes);
    spool_listen(options->spool, on_change, routes);
    route_mail_listen(options->spool);
    *out = routes;
    return 0;
}

void routes_free(struct routes *routes)
{
    if (routes == NULL)
        return;
    while (!LIST_EMPTY(&routes->works))
        work_free(LIST_FIRST(&routes->works));
    http_poster_free(routes->poster);
    event_free(routes->timer);
    free(routes->folder);
    free(routes->lp);
    free(routes);
}

void routes_close(struct routes *routes)
{
    routes->closed = true;
}

void routes_set(struct routes *routes, const char *lp, int parallel)
{
    free(routes->lp);
    routes->lp = xstrdup(lp);
    routes->options.parallel = parallel;
}

int routes_count(const struct routes *routes)
{
    return routes->count;
}

void routes_metrics(const struct routes *routes, struct evbuffer *out)
{
    static const char *const results[] = {"failed", "delivered"};

    evbuffer_add_printf(out,
                        "# HELP faxd_route_tries_total Tries to deliver received faxes by rules, by method and end.\n"
                        "# TYPE faxd_route_tries_total counter\n");
    for (int kind = ROUTE_FOLDER; kind <= ROUTE_INBOX; kind++)
        for (int good = 0; good < 2; good++)
            evbuffer_add_printf(out, "faxd_route_tries_total{method=\"%s\",result=\"%s\"} %lld\n",
                                route_kind_name((enum route_kind)kind), results[good],
                                (long long)routes->ended[kind][good]);
    evbuffer_add_printf(out,
                        "# HELP faxd_route_running Deliveries of received faxes under way.\n"
                        "# TYPE faxd_route_running gauge\nfaxd_route_running %d\n",
                        routes->count);
}
