/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "contrib/mail/order.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contrib/mail/mail.h"
#include "contrib/mail/settings.h"
#include "contrib/mail/subject.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"

/* What a cover page has room for; longer texts get a page of their own. */
#define NOTE_MAX     1500
#define NOTE_LINES   24
#define METADATA_MAX 480
#define FIELD_MAX    200

/* As faxd's mail_address_check() has it. */
#define LOCAL_MAX   64
#define RECEIPT_MAX 254

/* The text of the message when it is short enough for a note, else NULL. */
static char *read_note(const struct mail *mail, int documents)
{
    size_t size = (size_t)mail->body.size, got = 0;
    int lines = 1;
    if (mail->body.size <= 0 || mail->body.size > NOTE_MAX)
        return NULL;
    char *note = xmalloc(size + 1);
    while (got < size) {
        ssize_t now = pread(documents, note + got, size - got, (off_t)mail->body.offset + (off_t)got);
        if (now < 0 && errno == EINTR)
            continue;
        if (now <= 0)
            break;
        got += (size_t)now;
    }
    note[got] = '\0';
    for (const char *c = note; *c != '\0'; c++)
        lines += *c == '\n';
    if (got == size && lines <= NOTE_LINES)
        return note;
    free(note);
    return NULL;
}

int order_init(struct order *order, const struct mail *mail, const struct settings *settings,
               const struct subject *subject, int documents, const char *receipt_to)
{
    bool has_text = mail->body.size > 0, has_documents = mail->document_count > 0;
    const char *cover = subject->cover[0] != '\0'    ? subject->cover
                        : settings->cover[0] != '\0' ? settings->cover
                        : subject->with_cover        ? "plain"
                                                     : NULL;
    bool wants_cover = !subject->without_cover && cover != NULL &&
                       (subject->with_cover || (settings->body == BODY_COVER && has_text && has_documents));
    *order = (struct order){.mail = mail,
                            .settings = settings,
                            .subject = subject,
                            .documents = documents,
                            .receipt_to = receipt_to,
                            .cover = wants_cover ? cover : NULL};
    if (!has_text && !has_documents && !subject->with_cover)
        return err_set(ERR_INVALID, "the message has neither text nor attachments: there is nothing to fax");
    bool wants_text = has_text && (!has_documents || settings->body != BODY_NONE);
    if (wants_text && wants_cover)
        order->note = read_note(mail, documents);
    /* [nocover] with a document: the text was meant for the cover page. */
    order->with_body =
        wants_text && order->note == NULL && !(has_documents && subject->without_cover && settings->body == BODY_COVER);
    return 0;
}

void order_clear(struct order *order)
{
    free(order->note);
    order->note = NULL;
}

char *order_key(char key[ORDER_KEY_SIZE], const struct mail *mail, const struct address_number *number)
{
    const char *parts[] = {mail->from, mail->message_id[0] != '\0' ? mail->message_id : mail->digest, number->number,
                           number->subaddress};
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        g_checksum_update(sum, (const guchar *)parts[i], (gssize)strlen(parts[i]) + 1);
    snprintf(key, ORDER_KEY_SIZE, "mail-%s", g_checksum_get_string(sum));
    g_checksum_free(sum);
    return key;
}

bool order_may_have_receipt(const char *address)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t local = strcspn(address, "@"), length = strlen(address);
    if (local < 1 || local > LOCAL_MAX || address[local] == '\0' || length > RECEIPT_MAX || address[0] == '.' ||
        address[local - 1] == '.' || strstr(address, "..") != NULL)
        return false;
    for (size_t i = 0; i < local; i++) {
        if (strchr(letters, address[i]) == NULL && strchr("!#$%&'*+-/=?^_`{|}~.", address[i]) == NULL)
            return false;
    }
    const char *domain = address + local + 1;
    for (const char *c = domain; *c != '\0'; c++) {
        if ((strchr(letters, *c) == NULL && *c != '.' && *c != '-') || (*c == '-' && c[1] == '.') ||
            (*c == '.' && c[1] == '-'))
            return false;
    }
    return domain[0] != '\0' && strchr(".-", domain[0]) == NULL && strchr(".-", address[length - 1]) == NULL;
}

static void set(json_t *fields, const char *name, const char *value, int most)
{
    char *clean = NULL;
    mail_text(&clean, value, most);
    if (clean[0] != '\0')
        json_object_set_new(fields, name, json_string(clean));
    free(clean);
}

static void set_cover(json_t *fields, const struct order *order)
{
    if (order->cover == NULL)
        return;
    set(fields, "cover_page.template", order->cover, FIELD_MAX);
    set(fields, "cover_page.fields.from_name",
        order->mail->from_name[0] != '\0' ? order->mail->from_name : order->mail->from, FIELD_MAX);
    set(fields, "cover_page.fields.subject", order->subject->text, FIELD_MAX);
    if (order->note != NULL) /* with its lines */
        json_object_set_new(fields, "cover_page.note", json_string(order->note));
}

json_t *order_fields(const struct order *order, const struct address_number *number, const char *reference)
{
    const struct subject *subject = order->subject;
    json_t *fields = json_object();
    char at[CLOCK_TEXT_SIZE];
    set(fields, "to", number->number, FIELD_MAX);
    set(fields, "from", order->settings->from, FIELD_MAX);
    set(fields, "t30.sub", number->subaddress, FIELD_MAX);
    set(fields, "priority", subject->priority, FIELD_MAX);
    set(fields, "resolution", subject->resolution, FIELD_MAX);
    if (subject->not_before > 0)
        set(fields, "not_before", clock_format(at, subject->not_before), FIELD_MAX);
    set_cover(fields, order);
    set(fields, "client_reference", reference, FIELD_MAX);
    json_object_set_new(fields, "tags", json_pack("[s]", "mail"));
    set(fields, "metadata.mail_from", order->mail->from, METADATA_MAX);
    set(fields, "metadata.message_id", order->mail->message_id, METADATA_MAX);
    set(fields, "metadata.subject", subject->text, METADATA_MAX);
    set(fields, "metadata.bill", subject->bill, METADATA_MAX);
    set(fields, "receipt.email", order->receipt_to, METADATA_MAX);
    return fields;
}
