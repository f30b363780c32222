/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From on hook to CONNECT: dialling, and answering; and what the modem's words mean for a fax.
 *
 * Thread: the job's, which has borrowed the modem.
 */
#ifndef FAXD_PLUGINS_CLASS1_DIAL_H
#define FAXD_PLUGINS_CLASS1_DIAL_H

#include "plugins/class1/at.h"
#include "plugins/class1/setup.h"

#define DIAL_MESSAGE_SIZE 200

struct dial_end {
    bool connected;      /* CONNECT was read, nothing behind it */
    const char *outcome; /* else: a word of api.md */
    char message[DIAL_MESSAGE_SIZE];
};

/* Dial by `command` (setup_dial_command). The wake of `at` ends it as "aborted". */
void dial_call(struct dial_end *end, struct at *at, const struct setup_line *line, const char *command);

/* Answer the call that rings, as above. */
void dial_answer(struct dial_end *end, struct at *at, const struct setup_line *line);

/* What a result of a dial command says, that came `elapsed_ms` after it. */
const char *dial_outcome(enum answer_kind result, int64_t elapsed_ms, int dial_timeout_s);

#endif
