/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A template of a cover page is drawn while a request waits for it: to know whether it can be, and to show a sample.
 * The converter does it, in its sandbox; nothing of a template is looked at here.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_COVER_TRY_H
#define FAXD_WEB_COVER_TRY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct request;

enum cover_form { COVER_PAGES, COVER_PNG, COVER_PDF }; /* COVER_PAGES: it is only drawn */

struct converter_job;

/* What a request asks of the converter; the request owns it. */
struct cover_try {
    json_t *root; /* the body of the request */
    struct converter_job *job;
    int output; /* what was drawn last, -1 = nothing */
    enum cover_form form;
    int width; /* of a PNG */
    struct request *request;
    void (*then)(struct request *request);
};

/* From a handler: the request waits while `template` is drawn with `given` (name to text; fields that are not in it
 * get an example) and then(request) replies and finishes, or calls web_write(). With `check` what is no plain drawing
 * is refused. When the template or a field is at fault the reply is made without then(): 422 with the reason. `root`
 * is taken over, the rest is copied. */
void cover_try_start(struct request *request, json_t *root, const char *template, size_t size, const json_t *given,
                     bool check, enum cover_form form, int width, void (*then)(struct request *request));

/* NULL is fine. */
void cover_try_free(struct cover_try *try);

/* All fields of a sample: `given`, what a server knows (`defaults`), examples for the rest of what `template` asks
 * for; a new object. Pure. */
json_t *cover_try_fields(const char *template, size_t size, const json_t *given, const json_t *defaults);

#endif
