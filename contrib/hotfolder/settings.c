/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration. libConfuse parses and tells where a fault is. */
#include "config.h"

#include "contrib/hotfolder/settings.h"

#include <confuse.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contrib/common/account.h"
#include "server/base/err.h"
#include "server/base/log.h"

#define NUMBERS_IN_NAMES "{\"{number}\", \"{number}@{name}\", \"{any} to {number}\", \"{any} to {number}@{name}\"}"

static void say(cfg_t *cfg, const char *format, va_list arguments)
{
    fprintf(stderr, "faxd-hotfolder: %s:%d: ", cfg != NULL && cfg->filename != NULL ? cfg->filename : "configuration",
            cfg != NULL ? cfg->line : 0);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

static int check_range(cfg_t *cfg, cfg_opt_t *opt)
{
    static const struct {
        const char *name;
        long low, high;
    } ranges[] = {{"settle", 0, 3600},
                  {"rescan", 0, 86400},
                  {"follow", 1, 3600},
                  {"sidecar_wait", 0, 86400},
                  {"size_max_mib", 1, 1024}};
    long value = cfg_opt_getnint(opt, 0);
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (strcmp(opt->name, ranges[i].name) == 0 && (value < ranges[i].low || value > ranges[i].high)) {
            cfg_error(cfg, "%s has to be %ld to %ld", opt->name, ranges[i].low, ranges[i].high);
            return -1;
        }
    }
    return 0;
}

static int read_sidecar(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    static const char *const words[] = {"no", "optional", "required"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(value, words[i]) == 0) {
            *(long *)result = i;
            return 0;
        }
    }
    cfg_error(cfg, "%s has to be no, optional or required", opt->name);
    return -1;
}

/* Texts of a list, copied. */
static int take_texts(char ***texts, cfg_t *section, const char *name)
{
    int count = (int)cfg_size(section, name);
    *texts = xcalloc((unsigned long)count + 1, sizeof **texts);
    for (int i = 0; i < count; i++)
        (*texts)[i] = xstrdup(cfg_getnstr(section, name, (unsigned)i));
    return count;
}

static int take_patterns(struct folder_settings *folder, cfg_t *section)
{
    int count = (int)cfg_size(section, "patterns"), error = 0;
    folder->patterns = xcalloc((unsigned long)count + 1, sizeof *folder->patterns);
    for (int i = 0; i < count && error == 0; i++) {
        const char *text = cfg_getnstr(section, "patterns", (unsigned)i);
        error = pattern_compile(&folder->patterns[i], text);
        if (error == 0)
            folder->pattern_count++;
        else
            cfg_error(section, "pattern \"%s\": %s", text, err_message());
    }
    return error;
}

static int take_owners(struct folder_settings *folder, cfg_t *section)
{
    int count = (int)cfg_size(section, "owners");
    folder->owners = xcalloc((unsigned long)count + 1, sizeof *folder->owners);
    for (int i = 0; i < count; i++) {
        const char *name = cfg_getnstr(section, "owners", (unsigned)i);
        const struct passwd *user = getpwnam(name);
        if (user == NULL) {
            cfg_error(section, "owner \"%s\" is no user of this machine", name);
            return ERR_INVALID;
        }
        folder->owners[folder->owner_count++] = user->pw_uid;
    }
    return 0;
}

static int take_fields(struct folder_settings *folder, cfg_t *section)
{
    folder->field_count = take_texts(&folder->fields, section, "set");
    for (int i = 0; i < folder->field_count; i++) {
        size_t length = strcspn(folder->fields[i], "=");
        if (length == 0 || folder->fields[i][length] == '\0') {
            cfg_error(section, "set: \"%s\" is not KEY=VALUE", folder->fields[i]);
            return ERR_INVALID;
        }
    }
    return 0;
}

static int take_folder(struct folder_settings *folder, cfg_t *section, const char *key_file)
{
    const char *own_key = cfg_getstr(section, "key_file"), *path = cfg_title(section);
    folder->path = xstrdup(path);
    folder->key_file = xstrdup(own_key != NULL ? own_key : key_file != NULL ? key_file : "");
    folder->sidecar = (enum sidecar)cfg_getint(section, "sidecar");
    folder->sidecar_wait_ms = cfg_getint(section, "sidecar_wait") * 1000l;
    folder->size_max = (int64_t)cfg_getint(section, "size_max_mib") << 20;
    folder->hard_links = cfg_getbool(section, "hard_links");
    folder->keep = cfg_getbool(section, "keep");
    if (path[0] != '/' || folder->key_file[0] != '/') {
        cfg_error(section, "%s: folder and key_file have to be absolute paths", path);
        return ERR_INVALID;
    }
    int error = take_patterns(folder, section);
    if (error == 0)
        error = take_owners(folder, section);
    if (error == 0)
        error = take_fields(folder, section);
    return error;
}

static int take_all(struct settings *settings, cfg_t *cfg)
{
    int count = (int)cfg_size(cfg, "folder"), error = 0;
    settings->server = xstrdup(cfg_getstr(cfg, "server"));
    settings->settle_ms = cfg_getint(cfg, "settle") * 1000l;
    settings->rescan_ms = cfg_getint(cfg, "rescan") * 1000l;
    settings->follow_ms = cfg_getint(cfg, "follow") * 1000l;
    settings->folders = xcalloc((unsigned long)count + 1, sizeof *settings->folders);
    for (int i = 0; i < count; i++) {
        settings->folder_count++;
        if (take_folder(&settings->folders[i], cfg_getnsec(cfg, "folder", (unsigned)i), cfg_getstr(cfg, "key_file")))
            error = err_set(ERR_INVALID, "the configuration has faults");
    }
    if (count == 0)
        return err_set(ERR_INVALID, "the configuration names no folder");
    return error;
}

int settings_read(struct settings *settings, const char *path)
{
    cfg_opt_t folder[] = {CFG_STR("key_file", NULL, CFGF_NODEFAULT),
                          CFG_STR_LIST("patterns", NUMBERS_IN_NAMES, CFGF_NONE),
                          CFG_INT_CB("sidecar", SIDECAR_OPTIONAL, CFGF_NONE, read_sidecar),
                          CFG_INT("sidecar_wait", 60, CFGF_NONE),
                          CFG_STR_LIST("owners", "{}", CFGF_NONE),
                          CFG_BOOL("hard_links", cfg_false, CFGF_NONE),
                          CFG_INT("size_max_mib", 64, CFGF_NONE),
                          CFG_BOOL("keep", cfg_true, CFGF_NONE),
                          CFG_STR_LIST("set", "{}", CFGF_NONE),
                          CFG_END()};
    cfg_opt_t all[] = {CFG_STR("server", ACCOUNT_DEFAULT_URL, CFGF_NONE),
                       CFG_STR("key_file", NULL, CFGF_NODEFAULT),
                       CFG_INT("settle", 1, CFGF_NONE),
                       CFG_INT("rescan", 60, CFGF_NONE),
                       CFG_INT("follow", 2, CFGF_NONE),
                       CFG_SEC("folder", folder, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
                       CFG_END()};
    static const char *const checked[] = {"settle", "rescan", "follow", "folder|sidecar_wait", "folder|size_max_mib"};
    *settings = (struct settings){.folder_count = 0};
    cfg_t *cfg = cfg_init(all, CFGF_NONE);
    cfg_set_error_function(cfg, say);
    for (size_t i = 0; i < sizeof checked / sizeof checked[0]; i++)
        cfg_set_validate_func(cfg, checked[i], check_range);
    int parsed = cfg_parse(cfg, path);
    int error = parsed == CFG_FILE_ERROR    ? err_set(ERR_NOT_FOUND, "cannot read %s", path)
                : parsed == CFG_PARSE_ERROR ? err_set(ERR_INVALID, "%s has faults", path)
                                            : take_all(settings, cfg);
    cfg_free(cfg);
    return error;
}

static void folder_settings_clear(struct folder_settings *folder)
{
    for (int i = 0; i < folder->pattern_count; i++)
        pattern_clear(&folder->patterns[i]);
    for (int i = 0; i < folder->field_count; i++)
        free(folder->fields[i]);
    free(folder->patterns);
    free(folder->fields);
    free(folder->owners);
    free(folder->key_file);
    free(folder->path);
}

void settings_clear(struct settings *settings)
{
    for (int i = 0; i < settings->folder_count; i++)
        folder_settings_clear(&settings->folders[i]);
    free(settings->folders);
    free(settings->server);
}
