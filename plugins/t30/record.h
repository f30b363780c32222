/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The call record: what the engine tells when a call has ended (plugins/include/faxdext.h, FaxdCallRecord).
 *
 * Thread: any (no state).
 */
#ifndef FAXD_T30_RECORD_H
#define FAXD_T30_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "plugins/t30/dialogue.h"
#include "plugins/t30/outcome.h"
#include "plugins/t30/trace.h"

#define RECORD_BYTES_MAX       49152 /* octets of the record as text */
#define RECORD_MESSAGE_SIZE    128
#define RECORD_RESOLUTION_SIZE 24

struct record {
    struct outcome_facts facts;
    const char *message;             /* why the call was ended by us, or "" */
    const struct dialogue *dialogue; /* of "class1", else NULL */
    const char *mode;                /* at the end: "audio", "t38" or "class1" */
    int t38_version;                 /* of "t38" */
    const char *remote_station_id;   /* as the far end sent it; any octets */
    const char *local_station_id;
    const char *subaddress; /* that the far end asked for; any octets */
    int rendition;          /* which of the job's files was sent, from 0 */
    bool negotiated;        /* the next seven are known */
    bool ecm;
    int rate_bps;
    const char *modem;              /* "V.17" */
    int encoding;                   /* T4_COMPRESSION_ITU_* */
    int x_resolution, y_resolution; /* pixels a metre, as spandsp has them */
    int width;
    bool polling;
    int bad_rows;
    int longest_bad_run;
    int ecm_retries;
    int64_t answered_at_ms, ended_at_ms; /* UTC; answered 0 = never */
    int64_t line_ms;
};

/* The record as a new JSON object; at most RECORD_BYTES_MAX octets as compact text. The caller owns it. */
json_t *record_to_json(const struct record *record, const struct trace *trace);

/* "204x196" for spandsp's pixels a metre; "" when there are none. */
const char *record_resolution(char text[RECORD_RESOLUTION_SIZE], int x_resolution, int y_resolution);

/* Copy the far end's `text` so that it can be shown: printable ASCII stays, the rest becomes '?', and blanks around it
 * go; NULL reads as "". `size` counts the end. Returns `to`. */
char *record_clean_text(char *to, size_t size, const char *text);

#endif
