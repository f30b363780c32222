/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Method print: lp of CUPS reads the document. That it has said which request it is, is success; from there on CUPS
 * keeps it. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/route/route_private.h"

#include "server/base/err.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define ARGV_MAX 64

static void on_ended(void *context, const struct route_child_end *end)
{
    struct route_work *work = context;
    char why[ROUTE_REASON_MAX];

    work->child = NULL;
    if (!end->timed_out && WIFEXITED(end->status) && WEXITSTATUS(end->status) == 0)
        route_end(work, ROUTE_TOLD_DONE, "%s", end->said);
    else if (!end->timed_out && WIFEXITED(end->status) && *end->said != '\0')
        route_end(work, ROUTE_TOLD_AGAIN, "%s", end->said);
    else
        route_end(work, ROUTE_TOLD_AGAIN, "%s", route_child_describe(why, sizeof why, end));
}

/* The server comes before the printer: lp asks it whether there is such a printer. */
static void fill_argv(const char *argv[ARGV_MAX], char copies[16], char title[80], const struct route_work *work)
{
    const json_t *list = json_object_get(work->delivery.method.settings, "options");
    const char *server = route_text(work, "server");
    int count = 0;

    snprintf(copies, 16, "%lld", (long long)route_number(work, "copies"));
    snprintf(title, 80, "%s-%d", work->fax.public_id, work->delivery.tries);
    argv[count++] = "lp";
    if (*server != '\0') {
        argv[count++] = "-h";
        argv[count++] = server;
    }
    argv[count++] = "-d";
    argv[count++] = route_text(work, "printer");
    argv[count++] = "-n";
    argv[count++] = copies;
    argv[count++] = "-t";
    argv[count++] = title;
    for (size_t i = 0; i < json_array_size(list) && count < ARGV_MAX - 2; i++) {
        argv[count++] = "-o";
        argv[count++] = json_string_value(json_array_get(list, i));
    }
    argv[count] = NULL;
}

static void run(struct route_work *work)
{
    const char *argv[ARGV_MAX];
    char copies[16], title[80];
    static const char *const environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", NULL};
    const struct route_child_options options = {.base = work->routes->options.base,
                                                .program = work->routes->lp,
                                                .argv = argv,
                                                .environment = environment,
                                                .folder = "/",
                                                .input = work->document,
                                                .timeout_s = (int)route_number(work, "timeout_s"),
                                                .done = on_ended,
                                                .context = work};

    fill_argv(argv, copies, title, work);
    if (route_child_start(&work->child, &options) != 0)
        route_end(work, ROUTE_TOLD_AGAIN, "%s", err_message());
}

void route_print_begin(struct route_work *work)
{
    route_document(work, run);
}
