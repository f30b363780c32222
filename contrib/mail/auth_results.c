/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The grammar of RFC 8601 2.2, in three steps: comments and needless white space away, then the parts between
 * semicolons, then their words.
 *
 * Only the domain that stands in From itself counts for SPF and DKIM. Whether another domain belongs to the same owner
 * is for DMARC to say, which knows what the owner wishes. */
#include "config.h"

#include "contrib/mail/auth_results.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "contrib/mail/settings.h"
#include "server/base/str.h"

/* Past a comment that begins at `text`, comments within it too; NULL: it does not end. */
static const char *skip_comment(const char *text)
{
    int depth = 0;
    do {
        if (*text == '\\' && text[1] != '\0')
            text++;
        else if (*text == '(')
            depth++;
        else if (*text == ')')
            depth--;
        else if (*text == '\0')
            return NULL;
        text++;
    } while (depth > 0);
    return text;
}

static bool ends_with(const char *clean, const char *to, const char *set)
{
    return to > clean && strchr(set, to[-1]) != NULL;
}

/* A copy without comments, one space for white space, none beside = and ; and /. Quoted texts lose their quotes; what
 * would have a meaning outside of them becomes '?'. False: a quote or comment does not end; the copy is of what stands
 * before it. */
static bool clean_up(char *clean, const char *text)
{
    char *to = clean;
    bool space = false;
    while (text != NULL && *text != '\0') {
        if (*text == '(') {
            text = skip_comment(text);
            if (text == NULL)
                break;
            space = true;
            continue;
        }
        if (isspace((unsigned char)*text)) {
            space = true;
            text++;
            continue;
        }
        if (space && to > clean && !ends_with(clean, to, "=;/") && strchr("=;/", *text) == NULL)
            *to++ = ' ';
        space = false;
        if (*text != '"') {
            *to++ = *text++;
            continue;
        }
        for (text++; *text != '"'; text++) {
            if (*text == '\\' && text[1] != '\0')
                text++;
            if (*text == '\0')
                break;
            *to++ = strchr("=;/ \t\r\n", *text) != NULL ? '?' : *text;
        }
        if (*text == '\0')
            text = NULL;
        else
            text++;
    }
    *to = '\0';
    return text != NULL;
}

/* "user@example.com", "@example.com" and "example.com" are of that domain. */
static const char *domain_of(const char *value)
{
    const char *at = strrchr(value, '@');
    return at != NULL ? at + 1 : value;
}

static bool is_domain(const char *value, const char *domain)
{
    return domain[0] != '\0' && strcasecmp(domain_of(value), domain) == 0;
}

static void note(struct auth_results *results, const char *method, const char *result)
{
    size_t used = strlen(results->seen);
    snprintf(results->seen + used, sizeof results->seen - used, "%s%.20s=%.20s", used > 0 ? " " : "", method, result);
}

struct result {
    bool passed, own_domain, own_sender, own_header;
    const char *user, *envelope;
};

static void take_property(struct result *result, char *word, const char *domain)
{
    char *value = strchr(word, '=');
    if (value == NULL)
        return;
    *value++ = '\0';
    if (strcasecmp(word, "header.from") == 0)
        result->own_header = is_domain(value, domain);
    else if (strcasecmp(word, "smtp.mailfrom") == 0)
        result->own_sender = is_domain(value, domain), result->envelope = domain_of(value);
    else if (strcasecmp(word, "header.d") == 0 || strcasecmp(word, "header.i") == 0)
        result->own_domain = result->own_domain || is_domain(value, domain);
    else if (strcasecmp(word, "smtp.auth") == 0)
        result->user = value;
}

static void take_spf(struct auth_results *results, const struct result *result)
{
    results->spf = results->spf || result->own_sender;
    if (result->envelope != NULL && strlen(result->envelope) < sizeof results->envelope)
        str_copy(results->envelope, sizeof results->envelope, result->envelope);
}

/* One method with its result and properties. */
static void take_method(struct auth_results *results, char *text, const char *domain)
{
    char *rest = text, *method = strsep(&rest, " ");
    char *value = strchr(method, '='), *version = strchr(method, '/');
    struct result result = {.user = NULL};
    if (value == NULL)
        return; /* "none": nothing was looked at */
    *value++ = '\0';
    if (version != NULL && version < value)
        *version = '\0';
    for (char *word = strsep(&rest, " "); word != NULL; word = strsep(&rest, " "))
        take_property(&result, word, domain);
    note(results, method, value);
    if (strcasecmp(value, "pass") != 0)
        return;
    if (strcasecmp(method, "dmarc") == 0)
        results->dmarc = results->dmarc || result.own_header;
    else if (strcasecmp(method, "spf") == 0)
        take_spf(results, &result);
    else if (strcasecmp(method, "dkim") == 0)
        results->dkim = results->dkim || result.own_domain;
    else if (strcasecmp(method, "auth") == 0 && result.user != NULL)
        str_copy(results->user, sizeof results->user, result.user);
}

bool auth_results_add(struct auth_results *results, const char *value, const struct words *ids, const char *domain)
{
    char start[AUTH_RESULTS_MAX + 1], clean[AUTH_RESULTS_MAX + 1];
    size_t length = strlen(value);
    snprintf(start, sizeof start, "%s", value);
    bool ends = clean_up(clean, start), whole = ends && length <= AUTH_RESULTS_MAX && str_is_utf8(value, length);
    char *rest = clean, *id = strsep(&rest, ";");
    if (!whole && rest == NULL)
        return true;             /* it breaks off within the name: it may be one of them */
    id[strcspn(id, " ")] = '\0'; /* a version may follow */
    if (!words_have(ids, id))
        return false;
    for (char *method = strsep(&rest, ";"); method != NULL && whole; method = strsep(&rest, ";"))
        take_method(results, method, domain);
    return true;
}
