/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's way to faxd-convert: jobs in a queue, each run in a sandboxed child, results on the loop.
 *
 * A job and its result are JSON objects. "input" is any descriptor that pread works on, "output" a regular file or
 * memfd open for reading and writing; it is emptied first and not synced.
 *
 *   {"op":"prepare", "resolution":"fine"|"standard"|"superfine", "dither":"auto"|"threshold"|"diffusion"|"halftone",
 *    "paper":"a4"|"letter"|"legal", "max_width":1728|2048|2432, "max_length_mm":0, "max_pages":500, "pages":"1-3,7",
 * "password":"...", "strict":false, "part":0, "parts":1} a document of any type of media_type.h that is read here to
 * fax TIFF. Bilevel TIFF pages of a fax width and a T.4 resolution are kept dot for dot; with "strict" only those that
 * are 1728 wide at "resolution" (a rendition for a machine that can do no more); the rest is drawn or fitted. Long
 * documents may be shared out among "parts" jobs: the first progress and the result say among how many they are
 *       {"pages":3,"width":1728,"length_mm":285,"height":[2200,2200,1100],"resolution":"fine","bytes":51234,"parts":1}
 *   {"op":"compose", "cover":{"to_name":"..."}, "ranges":["1-2","3-"]}
 *       several faxes to one; with "cover" the first input is a template, and with "check":true one that is looked at
 *       closely (convert/cover_check.h). Result as prepare
 *   {"op":"cut", "first":3, "repeat_first":false, "header":{"text":"...","pages":5}}
 *       pages from the 3rd on, with "repeat_first" page 1 before them, each with its header line; result as prepare
 *   {"op":"verify", "most_pages":-1}             the whole pages (at most so many) of a received file, perhaps broken
 *       off; result as prepare, and "complete":false with "message" when the file had or claimed more than could be
 * read
 *   {"op":"png", "page":1, "width":0}            {"page":1,"width":1728,"height":2473,"bytes":80123}
 *   {"op":"pdf"}                                 result as prepare
 *   {"op":"info"}                                result as verify; any TIFF, nothing is written
 *   {"op":"measure"}                             {"pages":2,"coded":[23100,1200],"ink":[51,3]}: octets of each page as
 *       T.6 data, thousandths of it that are black; nothing is written
 *   {"op":"external", "argv":["/usr/bin/gs","...","{input}"], "folder":"/tmp"}
 *       another program makes PDF of it: {}
 *   {"op":"receipt", "paper":"a4", "sheet":{...}}
 *       a sheet of PDF about a fax, with its first page when the input has one: {"bytes":8123}. Of the sheet: "title",
 *       "stamp" and "tone" ("good", "doubtful", "bad"), "rows" ([["label","value"],...]), "caption" of the page, "foot"
 *       ([text,...])
 *
 * "height" holds the rows of each page, "width" is that of the widest, "resolution" the finest. "warnings" counts what
 * libtiff had to say. Any job may carry "limits":{"memory_bytes","cpu_s","file_bytes","wall_s"} (child.c ends itself by
 * them; defaults 512 MiB, 60, 256 MiB, 600).
 * A failure: {"error":"document_unsupported"|"conversion_failed"|"too_many_pages","message":"page 3 is ..."}; or
 * "internal": the document is not to blame (the disk is full, ...), and the job may be tried again later.
 * A result is made by a process that has decoded a stranger's bytes: check the types of what you take from it.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_CONVERTER_H
#define FAXD_SPOOL_CONVERTER_H

#include <event2/event.h>
#include <jansson.h>

#define CONVERTER_QUEUE_MAX  256 /* waiting jobs of each priority; each holds two descriptors */
#define CONVERTER_INPUTS_MAX 30
#define CONVERTER_TIMEOUT_S  120

struct converter;
struct converter_job;

/* The end of a job, from the loop, once, never from inside converter_run. `error` 0: `result` as above, also for
 * failures of the document, for a child that crashed or ran out of time; it is borrowed (json_incref to keep). `error`
 * < 0: the converter itself does not work (err_message() says why) and `result` is NULL; the job may be tried again
 * later. The job handle is gone. */
typedef void (*converter_done_fn)(void *context, int error, json_t *result);

/* How far a job is, now and then while it runs, from the loop: pages done, pages there will be (-1 = not known), and
 * among how many jobs the document is shared out. */
typedef void (*converter_progress_fn)(void *context, int done, int total, int parts);

/* At most `parallel` (1..64) jobs, and a few more of those that are waited for, run at once in children of `program`
 * (absolute path of faxd-convert), whose spawner is started with the first job and again when it dies. 0, ERR_INVALID,
 * ERR_FULL. The caller closes with converter_close. */
int converter_open(struct converter **out, struct event_base *base, const char *program, int parallel);

/* Jobs are dropped, their children killed; no done function is called. NULL is fine. */
void converter_close(struct converter *converter);

/* Seconds of wall time without progress after which the child of a job that starts from now on is ended. */
void converter_set_timeout(struct converter *converter, int seconds);

/* Queue a job. `job` is copied and the `count` (1..CONVERTER_INPUTS_MAX) inputs and the output are duplicated, so that
 * all stay the caller's. png, pdf, info, cut and receipt, for which a person or a line waits, go before the others;
 * else first come, first served. 0 and a handle for converter_cancel
 * (`out` may be NULL); ERR_AGAIN when CONVERTER_QUEUE_MAX jobs of its kind wait (feed again from a done function);
 * ERR_INVALID; ERR_TOO_BIG; ERR_IO when there are no descriptors left. */
int converter_run(struct converter_job **out, struct converter *converter, const json_t *job, const int *inputs,
                  int count, int output, converter_done_fn done, void *context);

/* Have the progress of a job told to `progress`, with the context of its done function. */
void converter_watch(struct converter_job *job, converter_progress_fn progress);

/* Forget a job: its done function is not called, its child is killed. The handle is gone. NULL is fine. */
void converter_cancel(struct converter_job *job);

/* Jobs that wait and jobs that run, for metrics. */
void converter_count(const struct converter *converter, int *waiting, int *running);

#endif
