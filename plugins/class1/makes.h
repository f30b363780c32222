/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes of modems: how each is known by what it says of itself, and what it wants to be told.
 *
 * Thread: any (constant).
 */
#ifndef FAXD_PLUGINS_CLASS1_MAKES_H
#define FAXD_PLUGINS_CLASS1_MAKES_H

#include "plugins/class1/tty.h"

#define MAKES_PATTERNS 8
#define MAKES_COMMANDS 3

struct make {
    const char *name;                      /* "usr": the engine's word, and the setting's */
    const char *title;                     /* for people */
    const char *patterns[MAKES_PATTERNS];  /* one of them, in any case, is in the modem's answers */
    const char *reset;                     /* to a state that is known; "" = as it is */
    const char *flow[TTY_FLOW_NONE + 1];   /* the command for each kind of flow control */
    const char *caller_id[MAKES_COMMANDS]; /* ways to ask for caller id: the first that is taken counts */
    const char *quirks;                    /* words with a blank between, for the engine */
};

/* The make that says `identity` (all answers of ATI0..9, +FMI?, +FMM?, +FMR?) at the device `path`; the generic one
 * when none is known. Never NULL. */
const struct make *makes_find(const char *identity, const char *path);

/* The make of that name, NULL = there is none. */
const struct make *makes_named(const char *name);

/* One by one from 0; NULL behind the last. The generic one is the last. */
const struct make *makes_at(int index);

#endif
