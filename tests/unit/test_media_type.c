/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about what a document is taken for by its octets. */
#include "config.h"

#include "tests/lib/facts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/media_type.h"

#define OCTETS(text) text, sizeof(text) - 1

struct given {
    const char *octets;
    size_t size;
    enum media_type wanted;
};

static void expect(const struct given *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum media_type got = media_type_of(table[i].octets, table[i].size);
        if (got != table[i].wanted)
            fail_msg("row %zu is %s, not %s", i, media_type_name(got), media_type_name(table[i].wanted));
    }
}

static void first_octets_tell_the_type(void **state)
{
    (void)state;
    static const struct given table[] = {
        {OCTETS("II*\0\x08\0\0\0"), MEDIA_TIFF},
        {OCTETS("MM\0*\0\0\0\x08"), MEDIA_TIFF},
        {OCTETS("II+\0\x08\0\0\0"), MEDIA_TIFF}, /* BigTIFF */
        {OCTETS("MM\0+\0\x08\0\0"), MEDIA_TIFF},
        {OCTETS("\xFF\xD8\xFF\xE0"), MEDIA_JPEG},
        {OCTETS("\x89PNG\r\n\x1A\n"), MEDIA_PNG},
        {OCTETS("GIF87a"), MEDIA_GIF},
        {OCTETS("GIF89a"), MEDIA_GIF},
        {OCTETS("RIFF\x10\0\0\0WEBPVP8 "), MEDIA_WEBP},
        {OCTETS("BM\x10\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"), MEDIA_BMP},
        {OCTETS("\0\0\0\x18"
                "ftypheic\0\0\0\0mif1heic"),
         MEDIA_HEIC},
        {OCTETS("\0\0\0\x18"
                "ftypxxxx\0\0\0\0yyyymif1"),
         MEDIA_HEIC}, /* by a compatible brand */
        {OCTETS("%PDF-1.7\n"), MEDIA_PDF},
        {OCTETS("%!PS-Adobe-3.0\n"), MEDIA_POSTSCRIPT},
        {OCTETS("\004%!PS-Adobe-3.0\n"), MEDIA_POSTSCRIPT},
        {OCTETS("\xC5\xD0\xD3\xC6\x20\0\0\0"), MEDIA_POSTSCRIPT}, /* EPS with a preview */
        {OCTETS("\033%-12345X@PJL ENTER LANGUAGE=POSTSCRIPT\n%!PS\n"), MEDIA_POSTSCRIPT},
        {OCTETS("\033%-12345X@PJL ENTER LANGUAGE=PDF\n%PDF-1.4\n"), MEDIA_PDF},
        {OCTETS("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), MEDIA_OFFICE},
        {OCTETS("{\\rtf1\\ansi"), MEDIA_OFFICE},
        {OCTETS("PK\003\004....mimetypeapplication/vnd.oasis.opendocument.text"), MEDIA_OFFICE},
        {OCTETS("PK\003\004....[Content_Types].xml"), MEDIA_OFFICE},
        {OCTETS("<svg xmlns=\"http://www.w3.org/2000/svg\"/>"), MEDIA_SVG},
        {OCTETS("\xEF\xBB\xBF \r\n<?xml version=\"1.0\"?><!-- a drawing --><svg/>"), MEDIA_SVG},
    };
    expect(table, COUNT_OF(table));
}

static void what_only_looks_like_a_type_is_not_it(void **state)
{
    (void)state;
    static const struct given table[] = {
        {OCTETS("BMW is a firm that makes cars"), MEDIA_TEXT},
        {OCTETS("RIFF\x10\0\0\0WAVEfmt "), MEDIA_UNKNOWN},
        {OCTETS("PK\003\004....any other archive"), MEDIA_UNKNOWN},
        {OCTETS("\0\0\0\x18"
                "ftypisom\0\0\0\0mp41avc1"),
         MEDIA_UNKNOWN},
        {OCTETS("\0\0\0\x18"
                "ftypxxxxheicyyyyzzzz"),
         MEDIA_UNKNOWN}, /* a version, no brand */
        {OCTETS("<html><body>not drawn</body></html>"), MEDIA_TEXT},
        {OCTETS("the element <svg> in a text"), MEDIA_TEXT},
        {OCTETS("II*"), MEDIA_TEXT},
        {OCTETS(""), MEDIA_UNKNOWN},
    };
    expect(table, COUNT_OF(table));
}

static void text_has_hardly_any_control_characters(void **state)
{
    (void)state;
    static const struct given table[] = {
        {OCTETS("Dear Sir,\r\n\tyours.\f"), MEDIA_TEXT},
        {OCTETS("Gr\xC3\xBC\xC3\x9F"
                "e"),
         MEDIA_TEXT},
        {OCTETS("viele Gr\xFC\xDF"
                "e aus K\xF6ln, auch an Herrn Dr. Meier"),
         MEDIA_TEXT}, /* ISO 8859-1 */
        {OCTETS("\xFF\xFE"
                "A\0B\0"),
         MEDIA_TEXT},
        {OCTETS("\xFE\xFF\0A\0B"), MEDIA_TEXT},
        {OCTETS("A\0B\0"), MEDIA_UNKNOWN},
        {OCTETS("bell \a"), MEDIA_UNKNOWN},
        {OCTETS("\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8A\x8B"), MEDIA_UNKNOWN},
        {OCTETS("cut in a letter \xE2\x82"), MEDIA_TEXT},
    };
    expect(table, COUNT_OF(table));
}

static void a_pdf_may_begin_a_little_late(void **state)
{
    (void)state;
    char octets[2048];
    memset(octets, 1, sizeof octets);
    memcpy(octets + 1019, "%PDF-", 5);
    assert_int_equal(media_type_of(octets, sizeof octets), MEDIA_PDF);
    memset(octets, 1, sizeof octets);
    memcpy(octets + 1020, "%PDF-", 5);
    assert_int_equal(media_type_of(octets, sizeof octets), MEDIA_UNKNOWN);
}

static void the_sample_documents_are_known(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum media_type wanted;
    } table[] = {
        {"photo.jpg", MEDIA_JPEG},        {"alpha.png", MEDIA_PNG},         {"animated.gif", MEDIA_GIF},
        {"photo.bmp", MEDIA_BMP},         {"photo.webp", MEDIA_WEBP},       {"photo.heic", MEDIA_HEIC},
        {"photo.svg", MEDIA_SVG},         {"tiled.tif", MEDIA_TIFF},        {"letter.ps", MEDIA_POSTSCRIPT},
        {"letter.eps", MEDIA_POSTSCRIPT}, {"letter.odt", MEDIA_OFFICE},     {"letter.docx", MEDIA_OFFICE},
        {"letter.rtf", MEDIA_OFFICE},     {"old.doc", MEDIA_OFFICE},        {"table.xlsx", MEDIA_OFFICE},
        {"slides.odp", MEDIA_OFFICE},     {"latin.txt", MEDIA_TEXT},        {"latin1.txt", MEDIA_TEXT},
        {"utf16le.txt", MEDIA_TEXT},      {"multi-script.txt", MEDIA_TEXT}, {"truncated.pdf", MEDIA_PDF},
        {"encrypted.pdf", MEDIA_PDF},
    };
    static char head[MEDIA_TYPE_HEAD];
    const char *source = getenv("FAXD_SRC");
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/tests/data/documents/%s", source != NULL ? source : ".", table[i].name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t size = read(fd, head, sizeof head);
        close(fd);
        assert_true(size > 0);
        if (media_type_of(head, (size_t)size) != table[i].wanted)
            fail_msg("%s is %s", table[i].name, media_type_name(media_type_of(head, (size_t)size)));
    }
}

static void every_type_has_a_name(void **state)
{
    (void)state;
    for (int type = MEDIA_UNKNOWN; type <= MEDIA_OFFICE; type++)
        assert_true(strlen(media_type_name((enum media_type)type)) > 0);
    assert_string_equal(media_type_name(MEDIA_UNKNOWN), "unknown");
    assert_string_equal(media_type_name(MEDIA_OFFICE), "office");
}

int main(void)
{
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test(first_octets_tell_the_type),
        cmocka_unit_test(what_only_looks_like_a_type_is_not_it),
        cmocka_unit_test(text_has_hardly_any_control_characters),
        cmocka_unit_test(a_pdf_may_begin_a_little_late),
        cmocka_unit_test(the_sample_documents_are_known),
        cmocka_unit_test(every_type_has_a_name),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
