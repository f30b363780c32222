/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an inbound rule is about: the conditions that a received fax has to meet, all of them.
 *
 * Numbers are compared as they are dialled ("+49 30 123" is +4930123); what is no number, as the name of a mailbox in
 * a SIP address, is compared as text. Station ids are compared without blanks at their ends and without letters' case.
 *
 * Thread: any; a match belongs to one.
 */
#ifndef FAXD_SPOOL_INBOUND_MATCH_H
#define FAXD_SPOOL_INBOUND_MATCH_H

#include "server/base/number.h"
#include "spool/route_fault.h"
#include "spool/window.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define INBOUND_WHY_SIZE   400
#define INBOUND_LINE_SIZE  128
#define INBOUND_GROUP_SIZE 65
#define INBOUND_PAGES_MAX  10000

enum inbound_outcome { INBOUND_ANY = 0, INBOUND_WHOLE = 1, INBOUND_PARTIAL = 2 };

/* "" and 0: not asked. */
struct inbound_match {
    char did[NUMBER_SIZE], did_prefix[NUMBER_SIZE];
    char line[INBOUND_LINE_SIZE]; /* "provider/line" */
    char group[INBOUND_GROUP_SIZE];
    char from[NUMBER_SIZE], from_prefix[NUMBER_SIZE];
    int anonymous; /* 1: callers that say no number, 0: those that say one, -1: all */
    char station_id[NUMBER_SIZE], station_id_prefix[NUMBER_SIZE];
    char subaddress[NUMBER_SIZE];
    int pages_min, pages_max;
    enum inbound_outcome outcome;
    struct window window; /* of the moment at which the call came */
};

/* What is known of a received fax. Texts are borrowed, "" = it is not known. */
struct inbound_facts {
    const char *did, *from, *station_id, *subaddress, *line;
    int pages;
    bool partial; /* it was partially received */
    int64_t at_ms;
    bool (*in_group)(void *context, const char *line, const char *group); /* NULL: in none */
    void *context;
};

/* Read the object at "/match"; NULL and null are a match of everything. Faults are told. The caller clears in any
 * case. */
void inbound_match_read(struct inbound_match *match, const json_t *object, struct route_faults *faults);
void inbound_match_clear(struct inbound_match *match);

/* New reference: every member, null where it is not asked. */
json_t *inbound_match_json(const struct inbound_match *match);

/* False, and the first condition that is not met, as a sentence. */
bool inbound_match_meets(char why[INBOUND_WHY_SIZE], const struct inbound_match *match,
                         const struct inbound_facts *facts);

/* A number as rules compare it: normalised, or the text itself, cut to fit. Returns `number`. */
char *inbound_number(char number[NUMBER_SIZE], const char *text);

/* A station id as rules compare it: without blanks at its ends, capital letters. Returns `id`. */
char *inbound_station(char id[NUMBER_SIZE], const char *text);

#endif
