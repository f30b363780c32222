/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The softmodem provider as a host sees it, with the real engine: faxes from line to line of its exchange. */
#include "config.h"

#include "tests/lib/facts.h"
#include "tests/fsp/call_pair.h"
#include "tests/fsp/plugin.h"

#include "server/base/journal.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONG_MS 120000 /* for what must come; sanitizers are slow */

static char folder[] = "/tmp/faxd-softmodem-XXXXXX";
static char page[512], document[128], received[128];

static int make_folder(void **state)
{
    const char *source = getenv("FAXD_SRC");
    const char *sources[] = {page};

    (void)state;
    snprintf(page, sizeof(page), "%s/tests/data/itu1.tif", source ? source : ".");
    if (!mkdtemp(folder))
        return -1;
    snprintf(document, sizeof(document), "%s/three.tif", folder);
    snprintf(received, sizeof(received), "%s/received.tif", folder);
    pair_make_document(document, sources, 1, 3);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(document);
    unlink(received);
    return rmdir(folder);
}

/* Four lines 1001 to 1004; `settings` of the provider. */
static void config_write(char *json, size_t size, const char *settings, const char *engine)
{
    const char *build = getenv("FAXD_BUILD");

    snprintf(json, size,
             "{\"name\":\"exchange\",\"engine\":\"%s/%s\",\"settings\":%s,\"lines\":["
             "{\"name\":\"1001\",\"number\":\"1001\"},{\"name\":\"1002\",\"number\":\"1002\"},"
             "{\"name\":\"1003\",\"number\":\"1003\"},{\"name\":\"Reception\",\"number\":\"1004\","
             "\"settings\":{\"station_id\":\"+15551004\"}}]}",
             build ? build : ".", engine, settings);
}

static void open_with(struct plugin *plugin, const char *settings)
{
    char json[2048];

    config_write(json, sizeof(json), settings, "faxd-t30");
    plugin_open(plugin, "softmodem.so", json);
}

static void answer(struct call *call, struct plugin *plugin, int line, const char *options)
{
    int fd = open(received, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    close(fd);
    assert_true(plugin_ring(plugin, line, LONG_MS));
    call_start(call, plugin, line, received, NULL, options);
}

/* Line 0 sends `file` to line 1. */
static void fax(struct plugin *plugin, struct call *out, struct call *in, const char *file, const char *options)
{
    call_start(out, plugin, 0, file, "1002", options);
    answer(in, plugin, 1, NULL);
    call_wait(out);
    call_wait(in);
}

static void a_fax_arrives_pixel_for_pixel(void **state)
{
    static const DWORD sent[] = {FS_INITIALIZING, FS_DIALING, FS_TRANSMITTING, FS_COMPLETED};
    static const DWORD got[] = {FS_ANSWERED, FS_RECEIVING, FS_COMPLETED};
    struct plugin plugin;
    struct call out, in;

    (void)state;
    open_with(&plugin, "{}");
    fax(&plugin, &out, &in, document, "{\"station_id\":\"+1555SENDER\"}");
    assert_true(out.result && in.result);
    for (size_t i = 0; i < COUNT_OF(sent); i++)
        assert_true(call_saw(&out, sent[i], 0));
    for (size_t i = 0; i < COUNT_OF(got); i++)
        assert_true(call_saw(&in, got[i], 0));
    assert_true(call_saw(&out, FS_TRANSMITTING, 3));
    assert_false(call_saw(&out, FS_TRANSMITTING, 4));
    assert_int_equal(out.status.page, 3);
    assert_int_equal(in.status.page, 3);
    assert_string_equal(out.status.csi, "1002");
    assert_string_equal(in.status.csi, "+1555SENDER");
    assert_string_equal(in.status.caller, "1001");
    assert_string_equal(in.receiver_number, "1002");
    assert_string_equal(in.receiver_name, "1002");
    assert_string_equal(call_text(&out, "outcome"), "success");
    assert_true(call_true(&out, "final_confirmed"));
    assert_int_equal(call_number(&out, "pages_confirmed"), 3);
    assert_int_equal(call_number(&in, "pages_received"), 3);
    assert_int_equal(pair_same_pages(received, document), 3);
    call_clear(&out);
    call_clear(&in);
    plugin_close(&plugin);
}

static void options_reach_the_modems(void **state)
{
    struct plugin plugin;
    struct call out, in;

    (void)state;
    open_with(&plugin, "{}");
    fax(&plugin, &out, &in, page,
        "{\"ecm\":false,\"modems\":[\"v27ter\",\"v29\"],\"max_rate_bps\":9600,\"compressions\":[\"mh\"]}");
    assert_true(out.result && in.result);
    assert_string_equal(call_text(&out, "modem"), "V.29");
    assert_int_equal(call_number(&out, "rate_bps"), 9600);
    assert_false(call_true(&out, "ecm"));
    assert_int_equal(pair_same_pages(received, page), 1);
    call_clear(&out);
    call_clear(&in);
    plugin_close(&plugin);
}

static void both_journals_are_written(void **state)
{
    char path[2][64], options[2][64];
    struct journal_state out_said, in_said;
    struct plugin plugin;
    struct call out, in;
    int fds[2];

    (void)state;
    open_with(&plugin, "{}");
    for (int i = 0; i < 2; i++) {
        fds[i] = facts_temporary_file(path[i]);
        fcntl(fds[i], F_SETFL, O_APPEND);
        snprintf(options[i], sizeof(options[i]), "{\"journal_fd\":%d}", fds[i]);
    }
    call_start(&out, &plugin, 0, document, "1002", options[0]);
    answer(&in, &plugin, 1, options[1]);
    call_wait(&out);
    call_wait(&in);
    assert_int_equal(journal_read(&out_said, path[0]), 0);
    assert_int_equal(journal_read(&in_said, path[1]), 0);
    assert_true(out_said.answered && out_said.end_sent && out_said.final_confirmed);
    assert_int_equal(out_said.pages_confirmed, 3);
    assert_int_equal(in_said.pages_received, 3);
    assert_true(in_said.receive_complete);
    for (int i = 0; i < 2; i++) {
        close(fds[i]);
        unlink(path[i]);
    }
    call_clear(&out);
    call_clear(&in);
    plugin_close(&plugin);
}

struct fact {
    const char *number;
    DWORD status;
    const char *outcome;
};

static void numbers_that_cannot_be_reached_have_their_outcomes(void **state)
{
    static const struct fact facts[] = {
        {"9999", FS_BAD_ADDRESS, "bad_address"},
        {"not a number", FS_BAD_ADDRESS, "bad_address"},
        {"", FS_BAD_ADDRESS, "bad_address"},
        {"1001", FS_BUSY, "busy"},
        {"T1001", FS_BUSY, "busy"},
        {"1005", FS_BUSY, "busy"},
        {"1006", FS_NO_ANSWER, "no_answer"},
        {"1007", FS_DISCONNECTED, "call_rejected"},
        {"1003", FS_NO_ANSWER, "no_answer"},
    };
    struct plugin plugin;
    struct call call;

    (void)state;
    open_with(&plugin, "{\"ring_timeout_ms\":50,\"numbers\":{\"1005\":{\"behaviour\":\"busy\"},"
                       "\"1006\":{\"behaviour\":\"no_answer\"},\"1007\":{\"behaviour\":\"decline\"}}}");
    plugin_enable(&plugin, 2, false, true);
    for (size_t i = 0; i < COUNT_OF(facts); i++) {
        call_start(&call, &plugin, 0, page, facts[i].number[0] ? facts[i].number : "T", NULL);
        call_wait(&call);
        if (call.status.id != facts[i].status || strcmp(call_text(&call, "outcome"), facts[i].outcome))
            fail_msg("%s: %x %s", facts[i].number, call.status.id, call.record_text);
        assert_false(call.result);
        assert_false(call_true(&call, "connected"));
        call_clear(&call);
    }
    assert_false(plugin_ring(&plugin, 2, 0)); /* must not receive: never heard it */
    plugin_close(&plugin);
}

static void an_unanswered_ring_is_repeated_until_the_caller_gives_up(void **state)
{
    struct plugin plugin;
    struct call out, in;

    (void)state;
    open_with(&plugin, "{\"ring_timeout_ms\":300}");
    call_start(&out, &plugin, 0, page, "1002", NULL);
    assert_true(plugin_ring(&plugin, 1, LONG_MS));
    assert_true(plugin_ring(&plugin, 1, LONG_MS));
    call_wait(&out);
    assert_int_equal(out.status.id, FS_NO_ANSWER);
    call_start(&in, &plugin, 1, document, NULL, NULL); /* too late */
    call_wait(&in);
    assert_int_equal(in.status.id, FS_NO_ANSWER);
    call_clear(&out);
    call_clear(&in);
    plugin_close(&plugin);
}

static void a_caller_that_hangs_up_leaves_nothing_to_answer(void **state)
{
    struct plugin plugin;
    struct call out, in;
    struct stat file;

    (void)state;
    open_with(&plugin, "{\"ring_timeout_ms\":60000}");
    call_start(&out, &plugin, 0, page, "1002", NULL);
    assert_true(plugin_ring(&plugin, 1, LONG_MS));
    call_abort(&out);
    call_wait(&out);
    assert_int_equal(out.status.id, FS_USER_ABORT);
    assert_string_equal(call_text(&out, "outcome"), "aborted");
    close(open(received, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    call_start(&in, &plugin, 1, received, NULL, NULL);
    call_wait(&in);
    assert_false(in.result);
    assert_int_equal(in.status.id, FS_NO_ANSWER);
    assert_int_equal(stat(received, &file), 0);
    assert_int_equal(file.st_size, 0);
    call_clear(&out);
    call_clear(&in);
    plugin_close(&plugin);
}

static void reject(struct plugin *plugin, int line)
{
    HANDLE handle;

    assert_true(plugin->start(0, (DWORD)line, &handle, plugin->port, 0));
    assert_true(plugin->abort(handle));
    assert_true(plugin->end(handle));
}

static void a_rejected_call_is_declined_or_rings_on(void **state)
{
    static const struct {
        const char *settings;
        DWORD status;
        const char *outcome;
    } facts[] = {
        {"{\"ring_timeout_ms\":400}", FS_DISCONNECTED, "call_rejected"},
        {"{\"ring_timeout_ms\":400,\"reject\":\"ignore\"}", FS_NO_ANSWER, "no_answer"},
    };
    struct plugin plugin;
    struct call out;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(facts); i++) {
        open_with(&plugin, facts[i].settings);
        call_start(&out, &plugin, 0, page, "1002", NULL);
        assert_true(plugin_ring(&plugin, 1, LONG_MS));
        reject(&plugin, 1);
        call_wait(&out);
        assert_int_equal(out.status.id, facts[i].status);
        assert_string_equal(call_text(&out, "outcome"), facts[i].outcome);
        assert_false(plugin_ring(&plugin, 1, 0)); /* not again */
        call_clear(&out);
        plugin_close(&plugin);
    }
}

static void a_ring_tells_who_calls_whom(void **state)
{
    struct plugin plugin;
    struct call out;
    char info[256];
    DWORD needed;

    (void)state;
    open_with(&plugin, "{}");
    call_start(&out, &plugin, 0, page, "1002", NULL);
    assert_true(plugin_ring(&plugin, 1, LONG_MS));
    assert_false(plugin.ring_info(plugin.first_id + 1, info, 10, &needed));
    assert_int_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    assert_true(plugin.ring_info(plugin.first_id + 1, info, sizeof(info), &needed));
    assert_int_equal(needed, strlen(info) + 1);
    assert_string_equal(info, "{\"caller_id\":\"1001\",\"caller_name\":\"\",\"called\":\"1002\",\"diversion\":\"\"}");
    reject(&plugin, 1);
    call_wait(&out);
    call_clear(&out);
    plugin_close(&plugin);
}

static void a_line_disabled_for_sending_is_unavailable(void **state)
{
    struct plugin plugin;
    struct call out;

    (void)state;
    open_with(&plugin, "{}");
    plugin_enable(&plugin, 0, true, false);
    call_start(&out, &plugin, 0, page, "1002", NULL);
    call_wait(&out);
    assert_int_equal(out.status.id, FS_LINE_UNAVAILABLE);
    call_clear(&out);
    plugin_close(&plugin);
}

static void an_abort_in_mid_page_ends_both_sides(void **state)
{
    struct plugin plugin;
    struct call out, in;

    (void)state;
    open_with(&plugin, "{\"pace\":20,\"dial_ms\":0}");
    call_start(&out, &plugin, 0, document, "1002", NULL);
    answer(&in, &plugin, 1, NULL);
    assert_true(call_saw(&out, FS_TRANSMITTING, 2)); /* in page 2 */
    call_abort(&out);
    call_wait(&out);
    call_wait(&in);
    assert_int_equal(out.status.id, FS_USER_ABORT);
    assert_int_equal(call_number(&out, "pages_confirmed"), 1);
    assert_false(in.result);
    assert_int_not_equal(in.status.id, FS_USER_ABORT);
    assert_int_equal(call_number(&in, "pages_received"), 1);
    call_clear(&out);
    call_clear(&in);
    plugin_close(&plugin);
}

static void a_number_with_a_cut_line_drops_its_calls(void **state)
{
    struct plugin plugin;
    struct call out, in;

    (void)state;
    open_with(&plugin, "{\"numbers\":{\"1002\":{\"drop_after_ms\":12000}}}");
    fax(&plugin, &out, &in, document, NULL);
    assert_false(out.result);
    assert_int_equal(out.status.id, FS_DISCONNECTED);
    assert_false(in.result);
    assert_int_equal(call_number(&out, "pages_confirmed"), call_number(&in, "pages_received"));
    call_clear(&out);
    call_clear(&in);
    plugin_close(&plugin);
}

static void noise_costs_rate_but_not_the_page(void **state)
{
    struct plugin plugin;
    struct call out, in;

    (void)state;
    open_with(&plugin, "{\"numbers\":{\"1002\":{\"noise_dbm0\":-50,\"delay_ms\":100}}}");
    fax(&plugin, &out, &in, page, NULL);
    assert_true(out.result && in.result);
    assert_int_equal(pair_same_pages(received, page), 1);
    call_clear(&out);
    call_clear(&in);
    plugin_close(&plugin);
}

/* Processes whose parent is `parent`: fills `pids`, returns how many. */
static int children_of(int parent, int *pids, int room)
{
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    int count = 0;

    while ((entry = readdir(processes))) {
        char path[300], state_letter;
        int pid, its_parent;
        FILE *stat_file;

        snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
        if (atoi(entry->d_name) <= 0 || !(stat_file = fopen(path, "re")))
            continue;
        if (fscanf(stat_file, "%d (%*[^)]) %c %d", &pid, &state_letter, &its_parent) == 3 && its_parent == parent &&
            state_letter != 'Z' && count < room)
            pids[count++] = pid;
        fclose(stat_file);
    }
    closedir(processes);
    return count;
}

static char state_of(int pid)
{
    char path[64], letter = '?';
    FILE *stat_file;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    stat_file = fopen(path, "re");
    if (!stat_file || fscanf(stat_file, "%*d (%*[^)]) %c", &letter) != 1)
        letter = '?';
    if (stat_file)
        fclose(stat_file);
    return letter;
}

/* SIGSTOP to each, and wait until none of them runs any more. */
static void stop_all(const int *pids, int count)
{
    for (int i = 0; i < count; i++)
        kill(pids[i], SIGSTOP);
    for (int i = 0; i < count; i++) {
        for (int tries = 0; tries < LONG_MS && state_of(pids[i]) != 'T'; tries++)
            usleep(1000);
        assert_int_equal(state_of(pids[i]), 'T');
    }
}

static int threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int count = 0;

    while (readdir(tasks))
        count++;
    closedir(tasks);
    return count - 2;
}

static void an_engine_that_dies_costs_its_call_alone(void **state)
{
    struct plugin plugin;
    struct call out, in;
    int spawner, engines[8], count;

    (void)state;
    open_with(&plugin, "{\"pace\":20,\"dial_ms\":0}");
    call_start(&out, &plugin, 0, document, "1002", NULL);
    answer(&in, &plugin, 1, NULL);
    assert_true(call_saw(&out, FS_TRANSMITTING, 1));
    assert_int_equal(children_of(getpid(), &spawner, 1), 1);
    count = children_of(spawner, engines, 8);
    assert_int_equal(count, 2);
    stop_all(engines, count); /* or the second would see that the first is gone, and write its record */
    for (int i = 0; i < count; i++)
        kill(engines[i], SIGKILL);
    call_wait(&out);
    call_wait(&in);
    assert_int_equal(out.status.id, FS_FATAL_ERROR);
    assert_int_equal(in.status.id, FS_FATAL_ERROR);
    assert_string_equal(call_text(&out, "outcome"), "internal");
    assert_string_equal(call_text(&in, "outcome"), "internal");
    assert_int_equal(call_number(&out, "pages_confirmed"), -1); /* the record claims nothing: the journal tells */
    call_clear(&out);
    call_clear(&in);
    kill(spawner, SIGKILL); /* and without its spawner the next call starts another */
    while (children_of(getpid(), &spawner, 1) > 0)
        usleep(1000);
    fax(&plugin, &out, &in, page, NULL);
    assert_true(out.result && in.result);
    call_clear(&out);
    call_clear(&in);
    plugin_close(&plugin);
}

static void an_engine_that_hangs_loses_its_line_after_the_abort(void **state)
{
    struct plugin plugin;
    struct call out, in;
    int spawner, engines[8], count;

    (void)state;
    open_with(&plugin, "{\"pace\":20,\"dial_ms\":0}");
    call_start(&out, &plugin, 0, document, "1002", NULL);
    answer(&in, &plugin, 1, NULL);
    assert_true(call_saw(&out, FS_TRANSMITTING, 1));
    assert_int_equal(children_of(getpid(), &spawner, 1), 1);
    count = children_of(spawner, engines, 8);
    assert_int_equal(count, 2);
    stop_all(engines, count);
    call_abort(&out);
    call_abort(&in);
    call_wait(&out);
    call_wait(&in);
    assert_int_equal(out.status.id, FS_USER_ABORT);
    assert_int_equal(in.status.id, FS_USER_ABORT);
    for (int i = 0; i < count; i++)
        kill(engines[i], SIGKILL);
    call_clear(&out);
    call_clear(&in);
    plugin_close(&plugin);
}

static void idle_lines_have_no_threads(void **state)
{
    static char json[200000];
    const char *build = getenv("FAXD_BUILD");
    struct plugin plugin;
    WCHAR prefix[128];
    size_t used;
    int before, room[1];

    (void)state;
    used = (size_t)snprintf(json, sizeof(json), "{\"name\":\"x\",\"engine\":\"%s/faxd-t30\",\"lines\":[",
                            build ? build : ".");
    for (int i = 0; i < 1000; i++)
        used += (size_t)snprintf(json + used, sizeof(json) - used, "%s{\"number\":\"%d\"}", i ? "," : "", 10000 + i);
    snprintf(json + used, sizeof(json) - used, "]}");
    plugin_load(&plugin, "softmodem.so");
    before = threads();
    assert_true(plugin.config(json));
    assert_true(plugin.create(&plugin.count, prefix, &plugin.first_id, plugin.port, 1));
    assert_true(plugin.init(0, plugin.heap, &plugin.line_callback, NULL));
    for (int i = 0; i < 1000; i++)
        plugin_enable(&plugin, i, true, true);
    assert_int_equal(plugin.count, 1000);
    assert_int_equal(threads(), before);
    assert_int_equal(children_of(getpid(), room, 1), 1); /* the spawner, and no engine before a call */
    assert_int_equal(children_of(room[0], room, 1), 0);
    plugin_close(&plugin);
}

static void two_pairs_talk_at_once(void **state)
{
    struct plugin plugin;
    struct call a_out, a_in, b_out, b_in;
    char other[140];

    (void)state;
    snprintf(other, sizeof(other), "%s/other.tif", folder);
    open_with(&plugin, "{}");
    call_start(&a_out, &plugin, 0, page, "1002", NULL);
    call_start(&b_out, &plugin, 2, page, "1004", NULL);
    answer(&a_in, &plugin, 1, NULL);
    close(open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_true(plugin_ring(&plugin, 3, LONG_MS));
    call_start(&b_in, &plugin, 3, other, NULL, NULL);
    call_wait(&a_out);
    call_wait(&a_in);
    call_wait(&b_out);
    call_wait(&b_in);
    assert_true(a_out.result && a_in.result && b_out.result && b_in.result);
    assert_string_equal(b_out.status.csi, "+15551004");
    assert_string_equal(b_in.receiver_name, "Reception");
    unlink(other);
    call_clear(&a_out);
    call_clear(&a_in);
    call_clear(&b_out);
    call_clear(&b_in);
    plugin_close(&plugin);
}

static void a_document_that_is_none_fails_before_dialling(void **state)
{
    struct plugin plugin;
    struct call out;

    (void)state;
    open_with(&plugin, "{}");
    call_start(&out, &plugin, 0, "/dev/null", "1002", NULL);
    call_wait(&out);
    assert_int_equal(out.status.id, FS_FATAL_ERROR);
    assert_string_equal(call_text(&out, "outcome"), "internal");
    assert_false(plugin_ring(&plugin, 1, 0));
    call_clear(&out);
    plugin_close(&plugin);
}

static void a_reception_without_a_file_declines_the_call(void **state)
{
    struct plugin plugin;
    struct call out, in;

    (void)state;
    open_with(&plugin, "{}");
    call_start(&out, &plugin, 0, page, "1002", NULL);
    assert_true(plugin_ring(&plugin, 1, LONG_MS));
    call_start(&in, &plugin, 1, "/nowhere/at.all", NULL, NULL);
    call_wait(&in);
    call_wait(&out);
    assert_int_equal(in.status.id, FS_FATAL_ERROR);
    assert_int_equal(out.status.id, FS_DISCONNECTED);
    assert_string_equal(call_text(&out, "outcome"), "call_rejected");
    call_clear(&out);
    call_clear(&in);
    plugin_close(&plugin);
}

static void wrong_settings_are_refused(void **state)
{
    static const char *const settings[] = {
        "{\"paice\":1}",
        "{\"pace\":101}",
        "{\"pace\":0.5}",
        "{\"carrier\":\"sip\"}",
        "{\"reject\":\"sometimes\"}",
        "{\"numbers\":{\"1009\":{}}}",
        "{\"numbers\":{\"1002\":{\"noise_dbm0\":10}}}",
        "{\"numbers\":{\"1002\":{\"behavior\":\"busy\"}}}",
        "{\"numbers\":{\"abc\":{\"behaviour\":\"busy\"}}}",
        "{\"numbers\":\"{\"}",
    };
    struct plugin plugin;
    char json[2048];

    (void)state;
    plugin_load(&plugin, "softmodem.so");
    for (size_t i = 0; i < COUNT_OF(settings); i++) {
        config_write(json, sizeof(json), settings[i], "faxd-t30");
        assert_false(plugin_start(&plugin, json));
        assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    }
    config_write(json, sizeof(json), "{\"pace\":\"5\",\"numbers\":\"{\\\"1002\\\":{\\\"delay_ms\\\":5}}\"}",
                 "faxd-t30");
    assert_true(plugin_start(&plugin, json));
    plugin_close(&plugin);
}

static void nothing_but_the_interface_is_visible(void **state)
{
    struct plugin plugin;

    (void)state;
    open_with(&plugin, "{}");
    assert_null(dlsym(plugin.module, "exchange_new"));
    assert_null(dlsym(plugin.module, "engine_start"));
    assert_null(dlsym(plugin.module, "call_run"));
    plugin_close(&plugin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fax_arrives_pixel_for_pixel),
        cmocka_unit_test(options_reach_the_modems),
        cmocka_unit_test(both_journals_are_written),
        cmocka_unit_test(numbers_that_cannot_be_reached_have_their_outcomes),
        cmocka_unit_test(an_unanswered_ring_is_repeated_until_the_caller_gives_up),
        cmocka_unit_test(a_caller_that_hangs_up_leaves_nothing_to_answer),
        cmocka_unit_test(a_rejected_call_is_declined_or_rings_on),
        cmocka_unit_test(a_ring_tells_who_calls_whom),
        cmocka_unit_test(a_line_disabled_for_sending_is_unavailable),
        cmocka_unit_test(an_abort_in_mid_page_ends_both_sides),
        cmocka_unit_test(a_number_with_a_cut_line_drops_its_calls),
        cmocka_unit_test(noise_costs_rate_but_not_the_page),
        cmocka_unit_test(an_engine_that_dies_costs_its_call_alone),
        cmocka_unit_test(an_engine_that_hangs_loses_its_line_after_the_abort),
        cmocka_unit_test(idle_lines_have_no_threads),
        cmocka_unit_test(two_pairs_talk_at_once),
        cmocka_unit_test(a_document_that_is_none_fails_before_dialling),
        cmocka_unit_test(a_reception_without_a_file_declines_the_call),
        cmocka_unit_test(wrong_settings_are_refused),
        cmocka_unit_test(nothing_but_the_interface_is_visible),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
