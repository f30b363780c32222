/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Method command: a program with its arguments, run without a shell. What a stranger may choose of a fax stands in the
 * environment, never among the arguments. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/route/route_private.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/inbound_rule.h"
#include "spool/route_fax.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define ENVIRONMENT_MAX 24
#define AGAIN           75 /* EX_TEMPFAIL of sysexits */

static void on_ended(void *context, const struct route_child_end *end)
{
    struct route_work *work = context;
    char why[ROUTE_REASON_MAX];
    bool exited = WIFEXITED(end->status) && !end->timed_out;

    work->child = NULL;
    if (exited && WEXITSTATUS(end->status) == 0)
        route_end(work, ROUTE_TOLD_DONE, "%s", end->said);
    else if (exited && WEXITSTATUS(end->status) == AGAIN && *end->said != '\0')
        route_end(work, ROUTE_TOLD_AGAIN, "%s", end->said);
    else
        route_end(work, ROUTE_TOLD_AGAIN, "%s", route_child_describe(why, sizeof why, end));
}

/* --- arguments --- */

/* `text` with each `field` replaced. Takes `text` over; the caller frees the result. */
static char *replace(char *text, const char *field, const char *value)
{
    const char *at;

    for (size_t from = 0; (at = strstr(text + from, field)) != NULL;) {
        size_t head = (size_t)(at - text);
        char *longer = xasprintf("%.*s%s%s", (int)head, text, value, at + strlen(field));

        free(text);
        text = longer;
        from = head + strlen(value);
    }
    return text;
}

static void fill_argv(char *argv[ROUTE_ARGV_MAX + 1], const struct route_work *work)
{
    const json_t *list = json_object_get(work->delivery.method.settings, "argv");
    char tries[16];
    size_t count = json_array_size(list);

    snprintf(tries, sizeof tries, "%d", work->delivery.tries);
    for (size_t i = 0; i < count && i < ROUTE_ARGV_MAX; i++) {
        char *text = xstrdup(json_string_value(json_array_get(list, i)));

        text = replace(text, "{id}", work->fax.public_id);
        text = replace(text, "{attempt}", tries);
        argv[i] = replace(text, "{file}", work->file);
    }
}

static void free_all(char **list)
{
    for (; *list != NULL; list++)
        free(*list);
}

/* --- environment --- */

/* Texts of the far end are made of what a terminal and a shell script can bear: no controls. */
static char *variable(const char *name, const char *value)
{
    char *text = xasprintf("%s=%.500s", name, value);

    for (char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 127)
            *at = ' ';
    return text;
}

static void fill_environment(char *environment[ENVIRONMENT_MAX], const struct route_work *work)
{
    const struct fax *fax = &work->fax;
    char tries[16], pages[16], at[CLOCK_TEXT_SIZE], subaddress[ROUTE_SUBADDRESS_SIZE];
    const char *const pairs[][2] = {
        {"PATH", "/usr/local/bin:/usr/bin:/bin"},
        {"LC_ALL", "C.UTF-8"},
        {"FAXD_ID", fax->public_id},
        {"FAXD_DELIVERY", work->delivery.public_id},
        {"FAXD_ATTEMPT", tries},
        {"FAXD_FILE", work->file},
        {"FAXD_FORMAT", route_is_pdf(work) ? "pdf" : "tiff"},
        {"FAXD_FROM", fax->sender},
        {"FAXD_TO", fax->destination},
        {"FAXD_STATION_ID", fax->remote_station_id},
        {"FAXD_SUBADDRESS", route_fax_subaddress(subaddress, work->routes->options.spool, fax)},
        {"FAXD_LINE", fax->line},
        {"FAXD_PAGES", pages},
        {"FAXD_STATUS", fax->delivery == FAX_DELIVERY_CONFIRMED ? "received" : "partially_received"},
        {"FAXD_RECEIVED_AT", clock_format(at, fax->ended_at)},
        {"FAXD_RULE", work->delivery.rule},
        {"FAXD_RULE_NAME", work->delivery.rule_name},
    };

    snprintf(tries, sizeof tries, "%d", work->delivery.tries);
    snprintf(pages, sizeof pages, "%d", fax->pages_total);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        environment[i] = variable(pairs[i][0], pairs[i][1]);
}

/* --- the program --- */

/* A rule of the API may name programs of one folder: where its links lead counts. */
static bool is_allowed(const char *program, const char *root)
{
    char real[PATH_MAX], real_root[PATH_MAX];

    if (*root == '\0' || realpath(program, real) == NULL)
        return true; /* a program that is not there says so itself */
    return realpath(root, real_root) != NULL && route_path_lies_in(real, real_root);
}

/* NULL when it may not be run, and `work` has ended. */
static const char *root_of(struct route_work *work)
{
    const struct route_policy policy = inbound_rule_policy(work->routes->options.spool, false);
    const char *program = json_string_value(json_array_get(json_object_get(work->delivery.method.settings, "argv"), 0));

    return route_root(work, program != NULL ? program : "", policy.command_dir, "command_dir");
}

static void run(struct route_work *work)
{
    char *argv[ROUTE_ARGV_MAX + 1] = {NULL}, *environment[ENVIRONMENT_MAX] = {NULL};
    const char *root = root_of(work);
    int error;

    if (root == NULL)
        return;
    error = route_file(work);
    if (error != 0) {
        route_end(work, ROUTE_TOLD_AGAIN, "%s", err_message());
        return;
    }
    fill_argv(argv, work);
    fill_environment(environment, work);
    const struct route_child_options options = {.base = work->routes->options.base,
                                                .program = argv[0],
                                                .argv = (const char *const *)argv,
                                                .environment = (const char *const *)environment,
                                                .folder = work->folder,
                                                .input = -1,
                                                .timeout_s = (int)route_number(work, "timeout_s"),
                                                .done = on_ended,
                                                .context = work};

    if (!is_allowed(argv[0], root))
        route_end(work, ROUTE_TOLD_GIVEN_UP, "%s leads out of the folder for programs", argv[0]);
    else if (route_child_start(&work->child, &options) != 0)
        route_end(work, ROUTE_TOLD_AGAIN, "%s", err_message());
    free_all(argv);
    free_all(environment);
}

void route_command_begin(struct route_work *work)
{
    route_document(work, run);
}
