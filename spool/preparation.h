/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uploads become one fax, in every form that may be needed: the work between POST and the queue, or behind a preview.
 *
 * For each rendition every upload is converted, unless the store remembers it from before; other programs make PDF of
 * what the converter does not read itself; a cover and several uploads are put together.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_PREPARATION_H
#define FAXD_SPOOL_PREPARATION_H

#include "spool/document.h"
#include "spool/rendition.h"

#include <jansson.h>

#define PREPARATION_UPLOADS_MAX 20

struct converter;
struct preparation;
struct spool;

struct preparation_upload {
    int fd;                      /* taken over */
    char sha[DOCUMENT_SHA_SIZE]; /* of the store's document; "" = it is none, and nothing is remembered */
    json_t *info;                /* reference taken over: {"type", "pages", "password"}; NULL = nothing to say */
};

/* A form that is ready: a document of the store, or a temporary file. */
struct preparation_form {
    struct rendition rendition;
    int width, pages;
    char sha[DOCUMENT_SHA_SIZE]; /* "" = the file below */
    int fd;                      /* -1 = the document above */
    char *path;                  /* of the file; NULL when it has no name any more */
    json_t *result;              /* the converter's last word about it ("height", ...); NULL when it was remembered */
};

/* The end, once, never from inside preparation_start. `error` < 0: the machine's fault (err_message()), try again
 * later. `fault` not NULL: an outcome code ("document_unsupported", ...) and `message` in words. Else the forms, the
 * first the one that was asked for; what is not taken (fd = -1, path = NULL) is closed and removed. The preparation is
 * gone. */
typedef void (*preparation_done_fn)(void *context, int error, const char *fault, const char *message,
                                    struct preparation_form *forms, int count);

/* Pages made so far, of how many (-1 = not known). */
typedef void (*preparation_progress_fn)(void *context, int done, int total);

struct preparation_request {
    struct spool *spool;
    struct converter *converter;
    const json_t *options;  /* of the fax: resolution, dither, paper */
    const json_t *programs; /* {"postscript": ["/usr/bin/gs", ...], ...}; what is missing cannot be read */
    const char *folder;     /* where programs work */
    int pages_max;
    struct preparation_upload *uploads; /* all are taken over, also after an error */
    int upload_count;
    int cover; /* template; taken over; -1 = none */
    const json_t *cover_fields;
    bool only_first; /* no further renditions: a preview */
    preparation_done_fn done;
    preparation_progress_fn progress; /* may be NULL */
    void *context;
};

/* 0, or ERR_INVALID (no upload and no cover, too many). */
int preparation_start(struct preparation **out, const struct preparation_request *request);

/* Forget it: done is not called. NULL is fine. */
void preparation_cancel(struct preparation *preparation);

#endif
