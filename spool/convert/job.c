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
#include "spool/convert/pdf.h"
#include "spool/convert/png.h"
#include "spool/convert/summary.h"
#include "spool/convert/tidy.h"

#define MIB (1024l * 1024)

#define PAGES_DEFAULT  500
#define MEMORY_DEFAULT (512 * MIB)
#define FILE_DEFAULT   (256 * MIB)
#define CPU_DEFAULT_S  60
#define WALL_DEFAULT_S 600

/* What each operation understands besides "op" and "limits". */
static const struct {
    const char *name;
    const char *keys[6];
} operations[] = {
    [JOB_PREPARE] = {"prepare", {"resolution", "dither", "max_pages", "strict"}},
    [JOB_CUT] = {"cut", {"first", "repeat_first"}},
    [JOB_VERIFY] = {"verify", {"pages"}},
    [JOB_PNG] = {"png", {"page", "width"}},
    [JOB_PDF] = {"pdf", {NULL}},
    [JOB_INFO] = {"info", {NULL}},
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
    return err_set(ERR_INVALID, "op is \"%.40s\", which is none of prepare, cut, verify, png, pdf, info",
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

static int parse_prepare(struct prepare_options *options, const json_t *json)
{
    const char *resolution = "fine", *dither = "auto";
    long pages_max = PAGES_DEFAULT;
    const json_t *strict = json_object_get(json, "strict");
    if (strict != NULL && !json_is_boolean(strict))
        return err_set(ERR_INVALID, "strict has to be true or false");
    int error = parse_word(&resolution, json, "resolution");
    if (error == 0)
        error = fax_resolution_parse(&options->resolution, resolution);
    if (error == 0)
        error = parse_word(&dither, json, "dither");
    if (error == 0)
        error = dither_parse(&options->dither, dither);
    if (error == 0)
        error = parse_number(&pages_max, json, "max_pages", 1, SUMMARY_PAGES_MAX);
    options->pages_max = (int)pages_max;
    options->strict = json_is_true(strict);
    return error;
}

static int parse_numbers(struct job *job, const json_t *json)
{
    long first = 1, pages = -1, page = 1, width = 0;
    const json_t *repeat_first = json_object_get(json, "repeat_first");
    if (repeat_first != NULL && !json_is_boolean(repeat_first))
        return err_set(ERR_INVALID, "repeat_first has to be true or false");
    int error = parse_number(&first, json, "first", 1, SUMMARY_PAGES_MAX);
    if (error == 0)
        error = parse_number(&pages, json, "pages", -1, SUMMARY_PAGES_MAX);
    if (error == 0)
        error = parse_number(&page, json, "page", 1, SUMMARY_PAGES_MAX);
    if (error == 0)
        error = parse_number(&width, json, "width", 0, PNG_WIDTH_MAX);
    job->first = (int)first;
    job->repeat_first = json_is_true(repeat_first);
    job->pages_max = (int)pages;
    job->page = (int)page;
    job->width = (uint32_t)width;
    return error;
}

static int parse_limits(struct job *job, const json_t *json)
{
    long memory = MEMORY_DEFAULT, file = FILE_DEFAULT, cpu = CPU_DEFAULT_S, wall = WALL_DEFAULT_S;
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
        error = parse_prepare(&job->prepare, json);
    if (error == 0)
        error = parse_numbers(job, json);
    if (error == 0)
        error = parse_limits(job, json_object_get(json, "limits"));
    return error;
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

static json_t *success(const struct summary *summary, enum job_op op)
{
    json_t *result = json_pack(
        "{s:i, s:i, s:o, s:s, s:I}", "pages", summary->pages, "width", (int)summary->width, "height", heights(summary),
        "resolution", fax_resolution_name(fax_resolution_nearest(summary->y_dpi)), "bytes", (json_int_t)summary->bytes);
    if (op == JOB_VERIFY || op == JOB_INFO)
        json_object_set_new(result, "complete", json_boolean(!summary->incomplete));
    if (summary->warnings > 0)
        json_object_set_new(result, "warnings", json_integer(summary->warnings));
    if (summary->note[0] != '\0')
        json_object_set_new(result, "message", json_string(summary->note));
    return result;
}

static int run_summary(const struct job *job, struct summary *summary, int input, int output)
{
    switch (job->op) {
    case JOB_PREPARE:
        return prepare(summary, input, output, &job->prepare);
    case JOB_CUT:
        return tidy_cut(summary, input, output, job->first, job->repeat_first);
    case JOB_VERIFY:
        return tidy_verify(summary, input, output, job->pages_max);
    case JOB_PDF:
        return pdf_document(summary, input, output);
    case JOB_INFO:
        return tidy_info(summary, input);
    case JOB_PNG: /* reports otherwise: run_png */
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

json_t *job_run(const struct job *job, int input, int output)
{
    if (job->op == JOB_PNG)
        return run_png(job, input, output);
    struct summary *summary = calloc(1, sizeof *summary);
    if (summary == NULL)
        return job_failure(ERR_FULL, "no memory");
    int error = run_summary(job, summary, input, output);
    json_t *result = error != 0 ? job_failure(error, err_message()) : success(summary, job->op);
    free(summary);
    return result;
}
