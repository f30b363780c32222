/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks of a key, as JSON and as a column. */
#include "spool/key_rule.h"

#include "server/base/log.h"
#include "server/base/str.h"

#include <stdlib.h>
#include <string.h>

bool key_rule_allows(const struct key_rule *rule, const struct address *address)
{
    bool allows = rule->allow_count == 0;
    for (int i = 0; i < rule->allow_count && !allows; i++)
        allows = cidr_has(&rule->allow[i], address);
    return allows;
}

json_t *key_rule_networks(const struct key_rule *rule)
{
    json_t *list = json_array();
    char text[CIDR_TEXT_SIZE];
    for (int i = 0; i < rule->allow_count; i++)
        json_array_append_new(list, json_string(cidr_format(text, &rule->allow[i])));
    return list;
}

char *key_rule_text(const struct key_rule *rule)
{
    char *all = xcalloc((size_t)rule->allow_count + 1, CIDR_TEXT_SIZE + 1);
    char text[CIDR_TEXT_SIZE];
    size_t length = 0;
    for (int i = 0; i < rule->allow_count; i++) {
        cidr_format(text, &rule->allow[i]);
        if (i > 0)
            all[length++] = ' ';
        memcpy(all + length, text, strlen(text));
        length += strlen(text);
    }
    return all;
}

void key_rule_from_text(struct key_rule *rule, const char *text)
{
    rule->allow_count = 0;
    while (*text && rule->allow_count < KEY_ALLOW_MAX) {
        char one[CIDR_TEXT_SIZE] = "";
        size_t length = strcspn(text, " ");
        if (length < sizeof(one))
            memcpy(one, text, length);
        if (cidr_parse(&rule->allow[rule->allow_count], one))
            rule->allow[rule->allow_count] = (struct cidr){0}; /* of no family: has no address */
        rule->allow_count++;
        text += length + strspn(text + length, " ");
    }
}
