/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The template is parsed by libxml2 (no network, no entities, no document type), the fields are set in its text nodes,
 * texts with a width are taken out; librsvg draws the rest, pango the texts.
 */
#include "spool/convert/cover.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/convert/canvas.h"
#include "spool/convert/cover_check.h"
#include "spool/convert/fax_page.h"
#include "spool/convert/fit.h"
#include "spool/convert/prepare.h"
#include "spool/convert/sheet.h"
#include "spool/convert/svg.h"
#include "spool/convert/typeset.h"

#define BOXES_MAX      64
#define DEPTH_MAX      100
#define NAME_MAX_SIZE  64
#define FONT_SIZE      12.0
#define POINTS_MAX     100000.0
#define SMALLEST_SHARE 0.6 /* of the font size that a template asks for */
#define SHRINK_STEP    0.95

/* A text that pango lays out. */
struct box {
    char *text, *family, *weight;
    double x, y, width, height; /* user units, then points; height 0 = one line */
    double font_size;
};

struct cover {
    const json_t *fields;
    struct box boxes[BOXES_MAX];
    int box_count;
    struct svg *svg;
    double width, height; /* points */
    double scale;         /* points a user unit */
    double left, top;     /* of the view box */
};

/* ---- fields ---- */

/* How many octets at `at` an XML document cannot hold (XML 1.0, 2.2: controls, U+FFFE, U+FFFF). Line ends stay. */
static int unfit_octets(const char *at)
{
    if (strncmp(at, "\xEF\xBF\xBE", 3) == 0 || strncmp(at, "\xEF\xBF\xBF", 3) == 0)
        return 3;
    return (unsigned char)*at < 0x20 && *at != '\n' && *at != '\t' ? 1 : 0;
}

/* What does not fit, and what would draw a box: to spaces. */
static void append_value(xmlBufferPtr to, const char *value)
{
    while (*value != '\0') {
        int unfit = unfit_octets(value);
        xmlBufferAdd(to, (const xmlChar *)(unfit == 0 ? value : " "), 1);
        value += unfit == 0 ? 1 : unfit;
    }
}

/* "{{ name }}" at `at`: its name, and where it ends; NULL when it is none. */
static const char *parse_field(char name[NAME_MAX_SIZE], const char *at)
{
    size_t length;
    at += 2;
    at += strspn(at, " ");
    length = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (length == 0 || length >= NAME_MAX_SIZE)
        return NULL;
    memcpy(name, at, length);
    name[length] = '\0';
    at += length;
    at += strspn(at, " ");
    return strncmp(at, "}}", 2) == 0 ? at + 2 : NULL;
}

static int value_of(const char **value, const json_t *fields, const char *name)
{
    *value = json_string_value(json_object_get(fields, name));
    return *value != NULL ? 0 : err_set(ERR_INVALID, "the cover page wants the field \"%s\", which is not known", name);
}

/* `text` with its fields replaced, into `to`. */
static int expand(xmlBufferPtr to, const char *text, const json_t *fields)
{
    const char *open;
    while ((open = strstr(text, "{{")) != NULL) {
        char name[NAME_MAX_SIZE];
        const char *value, *end = parse_field(name, open);
        if (end == NULL)
            return err_set(ERR_INVALID, "the cover page has \"%.20s\", which is no field: {{name}}", open);
        int error = value_of(&value, fields, name);
        if (error != 0)
            return error;
        xmlBufferAdd(to, (const xmlChar *)text, (int)(open - text));
        append_value(to, value);
        text = end;
    }
    xmlBufferCat(to, (const xmlChar *)text);
    return 0;
}

static int expand_node(xmlNodePtr node, const json_t *fields)
{
    if (node->content == NULL || strstr((const char *)node->content, "{{") == NULL)
        return 0;
    if (node->parent != NULL &&
        (xmlStrEqual(node->parent->name, BAD_CAST "style") || xmlStrEqual(node->parent->name, BAD_CAST "script")))
        return err_set(ERR_INVALID, "the cover page has a field in its <%s>: fields stand in text",
                       (const char *)node->parent->name);
    xmlBufferPtr buffer = xmlBufferCreate();
    int error = expand(buffer, (const char *)node->content, fields);
    if (error == 0) /* of a text node it takes the text as it is; what needs it is escaped when the tree is written */
        xmlNodeSetContent(node, xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return error;
}

static int check_attributes(xmlNodePtr node)
{
    for (xmlAttrPtr at = node->properties; at != NULL; at = at->next) {
        xmlChar *value = xmlNodeListGetString(node->doc, at->children, 1);
        bool field = value != NULL && strstr((const char *)value, "{{") != NULL;
        xmlFree(value);
        if (field)
            return err_set(ERR_INVALID, "the cover page has a field in the attribute %s: fields stand in text",
                           (const char *)at->name);
    }
    return 0;
}

/* ---- the tree ---- */

static double number_of(xmlNodePtr node, const char *name, double otherwise)
{
    xmlChar *text = xmlGetProp(node, BAD_CAST name);
    char *end = NULL;
    double value = text != NULL ? strtod((const char *)text, &end) : otherwise;
    if (text != NULL && (end == (char *)text || !(value > -100000 && value < 100000)))
        value = otherwise;
    xmlFree(text);
    return value;
}

static char *text_of(xmlNodePtr node, const char *name, const char *otherwise)
{
    xmlChar *text = xmlGetProp(node, BAD_CAST name);
    char *copy = xstrdup(text != NULL ? (const char *)text : otherwise);
    xmlFree(text);
    return copy;
}

/* "xml:space" and indentation are SVG's business; in a box only the lines of the value count. */
static char *trimmed_content(xmlNodePtr node)
{
    xmlChar *content = xmlNodeGetContent(node);
    const char *from = content != NULL ? (const char *)content : "";
    from += strspn(from, " \t\r\n");
    char *copy = xstrdup(from);
    for (size_t length = strlen(copy); length > 0 && strchr(" \t\r\n", copy[length - 1]) != NULL; length--)
        copy[length - 1] = '\0';
    xmlFree(content);
    return copy;
}

/* Take a text with a width out of the drawing. */
static int take_box(struct cover *cover, xmlNodePtr node)
{
    if (cover->box_count == BOXES_MAX)
        return err_set(ERR_INVALID, "the cover page has more than %d texts with a width", BOXES_MAX);
    struct box *box = &cover->boxes[cover->box_count++];
    box->text = trimmed_content(node);
    box->family = text_of(node, "font-family", "DejaVu Sans, sans-serif");
    box->weight = text_of(node, "font-weight", "normal");
    box->x = number_of(node, "x", 0);
    box->y = number_of(node, "y", 0);
    box->width = number_of(node, "data-width", 0);
    box->height = number_of(node, "data-height", 0);
    box->font_size = number_of(node, "font-size", FONT_SIZE);
    if (box->width <= 0 || box->height < 0 || box->font_size <= 0)
        return err_set(ERR_INVALID, "the cover page has a text whose data-width, data-height or font-size is no size");
    return 0;
}

static bool is_left_out(const struct cover *cover, xmlNodePtr node, int *error)
{
    xmlChar *name = xmlGetProp(node, BAD_CAST "data-if");
    const char *value = "x";
    if (name != NULL)
        *error = value_of(&value, cover->fields, (const char *)name);
    xmlFree(name);
    return *error == 0 && value[0] == '\0';
}

static void drop(xmlNodePtr node)
{
    xmlUnlinkNode(node);
    xmlFreeNode(node);
}

static int walk(struct cover *cover, xmlNodePtr node, int depth);

static int visit(struct cover *cover, xmlNodePtr node, int depth)
{
    int error = 0;
    if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE)
        return expand_node(node, cover->fields);
    if (node->type != XML_ELEMENT_NODE)
        return 0;
    if (is_left_out(cover, node, &error)) {
        drop(node);
        return 0;
    }
    if (error == 0)
        error = check_attributes(node);
    if (error == 0)
        error = walk(cover, node, depth + 1);
    if (error == 0 && xmlStrEqual(node->name, BAD_CAST "text") && xmlHasProp(node, BAD_CAST "data-width") != NULL) {
        error = take_box(cover, node);
        drop(node);
    }
    return error;
}

static int walk(struct cover *cover, xmlNodePtr node, int depth)
{
    int error = 0;
    if (depth > DEPTH_MAX)
        return err_set(ERR_INVALID, "the cover page is nested deeper than %d elements", DEPTH_MAX);
    for (xmlNodePtr child = node->children, next; child != NULL && error == 0; child = next) {
        next = child->next; /* the child may go */
        error = visit(cover, child, depth);
    }
    return error;
}

/* ---- drawing ---- */

static void set_font(PangoLayout *layout, const struct box *box, double size)
{
    PangoFontDescription *font = pango_font_description_new();
    pango_font_description_set_family(font, box->family);
    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    if (strcmp(box->weight, "bold") == 0)
        pango_font_description_set_weight(font, PANGO_WEIGHT_BOLD);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
}

static bool fits(PangoLayout *layout, double width, double height)
{
    PangoRectangle extent;
    pango_layout_get_extents(layout, NULL, &extent);
    return extent.width <= width * PANGO_SCALE && (height <= 0 || extent.height <= height * PANGO_SCALE);
}

/* A line stands where the template puts it, in whatever script; the paragraphs of a box begin on their own side. */
static PangoLayout *new_layout(const struct box *box)
{
    PangoLayout *layout = typeset_new();
    pango_layout_set_text(layout, box->text, -1);
    if (box->height > 0) {
        pango_layout_set_width(layout, (int)(box->width * PANGO_SCALE));
        pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    } else {
        pango_layout_set_single_paragraph_mode(layout, TRUE);
        pango_layout_set_auto_dir(layout, FALSE);
    }
    return layout;
}

/* A line that is too long is made smaller, then cut, a box made smaller, then refused. */
static int draw_box(cairo_t *cairo, const struct box *box)
{
    PangoLayout *layout = new_layout(box);
    double size = box->font_size, least = box->font_size * SMALLEST_SHARE;
    set_font(layout, box, size);
    while (!fits(layout, box->width, box->height) && size > least) {
        size *= SHRINK_STEP;
        set_font(layout, box, size);
    }
    int error = 0;
    if (box->height > 0 && !fits(layout, box->width, box->height))
        error = err_set(ERR_INVALID, "the cover page has no room for the text \"%.40s...\": shorten it", box->text);
    pango_layout_set_width(layout, (int)(box->width * PANGO_SCALE));
    if (box->height <= 0)
        pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    cairo_move_to(cairo, box->x, box->y);
    pango_cairo_show_layout(cairo, layout);
    g_object_unref(layout);
    return error;
}

static int draw(cairo_t *cairo, void *context)
{
    const struct cover *cover = context;
    cairo_save(cairo);
    int error = svg_draw(cover->svg, cairo, cover->width, cover->height);
    cairo_restore(cairo);
    cairo_set_source_rgb(cairo, 0, 0, 0);
    for (int i = 0; i < cover->box_count && error == 0; i++)
        error = draw_box(cairo, &cover->boxes[i]);
    return error;
}

/* ---- the whole ---- */

static int parse(xmlDocPtr *out, const void *template, size_t size)
{
    xmlDocPtr document =
        xmlReadMemory(template, (int)size, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    xmlNodePtr root = document != NULL ? xmlDocGetRootElement(document) : NULL;
    int error = 0;
    if (root == NULL)
        error = err_set(ERR_INVALID, "the cover page is not well-formed XML");
    else if (document->intSubset != NULL)
        error = err_set(ERR_INVALID, "the cover page has a document type: take the <!DOCTYPE> out");
    else if (!xmlStrEqual(root->name, BAD_CAST "svg"))
        error = err_set(ERR_INVALID, "the cover page is no SVG drawing but <%.20s>", (const char *)root->name);
    if (error != 0) {
        xmlFreeDoc(document);
        return error;
    }
    *out = document;
    return 0;
}

static void measure(struct cover *cover, xmlNodePtr root)
{
    double box[4] = {0, 0, 0, 0};
    char *text = text_of(root, "viewBox", "");
    svg_size(&cover->width, &cover->height, cover->svg);
    if (sscanf(text, "%lf%*[ ,]%lf%*[ ,]%lf%*[ ,]%lf", &box[0], &box[1], &box[2], &box[3]) == 4 && box[2] > 0) {
        cover->left = box[0];
        cover->top = box[1];
        cover->scale = cover->width / box[2];
    } else {
        cover->scale = FIT_POINTS_PER_INCH / 96.0; /* a user unit is a CSS pixel */
    }
    free(text);
}

/* From user units to points, in which texts are set: pango counts in 1/1024 of them, by integers. */
static int place_box(struct box *box, const struct cover *cover)
{
    box->x = (box->x - cover->left) * cover->scale;
    box->y = (box->y - cover->top) * cover->scale;
    box->width *= cover->scale;
    box->height *= cover->scale;
    box->font_size *= cover->scale;
    if (!(fabs(box->x) < POINTS_MAX && fabs(box->y) < POINTS_MAX && box->width < POINTS_MAX &&
          box->height < POINTS_MAX && box->font_size < POINTS_MAX))
        return err_set(ERR_INVALID, "the cover page has a text that its viewBox makes larger than any paper");
    return 0;
}

static int make(struct cover *cover, xmlDocPtr document)
{
    xmlNodePtr root = xmlDocGetRootElement(document);
    xmlChar *drawing = NULL;
    int size = 0, error = walk(cover, root, 0);
    if (error != 0)
        return error;
    xmlDocDumpMemory(document, &drawing, &size);
    error = svg_read(&cover->svg, drawing, (size_t)size);
    xmlFree(drawing);
    if (error != 0)
        return error;
    measure(cover, root);
    for (int i = 0; i < cover->box_count && error == 0; i++)
        error = place_box(&cover->boxes[i], cover);
    return error;
}

static void clear(struct cover *cover)
{
    for (int i = 0; i < cover->box_count; i++) {
        free(cover->boxes[i].text);
        free(cover->boxes[i].family);
        free(cover->boxes[i].weight);
    }
    svg_free(cover->svg);
}

int cover_draw(struct sheet *sheet, const void *template, size_t size, const json_t *fields,
               const struct prepare_options *options, bool check)
{
    struct cover cover = {.fields = fields};
    xmlDocPtr document = NULL;
    int error = parse(&document, template, size);
    if (error != 0)
        return error;
    if (check)
        error = cover_check(document);
    if (error == 0)
        error = make(&cover, document);
    xmlFreeDoc(document);
    if (error == 0) {
        struct fit fit;
        fit_paper(&fit, cover.width, cover.height, options);
        *sheet = (struct sheet){.drawn = true, .picture_count = SHEET_PICTURES_UNKNOWN};
        error = canvas_render(&sheet->raster, &fit, fax_resolution_y_dpi(options->resolution), draw, &cover);
    }
    clear(&cover);
    return error;
}
