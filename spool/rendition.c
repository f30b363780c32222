/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which forms, and how each is ordered from the converter. preparation.c walks them.
 */
#include "spool/rendition.h"

#include "server/base/str.h"

#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Changes when the converter draws differently: what was prepared before is then prepared anew. */
#define VERSION "3"

#define MARK_SIZE   (2 * 16 + 1)
#define PAGES_PLAIN 100 /* octets of a range that stand in the key as they are */

#define PARTS 2 /* jobs among which a long PDF is shared out: 1.8 times as fast with two */

static const char *word(const json_t *object, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && *text ? text : otherwise;
}

void rendition_first(struct rendition *rendition, const json_t *options)
{
    *rendition = (struct rendition){.width_max = RENDITION_WIDTH_WIDEST};
    str_copy(rendition->resolution, sizeof(rendition->resolution), word(options, "resolution", "fine"));
}

static void add(struct rendition *list, int *count, const char *resolution, int length_max_mm)
{
    list[*count] = (struct rendition){.width_max = RENDITION_WIDTH, .length_max_mm = length_max_mm, .strict = true};
    str_copy(list[*count].resolution, sizeof(list[*count].resolution), resolution);
    (*count)++;
}

int rendition_others(struct rendition *list, int width, const char *resolution, int length_mm)
{
    bool standard = strcmp(resolution, "standard") == 0, wide = width > RENDITION_WIDTH;
    bool is_long = length_mm > RENDITION_LENGTH_MM + RENDITION_LENGTH_SPARE;
    int count = 0;
    if (strcmp(resolution, "superfine") == 0 || (wide && !standard))
        add(list, &count, "fine", 0);
    if (!standard || wide)
        add(list, &count, "standard", 0);
    if (is_long && !standard)
        add(list, &count, "fine", RENDITION_LENGTH_MM);
    if (is_long)
        add(list, &count, "standard", RENDITION_LENGTH_MM);
    return count;
}

static const char *mark_of(char mark[MARK_SIZE], const char *text)
{
    unsigned char hash[(MARK_SIZE - 1) / 2];
    crypto_generichash(hash, sizeof(hash), (const unsigned char *)text, strlen(text), NULL, 0);
    return str_hex(mark, hash, sizeof(hash));
}

/* A password is part of the key, so that nobody gets an encrypted document without it, but not in plain; and a range
 * that is long must not push it out. */
void rendition_key(char key[RENDITION_KEY_SIZE], const struct rendition *rendition, const json_t *options,
                   const json_t *info)
{
    char password_mark[MARK_SIZE], pages_mark[MARK_SIZE];
    const char *password = word(info, "password", ""), *pages = word(info, "pages", "");
    bool plain = strlen(pages) <= PAGES_PLAIN;
    snprintf(key, RENDITION_KEY_SIZE, VERSION " %s %dx%d%s %s %s pages=%s%s password=%s", rendition->resolution,
             rendition->width_max, rendition->length_max_mm, rendition->strict ? " strict" : "",
             word(options, "dither", "auto"), word(options, "paper", "a4"), plain ? "" : "#",
             plain ? pages : mark_of(pages_mark, pages), *password ? mark_of(password_mark, password) : "");
}

json_t *rendition_job(const struct rendition *rendition, const json_t *options, const json_t *info)
{
    json_t *job = json_pack("{s:s, s:s, s:i, s:i, s:b, s:s, s:s, s:i}", "op", "prepare", "resolution",
                            rendition->resolution, "max_width", rendition->width_max, "max_length_mm",
                            rendition->length_max_mm, "strict", rendition->strict, "dither",
                            word(options, "dither", "auto"), "paper", word(options, "paper", "a4"), "parts", PARTS);
    if (*word(info, "pages", ""))
        json_object_set(job, "pages", json_object_get(info, "pages"));
    if (*word(info, "password", ""))
        json_object_set(job, "password", json_object_get(info, "password"));
    return job;
}
