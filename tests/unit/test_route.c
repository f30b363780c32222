/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the routing table, and that the description of the API tells the same. */
#include "config.h"

#include "web/route.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "spool/key.h"
#include "spool/user.h"
#include "tests/lib/facts.h"
#include "web/asset.h"
#include "web/auth.h"
#include "web/fax_field.h"
#include "web/routes.h"
#include "web/witness.h"

static const struct route table[] = {
    {"GET", "/", 0, 0, 0, NULL},
    {"GET", "/a", 0, 0, 0, NULL},
    {"POST", "/a", 0, 0, 0, NULL},
    {"GET", "/a/{id}", 0, 0, 0, NULL},
    {"GET", "/a/{id}/b/{n}", 0, 0, 0, NULL},
    {"GET", "/c/{*}", 0, 0, 0, NULL},
    {"DELETE", "/c/{*}", 0, 0, 0, NULL},
    {NULL, NULL, 0, 0, 0, NULL},
};

static void a_path_finds_its_handler_and_parameters(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path;
        int at; /* in the table, -1 = no such path */
        const char *first, *second;
    } cases[] = {
        {"GET", "/", 0, NULL, NULL},
        {"HEAD", "/a", 1, NULL, NULL},
        {"POST", "/a", 2, NULL, NULL},
        {"GET", "/a/x", 3, "x", NULL},
        {"GET", "/a/%66%6F%2e", 3, "fo.", NULL},
        {"GET", "/a/x/b/7", 4, "x", "7"},
        {"GET", "/c/x", 5, "x", NULL},
        {"GET", "/c/x/y", 5, "x/y", NULL},
        {"DELETE", "/c/x%2Fy", 6, "x/y", NULL},
        {"GET", "", -1, NULL, NULL},
        {"GET", "//", -1, NULL, NULL},
        {"GET", "/a/", -1, NULL, NULL},
        {"GET", "/A", -1, NULL, NULL},
        {"GET", "/aa", -1, NULL, NULL},
        {"GET", "/a/x/b", -1, NULL, NULL},
        {"GET", "/a/x/b/", -1, NULL, NULL},
        {"GET", "/a/x/b/7/8", -1, NULL, NULL},
        {"GET", "/a//b/7", -1, NULL, NULL},
        {"GET", "/a/%", -1, NULL, NULL},
        {"GET", "/a/%0", -1, NULL, NULL},
        {"GET", "/a/%zz", -1, NULL, NULL},
        {"GET", "/a/%00", -1, NULL, NULL},
        {"GET", "/a/%0d", -1, NULL, NULL},
        {"GET", "/a/%c3%a4", -1, NULL, NULL},
        {"GET", "/c/", -1, NULL, NULL},
        {"GET", "/c", -1, NULL, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct route *route = NULL;
        char params[ROUTE_PARAMS][ROUTE_PARAM_SIZE] = {"", ""}, allow[ROUTE_ALLOW_SIZE];
        enum route_result result = route_find(&route, params, allow, table, cases[i].method, cases[i].path);
        if ((result == ROUTE_FOUND) != (cases[i].at >= 0))
            fail_msg("%d for %s %s", result, cases[i].method, cases[i].path);
        if (cases[i].at < 0)
            continue;
        assert_ptr_equal(route, &table[cases[i].at]);
        if (cases[i].first)
            assert_string_equal(params[0], cases[i].first);
        if (cases[i].second)
            assert_string_equal(params[1], cases[i].second);
    }
}

static void a_wrong_method_is_told_the_right_ones(void **state)
{
    (void)state;
    const struct route *route;
    char params[ROUTE_PARAMS][ROUTE_PARAM_SIZE], allow[ROUTE_ALLOW_SIZE];
    assert_int_equal(route_find(&route, params, allow, table, "DELETE", "/a"), ROUTE_NO_METHOD);
    assert_string_equal(allow, "GET, HEAD, POST");
    assert_int_equal(route_find(&route, params, allow, table, "OPTIONS", "/c/x"), ROUTE_NO_METHOD);
    assert_string_equal(allow, "GET, HEAD, DELETE");
}

static void a_parameter_is_bounded(void **state)
{
    (void)state;
    const struct route *route;
    char params[ROUTE_PARAMS][ROUTE_PARAM_SIZE], allow[ROUTE_ALLOW_SIZE], path[ROUTE_PARAM_SIZE + 8] = "/a/";
    memset(path + 3, 'x', ROUTE_PARAM_SIZE - 1);
    assert_int_equal(route_find(&route, params, allow, table, "GET", path), ROUTE_FOUND);
    path[3 + ROUTE_PARAM_SIZE - 1] = 'x';
    assert_int_equal(route_find(&route, params, allow, table, "GET", path), ROUTE_NO_PATH);
}

/* --- the description --- */

static json_t *description(void)
{
    json_t *document = json_loadb(asset_openapi_json, (size_t)(asset_openapi_json_end - asset_openapi_json), 0, NULL);
    assert_non_null(document);
    return document;
}

static const json_t *described(const json_t *document, const struct route *route)
{
    char method[8] = "";
    const char *path = strcmp(route->pattern, "/v1/lines/{*}") == 0 ? "/v1/lines/{line}" : route->pattern;
    for (size_t i = 0; route->method[i]; i++)
        method[i] = (char)(route->method[i] | 32);
    return json_object_get(json_object_get(json_object_get(document, "paths"), path), method);
}

static const char *scope_of(const json_t *operation)
{
    const json_t *scopes = json_object_get(json_array_get(json_object_get(operation, "security"), 0), "bearer");
    const char *scope = json_string_value(json_array_get(scopes, 0));
    return scope ? scope : "";
}

static bool has_session(const json_t *operation)
{
    const json_t *scheme;
    size_t i;
    json_array_foreach(json_object_get(operation, "security"), i, scheme)
    {
        if (json_object_get(scheme, "session"))
            return true;
    }
    return false;
}

static unsigned roles_of(const json_t *operation)
{
    unsigned roles = 0;
    const json_t *word;
    size_t i;
    json_array_foreach(json_object_get(operation, "x-roles"), i, word)
    {
        const char *name = json_string_value(word);
        if (json_array_size(json_object_get(operation, "x-roles")) == 1 && name && strcmp(name, "anyone") == 0)
            return 0;
        if (!user_role_from_name(name))
            fail_msg("%s is no role", name ? name : "what is not a text");
        roles |= user_role_from_name(name);
    }
    return roles ? roles : ~0u;
}

static void every_resource_is_described_with_its_scope_and_roles(void **state)
{
    (void)state;
    json_t *document = description();
    for (const struct route *route = routes; route->method; route++) {
        const json_t *operation = described(document, route);
        if (strncmp(route->pattern, "/ui/", 4) == 0 || !strcmp(route->pattern, "/") ||
            !strcmp(route->pattern, "/favicon.ico"))
            continue;
        if (!operation)
            fail_msg("not described: %s %s", route->method, route->pattern);
        assert_string_equal(scope_of(operation), auth_scope_name(route->scope));
        assert_int_equal(has_session(operation), route->roles != 0);
        if (roles_of(operation) != route->roles)
            fail_msg("x-roles of %s %s differ from the table's", route->method, route->pattern);
        assert_int_equal(json_object_get(operation, "requestBody") != NULL,
                         (route->flags & (ROUTE_BODY_JSON | ROUTE_BODY_FORM | ROUTE_BODY_CSV)) != 0);
    }
    json_decref(document);
}

static void nothing_else_is_described(void **state)
{
    (void)state;
    json_t *document = description(), *operations, *operation;
    const char *path, *method;
    json_object_foreach(json_object_get(document, "paths"), path, operations)
    {
        json_object_foreach(operations, method, operation)
        {
            const struct route *route = routes;
            while (route->method &&
                   !(described(document, route) == operation && strcasecmp(route->method, method) == 0))
                route++;
            if (!route->method)
                fail_msg("described, but not there: %s %s", method, path);
        }
    }
    json_decref(document);
}

/* What changes something says so in the audit log, or is named here. */
static void what_changes_something_has_a_word_for_the_audit_log(void **state)
{
    (void)state;
    static const char *const silent[] = {"/v1/previews", "/v1/cover-pages/sample", "/v1/routes/outbound/test",
                                         "/v1/routes/inbound/test"};
    int words = 0;
    for (const struct route *route = routes; route->method; route++) {
        bool wanted = strcmp(route->method, "GET") != 0;
        for (size_t i = 0; i < COUNT_OF(silent); i++)
            wanted = wanted && strcmp(route->pattern, silent[i]) != 0;
        if (wanted && !witness_action(route))
            fail_msg("no word for the audit log: %s %s", route->method, route->pattern);
        words += witness_action(route) != NULL;
    }
    assert_int_equal(words, witness_words()); /* none is about a route that is not there */
}

static const json_t *step(const json_t *schema, const char *name, size_t length)
{
    char key[64];
    snprintf(key, sizeof key, "%.*s", (int)length, name);
    return json_object_get(json_object_get(schema, "properties"), key);
}

static void check_words(const struct field *field, const json_t *schema)
{
    const json_t *words = json_object_get(schema, "enum");
    if (!words)
        words = json_object_get(json_object_get(schema, "items"), "enum");
    for (size_t i = 0; field->words[i]; i++) {
        const char *word = json_string_value(json_array_get(words, i));
        if (!word || strcmp(word, field->words[i]) != 0)
            fail_msg("%s: the words differ", field->path);
    }
}

static void every_field_of_a_request_is_described(void **state)
{
    (void)state;
    json_t *document = description();
    const json_t *request =
        json_object_get(json_object_get(json_object_get(document, "components"), "schemas"), "FaxRequest");
    for (const struct field *field = fax_fields; field->path; field++) {
        const json_t *schema = request;
        for (const char *at = field->path; schema && *at; at += strcspn(at, ".") + (at[strcspn(at, ".")] == '.'))
            schema = step(schema, at, strcspn(at, "."));
        if (!schema)
            fail_msg("not described: %s", field->path);
        if (field->words)
            check_words(field, schema);
        if (field->kind == FIELD_INT) {
            assert_int_equal(json_integer_value(json_object_get(schema, "minimum")), field->low);
            assert_int_equal(json_integer_value(json_object_get(schema, "maximum")), field->high);
        }
    }
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_path_finds_its_handler_and_parameters),
        cmocka_unit_test(a_wrong_method_is_told_the_right_ones),
        cmocka_unit_test(a_parameter_is_bounded),
        cmocka_unit_test(every_resource_is_described_with_its_scope_and_roles),
        cmocka_unit_test(nothing_else_is_described),
        cmocka_unit_test(what_changes_something_has_a_word_for_the_audit_log),
        cmocka_unit_test(every_field_of_a_request_is_described),
    };
    return cmocka_run_group_tests_name("route", facts, NULL, NULL);
}
