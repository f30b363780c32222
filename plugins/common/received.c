/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fills the outputs of a FAX_RECEIVE block; last step of a successful FaxDevReceive.
 */
#include "plugins/common/received.h"

#include "server/base/str.h"

#include <stdlib.h>
#include <string.h>

static size_t units_of(const WCHAR *text, const WCHAR *end)
{
    size_t units = 0;

    while (text + units < end && text[units])
        units++;
    return units;
}

static LPWSTR text_put(WCHAR **at, const WCHAR *end, const char *utf8)
{
    uint16_t *units = str_to_utf16(utf8);
    size_t count = 0;
    LPWSTR put = NULL;

    while (units[count])
        count++;
    if (count > 0 && (size_t)(end - *at) > count) {
        put = *at;
        memcpy(put, units, (count + 1) * sizeof(WCHAR));
        *at += count + 1;
    }
    free(units);
    return put;
}

void received_fill(FAX_RECEIVE *block, const char *number, const char *name)
{
    WCHAR *start = (WCHAR *)(void *)(block + 1);
    const WCHAR *end = start + FAXDEVRECEIVE_SIZE / sizeof(WCHAR);
    WCHAR *at;

    block->ReceiverNumber = block->ReceiverName = NULL;
    if (block->FileName != start)
        return;
    at = start + units_of(start, end) + 1;
    if (at >= end)
        return;
    block->ReceiverNumber = text_put(&at, end, number);
    block->ReceiverName = text_put(&at, end, name);
}
