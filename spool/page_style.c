/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kept by the spool, as the retry policy is, so that web/ and server/ ask the same one.
 */
#include "spool/page_style.h"

#include "server/base/log.h"
#include "spool/spool_private.h"

#include <stdlib.h>

#define TEXTS 5

struct style_store {
    struct page_style style;
    char *texts[TEXTS];
};

static const struct page_style fallback = {
    .sender = "", .time_zone = "", .paper = "a4", .header = true, .pages_max = 500, .covers = {"", ""}};

static void clear(struct style_store *store)
{
    for (int i = 0; i < TEXTS; i++)
        free(store->texts[i]);
    json_decref((json_t *)store->style.programs);
    json_decref((json_t *)store->style.searchable);
    free(store);
}

static void on_close(struct spool *spool)
{
    clear(spool->style);
    spool->style = NULL;
}

static const struct spool_hook hook = {.close = on_close};

void page_style_set(struct spool *spool, const struct page_style *style)
{
    struct style_store *store = xcalloc(1, sizeof(*store));
    spool_assert_loop(spool);
    store->style = *style;
    store->style.sender = store->texts[0] = xstrdup(style->sender);
    store->style.time_zone = store->texts[1] = xstrdup(style->time_zone);
    store->style.paper = store->texts[2] = xstrdup(style->paper);
    store->style.covers[0] = store->texts[3] = xstrdup(style->covers[0]);
    store->style.covers[1] = store->texts[4] = xstrdup(style->covers[1]);
    store->style.programs = json_deep_copy(style->programs);
    store->style.searchable = json_deep_copy(style->searchable);
    if (spool->style)
        clear(spool->style);
    else
        spool_hook(spool, &hook);
    spool->style = store;
}

const struct page_style *page_style(const struct spool *spool)
{
    return spool->style ? &spool->style->style : &fallback;
}
