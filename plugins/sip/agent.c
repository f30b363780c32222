/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One su_root on one thread. The stack shares it, so nothing here is locked but what other threads see at the start.
 *
 * Messages on the wire are had from the transport's log, the only place where sofia shows what it sends: its lines are
 * put together again to messages, and those go to the call with their Call-ID. */
#include "config.h"

#include "plugins/sip/agent.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_mclass.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sresolv.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/tport_tag.h>

#include "plugins/sip/ip.h"
#include "plugins/sip/name_servers.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#define USER_AGENT            "faxd"
#define ALLOWED               "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE"
#define URL_SIZE              400
#define MESSAGE_SIZE          8192   /* of the message that is put together; the rest of a longer one is not shown */
#define RECEIVED_MAX          131072 /* octets of a message */
#define BUCKETS               1024   /* of followers */
#define CLOSE_WAIT_MS         5000
#define DISCARD_PORT          9
#define AUTH_TRIES            2
#define NO_MATCHING_CHALLENGE 904

struct follower {
    struct follower *next;
    char *call_id;
    agent_message_fn hear;
    void *context;
};

/* The message that the log is spelling out. */
struct message {
    char text[MESSAGE_SIZE];
    size_t used;
    char line[64]; /* the beginning of the line at hand */
    size_t line_used;
    size_t line_began; /* where it begins in `text` */
    bool received, stamped, inside;
};

struct agent {
    const struct sip_setup *setup;
    char bind_address[AGENT_ADDRESS_SIZE];
    pthread_t thread;
    pthread_mutex_t lock; /* guards `started` and `failed` */
    pthread_cond_t changed;
    bool started, failed;
    su_root_t *root;
    nua_t *nua;
    su_timer_t *close_timer;
    agent_guard_fn guard;
    agent_invite_fn invite;
    void *invite_context; /* of both */
    msg_mclass_t *parser;
    char protocol[8]; /* "SIP/2.0", the name of `parser`: from it the parser finds its agent */
    struct follower *followers[BUCKETS];
    struct message message;
};

/* ---- messages on the wire ---- */

static unsigned hash_text(const char *text, size_t size)
{
    unsigned hash = 2166136261u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash % BUCKETS;
}

/* The value of Call-ID in a message, or NULL. */
static const char *find_call_id(const char *text, size_t *size)
{
    static const char *const names[] = {"\nCall-ID:", "\ni:"};

    for (int i = 0; i < 2; i++) {
        const char *at = strcasestr(text, names[i]);

        if (!at)
            continue;
        at += strlen(names[i]);
        at += strspn(at, " \t");
        *size = strcspn(at, " \t\r\n");
        return at;
    }
    return NULL;
}

static struct follower *find_follower(struct agent *agent, const char *call_id, size_t size)
{
    struct follower *follower = agent->followers[hash_text(call_id, size)];

    while (follower && (strncmp(follower->call_id, call_id, size) != 0 || follower->call_id[size] != '\0'))
        follower = follower->next;
    return follower;
}

static void give_message(struct agent *agent)
{
    struct message *message = &agent->message;
    struct follower *follower = NULL;
    const char *call_id;
    size_t size;

    message->text[message->used] = '\0';
    if ((call_id = find_call_id(message->text, &size)) != NULL)
        follower = find_follower(agent, call_id, size);
    if (follower)
        follower->hear(follower->context, message->received, message->text, message->used);
}

/* A whole line of the log: the stamp before a message, the rules around it, or a line of it. Only stamps begin at the
 * left margin, so that a message with a rule of its own spoils no other. */
static void take_line(struct agent *agent)
{
    struct message *message = &agent->message;
    bool rule = strncmp(message->line, "   --------------------", 23) == 0;
    bool received = strncmp(message->line, "recv ", 5) == 0;

    if (received || strncmp(message->line, "send ", 5) == 0) {
        message->received = received;
        message->stamped = true;
        message->inside = false;
    } else if (rule && message->inside) {
        message->inside = false;
        message->used = message->line_began; /* the rule's own beginning is no part of it */
        give_message(agent);
    } else if (rule && message->stamped) {
        message->inside = true;
        message->stamped = false;
        message->used = 0;
        message->line_used = 0; /* no line of the message */
    }
}

static void take_character(struct agent *agent, char c)
{
    struct message *message = &agent->message;

    if (c == '\n') {
        message->line[message->line_used < sizeof(message->line) ? message->line_used : sizeof(message->line) - 1] =
            '\0';
        take_line(agent);
        if (message->inside && message->line_used > 0 && message->used < MESSAGE_SIZE - 1)
            message->text[message->used++] = '\n';
        message->line_began = message->used;
        message->line_used = 0;
        return;
    }
    if (message->line_used < sizeof(message->line) - 1)
        message->line[message->line_used] = c;
    message->line_used++;
    if (message->inside && message->line_used > 3 && message->used < MESSAGE_SIZE - 2)
        message->text[message->used++] = c;
}

static void on_log(void *stream, char const *format, va_list arguments)
{
    char text[2200]; /* sofia cuts its lines at 2047 */
    int size = vsnprintf(text, sizeof(text), format, arguments);

    for (int i = 0; i < size && i < (int)sizeof(text) - 1; i++)
        take_character(stream, text[i]);
}

/* The request of the event at hand went by before anybody could know that it is of interest. */
static void give_request(struct agent *agent, const struct follower *follower)
{
    msg_t *request = nua_current_request(agent->nua);
    sip_t const *sip = request ? sip_object(request) : NULL;
    char *text;
    size_t size = 0;

    if (!sip || !sip->sip_call_id || strcmp(sip->sip_call_id->i_id, follower->call_id) != 0)
        return;
    text = msg_as_string(msg_home(request), request, NULL, 0, &size);
    if (text)
        follower->hear(follower->context, true, text, size);
    su_free(msg_home(request), text);
}

void agent_follow(struct agent *agent, const char *call_id, agent_message_fn hear, void *context)
{
    struct follower *follower = xcalloc(1, sizeof(*follower));
    unsigned bucket = hash_text(call_id, strlen(call_id));

    *follower = (struct follower){
        .next = agent->followers[bucket], .call_id = xstrdup(call_id), .hear = hear, .context = context};
    agent->followers[bucket] = follower;
    give_request(agent, follower);
}

void agent_unfollow(struct agent *agent, const char *call_id, const void *context)
{
    struct follower **link = &agent->followers[hash_text(call_id, strlen(call_id))];

    while (*link && ((*link)->context != context || strcmp((*link)->call_id, call_id) != 0))
        link = &(*link)->next;
    if (*link) {
        struct follower *gone = *link;

        *link = gone->next;
        free(gone->call_id);
        free(gone);
    }
}

/* ---- events ---- */

static void refuse_new(nua_t *nua, nua_handle_t *nh, int status, const char *phrase)
{
    nua_respond(nh, status, phrase, NUTAG_WITH_THIS(nua), TAG_END());
    nua_handle_destroy(nh);
}

static void on_event(nua_event_t event, int status, char const *phrase, nua_t *nua, struct agent *agent,
                     nua_handle_t *nh, struct agent_handle *owner, sip_t const *sip, tagi_t tags[])
{
    struct agent_event what = {.event = event, .status = status, .phrase = phrase ? phrase : "", .nh = nh, .sip = sip};

    (void)tags;
    if (sip && nta_sip_is_internal(sip)) /* the stack's own word for: nothing came */
        what.sip = NULL;
    if (status == NO_MATCHING_CHALLENGE) /* what the stack says of credentials that were refused */
        what = (struct agent_event){.event = event, .status = 401, .phrase = "Unauthorized", .nh = nh};
    if (event == nua_r_shutdown) {
        if (status >= 200)
            su_root_break(agent->root);
    } else if (owner) {
        owner->hear(owner, &what);
    } else if (event == nua_i_invite && agent->invite) {
        agent->invite(agent->invite_context, &what);
    } else if (event == nua_i_invite) {
        refuse_new(nua, nh, SIP_503_SERVICE_UNAVAILABLE);
    } else if (nh && event < nua_r_set_params && event != nua_i_terminated && event != nua_i_state) {
        /* Requests out of a dialog were answered by the stack; a response for a handle that nobody has any more. */
        nua_handle_destroy(nh);
    }
}

static void write_address(su_sockaddr_t const *from, char address[AGENT_ADDRESS_SIZE])
{
    address[0] = '\0';
    if (from && from->su_family == AF_INET)
        inet_ntop(AF_INET, &from->su_sin.sin_addr, address, AGENT_ADDRESS_SIZE);
    else if (from && from->su_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&from->su_sin6.sin6_addr))
        inet_ntop(AF_INET, &from->su_sin6.sin6_addr.s6_addr[12], address, AGENT_ADDRESS_SIZE);
    else if (from && from->su_family == AF_INET6)
        inet_ntop(AF_INET6, &from->su_sin6.sin6_addr, address, AGENT_ADDRESS_SIZE);
}

void agent_source(const struct agent *agent, char address[AGENT_ADDRESS_SIZE])
{
    msg_t *message = nua_current_request(agent->nua);

    write_address(message ? msg_addr(message) : NULL, address);
}

/* ---- the guard ---- */

static bool may_pass(const struct agent *agent, msg_t *message, const sip_t *sip)
{
    char source[AGENT_ADDRESS_SIZE];

    if (!agent->guard || !sip->sip_request || sip->sip_request->rq_method == sip_method_ack)
        return true;
    write_address(msg_addr(message), source);
    return agent->guard(agent->invite_context, source,
                        sip->sip_request->rq_method == sip_method_invite && !(sip->sip_to && sip->sip_to->a_tag));
}

/* The parser has come to the end of a message's headers. A body of a length near the largest number would go past the
 * stack's own check of sizes and end the process. A request is turned away here since the stack keeps each that
 * it answers for half a minute, and floods would fill the memory; one in error without Via is dropped by it. */
static issize_t extract_body(msg_t *message, msg_pub_t *public, char text[], isize_t size, int end)
{
    struct agent *agent = (struct agent *)(uintptr_t)(msg_mclass(message)->mc_name - offsetof(struct agent, protocol));
    sip_t *sip = (sip_t *)public;
    bool first = !(sip->sip_flags & MSG_FLG_BODY);
    issize_t taken;

    if (first && sip->sip_content_length && sip->sip_content_length->l_length > RECEIVED_MAX) {
        sip->sip_flags |= MSG_FLG_ERROR;
        return -1;
    }
    taken = sip_default_mclass()->mc_extract_body(message, public, text, size, end);
    if (first && (sip->sip_flags & MSG_FLG_BODY) && !may_pass(agent, message, sip)) {
        sip->sip_via = NULL;
        sip->sip_flags |= MSG_FLG_ERROR;
        return -1;
    }
    return taken;
}

static void make_parser(struct agent *agent)
{
    str_copy(agent->protocol, sizeof(agent->protocol), "SIP/2.0");
    agent->parser = msg_mclass_clone(sip_default_mclass(), 0, 0);
    if (!agent->parser) {
        log_error("no memory for a parser of SIP");
        abort();
    }
    agent->parser->mc_name = agent->protocol;
    agent->parser->mc_extract_body = extract_body;
}

/* ---- credentials, headers ---- */

/* The realm of the first challenge that is Digest, NULL when there is none: Basic would give the password away. */
static const char *digest_realm(const sip_www_authenticate_t *challenge)
{
    while (challenge && (!challenge->au_scheme || strcasecmp(challenge->au_scheme, "Digest") != 0))
        challenge = challenge->au_next;
    return challenge ? msg_params_find(challenge->au_params, "realm=") : NULL;
}

bool agent_authenticate(const struct agent_event *event, const char *user, const char *password, int *tries)
{
    const char *realm = NULL;
    char *credentials = NULL;

    if (event->sip)
        realm =
            digest_realm(event->status == 407 ? event->sip->sip_proxy_authenticate : event->sip->sip_www_authenticate);
    if (!realm || !user[0] || !password[0] || ++*tries > AUTH_TRIES)
        return false;
    if (asprintf(&credentials, "Digest:%s:%s:%s", realm, user, password) < 0)
        return false;
    nua_authenticate(event->nh, NUTAG_AUTH(credentials), TAG_END());
    free(credentials);
    return true;
}

char *agent_header(const sip_t *sip, const char *name)
{
    char *all = NULL, *longer;

    for (const sip_unknown_t *header = sip->sip_unknown; header; header = header->un_next) {
        if (!header->un_name || strcasecmp(header->un_name, name) != 0 || !header->un_value)
            continue;
        if (!all) {
            all = xstrdup(header->un_value);
        } else if (asprintf(&longer, "%s, %s", all, header->un_value) > 0) {
            free(all);
            all = longer;
        }
    }
    return all;
}

/* ---- addresses ---- */

static bool is_wildcard(const char *address)
{
    return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

/* The source address of the route to `peer`; nothing is sent for it. */
static bool route_source(const char *peer, char address[AGENT_ADDRESS_SIZE])
{
    struct sockaddr_storage to;
    socklen_t size = ip_address(&to, peer, DISCARD_PORT);
    bool found = false;
    int fd;

    if (size == 0)
        return false;
    fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, size) == 0) {
        const struct sockaddr_in *four = (struct sockaddr_in *)&to;
        const struct sockaddr_in6 *six = (struct sockaddr_in6 *)&to;
        socklen_t room = sizeof(to);

        found = getsockname(fd, (struct sockaddr *)&to, &room) == 0 &&
                (to.ss_family == AF_INET ? inet_ntop(AF_INET, &four->sin_addr, address, AGENT_ADDRESS_SIZE)
                                         : inet_ntop(AF_INET6, &six->sin6_addr, address, AGENT_ADDRESS_SIZE)) != NULL;
    }
    if (fd >= 0)
        close(fd);
    return found;
}

bool agent_can_ask_for_names(const struct agent *agent)
{
    const char *path = agent->setup->resolv_conf;

    return name_servers_have_route(path[0] ? path : "/etc/resolv.conf");
}

void agent_own_address(const struct agent *agent, const char *peer, char address[AGENT_ADDRESS_SIZE])
{
    bool six = strchr(agent->bind_address, ':') != NULL;

    if (agent->setup->external_address[0])
        str_copy(address, AGENT_ADDRESS_SIZE, agent->setup->external_address);
    else if (!is_wildcard(agent->bind_address))
        str_copy(address, AGENT_ADDRESS_SIZE, agent->bind_address);
    else if (!route_source(peer, address) && !route_source(six ? "2001:db8::1" : "192.0.2.1", address))
        str_copy(address, AGENT_ADDRESS_SIZE, six ? "::1" : "127.0.0.1");
}

/* "sip:*:5060": where to listen and, with an external address, what to say in Contact and Via. */
static void make_url(const struct agent *agent, const char *scheme, const char *listen, char url[URL_SIZE])
{
    const char *external = agent->setup->external_address;
    char host[256], shown[260];
    int port = 0;

    sip_split_host(listen, host, sizeof(host), &port, strcmp(scheme, "sips") == 0 ? 5061 : 5060);
    snprintf(shown, sizeof(shown), strchr(host, ':') ? "[%s]" : "%s", host);
    if (external[0])
        snprintf(url, URL_SIZE, strchr(external, ':') ? "%s:[%s]:%d;maddr=%s" : "%s:%s:%d;maddr=%s", scheme, external,
                 port, shown);
    else
        snprintf(url, URL_SIZE, "%s:%s:%d", scheme, shown, port);
}

/* ---- the thread ---- */

static nua_t *make_nua(struct agent *agent)
{
    const struct sip_setup *setup = agent->setup;
    char url[URL_SIZE], tls_url[URL_SIZE];
    bool tls = setup->tls_listen[0] != '\0';
    unsigned verify = setup->tls_verify ? TPTLS_VERIFY_OUT | TPTLS_VERIFY_SUBJECTS_OUT : TPTLS_VERIFY_NONE;

    make_url(agent, "sip", setup->listen, url);
    make_url(agent, "sips", tls ? setup->tls_listen : "0.0.0.0:5061", tls_url);
    make_parser(agent);
    return nua_create(agent->root, on_event, agent, NUTAG_URL(url), NTATAG_MCLASS(agent->parser),
                      NTATAG_MAXSIZE(RECEIVED_MAX), TAG_IF(tls, NUTAG_SIPS_URL(tls_url)),
                      TAG_IF(tls, NUTAG_CERTIFICATE_DIR(setup->tls_dir)), TAG_IF(tls, TPTAG_TLS_VERIFY_POLICY(verify)),
                      TAG_IF(setup->resolv_conf[0], SRESTAG_RESOLV_CONF(setup->resolv_conf)), NUTAG_MEDIA_ENABLE(0),
                      NUTAG_AUTOACK(1), NUTAG_AUTOANSWER(0), NUTAG_AUTOALERT(0), SIPTAG_ALLOW_STR(ALLOWED),
                      NUTAG_APPL_METHOD("UPDATE"), NUTAG_SESSION_TIMER(setup->session_expires_s), NUTAG_MIN_SE(90),
                      NUTAG_SESSION_REFRESHER(nua_remote_refresher), NUTAG_OUTBOUND("no-options-keepalive no-validate"),
                      SIPTAG_USER_AGENT_STR(USER_AGENT), TPTAG_LOG(1), TAG_END());
}

static void say_started(struct agent *agent, bool failed)
{
    pthread_mutex_lock(&agent->lock);
    agent->started = true;
    agent->failed = failed;
    pthread_cond_broadcast(&agent->changed);
    pthread_mutex_unlock(&agent->lock);
}

static void *run(void *context)
{
    struct agent *agent = context;

    agent->root = su_root_create(NULL);
    if (agent->root) {
        su_root_threading(agent->root, 0);
        agent->nua = make_nua(agent);
    }
    say_started(agent, !agent->nua);
    if (agent->nua) {
        su_root_run(agent->root);
        su_timer_destroy(agent->close_timer);
        nua_destroy(agent->nua);
    }
    if (agent->root)
        su_root_destroy(agent->root);
    return NULL;
}

static void free_agent(struct agent *agent)
{
    for (int i = 0; i < BUCKETS; i++)
        while (agent->followers[i])
            agent_unfollow(agent, agent->followers[i]->call_id, agent->followers[i]->context);
    free(agent->parser);
    pthread_cond_destroy(&agent->changed);
    pthread_mutex_destroy(&agent->lock);
    free(agent);
}

int agent_open(struct agent **out, const struct sip_setup *setup)
{
    struct agent *agent = xcalloc(1, sizeof(*agent));
    char host[256];
    int port, error;

    agent->setup = setup;
    sip_split_host(setup->listen, host, sizeof(host), &port, 5060);
    str_copy(agent->bind_address, sizeof(agent->bind_address), host);
    pthread_mutex_init(&agent->lock, NULL);
    pthread_cond_init(&agent->changed, NULL);
    su_init();
    su_log_set_level(NULL, 0);
    su_log_redirect(NULL, on_log, agent);
    error = pthread_create(&agent->thread, NULL, run, agent);
    if (error) {
        free_agent(agent);
        return err_set(ERR_IO, "cannot start the SIP user agent: %s", strerror(error));
    }
    pthread_mutex_lock(&agent->lock);
    while (!agent->started)
        pthread_cond_wait(&agent->changed, &agent->lock);
    pthread_mutex_unlock(&agent->lock);
    if (agent->failed) {
        pthread_join(agent->thread, NULL);
        free_agent(agent);
        return err_set(ERR_IO, "cannot listen for SIP at %s%s%s: the address is in use, or not this machine's",
                       setup->listen, setup->tls_listen[0] ? " and " : "", setup->tls_listen);
    }
    *out = agent;
    return 0;
}

void agent_accept(struct agent *agent, agent_guard_fn guard, agent_invite_fn invite, void *context)
{
    agent->guard = guard;
    agent->invite = invite;
    agent->invite_context = context;
}

static void give_up_closing(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *argument)
{
    (void)magic, (void)timer;
    su_root_break(((struct agent *)argument)->root);
}

/* Calls whose last word has not come are over now; they let go of what they hold. */
static void end_calls(struct agent *agent)
{
    struct agent_event over = {.event = nua_i_terminated, .phrase = "the server is stopping"};

    for (int i = 0; i < BUCKETS; i++) {
        while (agent->followers[i]) {
            struct agent_handle *call = agent->followers[i]->context;

            call->hear(call, &over);
            if (agent->followers[i] && agent->followers[i]->context == call)
                agent_unfollow(agent, agent->followers[i]->call_id, call);
        }
    }
}

static void begin_closing(void *context)
{
    struct agent *agent = context;

    agent->guard = NULL;
    agent->invite = NULL;
    end_calls(agent);
    nua_shutdown(agent->nua);
    agent->close_timer = su_timer_create(su_root_task(agent->root), CLOSE_WAIT_MS);
    if (agent->close_timer)
        su_timer_set(agent->close_timer, give_up_closing, (su_timer_arg_t *)agent);
}

void agent_close(struct agent *agent)
{
    if (!agent)
        return;
    agent_post(agent, begin_closing, agent);
    pthread_join(agent->thread, NULL);
    su_log_redirect(NULL, NULL, NULL);
    free_agent(agent);
}

struct posted {
    void (*work)(void *context);
    void *context;
};

static void run_posted(su_root_magic_t *magic, su_msg_r message, su_msg_arg_t *argument)
{
    struct posted *posted = (struct posted *)argument;

    (void)magic, (void)message;
    posted->work(posted->context);
}

void agent_post(struct agent *agent, void (*work)(void *context), void *context)
{
    su_msg_r message = SU_MSG_R_INIT;

    if (su_msg_create(message, su_root_task(agent->root), su_task_null, run_posted, sizeof(struct posted)) != 0) {
        log_error("no memory for an order to the SIP user agent");
        abort();
    }
    *(struct posted *)(void *)su_msg_data(message) = (struct posted){.work = work, .context = context};
    su_msg_send(message);
}

nua_t *agent_nua(struct agent *agent)
{
    return agent->nua;
}

su_root_t *agent_root(struct agent *agent)
{
    return agent->root;
}

const struct sip_setup *agent_setup(const struct agent *agent)
{
    return agent->setup;
}

const char *agent_bind_address(const struct agent *agent)
{
    return agent->bind_address;
}
