/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about addresses and networks. */
#include "config.h"

#include "server/base/cidr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "server/base/err.h"
#include "tests/lib/facts.h"

static struct address address_of(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct address address;
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        assert_int_equal(address_read(&address, (struct sockaddr *)&v4), 0);
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
        assert_int_equal(address_read(&address, (struct sockaddr *)&v6), 0);
    }
    return address;
}

static void a_network_is_read_and_written_again(void **state)
{
    (void)state;
    static const struct {
        const char *text, *again;
    } table[] = {
        {"192.0.2.0/24", "192.0.2.0/24"},
        {"192.0.2.7", "192.0.2.7"},
        {"192.0.2.7/32", "192.0.2.7"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"128.0.0.0/1", "128.0.0.0/1"},
        {"2001:DB8:0:0::/32", "2001:db8::/32"},
        {"2001:db8::1", "2001:db8::1"},
        {"::/0", "::/0"},
        {"::1/128", "::1"},
        {"::ffff:10.0.0.0/104", "10.0.0.0/8"},
        {"::ffff:10.1.2.3", "10.1.2.3"},
        {"::ffff:0:0/96", "0.0.0.0/0"},
        {"::/80", "::/80"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char text[CIDR_TEXT_SIZE];
        struct cidr cidr;
        assert_int_equal(cidr_parse(&cidr, table[i].text), 0);
        assert_string_equal(cidr_format(text, &cidr), table[i].again);
    }
}

static void what_is_no_network_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *text, *told;
    } table[] = {
        {"", "is not an address"},
        {"/8", "is not an address"},
        {"10.0.0.0/", "from 0 to 32"},
        {"10.0.0.0/33", "from 0 to 32"},
        {"10.0.0.0/-1", "from 0 to 32"},
        {"10.0.0.0/8/8", "from 0 to 32"},
        {"10.0.0.0/8 ", "from 0 to 32"},
        {" 10.0.0.0/8", "is not an address"},
        {"::/129", "from 0 to 128"},
        {"10.1.2.3/8", "10.0.0.0/8 may be meant"},
        {"10.0.0.1/31", "10.0.0.0/31 may be meant"},
        {"2001:db8::1/32", "2001:db8::/32 may be meant"},
        {"10.0.0", "is not an address"},
        {"10.0.0.256", "is not an address"},
        {"010.0.0.1", "is not an address"},
        {"0x7f000001", "is not an address"},
        {"example.org", "is not an address"},
        {"fe80::1%eth0", "is not an address"},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc", "is not an address"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct cidr cidr;
        if (cidr_parse(&cidr, table[i].text) != ERR_INVALID || !strstr(err_message(), table[i].told))
            fail_msg("\"%s\": %s", table[i].text, err_message());
    }
}

static void a_network_has_its_addresses_and_no_others(void **state)
{
    (void)state;
    static const struct {
        const char *network, *address;
        bool has;
    } table[] = {
        {"192.0.2.0/24", "192.0.2.0", true},
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.0/24", "192.0.1.255", false},
        {"10.0.0.4/30", "10.0.0.7", true},
        {"10.0.0.4/30", "10.0.0.8", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "10.0.0.1", false},
        {"10.0.0.0/8", "::ffff:10.9.9.9", true},
        {"::ffff:10.0.0.0/104", "10.9.9.9", true},
        {"::/0", "::ffff:10.9.9.9", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"::1", "::1", true},
        {"::1", "::2", false},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct address address = address_of(table[i].address);
        struct cidr cidr;
        assert_int_equal(cidr_parse(&cidr, table[i].network), 0);
        if (cidr_has(&cidr, &address) != table[i].has)
            fail_msg("%s in %s", table[i].address, table[i].network);
    }
}

static void what_has_no_address_is_in_no_network(void **state)
{
    (void)state;
    struct sockaddr local = {.sa_family = AF_UNIX};
    struct address address;
    struct cidr cidr;
    char text[CIDR_TEXT_SIZE];
    assert_int_equal(address_read(&address, &local), ERR_INVALID);
    assert_string_equal(address_format(text, &address), "");
    assert_int_equal(cidr_parse(&cidr, "0.0.0.0/0"), 0);
    assert_false(cidr_has(&cidr, &address));
    address = address_of("::ffff:192.0.2.1");
    assert_string_equal(address_format(text, &address), "192.0.2.1");
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_network_is_read_and_written_again),
        cmocka_unit_test(what_is_no_network_is_told),
        cmocka_unit_test(a_network_has_its_addresses_and_no_others),
        cmocka_unit_test(what_has_no_address_is_in_no_network),
    };
    return cmocka_run_group_tests_name("cidr", facts, NULL, NULL);
}
