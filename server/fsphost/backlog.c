/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host has said and faxd has not yet acknowledged, as it goes over the link. */
#include "server/fsphost/backlog.h"

#include "server/base/err.h"
#include "server/base/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE (4u * LINK_BYTES_MAX)

struct chunk {
    struct chunk *next;
    uint64_t first; /* position of its first message */
    uint32_t count;
    uint32_t used;
    uint8_t octets[CHUNK_SIZE]; /* for each message: its length (u32), then itself */
};

struct place {
    struct chunk *chunk;
    uint32_t offset;
    uint64_t position;
};

struct backlog {
    struct chunk *head, *tail; /* never NULL */
    struct chunk *spare;       /* one kept, so that a steady flow allocates nothing */
    struct place cursor;
    uint64_t first, end;
    size_t chunks;
};

static struct chunk *chunk_new(struct backlog *backlog)
{
    struct chunk *chunk = backlog->spare;
    backlog->spare = NULL;
    if (!chunk)
        chunk = xmalloc(sizeof(*chunk));
    chunk->next = NULL;
    chunk->first = backlog->end;
    chunk->count = 0;
    chunk->used = 0;
    backlog->chunks++;
    return chunk;
}

static void chunk_free(struct backlog *backlog, struct chunk *chunk)
{
    backlog->chunks--;
    if (backlog->spare)
        free(chunk);
    else
        backlog->spare = chunk;
}

struct backlog *backlog_new(void)
{
    struct backlog *backlog = xcalloc(1, sizeof(*backlog));
    backlog->head = backlog->tail = chunk_new(backlog);
    backlog->cursor.chunk = backlog->head;
    return backlog;
}

void backlog_free(struct backlog *backlog)
{
    if (!backlog)
        return;
    while (backlog->head) {
        struct chunk *chunk = backlog->head;
        backlog->head = chunk->next;
        free(chunk);
    }
    free(backlog->spare);
    free(backlog);
}

int backlog_add(struct backlog *backlog, const struct link_message *message)
{
    uint8_t octets[LINK_BYTES_MAX];
    int size = link_encode(octets, sizeof(octets), message);
    if (size < 0)
        return size;
    uint32_t length = (uint32_t)size;
    struct chunk *tail = backlog->tail;
    if (CHUNK_SIZE - tail->used < length + sizeof(length)) {
        tail = chunk_new(backlog);
        backlog->tail->next = tail;
        backlog->tail = tail;
    }
    memcpy(tail->octets + tail->used, &length, sizeof(length));
    memcpy(tail->octets + tail->used + sizeof(length), octets, length);
    tail->used += (uint32_t)sizeof(length) + length;
    tail->count++;
    backlog->end++;
    return 0;
}

/* Go to the next chunk when this one is read to its end and another follows. */
static void place_settle(struct place *place)
{
    if (place->offset == place->chunk->used && place->chunk->next) {
        place->chunk = place->chunk->next;
        place->offset = 0;
    }
}

/* Step over one message and give it; there must be one. */
static struct iovec place_step(struct place *place)
{
    uint32_t length;
    place_settle(place);
    uint8_t *at = place->chunk->octets + place->offset;
    memcpy(&length, at, sizeof(length));
    place->offset += (uint32_t)sizeof(length) + length;
    place->position++;
    return (struct iovec){.iov_base = at + sizeof(length), .iov_len = length};
}

int backlog_peek(const struct backlog *backlog, struct iovec *messages, int max)
{
    struct place place = backlog->cursor;
    int count = 0;
    while (count < max && place.position < backlog->end)
        messages[count++] = place_step(&place);
    return count;
}

void backlog_advance(struct backlog *backlog, int count)
{
    assert(backlog->cursor.position + (uint64_t)count <= backlog->end);
    while (count-- > 0)
        place_step(&backlog->cursor);
}

void backlog_rewind(struct backlog *backlog, uint64_t position)
{
    assert(position >= backlog->first && position <= backlog->end);
    struct place place = {.chunk = backlog->head, .position = backlog->head->first};
    while (place.chunk->next && place.chunk->next->first <= position) {
        place.chunk = place.chunk->next;
        place.position = place.chunk->first;
    }
    while (place.position < position)
        place_step(&place);
    backlog->cursor = place;
}

void backlog_drop(struct backlog *backlog, uint64_t position)
{
    assert(position <= backlog->cursor.position);
    if (position <= backlog->first)
        return;
    backlog->first = position;
    place_settle(&backlog->cursor);
    while (backlog->head != backlog->cursor.chunk && backlog->head->first + backlog->head->count <= position) {
        struct chunk *chunk = backlog->head;
        backlog->head = chunk->next;
        chunk_free(backlog, chunk);
    }
}

uint64_t backlog_end(const struct backlog *backlog)
{
    return backlog->end;
}

uint64_t backlog_first(const struct backlog *backlog)
{
    return backlog->first;
}

uint64_t backlog_cursor(const struct backlog *backlog)
{
    return backlog->cursor.position;
}

size_t backlog_size(const struct backlog *backlog)
{
    return backlog->chunks * sizeof(struct chunk);
}
