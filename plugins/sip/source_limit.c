/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Token buckets in a fixed table: a flood from ever new addresses costs no memory. */
#include "config.h"

#include "plugins/sip/source_limit.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "server/base/str.h"

#define ADDRESS_SIZE 48

struct source {
    char address[ADDRESS_SIZE]; /* "" = free */
    int64_t tokens_ms;          /* thousandths of a token */
    int64_t seen_ms;
};

struct source_limit {
    int rate;
    struct source sources[SOURCE_LIMIT_SOURCES];
};

struct source_limit *source_limit_new(int rate)
{
    struct source_limit *limit = xcalloc(1, sizeof(*limit));

    limit->rate = rate;
    return limit;
}

void source_limit_free(struct source_limit *limit)
{
    free(limit);
}

/* Its place, or the one that it takes over. */
static struct source *place_of(struct source_limit *limit, const char *address, int64_t now_ms)
{
    struct source *oldest = &limit->sources[0];

    for (int i = 0; i < SOURCE_LIMIT_SOURCES; i++) {
        struct source *source = &limit->sources[i];

        if (strcmp(source->address, address) == 0)
            return source;
        if (!source->address[0] || (oldest->address[0] && source->seen_ms < oldest->seen_ms))
            oldest = source;
    }
    str_copy(oldest->address, sizeof(oldest->address), address);
    oldest->tokens_ms = (int64_t)limit->rate * 1000;
    oldest->seen_ms = now_ms;
    return oldest;
}

bool source_limit_take(struct source_limit *limit, const char *address, int64_t now_ms)
{
    struct source *source = place_of(limit, address, now_ms);
    int64_t full = (int64_t)limit->rate * 1000;

    source->tokens_ms += (now_ms - source->seen_ms) * limit->rate;
    if (source->tokens_ms > full)
        source->tokens_ms = full;
    source->seen_ms = now_ms;
    if (source->tokens_ms < 1000)
        return false;
    source->tokens_ms -= 1000;
    return true;
}
