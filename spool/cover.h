/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cover pages from the spool's side: which templates there are, and which fields they ask for. The converter draws
 * them. Some are files of the configuration, others were stored by way of the API (cover_page.h).
 *
 * Thread: loop; cover_* that take no spool: any.
 */
#ifndef FAXD_SPOOL_COVER_H
#define FAXD_SPOOL_COVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COVER_NAME_SIZE  65
#define COVER_FIELDS_MAX 200

struct spool;

/* Fields that are filled in without being asked for, when the request does not bring them: to_number, from_number,
 * from_company, date, time, pages. The others ("to_name", "to_company", "from_name", "subject", "note", "reference")
 * are empty unless they are brought. */
extern const char *const cover_known_fields[];

struct cover {
    char name[COVER_NAME_SIZE];
    bool from_config;               /* a file of the configuration's folder, or one that came with the program */
    int64_t created_at, updated_at; /* UTC ms; of a file 0 and when it was written */
    char *data;                     /* the template, with a zero after it */
    size_t size;
};

/* Find a template by its name ([a-z0-9_-], no path): a file of the office's folder comes before one that was stored,
 * and that before one that came with the program. The caller clears it with cover_clear(). 0; ERR_NOT_FOUND with a
 * message that lists those there are; ERR_INVALID (the name); ERR_TOO_BIG; ERR_IO. */
int cover_find(struct cover *cover, struct spool *spool, const char *name);
void cover_clear(struct cover *cover);

/* The same, the octets alone, which the caller frees with free(). */
int cover_read(char **data, size_t *size, struct spool *spool, const char *name);

bool cover_is_name(const char *name);

/* The names of all templates, sorted, each once: a new array of texts. */
json_t *cover_list(struct spool *spool);

/* The fields that a template asks for, each once, at most COVER_FIELDS_MAX: a new array of texts. Pure. */
json_t *cover_fields(const char *data, size_t size);

/* What a cover is filled in with, unless its sender says otherwise: numbers, company, date and time of `at_ms`.
 * `options` are those of the fax. A new object. */
json_t *cover_defaults(const struct spool *spool, const json_t *options, const char *to, const char *from,
                       int64_t at_ms);

/* All fields of a cover: `given`, what is filled in (`defaults`, name to text), "" for the known rest; a new object. */
json_t *cover_fill(const json_t *given, const json_t *defaults);

#endif
