/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks a small body. What a fax may say has a table of its own (fax_field.c). */
#include "web/body.h"

#include <stdlib.h>
#include <string.h>

static bool is_known(const char *name, const char *const *names, int *count)
{
    bool known = false;

    for (*count = 0; names[*count]; (*count)++) {
        if (strcmp(names[*count], name) == 0)
            known = true;
    }
    return known;
}

void body_read(json_t *root, const char *const *names, body_take_fn take, void *context, struct problems *problems)
{
    const char *name;
    json_t *value;

    if (!json_is_object(root)) {
        problem_add(problems, "", "wrong_type", "the body has to be a JSON object");
        return;
    }
    json_object_foreach(root, name, value)
    {
        char *pointer = problem_pointer("", name);
        int count;
        if (is_known(name, names, &count)) {
            take(context, name, value, pointer, problems);
        } else {
            char *near = problem_near(name, names, count);
            problem_add(problems, pointer, "unknown_key", "\"%.60s\" is not a key that is known here%s", name, near);
            free(near);
        }
        free(pointer);
    }
}

const char *body_text(const json_t *value, int low, int high, const char *pointer, struct problems *problems)
{
    int length = (int)json_string_length(value);

    if (!json_is_string(value))
        problem_add(problems, pointer, "wrong_type", "text is needed here");
    else if (length < low || length > high)
        problem_add(problems, pointer, length < low ? "too_short" : "too_long", "%d to %d octets are allowed, not %d",
                    low, high, length);
    else
        return json_string_value(value);
    return NULL;
}

bool body_bool(const json_t *value, const char *pointer, struct problems *problems)
{
    if (!json_is_boolean(value))
        problem_add(problems, pointer, "wrong_type", "true or false is needed here");
    return json_is_true(value);
}
