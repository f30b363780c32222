/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/previews: what a fax would look like and cost, without sending it. The same way as a real one: preparation,
 * header line; then the pages are measured. */
#include "config.h" /* memfd_create */

#include "web/preview.h"

#include "spool/converter.h"
#include "spool/document.h"
#include "spool/header_line.h"
#include "spool/page_style.h"
#include "spool/preparation.h"
#include "spool/cover.h"
#include "spool/spool.h"
#include "web/access.h"
#include "web/api.h"
#include "web/pages_wanted.h"
#include "web/parties.h"
#include "web/rendering.h"
#include "web/request.h"
#include "web/upload.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a page costs on the line: V.17 at its full rate, and the turn-around between pages; a call's beginning. */
#define LINE_OCTETS_S 1700.0
#define PAGE_S        3.0
#define CALL_S        15.0

#define DARK_INK   250    /* thousandths: a page so black takes long and much toner */
#define HEAVY_SIZE 150000 /* octets: a grey photograph in dots */

#define ID_SIZE 40

struct preview {
    TAILQ_ENTRY(preview) link;
    char id[ID_SIZE]; /* "prv_" + ULID */
    int64_t owner, made_at, expires_at;
    int fd; /* fax TIFF */
    int pages;
    json_t *reply;
};

TAILQ_HEAD(preview_list, preview);

struct previews {
    struct preview_list list; /* oldest first */
    int count;
};

/* One that is being made. */
struct previewing {
    struct request *request;
    struct preparation *preparation;
    struct converter_job *job;
    int fd, next_fd; /* the pages so far; what is made of them */
    int pages;
};

/* --- the store --- */

struct previews *previews_new(void)
{
    struct previews *previews = xcalloc(1, sizeof *previews);

    TAILQ_INIT(&previews->list);
    return previews;
}

static void drop(struct previews *previews, struct preview *preview)
{
    TAILQ_REMOVE(&previews->list, preview, link);
    previews->count--;
    close(preview->fd);
    json_decref(preview->reply);
    free(preview);
}

void previews_free(struct previews *previews)
{
    if (!previews)
        return;
    while (!TAILQ_EMPTY(&previews->list))
        drop(previews, TAILQ_FIRST(&previews->list));
    free(previews);
}

/* Those whose time is over, and as many of the oldest that `most` are left. */
static void drop_old(struct previews *previews, int most)
{
    struct preview *first;

    while ((first = TAILQ_FIRST(&previews->list)) != NULL &&
           (previews->count > most || clock_mono_ms() - first->made_at > PREVIEWS_AGE_S * 1000LL))
        drop(previews, first);
}

/* Somebody else's is as unknown as one that has gone. */
static struct preview *find(struct request *request)
{
    struct previews *previews = request->web->previews;
    struct preview *preview;

    drop_old(previews, PREVIEWS_MAX);
    TAILQ_FOREACH(preview, &previews->list, link)
    {
        if (strcmp(preview->id, request->params[0]) == 0 && preview->owner == access_requester(request))
            return preview;
    }
    request_problem(request, 404, "no_such_preview", "there is no preview %s: they are kept for %d minutes",
                    request->params[0], PREVIEWS_AGE_S / 60);
    return NULL;
}

/* --- what is said about it --- */

static void warn(json_t *all, json_t *list, int page, const char *text)
{
    json_array_append_new(list, json_string(text));
    json_array_append_new(all, json_sprintf("page %d: %s", page, text));
}

static json_t *page_object(const char *id, int number, int octets, int ink, json_t *all)
{
    json_t *warnings = json_array();
    double seconds = octets / LINE_OCTETS_S + PAGE_S;

    if (ink > DARK_INK)
        warn(all, warnings, number, "it is very dark: a light background would be read more easily and sent faster");
    if (octets > HEAVY_SIZE)
        warn(all, warnings, number, "it has grey pictures, which take long on the line");
    return json_pack("{s:i, s:f, s:f, s:o, s:o}", "number", number, "seconds", (double)(int)(seconds + 0.5), "ink",
                     ink / 1000.0, "warnings", warnings, "image", json_sprintf("/v1/previews/%s/pages/%d", id, number));
}

static json_t *describe(const struct preview *preview, const json_t *result)
{
    const json_t *coded = json_object_get(result, "coded"), *ink = json_object_get(result, "ink");
    json_t *pages = json_array(), *warnings = json_array();
    char expires[CLOCK_TEXT_SIZE];
    double seconds = CALL_S;

    for (int i = 0; i < preview->pages; i++) {
        int octets = (int)json_integer_value(json_array_get(coded, (size_t)i));
        seconds += octets / LINE_OCTETS_S + PAGE_S;
        json_array_append_new(pages, page_object(preview->id, i + 1, octets,
                                                 (int)json_integer_value(json_array_get(ink, (size_t)i)), warnings));
    }
    return json_pack("{s:s, s:i, s:f, s:o, s:o, s:s, s:{s:o}}", "id", preview->id, "page_count", preview->pages,
                     "seconds", (double)(int)(seconds + 0.5), "warnings", warnings, "pages", pages, "expires_at",
                     clock_format(expires, preview->expires_at), "links", "document",
                     json_sprintf("/v1/previews/%s/document", preview->id));
}

/* --- making one --- */

static void previewing_free(struct previewing *previewing)
{
    preparation_cancel(previewing->preparation);
    converter_cancel(previewing->job);
    if (previewing->fd >= 0)
        close(previewing->fd);
    if (previewing->next_fd >= 0)
        close(previewing->next_fd);
    free(previewing);
}

static void on_gone(void *context)
{
    previewing_free(context);
}

static void end(struct previewing *previewing)
{
    struct request *request = previewing->request;

    request->gone = NULL;
    previewing_free(previewing);
    request_finish(request);
}

static void end_error(struct previewing *previewing, int error)
{
    request_error(previewing->request, error);
    end(previewing);
}

static void end_fault(struct previewing *previewing, const char *fault, const char *message)
{
    struct problems problems = {0};

    if (strcmp(fault, "internal") == 0) {
        request_problem(previewing->request, 503, "busy", "%.200s", message ? message : fault);
    } else {
        problem_add(&problems, "/documents", fault, "%.300s", message ? message : fault);
        request_problems(previewing->request, &problems);
    }
    end(previewing);
}

static void keep(struct previewing *previewing, const json_t *result)
{
    struct request *request = previewing->request;
    struct previews *previews = request->web->previews;
    struct preview *preview = xcalloc(1, sizeof *preview);
    char ulid[STR_ULID_SIZE];
    int64_t now_ms = clock_now_ms();

    snprintf(preview->id, sizeof preview->id, "prv_%s", str_ulid(ulid, now_ms));
    preview->owner = access_requester(request);
    preview->made_at = clock_mono_ms();
    preview->expires_at = now_ms + PREVIEWS_AGE_S * 1000LL;
    preview->fd = previewing->fd;
    preview->pages = previewing->pages;
    preview->reply = describe(preview, result);
    previewing->fd = -1;
    drop_old(previews, PREVIEWS_MAX - 1);
    TAILQ_INSERT_TAIL(&previews->list, preview, link);
    previews->count++;
    request->location = xasprintf("/v1/previews/%s", preview->id);
    request_reply(request, 201, json_incref(preview->reply));
    end(previewing);
}

static void on_measured(void *context, int error, json_t *result)
{
    struct previewing *previewing = context;
    const char *fault = json_string_value(json_object_get(result, "error"));

    previewing->job = NULL;
    if (error)
        end_error(previewing, error);
    else if (fault)
        end_fault(previewing, fault, json_string_value(json_object_get(result, "message")));
    else
        keep(previewing, result);
}

/* Run a job on the pages so far; its output is in next_fd. Takes `job` over. */
static int run(struct previewing *previewing, json_t *job, converter_done_fn done)
{
    struct web_options *options = &previewing->request->web->options;
    char path[DOCUMENT_PATH_SIZE];
    int result = document_temp(&previewing->next_fd, path, options->spool);

    if (result == 0) {
        if (*path)
            unlink(path);
        result = converter_run(&previewing->job, options->converter, job, &previewing->fd, 1, previewing->next_fd, done,
                               previewing);
    } else {
        previewing->next_fd = -1;
    }
    json_decref(job);
    return result;
}

static void measure(struct previewing *previewing)
{
    int result = run(previewing, json_pack("{s:s}", "op", "measure"), on_measured);

    if (result < 0)
        end_error(previewing, result);
}

static void on_headed(void *context, int error, json_t *result)
{
    struct previewing *previewing = context;
    const char *fault = json_string_value(json_object_get(result, "error"));

    previewing->job = NULL;
    if (error || fault) {
        error ? end_error(previewing, error)
              : end_fault(previewing, fault, json_string_value(json_object_get(result, "message")));
        return;
    }
    close(previewing->fd);
    previewing->fd = previewing->next_fd;
    previewing->next_fd = -1;
    measure(previewing);
}

static void add_header(struct previewing *previewing)
{
    struct request *request = previewing->request;
    const struct submit_request *submit = &request->upload->wanted.submit;
    json_t *header = header_line(request_spool(request), request->upload->wanted.options,
                                 submit->from ? submit->from : "", submit->to ? submit->to : "", previewing->pages);

    if (!header) {
        measure(previewing);
        return;
    }
    int result = run(previewing, json_pack("{s:s, s:o}", "op", "cut", "header", header), on_headed);
    if (result < 0)
        end_error(previewing, result);
}

static void on_prepared(void *context, int error, const char *fault, const char *message,
                        struct preparation_form *forms, int count)
{
    struct previewing *previewing = context;

    previewing->preparation = NULL;
    if (error) {
        end_error(previewing, error);
    } else if (fault) {
        end_fault(previewing, fault, message);
    } else if (count < 1 || forms[0].fd < 0) {
        end_error(previewing, err_set(ERR_INTERNAL, "a preview came out as nothing"));
    } else {
        previewing->fd = forms[0].fd;
        previewing->pages = forms[0].pages;
        forms[0].fd = -1;
        add_header(previewing);
    }
}

/* Octets as a file without a name. */
static int memory_file(const void *data, size_t size)
{
    int fd = memfd_create("preview", MFD_CLOEXEC);

    for (size_t done = 0; fd >= 0 && done < size;) {
        ssize_t put = write(fd, (const char *)data + done, size - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            close(fd);
            fd = -1;
        }
        done += put > 0 ? (size_t)put : 0;
    }
    return fd >= 0 ? fd : err_set(ERR_AGAIN, "no memory for a preview: %s", strerror(errno));
}

static int take_uploads(struct preparation_upload *uploads, const struct fax_request *wanted)
{
    for (int i = 0; i < wanted->document_count; i++) {
        int fd = memory_file(wanted->documents[i].data, wanted->documents[i].size);
        if (fd < 0) {
            while (i > 0)
                close(uploads[--i].fd);
            return fd;
        }
        uploads[i] = (struct preparation_upload){.fd = fd, .info = wanted->documents[i].info};
    }
    for (int i = 0; i < wanted->document_count; i++)
        json_incref(uploads[i].info);
    return 0;
}

/* As server/prepare fills them in. */
static json_t *fields_of(const struct fax_request *wanted, const struct spool *spool)
{
    const struct submit_request *submit = &wanted->submit;
    int64_t at_ms = submit->not_before > clock_now_ms() ? submit->not_before : clock_now_ms();
    json_t *defaults =
        cover_defaults(spool, wanted->options, submit->to ? submit->to : "", submit->from ? submit->from : "", at_ms);
    json_t *fields = cover_fill(wanted->cover_fields, defaults);

    json_decref(defaults);
    return fields;
}

static int start(struct previewing *previewing, const struct cover_use *cover)
{
    struct request *request = previewing->request;
    struct fax_request *wanted = &request->upload->wanted;
    struct spool *spool = request_spool(request);
    struct preparation_upload uploads[FAX_REQUEST_DOCUMENTS];
    json_t *fields = fields_of(wanted, spool);
    struct preparation_request preparation = {.spool = spool,
                                              .converter = request->web->options.converter,
                                              .options = wanted->options,
                                              .programs = page_style(spool)->programs,
                                              .folder = spool_work_dir(spool),
                                              .pages_max = page_style(spool)->pages_max,
                                              .uploads = uploads,
                                              .upload_count = wanted->document_count,
                                              .cover = -1,
                                              .cover_fields = fields,
                                              .only_first = true,
                                              .done = on_prepared,
                                              .context = previewing};
    int result = take_uploads(uploads, wanted);

    if (result == 0 && cover->data) {
        preparation.cover = memory_file(cover->data, cover->size);
        result = preparation.cover < 0 ? preparation.cover : 0;
    }
    if (result == 0)
        result = preparation_start(&previewing->preparation, &preparation);
    json_decref(fields);
    return result;
}

static bool is_good(struct request *request)
{
    struct upload *upload = request->upload;

    if (upload->status)
        request_problem(request, upload->status, upload->code, "%s", upload->detail);
    else if (problem_any(&upload->problems))
        request_problems(request, &upload->problems);
    else
        return can_be_read(request);
    return false;
}

void previews_post(struct request *request)
{
    struct cover_use cover;
    struct previewing *previewing;
    int result;

    if (!is_good(request) || !parties_find(request) || !cover_check(&cover, request))
        return;
    previewing = xcalloc(1, sizeof *previewing);
    previewing->request = request;
    previewing->fd = previewing->next_fd = -1;
    use_style(&request->upload->wanted, request_spool(request));
    result = start(previewing, &cover);
    cover_use_clear(&cover);
    if (result < 0) {
        previewing_free(previewing);
        request_error(request, result);
        return;
    }
    request->gone = on_gone;
    request->gone_context = previewing;
    request_wait(request);
}

/* --- looking at one --- */

void previews_get(struct request *request)
{
    const struct preview *preview = find(request);

    if (preview)
        request_reply(request, 200, json_incref(preview->reply));
}

void previews_document(struct request *request)
{
    static const char *const names[] = {"format", NULL};
    const char *format = request_query(request, "format");
    const struct preview *preview = request_check_query(request, names) ? find(request) : NULL;
    struct problems problems = {0};
    struct stat status;

    if (!preview)
        return;
    if (format && strcmp(format, "pdf") != 0 && strcmp(format, "tiff") != 0) {
        problem_add(&problems, "?format", "unknown_word", "\"%.60s\" is not one of: pdf, tiff", format);
        request_problems(request, &problems);
    } else if (format && strcmp(format, "tiff") == 0) {
        int fd = fcntl(preview->fd, F_DUPFD_CLOEXEC, 3);
        if (fd >= 0 && fstat(fd, &status) == 0)
            request_reply_file(request, "image/tiff", fd, (size_t)status.st_size);
        else
            request_error(request, err_set(ERR_AGAIN, "no descriptor for a preview: %s", strerror(errno)));
    } else {
        rendering_reply(request, &preview->fd, 1, json_pack("{s:s}", "op", "pdf"), NULL, "application/pdf", "");
    }
}

void previews_page(struct request *request)
{
    static const char *const names[] = {"w", NULL};
    const struct preview *preview;
    int64_t page, width;
    char tag[128];

    if (!request_check_query(request, names) || !request_query_int(&width, request, "w", 16, 4096, 0) ||
        (preview = find(request)) == NULL)
        return;
    if (str_to_int(&page, request->params[1], 1, preview->pages) < 0) {
        request_problem(request, 404, "no_such_page", "the preview has %d pages", preview->pages);
        return;
    }
    snprintf(tag, sizeof tag, "%s.%lld.%lld.png", preview->id, (long long)page, (long long)width);
    if (!rendering_reply_kept(request, tag, "image/png"))
        rendering_reply(request, &preview->fd, 1,
                        json_pack("{s:s, s:I, s:I}", "op", "png", "page", (json_int_t)page, "width", (json_int_t)width),
                        NULL, "image/png", tag);
}
