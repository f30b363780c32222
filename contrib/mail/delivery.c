/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The route of a message: reader -> sender, subject, addresses -> faxd -> answer. */
#include "config.h"

#include "contrib/mail/delivery.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "contrib/mail/answer.h"
#include "contrib/mail/faxes.h"
#include "contrib/mail/incoming.h"
#include "contrib/mail/order.h"
#include "contrib/mail/reader.h"
#include "contrib/mail/sender.h"
#include "contrib/mail/settings.h"
#include "contrib/mail/smarthost.h"
#include "contrib/mail/subject.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#define DAY_MS     INT64_C(86400000)
#define POLL_MS    100
#define HEADER_MAX 8192
/* faxd knows a fax by its reference for as long as it keeps it. A message that comes again after that would be a second
 * fax, so that an answer which cannot be sent is given up before. */
#define ANSWER_TRIED_MS (2 * DAY_MS)

struct run {
    struct delivery *delivery;
    const struct settings *settings;
    struct subject subject;
    struct order order;
    struct faxes *faxes;
    struct smarthost *smarthost;
    bool proved;     /* the envelope sender is who sent it, and may hear of it */
    bool automatic;  /* never answered; a report of the mail server may be */
    bool unbelieved; /* From may be a lie */
    int documents;
};

static void settle(struct recipient *recipient, enum outcome outcome, const char *status, const char *text)
{
    recipient->outcome = outcome;
    str_copy(recipient->status, sizeof recipient->status, status);
    char *clean = NULL;
    mail_text(&clean, text, 1500);
    free(recipient->text);
    recipient->text = clean;
}

static void settle_all(struct delivery *delivery, enum outcome outcome, const char *status, const char *text)
{
    char *copy = xstrdup(text); /* it may be err_message() */
    for (int i = 0; i < delivery->count; i++)
        settle(&delivery->recipients[i], outcome, status, copy);
    free(copy);
}

/* --- before faxd --- */

static bool may_answer(const struct run *run)
{
    return run->proved && !run->automatic && run->settings->smarthost[0] != '\0' &&
           !(run->unbelieved && run->settings->unbelieved != UNBELIEVED_ANSWER);
}

/* Who has to hear of a refusal? A mail server with a queue tells the envelope sender as faxmail would: a stranger, when
 * that is forged. */
static enum outcome refusal(const struct run *run)
{
    if (run->unbelieved && run->settings->unbelieved == UNBELIEVED_DROP)
        return OUTCOME_DROPPED;
    if (!run->proved)
        return run->settings->before_queue ? OUTCOME_REFUSED : OUTCOME_DROPPED;
    return may_answer(run) ? OUTCOME_ANSWERED : OUTCOME_REFUSED;
}

/* Reasons that speak against the message as a whole. True = refused. */
static bool refuse_whole(struct run *run)
{
    struct delivery *delivery = run->delivery;
    const struct mail *mail = &delivery->mail;
    char why[SENDER_WHY];
    if (mail->hops > run->settings->max_hops) {
        settle_all(delivery, refusal(run), "5.4.6", "the message went through too many servers: it runs in a circle");
        return true;
    }
    bool nameless = mail->refusal[0] != '\0' && mail->from_count == 0;
    enum sender_verdict verdict = sender_judge(why, mail, run->settings, delivery->user, delivery->client);
    run->unbelieved = verdict == SENDER_UNBELIEVED;
    if (strcmp(mail->status, MAIL_AGAIN) == 0)
        settle_all(delivery, OUTCOME_LATER, mail->status, mail->refusal);
    else if (verdict != SENDER_MAY)
        settle_all(delivery, refusal(run), nameless ? mail->status : "5.7.1", nameless ? mail->refusal : why);
    else if (mail->refusal[0] != '\0')
        settle_all(delivery, refusal(run), mail->status, mail->refusal);
    return verdict != SENDER_MAY || mail->refusal[0] != '\0';
}

/* [at=18:00] counts from when the message was written, so that it means the same however often it comes. */
static int64_t written_at(const struct mail *mail)
{
    int64_t now = clock_now_ms();
    return mail->date_ms > now - 2 * DAY_MS && mail->date_ms < now + DAY_MS ? mail->date_ms : now;
}

/* Who gets faxd's receipt, "" = nobody. */
static const char *receipt_to(struct run *run)
{
    const char *sender = run->delivery->sender;
    if (!run->settings->receipt || run->automatic || !run->proved)
        return "";
    if (order_may_have_receipt(sender))
        return sender;
    mail_note(&run->delivery->mail, "no receipt can be sent to %s", sender);
    return "";
}

static bool refuse_order(struct run *run)
{
    struct delivery *delivery = run->delivery;
    int result =
        subject_parse(&run->subject, delivery->mail.subject, written_at(&delivery->mail), run->settings->time_zone);
    if (result == 0)
        result =
            order_init(&run->order, &delivery->mail, run->settings, &run->subject, run->documents, receipt_to(run));
    if (result < 0)
        settle_all(delivery, refusal(run), "5.6.0", err_message());
    return result < 0;
}

static void read_addresses(struct run *run)
{
    struct delivery *delivery = run->delivery;
    for (int i = 0; i < delivery->count; i++) {
        struct recipient *recipient = &delivery->recipients[i];
        int result = address_parse(&recipient->number, recipient->address, &run->settings->domains);
        if (result < 0) {
            char *why = xstrdup(err_message());
            settle(recipient, refusal(run), result == ERR_NOT_FOUND ? "5.1.2" : "5.1.1", why);
            free(why);
        }
    }
}

static bool is_open(const struct recipient *recipient)
{
    return recipient->text == NULL;
}

/* Where all share one result, the mail server would tell of one wrong address that none of them was reached. */
static void refuse_together(struct delivery *delivery)
{
    const struct recipient *wrong = NULL;
    for (int i = 0; i < delivery->count && delivery->together && wrong == NULL; i++) {
        if (!is_open(&delivery->recipients[i]) && delivery->recipients[i].outcome == OUTCOME_REFUSED)
            wrong = &delivery->recipients[i];
    }
    for (int i = 0; i < delivery->count && wrong != NULL; i++) {
        if (is_open(&delivery->recipients[i]))
            settle(&delivery->recipients[i], OUTCOME_REFUSED, wrong->status,
                   "no fax was sent, since another address of the message is wrong");
    }
}

/* --- faxd --- */

static void accept(struct recipient *recipient, json_t *fax, bool known)
{
    const char *id = json_string_value(json_object_get(fax, "id"));
    char *text = xasprintf("fax %s%s", id != NULL ? id : "?", known ? ", accepted before" : "");
    recipient->fax = fax;
    settle(recipient, OUTCOME_ACCEPTED, "2.1.5", text);
    free(text);
}

static void send_one(struct run *run, struct recipient *recipient)
{
    char key[ORDER_KEY_SIZE];
    json_t *fax = NULL;
    order_key(key, &run->delivery->mail, &recipient->number);
    struct faxes_order order = {.fields = order_fields(&run->order, &recipient->number, key),
                                .mail = &run->delivery->mail,
                                .documents = run->documents,
                                .with_body = run->order.with_body,
                                .key = key};
    /* The Idempotency-Key is for what comes twice at once: faxd may forget it in minutes. This Message-ID may have been
     * here with other words: it is a fax already, and stays that one. */
    int result = faxes_find(&fax, run->faxes, key);
    if (result == 0)
        json_object_set_new(fax, "replayed", json_true());
    else if (result == ERR_NOT_FOUND)
        result = faxes_post(&fax, run->faxes, &order);
    if (result == ERR_CONFLICT && (result = faxes_find(&fax, run->faxes, key)) == ERR_NOT_FOUND)
        result = err_set(ERR_INVALID, "a message with the same Message-ID was faxed before");
    json_decref(order.fields);
    if (result == 0) {
        accept(recipient, fax, json_is_true(json_object_get(fax, "replayed")));
    } else {
        char *why = xstrdup(err_message());
        settle(recipient, result == ERR_AGAIN ? OUTCOME_LATER : refusal(run), result == ERR_AGAIN ? "4.3.0" : "5.6.0",
               why);
        free(why);
    }
}

/* A fax that failed before its first call could not be made of the message: that is what its sender should hear. */
static void look_at(struct run *run, struct recipient *recipient)
{
    const json_t *fax = recipient->fax, *error = json_object_get(fax, "error");
    const char *status = json_string_value(json_object_get(fax, "status"));
    const char *message = json_string_value(json_object_get(error, "message"));
    if (status == NULL || strcmp(status, "failed") != 0 || json_integer_value(json_object_get(fax, "attempts")) > 0)
        return;
    settle(recipient, refusal(run), "5.6.1", message != NULL ? message : "the document cannot be converted");
    json_decref(recipient->fax);
    recipient->fax = NULL;
}

static bool is_prepared(const json_t *fax)
{
    const char *status = json_string_value(json_object_get(fax, "status"));
    return status == NULL || strcmp(status, "preparing") != 0;
}

static void wait_prepared(struct run *run, struct recipient *recipient, int64_t until_ms)
{
    const char *id = json_string_value(json_object_get(recipient->fax, "id"));
    json_t *fax = NULL;
    while (id != NULL && faxes_get(&fax, run->faxes, id) == 0) {
        bool known = json_is_true(json_object_get(recipient->fax, "replayed"));
        json_decref(recipient->fax);
        recipient->fax = fax;
        if (known)
            json_object_set_new(fax, "replayed", json_true());
        id = json_string_value(json_object_get(fax, "id"));
        if (is_prepared(fax) || clock_mono_ms() >= until_ms)
            break;
        const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
        nanosleep(&pause, NULL);
    }
    look_at(run, recipient);
}

static void send_all(struct run *run)
{
    struct delivery *delivery = run->delivery;
    for (int i = 0; i < delivery->count && delivery->dry; i++) {
        if (is_open(&delivery->recipients[i]))
            settle(&delivery->recipients[i], OUTCOME_ACCEPTED, "2.0.0", "would be sent");
    }
    if (delivery->dry)
        return;
    run->faxes = faxes_open(run->settings);
    for (int i = 0; i < delivery->count; i++) {
        if (is_open(&delivery->recipients[i]))
            send_one(run, &delivery->recipients[i]);
    }
    int64_t until_ms = clock_mono_ms() + run->settings->wait_s * INT64_C(1000);
    for (int i = 0; i < delivery->count; i++) {
        if (delivery->recipients[i].outcome == OUTCOME_ACCEPTED)
            wait_prepared(run, &delivery->recipients[i], until_ms);
    }
}

/* --- the answer --- */

static int count_of(const struct delivery *delivery, enum outcome outcome)
{
    int count = 0;
    for (int i = 0; i < delivery->count; i++)
        count += delivery->recipients[i].text != NULL && delivery->recipients[i].outcome == outcome;
    return count;
}

/* The header of the original, as it came. */
static char *read_header(int fd)
{
    char *text = xmalloc(HEADER_MAX + 1);
    ssize_t got = pread(fd, text, HEADER_MAX, 0);
    text[got > 0 ? got : 0] = '\0';
    char *end = strstr(text, "\n\n"), *crlf = strstr(text, "\n\r\n");
    if (crlf != NULL && (end == NULL || crlf < end))
        end = crlf;
    if (end != NULL)
        end[1] = '\0';
    return text;
}

/* True while the message may come again without becoming a second fax. */
static bool may_come_again(const struct delivery *delivery)
{
    for (int i = 0; i < delivery->count; i++) {
        const json_t *timing = json_object_get(delivery->recipients[i].fax, "timing");
        const char *created = json_string_value(json_object_get(timing, "created"));
        int64_t at_ms;
        if (created != NULL && clock_parse(&at_ms, created) == 0 && clock_now_ms() - at_ms > ANSWER_TRIED_MS)
            return false;
    }
    return true;
}

static void send_answer(struct run *run, const struct incoming *incoming)
{
    struct delivery *delivery = run->delivery;
    size_t size = 0;
    char *header = read_header(incoming->fd);
    delivery->answer = answer_compose(&size, delivery, &run->subject, header);
    free(header);
    if (delivery->dry)
        return;
    int result = smarthost_send(run->smarthost, delivery->sender, delivery->answer, size);
    if (result == 0)
        return;
    if (result == ERR_AGAIN && may_come_again(delivery)) {
        settle_all(delivery, OUTCOME_LATER, "4.4.1", err_message());
        return;
    }
    log_warning("an answer to %s was given up: %s", delivery->sender, err_message());
    for (int i = 0; i < delivery->count; i++) {
        if (delivery->recipients[i].outcome == OUTCOME_ANSWERED)
            delivery->recipients[i].outcome = OUTCOME_REFUSED; /* it was not: the mail server has to tell */
    }
}

static void answer(struct run *run, const struct incoming *incoming)
{
    struct delivery *delivery = run->delivery;
    int later = count_of(delivery, OUTCOME_LATER), accepted = count_of(delivery, OUTCOME_ACCEPTED);
    int decided = accepted + count_of(delivery, OUTCOME_ANSWERED);
    if (delivery->together && later > 0) {
        for (int i = 0; i < delivery->count; i++) {
            struct recipient *recipient = &delivery->recipients[i];
            if (recipient->outcome != OUTCOME_LATER)
                settle(recipient, OUTCOME_LATER, "4.3.0", "waits for the other recipients of the message");
        }
        return;
    }
    bool only_accepted = decided == accepted;
    if (may_answer(run) && decided > 0 && (!only_accepted || run->settings->answer_accepted))
        send_answer(run, incoming);
}

/* --- all of it --- */

/* Nothing is accepted when nobody could be told of it. */
static bool is_answerable(struct run *run)
{
    if (run->delivery->dry || !may_answer(run))
        return true;
    run->smarthost = smarthost_open(run->settings);
    if (smarthost_probe(run->smarthost) == 0)
        return true;
    settle_all(run->delivery, OUTCOME_LATER, "4.4.1", err_message());
    return false;
}

/* An address that an answer can be sent to. */
static bool is_address(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7F || *c == '<' || *c == '>')
            return false;
    }
    return strchr(text, '@') != NULL && strlen(text) <= ADDRESS_MAX && str_is_utf8(text, strlen(text));
}

static void deliver(struct run *run, const struct incoming *incoming)
{
    struct delivery *delivery = run->delivery;
    const struct mail *mail = &delivery->mail;
    if (mail->loop[0] != '\0') {
        settle_all(delivery, OUTCOME_DROPPED, "5.4.6", "the message is an answer of faxmail itself");
        return;
    }
    run->automatic = mail->automatic[0] != '\0';
    run->proved = is_address(delivery->sender) &&
                  sender_is_proved(mail, run->settings, delivery->sender, delivery->user, delivery->client);
    bool refused = refuse_whole(run) || refuse_order(run);
    if (!refused) {
        read_addresses(run);
        refuse_together(delivery);
    }
    if (!is_answerable(run))
        return;
    if (!refused)
        send_all(run);
    answer(run, incoming);
}

static void log_results(const struct delivery *delivery)
{
    static const char *const words[] = {[OUTCOME_ACCEPTED] = "accepted",
                                        [OUTCOME_ANSWERED] = "refused and answered",
                                        [OUTCOME_DROPPED] = "dropped",
                                        [OUTCOME_REFUSED] = "refused",
                                        [OUTCOME_LATER] = "to be tried again"};
    for (int i = 0; i < delivery->count; i++) {
        const struct recipient *recipient = &delivery->recipients[i];
        log_info("message %s: message_id=<%s> sender=<%s> from=<%s> to=<%s> status=%s: %s", words[recipient->outcome],
                 delivery->mail.message_id, delivery->sender, delivery->mail.from, recipient->address,
                 recipient->status, recipient->text);
    }
}

void delivery_run(struct delivery *delivery, const struct incoming *incoming)
{
    struct run run = {.delivery = delivery, .settings = delivery->settings, .documents = -1};
    if (reader_run(&delivery->mail, &run.documents, run.settings, incoming) < 0)
        settle_all(delivery, OUTCOME_LATER, "4.3.0", err_message());
    else
        deliver(&run, incoming);
    log_results(delivery);
    order_clear(&run.order);
    faxes_close(run.faxes);
    smarthost_close(run.smarthost);
    if (run.documents >= 0)
        close(run.documents);
}

void delivery_clear(struct delivery *delivery)
{
    for (int i = 0; i < delivery->count; i++) {
        free(delivery->recipients[i].text);
        json_decref(delivery->recipients[i].fax);
    }
    mail_clear(&delivery->mail);
    free(delivery->answer);
    delivery->answer = NULL;
}
