/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pages of a fax: as TIFF out of the store, as PDF or PNG made by a sandboxed child when asked for. No image is
 * decoded in this process. */
#include "config.h" /* memfd_create */

#include "spool/converter.h"
#include "spool/document.h"
#include "spool/fax.h"
#include "spool/spool.h"
#include "web/api.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define THUMBNAIL_WIDTH 200
#define WIDTH_LEAST     16
#define WIDTH_MOST      4096

/* A conversion that a request waits for. */
struct rendering {
    struct request *request;
    struct converter_job *job;
    const char *type;
    int output;
    int64_t decrypted; /* octets in memory, of an encrypted document */
};

/* --- which document --- */

static bool find(struct fax *fax, struct request *request)
{
    int result = fax_find(fax, request->web->options.spool, request->params[0]);

    if (result == ERR_NOT_FOUND)
        request_problem(request, 404, "no_such_fax", "there is no fax %s", request->params[0]);
    else if (result < 0)
        request_error(request, result);
    return result == 0;
}

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
static bool is_known(struct request *request, const char *sha, const char *variant)
{
    char tag[128];
    const char *known = request_header_in(request, "If-None-Match");

    snprintf(tag, sizeof tag, "\"%s%s\"", sha, variant);
    request_header(request, "ETag", tag);
    request_header(request, "Cache-Control", "private, no-cache");
    if (!known || !strstr(known, tag))
        return false;
    request_reply_empty(request, 304);
    return true;
}

static void name_file(struct request *request, const char *extension)
{
    char text[ROUTE_PARAM_SIZE + 64];

    /* The id was found in the store, so it holds nothing that a header could not. */
    snprintf(text, sizeof text, "inline; filename=\"%s%s\"", request->params[0], extension);
    request_header(request, "Content-Disposition", text);
}

static void reply_stored(struct request *request, const char *sha)
{
    int fd = document_open(request->web->options.spool, sha);
    struct stat status;

    if (fd < 0) {
        request_error(request, fd);
    } else if (fstat(fd, &status) < 0) {
        close(fd);
        request_error(request, err_set(ERR_IO, "fstat of document %s: %s", sha, strerror(errno)));
    } else {
        name_file(request, ".tif");
        request_reply_file(request, "image/tiff", fd, (size_t)status.st_size);
    }
}

/* --- renderings --- */

static void rendering_free(struct rendering *rendering)
{
    if (rendering->request->web)
        rendering->request->web->decrypted -= rendering->decrypted;
    if (rendering->output >= 0)
        close(rendering->output);
    free(rendering);
}

/* The client went away, or the web part closes. */
static void on_gone(void *context)
{
    struct rendering *rendering = context;

    converter_cancel(rendering->job);
    rendering_free(rendering);
}

static void reply_rendered(struct rendering *rendering)
{
    struct request *request = rendering->request;
    struct stat status;

    if (fstat(rendering->output, &status) < 0 || status.st_size == 0) {
        request_problem(request, 500, "conversion_failed", "the converter gave nothing");
        return;
    }
    request_reply_file(request, rendering->type, rendering->output, (size_t)status.st_size);
    rendering->output = -1;
}

static void on_rendered(void *context, int error, json_t *result)
{
    struct rendering *rendering = context;
    struct request *request = rendering->request;
    const char *code = json_string_value(json_object_get(result, "error"));
    const char *message = json_string_value(json_object_get(result, "message"));

    request->gone = NULL;
    if (error)
        request_error(request, error);
    else if (code)
        request_problem(request, 500, "conversion_failed", "%.200s", message ? message : code);
    else
        reply_rendered(rendering);
    rendering_free(rendering);
    request_finish(request);
}

/* Decrypted documents wait in memory for their turn at the converter: together they keep to what bodies of requests may
 * take. */
static int reserve(struct rendering *rendering, int input)
{
    struct web *web = rendering->request->web;
    struct stat status;

    if (!spool_encrypts(web->options.spool) || fstat(input, &status) < 0)
        return 0;
    if (web->decrypted > 0 && web->decrypted + status.st_size > (int64_t)web->options.memory_max)
        return err_set(ERR_AGAIN, "too many documents are being shown at once");
    rendering->decrypted = status.st_size;
    web->decrypted += status.st_size;
    return 0;
}

static int start(struct rendering *rendering, const char *sha, const json_t *job)
{
    struct web_options *options = &rendering->request->web->options;
    int input, result;

    if (!options->converter)
        return err_set(ERR_AGAIN, "no converter is running");
    if ((rendering->output = memfd_create("rendering", MFD_CLOEXEC)) < 0)
        return err_set(ERR_AGAIN, "no memory for a rendering: %s", strerror(errno));
    if ((input = document_open(options->spool, sha)) < 0)
        return input;
    result = reserve(rendering, input);
    if (result == 0)
        result = converter_run(&rendering->job, options->converter, job, &input, 1, rendering->output, on_rendered,
                               rendering);
    close(input);
    return result;
}

/* Takes `job` over. */
static void render(struct request *request, const char *sha, const char *type, json_t *job)
{
    struct rendering *rendering = xcalloc(1, sizeof *rendering);
    int result;

    rendering->request = request;
    rendering->type = type;
    rendering->output = -1;
    result = start(rendering, sha, job);
    json_decref(job);
    if (result < 0) {
        rendering_free(rendering);
        request_error(request, result);
        return;
    }
    request->gone = on_gone;
    request->gone_context = rendering;
    request_wait(request);
}

/* --- the resources --- */

static bool is_word(const char *text, const char *a, const char *b)
{
    return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

static bool check_choice(struct request *request, const char *format, const char *copy)
{
    struct problems problems = {0};

    if (!is_word(format, "pdf", "tiff"))
        problem_add(&problems, "?format", "unknown_word", "\"%.60s\" is not one of: pdf, tiff", format);
    if (!is_word(copy, "as_sent", "original"))
        problem_add(&problems, "?copy", "unknown_word", "\"%.60s\" is not one of: as_sent, original", copy);
    else if (strcmp(copy, "original") == 0 && strcmp(format, "pdf") == 0)
        problem_add(&problems, "?format", "not_supported", "the original is given as it came: format=tiff");
    if (!problem_any(&problems))
        return true;
    request_problems(request, &problems);
    return false;
}

void documents_get(struct request *request)
{
    static const char *const names[] = {"format", "copy", NULL};
    const char *format = request_query(request, "format"), *copy = request_query(request, "copy"), *sha;
    struct fax fax;

    if (!copy)
        copy = "as_sent";
    if (!format)
        format = strcmp(copy, "original") == 0 ? "tiff" : "pdf";
    if (!request_check_query(request, names) || !check_choice(request, format, copy) || !find(&fax, request))
        return;
    sha = strcmp(copy, "original") == 0 ? fax.original : fax.document;
    if (!*sha) {
        no_document(request, &fax);
    } else if (is_known(request, sha, strcmp(format, "pdf") == 0 ? ".pdf" : ".tiff")) {
        /* replied */
    } else if (strcmp(format, "tiff") == 0) {
        reply_stored(request, sha);
    } else {
        name_file(request, ".pdf");
        render(request, sha, "application/pdf", json_pack("{s:s}", "op", "pdf"));
    }
    fax_clear(&fax);
}

static void reply_page(struct request *request, const struct fax *fax, int64_t page, int64_t width)
{
    char variant[48];

    snprintf(variant, sizeof variant, ".%lld.%lld.png", (long long)page, (long long)width);
    if (!*fax->document)
        no_document(request, fax);
    else if (fax->pages_total >= 0 && page > fax->pages_total)
        request_problem(request, 404, "no_such_page", "the fax has %d pages", fax->pages_total);
    else if (!is_known(request, fax->document, variant))
        render(request, fax->document, "image/png",
               json_pack("{s:s, s:I, s:I}", "op", "png", "page", (json_int_t)page, "width", (json_int_t)width));
}

void documents_page(struct request *request)
{
    static const char *const names[] = {"w", NULL};
    int64_t page, width;
    struct fax fax;

    if (!request_check_query(request, names) || !request_query_int(&width, request, "w", WIDTH_LEAST, WIDTH_MOST, 0) ||
        !find(&fax, request))
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

    if (!find(&fax, request))
        return;
    reply_page(request, &fax, 1, THUMBNAIL_WIDTH);
    fax_clear(&fax);
}
