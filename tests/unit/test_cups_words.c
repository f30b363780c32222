/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about what CUPS hands to a backend. */
#include "config.h"

#include "contrib/cups/words.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "tests/lib/facts.h"

static void options_are_names_with_values(void **state)
{
    static const struct {
        const char *text, *name, *value; /* value NULL: it is not there */
    } rows[] = {
        {"phone=1002", "phone", "1002"},
        {"a=b phone=1002 c=d", "phone", "1002"},
        {"phone='+1 312 555' x=y", "phone", "+1 312 555"},
        {"phone=\"+1 312\" x=y", "x", "y"},
        {"note=Dr.\\ O\\'Neil x=y", "note", "Dr. O'Neil"},
        {"note='it\\'s \"so\"'", "note", "it's \"so\""},
        {"fit-to-page phone=1", "fit-to-page", "true"},
        {"nocollate phone=1", "collate", "false"},
        {"no phone=1", "no", "true"},
        {"phone=1 phone=2", "phone", "2"},
        {"phone=", "phone", ""},
        {"phone", "phone", "true"},
        {"note='open", "note", "open"},
        {"note=end\\", "note", "end\\"},
        {"note=\xff\xfe", "note", NULL},
        {"  ", "phone", NULL},
        {"", "phone", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        json_t *options = words_of_options(rows[i].text);
        const char *value = json_string_value(json_object_get(options, rows[i].name));
        assert_int_equal(value != NULL, rows[i].value != NULL);
        if (value != NULL)
            assert_string_equal(value, rows[i].value);
        json_decref(options);
    }
}

static void a_uri_names_server_and_key(void **state)
{
    static const struct {
        const char *uri, *server, *key; /* NULL = none */
    } rows[] = {
        {"faxd:/", NULL, NULL},
        {"faxd:", NULL, NULL},
        {"faxd:///", NULL, NULL},
        {"faxd:/?key-file=/etc/faxd/k", NULL, "/etc/faxd/k"},
        {"faxd://fax.example:8080/?key-file=/a%20b&wait=yes", "http://fax.example:8080", "/a b"},
        {"faxd://fax.example?tls=yes", "https://fax.example", NULL},
        {"faxd://[::1]:9/", "http://[::1]:9", NULL},
    };
    static const char *const bad[] = {
        "http://x/",     "faxd",           "faxd:x",         "faxd:/?dance=1",       "faxd:/?key-file",
        "faxd:/?tag=%4", "faxd:/?tag=%00", "faxd:/?tag=%zz", "faxd://h/?wait=yes&x", "faxdx:/"};
    char *server;
    json_t *query;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(words_of_uri(&server, &query, rows[i].uri), 0);
        const char *key = json_string_value(json_object_get(query, "key-file"));
        assert_string_equal(server != NULL ? server : "none", rows[i].server != NULL ? rows[i].server : "none");
        assert_string_equal(key != NULL ? key : "none", rows[i].key != NULL ? rows[i].key : "none");
        free(server);
        json_decref(query);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(words_of_uri(&server, &query, bad[i]), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(options_are_names_with_values),
        cmocka_unit_test(a_uri_names_server_and_key),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
