/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chooses the plan of a call by its number. From simulator.c's FaxDevSend; the plan goes on to play.c.
 */
#include "plugins/simulator/numbers.h"

#include "server/base/log.h"
#include "server/base/number.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST_PREFIX  "+120255501"
#define MEMORY_COUNT 256 /* faxes waiting for their second call; the oldest is forgotten */

/* A first call did not deliver: the next one to this number with a page count of low..high will. */
struct memory {
    char number[NUMBER_SIZE]; /* "" = free */
    int low, high;
};

struct numbers {
    struct plan otherwise;
    const json_t *scripts;
    pthread_mutex_t lock; /* guards memory and next */
    struct memory memory[MEMORY_COUNT];
    int next;
};

/* The test-mode numbers, by their last two digits. */
static const struct {
    const char *result;
    int page_ms;
    bool first_call_only;
    int pages; /* confirmed by the first call */
} tests[] = {
    {"success", 0, false, 0},           /* 00 */
    {"busy", 0, true, 0},               /* 01 */
    {"no_answer", 0, false, 0},         /* 02 */
    {"bad_address", 0, false, 0},       /* 03 */
    {"not_fax", 0, false, 0},           /* 04 */
    {"training_failed", 0, true, 0},    /* 05 */
    {"disconnected", 0, true, 2},       /* 06 */
    {"confirmation_lost", 0, false, 0}, /* 07 */
    {"success", 60000, false, 0},       /* 08: a page a minute */
    {"conversion_failed", 0, false, 0}, /* 09 */
    {"blacklisted", 0, false, 0},       /* 10 */
};

int numbers_new(struct numbers **out, const struct plan *otherwise, const json_t *scripts, const char *where)
{
    struct numbers *numbers;
    const char *number;
    json_t *script;
    int err;

    json_object_foreach((json_t *)scripts, number, script)
    {
        struct plan plan = *otherwise;
        char place[160];

        snprintf(place, sizeof(place), "%s: number %.40s", where, number);
        err = plan_read(&plan, script, place);
        if (err)
            return err;
    }
    numbers = xcalloc(1, sizeof(*numbers));
    numbers->otherwise = *otherwise;
    numbers->scripts = scripts;
    pthread_mutex_init(&numbers->lock, NULL);
    *out = numbers;
    return 0;
}

void numbers_free(struct numbers *numbers)
{
    if (!numbers)
        return;
    pthread_mutex_destroy(&numbers->lock);
    free(numbers);
}

/* Is this the second call of a fax? Then it is forgotten. Locked. */
static bool memory_take(struct numbers *numbers, const char *number, int pages)
{
    for (int i = 0; i < MEMORY_COUNT; i++) {
        struct memory *memory = &numbers->memory[i];

        if (!strcmp(memory->number, number) && pages >= memory->low && pages <= memory->high) {
            memory->number[0] = '\0';
            return true;
        }
    }
    return false;
}

static void memory_put(struct numbers *numbers, const char *number, int low, int high)
{
    struct memory *memory = &numbers->memory[numbers->next];

    numbers->next = (numbers->next + 1) % MEMORY_COUNT;
    strcpy(memory->number, number);
    memory->low = low;
    memory->high = high;
}

static void test_plan(struct numbers *numbers, const char *number, size_t test, int pages, struct plan *plan)
{
    bool second = false;

    plan_init(plan);
    plan->page_ms = tests[test].page_ms;
    if (tests[test].first_call_only) {
        pthread_mutex_lock(&numbers->lock);
        second = memory_take(numbers, number, pages);
        if (!second && pages > tests[test].pages)
            memory_put(numbers, number, pages - tests[test].pages, pages);
        pthread_mutex_unlock(&numbers->lock);
    }
    if (!second && pages > tests[test].pages) {
        plan->result = plan_result(tests[test].result);
        plan->pages = tests[test].pages;
    }
}

/* Last digits of a test-mode number, or -1. */
static int test_of(const char *number)
{
    size_t prefix = strlen(TEST_PREFIX);
    int test;

    if (strncmp(number, TEST_PREFIX, prefix) || strlen(number) != prefix + 2)
        return -1;
    test = atoi(number + prefix);
    return test < (int)(sizeof(tests) / sizeof(tests[0])) ? test : -1;
}

void numbers_plan(struct numbers *numbers, const char *number, int pages, struct plan *plan)
{
    char plain[NUMBER_SIZE];
    const json_t *script;
    int test;

    *plan = numbers->otherwise;
    if (number[0] && strchr("TPtp", number[0]))
        number++;
    if (number_normalise(plain, number)) {
        plan->result = plan_result("bad_address");
        return;
    }
    script = json_object_get(numbers->scripts, plain);
    test = test_of(plain);
    if (script)
        plan_read(plan, script, "number"); /* read before without an error */
    else if (test >= 0)
        test_plan(numbers, plain, (size_t)test, pages, plan);
    else if (plain[0] == '*' && plan_dial(plan, plain))
        plan->result = plan_result("bad_address");
}
