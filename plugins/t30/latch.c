/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugins/t30/latch.h"

#include <arpa/inet.h>
#include <string.h>

#include "server/base/err.h"

static void map_ipv4(struct in6_addr *ip, struct in_addr v4)
{
    memset(ip, 0, sizeof *ip);
    memset(ip->s6_addr + 10, 0xFF, 2);
    memcpy(ip->s6_addr + 12, &v4, sizeof v4);
}

int latch_parse_ip(struct in6_addr *ip, const char *text)
{
    struct in_addr v4;

    if (inet_pton(AF_INET, text, &v4) == 1)
        map_ipv4(ip, v4);
    else if (inet_pton(AF_INET6, text, ip) != 1)
        return ERR_INVALID;
    return 0;
}

static bool is_nowhere(const struct in6_addr *ip)
{
    static const uint8_t any_ipv4[16] = {[10] = 0xFF, [11] = 0xFF};

    return IN6_IS_ADDR_UNSPECIFIED(ip) || memcmp(ip, any_ipv4, sizeof any_ipv4) == 0;
}

void latch_init(struct latch *latch, const struct latch_rules *rules)
{
    latch->rules = *rules;
    latch->far_end = rules->said;
    latch->closed = false;
    latch->on_hold = rules->said.port == 0 || is_nowhere(&rules->said.ip);
}

void latch_read_address(struct latch_address *address, const struct sockaddr_storage *from)
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;

    memset(address, 0, sizeof *address);
    if (from->ss_family == AF_INET6) {
        address->ip = v6->sin6_addr;
        address->port = ntohs(v6->sin6_port);
    } else if (from->ss_family == AF_INET) {
        map_ipv4(&address->ip, v4->sin_addr);
        address->port = ntohs(v4->sin_port);
    }
}

static bool same_ip(const struct in6_addr *a, const struct in6_addr *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static bool same(const struct latch_address *a, const struct latch_address *b)
{
    return a->port == b->port && same_ip(&a->ip, &b->ip);
}

bool latch_allows(const struct latch *latch, const struct latch_address *from)
{
    int i;

    /* Who was named is never locked out: a late packet of somebody else's call, to a port that is ours now, may have
     * come before his first. */
    if (latch->closed)
        return same(from, &latch->far_end) || same(from, &latch->rules.said);
    if (latch->rules.anybody || same(from, &latch->rules.said))
        return true;
    for (i = 0; i < latch->rules.allowed_count; i++)
        if (same_ip(&from->ip, &latch->rules.allowed[i]))
            return true;
    return false;
}

bool latch_close(struct latch *latch, const struct latch_address *from)
{
    bool changed = !same(from, &latch->far_end);

    latch->far_end = *from;
    latch->closed = true;
    return changed;
}

socklen_t latch_target(const struct latch *latch, int family, struct sockaddr_storage *to)
{
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
    struct sockaddr_in *v4 = (struct sockaddr_in *)to;

    memset(to, 0, sizeof *to);
    if (latch->on_hold)
        return 0;
    if (family == AF_INET6) {
        v6->sin6_family = AF_INET6;
        v6->sin6_addr = latch->far_end.ip;
        v6->sin6_port = htons(latch->far_end.port);
        return sizeof *v6;
    }
    if (!IN6_IS_ADDR_V4MAPPED(&latch->far_end.ip))
        return 0;
    v4->sin_family = AF_INET;
    memcpy(&v4->sin_addr, latch->far_end.ip.s6_addr + 12, sizeof v4->sin_addr);
    v4->sin_port = htons(latch->far_end.port);
    return sizeof *v4;
}
