/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a job's JSON to one of the operations, and from what it says to the result. child.c calls this inside the
 * sandbox.
 */
#include "spool/convert/job.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/convert/external.h"
#include "spool/convert/pdf.h"
#include "spool/convert/png.h"
#include "spool/convert/receipt.h"
#include "spool/convert/summary.h"
#include "spool/convert/tidy.h"

#define MIB (1024l * 1024)

#define PAGES_DEFAULT  500
#define MEMORY_DEFAULT (512 * MIB)
#define FILE_DEFAULT   (256 * MIB)
#define CPU_DEFAULT_S  300 /* a thousand grey pages */
#define WALL_DEFAULT_S 600
#define PROGRAM_MEMORY (2048 * MIB) /* an office suite */
#define PROGRAM_WALL_S 100          /* before the daemon gives up: the program is ended and its folder removed */

/* What each operation understands besides "op" and "limits". */
static const struct {
    const char *name;
    const char *keys[12];
} operations[] = {
    [JOB_PREPARE] = {"prepare",
                     {"resolution", "dither", "paper", "max_width", "max_length_mm", "max_pages", "pages", "password",
                      "strict", "part", "parts"}},
    [JOB_COMPOSE] = {"compose", {"resolution", "dither", "max_width", "max_pages", "cover", "ranges", "check"}},
    [JOB_CUT] = {"cut", {"first", "repeat_first", "header"}},
    [JOB_VERIFY] = {"verify", {"most_pages"}},
    [JOB_PNG] = {"png", {"page", "width"}},
    [JOB_PDF] = {"pdf", {NULL}},
    [JOB_INFO] = {"info", {NULL}},
    [JOB_MEASURE] = {"measure", {NULL}},
    [JOB_EXTERNAL] = {"external", {"argv", "folder"}},
    [JOB_RECEIPT] = {"receipt", {"sheet", "paper"}},
};

#define OPERATION_COUNT (sizeof operations / sizeof operations[0])

static int parse_op(enum job_op *op, const json_t *json)
{
    const char *word = json_string_value(json_object_get(json, "op"));
    for (size_t i = 0; word != NULL && i < OPERATION_COUNT; i++) {
        if (strcmp(word, operations[i].name) == 0) {
            *op = (enum job_op)i;
            return 0;
        }
    }
    return err_set(
        ERR_INVALID,
        "op is \"%.40s\", which is none of prepare, compose, cut, verify, png, pdf, info, measure, external, "
        "receipt",
        word != NULL ? word : "");
}

static bool knows_key(enum job_op op, const char *key)
{
    if (strcmp(key, "op") == 0 || strcmp(key, "limits") == 0)
        return true;
    for (size_t i = 0; operations[op].keys[i] != NULL; i++) {
        if (strcmp(key, operations[op].keys[i]) == 0)
            return true;
    }
    return false;
}

static int check_keys(enum job_op op, const json_t *json)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)json, key, value)
    {
        if (!knows_key(op, key))
            return err_set(ERR_INVALID, "%s has no option \"%.40s\"", operations[op].name, key);
    }
    return 0;
}

/* An integer in [low, high] when the key is there; else `*value` stays. */
static int parse_number(long *value, const json_t *json, const char *key, long low, long high)
{
    const json_t *item = json_object_get(json, key);
    if (item == NULL)
        return 0;
    json_int_t number = json_integer_value(item);
    if (!json_is_integer(item) || number < low || number > high)
        return err_set(ERR_INVALID, "%s has to be a number from %ld to %ld", key, low, high);
    *value = (long)number;
    return 0;
}

static int parse_word(const char **word, const json_t *json, const char *key)
{
    const json_t *item = json_object_get(json, key);
    if (item == NULL)
        return 0;
    if (!json_is_string(item))
        return err_set(ERR_INVALID, "%s has to be a word", key);
    *word = json_string_value(item);
    return 0;
}

static int parse_flag(bool *flag, const json_t *json, const char *key)
{
    const json_t *item = json_object_get(json, key);
    if (item != NULL && !json_is_boolean(item))
        return err_set(ERR_INVALID, "%s has to be true or false", key);
    *flag = json_is_true(item);
    return 0;
}

static int parse_width(uint32_t *width, const json_t *json)
{
    long number = FAX_PAGE_WIDTH;
    int error = parse_number(&number, json, "max_width", FAX_PAGE_WIDTH, 2432);
    if (error == 0 && !fax_page_is_width((uint32_t)number))
        error = err_set(ERR_INVALID, "max_width has to be 1728, 2048 or 2432");
    *width = (uint32_t)number;
    return error;
}

/* How pages are to look. */
static int parse_look(struct prepare_options *options, const json_t *json)
{
    const char *resolution = "fine", *dither = "auto", *paper = "a4";
    int error = parse_word(&resolution, json, "resolution");
    if (error == 0)
        error = fax_resolution_parse(&options->resolution, resolution);
    if (error == 0)
        error = parse_word(&dither, json, "dither");
    if (error == 0)
        error = dither_parse(&options->dither, dither);
    if (error == 0)
        error = parse_word(&paper, json, "paper");
    if (error == 0)
        error = paper_parse(&options->paper, paper);
    return error == 0 ? parse_width(&options->width_max, json) : error;
}

/* Which pages, and how many. */
static int parse_choice(struct prepare_options *options, const json_t *json)
{
    const char *pages = "", *password = "";
    long pages_max = PAGES_DEFAULT, part = 0, parts = 1, length_max = 0;
    int error = parse_number(&pages_max, json, "max_pages", 1, SUMMARY_PAGES_MAX);
    if (error == 0)
        error = parse_word(&pages, json, "pages");
    if (error == 0)
        error = page_range_parse(&options->range, pages);
    if (error == 0)
        error = parse_word(&password, json, "password");
    if (error == 0 && !str_copy(options->password, sizeof options->password, password))
        error = err_set(ERR_INVALID, "password has more than %d octets", PREPARE_PASSWORD_SIZE - 1);
    if (error == 0)
        error = parse_number(&length_max, json, "max_length_mm", 0, 3000);
    if (error == 0)
        error = parse_number(&parts, json, "parts", 1, PREPARE_PARTS_MAX);
    if (error == 0)
        error = parse_number(&part, json, "part", 0, parts - 1);
    options->pages_max = (int)pages_max;
    options->length_max_mm = (int)length_max;
    options->part = (int)part;
    options->parts = (int)parts;
    return error == 0 ? parse_flag(&options->strict, json, "strict") : error;
}

static int parse_ranges(struct compose_options *options, const json_t *json)
{
    const json_t *list = json_object_get(json, "ranges"), *item;
    size_t i;
    int error = 0;
    if (list != NULL && (!json_is_array(list) || json_array_size(list) > COMPOSE_INPUTS_MAX))
        return err_set(ERR_INVALID, "ranges has to be a list of at most %d texts", COMPOSE_INPUTS_MAX);
    json_array_foreach(list, i, item)
    {
        const char *text = json_string_value(item);
        if (error == 0)
            error = text == NULL ? err_set(ERR_INVALID, "ranges has to be a list of texts")
                                 : page_range_parse(&options->ranges[i], text);
    }
    return error;
}

static int parse_cover(struct job *job, const json_t *json)
{
    json_t *cover = json_object_get(json, "cover");
    if (cover != NULL && !json_is_object(cover))
        return err_set(ERR_INVALID, "cover has to be an object of fields");
    job->compose.cover = json_deep_copy(cover);
    int error = parse_flag(&job->compose.check, json, "check");
    return error == 0 ? parse_ranges(&job->compose, json) : error;
}

static int parse_header(struct job *job, const json_t *json)
{
    const json_t *header = json_object_get(json, "header");
    const char *text = "";
    long pages = 0;
    if (header == NULL || json_is_null(header))
        return 0;
    job->has_header = true;
    if (!json_is_object(header))
        return err_set(ERR_INVALID, "header has to be an object with text and pages");
    int error = parse_word(&text, header, "text");
    if (error == 0)
        error = parse_number(&pages, header, "pages", 0, 65535);
    str_copy(job->header.text, sizeof job->header.text, text);
    job->header.pages = (int)pages;
    return error;
}

static int parse_external(struct job *job, const json_t *json)
{
    const char *folder = "/tmp";
    json_t *argv = json_object_get(json, "argv");
    int error = parse_word(&folder, json, "folder");
    if (error == 0 && job->op == JOB_EXTERNAL && !json_is_array(argv))
        error = err_set(ERR_INVALID, "argv has to be a list of texts");
    job->argv = json_incref(argv);
    job->folder = xstrdup(folder);
    return error;
}

static int parse_sheet(struct job *job, const json_t *json)
{
    json_t *sheet = json_object_get(json, "sheet");
    if (job->op == JOB_RECEIPT && !json_is_object(sheet))
        return err_set(ERR_INVALID, "sheet has to be an object of texts");
    job->sheet = json_incref(sheet);
    return 0;
}

static int parse_numbers(struct job *job, const json_t *json)
{
    long first = 1, pages = -1, page = 1, width = 0;
    int error = parse_flag(&job->repeat_first, json, "repeat_first");
    if (error == 0)
        error = parse_number(&first, json, "first", 1, SUMMARY_PAGES_MAX);
    if (error == 0)
        error = parse_number(&pages, json, "most_pages", -1, SUMMARY_PAGES_MAX);
    if (error == 0)
        error = parse_number(&page, json, "page", 1, SUMMARY_PAGES_MAX);
    if (error == 0)
        error = parse_number(&width, json, "width", 0, PNG_WIDTH_MAX);
    job->first = (int)first;
    job->pages_max = (int)pages;
    job->page = (int)page;
    job->width = (uint32_t)width;
    return error;
}

static int parse_limits(struct job *job, const json_t *json)
{
    bool program = job->op == JOB_EXTERNAL;
    long memory = program ? PROGRAM_MEMORY : MEMORY_DEFAULT, file = FILE_DEFAULT, cpu = CPU_DEFAULT_S;
    long wall = program ? PROGRAM_WALL_S : WALL_DEFAULT_S;
    int error = parse_number(&memory, json, "memory_bytes", 64 * MIB, 16384 * MIB);
    if (error == 0)
        error = parse_number(&file, json, "file_bytes", 4096, 16384 * MIB);
    if (error == 0)
        error = parse_number(&cpu, json, "cpu_s", 1, 3600);
    if (error == 0)
        error = parse_number(&wall, json, "wall_s", 1, 7200);
    job->limits = (struct sandbox_limits){
        .address_space_bytes = (unsigned long)memory, .cpu_s = (unsigned)cpu, .file_bytes = (unsigned long)file};
    job->wall_s = (unsigned)wall;
    return error;
}

int job_parse(struct job *job, const json_t *json)
{
    *job = (struct job){.op = JOB_PREPARE};
    if (!json_is_object(json))
        return err_set(ERR_INVALID, "a job has to be a JSON object");
    int error = parse_op(&job->op, json);
    if (error == 0)
        error = check_keys(job->op, json);
    if (error == 0)
        error = parse_look(&job->compose.page, json);
    if (error == 0)
        error = parse_choice(&job->compose.page, json);
    if (error == 0)
        error = parse_cover(job, json);
    if (error == 0)
        error = parse_header(job, json);
    if (error == 0)
        error = parse_external(job, json);
    if (error == 0)
        error = parse_sheet(job, json);
    if (error == 0)
        error = parse_numbers(job, json);
    if (error == 0)
        error = parse_limits(job, json_object_get(json, "limits"));
    return error;
}

void job_clear(struct job *job)
{
    json_decref(job->compose.cover);
    json_decref(job->argv);
    json_decref(job->sheet);
    free(job->folder);
    *job = (struct job){0};
}

/* The words of the API (outcome table) for what went wrong. */
static const char *failure_word(int code)
{
    if (code == ERR_TOO_BIG)
        return "too_many_pages";
    if (code == ERR_IO || code == ERR_INTERNAL)
        return "internal"; /* this machine's fault: a later try may do better */
    return code == ERR_UNSUPPORTED ? "document_unsupported" : "conversion_failed";
}

json_t *job_failure(int code, const char *message)
{
    json_t *result = json_pack("{s:s, s:s}", "error", failure_word(code), "message", message);
    return result != NULL ? result : json_object();
}

static json_t *heights(const struct summary *summary)
{
    json_t *array = json_array();
    for (int i = 0; i < summary->pages; i++)
        json_array_append_new(array, json_integer(summary->heights[i]));
    return array;
}

static json_t *costs(const struct summary *summary)
{
    json_t *coded = json_array(), *ink = json_array();
    for (int i = 0; i < summary->pages; i++) {
        json_array_append_new(coded, json_integer(summary->coded[i]));
        json_array_append_new(ink, json_integer(summary->ink[i]));
    }
    return json_pack("{s:i, s:o, s:o}", "pages", summary->pages, "coded", coded, "ink", ink);
}

static json_t *success(const struct summary *summary, enum job_op op)
{
    json_t *result =
        json_pack("{s:i, s:i, s:i, s:o, s:s, s:I}", "pages", summary->pages, "width", (int)summary->width, "length_mm",
                  (int)summary->length_mm, "height", heights(summary), "resolution",
                  fax_resolution_name(fax_resolution_nearest(summary->y_dpi)), "bytes", (json_int_t)summary->bytes);
    if (op == JOB_PREPARE)
        json_object_set_new(result, "parts", json_integer(summary->parts));
    if (op == JOB_VERIFY || op == JOB_INFO)
        json_object_set_new(result, "complete", json_boolean(!summary->incomplete));
    if (summary->warnings > 0)
        json_object_set_new(result, "warnings", json_integer(summary->warnings));
    if (summary->note[0] != '\0')
        json_object_set_new(result, "message", json_string(summary->note));
    return result;
}

static int run_summary(const struct job *job, struct summary *summary, const int *inputs, int count, int output)
{
    int input = inputs[0];
    switch (job->op) {
    case JOB_PREPARE:
        return prepare(summary, input, output, &job->compose.page);
    case JOB_COMPOSE:
        return compose(summary, inputs, count, output, &job->compose);
    case JOB_CUT:
        return tidy_cut(summary, input, output, job->first, job->repeat_first, job->has_header ? &job->header : NULL);
    case JOB_VERIFY:
        return tidy_verify(summary, input, output, job->pages_max);
    case JOB_PDF:
        return pdf_document(summary, input, output);
    case JOB_INFO:
        return tidy_info(summary, input);
    case JOB_MEASURE:
        return tidy_measure(summary, input);
    case JOB_PNG: /* these report otherwise */
    case JOB_EXTERNAL:
    case JOB_RECEIPT:
        break;
    }
    return err_set(ERR_INTERNAL, "this operation has no summary");
}

static json_t *run_png(const struct job *job, int input, int output)
{
    struct png_result png;
    int error = png_page(&png, input, output, job->page, job->width);
    if (error != 0)
        return job_failure(error, err_message());
    return json_pack("{s:i, s:i, s:i, s:I}", "page", job->page, "width", (int)png.width, "height", (int)png.height,
                     "bytes", (json_int_t)png.bytes);
}

static json_t *run_external(const struct job *job, int input, int output)
{
    int error = external_convert(input, output, job->argv, job->folder, &job->limits, job->wall_s);
    return error != 0 ? job_failure(error, err_message()) : json_object();
}

static json_t *run_receipt(const struct job *job, int input, int output)
{
    int64_t bytes = 0;
    int error = receipt_draw(&bytes, input, output, job->compose.page.paper, job->sheet);
    return error != 0 ? job_failure(error, err_message()) : json_pack("{s:I}", "bytes", (json_int_t)bytes);
}

json_t *job_run(const struct job *job, const int *inputs, int count, int output)
{
    if (count < 1 || count > COMPOSE_INPUTS_MAX || (count > 1 && job->op != JOB_COMPOSE))
        return job_failure(ERR_INTERNAL, "the job came with a wrong number of documents");
    if (job->op == JOB_PNG)
        return run_png(job, inputs[0], output);
    if (job->op == JOB_EXTERNAL)
        return run_external(job, inputs[0], output);
    if (job->op == JOB_RECEIPT)
        return run_receipt(job, inputs[0], output);
    struct summary *summary = calloc(1, sizeof *summary);
    if (summary == NULL)
        return job_failure(ERR_FULL, "no memory");
    int error = run_summary(job, summary, inputs, count, output);
    json_t *result = error != 0               ? job_failure(error, err_message())
                     : job->op == JOB_MEASURE ? costs(summary)
                                              : success(summary, job->op);
    free(summary);
    return result;
}
