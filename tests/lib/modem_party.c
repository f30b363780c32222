/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has a number. */
#include "config.h"

#include "tests/lib/modem_party.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

void modem_party_tell(struct modem_exchange *exchange, const char *event, const char *number, const char *other)
{
    if (exchange->event)
        exchange->event(exchange->user, event, number, other);
}

struct modem_party *modem_party_find(const struct modem_exchange *exchange, const char *number)
{
    int i;

    for (i = 0; i < MODEM_PARTIES_MAX; i++)
        if (exchange->parties[i] && strcmp(exchange->parties[i]->number, number) == 0)
            return exchange->parties[i];
    return NULL;
}

int modem_party_check_number(const char *number)
{
    size_t length = strlen(number);

    if (length == 0 || length >= MODEM_NUMBER_SIZE || strspn(number, "0123456789+*#") != length)
        return err_set(ERR_INVALID, "\"%.50s\" is no number: 1 to %d digits, and + * #", number, MODEM_NUMBER_SIZE - 1);
    return 0;
}

int modem_party_add(struct modem_party **party, struct modem_exchange *exchange, const char *number,
                    enum modem_party_kind kind)
{
    int i = 0, result = modem_party_check_number(number);

    if (result < 0)
        return result;
    if (modem_party_find(exchange, number))
        return err_set(ERR_CONFLICT, "the number %s is taken", number);
    while (i < MODEM_PARTIES_MAX && exchange->parties[i])
        i++;
    if (i == MODEM_PARTIES_MAX)
        return err_set(ERR_FULL, "the exchange has room for %d numbers", MODEM_PARTIES_MAX);
    *party = exchange->parties[i] = xcalloc(1, sizeof **party);
    (*party)->exchange = exchange;
    (*party)->kind = kind;
    (*party)->drop_after_ms = -1;
    (*party)->hole_after_ms = -1;
    str_copy((*party)->number, sizeof(*party)->number, number);
    return 0;
}

void modem_party_remove(struct modem_party *party)
{
    struct modem_exchange *exchange = party->exchange;
    int i;

    for (i = 0; i < MODEM_PARTIES_MAX; i++)
        if (exchange->parties[i] == party)
            exchange->parties[i] = NULL;
    modem_close(party->modem);
    if (party->stream)
        exchange->counts.late_chunks += modem_stream_late(party->stream);
    modem_stream_close(party->stream);
    free(party);
}

bool modem_party_is_engaged(const struct modem_party *party)
{
    return party->call || (party->modem && modem_is_off_hook(party->modem));
}
