/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about kill -9: a child submits faxes turn by turn, and says which are accepted once their turn is committed. It
 * is killed at some moment. Whatever it said must be there, with its document, and the rest must be whole or absent.
 *
 * FAXD_CRASH_ROUNDS and FAXD_CRASH_SEED repeat a run or lengthen it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/attempt.h"
#include "spool/claim.h"
#include "spool/document.h"
#include "spool/submit.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

#define ROUNDS         12
#define MOMENT_MAX_US  40000
#define TURN_FAXES_MAX 6

/* What the child says of a fax: less than PIPE_BUF, so that it arrives whole or not at all. */
struct word {
    char public_id[FAX_ID_SIZE];
    char sha[DOCUMENT_SHA_SIZE];
    int number; /* the document's text */
};

struct saying {
    struct word word;
    int pipe;
};

static void say(void *context, int error)
{
    struct saying *saying = context;
    if (!error && write(saying->pipe, &saying->word, sizeof(saying->word)) != sizeof(saying->word))
        _exit(3);
    free(saying);
}

static int document_text(char *text, size_t size, int number)
{
    return snprintf(text, size, "document of fax %d, long enough to be torn: %0200d", number, number);
}

static void submit_one(struct spool *spool, int pipe, int number)
{
    char text[512];
    struct fax fax;
    struct submit_request request = {.to = "1002", .priority = FAX_NORMAL};
    struct saying *saying = xcalloc(1, sizeof(*saying));
    int length = document_text(text, sizeof(text), number);
    saying->pipe = pipe;
    saying->word.number = number;
    if (document_put(saying->word.sha, spool, text, (size_t)length))
        _exit(4);
    request.original = saying->word.sha;
    if (submit(&fax, spool, &request) || spool_facts_prepared(spool, &fax, saying->word.sha, 1))
        _exit(5);
    str_copy(saying->word.public_id, sizeof(saying->word.public_id), fax.public_id);
    fax_clear(&fax);
    spool_after_commit(spool, say, saying);
}

/* A call now and then, so that attempts and journals are among what is killed. */
static void call_one(struct spool *spool)
{
    struct attempt attempt;
    struct fax fax;
    if (claim_next(&fax, spool, "default", false))
        return;
    if (attempt_begin(&attempt, spool, &fax, "exchange", "1001", 0))
        _exit(6);
    fax_clear(&fax);
    close(attempt_journal(spool, attempt.id));
    struct attempt_result result = {
        .outcome = OUTCOME_SUCCESS, .pages_confirmed = 1, .end_sent = true, .final_confirmed = true};
    if (attempt_end(NULL, spool, attempt.id, &result))
        _exit(7);
}

static void child(const char *dir, int pipe, int round)
{
    struct spool_options options = {.state_dir = dir, .min_free_bytes = 1};
    struct spool *spool;
    if (spool_open(&spool, &options))
        _exit(2);
    for (int number = round * 1000000;;) {
        int faxes = 1 + number % TURN_FAXES_MAX;
        for (int i = 0; i < faxes; i++)
            submit_one(spool, pipe, number++);
        if (number % 3 == 0)
            call_one(spool);
        if (spool_turn_end(spool))
            _exit(8);
    }
}

static void check_document(struct spool *spool, const char *sha, int number)
{
    char text[512], content[512] = "";
    int fd = document_open(spool, sha);
    if (fd < 0)
        fail_msg("document of fax %d: %s", number, err_message());
    int length = document_text(text, sizeof(text), number);
    assert_int_equal(read(fd, content, sizeof(content) - 1), length);
    assert_string_equal(content, text);
    close(fd);
}

/* What was said is true. Returns how many were said. */
static int check_words(struct spool *spool, int pipe)
{
    struct word word;
    int count = 0;
    while (read(pipe, &word, sizeof(word)) == sizeof(word)) {
        struct fax fax;
        if (fax_find(&fax, spool, word.public_id))
            fail_msg("fax %s was accepted and is lost", word.public_id);
        assert_string_equal(fax.original, word.sha);
        assert_string_equal(fax.document, word.sha);
        check_document(spool, word.sha, word.number);
        fax_clear(&fax);
        count++;
    }
    return count;
}

/* Every row, said or not, has its document and its events; no file is left without a row. */
static void check_whole(struct spool *spool)
{
    struct stmt *stmt;
    assert_int_equal(stmt_open_once(&stmt, spool_db(spool), "SELECT original FROM fax"), 0);
    while (stmt_step(stmt) == 1) {
        int fd = document_open(spool, stmt_text(stmt, "original"));
        assert_true(fd >= 0);
        close(fd);
    }
    stmt_close(stmt);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM fax f WHERE NOT EXISTS (SELECT 1 FROM event e"
                                               " WHERE e.fax = f.id AND e.type = 'fax.prepared')"),
                     0);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM fax WHERE state = 1"), 0);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM fax f WHERE calls <> (SELECT count(*) FROM"
                                               " attempt a WHERE a.fax = f.id)"),
                     0);
}

static int documents_on_disk(const char *dir)
{
    char command[256], line[32] = "";
    snprintf(command, sizeof(command), "find %s/documents -type f | wc -l", dir);
    FILE *pipe = popen(command, "r");
    assert_non_null(fgets(line, sizeof(line), pipe));
    pclose(pipe);
    return atoi(line);
}

static int number_of(const char *name, int otherwise)
{
    const char *text = getenv(name);
    return text ? atoi(text) : otherwise;
}

static int kill_one(const char *dir, int round, int moment_us)
{
    int ends[2], status;
    struct spool_options options = {.state_dir = dir, .min_free_bytes = 1};
    struct spool *spool;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_true(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) > 0); /* nobody reads while it lives */
    pid_t pid = fork();
    if (pid == 0)
        child(dir, ends[1], round);
    close(ends[1]);
    usleep((useconds_t)moment_us);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFSIGNALED(status))
        fail_msg("the child left with %d", WEXITSTATUS(status));
    assert_int_equal(spool_open(&spool, &options), 0);
    int count = check_words(spool, ends[0]);
    check_whole(spool);
    assert_int_equal(documents_on_disk(dir), spool_facts_number(spool, "SELECT count(*) AS n FROM document"));
    spool_close(spool);
    close(ends[0]);
    return count;
}

static void nothing_accepted_is_lost(void **state)
{
    char dir[64];
    int rounds = number_of("FAXD_CRASH_ROUNDS", ROUNDS), accepted = 0;
    unsigned seed = (unsigned)number_of("FAXD_CRASH_SEED", (int)getpid());
    (void)state;
    log_set_level(LOG_LEVEL_ERROR);
    spool_facts_make_dir(dir);
    print_message("# FAXD_CRASH_SEED=%u\n", seed);
    for (int round = 0; round < rounds; round++)
        accepted += kill_one(dir, round, rand_r(&seed) % MOMENT_MAX_US + 2000 * (round % 8));
    print_message("# %d faxes accepted in %d rounds\n", accepted, rounds);
    spool_facts_remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(nothing_accepted_is_lost),
    };
    return cmocka_run_group_tests_name("spool_crash", facts, NULL, NULL);
}
