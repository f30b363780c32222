/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a path may say, and whose datagrams are the far end's. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "plugins/t30/latch.h"
#include "plugins/t30/path.h"
#include "server/base/err.h"

#define KEY "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"

static int parse(struct path *path, const char *text)
{
    json_t *object = json_loads(text, JSON_DECODE_ANY, NULL);
    int error;

    assert_non_null(object);
    error = path_parse(path, object);
    json_decref(object);
    return error;
}

static void t38_has_the_defaults_of_its_standard(void **state)
{
    struct path path;

    (void)state;
    assert_int_equal(parse(&path, "{\"mode\":\"t38\",\"address\":\"192.0.2.1\",\"port\":4000}"), 0);
    assert_int_equal(path.mode, PATH_T38);
    assert_int_equal(path.rules.said.port, 4000);
    assert_int_equal(path.t38.version, 0);
    assert_int_equal(path.t38.max_rate_bps, 14400);
    assert_int_equal(path.udptl.correction, UDPTL_REDUNDANCY);
    assert_int_equal(path.udptl.redundancy_control, 3);
    assert_int_equal(path.udptl.max_datagram, 0);
}

static void rtp_is_read_whole(void **state)
{
    struct path path;

    (void)state;
    assert_int_equal(parse(&path, "{\"mode\":\"rtp\",\"address\":\"2001:db8::1\",\"port\":4000,\"rtcp_port\":4001,"
                                  "\"codec\":\"PCMA\",\"latch\":[\"198.51.100.7\",\"*\"],\"srtp\":{\"send\":{"
                                  "\"suite\":\"AES_CM_128_HMAC_SHA1_80\",\"key\":\"" KEY "\"},\"receive\":{"
                                  "\"suite\":\"AES_CM_128_HMAC_SHA1_32\",\"key\":\"" KEY "\"}}}"),
                     0);
    assert_int_equal(path.codec, RTP_PCMA);
    assert_int_equal(path.payload, 8);
    assert_int_equal(path.rtcp_port, 4001);
    assert_int_equal(path.rules.allowed_count, 1);
    assert_true(path.rules.anybody);
    assert_int_equal(path.send_key.suite, SECURE_SHA80);
    assert_int_equal(path.receive_key.suite, SECURE_SHA32);
}

#define AT "\"address\":\"192.0.2.1\",\"port\":4000"

static void what_is_wrong_is_refused_by_name(void **state)
{
    static const struct {
        const char *path, *named;
    } facts[] = {
        {"[]", "\"mode\""},
        {"{\"mode\":\"h323\"}", "\"mode\""},
        {"{\"mode\":\"t38\"}", "\"address\""},
        {"{\"mode\":\"t38\",\"address\":\"fax.example.com\"}", "\"address\""},
        {"{\"mode\":\"t38\",\"address\":\"192.0.2.1\",\"port\":70000}", "\"port\""},
        {"{\"mode\":\"t38\"," AT ",\"latch\":\"*\"}", "\"latch\""},
        {"{\"mode\":\"t38\"," AT ",\"latch\":[\"nowhere\"]}", "\"latch\""},
        {"{\"mode\":\"t38\"," AT
         ",\"latch\":[\"::1\",\"::1\",\"::1\",\"::1\",\"::1\",\"::1\",\"::1\",\"::1\",\"::1\"]}",
         "\"latch\""},
        {"{\"mode\":\"t38\"," AT ",\"version\":4}", "\"version\""},
        {"{\"mode\":\"t38\"," AT ",\"max_bit_rate\":300}", "\"max_bit_rate\""},
        {"{\"mode\":\"t38\"," AT ",\"rate_management\":\"none\"}", "\"rate_management\""},
        {"{\"mode\":\"t38\"," AT ",\"ec\":7}", "\"ec\""},
        {"{\"mode\":\"t38\"," AT ",\"max_datagram\":-1}", "\"max_datagram\""},
        {"{\"mode\":\"t38\"," AT ",\"redundancy_image\":99}", "\"redundancy_image\""},
        {"{\"mode\":\"t38\"," AT ",\"ec\":\"fec\",\"fec_entries\":9,\"fec_span\":9}", "\"fec_span\""},
        {"{\"mode\":\"rtp\"," AT ",\"codec\":\"G729\"}", "\"codec\""},
        {"{\"mode\":\"rtp\"," AT ",\"payload\":128}", "\"payload\""},
        {"{\"mode\":\"rtp\"," AT ",\"rtcp_port\":\"next\"}", "\"rtcp_port\""},
        {"{\"mode\":\"rtp\"," AT ",\"srtp\":true}", "\"srtp\""},
        {"{\"mode\":\"rtp\"," AT ",\"srtp\":{\"send\":{\"suite\":\"AES_CM_128_HMAC_SHA1_80\",\"key\":\"" KEY "\"}}}",
         "\"srtp\""},
    };
    struct path path;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof facts / sizeof *facts; i++) {
        assert_int_equal(parse(&path, facts[i].path), ERR_INVALID);
        if (!strstr(err_message(), facts[i].named))
            fail_msg("%s: %s", facts[i].path, err_message());
    }
    assert_int_not_equal(parse(&path, "{\"mode\":\"rtp\"," AT ",\"srtp\":{\"send\":{\"suite\":\"NULL\",\"key\":\"" KEY
                                      "\"},\"receive\":{\"suite\":\"NULL\",\"key\":\"" KEY "\"}}}"),
                         0);
    assert_null(strstr(err_message(), KEY));
}

static struct latch_address at(const char *ip, uint16_t port)
{
    struct latch_address address = {.port = port};

    assert_int_equal(latch_parse_ip(&address.ip, ip), 0);
    return address;
}

static bool allows(const struct latch *latch, const char *ip, uint16_t port)
{
    struct latch_address from = at(ip, port);

    return latch_allows(latch, &from);
}

static void the_first_valid_sender_is_the_far_end(void **state)
{
    struct latch_rules rules = {.said = at("192.0.2.1", 4000), .allowed_count = 1};
    struct latch_address other = at("198.51.100.7", 9999);
    struct latch latch;

    (void)state;
    rules.allowed[0] = other.ip;
    latch_init(&latch, &rules);
    assert_true(allows(&latch, "192.0.2.1", 4000));
    assert_false(allows(&latch, "192.0.2.1", 4002));
    assert_true(allows(&latch, "198.51.100.7", 1));
    assert_false(allows(&latch, "203.0.113.1", 4000));
    assert_true(latch_close(&latch, &other));
    assert_true(allows(&latch, "198.51.100.7", 9999));
    assert_false(allows(&latch, "198.51.100.7", 1));
    assert_true(allows(&latch, "192.0.2.1", 4000)); /* who was named is late, not locked out */
    assert_true(latch_close(&latch, &rules.said));
    assert_true(allows(&latch, "192.0.2.1", 4000));
    assert_false(allows(&latch, "198.51.100.7", 9999));
    latch_init(&latch, &rules);
    assert_true(allows(&latch, "192.0.2.1", 4000));
}

static void anybody_may_be_the_far_end_when_so_said(void **state)
{
    struct latch_rules rules = {.said = at("192.0.2.1", 4000), .anybody = true};
    struct latch latch;

    (void)state;
    latch_init(&latch, &rules);
    assert_true(allows(&latch, "2001:db8::7", 1));
}

static void targets_fit_the_socket(void **state)
{
    struct latch_rules v4 = {.said = at("192.0.2.1", 4000)}, v6 = {.said = at("2001:db8::1", 4000)};
    struct latch_rules hold = {.said = at("0.0.0.0", 4000)}, nowhere = {.said = at("192.0.2.1", 0)};
    struct sockaddr_storage to;
    struct latch_address back;
    struct latch latch;

    (void)state;
    latch_init(&latch, &v4);
    assert_int_equal(latch_target(&latch, AF_INET, &to), sizeof(struct sockaddr_in));
    assert_int_equal(((struct sockaddr_in *)&to)->sin_addr.s_addr, inet_addr("192.0.2.1"));
    assert_int_equal(latch_target(&latch, AF_INET6, &to), sizeof(struct sockaddr_in6));
    latch_read_address(&back, &to);
    assert_true(latch_allows(&latch, &back)); /* IPv4 through a socket of both kinds */
    latch_init(&latch, &v6);
    assert_int_equal(latch_target(&latch, AF_INET6, &to), sizeof(struct sockaddr_in6));
    assert_int_equal(latch_target(&latch, AF_INET, &to), 0);
    latch_init(&latch, &hold);
    assert_int_equal(latch_target(&latch, AF_INET, &to), 0);
    latch_init(&latch, &nowhere);
    assert_int_equal(latch_target(&latch, AF_INET, &to), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(t38_has_the_defaults_of_its_standard),
        cmocka_unit_test(rtp_is_read_whole),
        cmocka_unit_test(what_is_wrong_is_refused_by_name),
        cmocka_unit_test(the_first_valid_sender_is_the_far_end),
        cmocka_unit_test(anybody_may_be_the_far_end_when_so_said),
        cmocka_unit_test(targets_fit_the_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
