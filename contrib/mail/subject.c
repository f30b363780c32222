/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The subject, and what it wishes. */
#include "config.h"

#include "contrib/mail/subject.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/str.h"
#include "server/base/time_zone.h"

#define DAY_MS INT64_C(86400000)

static const struct {
    const char *word, *priority, *resolution;
} plain[] = {
    {"hi", "high", NULL},           {"high", "high", NULL},
    {"urgent", "urgent", NULL},     {"normal", "normal", NULL},
    {"low", "bulk", NULL},          {"lo", "bulk", NULL},
    {"bulk", "bulk", NULL},         {"fine", NULL, "fine"},
    {"standard", NULL, "standard"}, {"superfine", NULL, "superfine"},
};

/* "18:00": the next time after `at_ms` that clocks of `zone` show it. */
static int next_time(int64_t *when, const char *text, int64_t at_ms, const char *zone)
{
    int hour, minute, used = 0;
    if (sscanf(text, "%2d:%2d%n", &hour, &minute, &used) != 2 || text[used] != '\0' || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59)
        return ERR_INVALID;
    struct time_zone *clocks = time_zone_open(zone);
    if (clocks == NULL)
        return ERR_INVALID;
    int64_t offset_ms = time_zone_offset(clocks, at_ms) * INT64_C(1000);
    int64_t local = at_ms + offset_ms, day = local - local % DAY_MS;
    int64_t wanted = day + (hour * INT64_C(60) + minute) * 60000;
    if (wanted <= local)
        wanted += DAY_MS;
    /* The clocks may be put forward or back before then. */
    *when = wanted - time_zone_offset(clocks, wanted - offset_ms) * INT64_C(1000);
    time_zone_close(clocks);
    return 0;
}

static int take_time(struct subject *subject, const char *value, int64_t at_ms, const char *zone)
{
    if (next_time(&subject->not_before, value, at_ms, zone) == 0 || clock_parse(&subject->not_before, value) == 0)
        return 0;
    return err_set(ERR_INVALID, "[at=%.60s] is no time like 18:00 or 2026-11-21T18:00:00Z", value);
}

static int take_word(char *to, const char *option, const char *value)
{
    size_t length = strlen(value);
    if (length == 0 || length > SUBJECT_WORD || !str_is_utf8(value, length))
        return err_set(ERR_INVALID, "[%s=...] wants 1 to %d characters", option, SUBJECT_WORD);
    str_copy(to, SUBJECT_WORD + 1, value);
    return 0;
}

/* What stands in a pair of brackets. 1: it is no option. */
static int take_option(struct subject *subject, char *text, int64_t at_ms, const char *zone)
{
    char *value = strchr(text, '=');
    for (size_t i = 0; value == NULL && i < sizeof plain / sizeof *plain; i++) {
        if (strcasecmp(text, plain[i].word) != 0)
            continue;
        if (plain[i].priority != NULL)
            subject->priority = plain[i].priority;
        if (plain[i].resolution != NULL)
            subject->resolution = plain[i].resolution;
        return 0;
    }
    if (strcasecmp(text, "nocover") == 0 || strcasecmp(text, "cover") == 0) {
        subject->without_cover = tolower((unsigned char)text[0]) == 'n';
        subject->with_cover = !subject->without_cover;
        return 0;
    }
    if (value == NULL)
        return 1;
    *value++ = '\0';
    if (strcasecmp(text, "at") == 0)
        return take_time(subject, value, at_ms, zone);
    if (strcasecmp(text, "bill") == 0)
        return take_word(subject->bill, "bill", value);
    if (strcasecmp(text, "cover") == 0) {
        subject->with_cover = true;
        subject->without_cover = false;
        return take_word(subject->cover, "cover", value);
    }
    value[-1] = '=';
    return 1;
}

static void append(char *to, size_t size, const char *text, size_t length)
{
    size_t used = strlen(to);
    snprintf(to + used, size - used, "%.*s", (int)length, text);
}

/* One space where options stood, none at the ends. */
static void tidy(char *text)
{
    char *to = text;
    for (const char *c = text; *c != '\0'; c++) {
        bool space = isspace((unsigned char)*c) != 0;
        if (space && (to == text || to[-1] == ' '))
            continue;
        *to++ = space ? ' ' : *c;
    }
    while (to > text && to[-1] == ' ')
        to--;
    *to = '\0';
}

static void note_unknown(struct subject *subject, const char *text, size_t length)
{
    char short_text[SUBJECT_WORD + 1];
    if (length < 1 || length > SUBJECT_WORD)
        return;
    snprintf(short_text, sizeof short_text, "%.*s", (int)length, text);
    append(subject->unknown, sizeof subject->unknown, " [", subject->unknown[0] != '\0' ? 2 : 0);
    if (subject->unknown[0] == '\0')
        append(subject->unknown, sizeof subject->unknown, "[", 1);
    append(subject->unknown, sizeof subject->unknown, short_text, strlen(short_text));
    append(subject->unknown, sizeof subject->unknown, "]", 1);
}

int subject_parse(struct subject *subject, const char *text, int64_t at_ms, const char *zone)
{
    char whole[SUBJECT_MAX + 1];
    const char *rest = whole;
    *subject = (struct subject){.text = ""};
    str_copy(whole, sizeof whole, text);
    while (*rest != '\0') {
        size_t before = strcspn(rest, "[");
        const char *end = rest[before] == '[' ? strchr(rest + before, ']') : NULL;
        append(subject->text, sizeof subject->text, rest, before);
        if (end == NULL) {
            append(subject->text, sizeof subject->text, rest + before, strlen(rest + before));
            break;
        }
        const char *inside = rest + before + 1;
        size_t length = (size_t)(end - inside);
        char option[SUBJECT_MAX + 1];
        snprintf(option, sizeof option, "%.*s", (int)length, inside);
        int result = take_option(subject, option, at_ms, zone);
        if (result < 0)
            return result;
        if (result > 0) {
            note_unknown(subject, inside, length);
            append(subject->text, sizeof subject->text, rest + before, length + 2);
        }
        rest = end + 1;
    }
    tidy(subject->text);
    return 0;
}
