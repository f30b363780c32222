/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks that are not the public Internet (RFC 6890 and its registries). */
#include "web/private_address.h"

#include "server/base/str.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    uint32_t network;
    int bits;
} v4[] = {
    {0x00000000, 8},  /* this network */
    {0x0a000000, 8},  /* private */
    {0x64400000, 10}, /* carrier-grade NAT */
    {0x7f000000, 8},  /* loopback */
    {0xa9fe0000, 16}, /* link-local */
    {0xac100000, 12}, /* private */
    {0xc0000000, 24}, /* protocol assignments */
    {0xc0a80000, 16}, /* private */
    {0xc6120000, 15}, /* benchmarks */
    {0xe0000000, 3},  /* multicast, reserved, broadcast */
};

static bool is_private_v4(uint32_t address)
{
    for (size_t i = 0; i < sizeof v4 / sizeof *v4; i++) {
        if ((address ^ v4[i].network) >> (32 - v4[i].bits) == 0)
            return true;
    }
    return false;
}

static uint32_t v4_at(const unsigned char *octets)
{
    return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];
}

/* Global unicast is 2000::/3; what maps to IPv4 (::ffff:0:0/96 is outside of it, 2002::/16 and 64:ff9b::/96) goes by
 * that. */
static bool is_private_v6(const unsigned char *octets)
{
    static const unsigned char nat64[12] = {0, 0x64, 0xff, 0x9b};

    if (memcmp(octets, nat64, sizeof nat64) == 0)
        return is_private_v4(v4_at(octets + 12));
    if (octets[0] == 0x20 && octets[1] == 0x02)
        return is_private_v4(v4_at(octets + 2));
    return octets[0] >> 5 != 1;
}

/* "10.1", "0x7f000001", "2130706433": forms that only old resolvers take, and attackers use. */
static bool is_odd_number(const char *host)
{
    size_t last = strlen(host);

    while (last > 0 && host[last - 1] == '.')
        last--;
    while (last > 0 && host[last - 1] != '.')
        last--;
    return (host[last] >= '0' && host[last] <= '9');
}

static bool is_local_name(const char *host)
{
    size_t length = strlen(host);

    if (length > 0 && host[length - 1] == '.')
        length--;
    return (length == 9 && strncasecmp(host, "localhost", 9) == 0) ||
           (length > 10 && strncasecmp(host + length - 10, ".localhost", 10) == 0);
}

bool private_address_in_url(const char *url)
{
    const char *at = strstr(url, "://");
    char host[256];
    struct in_addr address;
    struct in6_addr address6;
    size_t length;

    if (!at)
        return false; /* no URL: refused elsewhere */
    at += 3;
    length = *at == '[' ? strcspn(++at, "]") : strcspn(at, ":/?#");
    if (length >= sizeof host)
        return true;
    str_copy(host, length + 1, at);
    if (inet_pton(AF_INET, host, &address) == 1)
        return is_private_v4(ntohl(address.s_addr));
    if (inet_pton(AF_INET6, host, &address6) == 1)
        return is_private_v6(address6.s6_addr);
    return is_odd_number(host) || is_local_name(host);
}
