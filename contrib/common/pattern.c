/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Patterns become regular expressions of POSIX, so that nobody has to write one. */
#include "config.h"

#include "contrib/common/pattern.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "server/base/log.h"

#define TEXT_MAX   200
#define GROUPS_MAX 3

#define NUMBER "(\\+?\\(?[0-9*#][0-9*# ().-]*)"
#define NAME   "(.+)"
#define ANY    ".*"

struct building {
    char text[TEXT_MAX * sizeof NUMBER];
    size_t length;
    int groups;
};

static void put(struct building *building, const char *text)
{
    size_t length = strlen(text);
    memcpy(building->text + building->length, text, length + 1);
    building->length += length;
}

static void put_literal(struct building *building, char c)
{
    const char escaped[] = {'\\', c, '\0'};
    put(building, strchr("\\^$.[]|()*+?{}", c) != NULL ? escaped : escaped + 1);
}

/* One word in braces at `text`; how long it is, or an error. */
static int put_word(struct pattern *pattern, struct building *building, const char *text)
{
    size_t length = strcspn(text, "}") + 1;
    bool is_number = strncmp(text, "{number}", length) == 0, is_name = strncmp(text, "{name}", length) == 0;
    if (text[length - 1] == '\0' || (!is_number && !is_name && strncmp(text, "{any}", length) != 0))
        return err_set(ERR_INVALID, "{number}, {name} and {any} are known, not \"%s\"", text);
    int *group = is_number ? &pattern->number : &pattern->name;
    if ((is_number || is_name) && *group != 0)
        return err_set(ERR_INVALID, "%s stands there twice", is_number ? "{number}" : "{name}");
    if (is_number || is_name)
        *group = ++building->groups;
    put(building, is_number ? NUMBER : is_name ? NAME : ANY);
    return (int)length;
}

int pattern_compile(struct pattern *pattern, const char *text)
{
    struct building building = {.length = 0};
    *pattern = (struct pattern){.number = 0};
    if (strlen(text) > TEXT_MAX)
        return err_set(ERR_INVALID, "a pattern has at most %d octets", TEXT_MAX);
    put(&building, "^");
    while (*text != '\0') {
        int used = 1;
        if (*text == '{')
            used = put_word(pattern, &building, text);
        else
            put_literal(&building, *text);
        if (used < 0)
            return used;
        text += used;
    }
    put(&building, "$");
    if (pattern->number == 0)
        return err_set(ERR_INVALID, "{number} is missing");
    if (regcomp(&pattern->regex, building.text, REG_EXTENDED) != 0)
        return err_set(ERR_INVALID, "the pattern cannot be used");
    return 0;
}

void pattern_clear(struct pattern *pattern)
{
    regfree(&pattern->regex);
}

static char *group_of(const char *text, const regmatch_t *match)
{
    return xasprintf("%.*s", (int)(match->rm_eo - match->rm_so), text + match->rm_so);
}

bool pattern_match(char **number, char **name, const struct pattern *pattern, const char *file)
{
    regmatch_t groups[GROUPS_MAX];
    const char *dot = strrchr(file, '.');
    char *stem = dot != NULL && dot != file ? xasprintf("%.*s", (int)(dot - file), file) : xstrdup(file);
    bool matches = regexec(&pattern->regex, stem, GROUPS_MAX, groups, 0) == 0;
    *number = matches ? group_of(stem, &groups[pattern->number]) : NULL;
    *name = matches && pattern->name != 0 ? group_of(stem, &groups[pattern->name]) : NULL;
    free(stem);
    return matches;
}
