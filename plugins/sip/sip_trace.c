/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages as text. What must not be shown is replaced where it stands, whatever the message is otherwise like. */
#include "config.h"

#include "plugins/sip/sip_trace.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/base/log.h"

/* What a secret begins with; with `assigned`, blanks, "=" and perhaps a quote follow. */
static const struct {
    const char *before;
    bool assigned;
    const char *ends; /* the characters that end it */
} secrets[] = {
    {"response", true, ", \t\r\n"}, {"inline:", false, "| \t\r\n"}, {"Authorization: Basic ", false, "\r\n"}};

/* How many characters of `text` are " = \"" or the like; 0 when they are something else. */
static size_t assignment(const char *text, size_t left, bool *quoted)
{
    size_t used = 0;

    while (used < left && (text[used] == ' ' || text[used] == '\t'))
        used++;
    if (used == left || text[used] != '=')
        return 0;
    used++;
    while (used < left && (text[used] == ' ' || text[used] == '\t'))
        used++;
    *quoted = used < left && text[used] == '"';
    return *quoted ? used + 1 : used;
}

static bool is_secret_here(const char *text, size_t left, size_t *skip, const char **ends)
{
    for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++) {
        size_t length = strlen(secrets[i].before), more = 0;
        bool quoted = false;

        if (left < length || strncasecmp(text, secrets[i].before, length) != 0)
            continue;
        if (secrets[i].assigned && (more = assignment(text + length, left - length, &quoted)) == 0)
            continue;
        *skip = length + more;
        *ends = quoted ? "\"\r\n" : secrets[i].ends;
        return true;
    }
    return false;
}

/* Printable and without secrets; a new text. */
static char *clean(const char *text, size_t size)
{
    char *to = xmalloc(size * 2 + 8);
    size_t used = 0, i = 0, skip;
    const char *ends;

    while (i < size) {
        if (is_secret_here(text + i, size - i, &skip, &ends)) {
            memcpy(to + used, text + i, skip);
            used += skip;
            for (i += skip; i < size && !strchr(ends, text[i]); i++)
                ;
            memcpy(to + used, "***", 3);
            used += 3;
            if (used > size * 2)
                break;
            continue;
        }
        to[used++] =
            (text[i] >= ' ' && text[i] <= '~') || text[i] == '\r' || text[i] == '\n' || text[i] == '\t' ? text[i] : '?';
        i++;
    }
    to[used] = '\0';
    return to;
}

void sip_trace_add(struct sip_trace *trace, int64_t at_ms, bool received, const char *text, size_t size)
{
    char *shown;

    if (size > SIP_TRACE_MESSAGE_MAX)
        size = SIP_TRACE_MESSAGE_MAX;
    if (json_array_size(trace->messages) >= SIP_TRACE_MESSAGES_MAX || trace->bytes + size > SIP_TRACE_BYTES_MAX) {
        trace->omitted++;
        return;
    }
    shown = clean(text, size);
    if (!trace->messages)
        trace->messages = json_array();
    trace->bytes += strlen(shown);
    json_array_append_new(trace->messages, json_pack("{s:I,s:s,s:s}", "at_ms", (json_int_t)at_ms, "dir",
                                                     received ? "received" : "sent", "text", shown));
    free(shown);
}

static void shift_times(json_t *messages, int64_t origin_ms)
{
    json_t *message;
    size_t i;

    json_array_foreach(messages, i, message)
    {
        json_t *at = json_object_get(message, "at_ms");

        if (i == 0 && origin_ms == 0)
            origin_ms = json_integer_value(at);
        json_integer_set(at, json_integer_value(at) - origin_ms);
    }
}

void sip_trace_give(struct sip_trace *trace, int64_t answered_at_ms, json_t *record)
{
    json_t *there = json_object_get(record, "sip");

    shift_times(trace->messages, answered_at_ms);
    if (trace->messages && there)
        json_array_extend(there, trace->messages);
    else if (trace->messages)
        json_object_set(record, "sip", trace->messages);
    if (trace->omitted)
        json_object_set_new(record, "sip_omitted", json_integer(trace->omitted));
    sip_trace_clear(trace);
}

void sip_trace_clear(struct sip_trace *trace)
{
    json_decref(trace->messages);
    memset(trace, 0, sizeof(*trace));
}
