/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings, server and jobs. */
#include "config.h"

#include "contrib/hylafax/hyla.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "contrib/common/account.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define HYLAFAX_PORT  "4559" /* of HylaFAX's own protocol, which is not spoken here */
#define SETTINGS_LINE 1024

static struct {
    const char *program;
    json_t *settings; /* by tag in lower case */
    char *host, *user;
    struct client *client;
} hyla;

void hyla_complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char line[2048];
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    fflush(stdout);
    text_print(stderr, "%s: %s\n", hyla.program, line);
}

/* --- settings --- */

static char *lower(const char *text)
{
    char *copy = xstrdup(text);
    for (char *c = copy; *c != '\0'; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
    return copy;
}

/* "Tag: value" or "Tag: "value"", with a comment behind #. */
static void read_line(char *line)
{
    char *tag = line + strspn(line, " \t"), *colon = strchr(tag, ':');
    if (*tag == '#' || *tag == '\0' || colon == NULL)
        return;
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    if (*value == '"') {
        value++;
        value[strcspn(value, "\"\r\n")] = '\0';
    } else {
        value[strcspn(value, "#\r\n")] = '\0';
        for (size_t length = strlen(value); length > 0 && strchr(" \t", value[length - 1]) != NULL; length--)
            value[length - 1] = '\0';
    }
    char *name = lower(tag);
    if (str_is_utf8(value, strlen(value)) && str_is_utf8(name, strlen(name)))
        json_object_set_new(hyla.settings, name, json_string(value));
    free(name);
}

static void read_file(const char *path)
{
    char line[SETTINGS_LINE];
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        read_line(line);
    if (file != NULL)
        fclose(file);
}

static void read_file_at_home(const char *name)
{
    const char *home = getenv("HOME");
    char *path = home != NULL ? xasprintf("%s/%s", home, name) : NULL;
    if (path != NULL)
        read_file(path);
    free(path);
}

void hyla_open(const char *program)
{
    hyla.program = program;
    hyla.settings = json_object();
    log_open(program, LOG_LEVEL_ERROR);
    read_file(SYSCONFDIR "/faxd/hylafax.conf");
    read_file_at_home(".hylarc");
    read_file_at_home(".faxd");
}

void hyla_close(void)
{
    client_close(hyla.client);
    json_decref(hyla.settings);
    free(hyla.host);
    free(hyla.user);
}

const char *hyla_setting(const char *tag)
{
    char *name = lower(tag);
    const char *value = json_string_value(json_object_get(hyla.settings, name));
    free(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

bool hyla_setting_is_no(const char *tag)
{
    const char *value = hyla_setting(tag);
    return value != NULL &&
           (strcasecmp(value, "no") == 0 || strcasecmp(value, "false") == 0 || strcmp(value, "0") == 0);
}

/* --- who and where --- */

const char *hyla_user(void)
{
    const char *given = getenv("FAXUSER");
    if (hyla.user == NULL) {
        const struct passwd *entry = getpwuid(geteuid());
        hyla.user = given != NULL && given[0] != '\0' ? xstrdup(given)
                    : entry != NULL                   ? xstrdup(entry->pw_name)
                                                      : xasprintf("%u", (unsigned)geteuid());
    }
    return hyla.user;
}

void hyla_host(char **modem, const char *host)
{
    const char *at = strrchr(host, '@');
    if (modem != NULL)
        *modem = at != NULL && at > host ? xasprintf("%.*s", (int)(at - host), host) : NULL;
    free(hyla.host);
    hyla.host = xstrdup(at != NULL ? at + 1 : host);
}

static const char *host(void)
{
    const char *server = getenv("FAXSERVER");
    if (hyla.host == NULL && server != NULL && server[0] != '\0')
        hyla_host(NULL, server);
    if (hyla.host == NULL && hyla_setting("Host") != NULL)
        hyla_host(NULL, hyla_setting("Host"));
    return hyla.host != NULL && hyla.host[0] != '\0' ? hyla.host : NULL;
}

static const char *base_url(void)
{
    const char *url = getenv("FAXD_URL");
    if (url == NULL || url[0] == '\0')
        url = hyla_setting("Server");
    return url != NULL ? url : ACCOUNT_DEFAULT_URL;
}

/* How long the name in "host:port" or "[address]:port" is. */
static size_t name_length(const char *text)
{
    return text[0] == '[' ? strcspn(text, "]") + (strchr(text, ']') != NULL) : strcspn(text, ":/");
}

/* The URL for a host as HylaFAX's users give it: scheme and port are those of the setting, since a port of HylaFAX is
 * none of ours. The caller frees. */
static char *url_of(const char *name)
{
    const char *base = base_url(), *rest = strstr(base, "://");
    if (name == NULL || rest == NULL)
        return xstrdup(base);
    if (strstr(name, "://") != NULL)
        return xstrdup(name);
    rest += 3;
    size_t length = name_length(name), old = name_length(rest);
    const char *port = name[length] == ':' ? name + length + 1 : "";
    bool local = length == 9 && strncmp(name, "localhost", 9) == 0;
    const char *tail = rest + old; /* ":8080" and what comes behind */
    if (local)
        return port[0] != '\0' && strcmp(port, HYLAFAX_PORT) != 0
                   ? xasprintf("%.*s%.*s:%s", (int)(rest - base), base, (int)old, rest, port)
                   : xstrdup(base);
    if (port[0] != '\0' && strcmp(port, HYLAFAX_PORT) != 0)
        return xasprintf("%.*s%.*s:%s", (int)(rest - base), base, (int)length, name, port);
    return xasprintf("%.*s%.*s%s", (int)(rest - base), base, (int)length, name, tail);
}

const char *hyla_host_name(void)
{
    static char name[256];
    const char *given = host(), *base = strstr(base_url(), "://");
    const char *from = given != NULL && strstr(given, "://") != NULL ? strstr(given, "://") + 3
                       : given != NULL                               ? given
                       : base != NULL                                ? base + 3
                                                                     : "localhost";
    snprintf(name, sizeof name, "%.*s", (int)name_length(from), from);
    if (strcmp(name, "127.0.0.1") == 0)
        return "localhost";
    return name;
}

/* The key: of the environment, of a file that is set, of the one that `fax` uses. 0 also when there is none. */
static int find_key(char **key)
{
    const char *given = getenv("FAXD_KEY"), *file = getenv("FAXD_KEY_FILE"), *home = getenv("HOME");
    *key = NULL;
    if (file == NULL || file[0] == '\0')
        file = hyla_setting("KeyFile");
    if (given != NULL && given[0] != '\0') {
        *key = xstrdup(given);
        return 0;
    }
    if (file != NULL)
        return account_read_key(key, file);
    char *path = home != NULL ? xasprintf("%s/.config/faxd/key", home) : NULL;
    int error = path != NULL ? account_read_key(key, path) : 0;
    free(path);
    return error == ERR_NOT_FOUND ? 0 : error;
}

struct client *hyla_client(void)
{
    char *key = NULL;
    if (hyla.client != NULL)
        return hyla.client;
    int error = find_key(&key);
    char *url = url_of(host());
    if (error == 0)
        error = account_open(&hyla.client, url, key);
    if (error != 0)
        hyla_complain("%s", err_message());
    free(url);
    free(key);
    return hyla.client;
}

/* --- requests --- */

bool hyla_request(json_t **reply, const char *what, const char *method, const char *path, const json_t *body)
{
    json_t *taken = NULL;
    struct client *client = hyla_client();
    if (reply != NULL)
        *reply = NULL;
    if (client == NULL)
        return false;
    bool good = client_request(&taken, client, method, path, body) == VERDICT_OK;
    if (!good && what != NULL)
        hyla_complain("%s%s%s", what, what[0] != '\0' ? ": " : "", client_why(client));
    if (good && reply != NULL)
        *reply = taken;
    else
        json_decref(taken);
    return good;
}

json_t *hyla_job(const char *number)
{
    char *escaped = client_escape(number), *path = xasprintf("/v1/faxes/%s", escaped);
    json_t *fax = NULL;
    if (!hyla_request(&fax, NULL, "GET", path, NULL) && hyla.client != NULL) {
        if (client_status(hyla.client) == 404)
            hyla_complain("%s: No such job.", number);
        else
            hyla_complain("%s: %s", number, client_why(hyla.client));
    }
    const char *direction = json_string_value(json_object_get(fax, "direction"));
    if (fax != NULL && (direction == NULL || strcmp(direction, "outbound") != 0)) {
        hyla_complain("%s: No such job.", number); /* it was received */
        json_decref(fax);
        fax = NULL;
    }
    free(path);
    free(escaped);
    return fax;
}

/* --- words --- */

const char *hyla_priority(const char *text)
{
    int64_t number;
    if (strcasecmp(text, "default") == 0 || strcasecmp(text, "normal") == 0)
        number = 127;
    else if (strcasecmp(text, "bulk") == 0 || strcasecmp(text, "junk") == 0 || strcasecmp(text, "low") == 0)
        number = 191;
    else if (strcasecmp(text, "high") == 0)
        number = 63;
    else if (str_to_int(&number, text, 0, 255) != 0)
        return NULL;
    return number < 32 ? "urgent" : number < 96 ? "high" : number < 160 ? "normal" : "bulk";
}

int hyla_priority_number(const char *priority)
{
    return strcmp(priority, "urgent") == 0 ? 15
           : strcmp(priority, "high") == 0 ? 63
           : strcmp(priority, "bulk") == 0 ? 191
                                           : 127;
}

char *hyla_time(int64_t at_ms)
{
    char text[CLOCK_TEXT_SIZE];
    return xstrdup(clock_format(text, at_ms));
}
