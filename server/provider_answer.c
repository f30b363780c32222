/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "server/provider_answer.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/str.h"

#include <string.h>

int answer_wrong(const char *what, const char *key)
{
    return err_set(ERR_INVALID, "%s: \"%s\" is not what it has to be", what, key);
}

int answer_text(char *to, size_t size, const char *what, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (value != NULL && !json_is_null(value) && !json_is_string(value))
        return answer_wrong(what, key);
    str_copy(to, size, json_string_value(value));
    return 0;
}

int answer_count(int64_t *to, const char *what, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (value != NULL && !json_is_null(value) && (!json_is_integer(value) || json_integer_value(value) < 0))
        return answer_wrong(what, key);
    *to = json_integer_value(value);
    return 0;
}

int answer_time(int64_t *to, const char *what, const json_t *object, const char *key)
{
    int error = answer_count(to, what, object, key);

    return error == 0 && *to > CLOCK_LAST_MS ? answer_wrong(what, key) : error;
}

int answer_word(int *to, const char *what, const json_t *object, const char *key, const char *const *words, int count)
{
    const char *word = json_string_value(json_object_get(object, key));

    for (int i = 0; word != NULL && i < count; i++)
        if (strcmp(word, words[i]) == 0) {
            *to = i;
            return 0;
        }
    return answer_wrong(what, key);
}
