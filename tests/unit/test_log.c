/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the log: one honest line for each event, whatever a stranger put in it. */
#include "config.h"

#include "server/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/str.h"
#include "tests/lib/facts.h"

static char log_path[64];
static char content[1 << 20];

static int open_log(void **state)
{
    (void)state;
    close(facts_temporary_file(log_path));
    log_open("faxd", LOG_LEVEL_INFO);
    return log_to_file(log_path);
}

static int remove_log(void **state)
{
    (void)state;
    return unlink(log_path);
}

/* All that the log holds. */
static const char *read_log(void)
{
    FILE *file = fopen(log_path, "r");
    assert_non_null(file);
    size_t got = fread(content, 1, sizeof content - 1, file);
    fclose(file);
    content[got] = '\0';
    return content;
}

/* What one line says after its time. */
static const char *after_time(const char *line)
{
    const char *space = strchr(line, ' ');
    assert_non_null(space);
    return space + 1;
}

static void a_line_has_time_level_program_and_text(void **state)
{
    (void)state;
    char time_text[CLOCK_TEXT_SIZE];
    int64_t at_ms;
    log_open("faxd-fsp[exchange]", LOG_LEVEL_INFO);
    log_info("call ended fax=%s outcome=%s", "fax_1", "busy");
    assert_string_equal(after_time(read_log()), "info faxd-fsp[exchange]: call ended fax=fax_1 outcome=busy\n");
    str_copy(time_text, 25, content);
    assert_int_equal(clock_parse(&at_ms, time_text), 0);
    assert_in_range(clock_now_ms() - at_ms, 0, 60000);
}

static void levels_below_the_threshold_are_not_written(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_WARNING);
    log_debug("no");
    log_info("no");
    assert_string_equal(read_log(), "");
    log_warning("yes");
    log_error("yes");
    assert_non_null(strstr(read_log(), " warning faxd: yes\n"));
    assert_non_null(strstr(content, " error faxd: yes\n"));
}

static void hostile_octets_cannot_forge_a_line(void **state)
{
    (void)state;
    static const struct {
        const char *given, *written;
    } table[] = {
        {"plain \xC3\xB6 \xE2\x82\xAC", "plain \xC3\xB6 \xE2\x82\xAC"},
        {"a\nb", "a\\x0ab"},
        {"a\r\x1B[31mb", "a\\x0d\\x1b[31mb"},
        {"tab\tdel\x7F", "tab\\x09del\\x7f"},
        {"\x80\xFF", "\\x80\\xff"},
        {"\xC2\x85 next line", "\\xc2\\x85 next line"},
        {"\xE2\x80\xA8 line separator", "\\xe2\\x80\\xa8 line separator"},
        {"\xE2\x80\xAEright to left", "\\xe2\\x80\\xaeright to left"},
        {"\xED\xA0\x80", "\\xed\\xa0\\x80"},
        {"cut \xE2\x82", "cut \\xe2\\x82"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char want[256];
        assert_int_equal(truncate(log_path, 0), 0);
        log_info("id=%s", table[i].given);
        snprintf(want, sizeof want, "info faxd: id=%s\n", table[i].written);
        assert_string_equal(after_time(read_log()), want);
    }
}

static void a_long_line_is_cut_and_still_ends(void **state)
{
    (void)state;
    static char text[10000];
    memset(text, 'x', sizeof text - 1);
    log_info("%s", text);
    memset(text, '\x01', sizeof text - 1);
    log_info("%s", text);
    read_log();
    char *second = strchr(content, '\n') + 1;
    assert_int_equal(second - content, 4096);
    assert_in_range(strlen(second), 4090, 4096);
    assert_int_equal(second[strlen(second) - 1], '\n');
    assert_memory_equal(second + strlen(second) - 5, "\\x01", 4); /* no half of an escape */
}

static void logging_leaves_errno_alone(void **state)
{
    (void)state;
    errno = ENOSPC;
    log_info("x");
    assert_int_equal(errno, ENOSPC);
}

static void a_destination_that_cannot_be_opened_keeps_the_old_one(void **state)
{
    (void)state;
    assert_int_equal(log_to_file("/nonexistent/log"), ERR_IO);
    assert_non_null(strstr(err_message(), "/nonexistent/log"));
    log_info("still here");
    assert_non_null(strstr(read_log(), "still here\n"));
}

static void a_rotated_log_is_made_anew_for_its_group(void **state)
{
    (void)state;
    struct stat stat_buffer;
    int before = facts_open_descriptors();
    mode_t mask = umask(0);
    unlink(log_path);
    assert_int_equal(log_to_file(log_path), 0);
    umask(mask);
    log_info("new");
    assert_non_null(strstr(read_log(), "new\n"));
    assert_int_equal(stat(log_path, &stat_buffer), 0);
    assert_int_equal(stat_buffer.st_mode & 07777, 0640);
    assert_int_equal(facts_open_descriptors(), before);
}

static void *write_many(void *name)
{
    for (int i = 0; i < 500; i++)
        log_info("%s line", (const char *)name);
    return NULL;
}

static void lines_of_several_threads_do_not_mix(void **state)
{
    (void)state;
    pthread_t first, second;
    assert_int_equal(pthread_create(&first, NULL, write_many, "first"), 0);
    assert_int_equal(pthread_create(&second, NULL, write_many, "second"), 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(log_to_file(log_path), 0);
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    read_log();
    int lines = 0;
    char *rest = NULL;
    for (char *line = strtok_r(content, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), lines++)
        assert_true(strcmp(after_time(line), "info faxd: first line") == 0 ||
                    strcmp(after_time(line), "info faxd: second line") == 0);
    assert_int_equal(lines, 1000);
}

static void level_words_are_read(void **state)
{
    (void)state;
    enum log_level level = LOG_LEVEL_ERROR;
    assert_int_equal(log_level_parse(&level, "debug"), 0);
    assert_int_equal(level, LOG_LEVEL_DEBUG);
    assert_int_equal(log_level_parse(&level, "warning"), 0);
    assert_int_equal(level, LOG_LEVEL_WARNING);
    assert_int_equal(log_level_parse(&level, "loud"), ERR_INVALID);
    assert_non_null(strstr(err_message(), "loud"));
    assert_int_equal(level, LOG_LEVEL_WARNING);
}

static void allocations_give_room_even_for_nothing(void **state)
{
    (void)state;
    void *nothing = xmalloc(0), *zeros = xcalloc(0, 8);
    char *text = xasprintf("%s-%d", "a", 5), *copy = xstrdup(text);
    assert_non_null(nothing);
    assert_non_null(zeros);
    assert_string_equal(copy, "a-5");
    copy = xrealloc(copy, 100);
    assert_string_equal(copy, "a-5");
    free(nothing);
    free(zeros);
    free(text);
    free(copy);
}

#ifndef FAXD_SANITIZED /* their allocators stop the program before ours can */

static int ask_for_too_much(void *count)
{
    return xcalloc(*(unsigned long *)count, *(unsigned long *)count) ? 1 : 2;
}

static void memory_that_is_not_there_stops_the_program_with_a_line(void **state)
{
    (void)state;
    unsigned long count = 1ul << 40;
    assert_int_equal(facts_in_child(ask_for_too_much, &count), EX_OSERR);
    assert_non_null(strstr(read_log(), " error faxd: out of memory\n"));
}

#endif

#define FACT(name) cmocka_unit_test_setup_teardown(name, open_log, remove_log)

/* Lines of the tail, without their times. */
static void assert_tail(int lines, const char *want)
{
    char *tail = log_tail(lines), got[4096] = "";
    for (char *line = tail; *line; line = strchr(line, '\n') + 1)
        strncat(got, after_time(line), strcspn(after_time(line), "\n") + 1);
    free(tail);
    assert_string_equal(got, want);
}

static void the_last_lines_are_kept_and_older_ones_make_room(void **state)
{
    (void)state;
    assert_tail(10, "");
    log_keep(4096);
    for (int i = 0; i < 3; i++)
        log_info("%d", i);
    assert_tail(0, "");
    assert_tail(1, "info faxd: 2\n");
    assert_tail(2, "info faxd: 1\ninfo faxd: 2\n");
    assert_tail(100, "info faxd: 0\ninfo faxd: 1\ninfo faxd: 2\n");
    for (int i = 0; i < 1000; i++)
        log_info("line %04d", i);
    assert_tail(2, "info faxd: line 0998\ninfo faxd: line 0999\n");
    char *all = log_tail(100000);
    assert_in_range(strlen(all), 4096 - 100, 4096);
    assert_int_equal(all[4], '-'); /* a whole line is the first */
    free(all);
    log_debug("below the threshold");
    assert_tail(1, "info faxd: line 0999\n");
    log_keep(0);
    assert_tail(1, "");
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(a_line_has_time_level_program_and_text),
        FACT(levels_below_the_threshold_are_not_written),
        FACT(hostile_octets_cannot_forge_a_line),
        FACT(a_long_line_is_cut_and_still_ends),
        FACT(logging_leaves_errno_alone),
        FACT(a_destination_that_cannot_be_opened_keeps_the_old_one),
        FACT(a_rotated_log_is_made_anew_for_its_group),
        FACT(lines_of_several_threads_do_not_mix),
        FACT(the_last_lines_are_kept_and_older_ones_make_room),
        FACT(level_words_are_read),
        FACT(allocations_give_room_even_for_nothing),
#ifndef FAXD_SANITIZED
        FACT(memory_that_is_not_there_stops_the_program_with_a_line),
#endif
    };
    return cmocka_run_group_tests_name("log", facts, NULL, NULL);
}
