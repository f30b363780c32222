/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types and ranges of what a fax request may say. A new option of a fax is a row here. */
#include "web/fax_field.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/number.h"
#include "server/base/str.h"
#include "spool/receipt_wish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAP_KEY_MAX  40
#define MAP_TEXT_MAX 500
#define DELAY_MAX_S  86400
#define DELAYS_MAX   8 /* RETRY_DELAYS_MAX of spool/retry.h */

/* Order is that of the enums in spool/fax.h. */
static const char *const priorities[] = {"urgent", "high", "normal", "bulk", NULL};
static const char *const resumes[] = {"remaining", "first_and_remaining", "all", NULL};
static const char *const policies[] = {"stop", "resend", NULL};

static const char *const resolutions[] = {"standard", "fine", "superfine", NULL};
static const char *const dithers[] = {"auto", "threshold", "diffusion", "halftone", NULL};
static const char *const papers[] = {"a4", "letter", "legal", NULL};
static const char *const modems[] = {"v27ter", "v29", "v17", NULL};
static const char *const compressions[] = {"mh", "mr", "mmr", NULL};

#define AT(member) .offset = offsetof(struct submit_request, member)
#define DELAY_LIST .kind = FIELD_INTS, .low = 1, .high = DELAY_MAX_S, .room = DELAYS_MAX

const struct field fax_fields[] = {
    {"to", .kind = FIELD_RECIPIENT, AT(to)},
    {"from", .kind = FIELD_TEXT, .low = 1, .high = 64, AT(from)},
    {"documents", .kind = FIELD_DOCUMENTS},
    {"cover_page", .kind = FIELD_COVER},
    {"paper", .kind = FIELD_WORD_TEXT, .words = papers, .option = "paper"},
    {"resolution", .kind = FIELD_WORD_TEXT, .words = resolutions, .option = "resolution"},
    {"dither", .kind = FIELD_WORD_TEXT, .words = dithers, .option = "dither"},
    {"priority", .kind = FIELD_WORD, .words = priorities, AT(priority)},
    {"not_before", .kind = FIELD_TIME, AT(not_before)},
    {"expires_at", .kind = FIELD_TIME, AT(expires_at)},
    {"hold", .kind = FIELD_BOOL, AT(hold)},
    {"retry.max_attempts", .kind = FIELD_INT, .low = 1, .high = 50, AT(max_attempts)},
    {"retry.resume", .kind = FIELD_WORD, .words = resumes, AT(resume)},
    {"retry.on_unconfirmed", .kind = FIELD_WORD, .words = policies, AT(on_unconfirmed)},
    {"retry.delays.busy", DELAY_LIST, .option = "delays.busy"},
    {"retry.delays.no_answer", DELAY_LIST, .option = "delays.no_answer"},
    {"retry.delays.line", DELAY_LIST, .option = "delays.line"},
    {"retry.delays.protocol", DELAY_LIST, .option = "delays.protocol"},
    {"retry.delays.disconnected", DELAY_LIST, .option = "delays.disconnected"},
    {"route.group", .kind = FIELD_TEXT, .low = 1, .high = 64, AT(line_group)},
    {"route.max_rate", .kind = FIELD_INT, .low = 2400, .high = 33600, .option = "max_rate_bps"},
    {"route.ecm", .kind = FIELD_BOOL, .option = "ecm"},
    {"route.modems", .kind = FIELD_WORDS, .words = modems, .option = "modems"},
    {"route.compressions", .kind = FIELD_WORDS, .words = compressions, .option = "compressions"},
    {"t30.sub", .kind = FIELD_STATION, .option = "subaddress"},
    {"t30.pwd", .kind = FIELD_STATION, .option = "password"},
    {"station_id", .kind = FIELD_STATION, .option = "station_id"},
    {"caller_id", .kind = FIELD_PHONE, .option = "caller_id"},
    {"header.text", .kind = FIELD_TEXT, .low = 0, .high = 100, .option = "header"},
    {"header.time_zone", .kind = FIELD_TEXT, .low = 1, .high = 64, .option = "time_zone"},
    {"header.page_numbers", .kind = FIELD_BOOL, .option = "page_numbers"},
    {"header.show", .kind = FIELD_BOOL, .option = "header_show"},
    {"receipt.email", .kind = FIELD_EMAIL, .option = "receipt.email"},
    {"receipt.on", .kind = FIELD_WORD_TEXT, .words = receipt_on_words, .option = "receipt.on"},
    {"receipt.first_page", .kind = FIELD_BOOL, .option = "receipt.first_page"},
    {"receipt.attach", .kind = FIELD_BOOL, .option = "receipt.attach"},
    {"receipt.language", .kind = FIELD_TEXT, .low = 2, .high = MAIL_LANGUAGE_MAX, .option = "receipt.language"},
    {"client_reference", .kind = FIELD_TEXT, .low = 1, .high = 255, AT(client_reference)},
    {"tags", .kind = FIELD_TEXTS, .low = 1, .high = 64, .room = 50, AT(tags)},
    {"metadata", .kind = FIELD_MAP, .room = 50, AT(metadata)},
    {NULL, .kind = FIELD_TEXT},
};

const struct field *fax_field_find(const char *path)
{
    for (const struct field *field = fax_fields; field->path; field++) {
        if (strcmp(field->path, path) == 0)
            return field;
    }
    return NULL;
}

bool fax_field_is_contact(const char *to)
{
    return strncmp(to, "contact:", 8) == 0;
}

/* --- where a value goes --- */

static void put_option(json_t *options, const char *key, json_t *value)
{
    const char *dot = strchr(key, '.');
    char outer[32];
    json_t *inner;

    if (!dot) {
        json_object_set(options, key, value);
        return;
    }
    str_copy(outer, (size_t)(dot - key) + 1 < sizeof outer ? (size_t)(dot - key) + 1 : sizeof outer, key);
    inner = json_object_get(options, outer);
    if (!inner) {
        inner = json_object();
        json_object_set_new(options, outer, inner);
    }
    put_option(inner, dot + 1, value);
}

static void put(struct submit_request *request, json_t *options, const struct field *field, json_t *value,
                const void *raw, size_t size)
{
    if (field->option)
        put_option(options, field->option, value);
    else
        memcpy((char *)request + field->offset, raw, size);
}

/* --- checks --- */

static const char *kind_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "text";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        return "null";
    }
    return "something else";
}

/* The text of a value, or NULL and a fault. */
static const char *want_text(const json_t *value, const char *pointer, struct problems *problems)
{
    if (json_is_string(value))
        return json_string_value(value);
    problem_add(problems, pointer, "wrong_type", "text is needed here, not %s", kind_of(value));
    return NULL;
}

static bool check_length(const char *text, const struct field *field, const char *pointer, struct problems *problems)
{
    int length = (int)strlen(text);

    if (length >= field->low && length <= field->high)
        return true;
    problem_add(problems, pointer, length < field->low ? "too_short" : "too_long",
                "%d to %d octets are allowed, not %d", field->low, field->high, length);
    return false;
}

static bool check_phone(const char *text, const char *pointer, struct problems *problems)
{
    char number[NUMBER_SIZE];

    if (number_normalise(number, text) == 0)
        return true;
    problem_add(problems, pointer, "invalid_number", "%s", err_message());
    return false;
}

static bool check_station(const char *text, const char *pointer, struct problems *problems)
{
    if (str_check_station_id(text) == 0)
        return true;
    problem_add(problems, pointer, "invalid_station_id", "%s", err_message());
    return false;
}

static bool check_email(const char *text, const char *pointer, struct problems *problems)
{
    if (mail_address_check(text) == 0)
        return true;
    problem_add(problems, pointer, "invalid_email", "%s", err_message());
    return false;
}

static bool check_int(const json_t *value, const struct field *field, const char *pointer, struct problems *problems)
{
    json_int_t number = json_integer_value(value);

    if (json_is_string(value))
        problem_add(problems, pointer, "not_a_number", "\"%.60s\" is not a whole number", json_string_value(value));
    else if (!json_is_integer(value))
        problem_add(problems, pointer, "wrong_type", "a whole number is needed here, not %s",
                    json_is_real(value) ? "a fraction" : kind_of(value));
    else if (number < field->low || number > field->high)
        problem_add(problems, pointer, "out_of_range", "%d to %d is allowed, not %lld", field->low, field->high,
                    (long long)number);
    else
        return true;
    return false;
}

/* The word's place, or -1 and a fault that lists the words. */
static int check_word(const json_t *value, const struct field *field, const char *pointer, struct problems *problems)
{
    const char *text = want_text(value, pointer, problems);
    char list[256] = "";

    if (!text)
        return -1;
    for (int i = 0; field->words[i]; i++) {
        size_t length = strlen(list);
        if (strcmp(field->words[i], text) == 0)
            return i;
        snprintf(list + length, sizeof list - length, "%s%s", i ? ", " : "", field->words[i]);
    }
    problem_add(problems, pointer, "unknown_word", "\"%.60s\" is not one of: %s", text, list);
    return -1;
}

static bool check_list(const json_t *value, int room, const char *pointer, struct problems *problems)
{
    size_t count = json_array_size(value);

    if (!json_is_array(value)) {
        problem_add(problems, pointer, "wrong_type", "a list is needed here, not %s", kind_of(value));
        return false;
    }
    if (count < 1 || (room && count > (size_t)room)) {
        problem_add(problems, pointer, "wrong_count", room ? "1 to %d are allowed, not %zu" : "at least %d is needed",
                    room ? room : 1, count);
        return false;
    }
    return true;
}

static bool check_item(const struct field *field, json_t *item, const char *pointer, struct problems *problems)
{
    const char *text;

    if (field->kind == FIELD_INTS)
        return check_int(item, field, pointer, problems);
    if (field->kind == FIELD_WORDS)
        return check_word(item, field, pointer, problems) >= 0;
    text = want_text(item, pointer, problems);
    return text && check_length(text, field, pointer, problems);
}

static bool check_items(const struct field *field, json_t *list, const char *pointer, struct problems *problems)
{
    bool fine = check_list(list, field->room, pointer, problems);
    size_t index;
    json_t *item;

    if (!fine)
        return false;
    json_array_foreach(list, index, item)
    {
        char step[24];
        snprintf(step, sizeof step, "%zu", index);
        char *place = problem_pointer(pointer, step);
        fine = check_item(field, item, place, problems) && fine;
        free(place);
    }
    return fine;
}

static void check_map_item(const char *key, const json_t *value, const char *pointer, struct problems *problems)
{
    if (!*key || strlen(key) > MAP_KEY_MAX)
        problem_add(problems, pointer, "too_long", "a key has 1 to %d octets", MAP_KEY_MAX);
    if (json_is_string(value) && json_string_length(value) > MAP_TEXT_MAX)
        problem_add(problems, pointer, "too_long", "a value has at most %d octets", MAP_TEXT_MAX);
    if (!json_is_string(value) && !json_is_number(value) && !json_is_boolean(value))
        problem_add(problems, pointer, "wrong_type", "text, a number or a truth value is needed here, not %s",
                    kind_of(value));
}

static bool check_map(const struct field *field, json_t *map, const char *pointer, struct problems *problems)
{
    int before = problems->count;
    const char *key;
    json_t *value;

    if (!json_is_object(map)) {
        problem_add(problems, pointer, "wrong_type", "an object is needed here, not %s", kind_of(map));
        return false;
    }
    if (json_object_size(map) > (size_t)field->room)
        problem_add(problems, pointer, "wrong_count", "at most %d keys are allowed", field->room);
    json_object_foreach(map, key, value)
    {
        char *place = problem_pointer(pointer, key);
        check_map_item(key, value, place, problems);
        free(place);
    }
    return problems->count == before;
}

static void take_text(struct submit_request *request, json_t *options, const struct field *field, json_t *value,
                      const char *pointer, struct problems *problems)
{
    const char *text = want_text(value, pointer, problems);
    bool fine = text != NULL;

    if (fine && field->kind == FIELD_TEXT)
        fine = check_length(text, field, pointer, problems);
    else if (fine && (field->kind == FIELD_PHONE || (field->kind == FIELD_RECIPIENT && !fax_field_is_contact(text))))
        fine = check_phone(text, pointer, problems);
    else if (fine && field->kind == FIELD_STATION)
        fine = check_station(text, pointer, problems);
    else if (fine && field->kind == FIELD_EMAIL)
        fine = check_email(text, pointer, problems);
    if (fine)
        put(request, options, field, value, &text, sizeof text);
}

static void take_time(struct submit_request *request, const struct field *field, json_t *value, const char *pointer,
                      struct problems *problems)
{
    const char *text = want_text(value, pointer, problems);
    int64_t at_ms;

    if (!text)
        return;
    if (clock_parse(&at_ms, text) < 0)
        problem_add(problems, pointer, "invalid_time", "\"%.60s\" is not a time like 2026-11-21T09:30:00Z", text);
    else
        put(request, NULL, field, value, &at_ms, sizeof at_ms);
}

static void take_bool(struct submit_request *request, json_t *options, const struct field *field, json_t *value,
                      const char *pointer, struct problems *problems)
{
    bool wanted = json_is_true(value);

    if (!json_is_boolean(value))
        problem_add(problems, pointer, "wrong_type", "true or false is needed here, not %s", kind_of(value));
    else
        put(request, options, field, value, &wanted, sizeof wanted);
}

void fax_field_take(struct submit_request *request, json_t *options, const struct field *field, json_t *value,
                    const char *pointer, struct problems *problems)
{
    int number;
    const json_t *borrowed = value;

    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_PHONE:
    case FIELD_RECIPIENT:
    case FIELD_EMAIL:
    case FIELD_STATION:
        take_text(request, options, field, value, pointer, problems);
        break;
    case FIELD_INT:
        number = (int)json_integer_value(value);
        if (check_int(value, field, pointer, problems))
            put(request, options, field, value, &number, sizeof number);
        break;
    case FIELD_BOOL:
        take_bool(request, options, field, value, pointer, problems);
        break;
    case FIELD_WORD:
    case FIELD_WORD_TEXT:
        number = check_word(value, field, pointer, problems);
        if (number >= 0)
            put(request, options, field, value, &number, sizeof number); /* enums are ints here */
        break;
    case FIELD_TIME:
        take_time(request, field, value, pointer, problems);
        break;
    case FIELD_INTS:
    case FIELD_WORDS:
    case FIELD_TEXTS:
        if (check_items(field, value, pointer, problems))
            put(request, options, field, value, &borrowed, sizeof borrowed);
        break;
    case FIELD_MAP:
        if (check_map(field, value, pointer, problems))
            put(request, options, field, value, &borrowed, sizeof borrowed);
        break;
    case FIELD_DOCUMENTS:
    case FIELD_COVER:
        break;
    }
}

_Static_assert(sizeof(enum fax_priority) == sizeof(int) && sizeof(enum fax_resume) == sizeof(int) &&
                   sizeof(enum fax_on_unconfirmed) == sizeof(int),
               "words are stored as ints");
_Static_assert(FAX_URGENT == 0 && FAX_BULK == 3 && FAX_RESUME_ALL == 2 && FAX_UNCONFIRMED_RESEND == 1,
               "the order of the words above");

/* --- forms --- */

static json_t *int_from_text(const char *text)
{
    int64_t number;

    if (str_to_int(&number, text, INT64_MIN + 1, INT64_MAX) == 0)
        return json_integer(number);
    return json_string(text);
}

static json_t *bool_from_text(const char *text)
{
    static const char *const words[] = {"false", "true", "0", "1", "no", "yes", "off", "on"};

    for (int i = 0; i < 8; i++) {
        if (strcasecmp(text, words[i]) == 0)
            return json_boolean(i % 2);
    }
    return json_string(text);
}

json_t *fax_field_from_text(const struct field *field, const char *text, size_t length)
{
    char number[32];

    if (field && (field->kind == FIELD_INT || field->kind == FIELD_INTS || field->kind == FIELD_BOOL) &&
        length < sizeof number && !memchr(text, '\0', length)) {
        memcpy(number, text, length);
        number[length] = '\0';
        return field->kind == FIELD_BOOL ? bool_from_text(number) : int_from_text(number);
    }
    if (memchr(text, '\0', length))
        return NULL;
    return json_stringn(text, length); /* NULL when it is not UTF-8 */
}
