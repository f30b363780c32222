/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET /v1/faxes/{id}/receipt. Text is laid out by pango without markup: a station id is what a stranger chose.
 */
#include "config.h"

#include "spool/convert/receipt.h"

#include <math.h>
#include <pango/pangocairo.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/convert/coded_page.h"
#include "spool/convert/pdf_sheet.h"
#include "spool/convert/prepare.h"
#include "spool/convert/tiff_in.h"
#include "spool/convert/typeset.h"

#define FAMILY "DejaVu Sans, sans-serif"

#define MARGIN       48.0 /* points, as all below */
#define TITLE_SIZE   20.0
#define STAMP_SIZE   15.0
#define STAMP_PAD    9.0
#define LABEL_SIZE   7.5
#define VALUE_SIZE   9.5
#define VALUE_LINES  3
#define ROW_GAP      6.0
#define COLUMN_GAP   24.0
#define FACTS_SHARE  0.46 /* of the width; the page has the rest */
#define CAPTION_SIZE 8.0
#define FOOT_SIZE    7.5
#define FOOT_ROOM    64.0

struct colour {
    double red, green, blue;
};

static const struct colour ink = {0.1, 0.1, 0.12}, grey = {0.42, 0.42, 0.45}, hairline = {0.75, 0.75, 0.78};

struct drawing {
    struct pdf_sheet sheet;
    double width, height; /* of the paper */
    double top;           /* where the next thing goes */
};

/* ---- texts ---- */

static void set_colour(cairo_t *cairo, const struct colour *colour)
{
    cairo_set_source_rgb(cairo, colour->red, colour->green, colour->blue);
}

/* What cannot be seen would be drawn as a box with figures in it, and line ends would take the room of others. */
static char *plain(const char *text)
{
    char *copy = xstrdup(text);
    for (char *c = copy; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    return copy;
}

/* A hash, an id or a number that goes on in the next line must not get a sign that it does not have. */
static void no_hyphens(PangoLayout *layout)
{
    PangoAttrList *list = pango_attr_list_new();
    pango_attr_list_insert(list, pango_attr_insert_hyphens_new(FALSE));
    pango_layout_set_attributes(layout, list);
    pango_attr_list_unref(list);
}

/* `width` 0 = as wide as it is; then one line. */
static PangoLayout *lay_out(const char *text, double size, bool bold, double width, int lines)
{
    PangoLayout *layout = typeset_new();
    PangoFontDescription *font = pango_font_description_from_string(FAMILY);
    char *copy = plain(text);
    pango_font_description_set_size(font, (int)(size * PANGO_SCALE));
    pango_font_description_set_weight(font, bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_auto_dir(layout, FALSE); /* a name from right to left stays in its column's place */
    pango_layout_set_font_description(layout, font);
    pango_layout_set_text(layout, copy, -1);
    no_hyphens(layout);
    if (width > 0) {
        pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
        pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
        pango_layout_set_height(layout, -lines);
        pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    }
    pango_font_description_free(font);
    free(copy);
    return layout;
}

static void measure(double *width, double *height, PangoLayout *layout)
{
    int w, h;
    pango_layout_get_size(layout, &w, &h);
    *width = (double)w / PANGO_SCALE;
    *height = (double)h / PANGO_SCALE;
}

/* Draw a text, and forget it: its height. */
static double show(cairo_t *cairo, PangoLayout *layout, double x, double y, const struct colour *colour)
{
    double width, height;
    measure(&width, &height, layout);
    set_colour(cairo, colour);
    cairo_move_to(cairo, x, y);
    pango_cairo_show_layout(cairo, layout);
    g_object_unref(layout);
    return height;
}

static const char *text_of(const json_t *sheet, const char *key)
{
    const char *text = json_string_value(json_object_get(sheet, key));
    return text != NULL ? text : "";
}

/* ---- head ---- */

static struct colour tone_of(const char *word)
{
    if (strcmp(word, "good") == 0)
        return (struct colour){0.05, 0.42, 0.2};
    if (strcmp(word, "doubtful") == 0)
        return (struct colour){0.62, 0.38, 0.0};
    return (struct colour){0.68, 0.1, 0.1};
}

/* A frame with the word in it, right of the title. */
static double draw_stamp(struct drawing *drawing, const json_t *sheet)
{
    cairo_t *cairo = drawing->sheet.cairo;
    struct colour colour = tone_of(text_of(sheet, "tone"));
    PangoLayout *layout = lay_out(text_of(sheet, "stamp"), STAMP_SIZE, true, 0, 1);
    double width, height;
    measure(&width, &height, layout);
    double left = drawing->width - MARGIN - width - 2 * STAMP_PAD;
    set_colour(cairo, &colour);
    cairo_set_line_width(cairo, 2.0);
    cairo_rectangle(cairo, left, drawing->top, width + 2 * STAMP_PAD, height + 2 * STAMP_PAD);
    cairo_stroke(cairo);
    show(cairo, layout, left + STAMP_PAD, drawing->top + STAMP_PAD, &colour);
    return height + 2 * STAMP_PAD;
}

static void draw_line(struct drawing *drawing, double y)
{
    cairo_t *cairo = drawing->sheet.cairo;
    set_colour(cairo, &hairline);
    cairo_set_line_width(cairo, 0.75);
    cairo_move_to(cairo, MARGIN, y);
    cairo_line_to(cairo, drawing->width - MARGIN, y);
    cairo_stroke(cairo);
}

static void draw_head(struct drawing *drawing, const json_t *sheet)
{
    double stamp = draw_stamp(drawing, sheet), width, height;
    PangoLayout *title = lay_out(text_of(sheet, "title"), TITLE_SIZE, true, 0, 1);
    measure(&width, &height, title);
    show(drawing->sheet.cairo, title, MARGIN, drawing->top + (stamp - height) / 2, &ink);
    drawing->top += stamp + 14;
    draw_line(drawing, drawing->top);
    drawing->top += 14;
}

/* ---- facts ---- */

static void draw_facts(struct drawing *drawing, const json_t *sheet, double width, double bottom)
{
    cairo_t *cairo = drawing->sheet.cairo;
    double y = drawing->top;
    const json_t *row;
    size_t i;
    json_array_foreach(json_object_get(sheet, "rows"), i, row)
    {
        const char *label = json_string_value(json_array_get(row, 0));
        const char *value = json_string_value(json_array_get(row, 1));
        if (label == NULL || value == NULL || y > bottom - 2 * VALUE_SIZE)
            continue;
        y += show(cairo, lay_out(label, LABEL_SIZE, false, width, 1), MARGIN, y, &grey);
        y += show(cairo, lay_out(value, VALUE_SIZE, false, width, VALUE_LINES), MARGIN, y, &ink) + ROW_GAP;
    }
}

static void draw_foot(struct drawing *drawing, const json_t *sheet)
{
    double y = drawing->height - MARGIN - FOOT_ROOM + 10;
    const json_t *text;
    size_t i;
    draw_line(drawing, y - 6);
    json_array_foreach(json_object_get(sheet, "foot"), i, text)
    {
        if (!json_is_string(text) || y > drawing->height - MARGIN)
            continue;
        PangoLayout *layout = lay_out(json_string_value(text), FOOT_SIZE, false, drawing->width - 2 * MARGIN, 2);
        y += show(drawing->sheet.cairo, layout, MARGIN, y, &grey) + 3;
    }
}

/* ---- the page ---- */

static int load_first(struct coded_page *page, int input)
{
    struct tiff_in *in = NULL;
    struct tiff_page found;
    int error = tiff_in_open(&in, input, PREPARE_PIXELS_MAX);
    if (error == 0)
        error = tiff_in_next(&found, in);
    if (error == 0)
        error = coded_page_load(page, in, &found);
    tiff_in_close(in);
    return error == ERR_NOT_FOUND ? err_set(ERR_INVALID, "the document has no page") : error;
}

/* As large as its column lets it be, on its own white, with a frame. */
static int draw_page(struct drawing *drawing, struct coded_page *page, double left, double bottom)
{
    cairo_t *cairo = drawing->sheet.cairo;
    double width = page->width / page->x_dpi, height = page->height / page->y_dpi;
    double scale = fmin((drawing->width - MARGIN - left) / width, (bottom - drawing->top) / height);
    width *= scale;
    height *= scale;
    cairo_save(cairo);
    cairo_translate(cairo, left, drawing->top);
    int error = pdf_sheet_page(&drawing->sheet, page, width, height);
    set_colour(cairo, &hairline);
    cairo_set_line_width(cairo, 0.75);
    cairo_rectangle(cairo, 0, 0, width, height);
    cairo_stroke(cairo);
    cairo_restore(cairo);
    return error;
}

static int draw_column(struct drawing *drawing, int input, const json_t *sheet, double bottom)
{
    struct coded_page page = {0};
    struct stat status;
    double left = MARGIN + (drawing->width - 2 * MARGIN) * FACTS_SHARE + COLUMN_GAP;
    PangoLayout *caption =
        lay_out(text_of(sheet, "caption"), CAPTION_SIZE, false, drawing->width - MARGIN - left, VALUE_LINES);
    drawing->top += show(drawing->sheet.cairo, caption, left, drawing->top, &grey) + 5;
    if (fstat(input, &status) == 0 && status.st_size == 0)
        return 0;
    int error = load_first(&page, input);
    if (error == 0)
        error = draw_page(drawing, &page, left, bottom);
    coded_page_clear(&page);
    return error;
}

/* ---- the sheet ---- */

int receipt_draw(int64_t *bytes, int input, int output, enum paper paper, const json_t *sheet)
{
    struct drawing drawing = {.top = MARGIN};
    paper_size(&drawing.width, &drawing.height, paper);
    double bottom = drawing.height - MARGIN - FOOT_ROOM - 10;
    pdf_sheet_open(&drawing.sheet, output);
    pdf_sheet_size(&drawing.sheet, drawing.width, drawing.height);
    draw_head(&drawing, sheet);
    draw_facts(&drawing, sheet, (drawing.width - 2 * MARGIN) * FACTS_SHARE, bottom);
    draw_foot(&drawing, sheet);
    int error = draw_column(&drawing, input, sheet, bottom);
    cairo_show_page(drawing.sheet.cairo);
    int close_error = pdf_sheet_close(&drawing.sheet);
    *bytes = drawing.sheet.bytes;
    return error != 0 ? error : close_error;
}
