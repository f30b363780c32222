/* SPDX-License-Identifier: GPL-2.0-or-later */
/* V.250 command lines. A line is kept without blanks and in upper case, so that each command sees plain text. */
#include "config.h"

#include "tests/lib/modem_at.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"

#define LINE_SIZE 256
#define NAME_SIZE 16
#define DIAL_SIZE 64
#define REGISTERS 256

struct modem_at {
    struct modem_at_handlers handlers;
    const struct modem_make *make;
    bool echo, quiet, verbose;
    int progress; /* ATX */
    int dtr;      /* AT&D */
    int class;
    bool adaptive, tells_rings;
    enum modem_caller_form caller_form;
    uint8_t registers[REGISTERS];
    char line[LINE_SIZE], last[LINE_SIZE];
    int length;
    bool too_long;
};

static void set_defaults(struct modem_at *at)
{
    at->echo = true;
    at->quiet = false;
    at->verbose = true;
    at->progress = 4;
    at->dtr = 2;
    at->class = 0;
    at->adaptive = false;
    at->tells_rings = false;
    at->caller_form = MODEM_CALLER_OFF;
    memset(at->registers, 0, sizeof at->registers);
    at->registers[3] = '\r';
    at->registers[4] = '\n';
    at->registers[5] = '\b';
    at->registers[6] = 2;
    at->registers[7] = 60;
    at->registers[8] = 2;
    at->registers[10] = 14;
}

struct modem_at *modem_at_new(const struct modem_at_handlers *handlers, const struct modem_make *make)
{
    struct modem_at *at = xcalloc(1, sizeof *at);

    at->handlers = *handlers;
    modem_at_reset(at, make);
    return at;
}

void modem_at_free(struct modem_at *at)
{
    free(at);
}

void modem_at_clear(struct modem_at *at)
{
    at->length = 0;
    at->too_long = false;
}

void modem_at_reset(struct modem_at *at, const struct modem_make *make)
{
    if (make)
        at->make = make;
    set_defaults(at);
    modem_at_clear(at);
    at->last[0] = '\0';
}

/* ---- parts of a command ---- */

/* No digits read as 0. More than any command takes reads as what none takes. */
static int take_number(const char **text)
{
    int value = 0;

    for (; isdigit((unsigned char)**text); (*text)++)
        value = value < 100000 ? value * 10 + (**text - '0') : value;
    return value;
}

static void inform_number(struct modem_at *at, const char *format, int value)
{
    char text[16];

    snprintf(text, sizeof text, format, value);
    at->handlers.inform(at->handlers.user, text);
}

static void inform_lines(struct modem_at *at, const char *lines)
{
    char line[LINE_SIZE];
    size_t length;

    for (; *lines; lines += length + (lines[length] == '\n')) {
        length = strcspn(lines, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, lines);
        at->handlers.inform(at->handlers.user, line);
    }
}

/* ---- basic commands ---- */

/* V.250 6.3.1. Letters and signs that modify the dialling and no digits are dropped; a comma and W stay, since the
 * number of the outside line is before them. */
static enum modem_verdict dial(struct modem_at *at, const char **text)
{
    static const char passed[] = "0123456789*#ABCD+,W", dropped[] = "TPRS@!()-./;";
    char number[DIAL_SIZE];
    size_t length = 0;

    for (; **text; (*text)++) {
        if (strchr(dropped, **text))
            continue;
        if (!strchr(passed, **text) || length + 1 >= sizeof number)
            return MODEM_WRONG;
        number[length++] = **text;
    }
    number[length] = '\0';
    return at->handlers.dial(at->handlers.user, number);
}

static enum modem_verdict identify(struct modem_at *at, int which)
{
    if (which > 9 || !at->make->identity[which])
        return MODEM_WRONG;
    inform_lines(at, at->make->identity[which]);
    return MODEM_DONE;
}

static enum modem_verdict set_register(struct modem_at *at, const char **text)
{
    int number = take_number(text), value;

    if (number >= REGISTERS || (**text != '=' && **text != '?'))
        return MODEM_WRONG;
    if (*(*text)++ == '?') {
        inform_number(at, "%03d", at->registers[number]);
        return MODEM_DONE;
    }
    value = take_number(text);
    if (value > UINT8_MAX)
        return MODEM_WRONG;
    at->registers[number] = (uint8_t)value;
    return MODEM_DONE;
}

static enum modem_verdict set_flag(bool *flag, int value)
{
    if (value > 1)
        return MODEM_WRONG;
    *flag = value == 1;
    return MODEM_DONE;
}

static enum modem_verdict reset(struct modem_at *at, const char **text)
{
    take_number(text);
    at->handlers.hang_up(at->handlers.user);
    set_defaults(at);
    return MODEM_DONE;
}

static enum modem_verdict hang_up(struct modem_at *at, const char **text)
{
    if (take_number(text) > 1)
        return MODEM_WRONG;
    at->handlers.hang_up(at->handlers.user);
    return MODEM_DONE;
}

static enum modem_verdict basic(struct modem_at *at, char letter, const char **text)
{
    switch (letter) {
    case 'A':
        return at->handlers.answer(at->handlers.user);
    case 'D':
        return dial(at, text);
    case 'E':
        return set_flag(&at->echo, take_number(text));
    case 'H':
        return hang_up(at, text);
    case 'I':
        return identify(at, take_number(text));
    case 'Q':
        return set_flag(&at->quiet, take_number(text));
    case 'S':
        return set_register(at, text);
    case 'V':
        return set_flag(&at->verbose, take_number(text));
    case 'X':
        at->progress = take_number(text);
        return at->progress <= 7 ? MODEM_DONE : MODEM_WRONG;
    case 'Z':
        return reset(at, text);
    default:
        take_number(text);
        return strchr(at->make->basic, letter) ? MODEM_DONE : MODEM_WRONG;
    }
}

/* ---- commands of makes, behind & \ % * # $ - ---- */

/* One letter behind the first four, words behind the others. */
static void take_name(char name[NAME_SIZE], char prefix, const char **text)
{
    size_t length = 1, most = strchr("&\\%*", prefix) ? 2 : NAME_SIZE - 1;

    name[0] = prefix;
    while (length < most && isalpha((unsigned char)**text))
        name[length++] = *(*text)++;
    name[length] = '\0';
}

/* "=1,2" or "1"; the last number counts. */
static int take_value(const char **text)
{
    int value = 0;

    if (**text == '=')
        (*text)++;
    value = take_number(text);
    while (**text == ',' || **text == '?') {
        (*text)++;
        take_number(text);
    }
    return value;
}

static enum modem_verdict set_caller_form(struct modem_at *at, int value)
{
    if (value > MODEM_CALLER_MESSAGE)
        return MODEM_WRONG;
    at->caller_form = (enum modem_caller_form)value;
    return MODEM_DONE;
}

static enum modem_verdict extended(struct modem_at *at, char prefix, const char **text)
{
    char name[NAME_SIZE];
    int value;

    take_name(name, prefix, text);
    value = take_value(text);
    if (!modem_make_knows(at->make->extended, name))
        return MODEM_WRONG;
    if (strcmp(name, "&F") == 0)
        set_defaults(at);
    else if (strcmp(name, "&D") == 0)
        at->dtr = value;
    else if (modem_make_knows(at->make->caller_id, name))
        return set_caller_form(at, value);
    return MODEM_DONE;
}

/* ---- commands behind + ---- */

/* "=?", "?", "=1" or nothing. `value` is of "=1", and -1 when it is no number. */
enum asked { ASKED_RANGE, ASKED_VALUE, ASKED_SET, ASKED_PLAIN };

static enum asked take_asked(int *value, const char **text)
{
    const char *end = strchr(*text, ';');
    const char *from = *text;

    *text = end ? end : *text + strlen(*text);
    if (*from == '?')
        return ASKED_VALUE;
    if (*from != '=')
        return ASKED_PLAIN;
    if (from[1] == '?')
        return ASKED_RANGE;
    from++;
    *value = isdigit((unsigned char)*from) ? take_number(&from) : -1;
    return ASKED_SET;
}

static enum modem_verdict fax_class(struct modem_at *at, enum asked asked, int value)
{
    switch (asked) {
    case ASKED_RANGE:
        at->handlers.inform(at->handlers.user, at->make->classes);
        return MODEM_DONE;
    case ASKED_VALUE:
        inform_number(at, "%d", at->class);
        return MODEM_DONE;
    case ASKED_SET:
        if (!modem_make_lists(at->make->classes, value))
            return MODEM_WRONG;
        at->class = value;
        return MODEM_DONE;
    case ASKED_PLAIN:
        break;
    }
    return MODEM_WRONG;
}

/* What the make offers for a fax command; NULL when `name` is none. */
static const char *fax_range(const struct modem_at *at, const char *name)
{
    if (strcmp(name, "FTM") == 0)
        return at->make->transmit;
    if (strcmp(name, "FRM") == 0)
        return at->make->receive;
    if (strcmp(name, "FTH") == 0 || strcmp(name, "FRH") == 0)
        return at->make->frames;
    if (strcmp(name, "FTS") == 0 || strcmp(name, "FRS") == 0)
        return "0-255";
    return NULL;
}

static enum modem_verdict fax_command(struct modem_at *at, const char *name, enum asked asked, int value)
{
    const char *range = fax_range(at, name);
    bool silence = name[2] == 'S';

    /* A modem without Class 1 knows none of this. */
    if (!modem_make_lists(at->make->classes, 1))
        return MODEM_WRONG;
    if (asked == ASKED_RANGE) {
        at->handlers.inform(at->handlers.user, range);
        return MODEM_DONE;
    }
    if (asked != ASKED_SET || !modem_at_is_fax(at) || value < 0)
        return MODEM_WRONG;
    /* Some makes list 3 among the rates of pages; it is no rate of pages. */
    if (silence ? value > 255 : !modem_make_lists(range, value) || (name[2] == 'M' && value == 3))
        return MODEM_WRONG;
    at->handlers.fax_line(at->handlers.user);
    return at->handlers.fax(at->handlers.user, name, value);
}

static enum modem_verdict adaptive(struct modem_at *at, enum asked asked, int value)
{
    if (asked == ASKED_RANGE)
        at->handlers.inform(at->handlers.user, "0,1");
    else if (asked == ASKED_VALUE)
        inform_number(at, "%d", at->adaptive);
    else
        return asked == ASKED_SET && value >= 0 ? set_flag(&at->adaptive, value) : MODEM_WRONG;
    return MODEM_DONE;
}

/* +FMI, +GMI and so on: with a question mark, and from the second group on without one too. */
static const char *identity_of(const struct modem_at *at, const char *name)
{
    if (strlen(name) != 3 || (name[0] != 'F' && name[0] != 'G') || name[1] != 'M')
        return NULL;
    return name[2] == 'I'   ? at->make->manufacturer
           : name[2] == 'M' ? at->make->model
           : name[2] == 'R' ? at->make->revision
                            : NULL;
}

/* What a make takes and what changes nothing here. */
static enum modem_verdict other(struct modem_at *at, const char *name, enum asked asked, int value)
{
    char word[NAME_SIZE + 1];

    if (!modem_make_knows(at->make->plus, name))
        return MODEM_WRONG;
    snprintf(word, sizeof word, "+%s", name);
    if (asked == ASKED_RANGE)
        at->handlers.inform(at->handlers.user, "(0-255)");
    else if (asked == ASKED_VALUE)
        at->handlers.inform(at->handlers.user, "0");
    else if (modem_make_knows(at->make->caller_id, word))
        return value < 0 ? MODEM_WRONG : set_caller_form(at, value);
    else if (strcmp(name, "VDR") == 0)
        at->tells_rings = value == 1;
    return MODEM_DONE;
}

static enum modem_verdict plus(struct modem_at *at, const char **text)
{
    char name[NAME_SIZE];
    size_t length = 0;
    enum asked asked;
    int value = 0;

    while (length + 1 < sizeof name && isalnum((unsigned char)**text))
        name[length++] = *(*text)++;
    name[length] = '\0';
    asked = take_asked(&value, text);
    if (strcmp(name, "FCLASS") == 0)
        return fax_class(at, asked, value);
    if (fax_range(at, name))
        return fax_command(at, name, asked, value);
    if (strcmp(name, "FAR") == 0)
        return adaptive(at, asked, value);
    if (!identity_of(at, name))
        return other(at, name, asked, value);
    at->handlers.inform(at->handlers.user, identity_of(at, name));
    return MODEM_DONE;
}

/* ---- lines ---- */

static enum modem_verdict run(struct modem_at *at, const char *text)
{
    enum modem_verdict verdict = MODEM_DONE;
    char first;

    while (*text && verdict == MODEM_DONE) {
        first = *text++;
        if (first == ';')
            continue;
        if (first == '+')
            verdict = plus(at, &text);
        else if (strchr("&\\%*#$-", first))
            verdict = extended(at, first, &text);
        else
            verdict = basic(at, first, &text);
    }
    return verdict;
}

static void run_line(struct modem_at *at)
{
    char line[LINE_SIZE];
    bool too_long = at->too_long;
    enum modem_verdict verdict;

    /* Cleared before it runs: a reset within the line may not find half of it. */
    strcpy(line, at->line);
    modem_at_clear(at);
    strcpy(at->last, line);
    verdict = too_long ? MODEM_WRONG : run(at, line + 2);
    if (verdict != MODEM_LATER)
        at->handlers.result(at->handlers.user, verdict == MODEM_DONE ? MODEM_OK : MODEM_ERROR);
}

static void add(struct modem_at *at, char letter)
{
    if (at->length + 1 >= LINE_SIZE) {
        at->too_long = true;
        return;
    }
    at->line[at->length++] = letter;
    at->line[at->length] = '\0';
}

/* Everything before "AT" is noise. "A/" needs no end of line and repeats the last one. */
static void begin(struct modem_at *at, char letter)
{
    if (letter == 'A') {
        at->length = 0;
        add(at, letter);
    } else if (at->length == 1 && letter == 'T') {
        add(at, letter);
    } else if (at->length == 1 && letter == '/') {
        strcpy(at->line, at->last[0] ? at->last : "AT");
        run_line(at);
    } else {
        at->length = 0;
    }
}

void modem_at_put(struct modem_at *at, uint8_t octet)
{
    char letter = (char)toupper(octet & 0x7F);

    if (at->echo)
        at->handlers.echo(at->handlers.user, octet);
    if (at->length < 2)
        begin(at, letter);
    else if (letter == at->registers[3])
        run_line(at);
    else if (letter == at->registers[5])
        at->length -= at->length > 2;
    else if (letter > ' ' && letter <= '~')
        add(at, letter);
    at->line[at->length] = '\0';
}

const struct modem_make *modem_at_make(const struct modem_at *at)
{
    return at->make;
}

bool modem_at_echoes(const struct modem_at *at)
{
    return at->echo;
}

bool modem_at_is_quiet(const struct modem_at *at)
{
    return at->quiet;
}

bool modem_at_is_verbose(const struct modem_at *at)
{
    return at->verbose;
}

bool modem_at_hears_busy(const struct modem_at *at)
{
    return at->progress >= 3;
}

bool modem_at_is_fax(const struct modem_at *at)
{
    return at->class == 1;
}

bool modem_at_is_adaptive(const struct modem_at *at)
{
    return at->adaptive;
}

bool modem_at_tells_rings(const struct modem_at *at)
{
    return at->tells_rings;
}

bool modem_at_minds_dtr(const struct modem_at *at)
{
    return at->dtr >= 2;
}

int modem_at_register(const struct modem_at *at, int number)
{
    return at->registers[number & (REGISTERS - 1)];
}

enum modem_caller_form modem_at_caller_form(const struct modem_at *at)
{
    return at->caller_form;
}
