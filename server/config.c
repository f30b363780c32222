/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of keys and what reads it. libConfuse parses; types it knows are checked by it, ranges and words by the
 * table, in the parser's validation calls, so that every message has file and line. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/config.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/number.h"
#include "server/base/str.h"

#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum key_type { KEY_TEXT, KEY_WORD, KEY_NUMBER, KEY_SWITCH, KEY_LIST, KEY_NUMBERS };

struct config_key {
    const char *section;
    const char *name;
    enum key_type type;
    const char *fallback; /* default as written in a file */
    long low, high;       /* KEY_NUMBER and each of KEY_NUMBERS; KEY_TEXT: longest in octets */
    const char *words;    /* KEY_WORD: allowed, separated by blanks */
    const char *help;
};

#define DAY_S 86400
#define MIB   (1024L * 1024L)

/* Sections in the order of the example file. */
static const struct config_key keys[] = {
    {"server", "log_level", KEY_WORD, "info", 0, 0, "error warning info debug", "how much the log tells"},
    {"server", "log_file", KEY_TEXT, "", 0, 1000, NULL, "absolute path; empty = standard error"},
    {"server", "drain_timeout", KEY_NUMBER, "120", 0, 3600, NULL, "seconds to wait for running calls on SIGTERM"},
    {"store", "state_dir", KEY_TEXT, LOCALSTATEDIR "/lib/faxd", 1, 1000, NULL, "database, documents, journals"},
    {"store", "min_free_mib", KEY_NUMBER, "64", 1, 1048576, NULL, "less room on the disk than this refuses new faxes"},
    {"store", "idempotency_ttl", KEY_NUMBER, "259200", 60, 30L * DAY_S, NULL,
     "seconds that an Idempotency-Key is remembered"},
    {"web", "listen", KEY_TEXT, "127.0.0.1:8080", 3, 200, NULL,
     "ADDRESS:PORT or [ADDRESS]:PORT; port 0 = any free one"},
    {"web", "body_max_mib", KEY_NUMBER, "64", 1, 1024, NULL, "largest request body"},
    {"web", "memory_max_mib", KEY_NUMBER, "512", 8, 65536, NULL, "all request bodies under way together"},
    {"web", "connections_max", KEY_NUMBER, "2000", 10, 100000, NULL, "open connections"},
    {"web", "allow_private_webhooks", KEY_SWITCH, "false", 0, 0, NULL,
     "webhooks may go to private and loopback addresses"},
    {"convert", "parallel", KEY_NUMBER, "2", 1, 64, NULL, "documents prepared at the same time"},
    {"convert", "timeout", KEY_NUMBER, "120", 5, 3600, NULL, "seconds for one document"},
    {"retry", "max_attempts", KEY_NUMBER, "5", 1, 50, NULL, "calls that count, in all"},
    {"retry", "max_uncounted", KEY_NUMBER, "200", 1, 1000, NULL, "calls in a row for which no line could be had"},
    {"retry", "resume", KEY_WORD, "remaining", 0, 0, "remaining first_and_remaining all",
     "pages that the next call sends"},
    {"retry", "on_unconfirmed", KEY_WORD, "stop", 0, 0, "stop resend", "when the last confirmation was lost"},
    {"retry", "busy", KEY_NUMBERS, "{60, 120, 180, 300}", 1, 7L * DAY_S, NULL,
     "seconds between calls, the last repeats"},
    {"retry", "no_answer", KEY_NUMBERS, "{600, 900}", 1, 7L * DAY_S, NULL, "seconds between calls"},
    {"retry", "line", KEY_NUMBERS, "{5, 15, 60}", 1, 7L * DAY_S, NULL, "seconds, when no line could be had"},
    {"retry", "protocol", KEY_NUMBERS, "{60, 300}", 1, 7L * DAY_S, NULL,
     "seconds, when the machines did not understand each other"},
    {"retry", "disconnected", KEY_NUMBERS, "{300}", 1, 7L * DAY_S, NULL, "seconds, when the call was cut"},
    {"webhook", "url", KEY_TEXT, "", 1, 2000, NULL, "http or https"},
    {"webhook", "secret", KEY_TEXT, "", 0, 200, NULL, "whsec_ and base64; empty = made at the first start"},
    {"webhook", "events", KEY_LIST, "{}", 0, 100, NULL,
     "types or prefixes such as \"fax.*\"; {} = all but the opt-in ones"},
    {"provider", "module", KEY_TEXT, "", 1, 1000, NULL, "softmodem, simulator, or the absolute path of an FSP"},
    {"provider", "engine", KEY_TEXT, "", 0, 1000, NULL, "absolute path of another T.30 engine; empty = ours"},
    {"provider", "calls_per_engine", KEY_NUMBER, "1", 1, 256, NULL, "calls that share an engine process"},
    {"provider", "abort_grace", KEY_NUMBER, "60", 1, 600, NULL,
     "seconds until a call that ignores an abort costs its line"},
    {"provider", "orphan_grace", KEY_NUMBER, "60", 1, 3600, NULL,
     "seconds that the host waits for a faxd before it leaves"},
    {"provider", "start_id", KEY_WORD, "index", 0, 0, "index full", "what FaxDevStartJob gets as device"},
    {"provider", "dial_prefix", KEY_TEXT, "", 0, 8, NULL, "set before each number; T for FSPs made for Windows"},
    {"provider", "simulated", KEY_SWITCH, "false", 0, 0, NULL, "places no real call: carries faxes of test keys"},
    {"line", "number", KEY_TEXT, "", 0, 40, NULL, "its own number; empty = its name"},
    {"line", "station_id", KEY_TEXT, "", 0, 20, NULL, "T.30 identification; empty = its number"},
    {"line", "groups", KEY_LIST, "{default}", 1, 16, NULL, "line groups whose faxes it carries"},
    {"line", "send", KEY_SWITCH, "true", 0, 0, NULL, "may send"},
    {"line", "receive", KEY_SWITCH, "true", 0, 0, NULL, "may receive"},
};

#define KEY_COUNT     (sizeof keys / sizeof keys[0])
#define LINES_MAX     1000
#define PROVIDERS_MAX 64

static const char *const sections[] = {"server", "store", "web", "convert", "retry", "webhook", "provider"};

#define SECTION_COUNT (sizeof sections / sizeof sections[0])

/* libConfuse's callbacks have no user pointer: the parse under way, one at a time (thread: loop). */
static struct {
    FILE *report;
    const char *name;
    int faults;
} parse;

static void report_fault(int line, const char *fmt, va_list arguments)
{
    char text[600];

    vsnprintf(text, sizeof text, fmt, arguments);
    parse.faults++;
    if (parse.report != NULL)
        fprintf(parse.report, "%s:%d: %s\n", parse.name, line, text);
    else
        log_error("configuration %s:%d: %s", parse.name, line, text);
}

static void on_confuse_error(cfg_t *cfg, const char *fmt, va_list arguments)
{
    /* libConfuse 3.3 also reports each free key of a key=value section as unknown, and then takes it. */
    if ((cfg->flags & CFGF_KEYSTRVAL) != 0 && strstr(fmt, "no such option") != NULL)
        return;
    report_fault(cfg->line, fmt, arguments);
}

static void fault(cfg_t *cfg, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void fault(cfg_t *cfg, const char *fmt, ...)
{
    va_list arguments;

    va_start(arguments, fmt);
    report_fault(cfg->line, fmt, arguments);
    va_end(arguments);
}

static const struct config_key *key_find(const char *section, const char *name)
{
    for (unsigned i = 0; i < KEY_COUNT; i++)
        if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

static bool word_allowed(const char *words, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = words; length > 0 && (at = strstr(at, word)) != NULL; at += length)
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

static void check_text(cfg_t *cfg, const struct config_key *key, const char *text)
{
    size_t length = strlen(text);

    if (key->type == KEY_WORD && !word_allowed(key->words, text))
        fault(cfg, "%s|%s: '%.60s' is not one of: %s", key->section, key->name, text, key->words);
    else if (key->type == KEY_TEXT && ((long)length > key->high || (long)length < key->low))
        fault(cfg, "%s|%s: the text has %zu characters, %ld to %ld are allowed", key->section, key->name, length,
              key->low, key->high);
    else if (!str_is_utf8(text, length))
        fault(cfg, "%s|%s: the text is not UTF-8", key->section, key->name);
    else if (strcmp(key->name, "station_id") == 0 && str_check_station_id(text) != 0)
        fault(cfg, "%s|%s: %s", key->section, key->name, err_message());
}

static void check_value(cfg_t *cfg, const struct config_key *key, cfg_opt_t *option, unsigned at)
{
    switch (key->type) {
    case KEY_TEXT:
    case KEY_WORD:
    case KEY_LIST:
        check_text(cfg, key, cfg_opt_getnstr(option, at));
        break;
    case KEY_NUMBER:
    case KEY_NUMBERS: {
        long value = cfg_opt_getnint(option, at);

        if (value < key->low || value > key->high)
            fault(cfg, "%s|%s: %ld is out of range, %ld to %ld are allowed", key->section, key->name, value, key->low,
                  key->high);
        break;
    }
    case KEY_SWITCH:
        break;
    }
}

/* Called by libConfuse after each value it has taken. Faults are counted and parsing goes on, so that one run names
 * every wrong value. */
static int validate(cfg_t *cfg, cfg_opt_t *option)
{
    const struct config_key *key = key_find(cfg->name, option->name);
    unsigned count = cfg_opt_size(option);
    unsigned most = key->type == KEY_NUMBERS ? RETRY_DELAYS_MAX : key->type == KEY_LIST ? (unsigned)key->high : 1;

    if (count > most)
        fault(cfg, "%s|%s: %u values, %u are allowed", key->section, key->name, count, most);
    else if (count > 0)
        check_value(cfg, key, option, count - 1);
    return 0;
}

static cfg_opt_t key_option(const struct config_key *key)
{
    switch (key->type) {
    case KEY_NUMBER:
        return (cfg_opt_t)CFG_INT(key->name, strtol(key->fallback, NULL, 10), CFGF_NONE);
    case KEY_SWITCH:
        return (cfg_opt_t)CFG_BOOL(key->name, strcmp(key->fallback, "true") == 0 ? cfg_true : cfg_false, CFGF_NONE);
    case KEY_LIST:
        return (cfg_opt_t)CFG_STR_LIST(key->name, (char *)key->fallback, CFGF_NONE);
    case KEY_NUMBERS:
        return (cfg_opt_t)CFG_INT_LIST(key->name, (char *)key->fallback, CFGF_NONE);
    case KEY_TEXT:
    case KEY_WORD:
        break;
    }
    return (cfg_opt_t)CFG_STR(key->name, key->fallback, CFGF_NONE);
}

/* The options of one section into `room`, with `extra` sections behind them; ended. */
static void section_options(cfg_opt_t *room, const char *section, const cfg_opt_t *extra, int extra_count)
{
    static const cfg_opt_t end = CFG_END();
    int count = 0;

    for (unsigned i = 0; i < KEY_COUNT; i++)
        if (strcmp(keys[i].section, section) == 0)
            room[count++] = key_option(&keys[i]);
    for (int i = 0; i < extra_count; i++)
        room[count++] = extra[i];
    room[count] = end;
}

static void validate_section(cfg_t *cfg, const char *path, const char *section)
{
    char name[100];

    for (unsigned i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].section, section) != 0)
            continue;
        snprintf(name, sizeof name, "%s|%s", path, keys[i].name);
        cfg_set_validate_func(cfg, name, validate);
    }
}

static cfg_t *parser_new(void)
{
    static cfg_opt_t none[] = {CFG_END()};
    cfg_opt_t line[16], provider[24], plain[SECTION_COUNT][24], top[SECTION_COUNT + 1];
    cfg_opt_t settings = CFG_SEC("settings", none, CFGF_KEYSTRVAL);
    cfg_opt_t inner[2];
    cfg_t *cfg;

    section_options(line, "line", &settings, 1);
    inner[0] = settings;
    inner[1] = (cfg_opt_t)CFG_SEC("line", line, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
    section_options(provider, "provider", inner, 2);
    for (unsigned i = 0; i < SECTION_COUNT; i++) {
        bool many = strcmp(sections[i], "provider") == 0 || strcmp(sections[i], "webhook") == 0;

        section_options(plain[i], sections[i], NULL, 0);
        top[i] = (cfg_opt_t)CFG_SEC(sections[i], strcmp(sections[i], "provider") == 0 ? provider : plain[i],
                                    many ? CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES : CFGF_NONE);
    }
    top[SECTION_COUNT] = (cfg_opt_t)CFG_END();
    cfg = cfg_init(top, CFGF_NONE);
    if (cfg == NULL)
        return NULL;
    cfg_set_error_function(cfg, on_confuse_error);
    for (unsigned i = 0; i < SECTION_COUNT; i++)
        validate_section(cfg, sections[i], sections[i]);
    validate_section(cfg, "provider|line", "line");
    return cfg;
}

/* A free value as the JSON that it looks like: true, false, a number, else text. */
static json_t *free_value(const char *text)
{
    char *end;
    long long whole;
    double real;

    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return json_boolean(text[0] == 't');
    errno = 0;
    whole = strtoll(text, &end, 10);
    if (*text != '\0' && *end == '\0' && errno == 0 && (text[0] != '0' || text[1] == '\0'))
        return json_integer(whole);
    real = strtod(text, &end);
    if (*text != '\0' && *end == '\0' && errno == 0 && strchr(text, '.') != NULL && strpbrk(text, "nNxX") == NULL)
        return json_real(real);
    return json_string(text);
}

/* Put a value under a dotted key: "numbers.1005.behaviour" makes two objects. */
static void set_dotted(json_t *object, const char *key, json_t *value)
{
    const char *dot = strchr(key, '.');

    if (dot == NULL || dot == key || dot[1] == '\0') {
        json_object_set_new(object, key, value);
        return;
    }
    char *first = strndup(key, (size_t)(dot - key));
    json_t *inner = json_object_get(object, first);

    if (!json_is_object(inner)) {
        inner = json_object();
        json_object_set_new(object, first, inner);
    }
    set_dotted(inner, dot + 1, value);
    free(first);
}

static json_t *read_settings(cfg_t *section)
{
    cfg_t *settings = cfg_getsec(section, "settings");
    json_t *object = json_object();

    for (unsigned i = 0; settings != NULL && i < cfg_num(settings); i++) {
        cfg_opt_t *option = cfg_getnopt(settings, i);
        const char *text = option != NULL && cfg_opt_size(option) > 0 ? cfg_opt_getnstr(option, 0) : NULL;

        if (text == NULL)
            continue;
        if (!str_is_utf8(text, strlen(text)) || !str_is_utf8(option->name, strlen(option->name)))
            fault(settings, "settings|%.60s: the text is not UTF-8", option->name);
        else
            set_dotted(object, option->name, free_value(text));
    }
    return object;
}

static char **read_list(cfg_t *section, const char *name)
{
    unsigned count = cfg_size(section, name);
    char **list = xcalloc(count + 1UL, sizeof *list);

    for (unsigned i = 0; i < count; i++)
        list[i] = xstrdup(cfg_getnstr(section, name, i));
    return list;
}

static void read_line(struct config_line *line, cfg_t *section)
{
    char number[NUMBER_SIZE];
    const char *text = cfg_getstr(section, "number");

    line->name = xstrdup(cfg_title(section));
    if (text[0] == '\0')
        text = line->name;
    if (number_normalise(number, text) != 0)
        fault(section, "line|number: %s", err_message());
    line->number = xstrdup(text);
    line->station_id = xstrdup(cfg_getstr(section, "station_id"));
    if (line->station_id[0] == '\0' && str_check_station_id(line->number) == 0) {
        free(line->station_id);
        line->station_id = xstrdup(line->number);
    }
    line->groups = read_list(section, "groups");
    line->send = cfg_getbool(section, "send") == cfg_true;
    line->receive = cfg_getbool(section, "receive") == cfg_true;
    line->settings = read_settings(section);
}

static bool is_plain_name(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strlen(name) < 60 &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+")] == '\0';
}

static void read_provider(struct config_provider *provider, cfg_t *section)
{
    unsigned lines = cfg_size(section, "line");

    provider->name = xstrdup(cfg_title(section));
    if (!is_plain_name(provider->name))
        fault(section, "provider: '%.60s' is no name: use letters, digits, - _ . +", provider->name);
    provider->module = xstrdup(cfg_getstr(section, "module"));
    if (provider->module[0] == '\0')
        fault(section, "provider|module: '%s' names no module: add module = softmodem", provider->name);
    provider->engine = xstrdup(cfg_getstr(section, "engine"));
    provider->start_id = xstrdup(cfg_getstr(section, "start_id"));
    provider->dial_prefix = xstrdup(cfg_getstr(section, "dial_prefix"));
    provider->calls_per_engine = (int)cfg_getint(section, "calls_per_engine");
    provider->abort_grace_s = (int)cfg_getint(section, "abort_grace");
    provider->orphan_grace_s = (int)cfg_getint(section, "orphan_grace");
    provider->simulated = cfg_getbool(section, "simulated") == cfg_true || strcmp(provider->module, "simulator") == 0;
    provider->settings = read_settings(section);
    if (lines == 0 || lines > LINES_MAX) {
        fault(section, "provider|line: '%s' has %u lines, 1 to %d are allowed", provider->name, lines, LINES_MAX);
        lines = lines > LINES_MAX ? LINES_MAX : 0;
    }
    provider->lines = xcalloc(lines + 1UL, sizeof *provider->lines);
    for (unsigned i = 0; i < lines; i++) {
        cfg_t *line = cfg_getnsec(section, "line", i);

        if (!is_plain_name(cfg_title(line)))
            fault(line, "line: '%.60s' is no name: use letters, digits, - _ . +", cfg_title(line));
        read_line(&provider->lines[provider->line_count++], line);
    }
}

static void read_delays(int *delays, cfg_t *section, const char *name)
{
    unsigned count = cfg_size(section, name);

    memset(delays, 0, RETRY_DELAYS_MAX * sizeof *delays);
    for (unsigned i = 0; i < count && i < RETRY_DELAYS_MAX; i++)
        delays[i] = (int)cfg_getnint(section, name, i);
}

static void read_retry(struct retry_policy *retry, cfg_t *section)
{
    const char *resume = cfg_getstr(section, "resume");

    retry->max_attempts = (int)cfg_getint(section, "max_attempts");
    retry->max_uncounted = (int)cfg_getint(section, "max_uncounted");
    retry->resume = strcmp(resume, "all") == 0                   ? FAX_RESUME_ALL
                    : strcmp(resume, "first_and_remaining") == 0 ? FAX_RESUME_FIRST_AND_REMAINING
                                                                 : FAX_RESUME_REMAINING;
    retry->on_unconfirmed =
        strcmp(cfg_getstr(section, "on_unconfirmed"), "resend") == 0 ? FAX_UNCONFIRMED_RESEND : FAX_UNCONFIRMED_STOP;
    read_delays(retry->delay_s[RETRY_BUSY], section, "busy");
    read_delays(retry->delay_s[RETRY_NO_ANSWER], section, "no_answer");
    read_delays(retry->delay_s[RETRY_LINE], section, "line");
    read_delays(retry->delay_s[RETRY_PROTOCOL], section, "protocol");
    read_delays(retry->delay_s[RETRY_DISCONNECTED], section, "disconnected");
}

static json_t *read_webhooks(cfg_t *cfg)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < cfg_size(cfg, "webhook"); i++) {
        cfg_t *section = cfg_getnsec(cfg, "webhook", i);
        json_t *events = json_array();

        if (cfg_getstr(section, "url")[0] == '\0')
            fault(section, "webhook|url: '%.60s' has no url", cfg_title(section));
        for (unsigned k = 0; k < cfg_size(section, "events"); k++)
            json_array_append_new(events, json_string(cfg_getnstr(section, "events", k)));
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "url", cfg_getstr(section, "url"), "secret",
                                              cfg_getstr(section, "secret"), "events", events));
    }
    return list;
}

static void read_server(struct config *config, cfg_t *cfg)
{
    cfg_t *server = cfg_getsec(cfg, "server"), *store = cfg_getsec(cfg, "store"), *web = cfg_getsec(cfg, "web");
    cfg_t *convert = cfg_getsec(cfg, "convert");

    config->log_level = xstrdup(cfg_getstr(server, "log_level"));
    config->log_file = xstrdup(cfg_getstr(server, "log_file"));
    config->drain_timeout_s = (int)cfg_getint(server, "drain_timeout");
    config->state_dir = xstrdup(cfg_getstr(store, "state_dir"));
    config->min_free_bytes = cfg_getint(store, "min_free_mib") * MIB;
    config->idempotency_ttl_s = (int)cfg_getint(store, "idempotency_ttl");
    config->body_max = cfg_getint(web, "body_max_mib") * MIB;
    config->memory_max = cfg_getint(web, "memory_max_mib") * MIB;
    config->connections_max = (int)cfg_getint(web, "connections_max");
    config->allow_private_webhooks = cfg_getbool(web, "allow_private_webhooks") == cfg_true;
    config->convert_parallel = (int)cfg_getint(convert, "parallel");
    config->convert_timeout_s = (int)cfg_getint(convert, "timeout");
    if (config_set_listen(config, cfg_getstr(web, "listen")) != 0)
        fault(web, "web|listen: %s", err_message());
    if (config->log_file[0] != '\0' && config->log_file[0] != '/')
        fault(server, "server|log_file: '%.60s' is not an absolute path", config->log_file);
}

static void check_line_names(struct config *config, cfg_t *cfg)
{
    for (int i = 0; i < config->provider_count; i++)
        for (int k = 0; k < i; k++)
            if (strcmp(config->providers[i].name, config->providers[k].name) == 0)
                fault(cfg, "provider: the name '%s' is used twice", config->providers[i].name);
}

static void read_all(struct config *config, cfg_t *cfg)
{
    unsigned count = cfg_size(cfg, "provider");

    memset(config, 0, sizeof *config);
    read_server(config, cfg);
    retry_policy_default(&config->retry);
    read_retry(&config->retry, cfg_getsec(cfg, "retry"));
    config->webhooks = read_webhooks(cfg);
    if (count == 0 || count > PROVIDERS_MAX) {
        fault(cfg, "provider: there are %u, 1 to %d are needed", count, PROVIDERS_MAX);
        count = 0;
    }
    config->providers = xcalloc(count + 1UL, sizeof *config->providers);
    for (unsigned i = 0; i < count; i++)
        read_provider(&config->providers[config->provider_count++], cfg_getnsec(cfg, "provider", i));
    check_line_names(config, cfg);
}

int config_parse(struct config *config, const char *name, const char *text, FILE *report)
{
    FILE *stream = NULL;
    struct config read = {0};
    cfg_t *cfg = NULL;
    int error = 0;

    parse.report = report;
    parse.name = name;
    parse.faults = 0;
    cfg = parser_new();
    /* An empty text has no stream of its own in glibc. */
    stream = fmemopen((void *)(text[0] != '\0' ? text : "\n"), text[0] != '\0' ? strlen(text) : 1, "r");
    if (cfg == NULL || stream == NULL) {
        error = err_set(ERR_INTERNAL, "no memory for the configuration");
        goto out;
    }
    if (cfg_parse_fp(cfg, stream) != CFG_SUCCESS) {
        error = err_set(ERR_INVALID, "%s: not read to its end", name);
        goto out;
    }
    read_all(&read, cfg);
    if (parse.faults > 0) {
        error = err_set(ERR_INVALID, "%s: %d fault%s", name, parse.faults, parse.faults == 1 ? "" : "s");
        config_clear(&read);
        goto out;
    }
    *config = read;
out:
    if (stream != NULL)
        fclose(stream);
    if (cfg != NULL)
        cfg_free(cfg);
    return error;
}

#define FILE_MAX (4 * MIB)

int config_load(struct config *config, const char *path, FILE *report)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size;
    int error;

    if (file == NULL)
        return err_set(ERR_IO, "cannot open %s: %s", path, strerror(errno));
    text = xmalloc(FILE_MAX + 1);
    size = fread(text, 1, FILE_MAX, file);
    text[size] = '\0';
    if (ferror(file))
        error = err_set(ERR_IO, "cannot read %s: %s", path, strerror(errno));
    else if (size == FILE_MAX)
        error = err_set(ERR_TOO_BIG, "%s: more than 4 MiB", path);
    else if (strlen(text) != size)
        error = err_set(ERR_INVALID, "%s: there is a NUL octet in it", path);
    else
        error = config_parse(config, path, text, report);
    fclose(file);
    free(text);
    return error;
}

static const char embedded[] =
    "provider \"exchange\" {\n"
    "    module = softmodem\n"
    "    settings { carrier = exchange  pace = 0 }\n"
    "    line \"1001\" {}\n    line \"1002\" {}\n    line \"1003\" {}\n    line \"1004\" {}\n"
    "}\n";

void config_default(struct config *config)
{
    if (config_parse(config, "embedded default", embedded, NULL) != 0) {
        log_error("the embedded configuration is wrong: %s", err_message());
        abort();
    }
}

int config_set_listen(struct config *config, const char *text)
{
    const char *colon = strrchr(text, ':');
    char address[100];
    int64_t port;
    size_t length;

    if (colon == NULL || colon == text)
        return err_set(ERR_INVALID, "'%.100s' is not ADDRESS:PORT", text);
    if (str_to_int(&port, colon + 1, 0, 65535) != 0)
        return err_set(ERR_INVALID, "'%.20s' is no port, 0 to 65535 are", colon + 1);
    length = (size_t)(colon - text);
    if (text[0] == '[' && colon[-1] == ']') {
        text++;
        length -= 2;
    }
    if (length == 0 || length >= sizeof address)
        return err_set(ERR_INVALID, "'%.100s' has no usable address", text);
    memcpy(address, text, length);
    address[length] = '\0';
    free(config->listen_address);
    config->listen_address = xstrdup(address);
    config->listen_port = (int)port;
    return 0;
}

static void line_clear(struct config_line *line)
{
    for (char **group = line->groups; group != NULL && *group != NULL; group++)
        free(*group);
    free(line->groups);
    free(line->name);
    free(line->number);
    free(line->station_id);
    json_decref(line->settings);
}

static void provider_clear(struct config_provider *provider)
{
    for (int i = 0; i < provider->line_count; i++)
        line_clear(&provider->lines[i]);
    free(provider->lines);
    free(provider->name);
    free(provider->module);
    free(provider->engine);
    free(provider->start_id);
    free(provider->dial_prefix);
    json_decref(provider->settings);
}

void config_clear(struct config *config)
{
    for (int i = 0; i < config->provider_count; i++)
        provider_clear(&config->providers[i]);
    free(config->providers);
    json_decref(config->webhooks);
    free(config->log_level);
    free(config->log_file);
    free(config->state_dir);
    free(config->listen_address);
    memset(config, 0, sizeof *config);
}

static void example_key(FILE *out, const struct config_key *key, const char *indent)
{
    bool quoted = key->type == KEY_TEXT || key->type == KEY_WORD;

    fprintf(out, "%s# %s", indent, key->help);
    if (key->type == KEY_WORD)
        fprintf(out, "; one of: %s", key->words);
    else if (key->type == KEY_NUMBER || key->type == KEY_NUMBERS)
        fprintf(out, "; %ld to %ld", key->low, key->high);
    fprintf(out, "\n%s%s%s = %s%s%s\n", indent, "# ", key->name, quoted ? "\"" : "", key->fallback, quoted ? "\"" : "");
}

static void example_section(FILE *out, const char *section, const char *indent)
{
    for (unsigned i = 0; i < KEY_COUNT; i++)
        if (strcmp(keys[i].section, section) == 0)
            example_key(out, &keys[i], indent);
}

void config_example(FILE *out)
{
    fputs("# faxd.conf: every key with its default. Remove the # of those that you change.\n\n", out);
    for (unsigned i = 0; i < SECTION_COUNT; i++) {
        bool webhook = strcmp(sections[i], "webhook") == 0;

        if (strcmp(sections[i], "provider") == 0)
            break;
        fprintf(out, "%s%s {\n", webhook ? "# webhook \"office\"" : sections[i], webhook ? "" : "");
        example_section(out, sections[i], "    ");
        fprintf(out, "%s}\n\n", webhook ? "# " : "");
    }
    fputs("provider \"exchange\" {\n    module = softmodem\n", out);
    example_section(out, "provider", "    ");
    fputs("    # Keys of the module; dots make groups: numbers.1003.noise_dbm0 = -50\n"
          "    settings {\n        carrier = exchange\n        pace = 0\n    }\n    line \"1001\" {\n",
          out);
    example_section(out, "line", "        ");
    fputs("    }\n    line \"1002\" {}\n    line \"1003\" {}\n    line \"1004\" {}\n}\n", out);
}

json_t *config_provider_json(const struct config_provider *provider, const char *engine, const char *work_dir)
{
    json_t *lines = json_array();

    for (int i = 0; i < provider->line_count; i++) {
        const struct config_line *line = &provider->lines[i];

        json_array_append_new(lines,
                              json_pack("{s:s, s:s, s:s, s:O}", "name", line->name, "number", line->number,
                                        "station_id", line->station_id[0] != '\0' ? line->station_id : line->number,
                                        "settings", line->settings));
    }
    return json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:O, s:o}", "name", provider->name, "engine",
                     provider->engine[0] != '\0' ? provider->engine : engine, "work_dir", work_dir, "calls_per_engine",
                     provider->calls_per_engine, "start_id", provider->start_id, "dial_prefix", provider->dial_prefix,
                     "settings", provider->settings, "lines", lines);
}
