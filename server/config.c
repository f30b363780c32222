/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of keys, and the parse of a file; on to config_read.c. libConfuse parses; types it knows are checked by it,
 * ranges and words by the table, in the parser's validation calls, so that every message has file and line. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/config.h"
#include "server/config_private.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/number.h"
#include "server/base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define DAY_S 86400

#define PROGRAM_POSTSCRIPT                                                                                             \
    "{\"/usr/bin/gs\", \"-q\", \"-dSAFER\", \"-dBATCH\", \"-dNOPAUSE\", \"-dEPSCrop\", "                               \
    "\"-sDEVICE=pdfwrite\", \"-sOutputFile={folder}/input.pdf\", \"{input}\"}"
#define PROGRAM_OFFICE                                                                                                 \
    "{\"/usr/bin/soffice\", \"--headless\", \"--norestore\", \"-env:UserInstallation=file://{folder}/profile\", "      \
    "\"--convert-to\", \"pdf\", \"--outdir\", \"{folder}\", \"{input}\"}"

/* Sections in the order of the example file. */
const struct config_key config_keys[] = {
    {"server", "log_level", KEY_WORD, "info", 0, 0, "error warning info debug", "how much the log tells"},
    {"server", "log_file", KEY_TEXT, "", 0, 1000, NULL, "absolute path; empty = standard error"},
    {"server", "drain_timeout", KEY_NUMBER, "120", 0, 3600, NULL, "seconds to wait for running calls on SIGTERM"},
    {"store", "state_dir", KEY_TEXT, LOCALSTATEDIR "/lib/faxd", 1, 1000, NULL, "database, documents, journals"},
    {"store", "min_free_mib", KEY_NUMBER, "64", 1, 1073741824, NULL,
     "less room on the disk than this refuses new faxes"},
    {"store", "idempotency_ttl", KEY_NUMBER, "259200", 60, 30L * DAY_S, NULL,
     "seconds that an Idempotency-Key is remembered"},
    {"web", "listen", KEY_TEXT, "127.0.0.1:8080", 3, 200, NULL,
     "ADDRESS:PORT or [ADDRESS]:PORT; port 0 = any free one"},
    {"web", "tls_certificate", KEY_TEXT, "", 0, 1000, NULL,
     "absolute path of the certificate and its chain (PEM): TLS is spoken then; read again on SIGHUP"},
    {"web", "tls_key", KEY_TEXT, "", 0, 1000, NULL, "absolute path of its private key (PEM)"},
    {"web", "allow_plain", KEY_SWITCH, "false", 0, 0, NULL,
     "without TLS: listen on addresses that are not loopback, as behind a proxy"},
    {"web", "public_url", KEY_TEXT, "", 0, 500, NULL,
     "of the API and the pages as others see them, as https://fax.example.com; for links in mails"},
    {"web", "body_max_mib", KEY_NUMBER, "64", 1, 1024, NULL, "largest request body"},
    {"web", "memory_max_mib", KEY_NUMBER, "512", 8, 65536, NULL, "all request bodies under way together"},
    {"web", "connections_max", KEY_NUMBER, "2000", 10, 100000, NULL,
     "open connections, of which three in four may be event streams"},
    {"web", "per_minute", KEY_NUMBER, "0", 0, 1000000, NULL,
     "requests a minute of a key that has no limit of its own; 0 = no limit"},
    {"web", "address_per_minute", KEY_NUMBER, "6000", 0, 1000000, NULL,
     "requests a minute of an address that has no valid key, and of each user who signed in; 0 = no limit"},
    {"web", "allow_private_webhooks", KEY_SWITCH, "false", 0, 0, NULL,
     "webhooks may go to private and loopback addresses"},
    {"web", "trusted_proxies", KEY_LIST, "{}", 0, 32, NULL,
     "networks of proxies that are believed about the address of who asks, as 10.0.0.0/8; {} = none"},
    {"web", "proxy_header", KEY_WORD, "x-forwarded-for", 0, 0, "x-forwarded-for forwarded",
     "the header in which they say it; the other one is not looked at"},
    {"web", "session_idle", KEY_NUMBER, "43200", 300, 30L * DAY_S, NULL,
     "seconds without use after which who signed in has to do it again"},
    {"web", "session_life", KEY_NUMBER, "604800", 300, 365L * DAY_S, NULL, "the same in any case, since the sign-in"},
    {"encryption", "key_file", KEY_TEXT, "", 0, 1000, NULL,
     "absolute path of the keys for documents on disk, newest first; empty = no encryption"},
    {"encryption", "credential", KEY_TEXT, "", 0, 200, NULL,
     "name of a systemd credential (LoadCredential=) with the keys, instead of key_file"},
    {"encryption", "enabled", KEY_SWITCH, "true", 0, 0, NULL,
     "with keys: false = new documents are stored plain, encrypted ones can be read"},
    {"encryption", "call_dir", KEY_TEXT, "", 0, 1000, NULL,
     "folder on a tmpfs for the pages of calls under way; empty = $RUNTIME_DIRECTORY or /run/faxd"},
    {"convert", "parallel", KEY_NUMBER, "2", 1, 64, NULL, "documents prepared at the same time"},
    {"convert", "timeout", KEY_NUMBER, "120", 5, 3600, NULL, "seconds for one document"},
    {"convert", "postscript", KEY_LIST, PROGRAM_POSTSCRIPT, 0, 32, NULL,
     "program that makes PDF of PostScript, used when it is installed"},
    {"convert", "office", KEY_LIST, PROGRAM_OFFICE, 0, 32, NULL,
     "program that makes PDF of office documents, used when it is installed"},
    {"convert", "searchable", KEY_LIST, "{}", 0, 32, NULL,
     "program that makes a searchable PDF of a fax, see faxd.conf(5); {} = not offered"},
    {"page", "sender", KEY_TEXT, "", 0, 100, NULL, "name in the header line of faxes that bring none"},
    {"page", "time_zone", KEY_TEXT, "", 0, 64, NULL,
     "of header lines and cover pages, as Europe/Berlin; empty = the machine's"},
    {"page", "header", KEY_SWITCH, "true", 0, 0, NULL,
     "date, sender and page number on top of each page (47 CFR 68.318(d))"},
    {"page", "paper", KEY_WORD, "a4", 0, 0, "a4 letter legal", "of texts"},
    {"page", "max_pages", KEY_NUMBER, "500", 1, 5000, NULL, "longer faxes are refused"},
    {"page", "covers", KEY_TEXT, "", 0, 1000, NULL, "folder of cover pages of your own; empty = covers in state_dir"},
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
    {"retention", "outbound_documents", KEY_NUMBER, "0", 0, RETENTION_DAYS_MAX, NULL,
     "days after its end until the documents of a sent fax are deleted; 0 = kept for ever"},
    {"retention", "outbound_records", KEY_NUMBER, "0", 0, RETENTION_DAYS_MAX, NULL,
     "days after its end until a sent fax is deleted altogether; 0 = kept for ever"},
    {"retention", "inbound_documents", KEY_NUMBER, "0", 0, RETENTION_DAYS_MAX, NULL,
     "the same for the documents of a received fax"},
    {"retention", "inbound_records", KEY_NUMBER, "0", 0, RETENTION_DAYS_MAX, NULL, "the same for a received fax"},
    {"mail", "server", KEY_TEXT, "", 0, 300, NULL, "smtp://HOST:PORT or smtps://HOST:PORT; empty = no mail is sent"},
    {"mail", "starttls", KEY_WORD, "required", 0, 0, "required opportunistic off", "on connections of smtp://"},
    {"mail", "verify", KEY_SWITCH, "true", 0, 0, NULL, "the certificate and the name of the mail server"},
    {"mail", "ca_file", KEY_TEXT, "", 0, 1000, NULL,
     "absolute path of the certificates (PEM) that are trusted; empty = the machine's"},
    {"mail", "user", KEY_TEXT, "", 0, 200, NULL, "name for SMTP AUTH; empty = none"},
    {"mail", "password_file", KEY_TEXT, "", 0, 1000, NULL,
     "absolute path of a file with the password in its first line"},
    {"mail", "from", KEY_TEXT, "", 0, 254, NULL, "address that mails are from"},
    {"mail", "from_name", KEY_TEXT, "", 0, 100, NULL, "name beside it, as Fax server"},
    {"mail", "domain", KEY_TEXT, "", 0, 253, NULL,
     "how the server calls itself, in Message-ID and to the mail server; empty = that of from"},
    {"mail", "link_only", KEY_SWITCH, "false", 0, 0, NULL,
     "no numbers, no names and no pages in mails: only the id of the fax and a link"},
    {"mail", "link", KEY_WORD, "signed", 0, 0, "signed login",
     "links open the pages for who has them, or lead to where people sign in; needs web|public_url"},
    {"mail", "link_expires", KEY_NUMBER, "604800", 60, 90L * DAY_S, NULL, "seconds that a signed link is good for"},
    {"mail", "max_attachment_mib", KEY_NUMBER, "25", 1, 1024, NULL,
     "a larger file is not attached; of a received fax a link leads to it"},
    {"mail", "parallel", KEY_NUMBER, "4", 1, 64, NULL, "mails under way at the same time"},
    {"mail", "timeout", KEY_NUMBER, "120", 5, 3600, NULL, "seconds without a sign of the mail server"},
    {"mail", "retry", KEY_NUMBERS, "{5, 30, 120, 600, 1800, 3600}", 1, 7L * DAY_S, NULL,
     "seconds between tries, the last repeats"},
    {"mail", "give_up", KEY_NUMBER, "259200", 1, 30L * DAY_S, NULL, "seconds until a mail is not tried any more"},
    {"mail", "alarm_to", KEY_TEXT, "", 0, 254, NULL, "address for alarms; empty = nobody"},
    {"mail", "language", KEY_TEXT, "en", 2, 8, NULL, "of mails for whom no language is known: en, de, fr, es, hu"},
    {"mail", "templates", KEY_TEXT, "", 0, 1000, NULL, "folder of templates of your own; empty = mail in state_dir"},
    {"webhook", "url", KEY_TEXT, "", 1, 2000, NULL, "http or https"},
    {"webhook", "secret", KEY_TEXT, "", 0, 200, NULL, "whsec_ and base64; empty = made at the first start"},
    {"webhook", "events", KEY_LIST, "{}", 0, 100, NULL,
     "types or prefixes such as \"fax.*\"; {} = all but the opt-in ones"},
    {"routing", "folder_root", KEY_TEXT, "", 0, 1000, NULL,
     "folder in which rules made by API may store received faxes; empty = none may"},
    {"routing", "command_dir", KEY_TEXT, "", 0, 1000, NULL,
     "folder whose programs rules made by API may run; empty = none may"},
    {"routing", "retry", KEY_NUMBERS, "{5, 30, 120, 600, 1800, 3600}", 1, 7L * DAY_S, NULL,
     "seconds between the tries of a delivery, the last repeats"},
    {"routing", "give_up", KEY_NUMBER, "259200", 1, 90L * DAY_S, NULL,
     "seconds until a delivery that does not succeed is given up"},
    {"routing", "parallel", KEY_NUMBER, "8", 1, 64, NULL, "deliveries made at the same time, one to each target"},
    {"routing", "lp", KEY_TEXT, "/usr/bin/lp", 1, 1000, NULL, "program that prints (CUPS)"},
    {"route", "did", KEY_TEXT, "", 0, 63, NULL, "the number called; what is empty or 0 is not asked"},
    {"route", "did_prefix", KEY_TEXT, "", 0, 63, NULL, "what it begins with"},
    {"route", "line", KEY_TEXT, "", 0, 127, NULL, "provider/line"},
    {"route", "group", KEY_TEXT, "", 0, 64, NULL, "a group of the line"},
    {"route", "from", KEY_TEXT, "", 0, 63, NULL, "the caller's number"},
    {"route", "from_prefix", KEY_TEXT, "", 0, 63, NULL, "what it begins with"},
    {"route", "anonymous", KEY_WORD, "any", 0, 0, "any yes no", "callers who say no number, or only those who do"},
    {"route", "station_id", KEY_TEXT, "", 0, 63, NULL, "what the far machine calls itself"},
    {"route", "station_id_prefix", KEY_TEXT, "", 0, 63, NULL, "what that begins with"},
    {"route", "subaddress", KEY_TEXT, "", 0, 63, NULL, "that the far end asked for (T.30 SUB)"},
    {"route", "pages_min", KEY_NUMBER, "0", 0, 10000, NULL, "at least so many pages"},
    {"route", "pages_max", KEY_NUMBER, "0", 0, 10000, NULL, "at most so many"},
    {"route", "outcome", KEY_WORD, "any", 0, 0, "any received partially_received", "whole faxes, or broken ones"},
    {"route", "from_time", KEY_TEXT, "", 0, 5, NULL, "time of day of the call, as 08:00, with to_time"},
    {"route", "to_time", KEY_TEXT, "", 0, 5, NULL, "its end, on the next day when it is earlier"},
    {"route", "days", KEY_NUMBERS, "{}", 1, 7, NULL, "on which it begins: 1 Monday to 7 Sunday; {} = every day"},
    {"route", "time_zone", KEY_TEXT, "", 0, 64, NULL, "as Europe/Berlin; empty = the machine's"},
    {"route", "then", KEY_WORD, "stop", 0, 0, "stop continue", "whether the rules behind it are looked at as well"},
    {"method", "type", KEY_WORD, "folder", 0, 0, "folder email webhook print command inbox", "what is done"},
    {"method", "format", KEY_TEXT, "", 0, 10, NULL, "pdf or tiff; e-mail: link and none as well"},
    {"method", "folder", KEY_TEXT, "", 0, 1000, NULL, "folder: absolute path"},
    {"method", "name", KEY_TEXT, "", 0, 120, NULL, "folder: name of the file, as {date}-{from}-{id}"},
    {"method", "to", KEY_TEXT, "", 0, 254, NULL, "e-mail: an address"},
    {"method", "language", KEY_TEXT, "", 0, 8, NULL, "e-mail: of its text"},
    {"method", "subject", KEY_TEXT, "", 0, 200, NULL, "e-mail: instead of the usual one"},
    {"method", "url", KEY_TEXT, "", 0, 2000, NULL, "webhook: http or https"},
    {"method", "secret", KEY_TEXT, "", 0, 120, NULL, "webhook: whsec_ and base64"},
    {"method", "expires", KEY_NUMBER, "86400", 60, 604800, NULL, "webhook: seconds that its link is good for"},
    {"method", "printer", KEY_TEXT, "", 0, 127, NULL, "print: a queue of CUPS"},
    {"method", "server", KEY_TEXT, "", 0, 200, NULL, "print: HOST:PORT of CUPS"},
    {"method", "options", KEY_LIST, "{}", 0, 20, NULL, "print: each as for lp -o"},
    {"method", "copies", KEY_NUMBER, "1", 1, 100, NULL, "print"},
    {"method", "argv", KEY_LIST, "{}", 0, 32, NULL, "command: a program and its arguments, {file} among them"},
    {"method", "timeout", KEY_NUMBER, "60", 1, 3600, NULL, "print and command: seconds"},
    {"method", "user", KEY_TEXT, "", 0, 31, NULL, "inbox: id of a user"},
    {"method", "labels", KEY_LIST, "{}", 0, 50, NULL, "inbox"},
    {"provider", "module", KEY_TEXT, "", 1, 1000, NULL,
     "softmodem, t38, class1, simulator, or the absolute path of an FSP"},
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
    {NULL, NULL, KEY_TEXT, NULL, 0, 0, NULL, NULL},
};

const char *const config_sections[] = {"server",    "store", "encryption", "web",     "convert", "page",     "retry",
                                       "retention", "mail",  "webhook",    "routing", "route",   "provider", NULL};

#define SECTION_COUNT (sizeof config_sections / sizeof config_sections[0] - 1)

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

void config_fault(cfg_t *cfg, const char *fmt, ...)
{
    va_list arguments;

    va_start(arguments, fmt);
    report_fault(cfg->line, fmt, arguments);
    va_end(arguments);
}

static const struct config_key *key_find(const char *section, const char *name)
{
    for (unsigned i = 0; config_keys[i].name != NULL; i++)
        if (strcmp(config_keys[i].section, section) == 0 && strcmp(config_keys[i].name, name) == 0)
            return &config_keys[i];
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
        config_fault(cfg, "%s|%s: '%.60s' is not one of: %s", key->section, key->name, text, key->words);
    else if (key->type == KEY_TEXT && ((long)length > key->high || (long)length < key->low))
        config_fault(cfg, "%s|%s: the text has %zu characters, %ld to %ld are allowed", key->section, key->name, length,
                     key->low, key->high);
    else if (!str_is_utf8(text, length))
        config_fault(cfg, "%s|%s: the text is not UTF-8", key->section, key->name);
    else if (strcmp(key->name, "station_id") == 0 && str_check_station_id(text) != 0)
        config_fault(cfg, "%s|%s: %s", key->section, key->name, err_message());
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
            config_fault(cfg, "%s|%s: %ld is out of range, %ld to %ld are allowed", key->section, key->name, value,
                         key->low, key->high);
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
        config_fault(cfg, "%s|%s: %u values, %u are allowed", key->section, key->name, count, most);
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

    for (unsigned i = 0; config_keys[i].name != NULL; i++)
        if (strcmp(config_keys[i].section, section) == 0)
            room[count++] = key_option(&config_keys[i]);
    for (int i = 0; i < extra_count; i++)
        room[count++] = extra[i];
    room[count] = end;
}

static void validate_section(cfg_t *cfg, const char *path, const char *section)
{
    char name[100];

    for (unsigned i = 0; config_keys[i].name != NULL; i++) {
        if (strcmp(config_keys[i].section, section) != 0)
            continue;
        snprintf(name, sizeof name, "%s|%s", path, config_keys[i].name);
        cfg_set_validate_func(cfg, name, validate);
    }
}

static cfg_t *parser_new(void)
{
    static cfg_opt_t none[] = {CFG_END()};
    cfg_opt_t line[16], provider[24], method[24], route[24], plain[SECTION_COUNT][32], top[SECTION_COUNT + 1];
    cfg_opt_t settings = CFG_SEC("settings", none, CFGF_KEYSTRVAL);
    cfg_opt_t inner[2], methods;
    cfg_t *cfg;

    section_options(line, "line", &settings, 1);
    inner[0] = settings;
    inner[1] = (cfg_opt_t)CFG_SEC("line", line, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
    section_options(provider, "provider", inner, 2);
    section_options(method, "method", NULL, 0);
    methods = (cfg_opt_t)CFG_SEC("method", method, CFGF_MULTI);
    section_options(route, "route", &methods, 1);
    for (unsigned i = 0; i < SECTION_COUNT; i++) {
        const char *name = config_sections[i];
        bool is_provider = strcmp(name, "provider") == 0, is_route = strcmp(name, "route") == 0;
        bool many = is_provider || is_route || strcmp(name, "webhook") == 0;

        section_options(plain[i], name, NULL, 0);
        top[i] = (cfg_opt_t)CFG_SEC(name,
                                    is_provider ? provider
                                    : is_route  ? route
                                                : plain[i],
                                    many ? CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES : CFGF_NONE);
    }
    top[SECTION_COUNT] = (cfg_opt_t)CFG_END();
    cfg = cfg_init(top, CFGF_NONE);
    if (cfg == NULL)
        return NULL;
    cfg_set_error_function(cfg, on_confuse_error);
    for (unsigned i = 0; i < SECTION_COUNT; i++)
        validate_section(cfg, config_sections[i], config_sections[i]);
    validate_section(cfg, "provider|line", "line");
    validate_section(cfg, "route|method", "method");
    return cfg;
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
    config_read_all(&read, cfg);
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

#define FILE_MAX (4 * CONFIG_MIB)

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
    "}\n"
    "provider \"test\" {\n"
    "    module = simulator\n"
    "    line \"1\" { number = \"+12025550198\" }\n    line \"2\" { number = \"+12025550197\" }\n"
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
bool config_listens_on_loopback(const struct config *config)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, config->listen_address, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, config->listen_address, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
    return strcasecmp(config->listen_address, "localhost") == 0;
}

int config_check_listen(const struct config *config)
{
    if (config->tls_certificate[0] != '\0' || config->allow_plain || config_listens_on_loopback(config))
        return 0;
    return err_set(ERR_INVALID,
                   "web|listen: without TLS %s would carry keys and faxes in the clear: set web|tls_certificate and "
                   "web|tls_key, listen on 127.0.0.1, or allow it with web|allow_plain = true",
                   config->listen_address);
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
    json_decref(config->routes);
    free(config->folder_root);
    free(config->command_dir);
    free(config->lp);
    json_decref(config->postscript);
    json_decref(config->office);
    json_decref(config->searchable);
    free(config->page_sender);
    free(config->page_time_zone);
    free(config->page_paper);
    free(config->page_covers);
    free(config->log_level);
    free(config->log_file);
    free(config->state_dir);
    free(config->listen_address);
    free(config->tls_certificate);
    free(config->tls_key);
    free(config->encryption_key_file);
    free(config->encryption_credential);
    free(config->encryption_call_dir);
    config_mail_clear(config);
    memset(config, 0, sizeof *config);
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
