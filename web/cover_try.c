/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Template and, for a sample, its pages go from memory file to memory file. */
#include "config.h" /* memfd_create */

#include "web/cover_try.h"

#include "spool/converter.h"
#include "spool/cover.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* One page takes a tenth of a second; a template that takes longer than this would hold up every fax with it. */
#define CPU_S  10
#define WALL_S 30

static const struct {
    const char *name, *value;
} examples[] = {
    {"to_name", "Dr. Maria Ruiz"},
    {"to_company", "Lakeside Clinic"},
    {"to_number", "+1 312 555 0123"},
    {"from_name", "J. Miller"},
    {"from_company", "Miller & Sons"},
    {"from_number", "+1 312 555 0100"},
    {"subject", "Referral of a patient"},
    {"note", "As we said on the telephone: please call back when it suits you."},
    {"reference", "A-1042"},
};

static bool has_text(const json_t *fields, const char *name)
{
    const char *text = json_string_value(json_object_get(fields, name));

    return text && *text;
}

json_t *cover_try_fields(const char *template, size_t size, const json_t *given, const json_t *defaults)
{
    json_t *fields = cover_fill(given, defaults), *asked = cover_fields(template, size), *item;
    size_t i;

    for (i = 0; i < sizeof examples / sizeof *examples; i++) {
        if (!json_object_get(given, examples[i].name) && !has_text(fields, examples[i].name))
            json_object_set_new(fields, examples[i].name, json_string(examples[i].value));
    }
    json_array_foreach(asked, i, item)
    {
        const char *name = json_string_value(item);
        if (!json_object_get(fields, name))
            json_object_set(fields, name, item); /* its own name, where it stands */
    }
    json_decref(asked);
    return fields;
}

void cover_try_free(struct cover_try *try)
{
    if (!try)
        return;
    if (try->output >= 0)
        close(try->output);
    json_decref(try->root);
    free(try);
}

static void on_gone(void *context)
{
    struct cover_try *try = context;

    converter_cancel(try->job);
    try->job = NULL;
}

static void on_drawn(void *context, int error, json_t *result);

/* Takes `job` over. */
static int run(struct cover_try *try, json_t *job, int input)
{
    struct converter *converter = try->request->web->options.converter;
    int result;

    if (!converter)
        result = err_set(ERR_AGAIN, "no converter is running");
    else if ((try->output = memfd_create("cover", MFD_CLOEXEC)) < 0)
        result = err_set(ERR_AGAIN, "no memory to draw a cover page: %s", strerror(errno));
    else
        result = converter_run(&try->job, converter, job, &input, 1, try->output, on_drawn, try);
    json_decref(job);
    return result;
}

/* From the page as a fax has it to what is asked for. */
static int go_on(struct cover_try *try)
{
    int input = try->output, result;
    json_t *job = try->form == COVER_PDF ? json_pack("{s:s}", "op", "pdf")
                                         : json_pack("{s:s, s:i, s:i}", "op", "png", "page", 1, "width", try->width);

    try->form = COVER_PAGES;
    try->output = -1;
    result = run(try, job, input);
    close(input);
    return result;
}

static void refuse(struct request *request, const char *code, const char *message)
{
    struct problems problems = {0};

    if (strcmp(code, "internal") == 0) {
        request_problem(request, 503, "busy", "%.200s", message);
        return;
    }
    problem_add(&problems, "/template", "invalid_template", "%.300s", message);
    request_problems(request, &problems);
}

static void on_drawn(void *context, int error, json_t *result)
{
    struct cover_try *try = context;
    struct request *request = try->request;
    const char *code = json_string_value(json_object_get(result, "error"));
    const char *message = json_string_value(json_object_get(result, "message"));

    try->job = NULL;
    if (!error && !code && try->form != COVER_PAGES) {
        error = go_on(try);
        if (!error)
            return;
    }
    request->gone = NULL;
    if (!error && !code) {
        try->then(request);
        return;
    }
    if (error)
        request_error(request, error);
    else
        refuse(request, code, message ? message : code);
    request_finish(request);
}

/* A descriptor, or an error. */
static int template_file(const char *template, size_t size)
{
    int fd = memfd_create("template", MFD_CLOEXEC);

    for (size_t done = 0; fd >= 0 && done < size;) {
        ssize_t put = write(fd, template + done, size - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            close(fd);
            fd = -1;
        }
        done += put > 0 ? (size_t)put : 0;
    }
    return fd >= 0 ? fd : err_set(ERR_AGAIN, "no memory for a cover page: %s", strerror(errno));
}

static json_t *job_of(struct request *request, const char *template, size_t size, const json_t *given, bool check)
{
    json_t *defaults = cover_defaults(request_spool(request), NULL, "", "", clock_now_ms());
    json_t *fields = cover_try_fields(template, size, given, defaults);

    json_decref(defaults);
    return json_pack("{s:s, s:o, s:b, s:{s:i, s:i}}", "op", "compose", "cover", fields, "check", check, "limits",
                     "cpu_s", CPU_S, "wall_s", WALL_S);
}

void cover_try_start(struct request *request, json_t *root, const char *template, size_t size, const json_t *given,
                     bool check, enum cover_form form, int width, void (*then)(struct request *request))
{
    struct cover_try *try = xcalloc(1, sizeof *try);
    int input, result;

    *try =
        (struct cover_try){.root = root, .output = -1, .form = form, .width = width, .request = request, .then = then};
    request->cover_try = try;
    input = template_file(template, size);
    result = input < 0 ? input : run(try, job_of(request, template, size, given, check), input);
    if (input >= 0)
        close(input);
    if (result < 0) {
        request_error(request, result);
        return;
    }
    request->gone = on_gone;
    request->gone_context = try;
    request_wait(request);
}
