/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the softmodem provider can be told, read from FaxdProviderConfig and checked.
 *
 * Settings of the provider
 *   carrier          "exchange" (the default): the lines call one another on an exchange inside the provider. With
 *                    "sip", G.711 over SIP, nothing of this file is read: the settings are those of
 *                    plugins/sip/sip_setup.h
 *   pace             0: as fast as both ends can (default); 1 to 100: that many times real time
 *   ring_timeout_ms  how long a caller waits for an answer: line time, so divided by pace; default 30000. Unpaced there
 *                    is no line time: wall time then, default 5000
 *   dial_ms          from dialling to the first ring, as above; default 2000, unpaced 0
 *   reject           what the caller of a rejected call hears: "decline" it is cut off, "ignore" it rings on (default
 *                    "decline")
 *   numbers          {"NUMBER": {...}}: what callers of NUMBER meet. Keys: behaviour "answer" (default), "busy",
 *                    "no_answer" or "decline", and the impairments below. A number without a line needs a behaviour
 *                    other than "answer"
 * Settings of a line
 *   station_id       what the line calls itself when the host names nothing (default: its number)
 *   noise_dbm0       -90 to 0: noise that the line hears when it is called; absent: none
 *   delay_ms         0 to 2000: delay of what it hears when it is called
 *   drop_after_ms    calls to the line are cut after so much line time; 0: never (default)
 *
 * Thread: start-up; read-only afterwards.
 */
#ifndef FAXD_PLUGINS_SOFTMODEM_SETUP_H
#define FAXD_PLUGINS_SOFTMODEM_SETUP_H

#include "plugins/common/settings.h"
#include "plugins/softmodem/exchange.h"

struct setup_line {
    const char *station_id;
    double noise_dbm0; /* NAN: none */
    int delay_ms;
    int drop_after_ms;
};

struct setup {
    int carrier, reject; /* indices of their words */
    int pace;
    int ring_timeout_ms, dial_ms; /* wall time */
    json_t *numbers;
    struct setup_line *lines; /* one for each of settings->lines */
};

/* 0, or ERR_INVALID with a message that names the key. Texts are borrowed from `settings`. Clear with setup_clear. */
int setup_read(struct setup *setup, const struct settings *settings);
void setup_clear(struct setup *setup);

/* An exchange with the numbers of the lines and the behaviours of `numbers`: 0, or ERR_INVALID, ERR_CONFLICT. */
int setup_exchange(struct exchange **out, struct setup *setup, const struct settings *settings,
                   void (*ring)(void *context, int line), void *context);

#endif
