/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a SIP provider can be told, read from FaxdProviderConfig and checked.
 *
 * Settings of the provider
 *   listen               address:port for UDP and TCP; "0.0.0.0:5060" is the default, "[::]:5060" for IPv6
 *   tls_listen           address:port for TLS; absent: none. Needs tls_dir
 *   tls_dir              folder with agent.pem (certificate and key) and cafile.pem (whom to trust)
 *   tls_verify           certificates of servers are checked, their names too (of a server given by its IP address, the
 *                        common name has it: the SIP library knows no addresses in subjectAltName); default true
 *   external_address     the address to tell peers, where a router stands between; default: our own
 *   resolv_conf          file with the name servers to ask for trunks by name; default: /etc/resolv.conf
 *   port_low, port_high  UDP ports for media, two for each call; default 20000 to 29999
 *   t38_request          who asks for T.38 in an answered call: "called" us when called, "caller" us when calling, "both"
 *                        (the default: the called at once, the caller when the called has not), "never"
 *   t38_wait_ms          how long the caller leaves it to the called, from its CED; default 1500
 *   t38_first            T.38 is offered in the INVITE: "never" (default), "only", "both" (with G.711 beside it)
 *   t38_fallback         a call whose far end declines T.38 goes on in G.711; default true
 *   t38_version          0 to 3, the highest to agree to; default 0
 *   t38_ec               "redundancy" (default), "fec", "none"
 *   t38_redundancy_control, t38_redundancy_image   how often packets of either kind are repeated, 0 to 7; default 3, 3
 *   t38_fec_entries, t38_fec_span   1 to 5 each; default 3, 3
 *   t38_max_datagram     octets we take; default 1400
 *   codecs               "PCMU PCMA" (default), in order of preference
 *   session_expires_s    session timer (RFC 4028) to ask for; 0 (default): none, but a peer's is kept
 *   ring_timeout_ms      how long a call may ring, either way; default 60000
 *   response_timeout_ms  how long a trunk may be silent after an INVITE; default 5000
 *   full                 what a caller hears when no line is free: "busy" 486 (default), "unavailable" 503
 *   reject               what the caller of a rejected call hears: "decline" 603 (default), "busy" 486, "ignore" it rings
 *   invite_rate          calls a second that one source may begin; default 50. Far more than that are not answered at all
 *   trunks               {"NAME": {...}}, tried in this order; at least one
 * Settings of a trunk
 *   server               host, host:port or [address]:port: domain of the numbers that are called
 *   transport            "udp" (default), "tcp", "tls"
 *   proxy                "host:port" that requests are sent to instead; the outbound proxy
 *   register             the trunk registers with its server; default false
 *   user, auth_user, password   address of record and credentials; auth_user is user when absent
 *   expires_s            of a registration; default 300
 *   options_s            OPTIONS keep-alive; default 60 without registration, 0 with it; 0: none
 *   domain               of our own address in From; default: server with registration, else our own
 *   caller_id            our number in From; default: user, then the station id
 *   identity             "from" (default) or "asserted": P-Asserted-Identity has it too
 *   peers                addresses, "192.0.2.1 198.51.100.0/24", from which its calls come; default: its server's
 *   challenge            calls from it have to authenticate with user and password; default false
 *   did                  where the called number stands: "uri" (default), "to", or the name of a header
 *   number_format        "as_dialled" (default), "digits" (without +), "plus" (with it)
 *   prefix               in front of every number
 *   srtp                 audio is encrypted with keys in SDP; only with transport tls; default false
 *   t38                  "auto" (default), "never", "first" (as t38_first "only")
 *   calls_per_second     calls of ours begun in a second at most, as operators limit them; default 50
 *   calls_max            at a time, 0 (default): as many as there are lines
 * Settings of a line
 *   station_id           what the line calls itself when the host names nothing (default: its number)
 *
 * Thread: start-up; read-only afterwards.
 */
#ifndef FAXD_SIP_SETUP_H
#define FAXD_SIP_SETUP_H

#include "plugins/common/settings.h"
#include "plugins/sip/sdp.h"

#include <netinet/in.h>
#include <stdbool.h>

#define SIP_SETUP_PEERS_MAX 32
#define SIP_SETUP_NAME_SIZE 64

enum sip_transport { SIP_UDP, SIP_TCP, SIP_TLS };
enum sip_t38_request { SIP_T38_BOTH, SIP_T38_CALLED, SIP_T38_CALLER, SIP_T38_NEVER };
enum sip_t38_first { SIP_FIRST_NEVER, SIP_FIRST_ONLY, SIP_FIRST_BOTH };
enum sip_full { SIP_FULL_BUSY, SIP_FULL_UNAVAILABLE };
enum sip_reject { SIP_REJECT_DECLINE, SIP_REJECT_BUSY, SIP_REJECT_IGNORE };
enum sip_identity { SIP_IDENTITY_FROM, SIP_IDENTITY_ASSERTED };
enum sip_number_format { SIP_NUMBER_AS_DIALLED, SIP_NUMBER_DIGITS, SIP_NUMBER_PLUS };
enum sip_trunk_t38 { SIP_TRUNK_T38_AUTO, SIP_TRUNK_T38_NEVER, SIP_TRUNK_T38_FIRST };

/* Addresses of one network; IPv4 as IPv4-mapped IPv6. */
struct sip_peer {
    struct in6_addr address;
    int bits; /* of 128 */
};

struct sip_trunk_setup {
    char name[SIP_SETUP_NAME_SIZE];
    const char *server, *proxy;
    int transport;
    bool registers;
    const char *user, *auth_user, *password;
    int expires_s, options_s;
    const char *domain, *caller_id;
    int identity;
    const char *peers_text;
    struct sip_peer peers[SIP_SETUP_PEERS_MAX]; /* as configured; those of the server are the agent's to find */
    int peer_count;
    bool challenge;
    const char *did;
    int number_format;
    const char *prefix;
    bool srtp;
    int t38;
    int calls_max, calls_per_second;
};

struct sip_setup {
    const char *name;    /* of the provider */
    const char *carrier; /* softmodem's own key */
    const char *listen, *tls_listen, *tls_dir;
    bool tls_verify;
    const char *external_address, *resolv_conf;
    int port_low, port_high;
    int t38_request, t38_wait_ms, t38_first;
    bool t38_fallback;
    int t38_version, t38_ec;
    int t38_redundancy_control, t38_redundancy_image, t38_fec_entries, t38_fec_span;
    int t38_max_datagram;
    const char *codecs_text;
    enum sdp_codec codecs[SDP_CODEC_COUNT];
    int codec_count;
    int session_expires_s;
    int ring_timeout_ms, response_timeout_ms;
    int full, reject;
    int invite_rate;
    json_t *trunks_json;
    struct sip_trunk_setup *trunks;
    int trunk_count;
    const char **station_ids; /* one for each line */
    bool t38_allowed;         /* false: the provider is for audio only */
};

/* 0, or ERR_INVALID with a message that names the key. Texts are borrowed from `settings`. Clear with sip_setup_clear.
 */
int sip_setup_read(struct sip_setup *setup, const struct settings *settings, bool t38_allowed);
void sip_setup_clear(struct sip_setup *setup);

/* "192.0.2.0/24", "192.0.2.1", "2001:db8::/32": 0 or ERR_INVALID. */
int sip_peer_parse(struct sip_peer *peer, const char *text);

/* Is `address` (text, IPv4 or IPv6) in the network? */
bool sip_peer_matches(const struct sip_peer *peer, const char *address);

/* Split "host:port" or "[address]:port"; `port` becomes `standard` when there is none. 0 or ERR_INVALID. */
int sip_split_host(const char *text, char *host, size_t size, int *port, int standard);

#endif
