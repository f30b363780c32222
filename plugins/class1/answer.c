/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader of what modems say. No two makes write alike, so blanks, case and prefixes are not relied on; what cannot
 * be read is text, which nobody acts on. Between at.c, which brings the octets, and those who asked. */
#include "config.h"

#include "plugins/class1/answer.h"

#include "server/base/str.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* --- lines --- */

/* The line is whole: true unless there is nothing in it. */
static bool line_end(struct answer_line *line)
{
    while (line->used > 0 && line->text[line->used - 1] == ' ')
        line->used--;
    line->text[line->used] = '\0';
    line->ended = true;
    line->was_cr = false;
    return line->used > 0;
}

static void line_put(struct answer_line *line, char octet)
{
    if (line->used < sizeof line->text - 1)
        line->text[line->used++] = octet >= ' ' && octet <= '~' ? octet : '?';
}

bool answer_line_add(struct answer_line *line, char octet)
{
    if (line->ended) {
        line->used = 0;
        line->ended = false;
        if (line->held != '\0')
            line_put(line, line->held);
        line->held = '\0';
    }
    if (octet == '\n')
        return line_end(line);
    if (octet == '\r') {
        bool again = line->was_cr;

        if (again && line_end(line)) {
            line->was_cr = true;
            return true;
        }
        line->was_cr = true;
        return false;
    }
    if (octet == '\0' || octet == '\t' || (octet == ' ' && line->used == 0 && !line->was_cr))
        return false;
    if (line->was_cr && line->used > 0 && line_end(line)) {
        line->held = octet;
        return true;
    }
    line->was_cr = false;
    line_put(line, octet);
    return false;
}

/* --- what a line means --- */

static const struct {
    const char *text;
    enum answer_kind kind;
    bool may_go_on; /* more may stand behind it: "CONNECT 14400", "RING 2" */
} results[] = {
    {"OK", ANSWER_OK, false},
    {"CONNECT", ANSWER_CONNECT, true},
    {"RING", ANSWER_RING, true},
    {"NO CARRIER", ANSWER_NO_CARRIER, true},
    {"ERROR", ANSWER_ERROR, false},
    {"COMMAND NOT SUPPORTED", ANSWER_ERROR, false},
    {"+CME ERROR", ANSWER_ERROR, true},
    {"NO DIALTONE", ANSWER_NO_DIAL_TONE, true},
    {"NO DIAL TONE", ANSWER_NO_DIAL_TONE, true},
    {"BUSY", ANSWER_BUSY, false},
    {"NO ANSWER", ANSWER_NO_ANSWER, true},
    {"+FCERROR", ANSWER_FCERROR, false},
    {"+F4", ANSWER_FCERROR, false}, /* the name of the result in numbers, said by some makes in words */
    {"DELAYED", ANSWER_DELAYED, true},
    {"BLACKLISTED", ANSWER_BLACKLISTED, true},
    {"BLACK LISTED", ANSWER_BLACKLISTED, true},
    {"VOICE", ANSWER_VOICE, false},
};

enum caller_key { KEY_NUMBER, KEY_NAME, KEY_DATE, KEY_TIME, KEY_CALLED, KEY_MESSAGE };

static const struct {
    const char *text;
    enum caller_key key;
} caller_keys[] = {
    {"NMBR", KEY_NUMBER},
    {"CALLER NUMBER", KEY_NUMBER},
    {"NAME", KEY_NAME},
    {"CALLER NAME", KEY_NAME},
    {"DATE", KEY_DATE},
    {"TIME", KEY_TIME},
    {"MESG", KEY_MESSAGE},
    {"DDN_NMBR", KEY_CALLED},
    {"CALLED NUMBER", KEY_CALLED},
    {"NDID", KEY_CALLED},
    {"DID", KEY_CALLED},
};

/* The value of "KEY = value" or "KEY: value", NULL when the line is another. */
static const char *value_of(const char *line, const char *key)
{
    size_t length = strlen(key);

    if (strncasecmp(line, key, length) != 0)
        return NULL;
    line += length;
    line += strspn(line, " ");
    if (*line != '=' && *line != ':')
        return NULL;
    line++;
    return line + strspn(line, " ");
}

static const char *caller_value(const char *line, enum caller_key *key)
{
    for (size_t i = 0; i < sizeof caller_keys / sizeof caller_keys[0]; i++) {
        const char *value = value_of(line, caller_keys[i].text);

        if (value != NULL) {
            *key = caller_keys[i].key;
            return value;
        }
    }
    return NULL;
}

enum answer_kind answer_kind(const char *line)
{
    enum caller_key key;

    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        size_t length = strlen(results[i].text);

        if (strncasecmp(line, results[i].text, length) != 0)
            continue;
        if (line[length] == '\0' || (results[i].may_go_on && !isalpha((unsigned char)line[length])))
            return results[i].kind;
    }
    return caller_value(line, &key) != NULL ? ANSWER_CALLER : ANSWER_TEXT;
}

bool answer_is_final(enum answer_kind kind)
{
    return kind != ANSWER_TEXT && kind != ANSWER_RING && kind != ANSWER_CALLER;
}

const char *answer_name(enum answer_kind kind)
{
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
        if (results[i].kind == kind)
            return results[i].text;
    return kind == ANSWER_CALLER ? "caller id" : "text";
}

/* --- caller id --- */

/* Digits of a number as networks and modems write it. */
static void copy_number(char to[ANSWER_TEXT_SIZE], const char *from, size_t length)
{
    size_t used = 0;

    for (size_t i = 0; i < length && used < ANSWER_TEXT_SIZE - 1; i++)
        if (isdigit((unsigned char)from[i]) || from[i] == '*' || from[i] == '#' || (from[i] == '+' && used == 0))
            to[used++] = from[i];
    to[used] = '\0';
    if (strcmp(to, "+") == 0)
        to[0] = '\0';
}

static void copy_name(char to[ANSWER_TEXT_SIZE], const char *from, size_t length)
{
    size_t used = 0;

    for (size_t i = 0; i < length && used < ANSWER_TEXT_SIZE - 1; i++)
        if (used > 0 || from[i] != ' ')
            to[used++] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
    while (used > 0 && to[used - 1] == ' ')
        used--;
    to[used] = '\0';
}

/* "P" and "O", and the words that some makes say for them. True when the text is one. */
static bool read_absence(struct answer_caller *caller, const char *text)
{
    static const char *const withheld[] = {"P", "PRIVATE", "ANONYMOUS", "BLOCKED", "WITHHELD"};
    static const char *const unknown[] = {"O", "U", "OUT OF AREA", "OUT-OF-AREA", "UNAVAILABLE", "UNKNOWN"};

    for (size_t i = 0; i < sizeof withheld / sizeof withheld[0]; i++)
        if (strcasecmp(text, withheld[i]) == 0)
            return caller->withheld = true;
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        if (strcasecmp(text, unknown[i]) == 0)
            return caller->out_of_area = true;
    return false;
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit = (char)tolower((unsigned char)digit);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Octets of a hexadecimal text: how many, -1 when it is none or too long. */
static int read_hex(char octets[ANSWER_MESSAGE_MAX], const char *text)
{
    int count = 0;

    while (*text != '\0') {
        int high, low;

        if (*text == ' ') {
            text++;
            continue;
        }
        high = hex_digit(text[0]);
        low = high >= 0 ? hex_digit(text[1]) : -1;
        if (low < 0 || count == ANSWER_MESSAGE_MAX)
            return -1;
        octets[count++] = (char)(high << 4 | low);
        text += 2;
    }
    return count;
}

/* One parameter of a multiple data message: GR-30 3.2. */
static void read_parameter(struct answer_caller *caller, int type, const char *value, size_t length)
{
    char reason[2] = {length > 0 ? value[0] : '\0', '\0'};

    switch (type) {
    case 0x01: /* MMDDHHMM */
        copy_number(caller->date, value, length < 4 ? length : 4);
        if (length > 4)
            copy_number(caller->time, value + 4, length - 4);
        break;
    case 0x02:
        copy_number(caller->number, value, length);
        break;
    case 0x03: /* the number that was dialled */
        copy_number(caller->called, value, length);
        break;
    case 0x04: /* why there is no number */
    case 0x08: /* or no name */
        read_absence(caller, reason);
        break;
    case 0x07:
        copy_name(caller->name, value, length);
        break;
    default:
        break;
    }
}

#define SINGLE_DATA   0x04
#define MULTIPLE_DATA 0x80

/* The message as the network sent it; some modems leave the checksum out. False when it is broken. */
static bool read_message(struct answer_caller *caller, const char *text)
{
    char octets[ANSWER_MESSAGE_MAX];
    int count = read_hex(octets, text), length, sum = 0;

    if (count < 2)
        return false;
    length = (unsigned char)octets[1];
    if (length + 2 > count || length + 3 < count)
        return false;
    for (int i = 0; i < count; i++)
        sum += (unsigned char)octets[i];
    if (count == length + 3 && (sum & 0xff) != 0)
        return false;
    if ((unsigned char)octets[0] == SINGLE_DATA && length > 8) {
        read_parameter(caller, 0x01, octets + 2, 8);
        read_parameter(caller, length == 9 && !isdigit((unsigned char)octets[10]) ? 0x04 : 0x02, octets + 10,
                       (size_t)length - 8);
        return true;
    }
    if ((unsigned char)octets[0] != MULTIPLE_DATA)
        return false;
    for (int at = 2; at + 2 <= length + 2;) {
        int type = (unsigned char)octets[at], size = (unsigned char)octets[at + 1];

        if (at + 2 + size > length + 2)
            return false;
        read_parameter(caller, type, octets + at + 2, (size_t)size);
        at += 2 + size;
    }
    return true;
}

bool answer_caller(struct answer_caller *caller, const char *line)
{
    enum caller_key key = KEY_NUMBER;
    const char *value = caller_value(line, &key);

    memset(caller, 0, sizeof *caller);
    if (value == NULL)
        return false;
    switch (key) {
    case KEY_NUMBER:
        if (!read_absence(caller, value))
            copy_number(caller->number, value, strlen(value));
        return caller->number[0] != '\0' || caller->withheld || caller->out_of_area;
    case KEY_NAME:
        if (!read_absence(caller, value))
            copy_name(caller->name, value, strlen(value));
        return true;
    case KEY_DATE:
        copy_number(caller->date, value, strlen(value));
        return true;
    case KEY_TIME:
        copy_number(caller->time, value, strlen(value));
        return true;
    case KEY_CALLED:
        copy_number(caller->called, value, strlen(value));
        return caller->called[0] != '\0';
    case KEY_MESSAGE:
        if (read_message(caller, value))
            return true;
        memset(caller, 0, sizeof *caller);
        return false;
    }
    return false;
}

/* --- lists --- */

/* T.31 table 3, without V.21. */
static const struct {
    int modulation, rate_bps;
} modulations[] = {
    {24, 2400}, {48, 4800}, {72, 7200},   {73, 7200},   {74, 7200},   {96, 9600},
    {97, 9600}, {98, 9600}, {121, 12000}, {122, 12000}, {145, 14400}, {146, 14400},
};

#define MODULATION_COUNT (sizeof modulations / sizeof modulations[0])

int answer_rate_bps(int modulation)
{
    for (size_t i = 0; i < MODULATION_COUNT; i++)
        if (modulations[i].modulation == modulation)
            return modulations[i].rate_bps;
    return 0;
}

/* A number of at most three digits; `*text` goes behind it. -1 = there is none, or it is longer. */
static int read_small(const char **text)
{
    int value = 0, digits = 0;

    for (; isdigit((unsigned char)**text); (*text)++) {
        if (digits++ < 3)
            value = value * 10 + (**text - '0');
    }
    return digits >= 1 && digits <= 3 ? value : -1;
}

static void mark(bool wanted[MODULATION_COUNT], int low, int high)
{
    for (size_t i = 0; i < MODULATION_COUNT; i++)
        if (modulations[i].modulation >= low && modulations[i].modulation <= high)
            wanted[i] = true;
}

int answer_rates(int rates[ANSWER_RATES_MAX], const char *line)
{
    bool wanted[MODULATION_COUNT] = {false};
    int count = 0;

    while (*line != '\0') {
        int low, high;

        if (!isdigit((unsigned char)*line)) {
            line++;
            continue;
        }
        low = high = read_small(&line);
        if (*line == '-') {
            line++;
            high = read_small(&line);
        }
        if (low >= 0 && high >= low)
            mark(wanted, low, high);
    }
    for (size_t i = 0; i < MODULATION_COUNT; i++)
        if (wanted[i])
            rates[count++] = modulations[i].modulation;
    return count;
}

bool answer_has_class(const char *line, const char *name)
{
    size_t length = strlen(name);

    while (*line != '\0') {
        size_t word = strspn(line, "0123456789.");

        if (word == length && strncmp(line, name, length) == 0)
            return true;
        line += word > 0 ? word : 1;
    }
    return false;
}
