/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading, checking and filling of templates. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/mail/template.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LANGUAGES_MAX 64
#define LANGUAGE_SIZE 9
#define FIELD_MAX     32

static const struct kind {
    const char *file, *fields; /* between blanks */
} kinds[TEMPLATE_COUNT] = {
#define COMMON " id link link_until server "
#define FAX    COMMON "from to pages confirmed at reason code reference calls station_id "
    [TEMPLATE_RECEIVED] = {"received", FAX "subaddress "},
    [TEMPLATE_RECEIPT_DELIVERED] = {"receipt-delivered", FAX},
    [TEMPLATE_RECEIPT_PARTIALLY_DELIVERED] = {"receipt-partially-delivered", FAX},
    [TEMPLATE_RECEIPT_UNCONFIRMED] = {"receipt-unconfirmed", FAX},
    [TEMPLATE_RECEIPT_FAILED] = {"receipt-failed", FAX},
    [TEMPLATE_RECEIPT_EXPIRED] = {"receipt-expired", FAX},
    [TEMPLATE_RECEIPT_CANCELED] = {"receipt-canceled", FAX},
    [TEMPLATE_WEBHOOK_DISABLED] = {"webhook-disabled", COMMON "endpoint reason "},
    [TEMPLATE_ALARM] = {"alarm", COMMON "event details "},
#undef COMMON
#undef FAX
};

struct templates {
    int count;
    char languages[LANGUAGES_MAX][LANGUAGE_SIZE];
    const char *names[LANGUAGES_MAX + 1];
    char *texts[LANGUAGES_MAX][TEMPLATE_COUNT];
};

/* --- fields of a line --- */

/* The field that begins at `at` ("{name}"): its length with the braces, 0 when it is none. */
static size_t read_field(char name[FIELD_MAX], const char *at, const char *end)
{
    const char *close = memchr(at, '}', (size_t)(end - at));
    size_t length = close != NULL ? (size_t)(close - at - 1) : 0;

    if (length < 1 || length >= FIELD_MAX)
        return 0;
    memcpy(name, at + 1, length);
    name[length] = '\0';
    return length + 2;
}

static bool has_word(const char *words, const char *word)
{
    char looked[FIELD_MAX + 2];

    snprintf(looked, sizeof looked, " %s ", word);
    return strstr(words, looked) != NULL;
}

static const char *value_of(const struct template_field *fields, const char *name)
{
    for (; fields->name != NULL; fields++)
        if (strcmp(fields->name, name) == 0)
            return fields->value != NULL && fields->value[0] != '\0' ? fields->value : NULL;
    return NULL;
}

static void put_value(FILE *out, const char *value, bool one_line)
{
    for (; *value != '\0'; value++) {
        unsigned char octet = (unsigned char)*value;

        fputc((octet < 0x20 && (one_line || octet != '\n')) || octet == 0x7F ? ' ' : octet, out);
    }
}

/* False when a field has no value: the line is not to be used. */
static bool fill_line(FILE *out, const char *line, const char *end, const struct template_field *fields, bool one_line)
{
    char name[FIELD_MAX];

    while (line < end) {
        size_t length = *line == '{' && line + 1 < end && line[1] != '{' ? read_field(name, line, end) : 0;
        const char *value = length > 0 ? value_of(fields, name) : NULL;

        if (length > 0 && value == NULL)
            return false;
        if (length > 0)
            put_value(out, value, one_line);
        else
            fputc(*line, out);
        line += length > 0 ? length : *line == '{' && line + 1 < end && line[1] == '{' ? 2 : 1;
    }
    return true;
}

static char *filled(const char *line, const char *end, const struct template_field *fields, bool one_line)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool whole = out != NULL && fill_line(out, line, end, fields, one_line);

    if (out != NULL)
        fclose(out);
    if (whole)
        return text;
    free(text);
    return NULL;
}

char *template_line(const char *line, const struct template_field *fields)
{
    return filled(line, line + strlen(line), fields, true);
}

/* --- the parts of a file --- */

static const char *line_end(const char *line)
{
    const char *end = strchr(line, '\n');

    return end != NULL ? end : line + strlen(line);
}

static const char *after(const char *end)
{
    return *end == '\n' ? end + 1 : end;
}

static bool begins(const char *line, const char *word)
{
    return strncmp(line, word, strlen(word)) == 0;
}

/* Behind the empty line under the head. */
static const char *body_of(const char *text)
{
    while (*text != '\0' && *text != '\n')
        text = after(line_end(text));
    return after(text);
}

/* --- checks --- */

static int check_fields(const struct kind *kind, const char *line, const char *end, int number, bool *any)
{
    char name[FIELD_MAX];

    for (const char *at = line; at < end; at++) {
        size_t length;

        if (*at != '{')
            continue;
        if (at + 1 < end && at[1] == '{') {
            at++;
            continue;
        }
        length = read_field(name, at, end);
        if (length == 0)
            return err_set(ERR_INVALID, "line %d: a \"{\" begins no field; write \"{{\" for a brace", number);
        if (!has_word(kind->fields, name))
            return err_set(ERR_INVALID, "line %d: there is no field {%s} here; there are:%s", number, name,
                           kind->fields);
        *any = true;
    }
    return 0;
}

int template_check(enum template_name name, const char *text)
{
    const struct kind *kind = &kinds[name];
    const char *line = text, *body = body_of(text);
    bool always[2] = {false, true}; /* a subject, a name that needs no field; names may be missing */
    int number = 0, error = 0;

    if (!str_is_utf8(text, strlen(text)))
        return err_set(ERR_INVALID, "the text is not UTF-8");
    for (; *line != '\0' && error == 0; line = after(line_end(line))) {
        bool any = false, subject = begins(line, "Subject: "), named = begins(line, "Name: ");

        number++;
        error = check_fields(kind, line, line_end(line), number, &any);
        if (error == 0 && line < body - 1 && !subject && !named)
            error = err_set(ERR_INVALID,
                            "line %d: the head has lines \"Subject: ...\" and \"Name: ...\", and an empty "
                            "line ends it",
                            number);
        if (line < body && subject)
            always[0] = !any;
        if (line < body && named)
            always[1] = !any;
    }
    if (error == 0 && (!always[0] || !always[1]))
        error = err_set(ERR_INVALID, "the last line %s has to do without fields, for when none has a value",
                        always[0] ? "Name" : "Subject");
    if (error == 0 && body[strspn(body, " \t\r\n")] == '\0')
        error = err_set(ERR_INVALID, "there is no text under the head");
    return error;
}

/* --- loading --- */

/* 0 and NULL when there is no such file. */
static int read_file(char **text, const char *path)
{
    FILE *file = fopen(path, "re");
    size_t size;
    int error = 0;

    *text = NULL;
    if (file == NULL)
        return errno == ENOENT || errno == ENOTDIR ? 0 : err_set(ERR_IO, "%s: %s", path, strerror(errno));
    *text = xmalloc(TEMPLATE_FILE_MAX + 1);
    size = fread(*text, 1, TEMPLATE_FILE_MAX, file);
    (*text)[size] = '\0';
    if (ferror(file))
        error = err_set(ERR_IO, "%s: %s", path, strerror(errno));
    else if (size == TEMPLATE_FILE_MAX)
        error = err_set(ERR_INVALID, "%s: more than %d octets", path, TEMPLATE_FILE_MAX - 1);
    else if (strlen(*text) != size)
        error = err_set(ERR_INVALID, "%s: there is a NUL octet in it", path);
    fclose(file);
    return error;
}

static void drop_returns(char *text)
{
    char *to = text;

    for (; *text != '\0'; text++)
        if (*text != '\r')
            *to++ = *text;
    *to = '\0';
}

static int load_one(char **text, enum template_name name, const char *language, const char *const *folders)
{
    int error = 0;

    *text = NULL;
    for (int i = 0; i < 2 && *text == NULL && error == 0; i++) {
        char *path = xasprintf("%s/%s/%s.txt", folders[i], language, kinds[name].file), *fault;

        error = read_file(text, path);
        if (error == 0 && *text != NULL) {
            drop_returns(*text);
            error = template_check(name, *text);
            fault = error != 0 ? xstrdup(err_message()) : NULL;
            if (error != 0)
                error = err_set(error, "%s: %s", path, fault);
            free(fault);
        }
        free(path);
    }
    if (error == 0 && *text == NULL)
        error = err_set(ERR_INVALID, "there is no template %s/%s.txt in %s or %s", language, kinds[name].file,
                        folders[0], folders[1]);
    return error;
}

static bool is_language(const char *name)
{
    size_t length = strlen(name);

    return length >= 2 && length < LANGUAGE_SIZE &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") == length;
}

static int place_of(const struct templates *templates, const char *language)
{
    for (int i = 0; i < templates->count; i++)
        if (strcmp(templates->languages[i], language) == 0)
            return i;
    return -1;
}

static int find_languages(struct templates *templates, const char *folder, bool needed)
{
    DIR *stream = opendir(folder);
    struct dirent *entry;

    if (stream == NULL && !needed && errno == ENOENT)
        return 0;
    if (stream == NULL)
        return err_set(ERR_IO, "templates of mails: %s: %s", folder, strerror(errno));
    while ((entry = readdir(stream)) != NULL) {
        struct stat status;

        if (fstatat(dirfd(stream), entry->d_name, &status, 0) != 0 || !S_ISDIR(status.st_mode) ||
            !is_language(entry->d_name) || place_of(templates, entry->d_name) >= 0 || templates->count == LANGUAGES_MAX)
            continue;
        str_copy(templates->languages[templates->count], LANGUAGE_SIZE, entry->d_name);
        templates->names[templates->count] = templates->languages[templates->count];
        templates->count++;
    }
    closedir(stream);
    return 0;
}

int templates_load(struct templates **out, const char *installed, const char *own)
{
    const char *folders[] = {own, installed};
    struct templates *templates = xcalloc(1, sizeof *templates);
    int error = find_languages(templates, installed, true);

    *out = NULL;
    if (error == 0)
        error = find_languages(templates, own, false);
    if (error == 0 && place_of(templates, "en") < 0)
        error = err_set(ERR_INVALID, "there is no folder en in %s", installed);
    for (int i = 0; i < templates->count && error == 0; i++)
        for (int name = 0; name < TEMPLATE_COUNT && error == 0; name++)
            error = load_one(&templates->texts[i][name], (enum template_name)name, templates->languages[i], folders);
    if (error != 0) {
        templates_free(templates);
        return error;
    }
    *out = templates;
    return 0;
}

void templates_free(struct templates *templates)
{
    if (templates == NULL)
        return;
    for (int i = 0; i < templates->count; i++)
        for (int name = 0; name < TEMPLATE_COUNT; name++)
            free(templates->texts[i][name]);
    free(templates);
}

const char *const *templates_languages(const struct templates *templates)
{
    return templates->names;
}

/* --- filling --- */

/* The first line of a kind in the head that can be filled; NULL = there is none. */
static char *head_line(const char *text, const char *word, const struct template_field *fields)
{
    char *line = NULL;

    for (; *text != '\0' && *text != '\n' && line == NULL; text = after(line_end(text)))
        if (begins(text, word))
            line = filled(text + strlen(word), line_end(text), fields, true);
    return line;
}

/* Lines that were left out may leave several empty ones behind, which become one. */
static char *body_text(const char *body, const struct template_field *fields)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool empty = true;

    for (; out != NULL && *body != '\0'; body = after(line_end(body))) {
        char *line = filled(body, line_end(body), fields, false);

        if (line != NULL && (*line != '\0' || !empty)) {
            fprintf(out, "%s\n", line);
            empty = *line == '\0';
        }
        free(line);
    }
    if (out != NULL)
        fclose(out);
    return text != NULL ? text : xstrdup("");
}

void template_fill(struct template_text *out, const struct templates *templates, enum template_name name,
                   const char *language, const struct template_field *fields)
{
    int place = place_of(templates, language);
    const char *text = templates->texts[place >= 0 ? place : place_of(templates, "en")][name];

    out->subject = head_line(text, "Subject: ", fields);
    out->attachment = head_line(text, "Name: ", fields);
    if (out->subject == NULL)
        out->subject = xstrdup("");
    if (out->attachment == NULL)
        out->attachment = xstrdup("fax");
    out->text = body_text(body_of(text), fields);
}
