/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a mail says and what it brings. With link_only nothing personal comes into the fields, and no page into the
 * mail: the templates leave out what has no value. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/mail/letter.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "server/base/time_zone.h"
#include "spool/converter.h"
#include "spool/document.h"
#include "spool/fax.h"
#include "spool/page_style.h"
#include "spool/receipt_sheet.h"
#include "spool/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIME_FORMAT "%Y-%m-%d %H:%M %Z"
#define FIELDS_MAX  20

enum piece { PIECE_PAGES, PIECE_SHEET, PIECE_COUNT };

struct letter {
    struct letter_means means; /* while it is written */
    letter_done_fn done;
    void *context;
    int64_t fax_row, created_at;
    enum mail_kind kind;
    char public_id[MAIL_ID_SIZE];
    char *to;
    json_t *wish;
    struct fax fax;
    bool has_fax;
    bool wanted[PIECE_COUNT], tiff, link;
    int files[PIECE_COUNT]; /* -1 = there is none */
    enum piece making;
    struct converter_job *job;
};

struct letter *letter_new(const struct mail *mail, letter_done_fn done, void *context)
{
    struct letter *letter = xcalloc(1, sizeof *letter);

    letter->done = done;
    letter->context = context;
    letter->fax_row = mail->fax;
    letter->kind = mail->kind;
    letter->created_at = mail->created_at;
    memcpy(letter->public_id, mail->public_id, sizeof letter->public_id);
    letter->to = xstrdup(mail->to);
    letter->wish = json_loads(mail->options[0] != '\0' ? mail->options : "{}", 0, NULL);
    for (int i = 0; i < PIECE_COUNT; i++)
        letter->files[i] = -1;
    return letter;
}

static void close_files(struct letter *letter)
{
    for (int i = 0; i < PIECE_COUNT; i++) {
        if (letter->files[i] >= 0)
            close(letter->files[i]);
        letter->files[i] = -1;
    }
}

void letter_free(struct letter *letter)
{
    if (letter == NULL)
        return;
    converter_cancel(letter->job);
    close_files(letter);
    if (letter->has_fax)
        fax_clear(&letter->fax);
    json_decref(letter->wish);
    free(letter->to);
    free(letter);
}

static void fail(struct letter *letter, int error, bool for_good)
{
    letter->done(letter->context, error, for_good, NULL);
}

static const char *wish_text(const struct letter *letter, const char *key)
{
    const char *text = json_string_value(json_object_get(letter->wish, key));

    return text != NULL ? text : "";
}

static bool has_pages(const struct letter *letter)
{
    return letter->has_fax && letter->fax.document[0] != '\0';
}

/* --- what it brings --- */

static void choose_routed(struct letter *letter)
{
    const char *format = wish_text(letter, "format");

    letter->tiff = strcmp(format, "tiff") == 0;
    letter->link = strcmp(format, "link") == 0 || (letter->means.settings->link_only && strcmp(format, "none") != 0);
    letter->wanted[PIECE_PAGES] = !letter->link && strcmp(format, "none") != 0;
}

static void choose(struct letter *letter)
{
    bool open = !letter->means.settings->link_only;

    switch (letter->kind) {
    case MAIL_ROUTED:
        choose_routed(letter);
        break;
    case MAIL_RECEIPT:
        letter->wanted[PIECE_PAGES] =
            open && has_pages(letter) && json_is_true(json_object_get(letter->wish, "attach"));
        letter->wanted[PIECE_SHEET] = open && letter->has_fax && fax_state_is_final(letter->fax.state) &&
                                      json_is_true(json_object_get(letter->wish, "first_page"));
        break;
    case MAIL_ENDPOINT_DISABLED:
    case MAIL_ALARM:
        break;
    }
}

/* True: its pages have to be there, and are not. */
static bool lacks_pages(const struct letter *letter)
{
    return letter->kind == MAIL_ROUTED && (letter->wanted[PIECE_PAGES] || letter->link) && !has_pages(letter);
}

/* A file without a name, in memory under encryption. */
static int open_output(struct spool *spool)
{
    char path[DOCUMENT_PATH_SIZE];
    int fd, error = document_temp(&fd, path, spool);

    if (error != 0)
        return error;
    if (path[0] != '\0')
        unlink(path);
    return fd;
}

static void go_on(struct letter *letter);

static void on_made(void *context, int error, json_t *result)
{
    struct letter *letter = context;
    const char *code = json_string_value(json_object_get(result, "error"));

    letter->job = NULL;
    if (error == 0 && code != NULL)
        error = err_set(ERR_INTERNAL, "the attachment cannot be made: %.300s",
                        json_string_value(json_object_get(result, "message")));
    if (error != 0) {
        fail(letter, error, false);
        return;
    }
    letter->wanted[letter->making] = false;
    go_on(letter);
}

/* Takes `job` and `input` over. */
static int convert(struct letter *letter, enum piece piece, json_t *job, int input)
{
    int error = 0;

    letter->making = piece;
    letter->files[piece] = open_output(letter->means.options->spool);
    if (letter->files[piece] < 0)
        error = letter->files[piece];
    else
        error = converter_run(&letter->job, letter->means.options->converter, job, &input, 1, letter->files[piece],
                              on_made, letter);
    json_decref(job);
    close(input);
    return error;
}

static int make_pages(struct letter *letter)
{
    int input = document_open(letter->means.options->spool, letter->fax.document);

    if (input < 0)
        return input;
    if (!letter->tiff)
        return convert(letter, PIECE_PAGES, json_pack("{s:s}", "op", "pdf"), input);
    letter->files[PIECE_PAGES] = input;
    letter->wanted[PIECE_PAGES] = false;
    return 0;
}

static int make_sheet(struct letter *letter)
{
    json_t *job;
    int input, error = receipt_sheet(&job, &input, letter->means.options->spool, &letter->fax);

    return error != 0 ? error : convert(letter, PIECE_SHEET, job, input);
}

/* --- what it says --- */

/* Values of fields; what is made for them is freed with it. */
struct values {
    struct template_field fields[FIELDS_MAX + 1];
    int count;
    char *made[FIELDS_MAX];
    int made_count;
};

/* What came from a machine far away may be anything: what is not text is left out. */
static void put(struct values *values, const char *name, const char *value)
{
    if (values->count < FIELDS_MAX)
        values->fields[values->count++] =
            (struct template_field){name, value != NULL && str_is_utf8(value, strlen(value)) ? value : ""};
}

/* Takes `value` over. */
static void put_made(struct values *values, const char *name, char *value)
{
    if (values->made_count == FIELDS_MAX) {
        free(value);
        return;
    }
    values->made[values->made_count++] = value;
    put(values, name, value);
}

static void put_number(struct values *values, const char *name, int number)
{
    put_made(values, name, xasprintf("%d", number));
}

static void put_time(struct values *values, const char *name, int64_t at_ms, const char *zone)
{
    char text[80];

    if (at_ms > 0)
        put_made(values, name, xstrdup(time_zone_format(text, sizeof text, at_ms, zone, TIME_FORMAT)));
}

static void clear_values(struct values *values)
{
    for (int i = 0; i < values->made_count; i++)
        free(values->made[i]);
}

static char *login_link(const struct letter *letter)
{
    return xasprintf("%s/#/faxes/%s", letter->means.settings->public_url, letter->fax.public_id);
}

static void put_link(struct values *values, const struct letter *letter, const char *zone)
{
    const struct mail_settings *settings = letter->means.settings;
    const struct mailer_options *options = letter->means.options;
    int64_t until = (clock_now_ms() / 1000 + settings->link_expires_s) * 1000;

    if (settings->public_url[0] == '\0' || !letter->has_fax || (letter->kind == MAIL_ROUTED && !letter->link))
        return;
    if (letter->kind != MAIL_ROUTED || settings->login_links) {
        put_made(values, "link", login_link(letter));
        return;
    }
    put_made(values, "link", options->sign_link(options->context, letter->fax.public_id, letter->tiff, until));
    put_time(values, "link_until", until, zone);
}

/* Numbers and names, and what may hold some. */
static void put_personal(struct values *values, const struct fax *fax, const json_t *options)
{
    bool failed = fax->outcome != OUTCOME_NONE && fax->outcome != OUTCOME_SUCCESS;

    put(values, "from", fax->sender);
    put(values, "to", fax->destination);
    put(values, "station_id", fax->remote_station_id);
    put(values, "subaddress", json_string_value(json_object_get(options, "subaddress")));
    put(values, "reference", fax->client_reference);
    if (failed)
        put(values, "reason", fax->message[0] != '\0' ? fax->message : outcome_info(fax->outcome)->message);
}

static void put_fax(struct values *values, const struct letter *letter, const json_t *options, const char *zone)
{
    const struct fax *fax = &letter->fax;

    if (!letter->means.settings->link_only)
        put_personal(values, fax, options);
    if (fax->outcome != OUTCOME_NONE && fax->outcome != OUTCOME_SUCCESS)
        put(values, "code", outcome_info(fax->outcome)->code);
    if (fax->pages_total >= 0)
        put_number(values, "pages", fax->pages_total);
    put_number(values, "confirmed", fax->pages_confirmed);
    if (fax->calls > 1)
        put_number(values, "calls", fax->calls);
    put_time(values, "at", fax->ended_at, zone);
}

/* "provider: main\nreason: ...\n", of what an event tells. */
static char *details_of(const json_t *data)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)data, key, value)
    {
        if (json_is_string(value))
            fprintf(out, "%s: %s\n", key, json_string_value(value));
        else if (json_is_integer(value))
            fprintf(out, "%s: %lld\n", key, (long long)json_integer_value(value));
    }
    fclose(out);
    if (size > 0)
        text[size - 1] = '\0';
    return text;
}

static void put_event(struct values *values, const struct letter *letter)
{
    const json_t *data = json_object_get(letter->wish, "data");

    put(values, "event", wish_text(letter, "event"));
    put(values, "endpoint", json_string_value(json_object_get(data, "id")));
    if (letter->kind == MAIL_ENDPOINT_DISABLED)
        put(values, "reason", json_string_value(json_object_get(data, "reason")));
    put_made(values, "details", details_of(data));
}

static enum template_name template_of(const struct letter *letter)
{
    static const struct {
        const char *status;
        enum template_name name;
    } receipts[] = {{"delivered", TEMPLATE_RECEIPT_DELIVERED},
                    {"partially_delivered", TEMPLATE_RECEIPT_PARTIALLY_DELIVERED},
                    {"unconfirmed", TEMPLATE_RECEIPT_UNCONFIRMED},
                    {"expired", TEMPLATE_RECEIPT_EXPIRED},
                    {"canceled", TEMPLATE_RECEIPT_CANCELED}};

    switch (letter->kind) {
    case MAIL_ROUTED:
        return TEMPLATE_RECEIVED;
    case MAIL_RECEIPT:
        break;
    case MAIL_ENDPOINT_DISABLED:
        return TEMPLATE_WEBHOOK_DISABLED;
    case MAIL_ALARM:
        return TEMPLATE_ALARM;
    }
    for (size_t i = 0; i < sizeof receipts / sizeof *receipts; i++)
        if (strcmp(receipts[i].status, wish_text(letter, "status")) == 0)
            return receipts[i].name;
    return TEMPLATE_RECEIPT_FAILED;
}

static void put_all(struct values *values, const struct letter *letter, const json_t *options)
{
    const char *zone = json_string_value(json_object_get(options, "time_zone"));

    if (zone == NULL)
        zone = page_style(letter->means.options->spool)->time_zone;
    put(values, "id", letter->has_fax ? letter->fax.public_id : letter->public_id);
    put(values, "server", letter->means.settings->domain);
    put_link(values, letter, zone);
    if (letter->kind == MAIL_ALARM || letter->kind == MAIL_ENDPOINT_DISABLED)
        put_event(values, letter);
    else if (letter->has_fax)
        put_fax(values, letter, options, zone);
}

/* --- the message --- */

static int take_parts(struct message_part *parts, char **names, struct letter *letter, const char *name)
{
    int count = 0;

    for (int i = PIECE_COUNT - 1; i >= 0; i--) {
        bool tiff = i == PIECE_PAGES && letter->tiff;

        if (letter->files[i] < 0)
            continue;
        /* The pages beside a receipt are named by their fax, so that the two differ. */
        names[count] =
            xasprintf("%s%s", letter->kind == MAIL_RECEIPT && i == PIECE_PAGES ? letter->fax.public_id : name,
                      tiff ? ".tif" : ".pdf");
        message_tidy_name(names[count]);
        parts[count] = (struct message_part){letter->files[i], tiff ? "image/tiff" : "application/pdf", names[count]};
        letter->files[i] = -1; /* the message's */
        count++;
    }
    return count;
}

static int compose(struct message **message, struct letter *letter)
{
    const struct mail_settings *settings = letter->means.settings;
    const char *language =
        wish_text(letter, "language")[0] != '\0' ? wish_text(letter, "language") : settings->language;
    json_t *options = letter->has_fax ? json_loads(letter->fax.options, 0, NULL) : NULL;
    struct message_part parts[MESSAGE_PARTS_MAX];
    char *names[MESSAGE_PARTS_MAX] = {NULL}, *id = xasprintf("%s@%s", letter->public_id, settings->domain);
    struct template_text text;
    struct values values = {.count = 0};
    char *subject;
    int count, error;

    put_all(&values, letter, options);
    template_fill(&text, letter->means.templates, template_of(letter), language, values.fields);
    subject = template_line(wish_text(letter, "subject"), values.fields);
    count = take_parts(parts, names, letter, text.attachment);
    error =
        message_new(message,
                    &(struct message_head){.from = settings->from,
                                           .from_name = settings->from_name,
                                           .to = letter->to,
                                           .subject = subject != NULL && subject[0] != '\0' ? subject : text.subject,
                                           .id = id,
                                           .faxd_id = letter->has_fax ? letter->fax.public_id : letter->public_id,
                                           .language = language,
                                           .date_ms = letter->created_at},
                    text.text, parts, count);
    for (int i = 0; i < MESSAGE_PARTS_MAX; i++)
        free(names[i]);
    free(subject);
    free(text.subject);
    free(text.attachment);
    free(text.text);
    free(id);
    clear_values(&values);
    json_decref(options);
    return error;
}

/* What is larger than mails may be stays here; of a received fax a link leads to it. */
static int check_sizes(struct letter *letter)
{
    const struct mail_settings *settings = letter->means.settings;

    for (int i = 0; i < PIECE_COUNT; i++) {
        struct stat status;

        if (letter->files[i] < 0)
            continue;
        if (fstat(letter->files[i], &status) != 0)
            return err_set(ERR_IO, "the size of an attachment is not known: %s", strerror(errno));
        if (status.st_size <= settings->attachment_max)
            continue;
        close(letter->files[i]);
        letter->files[i] = -1;
        letter->link = letter->kind == MAIL_ROUTED;
        log_info("an attachment is too large mail=%s fax=%s octets=%lld", letter->public_id, letter->fax.public_id,
                 (long long)status.st_size);
    }
    return 0;
}

static void finish(struct letter *letter)
{
    struct message *message = NULL;
    int error = check_sizes(letter);

    if (error == 0 && letter->link && letter->means.settings->public_url[0] == '\0') {
        error = err_set(ERR_UNSUPPORTED, "a link to the pages is needed, and web|public_url is not set");
        fail(letter, error, true);
        return;
    }
    if (error == 0)
        error = compose(&message, letter);
    if (error != 0)
        fail(letter, error, false);
    else
        letter->done(letter->context, 0, false, message);
}

static void go_on(struct letter *letter)
{
    int error = 0;

    if (letter->wanted[PIECE_PAGES])
        error = make_pages(letter);
    if (error == 0 && letter->job == NULL && letter->wanted[PIECE_SHEET])
        error = make_sheet(letter);
    if (error != 0)
        fail(letter, error, error == ERR_NOT_FOUND || error == ERR_DAMAGED);
    else if (letter->job == NULL)
        finish(letter);
}

void letter_write(struct letter *letter, const struct letter_means *means)
{
    int error = 0;

    letter->means = *means;
    if (letter->fax_row != 0)
        error = fax_get(&letter->fax, means->options->spool, letter->fax_row);
    letter->has_fax = letter->fax_row != 0 && error == 0;
    if (error != 0) {
        fail(letter, error, error == ERR_NOT_FOUND);
        return;
    }
    choose(letter);
    if (lacks_pages(letter)) {
        fail(letter, err_set(ERR_NOT_FOUND, "the fax has no pages any more"), true);
        return;
    }
    go_on(letter);
}
