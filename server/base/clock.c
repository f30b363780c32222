/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Both clocks and the RFC 3339 text of the wall clock.
 *
 * The calendar is computed here and not by gmtime_r() and timegm(): those take the C library's time zone lock and may
 * open a time zone file, which a process inside the sandbox must not do.
 */
#include "config.h"

#include "server/base/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "server/base/err.h"

#define DAY_S INT64_C(86400)

static atomic_int_least64_t shift;

static int64_t read_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now); /* cannot fail for these two ids */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + atomic_load_explicit(&shift, memory_order_relaxed);
}

int64_t clock_now_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t clock_mono_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

void clock_shift(int64_t shift_ms)
{
    atomic_fetch_add(&shift, shift_ms);
}

struct date {
    int year, month, day; /* 1970.., 1..12, 1..31 */
};

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 1970-01-01 to the first of January of `year`. */
static int64_t year_start(int year)
{
    int before = year - 1;
    return (int64_t)(year - 1970) * 365 + (before / 4 - before / 100 + before / 400) -
           (1969 / 4 - 1969 / 100 + 1969 / 400);
}

static int64_t date_to_days(struct date date)
{
    int64_t days = year_start(date.year) + date.day - 1;
    for (int month = 1; month < date.month; month++)
        days += month_days(date.year, month);
    return days;
}

static struct date date_from_days(int64_t days)
{
    int year = 1970 + (int)(days / 366); /* never too late; at most a few steps early in the years we serve */
    while (year_start(year + 1) <= days)
        year++;
    int rest = (int)(days - year_start(year));
    int month = 1;
    for (; rest >= month_days(year, month); month++)
        rest -= month_days(year, month);
    return (struct date){year, month, rest + 1};
}

/* Write `value` as `count` digits and the octet `after`. Returns where the next piece goes. */
static char *put_digits(char *to, int64_t value, int count, char after)
{
    for (int i = count - 1; i >= 0; i--, value /= 10)
        to[i] = (char)('0' + value % 10);
    to[count] = after;
    return to + count + 1;
}

char *clock_format(char text[CLOCK_TEXT_SIZE], int64_t at_ms)
{
    if (at_ms < 0)
        at_ms = 0;
    if (at_ms > CLOCK_LAST_MS)
        at_ms = CLOCK_LAST_MS;
    struct date date = date_from_days(at_ms / 1000 / DAY_S);
    int64_t in_day = at_ms / 1000 % DAY_S;
    char *to = put_digits(text, date.year, 4, '-');
    to = put_digits(to, date.month, 2, '-');
    to = put_digits(to, date.day, 2, 'T');
    to = put_digits(to, in_day / 3600, 2, ':');
    to = put_digits(to, in_day / 60 % 60, 2, ':');
    to = put_digits(to, in_day % 60, 2, '.');
    to = put_digits(to, at_ms % 1000, 3, 'Z');
    *to = '\0';
    return text;
}

/* The readers below take their piece off the front of `*at` and return false when it is not there. */

static bool take_digits(int *value, const char **at, int count)
{
    *value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *value = *value * 10 + (**at - '0');
    }
    return true;
}

static bool take_char(const char **at, char wanted)
{
    if (**at != wanted)
        return false;
    (*at)++;
    return true;
}

/* ".5" or ".123456": milliseconds, finer digits dropped. No fraction is 0. */
static bool take_fraction(int *ms, const char **at)
{
    *ms = 0;
    if (!take_char(at, '.'))
        return true;
    int count = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++, count++) {
        if (count < 3)
            *ms = *ms * 10 + (**at - '0');
    }
    for (int i = count; i < 3; i++)
        *ms *= 10;
    return count > 0;
}

/* "Z" or "+01:30", in minutes east of Greenwich. */
static bool take_offset(int *minutes, const char **at)
{
    *minutes = 0;
    if (take_char(at, 'Z') || take_char(at, 'z'))
        return true;
    int sign = **at == '-' ? -1 : 1;
    int hour, minute;
    if (!take_char(at, '+') && !take_char(at, '-'))
        return false;
    if (!take_digits(&hour, at, 2) || !take_char(at, ':') || !take_digits(&minute, at, 2))
        return false;
    *minutes = sign * (hour * 60 + minute);
    return hour <= 23 && minute <= 59;
}

static bool take_date(struct date *date, const char **at)
{
    return take_digits(&date->year, at, 4) && take_char(at, '-') && take_digits(&date->month, at, 2) &&
           take_char(at, '-') && take_digits(&date->day, at, 2) && date->year >= 1970 && date->month >= 1 &&
           date->month <= 12 && date->day >= 1 && date->day <= month_days(date->year, date->month);
}

static bool take_time(int *seconds, const char **at)
{
    int hour, minute, second;
    if (!take_digits(&hour, at, 2) || !take_char(at, ':') || !take_digits(&minute, at, 2) || !take_char(at, ':') ||
        !take_digits(&second, at, 2))
        return false;
    *seconds = hour * 3600 + minute * 60 + second;
    return hour <= 23 && minute <= 59 && second <= 60; /* 60 is a leap second (RFC 3339 5.7) */
}

int clock_parse(int64_t *at_ms, const char *text)
{
    const char *at = text;
    struct date date;
    int seconds, ms, offset_min;
    if (!take_date(&date, &at) || !(take_char(&at, 'T') || take_char(&at, 't')) || !take_time(&seconds, &at) ||
        !take_fraction(&ms, &at) || !take_offset(&offset_min, &at) || *at != '\0')
        return err_set(ERR_INVALID, "\"%.40s\" is not a time; write it as 2026-11-21T01:02:03Z", text);
    int64_t result = (date_to_days(date) * DAY_S + seconds - (int64_t)offset_min * 60) * 1000 + ms;
    if (result < 0 || result > CLOCK_LAST_MS)
        return err_set(ERR_INVALID, "\"%.40s\" is outside the years 1970 to 9999", text);
    *at_ms = result;
    return 0;
}
