/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the spool costs: submissions by turn, the next fax out of a long queue, a start with one.
 *
 *     bench_spool [faxes queued, default 1000000] [folder, default $TMPDIR or /tmp]
 *
 * CPU time of this thread and wall time are told apart: the first is the program's, the second also the disk's.
 */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "db/db.h"
#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/attempt.h"
#include "spool/claim.h"
#include "spool/document.h"
#include "spool/rendition.h"
#include "spool/fax_state.h"
#include "spool/spool.h"
#include "spool/submit.h"

#define SAMPLES 500

static double now(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

#define MUST(call)                                                                                                     \
    do {                                                                                                               \
        if ((call) < 0) {                                                                                              \
            fprintf(stderr, "bench_spool: %s: %s\n", #call, err_message());                                            \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static struct spool *open_spool(const char *dir, struct event_base *base)
{
    struct spool_options options = {.state_dir = dir, .base = base};
    struct spool *spool;
    MUST(spool_open(&spool, &options));
    return spool;
}

/* ---- submissions ---- */

/* `new_documents`: each fax brings a document of its own; else all share one that is prepared already. */
/* The upload was prepared before, in every form that a fax of one page wants. */
static void remember(struct spool *spool, const char *upload, const char *pages)
{
    struct document_form fine = {1, 1728, 297, "fine"}, other = {1, 1728, 297, "standard"};
    struct rendition renditions[RENDITIONS_MAX];
    char key[RENDITION_KEY_SIZE];
    rendition_first(&renditions[0], NULL);
    int count = 1 + rendition_others(renditions + 1, fine.width, fine.resolution, fine.length_mm);
    for (int i = 0; i < count; i++) {
        rendition_key(key, &renditions[i], NULL, NULL);
        MUST(document_remember(spool, upload, key, pages, i == 0 ? &fine : &other));
    }
}

static void submissions(struct spool *spool, int per_turn, bool new_documents, int turns)
{
    static int number;
    char sha[DOCUMENT_SHA_SIZE], pages[DOCUMENT_SHA_SIZE], text[4096];
    memset(text, 'x', sizeof(text));
    MUST(document_put(sha, spool, "shared", 6));
    MUST(document_put(pages, spool, "pages", 5));
    remember(spool, sha, pages);
    MUST(spool_turn_end(spool));
    double cpu = now(CLOCK_THREAD_CPUTIME_ID), wall = now(CLOCK_MONOTONIC);
    for (int turn = 0; turn < turns; turn++) {
        for (int i = 0; i < per_turn; i++) {
            struct fax fax;
            char to[16];
            struct submit_request request = {.to = to, .original = sha, .priority = FAX_NORMAL, .line_group = "bench"};
            snprintf(to, sizeof(to), "+1555%07d", number++ % 10000000);
            if (new_documents) {
                memcpy(text, &number, sizeof(number));
                MUST(document_put(sha, spool, text, sizeof(text)));
            }
            MUST(submit(&fax, spool, &request));
            fax_clear(&fax);
        }
        MUST(spool_turn_end(spool));
    }
    cpu = now(CLOCK_THREAD_CPUTIME_ID) - cpu;
    wall = now(CLOCK_MONOTONIC) - wall;
    int faxes = per_turn * turns;
    printf("submit  %3d a turn, %-21s %8.0f /s   %6.1f us CPU a fax\n", per_turn,
           new_documents ? "each its document" : "one document, prepared", faxes / wall, cpu * 1e6 / faxes);
}

/* ---- the queue ---- */

/* Up to `faxes` in all, in turns of 50,000. */
static void fill_turn(struct spool *spool, int64_t from, int64_t to)
{
    struct stmt *stmt;
    MUST(stmt_open(&stmt, spool_db(spool),
                   "WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
                   " INSERT INTO fax (public_id, direction, state, destination, line_group, priority, created_at,"
                   " updated_at, queued_at, document, original, pages_total, max_attempts)"
                   " SELECT printf('fax_FILL%018d', i), 0, 4, printf('+1666%07d', i % 10000000), 'default', 2, 1, 1, 1,"
                   " printf('%064d', 7), printf('%064d', 8), 1, 5 FROM n"));
    stmt_bind_int(stmt, from + 1);
    stmt_bind_int(stmt, to);
    MUST(stmt_run(NULL, stmt));
    MUST(spool_turn_end(spool));
}

static void fill(struct spool *spool, int64_t faxes)
{
    static int64_t filled;
    double wall = now(CLOCK_MONOTONIC);
    int64_t step;
    for (; filled < faxes; filled += step) {
        step = faxes - filled < 50000 ? faxes - filled : 50000;
        fill_turn(spool, filled, filled + step);
    }
    printf("\n%lld faxes queued (%.1f s)\n", (long long)filled, now(CLOCK_MONOTONIC) - wall);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_samples(const char *what, double *samples, int count)
{
    qsort(samples, (size_t)count, sizeof(*samples), compare);
    printf("%-46s median %7.1f us   p99 %7.1f us\n", what, samples[count / 2] * 1e6, samples[count * 99 / 100] * 1e6);
}

/* A whole call without its media: claim, begin, commit, end, commit. */
static void calls(struct spool *spool)
{
    static double claims[SAMPLES], begins[SAMPLES], ends[SAMPLES], commits[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
        struct attempt attempt;
        struct fax fax;
        struct attempt_result result = {
            .outcome = OUTCOME_SUCCESS, .pages_confirmed = 1, .end_sent = true, .final_confirmed = true};
        double at = now(CLOCK_MONOTONIC);
        MUST(claim_next(&fax, spool, "default", false));
        claims[i] = now(CLOCK_MONOTONIC) - at;
        at = now(CLOCK_MONOTONIC);
        MUST(attempt_begin(&attempt, spool, &fax, "exchange", "1001", 0));
        begins[i] = now(CLOCK_MONOTONIC) - at;
        fax_clear(&fax);
        at = now(CLOCK_MONOTONIC);
        MUST(spool_turn_end(spool));
        commits[i] = now(CLOCK_MONOTONIC) - at;
        at = now(CLOCK_MONOTONIC);
        MUST(attempt_end(NULL, spool, attempt.id, &result));
        ends[i] = now(CLOCK_MONOTONIC) - at;
        MUST(spool_turn_end(spool));
    }
    print_samples("claim_next", claims, SAMPLES);
    print_samples("attempt_begin", begins, SAMPLES);
    print_samples("attempt_end", ends, SAMPLES);
    print_samples("commit of a turn with one call begun", commits, SAMPLES);
}

/* From nothing to the first fax in hand. */
static void start(const char *dir)
{
    struct event_base *base = event_base_new();
    struct fax fax;
    int64_t next_at;
    double at = now(CLOCK_MONOTONIC);
    struct spool *spool = open_spool(dir, base);
    double opened = now(CLOCK_MONOTONIC);
    MUST(claim_promote(&next_at, spool, 0, 100));
    MUST(claim_next(&fax, spool, "default", false));
    double claimed = now(CLOCK_MONOTONIC);
    fax_clear(&fax);
    printf("start: opened after %.1f ms, first fax claimed after %.1f ms\n", (opened - at) * 1e3, (claimed - at) * 1e3);
    spool_close(spool);
    event_base_free(base);
}

/* As after kill -9: the write-ahead log is still there. */
static void start_after_kill(const char *dir)
{
    char command[1024];
    printf("after a clean stop   ");
    fflush(stdout);
    start(dir);
    struct spool *spool = open_spool(dir, NULL);
    submissions(spool, 64, false, 500);
    snprintf(command, sizeof(command), "cp -r %s %s-killed && rm %s-killed/lock", dir, dir, dir);
    if (system(command) != 0)
        exit(1);
    spool_close(spool);
    snprintf(command, sizeof(command), "%s-killed", dir);
    printf("after kill -9        ");
    fflush(stdout);
    start(command);
}

int main(int argc, char **argv)
{
    int64_t faxes = argc > 1 ? atoll(argv[1]) : 1000000;
    const char *folder = argc > 2 ? argv[2] : getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    char dir[256], command[1024];
    snprintf(dir, sizeof(dir), "%s/bench-spool-XXXXXX", folder);
    if (!mkdtemp(dir))
        return 1;
    log_set_level(LOG_LEVEL_ERROR);
    struct event_base *base = event_base_new();
    struct spool *spool = open_spool(dir, base);
    submissions(spool, 1, false, 1000);
    submissions(spool, 16, false, 500);
    submissions(spool, 64, false, 200);
    submissions(spool, 1, true, 500);
    submissions(spool, 64, true, 50);
    for (int64_t level = 1000; level < faxes; level *= 100) {
        fill(spool, level);
        calls(spool);
    }
    fill(spool, faxes);
    calls(spool);
    spool_close(spool);
    event_base_free(base);
    printf("\n");
    start_after_kill(dir);
    snprintf(command, sizeof(command), "rm -rf %s %s-killed", dir, dir);
    return system(command) != 0;
}
