/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One walk over the octets. What mail programs write is not always HTML, so tags are taken as they come, without a
 * tree: some begin a line, some hide what follows, all others are as if they were not there. */
#include "config.h"

#include "contrib/mail/html.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/base/log.h"

#define NAME_MAX_OCTETS 12
#define HIDDEN          3

/* What these tags hold is not to be read. */
static const char *const hidden[HIDDEN] = {"script", "style", "head"};

struct text {
    char *octets;
    size_t size, most;
    int line_ends; /* that the text ends with */
    bool space;    /* white space before what comes next */
    bool exact;    /* within <pre> */
    bool cut;      /* there was more than `most` */
    /* Of these none ends any more: looking each time would take too long. */
    bool no_greater, no_comment_end, no_end[HIDDEN];
};

static void put(struct text *text, const char *octets, size_t size)
{
    if (text->size + size > text->most) {
        text->cut = true;
        return;
    }
    memcpy(text->octets + text->size, octets, size);
    text->size += size;
}

static void put_visible(struct text *text, const char *octets, size_t size)
{
    if (text->space && text->size > 0 && text->line_ends == 0)
        put(text, " ", 1);
    text->space = false;
    text->line_ends = 0;
    put(text, octets, size);
}

/* At least `count` line ends, none at the start. */
static void put_lines(struct text *text, int count)
{
    for (; text->size > 0 && text->line_ends < count; text->line_ends++)
        put(text, "\n", 1);
    text->space = false;
}

static size_t encode(char octets[4], uint32_t point)
{
    if (point < 0x80) {
        octets[0] = (char)point;
        return 1;
    }
    size_t size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--, point >>= 6)
        octets[i] = (char)(0x80 | (point & 0x3F));
    octets[0] = (char)((0xF00 >> size & 0xFF) | point);
    return size;
}

static const struct {
    const char *name;
    uint32_t point;
} entities[] = {
    {"amp", '&'},      {"lt", '<'},        {"gt", '>'},       {"quot", '"'},     {"apos", '\''},    {"nbsp", ' '},
    {"auml", 0xE4},    {"ouml", 0xF6},     {"uuml", 0xFC},    {"Auml", 0xC4},    {"Ouml", 0xD6},    {"Uuml", 0xDC},
    {"szlig", 0xDF},   {"eacute", 0xE9},   {"egrave", 0xE8},  {"ecirc", 0xEA},   {"agrave", 0xE0},  {"aacute", 0xE1},
    {"acirc", 0xE2},   {"ccedil", 0xE7},   {"ntilde", 0xF1},  {"oacute", 0xF3},  {"ocirc", 0xF4},   {"uacute", 0xFA},
    {"iacute", 0xED},  {"oslash", 0xF8},   {"aring", 0xE5},   {"euro", 0x20AC},  {"pound", 0xA3},   {"copy", 0xA9},
    {"reg", 0xAE},     {"deg", 0xB0},      {"middot", 0xB7},  {"laquo", 0xAB},   {"raquo", 0xBB},   {"ndash", 0x2013},
    {"mdash", 0x2014}, {"lsquo", 0x2018},  {"rsquo", 0x2019}, {"ldquo", 0x201C}, {"rdquo", 0x201D}, {"bdquo", 0x201E},
    {"bull", 0x2022},  {"hellip", 0x2026}, {"trade", 0x2122}, {"sect", 0xA7},    {"para", 0xB6},    {"times", 0xD7},
    {"shy", 0},        {"zwnj", 0},        {"zwj", 0},
};

static uint32_t numeric(const char *name, size_t length)
{
    int base = length > 1 && tolower((unsigned char)name[1]) == 'x' ? 16 : 10;
    char digits[10] = "", *end;
    size_t skip = base == 16 ? 2 : 1;
    if (length <= skip || length - skip >= sizeof digits)
        return UINT32_MAX;
    memcpy(digits, name + skip, length - skip);
    unsigned long point = strtoul(digits, &end, base);
    bool good = *end == '\0' && isxdigit((unsigned char)digits[0]) && point <= 0x10FFFF &&
                (point < 0xD800 || point > 0xDFFF) && (point >= ' ' || point == '\n' || point == '\t');
    return good ? (uint32_t)point : UINT32_MAX;
}

/* The entity after "&": how many octets it takes with its semicolon, 0 = it is none. */
static size_t entity(uint32_t *point, const char *text, size_t size)
{
    size_t length = 0;
    while (length < size && length < NAME_MAX_OCTETS && (isalnum((unsigned char)text[length]) || text[length] == '#'))
        length++;
    if (length == 0 || length >= size || text[length] != ';')
        return 0;
    *point = UINT32_MAX;
    if (text[0] == '#')
        *point = numeric(text, length);
    for (size_t i = 0; i < sizeof entities / sizeof *entities && text[0] != '#'; i++) {
        if (strlen(entities[i].name) == length && strncmp(entities[i].name, text, length) == 0)
            *point = entities[i].point;
    }
    return *point != UINT32_MAX ? length + 1 : 0;
}

static bool one_of(const char *name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strcasecmp(name, *names) == 0)
            return true;
    }
    return false;
}

static bool begins(const char *html, size_t at, size_t size, const char *word)
{
    size_t length = strlen(word);
    return length <= size - at && strncasecmp(html + at, word, length) == 0;
}

/* Past what a tag hides: to "</name", or to <body, before which many a head is left open. What does not end hides
 * nothing. */
static size_t skip_hidden(struct text *text, const char *html, size_t after, size_t size, int which)
{
    const char *name = hidden[which];
    for (size_t at = after; at < size && !text->no_end[which]; at++) {
        const char *less = memchr(html + at, '<', size - at);
        if (less == NULL)
            break;
        at = (size_t)(less - html);
        if (at + 2 < size && html[at + 1] == '/' && begins(html, at + 2, size, name))
            return at;
        if (strcmp(name, "head") == 0 && begins(html, at, size, "<body"))
            return at;
    }
    text->no_end[which] = true;
    return after;
}

static void take_tag(struct text *text, const char *name, bool closing)
{
    static const char *const paragraphs[] = {"p",  "h1", "h2",    "h3",         "h4",  "h5", "h6",
                                             "ul", "ol", "table", "blockquote", "pre", NULL};
    static const char *const lines[] = {"div",     "tr",     "li",     "dt",      "dd",     "title",
                                        "section", "header", "footer", "article", "center", NULL};
    if (strcasecmp(name, "br") == 0)
        put_lines(text, text->line_ends + 1);
    else if (strcasecmp(name, "hr") == 0)
        put_lines(text, 1), put_visible(text, "----------------", 16), put_lines(text, 1);
    else if (one_of(name, paragraphs))
        put_lines(text, 2);
    else if (one_of(name, lines))
        put_lines(text, 1);
    else if (strcasecmp(name, "td") == 0 || strcasecmp(name, "th") == 0)
        text->space = true;
    if (strcasecmp(name, "li") == 0 && !closing)
        put_visible(text, "- ", 2);
    if (strcasecmp(name, "pre") == 0)
        text->exact = !closing;
}

/* A tag that begins at html[at]; the place after it. */
static size_t tag(struct text *text, const char *html, size_t at, size_t size)
{
    char name[NAME_MAX_OCTETS + 1] = "";
    size_t length = 0, start = at + 1;
    if (!text->no_comment_end && size - at >= 4 && memcmp(html + at, "<!--", 4) == 0) {
        const char *end = memmem(html + at + 4, size - at - 4, "-->", 3);
        if (end != NULL)
            return (size_t)(end - html) + 3;
        text->no_comment_end = true;
    }
    bool closing = start < size && html[start] == '/';
    start += closing;
    while (start + length < size && length < NAME_MAX_OCTETS && isalnum((unsigned char)html[start + length])) {
        name[length] = html[start + length];
        length++;
    }
    if (length == 0 && !(start < size && (html[start] == '!' || html[start] == '?'))) {
        put_visible(text, "<", 1); /* "a < b" */
        return at + 1;
    }
    const char *end = text->no_greater ? NULL : memchr(html + at, '>', size - at);
    if (end == NULL) {
        text->no_greater = true;
        put_visible(text, "<", 1);
        return at + 1;
    }
    size_t after = (size_t)(end - html) + 1;
    take_tag(text, name, closing);
    for (int i = 0; i < HIDDEN && !closing; i++) {
        if (strcasecmp(name, hidden[i]) == 0)
            return skip_hidden(text, html, after, size, i);
    }
    return after;
}

static void put_point(struct text *text, uint32_t point)
{
    char octets[4];
    if (point == 0)
        return;
    if (point == ' ' || point == '\n' || point == '\t')
        text->space = true;
    else
        put_visible(text, octets, encode(octets, point));
}

char *html_text(bool *cut, const char *html, size_t size, size_t most)
{
    struct text text = {.octets = xmalloc(most + 1), .most = most};
    for (size_t at = 0; at < size && !text.cut;) {
        uint32_t point;
        size_t step = html[at] == '&' ? entity(&point, html + at + 1, size - at - 1) : 0;
        if (html[at] == '<') {
            at = tag(&text, html, at, size);
        } else if (step > 0) {
            put_point(&text, point);
            at += step + 1;
        } else if (isspace((unsigned char)html[at])) {
            if (text.exact && html[at] == '\n')
                put_lines(&text, text.line_ends + 1);
            else if (text.exact && html[at] != '\r')
                put_visible(&text, " ", 1);
            else
                text.space = true;
            at++;
        } else {
            put_visible(&text, html + at, 1);
            at++;
        }
    }
    while (text.cut && text.size > 0 && (text.octets[text.size - 1] & 0xC0) == 0x80)
        text.size--;
    if (text.cut && text.size > 0 && (unsigned char)text.octets[text.size - 1] >= 0xC0)
        text.size--; /* not half a character */
    text.octets[text.size] = '\0';
    *cut = *cut || text.cut;
    return text.octets;
}
