/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section "mail": texts, and what has to go together. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/config_private.h"

#include "server/base/err.h"
#include "server/base/log.h"

#include <stdlib.h>
#include <string.h>

#define STRINGS 10

/* Keys that are texts, and where they go. */
static void strings_of(const char **places[STRINGS], struct mail_settings *mail)
{
    const char **all[STRINGS] = {&mail->server,    &mail->ca_file,        &mail->user,   &mail->password_file,
                                 &mail->from,      &mail->from_name,      &mail->domain, &mail->language,
                                 &mail->templates, &mail->policy.alarm_to};

    memcpy(places, all, sizeof all);
}

static void read_strings(struct mail_settings *mail, cfg_t *section)
{
    static const char *const keys[STRINGS] = {"server",    "ca_file", "user",     "password_file", "from",
                                              "from_name", "domain",  "language", "templates",     "alarm_to"};
    const char **places[STRINGS];

    strings_of(places, mail);
    for (int i = 0; i < STRINGS; i++)
        *places[i] = xstrdup(cfg_getstr(section, keys[i]));
}

static void read_delays(struct mail_policy *policy, cfg_t *section)
{
    unsigned count = cfg_size(section, "retry");

    mail_policy_default(policy);
    policy->delay_count = 0;
    for (unsigned i = 0; i < count && i < MAIL_DELAYS_MAX; i++)
        policy->delays_s[policy->delay_count++] = (int)cfg_getnint(section, "retry", i);
    if (count == 0)
        config_fault(section, "mail|retry: there has to be at least one delay");
    policy->give_up_s = cfg_getint(section, "give_up");
}

static void read_numbers(struct mail_settings *mail, cfg_t *section)
{
    const char *starttls = cfg_getstr(section, "starttls");

    mail->starttls = strcmp(starttls, "off") == 0             ? MAIL_STARTTLS_OFF
                     : strcmp(starttls, "opportunistic") == 0 ? MAIL_STARTTLS_OPPORTUNISTIC
                                                              : MAIL_STARTTLS_REQUIRED;
    mail->verify = cfg_getbool(section, "verify") == cfg_true;
    mail->link_only = cfg_getbool(section, "link_only") == cfg_true;
    mail->login_links = strcmp(cfg_getstr(section, "link"), "login") == 0;
    mail->link_expires_s = (int)cfg_getint(section, "link_expires");
    mail->attachment_max = cfg_getint(section, "max_attachment_mib") * CONFIG_MIB;
    mail->parallel = (int)cfg_getint(section, "parallel");
    mail->timeout_s = (int)cfg_getint(section, "timeout");
}

static void check_address(cfg_t *section, const char *key, const char *address)
{
    if (mail_address_check(address) != 0)
        config_fault(section, "mail|%s: '%.60s': %s", key, address, err_message());
}

static void check_absolute(cfg_t *section, const char *key, const char *path)
{
    if (path[0] != '\0' && path[0] != '/')
        config_fault(section, "mail|%s: '%.60s' is not an absolute path", key, path);
}

/* "smtp://host:port", and no more. */
static bool is_server(const char *text)
{
    const char *host = strncmp(text, "smtp://", 7) == 0 ? text + 7 : strncmp(text, "smtps://", 8) == 0 ? text + 8 : "";

    return host[0] != '\0' &&
           host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]")] == '\0';
}

/* What would go over the wire in the clear. */
static void check_secrecy(const struct mail_settings *mail, cfg_t *section)
{
    bool encrypted = strncmp(mail->server, "smtps://", 8) == 0 || mail->starttls == MAIL_STARTTLS_REQUIRED;

    if ((mail->user[0] == '\0') != (mail->password_file[0] == '\0'))
        config_fault(section, "mail|%s: user and password_file belong together",
                     mail->user[0] == '\0' ? "user" : "password_file");
    if (mail->user[0] != '\0' && !encrypted)
        config_fault(section, "mail|starttls: a password goes over TLS only: starttls = required, or smtps://");
}

static void check_server(const struct mail_settings *mail, cfg_t *section, const char *public_url)
{
    if (!is_server(mail->server))
        config_fault(section, "mail|server: '%.60s' is not smtp://HOST:PORT or smtps://HOST:PORT", mail->server);
    check_address(section, "from", mail->from);
    if (mail->domain[strspn(mail->domain, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")] != '\0')
        config_fault(section, "mail|domain: '%.60s' is no domain", mail->domain);
    if (mail->policy.alarm_to[0] != '\0')
        check_address(section, "alarm_to", mail->policy.alarm_to);
    if (mail->link_only && public_url[0] == '\0')
        config_fault(section, "mail|link_only: a link needs the address of this server: set web|public_url");
    check_secrecy(mail, section);
}

/* A stray setting is told of where it stands, not when a mail is due. */
static void set_domain(struct mail_settings *mail)
{
    const char *at = strrchr(mail->from, '@');

    if (mail->domain[0] == '\0' && at != NULL) {
        free((char *)mail->domain);
        mail->domain = xstrdup(at + 1);
    }
}

static void read_public_url(struct config *config, cfg_t *web)
{
    const char *url = cfg_getstr(web, "public_url");
    const char *host = strncmp(url, "https://", 8) == 0 ? url + 8 : strncmp(url, "http://", 7) == 0 ? url + 7 : "";

    if (url[0] != '\0' && (host[0] == '\0' || host[0] == '/' || url[strcspn(url, " \t\r\n\"<>?#")] != '\0'))
        config_fault(web, "web|public_url: '%.60s' is no URL like https://fax.example.com", url);
    config->public_url = xstrdup(url);
    for (size_t length = strlen(url); length > 0 && config->public_url[length - 1] == '/'; length--)
        config->public_url[length - 1] = '\0';
}

void config_mail_read(struct config *config, cfg_t *cfg)
{
    cfg_t *section = cfg_getsec(cfg, "mail");

    read_public_url(config, cfg_getsec(cfg, "web"));
    read_delays(&config->mail.policy, section);
    read_strings(&config->mail, section);
    read_numbers(&config->mail, section);
    check_absolute(section, "ca_file", config->mail.ca_file);
    check_absolute(section, "password_file", config->mail.password_file);
    check_absolute(section, "templates", config->mail.templates);
    if (config->mail.server[0] != '\0')
        check_server(&config->mail, section, config->public_url);
    set_domain(&config->mail);
}

void config_mail_clear(struct config *config)
{
    const char **places[STRINGS];

    strings_of(places, &config->mail);
    for (int i = 0; i < STRINGS; i++)
        free((char *)*places[i]);
    free(config->public_url);
}
