/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pages of a fax: as TIFF out of the store, as PDF or PNG made by a sandboxed child when asked for. No image is
 * decoded in this process. */
#include "config.h" /* memfd_create */

#include "spool/converter.h"
#include "spool/document.h"
#include "spool/fax.h"
#include "spool/fax_document.h"
#include "spool/page_style.h"
#include "spool/spool.h"
#include "web/access.h"
#include "web/api.h"
#include "web/documents.h"
#include "web/rendering.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/media_type.h"
#include "server/base/str.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define THUMBNAIL_WIDTH 200
#define WIDTH_LEAST     16
#define WIDTH_MOST      4096
#define SENT_MAX        30 /* calls of which something is shown: the converter's inputs */

/* --- which document --- */

/* Why there is none: purged, not there yet, or never to be. */
static void no_document(struct request *request, const struct fax *fax)
{
    if (fax->purged_at)
        request_problem(request, 410, "purged", "the documents of this fax were deleted");
    else if (!fax_state_is_final(fax->state))
        request_problem(request, 409, "not_ready", "the fax is %s, its pages are not ready yet",
                        fax_state_name(fax->state));
    else
        request_problem(request, 404, "no_document", "this fax has no pages");
}

/* The digest names the octets; what is made of them depends on nothing else. True when the client has it already. */
static bool is_known(struct request *request, const char *name)
{
    return request_is_known(request, name, "private, no-cache");
}

static void name_file(struct request *request, const char *extension)
{
    char text[ROUTE_PARAM_SIZE + 64];

    /* The id was found in the store, so it holds nothing that a header could not. */
    snprintf(text, sizeof text, "inline; filename=\"%s%s\"", request->params[0], extension);
    request_header(request, "Content-Disposition", text);
}

/* What an upload is, it is told by its octets. */
static const struct {
    const char *mime, *extension;
} types[] = {
    [MEDIA_UNKNOWN] = {"application/octet-stream", ""},
    [MEDIA_TIFF] = {"image/tiff", ".tif"},
    [MEDIA_PDF] = {"application/pdf", ".pdf"},
    [MEDIA_TEXT] = {"text/plain", ".txt"},
    [MEDIA_JPEG] = {"image/jpeg", ".jpg"},
    [MEDIA_PNG] = {"image/png", ".png"},
    [MEDIA_GIF] = {"image/gif", ".gif"},
    [MEDIA_BMP] = {"image/bmp", ".bmp"},
    [MEDIA_WEBP] = {"image/webp", ".webp"},
    [MEDIA_HEIC] = {"image/heic", ".heic"},
    [MEDIA_SVG] = {"application/octet-stream", ".svg"}, /* as a picture it could run scripts in a browser */
    [MEDIA_POSTSCRIPT] = {"application/postscript", ".ps"},
    [MEDIA_OFFICE] = {"application/octet-stream", ""},
};

static enum media_type type_of(int fd)
{
    static unsigned char head[MEDIA_TYPE_HEAD];
    ssize_t size = pread(fd, head, sizeof head, 0);

    return size > 0 ? media_type_of(head, (size_t)size) : MEDIA_UNKNOWN;
}

static void reply_stored(struct request *request, const char *sha)
{
    int fd = document_open(request_spool(request), sha);
    struct stat status;

    if (fd < 0) {
        request_error(request, fd);
    } else if (fstat(fd, &status) < 0) {
        close(fd);
        request_error(request, err_set(ERR_IO, "fstat of document %s: %s", sha, strerror(errno)));
    } else {
        enum media_type type = type_of(fd);
        name_file(request, types[type].extension);
        request_reply_file(request, types[type].mime, fd, (size_t)status.st_size);
    }
}

/* --- the resources --- */

static bool is_word(const char *text, const char *a, const char *b)
{
    return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

static bool check_choice(struct request *request, const char *format, const char *copy)
{
    struct problems problems = {0};

    if (strcmp(format, "pdf-searchable") == 0 && !page_style(request_spool(request))->searchable)
        problem_add(&problems, "?format", "not_supported",
                    "searchable PDFs are not offered here: the administrator can turn them on by convert|searchable");
    else if (!is_word(format, "pdf", "tiff") && strcmp(format, "pdf-searchable") != 0)
        problem_add(&problems, "?format", "unknown_word", "\"%.60s\" is not one of: pdf, tiff, pdf-searchable", format);
    if (!is_word(copy, "as_sent", "original"))
        problem_add(&problems, "?copy", "unknown_word", "\"%.60s\" is not one of: as_sent, original", copy);
    else if (strcmp(copy, "original") == 0 && strcmp(format, "tiff") != 0)
        problem_add(&problems, "?format", "not_supported",
                    "the original is given as it came: leave the format out, or take copy=as_sent");
    if (!problem_any(&problems))
        return true;
    request_problems(request, &problems);
    return false;
}

/* --- as sent --- */

/* What left, call by call: a page is shown as it left last. */
struct sent {
    struct fax_document *rows;
    int count;
    char tag[DOCUMENT_SHA_SIZE]; /* names all of them */
    char ranges[SENT_MAX][32];   /* pages of each call's file, "" = all */
    int first;                   /* the first call that something is taken of */
};

/* Which pages of each call's file are the last of their kind. */
static void choose_pages(struct sent *sent, int pages)
{
    int last = pages;

    for (int i = sent->count - 1; i >= 0 && last > 0; i--) {
        int first = (int)json_integer_value(json_object_get(sent->rows[i].info, "first_page"));
        int shift = json_is_true(json_object_get(sent->rows[i].info, "repeated")) && first > 1 ? 1 : 0;
        if (first < 1 || first > last)
            continue;
        snprintf(sent->ranges[i], sizeof sent->ranges[i], "%d-%d", 1 + shift, last - first + 1 + shift);
        sent->first = i;
        last = first - 1;
    }
}

static int find_sent(struct sent *sent, struct request *request, const struct fax *fax)
{
    crypto_generichash_state state;
    unsigned char hash[32];

    *sent = (struct sent){0};
    sent->count = fax_documents(&sent->rows, request_spool(request), fax->id, FAX_DOCUMENT_AS_SENT);
    if (sent->count <= 0)
        return sent->count;
    if (sent->count > SENT_MAX) { /* the last ones: each call goes on where the one before broke off */
        for (int i = 0; i < sent->count - SENT_MAX; i++)
            json_decref(sent->rows[i].info);
        memmove(sent->rows, sent->rows + sent->count - SENT_MAX, SENT_MAX * sizeof *sent->rows);
        sent->count = SENT_MAX;
    }
    choose_pages(sent, fax->pages_total);
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    for (int i = 0; i < sent->count; i++)
        crypto_generichash_update(&state, (const unsigned char *)sent->rows[i].sha, sizeof sent->rows[i].sha);
    crypto_generichash_final(&state, hash, sizeof hash);
    str_hex(sent->tag, hash, sizeof hash);
    return sent->count;
}

/* One file serves when the last call sent all that was kept. */
static bool is_single(const struct sent *sent)
{
    return sent->count > 0 && sent->first == sent->count - 1;
}

/* --- the resources --- */

/* The job that makes `format` of a fax; NULL for tiff, which a fax is. New reference. */
static json_t *format_job(const struct request *request, const char *format)
{
    const struct spool *spool = request_spool(request);

    if (strcmp(format, "pdf") == 0)
        return json_pack("{s:s}", "op", "pdf");
    if (strcmp(format, "pdf-searchable") == 0)
        return json_pack("{s:s, s:O, s:s}", "op", "external", "argv", page_style(spool)->searchable, "folder",
                         spool_work_dir(spool));
    return NULL;
}

static void reply_one(struct request *request, const char *sha, const char *format)
{
    json_t *job = format_job(request, format);
    char tag[128];
    int input;

    snprintf(tag, sizeof tag, "%s.%s", sha, format);
    if (job)
        name_file(request, ".pdf");
    if (is_known(request, tag) || (job && rendering_reply_kept(request, tag, "application/pdf"))) {
        json_decref(job);
    } else if (!job) {
        reply_stored(request, sha);
    } else if ((input = document_open(request_spool(request), sha)) < 0) {
        json_decref(job);
        request_error(request, input);
    } else {
        rendering_reply(request, &input, 1, job, NULL, "application/pdf", tag);
        close(input);
    }
}

static void reply_sent(struct request *request, const struct sent *sent, const char *format)
{
    json_t *ranges = json_array(), *then = format_job(request, format);
    bool tiff = then == NULL;
    char tag[128];
    int inputs[SENT_MAX], count = 0, result = 0;

    snprintf(tag, sizeof tag, "%s.sent.%s", sent->tag, format);
    for (int i = sent->first; i < sent->count && result >= 0; i++) {
        if (!*sent->ranges[i])
            continue;
        result = document_open(request_spool(request), sent->rows[i].sha);
        if (result >= 0)
            inputs[count++] = result;
        json_array_append_new(ranges, json_string(sent->ranges[i]));
    }
    if (result < 0) {
        request_error(request, result);
    } else if (!is_known(request, tag)) {
        name_file(request, tiff ? ".tif" : ".pdf");
        rendering_reply(request, inputs, count, json_pack("{s:s, s:O}", "op", "compose", "ranges", ranges),
                        json_incref(then), tiff ? "image/tiff" : "application/pdf", "");
    }
    while (count > 0)
        close(inputs[--count]);
    json_decref(ranges);
    json_decref(then);
}

static void reply_as_sent(struct request *request, const struct fax *fax, const char *format)
{
    struct sent sent;
    int count = find_sent(&sent, request, fax);

    if (count < 0)
        request_error(request, count);
    else if (count == 0)
        reply_one(request, fax->document, format);
    else if (is_single(&sent))
        reply_one(request, sent.rows[sent.first].sha, format);
    else
        reply_sent(request, &sent, format);
    fax_documents_free(sent.rows, count > 0 ? sent.count : 0);
}

/* The n-th upload, as it came. */
static void reply_original(struct request *request, const struct fax *fax, int64_t number)
{
    struct fax_document *rows = NULL;
    int count = fax_documents(&rows, request_spool(request), fax->id, FAX_DOCUMENT_UPLOAD);
    const char *sha = count == 0 && number == 1 ? fax->original : number <= count ? rows[number - 1].sha : "";

    if (count < 0)
        request_error(request, count);
    else if (!*sha)
        request_problem(request, 404, "no_document", "this fax was made of %d documents",
                        count > 0 ? count : *fax->original != 0);
    else
        reply_one(request, sha, "original");
    fax_documents_free(rows, count > 0 ? count : 0);
}

bool documents_there(struct request *request, const struct fax *fax, bool original)
{
    if (*fax->document || (original && *fax->original))
        return true;
    no_document(request, fax);
    return false;
}

void documents_give(struct request *request, const struct fax *fax, const char *format, bool original, int64_t number)
{
    if (original)
        reply_original(request, fax, number);
    else
        reply_as_sent(request, fax, format);
}

void documents_get(struct request *request)
{
    static const char *const names[] = {"format", "copy", "n", NULL};
    const char *format = request_query(request, "format"), *copy = request_query(request, "copy");
    bool original;
    int64_t number;
    struct fax fax;

    if (!copy)
        copy = "as_sent";
    original = strcmp(copy, "original") == 0;
    if (!format)
        format = original ? "tiff" : "pdf";
    if (!request_check_query(request, names) || !check_choice(request, format, copy) ||
        !request_query_int(&number, request, "n", 1, 1000, 1) || !access_fax(&fax, request))
        return;
    if (documents_there(request, &fax, original))
        documents_give(request, &fax, format, original, number);
    fax_clear(&fax);
}

static void render_page(struct request *request, const char *sha, int64_t page, int64_t width)
{
    char tag[128];
    int input;

    snprintf(tag, sizeof tag, "%s.%lld.%lld.png", sha, (long long)page, (long long)width);
    if (is_known(request, tag) || rendering_reply_kept(request, tag, "image/png"))
        return;
    input = document_open(request_spool(request), sha);
    if (input < 0) {
        request_error(request, input);
        return;
    }
    rendering_reply(request, &input, 1,
                    json_pack("{s:s, s:I, s:I}", "op", "png", "page", (json_int_t)page, "width", (json_int_t)width),
                    NULL, "image/png", tag);
    close(input);
}

/* The page as it left, when it left; else as it is prepared. */
static void reply_page(struct request *request, const struct fax *fax, int64_t page, int64_t width)
{
    struct sent sent;
    int count = 0;

    if (!*fax->document) {
        no_document(request, fax);
    } else if (fax->pages_total >= 0 && page > fax->pages_total) {
        request_problem(request, 404, "no_such_page", "the fax has %d pages", fax->pages_total);
    } else {
        count = find_sent(&sent, request, fax);
        if (count < 0)
            request_error(request, count);
        else
            render_page(request, is_single(&sent) && sent.first == 0 ? sent.rows[0].sha : fax->document, page, width);
        fax_documents_free(sent.rows, count > 0 ? sent.count : 0);
    }
}

void documents_page(struct request *request)
{
    static const char *const names[] = {"w", NULL};
    int64_t page, width;
    struct fax fax;

    if (!request_check_query(request, names) || !request_query_int(&width, request, "w", WIDTH_LEAST, WIDTH_MOST, 0) ||
        !access_fax(&fax, request))
        return;
    if (str_to_int(&page, request->params[1], 1, 1000000) < 0)
        request_problem(request, 404, "no_such_page", "pages are counted from 1");
    else
        reply_page(request, &fax, page, width);
    fax_clear(&fax);
}

void documents_thumbnail(struct request *request)
{
    struct fax fax;

    if (!access_fax(&fax, request))
        return;
    reply_page(request, &fax, 1, THUMBNAIL_WIDTH);
    fax_clear(&fax);
}
