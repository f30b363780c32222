/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about addresses that webhooks must not reach. */
#include "config.h"

#include "web/private_address.h"

#include "tests/lib/facts.h"

static void inner_addresses_are_known_in_every_form(void **state)
{
    (void)state;
    static const char *const table[] = {
        "http://127.0.0.1/",
        "http://127.255.1.1:80/x",
        "https://10.1.2.3",
        "http://172.16.0.1/",
        "http://172.31.255.255/",
        "http://192.168.0.1/",
        "http://169.254.169.254/latest",
        "http://0.0.0.0/",
        "http://100.64.0.1/",
        "http://198.18.0.1/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://[::1]/",
        "http://[::]/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::7f00:1]",
        "http://[2002:7f00:1::]/",
        "http://[ff02::1]/",
        "http://localhost/",
        "http://LOCALHOST:1/",
        "http://a.localhost./",
        "http://localhost./",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://10.0.0.1./",
        "http://1.2.3.4.5/",
        "http://a.b.0x1/",
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (!private_address_in_url(table[i]))
            fail_msg("taken for public: %s", table[i]);
    }
}

static void outer_addresses_and_names_are_fine(void **state)
{
    (void)state;
    static const char *const table[] = {
        "http://8.8.8.8/",
        "https://example.org/127.0.0.1",
        "http://172.15.0.1/",
        "http://172.32.0.1/",
        "http://[2a00::1]/",
        "http://[2002:808:808::]/",
        "http://[64:ff9b::8.8.8.8]",
        "http://a1.example/",
        "http://100.128.0.1/",
        "http://notlocalhost/",
        "http://localhost.example.org/",
        "http://9.example.org:80/",
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (private_address_in_url(table[i]))
            fail_msg("taken for private: %s", table[i]);
    }
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(inner_addresses_are_known_in_every_form),
        cmocka_unit_test(outer_addresses_and_names_are_fine),
    };
    return cmocka_run_group_tests_name("private_address", facts, NULL, NULL);
}
