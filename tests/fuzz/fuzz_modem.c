/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a modem says, as octets: lines, caller id, lists of rates and classes, and a call that rings. */
#include "plugins/class1/answer.h"
#include "plugins/class1/ring.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void expect(int truth)
{
    if (!truth)
        abort();
}

static void is_printable(const char *text, size_t size)
{
    expect(strlen(text) < size);
    for (; *text; text++)
        expect(*text >= ' ' && *text <= '~');
}

static void is_number(const char *text)
{
    expect(strlen(text) < ANSWER_TEXT_SIZE);
    expect(strspn(text, "0123456789*#+") == strlen(text));
    expect(strchr(text[0] == '+' ? text + 1 : text, '+') == NULL);
}

static void read_line(const char *line)
{
    struct answer_caller caller;
    int rates[ANSWER_RATES_MAX], count = answer_rates(rates, line);
    bool useful = answer_caller(&caller, line);

    is_printable(line, ANSWER_LINE_SIZE);
    expect(line[0] != '\0');
    for (int i = 0; i < count; i++)
        expect(answer_rate_bps(rates[i]) > 0 && (i == 0 || rates[i] > rates[i - 1]));
    is_number(caller.number);
    is_number(caller.called);
    is_number(caller.date);
    is_number(caller.time);
    is_printable(caller.name, sizeof caller.name);
    expect(!useful || answer_kind(line) == ANSWER_CALLER);
    (void)answer_has_class(line, "1");
    expect(answer_name(answer_kind(line))[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The time goes on by a millisecond with each octet. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char key[] = "RING 2";
    json_t *distinctive = json_pack("{s:s}", key, "5551235");
    const struct ring_rules rules = {.distinctive = distinctive, .did_prefix = "S."};
    struct answer_line line;
    struct ring ring;
    int rings = 0;
    json_t *info;

    memset(&line, 0, sizeof line);
    memset(&ring, 0, sizeof ring);
    for (size_t i = 0; i < size; i++) {
        if (!answer_line_add(&line, (char)data[i]))
            continue;
        read_line(line.text);
        rings += ring_take(&ring, &rules, line.text, (int64_t)i + 1);
        expect(size > RING_GONE_MS || ring.count == rings);
    }
    info = ring_info(&ring, "2001");
    expect(info != NULL);
    is_number(json_string_value(json_object_get(info, "caller_id")));
    json_decref(info);
    json_decref(distinctive);
    return 0;
}
