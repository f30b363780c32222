/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the wish for a receipt. Its members were checked when the fax was accepted. */
#include "spool/receipt_wish.h"

#include "server/base/str.h"

#include <string.h>

const char *const receipt_on_words[] = {"always", "delivered", "failed", NULL};

static enum receipt_on on_of(const char *word)
{
    for (int i = 0; word && receipt_on_words[i]; i++)
        if (strcmp(word, receipt_on_words[i]) == 0)
            return (enum receipt_on)i;
    return RECEIPT_ON_ALWAYS;
}

static void copy(char *text, size_t size, const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    str_copy(text, size, value ? value : "");
}

bool receipt_wish_read(struct receipt_wish *wish, const char *options)
{
    json_t *root = options && strstr(options, "\"receipt\"") ? json_loads(options, 0, NULL) : NULL;
    const json_t *receipt = json_object_get(root, "receipt");
    memset(wish, 0, sizeof(*wish));
    copy(wish->email, sizeof(wish->email), receipt, "email");
    copy(wish->language, sizeof(wish->language), receipt, "language");
    wish->on = on_of(json_string_value(json_object_get(receipt, "on")));
    wish->first_page = json_is_true(json_object_get(receipt, "first_page"));
    wish->attach = json_is_true(json_object_get(receipt, "attach"));
    json_decref(root);
    return *wish->email != '\0';
}
