/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FAX_DEV_STATUS blocks: built here for packets that are posted and for FaxDevReportStatus alike (job.c is the caller
 * of both), so that the two never disagree.
 */
#include "plugins/common/status.h"

#include "server/base/str.h"

#include <stdlib.h>
#include <string.h>

void status_set_text(WCHAR text[STATUS_TEXT_UNITS], const char *utf8)
{
    uint16_t *units = str_to_utf16(utf8 ? utf8 : "");
    size_t i = 0;

    for (; i < STATUS_TEXT_UNITS - 1 && units[i]; i++)
        text[i] = units[i];
    text[i] = 0;
    free(units);
}

static size_t text_units(const WCHAR *text)
{
    size_t units = 0;

    while (text[units])
        units++;
    return units;
}

static size_t text_size(const WCHAR *text)
{
    return text[0] ? (text_units(text) + 1) * sizeof(WCHAR) : 0;
}

DWORD status_size(const struct status *status)
{
    return (DWORD)(sizeof(FAX_DEV_STATUS) + text_size(status->csi) + text_size(status->caller_id) +
                   text_size(status->routing));
}

static LPWSTR text_put(char **end, const WCHAR *text)
{
    LPWSTR at = (LPWSTR)(void *)*end;
    size_t size = text_size(text);

    if (!size)
        return NULL;
    memcpy(at, text, size);
    *end += size;
    return at;
}

void status_fill(FAX_DEV_STATUS *to, const struct status *status)
{
    char *end = (char *)(to + 1);

    memset(to, 0, sizeof(*to));
    to->SizeOfStruct = sizeof(*to);
    to->StatusId = status->id;
    to->PageCount = status->page;
    to->ErrorCode = status->error;
    to->CSI = text_put(&end, status->csi);
    to->CallerId = text_put(&end, status->caller_id);
    to->RoutingInfo = text_put(&end, status->routing);
}

static const struct {
    const char *outcome;
    DWORD id;
} codes[] = {
    {"success", FS_COMPLETED},
    {"line_unavailable", FS_LINE_UNAVAILABLE},
    {"no_dial_tone", FS_NO_DIAL_TONE},
    {"busy", FS_BUSY},
    {"congestion", FS_BUSY},
    {"no_answer", FS_NO_ANSWER},
    {"bad_address", FS_BAD_ADDRESS},
    {"call_rejected", FS_DISCONNECTED},
    {"blacklisted", FS_CALL_BLACKLISTED},
    {"call_delayed", FS_CALL_DELAYED},
    {"not_fax", FS_NOT_FAX_CALL},
    {"sender_not_fax", FS_NOT_FAX_CALL},
    {"disconnected", FS_DISCONNECTED},
    {"media_timeout", FS_DISCONNECTED},
    {"receive_incomplete", FS_DISCONNECTED},
    {"aborted", FS_USER_ABORT},
};

DWORD status_from_outcome(const char *outcome)
{
    for (size_t i = 0; outcome && i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (!strcmp(codes[i].outcome, outcome))
            return codes[i].id;
    }
    return FS_FATAL_ERROR;
}

bool status_is_final(DWORD id)
{
    return id != FS_INITIALIZING && id != FS_DIALING && id != FS_TRANSMITTING && id != FS_RECEIVING &&
           id != FS_ANSWERED;
}
