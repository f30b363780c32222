/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telephone numbers: one spelling for each, so that "one call at a time to a number" and the lists compare like with
 * like. */
#include "config.h"

#include "server/base/number.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "server/base/err.h"

#define E164_DIGITS_MAX 15 /* E.164 6.2 */
#define DIALLED_MAX     40

_Static_assert(DIALLED_MAX < NUMBER_SIZE, "a normalised number fits");

static int refuse(unsigned char octet)
{
    if (isalpha(octet))
        return err_set(ERR_INVALID, "the letter '%c' cannot be dialled: write the number in digits", octet);
    if (octet == ';')
        return err_set(ERR_INVALID, "parameters after ';' are not supported: write the number alone");
    if (octet == '+')
        return err_set(ERR_INVALID, "'+' may only stand in front of the number");
    if (isprint(octet))
        return err_set(ERR_INVALID, "the character '%c' cannot be dialled", octet);
    return err_set(ERR_INVALID, "the octet 0x%02x cannot be dialled", octet);
}

static int check_length(const char *number, size_t length)
{
    size_t plus = number[0] == '+';
    if (length == plus)
        return err_set(ERR_INVALID, "the number has no digits");
    if (plus && length - plus > E164_DIGITS_MAX)
        return err_set(ERR_TOO_BIG, "an international number has at most %d digits after '+'", E164_DIGITS_MAX);
    if (plus && strspn(number + 1, "0123456789") != length - 1)
        return err_set(ERR_INVALID, "an international number has only digits after '+'");
    return 0;
}

/* What is to be dialled of a text. Its length, or an error. */
static int take_digits(char number[NUMBER_SIZE], const char *text)
{
    size_t length = 0;
    for (; *text != '\0'; text++) {
        if (strchr(" -.()/", *text))
            continue;
        bool keep = strchr("0123456789*#", *text) || (*text == '+' && length == 0);
        if (!keep)
            return refuse((unsigned char)*text);
        if (length == DIALLED_MAX)
            return err_set(ERR_TOO_BIG, "a number has at most %d characters to dial", DIALLED_MAX);
        number[length++] = *text;
    }
    number[length] = '\0';
    return (int)length;
}

int number_prefix(char prefix[NUMBER_SIZE], const char *text)
{
    int length = take_digits(prefix, text);
    if (length <= 1)
        return length < 0 ? length : 0;
    return check_length(prefix, (size_t)length);
}

int number_normalise(char number[NUMBER_SIZE], const char *text)
{
    if (strncasecmp(text, "tel:", 4) == 0)
        text += 4;
    int length = take_digits(number, text);
    return length < 0 ? length : check_length(number, (size_t)length);
}

bool number_is_withheld(const char *text)
{
    static const char *const words[] = {"", "anonymous", "restricted", "private", "unavailable", "unknown"};
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(words[i], text) == 0)
            return true;
    }
    return false;
}
