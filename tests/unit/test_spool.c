/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the turn: what is let go when, what is undone together, and who may have the state folder. */
#include "config.h"

#include "spool/spool.h"

#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/document.h"
#include "spool/event.h"
#include "spool/host_run.h"
#include "spool/submit.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

/* What happened, in order: "a" to "z" callbacks (capital with an error), "<n>" changes, "!" an event. */
static char story[256];

static void tell(const char *what)
{
    size_t length = strlen(story);
    snprintf(story + length, sizeof(story) - length, "%s", what);
}

static void on_commit(void *context, int error)
{
    char letter[2] = {(char)(*(const char *)context - (error ? 32 : 0)), '\0'};
    tell(letter);
}

static void on_change(void *context, unsigned changes)
{
    char text[16];
    (void)context;
    snprintf(text, sizeof(text), "<%u>", changes);
    tell(text);
}

static void on_event(void *context, int64_t sequence, const char *type, const char *body, int64_t user)
{
    (void)context, (void)user;
    assert_true(sequence > 0);
    assert_non_null(strstr(body, type));
    tell("!");
}

static void listen_to(struct spool *spool)
{
    story[0] = '\0';
    spool_listen(spool, on_change, NULL);
    event_listen(spool, on_event, NULL);
}

static void what_waited_is_let_go_in_order(void **state)
{
    struct spool *spool = spool_of(state);
    listen_to(spool);
    spool_after_commit(spool, on_commit, "a");
    assert_int_equal(event_write(spool, "trunk.up", NULL, NULL), 0);
    spool_mark(spool, SPOOL_CHANGE_QUEUE);
    spool_after_commit(spool, on_commit, "b");
    assert_int_equal(event_write(spool, "trunk.down", NULL, NULL), 0);
    spool_mark(spool, SPOOL_CHANGE_CANCEL | SPOOL_CHANGE_QUEUE);
    assert_string_equal(story, "");
    assert_int_equal(spool_turn_end(spool), 0);
    assert_string_equal(story, "ab<6>!!");
    assert_int_equal(spool_turn_end(spool), 0); /* and only once */
    assert_string_equal(story, "ab<6>!!");
}

static void a_callback_is_called_when_nothing_was_written(void **state)
{
    struct spool *spool = spool_of(state);
    listen_to(spool);
    spool_after_commit(spool, on_commit, "a");
    assert_int_equal(spool_turn_end(spool), 0);
    assert_string_equal(story, "a");
}

static void write_more(void *context, int error)
{
    struct spool *spool = context;
    assert_int_equal(error, 0);
    tell("w");
    assert_int_equal(host_run_set(spool, "p", "r", 1), 0);
    spool_after_commit(spool, on_commit, "z");
}

static void what_a_callback_writes_is_committed_too(void **state)
{
    struct spool_facts *facts = *state;
    char run[HOST_RUN_SIZE];
    uint64_t number;
    listen_to(facts->spool);
    spool_after_commit(facts->spool, write_more, facts->spool);
    assert_int_equal(spool_turn_end(facts->spool), 0);
    assert_string_equal(story, "wz");
    spool_facts_reopen(facts);
    assert_int_equal(host_run_get(run, &number, facts->spool, "p"), 0);
    assert_string_equal(run, "r");
    assert_int_equal(number, 1);
    assert_int_equal(host_run_get(run, &number, facts->spool, "q"), 0);
    assert_string_equal(run, "");
    assert_int_equal(number, 0);
}

static void a_part_is_undone_with_all_that_belongs_to_it(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t counts[FAX_STATES];
    char path[DOCUMENT_PATH_SIZE], sha[DOCUMENT_SHA_SIZE];
    listen_to(spool);
    int64_t kept = spool_facts_queue(spool, "1002", 1);
    assert_int_equal(spool_part_begin(spool), 0);
    int64_t undone = spool_facts_queue(spool, "1003", 1);
    spool_after_commit(spool, on_commit, "a");
    assert_int_equal(document_put(sha, spool, "of the part", 11), 0);
    assert_int_equal(spool_part_end(spool, false), 0);
    struct fax fax;
    assert_int_equal(fax_get(&fax, spool, undone), ERR_NOT_FOUND);
    assert_int_equal(document_path(path, spool, sha), ERR_NOT_FOUND);
    assert_int_equal(spool_turn_end(spool), 0);
    assert_string_equal(story, "a<3>!!"); /* accepted and prepared, of the kept one; the reply is owed all the same */
    assert_int_equal(spool_facts_state(spool, kept), FAX_QUEUED);
    fax_counts(spool, counts);
    assert_int_equal(counts[FAX_QUEUED], 1);
    assert_int_equal(counts[FAX_PREPARING], 0);
}

static void a_part_is_kept_with_all_that_belongs_to_it(void **state)
{
    struct spool *spool = spool_of(state);
    listen_to(spool);
    assert_int_equal(spool_part_begin(spool), 0);
    int64_t id = spool_facts_queue(spool, "1003", 1);
    assert_int_equal(spool_part_end(spool, true), 0);
    assert_int_equal(spool_turn_end(spool), 0);
    assert_int_equal(spool_facts_state(spool, id), FAX_QUEUED);
    assert_string_equal(story, "<3>!!");
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_turn_that_cannot_be_committed_is_void(void **state)
{
    struct spool_facts *facts = *state;
    struct spool *spool = facts->spool;
    int64_t counts[FAX_STATES];
    struct fax fax;
    int64_t before = spool_facts_queue(spool, "1002", 1);
    spool_facts_turn(spool);
    listen_to(spool);
    int64_t id = spool_facts_queue(spool, "1003", 1);
    spool_after_commit(spool, on_commit, "a");
    spool_after_commit(spool, on_commit, "b");
    limit_files(1);
    int error = spool_turn_end(spool);
    limit_files(0);
    assert_true(error == ERR_IO || error == ERR_FULL);
    assert_string_equal(story, "AB"); /* told, and nothing announced */
    assert_int_equal(fax_get(&fax, spool, id), ERR_NOT_FOUND);
    fax_counts(spool, counts);
    assert_int_equal(counts[FAX_QUEUED], 1);
    spool_facts_reopen(facts);
    assert_int_equal(spool_facts_state(facts->spool, before), FAX_QUEUED);
    assert_int_equal(fax_get(&fax, facts->spool, id), ERR_NOT_FOUND);
}

static void a_document_that_cannot_be_synced_voids_the_turn(void **state)
{
    struct spool_facts *facts = *state;
    char path[DOCUMENT_PATH_SIZE], sha[DOCUMENT_SHA_SIZE];
    listen_to(facts->spool);
    assert_int_equal(document_put(sha, facts->spool, "one", 3), 0);
    assert_int_equal(document_path(path, facts->spool, sha), 0);
    assert_int_equal(unlink(path), 0); /* gone before the turn's end */
    spool_after_commit(facts->spool, on_commit, "a");
    assert_int_equal(spool_turn_end(facts->spool), ERR_IO);
    assert_string_equal(story, "A");
    assert_int_equal(spool_facts_number(facts->spool, "SELECT count(*) AS n FROM document"), 0);
}

static void a_state_folder_has_one_owner(void **state)
{
    struct spool_facts *facts = *state;
    struct spool_options options = {.state_dir = facts->dir};
    struct spool *second = NULL;
    struct stat info;
    assert_int_equal(spool_open(&second, &options), ERR_CONFLICT);
    assert_null(second);
    assert_non_null(strstr(err_message(), facts->dir));
    spool_close(facts->spool);
    assert_int_equal(spool_open(&facts->spool, &options), 0);
    char inner[128];
    snprintf(inner, sizeof(inner), "%s/inner", facts->dir);
    options.state_dir = inner;
    assert_int_equal(spool_open(&second, &options), 0); /* made when absent */
    assert_int_equal(stat(inner, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    strcat(inner, "/faxd.db");
    assert_int_equal(stat(inner, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    *strrchr(inner, '/') = '\0';
    spool_close(second);
    options.state_dir = "/nowhere/at/all";
    assert_int_equal(spool_open(&second, &options), ERR_IO);
    spool_close(NULL);
}

static void a_full_disk_refuses_new_work_and_says_so(void **state)
{
    struct spool_facts *facts = *state;
    char sha[DOCUMENT_SHA_SIZE];
    spool_close(facts->spool);
    struct spool_options options = {.state_dir = facts->dir, .min_free_bytes = INT64_MAX};
    assert_int_equal(spool_open(&facts->spool, &options), 0);
    listen_to(facts->spool);
    assert_false(spool_has_room(facts->spool));
    assert_int_equal(document_put(sha, facts->spool, "x", 1), ERR_FULL);
    assert_int_equal(spool_turn_end(facts->spool), 0);
    assert_string_equal(story, "<32>");
}

static void what_is_being_written_takes_room_already(void **state)
{
    struct spool *spool = ((struct spool_facts *)*state)->spool;
    int64_t all = spool_free_bytes(spool) * 2;
    assert_true(spool_has_room(spool));
    spool_claim_room(spool, all);
    assert_false(spool_has_room(spool));
    spool_claim_room(spool, -all);
    assert_true(spool_has_room(spool));
}

static void counts_go_on_after_a_restart(void **state)
{
    struct spool_facts *facts = *state;
    int64_t counts[FAX_STATES];
    for (int i = 0; i < 3; i++)
        spool_facts_queue(facts->spool, "1002", 1);
    spool_facts_call(facts->spool);
    spool_facts_reopen(facts);
    fax_counts(facts->spool, counts);
    assert_int_equal(counts[FAX_QUEUED], 2);
    assert_int_equal(counts[FAX_DIALING], 1);
    spool_facts_queue(facts->spool, "1004", 1);
    fax_counts(facts->spool, counts);
    assert_int_equal(counts[FAX_QUEUED], 2); /* not committed yet */
    spool_facts_turn(facts->spool);
    fax_counts(facts->spool, counts);
    assert_int_equal(counts[FAX_QUEUED], 3);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
}

static void counts_are_made_beside_a_loop_that_writes(void **state)
{
    struct spool_facts *facts = *state;
    int64_t counts[FAX_STATES] = {0};
    for (int i = 0; i < 50; i++)
        spool_facts_queue(facts->spool, "1002", 1);
    spool_close(facts->spool);
    struct event_base *base = event_base_new();
    struct spool_options options = {.state_dir = facts->dir, .min_free_bytes = 1, .base = base};
    assert_int_equal(spool_open(&facts->spool, &options), 0);
    struct event *tick = event_new(base, -1, EV_PERSIST, on_tick, NULL);
    event_add(tick, &(struct timeval){.tv_usec = 1000});
    for (int i = 0; i < 50; i++) {
        spool_facts_queue(facts->spool, "1003", 1);
        spool_facts_turn(facts->spool);
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    for (int i = 0; i < 5000 && counts[FAX_QUEUED] != 100; i++) {
        event_base_loop(base, EVLOOP_ONCE);
        fax_counts(facts->spool, counts);
    }
    assert_int_equal(counts[FAX_QUEUED], 100); /* each once, whichever side of the count it fell on */
    event_free(tick);
    spool_close(facts->spool);
    event_base_free(base);
    options.base = NULL;
    assert_int_equal(spool_open(&facts->spool, &options), 0);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(what_waited_is_let_go_in_order),
        FACT(a_callback_is_called_when_nothing_was_written),
        FACT(what_a_callback_writes_is_committed_too),
        FACT(a_part_is_undone_with_all_that_belongs_to_it),
        FACT(a_part_is_kept_with_all_that_belongs_to_it),
        FACT(a_turn_that_cannot_be_committed_is_void),
        FACT(a_document_that_cannot_be_synced_voids_the_turn),
        FACT(a_state_folder_has_one_owner),
        FACT(a_full_disk_refuses_new_work_and_says_so),
        FACT(what_is_being_written_takes_room_already),
        FACT(counts_go_on_after_a_restart),
        FACT(counts_are_made_beside_a_loop_that_writes),
    };
    return cmocka_run_group_tests_name("spool", facts, NULL, NULL);
}
