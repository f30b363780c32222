/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Templates lie in two folders, and in rows: the office's own files win over what was stored, and that over the shipped
 * ones of the same name.
 */
#include "config.h"

#include "spool/cover.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "server/base/time_zone.h"
#include "spool/cover_page.h"
#include "spool/page_style.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPLATE_MAX (1 << 20)
#define NAMES_MAX    200
#define SUFFIX       ".svg"

const char *const cover_known_fields[] = {"to_name",     "to_company", "to_number", "from_name", "from_company",
                                          "from_number", "subject",    "note",      "date",      "time",
                                          "pages",       "reference",  NULL};

static bool is_name(const char *name, size_t length)
{
    return length > 0 && length < COVER_NAME_SIZE && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") >= length;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_listed(char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* As cover_read opens it: no link leads out of the folder. */
static bool is_file(DIR *folder, const char *name)
{
    struct stat status;
    return fstatat(dirfd(folder), name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode);
}

static void add_names(char **names, int *count, const char *folder)
{
    DIR *open_folder = *folder ? opendir(folder) : NULL;
    const struct dirent *entry;
    while (open_folder && *count < NAMES_MAX && (entry = readdir(open_folder)) != NULL) {
        size_t length = strlen(entry->d_name);
        if (length <= sizeof(SUFFIX) - 1 || strcmp(entry->d_name + length - (sizeof(SUFFIX) - 1), SUFFIX) != 0 ||
            !is_name(entry->d_name, length - (sizeof(SUFFIX) - 1)) || !is_file(open_folder, entry->d_name))
            continue;
        char *name = xasprintf("%.*s", (int)(length - (sizeof(SUFFIX) - 1)), entry->d_name);
        if (is_listed(names, *count, name))
            free(name);
        else
            names[(*count)++] = name;
    }
    if (open_folder)
        closedir(open_folder);
}

/* What was stored, beside the files. */
static int add_stored(char **names, int count, struct spool *spool)
{
    json_t *stored = cover_page_names(spool), *name;
    size_t i;
    json_array_foreach(stored, i, name)
    {
        if (!is_listed(names, count, json_string_value(name)))
            names[count++] = xstrdup(json_string_value(name));
    }
    json_decref(stored);
    return count;
}

json_t *cover_list(struct spool *spool)
{
    const struct page_style *style = page_style(spool);
    char *names[NAMES_MAX + COVER_PAGES_MAX];
    int count = 0;
    json_t *list = json_array();
    add_names(names, &count, style->covers[0]);
    add_names(names, &count, style->covers[1]);
    count = add_stored(names, count, spool);
    qsort(names, (size_t)count, sizeof(*names), compare);
    for (int i = 0; i < count; i++) {
        json_array_append_new(list, json_string(names[i]));
        free(names[i]);
    }
    return list;
}

static int not_found(struct spool *spool, const char *name)
{
    char text[400] = "";
    json_t *list = cover_list(spool), *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        size_t length = strlen(text);
        snprintf(text + length, sizeof(text) - length, "%s%s", i ? ", " : "", json_string_value(item));
    }
    json_decref(list);
    return err_set(ERR_NOT_FOUND, "there is no cover page \"%.64s\"; there are: %s", name, *text ? text : "none");
}

static int read_file(struct cover *cover, int fd, const char *name)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return err_set(ERR_IO, "the cover page \"%s\" is no file", name);
    if (status.st_size > TEMPLATE_MAX)
        return err_set(ERR_TOO_BIG, "the cover page \"%s\" has more than %d kB", name, TEMPLATE_MAX >> 10);
    char *octets = xmalloc((size_t)status.st_size + 1);
    ssize_t got = pread(fd, octets, (size_t)status.st_size, 0);
    if (got != status.st_size) {
        free(octets);
        return err_set(ERR_IO, "cannot read the cover page \"%s\": %s", name, got < 0 ? strerror(errno) : "it changed");
    }
    octets[got] = '\0';
    *cover = (struct cover){
        .from_config = true, .updated_at = (int64_t)status.st_mtim.tv_sec * 1000, .data = octets, .size = (size_t)got};
    str_copy(cover->name, sizeof(cover->name), name);
    return 0;
}

/* ERR_NOT_FOUND without a message worth telling. */
static int find_file(struct cover *cover, const char *folder, const char *name)
{
    char *path = xasprintf("%s/%s" SUFFIX, folder, name);
    int fd = *folder ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
    int error = ERR_NOT_FOUND;
    free(path);
    if (fd >= 0) {
        error = read_file(cover, fd, name);
        close(fd);
    }
    return error;
}

bool cover_is_name(const char *name)
{
    return is_name(name, strlen(name));
}

int cover_find(struct cover *cover, struct spool *spool, const char *name)
{
    const struct page_style *style = page_style(spool);
    if (!cover_is_name(name))
        return err_set(ERR_INVALID, "\"%.64s\" is no name of a cover page: a-z, 0-9, - and _ make one", name);
    int error = find_file(cover, style->covers[0], name);
    if (error == ERR_NOT_FOUND)
        error = cover_page_find(cover, spool, name);
    if (error == ERR_NOT_FOUND)
        error = find_file(cover, style->covers[1], name);
    return error == ERR_NOT_FOUND ? not_found(spool, name) : error;
}

void cover_clear(struct cover *cover)
{
    free(cover->data);
    *cover = (struct cover){0};
}

int cover_read(char **data, size_t *size, struct spool *spool, const char *name)
{
    struct cover cover;
    int error = cover_find(&cover, spool, name);
    if (error == 0) {
        *data = cover.data;
        *size = cover.size;
    }
    return error;
}

static void add_once(json_t *list, const char *name, size_t length)
{
    json_t *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        if (json_string_length(item) == length && memcmp(json_string_value(item), name, length) == 0)
            return;
    }
    json_array_append_new(list, json_stringn(name, length));
}

json_t *cover_fields(const char *data, size_t size)
{
    json_t *list = json_array();
    const char *at = data, *end = data + size;
    while (json_array_size(list) < COVER_FIELDS_MAX && (at = memmem(at, (size_t)(end - at), "{{", 2)) != NULL) {
        at += 2;
        while (at < end && *at == ' ')
            at++;
        const char *name = at;
        while (at < end && ((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '_'))
            at++;
        if (at > name)
            add_once(list, name, (size_t)(at - name));
    }
    return list;
}

static const char *option(const json_t *options, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(options, key));
    return text && *text ? text : otherwise;
}

json_t *cover_defaults(const struct spool *spool, const json_t *options, const char *to, const char *from,
                       int64_t at_ms)
{
    const struct page_style *style = page_style(spool);
    const char *zone = option(options, "time_zone", style->time_zone);
    char date[64], time[64];
    time_zone_format(date, sizeof(date), at_ms, zone, "%Y-%m-%d");
    time_zone_format(time, sizeof(time), at_ms, zone, "%H:%M %Z");
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "to_number", to, "from_number", from, "from_company",
                     option(options, "header", style->sender), "date", date, "time", time);
}

json_t *cover_fill(const json_t *given, const json_t *defaults)
{
    json_t *fields = json_object();
    for (int i = 0; cover_known_fields[i]; i++)
        json_object_set_new(fields, cover_known_fields[i], json_string(""));
    json_object_update(fields, (json_t *)defaults);
    json_object_update(fields, (json_t *)given);
    return fields;
}
