/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A parser of words and numbers, one after the other. mktime() puts right what lies past the end of a month. */
#include "config.h"

#include "contrib/hylafax/when.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "server/base/err.h"

#define YEAR_LAST 9999

struct parse {
    const char *text; /* all of it, for messages */
    const char *at;
    struct tm time;
    time_t now;
    bool has_clock, has_date, has_year, is_now;
};

static int bad(const struct parse *parse)
{
    return err_set(ERR_INVALID,
                   "\"%s\" is no time: see \"%s\"; known are \"now + 2 hours\", \"18:30\", \"6:30 pm tomorrow\", "
                   "\"09:00 Dec 24\"",
                   parse->text, parse->at);
}

static void skip_spaces(struct parse *parse)
{
    while (isspace((unsigned char)*parse->at) || *parse->at == ',')
        parse->at++;
}

/* A number of at most `most` digits; how many there were. */
static int take_number(int *value, struct parse *parse, int most)
{
    int digits = 0;
    *value = 0;
    while (digits < most && isdigit((unsigned char)parse->at[digits])) {
        *value = 10 * *value + parse->at[digits] - '0';
        digits++;
    }
    parse->at += digits;
    return digits;
}

/* True when the next word is `word` or begins it with three letters or more ("hr" has two). */
static bool take_word(struct parse *parse, const char *word)
{
    size_t length = 0, full = strlen(word);
    while (isalpha((unsigned char)parse->at[length]))
        length++;
    bool plural = length == full + 1 && tolower((unsigned char)parse->at[full]) == 's';
    if ((length < 3 && length != full) || (length > full && !plural) ||
        strncasecmp(parse->at, word, length < full ? length : full) != 0)
        return false;
    parse->at += length;
    skip_spaces(parse);
    return true;
}

/* Which of `words` stands there, -1 = none. */
static int take_one_of(struct parse *parse, const char *const *words, int count)
{
    for (int i = 0; i < count; i++) {
        if (take_word(parse, words[i]))
            return i;
    }
    return -1;
}

static void set_clock(struct parse *parse, int hour, int minute)
{
    parse->time.tm_hour = hour;
    parse->time.tm_min = minute;
    parse->time.tm_sec = 0;
    parse->has_clock = true;
}

/* am and pm behind a time. False = the hour is not one of such a clock. */
static bool take_half(struct parse *parse, int *hour)
{
    skip_spaces(parse);
    bool am = take_word(parse, "am"), pm = !am && take_word(parse, "pm");
    if ((am || pm) && (*hour < 1 || *hour > 12))
        return false;
    if (am && *hour == 12)
        *hour = 0;
    if (pm && *hour < 12)
        *hour += 12;
    return true;
}

/* HH, HH:MM, HHMM, with am or pm; or a date that begins with its year, which is left where it is. */
static int take_digits(struct parse *parse)
{
    const char *begin = parse->at;
    int hour, minute = 0, digits = take_number(&hour, parse, 4);
    if (digits == 4 && *parse->at == '-') {
        parse->at = begin;
        return 0;
    }
    if (digits == 3 || digits == 4) {
        minute = hour % 100;
        hour /= 100;
    } else if (*parse->at == ':') {
        parse->at++;
        if (take_number(&minute, parse, 2) != 2) {
            parse->at = begin;
            return bad(parse);
        }
    }
    if (isdigit((unsigned char)*parse->at) || !take_half(parse, &hour) || hour > 23 || minute > 59) {
        parse->at = begin;
        return bad(parse);
    }
    set_clock(parse, hour, minute);
    return 0;
}

static int take_clock(struct parse *parse)
{
    if (take_word(parse, "now"))
        parse->is_now = true;
    else if (take_word(parse, "noon"))
        set_clock(parse, 12, 0);
    else if (take_word(parse, "midnight"))
        set_clock(parse, 0, 0);
    else if (isdigit((unsigned char)*parse->at))
        return take_digits(parse);
    return 0;
}

static int take_iso_date(struct parse *parse)
{
    int year, month, day;
    const char *begin = parse->at;
    bool good = take_number(&year, parse, 4) == 4 && *parse->at++ == '-' && take_number(&month, parse, 2) == 2 &&
                *parse->at++ == '-' && take_number(&day, parse, 2) == 2 && month >= 1 && month <= 12 && day >= 1 &&
                day <= 31 && year >= 1970;
    if (!good) {
        parse->at = begin;
        return bad(parse);
    }
    parse->time.tm_year = year - 1900;
    parse->time.tm_mon = month - 1;
    parse->time.tm_mday = day;
    parse->has_date = parse->has_year = true;
    skip_spaces(parse);
    /* The time may stand behind such a date. */
    return !parse->has_clock && isdigit((unsigned char)*parse->at) ? take_digits(parse) : 0;
}

static int take_month_day(struct parse *parse, int month)
{
    int year;
    const char *begin = parse->at;
    parse->time.tm_mon = month;
    if (take_number(&parse->time.tm_mday, parse, 2) == 0 || parse->time.tm_mday < 1 || parse->time.tm_mday > 31) {
        parse->at = begin;
        return bad(parse);
    }
    parse->has_date = true;
    skip_spaces(parse);
    begin = parse->at;
    if (take_number(&year, parse, 4) == 4 && year >= 1970 && year <= YEAR_LAST) {
        parse->time.tm_year = year - 1900;
        parse->has_year = true;
    } else {
        parse->at = begin;
    }
    return 0;
}

static int take_date(struct parse *parse)
{
    static const char *const months[] = {"january", "february", "march",     "april",   "may",      "june",
                                         "july",    "august",   "september", "october", "november", "december"};
    static const char *const days[] = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
    skip_spaces(parse);
    if (isdigit((unsigned char)*parse->at))
        return take_iso_date(parse);
    if (take_word(parse, "today")) {
        parse->has_date = parse->has_year = true;
        return 0;
    }
    if (take_word(parse, "tomorrow")) {
        parse->time.tm_mday++;
        parse->has_date = parse->has_year = true;
        return 0;
    }
    int month = take_one_of(parse, months, 12);
    if (month >= 0)
        return take_month_day(parse, month);
    int day = take_one_of(parse, days, 7);
    if (day >= 0) {
        int ahead = (day - parse->time.tm_wday + 7) % 7;
        struct tm then = parse->time;
        then.tm_mday += ahead;
        then.tm_isdst = -1;
        if (mktime(&then) < parse->now)
            ahead += 7;
        parse->time.tm_mday += ahead;
        parse->has_date = parse->has_year = true;
    }
    return 0;
}

static int take_more(struct parse *parse)
{
    static const char *const units[] = {"minute", "hour", "day", "week", "month", "second", "min", "hr"};
    int count;
    skip_spaces(parse);
    bool next = take_word(parse, "next");
    if (!next && *parse->at != '+')
        return 0;
    if (next) {
        count = 1;
    } else {
        parse->at++;
        skip_spaces(parse);
        if (take_number(&count, parse, 6) == 0)
            return bad(parse);
        skip_spaces(parse);
    }
    switch (take_one_of(parse, units, 8)) {
    case 0:
    case 6:
        parse->time.tm_min += count;
        break;
    case 1:
    case 7:
        parse->time.tm_hour += count;
        break;
    case 2:
        parse->time.tm_mday += count;
        break;
    case 3:
        parse->time.tm_mday += 7 * count;
        break;
    case 4:
        parse->time.tm_mon += count;
        break;
    case 5:
        parse->time.tm_sec += count;
        break;
    default:
        return bad(parse);
    }
    return 0;
}

/* What was left open lies ahead. */
static void look_ahead(struct parse *parse)
{
    struct tm then = parse->time;
    then.tm_isdst = -1;
    if (mktime(&then) >= parse->now || parse->is_now || parse->has_year)
        return;
    if (parse->has_date)
        parse->time.tm_year++;
    else if (parse->has_clock)
        parse->time.tm_mday++;
}

int when_parse(int64_t *at_ms, const char *text, int64_t now_ms)
{
    struct parse parse = {.text = text, .at = text, .now = (time_t)(now_ms / 1000)};
    *at_ms = 0;
    if (localtime_r(&parse.now, &parse.time) == NULL)
        return err_set(ERR_INVALID, "the time now is not known");
    skip_spaces(&parse);
    int error = take_clock(&parse);
    if (error == 0)
        error = take_date(&parse);
    bool any = parse.is_now || parse.has_clock || parse.has_date;
    if (error == 0 && any)
        look_ahead(&parse);
    if (error == 0)
        error = take_more(&parse);
    skip_spaces(&parse);
    if (error == 0 && (*parse.at != '\0' || !(any || parse.at != parse.text)))
        error = bad(&parse);
    parse.time.tm_isdst = -1;
    time_t at = error == 0 ? mktime(&parse.time) : 0;
    if (error == 0 && at < 0)
        error = bad(&parse);
    *at_ms = (int64_t)at * 1000;
    return error;
}

int when_parse_span(int64_t *seconds, const char *text)
{
    static const struct {
        const char *word;
        int seconds;
    } units[] = {{"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86400},
                 {"s", 1},      {"m", 60},      {"h", 3600},    {"d", 86400}};
    struct parse parse = {.text = text, .at = text};
    int count, unit = 1;
    skip_spaces(&parse);
    if (take_number(&count, &parse, 7) == 0)
        return err_set(ERR_INVALID, "\"%s\" is no span of time: \"90\", \"15min\", \"2 hours\"", text);
    skip_spaces(&parse);
    for (size_t i = 0; *parse.at != '\0' && i < sizeof units / sizeof units[0]; i++) {
        if (take_word(&parse, units[i].word))
            unit = units[i].seconds;
    }
    *seconds = (int64_t)count * unit;
    return *parse.at == '\0' ? 0
                             : err_set(ERR_INVALID, "\"%s\" is no span of time: \"90\", \"15min\", \"2 hours\"", text);
}
