/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options and files of a fax as the form that the API takes.
 *
 * Thread: the only one.
 */
#ifndef FAXD_CLI_FORM_H
#define FAXD_CLI_FORM_H

#include <curl/curl.h>

#include "web/cli/cli.h"
#include "web/cli/source.h"

#define FORM_FILES_MAX 20 /* how many a fax may have is for the server to say */

/* The options that become fields: a command that posts a form has them in `also`. */
extern const struct cli_option form_options[];

struct form {
    struct cli *cli; /* whose options are taken */
    struct source sources[FORM_FILES_MAX];
    int count; /* of sources */
};

/* Look at the options and open the files that the operands name, before the network is used. 0 or an exit status, with
 * the reason said. The caller closes with form_close in any case. */
int form_check(struct form *form);

/* A client_fill_fn; `context` is the struct form. */
int form_fill(curl_mime *form, void *context);

void form_close(struct form *form);

#endif
