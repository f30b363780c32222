/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings of softmodem: tables of keys, defaults that depend on the pace, and the numbers with a character of their
 * own. Between FaxdProviderConfig and the exchange.
 */
#include "plugins/softmodem/setup.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNSET                (-1)
#define RING_TIMEOUT_MS      30000
#define RING_TIMEOUT_UNPACED 5000
#define DIAL_MS              2000
#define WHERE_SIZE           160

static const char *const carriers[] = {"exchange", NULL};
static const char *const rejects[] = {"decline", "ignore", NULL};
static const char *const behaviours[] = {"answer", "busy", "no_answer", "decline", NULL};
static const enum exchange_result behaviour_results[] = {EXCHANGE_CONNECTED, EXCHANGE_BUSY, EXCHANGE_NO_ANSWER,
                                                         EXCHANGE_DECLINED};

static const struct settings_key provider_keys[] = {
    {"carrier", SETTINGS_WORD, offsetof(struct setup, carrier), 0, 0, carriers},
    {"pace", SETTINGS_INT, offsetof(struct setup, pace), 0, 100, NULL},
    {"ring_timeout_ms", SETTINGS_INT, offsetof(struct setup, ring_timeout_ms), 10, 600000, NULL},
    {"dial_ms", SETTINGS_INT, offsetof(struct setup, dial_ms), 0, 60000, NULL},
    {"reject", SETTINGS_WORD, offsetof(struct setup, reject), 0, 0, rejects},
    {"numbers", SETTINGS_OBJECT, offsetof(struct setup, numbers), 0, 0, NULL},
};

static const struct settings_key line_keys[] = {
    {"station_id", SETTINGS_TEXT, offsetof(struct setup_line, station_id), 0, 20, NULL},
    {"noise_dbm0", SETTINGS_REAL, offsetof(struct setup_line, noise_dbm0), -90, 0, NULL},
    {"delay_ms", SETTINGS_INT, offsetof(struct setup_line, delay_ms), 0, 2000, NULL},
    {"drop_after_ms", SETTINGS_INT, offsetof(struct setup_line, drop_after_ms), 0, 3600000, NULL},
};

struct number_setup {
    struct setup_line line;
    int behaviour;
};

static const struct settings_key number_keys[] = {
    {"behaviour", SETTINGS_WORD, offsetof(struct number_setup, behaviour), 0, 0, behaviours},
    {"noise_dbm0", SETTINGS_REAL, offsetof(struct number_setup, line.noise_dbm0), -90, 0, NULL},
    {"delay_ms", SETTINGS_INT, offsetof(struct number_setup, line.delay_ms), 0, 2000, NULL},
    {"drop_after_ms", SETTINGS_INT, offsetof(struct number_setup, line.drop_after_ms), 0, 3600000, NULL},
};

#define KEYS(table) (table), (int)(sizeof(table) / sizeof((table)[0]))

static const char *line_number(const struct settings_line *line)
{
    return line->number[0] ? line->number : line->name;
}

static int line_read(struct setup_line *line, const struct settings *settings, int index)
{
    const struct settings_line *from = &settings->lines[index];
    char where[WHERE_SIZE];

    snprintf(where, sizeof(where), "provider %.60s: line %.60s", settings->name, from->name);
    line->station_id = strlen(line_number(from)) <= 20 ? line_number(from) : "";
    line->noise_dbm0 = NAN;
    return settings_read(line, from->settings, where, KEYS(line_keys));
}

/* Index of the line with that number, or -1. */
static int line_of_number(const struct settings *settings, const char *number)
{
    char plain[NUMBER_SIZE], other[NUMBER_SIZE];

    if (number_normalise(plain, number))
        return -1;
    for (int i = 0; i < settings->line_count; i++) {
        if (!number_normalise(other, line_number(&settings->lines[i])) && !strcmp(plain, other))
            return i;
    }
    return -1;
}

/* One entry of `numbers`: over what its line has, if it has one. */
static int number_read(struct number_setup *number, struct setup *setup, const struct settings *settings,
                       const char *name, const json_t *entry)
{
    int line = line_of_number(settings, name), err;
    char where[WHERE_SIZE], plain[NUMBER_SIZE];

    snprintf(where, sizeof(where), "provider %.60s: number %.60s", settings->name, name);
    number->behaviour = 0;
    if (line >= 0)
        number->line = setup->lines[line];
    if (!json_is_object(entry))
        return err_set(ERR_INVALID, "%s: is not a section", where);
    err = settings_read(number, entry, where, KEYS(number_keys));
    if (!err && number_normalise(plain, name))
        return err_set(ERR_INVALID, "%s: is no number", where);
    if (!err && line < 0 && number->behaviour == 0)
        return err_set(ERR_INVALID, "%s: has neither a line nor a behaviour", where);
    if (!err && line >= 0)
        setup->lines[line] = number->line;
    return err;
}

static void pace_defaults(struct setup *setup)
{
    if (setup->ring_timeout_ms == UNSET)
        setup->ring_timeout_ms = setup->pace ? RING_TIMEOUT_MS : RING_TIMEOUT_UNPACED;
    if (setup->dial_ms == UNSET)
        setup->dial_ms = setup->pace ? DIAL_MS : 0;
    if (setup->pace) {
        setup->ring_timeout_ms /= setup->pace;
        setup->dial_ms /= setup->pace;
    }
}

int setup_read(struct setup *setup, const struct settings *settings)
{
    char where[WHERE_SIZE];
    int err;

    memset(setup, 0, sizeof(*setup));
    setup->ring_timeout_ms = setup->dial_ms = UNSET;
    setup->lines = xcalloc((unsigned long)settings->line_count, sizeof(*setup->lines));
    snprintf(where, sizeof(where), "provider %.60s", settings->name);
    err = settings_read(setup, settings->values, where, KEYS(provider_keys));
    for (int i = 0; !err && i < settings->line_count; i++)
        err = line_read(&setup->lines[i], settings, i);
    if (err)
        setup_clear(setup);
    else
        pace_defaults(setup);
    return err;
}

void setup_clear(struct setup *setup)
{
    json_decref(setup->numbers);
    free(setup->lines);
    memset(setup, 0, sizeof(*setup));
}

static int exchange_fill(struct exchange *exchange, struct setup *setup, const struct settings *settings)
{
    const char *name;
    json_t *entry;
    int err = 0;

    for (int i = 0; !err && i < settings->line_count; i++)
        err = exchange_set_number(exchange, i, line_number(&settings->lines[i]));
    if (err || !setup->numbers)
        return err;
    json_object_foreach(setup->numbers, name, entry)
    {
        struct number_setup number = {0};

        err = number_read(&number, setup, settings, name, entry);
        if (!err && number.behaviour)
            err = exchange_set_behaviour(exchange, name, behaviour_results[number.behaviour]);
        if (err)
            return err;
    }
    return 0;
}

int setup_exchange(struct exchange **out, struct setup *setup, const struct settings *settings,
                   void (*ring)(void *context, int line), void *context)
{
    struct exchange_options options = {.dial_ms = setup->dial_ms,
                                       .ring_timeout_ms = setup->ring_timeout_ms,
                                       .decline = setup->reject == 0,
                                       .ring = ring,
                                       .context = context};
    struct exchange *exchange = exchange_new(settings->line_count, &options);
    int err = exchange_fill(exchange, setup, settings);

    if (err)
        exchange_free(exchange);
    else
        *out = exchange;
    return err;
}
