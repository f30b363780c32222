/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the class1 provider can be told, read from FaxdProviderConfig and checked. plugins/class1/faxd-class1.7 explains
 * each key; what stands for the provider holds for those of its lines that do not say otherwise.
 *
 * Thread: start-up; read-only afterwards.
 */
#ifndef FAXD_PLUGINS_CLASS1_SETUP_H
#define FAXD_PLUGINS_CLASS1_SETUP_H

#include "plugins/class1/makes.h"
#include "plugins/class1/tty.h"
#include "plugins/common/settings.h"

#define SETUP_LINES_MAX  48 /* of one provider: what is told of its devices has to fit into one answer */
#define SETUP_INITS_MAX  16
#define SETUP_INIT_SIZE  64
#define SETUP_PREFIX_MAX 32 /* characters before a number */

struct setup_line {
    const char *name, *number; /* borrowed from the settings */
    const char *device, *lock_dir;
    int speed_bps; /* 0 = the fastest that the device takes */
    int flow;      /* enum tty_flow */
    const char *make_name;
    const struct make *make; /* NULL = by what it says */
    const char *init;
    char inits[SETUP_INITS_MAX][SETUP_INIT_SIZE]; /* `init` taken apart */
    int init_count;
    bool pulse;
    int dial; /* index of the word */
    const char *dial_prefix, *dial_command, *answer_command, *plus;
    int dial_timeout_s;
    int rings;
    bool caller_id;
    json_t *distinctive; /* owned; NULL = none */
    const char *did_pattern;
    const char *station_id;
    const char *modems; /* "v27ter v29 v17" */
    int max_rate_bps;
    const char *quirks;
    bool realtime;
    int check_s, retry_min_s, retry_max_s;
};

struct setup {
    struct setup_line *lines; /* one for each of settings->lines */
    int line_count;
};

/* 0, or ERR_INVALID with a message that names line, key and fault. Texts are borrowed from `settings`. Clear with
 * setup_clear. */
int setup_read(struct setup *setup, const struct settings *settings);
void setup_clear(struct setup *setup);

#define SETUP_DIAL_SIZE 160

/* The command that dials `number` (as the host gives it: a T or P in front chooses tone or pulse). 0, or ERR_INVALID
 * when it is no number. */
int setup_dial_command(char command[SETUP_DIAL_SIZE], const struct setup_line *line, const char *number);

/* After how many rings a call is offered: at least two where the caller id comes between the first and the second. */
int setup_rings(const struct setup_line *line);

/* May the line use the modulation? Whole families: how fast they may be is the job's to say. */
bool setup_allows(const struct setup_line *line, int modulation);

#endif
