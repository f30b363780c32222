/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pairs with "; " between them; what is no pair is passed over. */
#include "web/cookie.h"

#include <string.h>

bool cookie_find(char *value, size_t size, const char *header, const char *name)
{
    size_t length = strlen(name);

    *value = '\0';
    for (const char *at = header; at && *at; at += strcspn(at, ";")) {
        at += strspn(at, "; \t");
        if (strncmp(at, name, length) != 0 || at[length] != '=')
            continue;
        at += length + 1;
        length = strcspn(at, "; \t");
        if (length >= size)
            return false;
        memcpy(value, at, length);
        value[length] = '\0';
        return true;
    }
    return false;
}
