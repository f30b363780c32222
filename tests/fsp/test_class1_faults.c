/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Class 1 modems that do what they should not, and lines that break: however a call ends, it ends, what its record says
 * is true, and the next call on the same modems works. In real time, many calls side by side.
 *
 * FAXD_CALLS is how many calls four modems make in a row, FAXD_SEED another seed for them. FAXD_ONLY is a fault
 * ("lose_ok 1") that alone is tried, and the records are shown. */
#include "config.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "server/base/err.h"
#include "server/base/str.h"
#include "tests/fsp/modem_pair.h"

#define DELAY_MS    60
#define NOISE       -55.0
#define PAIRS       2 /* of modems that call each other again and again */
#define CALLS_USUAL 6
#define TEXT_SIZE   96

static char work[64];
static struct engine *engine;
static struct modem_bench *benches[2]; /* of faults, and of calls in a row, which run at the same time */

/* ---- what is true of every call ---- */

/* How a call ended, and what is wrong with that. */
struct verdict {
    char outcomes[2][32], messages[2][TEXT_SIZE];
    long long confirmed, received;
    int right; /* pages that the receiver has as they were sent, -1 = not all are */
    const char *wrong;
};

static const char *find_wrong(const struct pair *pair, const struct verdict *verdict, int pages, bool ecm)
{
    const struct pair_end *sender = &pair->ends[PAIR_SENDER], *receiver = &pair->ends[PAIR_RECEIVER];

    if (!sender->record || !receiver->record)
        return "an engine died";
    if (ecm && verdict->right != verdict->received)
        return "a page of ECM is not as it was sent";
    if (verdict->confirmed > verdict->received)
        return "more pages are confirmed than were received";
    if (sender->journal.pages_confirmed != verdict->confirmed || receiver->journal.pages_received != verdict->received)
        return "record and journal differ";
    if (strcmp(verdict->outcomes[PAIR_SENDER], "success") == 0 &&
        (verdict->confirmed != pages || verdict->received < pages))
        return "delivered, but not all pages";
    if (strcmp(verdict->outcomes[PAIR_RECEIVER], "success") == 0 && verdict->received < pages)
        return "received, but not all pages";
    return NULL;
}

static void judge(struct verdict *verdict, const struct pair *pair, int pages, bool ecm)
{
    for (int i = 0; i < 2; i++) {
        snprintf(verdict->outcomes[i], sizeof verdict->outcomes[i], "%s", pair_text(&pair->ends[i], "outcome"));
        snprintf(verdict->messages[i], sizeof verdict->messages[i], "%s", pair_text(&pair->ends[i], "message"));
    }
    verdict->confirmed = pair_number(&pair->ends[PAIR_SENDER], "pages_confirmed");
    verdict->received = pair_number(&pair->ends[PAIR_RECEIVER], "pages_received");
    verdict->right = modem_pair_right_pages(pair);
    verdict->wrong = find_wrong(pair, verdict, pages, ecm);
}

static bool is_delivered(const struct verdict *verdict)
{
    return !verdict->wrong && strcmp(verdict->outcomes[0], "success") == 0 &&
           strcmp(verdict->outcomes[1], "success") == 0;
}

static void print_verdict(const char *what, const struct verdict *verdict)
{
    print_message("%s: %s (%s) / %s (%s), %lld confirmed, %lld received, %d right%s%s\n", what, verdict->outcomes[0],
                  verdict->messages[0], verdict->outcomes[1], verdict->messages[1], verdict->confirmed,
                  verdict->received, verdict->right, verdict->wrong ? ": " : "", verdict->wrong ? verdict->wrong : "");
}

/* ---- calls, in threads ---- */

struct plan {
    struct modem_bench *bench;
    int pages, rows;
    bool ecm;
    int after_ms;                /* that the engines run, ... */
    char commands[2][TEXT_SIZE]; /* ... these are given to the bench, "" = none */
};

static void command(struct modem_bench *bench, const char *line)
{
    if (!line[0] || modem_bench_command(bench, line) == 0)
        return;
    fprintf(stderr, "%s: %s\n", line, err_message());
    abort();
}

static void do_mischief(void *context)
{
    const struct plan *plan = context;

    poll(NULL, 0, plan->after_ms);
    command(plan->bench, plan->commands[0]);
    command(plan->bench, plan->commands[1]);
}

static void run_plan(struct verdict *verdict, const char *folder, char (*numbers)[16], struct plan *plan)
{
    struct modem_pair modems = {.bench = plan->bench, .engine = engine, .ends = MODEM_TO_MODEM};
    char document[160];

    snprintf(document, sizeof document, "%s/document.tif", folder);
    pair_make_short_document(document, plan->pages, plan->rows);
    pair_init(&modems.pair, folder, document);
    for (int i = 0; i < 2; i++) {
        memcpy(modems.numbers[i], numbers[i], sizeof modems.numbers[i]);
        snprintf(modems.links[i], sizeof modems.links[i], "%s/%s", work, numbers[i]);
        json_object_set_new(modems.pair.ends[i].job, "ecm", json_boolean(plan->ecm));
    }
    modem_pair_run(&modems, do_mischief, plan);
    judge(verdict, &modems.pair, plan->pages, plan->ecm);
    for (int i = 0; getenv("FAXD_ONLY") && i < 2; i++) {
        json_dumpf(modems.pair.ends[i].record, stderr, JSON_COMPACT);
        fputc('\n', stderr);
    }
    pair_clear(&modems.pair);
    unlink(document);
}

static void make_well(struct modem_bench *bench, const char *number)
{
    static const char *const cures[] = {"hang off",       "echo off", "ok_before_connect off", "slow 0", "lose_ok 0",
                                        "lose_connect 0", "fcerror 0"};
    char line[TEXT_SIZE];

    snprintf(line, sizeof line, "fault %s return", number);
    (void)modem_bench_command(bench, line); /* refused when it has not vanished */
    for (size_t i = 0; i < sizeof cures / sizeof *cures; i++) {
        snprintf(line, sizeof line, "fault %s %s", number, cures[i]);
        command(bench, line);
    }
}

static void add_modems(struct modem_bench *bench, char folder[96], char (*numbers)[16])
{
    static int count;
    char link[160];

    count++;
    snprintf(folder, 96, "%s/pair%d", work, count);
    assert_int_equal(mkdir(folder, 0700), 0);
    for (int i = 0; i < 2; i++) {
        snprintf(numbers[i], sizeof numbers[i], "%d", 1000 * (i + 1) + count);
        snprintf(link, sizeof link, "%s/%s", work, numbers[i]);
        assert_int_equal(modem_bench_add_modem(bench, numbers[i], link), 0);
    }
}

/* ---- faults ---- */

static const char *const faults[] = {"slow 150",       "slow 2500",      "garbage 300",    "echo on",
                                     "lose_connect 1", "lose_connect 3", "lose_ok 1",      "lose_ok 4",
                                     "hang on",        "stop 2500",      "stop_xoff 2500", "stop 4096",
                                     "vanish",         "fcerror 1",      "fcerror 40",     "ok_before_connect on"};
#define FAULTS ((int)(sizeof faults / sizeof *faults))

/* Two modems: the fault at the sender's, at the receiver's, and a call in peace. */
struct faulty {
    const char *fault;
    struct plan plans[3];
    char folder[96], numbers[2][16];
    struct verdict verdicts[3];
    pthread_t thread;
};

static void *run_faulty(void *context)
{
    struct faulty *faulty = context;

    for (int i = 0; i < 3; i++) {
        run_plan(&faulty->verdicts[i], faulty->folder, faulty->numbers, &faulty->plans[i]);
        for (int j = 0; j < 2; j++)
            make_well(benches[0], faulty->numbers[j]);
    }
    return NULL;
}

static void start_faulty(struct faulty *faulty, int number)
{
    faulty->fault = faults[number];
    add_modems(benches[0], faulty->folder, faulty->numbers);
    for (int i = 0; i < 2; i++) {
        struct plan *plan = &faulty->plans[i];

        *plan = (struct plan){.bench = benches[0],
                              .pages = 2,
                              .rows = 100,
                              .ecm = (number + i) % 4 > 0,
                              .after_ms = 300 + (2 * number + i) * 1900 % 11000};
        snprintf(plan->commands[0], TEXT_SIZE, "fault %.15s %s", faulty->numbers[i], faults[number]);
    }
    faulty->plans[2] = (struct plan){.bench = benches[0], .pages = 1, .rows = 40, .ecm = true};
    assert_int_equal(pthread_create(&faulty->thread, NULL, run_faulty, faulty), 0);
}

/* How many of its calls did not end as they had to. */
static int end_faulty(struct faulty *faulty)
{
    static const char *const whose[] = {"sender", "receiver", "nobody"};
    char what[TEXT_SIZE];
    int wrong = 0;

    assert_int_equal(pthread_join(faulty->thread, NULL), 0);
    for (int i = 0; i < 3; i++) {
        const struct verdict *verdict = &faulty->verdicts[i];

        snprintf(what, sizeof what, "%s's %s after %d ms", whose[i], faulty->fault, faulty->plans[i].after_ms);
        print_verdict(what, verdict);
        wrong += verdict->wrong || (i == 2 && !is_delivered(verdict));
    }
    assert_int_equal(rmdir(faulty->folder), 0);
    return wrong;
}

static void whatever_a_modem_does_the_call_ends_truly(void **state)
{
    static struct faulty calls[FAULTS];
    const char *only = getenv("FAXD_ONLY");
    int wrong = 0;

    (void)state;
    for (int i = 0; i < FAULTS; i++)
        if (!only || strcmp(faults[i], only) == 0)
            start_faulty(&calls[i], i);
    for (int i = 0; i < FAULTS; i++)
        if (calls[i].fault)
            wrong += end_faulty(&calls[i]);
    assert_int_equal(wrong, 0);
}

/* ---- calls in a row ---- */

/* Four modems, the calls that they have to make, and what came of them. */
struct row {
    int calls, delivered, wrong;
    uint32_t random;
    char folder[96], numbers[2][16];
    pthread_t thread;
};

static int draw(struct row *row, int low, int high)
{
    row->random = row->random * 1664525u + 1013904223u;
    return low + (int)((row->random >> 8) % (unsigned)(high - low + 1));
}

/* One call in three is left in peace. */
static void plan_call(struct row *row, struct plan *plan)
{
    const char *number = row->numbers[draw(row, 0, 1)];

    *plan = (struct plan){.bench = benches[1],
                          .pages = draw(row, 1, 3),
                          .rows = draw(row, 40, 300),
                          .ecm = draw(row, 0, 2) > 0,
                          .after_ms = draw(row, 0, 9000)};
    switch (draw(row, 0, 5)) {
    case 0:
        snprintf(plan->commands[0], TEXT_SIZE, "drop %s after %d", number, draw(row, 3000, 20000));
        break;
    case 1:
        snprintf(plan->commands[0], TEXT_SIZE, "fault %s %s", number, faults[draw(row, 0, FAULTS - 1)]);
        break;
    case 2: /* what each end hears */
    case 3:
        for (int i = 0; i < 2; i++)
            snprintf(plan->commands[i], TEXT_SIZE, "interrupt %s after %d for %d", row->numbers[i],
                     draw(row, 3000, 20000), draw(row, 20, 1500));
        break;
    default:
        break;
    }
}

static void *run_row(void *context)
{
    struct row *row = context;
    struct plan plan;

    for (int i = 0; i < row->calls; i++) {
        struct verdict verdict;
        char what[3 * TEXT_SIZE];

        plan_call(row, &plan);
        if (i == row->calls - 1) /* in peace: nothing is stuck */
            plan = (struct plan){.bench = benches[1], .pages = 1, .rows = 40, .ecm = true};
        run_plan(&verdict, row->folder, row->numbers, &plan);
        for (int j = 0; j < 2; j++)
            make_well(benches[1], row->numbers[j]);
        snprintf(what, sizeof what, "%s to %s, call %d, %d pages of %d%s, after %d ms %s %s", row->numbers[0],
                 row->numbers[1], i + 1, plan.pages, plan.rows, plan.ecm ? " with ECM" : "", plan.after_ms,
                 plan.commands[0], plan.commands[1]);
        print_verdict(what, &verdict);
        row->delivered += is_delivered(&verdict);
        row->wrong += verdict.wrong != NULL || (i == row->calls - 1 && !is_delivered(&verdict));
    }
    return NULL;
}

static int number_of(const char *name, int usual)
{
    const char *text = getenv(name);
    int64_t value = usual;

    if (text && str_to_int(&value, text, 1, 100000) != 0)
        fail_msg("%s is a number from 1 to 100000", name);
    return (int)value;
}

static struct row rows[PAIRS];

static void start_rows(int calls)
{
    for (int i = 0; i < PAIRS; i++) {
        rows[i] = (struct row){.calls = (calls + i) / PAIRS, .random = (uint32_t)(number_of("FAXD_SEED", 1) * 77 + i)};
        add_modems(benches[1], rows[i].folder, rows[i].numbers);
        assert_int_equal(pthread_create(&rows[i].thread, NULL, run_row, &rows[i]), 0);
    }
}

static void calls_in_a_row_end_truly_and_nothing_sticks(void **state)
{
    int calls = 0, delivered = 0, wrong = 0;

    (void)state;
    for (int i = 0; i < PAIRS; i++) {
        assert_int_equal(pthread_join(rows[i].thread, NULL), 0);
        calls += rows[i].calls;
        delivered += rows[i].delivered;
        wrong += rows[i].wrong;
        assert_int_equal(rmdir(rows[i].folder), 0);
    }
    print_message("%d calls, %d delivered, %d wrong\n", calls, delivered, wrong);
    assert_int_equal(wrong, 0);
}

/* ---- all of them ---- */

static int open_all(void **state)
{
    const struct modem_bench_options options = {.delay_ms = DELAY_MS, .noise_dbm0 = NOISE, .seed = 1};
    char program[512];

    (void)state;
    snprintf(work, sizeof work, "/tmp/faxd-class1-XXXXXX");
    snprintf(program, sizeof program, "%s/faxd-t30", getenv("FAXD_BUILD"));
    if (!mkdtemp(work) || engine_open(&engine, program, 1) != 0)
        return -1;
    for (int i = 0; i < 2; i++)
        if (modem_bench_open(&benches[i], &options) != 0)
            return -1;
    start_rows(number_of("FAXD_CALLS", CALLS_USUAL)); /* they take their time meanwhile */
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        modem_bench_close(benches[i]);
    engine_close(engine);
    return rmdir(work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_a_modem_does_the_call_ends_truly),
        cmocka_unit_test(calls_in_a_row_end_truly_and_nothing_sticks),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
