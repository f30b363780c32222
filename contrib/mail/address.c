/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recipients of messages as numbers. */
#include "config.h"

#include "contrib/mail/address.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "contrib/mail/settings.h"
#include "server/base/err.h"

/* Take the quotes and backslashes off a quoted local part (RFC 5321 4.1.2); others are copied. False: a quote is not
 * where it may be. */
static bool unquote(char *local, size_t size, const char *text, size_t length)
{
    size_t at = 0, to = 0;
    bool quoted = length > 0 && text[0] == '"';
    if (quoted && (length < 2 || text[length - 1] != '"'))
        return false;
    if (quoted) {
        at++;
        length--;
    }
    for (; at < length && to + 1 < size; at++) {
        if (quoted && text[at] == '\\' && at + 1 < length)
            at++;
        else if (text[at] == '"')
            return false;
        local[to++] = text[at];
    }
    local[to] = '\0';
    return at == length;
}

static int take_number(struct address_number *address, const char *text)
{
    if (strcspn(text, "pPwWtTxX,;") != strlen(text) && isdigit((unsigned char)text[strspn(text, "+")]))
        return err_set(ERR_UNSUPPORTED, "the number \"%.60s\" has pauses or tones, which are not supported", text);
    if (number_normalise(address->number, text) == 0)
        return 0;
    char why[200];
    str_copy(why, sizeof why, err_message());
    return err_set(ERR_INVALID, "\"%.60s\" is no number to send a fax to: %s", text, why);
}

static int take_subaddress(struct address_number *address, const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || strspn(text, "0123456789#*") != length)
        return err_set(ERR_INVALID, "the subaddress \"%.60s\" (T33S) has other characters than digits", text);
    if (!str_copy(address->subaddress, sizeof address->subaddress, text))
        return err_set(ERR_TOO_BIG, "the subaddress \"%.60s\" (T33S) has more than %d digits", text,
                       STR_STATION_ID_MAX);
    return 0;
}

static int take_element(struct address_number *address, const char *element)
{
    if (strncasecmp(element, "FAX=", 4) == 0 && address->number[0] != '\0')
        return err_set(ERR_INVALID, "the address names two numbers; one address is one number");
    if (strncasecmp(element, "FAX=", 4) == 0)
        return take_number(address, element + 4);
    if (strncasecmp(element, "T33S=", 5) == 0 && address->subaddress[0] != '\0')
        return err_set(ERR_INVALID, "the address names two subaddresses (T33S)");
    if (strncasecmp(element, "T33S=", 5) == 0)
        return take_subaddress(address, element + 5);
    return err_set(ERR_UNSUPPORTED, "\"%.60s\" in the address is not supported; FAX= and T33S= are", element);
}

/* Elements between slashes, with slashes at both ends or not (RFC 3192 2.). */
static int take_elements(struct address_number *address, char *local)
{
    char *rest = local;
    for (char *element = strsep(&rest, "/"); element != NULL; element = strsep(&rest, "/")) {
        int result = *element != '\0' ? take_element(address, element) : 0;
        if (result < 0)
            return result;
    }
    return address->number[0] != '\0' ? 0 : err_set(ERR_INVALID, "the address has no FAX= with a number");
}

int address_parse(struct address_number *address, const char *text, const struct words *domains)
{
    char local[ADDRESS_MAX + 1];
    const char *at = strrchr(text, '@');
    *address = (struct address_number){.number = ""};
    if (strlen(text) > ADDRESS_MAX)
        return err_set(ERR_TOO_BIG, "the address has more than %d characters", ADDRESS_MAX);
    if (at == NULL || at == text)
        return err_set(ERR_INVALID, "\"%.80s\" is no address like 5551234@%s", text,
                       domains->count > 0 ? domains->items[0] : "fax.example");
    if (!words_have(domains, at + 1))
        return err_set(ERR_NOT_FOUND, "the domain \"%.80s\" is none whose mail becomes faxes here", at + 1);
    if (!unquote(local, sizeof local, text, (size_t)(at - text)))
        return err_set(ERR_INVALID, "the part before @ in \"%.80s\" has a quote in a wrong place", text);
    bool elements = strncasecmp(local, "FAX=", 4) == 0 || (local[0] == '/' && strchr(local, '=') != NULL);
    return elements ? take_elements(address, local) : take_number(address, local);
}
