/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POST /v1/test/inbound: a reception on demand, for whoever builds on the API with a test key. */
#include "web/api.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/number.h"
#include "server/base/str.h"

#include <stdlib.h>
#include <string.h>

#define PAGES_MAX 20

static const char *const names[] = {"from", "to", "station_id", "pages"};

struct wanted {
    struct web_test_call call;
    char from[NUMBER_SIZE], to[NUMBER_SIZE];
};

static void take_number(char number[NUMBER_SIZE], const json_t *value, const char *pointer, struct problems *problems)
{
    const char *text = json_string_value(value);

    if (!text || number_normalise(number, text) < 0)
        problem_add(problems, pointer, "invalid_number", "%s", text ? err_message() : "a text with a number is needed");
}

static void take(struct wanted *wanted, const char *key, const json_t *value, const char *pointer,
                 struct problems *problems)
{
    struct web_test_call *call = &wanted->call;

    if (strcmp(key, "from") == 0) {
        take_number(wanted->from, value, pointer, problems);
    } else if (strcmp(key, "to") == 0) {
        take_number(wanted->to, value, pointer, problems);
    } else if (strcmp(key, "station_id") == 0) {
        call->station_id = json_is_string(value) ? json_string_value(value) : "";
        if (!json_is_string(value) || str_check_station_id(call->station_id) < 0)
            problem_add(problems, pointer, "invalid_station_id", "%s",
                        json_is_string(value) ? err_message() : "a text is needed here");
    } else if (strcmp(key, "pages") == 0) {
        call->pages = (int)json_integer_value(value);
        if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > PAGES_MAX)
            problem_add(problems, pointer, "out_of_range", "a number from 1 to %d is needed here", PAGES_MAX);
    } else {
        char *near = problem_near(key, names, sizeof names / sizeof *names);
        problem_add(problems, pointer, "unknown_key", "\"%.60s\" is not a key that is known here%s", key, near);
        free(near);
    }
}

static void read_call(struct wanted *wanted, json_t *root, struct problems *problems)
{
    const char *key;
    json_t *value;

    *wanted = (struct wanted){.from = "+12025550199"};
    wanted->call = (struct web_test_call){.to = wanted->to, .from = wanted->from, .station_id = "", .pages = 1};
    if (!json_is_object(root))
        problem_add(problems, "", "wrong_type", "the body has to be a JSON object");
    json_object_foreach(root, key, value)
    {
        char *pointer = problem_pointer("", key);
        take(wanted, key, value, pointer, problems);
        free(pointer);
    }
}

static void on_rung(void *context, int error, const char *line, const char *number)
{
    struct request *request = context;

    if (error == ERR_CONFLICT) {
        request_problem(request, 409, "line_busy", "%s", err_message());
    } else if (error) {
        request_error(request, error);
    } else {
        witness_about(request, line);
        request_reply(request, 202, json_pack("{s:s, s:s}", "line", line, "to", number));
    }
    request_finish(request);
}

static void begin(struct request *request, const struct web_test_call *call)
{
    const struct web_options *options = &request->web->options;
    int result = options->test_call ? options->test_call(options->server, call, on_rung, request)
                                    : err_set(ERR_NOT_FOUND, "there is no simulator");

    if (result == 0)
        request_wait(request);
    else if (result == ERR_NOT_FOUND)
        request_problem(request, 422, "no_line", "%s", err_message());
    else if (result == ERR_CONFLICT)
        request_problem(request, 409, "line_busy", "%s", err_message());
    else
        request_error(request, result);
}

void test_inbound(struct request *request)
{
    struct problems problems = {0};
    struct wanted wanted;
    json_t *root = request_json(request);

    if (!root)
        return;
    read_call(&wanted, root, &problems);
    if (!request->key.test)
        request_problem(request, 403, "test_key_needed", "this is for test keys; they begin with fxk_test_");
    else if (problem_any(&problems))
        request_problems(request, &problems);
    else
        begin(request, &wanted.call);
    problem_clear(&problems);
    json_decref(root);
}
