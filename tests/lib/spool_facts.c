/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers of the spool's tests. */
#include "config.h"

#include "tests/lib/spool_facts.h"

#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/claim.h"
#include "spool/document.h"
#include "spool/event.h"
#include "spool/submit.h"
#include "tests/lib/facts.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MUST(call)                                                                                                     \
    do {                                                                                                               \
        int result_ = (call);                                                                                          \
        if (result_ < 0)                                                                                               \
            fail_msg("%s: %s", #call, err_message());                                                                  \
    } while (0)

void spool_facts_make_dir(char dir[64])
{
    const char *folder = getenv("TMPDIR");
    snprintf(dir, 64, "%s/faxd-test-XXXXXX", folder ? folder : "/tmp");
    assert_non_null(mkdtemp(dir));
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

void spool_facts_remove_dir(const char *dir)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void open_spool(struct spool_facts *facts)
{
    struct spool_options options = {.state_dir = facts->dir, .min_free_bytes = 1};
    MUST(spool_open(&facts->spool, &options));
}

int spool_facts_setup(void **state)
{
    struct spool_facts *facts = xcalloc(1, sizeof(*facts));
    log_set_level(LOG_LEVEL_ERROR);
    spool_facts_make_dir(facts->dir);
    open_spool(facts);
    *state = facts;
    return 0;
}

int spool_facts_teardown(void **state)
{
    struct spool_facts *facts = *state;
    spool_close(facts->spool);
    spool_facts_remove_dir(facts->dir);
    free(facts);
    return 0;
}

void spool_facts_reopen(struct spool_facts *facts)
{
    spool_close(facts->spool);
    open_spool(facts);
}

const char *spool_facts_document(struct spool *spool, const char *text)
{
    static char sha[DOCUMENT_SHA_SIZE];
    MUST(document_put(sha, spool, text, strlen(text)));
    return sha;
}

int spool_facts_prepared(struct spool *spool, struct fax *fax, const char *document, int pages)
{
    const struct submit_form form = {document, "fine", 1728};
    return submit_prepared(spool, fax, &form, 1, pages);
}

int64_t spool_facts_queue(struct spool *spool, const char *to, int pages)
{
    struct fax fax;
    struct submit_request request = {.to = to, .priority = FAX_NORMAL};
    request.original = spool_facts_document(spool, "an upload");
    MUST(submit(&fax, spool, &request));
    MUST(spool_facts_prepared(spool, &fax, spool_facts_document(spool, "its pages"), pages));
    int64_t id = fax.id;
    fax_clear(&fax);
    return id;
}

int64_t spool_facts_call(struct spool *spool)
{
    struct attempt attempt;
    struct fax fax;
    MUST(claim_next(&fax, spool, "default", false));
    MUST(attempt_begin(&attempt, spool, &fax, "exchange", "1001", 0));
    fax_clear(&fax);
    return attempt.id;
}

void spool_facts_read(struct fax *fax, struct spool *spool, int64_t id)
{
    MUST(fax_get(fax, spool, id));
}

enum fax_state spool_facts_state(struct spool *spool, int64_t id)
{
    struct fax fax;
    spool_facts_read(&fax, spool, id);
    enum fax_state state = fax.state;
    fax_clear(&fax);
    return state;
}

const char *spool_facts_events(struct spool *spool, int64_t fax)
{
    static char text[1024];
    json_t *events;
    int64_t last;
    text[0] = '\0';
    MUST(event_since(&events, &last, spool, &(struct event_range){.after = 0, .limit = 1000, .fax = fax}));
    for (size_t i = 0; i < json_array_size(events); i++) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof(text) - length, "%s%s", i ? " " : "",
                 json_string_value(json_object_get(json_array_get(events, i), "type")));
    }
    json_decref(events);
    return text;
}

int64_t spool_facts_number(struct spool *spool, const char *sql)
{
    struct stmt *stmt;
    MUST(stmt_open_once(&stmt, spool_db(spool), sql));
    int found = stmt_step(stmt);
    MUST(found);
    int64_t number = found == 1 ? stmt_int(stmt, "n") : -1;
    stmt_close(stmt);
    return number;
}

void spool_facts_turn(struct spool *spool)
{
    MUST(spool_turn_end(spool));
}
