/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TIFF uploads: scans, faxes of other systems. tiff_in.c and tiff_page.c read them; here thumbnails and masks are
 * passed over, and files that claim too much are refused before any picture is read.
 */
#include "spool/convert/source.h"

#include <stdlib.h>

#include "server/base/err.h"
#include "spool/convert/prepare.h"
#include "spool/convert/sheet.h"
#include "spool/convert/summary.h"
#include "spool/convert/tiff_in.h"
#include "spool/convert/tiff_page.h"

struct tiff_source {
    struct tiff_in *in;
};

/* Walk the directories: a file that ends early, or has too many pages, is refused at once. */
static int count_pages(int *pages, int fd, const struct prepare_options *options)
{
    struct tiff_in *in = NULL;
    struct tiff_page page;
    int walked = 0, pages_max = options->range.count == 0 ? options->pages_max : SUMMARY_PAGES_MAX;
    int error = tiff_in_open(&in, fd, PREPARE_PIXELS_MAX);
    *pages = 0;
    while (error == 0) {
        error = tiff_in_next(&page, in);
        if (error != 0)
            break;
        *pages += !page.reduced;
        if (*pages > pages_max || ++walked > 4 * pages_max)
            error = err_set(ERR_TOO_BIG, "the document has more than %d pages: send it in parts", pages_max);
    }
    tiff_in_close(in);
    if (error != ERR_NOT_FOUND)
        return error;
    return *pages > 0 ? 0 : err_set(ERR_UNSUPPORTED, "the document has only thumbnails, no page");
}

static int tiff_open(void **self, int *pages, int fd, const struct prepare_options *options)
{
    struct tiff_source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return err_set(ERR_FULL, "no memory to read the document");
    int error = count_pages(pages, fd, options);
    if (error == 0)
        error = tiff_in_open(&source->in, fd, PREPARE_PIXELS_MAX);
    if (error != 0) {
        free(source);
        return error;
    }
    *self = source;
    return 0;
}

static int tiff_next(struct sheet *sheet, void *self)
{
    struct tiff_source *source = self;
    struct tiff_page page;
    int error;
    do {
        error = tiff_in_next(&page, source->in);
    } while (error == 0 && page.reduced);
    if (error != 0 || sheet == NULL)
        return error;
    *sheet = (struct sheet){.picture_count = SHEET_PICTURES_UNKNOWN};
    return tiff_page_load(&sheet->raster, source->in, &page);
}

static int tiff_warnings(const char **first, void *self)
{
    const struct tiff_source *source = self;
    *first = tiff_in_first_warning(source->in);
    return tiff_in_warnings(source->in);
}

static void tiff_close(void *self)
{
    struct tiff_source *source = self;
    tiff_in_close(source->in);
    free(source);
}

const struct source_type source_tiff = {tiff_open, tiff_next, tiff_warnings, tiff_close};
