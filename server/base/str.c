/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text helpers. UTF-16 is here because the FSP ABI speaks it; everything of ours is UTF-8. */
#include "config.h"

#include "server/base/str.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/utf8.h"

#define REPLACEMENT 0xFFFD

bool str_is_utf8(const char *text, size_t length)
{
    uint32_t point;
    for (size_t at = 0; at < length;) {
        size_t step = utf8_next(&point, text + at, length - at);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

/* Where to cut `text` so that it has at most `length` octets and no half character at its end. */
static size_t cut_before(const char *text, size_t length)
{
    size_t start = length;
    while (start > 0 && length - start < 3 && ((unsigned char)text[start] & 0xC0) == 0x80)
        start--;
    /* Octets that are no UTF-8 are cut where the room ends. */
    return ((unsigned char)text[start] & 0xC0) == 0xC0 ? start : length;
}

bool str_copy(char *to, size_t size, const char *from)
{
    if (!from)
        from = "";
    if (size == 0)
        return false;
    size_t length = strnlen(from, size);
    bool whole = length < size;
    if (!whole)
        length = cut_before(from, size - 1);
    memcpy(to, from, length);
    to[length] = '\0';
    return whole;
}

uint16_t *str_to_utf16(const char *text)
{
    if (!text)
        return NULL;
    size_t length = strlen(text);
    uint16_t *units = xcalloc(length + 1, sizeof *units); /* no character has more units than octets */
    size_t used = 0;
    for (size_t at = 0; at < length;) {
        uint32_t point;
        size_t step = utf8_next(&point, text + at, length - at);
        if (step == 0) {
            point = REPLACEMENT;
            step = 1;
        }
        at += step;
        if (point >= 0x10000) {
            units[used++] = (uint16_t)(0xD800 + ((point - 0x10000) >> 10));
            units[used++] = (uint16_t)(0xDC00 + ((point - 0x10000) & 0x3FF));
        } else {
            units[used++] = (uint16_t)point;
        }
    }
    return units;
}

static size_t put_utf8(char *to, uint32_t point)
{
    if (point < 0x80) {
        to[0] = (char)point;
        return 1;
    }
    size_t size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--, point >>= 6)
        to[i] = (char)(0x80 | (point & 0x3F));
    to[0] = (char)((0xF00u >> size & 0xFF) | point);
    return size;
}

static bool is_high(uint16_t unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low(uint16_t unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

char *str_from_utf16(const uint16_t *units, size_t max_units)
{
    if (!units)
        return NULL;
    size_t count = 0;
    while (count < max_units && units[count] != 0)
        count++;
    char *text = xcalloc(count + 1, 3); /* a unit takes at most 3 octets, a pair 4 */
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t point = units[i];
        if (is_high(units[i]) && i + 1 < count && is_low(units[i + 1])) {
            point = 0x10000 + ((uint32_t)(units[i] - 0xD800) << 10) + (units[i + 1] - 0xDC00u);
            i++;
        } else if (is_high(units[i]) || is_low(units[i])) {
            point = REPLACEMENT;
        }
        used += put_utf8(text + used, point);
    }
    return text;
}

char *str_hex(char *text, const void *octets, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = octets;
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[from[i] >> 4];
        text[2 * i + 1] = digits[from[i] & 15];
    }
    text[2 * size] = '\0';
    return text;
}

/* The last identifier given out. The process is remembered too: two children forked from one parent must not go on
 * counting from the same place. */
static struct {
    pthread_mutex_t lock; /* guards the rest */
    pid_t process;
    int64_t at_ms;
    unsigned char random[10];
} ulid = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void fill_random(void *to, size_t size)
{
    ssize_t got;
    do
        got = getrandom(to, size, 0);
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)size) { /* never on Linux once it has started: short reads are not given up to 256 octets */
        log_error("no random numbers: %s", strerror(errno));
        abort();
    }
}

static void count_up(void)
{
    for (int i = (int)sizeof ulid.random - 1; i >= 0; i--) {
        if (++ulid.random[i] != 0)
            return;
    }
    ulid.at_ms++; /* 2^80 in a millisecond: only after an unlucky draw; the order stays */
}

static void encode_ulid(char text[STR_ULID_SIZE])
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    for (int i = 0; i < 10; i++)
        text[i] = digits[ulid.at_ms >> (45 - 5 * i) & 31];
    for (int i = 0; i < 16; i++) {
        int bit = 5 * i;
        unsigned pair = (unsigned)ulid.random[bit / 8] << 8 | (bit / 8 + 1 < 10 ? ulid.random[bit / 8 + 1] : 0);
        text[10 + i] = digits[pair >> (11 - bit % 8) & 31];
    }
    text[26] = '\0';
}

char *str_ulid(char text[STR_ULID_SIZE], int64_t now_ms)
{
    pthread_mutex_lock(&ulid.lock);
    bool fresh = now_ms > ulid.at_ms || ulid.process != getpid();
    if (fresh) {
        ulid.process = getpid();
        ulid.at_ms = now_ms > ulid.at_ms ? now_ms : ulid.at_ms;
        fill_random(ulid.random, sizeof ulid.random);
    } else {
        count_up();
    }
    encode_ulid(text);
    pthread_mutex_unlock(&ulid.lock);
    return text;
}

int str_to_int(int64_t *value, const char *text, int64_t low, int64_t high)
{
    char *end = NULL;
    errno = 0;
    /* strtoll() would take spaces and a plus sign in front. */
    bool starts_well = text[0] == '-' ? text[1] >= '0' && text[1] <= '9' : text[0] >= '0' && text[0] <= '9';
    long long parsed = starts_well ? strtoll(text, &end, 10) : 0;
    if (!starts_well || *end != '\0')
        return err_set(ERR_INVALID, "\"%.40s\" is not a whole number", text);
    if (errno == ERANGE || parsed < low || parsed > high)
        return err_set(ERR_INVALID, "\"%.40s\" is not within %lld and %lld", text, (long long)low, (long long)high);
    *value = parsed;
    return 0;
}

int str_check_station_id(const char *text)
{
    size_t length = 0;
    for (; text[length] != '\0'; length++) {
        unsigned char octet = (unsigned char)text[length];
        if (octet < 0x20 || octet > 0x7E)
            return err_set(ERR_INVALID, "a station id has only printable ASCII characters, not the octet 0x%02x",
                           octet);
    }
    if (length > STR_STATION_ID_MAX)
        return err_set(ERR_TOO_BIG, "a station id has at most %d characters, not %zu", STR_STATION_ID_MAX, length);
    return 0;
}
