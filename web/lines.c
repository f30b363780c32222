/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/lines and /v1/providers: what the server says of them; switching a line on and off, and testing its device. */
#include "web/api.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <stdlib.h>
#include <string.h>

static json_t *all_lines(const struct request *request)
{
    const struct web_options *options = &request->web->options;
    json_t *lines = options->lines ? options->lines(options->server) : NULL;

    return lines ? lines : json_array();
}

/* The line of the path, by its id ("exchange/1001") or its name where that is the only one of its kind. New reference
 * or NULL. */
static json_t *find_line(const struct request *request)
{
    json_t *lines = all_lines(request), *line, *found = NULL;
    size_t index;
    int named = 0;

    json_array_foreach(lines, index, line)
    {
        const char *id = json_string_value(json_object_get(line, "id"));
        const char *name = json_string_value(json_object_get(line, "name"));
        if (id && strcmp(id, request->params[0]) == 0) {
            found = line;
            named = 1;
            break;
        }
        if (name && strcmp(name, request->params[0]) == 0) {
            found = line;
            named++;
        }
    }
    json_incref(found = named == 1 ? found : NULL);
    json_decref(lines);
    return found;
}

/* The line with that id. New reference or NULL. */
static json_t *line_with_id(const struct request *request, const char *id)
{
    json_t *lines = all_lines(request), *line, *found = NULL;
    size_t index;

    json_array_foreach(lines, index, line)
    {
        const char *own = json_string_value(json_object_get(line, "id"));
        if (own && strcmp(own, id) == 0)
            found = json_incref(line);
    }
    json_decref(lines);
    return found;
}

static void no_such_line(struct request *request)
{
    request_problem(request, 404, "no_such_line", "there is no line %s", request->params[0]);
}

void lines_list(struct request *request)
{
    static const char *const names[] = {NULL};

    if (request_check_query(request, names))
        request_reply(request, 200, json_pack("{s:o}", "data", all_lines(request)));
}

void lines_get(struct request *request)
{
    json_t *line = find_line(request);

    if (line)
        request_reply(request, 200, line);
    else
        no_such_line(request);
}

void lines_providers(struct request *request)
{
    const struct web_options *options = &request->web->options;
    json_t *providers = options->providers ? options->providers(options->server) : NULL;

    request_reply(request, 200, json_pack("{s:o}", "data", providers ? providers : json_array()));
}

static void take_switch(int *wanted, const json_t *value, const char *pointer, struct problems *problems)
{
    if (json_is_boolean(value))
        *wanted = json_is_true(value);
    else
        problem_add(problems, pointer, "wrong_type", "true or false is needed here");
}

/* {"send_enabled": bool, "receive_enabled": bool}, at least one of them. -1 = leave. */
static void read_switches(int *send, int *receive, json_t *root, struct problems *problems)
{
    static const char *const names[] = {"send_enabled", "receive_enabled"};
    const char *key;
    json_t *value;

    *send = *receive = -1;
    if (!json_is_object(root) || json_object_size(root) == 0)
        problem_add(problems, "", "missing", "send_enabled or receive_enabled is needed");
    json_object_foreach(root, key, value)
    {
        char *pointer = problem_pointer("", key);
        if (strcmp(key, names[0]) == 0) {
            take_switch(send, value, pointer, problems);
        } else if (strcmp(key, names[1]) == 0) {
            take_switch(receive, value, pointer, problems);
        } else {
            char *near = problem_near(key, names, 2);
            problem_add(problems, pointer, "unknown_key", "\"%.60s\" is not a key that can be changed here%s", key,
                        near);
            free(near);
        }
        free(pointer);
    }
}

void lines_patch(struct request *request)
{
    const struct web_options *options = &request->web->options;
    struct problems problems = {0};
    json_t *root = request_json(request), *line = NULL;
    int send, receive, result;

    if (!root)
        return;
    read_switches(&send, &receive, root, &problems);
    line = find_line(request);
    if (!line) {
        no_such_line(request);
    } else if (problem_any(&problems)) {
        request_problems(request, &problems);
    } else if ((result = options->line_set(options->server, json_string_value(json_object_get(line, "id")), send,
                                           receive)) < 0) {
        if (result == ERR_NOT_FOUND)
            no_such_line(request);
        else
            request_error(request, result);
    } else {
        json_decref(line);
        line = find_line(request);
        request_reply(request, 200, line ? json_incref(line) : json_object());
    }
    problem_clear(&problems);
    json_decref(line);
    json_decref(root);
}

/* Replied with the line as it is now: the result becomes its device's last_test. */
void lines_test(struct request *request)
{
    const struct web_options *options = &request->web->options;
    char *id = xasprintf("%s/%s", request->params[0], request->params[1]);
    int result = options->line_test ? options->line_test(options->server, id) : ERR_NOT_FOUND;
    json_t *line = result == 0 ? line_with_id(request, id) : NULL;

    if (line)
        request_reply(request, 202, line);
    else if (result == ERR_UNSUPPORTED)
        request_problem(request, 409, "no_device", "%s", err_message());
    else if (result == ERR_CONFLICT)
        request_problem(request, 409, "line_busy", "%s", err_message());
    else if (result == ERR_CLOSED)
        request_problem(request, 503, "provider_down", "%s", err_message());
    else if (result == 0 || result == ERR_NOT_FOUND)
        request_problem(request, 404, "no_such_line", "there is no line %s", id);
    else
        request_error(request, result);
    free(id);
}
