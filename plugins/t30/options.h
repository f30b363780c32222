/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a call shall do: the job's JSON (plugins/common/engine.h) as a checked struct.
 *
 * Everything is copied and bounded here, once, before the sandbox is closed; past this file nothing reads JSON of the
 * job.
 *
 * Thread: any (no state).
 */
#ifndef FAXD_T30_OPTIONS_H
#define FAXD_T30_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "plugins/t30/path.h"

#define OPTIONS_FILES_MAX    12 /* renditions of one document */
#define OPTIONS_IDENT_SIZE   21 /* T.30 5.3.6.2.4: 20 characters, and the end */
#define OPTIONS_HEADER_SIZE  51
#define OPTIONS_RATE_MIN_BPS 2400
#define OPTIONS_RATE_MAX_BPS 14400

enum options_modem { OPTIONS_V27TER = 1, OPTIONS_V29 = 2, OPTIONS_V17 = 4 };
enum options_compression { OPTIONS_MH = 1, OPTIONS_MR = 2, OPTIONS_MMR = 4 };

enum options_resolution {
    OPTIONS_STANDARD,  /* 204 x 98 */
    OPTIONS_FINE,      /* 204 x 196 */
    OPTIONS_SUPERFINE, /* 204 x 391 */
    OPTIONS_300,       /* 300 x 300 */
    OPTIONS_400,       /* 408 x 391 */
    OPTIONS_RESOLUTION_COUNT
};

struct options_file {
    enum options_resolution resolution;
    int width;     /* pixels */
    int length_mm; /* of the longest page, 0 = not told */
};

struct options_audio {
    int pace;     /* 0: as fast as it goes, n: n times real time */
    int chunk_ms; /* line time of one exchange with the far end */
    bool noise;
    double noise_dbm0; /* Gaussian noise that this side hears */
    int delay_ms;      /* delay of what this side hears */
    int drop_after_ms; /* line time after which this side cuts the line, 0 = never */
};

/* A Class 1 modem. */
struct options_serial {
    unsigned transmit, receive; /* enum options_modem that it has whole; V.27ter at least */
    bool xon_xoff;              /* it holds us up so while it sends a page */
    bool realtime;              /* ask for the scheduling that its answers need */
};

struct options_limits {
    int64_t call_ms;
    int cpu_s;
    int64_t memory_bytes;
    int64_t file_bytes;
};

struct options {
    bool calling; /* role "caller" */
    bool sending; /* direction "send" */
    bool has_journal;
    bool has_rtcp;
    bool datagram;    /* media "datagram" */
    bool serial;      /* media "serial"; neither: "stream" */
    struct path path; /* of datagrams */
    struct options_file files[OPTIONS_FILES_MAX];
    int file_count; /* 0 when receiving */
    char station_id[OPTIONS_IDENT_SIZE];
    char header[OPTIONS_HEADER_SIZE]; /* code page 437; only ASCII is used */
    char subaddress[OPTIONS_IDENT_SIZE];
    char password[OPTIONS_IDENT_SIZE];
    bool ecm;
    unsigned modems;       /* enum options_modem, never 0 */
    unsigned compressions; /* enum options_compression, OPTIONS_MH always set: every machine has it */
    int max_rate_bps;
    struct options_audio audio;
    struct options_serial modem;
    struct options_limits limits;
};

/* Read and check the job `text` (ended with NUL). Absent keys get their defaults; a wrong type or a value out of range
 * is refused by name. 0 or ERR_INVALID. */
int options_parse(struct options *options, const char *text);

/* How many descriptors the job comes with: control, media, RTCP's and journal if any, and the files. */
int options_descriptor_count(const struct options *options);

/* "standard", "fine", ... Never NULL. */
const char *options_resolution_name(enum options_resolution resolution);

#endif
