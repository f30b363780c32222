/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: a message as faxmail gets it, from the header to the answer; nothing is sent. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "contrib/mail/answer.h"
#include "contrib/mail/delivery.h"
#include "contrib/mail/message.h"
#include "contrib/mail/order.h"
#include "contrib/mail/sender.h"
#include "contrib/mail/settings.h"
#include "contrib/mail/subject.h"
#include "server/base/log.h"
#include "server/base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct settings settings;

static void add(struct words *words, const char *item)
{
    free(words->items);
    words->items = xcalloc(1, sizeof *words->items);
    words->items[0] = xstrdup(item);
    words->count = 1;
}

static void prepare(void)
{
    static int done;
    if (done++ > 0)
        return;
    message_init();
    settings_defaults(&settings);
    add(&settings.authserv_id, "mx.example");
    add(&settings.senders, "*");
    add(&settings.domains, "fax.example");
    free(settings.answer_from);
    settings.answer_from = xstrdup("Fax <fax@fax.example>");
}

static void check_text(const char *text)
{
    if (!str_is_utf8(text, strlen(text)) || strpbrk(text, "\r\n\033") != NULL)
        abort();
}

static void check_mail(const struct mail *mail, int documents)
{
    off_t end = lseek(documents, 0, SEEK_END);
    struct mail again;
    json_t *json = mail_to_json(mail);
    check_text(mail->from);
    check_text(mail->subject);
    check_text(mail->message_id);
    check_text(mail->refusal);
    if (json == NULL || mail_from_json(&again, json, end) < 0)
        abort();
    if (again.document_count != mail->document_count || (mail->refusal[0] != '\0') != (mail->status[0] != '\0'))
        abort();
    mail_clear(&again);
    json_decref(json);
}

static void order(struct subject *subject, const struct mail *mail, int documents)
{
    struct order order;
    struct address_number number = {.number = "1002"};
    char key[ORDER_KEY_SIZE];
    if (subject_parse(subject, mail->subject, INT64_C(1795262400000), "UTC") < 0 ||
        order_init(&order, mail, &settings, subject, documents, "x@a.example") < 0)
        return;
    json_decref(order_fields(&order, &number, order_key(key, mail, &number)));
    order_clear(&order);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recipient recipients[] = {
        {.address = "1002@fax.example", .outcome = OUTCOME_ACCEPTED, .status = "2.1.5"},
        {.address = "x@fax.example", .outcome = OUTCOME_ANSWERED, .status = "5.1.1"},
    };
    struct delivery delivery = {
        .settings = &settings, .sender = "x@a.example", .user = "", .client = "", .recipients = recipients, .count = 2};
    struct subject subject = {.text = ""};
    char why[SENDER_WHY];
    size_t length = 0;
    prepare();
    int in = memfd_create("message", MFD_CLOEXEC), documents = memfd_create("documents", MFD_CLOEXEC);
    if (in < 0 || documents < 0 || write(in, data, size) != (ssize_t)size)
        abort();
    mail_init(&delivery.mail);
    message_read(&delivery.mail, &settings, in, documents);
    check_mail(&delivery.mail, documents);
    sender_judge(why, &delivery.mail, &settings, "", "");
    order(&subject, &delivery.mail, documents);
    char *header = xasprintf("%.*s", (int)(size < 4000 ? size : 4000), (const char *)data);
    recipients[0].text = xstrdup("fax");
    recipients[1].text = xstrdup(delivery.mail.refusal);
    delivery.answer = answer_compose(&length, &delivery, &subject, header);
    if (length == 0 || strstr(delivery.answer, "Auto-Submitted: auto-replied\r\n") == NULL)
        abort();
    free(header);
    delivery_clear(&delivery);
    close(in);
    close(documents);
    return 0;
}
