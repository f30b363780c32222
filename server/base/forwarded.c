/* SPDX-License-Identifier: GPL-2.0-or-later */
/* X-Forwarded-For, and Forwarded by RFC 7239, read from their ends: what stands nearer to the beginning was written
 * farther away, and at the beginning by the client itself. */
#include "server/base/forwarded.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NODE_SIZE 80

bool forwarded_trusts(const struct forwarded_proxies *proxies, const struct address *address)
{
    for (int i = 0; i < proxies->count; i++) {
        if (cidr_has(&proxies->trusted[i], address))
            return true;
    }
    return false;
}

/* `from` up to `end` without blanks and quotes around it. False when it is too long to be an address. */
static bool take(char node[NODE_SIZE], const char *from, const char *end)
{
    while (from < end && strchr(" \t\"", *from))
        from++;
    while (end > from && strchr(" \t\"", end[-1]))
        end--;
    if ((size_t)(end - from) >= NODE_SIZE)
        return false;
    memcpy(node, from, (size_t)(end - from));
    node[end - from] = '\0';
    return true;
}

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80". */
static bool read_node(struct address *address, const char *node)
{
    char text[NODE_SIZE];
    const char *colon = strchr(node, ':');
    struct cidr one;
    size_t length = strlen(node);

    if (*node == '[') {
        node++;
        length = strcspn(node, "]");
    } else if (colon && !strchr(colon + 1, ':')) {
        length = (size_t)(colon - node);
    }
    snprintf(text, sizeof text, "%.*s", (int)length, node);
    if (strchr(text, '/') || cidr_parse(&one, text) < 0)
        return false;
    *address = one.network;
    return true;
}

/* The value of "for" in an element like "for=192.0.2.1;proto=https;by=203.0.113.43". */
static bool take_for(char node[NODE_SIZE], const char *from, const char *end)
{
    while (from < end) {
        const char *stop = memchr(from, ';', (size_t)(end - from));
        const char *pair_end = stop ? stop : end;
        while (from < pair_end && (*from == ' ' || *from == '\t'))
            from++;
        if (pair_end - from > 4 && strncasecmp(from, "for=", 4) == 0)
            return take(node, from + 4, pair_end);
        from = pair_end + 1;
    }
    return false;
}

/* Where the last element before `end` begins. A quoted text holds no comma that matters: no address has one. */
static const char *element_before(const char *header, const char *end)
{
    while (end > header && end[-1] != ',')
        end--;
    return end;
}

void forwarded_client(struct address *client, const struct forwarded_proxies *proxies, const struct address *peer,
                      const char *header)
{
    const char *end = header + strlen(header);

    *client = *peer;
    while (*header && forwarded_trusts(proxies, client)) {
        const char *from = element_before(header, end);
        char node[NODE_SIZE];
        struct address hop;
        bool has = proxies->rfc7239 ? take_for(node, from, end) : take(node, from, end);
        if (!has || !read_node(&hop, node))
            return;
        *client = hop;
        if (from == header)
            return;
        end = from - 1;
    }
}
