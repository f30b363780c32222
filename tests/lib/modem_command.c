/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines to calls of the exchange and of its modems, by tables. */
#include "config.h"

#include "tests/lib/modem_command.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "server/base/str.h"
#include "tests/lib/modem_line.h"

#define LINE_SIZE   512
#define WORDS_MAX   16
#define TIME_MAX_MS INT64_C(86400000)
#define COUNT_MAX   4096
#define RINGS_MAX   1000
#define RINGS_USUAL 5

struct words {
    char line[LINE_SIZE];
    const char *words[WORDS_MAX + 1]; /* NULL behind the last one */
    int count;
};

static int split(struct words *words, const char *line)
{
    char *at;

    words->count = 0;
    if (!str_copy(words->line, sizeof words->line, line))
        return err_set(ERR_INVALID, "a command has %d octets at most", LINE_SIZE - 1);
    at = words->line + strspn(words->line, " \t\r\n");
    while (*at) {
        if (words->count == WORDS_MAX)
            return err_set(ERR_INVALID, "a command has %d words at most", WORDS_MAX);
        if (*at == '"') {
            words->words[words->count++] = ++at;
            at += strcspn(at, "\"");
        } else {
            words->words[words->count++] = at;
            at += strcspn(at, " \t\r\n");
        }
        if (*at)
            *at++ = '\0';
        at += strspn(at, " \t\r\n");
    }
    words->words[words->count] = NULL;
    return words->count > 0 ? 0 : err_set(ERR_INVALID, "an empty command");
}

static int wrong(const char *usage)
{
    return err_set(ERR_INVALID, "it goes: %s", usage);
}

static int parse_number(double *number, const char *text, double low, double high, const char *what)
{
    char *end;

    *number = strtod(text, &end);
    if (end == text || *end || !(*number >= low && *number <= high))
        return err_set(ERR_INVALID, "%s is %g to %g, not \"%.20s\"", what, low, high, text);
    return 0;
}

int modem_command_parse_delay(int *delay_ms, const char *text)
{
    int64_t value;

    if (str_to_int(&value, text, 0, MODEM_LINE_DELAY_MS) < 0)
        return err_set(ERR_INVALID, "a delay is 0 to %d ms, not \"%.20s\"", MODEM_LINE_DELAY_MS, text);
    *delay_ms = (int)value;
    return 0;
}

int modem_command_parse_noise(double *noise_dbm0, const char *text)
{
    if (strcmp(text, "off") == 0) {
        *noise_dbm0 = (double)NAN;
        return 0;
    }
    return parse_number(noise_dbm0, text, MODEM_LINE_QUIETEST, MODEM_LINE_LOUDEST, "noise in dBm0");
}

/* ---- lines ---- */

static int run_drop(struct modem_exchange *exchange, const struct words *words)
{
    int64_t after_ms;

    if (words->count != 4 || strcmp(words->words[2], "after") != 0 ||
        str_to_int(&after_ms, words->words[3], 0, TIME_MAX_MS) < 0)
        return wrong("drop NUMBER after MS");
    return modem_exchange_drop(exchange, words->words[1], after_ms);
}

static int run_interrupt(struct modem_exchange *exchange, const struct words *words)
{
    int64_t after_ms, for_ms;

    if (words->count != 6 || strcmp(words->words[2], "after") != 0 || strcmp(words->words[4], "for") != 0 ||
        str_to_int(&after_ms, words->words[3], 0, TIME_MAX_MS) < 0 ||
        str_to_int(&for_ms, words->words[5], 1, TIME_MAX_MS) < 0)
        return wrong("interrupt NUMBER after MS for MS");
    return modem_exchange_interrupt(exchange, words->words[1], after_ms, for_ms);
}

static int run_noise(struct modem_exchange *exchange, const struct words *words)
{
    double noise_dbm0 = 0;
    int result = words->count == 2 ? modem_command_parse_noise(&noise_dbm0, words->words[1]) : wrong("noise DBM0|off");

    if (result == 0)
        modem_exchange_set_noise(exchange, noise_dbm0);
    return result;
}

static int run_delay(struct modem_exchange *exchange, const struct words *words)
{
    int delay_ms = 0,
        result = words->count == 2 ? modem_command_parse_delay(&delay_ms, words->words[1]) : wrong("delay MS");

    if (result == 0)
        modem_exchange_set_delay(exchange, delay_ms);
    return result;
}

static int run_level(struct modem_exchange *exchange, const struct words *words)
{
    double level_db = 0;
    int result;

    if (words->count != 3)
        return wrong("level NUMBER DB");
    result = parse_number(&level_db, words->words[2], -MODEM_LINE_LEVEL_DB, MODEM_LINE_LEVEL_DB, "a level in dB");
    return result < 0 ? result : modem_exchange_set_level(exchange, words->words[1], level_db);
}

static int run_number(struct modem_exchange *exchange, const struct words *words)
{
    if (words->count != 3)
        return wrong("number NUMBER BEHAVIOUR");
    return modem_exchange_add_behaviour(exchange, words->words[1], words->words[2]);
}

/* ---- rings ---- */

static int set_ring_word(struct modem_ring *ring, const char *key, const char *value)
{
    int64_t number;

    if (strcmp(key, "name") == 0)
        return str_copy(ring->name, sizeof ring->name, value) ? 0 : err_set(ERR_INVALID, "the name is too long");
    if (strcmp(key, "did") == 0)
        return str_copy(ring->did, sizeof ring->did, value) ? 0 : err_set(ERR_INVALID, "did is too long");
    if (strcmp(key, "times") == 0 && str_to_int(&number, value, 1, RINGS_MAX) == 0)
        ring->times = (int)number;
    else if (strcmp(key, "ring") == 0 && str_to_int(&number, value, 1, 3) == 0)
        ring->pattern = (int)number;
    else
        return err_set(ERR_INVALID, "\"%.20s %.20s\" is no part of a ring", key, value);
    return 0;
}

static int run_ring(struct modem_exchange *exchange, const struct words *words)
{
    struct modem_ring ring = {.times = RINGS_USUAL};
    int i, result = 0;

    if (words->count < 4 || words->count % 2 != 0 || strcmp(words->words[2], "from") != 0)
        return wrong("ring NUMBER from CALLER [name NAME] [times N] [ring 1|2|3] [did DIGITS]");
    if (strcmp(words->words[3], "-") != 0 && !str_copy(ring.caller, sizeof ring.caller, words->words[3]))
        return err_set(ERR_INVALID, "the caller's number is too long");
    for (i = 4; i < words->count && result == 0; i += 2)
        result = set_ring_word(&ring, words->words[i], words->words[i + 1]);
    return result < 0 ? result : modem_exchange_ring(exchange, words->words[1], &ring);
}

/* ---- modems ---- */

static int run_make(struct modem_exchange *exchange, const struct words *words)
{
    const struct modem_make *make;
    struct modem *modem;
    int result;

    if (words->count != 3)
        return wrong("make NUMBER MAKE");
    make = modem_make_find(words->words[2]);
    if (!make)
        return err_set(ERR_INVALID, "\"%.20s\" is no make", words->words[2]);
    result = modem_exchange_modem(&modem, exchange, words->words[1]);
    if (result == 0)
        modem_set_make(modem, make);
    return result;
}

/* Faults that are a switch or a number of struct modem_faults. */
static const struct {
    const char *name;
    size_t offset;
    bool is_switch;
    const char *usual; /* NULL = has to be said */
} plain_faults[] = {
    {"echo", offsetof(struct modem_faults, echo), true, NULL},
    {"hang", offsetof(struct modem_faults, hang), true, NULL},
    {"no_dialtone", offsetof(struct modem_faults, no_dialtone), true, NULL},
    {"no_carrier_early", offsetof(struct modem_faults, no_carrier_early), true, NULL},
    {"ok_before_connect", offsetof(struct modem_faults, ok_before_connect), true, NULL},
    {"lose_connect", offsetof(struct modem_faults, lose_connect), false, "1"},
    {"lose_ok", offsetof(struct modem_faults, lose_ok), false, "1"},
    {"fcerror", offsetof(struct modem_faults, fcerror), false, "1"},
    {"slow", offsetof(struct modem_faults, slow_ms), false, NULL},
};

static int set_switch(bool *place, const char *name, const char *value)
{
    if (!value || (strcmp(value, "on") != 0 && strcmp(value, "off") != 0))
        return err_set(ERR_INVALID, "it goes: fault NUMBER %s on|off", name);
    *place = strcmp(value, "on") == 0;
    return 0;
}

static int parse_count(int *count, const char *name, const char *value, int low)
{
    int64_t number;

    if (!value || str_to_int(&number, value, low, COUNT_MAX) < 0)
        return err_set(ERR_INVALID, "it goes: fault NUMBER %s N, with %d to %d", name, low, COUNT_MAX);
    *count = (int)number;
    return 0;
}

static int run_plain_fault(struct modem *modem, int which, const char *value)
{
    char *place = (char *)modem_faults(modem) + plain_faults[which].offset;

    if (plain_faults[which].is_switch)
        return set_switch((bool *)(void *)place, plain_faults[which].name, value);
    return parse_count((int *)(void *)place, plain_faults[which].name, value ? value : plain_faults[which].usual, 0);
}

/* Faults that are deeds. */
static int run_deed(struct modem *modem, const char *name, const char *value)
{
    int count = 0, result;

    if (strcmp(name, "vanish") == 0)
        return modem_fault_vanish(modem);
    if (strcmp(name, "return") == 0)
        return modem_fault_return(modem);
    if (strcmp(name, "garbage") != 0 && strcmp(name, "stop") != 0 && strcmp(name, "stop_xoff") != 0)
        return err_set(ERR_INVALID, "\"%.20s\" is no fault", name);
    result = parse_count(&count, name, value, 1);
    if (result < 0)
        return result;
    if (strcmp(name, "garbage") == 0)
        modem_fault_garbage(modem, count);
    else
        modem_fault_stop(modem, count, strcmp(name, "stop_xoff") == 0);
    return 0;
}

static int run_fault(struct modem_exchange *exchange, const struct words *words)
{
    struct modem *modem;
    int result, i;

    if (words->count < 3 || words->count > 4)
        return wrong("fault NUMBER FAULT [VALUE]");
    result = modem_exchange_modem(&modem, exchange, words->words[1]);
    if (result < 0)
        return result;
    for (i = 0; i < (int)(sizeof plain_faults / sizeof *plain_faults); i++)
        if (strcmp(plain_faults[i].name, words->words[2]) == 0)
            return run_plain_fault(modem, i, words->words[3]);
    return run_deed(modem, words->words[2], words->words[3]);
}

int modem_command_run(struct modem_exchange *exchange, const char *line)
{
    static const struct {
        const char *name;
        int (*run)(struct modem_exchange *exchange, const struct words *words);
    } commands[] = {
        {"drop", run_drop},   {"interrupt", run_interrupt}, {"noise", run_noise},
        {"delay", run_delay}, {"level", run_level},         {"number", run_number},
        {"ring", run_ring},   {"make", run_make},           {"fault", run_fault},
    };
    struct words words = {0};
    int result = split(&words, line);
    size_t i;

    if (result < 0)
        return result;
    for (i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, words.words[0]) == 0)
            return commands[i].run(exchange, &words);
    return err_set(ERR_INVALID, "\"%.20s\" is no command", words.words[0]);
}
