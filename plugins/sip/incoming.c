/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From INVITE to ring: source, rate, credentials, who calls whom, a line. */
#include "config.h"

#include "plugins/sip/incoming.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_alloc.h>

#include "plugins/sip/caller.h"
#include "plugins/sip/challenge.h"
#include "plugins/sip/source_limit.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/str.h"

#define SAY_AGAIN_MS 60000 /* between two lines of the log about calls that were refused at the door */
/* A refused call is kept for half a minute, about 10 kB, for the ACK to come. Requests beyond these rates are not even
 * refused: */
#define CALLS_FACTOR    4   /* calls of a trunk's address, in terms of "invite_rate" */
#define REQUESTS_FACTOR 40  /* all requests of a trunk's address, likewise */
#define STRANGERS_RATE  100 /* requests a second of all others together */

struct incoming {
    struct incoming_options options;
    const struct sip_setup *setup;
    struct source_limit *limit;
    struct source_limit *calls, *requests, *strangers; /* of the guard */
    struct challenge *challenge;
    int64_t said_ms;
    unsigned refused; /* since then */
};

static void refuse(struct incoming *incoming, const struct agent_event *event, int status, const char *phrase)
{
    nua_t *nua = agent_nua(incoming->options.agent);

    nua_respond(event->nh, status, phrase, NUTAG_WITH_THIS(nua), TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR("5")),
                TAG_END());
    nua_handle_destroy(event->nh);
}

static void note_refused(struct incoming *incoming, const char *source, const char *why)
{
    int64_t now_ms = clock_mono_ms();

    incoming->refused++;
    if (incoming->said_ms && now_ms - incoming->said_ms < SAY_AGAIN_MS)
        return;
    log_warning("what came from %s was refused: %s (%u since the last such line)", source, why, incoming->refused);
    incoming->said_ms = now_ms;
    incoming->refused = 0;
}

static struct trunk *trunk_of(struct incoming *incoming, const char *source)
{
    for (int i = 0; i < incoming->options.trunk_count; i++)
        if (trunk_has_peer(incoming->options.trunks[i], source))
            return incoming->options.trunks[i];
    return NULL;
}

/* True when the caller may pass; else it was answered. */
static bool check_credentials(struct incoming *incoming, struct trunk *trunk, const struct agent_event *event)
{
    const struct sip_trunk_setup *setup = trunk_setup(trunk);
    const char *realm = setup->domain[0] ? setup->domain : "faxd";
    char text[CHALLENGE_TEXT_SIZE];
    enum challenge_verdict verdict;

    if (!setup->challenge)
        return true;
    verdict = challenge_check(incoming->challenge, event->sip, realm, setup->user, setup->password, clock_mono_ms());
    if (verdict == CHALLENGE_RIGHT)
        return true;
    if (verdict == CHALLENGE_WRONG) {
        note_refused(incoming, setup->name, "wrong user or password");
        refuse(incoming, event, SIP_403_FORBIDDEN);
        return false;
    }
    challenge_make(incoming->challenge, realm, verdict == CHALLENGE_STALE, clock_mono_ms(), text);
    nua_respond(event->nh, SIP_401_UNAUTHORIZED, NUTAG_WITH_THIS(agent_nua(incoming->options.agent)),
                SIPTAG_WWW_AUTHENTICATE_STR(text), TAG_END());
    nua_handle_destroy(event->nh);
    return false;
}

static void identify(struct caller *caller, const sip_t *sip)
{
    su_home_t home[1] = {SU_HOME_INIT(home)};
    char *asserted = agent_header(sip, "P-Asserted-Identity"), *party = agent_header(sip, "Remote-Party-ID");
    char *diversion = agent_header(sip, "Diversion"), *history = agent_header(sip, "History-Info");
    struct caller_headers headers = {
        .asserted_identity = asserted, .remote_party_id = party, .diversion = diversion, .history_info = history};

    su_home_init(home);
    headers.privacy = sip->sip_privacy ? sip_header_as_string(home, (sip_header_t const *)sip->sip_privacy) : NULL;
    headers.from = sip->sip_from ? sip_header_as_string(home, (sip_header_t const *)sip->sip_from) : NULL;
    caller_identify(caller, &headers);
    su_home_deinit(home);
    free(asserted);
    free(party);
    free(diversion);
    free(history);
}

static void find_called(char called[CALLER_NUMBER_SIZE], const sip_t *sip, const char *where)
{
    su_home_t home[1] = {SU_HOME_INIT(home)};
    char *header = NULL;

    su_home_init(home);
    called[0] = '\0';
    if (strcasecmp(where, "to") == 0 && sip->sip_to)
        caller_number(called, sip_header_as_string(home, (sip_header_t const *)sip->sip_to));
    else if (strcasecmp(where, "uri") != 0 && strcasecmp(where, "to") != 0 && (header = agent_header(sip, where)))
        caller_number(called, header);
    if (!called[0]) /* the header may be missing */
        caller_number(called, url_as_string(home, sip->sip_request->rq_url));
    free(header);
    su_home_deinit(home);
}

/* Messages of trunks are let in as fast as calls may need them; all strangers together share what is left. */
static bool may_be_looked_at(void *context, const char *source, bool begins)
{
    struct incoming *incoming = context;
    int64_t now_ms = clock_mono_ms();
    bool passes;

    if (!trunk_of(incoming, source))
        passes = source_limit_take(incoming->strangers, "strangers", now_ms);
    else
        passes = source_limit_take(incoming->requests, source, now_ms) &&
                 (!begins || source_limit_take(incoming->calls, source, now_ms));
    if (!passes)
        note_refused(incoming, source, "too many requests a second");
    return passes;
}

static void on_invite(void *context, const struct agent_event *event)
{
    struct incoming *incoming = context;
    char source[AGENT_ADDRESS_SIZE], called[CALLER_NUMBER_SIZE];
    struct caller caller;
    struct dialog *dialog;
    struct trunk *trunk;

    agent_source(incoming->options.agent, source);
    trunk = trunk_of(incoming, source);
    if (!source_limit_take(incoming->limit, trunk ? source : "strangers", clock_mono_ms())) {
        note_refused(incoming, source, "too many calls a second");
        refuse(incoming, event, SIP_503_SERVICE_UNAVAILABLE);
        return;
    }
    if (!trunk || !event->sip) {
        note_refused(incoming, source, "it is no address of a trunk (setting \"peers\")");
        refuse(incoming, event, SIP_403_FORBIDDEN);
        return;
    }
    if (!check_credentials(incoming, trunk, event))
        return;
    identify(&caller, event->sip);
    find_called(called, event->sip, trunk_setup(trunk)->did);
    dialog = dialog_accept(incoming->options.agent, trunk, event, &caller, called);
    if (dialog && incoming->options.ring(incoming->options.context, dialog) < 0) {
        note_refused(incoming, source, "no line is free");
        dialog_reject(dialog, incoming->setup->full == SIP_FULL_BUSY ? 486 : 503);
        dialog_release(dialog);
    }
}

struct incoming *incoming_new(const struct incoming_options *options)
{
    struct incoming *incoming = xcalloc(1, sizeof(*incoming));

    incoming->options = *options;
    incoming->setup = agent_setup(options->agent);
    incoming->limit = source_limit_new(incoming->setup->invite_rate);
    incoming->challenge = challenge_new();
    incoming->calls = source_limit_new(incoming->setup->invite_rate * CALLS_FACTOR);
    incoming->requests = source_limit_new(incoming->setup->invite_rate * REQUESTS_FACTOR);
    incoming->strangers = source_limit_new(STRANGERS_RATE);
    agent_accept(options->agent, may_be_looked_at, on_invite, incoming);
    return incoming;
}

void incoming_free(struct incoming *incoming)
{
    if (!incoming)
        return;
    source_limit_free(incoming->limit);
    source_limit_free(incoming->calls);
    source_limit_free(incoming->requests);
    source_limit_free(incoming->strangers);
    challenge_free(incoming->challenge);
    free(incoming);
}
