/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A message as data. */
#include "config.h"

#include "contrib/mail/mail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "server/base/utf8.h"

#define TEXT_MAX    1000
#define REFUSAL_MAX 2000
#define SENTENCE    600

void mail_init(struct mail *mail)
{
    *mail = (struct mail){.from = xstrdup(""),
                          .from_name = xstrdup(""),
                          .subject = xstrdup(""),
                          .message_id = xstrdup(""),
                          .automatic = xstrdup(""),
                          .loop = xstrdup(""),
                          .refusal = xstrdup(""),
                          .notes = json_array()};
}

void mail_clear(struct mail *mail)
{
    char *texts[] = {mail->from,      mail->from_name, mail->subject, mail->message_id,
                     mail->automatic, mail->loop,      mail->refusal};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    for (int i = 0; i < mail->document_count; i++)
        free(mail->documents[i].name);
    json_decref(mail->notes);
    *mail = (struct mail){0};
}

void mail_text(char **text, const char *value, int most)
{
    size_t length = value != NULL ? strnlen(value, (size_t)most) : 0, to = 0;
    char *copy = xmalloc(3 * length + 1);
    for (size_t at = 0; at < length;) {
        uint32_t point;
        size_t step = utf8_next(&point, value + at, length - at);
        if (step == 0 && length - at < 4 && (size_t)most == length)
            break; /* a character that was cut */
        bool control = step == 0 || point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x2028 ||
                       point == 0x2029 || (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
        if (control)
            copy[to++] = step == 0 ? '?' : ' ';
        else
            memcpy(copy + to, value + at, step);
        to += control ? 0 : step;
        at += step == 0 ? 1 : step;
    }
    copy[to] = '\0';
    free(*text);
    *text = copy;
}

void mail_refuse(struct mail *mail, const char *status, const char *fmt, ...)
{
    char sentence[SENTENCE];
    va_list args;
    va_start(args, fmt);
    vsnprintf(sentence, sizeof sentence, fmt, args);
    va_end(args);
    if (mail->status[0] == '\0')
        str_copy(mail->status, sizeof mail->status, status);
    if (strlen(mail->refusal) > REFUSAL_MAX || strstr(mail->refusal, sentence) != NULL)
        return;
    char *both = xasprintf("%s%s%s", mail->refusal, mail->refusal[0] != '\0' ? "; " : "", sentence);
    mail_text(&mail->refusal, both, REFUSAL_MAX + SENTENCE);
    free(both);
}

void mail_note(struct mail *mail, const char *fmt, ...)
{
    char sentence[SENTENCE], *clean = NULL;
    va_list args;
    if (json_array_size(mail->notes) >= MAIL_NOTES)
        return;
    va_start(args, fmt);
    vsnprintf(sentence, sizeof sentence, fmt, args);
    va_end(args);
    mail_text(&clean, sentence, SENTENCE);
    json_array_append_new(mail->notes, json_string(clean));
    free(clean);
}

static json_t *document_json(const struct mail_document *document)
{
    return json_pack("{s:s, s:I, s:I}", "name", document->name != NULL ? document->name : "", "offset",
                     (json_int_t)document->offset, "size", (json_int_t)document->size);
}

json_t *mail_to_json(const struct mail *mail)
{
    const struct auth_results *results = &mail->results;
    json_t *documents = json_array();
    for (int i = 0; i < mail->document_count; i++)
        json_array_append_new(documents, document_json(&mail->documents[i]));
    return json_pack(
        "{s:s, s:s, s:i, s:s, s:s, s:I, s:s, s:i, s:s, s:s, s:{s:b, s:b, s:b, s:s, s:s, s:s}, s:o, s:o, s:O, "
        "s:s, s:s}",
        "from", mail->from, "from_name", mail->from_name, "from_count", mail->from_count, "subject", mail->subject,
        "message_id", mail->message_id, "date", (json_int_t)mail->date_ms, "digest", mail->digest, "hops", mail->hops,
        "automatic", mail->automatic, "loop", mail->loop, "results", "dmarc", results->dmarc, "spf", results->spf,
        "dkim", results->dkim, "user", results->user, "envelope", results->envelope, "seen", results->seen, "documents",
        documents, "body", document_json(&mail->body), "notes", mail->notes, "status", mail->status, "refusal",
        mail->refusal);
}

static int read_document(struct mail_document *document, const json_t *json, int64_t limit)
{
    const char *name;
    json_int_t offset, size;
    if (json_unpack((json_t *)json, "{s:s, s:I, s:I}", "name", &name, "offset", &offset, "size", &size) != 0 ||
        offset < 0 || size < 0 || offset > limit || size > limit - offset)
        return err_set(ERR_INVALID, "a document is not where the reader says");
    *document = (struct mail_document){.offset = offset, .size = size};
    mail_text(&document->name, name, TEXT_MAX);
    return 0;
}

static int read_documents(struct mail *mail, const json_t *list, int64_t limit)
{
    size_t index;
    json_t *item;
    if (!json_is_array(list) || json_array_size(list) > MAIL_DOCUMENTS)
        return err_set(ERR_INVALID, "more documents than a fax may have");
    json_array_foreach(list, index, item)
    {
        int result = read_document(&mail->documents[mail->document_count], item, limit);
        if (result < 0)
            return result;
        mail->document_count++;
    }
    return 0;
}

static void read_notes(struct mail *mail, const json_t *notes)
{
    size_t index;
    json_t *note;
    json_array_foreach(notes, index, note) mail_note(mail, "%s", json_is_string(note) ? json_string_value(note) : "");
}

int mail_from_json(struct mail *mail, const json_t *json, int64_t limit)
{
    const char *texts[7], *digest, *status, *user, *envelope, *seen;
    json_t *documents, *body, *notes;
    json_int_t date;
    int dmarc, spf, dkim;
    mail_init(mail);
    if (json_unpack(
            (json_t *)json,
            "{s:s, s:s, s:i, s:s, s:s, s:I, s:s, s:i, s:s, s:s, s:{s:b, s:b, s:b, s:s, s:s, s:s}, s:o, s:o, s:o, "
            "s:s, s:s}",
            "from", &texts[0], "from_name", &texts[1], "from_count", &mail->from_count, "subject", &texts[2],
            "message_id", &texts[3], "date", &date, "digest", &digest, "hops", &mail->hops, "automatic", &texts[4],
            "loop", &texts[5], "results", "dmarc", &dmarc, "spf", &spf, "dkim", &dkim, "user", &user, "envelope",
            &envelope, "seen", &seen, "documents", &documents, "body", &body, "notes", &notes, "status", &status,
            "refusal", &texts[6]) != 0)
        return err_set(ERR_INVALID, "the reader's report is not what it should be");
    char **places[] = {&mail->from,      &mail->from_name, &mail->subject, &mail->message_id,
                       &mail->automatic, &mail->loop,      &mail->refusal};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        mail_text(places[i], texts[i], REFUSAL_MAX + SENTENCE);
    mail->date_ms = date;
    str_copy(mail->digest, sizeof mail->digest, digest);
    str_copy(mail->status, sizeof mail->status, status);
    mail->results = (struct auth_results){.dmarc = dmarc != 0, .spf = spf != 0, .dkim = dkim != 0};
    str_copy(mail->results.user, sizeof mail->results.user, user);
    str_copy(mail->results.envelope, sizeof mail->results.envelope, envelope);
    str_copy(mail->results.seen, sizeof mail->results.seen, seen);
    read_notes(mail, notes);
    int result = read_document(&mail->body, body, limit);
    free(mail->body.name);
    mail->body.name = NULL;
    return result == 0 ? read_documents(mail, documents, limit) : result;
}
