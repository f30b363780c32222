/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the call journal: what faxd may conclude from what an engine left. */
#include "config.h"

#include "server/base/journal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/err.h"
#include "tests/lib/facts.h"

/* Read a journal with just these octets. */
static struct journal_state read_octets(const char *octets, size_t size)
{
    char path[64];
    struct journal_state result;
    int fd = facts_temporary_file(path);
    assert_int_equal(write(fd, octets, size), size);
    close(fd);
    assert_int_equal(journal_read(&result, path), 0);
    unlink(path);
    return result;
}

static struct journal_state read_text(const char *text)
{
    return read_octets(text, strlen(text));
}

static void assert_empty(struct journal_state journal)
{
    assert_false(journal.answered || journal.end_sent || journal.final_confirmed || journal.receive_complete ||
                 journal.closed);
    assert_int_equal(journal.pages_confirmed, 0);
    assert_int_equal(journal.pages_received, 0);
    assert_int_equal(journal.received_size, 0);
}

static void a_sent_fax_reads_back_as_written(void **state)
{
    (void)state;
    char path[64];
    int fd = facts_temporary_file(path);
    assert_int_equal(journal_write(fd, JOURNAL_ANSWERED, 0, 0), 0);
    assert_int_equal(journal_write(fd, JOURNAL_PAGE_CONFIRMED, 1, 0), 0);
    assert_int_equal(journal_write(fd, JOURNAL_END_SENT, 0, 0), 0);
    struct journal_state journal;
    assert_int_equal(journal_read(&journal, path), 0);
    assert_true(journal.answered && journal.end_sent);
    assert_false(journal.final_confirmed || journal.closed);
    assert_int_equal(journal.pages_confirmed, 1);
    assert_int_equal(journal_write(fd, JOURNAL_FINAL_CONFIRMED, 0, 0), 0);
    assert_int_equal(journal_write(fd, JOURNAL_PAGE_CONFIRMED, 2, 0), 0);
    assert_int_equal(journal_write(fd, JOURNAL_CLOSED, 0, 0), 0);
    assert_int_equal(journal_read(&journal, path), 0);
    assert_true(journal.final_confirmed && journal.closed);
    assert_int_equal(journal.pages_confirmed, 2);
    close(fd);
    unlink(path);
}

static void a_received_fax_reads_back_as_written(void **state)
{
    (void)state;
    char path[64];
    int fd = facts_temporary_file(path);
    journal_write(fd, JOURNAL_PAGE_RECEIVED, 1, 20000);
    journal_write(fd, JOURNAL_PAGE_RECEIVED, 2, INT64_MAX);
    journal_write(fd, JOURNAL_RECEIVE_COMPLETE, 0, 0);
    struct journal_state journal;
    assert_int_equal(journal_read(&journal, path), 0);
    assert_int_equal(journal.pages_received, 2);
    assert_int_equal(journal.received_size, INT64_MAX);
    assert_true(journal.receive_complete);
    close(fd);
    unlink(path);
}

static void a_missing_or_empty_journal_is_an_empty_state(void **state)
{
    (void)state;
    struct journal_state journal;
    memset(&journal, 0xFF, sizeof journal);
    assert_int_equal(journal_read(&journal, "/nonexistent/journal"), 0);
    assert_empty(journal);
    assert_empty(read_text(""));
}

static void a_journal_that_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    struct journal_state journal;
    assert_int_equal(journal_read(&journal, "/"), ERR_IO);
    char path[64], link_path[80];
    close(facts_temporary_file(path));
    strcat(strcpy(link_path, path), ".link");
    assert_int_equal(symlink(path, link_path), 0);
    assert_int_equal(journal_read(&journal, link_path), ERR_IO); /* nobody redirects faxd's reading */
    unlink(link_path);
    unlink(path);
}

static void a_torn_last_line_does_not_count(void **state)
{
    (void)state;
    assert_empty(read_text("E"));
    assert_empty(read_text("P 1"));
    struct journal_state journal = read_text("C\nP 1\nE\nM");
    assert_true(journal.end_sent);
    assert_false(journal.final_confirmed);
    journal = read_text("R 1 20000\nR 2 4");
    assert_int_equal(journal.pages_received, 1);
    assert_int_equal(journal.received_size, 20000);
}

static void an_end_is_void_after_a_refusal_until_it_is_sent_again(void **state)
{
    (void)state;
    assert_true(read_text("E\n").end_sent);
    assert_false(read_text("E\nN\n").end_sent);
    assert_true(read_text("E\nN\nE\n").end_sent);
    assert_false(read_text("E\nN\nE\n").final_confirmed);
    struct journal_state journal = read_text("E\nN\nE\nM\n");
    assert_true(journal.end_sent && journal.final_confirmed);
    assert_false(read_text("N\n").end_sent);
}

static void pages_count_by_their_highest_number(void **state)
{
    (void)state;
    assert_int_equal(read_text("P 1\nP 3\nP 2\n").pages_confirmed, 3);
    struct journal_state journal = read_text("R 2 900\nR 1 400\n");
    assert_int_equal(journal.pages_received, 2);
    assert_int_equal(journal.received_size, 900);
    /* a page received once more after a refusal: the later size is the one on disk */
    assert_int_equal(read_text("R 1 400\nR 1 500\n").received_size, 500);
}

static void unknown_and_damaged_lines_are_skipped(void **state)
{
    (void)state;
    static const char *const table[] = {
        "\n",
        "Z\n",
        "EE\n",
        "E \n",
        " E\n",
        "e\n",
        "P\n",
        "P 0\n",
        "P -1\n",
        "P x\n",
        "P 1 2\n",
        "P  1\n",
        "P 99999999999\n",
        "R\n",
        "R 1\n",
        "R 1 -2\n",
        "R 0 5\n",
        "R 1 2 3\n",
        "E\r\n",
        "M1\n",
        "P 00000000000000000000000000000000000000000000000000000000000000001\n",
    };
    for (size_t i = 0; i < COUNT_OF(table); i++)
        assert_empty(read_text(table[i]));
    static const char with_nul[] = "E\0\nM\0\n";
    assert_empty(read_octets(with_nul, sizeof with_nul - 1));
    struct journal_state journal = read_text("what is this\nP 1\nQ 7\nE\n");
    assert_int_equal(journal.pages_confirmed, 1);
    assert_true(journal.end_sent);
}

static void at_most_one_mebibyte_is_read(void **state)
{
    (void)state;
    size_t size = (1 << 20) + 2;
    char *octets = malloc(size);
    memset(octets, '\n', size);
    octets[100] = 'C';
    octets[size - 2] = 'E';
    struct journal_state journal = read_octets(octets, size);
    free(octets);
    assert_true(journal.answered);
    assert_false(journal.end_sent);
}

static void an_engine_without_a_journal_writes_nothing(void **state)
{
    (void)state;
    assert_int_equal(journal_write(-1, JOURNAL_END_SENT, 0, 0), 0);
}

static void a_journal_that_cannot_be_written_is_an_error(void **state)
{
    (void)state;
    int full = open("/dev/full", O_WRONLY);
    assert_int_equal(journal_write(full, JOURNAL_ANSWERED, 0, 0), ERR_IO);
    close(full);
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    assert_int_equal(journal_write(pipe_ends[1], JOURNAL_ANSWERED, 0, 0), 0);
    /* a pipe cannot be synced: so it is seen that these three are */
    assert_int_equal(journal_write(pipe_ends[1], JOURNAL_END_SENT, 0, 0), ERR_IO);
    assert_int_equal(journal_write(pipe_ends[1], JOURNAL_FINAL_CONFIRMED, 0, 0), ERR_IO);
    assert_int_equal(journal_write(pipe_ends[1], JOURNAL_PAGE_RECEIVED, 1, 5), ERR_IO);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_sent_fax_reads_back_as_written),
        cmocka_unit_test(a_received_fax_reads_back_as_written),
        cmocka_unit_test(a_missing_or_empty_journal_is_an_empty_state),
        cmocka_unit_test(a_journal_that_cannot_be_read_is_an_error),
        cmocka_unit_test(a_torn_last_line_does_not_count),
        cmocka_unit_test(an_end_is_void_after_a_refusal_until_it_is_sent_again),
        cmocka_unit_test(pages_count_by_their_highest_number),
        cmocka_unit_test(unknown_and_damaged_lines_are_skipped),
        cmocka_unit_test(at_most_one_mebibyte_is_read),
        cmocka_unit_test(an_engine_without_a_journal_writes_nothing),
        cmocka_unit_test(a_journal_that_cannot_be_written_is_an_error),
    };
    return cmocka_run_group_tests_name("journal", facts, NULL, NULL);
}
