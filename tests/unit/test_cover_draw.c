/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about drawing cover pages: whatever stands in a field is text, and nothing outside the template is looked at.
 */
#include "config.h"

#include "tests/lib/facts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/base/err.h"
#include "spool/convert/cover.h"
#include "spool/convert/prepare.h"
#include "spool/convert/raster.h"
#include "spool/convert/sheet.h"

#define SVG(inside)                                                                                                    \
    "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' "                              \
    "xmlns:xi='http://www.w3.org/2001/XInclude' width='100' height='60' viewBox='0 0 100 60'>" inside "</svg>"

static const struct prepare_options options = {.resolution = FAX_FINE, .width_max = 1728};

/* The page, or NULL after an error. */
static struct raster *draw_octets(const char *template, size_t size, json_t *fields, int *error)
{
    struct sheet sheet = {.raster = NULL};
    *error = cover_draw(&sheet, template, size, fields, &options, false);
    json_decref(fields);
    if (*error != 0)
        assert_null(sheet.raster);
    else
        assert_true(sheet.drawn && sheet.raster->depth == 8);
    return sheet.raster;
}

static struct raster *draw(const char *template, const char *note)
{
    int error;
    struct raster *page = draw_octets(template, strlen(template), json_pack("{s:s}", "note", note), &error);
    if (error != 0)
        fail_msg("%s", err_message());
    return page;
}

static int ink_of(const struct raster *page)
{
    int count = 0;
    for (size_t i = 0; i < page->stride * page->height; i++)
        count += page->data[i] < 180;
    return count;
}

/* Both templates give the same page, which is not empty. */
static void expect_same(const char *template, const char *note, const char *other, const char *other_note)
{
    struct raster *page = draw(template, note), *wanted = draw(other, other_note);
    assert_int_equal(page->height, wanted->height);
    if (memcmp(page->data, wanted->data, page->stride * page->height) != 0)
        fail_msg("\"%s\" in %s differs", note, template);
    assert_true(ink_of(page) > 0);
    raster_free(page);
    raster_free(wanted);
}

static void expect_refused(const char *template, const char *note, const char *message)
{
    int error;
    draw_octets(template, strlen(template), json_pack("{s:s}", "note", note), &error);
    assert_int_equal(error, ERR_INVALID);
    if (strstr(err_message(), message) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err_message(), message);
}

/* ---- fields are text ---- */

static void a_value_is_text_and_never_markup(void **state)
{
    (void)state;
    static const struct {
        const char *value, *escaped;
    } table[] = {
        {"Ann & Bob", "Ann &amp; Bob"},
        {"&amp; &#65; &lt;", "&amp;amp; &amp;#65; &amp;lt;"},
        {"<b>", "&lt;b&gt;"},
        {"</text><rect width='99' height='99'/><text>", "&lt;/text>&lt;rect width='99' height='99'/>&lt;text>"},
        {"]]>", "]]&gt;"},
        {"]]><rect width='99' height='99'/>", "]]&gt;&lt;rect width='99' height='99'/&gt;"},
        {"<![CDATA[x]]>", "&lt;![CDATA[x]]&gt;"},
        {"<!-- x -->", "&lt;!-- x --&gt;"},
        {"&unknown;", "&amp;unknown;"},
        {"\"quoted'", "\"quoted'"},
        {"Gr\u00fc\u00dfe", "Gr&#252;&#223;e"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char literal[600];
        snprintf(literal, sizeof literal, SVG("<text x='2' y='20' font-size='6'>%s</text>"), table[i].escaped);
        expect_same(SVG("<text x='2' y='20' font-size='6'>{{note}}</text>"), table[i].value, literal, "");
        expect_same(SVG("<text x='2' y='20' font-size='6'><![CDATA[{{note}}]]></text>"), table[i].value, literal, "");
    }
}

static void so_it_is_in_a_box(void **state)
{
    (void)state;
    static const char line[] = SVG("<text x='2' y='5' font-size='3' data-width='90'>{{note}}</text>");
    expect_same(line, "a < b & c ]]> <rect/>",
                SVG("<text x='2' y='5' font-size='3' data-width='90'>a &lt; b &amp; c "
                    "]]&gt; &lt;rect/&gt;</text>"),
                "");
    expect_same(line, "<span size='9999'>x</span>",
                SVG("<text x='2' y='5' font-size='3' data-width='90'>&lt;span size='9999'>x&lt;/span></text>"), "");
    expect_same(line, "  trimmed \n", line, "trimmed");
}

static void what_xml_cannot_hold_becomes_a_space(void **state)
{
    (void)state;
    static const char *const templates[] = {
        SVG("<text x='2' y='20' font-size='6' xml:space='preserve'>{{note}}</text>"),
        SVG("<text x='2' y='20' font-size='6' xml:space='preserve'><![CDATA[{{note}}]]></text>"),
        SVG("<text x='2' y='5' font-size='3' data-width='90'>{{note}}</text>")};
    static const char *const values[] = {"a\x01z", "a\x08z", "a\x1Bz", "a\x1Fz", "a\xEF\xBF\xBEz", "a\xEF\xBF\xBFz"};
    for (size_t i = 0; i < COUNT_OF(templates); i++) {
        for (size_t k = 0; k < COUNT_OF(values); k++)
            expect_same(templates[i], values[k], templates[i], "a z");
    }
}

static void a_value_is_not_looked_at_for_fields(void **state)
{
    (void)state;
    int error;
    static const char template[] = SVG("<text x='2' y='20'>{{note}}</text>");
    json_t *fields = json_pack("{s:s, s:s}", "note", "{{other}}", "other", "secret");
    struct raster *page = draw_octets(template, strlen(template), fields, &error);
    struct raster *not_wanted = draw(template, "secret");
    assert_int_equal(error, 0);
    assert_int_not_equal(ink_of(page), ink_of(not_wanted));
    raster_free(page);
    raster_free(not_wanted);
}

static void fields_stand_in_text_only(void **state)
{
    (void)state;
    expect_refused(SVG("<rect width='{{note}}' height='5'/>"), "5", "a field in the attribute width");
    expect_refused(SVG("<g><a xlink:href='{{note}}'/></g>"), "file:///etc/passwd", "a field in the attribute href");
    expect_refused(SVG("<style>{{note}}</style>"), "*{}", "a field in its <style>");
    expect_refused(SVG("<style><![CDATA[{{note}}]]></style>"), "*{}", "a field in its <style>");
    expect_refused(SVG("<script>{{note}}</script>"), "x", "a field in its <script>");
}

static void a_field_that_is_not_known_is_named(void **state)
{
    (void)state;
    expect_refused(SVG("<text>{{colour}}</text>"), "", "the field \"colour\"");
    expect_refused(SVG("<text data-width='9'>{{note}} {{colour}}</text>"), "", "the field \"colour\"");
    expect_refused(SVG("<g data-if='colour'/>"), "", "the field \"colour\"");
    expect_refused(SVG("<text>{{Not a name}}</text>"), "", "\"{{Not a name}}\", which is no field");
    expect_refused(SVG("<text>{{note</text>"), "", "which is no field");
    expect_refused(SVG("<text>{{note}</text>"), "", "which is no field");
}

/* ---- boxes ---- */

static void a_text_that_does_not_fit_is_named(void **state)
{
    (void)state;
    static const char box[] = SVG("<text x='5' y='5' font-size='4' data-width='40' data-height='10'>{{note}}</text>");
    char text[2000];
    memset(text, 0, sizeof text);
    for (int i = 0; i < 100; i++)
        strcat(text, "many words ");
    expect_refused(box, text, "no room for the text \"many words many words many words many wo...\"");
    struct raster *page = draw(box, "few words");
    assert_true(ink_of(page) > 0);
    raster_free(page);
}

static void a_line_stays_in_its_width(void **state)
{
    (void)state;
    char text[400] = "";
    for (int i = 0; i < 30; i++)
        strcat(text, "WWWWWWWWWW");
    struct raster *page = draw(SVG("<text x='10' y='10' font-size='4' data-width='50'>{{note}}</text>"), text);
    uint32_t left = page->width, right = 0;
    for (uint32_t y = 0; y < page->height; y++) {
        for (uint32_t x = 0; x < page->width; x++) {
            if (raster_row(page, y)[x] >= 128)
                continue;
            left = x < left ? x : left;
            right = x > right ? x : right;
        }
    }
    double unit = 0.75 * 204 / 72, margin = (page->width - 100 * unit) / 2; /* a unit is a pixel of CSS */
    assert_in_range(left, (uint32_t)(margin + 10 * unit) - 2, (uint32_t)(margin + 12 * unit));
    assert_in_range(right, (uint32_t)(margin + 50 * unit), (uint32_t)(margin + 60 * unit) + 2);
    raster_free(page);
}

static void sizes_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const widths[] = {"0", "-5", "nan", "inf", "1e999", "wide", "", "100000"};
    for (size_t i = 0; i < COUNT_OF(widths); i++) {
        char template[600];
        snprintf(template, sizeof template, SVG("<text data-width='%s'>x</text>"), widths[i]);
        expect_refused(template, "", "is no size");
    }
}

static void an_absurd_view_box_does_no_harm(void **state)
{
    (void)state;
    static const char *const boxes[] = {"0 0 1e-300 1", "0 0 1e-9 1e-9",   "1e300 1e300 10 10", "0 0 1e300 1e300",
                                        "0 0 0 0",      "nan nan nan nan", "-1e308 0 1e-308 1"};
    for (size_t i = 0; i < COUNT_OF(boxes); i++) {
        char template[500];
        int error;
        snprintf(template, sizeof template,
                 "<svg xmlns='http://www.w3.org/2000/svg' width='100' height='60' viewBox='%s'><text x='1' y='1' "
                 "data-width='90000' data-height='90000' font-size='900'>x y</text><text data-width='9'>z</text></svg>",
                 boxes[i]);
        raster_free(draw_octets(template, strlen(template), json_object(), &error));
        assert_true(error == 0 || error == ERR_INVALID);
    }
}

static void there_are_so_many_boxes_and_no_more(void **state)
{
    (void)state;
    char *template = calloc(1, 65 * 40 + 400);
    strcpy(template, "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>");
    for (int i = 0; i < 65; i++)
        strcat(template, "<text data-width='9'>x</text>");
    strcat(template, "</svg>");
    expect_refused(template, "", "more than 64 texts with a width");
    free(template);
}

/* ---- parts that are left out ---- */

static void what_depends_on_an_empty_field_is_left_out(void **state)
{
    (void)state;
    static const char template[] = SVG("<rect width='9' height='9'/><g data-if='note'><rect x='20' width='20' "
                                       "height='20'/><text>{{note}}</text></g>");
    expect_same(template, "", SVG("<rect width='9' height='9'/>"), "");
    expect_same(template, "a", SVG("<rect width='9' height='9'/><rect x='20' width='20' height='20'/><text>a</text>"),
                "");
    expect_same(SVG("<rect width='9' height='9'/><text data-if='note' data-width='50'>always</text>"), "",
                SVG("<rect width='9' height='9'/>"), "");
}

static void what_is_left_out_is_not_looked_at(void **state)
{
    (void)state;
    expect_same(SVG("<rect width='9' height='9'/><g data-if='note'><text>{{colour}}</text></g>"), "",
                SVG("<rect width='9' height='9'/>"), "");
}

/* ---- nothing outside ---- */

static void no_file_is_read(void **state)
{
    (void)state;
    char path[4096], template[9000];
    const char *source = getenv("FAXD_SRC");
    static const char *const references[] = {
        "<image width='90' height='50' href='file://%s'/>",
        "<image width='90' height='50' xlink:href='file://%s'/>",
        "<image width='90' height='50' href='%s'/>",
        "<use href='file://%s#a'/>",
        "<text x='2' y='20'><xi:include href='%s' parse='text'/></text>",
        "<xi:include href='file://%s'/>",
        "<style>@import url('%s'); *{}</style>",
        "<defs><filter id='f'><feImage href='%s'/></filter></defs><g filter='url(#f)'><path d=''/></g>",
    };
    assert_non_null(realpath(source != NULL ? source : ".", path));
    strcat(path, "/tests/data/documents/palette.png");
    assert_int_equal(access(path, R_OK), 0);
    for (size_t i = 0; i < COUNT_OF(references); i++) {
        char inside[5000];
        snprintf(inside, sizeof inside, references[i], path);
        snprintf(template, sizeof template, SVG("<rect y='55' width='9' height='5'/>%s"), inside);
        expect_same(template, "", SVG("<rect y='55' width='9' height='5'/>"), "");
    }
}

static void nobody_is_called(void **state)
{
    (void)state;
    char template[2000];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    int port = ntohs(address.sin_port);
    snprintf(template, sizeof template,
             "<?xml-stylesheet href='http://127.0.0.1:%d/a.css'?>" SVG(
                 "<rect y='55' width='9' height='5'/><image width='90' height='50' href='http://127.0.0.1:%d/b.png'/>"
                 "<use href='http://127.0.0.1:%d/c.svg#a'/><xi:include href='http://127.0.0.1:%d/d'/>"),
             port, port, port, port);
    expect_same(template, "", SVG("<rect y='55' width='9' height='5'/>"), "");
    assert_int_equal(accept(listener, NULL, NULL), -1);
    assert_int_equal(errno, EAGAIN);
    close(listener);
}

static void a_document_type_is_refused(void **state)
{
    (void)state;
    static const char *const types[] = {
        "<!DOCTYPE svg>",
        "<!DOCTYPE svg SYSTEM 'file:///etc/passwd'>",
        "<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'http://127.0.0.1:1/svg11.dtd'>",
        "<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>",
        "<!DOCTYPE svg [<!ENTITY x 'y'>]>",
    };
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        char template[1000];
        snprintf(template, sizeof template, "%s" SVG("<text>%s</text>"), types[i], i >= 3 ? "&x;" : "");
        expect_refused(template, "", "the cover page has a document type");
    }
}

static void entities_do_not_grow(void **state)
{
    (void)state;
    expect_refused("<!DOCTYPE svg [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c "
                   "'&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY x '&c;&c;&c;&c;&c;&c;&c;&c;'>]>" SVG("<text>&x;</text>"),
                   "", "the cover page");
}

/* ---- damaged templates ---- */

static void a_template_that_is_none_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *template, *message;
    } table[] = {
        {"", "not well-formed"},
        {"hello", "not well-formed"},
        {"<svg", "not well-formed"},
        {"<svg xmlns='http://www.w3.org/2000/svg'><g></svg>", "not well-formed"},
        {"<svg xmlns='http://www.w3.org/2000/svg'>&nbsp;</svg>", "not well-formed"},
        {"<html/>", "no SVG drawing but <html>"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++)
        expect_refused(table[i].template, "", table[i].message);
}

static void a_template_may_be_cut_anywhere(void **state)
{
    (void)state;
    static const char template[] = SVG("<g data-if='note'><text data-width='20'>{{note}}</text></g>");
    for (size_t size = 0; size < sizeof template - 1; size++) {
        int error;
        char *copy = malloc(size > 0 ? size : 1); /* no octet more than there is to read */
        memcpy(copy, template, size);
        assert_null(draw_octets(copy, size, json_pack("{s:s}", "note", "x"), &error));
        assert_int_equal(error, ERR_INVALID);
        free(copy);
    }
}

static char *nested(int depth)
{
    char *template = calloc(1, (size_t)depth * 7 + 200);
    size_t length = (size_t)sprintf(template, "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>");
    for (int i = 0; i < depth; i++)
        length += (size_t)sprintf(template + length, "<g>");
    for (int i = 0; i < depth; i++)
        length += (size_t)sprintf(template + length, "</g>");
    sprintf(template + length, "</svg>");
    return template;
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    static const struct {
        int depth;
        const char *message;
    } table[] = {{90, NULL}, {101, "nested deeper than 100"}, {200, "nested deeper than 100"}, {140000, "well-formed"}};
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char *template = nested(table[i].depth);
        if (table[i].message != NULL)
            expect_refused(template, "", table[i].message);
        else
            raster_free(draw(template, ""));
        free(template);
    }
}

/* ---- those that come with the server ---- */

static json_t *all_fields(const char *value)
{
    static const char *const names[] = {"to_name",      "to_company",  "to_number", "from_name",
                                        "from_company", "from_number", "subject",   "note",
                                        "date",         "time",        "pages",     "reference"};
    json_t *fields = json_object();
    for (size_t i = 0; i < COUNT_OF(names); i++)
        json_object_set_new(fields, names[i], json_string(value));
    return fields;
}

static void shipped_covers_are_a4_pages_with_any_fields(void **state)
{
    (void)state;
    static const char *const names[] = {"plain", "letter", "urgent"};
    static const char *const values[] = {"", "some words",
                                         "Schr\u00f6der & S\u00f6hne GmbH & Co. KG, Abteilung f\u00fcr Einkauf",
                                         "one\ntwo\nthree", "\u4e2d\u6587 \u0645\u0631\u062d\u0628\u0627"};
    const char *source = getenv("FAXD_SRC");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        int last = -1;
        char path[4096], template[8192];
        snprintf(path, sizeof path, "%s/spool/convert/covers/%s.svg", source != NULL ? source : ".", names[i]);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        size_t size = fread(template, 1, sizeof template, file);
        fclose(file);
        assert_true(size < sizeof template);
        for (size_t k = 0; k < COUNT_OF(values); k++) {
            int error;
            struct raster *page = draw_octets(template, size, all_fields(values[k]), &error);
            if (error != 0)
                fail_msg("%s: %s", names[i], err_message());
            assert_int_equal(page->width, 1728);
            assert_int_equal(page->height, 2292);
            assert_true(ink_of(page) > 1000);
            assert_true(k == 0 || ink_of(page) != last);
            last = ink_of(page);
            raster_free(page);
        }
    }
}

/* What a template that is to be stored must not have; without the check it is only not drawn. */
static void expect_looked_at(const char *template, const char *word)
{
    for (int check = 0; check < 2; check++) {
        struct sheet sheet = {.raster = NULL};
        json_t *fields = json_object();
        int error = cover_draw(&sheet, template, strlen(template), fields, &options, check != 0);
        json_decref(fields);
        raster_free(sheet.raster);
        assert_int_equal(error, check ? ERR_INVALID : 0);
        if (check && !strstr(err_message(), word))
            fail_msg("\"%s\" is not in: %s", word, err_message());
    }
}

static void a_new_template_is_looked_at_closely(void **state)
{
    (void)state;
    expect_looked_at(SVG("<script>x()</script>"), "<script>");
    expect_looked_at(SVG("<g><rect onLoad='x()' width='1' height='1'/></g>"), "onLoad");
    expect_looked_at(SVG("<image href=' HTTP://example.org/a.png' width='1' height='1'/>"), "example.org");
    expect_looked_at(SVG("<image xlink:href='data:image/pngx,a' width='1' height='1'/>"), "pngx");
    expect_looked_at(SVG("<rect fill='URL( a.svg#b )' width='1' height='1'/>"), "a.svg");
    expect_looked_at(SVG("<rect style='fill: u\\72l(a)' width='1' height='1'/>"), "backslash");
    expect_looked_at(SVG("<style>@IMPORT 'a.css';</style>"), "@import");
    expect_looked_at(SVG("<style><![CDATA[a { fill: url(#b) url(\"c\") }]]></style>"), "url(c");
    expect_looked_at("<?xml-stylesheet href='a.css'?>" SVG(""), "xml-stylesheet");
    expect_looked_at("<?xml version='1.0' encoding='ISO-8859-1'?>" SVG(""), "UTF-8");
}

static void what_leads_into_the_drawing_itself_is_fine(void **state)
{
    static const char template[] =
        SVG("<defs><g id='a'/></defs><use href='#a'/><use xlink:href=' #a'/>"
            "<style>a { fill: url( '#b' ) }</style><image href='data:image/png;base64,AA=='"
            " width='1' height='1'/><rect fill='url(#b)' width='1' height='1'/><!-- url(x) -->");
    struct sheet sheet = {.raster = NULL};
    json_t *fields = json_object();
    (void)state;
    assert_int_equal(cover_draw(&sheet, template, strlen(template), fields, &options, true), 0);
    json_decref(fields);
    raster_free(sheet.raster);
}

int main(void)
{
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_value_is_text_and_never_markup),
        cmocka_unit_test(so_it_is_in_a_box),
        cmocka_unit_test(what_xml_cannot_hold_becomes_a_space),
        cmocka_unit_test(a_value_is_not_looked_at_for_fields),
        cmocka_unit_test(fields_stand_in_text_only),
        cmocka_unit_test(a_field_that_is_not_known_is_named),
        cmocka_unit_test(a_text_that_does_not_fit_is_named),
        cmocka_unit_test(a_line_stays_in_its_width),
        cmocka_unit_test(sizes_that_are_none_are_refused),
        cmocka_unit_test(an_absurd_view_box_does_no_harm),
        cmocka_unit_test(there_are_so_many_boxes_and_no_more),
        cmocka_unit_test(what_depends_on_an_empty_field_is_left_out),
        cmocka_unit_test(what_is_left_out_is_not_looked_at),
        cmocka_unit_test(no_file_is_read),
        cmocka_unit_test(nobody_is_called),
        cmocka_unit_test(a_document_type_is_refused),
        cmocka_unit_test(entities_do_not_grow),
        cmocka_unit_test(a_template_that_is_none_is_refused),
        cmocka_unit_test(a_template_may_be_cut_anywhere),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(shipped_covers_are_a4_pages_with_any_fields),
        cmocka_unit_test(a_new_template_is_looked_at_closely),
        cmocka_unit_test(what_leads_into_the_drawing_itself_is_fine),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
