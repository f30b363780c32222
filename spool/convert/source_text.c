/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plain text on paper: one fixed-width face, 80 columns, so that tables stay tables; pango finds fonts for scripts that
 * it lacks, shapes them, and lays right-to-left paragraphs out from the right.
 *
 * Lines are laid out one after the other and the pages made as they fill: a text of any length takes the memory of a
 * page.
 */
#include "spool/convert/source.h"

#include <pango/pangocairo.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "server/base/utf8.h"
#include "spool/convert/canvas.h"
#include "spool/convert/fax_page.h"
#include "spool/convert/fit.h"
#include "spool/convert/prepare.h"
#include "spool/convert/sheet.h"
#include "spool/convert/typeset.h"

#define FONT       "DejaVu Sans Mono, monospace 10"
#define MARGIN     51.0 /* points, 18 mm: 80 columns fit on A4 */
#define PIECE_MAX  2000 /* octets of a line laid out at once: what is longer goes on in the next piece */
#define TAB_POINTS 48.2 /* eight columns */
#define LINES_MAX  400  /* of a page: a blank one has some height too */

struct text_source {
    const struct prepare_options *options;
    char *text; /* UTF-8 */
    size_t size, at;
    double width, height; /* of the paper, points */
    PangoFontDescription *font;
    PangoLayout *lines[LINES_MAX]; /* of the page that is being filled */
    double tops[LINES_MAX];
    int line_count;
    PangoLayout *waiting; /* did not fit on the page before; owned */
    bool any;             /* a page was given */
};

/* ---- what stands in the file, as UTF-8 ---- */

static size_t put_utf8(char *to, uint32_t point)
{
    if (point < 0x80) {
        to[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        to[0] = (char)(0xC0 | point >> 6);
        to[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        to[0] = (char)(0xE0 | point >> 12);
        to[1] = (char)(0x80 | (point >> 6 & 0x3F));
        to[2] = (char)(0x80 | (point & 0x3F));
        return 3;
    }
    to[0] = (char)(0xF0 | point >> 18);
    to[1] = (char)(0x80 | (point >> 12 & 0x3F));
    to[2] = (char)(0x80 | (point >> 6 & 0x3F));
    to[3] = (char)(0x80 | (point & 0x3F));
    return 4;
}

/* Windows-1252, which is what 8-bit texts of offices are, where it differs from ISO 8859-1 (0x80 to 0x9F). */
static const uint16_t windows_1252[32] = {0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                          0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD,
                                          0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                          0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};

static size_t from_8bit(char *to, const unsigned char *data, size_t size)
{
    size_t length = 0;
    for (size_t i = 0; i < size; i++)
        length += put_utf8(to + length, data[i] >= 0x80 && data[i] < 0xA0 ? windows_1252[data[i] - 0x80] : data[i]);
    return length;
}

static size_t from_utf16(char *to, const unsigned char *data, size_t size, bool big)
{
    size_t length = 0;
    for (size_t i = 2; i + 1 < size; i += 2) {
        uint32_t unit = big ? (uint32_t)data[i] << 8 | data[i + 1] : (uint32_t)data[i + 1] << 8 | data[i];
        if (unit >= 0xD800 && unit < 0xE000) {
            uint32_t low = i + 3 >= size ? 0
                           : big         ? (uint32_t)data[i + 2] << 8 | data[i + 3]
                                         : (uint32_t)data[i + 3] << 8 | data[i + 2];
            bool paired = unit < 0xDC00 && low >= 0xDC00 && low < 0xE000;
            unit = paired ? 0x10000 + ((unit & 0x3FF) << 10) + (low & 0x3FF) : 0xFFFD;
            i += paired ? 2 : 0;
        }
        length += put_utf8(to + length, unit);
    }
    return length;
}

static bool is_utf8(const unsigned char *data, size_t size)
{
    uint32_t point;
    for (size_t at = 0; at < size;) {
        size_t step = utf8_next(&point, (const char *)data + at, size - at);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

static int take_text(struct text_source *source, const unsigned char *data, size_t size)
{
    source->text = malloc(3 * size + 1); /* an 8-bit character or half a UTF-16 unit gets at most three octets */
    if (source->text == NULL)
        return err_set(ERR_FULL, "no memory for a text of %zu octets", size);
    if (size >= 2 && ((data[0] == 0xFF && data[1] == 0xFE) || (data[0] == 0xFE && data[1] == 0xFF))) {
        source->size = from_utf16(source->text, data, size, data[0] == 0xFE);
    } else if (is_utf8(data, size)) {
        size_t mark = size >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
        source->size = size - mark;
        memcpy(source->text, data + mark, source->size);
    } else {
        source->size = from_8bit(source->text, data, size);
    }
    source->text[source->size] = '\0';
    return 0;
}

/* ---- lines ---- */

/* What no paper can show: control characters, escape sequences' first octet. */
static void clean(char *line, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (((unsigned char)line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7F)
            line[i] = ' ';
    }
}

static PangoLayout *lay_out(const struct text_source *source, size_t size)
{
    PangoLayout *layout = typeset_new();
    PangoTabArray *tabs = pango_tab_array_new(1, FALSE);
    pango_tab_array_set_tab(tabs, 0, PANGO_TAB_LEFT, (int)(TAB_POINTS * PANGO_SCALE));
    pango_layout_set_font_description(layout, source->font);
    pango_layout_set_tabs(layout, tabs);
    pango_tab_array_free(tabs);
    pango_layout_set_width(layout, (int)((source->width - 2 * MARGIN) * PANGO_SCALE));
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    clean(source->text + source->at, size);
    pango_layout_set_text(layout, source->text + source->at, (int)size);
    return layout;
}

/* How many octets the next piece has, without its line end. */
static size_t piece_size(const struct text_source *source)
{
    size_t size = strcspn(source->text + source->at, "\n\f\r");
    if (size > source->size - source->at) /* a NUL cannot be in a text, but the end can */
        size = source->size - source->at;
    if (size <= PIECE_MAX)
        return size;
    size = PIECE_MAX;
    while ((source->text[source->at + size] & 0xC0) == 0x80)
        size--;
    return size;
}

/* Step over a line end; true when a new page begins there. */
static bool pass_end(struct text_source *source, size_t size)
{
    bool is_piece = size >= PIECE_MAX - 3 && strchr("\n\f\r", source->text[source->at + size]) == NULL;
    source->at += size;
    if (is_piece || source->at >= source->size)
        return false;
    char end = source->text[source->at++];
    if (end == '\r' && source->at < source->size && source->text[source->at] == '\n')
        source->at++;
    return end == '\f';
}

static double layout_height(PangoLayout *layout)
{
    int height = 0;
    pango_layout_get_size(layout, NULL, &height);
    return (double)height / PANGO_SCALE;
}

static void drop_lines(struct text_source *source)
{
    while (source->line_count > 0)
        g_object_unref(source->lines[--source->line_count]);
}

/* True while the page takes more. What does not fit waits for the next page, unless it is the first on this one. */
static bool add_line(struct text_source *source, PangoLayout *layout, double *top)
{
    double height = layout_height(layout);
    if (source->line_count > 0 && (*top + height > source->height - MARGIN || source->line_count == LINES_MAX)) {
        source->waiting = layout;
        return false;
    }
    source->lines[source->line_count] = layout;
    source->tops[source->line_count++] = *top;
    *top += height;
    return true;
}

/* Take lines until the page is full or the text at its end. */
static void fill_page(struct text_source *source)
{
    double top = MARGIN;
    bool more = true, new_page = false;
    if (source->waiting != NULL) {
        PangoLayout *waiting = source->waiting;
        source->waiting = NULL;
        more = add_line(source, waiting, &top);
    }
    while (more && !new_page && source->at < source->size) {
        size_t size = piece_size(source);
        PangoLayout *layout = lay_out(source, size);
        new_page = pass_end(source, size);
        if (size == 0 && new_page)
            g_object_unref(layout); /* a form feed on a line of its own takes no room */
        else
            more = add_line(source, layout, &top);
    }
}

static int draw(cairo_t *cairo, void *context)
{
    const struct text_source *source = context;
    for (int i = 0; i < source->line_count; i++) {
        cairo_move_to(cairo, MARGIN, source->tops[i]);
        pango_cairo_show_layout(cairo, source->lines[i]);
    }
    return 0;
}

/* ---- the source ---- */

static void text_close(void *self)
{
    struct text_source *source = self;
    drop_lines(source);
    if (source->waiting != NULL)
        g_object_unref(source->waiting);
    if (source->font != NULL)
        pango_font_description_free(source->font);
    free(source->text);
    free(source);
}

static int text_open(void **self, int *pages, int fd, const struct prepare_options *options)
{
    struct text_source *source = calloc(1, sizeof *source);
    unsigned char *data = NULL;
    size_t size = 0;
    if (source == NULL)
        return err_set(ERR_FULL, "no memory to read the document");
    source->options = options;
    paper_size(&source->width, &source->height, options->paper);
    int error = source_read_all(&data, &size, fd);
    if (error == 0)
        error = take_text(source, data, size);
    free(data);
    if (error != 0) {
        text_close(source);
        return error;
    }
    source->font = pango_font_description_from_string(FONT);
    *pages = SOURCE_PAGES_UNKNOWN;
    *self = source;
    return 0;
}

static int text_next(struct sheet *sheet, void *self)
{
    struct text_source *source = self;
    if (source->any && source->at >= source->size && source->waiting == NULL)
        return err_set(ERR_NOT_FOUND, "the text is at its end");
    source->any = true;
    fill_page(source);
    int error = 0;
    if (sheet != NULL) {
        struct fit fit;
        fit_paper(&fit, source->width, source->height, source->options);
        *sheet = (struct sheet){.drawn = true};
        error = canvas_render(&sheet->raster, &fit, fax_resolution_y_dpi(source->options->resolution), draw, source);
    }
    drop_lines(source);
    return error;
}

const struct source_type source_text = {text_open, text_next, NULL, text_close};
