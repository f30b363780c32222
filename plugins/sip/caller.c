/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads addresses of SIP headers (RFC 3261 section 25.1, tel: of RFC 3966) and finds who calls. First step of a call
 * that comes in, before it is answered.
 */
#include "config.h"

#include "plugins/sip/caller.h"

#include "server/base/str.h"
#include "server/base/utf8.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* A part of a stranger's text, without an end. */
struct span {
    const char *at;
    size_t length;
};

/* One element of a header: "Name" <sip:user@host>;parameters */
struct address {
    struct span name; /* still quoted when it was */
    struct span uri;
    struct span parameters;
};

/* ---- spans ---- */

static struct span span_of(const char *from, const char *end)
{
    return (struct span){from, (size_t)(end - from)};
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span trim(struct span span)
{
    while (span.length > 0 && is_space(span.at[0])) {
        span.at++;
        span.length--;
    }
    while (span.length > 0 && is_space(span.at[span.length - 1]))
        span.length--;
    return span;
}

static bool starts_with(struct span span, const char *word)
{
    size_t length = strlen(word);

    return span.length >= length && !strncasecmp(span.at, word, length);
}

static bool equals(struct span span, const char *word)
{
    return span.length == strlen(word) && starts_with(span, word);
}

/* The span up to the first character of `stops`. */
static struct span before(struct span span, const char *stops)
{
    size_t length = 0;

    while (length < span.length && !strchr(stops, span.at[length]))
        length++;
    return (struct span){span.at, length};
}

static struct span after(struct span span, size_t length)
{
    return (struct span){span.at + length, span.length - length};
}

/* Cut to what is looked at. */
static struct span text_span(const char *text)
{
    return (struct span){text ? text : "", text ? strnlen(text, CALLER_TEXT_MAX) : 0};
}

/* How long the part is that ends before the first of `stops` outside quotes. */
static size_t unquoted(struct span span, const char *stops)
{
    bool quoted = false;
    size_t i;

    for (i = 0; i < span.length; i++) {
        if (quoted && span.at[i] == '\\')
            i++;
        else if (span.at[i] == '"')
            quoted = !quoted;
        else if (!quoted && strchr(stops, span.at[i]))
            return i;
    }
    return span.length;
}

/* ---- addresses ---- */

static bool is_uri(struct span text)
{
    return starts_with(text, "sip:") || starts_with(text, "sips:") || starts_with(text, "tel:");
}

/* A URI without brackets. Before the @ a comma and a semicolon may be of the user part (request URIs have no brackets);
 * after it, and in tel:, they end it. */
static size_t bare_length(struct span text)
{
    struct span word = before(text, " \t\r\n");
    const char *at = starts_with(text, "tel:") ? NULL : memchr(word.at, '@', word.length);
    size_t host = at ? (size_t)(at - word.at) : 0;

    return host + before(after(word, host), starts_with(text, "tel:") ? "," : ",;").length;
}

/* Take the next element off `rest`. False when none is left or it cannot be read; then nothing behind it is read. */
static bool address_next(struct address *address, struct span *rest)
{
    struct span text = trim(*rest);
    size_t length;

    *address = (struct address){.name = {"", 0}, .uri = {"", 0}, .parameters = {"", 0}};
    if (text.length == 0)
        return false;
    if (is_uri(text)) {
        length = bare_length(text);
        address->uri = (struct span){text.at, length};
    } else {
        length = unquoted(text, "<");
        if (length == text.length)
            return false;
        address->name = trim((struct span){text.at, length});
        address->uri = before(after(text, length + 1), ">");
        length += 1 + address->uri.length;
        if (length == text.length)
            return false;
        length++;
        address->uri = trim(address->uri);
    }
    text = after(text, length);
    length = unquoted(text, ",");
    address->parameters = (struct span){text.at, length};
    *rest = after(text, length < text.length ? length + 1 : length);
    return true;
}

/* The value of a parameter, "" when it is not there. */
static struct span parameter(struct span parameters, const char *name)
{
    while (parameters.length > 0) {
        struct span one = (struct span){parameters.at, unquoted(parameters, ";")};
        struct span key = trim(before(one, "="));

        if (equals(key, name)) {
            struct span value = trim(after(one, before(one, "=").length));
            if (value.length > 0)
                value = trim(after(value, 1));
            if (value.length >= 2 && value.at[0] == '"')
                value = (struct span){value.at + 1, value.length - 2};
            return value;
        }
        parameters = after(parameters, one.length < parameters.length ? one.length + 1 : one.length);
    }
    return (struct span){"", 0};
}

static struct span without_scheme(struct span uri)
{
    return after(uri, before(uri, ":").length + 1);
}

/* The user part, without password and parameters; of tel: the number. */
static struct span user_of(struct span uri)
{
    const char *at;

    if (!is_uri(uri))
        return (struct span){"", 0};
    if (starts_with(uri, "tel:"))
        return before(without_scheme(uri), ";?");
    uri = without_scheme(uri);
    at = memchr(uri.at, '@', uri.length);
    return at ? before(span_of(uri.at, at), ";:") : (struct span){"", 0};
}

static struct span host_of(struct span uri)
{
    const char *at = memchr(uri.at, '@', uri.length);

    return at ? before(span_of(at + 1, uri.at + uri.length), ":;?") : (struct span){"", 0};
}

/* ---- clean texts ---- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One octet, of %XX or as it stands; how many it took, 0 for an escape that is none. */
static size_t octet_decode(char *octet, struct span from)
{
    *octet = from.at[0];
    if (from.at[0] != '%')
        return 1;
    if (from.length < 3 || hex_value(from.at[1]) < 0 || hex_value(from.at[2]) < 0)
        return 0;
    *octet = (char)(hex_value(from.at[1]) * 16 + hex_value(from.at[2]));
    return 3;
}

/* False when it does not fit, since part of a number would be somebody else's, or has a bad escape. */
static bool decode(char *to, size_t size, struct span from)
{
    size_t used = 0;

    while (from.length > 0) {
        char octet;
        size_t length = octet_decode(&octet, from);

        if (length == 0 || used + 1 >= size)
            return false;
        to[used++] = octet;
        from = after(from, length);
    }
    to[used] = '\0';
    return memchr(to, '\0', used) == NULL;
}

/* Valid UTF-8 without the control characters C0, DEL and C1. */
static bool is_clean(const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        uint32_t point;
        size_t length = utf8_next(&point, text, left);

        if (length == 0 || point < 0x20 || (point >= 0x7f && point < 0xa0))
            return false;
        text += length;
        left -= length;
    }
    return true;
}

/* A number loses its visual separators (RFC 3966 section 5.1.1, and spaces); anything else stays as it is. */
static void number_tidy(char *number)
{
    char *to = number + (number[0] == '+');
    size_t length = strlen(to), digits = 0;

    for (size_t i = 0; i < length; i++) {
        if (to[i] >= '0' && to[i] <= '9')
            digits++;
        else if (!strchr("-.() ", to[i]))
            return;
    }
    if (digits == 0)
        return;
    for (const char *from = to; *from; from++) {
        if (*from >= '0' && *from <= '9')
            *to++ = *from;
    }
    *to = '\0';
}

/* Texts in place of a number that mean that there is none to see. */
static bool is_withheld(struct span uri)
{
    struct span user = user_of(uri);

    return equals(user, "anonymous") || equals(user, "restricted") || equals(user, "private") ||
           equals(host_of(uri), "anonymous.invalid");
}

static bool is_unknown(struct span user)
{
    return equals(user, "unknown") || equals(user, "unavailable");
}

/* The number of a URI, "" when there is none to use. */
static void number_of(char number[CALLER_NUMBER_SIZE], struct span uri)
{
    if (is_withheld(uri) || is_unknown(user_of(uri)) || !decode(number, CALLER_NUMBER_SIZE, user_of(uri)) ||
        !is_clean(number)) {
        number[0] = '\0';
        return;
    }
    number_tidy(number);
}

static void name_of(char name[CALLER_NAME_SIZE], struct span from)
{
    char text[CALLER_TEXT_MAX + 1];
    bool quoted = from.length > 0 && from.at[0] == '"';
    size_t used = 0;

    name[0] = '\0';
    for (size_t i = quoted ? 1 : 0; i < from.length && !(quoted && from.at[i] == '"'); i++) {
        if (quoted && from.at[i] == '\\' && i + 1 < from.length)
            i++;
        text[used++] = from.at[i];
    }
    struct span trimmed = trim((struct span){text, used});
    char *start = text + (trimmed.at - text);
    start[trimmed.length] = '\0';
    if (is_clean(start))
        str_copy(name, CALLER_NAME_SIZE, start);
}

void caller_number(char number[CALLER_NUMBER_SIZE], const char *text)
{
    struct span rest = text_span(text);
    struct address address;

    number[0] = '\0';
    if (address_next(&address, &rest))
        number_of(number, address.uri);
}

void caller_name(char name[CALLER_NAME_SIZE], const char *text)
{
    struct span rest = text_span(text);
    struct address address;

    name[0] = '\0';
    if (address_next(&address, &rest))
        name_of(name, address.name);
}

/* ---- who calls ---- */

static bool privacy_wanted(const char *privacy)
{
    struct span rest = text_span(privacy);

    while (rest.length > 0) {
        struct span one = before(rest, ";,");
        struct span word = trim(one);

        if (equals(word, "id") || equals(word, "user") || equals(word, "full"))
            return true;
        rest = after(rest, one.length < rest.length ? one.length + 1 : one.length);
    }
    return false;
}

static void withhold(struct caller *caller)
{
    caller->withheld = true;
    caller->number[0] = caller->name[0] = '\0';
}

/* P-Asserted-Identity has at most two addresses, a sip: and a tel: one. */
static void asserted_take(struct caller *caller, const char *text)
{
    struct span rest = text_span(text);
    struct address address;

    while (!caller->number[0] && address_next(&address, &rest)) {
        number_of(caller->number, address.uri);
        if (caller->number[0])
            name_of(caller->name, address.name);
    }
}

/* "full", "uri" or "name", with what may follow: "full-network". */
static bool privacy_is(struct span privacy, const char *word)
{
    return equals(before(privacy, "-"), word);
}

static bool is_calling_party(const struct address *address)
{
    struct span party = parameter(address->parameters, "party");

    return party.length == 0 || equals(party, "calling");
}

static void remote_party_take(struct caller *caller, const char *text)
{
    struct span rest = text_span(text);
    struct address address;

    while (!caller->number[0] && address_next(&address, &rest)) {
        struct span privacy = parameter(address.parameters, "privacy");

        if (!is_calling_party(&address))
            continue;
        if (privacy_is(privacy, "full") || privacy_is(privacy, "uri")) {
            withhold(caller);
            return;
        }
        number_of(caller->number, address.uri);
        if (caller->number[0] && !privacy_is(privacy, "name"))
            name_of(caller->name, address.name);
    }
}

/* The name stands in From alone with many carriers, also where the number was had from elsewhere. */
static void from_take(struct caller *caller, const char *text)
{
    struct span rest = text_span(text);
    struct address address;

    if (!address_next(&address, &rest))
        return;
    if (is_withheld(address.uri)) {
        caller->withheld = !caller->number[0];
        return;
    }
    if (!caller->number[0])
        number_of(caller->number, address.uri);
    if (!caller->name[0])
        name_of(caller->name, address.name);
}

/* The first stands for the last that passed the call on (RFC 5806 section 5). */
static void diversion_take(struct caller *caller, const char *text)
{
    struct span rest = text_span(text);
    struct address address;

    if (address_next(&address, &rest) && !privacy_is(parameter(address.parameters, "privacy"), "full") &&
        !privacy_is(parameter(address.parameters, "privacy"), "uri"))
        number_of(caller->diverted_by, address.uri);
}

/* Targets in order, the last is the one now called: who passed the call on is the last number that differs. */
static void history_take(struct caller *caller, const char *text)
{
    struct span rest = text_span(text);
    struct address address;
    char last[CALLER_NUMBER_SIZE] = "", now[CALLER_NUMBER_SIZE];

    while (address_next(&address, &rest)) {
        number_of(now, address.uri);
        if (now[0] && strcmp(now, last) != 0) {
            memcpy(caller->diverted_by, last, sizeof(last));
            memcpy(last, now, sizeof(now));
        }
    }
}

void caller_identify(struct caller *caller, const struct caller_headers *headers)
{
    memset(caller, 0, sizeof(*caller));
    diversion_take(caller, headers->diversion);
    if (!caller->diverted_by[0])
        history_take(caller, headers->history_info);
    if (privacy_wanted(headers->privacy)) {
        withhold(caller);
        return;
    }
    asserted_take(caller, headers->asserted_identity);
    if (!caller->number[0])
        remote_party_take(caller, headers->remote_party_id);
    if (!caller->withheld)
        from_take(caller, headers->from);
    if (caller->withheld)
        withhold(caller);
}
