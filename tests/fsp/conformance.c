/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does a fax service provider keep the rules of the interface? For authors of modules:
 *
 *     fsp-conformance MODULE.so [SETTINGS [NUMBER [SLOW]]]
 *
 * runs the module in faxd-fsp with two lines (1001, 1002) and the given JSON settings, dials NUMBER, which has to end
 * by itself (well or not), and SLOW, which has to go on until it is aborted, and prints what held as TAP. Without
 * arguments it runs the modules of this tree. FAXD_BUILD names the folder of faxd-fsp, FAXD_SRC the sources; FAXD_LOUD
 * shows the host's log. */
#include <config.h>

#include "tests/fsp/host_client.h"

#include "server/base/clock.h"

#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ABORT_MS 5000 /* a control call that takes longer counts as hung (fsp-abi 3.8) */

static int number, failed;

static bool __attribute__((format(printf, 3, 4))) check(bool good, const char *module, const char *rule, ...)
{
    char text[300];
    va_list arguments;

    va_start(arguments, rule);
    vsnprintf(text, sizeof text, rule, arguments);
    va_end(arguments);
    failed += !good;
    printf("%s %d - %s: %s\n", good ? "ok" : "not ok", ++number, module, text);
    fflush(stdout);
    return good;
}

/* Status packets come in the order of a call, and never one of a call that has ended. */
static bool follow(struct host *host, struct link_message *message, uint64_t job, int *packets, int *faults)
{
    uint32_t phase = LINK_PHASE_NONE;
    bool ordered = true;

    *packets = *faults = 0;
    while (host_hear(host, message)) {
        *faults += message->type == LINK_FAULT;
        if (message->type == LINK_STATUS && message->job == job) {
            (*packets)++;
            ordered = ordered && message->phase >= phase;
            if (message->phase != LINK_PHASE_NONE)
                phase = message->phase;
        }
        if (message->type == LINK_ENDED && message->job == job)
            return ordered;
    }
    return false;
}

static void check_call(struct host *host, const char *module, const char *dial)
{
    struct link_message message = {.type = LINK_READY};
    int packets, faults;
    bool ordered;

    for (uint64_t job = 1; job <= 2; job++) { /* the second shows that the line is free again */
        if (!check(host_send(host, job, 0, dial, -1), module, "call %d is ordered", (int)job))
            return;
        ordered = follow(host, &message, job, &packets, &faults);
        if (!check(message.type == LINK_ENDED, module, "call %d ends", (int)job))
            return;
        check(ordered, module, "its %d packets come in the order of a call", packets);
        check(faults == 0, module, "each packet is whole, from the provider's heap, with the key of its job");
        check(message.result != LINK_RESULT_NONE && message.result != LINK_RESULT_NOT_STARTED, module,
              "it started, and its end is one of the documented ones (status 0x%x)", message.status);
        check(message.result != LINK_RESULT_SENT_UNCONFIRMED, module, "return value and final status agree");
    }
}

static void check_abort(struct host *host, const char *module, const char *slow)
{
    struct link_message message = {.type = LINK_READY};
    int64_t began;

    if (!check(host_send(host, 3, 1, slow, -1), module, "a long call is ordered on the second line"))
        return;
    while (host_hear(host, &message) && !(message.type == LINK_STATUS && message.job == 3))
        if (message.type == LINK_ENDED)
            break;
    check(message.type == LINK_STATUS, module, "it tells of itself while it runs");
    began = clock_mono_ms();
    host_say(host, &(struct link_message){.type = LINK_ABORT, .job = 3}, -1);
    check(host_end_of(host, &message, 3) == 0, module, "an abort ends it, without a fault");
    check(clock_mono_ms() - began < ABORT_MS, module, "and soon (%d ms)", (int)(clock_mono_ms() - began));
    check(message.outcome == LINK_OUTCOME_ABORTED, module, "its status says so (0x%x)", message.status);
}

static bool is_trunk(const json_t *trunk)
{
    static const char *const states[] = {"up", "down", "registering", "disabled"};
    const char *name = json_string_value(json_object_get(trunk, "name"));
    const char *state = json_string_value(json_object_get(trunk, "state"));
    bool known = false;

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        known = known || (state != NULL && strcmp(state, states[i]) == 0);
    return known && name != NULL && name[0] != '\0' && strlen(name) < 64 && strpbrk(name, "/\"\\") == NULL;
}

static bool is_device(const json_t *device)
{
    static const char *const states[] = {"up", "down", "faulty"};
    const char *state = json_string_value(json_object_get(device, "state"));
    const json_t *line = json_object_get(device, "line");
    bool known = false;

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        known = known || (state != NULL && strcmp(state, states[i]) == 0);
    return known && json_is_integer(line) && json_integer_value(line) >= 0;
}

/* FaxdProviderAsk is optional; whoever has it answers with trunks that are named and in one of four states, and with
 * devices of lines, if there are any, in one of three. */
static void check_state(const struct host *host, const char *module)
{
    json_t *root, *trunks, *trunk, *device;
    bool good;
    size_t i;

    if (host->state == NULL)
        return;
    root = json_loads(host->state, 0, NULL);
    trunks = json_object_get(root, "trunks");
    good = json_is_array(trunks);
    json_array_foreach(trunks, i, trunk) good = good && is_trunk(trunk);
    check(good, module, "its %d trunks have names and states", (int)json_array_size(trunks));
    good = true;
    json_array_foreach(json_object_get(root, "devices"), i, device) good = good && is_device(device);
    check(good, module, "its devices have lines and states");
    json_decref(root);
}

static void check_module(const char *module, const char *settings, const char *dial, const char *slow)
{
    struct host *host = host_open();

    host_start(host, module, settings);
    if (check(host_greet(host, 0), module, "it is loaded and started")) {
        check(host->devices == 2, module, "it made %d devices of two lines", host->devices);
        check_state(host, module);
        if (dial != NULL)
            check_call(host, module, dial);
        if (slow != NULL)
            check_abort(host, module, slow);
        check(host_stop(host) == 0, module, "it shuts down, and no thread of it hangs");
    } else {
        printf("# %s\n", host->fault);
    }
    host_close(host);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc > 1) {
        check_module(argv[1], argc > 2 ? argv[2] : "{}", argc > 3 ? argv[3] : NULL, argc > 4 ? argv[4] : NULL);
    } else {
        check_module("simulator.so", "{}", "99", "*1*30000");
        check_module("softmodem.so", "{\"carrier\":\"exchange\",\"numbers\":{\"2001\":{\"behaviour\":\"busy\"}}}",
                     "2001", "1001");
        check_module(
            "softmodem.so",
            "{\"carrier\":\"exchange\",\"ring_timeout_ms\":60000,\"numbers\":{\"2002\":{\"behaviour\":\"no_answer\"}}}",
            "2999", "2002");
        check_module("scripted.so", "{}", "ok", "wait");
    }
    printf("1..%d\n", number);
    return failed != 0;
}
