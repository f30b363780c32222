/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what libConfuse parsed to struct config. Values were checked one by one already; here they are checked against
 * one another. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/config_private.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/number.h"
#include "server/base/str.h"
#include "server/base/time_zone.h"
#include "spool/inbound_rule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX     1000
#define PROVIDERS_MAX 64

/* A free value as the JSON that it looks like: true, false, a number, else text. A number to dial is text: what begins
 * with + or 0 would lose it. */
static json_t *free_value(const char *text)
{
    char *end;
    long long whole;
    double real;

    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return json_boolean(text[0] == 't');
    errno = 0;
    whole = strtoll(text, &end, 10);
    if (*text != '\0' && *end == '\0' && errno == 0 && (text[0] != '0' || text[1] == '\0') && text[0] != '+')
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
            config_fault(settings, "settings|%.60s: the text is not UTF-8", option->name);
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
        config_fault(section, "line|number: %s", err_message());
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
        config_fault(section, "provider: '%.60s' is no name: use letters, digits, - _ . +", provider->name);
    provider->module = xstrdup(cfg_getstr(section, "module"));
    if (provider->module[0] == '\0')
        config_fault(section, "provider|module: '%s' names no module: add module = softmodem", provider->name);
    provider->engine = xstrdup(cfg_getstr(section, "engine"));
    provider->start_id = xstrdup(cfg_getstr(section, "start_id"));
    provider->dial_prefix = xstrdup(cfg_getstr(section, "dial_prefix"));
    provider->calls_per_engine = (int)cfg_getint(section, "calls_per_engine");
    provider->abort_grace_s = (int)cfg_getint(section, "abort_grace");
    provider->orphan_grace_s = (int)cfg_getint(section, "orphan_grace");
    provider->simulated = cfg_getbool(section, "simulated") == cfg_true || strcmp(provider->module, "simulator") == 0;
    provider->settings = read_settings(section);
    if (lines == 0 || lines > LINES_MAX) {
        config_fault(section, "provider|line: '%s' has %u lines, 1 to %d are allowed", provider->name, lines,
                     LINES_MAX);
        lines = lines > LINES_MAX ? LINES_MAX : 0;
    }
    provider->lines = xcalloc(lines + 1UL, sizeof *provider->lines);
    for (unsigned i = 0; i < lines; i++) {
        cfg_t *line = cfg_getnsec(section, "line", i);

        if (!is_plain_name(cfg_title(line)))
            config_fault(line, "line: '%.60s' is no name: use letters, digits, - _ . +", cfg_title(line));
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

static void read_retention(struct retention_policy *retention, cfg_t *section)
{
    retention->outbound_documents_days = (int)cfg_getint(section, "outbound_documents");
    retention->outbound_records_days = (int)cfg_getint(section, "outbound_records");
    retention->inbound_documents_days = (int)cfg_getint(section, "inbound_documents");
    retention->inbound_records_days = (int)cfg_getint(section, "inbound_records");
}

static json_t *read_webhooks(cfg_t *cfg)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < cfg_size(cfg, "webhook"); i++) {
        cfg_t *section = cfg_getnsec(cfg, "webhook", i);
        json_t *events = json_array();

        if (cfg_getstr(section, "url")[0] == '\0')
            config_fault(section, "webhook|url: '%.60s' has no url", cfg_title(section));
        for (unsigned k = 0; k < cfg_size(section, "events"); k++)
            json_array_append_new(events, json_string(cfg_getnstr(section, "events", k)));
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "url", cfg_getstr(section, "url"), "secret",
                                              cfg_getstr(section, "secret"), "events", events));
    }
    return list;
}

static void set_text(json_t *object, const char *name, cfg_t *section, const char *key)
{
    const char *text = cfg_getstr(section, key);

    if (text[0] != '\0')
        json_object_set_new(object, name, json_string(text));
}

static void set_list(json_t *object, const char *name, cfg_t *section, const char *key)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < cfg_size(section, key); i++)
        json_array_append_new(list, json_string(cfg_getnstr(section, key, i)));
    json_object_set_new(object, name, list);
}

static json_t *read_window(cfg_t *section)
{
    json_t *window = json_object(), *days = json_array();

    set_text(window, "from", section, "from_time");
    set_text(window, "to", section, "to_time");
    set_text(window, "time_zone", section, "time_zone");
    for (unsigned i = 0; i < cfg_size(section, "days"); i++)
        json_array_append_new(days, json_integer(cfg_getnint(section, "days", i)));
    if (json_array_size(days) > 0)
        json_object_set(window, "days", days);
    json_decref(days);
    if (json_object_size(window) == 0) {
        json_decref(window);
        return json_null();
    }
    return window;
}

static json_t *read_match(cfg_t *section)
{
    static const char *const texts[] = {"did",        "did_prefix", "line",        "group",      "from",
                                        "station_id", "outcome",    "from_prefix", "subaddress", "station_id_prefix"};
    static const char *const numbers[] = {"pages_min", "pages_max"};
    const char *anonymous = cfg_getstr(section, "anonymous");
    json_t *match = json_object();

    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++)
        set_text(match, texts[i], section, texts[i]);
    for (unsigned i = 0; i < 2; i++)
        if (cfg_getint(section, numbers[i]) > 0)
            json_object_set_new(match, numbers[i], json_integer(cfg_getint(section, numbers[i])));
    if (strcmp(anonymous, "any") != 0)
        json_object_set_new(match, "anonymous", json_boolean(strcmp(anonymous, "yes") == 0));
    json_object_set_new(match, "window", read_window(section));
    return match;
}

/* Only what a method knows is handed to its reader: keys have their defaults in every section. */
static json_t *read_method(cfg_t *section)
{
    const char *type = cfg_getstr(section, "type");
    static const char *const texts[] = {"type", "format", "folder",  "name",   "to",   "language",
                                        "url",  "secret", "printer", "server", "user", "subject"};
    bool print = strcmp(type, "print") == 0, command = strcmp(type, "command") == 0;
    json_t *method = json_object();

    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++)
        set_text(method, texts[i], section, texts[i]);
    if (strcmp(type, "webhook") == 0)
        json_object_set_new(method, "expires_s", json_integer(cfg_getint(section, "expires")));
    if (print)
        json_object_set_new(method, "copies", json_integer(cfg_getint(section, "copies")));
    if (print || cfg_size(section, "options") > 0)
        set_list(method, "options", section, "options");
    if (command || cfg_size(section, "argv") > 0)
        set_list(method, "argv", section, "argv");
    if (print || command)
        json_object_set_new(method, "timeout_s", json_integer(cfg_getint(section, "timeout")));
    if (cfg_size(section, "labels") > 0)
        set_list(method, "labels", section, "labels");
    return method;
}

static json_t *read_routes(cfg_t *cfg)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < cfg_size(cfg, "route"); i++) {
        cfg_t *section = cfg_getnsec(cfg, "route", i);
        json_t *methods = json_array();

        for (unsigned k = 0; k < cfg_size(section, "method"); k++)
            json_array_append_new(methods, read_method(cfg_getnsec(section, "method", k)));
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:o, s:o}", "name", cfg_title(section), "then",
                                        cfg_getstr(section, "then"), "match", read_match(section), "methods", methods));
    }
    if (inbound_rules_check(list) != 0)
        config_fault(cfg, "route: %s", err_message());
    return list;
}

static void check_folder(cfg_t *section, const char *key)
{
    const char *path = cfg_getstr(section, key);

    if (path[0] != '\0' && path[0] != '/')
        config_fault(section, "routing|%s: '%.60s' is not an absolute path", key, path);
}

static void read_routing(struct config *config, cfg_t *section)
{
    check_folder(section, "folder_root");
    check_folder(section, "command_dir");
    check_folder(section, "lp");
    config->folder_root = xstrdup(cfg_getstr(section, "folder_root"));
    config->command_dir = xstrdup(cfg_getstr(section, "command_dir"));
    config->lp = xstrdup(cfg_getstr(section, "lp"));
    config->routes_parallel = (int)cfg_getint(section, "parallel");
    config->patience.give_up_s = (int)cfg_getint(section, "give_up");
    read_delays(config->patience.delay_s, section, "retry");
}

static void read_tls(struct config *config, cfg_t *web)
{
    config->tls_certificate = xstrdup(cfg_getstr(web, "tls_certificate"));
    config->tls_key = xstrdup(cfg_getstr(web, "tls_key"));
    config->allow_plain = cfg_getbool(web, "allow_plain") == cfg_true;
    if ((config->tls_certificate[0] == '\0') != (config->tls_key[0] == '\0'))
        config_fault(web, "web|%s: tls_certificate and tls_key belong together",
                     config->tls_key[0] == '\0' ? "tls_key" : "tls_certificate");
    if (config->tls_certificate[0] != '\0' && config->tls_certificate[0] != '/')
        config_fault(web, "web|tls_certificate: '%.60s' is not an absolute path", config->tls_certificate);
    if (config->tls_key[0] != '\0' && config->tls_key[0] != '/')
        config_fault(web, "web|tls_key: '%.60s' is not an absolute path", config->tls_key);
}

static void read_proxies(struct config *config, cfg_t *web)
{
    for (unsigned i = 0; i < cfg_size(web, "trusted_proxies") && i < FORWARDED_PROXIES_MAX; i++) {
        if (cidr_parse(&config->proxies.trusted[config->proxies.count], cfg_getnstr(web, "trusted_proxies", i)) < 0)
            config_fault(web, "web|trusted_proxies: %s", err_message());
        else
            config->proxies.count++;
    }
    config->proxies.rfc7239 = strcmp(cfg_getstr(web, "proxy_header"), "forwarded") == 0;
}

static void read_sessions(struct config *config, cfg_t *web)
{
    config->session_idle_ms = (int64_t)cfg_getint(web, "session_idle") * 1000;
    config->session_life_ms = (int64_t)cfg_getint(web, "session_life") * 1000;
    if (config->session_idle_ms > config->session_life_ms)
        config_fault(web, "web|session_idle: %lld s is longer than session_life, %lld s",
                     (long long)(config->session_idle_ms / 1000), (long long)(config->session_life_ms / 1000));
}

static void read_server(struct config *config, cfg_t *cfg)
{
    cfg_t *server = cfg_getsec(cfg, "server"), *store = cfg_getsec(cfg, "store"), *web = cfg_getsec(cfg, "web");
    cfg_t *convert = cfg_getsec(cfg, "convert");

    config->log_level = xstrdup(cfg_getstr(server, "log_level"));
    config->log_file = xstrdup(cfg_getstr(server, "log_file"));
    config->drain_timeout_s = (int)cfg_getint(server, "drain_timeout");
    config->state_dir = xstrdup(cfg_getstr(store, "state_dir"));
    config->min_free_bytes = cfg_getint(store, "min_free_mib") * CONFIG_MIB;
    config->idempotency_ttl_s = (int)cfg_getint(store, "idempotency_ttl");
    config->body_max = cfg_getint(web, "body_max_mib") * CONFIG_MIB;
    config->memory_max = cfg_getint(web, "memory_max_mib") * CONFIG_MIB;
    config->connections_max = (int)cfg_getint(web, "connections_max");
    config->per_minute = (int)cfg_getint(web, "per_minute");
    config->address_per_minute = (int)cfg_getint(web, "address_per_minute");
    config->allow_private_webhooks = cfg_getbool(web, "allow_private_webhooks") == cfg_true;
    config->convert_parallel = (int)cfg_getint(convert, "parallel");
    config->convert_timeout_s = (int)cfg_getint(convert, "timeout");
    read_tls(config, web);
    read_proxies(config, web);
    read_sessions(config, web);
    if (config_set_listen(config, cfg_getstr(web, "listen")) != 0)
        config_fault(web, "web|listen: %s", err_message());
    if (config->log_file[0] != '\0' && config->log_file[0] != '/')
        config_fault(server, "server|log_file: '%.60s' is not an absolute path", config->log_file);
}

/* An argv: its first text is the absolute path of a program. */
static json_t *read_program(cfg_t *section, const char *key)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < cfg_size(section, key); i++)
        json_array_append_new(list, json_string(cfg_getnstr(section, key, i)));
    const char *program = json_string_value(json_array_get(list, 0));

    if (program != NULL && program[0] != '/')
        config_fault(section, "convert|%s: '%.60s' is not the absolute path of a program", key, program);
    return list;
}

static void read_pages(struct config *config, cfg_t *cfg)
{
    cfg_t *convert = cfg_getsec(cfg, "convert"), *page = cfg_getsec(cfg, "page");

    config->postscript = read_program(convert, "postscript");
    config->office = read_program(convert, "office");
    config->searchable = read_program(convert, "searchable");
    config->page_sender = xstrdup(cfg_getstr(page, "sender"));
    config->page_time_zone = xstrdup(cfg_getstr(page, "time_zone"));
    config->page_paper = xstrdup(cfg_getstr(page, "paper"));
    config->page_covers = xstrdup(cfg_getstr(page, "covers"));
    config->page_header = cfg_getbool(page, "header") == cfg_true;
    config->page_max_pages = (int)cfg_getint(page, "max_pages");
    if (!time_zone_is_known(config->page_time_zone))
        config_fault(page, "page|time_zone: '%.60s' is not known here: it is written like Europe/Berlin",
                     config->page_time_zone);
    if (config->page_covers[0] != '\0' && config->page_covers[0] != '/')
        config_fault(page, "page|covers: '%.60s' is not an absolute path", config->page_covers);
}

static void check_absolute(cfg_t *section, const char *key, const char *path)
{
    if (path[0] != '\0' && path[0] != '/')
        config_fault(section, "encryption|%s: '%.60s' is not an absolute path", key, path);
}

static void read_encryption(struct config *config, cfg_t *section)
{
    config->encryption_key_file = xstrdup(cfg_getstr(section, "key_file"));
    config->encryption_credential = xstrdup(cfg_getstr(section, "credential"));
    config->encryption_call_dir = xstrdup(cfg_getstr(section, "call_dir"));
    config->encryption_enabled = cfg_getbool(section, "enabled") == cfg_true;
    check_absolute(section, "key_file", config->encryption_key_file);
    check_absolute(section, "call_dir", config->encryption_call_dir);
    if (config->encryption_key_file[0] != '\0' && config->encryption_credential[0] != '\0')
        config_fault(section, "encryption|credential: keys come from key_file or from a credential, not from both");
    if (strchr(config->encryption_credential, '/') != NULL)
        config_fault(section, "encryption|credential: '%.60s' is a path: give the name that LoadCredential= gives it",
                     config->encryption_credential);
}

static void check_line_names(struct config *config, cfg_t *cfg)
{
    for (int i = 0; i < config->provider_count; i++)
        for (int k = 0; k < i; k++)
            if (strcmp(config->providers[i].name, config->providers[k].name) == 0)
                config_fault(cfg, "provider: the name '%s' is used twice", config->providers[i].name);
}

void config_read_all(struct config *config, cfg_t *cfg)
{
    unsigned count = cfg_size(cfg, "provider");

    memset(config, 0, sizeof *config);
    read_server(config, cfg);
    read_pages(config, cfg);
    read_encryption(config, cfg_getsec(cfg, "encryption"));
    retry_policy_default(&config->retry);
    read_retry(&config->retry, cfg_getsec(cfg, "retry"));
    read_retention(&config->retention, cfg_getsec(cfg, "retention"));
    config->webhooks = read_webhooks(cfg);
    config_mail_read(config, cfg);
    config->routes = read_routes(cfg);
    read_routing(config, cfg_getsec(cfg, "routing"));
    if (count == 0 || count > PROVIDERS_MAX) {
        config_fault(cfg, "provider: there are %u, 1 to %d are needed", count, PROVIDERS_MAX);
        count = 0;
    }
    config->providers = xcalloc(count + 1UL, sizeof *config->providers);
    for (unsigned i = 0; i < count; i++)
        read_provider(&config->providers[config->provider_count++], cfg_getnsec(cfg, "provider", i));
    check_line_names(config, cfg);
}
