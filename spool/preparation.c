/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One step after the other: form by form, upload by upload, then put together. At every moment at most one conversion
 * of a preparation is under way, or two that share a long document out.
 */
#include "spool/preparation.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/converter.h"
#include "spool/document_use.h"
#include "spool/spool_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PARTS_MAX 2

/* A file that the converter writes. */
struct piece {
    int fd;
    char *path;                  /* NULL when it has no name */
    char sha[DOCUMENT_SHA_SIZE]; /* "" = the file */
    int pages, width, length_mm;
    char resolution[RENDITION_RESOLUTION];
};

struct part {
    struct preparation *preparation;
    struct converter_job *job;
    struct piece piece;
    int done_pages;
};

enum task { TASK_NONE, TASK_EXTERNAL, TASK_CONVERT, TASK_JOIN, TASK_COMPOSE };

struct preparation {
    struct preparation_request request; /* uploads, options, cover_fields are our own */
    json_t *options, *programs, *cover_fields;
    char *folder;
    struct rendition renditions[RENDITIONS_MAX];
    int rendition_count;
    struct piece pieces[RENDITIONS_MAX][PREPARATION_UPLOADS_MAX];
    struct preparation_form forms[RENDITIONS_MAX];
    bool made_pdf[PREPARATION_UPLOADS_MAX]; /* by another program: the store does not have it */
    int form, upload;                       /* where we are */
    enum task task;
    struct part parts[PARTS_MAX];
    int part_count, parts_ended;
    int pages_before; /* made by conversions that have ended */
    int expected;     /* pages in all, -1 = not known */
    struct event *finish;
    char *fault, *message;
    int error;
};

/* ---- files ---- */

static void piece_clear(struct piece *piece)
{
    if (piece->fd >= 0)
        close(piece->fd);
    if (piece->path) {
        unlink(piece->path);
        free(piece->path);
    }
    *piece = (struct piece){.fd = -1};
}

static int piece_open(struct piece *piece, struct spool *spool)
{
    char path[DOCUMENT_PATH_SIZE];
    int error = document_temp(&piece->fd, path, spool);
    if (error) {
        piece->fd = -1;
        return error;
    }
    piece->path = *path ? xstrdup(path) : NULL;
    return 0;
}

/* What the spool's document functions want for a file that may have no name. */
static const char *path_of(const struct piece *piece)
{
    return piece->path ? piece->path : "";
}

static int piece_input(const struct piece *piece, struct spool *spool)
{
    return *piece->sha ? document_open(spool, piece->sha) : dup(piece->fd);
}

/* A prepared upload becomes a document of the store, remembered under what it depends on. */
static int piece_remember(struct preparation *preparation, struct piece *piece)
{
    struct spool *spool = preparation->request.spool;
    const struct preparation_upload *upload = &preparation->request.uploads[preparation->upload];
    char key[RENDITION_KEY_SIZE];
    /* An upload may have been purged meanwhile, its fax being canceled: nothing of it is stored again then. */
    if (!*upload->sha || document_is_named(spool, upload->sha) != 1)
        return 0;
    rendition_key(key, &preparation->renditions[preparation->form], preparation->options, upload->info);
    int error = document_adopt(piece->sha, spool, piece->fd, path_of(piece));
    free(piece->path); /* its name is gone either way */
    piece->path = NULL;
    if (error) {
        piece->sha[0] = '\0';
        return error;
    }
    close(piece->fd);
    piece->fd = -1;
    struct document_form form = {.pages = piece->pages, .width = piece->width, .length_mm = piece->length_mm};
    str_copy(form.resolution, sizeof(form.resolution), piece->resolution);
    return document_remember(spool, upload->sha, key, piece->sha, &form);
}

/* ---- the end ---- */

static void free_all(struct preparation *preparation)
{
    for (int i = 0; i < PARTS_MAX; i++) {
        converter_cancel(preparation->parts[i].job);
        piece_clear(&preparation->parts[i].piece);
    }
    for (int form = 0; form < RENDITIONS_MAX; form++) {
        for (int i = 0; i < PREPARATION_UPLOADS_MAX; i++)
            piece_clear(&preparation->pieces[form][i]);
    }
    for (int i = 0; i < preparation->request.upload_count; i++) {
        if (preparation->request.uploads[i].fd >= 0)
            close(preparation->request.uploads[i].fd);
        json_decref(preparation->request.uploads[i].info);
    }
    if (preparation->request.cover >= 0)
        close(preparation->request.cover);
    if (preparation->finish)
        event_free(preparation->finish);
    json_decref(preparation->options);
    json_decref(preparation->programs);
    json_decref(preparation->cover_fields);
    free(preparation->request.uploads);
    free(preparation->folder);
    free(preparation->fault);
    free(preparation->message);
    free(preparation);
}

static void form_clear(struct preparation_form *form)
{
    struct piece piece = {.fd = form->fd, .path = form->path};
    piece_clear(&piece);
    json_decref(form->result);
}

static void on_finish(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    struct preparation *preparation = context;
    bool good = !preparation->error && !preparation->fault;
    if (preparation->error)
        err_set(preparation->error, "%s", preparation->message);
    preparation->request.done(preparation->request.context, preparation->error, preparation->fault,
                              preparation->message, preparation->forms, good ? preparation->rendition_count : 0);
    for (int i = 0; i < RENDITIONS_MAX; i++)
        form_clear(&preparation->forms[i]);
    free_all(preparation);
}

/* The end is told from the loop, never from inside a call. */
static void finish(struct preparation *preparation)
{
    struct timeval at_once = {0};
    preparation->task = TASK_NONE;
    evtimer_add(preparation->finish, &at_once);
}

static void finish_error(struct preparation *preparation, int error)
{
    preparation->error = error;
    preparation->message = xstrdup(err_message());
    finish(preparation);
}

/* Of several documents the message names the one. */
static void finish_fault(struct preparation *preparation, const char *fault, const char *message)
{
    bool several = preparation->request.upload_count > 1 && preparation->task != TASK_COMPOSE;
    preparation->fault = xstrdup(fault);
    if (several)
        preparation->message = xasprintf("document %d: %.300s", preparation->upload + 1, message);
    else
        preparation->message = xasprintf("%.300s", message);
    finish(preparation);
}

/* ---- conversions ---- */

static void next(struct preparation *preparation);
static void on_done(void *context, int error, json_t *result);
static void on_progress(void *context, int done, int total, int parts);

static void tell_progress(const struct preparation *preparation)
{
    int done = preparation->pages_before;
    for (int i = 0; i < preparation->part_count; i++)
        done += preparation->parts[i].done_pages;
    if (preparation->request.progress && preparation->form == 0)
        preparation->request.progress(preparation->request.context, done, preparation->expected);
}

/* Takes `job` over. `inputs` stay the caller's. */
static int run_part(struct preparation *preparation, json_t *job, const int *inputs, int count)
{
    struct part *part = &preparation->parts[preparation->part_count];
    int error = piece_open(&part->piece, preparation->request.spool);
    if (!error)
        error = converter_run(&part->job, preparation->request.converter, job, inputs, count, part->piece.fd, on_done,
                              part);
    if (error)
        piece_clear(&part->piece);
    else
        preparation->part_count++;
    part->done_pages = 0;
    json_decref(job);
    return error;
}

static int upload_input(struct preparation_upload *upload, struct spool *spool)
{
    if (upload->fd < 0)
        upload->fd = document_open(spool, upload->sha);
    return upload->fd;
}

static int convert_part(struct preparation *preparation, int part)
{
    struct preparation_upload *upload = &preparation->request.uploads[preparation->upload];
    json_t *job = rendition_job(&preparation->renditions[preparation->form], preparation->options, upload->info);
    int input = upload_input(upload, preparation->request.spool);
    if (input < 0) {
        json_decref(job);
        return input;
    }
    json_object_set_new(job, "part", json_integer(part));
    json_object_set_new(job, "max_pages", json_integer(preparation->request.pages_max));
    preparation->task = TASK_CONVERT;
    int error = run_part(preparation, job, &input, 1);
    if (!error)
        converter_watch(preparation->parts[preparation->part_count - 1].job, on_progress);
    return error;
}

/* The first part tells how many there are before it begins. */
static void on_progress(void *context, int done, int total, int parts)
{
    struct part *part = context;
    struct preparation *preparation = part->preparation;
    part->done_pages = done;
    preparation->expected = total < 0 ? -1 : preparation->pages_before + total;
    if (parts > 1 && preparation->part_count == 1 && preparation->task == TASK_CONVERT) {
        if (convert_part(preparation, 1))
            log_warning("the second half of a document waits for the first: %s", err_message());
    }
    tell_progress(preparation);
}

static const json_t *program_for(const struct preparation *preparation)
{
    const struct preparation_upload *upload = &preparation->request.uploads[preparation->upload];
    const char *type = json_string_value(json_object_get(upload->info, "type"));
    return type ? json_object_get(preparation->programs, type) : NULL;
}

static int start_external(struct preparation *preparation, const json_t *argv)
{
    struct preparation_upload *upload = &preparation->request.uploads[preparation->upload];
    json_t *job = json_pack("{s:s, s:O, s:s}", "op", "external", "argv", argv, "folder", preparation->folder);
    int input = upload_input(upload, preparation->request.spool);
    preparation->task = TASK_EXTERNAL;
    if (input >= 0)
        return run_part(preparation, job, &input, 1);
    json_decref(job);
    return input;
}

static int start_convert(struct preparation *preparation)
{
    const json_t *argv = program_for(preparation);
    preparation->part_count = preparation->parts_ended = 0;
    if (argv)
        return start_external(preparation, argv);
    return convert_part(preparation, 0);
}

static int open_inputs(int *inputs, const struct preparation *preparation, const struct piece *pieces, int count)
{
    for (int i = 0; i < count; i++) {
        inputs[i] = piece_input(&pieces[i], preparation->request.spool);
        if (inputs[i] < 0) {
            int error = inputs[i];
            while (i > 0)
                close(inputs[--i]);
            return error;
        }
    }
    return 0;
}

static int start_join(struct preparation *preparation)
{
    struct piece halves[PARTS_MAX];
    int inputs[PARTS_MAX];
    json_t *job = json_pack("{s:s, s:i}", "op", "compose", "max_pages", preparation->request.pages_max);
    for (int i = 0; i < PARTS_MAX; i++) {
        halves[i] = preparation->parts[i].piece;
        preparation->parts[i].piece = (struct piece){.fd = -1};
        inputs[i] = halves[i].fd;
    }
    preparation->part_count = preparation->parts_ended = 0;
    preparation->task = TASK_JOIN;
    int error = run_part(preparation, job, inputs, PARTS_MAX);
    for (int i = 0; i < PARTS_MAX; i++)
        piece_clear(&halves[i]);
    return error;
}

static int start_compose(struct preparation *preparation)
{
    const struct rendition *rendition = &preparation->renditions[preparation->form];
    int inputs[PREPARATION_UPLOADS_MAX + 1], first = preparation->request.cover >= 0 ? 1 : 0;
    int count = preparation->request.upload_count;
    json_t *job = json_pack("{s:s, s:s, s:i}", "op", "compose", "resolution", rendition->resolution, "max_pages",
                            preparation->request.pages_max);
    if (first)
        json_object_set(job, "cover", preparation->cover_fields);
    inputs[0] = preparation->request.cover;
    int error = open_inputs(inputs + first, preparation, preparation->pieces[preparation->form], count);
    if (error) {
        json_decref(job);
        return error;
    }
    preparation->part_count = preparation->parts_ended = 0;
    preparation->task = TASK_COMPOSE;
    error = run_part(preparation, job, inputs, first + count);
    while (count > 0)
        close(inputs[first + --count]);
    return error;
}

/* ---- results ---- */

static int take_figures(struct piece *piece, const json_t *result)
{
    const char *resolution = json_string_value(json_object_get(result, "resolution"));
    json_int_t pages = json_integer_value(json_object_get(result, "pages"));
    json_int_t width = json_integer_value(json_object_get(result, "width"));
    json_int_t length = json_integer_value(json_object_get(result, "length_mm"));
    if (length < 0 || length > 100000 || pages < 1 || pages > 65535 || width < 1 || width > 65535 || !resolution ||
        !str_copy(piece->resolution, sizeof(piece->resolution), resolution))
        return err_set(ERR_INVALID, "the converter's result makes no sense");
    piece->pages = (int)pages;
    piece->width = (int)width;
    piece->length_mm = (int)length;
    return 0;
}

/* The PDF that another program made stands for the upload from now on. */
static void take_external(struct preparation *preparation)
{
    struct preparation_upload *upload = &preparation->request.uploads[preparation->upload];
    struct piece *piece = &preparation->parts[0].piece;
    close(upload->fd);
    upload->fd = piece->fd;
    piece->fd = -1;
    piece_clear(piece); /* its name */
    json_object_del(upload->info, "type");
    preparation->made_pdf[preparation->upload] = true;
}

/* What the store has need not stay open; under encryption it is memory. */
static void close_upload(struct preparation *preparation)
{
    struct preparation_upload *upload = &preparation->request.uploads[preparation->upload];
    if (!*upload->sha || preparation->made_pdf[preparation->upload])
        return;
    close(upload->fd);
    upload->fd = -1;
}

static int take_converted(struct preparation *preparation, const json_t *result)
{
    struct piece *to = &preparation->pieces[preparation->form][preparation->upload];
    *to = preparation->parts[0].piece;
    preparation->parts[0].piece = (struct piece){.fd = -1};
    int error = take_figures(to, result);
    if (!error)
        error = piece_remember(preparation, to);
    close_upload(preparation);
    if (!error && preparation->form == 0)
        preparation->pages_before += to->pages;
    return error;
}

static int take_composed(struct preparation *preparation, json_t *result)
{
    struct piece *piece = &preparation->parts[0].piece;
    struct preparation_form *form = &preparation->forms[preparation->form];
    int error = take_figures(piece, result);
    if (error)
        return error;
    form->rendition = preparation->renditions[preparation->form];
    form->width = piece->width;
    form->pages = piece->pages;
    form->fd = piece->fd;
    form->path = piece->path;
    form->result = json_incref(result);
    *piece = (struct piece){.fd = -1};
    return 0;
}

static void take_result(struct preparation *preparation, json_t *result)
{
    int error = 0;
    if (preparation->parts_ended < preparation->part_count)
        return; /* the other half */
    if (preparation->task == TASK_CONVERT && preparation->part_count > 1) {
        error = start_join(preparation);
        if (error)
            finish_error(preparation, error);
        return;
    }
    if (preparation->task == TASK_EXTERNAL)
        take_external(preparation);
    else if (preparation->task == TASK_COMPOSE)
        error = take_composed(preparation, result);
    else
        error = take_converted(preparation, result);
    if (error == ERR_INVALID)
        finish_fault(preparation, "conversion_failed", err_message());
    else if (error)
        finish_error(preparation, error);
    else
        next(preparation);
}

/* A part that was told of another which could not be started has made only its own share. */
static bool lacks_part(const struct preparation *preparation, const json_t *result)
{
    return preparation->task == TASK_CONVERT && json_integer_value(json_object_get(result, "parts")) > 1 &&
           preparation->part_count == 1;
}

static void on_done(void *context, int error, json_t *result)
{
    struct part *part = context;
    struct preparation *preparation = part->preparation;
    const char *fault = json_string_value(json_object_get(result, "error"));
    const char *message = json_string_value(json_object_get(result, "message"));
    part->job = NULL;
    preparation->parts_ended++;
    if (preparation->fault || preparation->error)
        return; /* the other half has failed */
    if (!error && !fault && lacks_part(preparation, result))
        error = convert_part(preparation, 1) ? ERR_AGAIN : 0;
    if (error) {
        finish_error(preparation, error);
    } else if (fault && strcmp(fault, "internal") == 0) {
        finish_error(preparation, err_set(ERR_IO, "%.200s", message ? message : fault));
    } else if (fault) {
        finish_fault(preparation, fault, message ? message : fault);
    } else {
        take_result(preparation, result);
    }
}

/* ---- the steps ---- */

static bool is_remembered(struct preparation *preparation)
{
    const struct preparation_upload *upload = &preparation->request.uploads[preparation->upload];
    struct piece *piece = &preparation->pieces[preparation->form][preparation->upload];
    struct document_form form;
    char key[RENDITION_KEY_SIZE];
    if (!*upload->sha)
        return false;
    rendition_key(key, &preparation->renditions[preparation->form], preparation->options, upload->info);
    if (document_prepared(piece->sha, &form, preparation->request.spool, upload->sha, key)) {
        piece->sha[0] = '\0';
        return false;
    }
    piece->pages = form.pages;
    piece->width = form.width;
    piece->length_mm = form.length_mm;
    str_copy(piece->resolution, sizeof(piece->resolution), form.resolution);
    if (preparation->form == 0)
        preparation->pages_before += form.pages;
    return true;
}

static int resolution_rank(const char *resolution)
{
    return strcmp(resolution, "superfine") == 0 ? 2 : strcmp(resolution, "fine") == 0 ? 1 : 0;
}

/* When the first form is there it is known which others are needed. */
static void plan_others(struct preparation *preparation)
{
    const char *finest = "standard";
    int widest = RENDITION_WIDTH, longest = 0;
    for (int i = 0; i < preparation->request.upload_count; i++) {
        const struct piece *piece = &preparation->pieces[0][i];
        if (piece->width > widest)
            widest = piece->width;
        if (piece->length_mm > longest)
            longest = piece->length_mm;
        if (resolution_rank(piece->resolution) > resolution_rank(finest))
            finest = piece->resolution;
    }
    if (preparation->request.cover >= 0 &&
        resolution_rank(preparation->renditions[0].resolution) > resolution_rank(finest))
        finest = preparation->renditions[0].resolution;
    if (!preparation->request.only_first)
        preparation->rendition_count = 1 + rendition_others(preparation->renditions + 1, widest, finest, longest);
}

static void take_single(struct preparation *preparation)
{
    struct piece *piece = &preparation->pieces[preparation->form][0];
    struct preparation_form *form = &preparation->forms[preparation->form];
    form->rendition = preparation->renditions[preparation->form];
    form->width = piece->width;
    form->pages = piece->pages;
    str_copy(form->sha, sizeof(form->sha), piece->sha);
    form->fd = piece->fd;
    form->path = piece->path;
    piece->fd = -1;
    piece->path = NULL;
}

static bool is_form_ready(const struct preparation *preparation)
{
    const struct preparation_form *form = &preparation->forms[preparation->form];
    return *form->sha || form->fd >= 0;
}

/* Do what can be done at once, start what takes its time, or finish. */
static void next(struct preparation *preparation)
{
    bool composed = preparation->request.cover >= 0 || preparation->request.upload_count > 1;
    for (; preparation->form < preparation->rendition_count; preparation->form++, preparation->upload = 0) {
        for (; preparation->upload < preparation->request.upload_count; preparation->upload++) {
            struct piece *piece = &preparation->pieces[preparation->form][preparation->upload];
            if (*piece->sha || piece->fd >= 0 || is_remembered(preparation))
                continue;
            int error = start_convert(preparation);
            if (error)
                finish_error(preparation, error);
            return;
        }
        if (preparation->form == 0 && !is_form_ready(preparation))
            plan_others(preparation);
        if (!composed) {
            take_single(preparation);
        } else if (!is_form_ready(preparation)) {
            int error = start_compose(preparation);
            if (error)
                finish_error(preparation, error);
            return;
        }
    }
    finish(preparation);
}

int preparation_start(struct preparation **out, const struct preparation_request *request)
{
    struct preparation *preparation = xcalloc(1, sizeof(*preparation));
    int room = request->upload_count < PREPARATION_UPLOADS_MAX ? request->upload_count : PREPARATION_UPLOADS_MAX;
    preparation->request = *request;
    preparation->request.uploads = xcalloc((size_t)request->upload_count + 1, sizeof(*request->uploads));
    for (int i = 0; i < request->upload_count; i++)
        preparation->request.uploads[i] = request->uploads[i];
    preparation->options = json_deep_copy(request->options);
    preparation->programs = json_deep_copy(request->programs);
    preparation->cover_fields = json_deep_copy(request->cover_fields);
    preparation->folder = xstrdup(request->folder ? request->folder : "/tmp");
    preparation->expected = -1;
    for (int form = 0; form < RENDITIONS_MAX; form++) {
        preparation->forms[form].fd = -1;
        for (int i = 0; i < PREPARATION_UPLOADS_MAX; i++)
            preparation->pieces[form][i].fd = -1;
    }
    for (int i = 0; i < PARTS_MAX; i++)
        preparation->parts[i] = (struct part){.preparation = preparation, .piece = {.fd = -1}};
    if (request->upload_count != room || (request->upload_count == 0 && request->cover < 0)) {
        free_all(preparation);
        return err_set(ERR_INVALID, "a fax is made of 1 to %d documents, or of a cover page", PREPARATION_UPLOADS_MAX);
    }
    preparation->finish = evtimer_new(request->spool->base, on_finish, preparation);
    rendition_first(&preparation->renditions[0], preparation->options);
    preparation->rendition_count = 1;
    *out = preparation;
    next(preparation);
    return 0;
}

void preparation_cancel(struct preparation *preparation)
{
    if (!preparation)
        return;
    for (int i = 0; i < RENDITIONS_MAX; i++)
        form_clear(&preparation->forms[i]);
    free_all(preparation);
}
