/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of keys. libConfuse parses; ranges and words are checked here, with file and line in each message. */
#include "config.h"

#include "contrib/mail/settings.h"

#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "server/base/cidr.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "server/base/time_zone.h"

#define KEY_FILE_MAX 1024

enum kind { KIND_TEXT, KIND_NUMBER, KIND_SWITCH, KIND_WORD, KIND_LIST };

struct key {
    const char *name;
    enum kind kind;
    const char *preset; /* of lists: none */
    int low, high;
    const char *words;
    size_t offset;
};

#define AT(member) offsetof(struct settings, member)

static const struct key keys[] = {
    {"server", KIND_TEXT, "http://127.0.0.1:8080", 0, 0, NULL, AT(server)},
    {"key_file", KIND_TEXT, SYSCONFDIR "/faxd/faxmail.key", 0, 0, NULL, AT(key_file)},
    {"ca_file", KIND_TEXT, "", 0, 0, NULL, AT(ca_file)},
    {"from", KIND_TEXT, "", 0, 0, NULL, AT(from)},
    {"wait", KIND_NUMBER, "20", 0, 300, NULL, AT(wait_s)},
    {"receipt", KIND_SWITCH, "false", 0, 0, NULL, AT(receipt)},
    {"domains", KIND_LIST, NULL, 0, 0, NULL, AT(domains)},
    {"temp_dir", KIND_TEXT, "", 0, 0, NULL, AT(temp_dir)},
    {"max_message_mib", KIND_NUMBER, "40", 1, 1000, NULL, AT(max_message_mib)},
    {"max_header_kib", KIND_NUMBER, "256", 4, 10240, NULL, AT(max_header_kib)},
    {"max_parts", KIND_NUMBER, "200", 1, 10000, NULL, AT(max_parts)},
    {"max_depth", KIND_NUMBER, "15", 1, 100, NULL, AT(max_depth)},
    {"max_recipients", KIND_NUMBER, "50", 1, 1000, NULL, AT(max_recipients)},
    {"max_hops", KIND_NUMBER, "30", 1, 200, NULL, AT(max_hops)},
    {"max_sessions", KIND_NUMBER, "10", 1, 1000, NULL, AT(max_sessions)},
    {"timeout", KIND_NUMBER, "300", 1, 3600, NULL, AT(timeout_s)},
    {"memory_mib", KIND_NUMBER, "512", 64, 8192, NULL, AT(memory_mib)},
    {"cpu", KIND_NUMBER, "20", 1, 600, NULL, AT(cpu_s)},
    {"authserv_id", KIND_LIST, NULL, 0, 0, NULL, AT(authserv_id)},
    {"authserv_headers", KIND_NUMBER, "1", 1, 10, NULL, AT(authserv_headers)},
    {"trusted_hops", KIND_NUMBER, "1", 0, 20, NULL, AT(trusted_hops)},
    {"senders", KIND_LIST, NULL, 0, 0, NULL, AT(senders)},
    {"auth_users", KIND_LIST, NULL, 0, 0, NULL, AT(auth_users)},
    {"trusted_networks", KIND_LIST, NULL, 0, 0, NULL, AT(trusted_networks)},
    {"unbelieved", KIND_WORD, "reject", 0, 0, "reject answer drop", AT(unbelieved)},
    {"before_queue", KIND_SWITCH, "false", 0, 0, NULL, AT(before_queue)},
    {"cover", KIND_TEXT, "plain", 0, 0, NULL, AT(cover)},
    {"body", KIND_WORD, "cover", 0, 0, "cover page none", AT(body)},
    {"time_zone", KIND_TEXT, "", 0, 0, NULL, AT(time_zone)},
    {"small_image_kib", KIND_NUMBER, "10", 0, 10240, NULL, AT(small_image_kib)},
    {"smarthost", KIND_TEXT, "", 0, 0, NULL, AT(smarthost)},
    {"smarthost_user", KIND_TEXT, "", 0, 0, NULL, AT(smarthost_user)},
    {"smarthost_password_file", KIND_TEXT, "", 0, 0, NULL, AT(smarthost_password_file)},
    {"smarthost_tls", KIND_WORD, "try", 0, 0, "none try require", AT(smarthost_tls)},
    {"answer_from", KIND_TEXT, "", 0, 0, NULL, AT(answer_from)},
    {"answer_accepted", KIND_SWITCH, "true", 0, 0, NULL, AT(answer_accepted)},
    {"hostname", KIND_TEXT, "", 0, 0, NULL, AT(hostname)},
};

#define KEYS (sizeof keys / sizeof *keys)

bool words_have(const struct words *words, const char *word)
{
    for (int i = 0; i < words->count; i++) {
        if (strcasecmp(words->items[i], word) == 0)
            return true;
    }
    return false;
}

/* The place of `word` in `list`, or -1. */
static int word_place(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (int place = 0; *list != '\0'; place++) {
        size_t step = strcspn(list, " ");
        if (step == length && strncmp(list, word, length) == 0)
            return place;
        list += step + strspn(list + step, " ");
    }
    return -1;
}

static const struct key *key_of(const char *name)
{
    for (size_t i = 0; i < KEYS; i++) {
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    }
    return NULL;
}

static int check_value(cfg_t *cfg, cfg_opt_t *option)
{
    const struct key *key = key_of(cfg_opt_name(option));
    if (key != NULL && key->kind == KIND_NUMBER) {
        long value = cfg_opt_getnint(option, cfg_opt_size(option) - 1);
        if (value < key->low || value > key->high) {
            cfg_error(cfg, "%s is %d to %d, not %ld", key->name, key->low, key->high, value);
            return -1;
        }
    }
    if (key != NULL && key->kind == KIND_WORD) {
        const char *value = cfg_opt_getnstr(option, cfg_opt_size(option) - 1);
        if (word_place(key->words, value) < 0) {
            cfg_error(cfg, "%s is one of: %s; not \"%s\"", key->name, key->words, value);
            return -1;
        }
    }
    return 0;
}

static void note_error(cfg_t *cfg, const char *format, va_list arguments)
{
    char text[400];
    vsnprintf(text, sizeof text, format, arguments);
    err_set(ERR_INVALID, "%s:%d: %s", cfg != NULL && cfg->filename != NULL ? cfg->filename : "faxmail.conf",
            cfg != NULL ? cfg->line : 0, text);
}

static cfg_opt_t option_of(const struct key *key)
{
    switch (key->kind) {
    case KIND_NUMBER: {
        cfg_opt_t option = CFG_INT((char *)key->name, atol(key->preset), CFGF_NONE);
        return option;
    }
    case KIND_SWITCH: {
        cfg_opt_t option = CFG_BOOL((char *)key->name, key->preset[0] == 't' ? cfg_true : cfg_false, CFGF_NONE);
        return option;
    }
    case KIND_LIST: {
        cfg_opt_t option = CFG_STR_LIST((char *)key->name, "{}", CFGF_NONE);
        return option;
    }
    case KIND_TEXT:
    case KIND_WORD:
        break;
    }
    cfg_opt_t option = CFG_STR((char *)key->name, (char *)key->preset, CFGF_NONE);
    return option;
}

static void take_list(struct words *words, cfg_t *cfg, const char *name)
{
    words->count = (int)cfg_size(cfg, name);
    words->items = xcalloc((size_t)words->count + 1, sizeof *words->items);
    for (int i = 0; i < words->count; i++)
        words->items[i] = xstrdup(cfg_getnstr(cfg, name, (unsigned)i));
}

static void take(struct settings *settings, const struct key *key, cfg_t *cfg)
{
    void *place = (char *)settings + key->offset;
    switch (key->kind) {
    case KIND_TEXT:
        *(char **)place = xstrdup(cfg_getstr(cfg, key->name));
        break;
    case KIND_NUMBER:
        *(int *)place = (int)cfg_getint(cfg, key->name);
        break;
    case KIND_SWITCH:
        *(bool *)place = cfg_getbool(cfg, key->name) == cfg_true;
        break;
    case KIND_WORD:
        *(int *)place = word_place(key->words, cfg_getstr(cfg, key->name));
        break;
    case KIND_LIST:
        take_list(place, cfg, key->name);
        break;
    }
}

static void host_name(struct settings *settings)
{
    char name[256] = "";
    if (settings->hostname[0] != '\0')
        return;
    if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0')
        str_copy(name, sizeof name, "localhost");
    free(settings->hostname);
    settings->hostname = xstrdup(name);
}

/* `path` NULL = defaults alone. */
static int parse(struct settings *settings, const char *path)
{
    cfg_opt_t options[KEYS + 1];
    const cfg_opt_t end = CFG_END();
    *settings = (struct settings){0};
    for (size_t i = 0; i < KEYS; i++)
        options[i] = option_of(&keys[i]);
    options[KEYS] = end;
    cfg_t *cfg = cfg_init(options, CFGF_NONE);
    cfg_set_error_function(cfg, note_error);
    for (size_t i = 0; i < KEYS; i++)
        cfg_set_validate_func(cfg, keys[i].name, check_value);
    int result = 0, parsed = path != NULL ? cfg_parse(cfg, path) : CFG_SUCCESS;
    if (parsed == CFG_FILE_ERROR)
        result = err_set(ERR_IO, "cannot read %s: %s", path, strerror(errno));
    else if (parsed != CFG_SUCCESS)
        result = ERR_INVALID;
    for (size_t i = 0; i < KEYS && result == 0; i++)
        take(settings, &keys[i], cfg);
    cfg_free(cfg);
    if (result == 0)
        host_name(settings);
    return result;
}

void settings_defaults(struct settings *settings)
{
    if (parse(settings, NULL) < 0)
        abort(); /* the table above is wrong */
}

/* The first line of a file. */
static int read_secret(char **secret, const char *path)
{
    char text[KEY_FILE_MAX + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, KEY_FILE_MAX) : -1;
    int failed = errno;
    if (fd >= 0)
        close(fd);
    if (got < 0)
        return err_set(ERR_IO, "cannot read %s: %s", path, strerror(failed));
    text[got] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    if (text[0] == '\0')
        return err_set(ERR_INVALID, "%s is empty", path);
    *secret = xstrdup(text);
    explicit_bzero(text, sizeof text); /* the only copy is the one that a reader wipes */
    return 0;
}

static int check(const struct settings *settings, const char *path)
{
    const char *host = settings->smarthost;
    struct cidr network;
    if (settings->domains.count == 0)
        return err_set(ERR_INVALID, "%s: domains is missing: those whose mail becomes faxes, as {\"fax.example\"}",
                       path);
    if (strncmp(settings->server, "http://", 7) != 0 && strncmp(settings->server, "https://", 8) != 0)
        return err_set(ERR_INVALID, "%s: server begins with http:// or https://, not \"%s\"", path, settings->server);
    if (host[0] != '\0' && strncmp(host, "smtp://", 7) != 0 && strncmp(host, "smtps://", 8) != 0)
        return err_set(ERR_INVALID, "%s: smarthost begins with smtp:// or smtps://, not \"%s\"", path, host);
    if (host[0] != '\0' && settings->answer_from[0] == '\0')
        return err_set(ERR_INVALID, "%s: answer_from is missing: the address that answers are from", path);
    if (settings->smarthost_password_file[0] != '\0' && settings->smarthost_tls != TLS_REQUIRE &&
        strncmp(host, "smtps://", 8) != 0)
        return err_set(ERR_INVALID, "%s: smarthost_password_file needs smarthost_tls = require, or smtps://", path);
    if (!time_zone_is_known(settings->time_zone))
        return err_set(ERR_INVALID, "%s: time_zone \"%s\" is not known", path, settings->time_zone);
    for (int i = 0; i < settings->trusted_networks.count; i++) {
        if (cidr_parse(&network, settings->trusted_networks.items[i]) < 0)
            return err_set(ERR_INVALID, "%s: trusted_networks: \"%s\" is no network like 192.0.2.0/24", path,
                           settings->trusted_networks.items[i]);
    }
    return 0;
}

int settings_read(struct settings *settings, const char *path)
{
    int result = parse(settings, path);
    if (result == 0)
        result = check(settings, path);
    if (result == 0)
        result = read_secret(&settings->key, settings->key_file);
    if (result == 0 && settings->smarthost_password_file[0] != '\0')
        result = read_secret(&settings->smarthost_password, settings->smarthost_password_file);
    return result;
}

void settings_clear(struct settings *settings)
{
    for (size_t i = 0; i < KEYS; i++) {
        void *place = (char *)settings + keys[i].offset;
        if (keys[i].kind == KIND_TEXT)
            free(*(char **)place);
        if (keys[i].kind != KIND_LIST)
            continue;
        struct words *words = place;
        for (int item = 0; item < words->count; item++)
            free(words->items[item]);
        free(words->items);
    }
    free(settings->key);
    free(settings->smarthost_password);
    *settings = (struct settings){0};
}
