/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The events since the cursor tell which faxes have ended. Where the cursor is not known (after a start) or an event
 * may have passed before it, the fax itself is asked for, once. */
#include "config.h"

#include "contrib/hotfolder/follow.h"

#include <stdlib.h>
#include <string.h>

#include "contrib/hotfolder/entry.h"
#include "contrib/hotfolder/folder.h"
#include "contrib/hotfolder/outcome.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "web/cli/client.h"
#include "web/cli/verdict.h"

#define PAGE 1000

static struct entry *find(const struct folder *folder, const char *fax)
{
    struct entry *entry;
    TAILQ_FOREACH(entry, &folder->entries, list)
    {
        if (entry->fax != NULL && fax != NULL && strcmp(entry->fax, fax) == 0)
            return entry;
    }
    return NULL;
}

/* GET, with what it means that there is no answer. NULL = nothing came; the caller frees. */
static json_t *ask(struct folder *folder, const char *path)
{
    json_t *reply = NULL;
    if (client_request(&reply, folder->client, "GET", path, NULL) == VERDICT_OK)
        folder_back(folder);
    else if (client_status(folder->client) != 404)
        folder_away(folder);
    return reply;
}

/* Ask for a fax, and write back what became of it. False = faxd is away. */
static bool look(struct folder *folder, struct entry *entry)
{
    char *path = xasprintf("/v1/faxes/%s", entry->fax);
    json_t *fax = ask(folder, path);
    bool gone = fax == NULL && client_status(folder->client) == 404;
    const char *status = json_string_value(json_object_get(fax, "status"));
    entry->look = false;
    if (gone)
        outcome_refused(folder, entry,
                        "it was accepted, and its fax was deleted on the server before its end was seen");
    else if (status == NULL)
        entry->look = true;
    else if (verdict_is_final(status))
        outcome_ended(folder, entry, fax);
    json_decref(fax);
    free(path);
    return gone || status != NULL;
}

static bool look_at_all(struct folder *folder)
{
    struct entry *entry, *next = TAILQ_FIRST(&folder->entries);
    bool there = true;
    while ((entry = next) != NULL && there) {
        next = TAILQ_NEXT(entry, list);
        if (entry->fax != NULL && entry->look)
            there = look(folder, entry);
    }
    return there;
}

/* Any event of one of our faxes is a place to begin at: all of them are asked for afterwards. */
static void find_cursor(struct folder *folder, const char *fax)
{
    char *path = xasprintf("/v1/faxes/%s/events?limit=%d", fax, PAGE);
    json_t *reply = ask(folder, path), *events = json_object_get(reply, "data");
    const json_t *last = json_array_get(events, json_array_size(events) - 1);
    struct entry *entry;
    if (last != NULL) {
        folder->cursor = json_integer_value(json_object_get(last, "sequence"));
        TAILQ_FOREACH(entry, &folder->entries, list)
        {
            entry->look = true;
        }
    }
    json_decref(reply);
    free(path);
}

/* One page of events. True = there are more. */
static bool read_page(struct folder *folder)
{
    char *path = xasprintf("/v1/events?limit=%d&cursor=%lld", PAGE, (long long)folder->cursor);
    json_t *reply = ask(folder, path), *event;
    const char *next = json_string_value(json_object_get(reply, "next_cursor"));
    size_t index;
    json_array_foreach(json_object_get(reply, "data"), index, event)
    {
        const json_t *data = json_object_get(event, "data");
        const char *status = json_string_value(json_object_get(data, "status"));
        struct entry *entry = find(folder, json_string_value(json_object_get(data, "id")));
        if (entry != NULL && status != NULL && verdict_is_final(status))
            entry->look = true;
    }
    if (next != NULL)
        str_to_int(&folder->cursor, next, 0, INT64_MAX);
    bool more = json_is_true(json_object_get(reply, "has_more"));
    json_decref(reply);
    free(path);
    return more;
}

void follow(struct folder *folder)
{
    struct entry *entry;
    const char *fax = NULL;
    TAILQ_FOREACH(entry, &folder->entries, list)
    {
        fax = entry->fax != NULL ? entry->fax : fax;
    }
    if (fax == NULL) {
        folder->follow_at = 0; /* nobody to ask for, until the next is accepted */
        folder->cursor = -1;
        return;
    }
    if (folder->cursor < 0)
        find_cursor(folder, fax);
    while (folder->cursor >= 0 && read_page(folder))
        continue;
    look_at_all(folder);
}
