/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax trace. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const char *const rows[][2] = {
    {"Trunk", "trunk"},
    {"Call-ID", "call_id"},
    {"SIP status", "sip_status"},
    {"SIP reason", "sip_reason"},
    {"Q.850", "q850"},
    {"T.30", "t30_text"},
    {"Left out", "frames_omitted"},
    {"Left out SIP", "sip_omitted"},
    {"Left out modem", "modem_dialogue_omitted"},
};

/* One entry of any of the lists. */
struct entry {
    double at_ms;
    size_t order; /* where it stood, so that entries of one time keep their order */
    const json_t *object;
};

static int compare(const void *one, const void *other)
{
    const struct entry *a = one, *b = other;
    if (a->at_ms < b->at_ms || a->at_ms > b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static size_t add_all(struct entry *entries, size_t count, const json_t *list)
{
    const json_t *object;
    size_t index;
    json_array_foreach(list, index, object)
    {
        entries[count] = (struct entry){json_number_value(json_object_get(object, "at_ms")), count, object};
        count++;
    }
    return count;
}

/* The first line stands behind `head`, the others below it. */
static void print_lines(const char *head, const char *text)
{
    for (bool first = true; first || *text != '\0'; first = false) {
        size_t length = strcspn(text, "\r\n");
        char *line = xasprintf("%.*s", (int)length, text);
        if (first)
            text_print(stdout, "%s %s\n", head, line);
        else
            text_print(stdout, "    %s\n", line);
        free(line);
        text += length;
        text += *text == '\r';
        text += *text == '\n';
    }
}

static void print_entry(const struct entry *entry)
{
    char *direction = text_at(entry->object, "dir"), *text = text_at(entry->object, "text");
    char *name = text_at(entry->object, "name"), *hex = text_at(entry->object, "hex");
    char *head = xasprintf("%9.3f %-8s", entry->at_ms / 1000, direction);
    char *frame = xasprintf("%-4s %s", name, hex);
    print_lines(head, text[0] != '\0' ? text : frame);
    free(frame);
    free(head);
    free(hex);
    free(name);
    free(text);
    free(direction);
}

static void print_trace(const json_t *trace)
{
    static const char *const lists[] = {"sip", "modem_dialogue", "frames"};
    struct entry *entries = NULL;
    size_t count = 0;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const json_t *list = json_object_get(trace, lists[i]);
        entries = xrealloc(entries, (count + json_array_size(list) + 1) * sizeof *entries);
        count = add_all(entries, count, list);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *value = text_at(trace, rows[i][1]);
        if (value[0] != '\0')
            text_print(stdout, "%s: %s\n", rows[i][0], value);
        free(value);
    }
    qsort(entries, count, sizeof *entries, compare);
    for (size_t i = 0; i < count; i++)
        print_entry(&entries[i]);
    free(entries);
}

/* The number of the fax's last call, as text; NULL and an exit status. The caller frees. */
static char *last_call(int *verdict, struct cli *cli, const char *fax)
{
    json_t *reply = NULL;
    char *path = xasprintf("/v1/faxes/%s/attempts", fax), *number = NULL;
    *verdict = client_request(&reply, cli->client, "GET", path, NULL);
    const json_t *data = json_object_get(reply, "data");
    if (*verdict == VERDICT_OK && json_array_size(data) > 0) {
        number = text_at(json_array_get(data, json_array_size(data) - 1), "number");
    } else if (*verdict == VERDICT_OK) {
        text_complain("no call was made for this fax yet");
        *verdict = VERDICT_ERROR;
    }
    json_decref(reply);
    free(path);
    return number;
}

static int trace(struct cli *cli)
{
    json_t *reply = NULL;
    int verdict = cli_client(cli);
    if (verdict != VERDICT_OK)
        return verdict;
    char *fax = client_escape(cli->words[0]);
    char *number = cli->count > 1 ? client_escape(cli->words[1]) : last_call(&verdict, cli, fax);
    if (verdict == VERDICT_OK) {
        char *path = xasprintf("/v1/faxes/%s/attempts/%s/trace", fax, number);
        verdict = cli_request(&reply, cli, "GET", path, NULL);
        free(path);
    }
    if (reply != NULL)
        print_trace(reply);
    json_decref(reply);
    free(number);
    free(fax);
    return verdict;
}

const struct cli_command trace_command = {"trace",
                                          "ID [CALL]",
                                          "print what was said in a call: SIP, modem, T.30",
                                          "Messages of SIP, commands to a modem and its answers, and frames of T.30, "
                                          "in order of time, in seconds. CALL is the "
                                          "call's number, from 1; without it the last one.",
                                          .run = trace,
                                          .complete = "/v1/faxes id to|"};
