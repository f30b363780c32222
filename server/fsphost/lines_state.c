/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the provider says of its trunks and devices: asked once at the start and whenever it says that something has
 * changed, sent to faxd as a state, of which only the newest counts. However fast an FSP changes, one question and one
 * message are under way.
 */
#include "server/fsphost/lines.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUESTION "{\"ask\":\"trunks\"}"

/* The first answer is there before anybody can connect, so that faxd knows of trunks that are down before it starts the
 * first call. A hang here is one of FaxDevInitialize. */
void lines_state_init(struct lines *lines)
{
    if (!lines->provider->fsp.ask)
        return;
    int result = provider_ask(&lines->state, lines->provider, QUESTION);
    if (result && result != ERR_NOT_FOUND)
        log_warning("the provider's first state is dropped: %s", err_message());
}

static void state_tell(struct lines *lines)
{
    peer_answer(lines->peer, &(struct link_message){.type = LINK_STATE, .text = lines->state});
    lines->state_untold = false;
}

void lines_state_greet(struct lines *lines)
{
    if (lines->state)
        state_tell(lines);
}

static void state_ask(struct lines *lines, int64_t now_ms)
{
    struct control_call *call = control_call_new(CONTROL_STATE, LINK_NO_LINE);
    call->question = xstrdup(QUESTION);
    lines->state_due = false;
    lines->state_out = true;
    lines->state_at = now_ms;
    control_give(lines->control, call);
}

int64_t lines_state(struct lines *lines, int64_t now_ms)
{
    /* A faxd that does not read gets one message when it does, not one for each change. */
    if (lines->state_untold && peer_is_greeted(lines->peer) && !peer_has_answers(lines->peer))
        state_tell(lines);
    if (!lines->state_due || lines->state_out || !lines->provider->fsp.ask)
        return INT64_MAX;
    int64_t at = lines->state_at ? lines->state_at + LINES_STATE_EVERY_MS : now_ms;
    if (at > now_ms)
        return at;
    state_ask(lines, now_ms);
    return INT64_MAX;
}

/* A question that failed leaves what was known; control has told of the fault. */
static void state_take(struct lines *lines, const struct control_call *call)
{
    lines->state_out = false;
    if (!call->text || (lines->state && strcmp(call->text, lines->state) == 0))
        return;
    free(lines->state);
    lines->state = xstrdup(call->text);
    lines->state_untold = true;
}

static void test_answered(struct lines *lines, const struct control_call *call)
{
    json_t *answer = call->text ? json_loads(call->text, 0, NULL) : NULL;
    const char *fault = json_string_value(json_object_get(answer, "error"));
    if (fault || !json_is_true(json_object_get(answer, "started"))) {
        char why[128], text[192];
        str_copy(why, sizeof(why), fault ? fault : "the provider began no test");
        snprintf(text, sizeof(text), "%s is not tested: %s", call->line == LINK_NO_LINE ? "a trunk" : "a line", why);
        lines_fault(lines, call->line, text);
    }
    json_decref(answer);
}

void lines_state_answered(struct lines *lines, const struct control_call *call)
{
    if (call->kind == CONTROL_STATE)
        state_take(lines, call);
    else
        test_answered(lines, call);
}

void lines_order_test(struct lines *lines, const struct link_message *order)
{
    if (!lines->provider->fsp.ask || (!order->text && order->line >= lines->count)) {
        log_warning("a test is ordered that the FSP has no FaxdProviderAsk or no line for");
        return;
    }
    json_t *question = order->text ? json_pack("{s:s, s:s}", "ask", "test", "trunk", order->text)
                                   : json_pack("{s:s, s:i}", "ask", "test", "line", (int)order->line);
    if (order->ring && !order->text)
        json_object_update_new(question,
                               json_pack("{s:s, s:o}", "ask", "ring", "ring", json_loads(order->ring, 0, NULL)));
    struct control_call *call = control_call_new(CONTROL_TEST, order->text ? LINK_NO_LINE : order->line);
    call->question = json_dumps(question, JSON_COMPACT);
    json_decref(question);
    control_give(lines->control, call);
}
