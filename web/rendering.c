/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PDFs, page images, thumbnails. No image is decoded in this process; results go from memory file to socket. */
#include "config.h" /* memfd_create */

#include "web/rendering.h"

#include "spool/converter.h"
#include "spool/spool.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAG_SIZE  160
#define KEPT_MAX  1000
#define LARGE_MAX (RENDERINGS_BYTES / 8) /* larger ones are made again */

struct kept {
    TAILQ_ENTRY(kept) link;
    char tag[TAG_SIZE];
    int fd;
    int64_t size, made_at; /* monotonic ms */
};

TAILQ_HEAD(kept_list, kept);

struct renderings {
    struct kept_list list; /* oldest first */
    int64_t bytes;
    int count;
};

/* A conversion that a request waits for. */
struct rendering {
    struct request *request;
    struct converter_job *job;
    json_t *then;
    const char *type;
    char tag[TAG_SIZE];
    int output;
    int64_t decrypted; /* octets in memory, of encrypted documents */
};

/* --- what is kept --- */

struct renderings *renderings_new(void)
{
    struct renderings *renderings = xcalloc(1, sizeof *renderings);

    TAILQ_INIT(&renderings->list);
    return renderings;
}

static void drop(struct renderings *renderings, struct kept *kept)
{
    TAILQ_REMOVE(&renderings->list, kept, link);
    renderings->bytes -= kept->size;
    renderings->count--;
    close(kept->fd);
    free(kept);
}

void renderings_forget(struct renderings *renderings)
{
    while (!TAILQ_EMPTY(&renderings->list))
        drop(renderings, TAILQ_FIRST(&renderings->list));
}

void renderings_free(struct renderings *renderings)
{
    if (!renderings)
        return;
    renderings_forget(renderings);
    free(renderings);
}

static void drop_old(struct renderings *renderings, int64_t more)
{
    struct kept *first;

    while ((first = TAILQ_FIRST(&renderings->list)) != NULL &&
           (renderings->bytes + more > RENDERINGS_BYTES || renderings->count >= KEPT_MAX ||
            clock_mono_ms() - first->made_at > RENDERINGS_AGE_S * 1000LL))
        drop(renderings, first);
}

static void keep(struct renderings *renderings, const char *tag, int fd, int64_t size)
{
    struct kept *kept;

    if (!*tag || size > LARGE_MAX)
        return;
    drop_old(renderings, size);
    kept = xcalloc(1, sizeof *kept);
    kept->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (kept->fd < 0) {
        free(kept);
        return;
    }
    str_copy(kept->tag, sizeof kept->tag, tag);
    kept->size = size;
    kept->made_at = clock_mono_ms();
    TAILQ_INSERT_TAIL(&renderings->list, kept, link);
    renderings->bytes += size;
    renderings->count++;
}

bool rendering_reply_kept(struct request *request, const char *tag, const char *type)
{
    struct renderings *renderings = request->web->renderings;
    struct kept *kept;

    drop_old(renderings, 0);
    TAILQ_FOREACH(kept, &renderings->list, link)
    {
        int fd = strcmp(kept->tag, tag) == 0 ? fcntl(kept->fd, F_DUPFD_CLOEXEC, 3) : -1;
        if (fd < 0)
            continue;
        request_reply_file(request, type, fd, (size_t)kept->size);
        return true;
    }
    return false;
}

/* --- what is made --- */

static void rendering_free(struct rendering *rendering)
{
    if (rendering->request->web)
        rendering->request->web->decrypted -= rendering->decrypted;
    if (rendering->output >= 0)
        close(rendering->output);
    json_decref(rendering->then);
    free(rendering);
}

/* The client went away, or the web part closes. */
static void on_gone(void *context)
{
    struct rendering *rendering = context;

    converter_cancel(rendering->job);
    rendering_free(rendering);
}

static void reply_made(struct rendering *rendering)
{
    struct request *request = rendering->request;
    struct stat status;

    if (fstat(rendering->output, &status) < 0 || status.st_size == 0) {
        request_problem(request, 500, "conversion_failed", "the converter gave nothing");
        return;
    }
    keep(request->web->renderings, rendering->tag, rendering->output, status.st_size);
    request_reply_file(request, rendering->type, rendering->output, (size_t)status.st_size);
    rendering->output = -1;
}

static void on_made(void *context, int error, json_t *result);

static int run(struct rendering *rendering, const json_t *job, const int *inputs, int count)
{
    struct converter *converter = rendering->request->web->options.converter;

    if (!converter)
        return err_set(ERR_AGAIN, "no converter is running");
    if ((rendering->output = memfd_create("rendering", MFD_CLOEXEC)) < 0)
        return err_set(ERR_AGAIN, "no memory for a rendering: %s", strerror(errno));
    return converter_run(&rendering->job, converter, job, inputs, count, rendering->output, on_made, rendering);
}

/* The second job works on the result of the first. */
static int go_on(struct rendering *rendering)
{
    int input = rendering->output;
    json_t *job = rendering->then;

    rendering->then = NULL;
    int result = run(rendering, job, &input, 1);
    json_decref(job);
    close(input);
    return result;
}

static void on_made(void *context, int error, json_t *result)
{
    struct rendering *rendering = context;
    struct request *request = rendering->request;
    const char *code = json_string_value(json_object_get(result, "error"));
    const char *message = json_string_value(json_object_get(result, "message"));

    rendering->job = NULL;
    if (!error && !code && rendering->then) {
        error = go_on(rendering);
        if (!error)
            return;
    }
    request->gone = NULL;
    if (error)
        request_error(request, error);
    else if (code)
        request_problem(request, 500, "conversion_failed", "%.200s", message ? message : code);
    else
        reply_made(rendering);
    rendering_free(rendering);
    request_finish(request);
}

/* Decrypted documents wait in memory for their turn at the converter: together they keep to what bodies of requests may
 * take. */
static int reserve(struct rendering *rendering, const int *inputs, int count)
{
    struct web *web = rendering->request->web;
    int64_t size = 0;

    for (int i = 0; i < count && spool_encrypts(web->options.spool); i++) {
        struct stat status;
        if (fstat(inputs[i], &status) == 0)
            size += status.st_size;
    }
    if (web->decrypted > 0 && web->decrypted + size > (int64_t)web->options.memory_max)
        return err_set(ERR_AGAIN, "too many documents are being shown at once");
    rendering->decrypted = size;
    web->decrypted += size;
    return 0;
}

void rendering_reply(struct request *request, const int *inputs, int count, json_t *job, json_t *then, const char *type,
                     const char *tag)
{
    struct rendering *rendering = xcalloc(1, sizeof *rendering);
    int result;

    rendering->request = request;
    rendering->then = then;
    rendering->type = type;
    rendering->output = -1;
    str_copy(rendering->tag, sizeof rendering->tag, tag);
    result = reserve(rendering, inputs, count);
    if (result == 0)
        result = run(rendering, job, inputs, count);
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
