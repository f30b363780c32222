/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parser of the event stream; client.c feeds it, watch.c and progress.c hear of the events. */
#include "web/cli/sse.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "server/base/str.h"

struct sse {
    sse_event_fn on_event;
    void *context;
    char line[SSE_LINE_MAX], data[SSE_LINE_MAX];
    size_t line_length, data_length;
    bool has_data, too_long; /* too_long: the event is dropped */
    bool after_cr;           /* a line may end in CR LF */
    bool ended;
    char type[64], id[64];
};

struct sse *sse_new(sse_event_fn on_event, void *context)
{
    struct sse *sse = xcalloc(1, sizeof *sse);
    sse->on_event = on_event;
    sse->context = context;
    return sse;
}

void sse_free(struct sse *sse)
{
    free(sse);
}

static void forget_event(struct sse *sse)
{
    sse->data_length = 0;
    sse->has_data = sse->too_long = false;
    sse->type[0] = '\0';
}

void sse_restart(struct sse *sse)
{
    sse->line_length = 0;
    sse->after_cr = false;
    forget_event(sse);
}

static void dispatch(struct sse *sse)
{
    if (sse->has_data && !sse->too_long) {
        sse->data[sse->data_length] = '\0';
        sse->ended = sse->on_event(sse->type[0] != '\0' ? sse->type : "message", sse->data, sse->id, sse->context);
    }
    forget_event(sse);
}

static void add_data(struct sse *sse, const char *value)
{
    size_t length = strlen(value);
    if (sse->data_length + length + 2 > sizeof sse->data) {
        sse->too_long = true;
        return;
    }
    if (sse->has_data)
        sse->data[sse->data_length++] = '\n';
    memcpy(sse->data + sse->data_length, value, length);
    sse->data_length += length;
    sse->has_data = true;
}

static void take_line(struct sse *sse)
{
    sse->line[sse->line_length] = '\0';
    sse->line_length = 0;
    if (sse->line[0] == '\0') {
        dispatch(sse);
        return;
    }
    char *colon = strchr(sse->line, ':');
    const char *value = "";
    if (colon != NULL) {
        *colon = '\0';
        value = colon + 1 + (colon[1] == ' ');
    }
    if (strcmp(sse->line, "data") == 0)
        add_data(sse, value);
    else if (strcmp(sse->line, "event") == 0)
        str_copy(sse->type, sizeof sse->type, value);
    else if (strcmp(sse->line, "id") == 0)
        str_copy(sse->id, sizeof sse->id, value);
}

bool sse_feed(struct sse *sse, const char *data, size_t size)
{
    for (size_t i = 0; i < size && !sse->ended; i++) {
        char c = data[i];
        bool second = sse->after_cr && c == '\n';
        sse->after_cr = c == '\r';
        if (second)
            continue;
        if (c == '\n' || c == '\r')
            take_line(sse);
        else if (sse->line_length + 1 < sizeof sse->line && c != '\0')
            sse->line[sse->line_length++] = c;
        else
            sse->too_long = true;
    }
    return sse->ended;
}

const char *sse_last_id(const struct sse *sse)
{
    return sse->id;
}
