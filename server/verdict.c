/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules behind "what is shown is true". Used at the end of a call by server/outbound and server/inbound, and after
 * a crash by the same two through server/recovery. */
#include "server/verdict.h"

#include <string.h>

static enum fax_outcome outcome_of_link(enum link_outcome outcome)
{
    switch (outcome) {
    case LINK_OUTCOME_LINE_UNAVAILABLE:
        return OUTCOME_LINE_UNAVAILABLE;
    case LINK_OUTCOME_NO_DIAL_TONE:
        return OUTCOME_NO_DIAL_TONE;
    case LINK_OUTCOME_BUSY:
        return OUTCOME_BUSY;
    case LINK_OUTCOME_NO_ANSWER:
        return OUTCOME_NO_ANSWER;
    case LINK_OUTCOME_BAD_ADDRESS:
        return OUTCOME_BAD_ADDRESS;
    case LINK_OUTCOME_DISCONNECTED:
        return OUTCOME_DISCONNECTED;
    case LINK_OUTCOME_FATAL_ERROR:
        return OUTCOME_PROTOCOL_ERROR;
    case LINK_OUTCOME_NOT_FAX:
        return OUTCOME_NOT_FAX;
    case LINK_OUTCOME_CALL_DELAYED:
        return OUTCOME_CALL_DELAYED;
    case LINK_OUTCOME_BLACKLISTED:
        return OUTCOME_BLACKLISTED;
    case LINK_OUTCOME_ABORTED:
        return OUTCOME_ABORTED;
    case LINK_OUTCOME_UNKNOWN:
        return OUTCOME_UNKNOWN;
    case LINK_OUTCOME_NONE:
    case LINK_OUTCOME_COUNT:
        break;
    }
    return OUTCOME_INTERNAL;
}

static bool journal_used(const struct journal_state *journal)
{
    return journal->answered || journal->end_sent || journal->final_confirmed || journal->pages_confirmed > 0 ||
           journal->pages_received > 0 || journal->closed;
}

static const char *record_text(const json_t *record, const char *key)
{
    const char *text = json_string_value(json_object_get(record, key));

    return text != NULL && text[0] != '\0' ? text : NULL;
}

static int64_t record_time(const json_t *record, const char *key)
{
    int64_t at = json_integer_value(json_object_get(record, key));

    return at > 0 ? at : 0;
}

/* What record and host say of the call whatever its direction. */
static void take_common(struct attempt_result *result, const struct verdict_facts *facts)
{
    const struct link_message *ended = facts->ended;

    memset(result, 0, sizeof *result);
    result->record = facts->record;
    result->message = record_text(facts->record, "message");
    result->remote_station_id = record_text(facts->record, "remote_station_id");
    result->connected_at = record_time(facts->record, "answered_at_ms");
    result->ended_at = record_time(facts->record, "ended_at_ms");
    if (ended == NULL)
        return;
    result->fs_status = ended->status;
    if (result->remote_station_id == NULL)
        result->remote_station_id = ended->station_id;
}

/* The most precise word there is for a failure. A record may say why, never that all is well. */
static enum fax_outcome failure_outcome(const struct verdict_facts *facts)
{
    enum fax_outcome precise = outcome_from_code(record_text(facts->record, "outcome"));
    enum fax_outcome plain = outcome_of_link((enum link_outcome)facts->ended->outcome);

    if (facts->ended->result == LINK_RESULT_NOT_STARTED)
        return OUTCOME_LINE_UNAVAILABLE;
    if (plain == OUTCOME_ABORTED || precise == OUTCOME_NONE || precise == OUTCOME_SUCCESS)
        return plain;
    return precise;
}

static void send_died(struct attempt_result *result, const struct verdict_facts *facts)
{
    result->outcome = OUTCOME_INTERNAL;
    result->message = "The provider or its engine ended in mid-call.";
    if (!journal_used(&facts->journal) && facts->transmitting) {
        result->end_sent = true; /* nobody knows how far it got: never a second copy by accident */
        result->message = "The provider ended in mid-call and keeps no journal of its calls.";
    }
}

static void send_ended(struct attempt_result *result, const struct verdict_facts *facts)
{
    const json_t *record = facts->record;
    bool journal = journal_used(&facts->journal);

    if (!journal) {
        result->pages_confirmed = (int)json_integer_value(json_object_get(record, "pages_confirmed"));
        result->end_sent = json_is_true(json_object_get(record, "end_sent"));
    }
    if (json_is_true(json_object_get(record, "final_confirmed")))
        result->final_confirmed = true;
    if (facts->ended->result == LINK_RESULT_SENT && !journal &&
        !json_is_false(json_object_get(record, "final_confirmed")))
        result->final_confirmed = true;
    if (facts->ended->result == LINK_RESULT_SENT || facts->ended->result == LINK_RESULT_SENT_UNCONFIRMED)
        result->end_sent = true;
    result->outcome = failure_outcome(facts);
}

void verdict_send(struct attempt_result *result, const struct verdict_facts *facts)
{
    take_common(result, facts);
    if (facts->ended != NULL)
        send_ended(result, facts);
    else
        send_died(result, facts);
    if (journal_used(&facts->journal)) {
        result->pages_confirmed = facts->journal.pages_confirmed;
        result->end_sent = result->end_sent || facts->journal.end_sent;
        result->final_confirmed = result->final_confirmed || facts->journal.final_confirmed;
    }
    if (result->pages_confirmed < 0)
        result->pages_confirmed = 0;
    if (result->pages_confirmed > facts->pages_in_file)
        result->pages_confirmed = facts->pages_in_file;
    if (result->final_confirmed) {
        result->pages_confirmed = facts->pages_in_file;
        result->end_sent = true;
        result->outcome = OUTCOME_SUCCESS;
        result->message = NULL;
    } else if (result->end_sent) {
        result->outcome = OUTCOME_CONFIRMATION_LOST;
    }
}

static enum fax_outcome receive_outcome(const struct verdict_facts *facts)
{
    enum fax_outcome outcome = facts->ended != NULL ? failure_outcome(facts) : OUTCOME_INTERNAL;

    /* The words for a failed sender mean nothing on this side but that the document is not whole. */
    return outcome == OUTCOME_CONFIRMATION_LOST ? OUTCOME_RECEIVE_INCOMPLETE : outcome;
}

enum fax_state verdict_receive(struct attempt_result *result, int *pages, const struct verdict_facts *facts)
{
    bool journal = journal_used(&facts->journal);
    bool complete = facts->journal.receive_complete ||
                    (!journal && facts->ended != NULL && facts->ended->result == LINK_RESULT_RECEIVED);

    take_common(result, facts);
    *pages = journal ? facts->journal.pages_received : -1;
    if (complete) {
        result->outcome = OUTCOME_SUCCESS;
        result->final_confirmed = true;
        return FAX_RECEIVED;
    }
    result->outcome = receive_outcome(facts);
    if (!journal && (facts->ended == NULL || !facts->transmitting || result->outcome == OUTCOME_ABORTED))
        *pages = facts->transmitting && result->outcome != OUTCOME_ABORTED ? -1 : 0;
    if (facts->ended == NULL)
        result->message = "The provider or its engine ended in mid-call.";
    if (*pages == 0)
        return FAX_RECEIVE_FAILED;
    if (result->outcome != OUTCOME_ABORTED)
        result->outcome = OUTCOME_RECEIVE_INCOMPLETE;
    return FAX_PARTIALLY_RECEIVED;
}
