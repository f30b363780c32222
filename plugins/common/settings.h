/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The provider's section of the configuration, as FaxdProviderConfig hands it over: parsed, and read key by key into
 * checked values. A key that nobody knows is an error that names it, so that a typing mistake never passes for a
 * default.
 *
 * Values may stand as JSON numbers and booleans or as texts ("20", "0.5", "yes"), and an object as a text that holds
 * JSON, since the server's configuration file knows only texts where keys are free.
 *
 * Thread: start-up.
 */
#ifndef FAXD_PLUGINS_COMMON_SETTINGS_H
#define FAXD_PLUGINS_COMMON_SETTINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define SETTINGS_LINES_MAX 4096

struct settings_line {
    const char *name;   /* "1001" */
    const char *number; /* "" when it has none */
    json_t *settings;   /* an object; never NULL */
};

/* Texts are borrowed from `root`. */
struct settings {
    json_t *root;
    const char *name;     /* of the provider */
    const char *engine;   /* path of faxd-t30, "" when not given */
    const char *work_dir; /* "" when not given */
    int calls_per_engine; /* 1..1024 */
    json_t *values;       /* "settings", an object; never NULL */
    struct settings_line *lines;
    int line_count; /* 1..SETTINGS_LINES_MAX */
};

enum settings_type {
    SETTINGS_INT,   /* int: low..high */
    SETTINGS_REAL,  /* double: low..high */
    SETTINGS_BOOL,  /* bool */
    SETTINGS_TEXT,  /* const char *, borrowed; at most `high` octets */
    SETTINGS_WORD,  /* int: index of the text in `words` */
    SETTINGS_OBJECT /* json_t *: a new reference, the caller's to json_decref */
};

/* One row of a table of keys; the value goes to `offset` of the structure being read. */
struct settings_key {
    const char *name;
    enum settings_type type;
    size_t offset;
    double low, high;
    const char *const *words; /* ended with NULL */
};

/* Parse FaxdProviderConfig's text. 0, or ERR_INVALID with a message that names the key. Free with settings_free. */
int settings_parse(struct settings **out, const char *json);
void settings_free(struct settings *settings);

/* Read `object` into the structure at `to` by `count` rows of `keys`; absent keys leave their field as it is. `where`
 * ("provider exchange") begins the message of an error: ERR_INVALID for an unknown key, a wrong type or range. */
int settings_read(void *to, const json_t *object, const char *where, const struct settings_key *keys, int count);

#endif
