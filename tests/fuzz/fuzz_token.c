/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: any octets as the token of a link, and as a network of addresses. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/cidr.h"
#include "web/link_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nobody can make one without the secret; but what is read is what would be written. */
static void check_token(const char *text)
{
    static const unsigned char secret[LINK_SECRET_SIZE] = "a secret that the input knows...";
    char again[LINK_TOKEN_SIZE];
    struct link link;
    if (link_token_read(&link, text, secret) == 0 && strcmp(link_token_write(again, &link, secret), text) != 0)
        abort();
}

static void check_network(const char *text)
{
    char once[CIDR_TEXT_SIZE], twice[CIDR_TEXT_SIZE];
    struct cidr cidr, again;
    if (cidr_parse(&cidr, text) != 0)
        return;
    if (!cidr_has(&cidr, &cidr.network))
        abort();
    if (cidr_parse(&again, cidr_format(once, &cidr)) != 0 || strcmp(cidr_format(twice, &again), once) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    check_token(text);
    check_network(text);
    free(text);
    return 0;
}
