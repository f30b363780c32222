/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The border where a plug-in's memory becomes the host's data. */
#include "server/fsphost/packet.h"

#include "plugins/include/faxdev.h"
#include "server/base/err.h"
#include "server/base/str.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_LEAST (offsetof(FAX_DEV_STATUS, StatusId) + sizeof(DWORD))

char *packet_text(const void *block, size_t size, LPCWSTR text)
{
    uintptr_t first = (uintptr_t)block;
    uintptr_t at = (uintptr_t)text;
    if (at < first || at - first >= size || at % sizeof(WCHAR))
        return NULL;
    size_t units = (size - (at - first)) / sizeof(WCHAR);
    for (size_t i = 0; i < units; i++) {
        if (!text[i])
            return str_from_utf16((const uint16_t *)text, i < PACKET_UNITS_MAX ? i : PACKET_UNITS_MAX);
    }
    return NULL;
}

/* The struct with its tail zeroed beyond SizeOfStruct: an older FSP has fewer fields. */
static int struct_copy(FAX_DEV_STATUS *copy, const void *block, size_t size)
{
    DWORD stated;
    memcpy(&stated, block, sizeof(stated));
    if (stated < SIZE_LEAST)
        return err_set(ERR_INVALID, "SizeOfStruct is %u", stated);
    size_t known = stated < sizeof(*copy) ? stated : sizeof(*copy);
    if (known > size)
        known = size;
    memset(copy, 0, sizeof(*copy));
    memcpy(copy, block, known);
    return 0;
}

/* False when a string is there but cannot be read. */
static bool texts_copy(struct packet_status *status, const FAX_DEV_STATUS *from, const void *block, size_t size)
{
    const struct {
        char **to;
        LPCWSTR text;
    } texts[] = {
        {&status->station_id, from->CSI},
        {&status->caller_id, from->CallerId},
        {&status->routing, from->RoutingInfo},
    };
    bool good = true;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!texts[i].text)
            continue;
        *texts[i].to = packet_text(block, size, texts[i].text);
        if (!*texts[i].to)
            good = false;
    }
    return good;
}

static void numbers_copy(struct packet_status *status, const FAX_DEV_STATUS *from)
{
    *status = (struct packet_status){.status = from->StatusId, .page = from->PageCount, .error = from->ErrorCode};
}

int packet_read_status(struct packet_status *status, const void *block, size_t size, DWORD bytes)
{
    FAX_DEV_STATUS copy;
    *status = (struct packet_status){0};
    if (bytes < sizeof(copy) || size < sizeof(copy))
        return err_set(ERR_INVALID, "%u octets posted, %zu allocated: too small for a status", bytes, size);
    if (bytes > size)
        return err_set(ERR_INVALID, "%u octets posted, but only %zu allocated", bytes, size);
    int result = struct_copy(&copy, block, size);
    if (result)
        return result;
    numbers_copy(status, &copy);
    if (!texts_copy(status, &copy, block, size)) {
        packet_status_clear(status);
        return err_set(ERR_INVALID, "a string of the status is not within its allocation");
    }
    return 0;
}

int packet_read_report(struct packet_status *status, bool *faulty, const void *block, size_t size)
{
    FAX_DEV_STATUS copy;
    *status = (struct packet_status){0};
    *faulty = false;
    int result = struct_copy(&copy, block, size);
    if (result)
        return result;
    numbers_copy(status, &copy);
    *faulty = !texts_copy(status, &copy, block, size);
    return 0;
}

void packet_status_clear(struct packet_status *status)
{
    free(status->station_id);
    free(status->caller_id);
    free(status->routing);
    *status = (struct packet_status){0};
}

int packet_read_line(DWORD *device, DWORD *state, const void *block, size_t size, DWORD bytes)
{
    LINEMESSAGE copy;
    if (bytes < sizeof(copy) || size < sizeof(copy))
        return err_set(ERR_INVALID, "%u octets posted, %zu allocated: too small for a line message", bytes, size);
    memcpy(&copy, block, sizeof(copy));
    if (copy.dwParam1 != LINEDEVSTATE_RINGING && copy.dwParam1 != LINEDEVSTATE_OTHER)
        return err_set(ERR_INVALID, "a line message that is neither a ring nor a change of state (dwParam1 %#zx)",
                       (size_t)copy.dwParam1);
    *device = copy.hDevice;
    *state = (DWORD)copy.dwParam1;
    return 0;
}
