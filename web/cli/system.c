/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax dashboard, fax health, fax system. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/listing.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

/* --- dashboard --- */

static void print_counts(const char *head, const json_t *counts)
{
    const char *word, *gap = "";
    json_t *count;
    printf("%-12s ", head);
    json_object_foreach((json_t *)counts, word, count)
    {
        if (!json_is_integer(count))
            continue;
        char *number = text_at(counts, word);
        text_print(stdout, "%s%s %s", gap, word, number);
        free(number);
        gap = ", ";
    }
    putchar('\n');
}

static void print_rows(const char *head, const json_t *list, const char *key, const char *value)
{
    size_t i;
    json_t *row;
    json_array_foreach((json_t *)list, i, row)
    {
        char *name = text_at(row, key), *count = text_at(row, value);
        printf("%-12s ", i == 0 ? head : "");
        text_print(stdout, "%s %s\n", name, count);
        free(count);
        free(name);
    }
}

static void print_alarms(const json_t *alarms)
{
    size_t i;
    json_t *alarm;
    json_array_foreach((json_t *)alarms, i, alarm)
    {
        char *severity = text_at(alarm, "severity"), *message = text_at(alarm, "message");
        text_print(stdout, "%s: %s\n", severity, message);
        free(message);
        free(severity);
    }
}

static int dashboard(struct cli *cli)
{
    json_t *reply;
    int verdict = cli_request(&reply, cli, "GET", "/v1/dashboard", NULL);
    if (reply == NULL)
        return verdict;
    const json_t *today = json_object_get(reply, "today");
    char *since = text_at(today, "since"), *at = text_time(since);
    print_alarms(json_object_get(reply, "alarms"));
    print_counts("Lines", json_object_get(reply, "lines"));
    print_counts("Queue", json_object_get(reply, "queue"));
    text_print(stdout, "Since        %s\n", at);
    print_counts("Today", json_object_get(today, "totals"));
    print_rows("Delivered", json_object_get(today, "providers"), "key", "delivered");
    print_rows("Errors", json_object_get(today, "errors"), "code", "count");
    free(at);
    free(since);
    json_decref(reply);
    return verdict;
}

const struct cli_command dashboard_command = {"dashboard", NULL, "how things stand: alarms, lines, queue, today",
                                              .run = dashboard};

/* --- health --- */

static void print_checks(const json_t *checks)
{
    const char *name;
    json_t *check;
    json_object_foreach((json_t *)checks, name, check)
    {
        char *text =
            json_is_object(check) ? json_dumps(check, JSON_COMPACT | JSON_ENSURE_ASCII) : text_at(checks, name);
        text_print(stdout, "  %s: %s\n", name, text != NULL ? text : "");
        free(text);
    }
}

static void print_health(const json_t *health)
{
    char *status = text_at(health, "status");
    text_print(stdout, "%s\n", status);
    print_checks(json_object_get(health, "checks"));
    free(status);
}

static int health(struct cli *cli)
{
    bool ready = false;
    json_t *reply = NULL;
    int verdict = cli_client(cli);
    if (verdict == VERDICT_OK)
        verdict = client_probe(&reply, &ready, cli->client, "/health/ready");
    if (verdict == VERDICT_OK && cli->json)
        text_json(reply);
    else if (verdict == VERDICT_OK)
        print_health(reply);
    json_decref(reply);
    return verdict == VERDICT_OK && !ready ? VERDICT_ERROR : verdict;
}

const struct cli_command health_command = {
    "health", NULL, "whether the server is ready, and what is wrong if it is not",
    "Exit status 0: ready; 1: not; 8: there is no server. No key is needed.", .run = health};

/* --- system --- */

static char *size_text(const json_t *object, const char *path)
{
    char *octets = text_at(object, path), *text;
    double megabytes = strtod(octets, NULL) / 1e6;
    text = xasprintf("%.1f MB", megabytes);
    free(octets);
    return text;
}

static char *disk_free(const json_t *object)
{
    return size_text(object, "disk.free_bytes");
}

static char *disk_total(const json_t *object)
{
    return size_text(object, "disk.total_bytes");
}

static char *database_size(const json_t *object)
{
    return size_text(object, "store.database_bytes");
}

static char *documents_size(const json_t *object)
{
    return size_text(object, "store.documents_bytes");
}

static const struct column rows[] = {
    {.head = "Version", .path = "version"},
    {"Started", "started_at", .is_time = true},
    {.head = "Health", .path = "health.status"},
    {"Disk free", NULL, .cell = disk_free},
    {"Disk", NULL, .cell = disk_total},
    {"Database", NULL, .cell = database_size},
    {"Documents", NULL, .cell = documents_size},
    {.head = "Encrypted", .path = "encrypted"},
    {.head = "Sent", .path = "counts.faxes_outbound"},
    {.head = "Received", .path = "counts.faxes_inbound"},
    {.head = "Stored", .path = "counts.documents"},
    {.head = "Audit", .path = "counts.audit_entries"},
    {.head = NULL},
};

static int show(struct cli *cli)
{
    json_t *reply;
    int verdict = cli_request(&reply, cli, "GET", "/v1/system", NULL);
    if (reply != NULL)
        listing_object(reply, rows);
    json_decref(reply);
    return verdict;
}

static const struct cli_option log_options[] = {
    {"lines", 'n', CLI_NUMBER, "N", "so many lines (default 200)", .field = "?lines"},
    {.name = NULL},
};

static int print_log(struct cli *cli)
{
    json_t *reply = NULL, *line;
    size_t i;
    int verdict;
    char *path = listing_query(&verdict, cli, "/v1/system/log");
    if (verdict == VERDICT_OK)
        verdict = cli_request(&reply, cli, "GET", path, NULL);
    json_array_foreach(json_object_get(reply, "data"), i, line)
    {
        const char *text = json_string_value(line);
        text_print(stdout, "%s\n", text != NULL ? text : "");
    }
    json_decref(reply);
    free(path);
    return verdict;
}

static const struct cli_command commands[] = {
    {"show", NULL, "show version, disk and counts", .run = show},
    {"log", NULL, "print the end of the server's log", .options = log_options, .run = print_log},
    {.name = NULL},
};

const struct cli_command system_command = {"system", .summary = "version, disk and log of the server",
                                           .commands = commands, .run = show};
