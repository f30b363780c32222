/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A reader of our own: attributes with lengths, one after the other, of which four matter. All numbers are little
 * endian and all lengths are checked against what is there; nothing is copied but names. */
#include "config.h"

#include "contrib/mail/tnef.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "server/base/str.h"

#define SIGNATURE 0x223E9F78u

enum attribute {
    ATTACH_BEGIN = 0x00069002, /* attAttachRendData: the next attachment */
    ATTACH_TITLE = 0x00018010, /* attAttachTitle: its short name */
    ATTACH_DATA = 0x0006800F,  /* attAttachData */
    ATTACH_MAPI = 0x00069005   /* attAttachment: its properties */
};

/* MAPI property types, and the one property that matters. */
enum { TYPE_STRING8 = 0x001E, TYPE_UNICODE = 0x001F };
#define LONG_FILENAME 0x3707u
#define MULTI_VALUE   0x1000u
#define NAMED         0x8000u

struct input {
    const uint8_t *at;
    size_t left;
};

static bool take(const uint8_t **octets, struct input *input, size_t size)
{
    if (size > input->left)
        return false;
    *octets = input->at;
    input->at += size;
    input->left -= size;
    return true;
}

static bool take_number(uint32_t *number, struct input *input, int octets)
{
    const uint8_t *at;
    if (!take(&at, input, (size_t)octets))
        return false;
    *number = 0;
    for (int i = octets - 1; i >= 0; i--)
        *number = *number << 8 | at[i];
    return true;
}

/* A name in an 8-bit code: what is not UTF-8 is taken for Latin-1. */
static void set_name(struct tnef_attachment *attachment, const uint8_t *text, size_t size)
{
    char name[TNEF_NAME_SIZE];
    size_t length = strnlen((const char *)text, size), to = 0;
    bool utf8 = str_is_utf8((const char *)text, length);
    for (size_t i = 0; i < length && to + 3 < sizeof name; i++) {
        if (text[i] < 0x80 || utf8) {
            name[to++] = (char)text[i];
        } else {
            name[to++] = (char)(0xC0 | text[i] >> 6);
            name[to++] = (char)(0x80 | (text[i] & 0x3F));
        }
    }
    name[to] = '\0';
    str_copy(attachment->name, sizeof attachment->name, name);
}

static void set_wide_name(struct tnef_attachment *attachment, const uint8_t *text, size_t size)
{
    uint16_t units[TNEF_NAME_SIZE];
    size_t count = size / 2 < TNEF_NAME_SIZE - 1 ? size / 2 : TNEF_NAME_SIZE - 1;
    for (size_t i = 0; i < count; i++)
        units[i] = (uint16_t)(text[2 * i] | text[2 * i + 1] << 8);
    units[count] = 0;
    char *name = str_from_utf16(units, count);
    str_copy(attachment->name, sizeof attachment->name, name);
    free(name);
}

/* Octets of a value of fixed size, padded to four; 0 = the size is in the value. */
static size_t fixed_size(uint32_t type)
{
    switch (type & ~MULTI_VALUE) {
    case 0x0002: /* int16 */
    case 0x0003: /* int32 */
    case 0x0004: /* float */
    case 0x000A: /* error */
    case 0x000B: /* boolean */
        return 4;
    case 0x0005: /* double */
    case 0x0006: /* currency */
    case 0x0007: /* time */
    case 0x0014: /* int64 */
    case 0x0040: /* time */
        return 8;
    case 0x0048: /* GUID */
        return 16;
    default:
        return 0;
    }
}

static bool skip_named(struct input *input)
{
    const uint8_t *octets;
    uint32_t kind, length;
    if (!take(&octets, input, 16) || !take_number(&kind, input, 4) || !take_number(&length, input, 4))
        return false;
    return kind == 0 || take(&octets, input, (length + 3) & ~(size_t)3);
}

/* One value of variable size: count of values was read before. */
static bool take_value(struct tnef_attachment *attachment, struct input *input, uint32_t type, uint32_t id)
{
    const uint8_t *octets;
    uint32_t length;
    if (!take_number(&length, input, 4) || length > input->left || !take(&octets, input, length))
        return false;
    if (id == LONG_FILENAME && (type & ~MULTI_VALUE) == TYPE_UNICODE)
        set_wide_name(attachment, octets, length);
    else if (id == LONG_FILENAME && (type & ~MULTI_VALUE) == TYPE_STRING8)
        set_name(attachment, octets, length);
    size_t padding = (4 - length % 4) % 4;
    return take(&octets, input, padding < input->left ? padding : input->left);
}

static bool take_property(struct tnef_attachment *attachment, struct input *input)
{
    const uint8_t *octets;
    uint32_t type, id, count = 1;
    if (!take_number(&type, input, 2) || !take_number(&id, input, 2))
        return false;
    if ((id & NAMED) != 0 && !skip_named(input))
        return false;
    size_t size = fixed_size(type);
    bool counted = size == 0 || (type & MULTI_VALUE) != 0;
    if (counted && (!take_number(&count, input, 4) || count > input->left))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!(size > 0 ? take(&octets, input, size) : take_value(attachment, input, type, id)))
            return false;
    }
    return true;
}

/* The long name of the attachment. What cannot be read of the properties is not missed. */
static void read_properties(struct tnef_attachment *attachment, struct input input)
{
    uint32_t count;
    if (!take_number(&count, &input, 4))
        return;
    while (count-- > 0 && take_property(attachment, &input))
        continue;
}

static int take_attribute(struct tnef *tnef, uint32_t id, const uint8_t *data, size_t size)
{
    if (id == ATTACH_BEGIN) {
        if (tnef->count == TNEF_ATTACHMENTS)
            return err_set(ERR_TOO_BIG, "it has more than %d attachments", TNEF_ATTACHMENTS);
        tnef->attachments[tnef->count++] = (struct tnef_attachment){.name = ""};
        return 0;
    }
    struct tnef_attachment *attachment = tnef->count > 0 ? &tnef->attachments[tnef->count - 1] : NULL;
    if (attachment == NULL)
        return 0;
    if (id == ATTACH_DATA) {
        attachment->data = data;
        attachment->size = size;
    } else if (id == ATTACH_TITLE && attachment->name[0] == '\0') {
        set_name(attachment, data, size);
    } else if (id == ATTACH_MAPI) {
        read_properties(attachment, (struct input){data, size});
    }
    return 0;
}

int tnef_read(struct tnef *tnef, const void *data, size_t size)
{
    struct input input = {data, size};
    uint32_t signature, key, level, id, length, sum;
    const uint8_t *value;
    tnef->count = 0;
    if (!take_number(&signature, &input, 4) || signature != SIGNATURE || !take_number(&key, &input, 2))
        return err_set(ERR_INVALID, "it does not begin as such a file does");
    while (input.left > 0) {
        if (!take_number(&level, &input, 1) || !take_number(&id, &input, 4) || !take_number(&length, &input, 4) ||
            !take(&value, &input, length) || !take_number(&sum, &input, 2))
            return err_set(ERR_INVALID, "it is damaged or cut off");
        int result = take_attribute(tnef, id, value, length);
        if (result < 0)
            return result;
    }
    return 0;
}
