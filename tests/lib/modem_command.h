/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands of the modem bench, one a line:
 *
 *   drop NUMBER after MS              cut the line of NUMBER's present or next call after MS of connected time
 *   interrupt NUMBER after MS for MS  silence on what NUMBER hears
 *   noise DBM0|off                    delay MS              level NUMBER DB (what NUMBER says, louder or weaker)
 *   number NUMBER BEHAVIOUR           a number that behaves as modem_bench_number() tells
 *   ring NUMBER from CALLER [name NAME] [times N] [ring 1|2|3] [did DIGITS]
 *                                     a call from outside with nobody behind it; CALLER P is withheld, O out of area, -
 *                                     sends none; N rings, 5 unless said
 *   make NUMBER usr|multitech|conexant|agere|zoom|spandsp|old|data
 *   fault NUMBER garbage N            N octets of line noise towards the host now
 *   fault NUMBER echo on|off          the modem echoes whatever ATE0 said
 *   fault NUMBER lose_connect [N]     the next N results CONNECT are not sent; 1 unless said
 *   fault NUMBER lose_ok [N]
 *   fault NUMBER fcerror [N]          the next N +FRM end with +FCERROR instead of CONNECT
 *   fault NUMBER slow MS              every result comes so much later; 0 ends it
 *   fault NUMBER stop MS              what the host writes is not read for MS
 *   fault NUMBER stop_xoff MS         and it is told so by XOFF, and by XON at the end
 *   fault NUMBER hang on|off          the modem answers nothing
 *   fault NUMBER vanish | return      the device goes, and comes back under the same link
 *   fault NUMBER no_dialtone on|off   fault NUMBER no_carrier_early on|off (ATD ends with NO CARRIER at once)
 *   fault NUMBER ok_before_connect on|off
 *
 * Words with blanks are put in double quotes.
 *
 * Thread: one (the bench, under its lock).
 */
#ifndef FAXD_TESTS_MODEM_COMMAND_H
#define FAXD_TESTS_MODEM_COMMAND_H

#include "tests/lib/modem_exchange.h"

/* 0; ERR_INVALID for a line that is none of these, and what the exchange says. */
int modem_command_run(struct modem_exchange *exchange, const char *line);

/* As in the options and commands: 0, or ERR_INVALID. */
int modem_command_parse_delay(int *delay_ms, const char *text);
int modem_command_parse_noise(double *noise_dbm0, const char *text);

#endif
