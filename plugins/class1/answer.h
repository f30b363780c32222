/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a modem says, octet by octet: lines, and what each line means (ITU-T V.250 5.7, 6.3; T.31 8; caller id as modems
 * report it, formatted and as the raw message of Bellcore GR-30 in hexadecimal). Every octet is a stranger's: lines are
 * cut, texts are printable ASCII, numbers are digits.
 *
 * Thread: any (no state but the caller's).
 */
#ifndef FAXD_PLUGINS_CLASS1_ANSWER_H
#define FAXD_PLUGINS_CLASS1_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#define ANSWER_LINE_SIZE   256 /* of a line and its end; what is longer is cut */
#define ANSWER_TEXT_SIZE   64  /* of a number or a name and its end */
#define ANSWER_RATES_MAX   32
#define ANSWER_MESSAGE_MAX 112 /* octets of a raw caller id message */

/* A line on its way. Zero-initialise. */
struct answer_line {
    char text[ANSWER_LINE_SIZE]; /* whole and ended once answer_line_add was true */
    size_t used;
    bool ended;  /* the next octet begins a new line */
    bool was_cr; /* a carriage return has come, its line feed has not */
    char held;   /* came behind a lone carriage return; '\0' = none */
};

/* Take one octet: true when it completed a line that is not empty. A line ends with its line feed, so that after
 * "CONNECT\r\n" nothing of what follows was taken. */
bool answer_line_add(struct answer_line *line, char octet);

enum answer_kind {
    ANSWER_TEXT, /* none of the others: information, an echo, noise */
    ANSWER_OK,
    ANSWER_CONNECT,
    ANSWER_RING,
    ANSWER_NO_CARRIER,
    ANSWER_ERROR,
    ANSWER_NO_DIAL_TONE,
    ANSWER_BUSY,
    ANSWER_NO_ANSWER,
    ANSWER_FCERROR,
    ANSWER_DELAYED,
    ANSWER_BLACKLISTED,
    ANSWER_VOICE,
    ANSWER_CALLER /* caller id: see answer_caller */
};

/* What `line` means. Letters of either case. */
enum answer_kind answer_kind(const char *line);

/* True for what ends a command: all but text, RING and caller id. CONNECT does, too. */
bool answer_is_final(enum answer_kind kind);

/* The words of a result, as a modem says them ("NO CARRIER"); never NULL. */
const char *answer_name(enum answer_kind kind);

/* What a line of caller id tells; a text is "" when it does not. */
struct answer_caller {
    char number[ANSWER_TEXT_SIZE];                       /* digits, * # and a + in front */
    char name[ANSWER_TEXT_SIZE];                         /* printable ASCII */
    char called[ANSWER_TEXT_SIZE];                       /* digits that were dialled (DID) */
    char date[ANSWER_TEXT_SIZE], time[ANSWER_TEXT_SIZE]; /* "1121", "1437" */
    bool withheld;                                       /* the caller does not want to be known */
    bool out_of_area;                                    /* the network does not know */
};

/* Read a line of kind ANSWER_CALLER. False when nothing of it is of use (a broken checksum, no such parameter). */
bool answer_caller(struct answer_caller *caller, const char *line);

/* The numbers of a +FTM=? or +FRM=? list, "24,48,72", "(3,24,48)", "+FTM: 24-96,...", that are modulations of T.31
 * table 3, each once and ascending: how many. */
int answer_rates(int rates[ANSWER_RATES_MAX], const char *line);

/* True when the list of a +FCLASS=? answer names the class ("1", "1.0", "2.0"). */
bool answer_has_class(const char *line, const char *name);

/* Is the number one of T.31's modulations for pages? Its rate in bit/s, 0 if not. */
int answer_rate_bps(int modulation);

#endif
