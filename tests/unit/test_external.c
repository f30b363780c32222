/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about other programs that make PDF: how they are run, and that nothing of them stays. Each runs in a process of
 * its own, as in the converter. */
#include "config.h"

#include "tests/lib/facts.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "spool/convert/external.h"

#define OUTPUT_SIZE 4096

struct call {
    const char *program, *script; /* argv is program, "-c", script, "{input}", "{folder}" */
    unsigned wall_s;              /* 0 = 20 */
    char folder[64];
    int error;
    char message[400];
    char output[OUTPUT_SIZE];
};

static int convert(void *context)
{
    struct call *call = context;
    const struct sandbox_limits limits = {.cpu_s = 20, .file_bytes = 1 << 20};
    int input = memfd_create("input", MFD_CLOEXEC), output = memfd_create("output", MFD_CLOEXEC);
    if (write(input, "%PDF-upload", 11) != 11)
        return 1;
    json_t *argv = json_pack("[s,s,s,s,s]", call->program, "-c", call->script, "{input}", "in {folder}");
    call->error = external_convert(input, output, argv, call->folder, &limits, call->wall_s != 0 ? call->wall_s : 20);
    json_decref(argv);
    snprintf(call->message, sizeof call->message, "%s", call->error != 0 ? err_message() : "");
    return pread(output, call->output, OUTPUT_SIZE - 1, 0) < 0;
}

static int files_in(const char *folder)
{
    int count = 0;
    DIR *open_folder = opendir(folder);
    assert_non_null(open_folder);
    for (const struct dirent *entry; (entry = readdir(open_folder)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(open_folder);
    return count;
}

/* Run a script; the result is valid until the next call. Its folder is gone afterwards, whatever it did. */
static const struct call *run_program(const char *program, const char *script, unsigned wall_s)
{
    static struct call *call;
    const char *folder = getenv("TMPDIR");
    if (call == NULL)
        call = mmap(NULL, sizeof *call, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(call != MAP_FAILED);
    *call = (struct call){.program = program, .script = script, .wall_s = wall_s};
    snprintf(call->folder, sizeof call->folder, "%s/faxd-test-XXXXXX", folder != NULL ? folder : "/tmp");
    assert_non_null(mkdtemp(call->folder));
    assert_int_equal(chmod(call->folder, 0711), 0);
    assert_int_equal(facts_in_child(convert, call), 0);
    assert_int_equal(files_in(call->folder), 0);
    assert_int_equal(rmdir(call->folder), 0);
    return call;
}

static const struct call *run(const char *script)
{
    return run_program("/bin/sh", script, 0);
}

static void what_it_leaves_is_the_output(void **state)
{
    (void)state;
    const struct call *call = run("cat \"$0\" > input.pdf");
    assert_int_equal(call->error, 0);
    assert_string_equal(call->output, "%PDF-upload");
}

static void it_is_told_where_it_may_work(void **state)
{
    (void)state;
    const struct call *call =
        run("test \"$1\" = \"in $PWD\" && test \"$HOME\" = \"$PWD\" && test \"$TMPDIR\" = \"$PWD\" "
            "&& test \"$0\" = \"$PWD/input\" && (echo %PDF-; env | cut -d= -f1 | sort) > input.pdf");
    assert_string_equal(call->message, "");
    assert_null(strstr(call->output, "FAXD"));
    assert_non_null(strstr(call->output, "HOME\nLANG\n"));
}

static void it_has_no_descriptors_of_ours(void **state)
{
    (void)state;
    const struct call *call =
        run("echo %PDF- > input.pdf; for fd in 3 4 5 6 7 8 9; do if (: >&$fd) 2>/dev/null; then echo $fd; fi; done >> "
            "input.pdf; echo end >> input.pdf");
    assert_string_equal(call->output, "%PDF-\nend\n");
}

static void its_last_words_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *script, *message;
    } table[] = {
        {"exit 1", "sh cannot convert the document"},
        {"echo one; echo two >&2; echo; exit 1", "sh cannot convert the document: two"},
        {"printf 'a\\033[31mb\\303\\274'; exit 9", "sh cannot convert the document: a?[31mb??"},
        {"kill -SEGV $$", "sh cannot convert the document"},
        {"exit 0", "sh made no PDF of the document"},
        {"echo sorry > input.pdf", "sh made no PDF of the document"},
        {": > input.pdf", "sh made no PDF of the document"},
        {"mkdir input.pdf; : > input.pdf/x", "sh made no PDF of the document"},
        {"ln -s input input.pdf", "sh made no PDF of the document"},
        {"mkfifo input.pdf", "sh made no PDF of the document"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        const struct call *call = run(table[i].script);
        assert_int_equal(call->error, ERR_INVALID);
        assert_string_equal(call->message, table[i].message);
    }
}

static void long_words_are_cut(void **state)
{
    (void)state;
    const struct call *call = run("i=0; while [ $i -lt 500 ]; do printf word; i=$((i+1)); done; exit 1");
    assert_int_equal(call->error, ERR_INVALID);
    assert_in_range(strlen(call->message), 100, 300);
}

static void a_program_that_cannot_be_run_is_the_machines_fault(void **state)
{
    (void)state;
    const struct call *call = run_program("/nonexistent/office", "", 0);
    assert_int_equal(call->error, ERR_IO);
    assert_string_equal(call->message,
                        "office cannot be run: cannot run /nonexistent/office: No such file or directory");
}

static void one_that_hangs_is_ended_with_all_that_it_started(void **state)
{
    (void)state;
    int64_t before = clock_mono_ms();
    const struct call *call = run_program("/bin/sh", "trap '' TERM; sleep 600 & sleep 600", 1);
    assert_int_equal(call->error, ERR_INVALID);
    assert_string_equal(call->message, "sh took more than 1 seconds and was ended: send the document in parts");
    assert_in_range(clock_mono_ms() - before, 900, 10000);
}

/* Gone, or dead and not yet waited for by whoever inherited it. */
static bool is_running(int pid)
{
    char path[64], text[200] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    const char *end = size > 0 ? strrchr(text, ')') : NULL;
    return end != NULL && end[2] != 'Z' && end[2] != 'X';
}

static void what_it_leaves_running_is_ended(void **state)
{
    (void)state;
    const struct call *call = run("sleep 600 & echo %PDF-$! > input.pdf");
    assert_int_equal(call->error, 0);
    int pid = atoi(call->output + strlen("%PDF-"));
    assert_true(pid > 1);
    for (int i = 0; i < 1000 && is_running(pid); i++)
        usleep(1000);
    assert_false(is_running(pid));
}

static void a_tree_of_folders_is_removed(void **state)
{
    (void)state;
    const struct call *call =
        run("mkdir -p a/b/c; echo x > a/b/c/d; ln -s /etc a/etc; chmod 500 a/b; cp input input.pdf");
    assert_int_equal(call->error, 0);
    assert_int_equal(access("/etc/passwd", F_OK), 0);
}

static void arguments_that_are_no_texts_are_refused(void **state)
{
    (void)state;
    static const char *const lists[] = {"[]", "[1]", "[null]", "{}"};
    const struct sandbox_limits limits = {0};
    char folder[64];
    const char *below = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/faxd-test-XXXXXX", below != NULL ? below : "/tmp");
    assert_non_null(mkdtemp(folder));
    int input = memfd_create("input", MFD_CLOEXEC);
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        json_t *argv = json_loads(lists[i], 0, NULL);
        assert_int_equal(external_convert(input, -1, argv, folder, &limits, 5), ERR_INVALID);
        json_decref(argv);
    }
    close(input);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test(what_it_leaves_is_the_output),
        cmocka_unit_test(it_is_told_where_it_may_work),
        cmocka_unit_test(it_has_no_descriptors_of_ours),
        cmocka_unit_test(its_last_words_are_told),
        cmocka_unit_test(long_words_are_cut),
        cmocka_unit_test(a_program_that_cannot_be_run_is_the_machines_fault),
        cmocka_unit_test(one_that_hangs_is_ended_with_all_that_it_started),
        cmocka_unit_test(what_it_leaves_running_is_ended),
        cmocka_unit_test(a_tree_of_folders_is_removed),
        cmocka_unit_test(arguments_that_are_no_texts_are_refused),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
