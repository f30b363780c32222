/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings of a SIP provider: tables of keys, and what they have to do with one another. */
#include "config.h"

#include "plugins/sip/sip_setup.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <unistd.h>

#define WHERE_SIZE 160
#define UNSET      (-1)

static const char *const transports[] = {"udp", "tcp", "tls", NULL};
static const char *const requests[] = {"both", "called", "caller", "never", NULL};
static const char *const firsts[] = {"never", "only", "both", NULL};
static const char *const ecs[] = {"none", "redundancy", "fec", NULL}; /* in the order of enum sdp_ec */
static const char *const fulls[] = {"busy", "unavailable", NULL};
static const char *const rejects[] = {"decline", "busy", "ignore", NULL};
static const char *const identities[] = {"from", "asserted", NULL};
static const char *const formats[] = {"as_dialled", "digits", "plus", NULL};
static const char *const trunk_t38s[] = {"auto", "never", "first", NULL};

#define AT(field) offsetof(struct sip_setup, field)
static const struct settings_key provider_keys[] = {
    {"carrier", SETTINGS_TEXT, AT(carrier), 0, 32, NULL},
    {"listen", SETTINGS_TEXT, AT(listen), 0, 128, NULL},
    {"tls_listen", SETTINGS_TEXT, AT(tls_listen), 0, 128, NULL},
    {"tls_dir", SETTINGS_TEXT, AT(tls_dir), 0, 255, NULL},
    {"tls_verify", SETTINGS_BOOL, AT(tls_verify), 0, 0, NULL},
    {"external_address", SETTINGS_TEXT, AT(external_address), 0, 64, NULL},
    {"resolv_conf", SETTINGS_TEXT, AT(resolv_conf), 0, 255, NULL},
    {"port_low", SETTINGS_INT, AT(port_low), 1024, 65534, NULL},
    {"port_high", SETTINGS_INT, AT(port_high), 1025, 65535, NULL},
    {"t38_request", SETTINGS_WORD, AT(t38_request), 0, 0, requests},
    {"t38_wait_ms", SETTINGS_INT, AT(t38_wait_ms), 0, 30000, NULL},
    {"t38_first", SETTINGS_WORD, AT(t38_first), 0, 0, firsts},
    {"t38_fallback", SETTINGS_BOOL, AT(t38_fallback), 0, 0, NULL},
    {"t38_version", SETTINGS_INT, AT(t38_version), 0, 3, NULL},
    {"t38_ec", SETTINGS_WORD, AT(t38_ec), 0, 0, ecs},
    {"t38_redundancy_control", SETTINGS_INT, AT(t38_redundancy_control), 0, 7, NULL},
    {"t38_redundancy_image", SETTINGS_INT, AT(t38_redundancy_image), 0, 7, NULL},
    {"t38_fec_entries", SETTINGS_INT, AT(t38_fec_entries), 1, 5, NULL},
    {"t38_fec_span", SETTINGS_INT, AT(t38_fec_span), 1, 5, NULL},
    {"t38_max_datagram", SETTINGS_INT, AT(t38_max_datagram), 72, 1472, NULL},
    {"codecs", SETTINGS_TEXT, AT(codecs_text), 0, 32, NULL},
    {"session_expires_s", SETTINGS_INT, AT(session_expires_s), 0, 86400, NULL},
    {"ring_timeout_ms", SETTINGS_INT, AT(ring_timeout_ms), 100, 600000, NULL},
    {"response_timeout_ms", SETTINGS_INT, AT(response_timeout_ms), 100, 32000, NULL},
    {"full", SETTINGS_WORD, AT(full), 0, 0, fulls},
    {"reject", SETTINGS_WORD, AT(reject), 0, 0, rejects},
    {"invite_rate", SETTINGS_INT, AT(invite_rate), 1, 100000, NULL},
    {"trunks", SETTINGS_OBJECT, AT(trunks_json), 0, 0, NULL},
};
#undef AT

#define AT(field) offsetof(struct sip_trunk_setup, field)
static const struct settings_key trunk_keys[] = {
    {"server", SETTINGS_TEXT, AT(server), 0, 200, NULL},
    {"transport", SETTINGS_WORD, AT(transport), 0, 0, transports},
    {"proxy", SETTINGS_TEXT, AT(proxy), 0, 200, NULL},
    {"register", SETTINGS_BOOL, AT(registers), 0, 0, NULL},
    {"user", SETTINGS_TEXT, AT(user), 0, 100, NULL},
    {"auth_user", SETTINGS_TEXT, AT(auth_user), 0, 100, NULL},
    {"password", SETTINGS_TEXT, AT(password), 0, 200, NULL},
    {"expires_s", SETTINGS_INT, AT(expires_s), 10, 86400, NULL},
    {"options_s", SETTINGS_INT, AT(options_s), 0, 3600, NULL},
    {"domain", SETTINGS_TEXT, AT(domain), 0, 200, NULL},
    {"caller_id", SETTINGS_TEXT, AT(caller_id), 0, 64, NULL},
    {"identity", SETTINGS_WORD, AT(identity), 0, 0, identities},
    {"peers", SETTINGS_TEXT, AT(peers_text), 0, 2000, NULL},
    {"challenge", SETTINGS_BOOL, AT(challenge), 0, 0, NULL},
    {"did", SETTINGS_TEXT, AT(did), 0, 64, NULL},
    {"number_format", SETTINGS_WORD, AT(number_format), 0, 0, formats},
    {"prefix", SETTINGS_TEXT, AT(prefix), 0, 32, NULL},
    {"srtp", SETTINGS_BOOL, AT(srtp), 0, 0, NULL},
    {"t38", SETTINGS_WORD, AT(t38), 0, 0, trunk_t38s},
    {"calls_per_second", SETTINGS_INT, AT(calls_per_second), 1, 1000, NULL},
    {"calls_max", SETTINGS_INT, AT(calls_max), 0, 4096, NULL},
};
#undef AT

struct line_setup {
    const char *station_id;
};

static const struct settings_key line_keys[] = {
    {"station_id", SETTINGS_TEXT, offsetof(struct line_setup, station_id), 0, 20, NULL}};

#define KEYS(table) (table), (int)(sizeof(table) / sizeof((table)[0]))

static int map_address(struct in6_addr *to, const char *text)
{
    struct in_addr four;

    if (inet_pton(AF_INET6, text, to) == 1)
        return 128;
    if (inet_pton(AF_INET, text, &four) != 1)
        return -1;
    memset(to, 0, sizeof(*to));
    to->s6_addr[10] = to->s6_addr[11] = 0xff;
    memcpy(&to->s6_addr[12], &four, sizeof(four));
    return 32;
}

int sip_peer_parse(struct sip_peer *peer, const char *text)
{
    char address[INET6_ADDRSTRLEN + 1];
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
    int64_t bits;
    int width;

    if (length >= sizeof(address))
        return err_set(ERR_INVALID, "\"%.60s\" is no IP address or network", text);
    memcpy(address, text, length);
    address[length] = '\0';
    width = map_address(&peer->address, address);
    bits = width;
    if (width < 0 || (slash && str_to_int(&bits, slash + 1, 0, width)))
        return err_set(ERR_INVALID, "\"%.60s\" is no IP address or network", text);
    peer->bits = (int)bits + 128 - width;
    return 0;
}

bool sip_peer_matches(const struct sip_peer *peer, const char *address)
{
    struct in6_addr other;
    int whole = peer->bits / 8, rest = peer->bits % 8;

    if (map_address(&other, address) < 0 || memcmp(&other, &peer->address, (size_t)whole) != 0)
        return false;
    return rest == 0 || ((other.s6_addr[whole] ^ peer->address.s6_addr[whole]) >> (8 - rest)) == 0;
}

int sip_split_host(const char *text, char *host, size_t size, int *port, int standard)
{
    const char *end = text[0] == '[' ? strchr(text, ']') : text + strcspn(text, ":");
    const char *begin = text[0] == '[' ? text + 1 : text;
    int64_t number = standard;

    if (!end || end == begin || (size_t)(end - begin) >= size)
        return err_set(ERR_INVALID, "\"%.100s\" is not host:port", text);
    memcpy(host, begin, (size_t)(end - begin));
    host[end - begin] = '\0';
    if (text[0] == '[')
        end++;
    if (strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_%") != strlen(host) ||
        (*end && (*end != ':' || str_to_int(&number, end + 1, 1, 65535))))
        return err_set(ERR_INVALID, "\"%.100s\" is not host:port", text);
    *port = (int)number;
    return 0;
}

static int wrong(const char *where, const char *key, const char *why)
{
    return err_set(ERR_INVALID, "%s: %s %s", where, key, why);
}

static int check_host(const char *where, const char *key, const char *text)
{
    char host[256];
    int port;

    return text[0] && sip_split_host(text, host, sizeof(host), &port, 0) ? wrong(where, key, "is not host:port") : 0;
}

/* What goes into a URI or a header as it stands. */
static int check_plain(const char *where, const char *key, const char *text)
{
    for (; *text; text++)
        if (*text <= ' ' || *text > '~' || strchr("<>\"\\@;?", *text))
            return wrong(where, key, "has a character that cannot stand in a SIP address");
    return 0;
}

static int read_peers(struct sip_trunk_setup *trunk, const char *where)
{
    char *copy = xstrdup(trunk->peers_text), *rest = NULL;
    int err = 0;

    for (char *word = strtok_r(copy, " ,", &rest); word && !err; word = strtok_r(NULL, " ,", &rest)) {
        if (trunk->peer_count == SIP_SETUP_PEERS_MAX)
            err = wrong(where, "peers", "has more than 32 entries");
        else if (sip_peer_parse(&trunk->peers[trunk->peer_count++], word))
            err = wrong(where, "peers", "holds something that is no IP address or network");
    }
    free(copy);
    return err;
}

static int check_trunk(const struct sip_setup *setup, const struct sip_trunk_setup *trunk, const char *where)
{
    int err;

    if (!trunk->server[0])
        return wrong(where, "server", "is missing");
    if ((err = check_host(where, "server", trunk->server)) || (err = check_host(where, "proxy", trunk->proxy)) ||
        (err = check_host(where, "domain", trunk->domain)) || (err = check_plain(where, "user", trunk->user)) ||
        (err = check_plain(where, "caller_id", trunk->caller_id)) || (err = check_plain(where, "did", trunk->did)) ||
        (err = check_plain(where, "prefix", trunk->prefix)))
        return err;
    if (trunk->registers && !trunk->user[0])
        return wrong(where, "user", "is missing: a registration needs one");
    if (trunk->challenge && (!trunk->user[0] || !trunk->password[0]))
        return wrong(where, "challenge", "needs user and password");
    if (trunk->transport == SIP_TLS && !setup->tls_listen[0])
        return wrong(where, "transport", "is tls, but the provider has no tls_listen");
    if (trunk->srtp && trunk->transport != SIP_TLS)
        return wrong(where, "srtp", "needs transport tls: its keys stand in the signalling");
    return 0;
}

static int read_trunk(struct sip_setup *setup, struct sip_trunk_setup *trunk, const char *name, const json_t *entry)
{
    char where[WHERE_SIZE];
    int err;

    snprintf(where, sizeof(where), "provider %.60s: trunk %.60s", setup->name, name);
    if (!json_is_object(entry))
        return err_set(ERR_INVALID, "%s: is not a section", where);
    if (strlen(name) >= sizeof(trunk->name) || check_plain(where, "its name", name))
        return err_set(ERR_INVALID, "%s: is not a name of at most 63 plain characters", where);
    str_copy(trunk->name, sizeof(trunk->name), name);
    trunk->server = trunk->proxy = trunk->user = trunk->auth_user = trunk->password = trunk->domain = "";
    trunk->caller_id = trunk->peers_text = trunk->prefix = "";
    trunk->did = "uri";
    trunk->expires_s = 300;
    trunk->calls_per_second = 50;
    trunk->options_s = UNSET;
    err = settings_read(trunk, entry, where, KEYS(trunk_keys));
    if (!err)
        err = check_trunk(setup, trunk, where);
    if (!err)
        err = read_peers(trunk, where);
    if (!trunk->auth_user[0])
        trunk->auth_user = trunk->user;
    if (trunk->options_s == UNSET)
        trunk->options_s = trunk->registers ? 0 : 60;
    return err;
}

static int read_trunks(struct sip_setup *setup)
{
    const char *name;
    json_t *entry;
    int err = 0;

    if (json_object_size(setup->trunks_json) == 0)
        return err_set(ERR_INVALID, "provider %.60s: trunks is missing: a SIP provider needs one at least",
                       setup->name);
    setup->trunks = xcalloc(json_object_size(setup->trunks_json), sizeof(*setup->trunks));
    json_object_foreach(setup->trunks_json, name, entry)
    {
        if ((err = read_trunk(setup, &setup->trunks[setup->trunk_count], name, entry)) != 0)
            return err;
        setup->trunk_count++;
    }
    return 0;
}

static int read_codecs(struct sip_setup *setup, const char *where)
{
    char *copy = xstrdup(setup->codecs_text), *rest = NULL;
    int err = 0;

    for (char *word = strtok_r(copy, " ,", &rest); word && !err; word = strtok_r(NULL, " ,", &rest)) {
        enum sdp_codec codec = strcasecmp(word, "PCMA") ? SDP_PCMU : SDP_PCMA;

        if (strcasecmp(word, sdp_codec_name(codec)) || setup->codec_count == SDP_CODEC_COUNT ||
            (setup->codec_count && setup->codecs[0] == codec))
            err = wrong(where, "codecs", "is not one or both of PCMU and PCMA");
        else
            setup->codecs[setup->codec_count++] = codec;
    }
    if (!err && setup->codec_count == 0)
        err = wrong(where, "codecs", "is empty");
    free(copy);
    return err;
}

/* The SIP library listens without a certificate too, and says nothing: each call would fail instead. */
static int check_certificates(const struct sip_setup *setup, const char *where)
{
    static const char *const names[] = {"agent.pem", "cafile.pem"};
    char path[300];

    for (int i = 0; setup->tls_listen[0] && i < (setup->tls_verify ? 2 : 1); i++) {
        snprintf(path, sizeof(path), "%s/%s", setup->tls_dir, names[i]);
        if (access(path, R_OK) != 0)
            return err_set(ERR_INVALID, "%s: tls_dir: cannot read %s: %s", where, path, strerror(errno));
    }
    return 0;
}

static int check_provider(struct sip_setup *setup, const char *where)
{
    struct in6_addr address;
    int err;

    if ((err = check_host(where, "listen", setup->listen)) ||
        (err = check_host(where, "tls_listen", setup->tls_listen)) || (err = read_codecs(setup, where)))
        return err;
    if (setup->tls_listen[0] && setup->tls_dir[0] != '/')
        return wrong(where, "tls_dir", "is not an absolute path, and tls_listen needs one");
    if ((err = check_certificates(setup, where)) != 0)
        return err;
    if (setup->external_address[0] && map_address(&address, setup->external_address) < 0)
        return wrong(where, "external_address", "is no IP address");
    if (setup->resolv_conf[0] && access(setup->resolv_conf, R_OK) != 0)
        return wrong(where, "resolv_conf", "is no file that can be read");
    if (setup->port_high - setup->port_low < 1)
        return wrong(where, "port_high", "leaves no room for a pair of ports");
    if (!setup->t38_allowed &&
        (setup->t38_request != SIP_T38_BOTH || setup->t38_first != SIP_FIRST_NEVER || !setup->t38_fallback))
        return wrong(where, "t38_request, t38_first, t38_fallback", "are for the module t38");
    return 0;
}

static void set_defaults(struct sip_setup *setup)
{
    setup->carrier = setup->tls_listen = setup->tls_dir = setup->external_address = setup->resolv_conf = "";
    setup->listen = "0.0.0.0:5060";
    setup->tls_verify = true;
    setup->port_low = 20000;
    setup->port_high = 29999;
    setup->t38_wait_ms = 1500;
    setup->t38_fallback = true;
    setup->t38_ec = SDP_EC_REDUNDANCY;
    setup->t38_redundancy_control = setup->t38_redundancy_image = 3;
    setup->t38_fec_entries = setup->t38_fec_span = 3;
    setup->t38_max_datagram = 1400;
    setup->codecs_text = "PCMU PCMA";
    setup->ring_timeout_ms = 60000;
    setup->response_timeout_ms = 5000;
    setup->invite_rate = 50;
}

static int read_lines(struct sip_setup *setup, const struct settings *settings)
{
    char where[WHERE_SIZE];
    int err = 0;

    setup->station_ids = xcalloc((unsigned long)settings->line_count, sizeof(*setup->station_ids));
    for (int i = 0; !err && i < settings->line_count; i++) {
        const struct settings_line *from = &settings->lines[i];
        const char *number = from->number[0] ? from->number : from->name;
        struct line_setup line = {.station_id = strlen(number) <= 20 ? number : ""};

        snprintf(where, sizeof(where), "provider %.60s: line %.60s", settings->name, from->name);
        err = settings_read(&line, from->settings, where, KEYS(line_keys));
        setup->station_ids[i] = line.station_id;
    }
    return err;
}

int sip_setup_read(struct sip_setup *setup, const struct settings *settings, bool t38_allowed)
{
    char where[WHERE_SIZE];
    int err;

    memset(setup, 0, sizeof(*setup));
    setup->name = settings->name;
    setup->t38_allowed = t38_allowed;
    set_defaults(setup);
    snprintf(where, sizeof(where), "provider %.60s", settings->name);
    if (!(err = settings_read(setup, settings->values, where, KEYS(provider_keys))) &&
        !(err = check_provider(setup, where)) && !(err = read_trunks(setup)))
        err = read_lines(setup, settings);
    if (err)
        sip_setup_clear(setup);
    return err;
}

void sip_setup_clear(struct sip_setup *setup)
{
    json_decref(setup->trunks_json);
    free(setup->trunks);
    free(setup->station_ids);
    memset(setup, 0, sizeof(*setup));
}
