/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses and networks, as octets in network order. */
#include "server/base/cidr.h"

#include "server/base/err.h"
#include "server/base/str.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static int bits_of(const struct address *address)
{
    return address->family == AF_INET ? 32 : 128;
}

/* True when it was an IPv4 address in the coat of an IPv6 one, and is not any more. */
static bool unmap(struct address *address)
{
    if (address->family != AF_INET6 || memcmp(address->octets, mapped, sizeof mapped) != 0)
        return false;
    address->family = AF_INET;
    memmove(address->octets, address->octets + 12, 4);
    memset(address->octets + 4, 0, 12);
    return true;
}

int address_read(struct address *address, const struct sockaddr *from)
{
    *address = (struct address){0};
    if (from->sa_family == AF_INET)
        memcpy(address->octets, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
    else if (from->sa_family == AF_INET6)
        memcpy(address->octets, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, 16);
    else
        return err_set(ERR_INVALID, "neither an IPv4 nor an IPv6 address");
    address->family = from->sa_family;
    unmap(address);
    return 0;
}

char *address_format(char text[CIDR_TEXT_SIZE], const struct address *address)
{
    text[0] = '\0';
    if (address->family)
        inet_ntop(address->family, address->octets, text, CIDR_TEXT_SIZE);
    return text;
}

static int parse_address(struct address *address, const char *text)
{
    *address = (struct address){0};
    if (inet_pton(AF_INET, text, address->octets) == 1)
        address->family = AF_INET;
    else if (inet_pton(AF_INET6, text, address->octets) == 1)
        address->family = AF_INET6;
    return address->family ? 0 : ERR_INVALID;
}

static void clear_past(struct address *address, int bits)
{
    for (int i = 0; i < 16; i++) {
        int kept = bits - 8 * i;
        address->octets[i] &= (uint8_t)(kept >= 8 ? 0xff : kept <= 0 ? 0 : 0xff << (8 - kept));
    }
}

void cidr_cut(struct cidr *cidr, int bits)
{
    cidr->bits = bits;
    clear_past(&cidr->network, bits);
}

int cidr_parse(struct cidr *cidr, const char *text)
{
    char host[CIDR_TEXT_SIZE], network[CIDR_TEXT_SIZE];
    size_t length = strcspn(text, "/");
    struct address given;
    int64_t bits;

    *cidr = (struct cidr){0};
    if (length >= sizeof host)
        return err_set(ERR_INVALID, "\"%.60s\" is not an address or a network like 192.0.2.0/24 or 2001:db8::/32",
                       text);
    str_copy(host, length + 1, text);
    if (parse_address(&given, host) != 0)
        return err_set(ERR_INVALID, "\"%.60s\" is not an address or a network like 192.0.2.0/24 or 2001:db8::/32",
                       text);
    bits = bits_of(&given);
    if (text[length] == '/' && str_to_int(&bits, text + length + 1, 0, bits) != 0)
        return err_set(ERR_INVALID, "\"%.60s\": the length of the network is a number from 0 to %d", text,
                       bits_of(&given));
    *cidr = (struct cidr){given, 0};
    cidr_cut(cidr, (int)bits);
    if (memcmp(cidr->network.octets, given.octets, sizeof given.octets) != 0)
        return err_set(ERR_INVALID, "\"%.60s\" has bits past its length: %s may be meant", text,
                       cidr_format(network, cidr));
    if (cidr->bits >= 96 && unmap(&cidr->network))
        cidr->bits -= 96;
    return 0;
}

char *cidr_format(char text[CIDR_TEXT_SIZE], const struct cidr *cidr)
{
    size_t length;

    address_format(text, &cidr->network);
    length = strlen(text);
    if (cidr->bits < bits_of(&cidr->network))
        snprintf(text + length, CIDR_TEXT_SIZE - length, "/%d", cidr->bits);
    return text;
}

bool cidr_has(const struct cidr *cidr, const struct address *address)
{
    struct address cut = *address;

    if (address->family == 0 || address->family != cidr->network.family)
        return false;
    clear_past(&cut, cidr->bits);
    return memcmp(cut.octets, cidr->network.octets, sizeof cut.octets) == 0;
}
