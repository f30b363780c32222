/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faxalter: change jobs that wait, or send them anew. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contrib/hylafax/hyla.h"
#include "contrib/hylafax/when.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "web/cli/text.h"

static const char usage[] =
    "usage: faxalter [-C] [-h server-host] [-a time] [-k time] [-P priority] [-t tries] [-p] [-r] [-v] jobID...\n";

struct wishes {
    json_t *change; /* of PATCH /v1/faxes/{id} */
    const char *kill;
    bool again, any, on; /* -C: after an error too */
};

static bool take_time(struct wishes *wishes, const char *text)
{
    int64_t at_ms;
    if (when_parse(&at_ms, text, clock_now_ms()) != 0) {
        hyla_complain("%s", err_message());
        return false;
    }
    char *at = hyla_time(at_ms);
    json_object_set_new(wishes->change, "not_before", json_string(at));
    free(at);
    return true;
}

static bool take_number(struct wishes *wishes, const char *text)
{
    int64_t number;
    if (str_to_int(&number, text, 1, 50) != 0) {
        hyla_complain("Bad number of retries for -t option: %s", text);
        return false;
    }
    json_object_set_new(wishes->change, "max_attempts", json_integer(number));
    return true;
}

static bool take_priority(struct wishes *wishes, const char *text)
{
    const char *priority = hyla_priority(text);
    if (priority == NULL) {
        hyla_complain("Invalid job priority %s; values must be in the range [0,255]", text);
        return false;
    }
    json_object_set_new(wishes->change, "priority", json_string(priority));
    return true;
}

static bool cannot(int option)
{
    hyla_complain("-%c: a job of faxd cannot be changed so: remove it, and send it anew", option);
    return false;
}

/* One option. False = it cannot be taken, which was said. */
static bool take(struct wishes *wishes, int option, const char *value)
{
    if (strchr("hACv", option) == NULL)
        wishes->any = true;
    switch (option) {
    case 'a':
        return take_time(wishes, value);
    case 'C':
        wishes->on = true;
        return true;
    case 'h':
        hyla_host(NULL, value);
        return true;
    case 'k':
        wishes->kill = value;
        return true;
    case 'p':
        json_object_set_new(wishes->change, "not_before", json_null());
        return true;
    case 'P':
        return take_priority(wishes, value);
    case 'r':
        wishes->again = true;
        return true;
    case 't':
        return take_number(wishes, value);
    case 'd':
    case 'g': /* the numbers are those of groups then, so that other jobs would be changed */
    case 'm':
    case 'Z':
        return cannot(option);
    case '?':
        fputs(usage, stderr);
        return false;
    default: /* who is told by mail is a setting of the server; the rest means nothing here */
        return true;
    }
}

/* The time to give up counts from the time to send, which may be a new one. */
static bool add_kill(json_t *change, const struct wishes *wishes, const json_t *fax)
{
    const char *from = json_string_value(json_object_get(change, "not_before"));
    int64_t from_ms = clock_now_ms(), at_ms;
    if (wishes->kill == NULL)
        return true;
    if (from == NULL && !json_is_null(json_object_get(change, "not_before")))
        from = json_string_value(json_object_get(fax, "not_before"));
    if (from != NULL && clock_parse(&at_ms, from) == 0 && at_ms > from_ms)
        from_ms = at_ms;
    if (when_parse(&at_ms, wishes->kill, from_ms) != 0) {
        hyla_complain("%s", err_message());
        return false;
    }
    char *at = hyla_time(at_ms);
    json_object_set_new(change, "expires_at", json_string(at));
    free(at);
    return true;
}

/* A copy of the job. */
static bool send_again(const char *number, const char *what)
{
    char *path = xasprintf("/v1/faxes/%s/resend", number);
    json_t *copy = NULL;
    bool good = hyla_request(&copy, what, "POST", path, NULL);
    if (good) {
        char *twin = text_at(copy, "number");
        printf("Job %s: duplicated as job %s.\n", number, twin);
        free(twin);
    }
    json_decref(copy);
    free(path);
    return good;
}

static bool change(const char *number, const char *what, const struct wishes *wishes, const json_t *fax)
{
    json_t *body = json_copy(wishes->change);
    char *path = xasprintf("/v1/faxes/%s", number);
    bool good = add_kill(body, wishes, fax);
    if (good && json_object_size(body) > 0)
        good = hyla_request(NULL, what, "PATCH", path, body);
    if (good)
        printf("Job %s: done.\n", number);
    json_decref(body);
    free(path);
    return good;
}

static bool alter(const char *number, const struct wishes *wishes)
{
    json_t *fax = hyla_job(number);
    char *what = xasprintf("Job %s", number);
    bool good = fax != NULL && (wishes->again ? send_again(number, what) : change(number, what, wishes, fax));
    free(what);
    json_decref(fax);
    return good;
}

int main(int argc, char **argv)
{
    struct wishes wishes = {.change = json_object()};
    bool good = true;
    int found;
    hyla_open("faxalter");
    while (good && (found = getopt(argc, argv, "Ca:d:h:k:m:n:P:t:Z:ADQRgprv")) != -1)
        good = take(&wishes, found, optarg);
    if (good && optind >= argc) {
        fputs(usage, stderr);
        good = false;
    } else if (good && !wishes.any) {
        hyla_complain("No job parameters specified for alteration.");
        good = false;
    } else if (good && wishes.again && (json_object_size(wishes.change) > 0 || wishes.kill != NULL)) {
        hyla_complain(
            "-r: the copy is sent at once, so that it cannot be altered too: sendfax sends it as it is wanted");
        good = false;
    }
    bool go = good;
    for (int i = optind; go && i < argc; i++) {
        good = alter(argv[i], &wishes) && good;
        go = good || wishes.on;
    }
    json_decref(wishes.change);
    hyla_close();
    return good && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
