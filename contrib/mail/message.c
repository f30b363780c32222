/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fields of the header that matter, and then the parts. */
#include "config.h"

#include "contrib/mail/message.h"

#include <ctype.h>
#include <errno.h>
#include <gmime/gmime.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "contrib/mail/mail.h"
#include "contrib/mail/parts.h"
#include "contrib/mail/settings.h"
#include "server/base/log.h"
#include "server/base/str.h"

#define FIELD_MAX 1000
#define PIECE     65536

void message_init(void)
{
    static const char *const charsets[] = {
        "iso-8859-1",   "iso-8859-2",   "iso-8859-3",   "iso-8859-4",   "iso-8859-5",   "iso-8859-6",   "iso-8859-7",
        "iso-8859-8",   "iso-8859-9",   "iso-8859-10",  "iso-8859-13",  "iso-8859-14",  "iso-8859-15",  "iso-8859-16",
        "windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1255", "windows-1256",
        "windows-1257", "windows-1258", "cp437",        "cp850",        "koi8-r",       "koi8-u",       "macintosh",
        "gbk",          "gb18030",      "gb2312",       "big5",         "euc-jp",       "shift_jis",    "iso-2022-jp",
        "euc-kr",       "iso-2022-kr",  "utf-7",        "utf-16",       "utf-16le",     "utf-32",       "tis-620"};
    static iconv_t opened[sizeof charsets / sizeof *charsets]; /* never closed: that would unload their modules */
    g_mime_init();
    for (size_t i = 0; i < sizeof charsets / sizeof *charsets; i++)
        opened[i] = iconv_open("utf-8", charsets[i]);
    (void)opened;
}

/* --- before GMime --- */

/* Where the header ends, 0 = not within `most` octets. */
static int64_t header_end(int in, int64_t most)
{
    char piece[PIECE];
    int64_t at = 0;
    bool line_start = true;
    while (at <= most) {
        ssize_t got = pread(in, piece, sizeof piece, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return at > 0 ? at : 1; /* a header alone */
        for (ssize_t i = 0; i < got; i++) {
            if (piece[i] == '\n' && line_start)
                return at + i + 1;
            line_start = piece[i] == '\n' || (line_start && piece[i] == '\r');
        }
        at += got;
    }
    return 0;
}

/* Delivery programs may put a line "From user date" in front. */
static int64_t skip_envelope_line(int in)
{
    char line[FIELD_MAX];
    ssize_t got = pread(in, line, sizeof line, 0);
    const char *end = got > 5 && memcmp(line, "From ", 5) == 0 ? memchr(line, '\n', (size_t)got) : NULL;
    return end != NULL ? end + 1 - line : 0;
}

/* --- fields --- */

static bool is_automatic(const char *name, const char *value)
{
    size_t word = strcspn(value, " \t;(");
    if (strcasecmp(name, "List-Id") == 0 || strcasecmp(name, "List-Unsubscribe") == 0)
        return true;
    if (strcasecmp(name, "Auto-Submitted") == 0)
        return word != 2 || strncasecmp(value, "no", 2) != 0;
    return strcasecmp(name, "Precedence") == 0 &&
           ((word == 4 && (strncasecmp(value, "bulk", 4) == 0 || strncasecmp(value, "junk", 4) == 0 ||
                           strncasecmp(value, "list", 4) == 0)));
}

struct fields {
    struct mail *mail;
    const struct settings *settings;
    int froms, results;
    bool odd; /* the name of the field is not written as mail servers write it, with a blank before the colon */
    GChecksum *sum;
};

static void take_field(struct fields *fields, const char *name, const char *raw)
{
    static const char *const summed[] = {"From", "To", "Cc", "Subject", "Date", NULL};
    struct mail *mail = fields->mail;
    char *value = NULL;
    while (isspace((unsigned char)*raw))
        raw++;
    mail_text(&value, raw, FIELD_MAX);
    if (strcasecmp(name, "Received") == 0)
        mail->hops++;
    else if (strcasecmp(name, "From") == 0)
        fields->froms++;
    else if (strcasecmp(name, MESSAGE_LOOP_HEADER) == 0)
        mail_text(&mail->loop, value[0] != '\0' ? value : "?", FIELD_MAX);
    else if (mail->automatic[0] == '\0' && is_automatic(name, value))
        mail_text(&mail->automatic, name, FIELD_MAX);
    for (int i = 0; summed[i] != NULL; i++) {
        if (strcasecmp(name, summed[i]) == 0)
            g_checksum_update(fields->sum, (const guchar *)raw, (gssize)strlen(raw));
    }
    free(value);
}

/* Only what stands on top is our server's: whoever wrote the message could have written the same further down. An odd
 * name is none of its, and may have passed by it, where it takes away fields that claim to be its own. */
static void take_results(struct fields *fields, const char *name, const char *raw)
{
    const struct settings *settings = fields->settings;
    const char *domain = strrchr(fields->mail->from, '@');
    if (strcasecmp(name, "Authentication-Results") != 0 || fields->results >= settings->authserv_headers ||
        fields->mail->hops > settings->trusted_hops)
        return;
    if (fields->odd ||
        auth_results_add(&fields->mail->results, raw, &settings->authserv_id, domain != NULL ? domain + 1 : ""))
        fields->results++;
}

static void each_field(struct fields *fields, GMimeMessage *message,
                       void (*take)(struct fields *fields, const char *name, const char *raw))
{
    GMimeHeaderList *list = g_mime_object_get_header_list(GMIME_OBJECT(message));
    int count = g_mime_header_list_get_count(list);
    for (int i = 0; i < count; i++) {
        GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
        const char *name = g_mime_header_get_name(header), *raw = g_mime_header_get_raw_value(header);
        const char *written = g_mime_header_get_raw_name(header);
        fields->odd = name != NULL && written != NULL && strcmp(name, written) != 0;
        if (name != NULL && raw != NULL)
            take(fields, name, raw);
    }
}

static void count_hop(struct fields *fields, const char *name, const char *raw)
{
    if (strcasecmp(name, "Received") == 0)
        fields->mail->hops++;
    take_results(fields, name, raw);
}

static void take_from(struct mail *mail, GMimeMessage *message, int froms)
{
    InternetAddressList *list = g_mime_message_get_from(message);
    int count = list != NULL ? internet_address_list_length(list) : 0;
    mail->from_count = froms > count ? froms : count;
    if (mail->from_count != 1 || count != 1)
        return;
    InternetAddress *address = internet_address_list_get_address(list, 0);
    if (!INTERNET_ADDRESS_IS_MAILBOX(address)) {
        mail->from_count = 2; /* a group */
        return;
    }
    const char *text = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address));
    mail_text(&mail->from, text != NULL ? text : "", FIELD_MAX);
    mail_text(&mail->from_name, internet_address_get_name(address), FIELD_MAX);
    char *domain = strrchr(mail->from, '@');
    for (char *c = domain != NULL ? domain : mail->from; domain != NULL && *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    if (domain == NULL)
        mail_text(&mail->from, "", 1);
}

static void take_digest(struct mail *mail, GChecksum *sum, int in, int64_t from)
{
    char piece[PIECE];
    ssize_t got;
    while ((got = pread(in, piece, sizeof piece, (off_t)from)) > 0) {
        g_checksum_update(sum, (const guchar *)piece, got);
        from += got;
    }
    str_copy(mail->digest, sizeof mail->digest, g_checksum_get_string(sum));
}

static void take_header(struct mail *mail, const struct settings *settings, GMimeMessage *message, int in, int64_t end)
{
    struct fields fields = {.mail = mail, .settings = settings, .sum = g_checksum_new(G_CHECKSUM_SHA256)};
    each_field(&fields, message, take_field);
    take_from(mail, message, fields.froms);
    /* Once more, from the top: the results are about the domain of From, which is known only now. */
    int hops = mail->hops;
    mail->hops = 0;
    each_field(&fields, message, count_hop);
    mail->hops = hops;
    const char *id = g_mime_message_get_message_id(message);
    mail_text(&mail->message_id, id != NULL ? id : "", FIELD_MAX);
    mail_text(&mail->subject, g_mime_message_get_subject(message), FIELD_MAX);
    GDateTime *date = g_mime_message_get_date(message);
    mail->date_ms = date != NULL ? g_date_time_to_unix(date) * INT64_C(1000) : 0;
    take_digest(mail, fields.sum, in, end);
    g_checksum_free(fields.sum);
}

void message_read(struct mail *mail, const struct settings *settings, int in, int out)
{
    int64_t start = skip_envelope_line(in), end = header_end(in, (int64_t)settings->max_header_kib << 10);
    struct parts parts = {.mail = mail, .settings = settings, .out = out};
    if (end == 0) {
        mail_refuse(mail, "5.6.0", "the header of the message is longer than %d KiB", settings->max_header_kib);
        return;
    }
    GMimeStream *stream = g_mime_stream_fs_new_with_bounds(in, start, -1);
    g_mime_stream_fs_set_owner(GMIME_STREAM_FS(stream), FALSE);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    g_mime_parser_set_persist_stream(parser, TRUE);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    if (message == NULL) {
        mail_refuse(mail, "5.6.0", "the message cannot be read");
    } else {
        take_header(mail, settings, message, in, end);
        parts.text = g_string_new("");
        parts_walk(&parts, g_mime_message_get_mime_part(message));
        if (!parts_write_text(&mail->body, &parts))
            mail->body = (struct mail_document){.offset = 0};
        g_string_free(parts.text, TRUE);
        g_object_unref(message);
    }
    g_object_unref(parser);
    g_object_unref(stream);
}
