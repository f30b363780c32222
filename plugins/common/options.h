/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of one job, as FaxdJobOptions hands them over: checked, with the defaults of an FSP whose host gives none.
 *
 * Thread: the job's.
 */
#ifndef FAXD_PLUGINS_COMMON_OPTIONS_H
#define FAXD_PLUGINS_COMMON_OPTIONS_H

#include <jansson.h>
#include <stdbool.h>

#define OPTIONS_RENDITIONS_MAX 8

struct options_rendition {
    const char *file;       /* absolute path */
    const char *resolution; /* "standard", "fine", ... or "" */
    int width;              /* pixels, 0 = not told */
};

/* Texts are borrowed from `root`. */
struct options {
    json_t *root;           /* NULL: none were given */
    int journal_fd;         /* the host's; -1 = none */
    const char *station_id; /* "" = not told */
    const char *caller_id;  /* the same */
    const char *header;
    const char *subaddress, *password;
    const char *transport; /* "auto" | "t38" | "g711" */
    bool ecm;
    int max_rate_bps;
    const json_t *modems, *compressions; /* arrays of texts, or NULL */
    int call_limit_s;
    struct options_rendition renditions[OPTIONS_RENDITIONS_MAX];
    int rendition_count;
};

/* What holds until options come. */
void options_init(struct options *options);

/* Read the text over what `options` holds. 0, or ERR_INVALID with a message that names the key; then nothing changed.
 * Unknown keys are ignored (faxdext.h). */
int options_parse(struct options *options, const char *json);

void options_clear(struct options *options);

#endif
