/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may try a password now. What is weighed against each other: nobody shall be able to guess, and nobody shall be
 * able to lock somebody else out by guessing badly.
 *
 * Wrong passwords are counted in three places:
 *   - of a name from one address: few are free, then each try waits, twice as long each time up to 15 minutes. It is
 * the guesser's own count. Who guesses at a name from elsewhere fills another one.
 *   - of an address, whatever the names: some are free. One machine that goes through a list of names is held here.
 *   - of a name from all addresses together that are strange to it: many are free, since a hundred machines share them.
 *     It bounds what they gain by being many, a few guesses an hour at each name.
 * An address that a user has signed in from (spool/known_address) has its own count for that name alone: neither what
 * strangers do to the name nor what others behind the same address do keeps the owner out. The same is so for a browser
 * in which the user is signed in, wherever it is. Where an owner's address is shared with the guesser, the first count
 * is all that is left between them, and has to be.
 *
 * A new password begins all counts of a pair anew, since it is a part of their key. The count of a name by strangers
 * outlives a restart in the user's row; the others begin anew. Names that nobody has are counted alike, and no address
 * is known for them, so that a stranger cannot tell them apart. */
#include "web/sign_in.h"

#include "spool/known_address.h"
#include "spool/session.h"
#include "web/access.h"
#include "web/request.h"
#include "web/throttle.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/cidr.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define NAME_SIZE 80
#define PAIR_SIZE (NAME_SIZE + CIDR_TEXT_SIZE + USER_PASSWORD_SIZE + 32)

/* A try as the counts see it. */
struct tried {
    char address[CIDR_TEXT_SIZE], name[NAME_SIZE], pair[PAIR_SIZE];
    bool known;           /* the address, or the browser, is the user's own */
    int64_t locked_until; /* of the user's row */
};

/* Of IPv6 the network, since each host in it has as many addresses as it likes. */
static void address_of(char text[CIDR_TEXT_SIZE], const struct request *request)
{
    struct cidr who = {request->client, 0};

    cidr_cut(&who, who.network.family == AF_INET6 ? 64 : 32);
    cidr_format(text, &who);
}

static void lower(char out[NAME_SIZE], const char *name)
{
    size_t i = 0;

    for (; i < NAME_SIZE - 1 && name[i]; i++)
        out[i] = (char)tolower((unsigned char)name[i]);
    out[i] = '\0';
}

/* The session of this user that the request came with; 0 = none. */
static int64_t session_of(struct request *request, int64_t user_id)
{
    struct session session;
    struct user user;

    if (access_session(&session, &user, request_spool(request), request_header_in(request, "Cookie")) < 0)
        return 0;
    return user.id == user_id ? session.id : 0;
}

/* `name` NULL: only the address. */
static void find(struct tried *tried, struct request *request, const char *name)
{
    char stored[USER_PASSWORD_SIZE] = "";
    struct user user = {0};
    int64_t session = 0;

    *tried = (struct tried){0};
    address_of(tried->address, request);
    if (!name)
        return;
    lower(tried->name, name);
    if (user_find_name(&user, request_spool(request), name) == 0) {
        user_password(stored, request_spool(request), user.id);
        session = session_of(request, user.id);
        tried->known = session || known_address_has(request_spool(request), user.id, tried->address);
        tried->locked_until = user.locked_until;
    }
    if (session)
        snprintf(tried->pair, sizeof tried->pair, "%s\nsession %lld\n%s", tried->name, (long long)session, stored);
    else
        snprintf(tried->pair, sizeof tried->pair, "%s\n%s\n%s", tried->name, tried->address, stored);
    sodium_memzero(stored, sizeof stored);
}

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t wait_of(const struct web *web, const struct tried *tried, int64_t now_ms)
{
    int64_t wait_ms = *tried->name ? throttle_wait_ms(web->pairs, tried->pair, now_ms) : 0;

    if (tried->known)
        return wait_ms;
    wait_ms = longer(wait_ms, throttle_wait_ms(web->addresses, tried->address, now_ms));
    if (*tried->name)
        wait_ms = longer(wait_ms, throttle_wait_ms(web->strangers, tried->name, now_ms));
    return longer(wait_ms, tried->locked_until - clock_now_ms());
}

static void refuse(struct request *request, int64_t wait_ms)
{
    char seconds[24];

    snprintf(seconds, sizeof seconds, "%lld", (long long)((wait_ms + 999) / 1000));
    request_header(request, "Retry-After", seconds);
    request_problem(request, 429, "too_many_attempts", "too many wrong tries: the next one may come in %s s", seconds);
}

bool sign_in_may_try(struct request *request, const char *name)
{
    struct web *web = request->web;
    int64_t now_ms = clock_mono_ms(), wait_ms;
    struct tried tried;

    find(&tried, request, name);
    wait_ms = wait_of(web, &tried, now_ms);
    if (wait_ms > 0) {
        refuse(request, wait_ms);
        return false;
    }
    if (name)
        throttle_try(web->pairs, tried.pair, now_ms);
    if (!tried.known) {
        throttle_try(web->addresses, tried.address, now_ms);
        if (name)
            throttle_try(web->strangers, tried.name, now_ms);
    }
    return true;
}

/* The count by strangers goes on when one of them was none: what the others did stays. */
static void take_back(struct request *request, const struct tried *tried)
{
    struct web *web = request->web;

    if (tried->known)
        return;
    throttle_take_back(web->addresses, tried->address);
    if (*tried->name)
        throttle_take_back(web->strangers, tried->name);
}

void sign_in_was_none(struct request *request, const char *name)
{
    struct tried tried;

    find(&tried, request, name);
    throttle_take_back(request->web->pairs, tried.pair);
    take_back(request, &tried);
}

void sign_in_was_right(struct request *request, const char *name)
{
    struct tried tried;

    find(&tried, request, name);
    if (name)
        throttle_forget(request->web->pairs, tried.pair);
    take_back(request, &tried);
}

void sign_in_was_wrong(struct request *request, const struct user *user)
{
    struct tried tried;
    int64_t wait_ms, until = user->locked_until;

    find(&tried, request, user->name);
    wait_ms = throttle_wait_ms(request->web->strangers, tried.name, clock_mono_ms());
    if (wait_ms > 0)
        until = longer(until, clock_now_ms() + wait_ms);
    if (user_failed(request_spool(request), user->id, until) < 0)
        log_warning("a wrong password of %s was not noted: %s", user->name, err_message());
    if (wait_ms > 0)
        log_warning("user %s is locked for strangers for %lld s after wrong passwords, the last from %s", user->name,
                    (long long)((wait_ms + 999) / 1000), request->address);
    wait_ms = throttle_wait_ms(request->web->pairs, tried.pair, clock_mono_ms());
    if (wait_ms > 0)
        log_warning("user %s may not be tried from %s for %lld s after wrong passwords", user->name, request->address,
                    (long long)((wait_ms + 999) / 1000));
}

int sign_in_is_known(struct request *request, const struct user *user)
{
    char address[CIDR_TEXT_SIZE];

    address_of(address, request);
    return known_address_note(request_spool(request), user->id, address);
}

void sign_in_unlock(struct request *request, const char *name)
{
    char low[NAME_SIZE];

    lower(low, name);
    throttle_forget(request->web->strangers, low);
}
