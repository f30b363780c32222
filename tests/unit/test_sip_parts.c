/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small parts of lines on SIP: settings, networks of peers, ports for media, the limit of calls of a source, digest
 * challenges, and messages without their secrets. */
#include "config.h"

#include "tests/lib/facts.h"

#include "plugins/sip/challenge.h"
#include "plugins/sip/ports.h"
#include "plugins/sip/sip_setup.h"
#include "plugins/sip/sip_trace.h"
#include "plugins/sip/source_limit.h"
#include "server/base/err.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sofia-sip/msg_parser.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/su_md5.h>

/* ---- settings ---- */

#define TRUNK "\"trunks\":{\"office\":{\"server\":\"pbx.example\"}}"

static int read_setup(struct sip_setup *setup, struct settings **settings, const char *values, bool t38)
{
    char json[4096];

    snprintf(json, sizeof(json),
             "{\"name\":\"p\",\"settings\":{%s},\"lines\":[{\"name\":\"a\",\"number\":\"+4930\"},{\"name\":\"b\"}]}",
             values);
    assert_int_equal(settings_parse(settings, json), 0);
    return sip_setup_read(setup, *settings, t38);
}

static void a_provider_with_one_trunk_has_defaults(void **state)
{
    struct settings *settings;
    struct sip_setup setup;

    (void)state;
    assert_int_equal(read_setup(&setup, &settings, TRUNK, true), 0);
    assert_string_equal(setup.listen, "0.0.0.0:5060");
    assert_true(setup.port_low == 20000 && setup.port_high == 29999 && setup.tls_verify && setup.t38_fallback);
    assert_true(setup.codec_count == 2 && setup.codecs[0] == SDP_PCMU && setup.codecs[1] == SDP_PCMA);
    assert_int_equal(setup.t38_ec, SDP_EC_REDUNDANCY);
    assert_int_equal(setup.trunk_count, 1);
    assert_string_equal(setup.trunks[0].name, "office");
    assert_true(setup.trunks[0].options_s == 60 && setup.trunks[0].expires_s == 300);
    assert_string_equal(setup.trunks[0].did, "uri");
    assert_string_equal(setup.station_ids[0], "+4930");
    assert_string_equal(setup.station_ids[1], "b");
    sip_setup_clear(&setup);
    settings_free(settings);
}

static void trunks_keep_their_order_and_their_settings(void **state)
{
    struct settings *settings;
    struct sip_setup setup;

    (void)state;
    assert_int_equal(
        read_setup(
            &setup, &settings,
            "\"codecs\":\"PCMA\",\"trunks\":{\"z\":{\"server\":\"[2001:db8::1]:5080\",\"register\":\"yes\",\"user\":"
            "\"u\",\"password\":\"p\"},\"a\":{\"server\":\"a\",\"peers\":\"192.0.2.1, 2001:db8::/32\"}}",
            false),
        0);
    assert_true(setup.codec_count == 1 && setup.codecs[0] == SDP_PCMA);
    assert_string_equal(setup.trunks[0].name, "z");
    assert_string_equal(setup.trunks[0].auth_user, "u");
    assert_int_equal(setup.trunks[0].options_s, 0); /* the registration asks often enough */
    assert_int_equal(setup.trunks[1].peer_count, 2);
    sip_setup_clear(&setup);
    settings_free(settings);
}

static void each_wrong_setting_is_named(void **state)
{
#define OFFICE(keys) "\"trunks\":{\"office\":{\"server\":\"pbx\"," keys "}}"
    static const struct {
        const char *values, *named;
    } wrong[] = {
        {"", "trunks"},
        {"\"trunks\":{}", "trunks"},
        {"\"trunks\":{\"office\":{}}", "server"},
        {"\"trunks\":{\"office\":1}", "office"},
        {"\"trunks\":{\"off ice\":{\"server\":\"pbx\"}}", "off ice"},
        {"\"lisen\":\"x\"," TRUNK, "lisen"},
        {"\"listen\":\"0.0.0.0:0\"," TRUNK, "listen"},
        {"\"listen\":\"[::1\"," TRUNK, "listen"},
        {"\"listen\":\"a b\"," TRUNK, "listen"},
        {"\"tls_listen\":\"0.0.0.0:5061\"," TRUNK, "tls_dir"},
        {"\"tls_listen\":\"0.0.0.0:5061\",\"tls_dir\":\"relative\"," TRUNK, "tls_dir"},
        {"\"tls_verify\":\"perhaps\"," TRUNK, "tls_verify"},
        {"\"external_address\":\"fax.example\"," TRUNK, "external_address"},
        {"\"resolv_conf\":\"/nowhere/at/all\"," TRUNK, "resolv_conf"},
        {"\"port_low\":80," TRUNK, "port_low"},
        {"\"port_low\":30000,\"port_high\":30000," TRUNK, "port_high"},
        {"\"t38_request\":\"no\"," TRUNK, "t38_request"},
        {"\"t38_wait_ms\":-1," TRUNK, "t38_wait_ms"},
        {"\"t38_first\":1," TRUNK, "t38_first"},
        {"\"t38_version\":4," TRUNK, "t38_version"},
        {"\"t38_ec\":\"parity\"," TRUNK, "t38_ec"},
        {"\"t38_redundancy_control\":8," TRUNK, "t38_redundancy_control"},
        {"\"t38_redundancy_image\":8," TRUNK, "t38_redundancy_image"},
        {"\"t38_fec_entries\":0," TRUNK, "t38_fec_entries"},
        {"\"t38_fec_span\":6," TRUNK, "t38_fec_span"},
        {"\"t38_max_datagram\":9," TRUNK, "t38_max_datagram"},
        {"\"codecs\":\"G729\"," TRUNK, "codecs"},
        {"\"codecs\":\"PCMU PCMU\"," TRUNK, "codecs"},
        {"\"codecs\":\" \"," TRUNK, "codecs"},
        {"\"session_expires_s\":-1," TRUNK, "session_expires_s"},
        {"\"ring_timeout_ms\":1," TRUNK, "ring_timeout_ms"},
        {"\"response_timeout_ms\":60000," TRUNK, "response_timeout_ms"},
        {"\"full\":\"yes\"," TRUNK, "full"},
        {"\"reject\":\"yes\"," TRUNK, "reject"},
        {"\"invite_rate\":0," TRUNK, "invite_rate"},
        {OFFICE("\"sever\":\"x\""), "sever"},
        {OFFICE("\"transport\":\"sctp\""), "transport"},
        {OFFICE("\"transport\":\"tls\""), "tls_listen"},
        {OFFICE("\"proxy\":\"a:b\""), "proxy"},
        {OFFICE("\"domain\":\"a<b\""), "domain"},
        {OFFICE("\"register\":true"), "user"},
        {OFFICE("\"user\":\"a@b\""), "user"},
        {OFFICE("\"caller_id\":\"\\\"x\\\"\""), "caller_id"},
        {OFFICE("\"prefix\":\"9;\""), "prefix"},
        {OFFICE("\"did\":\"x y\""), "did"},
        {OFFICE("\"challenge\":true"), "challenge"},
        {OFFICE("\"expires_s\":1"), "expires_s"},
        {OFFICE("\"options_s\":-1"), "options_s"},
        {OFFICE("\"identity\":\"x\""), "identity"},
        {OFFICE("\"number_format\":\"x\""), "number_format"},
        {OFFICE("\"peers\":\"192.0.2.1/33\""), "peers"},
        {OFFICE("\"peers\":\"pbx.example\""), "peers"},
        {OFFICE("\"srtp\":true"), "srtp"},
        {OFFICE("\"t38\":\"always\""), "t38"},
        {OFFICE("\"calls_max\":-1"), "calls_max"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct settings *settings;
        struct sip_setup setup;

        if (read_setup(&setup, &settings, wrong[i].values, true) != ERR_INVALID ||
            !strstr(err_message(), wrong[i].named))
            fail_msg("%s: \"%s\" does not name %s", wrong[i].values, err_message(), wrong[i].named);
        settings_free(settings);
    }
}

static void a_provider_for_audio_knows_no_t38(void **state)
{
    struct settings *settings;
    struct sip_setup setup;

    (void)state;
    assert_int_equal(read_setup(&setup, &settings, "\"t38_first\":\"only\"," TRUNK, false), ERR_INVALID);
    assert_non_null(strstr(err_message(), "t38_first"));
    settings_free(settings);
}

static void more_than_32_peers_are_refused(void **state)
{
    char values[2048] = "\"trunks\":{\"office\":{\"server\":\"pbx\",\"peers\":\"";
    struct settings *settings;
    struct sip_setup setup;

    (void)state;
    for (int i = 0; i < 33; i++)
        snprintf(values + strlen(values), sizeof(values) - strlen(values), "192.0.2.%d ", i);
    snprintf(values + strlen(values), sizeof(values) - strlen(values), "\"}}");
    assert_int_equal(read_setup(&setup, &settings, values, true), ERR_INVALID);
    assert_non_null(strstr(err_message(), "peers"));
    settings_free(settings);
}

static void hosts_and_ports_are_split(void **state)
{
    static const struct {
        const char *text, *host;
        int port;
    } rows[] = {{"pbx.example", "pbx.example", 7},
                {"pbx.example:5080", "pbx.example", 5080},
                {"192.0.2.1:65535", "192.0.2.1", 65535},
                {"[2001:db8::1]", "2001:db8::1", 7},
                {"[::]:5060", "::", 5060}};
    static const char *const wrong[] = {"",     ":5060", "a:",     "a:0", "a:65536", "a:5x",
                                        "[::1", "[]:1",  "[::1]x", "a b", "a/b"};
    char host[64];
    int port;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(sip_split_host(rows[i].text, host, sizeof(host), &port, 7), 0);
        assert_string_equal(host, rows[i].host);
        assert_int_equal(port, rows[i].port);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(sip_split_host(wrong[i], host, sizeof(host), &port, 7), ERR_INVALID);
    assert_int_equal(sip_split_host("a.name.that.is.longer.than.its.room", host, 16, &port, 7), ERR_INVALID);
}

/* ---- peers ---- */

static void networks_have_their_addresses(void **state)
{
    static const struct {
        const char *network, *address;
        bool inside;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.128/25", "192.0.2.129", true},
        {"0.0.0.0/0", "198.51.100.7", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"2001:db8::/32", "2001:db8:ffff::", true},
        {"2001:db8::/32", "2001:db9::", false},
        {"::/0", "192.0.2.1", true},
        {"2001:db8::1/127", "2001:db8::", true},
        {"2001:db8::1", "2001:db8:0:0::1", true},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"192.0.2.1", "", false},
        {"192.0.2.1", "strange", false},
    };
    static const char *const wrong[] = {"",
                                        "/",
                                        "192.0.2.1/",
                                        "192.0.2.1/33",
                                        "192.0.2.1/-1",
                                        "192.0.2.1/x",
                                        "192.0.2",
                                        "2001:db8::/129",
                                        "pbx.example",
                                        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa"};
    struct sip_peer peer;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(sip_peer_parse(&peer, rows[i].network), 0);
        if (sip_peer_matches(&peer, rows[i].address) != rows[i].inside)
            fail_msg("%s and %s", rows[i].network, rows[i].address);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(sip_peer_parse(&peer, wrong[i]), ERR_INVALID);
}

/* ---- ports ---- */

static int port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);

    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static void pairs_of_ports_go_round_until_none_is_free(void **state)
{
    struct ports *ports = ports_new("127.0.0.9", 23001, 23006); /* 23002 to 23005 */
    struct ports_pair one, two, three;
    int first;

    (void)state;
    assert_int_equal(ports_take(ports, &one), 0);
    first = one.port;
    assert_true(first == 23002 || first == 23004);
    assert_true(port_of(one.media) == first && port_of(one.rtcp) == first + 1);
    assert_int_equal(ports_take(ports, &two), 0);
    assert_int_equal(two.port, 23002 + 23004 - first);
    assert_int_equal(ports_take(ports, &three), ERR_FULL);
    assert_string_equal(err_message(), "no port for media is free from 23002 to 23005");
    ports_close(&one);
    assert_int_equal(one.media, -1);
    ports_close(&one); /* nothing more */
    assert_int_equal(ports_take(ports, &three), 0);
    assert_int_equal(three.port, first);
    ports_close(&two);
    ports_close(&three);
    ports_free(ports);
}

static void a_port_rests_before_it_serves_again(void **state)
{
    struct ports *ports = ports_new("127.0.0.9", 23010, 23017);
    struct ports_pair pair;
    int first = 0;

    (void)state;
    for (int i = 0; i < 9; i++) {
        assert_int_equal(ports_take(ports, &pair), 0);
        if (i == 0)
            first = (pair.port - 23010) / 2;
        assert_int_equal(pair.port, 23010 + (first + i) % 4 * 2);
        ports_close(&pair);
    }
    ports_free(ports);
}

static void a_range_begins_anywhere(void **state)
{
    int others = 0, first = 0;

    (void)state;
    for (int i = 0; i < 8; i++) {
        struct ports *ports = ports_new("127.0.0.9", 23100, 24099);
        struct ports_pair pair;

        assert_int_equal(ports_take(ports, &pair), 0);
        assert_in_range(pair.port, 23100, 24098);
        if (i == 0)
            first = pair.port;
        others += pair.port != first;
        ports_close(&pair);
        ports_free(ports);
    }
    assert_true(others > 0);
}

static void a_pair_with_one_port_taken_is_passed_over(void **state)
{
    struct ports *blocker = ports_new("127.0.0.9", 23020, 23021), *ports = ports_new("127.0.0.9", 23020, 23023);
    struct ports_pair taken, pair;
    int open_before;

    (void)state;
    assert_int_equal(ports_take(blocker, &taken), 0);
    close(taken.media); /* its RTCP stays */
    taken.media = -1;
    open_before = facts_open_descriptors();
    assert_int_equal(ports_take(ports, &pair), 0);
    assert_int_equal(pair.port, 23022);
    assert_int_equal(facts_open_descriptors(), open_before + 2);
    ports_close(&pair);
    ports_close(&taken);
    ports_free(ports);
    ports_free(blocker);
}

static void an_address_of_another_machine_is_told(void **state)
{
    static const char *const addresses[] = {"192.0.2.1", "strange"};
    struct ports_pair pair;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        struct ports *ports = ports_new(addresses[i], 23030, 23031);

        assert_int_equal(ports_take(ports, &pair), ERR_INVALID);
        assert_non_null(strstr(err_message(), addresses[i]));
        ports_free(ports);
    }
}

/* ---- sources ---- */

static void a_source_has_its_rate_and_no_other_pays_for_it(void **state)
{
    struct source_limit *limit = source_limit_new(3);

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_true(source_limit_take(limit, "192.0.2.1", 1000));
    assert_false(source_limit_take(limit, "192.0.2.1", 1000));
    assert_true(source_limit_take(limit, "192.0.2.2", 1000));
    assert_false(source_limit_take(limit, "192.0.2.1", 1300));
    assert_true(source_limit_take(limit, "192.0.2.1", 1334)); /* a third of a second makes one */
    assert_false(source_limit_take(limit, "192.0.2.1", 1335));
    for (int i = 0; i < 3; i++)
        assert_true(source_limit_take(limit, "192.0.2.1", 1000000)); /* no more are saved than one second's */
    assert_false(source_limit_take(limit, "192.0.2.1", 1000000));
    source_limit_free(limit);
}

static void sources_that_come_anew_push_out_the_quiet_ones(void **state)
{
    struct source_limit *limit = source_limit_new(1);
    char address[32];

    (void)state;
    assert_true(source_limit_take(limit, "198.51.100.1", 0));
    for (int i = 0; i < 10 * SOURCE_LIMIT_SOURCES; i++) {
        snprintf(address, sizeof(address), "10.0.%d.%d", i / 256, i % 256);
        assert_true(source_limit_take(limit, address, 1 + i / SOURCE_LIMIT_SOURCES));
    }
    assert_false(source_limit_take(limit, address, 20)); /* the last one is remembered */
    source_limit_free(limit);
}

/* ---- challenges ---- */

static void md5_of(char hex[33], const char *text)
{
    su_md5_t md5[1];

    su_md5_init(md5);
    su_md5_update(md5, text, strlen(text));
    su_md5_hexdigest(md5, hex);
    su_md5_deinit(md5);
}

static void nonce_of(char nonce[64], const char *challenge)
{
    const char *at = strstr(challenge, "nonce=\"");

    assert_non_null(at);
    assert_int_equal(sscanf(at, "nonce=\"%63[^\"]", nonce), 1);
}

/* What RFC 2617 section 3.2.2 makes of an INVITE to sip:1@x by user. */
static void write_answer(char text[700], const char *nonce, const char *user, const char *password, int count)
{
    char ha1[33], ha2[33], whole[33], plain[400];

    snprintf(plain, sizeof(plain), "%s:faxd:%s", user, password);
    md5_of(ha1, plain);
    md5_of(ha2, "INVITE:sip:1@x");
    snprintf(plain, sizeof(plain), "%s:%s:%08x:abc:auth:%s", ha1, nonce, count, ha2);
    md5_of(whole, plain);
    snprintf(
        text, 700,
        "Digest username=\"%s\", realm=\"faxd\", nonce=\"%s\", uri=\"sip:1@x\", qop=auth, nc=%08x, cnonce=\"abc\", "
        "response=\"%s\", algorithm=MD5",
        user, nonce, count, whole);
}

static enum challenge_verdict judge(struct challenge *challenge, const char *authorization, int64_t now_ms)
{
    char text[2000];
    msg_t *message;
    enum challenge_verdict verdict;

    snprintf(text, sizeof(text),
             "INVITE sip:1@x SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:1@x>\r\nCall-ID: c\r\n"
             "CSeq: 1 INVITE\r\n%s%s%sContent-Length: 0\r\n\r\n",
             authorization ? "Authorization: " : "", authorization ? authorization : "", authorization ? "\r\n" : "");
    message = msg_make(sip_default_mclass(), 0, text, (ssize_t)strlen(text));
    assert_non_null(message);
    verdict = challenge_check(challenge, sip_object(message), "faxd", "user", "secret", now_ms);
    msg_destroy(message);
    return verdict;
}

static void the_right_answer_passes_once(void **state)
{
    struct challenge *challenge = challenge_new();
    char text[CHALLENGE_TEXT_SIZE], nonce[64], answer[700];

    (void)state;
    challenge_make(challenge, "faxd", false, 0, text);
    assert_null(strstr(text, "stale"));
    nonce_of(nonce, text);
    assert_int_equal(judge(challenge, NULL, 1), CHALLENGE_NONE);
    write_answer(answer, nonce, "user", "secret", 1);
    assert_int_equal(judge(challenge, answer, 1), CHALLENGE_RIGHT);
    assert_int_equal(judge(challenge, answer, 2), CHALLENGE_STALE); /* overheard and said again */
    write_answer(answer, nonce, "user", "secret", 2);
    assert_int_equal(judge(challenge, answer, 3), CHALLENGE_RIGHT);
    write_answer(answer, nonce, "user", "secret", 3);
    assert_int_equal(judge(challenge, answer, 60001), CHALLENGE_STALE); /* too old */
    challenge_make(challenge, "faxd", true, 60001, text);
    assert_non_null(strstr(text, "stale=true"));
    challenge_free(challenge);
}

static void wrong_answers_do_not_pass(void **state)
{
    struct challenge *challenge = challenge_new();
    char text[CHALLENGE_TEXT_SIZE], nonce[64], answer[700];

    (void)state;
    challenge_make(challenge, "faxd", false, 0, text);
    nonce_of(nonce, text);
    write_answer(answer, nonce, "user", "wrong", 1);
    assert_int_equal(judge(challenge, answer, 1), CHALLENGE_WRONG);
    write_answer(answer, nonce, "other", "secret", 1);
    assert_int_equal(judge(challenge, answer, 1), CHALLENGE_WRONG);
    write_answer(answer, "0123456789abcdef0123456789abcdef", "user", "secret", 1);
    assert_int_equal(judge(challenge, answer, 1), CHALLENGE_STALE); /* not a nonce of ours */
    assert_int_equal(judge(challenge, "Digest realm=\"faxd\"", 1), CHALLENGE_WRONG);
    assert_int_equal(
        judge(challenge, "Digest realm=\"faxd\", username=\"user\", nonce=\"\", uri=\"\", response=\"\"", 1),
        CHALLENGE_WRONG);
    assert_int_equal(judge(challenge, "Digest realm=\"elsewhere\", username=\"user\"", 1), CHALLENGE_NONE);
    assert_int_equal(judge(challenge, "Basic dXNlcjpzZWNyZXQ=", 1), CHALLENGE_NONE);
    write_answer(answer, nonce, "user", "secret", 1);
    assert_int_equal(judge(challenge, answer, 1), CHALLENGE_RIGHT); /* the nonce is as good as before */
    challenge_free(challenge);
}

static void old_nonces_make_room(void **state)
{
    struct challenge *challenge = challenge_new();
    char text[CHALLENGE_TEXT_SIZE], first[64], last[64], answer[700];

    (void)state;
    challenge_make(challenge, "faxd", false, 0, text);
    nonce_of(first, text);
    for (int i = 0; i < 5000; i++)
        challenge_make(challenge, "faxd", false, 0, text);
    nonce_of(last, text);
    write_answer(answer, first, "user", "secret", 1);
    assert_int_equal(judge(challenge, answer, 1), CHALLENGE_STALE);
    write_answer(answer, last, "user", "secret", 1);
    assert_int_equal(judge(challenge, answer, 1), CHALLENGE_RIGHT);
    challenge_free(challenge);
}

/* ---- the trace ---- */

static const char *text_at(const struct sip_trace *trace, size_t index)
{
    return json_string_value(json_object_get(json_array_get(trace->messages, index), "text"));
}

static void secrets_are_masked_wherever_they_stand(void **state)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"a: response=\"0123\", uri=\"x\"", "a: response=\"***\", uri=\"x\""},
        {"RESPONSE=\"0123\"", "RESPONSE=\"***\""},
        {"response=0123, uri=x", "response=***, uri=x"},
        {"response = \"0123\", x", "response = \"***\", x"},
        {"response=\"cut off", "response=\"***"},
        {"a=crypto:1 X inline:abc/+=|2^20|1:32\r\nb", "a=crypto:1 X inline:***|2^20|1:32\r\nb"},
        {"inline:abc inline:def\r\n", "inline:*** inline:***\r\n"},
        {"inline:", "inline:***"},
        {"Authorization: Basic dXNlcjpw\r\nX: y", "Authorization: Basic ***\r\nX: y"},
        {"no secret\ttab\r\n", "no secret\ttab\r\n"},
        {"\x1b[2J\x80\xff", "?[2J??"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sip_trace trace = {0};

        sip_trace_add(&trace, 5, true, rows[i].text, strlen(rows[i].text));
        assert_string_equal(text_at(&trace, 0), rows[i].shown);
        sip_trace_clear(&trace);
    }
}

static void a_trace_is_bounded_and_says_what_it_leaves_out(void **state)
{
    static char large[6000];
    struct sip_trace trace = {0};
    json_t *record = json_object();

    (void)state;
    for (size_t i = 0; i + 8 <= sizeof(large); i += 8)
        memcpy(large + i, "inline:|", 8); /* the worst that masking makes longer */
    for (int i = 0; i < 100; i++)
        sip_trace_add(&trace, i, i % 2, large, sizeof(large));
    assert_true(trace.bytes <= SIP_TRACE_BYTES_MAX + 3 * SIP_TRACE_MESSAGE_MAX);
    assert_true(strlen(text_at(&trace, 0)) <= 3 * SIP_TRACE_MESSAGE_MAX);
    sip_trace_give(&trace, 0, record);
    assert_true(json_integer_value(json_object_get(record, "sip_omitted")) > 90);
    sip_trace_add(&trace, 7, false, "BYE", 3);
    sip_trace_give(&trace, 0, record); /* behind the others */
    assert_string_equal(
        json_string_value(json_object_get(
            json_array_get(json_object_get(record, "sip"), json_array_size(json_object_get(record, "sip")) - 1),
            "text")),
        "BYE");
    for (int i = 0; i < 100; i++)
        sip_trace_add(&trace, i, true, "x", 1);
    assert_int_equal(json_array_size(trace.messages), SIP_TRACE_MESSAGES_MAX);
    sip_trace_clear(&trace);
    json_decref(record);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_provider_with_one_trunk_has_defaults),
        cmocka_unit_test(trunks_keep_their_order_and_their_settings),
        cmocka_unit_test(each_wrong_setting_is_named),
        cmocka_unit_test(a_provider_for_audio_knows_no_t38),
        cmocka_unit_test(more_than_32_peers_are_refused),
        cmocka_unit_test(hosts_and_ports_are_split),
        cmocka_unit_test(networks_have_their_addresses),
        cmocka_unit_test(pairs_of_ports_go_round_until_none_is_free),
        cmocka_unit_test(a_port_rests_before_it_serves_again),
        cmocka_unit_test(a_range_begins_anywhere),
        cmocka_unit_test(a_pair_with_one_port_taken_is_passed_over),
        cmocka_unit_test(an_address_of_another_machine_is_told),
        cmocka_unit_test(a_source_has_its_rate_and_no_other_pays_for_it),
        cmocka_unit_test(sources_that_come_anew_push_out_the_quiet_ones),
        cmocka_unit_test(the_right_answer_passes_once),
        cmocka_unit_test(wrong_answers_do_not_pass),
        cmocka_unit_test(old_nonces_make_room),
        cmocka_unit_test(secrets_are_masked_wherever_they_stand),
        cmocka_unit_test(a_trace_is_bounded_and_says_what_it_leaves_out),
    };

    return cmocka_run_group_tests(facts, NULL, NULL);
}
