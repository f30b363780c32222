/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a modem is and can do, asked of itself; and making it ready for calls.
 *
 * Thread: the owner of the modem (modem.h).
 */
#ifndef FAXD_PLUGINS_CLASS1_PROBE_H
#define FAXD_PLUGINS_CLASS1_PROBE_H

#include "plugins/class1/at.h"
#include "plugins/class1/makes.h"
#include "plugins/class1/setup.h"

#define PROBE_IDENTITY_SIZE 2048
#define PROBE_MODEL_SIZE    96

struct probe {
    char identity[PROBE_IDENTITY_SIZE]; /* all that it says of itself */
    char model[PROBE_MODEL_SIZE];       /* for people */
    char classes[ANSWER_TEXT_SIZE];     /* "0,1,2" */
    const struct make *make;
    const char *caller_id;                                     /* the command that it took, NULL = none */
    int transmit[ANSWER_RATES_MAX], receive[ANSWER_RATES_MAX]; /* what it offers and the settings allow */
    int transmit_count, receive_count;
};

/* Wake it, ask who it is, make it ready (probe_ready) and ask what it can. 0; ERR_AGAIN it does not answer;
 * ERR_UNSUPPORTED it is no modem for faxes; ERR_INVALID it refuses a command that has to be; or as at.h. The message is
 * for an administrator. */
int probe_run(struct probe *probe, struct at *at, const struct setup_line *line, int speed_bps);

/* Make a modem ready that is known: reset, settings, Class 1. As above. */
int probe_ready(struct probe *probe, struct at *at, const struct setup_line *line);

/* "modem" of the engine's job (engine.h). A new object. */
json_t *probe_json(const struct probe *probe, const struct setup_line *line, int speed_bps);

/* Lines that sum up what is known, for a report. */
void probe_report(struct at_report *report, const struct probe *probe, const struct setup_line *line, int speed_bps);

#endif
