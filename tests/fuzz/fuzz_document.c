/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: any octets as an upload, through every operation of the converter that reads documents itself, and as
 * the template of a cover page. */
#include "config.h"

#include <glib.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <tiffio.h>
#include <unistd.h>

#include "server/base/media_type.h"
#include "spool/convert/cover.h"
#include "spool/convert/job.h"
#include "spool/convert/raster.h"
#include "spool/convert/sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct prepare_options page = {
    .resolution = FAX_STANDARD, .dither = DITHER_AUTO, .width_max = 2432, .pages_max = 4, .parts = 1};

static void run(enum job_op op, int input, int output)
{
    struct job job = {.op = op, .first = 1, .pages_max = -1, .page = 1, .width = 200, .has_header = true};
    const int inputs[] = {input, input};
    job.header = (struct header){.text = "From 1001", .pages = 4};
    job.compose.page = page;
    if (ftruncate(output, 0) != 0 || lseek(output, 0, SEEK_SET) != 0)
        abort();
    json_t *result = job_run(&job, inputs, op == JOB_COMPOSE ? 2 : 1, output);
    if (!json_is_object(result))
        abort();
    json_decref(result);
}

static void cover(const uint8_t *data, size_t size)
{
    struct sheet sheet = {.raster = NULL};
    json_t *fields = json_pack("{s:s, s:s}", "to_name", "</text><script>&x;", "note", "");
    if (cover_draw(&sheet, data, size, fields, &page, size % 2 == 1) == 0)
        raster_free(sheet.raster);
    json_decref(fields);
}

static void quiet(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer context)
{
    (void)domain, (void)level, (void)message, (void)context;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int input = -1, output = -1;
    if (input < 0) {
        g_log_set_default_handler(quiet, NULL);
        TIFFSetErrorHandler(NULL);
        TIFFSetWarningHandler(NULL);
        input = memfd_create("input", MFD_CLOEXEC);
        output = memfd_create("output", MFD_CLOEXEC);
    }
    if (size > 65536) /* larger ones find nothing that smaller do not */
        return 0;
    if (ftruncate(input, 0) != 0 || pwrite(input, data, size, 0) != (ssize_t)size)
        abort();
    for (enum job_op op = JOB_PREPARE; op <= JOB_INFO; op++)
        run(op, input, output);
    enum media_type type = media_type_of(data, size);
    if (type == MEDIA_SVG || type == MEDIA_TEXT)
        cover(data, size);
    return 0;
}
