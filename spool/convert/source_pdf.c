/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PDF by poppler, drawn by cairo straight at the size and resolution of the fax page: nothing is scaled afterwards, so
 * letters keep their edges. Where the page has images is noted, since only they need a screen.
 */
#include "spool/convert/source.h"

#include <gio/gio.h>
#include <poppler.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "spool/convert/canvas.h"
#include "spool/convert/fax_page.h"
#include "spool/convert/fit.h"
#include "spool/convert/prepare.h"
#include "spool/convert/raster.h"
#include "spool/convert/sheet.h"

struct pdf_source {
    const struct prepare_options *options;
    PopplerDocument *document;
    unsigned char *data;
    int pages, page; /* page: the last one given */
};

static int open_failed(const GError *why, const struct prepare_options *options)
{
    if (g_error_matches(why, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED))
        return err_set(ERR_UNSUPPORTED, options->password[0] != '\0'
                                            ? "the PDF file is encrypted, and the password is not its own"
                                            : "the PDF file is encrypted: give its password, or send it without one");
    return err_set(ERR_INVALID, "the PDF file is damaged: %.100s", why != NULL ? why->message : "it has no pages");
}

static void pdf_close(void *self)
{
    struct pdf_source *source = self;
    if (source->document != NULL)
        g_object_unref(source->document);
    free(source->data);
    free(source);
}

/* A password is tried where one is wanted, and by a stream: of octets in memory poppler 22.12 goes on with a pointer to
 * nothing when the password, or only its first spelling, is wrong. */
static PopplerDocument *open_document(const unsigned char *data, size_t size, const char *password, GError **why)
{
    GBytes *bytes = g_bytes_new_static(data, size);
    PopplerDocument *document = poppler_document_new_from_bytes(bytes, NULL, why);
    if (document == NULL && password[0] != '\0' && g_error_matches(*why, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED)) {
        GInputStream *stream = g_memory_input_stream_new_from_bytes(bytes);
        g_clear_error(why);
        document = poppler_document_new_from_stream(stream, (goffset)size, password, NULL, why);
        g_object_unref(stream);
    }
    g_bytes_unref(bytes);
    return document;
}

static int pdf_open(void **self, int *pages, int fd, const struct prepare_options *options)
{
    struct pdf_source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return err_set(ERR_FULL, "no memory to read the document");
    source->options = options;
    size_t size = 0;
    GError *why = NULL;
    int error = source_read_all(&source->data, &size, fd);
    if (error == 0) {
        source->document = open_document(source->data, size, options->password, &why);
        source->pages = source->document != NULL ? poppler_document_get_n_pages(source->document) : 0;
        if (source->pages < 1)
            error = open_failed(why, options);
        g_clear_error(&why);
    }
    if (error != 0) {
        pdf_close(source);
        return error;
    }
    *pages = source->pages;
    *self = source;
    return 0;
}

/* Letters as dots at once, with the rule of the font library for strokes that lie between dots: smoothed letters that
 * are cut at a level have rough edges, which are ugly and cost time on the line. Lines and shapes stay smoothed. */
static int draw(cairo_t *cairo, void *context)
{
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_NONE);
    cairo_set_font_options(cairo, options);
    cairo_font_options_destroy(options);
    poppler_page_render_for_printing(context, cairo);
    return 0;
}

/* More pictures than there is room for: the page as a whole decides. */
static void note_pictures(struct sheet *sheet, PopplerPage *page, const struct fit *fit)
{
    GList *images = poppler_page_get_image_mapping(page);
    sheet->picture_count = 0;
    for (const GList *at = images; at != NULL; at = at->next) {
        const PopplerImageMapping *image = at->data;
        if (sheet->picture_count == SHEET_PICTURES_MAX) {
            sheet->picture_count = SHEET_PICTURES_UNKNOWN;
            break;
        }
        if (fit_area(&sheet->pictures[sheet->picture_count], fit, image->area.x1, image->area.y1, image->area.x2,
                     image->area.y2))
            sheet->picture_count++;
    }
    poppler_page_free_image_mapping(images);
}

static int pdf_next(struct sheet *sheet, void *self)
{
    struct pdf_source *source = self;
    if (source->page == source->pages)
        return err_set(ERR_NOT_FOUND, "page %d is the last one", source->page);
    source->page++;
    if (sheet == NULL)
        return 0;
    PopplerPage *page = poppler_document_get_page(source->document, source->page - 1);
    if (page == NULL)
        return err_set(ERR_INVALID, "page %d of the PDF file is damaged", source->page);
    struct fit fit;
    double width = 0, height = 0;
    poppler_page_get_size(page, &width, &height);
    fit_paper(&fit, width, height, source->options);
    *sheet = (struct sheet){.drawn = true};
    int error = canvas_render(&sheet->raster, &fit, fax_resolution_y_dpi(source->options->resolution), draw, page);
    if (error == 0)
        note_pictures(sheet, page, &fit);
    g_object_unref(page);
    return error;
}

const struct source_type source_pdf = {pdf_open, pdf_next, NULL, pdf_close};
