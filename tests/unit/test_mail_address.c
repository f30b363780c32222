/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about mail addresses as numbers. */
#include "config.h"

#include "contrib/mail/address.h"

#include <string.h>

#include "contrib/mail/order.h"
#include "contrib/mail/settings.h"
#include "server/base/err.h"
#include "server/base/str.h"
#include "tests/lib/facts.h"

static char *names[] = {"fax.example", "other.example"};
static const struct words domains = {names, 2};

static void an_address_is_a_number_with_or_without_a_subaddress(void **state)
{
    (void)state;
    static const struct {
        const char *address, *number, *subaddress;
    } table[] = {
        {"1002@fax.example", "1002", ""},
        {"+15551234567@fax.example", "+15551234567", ""},
        {"+1-555-123.4567@FAX.Example", "+15551234567", ""},
        {"\"+1 (555) 1234567\"@fax.example", "+15551234567", ""},
        {"FAX=+3940226338@other.example", "+3940226338", ""},
        {"fax=+39-40-226338@fax.example", "+3940226338", ""},
        {"FAX=+12027653000/T33S=1387@fax.example", "+12027653000", "1387"},
        {"/FAX=+12027653000/T33S=1387/@fax.example", "+12027653000", "1387"},
        {"\"/FAX=+12027653000/t33s=1#2/\"@fax.example", "+12027653000", "1#2"},
        {"\"/FAX=\\+1202\"@fax.example", "+1202", ""},
        {"/T33S=5/FAX=77@fax.example", "77", "5"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct address_number address;
        assert_int_equal(address_parse(&address, table[i].address, &domains), 0);
        assert_string_equal(address.number, table[i].number);
        assert_string_equal(address.subaddress, table[i].subaddress);
    }
}

static void a_wrong_address_is_refused_with_its_fault(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        int code;
        const char *fault;
    } table[] = {
        {"", ERR_INVALID, "no address"},
        {"1002", ERR_INVALID, "no address"},
        {"@fax.example", ERR_INVALID, "no address"},
        {"1002@elsewhere.example", ERR_NOT_FOUND, "elsewhere.example"},
        {"1002@", ERR_NOT_FOUND, "domain"},
        {"jane@fax.example", ERR_INVALID, "\"jane\" is no number"},
        {"FAX=@fax.example", ERR_INVALID, "no digits"},
        {"/FAX=/@fax.example", ERR_INVALID, "no digits"},
        {"/T33S=1/@fax.example", ERR_INVALID, "no FAX="},
        {"/FAX=1/FAX=2/@fax.example", ERR_INVALID, "two numbers"},
        {"/FAX=1/T33S=1/T33S=2/@fax.example", ERR_INVALID, "two subaddresses"},
        {"/FAX=1/T33S=/@fax.example", ERR_INVALID, "T33S"},
        {"/FAX=1/T33S=a/@fax.example", ERR_INVALID, "T33S"},
        {"/FAX=1/T33S=123456789012345678901/@fax.example", ERR_TOO_BIG, "20"},
        {"/FAX=1/ISUB=1/@fax.example", ERR_UNSUPPORTED, "ISUB"},
        {"+1555p22@fax.example", ERR_UNSUPPORTED, "pauses"},
        {"\"1002@fax.example", ERR_INVALID, "quote"},
        {"10\"02@fax.example", ERR_INVALID, "quote"},
        {"\"10\"02\"@fax.example", ERR_INVALID, "quote"},
        {"+12345678901234567@fax.example", ERR_INVALID, "15 digits"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct address_number address;
        assert_int_equal(address_parse(&address, table[i].address, &domains), table[i].code);
        assert_non_null(strstr(err_message(), table[i].fault));
    }
}

static void an_endless_address_stays_within_its_room(void **state)
{
    (void)state;
    static char text[100000];
    struct address_number address;
    memset(text, '1', sizeof text - 1);
    memcpy(text + sizeof text - 14, "@fax.example", 13);
    assert_int_equal(address_parse(&address, text, &domains), ERR_TOO_BIG);
}

static void a_receipt_goes_only_where_faxd_sends_it(void **state)
{
    (void)state;
    static const char *const good[] = {"anna@office.example", "a.b+c=d@x-y.example", "o'neil@example.com",
                                       "x@localhost", "a.-b@x.example"};
    static const char *const bad[] = {"",
                                      "anna",
                                      "@office.example",
                                      "anna@",
                                      "m\xC3\xBCller@office.example",
                                      "anna@b\xC3\xBCro.example",
                                      "\"anna\"@office.example",
                                      "a..b@office.example",
                                      ".anna@office.example",
                                      "anna.@office.example",
                                      "anna@office..example",
                                      "anna@-office.example",
                                      "anna@office-.example",
                                      "anna@office.-example",
                                      "anna@office.example.",
                                      "a@b@c",
                                      "anna@[127.0.0.1]"};
    char lengthy[100];
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        if (!order_may_have_receipt(good[i]))
            fail_msg("refused: %s", good[i]);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (order_may_have_receipt(bad[i]))
            fail_msg("taken: %s", bad[i]);
    }
    memset(lengthy, 'a', sizeof lengthy);
    str_copy(lengthy + 64, sizeof lengthy - 64, "@x.example");
    assert_true(order_may_have_receipt(lengthy));
    str_copy(lengthy + 65, sizeof lengthy - 65, "@x.example");
    lengthy[64] = 'a';
    assert_false(order_may_have_receipt(lengthy));
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(an_address_is_a_number_with_or_without_a_subaddress),
        cmocka_unit_test(a_wrong_address_is_refused_with_its_fault),
        cmocka_unit_test(an_endless_address_stays_within_its_room),
        cmocka_unit_test(a_receipt_goes_only_where_faxd_sends_it),
    };
    return cmocka_run_group_tests_name("mail_address", facts, NULL, NULL);
}
