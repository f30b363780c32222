/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "contrib/mail/pipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "contrib/mail/delivery.h"
#include "contrib/mail/incoming.h"
#include "contrib/mail/settings.h"
#include "server/base/err.h"

static int status_of(const struct recipient *recipient)
{
    if (recipient->outcome == OUTCOME_LATER)
        return EX_TEMPFAIL;
    if (recipient->outcome != OUTCOME_REFUSED)
        return EX_OK;
    if (strncmp(recipient->status, "5.1.", 4) == 0)
        return EX_NOUSER;
    return strncmp(recipient->status, "5.7.", 4) == 0 ? EX_NOPERM : EX_DATAERR;
}

/* What is to be tried again comes first, then what is refused. */
static const struct recipient *worst_of(const struct delivery *delivery)
{
    const struct recipient *worst = &delivery->recipients[0];
    for (int i = 1; i < delivery->count; i++) {
        const struct recipient *other = &delivery->recipients[i];
        if (status_of(worst) != EX_TEMPFAIL && (status_of(other) == EX_TEMPFAIL || status_of(worst) == EX_OK))
            worst = other;
    }
    return worst;
}

static int tell(const struct delivery *delivery)
{
    const struct recipient *worst = worst_of(delivery);
    int status = status_of(worst);
    if (status == EX_OK)
        return EX_OK;
    printf("%s", worst->status);
    for (int i = 0; i < delivery->count; i++) {
        const struct recipient *recipient = &delivery->recipients[i];
        if (delivery->count == 1)
            printf(" %s", recipient->text);
        else if (status != EX_TEMPFAIL || recipient->outcome == OUTCOME_LATER)
            printf(" %s: %s;", recipient->address, recipient->text);
    }
    printf("\n");
    return status;
}

int pipe_run(struct delivery *delivery, int from)
{
    struct incoming incoming;
    int status = EX_TEMPFAIL;
    delivery->together = true;
    if (incoming_open(&incoming, delivery->settings) < 0 || incoming_take(&incoming, from) < 0) {
        printf("4.3.0 %s\n", err_message());
    } else {
        delivery_run(delivery, &incoming);
        status = tell(delivery);
    }
    incoming_close(&incoming);
    return fflush(stdout) == 0 ? status : EX_TEMPFAIL;
}

static const char *outcome_name(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_ACCEPTED:
        return "accepted";
    case OUTCOME_ANSWERED:
        return "answered";
    case OUTCOME_DROPPED:
        return "dropped";
    case OUTCOME_REFUSED:
        return "refused";
    case OUTCOME_LATER:
        return "later";
    }
    return "later";
}

static void print(const struct delivery *delivery)
{
    json_t *recipients = json_array();
    for (int i = 0; i < delivery->count; i++) {
        const struct recipient *recipient = &delivery->recipients[i];
        json_array_append_new(recipients,
                              json_pack("{s:s*, s:s, s:s, s:s, s:s, s:s}", "address", recipient->address, "number",
                                        recipient->number.number, "subaddress", recipient->number.subaddress, "outcome",
                                        outcome_name(recipient->outcome), "status", recipient->status, "text",
                                        recipient->text));
    }
    json_t *all = json_pack("{s:o, s:o, s:s*}", "recipients", recipients, "mail", mail_to_json(&delivery->mail),
                            "answer", delivery->answer);
    json_dumpf(all, stdout, JSON_INDENT(1));
    printf("\n");
    json_decref(all);
}

int pipe_check(struct delivery *delivery, int from)
{
    struct incoming incoming;
    delivery->together = delivery->dry = true;
    if (incoming_open(&incoming, delivery->settings) < 0 || incoming_take(&incoming, from) < 0) {
        fprintf(stderr, "faxmail: %s\n", err_message());
        incoming_close(&incoming);
        return EX_TEMPFAIL;
    }
    delivery_run(delivery, &incoming);
    print(delivery);
    incoming_close(&incoming);
    return status_of(worst_of(delivery));
}
