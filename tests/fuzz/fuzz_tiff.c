/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: any octets as an upload, through every operation of the converter. */
#include "config.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <tiffio.h>
#include <unistd.h>

#include "spool/convert/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(enum job_op op, int input, int output)
{
    struct job job = {.op = op, .first = 1, .pages_max = -1, .page = 1, .width = 200};
    job.prepare = (struct prepare_options){.resolution = FAX_STANDARD, .dither = DITHER_AUTO, .pages_max = 4};
    if (ftruncate(output, 0) != 0 || lseek(output, 0, SEEK_SET) != 0)
        abort();
    json_t *result = job_run(&job, input, output);
    if (!json_is_object(result))
        abort();
    json_decref(result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int input = -1, output = -1;
    if (input < 0) {
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
    return 0;
}
