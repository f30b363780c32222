/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A mail is a list of pieces: texts that GMime wrote, and files between them, which are read as base64. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/mail/message.h"

#include "server/base/err.h"
#include "server/base/log.h"

#include <errno.h>
#include <gmime/gmime.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_OCTETS 57 /* of a file, in a line of 76 characters */
#define LINE_CHARS  76
#define PIECES_MAX  (2 * MESSAGE_PARTS_MAX + 1)
#define LINES_ONCE  256 /* read from a file at a time */

struct piece {
    char *text;   /* or NULL: ... */
    int fd;       /* ... a file */
    int64_t size; /* of the text, or of the file */
    int64_t done;
};

struct message {
    struct piece pieces[PIECES_MAX];
    int count, at;
    char ready[LINES_ONCE * (LINE_CHARS + 2)]; /* encoded and not yet taken */
    size_t ready_size, ready_taken;
};

/* --- pieces --- */

static void add_text(struct message *message, char *text)
{
    message->pieces[message->count++] = (struct piece){.text = text, .fd = -1, .size = (int64_t)strlen(text)};
}

static int add_file(struct message *message, int fd)
{
    struct stat status;
    int error = fstat(fd, &status) == 0 ? 0 : err_set(ERR_IO, "the size of a file is not known: %s", strerror(errno));

    message->pieces[message->count++] = (struct piece){.fd = fd, .size = error == 0 ? (int64_t)status.st_size : 0};
    return error;
}

/* --- what GMime writes --- */

static GMimeFormatOptions *format_new(void)
{
    GMimeFormatOptions *format = g_mime_format_options_new();

    g_mime_format_options_set_newline_format(format, GMIME_NEWLINE_FORMAT_DOS);
    g_mime_format_options_set_param_encoding_method(format, GMIME_PARAM_ENCODING_METHOD_RFC2231);
    return format;
}

static void set_header(GMimeMessage *mail, const char *name, const char *value)
{
    g_mime_object_set_header(GMIME_OBJECT(mail), name, value, "utf-8");
}

static void set_head(GMimeMessage *mail, const struct message_head *head)
{
    GDateTime *date = g_date_time_new_from_unix_utc(head->date_ms / 1000);

    g_mime_message_add_mailbox(mail, GMIME_ADDRESS_TYPE_FROM, head->from_name[0] != '\0' ? head->from_name : NULL,
                               head->from);
    g_mime_message_add_mailbox(mail, GMIME_ADDRESS_TYPE_TO, NULL, head->to);
    g_mime_message_set_subject(mail, head->subject, "utf-8");
    g_mime_message_set_date(mail, date);
    g_mime_message_set_message_id(mail, head->id);
    set_header(mail, "Auto-Submitted", "auto-generated");
    set_header(mail, "X-Auto-Response-Suppress", "All");
    set_header(mail, "X-Faxd-Id", head->faxd_id);
    set_header(mail, "MIME-Version", "1.0");
    g_date_time_unref(date);
}

static GMimeObject *text_part(const char *text, const char *language)
{
    /* Not g_mime_text_part_set_text(), which chooses a character set of its own. */
    GMimeTextPart *part = g_mime_text_part_new_with_subtype("plain");
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(text, strlen(text));
    GMimeDataWrapper *content = g_mime_data_wrapper_new_with_stream(stream, GMIME_CONTENT_ENCODING_DEFAULT);

    g_mime_text_part_set_charset(part, "utf-8");
    g_mime_part_set_content(GMIME_PART(part), content);
    g_object_unref(content);
    g_object_unref(stream);
    g_mime_part_set_content_encoding(GMIME_PART(part), GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
    g_mime_object_set_header(GMIME_OBJECT(part), "Content-Language", language, "utf-8");
    g_mime_object_set_disposition(GMIME_OBJECT(part), GMIME_DISPOSITION_INLINE);
    return GMIME_OBJECT(part);
}

/* The head of an attachment; what it holds comes from elsewhere. */
static char *attachment_head(const struct message_part *given, GMimeFormatOptions *format)
{
    const char *slash = strchr(given->type, '/');
    char *type = strndup(given->type, (size_t)(slash - given->type)), *head;
    GMimePart *part = g_mime_part_new_with_type(type, slash + 1);

    g_mime_object_set_disposition(GMIME_OBJECT(part), GMIME_DISPOSITION_ATTACHMENT);
    g_mime_part_set_filename(part, given->basename);
    g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_BASE64);
    head = g_mime_object_get_headers(GMIME_OBJECT(part), format);
    g_object_unref(part);
    free(type);
    return head;
}

/* "head" and everything between, up to where the first file begins. */
static void add_start(struct message *message, const struct message_head *head, const char *text, const char *boundary,
                      GMimeFormatOptions *format)
{
    GMimeMessage *mail = g_mime_message_new(FALSE);
    GMimeObject *part = text_part(text, head->language);
    char *top, *body;

    set_head(mail, head);
    top = g_mime_object_get_headers(GMIME_OBJECT(mail), format);
    body = g_mime_object_to_string(part, format);
    if (boundary == NULL)
        add_text(message, xasprintf("%s%s", top, body));
    else
        add_text(message, xasprintf("%sContent-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n--%s\r\n%s\r\n", top,
                                    boundary, boundary, body));
    g_free(top);
    g_free(body);
    g_object_unref(part);
    g_object_unref(mail);
}

static int add_parts(struct message *message, const struct message_part *parts, int count, const char *boundary,
                     GMimeFormatOptions *format)
{
    int error = 0;

    for (int i = 0; i < count; i++) {
        struct piece *before = &message->pieces[message->count - 1];
        char *head = attachment_head(&parts[i], format);
        char *text = xasprintf("%s--%s\r\n%s\r\n", before->text, boundary, head);

        free(before->text);
        before->text = text;
        before->size = (int64_t)strlen(text);
        g_free(head);
        if (add_file(message, parts[i].fd) != 0)
            error = ERR_IO;
        add_text(message, i + 1 < count ? xstrdup("") : xasprintf("--%s--\r\n", boundary));
    }
    return error;
}

/* A line that stands in no text and no base64. */
static void make_boundary(char boundary[40])
{
    unsigned char octets[12];
    char hex[2 * sizeof octets + 1];

    randombytes_buf(octets, sizeof octets);
    sodium_bin2hex(hex, sizeof hex, octets, sizeof octets);
    snprintf(boundary, 40, "=_faxd_%s", hex);
}

int message_new(struct message **out, const struct message_head *head, const char *text,
                const struct message_part *parts, int count)
{
    static bool ready;
    struct message *message = xcalloc(1, sizeof *message);
    GMimeFormatOptions *format;
    char boundary[40];
    int error;

    if (!ready)
        g_mime_init();
    ready = true;
    format = format_new();
    make_boundary(boundary);
    add_start(message, head, text, count > 0 ? boundary : NULL, format);
    error = add_parts(message, parts, count, boundary, format);
    g_mime_format_options_free(format);
    if (error != 0) {
        message_free(message);
        message = NULL;
    }
    *out = message;
    return error;
}

void message_free(struct message *message)
{
    if (message == NULL)
        return;
    for (int i = 0; i < message->count; i++) {
        free(message->pieces[i].text);
        if (message->pieces[i].fd >= 0)
            close(message->pieces[i].fd);
    }
    free(message);
}

/* --- reading --- */

static int64_t encoded_size(int64_t size)
{
    int64_t lines = (size + LINE_OCTETS - 1) / LINE_OCTETS;

    return (size + 2) / 3 * 4 + 2 * lines;
}

int64_t message_size(const struct message *message)
{
    int64_t size = 0;

    for (int i = 0; i < message->count; i++) {
        const struct piece *piece = &message->pieces[i];

        size += piece->text != NULL ? piece->size : encoded_size(piece->size);
    }
    return size;
}

/* Whole lines of the file into `ready`. */
static int encode_more(struct message *message, struct piece *piece)
{
    unsigned char octets[LINES_ONCE * LINE_OCTETS];
    size_t wanted = sizeof octets, got = 0;

    if ((int64_t)wanted > piece->size - piece->done)
        wanted = (size_t)(piece->size - piece->done);
    while (got < wanted) {
        ssize_t size = pread(piece->fd, octets + got, wanted - got, piece->done + (int64_t)got);

        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return err_set(ERR_IO, "an attachment cannot be read: %s",
                           size < 0 ? strerror(errno) : "it became shorter");
        got += (size_t)size;
    }
    message->ready_size = message->ready_taken = 0;
    for (size_t at = 0; at < got; at += LINE_OCTETS) {
        char line[LINE_CHARS + 1];
        size_t size = got - at < LINE_OCTETS ? got - at : LINE_OCTETS, length;

        sodium_bin2base64(line, sizeof line, octets + at, size, sodium_base64_VARIANT_ORIGINAL);
        length = strlen(line);
        memcpy(message->ready + message->ready_size, line, length);
        memcpy(message->ready + message->ready_size + length, "\r\n", 2);
        message->ready_size += length + 2;
    }
    piece->done += (int64_t)got;
    return 0;
}

static size_t take_ready(struct message *message, char *buffer, size_t room)
{
    size_t size = message->ready_size - message->ready_taken;

    if (size > room)
        size = room;
    memcpy(buffer, message->ready + message->ready_taken, size);
    message->ready_taken += size;
    return size;
}

static size_t take_text(struct piece *piece, char *buffer, size_t room)
{
    size_t size = (size_t)(piece->size - piece->done);

    if (size > room)
        size = room;
    memcpy(buffer, piece->text + piece->done, size);
    piece->done += (int64_t)size;
    return size;
}

long message_read(struct message *message, char *buffer, size_t room)
{
    size_t filled = 0;

    while (filled < room) {
        struct piece *piece = &message->pieces[message->at];

        if (message->ready_taken < message->ready_size) {
            filled += take_ready(message, buffer + filled, room - filled);
        } else if (message->at == message->count) {
            break;
        } else if (piece->done == piece->size) {
            message->at++;
        } else if (piece->text != NULL) {
            filled += take_text(piece, buffer + filled, room - filled);
        } else if (encode_more(message, piece) != 0) {
            return ERR_IO;
        }
    }
    return (long)filled;
}

void message_tidy_name(char *name)
{
    for (; *name != '\0'; name++)
        if ((unsigned char)*name < 0x20 || *name == 0x7F || strchr("/\\:*?\"<>|", *name) != NULL)
            *name = '_';
}
