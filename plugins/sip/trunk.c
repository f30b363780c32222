/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registrations and keep-alives. sofia refreshes a registration that stands; what failed is tried again by a timer of
 * ours, after ever longer pauses. */
#include "config.h"

#include "plugins/sip/trunk.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#define ADDRESSES_MAX   16
#define REASON_SIZE     160
#define RETRY_FIRST_S   2
#define RETRY_LONGEST_S 120
#define PROBE_WAIT_MS   5000
#define PROBE_DOWN_S    15

static const char *const state_names[] = {"registering", "up", "down"};
enum trunk_state { TRUNK_REGISTERING, TRUNK_UP, TRUNK_DOWN };

struct trunk {
    struct agent_handle registration; /* first: handles of it are bound to the trunk */
    struct agent_handle probe;
    struct agent *agent;
    const struct sip_trunk_setup *setup;
    trunk_changed_fn changed;
    void *context;
    bool by_name;         /* the server, or its proxy */
    pthread_mutex_t lock; /* guards what follows up to the next comment */
    enum trunk_state state;
    char reason[REASON_SIZE];
    int64_t since_ms; /* UTC */
    int calls;
    int64_t next_call_ms; /* monotonic: the next place in the row */
    int64_t calls_total, failures_total;
    char addresses[ADDRESSES_MAX][AGENT_ADDRESS_SIZE]; /* of the server, as heard; the last one first */
    int address_count;
    int64_t test_at_ms; /* UTC; 0 = never */
    int test_status, test_rtt_ms;
    char test_reason[REASON_SIZE];
    /* the agent's thread only */
    nua_handle_t *register_nh, *probe_nh;
    int register_tries, probe_tries;
    bool registering; /* a REGISTER of ours is out */
    bool refused;     /* the last one was answered, and not with 200 */
    int retry_s;
    int fruitless;          /* probes in a row */
    int64_t probe_began_ms; /* monotonic */
    su_timer_t *retry_timer, *probe_timer, *probe_limit;
};

/* ---- state ---- */

static void set_state(struct trunk *trunk, enum trunk_state state, const char *reason)
{
    bool changed;

    pthread_mutex_lock(&trunk->lock);
    changed = trunk->state != state || strcmp(trunk->reason, reason) != 0;
    if (trunk->state != state || !trunk->since_ms) {
        trunk->since_ms = clock_now_ms();
        if (state == TRUNK_DOWN)
            log_warning("trunk %s is down: %s", trunk->setup->name, reason);
        else if (state == TRUNK_UP)
            log_info("trunk %s is up: %s", trunk->setup->name, reason);
    }
    trunk->state = state;
    str_copy(trunk->reason, sizeof(trunk->reason), reason);
    pthread_mutex_unlock(&trunk->lock);
    if (changed)
        trunk->changed(trunk->context);
}

/* `status` 0: no answer came, and `phrase` says why if that is known. */
static void set_down(struct trunk *trunk, int status, const char *phrase, const char *what)
{
    char reason[REASON_SIZE];

    if (status)
        snprintf(reason, sizeof(reason), "%s was answered with %d %.80s", what, status, phrase);
    else
        snprintf(reason, sizeof(reason), "no answer to %s%s%.80s", what, phrase[0] ? ": " : "", phrase);
    set_state(trunk, TRUNK_DOWN, reason);
}

static void learn_address(struct trunk *trunk)
{
    char address[AGENT_ADDRESS_SIZE];
    int i;

    agent_source(trunk->agent, address);
    if (!address[0])
        return;
    pthread_mutex_lock(&trunk->lock);
    for (i = 0; i < trunk->address_count && strcmp(trunk->addresses[i], address) != 0; i++)
        ;
    if (i == trunk->address_count && trunk->address_count < ADDRESSES_MAX)
        trunk->address_count++;
    if (i == ADDRESSES_MAX)
        i--;
    memmove(trunk->addresses[1], trunk->addresses[0], (size_t)i * sizeof(trunk->addresses[0]));
    memcpy(trunk->addresses[0], address, sizeof(address));
    pthread_mutex_unlock(&trunk->lock);
}

bool trunk_has_way(const struct trunk *trunk)
{
    return !trunk->by_name || agent_can_ask_for_names(trunk->agent);
}

/* ---- registration ---- */

static void register_now(struct trunk *trunk);
static void on_retry(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *argument);

static void retry_later(struct trunk *trunk)
{
    trunk->retry_s = trunk->retry_s ? trunk->retry_s * 2 : RETRY_FIRST_S;
    if (trunk->retry_s > RETRY_LONGEST_S)
        trunk->retry_s = RETRY_LONGEST_S;
    if (trunk->retry_timer)
        su_timer_set_interval(trunk->retry_timer, on_retry, (su_timer_arg_t *)trunk,
                              (su_duration_t)trunk->retry_s * 1000);
}

static void on_retry(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *argument)
{
    (void)magic, (void)timer;
    register_now((struct trunk *)argument);
}

static void drop_handle(nua_handle_t **nh)
{
    if (!*nh)
        return;
    nua_handle_bind(*nh, NULL);
    nua_handle_destroy(*nh);
    *nh = NULL;
}

static void on_registration(struct agent_handle *self, const struct agent_event *event)
{
    struct trunk *trunk = (struct trunk *)self;

    if (event->event != nua_r_register || event->status < 200)
        return;
    if ((event->status == 401 || event->status == 407) &&
        agent_authenticate(event, trunk->setup->auth_user, trunk->setup->password, &trunk->register_tries))
        return;
    trunk->registering = false;
    trunk->refused = event->sip && event->status >= 300 && event->status != 408 && event->status != 503;
    if (event->status == 401 || event->status == 407) {
        set_state(trunk, TRUNK_DOWN, "the server refuses user and password");
    } else if (event->status < 300) {
        learn_address(trunk);
        trunk->register_tries = trunk->retry_s = 0;
        set_state(trunk, TRUNK_UP, "registered");
        return;
    } else {
        set_down(trunk, event->sip ? event->status : 0, event->phrase, "REGISTER");
    }
    drop_handle(&trunk->register_nh);
    retry_later(trunk);
}

/* Host part of a URI for what is configured as host:port. */
static const char *transport_parameter(const struct sip_trunk_setup *setup)
{
    return setup->transport == SIP_TCP ? ";transport=tcp" : setup->transport == SIP_TLS ? ";transport=tls" : "";
}

void trunk_route(const struct trunk *trunk, char route[TRUNK_URI_SIZE])
{
    route[0] = '\0';
    if (trunk->setup->proxy[0])
        snprintf(route, TRUNK_URI_SIZE, "<sip:%s%s;lr>", trunk->setup->proxy, transport_parameter(trunk->setup));
}

/* Register by the handle that is there, if there is one: by a new one the old registration's end would come after the
 * new one's beginning. */
static void register_now(struct trunk *trunk)
{
    const struct sip_trunk_setup *setup = trunk->setup;
    char registrar[TRUNK_URI_SIZE], address[TRUNK_URI_SIZE], route[TRUNK_URI_SIZE], expires[16], host[256];
    int port;

    if (!trunk_has_way(trunk)) {
        set_down(trunk, 0, TRUNK_NO_WAY, "REGISTER");
        retry_later(trunk);
        return;
    }
    sip_split_host(setup->domain[0] ? setup->domain : setup->server, host, sizeof(host), &port, 0);
    snprintf(registrar, sizeof(registrar), "sip:%s%s", setup->server, transport_parameter(setup));
    snprintf(address, sizeof(address), strchr(host, ':') ? "<sip:%s@[%s]>" : "<sip:%s@%s>", setup->user, host);
    snprintf(expires, sizeof(expires), "%d", setup->expires_s);
    trunk_route(trunk, route);
    trunk->register_tries = 0;
    trunk->registering = true;
    if (!trunk->register_nh)
        trunk->register_nh =
            nua_handle(agent_nua(trunk->agent), &trunk->registration, SIPTAG_TO_STR(address), SIPTAG_FROM_STR(address),
                       TAG_IF(route[0], NUTAG_INITIAL_ROUTE_STR(route)), NUTAG_M_USERNAME(setup->user), TAG_END());
    nua_register(trunk->register_nh, NUTAG_REGISTRAR(registrar), SIPTAG_EXPIRES_STR(expires), TAG_END());
}

/* ---- OPTIONS ---- */

/* Seconds to the next keep-alive: a trunk that is down is asked more often, so that it is back soon. */
static int probe_interval_s(const struct trunk *trunk, bool up)
{
    int usual = trunk->setup->options_s;
    int soon = trunk->fruitless < 4 ? 1 << trunk->fruitless : PROBE_DOWN_S;

    return up || (usual && usual < soon) ? usual : soon;
}

static void on_keep_alive(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *argument);

static void set_keep_alive(struct trunk *trunk, bool up)
{
    int next_s = probe_interval_s(trunk, up);

    if (trunk->probe_timer && next_s)
        su_timer_set_interval(trunk->probe_timer, on_keep_alive, (su_timer_arg_t *)trunk, (su_duration_t)next_s * 1000);
}

static void end_probe(struct trunk *trunk, int status, const char *phrase)
{
    bool alive = status > 0 && status != 408 && status != 503;

    drop_handle(&trunk->probe_nh);
    if (trunk->probe_limit)
        su_timer_reset(trunk->probe_limit);
    pthread_mutex_lock(&trunk->lock);
    trunk->test_at_ms = clock_now_ms();
    trunk->test_status = status;
    trunk->test_rtt_ms = (int)(clock_mono_ms() - trunk->probe_began_ms);
    str_copy(trunk->test_reason, sizeof(trunk->test_reason), phrase[0] ? phrase : "no answer");
    pthread_mutex_unlock(&trunk->lock);
    trunk->fruitless = alive ? 0 : trunk->fruitless + 1;
    set_keep_alive(trunk, alive);
    /* A registrar that answers OPTIONS has not said that it knows us. */
    if (!alive)
        set_down(trunk, status, phrase, "OPTIONS");
    else if (!trunk->setup->registers)
        set_state(trunk, TRUNK_UP, "answers to OPTIONS");
    else if (!trunk_is_up(trunk) && !trunk->registering && !trunk->refused)
        register_now(trunk);
    trunk->changed(trunk->context); /* the test's result, at least */
}

static void on_probe(struct agent_handle *self, const struct agent_event *event)
{
    struct trunk *trunk = (struct trunk *)((char *)self - offsetof(struct trunk, probe));

    if (event->event != nua_r_options || event->status < 200)
        return;
    if ((event->status == 401 || event->status == 407) &&
        agent_authenticate(event, trunk->setup->auth_user, trunk->setup->password, &trunk->probe_tries))
        return;
    if (event->sip)
        learn_address(trunk);
    end_probe(trunk, event->sip ? event->status : 0, event->phrase);
}

static void on_probe_limit(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *argument)
{
    struct trunk *trunk = (struct trunk *)argument;

    (void)magic, (void)timer;
    if (trunk->probe_nh)
        end_probe(trunk, 0, "");
}

void trunk_test(struct trunk *trunk)
{
    char uri[TRUNK_URI_SIZE], route[TRUNK_URI_SIZE];

    if (trunk->probe_nh)
        return; /* one is on its way */
    trunk->probe_began_ms = clock_mono_ms();
    if (!trunk_has_way(trunk)) {
        end_probe(trunk, 0, TRUNK_NO_WAY);
        return;
    }
    snprintf(uri, sizeof(uri), "sip:%s%s", trunk->setup->server, transport_parameter(trunk->setup));
    trunk_route(trunk, route);
    trunk->probe_tries = 0;
    trunk->probe_nh = nua_handle(agent_nua(trunk->agent), &trunk->probe, NUTAG_URL(uri), SIPTAG_TO_STR(uri),
                                 TAG_IF(route[0], NUTAG_INITIAL_ROUTE_STR(route)), TAG_END());
    nua_options(trunk->probe_nh, TAG_END());
    if (trunk->probe_limit)
        su_timer_set_interval(trunk->probe_limit, on_probe_limit, (su_timer_arg_t *)trunk, PROBE_WAIT_MS);
}

static void on_keep_alive(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *argument)
{
    (void)magic, (void)timer;
    trunk_test((struct trunk *)argument); /* its end sets the next */
}

void trunk_was_silent(struct trunk *trunk)
{
    set_state(trunk, TRUNK_DOWN, "no answer to INVITE");
    trunk_test(trunk);
}

/* ---- life ---- */

struct trunk *trunk_new(struct agent *agent, const struct sip_trunk_setup *setup, trunk_changed_fn changed,
                        void *context)
{
    struct trunk *trunk = xcalloc(1, sizeof(*trunk));
    char host[256];
    struct sip_peer peer;
    int port;

    trunk->registration.hear = on_registration;
    trunk->probe.hear = on_probe;
    trunk->agent = agent;
    trunk->setup = setup;
    trunk->changed = changed;
    trunk->context = context;
    pthread_mutex_init(&trunk->lock, NULL);
    trunk->state = setup->registers ? TRUNK_REGISTERING : TRUNK_UP;
    trunk->since_ms = clock_now_ms();
    str_copy(trunk->reason, sizeof(trunk->reason), setup->registers ? "not registered yet" : "not asked yet");
    sip_split_host(setup->proxy[0] ? setup->proxy : setup->server, host, sizeof(host), &port, 0);
    trunk->by_name = sip_peer_parse(&peer, host) != 0;
    if (!trunk->by_name) {
        str_copy(trunk->addresses[0], AGENT_ADDRESS_SIZE, host);
        trunk->address_count = 1;
    }
    return trunk;
}

void trunk_start(struct trunk *trunk)
{
    trunk->retry_timer = su_timer_create(su_root_task(agent_root(trunk->agent)), 1000);
    trunk->probe_timer = su_timer_create(su_root_task(agent_root(trunk->agent)), 1000);
    trunk->probe_limit = su_timer_create(su_root_task(agent_root(trunk->agent)), 1000);
    if (trunk->setup->registers)
        register_now(trunk);
    if (trunk->setup->options_s)
        trunk_test(trunk);
}

void trunk_stop(struct trunk *trunk)
{
    su_timer_destroy(trunk->retry_timer);
    su_timer_destroy(trunk->probe_timer);
    su_timer_destroy(trunk->probe_limit);
    trunk->retry_timer = trunk->probe_timer = trunk->probe_limit = NULL;
    drop_handle(&trunk->probe_nh);
    drop_handle(&trunk->register_nh); /* sofia takes the registration back */
}

void trunk_free(struct trunk *trunk)
{
    if (!trunk)
        return;
    pthread_mutex_destroy(&trunk->lock);
    free(trunk);
}

const struct sip_trunk_setup *trunk_setup(const struct trunk *trunk)
{
    return trunk->setup;
}

bool trunk_speaks_t38(const struct trunk *trunk)
{
    return trunk->setup->t38 != SIP_TRUNK_T38_NEVER && !trunk->setup->srtp;
}

bool trunk_is_up(struct trunk *trunk)
{
    bool up;

    pthread_mutex_lock(&trunk->lock);
    up = trunk->state == TRUNK_UP;
    pthread_mutex_unlock(&trunk->lock);
    return up;
}

bool trunk_take(struct trunk *trunk)
{
    bool room;

    pthread_mutex_lock(&trunk->lock);
    room = !trunk->setup->calls_max || trunk->calls < trunk->setup->calls_max;
    if (room) {
        trunk->calls++;
        trunk->calls_total++;
    }
    pthread_mutex_unlock(&trunk->lock);
    return room;
}

int64_t trunk_turn(struct trunk *trunk)
{
    int64_t now_ms = clock_mono_ms(), wait_ms;

    pthread_mutex_lock(&trunk->lock);
    if (trunk->next_call_ms < now_ms)
        trunk->next_call_ms = now_ms;
    wait_ms = trunk->next_call_ms - now_ms;
    trunk->next_call_ms += 1000 / trunk->setup->calls_per_second;
    pthread_mutex_unlock(&trunk->lock);
    return wait_ms;
}

void trunk_release(struct trunk *trunk, bool failed)
{
    pthread_mutex_lock(&trunk->lock);
    trunk->calls--;
    if (failed)
        trunk->failures_total++;
    pthread_mutex_unlock(&trunk->lock);
}

bool trunk_has_peer(struct trunk *trunk, const char *address)
{
    bool found = false;

    for (int i = 0; i < trunk->setup->peer_count && !found; i++)
        found = sip_peer_matches(&trunk->setup->peers[i], address);
    pthread_mutex_lock(&trunk->lock);
    for (int i = 0; i < trunk->address_count && !found; i++)
        found = strcmp(trunk->addresses[i], address) == 0;
    pthread_mutex_unlock(&trunk->lock);
    return found;
}

void trunk_address(struct trunk *trunk, char address[AGENT_ADDRESS_SIZE])
{
    pthread_mutex_lock(&trunk->lock);
    str_copy(address, AGENT_ADDRESS_SIZE, trunk->address_count ? trunk->addresses[0] : "");
    pthread_mutex_unlock(&trunk->lock);
}

/* The user part: the number in the trunk's format, behind its prefix; what could break out of it is escaped. */
static void write_user(const struct trunk *trunk, const char *number, char *to, size_t size)
{
    const char *from = number;
    size_t used = 0;

    if (trunk->setup->number_format == SIP_NUMBER_DIGITS)
        from += *from == '+';
    used += (size_t)snprintf(to, size, "%s%s", trunk->setup->prefix,
                             trunk->setup->number_format == SIP_NUMBER_PLUS && *from != '+' ? "+" : "");
    for (; *from && used + 4 < size; from++) {
        if (isalnum((unsigned char)*from) || strchr("+*-_.!~'()&=$,", *from))
            to[used++] = *from;
        else if (!strchr(" /", *from))
            used += (size_t)snprintf(to + used, size - used, "%%%02X", (unsigned char)*from);
    }
    to[used] = '\0';
}

void trunk_uri(const struct trunk *trunk, const char *number, char uri[TRUNK_URI_SIZE])
{
    char user[200];

    if (strncasecmp(number, "sip:", 4) == 0 && strpbrk(number, " <>\r\n\"") == NULL) {
        str_copy(uri, TRUNK_URI_SIZE, number);
        return;
    }
    if ((*number == 'T' || *number == 'P') && number[1]) /* tone and pulse are for lines with a dial */
        number++;
    write_user(trunk, number, user, sizeof(user));
    snprintf(uri, TRUNK_URI_SIZE, "sip:%s@%s%s", user, trunk->setup->server, transport_parameter(trunk->setup));
}

static json_t *describe_test(const struct trunk *trunk)
{
    if (!trunk->test_at_ms)
        return json_null();
    return json_pack("{s:I,s:b,s:i,s:s,s:i}", "at_ms", (json_int_t)trunk->test_at_ms, "ok",
                     (int)(trunk->test_status > 0 && trunk->test_status != 408 && trunk->test_status != 503), "status",
                     trunk->test_status, "reason", trunk->test_reason, "rtt_ms", trunk->test_rtt_ms);
}

json_t *trunk_describe(struct trunk *trunk)
{
    json_t *object;

    pthread_mutex_lock(&trunk->lock);
    object = json_pack("{s:s,s:s,s:s,s:I,s:s,s:s,s:i,s:I,s:I,s:o}", "name", trunk->setup->name, "state",
                       state_names[trunk->state], "reason", trunk->reason, "since_ms", (json_int_t)trunk->since_ms,
                       "registrar", trunk->setup->server, "kind", trunk->setup->registers ? "register" : "static",
                       "calls", trunk->calls, "calls_total", (json_int_t)trunk->calls_total, "failures_total",
                       (json_int_t)trunk->failures_total, "last_test", describe_test(trunk));
    pthread_mutex_unlock(&trunk->lock);
    return object;
}
