/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The retry rule. On the route: an outbound call has ended, attempt_end() has gathered the facts, and this decides
 * whether the fax is through, is over, or is called again and when. Nothing here reads a clock or a row.
 */
#include "spool/retry.h"

#include "server/base/err.h"
#include "spool/spool_private.h"

#include <jansson.h>
#include <string.h>

#define DELAY_MAX_S 604800 /* a week */

static const char *const class_words[RETRY_CLASS_COUNT] = {
    [RETRY_BUSY] = "busy",         [RETRY_NO_ANSWER] = "no_answer",       [RETRY_LINE] = "line",
    [RETRY_PROTOCOL] = "protocol", [RETRY_DISCONNECTED] = "disconnected",
};

void retry_policy_default(struct retry_policy *policy)
{
    *policy = (struct retry_policy){
        .max_attempts = 5,
        .max_uncounted = 200, /* some three hours of a line that is down */
        .delay_s =
            {
                [RETRY_BUSY] = {60, 120, 180, 300},
                [RETRY_NO_ANSWER] = {600, 900},
                [RETRY_LINE] = {5, 15, 60},
                [RETRY_PROTOCOL] = {60, 300},
                [RETRY_DISCONNECTED] = {300},
            },
        .resume = FAX_RESUME_REMAINING,
        .on_unconfirmed = FAX_UNCONFIRMED_STOP,
    };
}

enum retry_class retry_class_of(enum fax_outcome outcome)
{
    switch (outcome) {
    case OUTCOME_BUSY:
    case OUTCOME_CONGESTION:
        return RETRY_BUSY;
    case OUTCOME_NO_ANSWER:
    case OUTCOME_NOT_FAX:
    case OUTCOME_CALL_DELAYED:
        return RETRY_NO_ANSWER;
    case OUTCOME_LINE_UNAVAILABLE:
    case OUTCOME_NO_DIAL_TONE:
    case OUTCOME_STORAGE_FULL:
        return RETRY_LINE;
    case OUTCOME_DISCONNECTED:
    case OUTCOME_CARRIER_LOST:
    case OUTCOME_MEDIA_TIMEOUT:
        return RETRY_DISCONNECTED;
    case OUTCOME_NONE:
    case OUTCOME_SUCCESS:
    case OUTCOME_BAD_ADDRESS:
    case OUTCOME_CALL_REJECTED:
    case OUTCOME_BLACKLISTED:
    case OUTCOME_T38_NEGOTIATION_FAILED:
    case OUTCOME_TRAINING_FAILED:
    case OUTCOME_CAPABILITY_MISMATCH:
    case OUTCOME_REMOTE_AUTH_REQUIRED:
    case OUTCOME_PAGE_TRANSFER_FAILED:
    case OUTCOME_CONFIRMATION_LOST:
    case OUTCOME_PROTOCOL_ERROR:
    case OUTCOME_ABORTED:
    case OUTCOME_EXPIRED:
    case OUTCOME_DOCUMENT_UNSUPPORTED:
    case OUTCOME_CONVERSION_FAILED:
    case OUTCOME_TOO_MANY_PAGES:
    case OUTCOME_MEDIA_FETCH_FAILED:
    case OUTCOME_INTERNAL:
    case OUTCOME_RECEIVE_INCOMPLETE:
    case OUTCOME_REJECTED_BY_RULE:
    case OUTCOME_SENDER_NOT_FAX:
    case OUTCOME_UNKNOWN:
    case OUTCOME_COUNT:
        break;
    }
    return RETRY_PROTOCOL;
}

bool retry_is_at_once(enum fax_outcome outcome)
{
    return outcome == OUTCOME_T38_NEGOTIATION_FAILED || outcome == OUTCOME_CAPABILITY_MISMATCH;
}

static int read_delays(int *delays, const char *word, const json_t *list)
{
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count < 1 || count > RETRY_DELAYS_MAX)
        return err_set(ERR_INVALID, "retry.delays.%s: 1 to %d numbers of seconds are needed", word, RETRY_DELAYS_MAX);
    memset(delays, 0, sizeof(*delays) * RETRY_DELAYS_MAX);
    for (size_t i = 0; i < count; i++) {
        json_int_t delay = json_integer_value(json_array_get(list, i));
        if (delay < 1 || delay > DELAY_MAX_S)
            return err_set(ERR_INVALID, "retry.delays.%s: each is a number of seconds from 1 to %d", word, DELAY_MAX_S);
        delays[i] = (int)delay;
    }
    return 0;
}

static int take_delays(struct retry_policy *policy, const json_t *delays)
{
    const char *word;
    json_t *list;
    if (delays && !json_is_object(delays))
        return err_set(ERR_INVALID, "retry.delays: an object of lists is needed");
    json_object_foreach((json_t *)delays, word, list)
    {
        int class = 0;
        while (class < RETRY_CLASS_COUNT && strcmp(class_words[class], word) != 0)
            class ++;
        if (class == RETRY_CLASS_COUNT)
            return err_set(ERR_INVALID, "retry.delays: busy, no_answer, line, protocol and disconnected are known");
        int error = read_delays(policy->delay_s[class], word, list);
        if (error)
            return error;
    }
    return 0;
}

int retry_policy_for(struct retry_policy *policy, const struct retry_policy *base, const struct fax *fax)
{
    *policy = *base;
    if (fax->max_attempts > 0)
        policy->max_attempts = fax->max_attempts;
    policy->resume = fax->resume;
    policy->on_unconfirmed = fax->on_unconfirmed;
    if (!fax->options || !*fax->options)
        return 0;
    json_t *options = json_loads(fax->options, 0, NULL);
    if (!options)
        return err_set(ERR_INVALID, "the fax's options are not JSON");
    int error = take_delays(policy, json_object_get(options, "delays"));
    json_decref(options);
    return error;
}

static int delay_for(const struct retry_policy *policy, enum retry_class class, int before)
{
    const int *delays = policy->delay_s[class];
    int delay = 60; /* a list that is empty */
    for (int i = 0; i < RETRY_DELAYS_MAX && delays[i] > 0; i++) {
        delay = delays[i];
        if (i == before)
            break;
    }
    return delay;
}

static void end(struct retry_decision *decision, enum fax_state state, enum fax_delivery delivery)
{
    decision->next = state;
    decision->delivery = delivery;
}

/* What the far end is known to hold when nothing more will be sent. */
static enum fax_delivery known_delivery(const struct retry_facts *facts)
{
    if (facts->earlier_unconfirmed)
        return FAX_DELIVERY_UNCONFIRMED;
    return facts->pages_confirmed > 0 ? FAX_DELIVERY_PARTIAL : FAX_DELIVERY_NONE;
}

/* No further call. An earlier call may have delivered all of it, unconfirmed: then "failed" would be as untrue as
 * "delivered". */
static void give_up(struct retry_decision *decision, const struct retry_facts *facts)
{
    if (facts->earlier_unconfirmed)
        end(decision, FAX_UNCONFIRMED, FAX_DELIVERY_UNCONFIRMED);
    else if (facts->pages_confirmed > 0)
        end(decision, FAX_PARTIALLY_DELIVERED, FAX_DELIVERY_PARTIAL);
    else
        end(decision, FAX_FAILED, FAX_DELIVERY_NONE);
}

static bool may_call_again(const struct retry_policy *policy, const struct retry_facts *facts, enum fax_outcome outcome)
{
    const struct outcome_info *info = outcome_info(outcome);
    if (!info->retryable)
        return false;
    if (outcome == OUTCOME_NOT_FAX && facts->same_class_calls >= 1)
        return false; /* once more is enough to disturb a person who answers the telephone */
    if (!info->counts)
        return facts->same_class_calls < policy->max_uncounted;
    return facts->attempts < policy->max_attempts;
}

static void call_again(struct retry_decision *decision, const struct retry_policy *policy,
                       const struct retry_facts *facts, enum fax_outcome outcome)
{
    enum retry_class class = retry_class_of(outcome);
    decision->delivery = known_delivery(facts);
    decision->reason = outcome == OUTCOME_LINE_UNAVAILABLE ? "line_unavailable" : "retry";
    decision->other_line = class == RETRY_LINE || outcome == OUTCOME_CONGESTION || outcome == OUTCOME_MEDIA_TIMEOUT;
    if (retry_is_at_once(outcome) && facts->same_class_calls == 0) {
        decision->next = FAX_QUEUED; /* in another form */
        return;
    }
    int before = outcome == OUTCOME_NOT_FAX || retry_is_at_once(outcome) ? 0 : facts->same_class_calls;
    decision->next = FAX_SCHEDULED;
    decision->not_before = facts->now_ms + 1000 * (int64_t)delay_for(policy, class, before);
    if (facts->expires_at > 0 && decision->not_before >= facts->expires_at) {
        decision->not_before = 0;
        decision->reason = "";
        end(decision, FAX_EXPIRED, known_delivery(facts));
    }
}

void retry_decide(struct retry_decision *decision, const struct retry_policy *policy, const struct retry_facts *given)
{
    struct retry_facts facts = *given;
    *decision = (struct retry_decision){.next = FAX_FAILED, .reason = ""};
    bool all = facts.pages_total > 0 && facts.pages_confirmed >= facts.pages_total;
    if (facts.final_confirmed && all) {
        end(decision, FAX_DELIVERED, FAX_DELIVERY_CONFIRMED);
        return;
    }
    /* A provider's "success" without the far end's word is no more than "it left". With the last message confirmed but
     * pages missing, what is missing failed. */
    enum fax_outcome outcome = facts.outcome;
    bool unconfirmed = !facts.final_confirmed && (facts.end_sent || outcome == OUTCOME_SUCCESS);
    if (outcome == OUTCOME_SUCCESS || outcome == OUTCOME_NONE)
        outcome = unconfirmed ? OUTCOME_CONFIRMATION_LOST : OUTCOME_PAGE_TRANSFER_FAILED;
    if (unconfirmed) {
        facts.earlier_unconfirmed = true;
        if (facts.cancel_wanted || policy->on_unconfirmed == FAX_UNCONFIRMED_STOP) {
            end(decision, FAX_UNCONFIRMED, FAX_DELIVERY_UNCONFIRMED);
            return;
        }
    }
    if (facts.cancel_wanted)
        end(decision, FAX_CANCELED, known_delivery(&facts));
    else if (!may_call_again(policy, &facts, outcome))
        give_up(decision, &facts);
    else if (facts.expires_at > 0 && facts.now_ms >= facts.expires_at)
        end(decision, FAX_EXPIRED, known_delivery(&facts));
    else
        call_again(decision, policy, &facts, outcome);
}

void retry_set_default(struct spool *spool, const struct retry_policy *policy)
{
    spool_assert_loop(spool);
    *spool->policy = *policy;
}
