/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about what a proxy says of who asks. */
#include "config.h"

#include "server/base/forwarded.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/lib/facts.h"

static struct forwarded_proxies proxies_of(bool rfc7239)
{
    static const char *const networks[] = {"10.0.0.0/8", "2001:db8:1::/48", "127.0.0.1"};
    struct forwarded_proxies proxies = {.rfc7239 = rfc7239};
    for (size_t i = 0; i < COUNT_OF(networks); i++)
        assert_int_equal(cidr_parse(&proxies.trusted[proxies.count++], networks[i]), 0);
    return proxies;
}

struct row {
    const char *peer, *header, *client;
};

static void expect(const struct row *rows, size_t count, bool rfc7239)
{
    struct forwarded_proxies proxies = proxies_of(rfc7239);
    for (size_t i = 0; i < count; i++) {
        struct cidr peer;
        struct address client;
        char text[CIDR_TEXT_SIZE];
        assert_int_equal(cidr_parse(&peer, rows[i].peer), 0);
        forwarded_client(&client, &proxies, &peer.network, rows[i].header);
        if (strcmp(address_format(text, &client), rows[i].client) != 0)
            fail_msg("%s, \"%s\": %s, not %s", rows[i].peer, rows[i].header, text, rows[i].client);
    }
}

static void the_last_hop_that_is_no_proxy_is_believed(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"198.51.100.1", "203.0.113.5", "198.51.100.1"}, /* not from a proxy of ours */
        {"10.0.0.1", "", "10.0.0.1"},
        {"10.0.0.1", "203.0.113.5", "203.0.113.5"},
        {"10.0.0.1", "1.2.3.4, 203.0.113.5", "203.0.113.5"}, /* what the client wrote itself stands first */
        {"10.0.0.1", "1.2.3.4,203.0.113.5 ,10.9.9.9,\t127.0.0.1", "203.0.113.5"},
        {"10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"}, /* all are ours */
        {"10.0.0.1", "203.0.113.5:4711", "203.0.113.5"},
        {"10.0.0.1", "2001:db8::7", "2001:db8::7"},
        {"10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"},
        {"10.0.0.1", "::ffff:203.0.113.5", "203.0.113.5"},
        {"2001:db8:1::1", "203.0.113.5, 2001:db8:1::2", "203.0.113.5"},
    };
    expect(rows, COUNT_OF(rows), false);
}

static void what_cannot_be_read_is_the_proxys_own(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"10.0.0.1", "203.0.113.5, unknown", "10.0.0.1"},
        {"10.0.0.1", "203.0.113.5, unknown, 10.0.0.2", "10.0.0.2"},
        {"10.0.0.1", ",", "10.0.0.1"},
        {"10.0.0.1", "203.0.113.5,", "10.0.0.1"},
        {"10.0.0.1", "203.0.113.0/24", "10.0.0.1"},
        {"10.0.0.1", "300.1.1.1", "10.0.0.1"},
        {"10.0.0.1", "[", "10.0.0.1"},
        {"10.0.0.1", "[]", "10.0.0.1"},
        {"10.0.0.1", ":", "10.0.0.1"},
        {"10.0.0.1", "\"", "10.0.0.1"},
        {"10.0.0.1",
         "203.0.113.5 and a very long text that is longer than any address could be, however it is written, with a "
         "port",
         "10.0.0.1"},
        {"10.0.0.1", "for=203.0.113.5", "10.0.0.1"}, /* the other header's */
    };
    expect(rows, COUNT_OF(rows), false);
}

static void rfc_7239_is_read_as_well(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"10.0.0.1", "for=203.0.113.5", "203.0.113.5"},
        {"10.0.0.1", "For=\"203.0.113.5:80\";proto=https;by=10.0.0.1", "203.0.113.5"},
        {"10.0.0.1", "proto=https; for=\"[2001:db8::7]:80\"", "2001:db8::7"},
        {"10.0.0.1", "for=1.2.3.4, for=203.0.113.5, for=10.0.0.2", "203.0.113.5"},
        {"10.0.0.1", "for=203.0.113.5, for=_hidden", "10.0.0.1"},
        {"10.0.0.1", "for=203.0.113.5, by=10.0.0.2", "10.0.0.1"},
        {"10.0.0.1", "for=", "10.0.0.1"},
        {"10.0.0.1", "203.0.113.5", "10.0.0.1"}, /* the other header's */
        {"198.51.100.1", "for=203.0.113.5", "198.51.100.1"},
    };
    expect(rows, COUNT_OF(rows), true);
}

int main(void)
{
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test(the_last_hop_that_is_no_proxy_is_believed),
        cmocka_unit_test(what_cannot_be_read_is_the_proxys_own),
        cmocka_unit_test(rfc_7239_is_read_as_well),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
