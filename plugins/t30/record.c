/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The call record as JSON. Texts of the far end are strangers' octets until they went through record_clean_text. */
#include "plugins/t30/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <spandsp.h>

#define TRACE_BUDGET   45000 /* leaves the other keys 4 kB; they need less than two */
#define DIALOGUE_BYTES 22000 /* of that, when a modem's dialogue is there */
#define TEXT_SIZE      32

char *record_clean_text(char *to, size_t size, const char *text)
{
    size_t used = 0;

    if (!text)
        text = "";
    while (*text == ' ')
        text++;
    for (; *text && used + 1 < size; text++)
        to[used++] = *text >= ' ' && *text <= '~' ? *text : '?';
    while (used > 0 && to[used - 1] == ' ')
        used--;
    to[used] = '\0';
    return to;
}

static int per_inch(int per_metre)
{
    return (int)((per_metre * 254LL + 5000) / 10000);
}

const char *record_resolution(char text[RECORD_RESOLUTION_SIZE], int x_resolution, int y_resolution)
{
    text[0] = '\0';
    if (x_resolution > 0 && y_resolution > 0)
        snprintf(text, RECORD_RESOLUTION_SIZE, "%dx%d", per_inch(x_resolution), per_inch(y_resolution));
    return text;
}

static void add_text(json_t *object, const char *key, const char *text)
{
    if (text && text[0])
        json_object_set_new(object, key, json_string(text));
}

static void add_number(json_t *object, const char *key, int64_t number)
{
    json_object_set_new(object, key, json_integer(number));
}

static void add_bool(json_t *object, const char *key, bool value)
{
    json_object_set_new(object, key, json_boolean(value));
}

static void add_foreign(json_t *object, const char *key, const char *text)
{
    char clean[TEXT_SIZE];

    add_text(object, key, record_clean_text(clean, sizeof clean, text));
}

static const char *encoding_name(int encoding)
{
    switch (encoding) {
    case T4_COMPRESSION_ITU_T4_1D:
        return "T.4 1D";
    case T4_COMPRESSION_ITU_T4_2D:
        return "T.4 2D";
    case T4_COMPRESSION_ITU_T6:
        return "T.6";
    default:
        return "";
    }
}

static void add_negotiated(json_t *object, const struct record *record)
{
    char resolution[RECORD_RESOLUTION_SIZE];

    add_number(object, "rate_bps", record->rate_bps);
    add_text(object, "modem", record->modem);
    add_bool(object, "ecm", record->ecm);
    add_text(object, "compression", encoding_name(record->encoding));
    add_text(object, "resolution", record_resolution(resolution, record->x_resolution, record->y_resolution));
    if (record->width > 0)
        add_number(object, "width", record->width);
    add_bool(object, "polling", record->polling);
    add_number(object, "bad_rows", record->bad_rows);
    add_number(object, "longest_bad_run", record->longest_bad_run);
    add_number(object, "ecm_retries", record->ecm_retries);
}

static void add_pages(json_t *object, const struct outcome_facts *facts, int rendition)
{
    if (facts->sending) {
        add_number(object, "pages_confirmed", facts->pages);
        add_number(object, "rendition", rendition);
        add_bool(object, "end_sent", facts->end_sent);
        add_bool(object, "final_confirmed", facts->final_confirmed);
    } else {
        add_number(object, "pages_received", facts->pages);
        add_bool(object, "receive_complete", facts->complete);
    }
}

static void add_outcome(json_t *object, const struct record *record)
{
    const char *t30_text = t30_completion_code_to_str(record->facts.t30_result);

    add_text(object, "outcome", outcome_decide(&record->facts));
    if (record->message[0])
        add_text(object, "message", record->message);
    else if (record->facts.refused_page)
        add_text(object, "message", "the page was refused");
    else
        add_text(object, "message", t30_text);
    add_number(object, "t30_result", record->facts.t30_result);
    add_text(object, "t30_text", t30_text);
    add_bool(object, "connected", record->facts.answered);
}

json_t *record_to_json(const struct record *record, const struct trace *trace)
{
    json_t *object = json_object();
    unsigned omitted;

    add_outcome(object, record);
    add_text(object, "mode", record->mode);
    if (strcmp(record->mode, "t38") == 0)
        add_number(object, "t38_version", record->t38_version);
    if (record->negotiated)
        add_negotiated(object, record);
    add_pages(object, &record->facts, record->rendition);
    add_foreign(object, "remote_station_id", record->remote_station_id);
    add_text(object, "local_station_id", record->local_station_id);
    add_foreign(object, "subaddress", record->subaddress);
    if (record->answered_at_ms)
        add_number(object, "answered_at_ms", record->answered_at_ms);
    add_number(object, "ended_at_ms", record->ended_at_ms);
    add_number(object, "line_ms", record->line_ms);
    json_object_set_new(object, "frames",
                        trace_to_json(trace, TRACE_BUDGET - (record->dialogue ? DIALOGUE_BYTES : 0), &omitted));
    if (omitted)
        add_number(object, "frames_omitted", omitted);
    if (!record->dialogue)
        return object;
    json_object_set_new(object, "modem_dialogue", dialogue_to_json(record->dialogue, &omitted));
    if (omitted)
        add_number(object, "modem_dialogue_omitted", omitted);
    return object;
}
