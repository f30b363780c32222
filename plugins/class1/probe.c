/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking a modem. Questions that make no difference (ATI, +FMI?) may be refused; those that a fax hangs on may not.
 */
#include "config.h"

#include "plugins/class1/probe.h"

#include "server/base/err.h"
#include "server/base/str.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define WAKE_TRIES 3 /* the first line may meet a modem that measures the speed, or the rest of another */
#define WAKE_MS    1500
#define ASK_MS     3000 /* ATI of some makes computes a checksum of the memory */
#define QUIET_MS   50   /* behind an answer: that of ATI2 is an OK for the memory, and another for the command */
#define INFO_SIZE  1024
#define LIST_SIZE  160

/* A command that may be refused. */
static int try_order(struct at *at, const char *command)
{
    enum answer_kind result;

    return command[0] != '\0' ? at_command(at, &result, NULL, 0, command, AT_ANSWER_MS) : 0;
}

static int wake(struct at *at, int speed_bps)
{
    enum answer_kind result = ANSWER_ERROR;
    int err = ERR_AGAIN;

    for (int i = 0; i < WAKE_TRIES && (err == ERR_AGAIN || (err == 0 && result != ANSWER_OK)); i++)
        err = at_command(at, &result, NULL, 0, "ATE0V1Q0", WAKE_MS);
    if (err == 0 && result != ANSWER_OK)
        return err_set(ERR_AGAIN, "the modem answers %s to ATE0V1Q0", answer_name(result));
    if (err == ERR_AGAIN)
        return err_set(
            ERR_AGAIN,
            "no answer to AT at %d bit/s: is it switched on, is it a modem, is the cable whole; with a modem "
            "of fixed speed set speed_bps",
            speed_bps);
    return err;
}

static void identity_add(struct probe *probe, const char *info)
{
    size_t used = strlen(probe->identity);

    snprintf(probe->identity + used, sizeof probe->identity - used, "%s\n", info);
}

/* The first line of `info` with letters in it becomes the model, if there is none yet. */
static void model_from(struct probe *probe, const char *info)
{
    while (probe->model[0] == '\0' && *info != '\0') {
        size_t length = strcspn(info, "\n");
        bool letters = false;

        for (size_t i = 0; i < length; i++)
            letters = letters || isalpha((unsigned char)info[i]);
        if (letters)
            snprintf(probe->model, sizeof probe->model, "%.*s", (int)length, info);
        info += length + strspn(info + length, "\n");
    }
}

static int ask(struct probe *probe, struct at *at, char info[INFO_SIZE], const char *question)
{
    enum answer_kind result;
    int err = at_command(at, &result, info, INFO_SIZE, question, ASK_MS);

    if (err == 0 && result != ANSWER_OK)
        info[0] = '\0';
    if (err == 0)
        identity_add(probe, info);
    return err == 0 ? at_pause(at, QUIET_MS) : err;
}

/* Maker and model by the questions of T.31, else what ATI3 says (the product of most makes), else ATI0. */
static int identify(struct probe *probe, struct at *at)
{
    static const char *const questions[] = {"+FMI?", "+FMM?", "+FMR?"};
    char info[INFO_SIZE], maker[PROBE_MODEL_SIZE] = "", three[INFO_SIZE] = "", nought[INFO_SIZE] = "", command[16];
    int err = 0;

    for (int i = 0; i < 3 && err == 0; i++) {
        snprintf(command, sizeof command, "AT%s", questions[i]);
        err = ask(probe, at, info, command);
        if (err == 0 && i == 0)
            str_copy(maker, sizeof maker, info);
        else if (err == 0 && i == 1 && maker[0] != '\0' && strcasestr(info, maker) == NULL && info[0] != '\0')
            snprintf(probe->model, sizeof probe->model, "%.*s %.40s", (int)strcspn(maker, "\n"), maker, info);
        else if (err == 0 && i == 1)
            model_from(probe, info);
    }
    for (int i = 0; i <= 9 && err == 0; i++) {
        snprintf(command, sizeof command, "ATI%d", i);
        err = ask(probe, at, info, command);
        if (err == 0 && i == 3)
            memcpy(three, info, sizeof three);
        if (err == 0 && i == 0)
            memcpy(nought, info, sizeof nought);
    }
    model_from(probe, three);
    model_from(probe, nought);
    probe->model[strcspn(probe->model, "\n")] = '\0';
    return err;
}

static int check_class(struct probe *probe, struct at *at)
{
    enum answer_kind result;
    char info[INFO_SIZE];
    int err = at_command(at, &result, info, sizeof info, "AT+FCLASS=?", AT_ANSWER_MS);

    if (err != 0)
        return err;
    str_copy(probe->classes, sizeof probe->classes, info);
    if (result != ANSWER_OK)
        return err_set(ERR_UNSUPPORTED, "it is no fax modem: it answers %s to AT+FCLASS=?", answer_name(result));
    if (!answer_has_class(info, "1"))
        return err_set(ERR_UNSUPPORTED, "the modem has no fax Class 1: it offers %.60s", info);
    return 0;
}

static int ask_caller_id(struct probe *probe, struct at *at)
{
    int err = 0;

    probe->caller_id = NULL;
    for (int i = 0; i < MAKES_COMMANDS && probe->make->caller_id[i] != NULL && err == 0; i++) {
        enum answer_kind result;

        err = at_command(at, &result, NULL, 0, probe->make->caller_id[i], AT_ANSWER_MS);
        if (err == 0 && result == ANSWER_OK) {
            probe->caller_id = probe->make->caller_id[i];
            return 0;
        }
    }
    return err;
}

/* What suits every make: words for busy and no dial tone, never answer by itself, DCD and DTR as a modem of today. */
static int order_common(struct at *at, const struct setup_line *line)
{
    static const char *const commands[] = {"ATX4", "ATS0=0", "AT&C1", "AT&D2"};
    char command[16];
    int err = 0;

    for (size_t i = 0; i < sizeof commands / sizeof commands[0] && err == 0; i++)
        err = try_order(at, commands[i]);
    snprintf(command, sizeof command, "ATS7=%d", line->dial_timeout_s);
    return err != 0 ? err : try_order(at, command);
}

int probe_ready(struct probe *probe, struct at *at, const struct setup_line *line)
{
    int err = try_order(at, probe->make->reset);

    if (err == 0)
        err = at_order(at, "ATE0V1Q0"); /* the reset has undone it */
    if (err == 0)
        err = order_common(at, line);
    if (err == 0)
        err = try_order(at, probe->make->flow[line->flow]);
    for (int i = 0; i < line->init_count && err == 0; i++)
        err = at_order(at, line->inits[i]);
    if (err == 0 && line->caller_id)
        err = ask_caller_id(probe, at);
    return err == 0 ? at_order(at, "AT+FCLASS=1") : err;
}

/* One of the two lists, cut to what the settings allow. */
static int ask_rates(int rates[ANSWER_RATES_MAX], int *count, struct at *at, const struct setup_line *line,
                     const char *question)
{
    int offered[ANSWER_RATES_MAX], offered_count;
    enum answer_kind result;
    char info[INFO_SIZE];
    int err = at_command(at, &result, info, sizeof info, question, AT_ANSWER_MS);

    if (err != 0)
        return err;
    offered_count = result == ANSWER_OK ? answer_rates(offered, info) : 0;
    *count = 0;
    if (offered_count == 0)
        return err_set(ERR_UNSUPPORTED, "the modem does not tell its fax rates: it answers %.60s to %s",
                       info[0] != '\0' ? info : answer_name(result), question);
    if (offered[0] != 24)
        return err_set(ERR_UNSUPPORTED, "the modem has no V.27ter, which every fax has to have: it answers %.60s to %s",
                       info, question);
    for (int i = 0; i < offered_count; i++)
        if (setup_allows(line, offered[i]))
            rates[(*count)++] = offered[i];
    return 0;
}

static int ask_abilities(struct probe *probe, struct at *at, const struct setup_line *line)
{
    int err = ask_rates(probe->transmit, &probe->transmit_count, at, line, "AT+FTM=?");

    if (err == 0)
        err = ask_rates(probe->receive, &probe->receive_count, at, line, "AT+FRM=?");
    if (err == 0)
        err = try_order(at, "AT+FTH=?"); /* for the report: 3 is there wherever Class 1 is */
    return err == 0 ? try_order(at, "AT+FRH=?") : err;
}

int probe_run(struct probe *probe, struct at *at, const struct setup_line *line, int speed_bps)
{
    int err;

    memset(probe, 0, sizeof *probe);
    err = wake(at, speed_bps);
    if (err == 0)
        err = identify(probe, at);
    probe->make = line->make != NULL ? line->make : makes_find(probe->identity, line->device);
    if (err == 0)
        err = check_class(probe, at);
    if (err == 0)
        err = probe_ready(probe, at, line);
    if (err == 0)
        err = ask_abilities(probe, at, line);
    if (probe->model[0] == '\0')
        str_copy(probe->model, sizeof probe->model, probe->make->title);
    return err;
}

/* --- what was learned --- */

static const char *const flow_words[] = {
    [TTY_FLOW_HARDWARE] = "hardware", [TTY_FLOW_SOFTWARE] = "software", [TTY_FLOW_NONE] = "none"};

static json_t *numbers(const int *rates, int count)
{
    json_t *list = json_array();

    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_integer(rates[i]));
    return list;
}

static void add_words(json_t *list, const char *words)
{
    while (words != NULL && *(words += strspn(words, " ,")) != '\0') {
        size_t length = strcspn(words, " ,");

        json_array_append_new(list, json_stringn(words, length));
        words += length;
    }
}

json_t *probe_json(const struct probe *probe, const struct setup_line *line, int speed_bps)
{
    json_t *quirks = json_array();

    add_words(quirks, line->quirks[0] != '\0' ? line->quirks : probe->make->quirks);
    return json_pack("{s:o, s:o, s:s, s:i, s:s, s:b, s:o}", "transmit", numbers(probe->transmit, probe->transmit_count),
                     "receive", numbers(probe->receive, probe->receive_count), "flow", flow_words[line->flow],
                     "speed_bps", speed_bps, "make", probe->make->name, "realtime", (int)line->realtime, "quirks",
                     quirks);
}

static void list_text(char text[LIST_SIZE], const int *rates, int count)
{
    size_t used = 0;

    text[0] = '\0';
    for (int i = 0; i < count && used < LIST_SIZE - 8; i++)
        used += (size_t)snprintf(text + used, LIST_SIZE - used, "%s%d", i > 0 ? "," : "", rates[i]);
}

void probe_report(struct at_report *report, const struct probe *probe, const struct setup_line *line, int speed_bps)
{
    char transmit[LIST_SIZE], receive[LIST_SIZE];

    list_text(transmit, probe->transmit, probe->transmit_count);
    list_text(receive, probe->receive, probe->receive_count);
    at_report(report, "device:    %s at %d bit/s, flow control: %s", line->device, speed_bps, flow_words[line->flow]);
    at_report(report, "modem:     %s", probe->model);
    at_report(report, "make:      %s (%s)", probe->make->title, probe->make->name);
    at_report(report, "classes:   %s", probe->classes);
    at_report(report, "sends:     %s", transmit);
    at_report(report, "receives:  %s", receive);
    at_report(report, "caller id: %s",
              !line->caller_id           ? "not asked for (setting caller_id)"
              : probe->caller_id != NULL ? probe->caller_id
                                         : "the modem has none");
    at_report(report, "answers:   after %d ring%s", setup_rings(line), setup_rings(line) == 1 ? "" : "s");
}
