/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests that take a while: of a line's modem, of a trunk.
 *
 * Thread: one.
 */
#ifndef FAXD_CLI_PROBE_H
#define FAXD_CLI_PROBE_H

#include <jansson.h>

struct cli;

/* POST `path`/test and wait until the object at `path` has a `last_test` (which `test_of` finds in it, borrowed, NULL =
 * none) that is another than before. `*object` gets the object then; the caller frees. An exit status, with the reason
 * said; `patience_s` is how long a result may take, and `hint` what it may mean when it takes longer. */
int probe_run(json_t **object, struct cli *cli, const char *path, const json_t *(*test_of)(const json_t *object),
              int patience_s, const char *hint);

#endif
