/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything goes through the file: large parts are never in memory as a whole. */
#include "config.h"

#include "contrib/mail/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "contrib/mail/html.h"
#include "contrib/mail/mail.h"
#include "contrib/mail/parts.h"
#include "contrib/mail/settings.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/media_type.h"

#define HTML_MAX        (4 << 20)
#define NAME_MAX_OCTETS 200

/* What the decoded text may take more room than the encoded one: of an 8-bit code as UTF-8. */
static int64_t room(const struct parts *parts)
{
    return 2 * settings_message_bytes(parts->settings) + PARTS_TEXT_MAX;
}

/* A disk that is full or broken is nobody's fault who sends: the message is read again later. */
static void refuse_write(struct parts *parts, int error)
{
    if (error == ENOSPC || error == EDQUOT || error == EIO)
        mail_refuse(parts->mail, MAIL_AGAIN, "there is no room to unpack the message");
    else
        mail_refuse(parts->mail, "5.3.4", "what is attached is too large to be unpacked");
}

bool store_append(struct mail_document *document, struct parts *parts, const void *data, size_t size)
{
    const char *from = data;
    int64_t offset = parts->size;
    if ((int64_t)size > room(parts) - parts->size) {
        mail_refuse(parts->mail, "5.3.4", "what is attached is too large");
        return false;
    }
    while (size > 0) {
        ssize_t done = pwrite(parts->out, from, size, parts->size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            refuse_write(parts, done < 0 ? errno : 0);
            return false;
        }
        from += done;
        size -= (size_t)done;
        parts->size += done;
    }
    *document = (struct mail_document){.offset = offset, .size = parts->size - offset};
    return true;
}

/* Decode a part into the file, behind what is there; false when it cannot be (the mail says why). */
static bool decode(struct mail_document *document, struct parts *parts, GMimePart *part, const char *charset)
{
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    *document = (struct mail_document){.offset = parts->size};
    if (content == NULL)
        return true;
    if (lseek(parts->out, (off_t)parts->size, SEEK_SET) < 0) {
        mail_refuse(parts->mail, "5.3.0", "the message cannot be unpacked");
        return false;
    }
    GMimeStream *file = g_mime_stream_fs_new(parts->out), *to = file;
    g_mime_stream_fs_set_owner(GMIME_STREAM_FS(file), FALSE);
    GMimeFilter *filter = charset[0] != '\0' ? g_mime_filter_charset_new(charset, "utf-8") : NULL;
    if (filter != NULL) {
        to = g_mime_stream_filter_new(file);
        g_mime_stream_filter_add(GMIME_STREAM_FILTER(to), filter);
        g_object_unref(filter);
    }
    errno = 0;
    bool good = g_mime_data_wrapper_write_to_stream(content, to) >= 0 && g_mime_stream_flush(to) == 0;
    int error = good ? 0 : errno;
    off_t end = lseek(parts->out, 0, SEEK_END);
    if (to != file)
        g_object_unref(to);
    g_object_unref(file);
    if (!good || end < (off_t)parts->size || end > (off_t)room(parts)) {
        refuse_write(parts, error);
        return false;
    }
    document->size = end - parts->size;
    parts->size = end;
    return true;
}

/* Give its room back. */
static void undo(struct parts *parts, const struct mail_document *document)
{
    if (ftruncate(parts->out, (off_t)document->offset) == 0)
        parts->size = document->offset;
}

static char *content_of(const struct parts *parts, const struct mail_document *document, size_t most)
{
    size_t size = (uint64_t)document->size < most ? (size_t)document->size : most, got = 0;
    char *octets = malloc(size + 1);
    while (octets != NULL && got < size) {
        ssize_t now = pread(parts->out, octets + got, size - got, (off_t)document->offset + (off_t)got);
        if (now < 0 && errno == EINTR)
            continue;
        if (now <= 0) {
            free(octets);
            return NULL;
        }
        got += (size_t)now;
    }
    if (octets != NULL)
        octets[size] = '\0';
    return octets;
}

char *store_text(size_t *size, struct parts *parts, GMimePart *part, const char *charset, size_t most)
{
    struct mail_document document;
    if (!decode(&document, parts, part, charset))
        return NULL;
    *size = (uint64_t)document.size < most ? (size_t)document.size : most;
    if ((uint64_t)document.size > most)
        mail_note(parts->mail, "the text was too long, and was cut");
    char *text = content_of(parts, &document, most);
    undo(parts, &document);
    return text;
}

char *store_content(size_t *size, struct parts *parts, GMimePart *part)
{
    return store_text(size, parts, part, "", (size_t)settings_message_bytes(parts->settings));
}

/* Take the document at the end of the file, or give its room back. */
static void take(struct parts *parts, struct mail_document *document, const char *name, bool small)
{
    struct mail *mail = parts->mail;
    char *head = content_of(parts, document, MEDIA_TYPE_HEAD);
    size_t size = (uint64_t)document->size < MEDIA_TYPE_HEAD ? (size_t)document->size : MEDIA_TYPE_HEAD;
    enum media_type type = head != NULL ? media_type_of(head, size) : MEDIA_UNKNOWN;
    bool program = size > 2 && head != NULL && memcmp(head, "#!", 2) == 0 && type == MEDIA_TEXT;
    bool picture = type == MEDIA_PNG || type == MEDIA_GIF || type == MEDIA_JPEG || type == MEDIA_SVG ||
                   type == MEDIA_BMP || type == MEDIA_WEBP;
    bool keep = false;
    free(head);
    if (document->size == 0)
        mail_note(mail, "%.*s is empty and was left out", NAME_MAX_OCTETS, name);
    else if (small && picture && document->size <= (int64_t)parts->settings->small_image_kib << 10)
        mail_note(mail, "the small picture %.*s within the text was left out", NAME_MAX_OCTETS, name);
    else if (type == MEDIA_UNKNOWN || program)
        mail_refuse(
            mail, "5.6.1",
            "%.*s cannot be faxed; PDF, text, TIFF, JPEG, PNG, GIF, BMP, WebP, HEIC, SVG, PostScript and office "
            "documents can",
            NAME_MAX_OCTETS, name);
    else if (mail->document_count == MAIL_DOCUMENTS)
        mail_refuse(mail, "5.6.0", "there are more than %d attachments", MAIL_DOCUMENTS);
    else
        keep = true;
    if (!keep) {
        undo(parts, document);
        return;
    }
    mail_text(&document->name, name, NAME_MAX_OCTETS);
    mail->documents[mail->document_count++] = *document;
}

void store_part(struct parts *parts, GMimePart *part, const char *name, const char *charset, bool html, bool small)
{
    struct mail_document document;
    if (!decode(&document, parts, part, charset))
        return;
    if (html && document.size > 0) {
        char *octets = content_of(parts, &document, HTML_MAX);
        size_t size = (size_t)document.size < HTML_MAX ? (size_t)document.size : HTML_MAX;
        bool cut = (size_t)document.size > size;
        char *text = octets != NULL ? html_text(&cut, octets, size, PARTS_TEXT_MAX) : NULL;
        undo(parts, &document);
        if (text == NULL)
            mail_refuse(parts->mail, "5.3.0", "%.*s cannot be unpacked", NAME_MAX_OCTETS, name);
        if (cut)
            mail_note(parts->mail, "the text of %.*s was too long, and was cut", NAME_MAX_OCTETS, name);
        bool good = text != NULL && store_append(&document, parts, text, strlen(text));
        free(octets);
        free(text);
        if (!good)
            return;
    }
    take(parts, &document, name, small);
}

void store_octets(struct parts *parts, const void *data, size_t size, const char *name)
{
    struct mail_document document;
    if (store_append(&document, parts, data, size))
        take(parts, &document, name, false);
}
