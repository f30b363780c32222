/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulator as a host sees it: outcomes by number, scripts, rings. */
#include "config.h"

#include "tests/lib/facts.h"
#include "tests/fsp/call_pair.h"
#include "tests/fsp/plugin.h"

#include "server/base/journal.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/faxd-simulator-XXXXXX";
static char document[128], received[128], journal[128], control[128];

static int make_folder(void **state)
{
    const char *source = getenv("FAXD_SRC");
    char page[512];
    const char *sources[] = {page};

    (void)state;
    snprintf(page, sizeof(page), "%s/tests/data/itu1.tif", source ? source : ".");
    if (!mkdtemp(folder))
        return -1;
    snprintf(document, sizeof(document), "%s/five.tif", folder);
    snprintf(received, sizeof(received), "%s/received.tif", folder);
    snprintf(journal, sizeof(journal), "%s/journal", folder);
    snprintf(control, sizeof(control), "%s/control", folder);
    pair_make_document(document, sources, 1, 5);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(document);
    unlink(received);
    unlink(journal);
    return rmdir(folder);
}

static void open_with(struct plugin *plugin, const char *settings)
{
    char json[2048];

    snprintf(json, sizeof(json),
             "{\"name\":\"sim\",\"settings\":%s,\"lines\":[{\"name\":\"a\",\"number\":\"1\"},{\"name\":\"b\"}]}",
             settings);
    plugin_open(plugin, "simulator.so", json);
}

static void send_to(struct call *call, struct plugin *plugin, const char *number)
{
    call_start(call, plugin, 0, document, number, NULL);
    call_wait(call);
}

struct fact {
    const char *number;
    DWORD status;
    const char *outcome;
    int pages;
};

static void check_number(struct plugin *plugin, const struct fact *fact)
{
    struct call call;

    send_to(&call, plugin, fact->number);
    if (call.status.id != fact->status || strcmp(call_text(&call, "outcome"), fact->outcome))
        fail_msg("%s: %x %s", fact->number, call.status.id, call.record_text);
    assert_int_equal(call.result, fact->status == FS_COMPLETED);
    assert_int_equal(call_number(&call, "pages_confirmed"), fact->pages);
    if (!call.result)
        assert_int_not_equal(call.last_error, NO_ERROR);
    call_clear(&call);
}

static void numbers_have_their_outcomes(void **state)
{
    static const struct fact facts[] = {
        {"+12025550100", FS_COMPLETED, "success", 5},
        {"T+12025550100", FS_COMPLETED, "success", 5},
        {"+12025550101", FS_BUSY, "busy", 0},
        {"+12025550101", FS_COMPLETED, "success", 5},
        {"+12025550101", FS_BUSY, "busy", 0},
        {"+12025550102", FS_NO_ANSWER, "no_answer", 0},
        {"+12025550103", FS_BAD_ADDRESS, "bad_address", 0},
        {"+12025550104", FS_NOT_FAX_CALL, "not_fax", 0},
        {"+12025550105", FS_FATAL_ERROR, "training_failed", 0},
        {"+12025550105", FS_COMPLETED, "success", 5},
        {"+12025550106", FS_DISCONNECTED, "disconnected", 2},
        {"+12025550106", FS_COMPLETED, "success", 5},
        {"+12025550107", FS_FATAL_ERROR, "confirmation_lost", 4},
        {"+12025550109", FS_FATAL_ERROR, "conversion_failed", 0},
        {"+12025550110", FS_CALL_BLACKLISTED, "blacklisted", 0},
        {"5551234", FS_COMPLETED, "success", 5},
        {"call me", FS_BAD_ADDRESS, "bad_address", 0},
        {"*3*3", FS_NO_ANSWER, "no_answer", 0},
        {"*3*11#*4*2", FS_DISCONNECTED, "disconnected", 2},
        {"*3*11#*4*5", FS_COMPLETED, "success", 5},
        {"*3*99", FS_BAD_ADDRESS, "bad_address", 0},
        {"*3*3#", FS_BAD_ADDRESS, "bad_address", 0},
        {"777", FS_LINE_UNAVAILABLE, "line_unavailable", 0},
    };
    struct plugin plugin;

    (void)state;
    open_with(&plugin, "{\"numbers\":{\"777\":{\"result\":\"line_unavailable\"}}}");
    for (size_t i = 0; i < COUNT_OF(facts); i++)
        check_number(&plugin, &facts[i]);
    plugin_close(&plugin);
}

static void packets_tell_the_story_in_order(void **state)
{
    static const DWORD story[] = {FS_INITIALIZING, FS_DIALING,      FS_TRANSMITTING, FS_TRANSMITTING,
                                  FS_TRANSMITTING, FS_TRANSMITTING, FS_TRANSMITTING, FS_COMPLETED};
    struct plugin plugin;
    struct call call;

    (void)state;
    open_with(&plugin, "{}");
    send_to(&call, &plugin, "100");
    assert_int_equal(call.packet_count, COUNT_OF(story));
    for (size_t i = 0; i < COUNT_OF(story); i++)
        assert_int_equal(call.packets[i].id, story[i]);
    assert_int_equal(call.packets[2].page, 1);
    assert_int_equal(call.packets[6].page, 5);
    assert_string_equal(call.packets[7].csi, "SIMULATOR");
    assert_string_equal(call.status.csi, "SIMULATOR");
    call_clear(&call);
    plugin_close(&plugin);
}

/* The journal of a call to `number`. */
static struct journal_state journal_of(struct plugin *plugin, const char *number)
{
    int fd = open(journal, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    struct journal_state state;
    struct call call;
    char options[64];

    assert_true(fd >= 0);
    snprintf(options, sizeof(options), "{\"journal_fd\":%d}", fd);
    call_start(&call, plugin, 0, document, number, options);
    call_wait(&call);
    call_clear(&call);
    close(fd);
    assert_int_equal(journal_read(&state, journal), 0);
    return state;
}

static void the_journal_says_what_the_far_end_confirmed(void **state)
{
    struct plugin plugin;
    struct journal_state said;

    (void)state;
    open_with(&plugin, "{}");
    said = journal_of(&plugin, "100");
    assert_true(said.answered && said.end_sent && said.final_confirmed && said.closed);
    assert_int_equal(said.pages_confirmed, 5);
    said = journal_of(&plugin, "+12025550107");
    assert_true(said.end_sent && !said.final_confirmed && said.closed);
    assert_int_equal(said.pages_confirmed, 4);
    said = journal_of(&plugin, "+12025550106");
    assert_true(!said.end_sent && said.closed);
    assert_int_equal(said.pages_confirmed, 2);
    said = journal_of(&plugin, "+12025550102");
    assert_true(!said.answered && said.pages_confirmed == 0);
    plugin_close(&plugin);
}

static void an_abort_ends_a_hang_and_a_wait(void **state)
{
    static const char *const numbers[] = {"*5", "*1*60000", "*2*60000"};
    struct plugin plugin;
    struct call call;

    (void)state;
    open_with(&plugin, "{}");
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        call_start(&call, &plugin, 0, document, numbers[i], NULL);
        assert_true(call_saw(&call, FS_DIALING, 0));
        assert_false(call_ended(&call, 20));
        call_abort(&call);
        call_wait(&call);
        assert_false(call.result);
        assert_int_equal(call.status.id, FS_USER_ABORT);
        assert_string_equal(call_text(&call, "outcome"), "aborted");
        call_clear(&call);
    }
    plugin_close(&plugin);
}

static void a_deaf_call_does_not_heed_the_abort(void **state)
{
    struct plugin plugin;
    struct call call;

    (void)state;
    open_with(&plugin, "{}");
    call_start(&call, &plugin, 0, document, "*6*300", NULL);
    assert_true(call_saw(&call, FS_TRANSMITTING, 0));
    call_abort(&call);
    assert_false(call_ended(&call, 100));
    call_wait(&call);
    call_clear(&call);
    plugin_close(&plugin);
}

static int crashing_call(void *number)
{
    struct plugin plugin;
    struct call call;

    close(STDERR_FILENO);
    open_with(&plugin, "{}");
    send_to(&call, &plugin, number);
    return 0;
}

static void a_crash_comes_on_demand(void **state)
{
    (void)state;
    assert_int_equal(facts_in_child(crashing_call, "*7*2"), 128 + SIGABRT);
}

static void a_burst_posts_all_its_packets(void **state)
{
    struct plugin plugin;
    struct call call;

    (void)state;
    open_with(&plugin, "{}");
    call_start(&call, &plugin, 0, document, "*8*10000", NULL);
    pthread_join(call.thread, NULL);
    pthread_mutex_lock(&plugin.lock);
    while (call.packet_count < 10008)
        pthread_cond_wait(&plugin.changed, &plugin.lock);
    pthread_mutex_unlock(&plugin.lock);
    assert_int_equal(call.packet_count, 10008);
    call_clear(&call);
    plugin_close(&plugin);
}

static void a_malformed_record_is_not_json(void **state)
{
    struct plugin plugin;
    struct call call;

    (void)state;
    open_with(&plugin, "{}");
    send_to(&call, &plugin, "*9");
    assert_true(call.result);
    assert_null(call.record);
    call_clear(&call);
    plugin_close(&plugin);
}

/* Send a text to the control socket and return the answer (valid until the next). */
static const char *told(const char *text)
{
    static char answer[512];
    struct sockaddr_un own = {.sun_family = AF_UNIX}, to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ssize_t size;

    snprintf(own.sun_path, sizeof(own.sun_path), "%s/me", folder);
    snprintf(to.sun_path, sizeof(to.sun_path), "%.100s", control);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
    assert_int_equal(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof(to)), strlen(text));
    size = recv(fd, answer, sizeof(answer) - 1, 0);
    assert_true(size > 0);
    answer[size] = '\0';
    close(fd);
    unlink(own.sun_path);
    return answer;
}

static void open_ringing(struct plugin *plugin)
{
    char settings[256];

    snprintf(settings, sizeof(settings), "{\"control\":\"%s\",\"ring_timeout_ms\":200}", control);
    open_with(plugin, settings);
}

static const char *ring_text(const char *more)
{
    static char text[512];

    snprintf(text, sizeof(text), "{\"ring\":{\"line\":1,\"caller_id\":\"+15550199\",\"file\":\"%s\"%s}}", document,
             more);
    return text;
}

static void receive_on(struct call *call, struct plugin *plugin, int line)
{
    int fd = open(received, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    close(fd);
    call_start(call, plugin, line, received, NULL, "{\"station_id\":\"US\"}");
    call_wait(call);
}

static void a_ring_on_demand_is_received(void **state)
{
    struct plugin plugin;
    struct call call;
    char info[256];
    DWORD needed;

    (void)state;
    open_ringing(&plugin);
    assert_string_equal(told(ring_text("")), "{\"ok\":true}");
    assert_true(plugin_ring(&plugin, 1, 1000));
    assert_true(plugin.ring_info(plugin.first_id + 1, info, sizeof(info), &needed));
    assert_non_null(strstr(info, "\"caller_id\":\"+15550199\""));
    receive_on(&call, &plugin, 1);
    assert_true(call.result);
    assert_int_equal(call.status.id, FS_COMPLETED);
    assert_string_equal(call.status.caller, "+15550199");
    assert_string_equal(call.receiver_number, "US");
    assert_string_equal(call.receiver_name, "b");
    assert_int_equal(call_number(&call, "pages_received"), 5);
    assert_int_equal(pair_same_pages(received, document), 5);
    call_clear(&call);
    plugin_close(&plugin);
    assert_int_equal(access(control, F_OK), -1);
}

static void a_broken_reception_keeps_its_pages(void **state)
{
    struct plugin plugin;
    struct call call;

    (void)state;
    open_ringing(&plugin);
    told(ring_text(",\"result\":\"disconnected\",\"pages\":2"));
    assert_true(plugin_ring(&plugin, 1, 1000));
    receive_on(&call, &plugin, 1);
    assert_false(call.result);
    assert_int_equal(call.status.id, FS_DISCONNECTED);
    assert_int_equal(call_number(&call, "pages_received"), 2);
    assert_int_equal(pair_same_pages(received, document), 2);
    call_clear(&call);
    plugin_close(&plugin);
}

static void a_ring_ends_when_nobody_answers(void **state)
{
    struct plugin plugin;
    struct call call;
    struct timespec pause = {0, 300000000};

    (void)state;
    open_ringing(&plugin);
    told(ring_text(""));
    assert_true(plugin_ring(&plugin, 1, 1000));
    assert_true(plugin_ring(&plugin, 1, 1000)); /* it is repeated */
    nanosleep(&pause, NULL);
    receive_on(&call, &plugin, 1);
    assert_false(call.result);
    assert_int_equal(call.status.id, FS_NO_ANSWER);
    call_clear(&call);
    plugin_close(&plugin);
}

static void a_rejected_ring_is_gone(void **state)
{
    struct plugin plugin;
    HANDLE handle;

    (void)state;
    open_ringing(&plugin);
    told(ring_text(""));
    assert_true(plugin_ring(&plugin, 1, 1000));
    assert_non_null(strstr(told(ring_text("")), "rings already"));
    assert_true(plugin.start(0, plugin.first_id + 1, &handle, plugin.port, 0));
    assert_true(plugin.abort(handle));
    assert_true(plugin.end(handle));
    assert_string_equal(told(ring_text("")), "{\"ok\":true}");
    plugin_close(&plugin);
}

static void a_ring_waits_for_a_busy_line_and_outlives_its_abort(void **state)
{
    struct plugin plugin;
    struct call call;

    (void)state;
    open_ringing(&plugin);
    call_start(&call, &plugin, 1, document, "*5", NULL);
    assert_true(call_saw(&call, FS_TRANSMITTING, 0));
    assert_string_equal(told(ring_text("")), "{\"ok\":true}");
    assert_false(plugin_ring(&plugin, 1, 20));
    call_abort(&call);
    call_wait(&call);
    call_clear(&call);
    assert_true(plugin_ring(&plugin, 1, 1000));
    receive_on(&call, &plugin, 1);
    assert_true(call.result);
    call_clear(&call);
    plugin_close(&plugin);
}

static void wrong_rings_are_refused(void **state)
{
    struct plugin plugin;

    (void)state;
    open_ringing(&plugin);
    assert_non_null(strstr(told("nonsense"), "error"));
    assert_non_null(strstr(told("{\"ring\":{\"line\":7,\"file\":\"/x\"}}"), "no line 7"));
    assert_non_null(strstr(told("{\"ring\":{}}"), "absolute path"));
    assert_non_null(strstr(told(ring_text(",\"colour\":1")), "unknown setting \\\"colour\\\""));
    plugin_enable(&plugin, 1, false, true);
    assert_non_null(strstr(told(ring_text("")), "must not receive"));
    plugin_close(&plugin);
}

static void the_clock_rings_free_lines_in_turn(void **state)
{
    struct plugin plugin;
    char settings[256];

    (void)state;
    snprintf(settings, sizeof(settings), "{\"ring_every_ms\":20,\"ring_file\":\"%s\"}", document);
    open_with(&plugin, settings);
    assert_true(plugin_ring(&plugin, 0, 1000));
    assert_true(plugin_ring(&plugin, 1, 1000));
    plugin_close(&plugin);
}

static void wrong_settings_are_refused(void **state)
{
    static const char *const settings[] = {"{\"cal_ms\":1}", "{\"call_ms\":-1}",
                                           "{\"numbers\":{\"7\":{\"result\":\"no\"}}}", "{\"journal\":\"perhaps\"}",
                                           "[]"};
    struct plugin plugin;
    char json[256];

    (void)state;
    plugin_load(&plugin, "simulator.so");
    for (size_t i = 0; i < COUNT_OF(settings); i++) {
        snprintf(json, sizeof(json), "{\"name\":\"sim\",\"settings\":%s,\"lines\":[{\"name\":\"a\"}]}", settings[i]);
        assert_false(plugin_start(&plugin, json));
        assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    }
    assert_false(plugin_start(&plugin, "{\"name\":\"sim\",\"lines\":[]}"));
    assert_false(plugin_start(&plugin, "nonsense"));
    assert_true(
        plugin_start(&plugin, "{\"name\":\"sim\",\"settings\":{\"call_ms\":\"5\"},\"lines\":[{\"name\":\"a\"}]}"));
    plugin_close(&plugin);
}

static void handles_and_sizes_are_checked(void **state)
{
    struct plugin plugin;
    HANDLE handle;
    FAX_DEV_STATUS status;
    DWORD needed;

    (void)state;
    open_with(&plugin, "{}");
    assert_false(plugin.start(0, 2, &handle, plugin.port, 0));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_true(plugin.start(0, 1, &handle, plugin.port, 0));
    assert_false(plugin.start(0, plugin.first_id + 1, &handle, plugin.port, 0));
    assert_int_equal(GetLastError(), ERROR_BUSY);
    assert_false(plugin.report(NULL, NULL, 0, &needed));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_false(plugin.report(handle, NULL, 0, NULL));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_false(plugin.report(handle, NULL, 64, &needed));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_true(plugin.report(handle, &status, sizeof(status), &needed));
    assert_int_equal(status.StatusId, FS_INITIALIZING);
    assert_false(plugin.options(handle, "{\"ecm\":\"maybe\"}"));
    assert_false(plugin.send(handle, NULL, NULL));
    assert_int_equal(plugin.shutdown(), E_FAIL);
    assert_true(plugin.end(handle));
    assert_false(plugin.end(NULL));
    plugin_close(&plugin);
}

static void nothing_but_the_interface_is_visible(void **state)
{
    struct plugin plugin;

    (void)state;
    plugin_load(&plugin, "simulator.so");
    assert_null(dlsym(plugin.module, "job_start"));
    assert_null(dlsym(plugin.module, "numbers_plan"));
    assert_null(dlsym(plugin.module, "log_write"));
    assert_true(plugin_start(&plugin, "{\"name\":\"sim\",\"lines\":[{\"name\":\"a\"}]}"));
    plugin_close(&plugin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_their_outcomes),
        cmocka_unit_test(packets_tell_the_story_in_order),
        cmocka_unit_test(the_journal_says_what_the_far_end_confirmed),
        cmocka_unit_test(an_abort_ends_a_hang_and_a_wait),
        cmocka_unit_test(a_deaf_call_does_not_heed_the_abort),
        cmocka_unit_test(a_crash_comes_on_demand),
        cmocka_unit_test(a_burst_posts_all_its_packets),
        cmocka_unit_test(a_malformed_record_is_not_json),
        cmocka_unit_test(a_ring_on_demand_is_received),
        cmocka_unit_test(a_broken_reception_keeps_its_pages),
        cmocka_unit_test(a_ring_ends_when_nobody_answers),
        cmocka_unit_test(a_rejected_ring_is_gone),
        cmocka_unit_test(a_ring_waits_for_a_busy_line_and_outlives_its_abort),
        cmocka_unit_test(wrong_rings_are_refused),
        cmocka_unit_test(the_clock_rings_free_lines_in_turn),
        cmocka_unit_test(wrong_settings_are_refused),
        cmocka_unit_test(handles_and_sizes_are_checked),
        cmocka_unit_test(nothing_but_the_interface_is_visible),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
