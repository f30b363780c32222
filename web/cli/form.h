/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options and files of a fax as the form that the API takes.
 *
 * Thread: the only one.
 */
#ifndef FAXD_CLI_FORM_H
#define FAXD_CLI_FORM_H

#include <curl/curl.h>

#include "web/cli/source.h"

#define FORM_FILES_MAX 20 /* how many a fax may have is for the server to say */

/* The options that become fields; the table of a command that posts a form begins with them. */
#define FORM_OPTIONS                                                                                                   \
    {"to", CLI_VALUE, 't', NULL, NULL, 0}, {"from", CLI_VALUE, 0, NULL, NULL, 0},                                      \
        {"resolution", CLI_VALUE, 0, NULL, NULL, 0}, {"dither", CLI_VALUE, 0, NULL, NULL, 0},                          \
        {"paper", CLI_VALUE, 0, NULL, NULL, 0}, {"no-ecm", CLI_FLAG, 0, NULL, NULL, 0},                                \
        {"max-rate", CLI_VALUE, 0, NULL, NULL, 0}, {"priority", CLI_VALUE, 0, NULL, NULL, 0},                          \
        {"not-before", CLI_VALUE, 0, NULL, NULL, 0}, {"expires", CLI_VALUE, 0, NULL, NULL, 0},                         \
        {"max-attempts", CLI_VALUE, 0, NULL, NULL, 0}, {"reference", CLI_VALUE, 0, NULL, NULL, 0},                     \
        {"tag", CLI_LIST, 0, NULL, NULL, 0}, {"hold", CLI_FLAG, 0, NULL, NULL, 0},                                     \
        {"cover", CLI_VALUE, 0, NULL, NULL, 0}, {"to-name", CLI_VALUE, 0, NULL, NULL, 0},                              \
        {"to-company", CLI_VALUE, 0, NULL, NULL, 0}, {"from-name", CLI_VALUE, 0, NULL, NULL, 0},                       \
        {"subject", CLI_VALUE, 0, NULL, NULL, 0}, {"note", CLI_VALUE, 0, NULL, NULL, 0},                               \
        {"header", CLI_VALUE, 0, NULL, NULL, 0}, {"no-header", CLI_FLAG, 0, NULL, NULL, 0},                            \
    {                                                                                                                  \
        "set", CLI_LIST, 0, NULL, NULL, 0                                                                              \
    }

struct form {
    struct cli_option *options;
    struct source sources[FORM_FILES_MAX];
    int count; /* of sources */
};

/* Look at the words and open the files, before the network is used. 0 or an exit status, with the reason said. The
 * caller closes with form_close in any case. */
int form_check(struct form *form, char **files, int count);

/* A client_fill_fn; `context` is the struct form. */
int form_fill(curl_mime *form, void *context);

void form_close(struct form *form);

#endif
