/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk. Depth and number of parts are bounded; that GMime's own work is, too, is the fence's task (reader.h). */
#include "config.h"

#include "contrib/mail/parts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "contrib/mail/html.h"
#include "contrib/mail/mail.h"
#include "contrib/mail/part_kind.h"
#include "contrib/mail/settings.h"
#include "contrib/mail/store.h"
#include "contrib/mail/tnef.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#define LABEL_SIZE 300

struct where {
    int depth;
    bool no_text; /* its text has been taken already, in another form */
};

static void walk(struct parts *parts, GMimeObject *object, struct where where);

static bool is_type(GMimeObject *object, const char *type, const char *subtype)
{
    GMimeContentType *content_type = g_mime_object_get_content_type(object);
    return content_type != NULL && g_mime_content_type_is_type(content_type, type, subtype);
}

static void type_name(char name[LABEL_SIZE], GMimeObject *object)
{
    GMimeContentType *type = g_mime_object_get_content_type(object);
    const char *media = type != NULL ? g_mime_content_type_get_media_type(type) : NULL;
    const char *subtype = type != NULL ? g_mime_content_type_get_media_subtype(type) : NULL;
    snprintf(name, LABEL_SIZE, "%.60s/%.60s", media != NULL ? media : "application",
             subtype != NULL ? subtype : "octet-stream");
}

/* How a person knows it: by its name, else by its type. */
static void label(char text[LABEL_SIZE], const char *name, const char *type)
{
    if (name[0] != '\0')
        snprintf(text, LABEL_SIZE, "\"%.200s\"", name);
    else
        snprintf(text, LABEL_SIZE, "an attachment of type %.130s", type);
}

/* --- texts --- */

/* The charset that text is in, for the filter; "" when it is UTF-8 already. */
static const char *charset_of(GMimePart *part)
{
    const char *charset = g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset");
    if (charset == NULL || charset[0] == '\0' || strcasecmp(charset, "utf-8") == 0 ||
        strcasecmp(charset, "us-ascii") == 0 || strcasecmp(charset, "utf8") == 0)
        return "";
    return charset;
}

/* What is no text of a page goes, what is not UTF-8 becomes Latin-1, which it is most often. */
static void add_clean(GString *to, const char *text, size_t size)
{
    bool utf8 = str_is_utf8(text, size);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\n' && c != '\t' && c != '\f') || c == 0x7F)
            continue;
        if (c < 0x80 || utf8)
            g_string_append_c(to, (char)c);
        else
            g_string_append_unichar(to, c);
    }
}

static void add_text(struct parts *parts, GMimePart *part)
{
    bool html = is_type(GMIME_OBJECT(part), "text", "html");
    size_t size = 0, left = parts->text->len < PARTS_TEXT_MAX ? PARTS_TEXT_MAX - parts->text->len : 0;
    char *text = store_text(&size, parts, part, charset_of(part), html ? 4 * (size_t)PARTS_TEXT_MAX : left);
    if (text == NULL)
        return;
    if (memmem(text, size, "-----BEGIN PGP MESSAGE-----", 27) != NULL)
        mail_refuse(parts->mail, "5.6.1", "the message is encrypted with PGP; send it without encryption");
    if (parts->text->len > 0 && parts->text->str[parts->text->len - 1] != '\n')
        g_string_append_c(parts->text, '\n');
    if (html) {
        bool cut = false;
        char *plain = html_text(&cut, text, size, left);
        if (cut)
            mail_note(parts->mail, "the text was too long, and was cut");
        add_clean(parts->text, plain, strlen(plain));
        free(plain);
    } else {
        add_clean(parts->text, text, size);
    }
    free(text);
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n\f")] == '\0';
}

bool parts_write_text(struct mail_document *document, struct parts *parts)
{
    GString *text = parts->text;
    while (text->len > 0 && strchr(" \t\r\n\f", text->str[text->len - 1]) != NULL)
        g_string_truncate(text, text->len - 1);
    size_t start = strspn(text->str, "\r\n\f");
    bool written = !is_blank(text->str) && store_append(document, parts, text->str + start, text->len - start);
    g_string_truncate(text, 0);
    return written;
}

/* A text part whose text is worth reading? */
static bool has_text(struct parts *parts, GMimePart *part)
{
    size_t size;
    char *text = store_text(&size, parts, part, charset_of(part), PARTS_TEXT_MAX);
    bool has = text != NULL && !is_blank(text);
    free(text);
    return has;
}

/* --- parts with parts --- */

static bool is_text_leaf(GMimeObject *object, const char *subtype)
{
    return GMIME_IS_PART(object) && is_type(object, "text", subtype) &&
           g_mime_part_get_filename(GMIME_PART(object)) == NULL;
}

/* Plain text if there is some, else the last that has text in whatever form. */
static GMimeObject *best_text(struct parts *parts, GMimeMultipart *multipart)
{
    int count = g_mime_multipart_get_count(multipart);
    GMimeObject *best = NULL;
    for (int i = 0; i < count && parts->seen + i < parts->settings->max_parts; i++) {
        GMimeObject *child = g_mime_multipart_get_part(multipart, i);
        if (is_text_leaf(child, "plain") && has_text(parts, GMIME_PART(child)))
            return child;
        if (is_text_leaf(child, "html") || is_text_leaf(child, "enriched") || GMIME_IS_MULTIPART(child))
            best = child;
    }
    return best;
}

static void walk_multipart(struct parts *parts, GMimeMultipart *multipart, struct where where)
{
    bool alternative = is_type(GMIME_OBJECT(multipart), "multipart", "alternative");
    bool is_signed = is_type(GMIME_OBJECT(multipart), "multipart", "signed");
    int count = g_mime_multipart_get_count(multipart);
    if (is_type(GMIME_OBJECT(multipart), "multipart", "encrypted")) {
        mail_refuse(parts->mail, "5.6.1", "the message is encrypted; send it without encryption");
        return;
    }
    GMimeObject *text = alternative ? best_text(parts, multipart) : NULL;
    for (int i = 0; i < count && i < (is_signed ? 1 : count) && parts->seen <= parts->settings->max_parts; i++) {
        GMimeObject *child = g_mime_multipart_get_part(multipart, i);
        struct where inner = {where.depth + 1, where.no_text || (alternative && child != text)};
        walk(parts, child, inner);
    }
}

static void add_header(GString *to, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        g_string_append_printf(to, "%s: ", name);
        add_clean(to, value, strnlen(value, 500));
        g_string_append_c(to, '\n');
    }
}

/* A message within: a page with its text, then its documents. The text is complete only after the walk, so that its
 * document moves in front of those. */
static void walk_message(struct parts *parts, GMimeMessage *message, struct where where)
{
    struct mail *mail = parts->mail;
    GString *outer = parts->text;
    int first = mail->document_count;
    if (message == NULL)
        return;
    parts->text = g_string_new("");
    add_header(parts->text, "From", g_mime_object_get_header(GMIME_OBJECT(message), "From"));
    add_header(parts->text, "To", g_mime_object_get_header(GMIME_OBJECT(message), "To"));
    add_header(parts->text, "Date", g_mime_object_get_header(GMIME_OBJECT(message), "Date"));
    add_header(parts->text, "Subject", g_mime_message_get_subject(message));
    g_string_append_c(parts->text, '\n');
    walk(parts, g_mime_message_get_mime_part(message), (struct where){where.depth + 1, false});
    struct mail_document document;
    if (mail->document_count == MAIL_DOCUMENTS) {
        mail_refuse(mail, "5.6.0", "there are more than %d attachments", MAIL_DOCUMENTS);
    } else if (parts_write_text(&document, parts)) {
        document.name = xstrdup("forwarded message");
        memmove(&mail->documents[first + 1], &mail->documents[first],
                (size_t)(mail->document_count - first) * sizeof *mail->documents);
        mail->documents[first] = document;
        mail->document_count++;
    }
    g_string_free(parts->text, TRUE);
    parts->text = outer;
}

/* --- parts without --- */

static void unpack(struct parts *parts, GMimePart *part, const char *shown)
{
    struct tnef *tnef = xcalloc(1, sizeof *tnef);
    size_t size = 0;
    char *data = store_content(&size, parts, part);
    if (data == NULL || tnef_read(tnef, data, size) < 0) {
        mail_refuse(parts->mail, "5.6.1",
                    "%s (Outlook's winmail.dat) cannot be unpacked%s%s; send the message as HTML "
                    "or plain text",
                    shown, data != NULL ? ": " : "", data != NULL ? err_message() : "");
        tnef->count = 0;
    }
    for (int i = 0; i < tnef->count; i++) {
        if (++parts->seen > parts->settings->max_parts) {
            mail_refuse(parts->mail, "5.6.0", "the message has more than %d parts", parts->settings->max_parts);
            break;
        }
        const struct tnef_attachment *attachment = &tnef->attachments[i];
        char name[LABEL_SIZE];
        label(name, attachment->name, "winmail.dat");
        enum part_kind kind = part_kind_of("application/octet-stream", attachment->name);
        if (attachment->data == NULL)
            mail_refuse(parts->mail, "5.6.1", "%s within winmail.dat is no file; attach the document itself", name);
        else if (kind == PART_ACCESSORY)
            mail_note(parts->mail, "%s is no page of a fax and was left out", name);
        else if (kind != PART_DOCUMENT)
            mail_refuse(parts->mail, "5.6.1", "%s within winmail.dat is of a kind that is never faxed", name);
        else
            store_octets(parts, attachment->data, attachment->size, name);
    }
    free(data);
    free(tnef);
}

static bool is_attachment(GMimeObject *object)
{
    const char *disposition = g_mime_object_get_disposition(object);
    return disposition != NULL && strcasecmp(disposition, "attachment") == 0;
}

static void take_document(struct parts *parts, GMimePart *part, const char *file, const char *shown, struct where where)
{
    GMimeObject *object = GMIME_OBJECT(part);
    bool text = is_type(object, "text", "*"), html = is_type(object, "text", "html");
    if (text && file[0] == '\0' && !is_attachment(object)) {
        if (!where.no_text)
            add_text(parts, part);
        return;
    }
    bool within = !is_attachment(object) && g_mime_part_get_content_id(part) != NULL;
    store_part(parts, part, shown, text ? charset_of(part) : "", html, within);
}

static void walk_part(struct parts *parts, GMimePart *part, struct where where)
{
    const char *given = g_mime_part_get_filename(part);
    char type[LABEL_SIZE], shown[LABEL_SIZE], *file = NULL;
    mail_text(&file, given != NULL ? given : "", 200);
    type_name(type, GMIME_OBJECT(part));
    label(shown, file, type);
    switch (part_kind_of(type, file)) {
    case PART_DOCUMENT:
        take_document(parts, part, file, shown, where);
        break;
    case PART_ACCESSORY:
        mail_note(parts->mail, "%s is no page of a fax and was left out", shown);
        break;
    case PART_TNEF:
        unpack(parts, part, shown);
        break;
    case PART_ENCRYPTED:
        mail_refuse(parts->mail, "5.6.1",
                    "%s is encrypted or sealed (S/MIME or PGP) and cannot be read; send it without", shown);
        break;
    case PART_EXECUTABLE:
        mail_refuse(parts->mail, "5.6.1", "%s is a program or a script, which is never faxed", shown);
        break;
    case PART_FRAGMENT:
        mail_refuse(parts->mail, "5.6.1", "the message is only a part of one (%.100s); send it whole", type);
        break;
    }
    free(file);
}

static void walk(struct parts *parts, GMimeObject *object, struct where where)
{
    if (object == NULL)
        return;
    if (++parts->seen > parts->settings->max_parts) {
        mail_refuse(parts->mail, "5.6.0", "the message has more than %d parts", parts->settings->max_parts);
        return;
    }
    if (where.depth > parts->settings->max_depth) {
        mail_refuse(parts->mail, "5.6.0", "the parts of the message are nested deeper than %d",
                    parts->settings->max_depth);
        return;
    }
    if (GMIME_IS_MULTIPART(object))
        walk_multipart(parts, GMIME_MULTIPART(object), where);
    else if (GMIME_IS_MESSAGE_PARTIAL(object))
        mail_refuse(parts->mail, "5.6.1", "the message is only a part of one (message/partial); send it whole");
    else if (GMIME_IS_MESSAGE_PART(object))
        walk_message(parts, g_mime_message_part_get_message(GMIME_MESSAGE_PART(object)), where);
    else if (GMIME_IS_PART(object))
        walk_part(parts, GMIME_PART(object), where);
}

void parts_walk(struct parts *parts, GMimeObject *object)
{
    walk(parts, object, (struct where){0, false});
}
