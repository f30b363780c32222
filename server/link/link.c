/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The codec of the link between faxd and its hosts. One table of fields serves both directions, so that what one side
 * writes the other reads, and a new field is one line. What is decoded may come from a host that a plug-in has broken:
 * every length is checked before it is used.
 */
#include "server/link/link.h"

#include "server/base/err.h"
#include "server/base/fdpass.h"
#include "server/base/str.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define HEADER_SIZE 6u /* "FXL", version, type */
#define FIELD_SIZE  6u /* tag, length */
#define NUMBER_SIZE 8u

enum field_kind { FIELD_U64, FIELD_U32, FIELD_TEXT };

struct field {
    uint16_t tag; /* on the wire: never reuse one */
    enum field_kind kind;
    size_t offset;
    uint32_t high; /* greatest value of a FIELD_U32 */
    const char *name;
};

#define U64(tag, field)                                                                                                \
    {                                                                                                                  \
        tag, FIELD_U64, offsetof(struct link_message, field), 0, #field                                                \
    }
#define U32(tag, field, high)                                                                                          \
    {                                                                                                                  \
        tag, FIELD_U32, offsetof(struct link_message, field), high, #field                                             \
    }
#define TEXT(tag, field)                                                                                               \
    {                                                                                                                  \
        tag, FIELD_TEXT, offsetof(struct link_message, field), 0, #field                                               \
    }

static const struct field fields[] = {
    U64(1, number),
    U64(2, job),
    U64(3, pid),
    U32(4, version, UINT32_MAX),
    U32(5, line, UINT32_MAX),
    U32(6, device, UINT32_MAX),
    U32(7, flags, UINT32_MAX),
    U32(8, phase, LINK_PHASE_COUNT - 1),
    U32(9, status, UINT32_MAX),
    U32(10, error, UINT32_MAX),
    U32(11, page, UINT32_MAX),
    U32(12, result, LINK_RESULT_COUNT - 1),
    U32(13, outcome, LINK_OUTCOME_COUNT - 1),
    TEXT(14, run),
    TEXT(15, text),
    TEXT(16, file),
    TEXT(17, destination),
    TEXT(18, caller_name),
    TEXT(19, caller_number),
    TEXT(20, receiver_name),
    TEXT(21, options),
    TEXT(22, station_id),
    TEXT(23, caller_id),
    TEXT(24, routing),
    TEXT(25, ring),
    TEXT(26, record),
};

#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))
_Static_assert(FIELD_COUNT <= 32, "the decoder keeps the fields it has seen in 32 bits");

static const struct {
    enum link_type type;
    const char *name;
} types[] = {
    {LINK_HELLO, "hello"},
    {LINK_SEND, "send"},
    {LINK_RECEIVE, "receive"},
    {LINK_REJECT, "reject"},
    {LINK_ABORT, "abort"},
    {LINK_REPORT, "report"},
    {LINK_LINE_ENABLE, "line_enable"},
    {LINK_ACK, "ack"},
    {LINK_DRAIN, "drain"},
    {LINK_STOP, "stop"},
    {LINK_TEST, "test"},
    {LINK_WELCOME, "welcome"},
    {LINK_DEVICE, "device"},
    {LINK_JOB, "job"},
    {LINK_READY, "ready"},
    {LINK_STATE, "state"},
    {LINK_RING, "ring"},
    {LINK_STATUS, "status"},
    {LINK_ENDED, "ended"},
    {LINK_FAULT, "fault"},
};

static const char *type_name(unsigned type)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if ((unsigned)types[i].type == type)
            return types[i].name;
    }
    return NULL;
}

const char *link_type_name(enum link_type type)
{
    const char *name = type_name(type);
    return name ? name : "unknown";
}

static void put(uint8_t *to, uint64_t value, size_t octets)
{
    for (size_t i = 0; i < octets; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get(const uint8_t *from, size_t octets)
{
    uint64_t value = 0;
    for (size_t i = octets; i > 0; i--)
        value = value << 8 | from[i - 1];
    return value;
}

/* The number of a field that is one. */
static uint64_t field_number(const struct field *field, const struct link_message *message)
{
    const char *at = (const char *)message + field->offset;
    if (field->kind == FIELD_U64)
        return *(const uint64_t *)(const void *)at;
    return *(const uint32_t *)(const void *)at;
}

static const char *field_text(const struct field *field, const struct link_message *message)
{
    return *(const char *const *)(const void *)((const char *)message + field->offset);
}

/* Write one field at `used`; the new end, or 0 when it does not fit. Absent ones take no room. */
static size_t field_encode(const struct field *field, const struct link_message *message, uint8_t *to, size_t used,
                           size_t size)
{
    const char *text = NULL;
    uint64_t number = 0;
    size_t length = NUMBER_SIZE;
    if (field->kind == FIELD_TEXT) {
        text = field_text(field, message);
        if (!text)
            return used;
        length = strlen(text);
    } else {
        number = field_number(field, message);
        if (!number)
            return used;
    }
    if (size - used < FIELD_SIZE || size - used - FIELD_SIZE < length)
        return 0;
    put(to + used, field->tag, 2);
    put(to + used + 2, length, 4);
    if (text)
        memcpy(to + used + FIELD_SIZE, text, length);
    else
        put(to + used + FIELD_SIZE, number, NUMBER_SIZE);
    return used + FIELD_SIZE + length;
}

int link_encode(void *to, size_t size, const struct link_message *message)
{
    uint8_t *octets = to;
    assert(type_name(message->type));
    if (size > LINK_BYTES_MAX)
        size = LINK_BYTES_MAX;
    size_t used = HEADER_SIZE;
    if (size >= HEADER_SIZE) {
        memcpy(octets, "FXL", 3);
        octets[3] = LINK_VERSION;
        put(octets + 4, message->type, 2);
        for (size_t i = 0; used && i < FIELD_COUNT; i++)
            used = field_encode(&fields[i], message, octets, used, size);
    }
    if (size < HEADER_SIZE || !used)
        return err_set(ERR_TOO_BIG, "a %s message does not fit into %zu octets", link_type_name(message->type), size);
    return (int)used;
}

static const struct field *field_find(uint16_t tag)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (fields[i].tag == tag)
            return &fields[i];
    }
    return NULL;
}

static int number_decode(const struct field *field, struct link_message *message, const uint8_t *from, size_t length)
{
    char *at = (char *)message + field->offset;
    if (length != NUMBER_SIZE)
        return err_set(ERR_INVALID, "link: field %s has %zu octets, not %u", field->name, length, NUMBER_SIZE);
    uint64_t value = get(from, NUMBER_SIZE);
    if (field->kind == FIELD_U64) {
        *(uint64_t *)(void *)at = value;
        return 0;
    }
    if (value > field->high)
        return err_set(ERR_INVALID, "link: field %s is over its range", field->name);
    *(uint32_t *)(void *)at = (uint32_t)value;
    return 0;
}

static int text_decode(const struct field *field, struct link_message *message, char **scratch, const uint8_t *from,
                       size_t length)
{
    if (memchr(from, 0, length) || !str_is_utf8((const char *)from, length))
        return err_set(ERR_INVALID, "link: field %s is no UTF-8 text", field->name);
    memcpy(*scratch, from, length);
    (*scratch)[length] = '\0';
    *(const char **)(void *)((char *)message + field->offset) = *scratch;
    *scratch += length + 1;
    return 0;
}

static int header_decode(struct link_message *message, const uint8_t *from, size_t size)
{
    if (size > LINK_BYTES_MAX)
        return err_set(ERR_INVALID, "link: %zu octets, more than %d", size, LINK_BYTES_MAX);
    if (size < HEADER_SIZE || memcmp(from, "FXL", 3) != 0)
        return err_set(ERR_INVALID, "link: no message of this protocol");
    if (from[3] != LINK_VERSION)
        return err_set(ERR_UNSUPPORTED, "link: the other side speaks version %u, not %d", from[3], LINK_VERSION);
    unsigned type = (unsigned)get(from + 4, 2);
    if (!type_name(type))
        return err_set(ERR_INVALID, "link: unknown type %u", type);
    message->type = (enum link_type)type;
    return 0;
}

/* Texts fit into `scratch`: each takes one octet more than its value, less than the header of its field. */
int link_decode(struct link_message *message, char *scratch, const void *from, size_t size)
{
    const uint8_t *octets = from;
    *message = (struct link_message){0};
    int result = header_decode(message, octets, size);
    uint32_t seen = 0;
    for (size_t used = HEADER_SIZE; !result && used < size;) {
        if (size - used < FIELD_SIZE)
            return err_set(ERR_INVALID, "link: %s ends within a field", link_type_name(message->type));
        unsigned tag = (unsigned)get(octets + used, 2);
        size_t length = (size_t)get(octets + used + 2, 4);
        used += FIELD_SIZE;
        const struct field *field = field_find((uint16_t)tag);
        if (!field)
            return err_set(ERR_INVALID, "link: unknown tag %u", tag);
        if (length > size - used)
            return err_set(ERR_INVALID, "link: field %s is longer than the message", field->name);
        uint32_t bit = UINT32_C(1) << (field - fields);
        if (seen & bit)
            return err_set(ERR_INVALID, "link: field %s comes twice", field->name);
        seen |= bit;
        if (field->kind == FIELD_TEXT)
            result = text_decode(field, message, &scratch, octets + used, length);
        else
            result = number_decode(field, message, octets + used, length);
        used += length;
    }
    return result;
}

int link_send(int socket, const struct link_message *message, int fd)
{
    uint8_t octets[LINK_BYTES_MAX];
    int size = link_encode(octets, sizeof(octets), message);
    if (size < 0)
        return size;
    return fdpass_send(socket, octets, (size_t)size, &fd, fd >= 0);
}

int link_receive(int socket, struct link_message *message, char *scratch, int *fd)
{
    uint8_t octets[LINK_BYTES_MAX];
    int count = 1;
    *fd = -1;
    ssize_t size = fdpass_receive(socket, octets, sizeof(octets), fd, &count);
    if (size < 0) {
        *fd = -1;
        return (int)size;
    }
    if (count == 0)
        *fd = -1;
    int result = link_decode(message, scratch, octets, (size_t)size);
    if (result && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    return result;
}
