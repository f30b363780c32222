/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The modem's side of a call's story. */
#include "plugins/t30/dialogue.h"

static struct dialogue_line *slot(struct dialogue *dialogue, unsigned number)
{
    if (number >= DIALOGUE_FIRST)
        number = DIALOGUE_FIRST + (number - DIALOGUE_FIRST) % DIALOGUE_LAST;
    return &dialogue->lines[number];
}

void dialogue_add(struct dialogue *dialogue, int64_t at_ms, bool received, const char *text)
{
    struct dialogue_line *line = slot(dialogue, dialogue->count++);
    int i = 0;

    line->at_ms = at_ms;
    line->received = received;
    for (; i < DIALOGUE_TEXT_SIZE - 1 && text[i]; i++)
        line->text[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    line->text[i] = '\0';
}

json_t *dialogue_to_json(const struct dialogue *dialogue, unsigned *omitted)
{
    json_t *array = json_array();
    unsigned kept = DIALOGUE_FIRST + DIALOGUE_LAST;

    *omitted = dialogue->count > kept ? dialogue->count - kept : 0;
    for (unsigned number = 0; number < dialogue->count; number++) {
        const struct dialogue_line *line;

        if (number >= DIALOGUE_FIRST && number < DIALOGUE_FIRST + *omitted)
            continue;
        line = slot((struct dialogue *)dialogue, number);
        json_array_append_new(array, json_pack("{s:I,s:s,s:s}", "at_ms", (json_int_t)line->at_ms, "dir",
                                               line->received ? "received" : "sent", "text", line->text));
    }
    return array;
}
