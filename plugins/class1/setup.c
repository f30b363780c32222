/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings of class1: one table of keys, read first from the provider's section and then from the line's, and what they
 * mean for a number that is dialled.
 */
#include "config.h"

#include "plugins/class1/setup.h"

#include "plugins/class1/answer.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/number.h"
#include "server/base/str.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WHERE_SIZE 160

static const char *const flows[] = {
    [TTY_FLOW_HARDWARE] = "hardware", [TTY_FLOW_SOFTWARE] = "software", [TTY_FLOW_NONE] = "none", NULL};
static const char *const dials[] = {"tone", "pulse", NULL};

#define AT(field) offsetof(struct setup_line, field)

static const struct settings_key keys[] = {
    {"lock_dir", SETTINGS_TEXT, AT(lock_dir), 0, 200, NULL},
    {"speed_bps", SETTINGS_INT, AT(speed_bps), 0, 921600, NULL},
    {"flow", SETTINGS_WORD, AT(flow), 0, 0, flows},
    {"make", SETTINGS_TEXT, AT(make_name), 0, 16, NULL},
    {"init", SETTINGS_TEXT, AT(init), 0, 400, NULL},
    {"dial", SETTINGS_WORD, AT(dial), 0, 0, dials},
    {"dial_prefix", SETTINGS_TEXT, AT(dial_prefix), 0, SETUP_PREFIX_MAX, NULL},
    {"dial_command", SETTINGS_TEXT, AT(dial_command), 0, 60, NULL},
    {"dial_timeout_s", SETTINGS_INT, AT(dial_timeout_s), 5, 250, NULL},
    {"plus", SETTINGS_TEXT, AT(plus), 0, 8, NULL},
    {"answer_command", SETTINGS_TEXT, AT(answer_command), 0, 60, NULL},
    {"rings", SETTINGS_INT, AT(rings), 1, 20, NULL},
    {"caller_id", SETTINGS_BOOL, AT(caller_id), 0, 0, NULL},
    {"distinctive", SETTINGS_OBJECT, AT(distinctive), 0, 0, NULL},
    {"did_pattern", SETTINGS_TEXT, AT(did_pattern), 0, 32, NULL},
    {"station_id", SETTINGS_TEXT, AT(station_id), 0, STR_STATION_ID_MAX, NULL},
    {"modems", SETTINGS_TEXT, AT(modems), 0, 32, NULL},
    {"max_rate_bps", SETTINGS_INT, AT(max_rate_bps), 2400, 14400, NULL},
    {"quirks", SETTINGS_TEXT, AT(quirks), 0, 64, NULL},
    {"realtime", SETTINGS_BOOL, AT(realtime), 0, 0, NULL},
    {"check_s", SETTINGS_INT, AT(check_s), 0, 3600, NULL},
    {"retry_min_s", SETTINGS_INT, AT(retry_min_s), 1, 3600, NULL},
    {"retry_max_s", SETTINGS_INT, AT(retry_max_s), 1, 86400, NULL},
    {"device", SETTINGS_TEXT, AT(device), 0, 200, NULL}, /* of a line only: the last row */
};

#define KEY_COUNT ((int)(sizeof keys / sizeof keys[0]))

static const struct setup_line defaults = {.device = "",
                                           .lock_dir = "/run/lock",
                                           .flow = TTY_FLOW_HARDWARE,
                                           .make_name = "",
                                           .init = "",
                                           .dial_prefix = "",
                                           .dial_command = "ATDT%s",
                                           .answer_command = "ATA",
                                           .plus = "",
                                           .dial_timeout_s = 60,
                                           .rings = 1,
                                           .caller_id = true,
                                           .did_pattern = "",
                                           .modems = "v27ter v29 v17",
                                           .max_rate_bps = 14400,
                                           .quirks = "",
                                           .realtime = true,
                                           .check_s = 60,
                                           .retry_min_s = 5,
                                           .retry_max_s = 300};

/* --- checks of what a table cannot say --- */

static bool is_command(const char *text)
{
    for (const char *at = text; *at != '\0'; at++)
        if (*at < ' ' || *at > '~')
            return false;
    return strncasecmp(text, "AT", 2) == 0;
}

/* Commands with blanks between. */
static int read_inits(struct setup_line *line, const char *where)
{
    const char *at = line->init;

    while (*(at += strspn(at, " ")) != '\0') {
        size_t length = strcspn(at, " ");
        char *to;

        if (line->init_count == SETUP_INITS_MAX || length >= SETUP_INIT_SIZE)
            return err_set(ERR_INVALID, "%s: init has more than %d commands, or one of more than %d characters", where,
                           SETUP_INITS_MAX, SETUP_INIT_SIZE - 1);
        to = line->inits[line->init_count++];
        memcpy(to, at, length);
        to[length] = '\0';
        if (!is_command(to))
            return err_set(ERR_INVALID, "%s: init: \"%s\" is no command: each begins with AT, blanks stand between",
                           where, to);
        at += length;
    }
    return 0;
}

/* Words of a list with blanks between, each of `known`. */
static int check_words(const char *text, const char *const *known, const char *where, const char *key)
{
    while (*(text += strspn(text, " ,")) != '\0') {
        size_t length = strcspn(text, " ,");
        int i = 0;

        while (known[i] != NULL && (strlen(known[i]) != length || strncasecmp(known[i], text, length) != 0))
            i++;
        if (known[i] == NULL)
            return err_set(ERR_INVALID, "%s: %s: \"%.*s\" is not known", where, key, (int)length, text);
        text += length;
    }
    return 0;
}

static int check_distinctive(const struct setup_line *line, const char *where)
{
    const char *name;
    json_t *number;

    if (line->distinctive == NULL)
        return 0;
    json_object_foreach(line->distinctive, name, number)
    {
        const char *text = json_string_value(number);

        if (name[0] == '\0' || strlen(name) >= ANSWER_TEXT_SIZE || text == NULL || strlen(text) >= ANSWER_TEXT_SIZE)
            return err_set(ERR_INVALID,
                           "%s: distinctive: \"%.60s\" has no number: {\"RING 2\":\"5551235\"} is the form", where,
                           name);
    }
    return 0;
}

static int check_dial(const struct setup_line *line, const char *where)
{
    const char *place = strstr(line->dial_command, "%s");

    if (strspn(line->dial_prefix, "0123456789*#,wW@!-") != strlen(line->dial_prefix))
        return err_set(ERR_INVALID, "%s: dial_prefix has other characters than digits and * # , W @ ! -", where);
    if (strspn(line->plus, "0123456789*#+") != strlen(line->plus))
        return err_set(ERR_INVALID, "%s: plus is what a + is dialled as, such as 00 or 011: digits only", where);
    if (!is_command(line->dial_command) || place == NULL || strchr(line->dial_command, '%') != place ||
        strchr(place + 1, '%') != NULL)
        return err_set(ERR_INVALID, "%s: dial_command is no command with one %%s for the number", where);
    if (!is_command(line->answer_command))
        return err_set(ERR_INVALID, "%s: answer_command does not begin with AT", where);
    return 0;
}

static int line_check(struct setup_line *line, const char *where)
{
    static const char *const modems[] = {"v27ter", "v29", "v17", NULL};
    static const char *const quirks[] = {"ok_before_connect", NULL};
    int err;

    line->pulse = line->dial == 1;
    if (line->device[0] != '/')
        return err_set(ERR_INVALID, "%s: device is missing: the path of the modem, such as /dev/ttyUSB0", where);
    if (line->lock_dir[0] != '\0' && line->lock_dir[0] != '/')
        return err_set(ERR_INVALID, "%s: lock_dir is no absolute path", where);
    if (line->retry_max_s < line->retry_min_s)
        return err_set(ERR_INVALID, "%s: retry_max_s is less than retry_min_s", where);
    if (line->make_name[0] != '\0' && (line->make = makes_named(line->make_name)) == NULL)
        return err_set(ERR_INVALID, "%s: make \"%s\" is not known: leave it out, or say generic", where,
                       line->make_name);
    if (strcasestr(line->modems, "v27ter") == NULL)
        return err_set(ERR_INVALID, "%s: modems lacks v27ter, which every fax machine has to have", where);
    if ((err = read_inits(line, where)) != 0 || (err = check_words(line->modems, modems, where, "modems")) != 0 ||
        (err = check_words(line->quirks, quirks, where, "quirks")) != 0 || (err = check_dial(line, where)) != 0)
        return err;
    return check_distinctive(line, where);
}

static int line_read(struct setup *setup, const struct settings *settings, int index)
{
    const struct settings_line *from = &settings->lines[index];
    struct setup_line *line = &setup->lines[index];
    const char *number = from->number[0] != '\0' ? from->number : from->name;
    char where[WHERE_SIZE];
    int err;

    *line = defaults;
    line->name = from->name;
    line->number = number;
    line->station_id = strlen(number) <= STR_STATION_ID_MAX ? number : "";
    snprintf(where, sizeof where, "provider %.60s", settings->name);
    err = settings_read(line, settings->values, where, keys, KEY_COUNT - 1);
    snprintf(where, sizeof where, "provider %.60s: line %.60s", settings->name, from->name);
    if (err == 0)
        err = settings_read(line, from->settings, where, keys, KEY_COUNT);
    if (err == 0)
        err = line_check(line, where);
    for (int i = 0; err == 0 && i < index; i++)
        if (strcmp(setup->lines[i].device, line->device) == 0)
            err =
                err_set(ERR_INVALID, "%s: line %.60s has the device %s too", where, setup->lines[i].name, line->device);
    return err;
}

int setup_read(struct setup *setup, const struct settings *settings)
{
    int err = 0;

    memset(setup, 0, sizeof *setup);
    if (settings->line_count > SETUP_LINES_MAX)
        return err_set(ERR_INVALID, "provider %.60s: has %d lines, class1 takes %d: make several providers",
                       settings->name, settings->line_count, SETUP_LINES_MAX);
    setup->line_count = settings->line_count;
    setup->lines = xcalloc((unsigned long)settings->line_count, sizeof *setup->lines);
    for (int i = 0; err == 0 && i < settings->line_count; i++)
        err = line_read(setup, settings, i);
    if (err != 0)
        setup_clear(setup);
    return err;
}

void setup_clear(struct setup *setup)
{
    for (int i = 0; i < setup->line_count; i++)
        json_decref(setup->lines[i].distinctive);
    free(setup->lines);
    memset(setup, 0, sizeof *setup);
}

/* --- a number --- */

/* The command with its T or P as the call wants it: only ATDT and ATDP have one to change. */
static void set_way(char *command, bool pulse)
{
    if (strncasecmp(command, "ATDT", 4) == 0 || strncasecmp(command, "ATDP", 4) == 0)
        command[3] = pulse ? 'P' : 'T';
}

int setup_dial_command(char command[SETUP_DIAL_SIZE], const struct setup_line *line, const char *number)
{
    const char *place = strstr(line->dial_command, "%s");
    char plain[NUMBER_SIZE];
    bool pulse = line->pulse;
    int err;

    if (number[0] != '\0' && strchr("TtPp", number[0]) != NULL) {
        pulse = number[0] == 'P' || number[0] == 'p';
        number++;
    }
    err = number_normalise(plain, number);
    if (err != 0)
        return err;
    snprintf(command, SETUP_DIAL_SIZE, "%.*s%s%s%s%s", (int)(place - line->dial_command), line->dial_command,
             line->dial_prefix, plain[0] == '+' ? line->plus : "", plain[0] == '+' ? plain + 1 : plain, place + 2);
    set_way(command, pulse);
    return 0;
}

int setup_rings(const struct setup_line *line)
{
    return line->caller_id && line->rings < 2 ? 2 : line->rings;
}

bool setup_allows(const struct setup_line *line, int modulation)
{
    const char *name = modulation == 24 || modulation == 48   ? "v27ter"
                       : modulation == 72 || modulation == 96 ? "v29"
                                                              : "v17";

    return answer_rate_bps(modulation) > 0 && strcasestr(line->modems, name) != NULL;
}
