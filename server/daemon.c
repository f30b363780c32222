/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the parts meet: the spool says what changed, hosts say what happened, and each part is handed what concerns it.
 * No part knows more of the others than what its options name. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/daemon.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/call_file.h"
#include "server/encryption.h"
#include "server/host.h"
#include "server/inbound.h"
#include "server/mail/mailer.h"
#include "server/outbound.h"
#include "server/prepare.h"
#include "server/progress.h"
#include "server/recovery.h"
#include "server/route/route.h"
#include "server/scheduler.h"
#include "server/status.h"
#include "server/test_call.h"
#include "server/trunk.h"
#include "server/webhook.h"
#include "spool/converter.h"
#include "spool/inbound_rule.h"
#include "spool/outbox.h"
#include "spool/page_style.h"
#include "spool/retention.h"
#include "spool/session.h"
#include "spool/route_delivery.h"
#include "spool/spool.h"
#include "web/web.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READY_PATIENCE_S 10
#define STOP_PATIENCE_S  20  /* beyond a provider's own abort_grace */
#define LOOK_EVERY_MS    100 /* while we drain */

enum daemon_phase { DAEMON_RUNNING, DAEMON_DRAINING, DAEMON_STOPPING };

struct daemon {
    struct daemon_options options;
    enum daemon_phase phase;
    struct encryption encryption;
    struct spool *spool;
    struct converter *converter;
    struct line_table *lines;
    struct trunk_table *trunks;
    struct device_table *devices;
    struct outbound *outbound;
    struct inbound *inbound;
    struct recovery *recovery;
    struct scheduler *scheduler;
    struct prepare *prepare;
    struct webhook_sender *webhooks;
    struct mailer *mailer;
    struct routes *routes;
    char *public_url; /* what links begin with */
    struct test_calls *test_calls;
    struct web *web;
    struct host **hosts;
    int host_count;
    struct event *ready_timer, *drain_timer;
    bool ready_told;
    int looks_left; /* until patience ends */
};

/* --- programs and plug-ins --- */

/* Beside our own program first, so that a build folder works without installation. Caller frees. */
static char *beside(const char *name, const char *installed_dir)
{
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    char *path = NULL;

    if (length > 0) {
        self[length] = '\0';
        path = xasprintf("%s/%s", dirname(self), name);
    }
    if (path != NULL && access(path, R_OK) == 0)
        return path;
    free(path);
    return xasprintf("%s/%s", installed_dir, name);
}

static char *module_path(const char *module)
{
    char *name, *path;

    if (module[0] == '/')
        return xstrdup(module);
    name = xasprintf("%s.so", module);
    path = beside(name, PLUGINSDIR);
    free(name);
    return path;
}

/* --- events of hosts --- */

static bool is_settled(const struct daemon *daemon)
{
    for (int i = 0; i < daemon->host_count; i++)
        if (!host_is_up(daemon->hosts[i]) && !host_is_gone(daemon->hosts[i]))
            return false;
    return true;
}

static void tell_ready(struct daemon *daemon)
{
    if (daemon->ready_told)
        return;
    daemon->ready_told = true;
    evtimer_del(daemon->ready_timer);
    daemon->options.ready(daemon->options.context);
}

static void on_ready_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    if (!is_settled(argument))
        log_warning("not every provider is up yet");
    tell_ready(argument);
}

static void on_host_ready(void *context, struct host *host, const uint64_t *jobs, int count)
{
    struct daemon *daemon = context;

    recovery_ready(daemon->recovery, host, jobs, count);
    outbound_cancel(daemon->outbound); /* what was to be canceled while nobody could be told */
}

static void on_ring(void *context, struct line *line, uint64_t number, const char *ring)
{
    struct daemon *daemon = context;

    if (daemon->phase == DAEMON_RUNNING)
        inbound_ring(daemon->inbound, line, number, ring);
}

static void on_status(void *context, struct line *line, const struct link_message *message)
{
    progress_take(((struct daemon *)context)->spool, line, message);
}

static void on_ended(void *context, struct line *line, const struct link_message *message)
{
    struct daemon *daemon = context;

    if (line->job.direction == FAX_OUTBOUND)
        outbound_ended(daemon->outbound, line, message);
    else
        inbound_ended(daemon->inbound, line, message);
}

static void take_state(struct daemon *daemon, const char *provider, const char *text)
{
    if (trunk_take(daemon->trunks, daemon->spool, provider, text) != 0)
        log_warning("provider=%s what it says of its trunks: %s", provider, err_message());
    if (device_take(daemon->devices, daemon->spool, daemon->lines, provider, text) != 0)
        log_warning("provider=%s what it says of its devices: %s", provider, err_message());
}

/* A change for the better is one that the queue has waited for. */
static void on_trunks(void *context, struct host *host, const char *text)
{
    struct daemon *daemon = context;
    const char *trunks_reason;

    if (text != NULL) {
        take_state(daemon, host_name(host), text);
    } else {
        trunk_lose(daemon->trunks, host_name(host));
        device_lose(daemon->devices, host_name(host));
    }
    trunks_reason = trunk_blocks_lines(daemon->trunks, host_name(host));
    for (int i = 0; i < line_count(daemon->lines); i++) {
        struct line *line = line_at(daemon->lines, i);

        if (line->host == host)
            line_set_unavailable(line,
                                 trunks_reason != NULL ? trunks_reason : device_blocks_line(daemon->devices, line));
    }
    if (trunks_reason == NULL && daemon->phase == DAEMON_RUNNING)
        scheduler_run(daemon->scheduler);
}

static void on_lost(void *context, struct line *line)
{
    recovery_lost(((struct daemon *)context)->recovery, line);
}

static void on_idle(void *context)
{
    struct daemon *daemon = context;

    if (!daemon->ready_told && is_settled(daemon))
        tell_ready(daemon);
    if (daemon->phase == DAEMON_RUNNING)
        scheduler_run(daemon->scheduler);
}

static struct host *host_of(void *context, const char *provider)
{
    struct daemon *daemon = context;

    for (int i = 0; i < daemon->host_count; i++)
        if (strcmp(host_name(daemon->hosts[i]), provider) == 0)
            return daemon->hosts[i];
    return NULL;
}

/* --- changes of the spool --- */

static void on_change(void *context, unsigned changes)
{
    struct daemon *daemon = context;

    if ((changes & SPOOL_CHANGE_CANCEL) != 0)
        outbound_cancel(daemon->outbound);
}

/* --- what web/ asks --- */

static struct status_facts facts_of(const struct daemon *daemon)
{
    return (struct status_facts){.spool = daemon->spool,
                                 .lines = daemon->lines,
                                 .trunks = daemon->trunks,
                                 .devices = daemon->devices,
                                 .hosts = daemon->hosts,
                                 .host_count = daemon->host_count,
                                 .converter = daemon->converter,
                                 .undecided = recovery_count(daemon->recovery),
                                 .draining = daemon->phase != DAEMON_RUNNING};
}

static json_t *web_lines(void *context)
{
    struct status_facts facts = facts_of(context);

    return status_lines(&facts);
}

static json_t *web_providers(void *context)
{
    struct status_facts facts = facts_of(context);

    return status_providers(&facts);
}

static json_t *web_trunks(void *context)
{
    struct status_facts facts = facts_of(context);

    return status_trunks(&facts);
}

static int web_trunk_test(void *context, const char *provider, const char *name)
{
    struct daemon *daemon = context;
    struct host *host = host_of(daemon, provider);
    const struct link_message order = {.type = LINK_TEST, .text = name};

    if (host == NULL || trunk_find(daemon->trunks, provider, name) == NULL)
        return err_set(ERR_NOT_FOUND, "there is no trunk %s/%s", provider, name);
    return host_order(host, &order, -1);
}

static int web_line_test(void *context, const char *id)
{
    struct daemon *daemon = context;
    struct line *line = line_by_id(daemon->lines, id);
    struct link_message order = {.type = LINK_TEST};

    if (line == NULL)
        return err_set(ERR_NOT_FOUND, "there is no line %s", id);
    if (device_of(daemon->devices, line) == NULL && host_is_up(line->host))
        return err_set(ERR_UNSUPPORTED, "the line %s has no device that could be tested", id);
    if (line->job.id != 0)
        return err_set(ERR_CONFLICT, "the line %s is in a call", id);
    order.line = (uint32_t)line->index;
    return host_order(line->host, &order, -1);
}

static json_t *web_ready(void *context, bool *ok)
{
    struct status_facts facts = facts_of(context);

    return status_ready(&facts, ok);
}

static void web_metrics(void *context, struct evbuffer *out)
{
    struct status_facts facts = facts_of(context);

    status_metrics(&facts, out);
    routes_metrics(((struct daemon *)context)->routes, out);
}

/* -1 leaves a flag as it is. */
static void set_line(struct line *line, int send, int receive)
{
    if (send >= 0)
        line->send_enabled = send != 0;
    if (receive >= 0)
        line->receive_enabled = receive != 0;
    log_info("line=%s send=%d receive=%d", line->id, line->send_enabled, line->receive_enabled);
    host_enable_lines(line->host);
}

static int web_line_set(void *context, const char *id, int send, int receive)
{
    struct daemon *daemon = context;
    struct line *line = line_by_id(daemon->lines, id);

    if (line == NULL)
        return err_set(ERR_NOT_FOUND, "there is no line %s", id);
    set_line(line, send, receive);
    if (daemon->phase == DAEMON_RUNNING)
        scheduler_run(daemon->scheduler);
    return 0;
}

static int web_test_call(void *context, const struct web_test_call *call,
                         void (*done)(void *context, int error, const char *line, const char *number), void *waiting)
{
    struct daemon *daemon = context;
    const struct test_call_wish wish = {
        .to = call->to, .from = call->from, .station_id = call->station_id, .pages = call->pages};

    if (daemon->phase != DAEMON_RUNNING)
        return err_set(ERR_AGAIN, "the server leaves");
    return test_call_begin(daemon->test_calls, &wish, done, waiting);
}

static bool web_has_line(void *context, const char *group, bool test)
{
    const struct daemon *daemon = context;

    for (int i = 0; i < line_count(daemon->lines); i++) {
        const struct line *line = line_at(daemon->lines, i);

        if (line->simulated == test && line_has_group(line, group))
            return true;
    }
    return false;
}

/* --- leaving --- */

/* How long hosts may take to abort their calls and end. */
static int stop_patience_s(const struct daemon *daemon)
{
    int grace_s = 0;

    for (int i = 0; i < daemon->host_count; i++)
        if (daemon->options.config->providers[i].abort_grace_s > grace_s)
            grace_s = daemon->options.config->providers[i].abort_grace_s;
    return grace_s + STOP_PATIENCE_S;
}

static void stop_hosts(struct daemon *daemon)
{
    daemon->phase = DAEMON_STOPPING;
    outbound_stopping(daemon->outbound);
    for (int i = 0; i < daemon->host_count; i++)
        host_stop(daemon->hosts[i]);
    daemon->looks_left = stop_patience_s(daemon) * 1000 / LOOK_EVERY_MS;
}

static bool all_is_done(const struct daemon *daemon)
{
    for (int i = 0; i < daemon->host_count; i++)
        if (!host_is_gone(daemon->hosts[i]))
            return false;
    return recovery_count(daemon->recovery) == 0 && inbound_count(daemon->inbound) == 0 &&
           (daemon->phase == DAEMON_STOPPING || routes_count(daemon->routes) == 0);
}

static void on_drain_timer(evutil_socket_t fd, short what, void *argument)
{
    struct daemon *daemon = argument;
    struct timeval delay = {0, LOOK_EVERY_MS * 1000};

    (void)fd;
    (void)what;
    if (all_is_done(daemon)) {
        loop_stop(daemon->options.loop);
        return;
    }
    if (daemon->looks_left-- == 0) {
        if (daemon->phase == DAEMON_STOPPING) {
            log_error("a provider does not end: left behind, the next start decides its calls");
            loop_stop(daemon->options.loop);
            return;
        }
        log_warning("calls still run after drain_timeout: they are aborted");
        stop_hosts(daemon);
    }
    evtimer_add(daemon->drain_timer, &delay);
}

static void close_doors(struct daemon *daemon)
{
    web_drain(daemon->web);
    scheduler_close(daemon->scheduler);
    routes_close(daemon->routes);
}

void daemon_drain(struct daemon *daemon)
{
    if (daemon->phase != DAEMON_RUNNING)
        return;
    log_info("no new work: leaving when the calls under way have ended");
    daemon->phase = DAEMON_DRAINING;
    close_doors(daemon);
    for (int i = 0; i < daemon->host_count; i++)
        host_drain(daemon->hosts[i], false);
    daemon->looks_left = daemon->options.config->drain_timeout_s * 1000 / LOOK_EVERY_MS;
    event_active(daemon->drain_timer, EV_TIMEOUT, 0);
}

void daemon_stop(struct daemon *daemon)
{
    if (daemon->phase == DAEMON_STOPPING) {
        loop_stop(daemon->options.loop);
        return;
    }
    log_info("stopping: calls under way are aborted");
    close_doors(daemon);
    stop_hosts(daemon);
    event_active(daemon->drain_timer, EV_TIMEOUT, 0);
}

int daemon_patience_s(const struct daemon *daemon)
{
    int left_s = daemon->looks_left * LOOK_EVERY_MS / 1000;

    return left_s + (daemon->phase == DAEMON_DRAINING ? stop_patience_s(daemon) : 0);
}

/* --- what pages look like --- */

/* A program that is not there is not offered. */
static void offer(json_t *programs, const char *type, const json_t *argv)
{
    const char *program = json_string_value(json_array_get(argv, 0));

    if (program != NULL && access(program, X_OK) == 0)
        json_object_set(programs, type, (json_t *)argv);
    else if (program != NULL)
        log_info("%s documents are not taken: %s is not installed", type, program);
}

static void set_page_style(struct daemon *daemon, const struct config *config)
{
    json_t *programs = json_object();
    char *shipped = beside("covers", DATADIR);
    char *own = config->page_covers[0] != '\0' ? xstrdup(config->page_covers)
                                               : xasprintf("%s/covers", spool_state_dir(daemon->spool));

    offer(programs, "postscript", config->postscript);
    offer(programs, "office", config->office);
    offer(programs, "searchable", config->searchable);
    const struct page_style style = {.sender = config->page_sender,
                                     .time_zone = config->page_time_zone,
                                     .paper = config->page_paper,
                                     .header = config->page_header,
                                     .pages_max = config->page_max_pages,
                                     .covers = {own, shipped},
                                     .programs = programs,
                                     .searchable = json_object_get(programs, "searchable")};

    page_style_set(daemon->spool, &style);
    free(own);
    free(shipped);
    json_decref(programs);
}

/* --- mail --- */

/* Borrowed from `config`, but for the two folders, which the caller frees. */
static struct mail_settings mail_settings_of(const struct config *config, char **installed, char **own)
{
    struct mail_settings settings = config->mail;

    *installed = beside("mail", DATADIR);
    *own =
        config->mail.templates[0] != '\0' ? xstrdup(config->mail.templates) : xasprintf("%s/mail", config->state_dir);
    settings.installed = *installed;
    settings.templates = *own;
    settings.public_url = config->public_url;
    return settings;
}

static int set_mail(struct daemon *daemon, const struct config *config)
{
    char *installed, *own;
    struct mail_settings settings = mail_settings_of(config, &installed, &own);
    int error = mailer_set(daemon->mailer, &settings);

    free(installed);
    free(own);
    return error;
}

/* --- what is done with received faxes --- */

static bool line_in_group(void *context, const char *id, const char *group)
{
    const struct daemon *daemon = context;
    const struct line *line = line_by_id(daemon->lines, id);

    return line != NULL && line_has_group(line, group);
}

static char *sign_link(void *context, const char *fax, bool tiff, int64_t expires_at)
{
    const struct daemon *daemon = context;
    char *path = web_sign_link(daemon->web, fax, tiff, expires_at);
    char *url = xasprintf("%s%s", daemon->public_url, path);

    free(path);
    return url;
}

static void set_public_url(struct daemon *daemon, const struct config *config)
{
    free(daemon->public_url);
    daemon->public_url = xstrdup(config->public_url);
}

static int set_routing(struct daemon *daemon, const struct config *config)
{
    const struct inbound_setup setup = {.folder_root = config->folder_root,
                                        .command_dir = config->command_dir,
                                        .in_group = line_in_group,
                                        .context = daemon};

    route_patience_set(daemon->spool, &config->patience);
    inbound_rule_setup(daemon->spool, &setup);
    return inbound_rules_from_config(daemon->spool, config->routes);
}

/* --- reload --- */

static const struct config_line *find_config_line(const struct config *config, const struct line *line)
{
    for (int i = 0; i < config->provider_count; i++)
        for (int k = 0; k < config->providers[i].line_count; k++)
            if (strcmp(config->providers[i].name, line->provider) == 0 &&
                strcmp(config->providers[i].lines[k].name, line->name) == 0)
                return &config->providers[i].lines[k];
    return NULL;
}

static void reload_tls(struct daemon *daemon, const struct config *config)
{
    bool had = daemon->options.config->tls_certificate[0] != '\0', has = config->tls_certificate[0] != '\0';

    if (had != has)
        log_warning("TLS was turned %s: restart to take it over", has ? "on" : "off");
    else if (web_reload_tls(daemon->web, config->tls_certificate, config->tls_key) != 0)
        log_error("certificate and key not taken over, the old ones stay: %s", err_message());
}

int daemon_check(const struct config *config)
{
    char *installed, *own;
    struct mail_settings settings = mail_settings_of(config, &installed, &own);
    int error = web_check_tls(config->tls_certificate, config->tls_key);

    if (error == 0)
        error = mailer_check(&settings);
    free(installed);
    free(own);
    return error;
}

void daemon_reload(struct daemon *daemon, const struct config *config)
{
    retry_set_default(daemon->spool, &config->retry);
    set_page_style(daemon, config);
    retention_set(daemon->spool, &config->retention);
    set_public_url(daemon, config);
    if (set_routing(daemon, config) != 0)
        log_error("inbound rules not taken over: %s", err_message());
    routes_set(daemon->routes, config->lp, config->routes_parallel);
    if (outbox_endpoints_from_config(daemon->spool, config->webhooks) != 0)
        log_error("webhook endpoints not taken over: %s", err_message());
    if (set_mail(daemon, config) != 0)
        log_error("settings of mail not taken over, the old ones stay: %s", err_message());
    mailer_run(daemon->mailer);
    for (int i = 0; i < line_count(daemon->lines); i++) {
        struct line *line = line_at(daemon->lines, i);
        const struct config_line *wanted = find_config_line(config, line);

        if (wanted == NULL)
            log_warning("line=%s is no longer configured: it goes at the next restart", line->id);
        else if (wanted->send != line->send_enabled || wanted->receive != line->receive_enabled)
            set_line(line, wanted->send, wanted->receive);
    }
    reload_tls(daemon, config);
    web_set_limits(daemon->web, config->per_minute, config->address_per_minute);
    web_set_proxies(daemon->web, &config->proxies);
    session_set_lengths(daemon->spool, config->session_idle_ms, config->session_life_ms);
    if (encryption_differs(daemon->options.config, config))
        log_warning("encryption was changed: restart to take it over");
    if (config->provider_count != daemon->host_count)
        log_warning("providers were added or removed: restart to take them over");
    if (daemon->phase == DAEMON_RUNNING)
        scheduler_run(daemon->scheduler);
}

/* --- opening --- */

static int open_store(struct daemon *daemon)
{
    const struct config *config = daemon->options.config;
    struct spool_options options = {.state_dir = config->state_dir,
                                    .min_free_bytes = config->min_free_bytes,
                                    .idempotency_ttl_s = config->idempotency_ttl_s,
                                    .base = loop_base(daemon->options.loop)};
    char *program;
    int error = encryption_open(&daemon->encryption, config);

    encryption_options(&options, &daemon->encryption);
    if (error == 0)
        error = spool_open(&daemon->spool, &options);

    if (error != 0)
        return error;
    retry_set_default(daemon->spool, &config->retry);
    set_page_style(daemon, config);
    retention_set(daemon->spool, &config->retention);
    error = set_routing(daemon, config);
    if (error != 0)
        return error;
    error = outbox_endpoints_from_config(daemon->spool, config->webhooks);
    if (error != 0)
        return error;
    program = beside("faxd-convert", LIBEXECDIR);
    error = converter_open(&daemon->converter, options.base, program, config->convert_parallel);
    free(program);
    if (error == 0)
        converter_set_timeout(daemon->converter, config->convert_timeout_s);
    return error;
}

static int open_stories(struct daemon *daemon)
{
    struct event_base *base = loop_base(daemon->options.loop);
    const struct outbound_options outbound = {
        .spool = daemon->spool, .lines = daemon->lines, .converter = daemon->converter};
    const struct inbound_options inbound = {
        .base = base, .spool = daemon->spool, .lines = daemon->lines, .converter = daemon->converter};
    const struct prepare_options prepare = {.base = base,
                                            .spool = daemon->spool,
                                            .converter = daemon->converter,
                                            .parallel = daemon->options.config->convert_parallel};
    const struct webhook_options webhooks = {
        .base = base, .spool = daemon->spool, .allow_private = daemon->options.config->allow_private_webhooks};
    const struct mailer_options mails = {.base = base,
                                         .spool = daemon->spool,
                                         .converter = daemon->converter,
                                         .sign_link = sign_link,
                                         .context = daemon};
    const struct routes_options routes = {.base = base,
                                          .spool = daemon->spool,
                                          .converter = daemon->converter,
                                          .lp = daemon->options.config->lp,
                                          .parallel = daemon->options.config->routes_parallel,
                                          .allow_private = daemon->options.config->allow_private_webhooks,
                                          .sign_link = sign_link,
                                          .context = daemon};
    int error = outbound_new(&daemon->outbound, &outbound);

    set_public_url(daemon, daemon->options.config);
    if (error == 0)
        error = inbound_new(&daemon->inbound, &inbound);
    if (error == 0)
        error = prepare_new(&daemon->prepare, &prepare);
    if (error == 0)
        error = webhook_sender_new(&daemon->webhooks, &webhooks);
    if (error == 0)
        error = mailer_new(&daemon->mailer, &mails);
    if (error == 0)
        error = set_mail(daemon, daemon->options.config);
    if (error == 0)
        error = routes_new(&daemon->routes, &routes);
    if (error != 0)
        return error;
    const struct scheduler_options scheduler = {
        .base = base, .spool = daemon->spool, .lines = daemon->lines, .outbound = daemon->outbound};
    const struct recovery_options recovery = {.base = base,
                                              .spool = daemon->spool,
                                              .lines = daemon->lines,
                                              .outbound = daemon->outbound,
                                              .inbound = daemon->inbound,
                                              .host_of = host_of,
                                              .context = daemon};
    daemon->test_calls = test_calls_new(
        &(struct test_calls_options){.spool = daemon->spool, .converter = daemon->converter, .lines = daemon->lines});
    error = scheduler_new(&daemon->scheduler, &scheduler);
    if (error == 0)
        error = recovery_new(&daemon->recovery, &recovery);
    spool_listen(daemon->spool, on_change, daemon);
    return error;
}

static int open_host(struct daemon *daemon, const struct config_provider *provider)
{
    char *program = beside("faxd-fsp", LIBEXECDIR), *engine = beside("faxd-t30", LIBEXECDIR);
    char *module = module_path(provider->module);
    struct host_options options = {
        .base = loop_base(daemon->options.loop),
        .spool = daemon->spool,
        .lines = daemon->lines,
        .provider = provider,
        .program = program,
        .module = module,
        .engine = engine,
        .log_level = daemon->options.config->log_level,
        .handler = {daemon, on_host_ready, on_ring, on_status, on_ended, on_trunks, on_lost, on_idle},
    };
    int error = host_new(&daemon->hosts[daemon->host_count], &options);

    if (error == 0)
        daemon->host_count++;
    free(program);
    free(engine);
    free(module);
    return error;
}

static int open_hosts(struct daemon *daemon)
{
    const struct config *config = daemon->options.config;
    int error = 0;

    daemon->hosts = xcalloc((unsigned long)config->provider_count, sizeof *daemon->hosts);
    for (int i = 0; i < config->provider_count && error == 0; i++)
        error = open_host(daemon, &config->providers[i]);
    return error;
}

static int open_web(struct daemon *daemon)
{
    const struct config *config = daemon->options.config;
    struct web_options options = {.base = loop_base(daemon->options.loop),
                                  .spool = daemon->spool,
                                  .converter = daemon->converter,
                                  .address = config->listen_address,
                                  .port = config->listen_port,
                                  .tls_certificate = config->tls_certificate,
                                  .tls_key = config->tls_key,
                                  .body_max = (size_t)config->body_max,
                                  .memory_max = (size_t)config->memory_max,
                                  .connections_max = config->connections_max,
                                  .version = daemon->options.version,
                                  .allow_private_webhooks = config->allow_private_webhooks,
                                  .per_minute = config->per_minute,
                                  .address_per_minute = config->address_per_minute,
                                  .proxies = &config->proxies,
                                  .server = daemon,
                                  .lines = web_lines,
                                  .providers = web_providers,
                                  .trunks = web_trunks,
                                  .trunk_test = web_trunk_test,
                                  .line_set = web_line_set,
                                  .line_test = web_line_test,
                                  .has_line = web_has_line,
                                  .test_call = web_test_call,
                                  .ready = web_ready,
                                  .metrics = web_metrics};

    session_set_lengths(daemon->spool, config->session_idle_ms, config->session_life_ms);
    return web_open(&daemon->web, &options);
}

/* What an earlier faxd left is taken up before a host can say anything. */
static int take_up(struct daemon *daemon)
{
    struct timeval patience = {READY_PATIENCE_S, 0};
    int error = recovery_begin(daemon->recovery);

    if (error != 0)
        return error;
    call_file_sweep(daemon->spool);
    prepare_run(daemon->prepare);
    webhook_sender_run(daemon->webhooks);
    mailer_run(daemon->mailer);
    routes_run(daemon->routes);
    for (int i = 0; i < daemon->host_count; i++)
        host_start(daemon->hosts[i]);
    if (is_settled(daemon))
        patience.tv_sec = 0; /* those that failed at once try again by themselves */
    evtimer_add(daemon->ready_timer, &patience);
    return 0;
}

int daemon_open(struct daemon **out, const struct daemon_options *options)
{
    struct daemon *daemon = xcalloc(1, sizeof *daemon);
    struct event_base *base = loop_base(options->loop);
    int error;

    daemon->options = *options;
    daemon->ready_timer = evtimer_new(base, on_ready_timer, daemon);
    daemon->drain_timer = evtimer_new(base, on_drain_timer, daemon);
    error = line_table_new(&daemon->lines);
    if (error == 0)
        error = trunk_table_new(&daemon->trunks);
    if (error == 0)
        error = device_table_new(&daemon->devices);
    if (error == 0)
        error = open_store(daemon);
    if (error == 0)
        error = open_stories(daemon);
    if (error == 0)
        error = open_hosts(daemon);
    if (error == 0)
        error = open_web(daemon);
    if (error == 0)
        error = take_up(daemon);
    if (error != 0) {
        daemon_close(daemon);
        return error;
    }
    *out = daemon;
    return 0;
}

void daemon_close(struct daemon *daemon)
{
    if (daemon == NULL)
        return;
    web_close(daemon->web);
    test_calls_free(daemon->test_calls);
    webhook_sender_free(daemon->webhooks);
    mailer_free(daemon->mailer);
    routes_free(daemon->routes);
    free(daemon->public_url);
    scheduler_free(daemon->scheduler);
    prepare_free(daemon->prepare);
    recovery_free(daemon->recovery);
    outbound_free(daemon->outbound);
    inbound_free(daemon->inbound);
    for (int i = 0; i < daemon->host_count; i++)
        host_free(daemon->hosts[i]);
    free(daemon->hosts);
    converter_close(daemon->converter);
    spool_close(daemon->spool);
    encryption_close(&daemon->encryption);
    line_table_free(daemon->lines);
    trunk_table_free(daemon->trunks);
    device_table_free(daemon->devices);
    event_free(daemon->ready_timer);
    event_free(daemon->drain_timer);
    free(daemon);
}

struct spool *daemon_spool(struct daemon *daemon)
{
    return daemon->spool;
}

int daemon_port(const struct daemon *daemon)
{
    return web_port(daemon->web);
}
