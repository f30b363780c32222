/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Composed by GMime, so that names in every script come out as mail wants them. */
#include "config.h"

#include "contrib/mail/answer.h"

#include <gmime/gmime.h>
#include <stdlib.h>
#include <string.h>

#include "contrib/mail/delivery.h"
#include "contrib/mail/message.h"
#include "contrib/mail/settings.h"
#include "contrib/mail/subject.h"
#include "server/base/log.h"
#include "server/base/time_zone.h"
#include "server/base/utf8.h"

#define LINE_MAX_OCTETS 900

static bool is_decided(const struct recipient *recipient)
{
    return recipient->outcome == OUTCOME_ACCEPTED || recipient->outcome == OUTCOME_ANSWERED ||
           recipient->outcome == OUTCOME_REFUSED;
}

static int count_of(const struct delivery *delivery, bool accepted)
{
    int count = 0;
    for (int i = 0; i < delivery->count; i++) {
        const struct recipient *recipient = &delivery->recipients[i];
        count += is_decided(recipient) && (recipient->outcome == OUTCOME_ACCEPTED) == accepted;
    }
    return count;
}

/* --- the text --- */

static void tell_accepted(GString *text, const struct recipient *recipient, const struct settings *settings,
                          const struct subject *subject)
{
    const json_t *fax = recipient->fax, *total = json_object_get(json_object_get(fax, "pages"), "total");
    const char *id = json_string_value(json_object_get(fax, "id"));
    bool known = json_is_true(json_object_get(fax, "replayed"));
    g_string_append_printf(text, "The fax to %s was accepted%s.\n  id: %s\n", recipient->number.number,
                           known ? " before, and is not sent again" : "", id != NULL ? id : "?");
    if (recipient->number.subaddress[0] != '\0')
        g_string_append_printf(text, "  subaddress: %s\n", recipient->number.subaddress);
    if (json_is_integer(total))
        g_string_append_printf(text, "  pages: %lld\n", (long long)json_integer_value(total));
    else
        g_string_append(text, "  pages: still being made\n");
    if (subject->not_before > 0) {
        char when[80];
        g_string_append_printf(
            text, "  not before: %s\n",
            time_zone_format(when, sizeof when, subject->not_before, settings->time_zone, "%Y-%m-%d %H:%M %Z"));
    } else {
        g_string_append(text, "  sent as soon as a line is free\n");
    }
}

static void tell_notes(GString *text, const struct mail *mail, const struct subject *subject)
{
    size_t index;
    json_t *note;
    if (subject->unknown[0] != '\0')
        g_string_append_printf(text, "\nNot known as options and left in the subject: %s\n", subject->unknown);
    json_array_foreach(mail->notes, index, note)
        g_string_append_printf(text, "%sNote: %s.\n", index == 0 ? "\n" : "", json_string_value(note));
}

static char *body_text(const struct delivery *delivery, const struct subject *subject)
{
    GString *text = g_string_new("");
    for (int i = 0; i < delivery->count; i++) {
        const struct recipient *recipient = &delivery->recipients[i];
        if (!is_decided(recipient))
            continue;
        if (text->len > 0)
            g_string_append_c(text, '\n');
        if (recipient->outcome == OUTCOME_ACCEPTED)
            tell_accepted(text, recipient, delivery->settings, subject);
        else
            g_string_append_printf(text, "No fax was sent to %.320s:\n  %s.\n", recipient->address, recipient->text);
    }
    tell_notes(text, &delivery->mail, subject);
    g_string_append_printf(text, "\n-- \nThis is an automatic answer of the fax server %s",
                           delivery->settings->hostname);
    if (delivery->mail.subject[0] != '\0')
        g_string_append_printf(text, "\nto your message \"%.300s\"", delivery->mail.subject);
    g_string_append(text, ".\n");
    return g_string_free(text, FALSE);
}

static GMimeObject *text_part(const char *type, const char *subtype, const char *text)
{
    GMimePart *part = g_mime_part_new_with_type(type, subtype);
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(text, strlen(text));
    GMimeDataWrapper *content = g_mime_data_wrapper_new_with_stream(stream, GMIME_CONTENT_ENCODING_DEFAULT);
    g_mime_part_set_content(part, content);
    if (strcmp(type, "text") == 0) {
        g_mime_object_set_content_type_parameter(GMIME_OBJECT(part), "charset", "utf-8");
        g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
    }
    g_object_unref(content);
    g_object_unref(stream);
    return GMIME_OBJECT(part);
}

/* --- the delivery status --- */

/* An address as a field has it: in ASCII, or as RFC 6533 3. writes others in it. */
static void add_address(GString *text, const char *address)
{
    bool ascii = true;
    for (const char *c = address; *c != '\0'; c++)
        ascii = ascii && (unsigned char)*c < 0x80;
    g_string_append(text, ascii ? "rfc822; " : "utf-8; ");
    for (size_t at = 0, length = strlen(address); at < length;) {
        uint32_t point;
        size_t step = utf8_next(&point, address + at, length - at);
        if (step == 0 || (point < 0x80 && (point <= ' ' || point == 0x7F)))
            g_string_append_c(text, '?');
        else if (!ascii && (point >= 0x80 || point == '\\' || point == '+' || point == '='))
            g_string_append_printf(text, "\\x{%X}", point);
        else
            g_string_append_len(text, address + at, (gssize)step);
        at += step == 0 ? 1 : step;
    }
    g_string_append_c(text, '\n');
}

static void add_ascii(GString *text, const char *value)
{
    for (int i = 0; i < LINE_MAX_OCTETS && value[i] != '\0'; i++)
        g_string_append_c(text, (unsigned char)value[i] >= ' ' && (unsigned char)value[i] < 0x7F ? value[i] : '?');
    g_string_append_c(text, '\n');
}

static char *status_text(const struct delivery *delivery)
{
    GString *text = g_string_new("Reporting-MTA: dns; ");
    add_ascii(text, delivery->settings->hostname);
    for (int i = 0; i < delivery->count; i++) {
        const struct recipient *recipient = &delivery->recipients[i];
        bool accepted = recipient->outcome == OUTCOME_ACCEPTED;
        if (!is_decided(recipient))
            continue;
        g_string_append(text, "\nFinal-Recipient: ");
        add_address(text, recipient->address);
        /* Relayed: into a network that makes no delivery status of its own (RFC 3464 2.3.3). */
        g_string_append_printf(text, "Action: %s\nStatus: %s\n", accepted ? "relayed" : "failed", recipient->status);
        g_string_append(text, "Diagnostic-Code: X-Fax; ");
        add_ascii(text, recipient->text);
    }
    return g_string_free(text, FALSE);
}

/* What strangers wrote, as text that is harmless. */
static char *clean_header(const char *header)
{
    GString *text = g_string_new("");
    for (size_t at = 0, length = strlen(header); at < length;) {
        uint32_t point;
        size_t step = utf8_next(&point, header + at, length - at);
        if (step == 0)
            g_string_append_c(text, '?');
        else if (point == '\n' || point == '\t' || point >= ' ')
            g_string_append_len(text, header + at, (gssize)step);
        at += step == 0 ? 1 : step;
    }
    return g_string_free(text, FALSE);
}

static GMimeObject *report(const struct delivery *delivery, GMimeObject *text, const char *header)
{
    GMimeMultipart *whole = g_mime_multipart_new_with_subtype("report");
    char *status = status_text(delivery);
    GMimeObject *part = text_part("message", "delivery-status", status);
    g_mime_object_set_content_type_parameter(GMIME_OBJECT(whole), "report-type", "delivery-status");
    g_mime_multipart_add(whole, text);
    g_mime_multipart_add(whole, part);
    g_object_unref(part);
    if (header != NULL) {
        char *clean = clean_header(header);
        part = text_part("text", "rfc822-headers", clean);
        g_mime_multipart_add(whole, part);
        g_object_unref(part);
        g_free(clean);
    }
    g_free(status);
    return GMIME_OBJECT(whole);
}

/* --- the message --- */

/* The same for the same results, so that an answer that is sent twice can be seen to be one. */
static void set_message_id(GMimeMessage *message, const struct delivery *delivery)
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    const char *id = delivery->mail.message_id[0] != '\0' ? delivery->mail.message_id : delivery->mail.digest;
    g_checksum_update(sum, (const guchar *)id, (gssize)strlen(id) + 1);
    for (int i = 0; i < delivery->count; i++) {
        const struct recipient *recipient = &delivery->recipients[i];
        if (!is_decided(recipient))
            continue;
        g_checksum_update(sum, (const guchar *)recipient->address, (gssize)strlen(recipient->address) + 1);
        g_checksum_update(sum, (const guchar *)recipient->text, (gssize)strlen(recipient->text) + 1);
    }
    char *own = xasprintf("%.40s.faxmail@%s", g_checksum_get_string(sum), delivery->settings->hostname);
    g_mime_message_set_message_id(message, own);
    free(own);
    g_checksum_free(sum);
}

static void set_subject(GMimeMessage *message, const struct delivery *delivery, const struct subject *subject)
{
    int accepted = count_of(delivery, true), failed = count_of(delivery, false);
    const char *verdict = failed == 0 ? "Fax accepted" : accepted == 0 ? "Fax not sent" : "Fax accepted in part";
    const char *about = subject->text[0] != '\0' ? subject->text : delivery->mail.subject;
    char *text = xasprintf("%s%s%.200s", verdict, about[0] != '\0' ? ": " : "", about);
    char *clean = NULL;
    mail_text(&clean, text, 300);
    g_mime_message_set_subject(message, clean, "utf-8");
    free(clean);
    free(text);
}

static void set_header(GMimeMessage *message, const struct delivery *delivery, const struct subject *subject)
{
    GMimeObject *object = GMIME_OBJECT(message);
    GDateTime *now = g_date_time_new_now_utc();
    InternetAddressList *from = internet_address_list_parse(NULL, delivery->settings->answer_from);
    if (from != NULL) {
        internet_address_list_append(g_mime_message_get_from(message), from);
        g_object_unref(from);
    }
    g_mime_message_add_mailbox(message, GMIME_ADDRESS_TYPE_TO, NULL, delivery->sender);
    set_subject(message, delivery, subject);
    g_mime_message_set_date(message, now);
    g_date_time_unref(now);
    set_message_id(message, delivery);
    if (delivery->mail.message_id[0] != '\0') {
        char *id = xasprintf("<%s>", delivery->mail.message_id);
        g_mime_object_set_header(object, "In-Reply-To", id, "utf-8");
        g_mime_object_set_header(object, "References", id, "utf-8");
        free(id);
    }
    g_mime_object_set_header(object, "Auto-Submitted", "auto-replied", NULL);
    g_mime_object_set_header(object, MESSAGE_LOOP_HEADER, delivery->settings->hostname, NULL);
}

static char *as_text(size_t *size, GMimeMessage *message)
{
    GMimeFormatOptions *options = g_mime_format_options_new();
    GByteArray *octets = g_byte_array_new();
    GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(octets);
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
    g_mime_format_options_set_newline_format(options, GMIME_NEWLINE_FORMAT_DOS);
    g_mime_object_write_to_stream(GMIME_OBJECT(message), options, stream);
    g_mime_format_options_free(options);
    *size = octets->len;
    char *text = xmalloc(*size + 1);
    memcpy(text, octets->data != NULL ? (const void *)octets->data : "", *size);
    text[*size] = '\0';
    g_object_unref(stream);
    g_byte_array_free(octets, TRUE);
    return text;
}

char *answer_compose(size_t *size, const struct delivery *delivery, const struct subject *subject, const char *header)
{
    GMimeMessage *message = g_mime_message_new(TRUE);
    char *text = body_text(delivery, subject);
    GMimeObject *part = text_part("text", "plain", text), *whole = part;
    if (count_of(delivery, false) > 0) {
        whole = report(delivery, part, header);
        g_object_unref(part);
    }
    set_header(message, delivery, subject);
    g_mime_message_set_mime_part(message, whole);
    char *octets = as_text(size, message);
    g_object_unref(whole);
    g_object_unref(message);
    g_free(text);
    return octets;
}
