/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about requests to send a fax: from JSON and forms to the struct, or to a list of every fault. */
#include "config.h"

#include "web/fax_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/facts.h"

#define NOW INT64_C(1795224123000) /* 2026-11-21T01:22:03Z */
/* "II*\0" and four more octets */
#define DOCUMENT "\"documents\":[{\"data\":\"SUkqAAgAAAA=\"}]"

static json_t *json(const char *text)
{
    json_error_t error;
    json_t *root = json_loads(text, JSON_DECODE_ANY, &error);
    if (!root)
        fail_msg("%s: %s", error.text, text);
    return root;
}

/* The faults as "pointer code, pointer code". */
static char *faults_of(const struct problems *problems)
{
    static char text[2048];
    size_t index, length = 0;
    json_t *error;
    text[0] = '\0';
    json_array_foreach(problems->errors, index, error) length += (size_t)snprintf(
        text + length, sizeof text - length, "%s%s %s", index ? ", " : "",
        json_string_value(json_object_get(error, "pointer")), json_string_value(json_object_get(error, "code")));
    return text;
}

static void a_full_request_fills_the_struct(void **state)
{
    (void)state;
    struct fax_request request;
    struct problems problems = {0};
    fax_request_from_json(
        &request,
        json("{\"to\":\"+1 (202) 555-0100\",\"from\":\"office\"," DOCUMENT ",\"resolution\":\"standard\","
             "\"dither\":\"halftone\",\"priority\":\"urgent\",\"not_before\":\"2026-11-22T00:00:00Z\","
             "\"expires_at\":\"2026-11-23T00:00:00+01:00\",\"hold\":true,\"retry\":{\"max_attempts\":7,\"resume\":"
             "\"all\","
             "\"on_unconfirmed\":\"resend\",\"delays\":{\"busy\":[60,120],\"protocol\":[5]}},"
             "\"route\":{\"group\":\"night\",\"max_rate\":9600,\"ecm\":false,\"modems\":[\"v29\"],\"compressions\":["
             "\"mh\",\"mr\"]},"
             "\"t30\":{\"sub\":\"42\",\"pwd\":\"77\"},\"station_id\":\"+1 202\",\"header\":{\"text\":\"Clinic\"},"
             "\"client_reference\":\"r\",\"tags\":[\"a\",\"b\"],\"metadata\":{\"k\":\"v\",\"n\":1.5,\"t\":true}}"),
        FAX_REQUEST_SEND, NOW, &problems);
    assert_string_equal(faults_of(&problems), "");
    const struct submit_request *submit = &request.submit;
    assert_string_equal(submit->to, "+1 (202) 555-0100");
    assert_string_equal(submit->from, "office");
    assert_string_equal(submit->line_group, "night");
    assert_int_equal(submit->priority, FAX_URGENT);
    assert_int_equal(submit->not_before, INT64_C(1795305600000));
    assert_int_equal(submit->expires_at, INT64_C(1795388400000));
    assert_true(submit->hold);
    assert_int_equal(submit->max_attempts, 7);
    assert_int_equal(submit->resume, FAX_RESUME_ALL);
    assert_int_equal(submit->on_unconfirmed, FAX_UNCONFIRMED_RESEND);
    assert_string_equal(submit->client_reference, "r");
    assert_int_equal(json_array_size(submit->tags), 2);
    assert_int_equal(json_object_size(submit->metadata), 3);
    assert_int_equal(request.document_count, 1);
    assert_int_equal(request.documents[0].size, 8);
    assert_memory_equal(request.documents[0].data, "II*\0\10\0\0\0", 8);
    json_t *options =
        json("{\"resolution\":\"standard\",\"dither\":\"halftone\",\"delays\":{\"busy\":[60,120],\"protocol\":[5]},"
             "\"max_rate_bps\":9600,\"ecm\":false,\"modems\":[\"v29\"],\"compressions\":[\"mh\",\"mr\"],"
             "\"subaddress\":\"42\",\"password\":\"77\",\"station_id\":\"+1 202\",\"header\":\"Clinic\"}");
    assert_true(json_equal(submit->options, options));
    json_decref(options);
    fax_request_clear(&request);
    problem_clear(&problems);
}

static void a_short_request_has_the_defaults(void **state)
{
    (void)state;
    struct fax_request request;
    struct problems problems = {0};
    fax_request_from_json(&request, json("{\"to\":\"1002\"," DOCUMENT "}"), FAX_REQUEST_SEND, NOW, &problems);
    assert_false(problem_any(&problems));
    assert_int_equal(request.submit.priority, FAX_NORMAL);
    assert_int_equal(request.submit.resume, FAX_RESUME_REMAINING);
    assert_int_equal(request.submit.on_unconfirmed, FAX_UNCONFIRMED_STOP);
    assert_int_equal(request.submit.max_attempts, 0);
    assert_false(request.submit.hold);
    assert_null(request.submit.from);
    assert_int_equal(json_object_size(request.submit.options), 0);
    fax_request_clear(&request);
}

static void each_fault_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *body, *faults;
    } table[] = {
        {"{}", "/to missing, /documents missing"},
        {"[]", " wrong_type"},
        {"1", " wrong_type"},
        {"{\"to\":5," DOCUMENT "}", "/to wrong_type"},
        {"{\"to\":null," DOCUMENT "}", "/to wrong_type"},
        {"{\"to\":[\"1\",\"2\"]," DOCUMENT "}", "/to wrong_type"},
        {"{\"to\":\"555-CALL\"," DOCUMENT "}", "/to invalid_number"},
        {"{\"to\":\"\"," DOCUMENT "}", "/to invalid_number"},
        {"{\"To\":\"1\"," DOCUMENT "}", "/To unknown_key, /to missing"},
        {"{\"to\":\"1\"," DOCUMENT ",\"a/b~c\":1}", "/a~1b~0c unknown_key"},
        {"{\"to\":\"1\"," DOCUMENT ",\"retry.max_attempts\":1}", "/retry.max_attempts unknown_key"},
        {"{\"to\":\"1\"," DOCUMENT ",\"retry\":5}", "/retry wrong_type"},
        {"{\"to\":\"1\"," DOCUMENT ",\"retry\":{\"max_attempts\":0}}", "/retry/max_attempts out_of_range"},
        {"{\"to\":\"1\"," DOCUMENT ",\"retry\":{\"max_attempts\":51}}", "/retry/max_attempts out_of_range"},
        {"{\"to\":\"1\"," DOCUMENT ",\"retry\":{\"max_attempts\":4294967297}}", "/retry/max_attempts out_of_range"},
        {"{\"to\":\"1\"," DOCUMENT ",\"retry\":{\"max_attempts\":1.0}}", "/retry/max_attempts wrong_type"},
        {"{\"to\":\"1\"," DOCUMENT ",\"retry\":{\"max_attempts\":\"5\"}}", "/retry/max_attempts not_a_number"},
        {"{\"to\":\"1\"," DOCUMENT ",\"retry\":{\"delays\":{\"busy\":[]}}}", "/retry/delays/busy wrong_count"},
        {"{\"to\":\"1\"," DOCUMENT ",\"retry\":{\"delays\":{\"busy\":[1,2,3,4,5,6,7,8,9]}}}",
         "/retry/delays/busy wrong_count"},
        {"{\"to\":\"1\"," DOCUMENT ",\"retry\":{\"delays\":{\"busy\":[1,\"x\",86401]}}}",
         "/retry/delays/busy/1 not_a_number, /retry/delays/busy/2 out_of_range"},
        {"{\"to\":\"1\"," DOCUMENT ",\"retry\":{\"delays\":{\"bussy\":[1]}}}", "/retry/delays/bussy unknown_key"},
        {"{\"to\":\"1\"," DOCUMENT ",\"priority\":\"asap\",\"hold\":1}", "/priority unknown_word, /hold wrong_type"},
        {"{\"to\":\"1\"," DOCUMENT ",\"route\":{\"modems\":[\"v34\"],\"ecm\":\"on\"}}",
         "/route/modems/0 unknown_word, /route/ecm wrong_type"},
        {"{\"to\":\"1\"," DOCUMENT ",\"route\":{\"trunk\":\"a\"},\"webhook_url\":\"x\"}",
         "/route/trunk not_supported, /webhook_url not_supported"},
        {"{\"to\":\"1\"," DOCUMENT ",\"cover_page\":{}}", "/cover_page missing"},
        {"{\"to\":\"1\"," DOCUMENT ",\"cover_page\":[]}", "/cover_page wrong_type"},
        {"{\"to\":\"1\"," DOCUMENT ",\"cover_page\":{\"template\":1,\"feilds\":{}}}",
         "/cover_page/template wrong_type, /cover_page/feilds unknown_key"},
        {"{\"to\":\"1\"," DOCUMENT ",\"cover_page\":{\"template\":\"a\",\"fields\":{\"X\":\"\",\"a\":1}}}",
         "/cover_page/fields/X invalid_name, /cover_page/fields/a wrong_type"},
        {"{\"to\":\"1\"," DOCUMENT ",\"header\":{\"time_zone\":\"Europe/Atlantis\",\"show\":\"no\"}}",
         "/header/show wrong_type, /header/time_zone unknown_time_zone"},
        {"{\"to\":\"1\"," DOCUMENT ",\"paper\":\"a5\"}", "/paper unknown_word"},
        {"{\"to\":\"1\"," DOCUMENT ",\"not_before\":\"soon\"}", "/not_before invalid_time"},
        {"{\"to\":\"1\"," DOCUMENT ",\"expires_at\":\"2001-01-01T00:00:00Z\"}", "/expires_at in_the_past"},
        {"{\"to\":\"1\"," DOCUMENT ",\"not_before\":\"2030-01-02T00:00:00Z\",\"expires_at\":\"2030-01-01T00:00:00Z\"}",
         "/expires_at before_not_before"},
        {"{\"to\":\"1\"," DOCUMENT ",\"station_id\":\"123456789012345678901\"}", "/station_id invalid_station_id"},
        {"{\"to\":\"1\"," DOCUMENT ",\"tags\":\"a\"}", "/tags wrong_type"},
        {"{\"to\":\"1\"," DOCUMENT ",\"tags\":[\"\",1]}", "/tags/0 too_short, /tags/1 wrong_type"},
        {"{\"to\":\"1\"," DOCUMENT ",\"metadata\":{\"\":1,\"a\":[],\"b\":null}}",
         "/metadata/ too_long, /metadata/a wrong_type, /metadata/b wrong_type"},
        {"{\"to\":\"1\"," DOCUMENT ",\"metadata\":[]}", "/metadata wrong_type"},
        {"{\"to\":\"1\",\"documents\":[]}", "/documents wrong_type"},
        {"{\"to\":\"1\",\"documents\":{}}", "/documents wrong_type"},
        {"{\"to\":\"1\",\"documents\":[{}]}", "/documents/0 missing"},
        {"{\"to\":\"1\",\"documents\":[{\"data\":\"SUkqAAgAAAA=\",\"text\":\"a\"}]}", "/documents/0 missing"},
        {"{\"to\":\"1\",\"documents\":[{\"text\":\"a\",\"pages\":\"2-1\"},{\"text\":7,\"password\":[]}]}",
         "/documents/0/pages invalid_pages, /documents/1/text wrong_type, /documents/1/password wrong_type"},
        {"{\"to\":\"1\",\"documents\":[{\"text\":\"\"}]}", "/documents/0/text empty_document"},
        {"{\"to\":\"1\",\"documents\":[{\"data\":\"SUkqAAgAAAA\"}]}", "/documents/0/data not_base64"},
        {"{\"to\":\"1\",\"documents\":[{\"data\":\"SUkqAAgAAAA=x\"}]}", "/documents/0/data not_base64"},
        {"{\"to\":\"1\",\"documents\":[{\"data\":\"\"}]}", "/documents/0/data empty_document"},
        {"{\"to\":\"1\",\"documents\":[{\"data\":\"AAECAwQFBgc=\"}]}", "/documents/0/data document_unsupported"},
        {"{\"to\":\"1\",\"documents\":[{\"media_id\":\"med_1\"}]}", "/documents/0/media_id not_supported"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct fax_request request;
        struct problems problems = {0};
        fax_request_from_json(&request, json(table[i].body), FAX_REQUEST_SEND, NOW, &problems);
        char *faults = faults_of(&problems);
        if (strcmp(faults, table[i].faults) != 0)
            fail_msg("%s\nfaults: %s\nwanted: %s", table[i].body, faults, table[i].faults);
        fax_request_clear(&request);
        problem_clear(&problems);
    }
}

static void a_mistyped_key_is_shown_its_neighbours(void **state)
{
    (void)state;
    static const struct {
        const char *body, *hint;
    } table[] = {
        {"{\"prioritty\":1}", "(did you mean priority?)"},
        {"{\"retry\":{\"max_atempts\":1}}", "(did you mean max_attempts?)"},
        {"{\"documnts\":1}", "(did you mean documents?)"},
        {"{\"xyzzy\":1}", "known here"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct fax_request request;
        struct problems problems = {0};
        fax_request_from_json(&request, json(table[i].body), FAX_REQUEST_SEND, NOW, &problems);
        const char *detail = json_string_value(json_object_get(json_array_get(problems.errors, 0), "detail"));
        if (!strstr(detail, table[i].hint))
            fail_msg("%s: %s", table[i].body, detail);
        fax_request_clear(&request);
        problem_clear(&problems);
    }
}

static void many_faults_are_counted_and_cut(void **state)
{
    (void)state;
    struct fax_request request;
    struct problems problems = {0};
    json_t *root = json_object();
    for (int i = 0; i < 1000; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        json_object_set_new(root, key, json_true());
    }
    fax_request_from_json(&request, root, FAX_REQUEST_SEND, NOW, &problems);
    assert_int_equal(problems.count, 1002);
    assert_int_equal(json_array_size(problems.errors), PROBLEM_MAX);
    fax_request_clear(&request);
    problem_clear(&problems);
}

/* --- forms --- */

static struct multipart_part part(const char *name, const char *filename, const char *data, size_t size)
{
    return (struct multipart_part){.name = (char *)(uintptr_t)name,
                                   .filename = (char *)(uintptr_t)filename,
                                   .type = (char *)(uintptr_t) "",
                                   .data = data,
                                   .size = size};
}

#define TEXT(name, text) part(name, NULL, text, strlen(text))
#define FILE_PART(name)  part(name, "p.tif", "II*\0\10\0\0\0", 8)

static char *faults_of_form(struct fax_request *request, struct multipart_part *parts, int count)
{
    struct multipart form = {.parts = parts, .count = count};
    struct problems problems = {0};
    fax_request_from_form(request, &form, FAX_REQUEST_SEND, NOW, &problems);
    char *faults = faults_of(&problems);
    problem_clear(&problems);
    return faults;
}

static void a_form_fills_the_same_struct(void **state)
{
    (void)state;
    struct fax_request request;
    struct multipart_part parts[] = {
        TEXT("to", "1002"),
        TEXT("retry.max_attempts", "3"),
        TEXT("retry.delays.busy", "5"),
        TEXT("retry.delays.busy", "9"),
        TEXT("route.ecm", "no"),
        TEXT("route.modems", "v17"),
        TEXT("tags", "1"),
        TEXT("tags", "b"),
        TEXT("metadata.a.b", "c"),
        TEXT("hold", "True"),
        TEXT("client_reference", "7"),
        FILE_PART("file"),
    };
    assert_string_equal(faults_of_form(&request, parts, (int)COUNT_OF(parts)), "");
    assert_int_equal(request.submit.max_attempts, 3);
    assert_true(request.submit.hold);
    assert_string_equal(request.submit.client_reference, "7");
    assert_string_equal(json_string_value(json_array_get(request.submit.tags, 0)), "1");
    assert_string_equal(json_string_value(json_object_get(request.submit.metadata, "a.b")), "c");
    json_t *options = json("{\"delays\":{\"busy\":[5,9]},\"ecm\":false,\"modems\":[\"v17\"]}");
    assert_true(json_equal(request.submit.options, options));
    assert_int_equal(request.document_count, 1);
    assert_int_equal(request.documents[0].size, 8);
    json_decref(options);
    fax_request_clear(&request);
}

static void a_forms_faults_are_found(void **state)
{
    (void)state;
    struct {
        struct multipart_part parts[4];
        const char *faults;
    } table[] = {
        {{TEXT("to", "1002")}, "/documents missing"},
        {{FILE_PART("file")}, "/to missing"},
        {{TEXT("to", "1"), FILE_PART("document")}, ""},
        {{TEXT("to", "1"), FILE_PART("attachment")}, "/attachment unknown_key, /documents missing"},
        {{TEXT("to", "1"), FILE_PART("file"), FILE_PART("file")}, ""},
        {{TEXT("to", "1"), TEXT("to", "2"), FILE_PART("file")}, "/to twice"},
        {{TEXT("to", "1"), FILE_PART("file"), TEXT("retry.max_attempts", "1e3")}, "/retry/max_attempts not_a_number"},
        {{TEXT("to", "1"), FILE_PART("file"), TEXT("hold", "maybe")}, "/hold wrong_type"},
        {{TEXT("to", "1"), FILE_PART("file"), TEXT("retry", "1"), TEXT("retry.resume", "all")},
         "/retry/resume wrong_type, /retry wrong_type"},
        {{TEXT("to", "1"), FILE_PART("file"), TEXT("a.b.c", "1")}, "/a unknown_key"},
        {{TEXT("to", "1"), FILE_PART("file"), TEXT(".", "1")}, "/ unknown_key"},
        {{TEXT("to", "1"), FILE_PART("file"), TEXT("tags", "\xff")}, "/tags not_utf8"},
        {{TEXT("to", "1"), TEXT("file", "a text")}, ""},
        {{TEXT("to", "1"), TEXT("file", "\1\2\3")}, "/file document_unsupported"},
        {{TEXT("to", "1"), TEXT("documents", "x")}, "/documents wrong_type"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct fax_request request;
        int count = 0;
        while (count < 4 && table[i].parts[count].name)
            count++;
        char *faults = faults_of_form(&request, table[i].parts, count);
        if (strcmp(faults, table[i].faults) != 0)
            fail_msg("form %zu\nfaults: %s\nwanted: %s", i, faults, table[i].faults);
        fax_request_clear(&request);
    }
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_full_request_fills_the_struct),
        cmocka_unit_test(a_short_request_has_the_defaults),
        cmocka_unit_test(each_fault_is_found),
        cmocka_unit_test(a_mistyped_key_is_shown_its_neighbours),
        cmocka_unit_test(many_faults_are_counted_and_cut),
        cmocka_unit_test(a_form_fills_the_same_struct),
        cmocka_unit_test(a_forms_faults_are_found),
    };
    return cmocka_run_group_tests_name("fax_request", facts, NULL, NULL);
}
