/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of outcomes. A new one is a value at the end of the enum and a row here. */
#include "spool/outcome.h"

#include <stddef.h>
#include <string.h>

_Static_assert(OUTCOME_SUCCESS == 1 && OUTCOME_BUSY == 4 && OUTCOME_BAD_ADDRESS == 7 && OUTCOME_NOT_FAX == 11 &&
                   OUTCOME_PAGE_TRANSFER_FAILED == 17 && OUTCOME_ABORTED == 22 && OUTCOME_CONVERSION_FAILED == 25 &&
                   OUTCOME_INTERNAL == 29 && OUTCOME_UNKNOWN == 33 && OUTCOME_COUNT == 34,
               "outcomes are stored");

static const struct outcome_info infos[OUTCOME_COUNT] = {
    [OUTCOME_NONE] = {"", "", "", "", "", "", false, false},
    [OUTCOME_SUCCESS] = {"success", "", "", "", "Every page was confirmed.", "", false, true},
    [OUTCOME_LINE_UNAVAILABLE] = {"line_unavailable", "line", "", "E346", "No line could take the call.",
                                  "Look at the lines of this group.", true, false},
    [OUTCOME_NO_DIAL_TONE] = {"no_dial_tone", "line", "A", "E004", "The line gave no dial tone.",
                              "Check the line's cable and the exchange.", true, true},
    [OUTCOME_BUSY] = {"busy", "call", "A", "E001", "The number was busy.", "", true, true},
    [OUTCOME_CONGESTION] = {"congestion", "call", "A", "E001", "The network had no free path to the number.", "", true,
                            true},
    [OUTCOME_NO_ANSWER] = {"no_answer", "call", "A", "E003", "Nobody answered.", "", true, true},
    [OUTCOME_BAD_ADDRESS] = {"bad_address", "call", "A", "E005", "The number does not exist.",
                             "Correct the number and send again.", false, true},
    [OUTCOME_CALL_REJECTED] = {"call_rejected", "call", "A", "", "The called side refused the call.",
                               "Ask the recipient whether faxes from your number are blocked.", false, true},
    [OUTCOME_BLACKLISTED] = {"blacklisted", "user", "", "E010", "The number may not be called.",
                             "Ask the administrator of this server.", false, true},
    [OUTCOME_CALL_DELAYED] = {"call_delayed", "call", "", "E338", "The number may not be called at this time.", "",
                              true, false},
    [OUTCOME_NOT_FAX] = {"not_fax", "call", "B", "E002", "The call was answered, but not by a fax machine.",
                         "Check that the number is a fax number.", true, true},
    [OUTCOME_DISCONNECTED] = {"disconnected", "call", "", "E124", "The call was cut.", "", true, true},
    [OUTCOME_T38_NEGOTIATION_FAILED] = {"t38_negotiation_failed", "protocol", "B", "",
                                        "T.38 could not be agreed with the far end.", "Send this number by G.711.",
                                        true, true},
    [OUTCOME_TRAINING_FAILED] = {"training_failed", "protocol", "B", "E105",
                                 "The modems could not agree on a rate the line can carry.", "Try a lower rate.", true,
                                 true},
    [OUTCOME_CAPABILITY_MISMATCH] = {"capability_mismatch", "protocol", "B", "E402",
                                     "The far end cannot take the document in this form.",
                                     "Send at a lower resolution.", true, true},
    [OUTCOME_REMOTE_AUTH_REQUIRED] = {"remote_auth_required", "protocol", "B", "E350",
                                      "The far end wants a subaddress or a password.", "Ask the recipient for them.",
                                      false, true},
    [OUTCOME_PAGE_TRANSFER_FAILED] = {"page_transfer_failed", "protocol", "C", "E130",
                                      "The far end did not accept a page.", "Try a lower rate.", true, true},
    [OUTCOME_CARRIER_LOST] = {"carrier_lost", "protocol", "C", "E112", "The signal was lost within a page.", "", true,
                              true},
    [OUTCOME_CONFIRMATION_LOST] = {"confirmation_lost", "protocol", "D", "E150",
                                   "The pages left, but the far end's confirmation did not arrive.",
                                   "Ask the recipient whether the fax is there before it is sent again.", true, true},
    [OUTCOME_PROTOCOL_ERROR] = {"protocol_error", "protocol", "", "E104", "The far end broke the fax protocol.", "",
                                true, true},
    [OUTCOME_MEDIA_TIMEOUT] = {"media_timeout", "call", "", "", "Nothing more came over the network.",
                               "Check the network between the server and the trunk.", true, true},
    [OUTCOME_ABORTED] = {"aborted", "user", "", "E344", "The call was ended on request.", "", false, true},
    [OUTCOME_EXPIRED] = {"expired", "user", "", "E325", "The fax was not through when its time ran out.", "", false,
                         true},
    [OUTCOME_DOCUMENT_UNSUPPORTED] = {"document_unsupported", "document", "", "E321",
                                      "The document's format is not supported.", "Send it as PDF.", false, true},
    [OUTCOME_CONVERSION_FAILED] = {"conversion_failed", "document", "", "E347",
                                   "The document could not be turned into fax pages.",
                                   "Check that the file opens elsewhere.", false, true},
    [OUTCOME_TOO_MANY_PAGES] = {"too_many_pages", "document", "", "E335", "The document has too many pages.",
                                "Send it in parts.", false, true},
    [OUTCOME_MEDIA_FETCH_FAILED] = {"media_fetch_failed", "document", "", "", "The document could not be fetched.",
                                    "Check its address.", false, true},
    [OUTCOME_STORAGE_FULL] = {"storage_full", "server", "", "E901", "The server's disk is full.",
                              "Ask the administrator of this server.", true, false},
    [OUTCOME_INTERNAL] = {"internal", "server", "", "E908", "The server failed.", "The server's log tells more.", true,
                          true},
    [OUTCOME_RECEIVE_INCOMPLETE] = {"receive_incomplete", "protocol", "", "",
                                    "The call ended before all pages were received.", "", false, true},
    [OUTCOME_REJECTED_BY_RULE] = {"rejected_by_rule", "user", "", "", "A rule of this server refused the call.", "",
                                  false, true},
    [OUTCOME_SENDER_NOT_FAX] = {"sender_not_fax", "call", "B", "", "The caller was not a fax machine.", "", false,
                                true},
    [OUTCOME_UNKNOWN] = {"unknown", "server", "", "", "The provider reported a status of its own.",
                         "See the raw status of the attempt.", false, true},
};

const struct outcome_info *outcome_info(enum fax_outcome outcome)
{
    if ((unsigned)outcome >= OUTCOME_COUNT)
        return &infos[OUTCOME_INTERNAL];
    return &infos[outcome];
}

enum fax_outcome outcome_from_code(const char *code)
{
    if (!code)
        return OUTCOME_NONE;
    for (int i = OUTCOME_SUCCESS; i < OUTCOME_COUNT; i++)
        if (strcmp(infos[i].code, code) == 0)
            return (enum fax_outcome)i;
    return OUTCOME_NONE;
}
