/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first look at an upload: web/ asks it at the door, the converter to choose its reader.
 */
#include "config.h"

#include "server/base/media_type.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "server/base/utf8.h"

#define PDF_HEAD    1024 /* readers accept %PDF- so far from the start (PDF 1.7, implementation note 13) */
#define SVG_HEAD    4096
#define TEXT_HEAD   MEDIA_TYPE_HEAD
#define PJL_PREFIX  "\033%-12345X"
#define FTYP_BRANDS 16

struct head {
    const unsigned char *data;
    size_t size;
};

static bool begins(struct head head, const char *with, size_t size)
{
    return head.size >= size && memcmp(head.data, with, size) == 0;
}

#define BEGINS(head, text) begins(head, text, sizeof(text) - 1)

static bool holds(struct head head, const char *text, size_t within)
{
    return memmem(head.data, head.size < within ? head.size : within, text, strlen(text)) != NULL;
}

static bool is_tiff(struct head head)
{
    return BEGINS(head, "II*\0") || BEGINS(head, "MM\0*") || BEGINS(head, "II+\0") || BEGINS(head, "MM\0+");
}

/* "BM" begins many a text; the size of the next header makes it a bitmap. */
static bool is_bmp(struct head head)
{
    static const unsigned char sizes[] = {12, 40, 52, 56, 64, 108, 124};
    return BEGINS(head, "BM") && head.size >= 18 && memchr(sizes, head.data[14], sizeof sizes) != NULL &&
           head.data[15] == 0 && head.data[16] == 0 && head.data[17] == 0;
}

/* ISO/IEC 14496-12: a box "ftyp" with a major brand, a version, and brands. */
static bool is_heic(struct head head)
{
    static const char *const brands[] = {"heic", "heix", "hevc", "heim", "heis", "mif1", "msf1", "avif"};
    if (head.size < 16 || memcmp(head.data + 4, "ftyp", 4) != 0)
        return false;
    for (size_t at = 8; at + 4 <= head.size && at < 8 + 4 * FTYP_BRANDS; at += 4) {
        for (size_t i = 0; at != 12 && i < sizeof brands / sizeof *brands; i++) {
            if (memcmp(head.data + at, brands[i], 4) == 0)
                return true;
        }
    }
    return false;
}

/* Printers' job language may stand before it, and DOS editors leave a Ctrl-D. */
static bool is_postscript(struct head head)
{
    if (BEGINS(head, PJL_PREFIX))
        return holds(head, "%!PS", SVG_HEAD);
    return BEGINS(head, "%!") || BEGINS(head, "\004%!") || BEGINS(head, "\xC5\xD0\xD3\xC6");
}

/* A zip file whose first entries are those of an office document: OpenDocument begins with the entry "mimetype",
 * stored as it is (ODF 1.2 part 3, 3.3); Office Open XML names its parts by folders. */
static bool is_office(struct head head)
{
    if (BEGINS(head, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") || BEGINS(head, "{\\rtf"))
        return true;
    if (!BEGINS(head, "PK\003\004"))
        return false;
    return holds(head, "mimetypeapplication/vnd.oasis.opendocument.", 256) ||
           holds(head, "[Content_Types].xml", TEXT_HEAD) || holds(head, "_rels/.rels", TEXT_HEAD);
}

static bool is_svg(struct head head)
{
    size_t at = BEGINS(head, "\xEF\xBB\xBF") ? 3 : 0;
    while (at < head.size && (head.data[at] == ' ' || (head.data[at] >= '\t' && head.data[at] <= '\r')))
        at++;
    return at < head.size && head.data[at] == '<' && holds(head, "<svg", SVG_HEAD);
}

static bool is_control(unsigned char octet)
{
    return octet == 0x7F || (octet < 0x20 && strchr("\b\t\n\f\r\033", octet) == NULL) || octet == 0;
}

static bool is_text(struct head head)
{
    size_t foreign = 0, size = head.size < TEXT_HEAD ? head.size : TEXT_HEAD;
    if (BEGINS(head, "\xFF\xFE") || BEGINS(head, "\xFE\xFF"))
        return true;
    for (size_t at = 0; at < size;) {
        uint32_t point;
        size_t length = utf8_next(&point, (const char *)head.data + at, size - at);
        if (is_control(head.data[at]))
            return false;
        foreign += length == 0 && size - at > 3;
        at += length == 0 ? 1 : length;
    }
    return foreign <= size / 4; /* an 8-bit code: umlauts among letters */
}

enum media_type media_type_of(const void *data, size_t size)
{
    struct head head = {data, size};
    if (size == 0)
        return MEDIA_UNKNOWN;
    if (is_tiff(head))
        return MEDIA_TIFF;
    if (BEGINS(head, "\xFF\xD8\xFF"))
        return MEDIA_JPEG;
    if (BEGINS(head, "\x89PNG\r\n\x1A\n"))
        return MEDIA_PNG;
    if (BEGINS(head, "GIF87a") || BEGINS(head, "GIF89a"))
        return MEDIA_GIF;
    if (BEGINS(head, "RIFF") && size >= 12 && memcmp(head.data + 8, "WEBP", 4) == 0)
        return MEDIA_WEBP;
    if (is_bmp(head))
        return MEDIA_BMP;
    if (is_heic(head))
        return MEDIA_HEIC;
    if (is_postscript(head))
        return MEDIA_POSTSCRIPT;
    if (holds(head, "%PDF-", PDF_HEAD))
        return MEDIA_PDF;
    if (is_office(head))
        return MEDIA_OFFICE;
    if (is_svg(head))
        return MEDIA_SVG;
    return is_text(head) ? MEDIA_TEXT : MEDIA_UNKNOWN;
}

const char *media_type_name(enum media_type type)
{
    static const char *const names[] = {
        [MEDIA_UNKNOWN] = "unknown", [MEDIA_TIFF] = "tiff", [MEDIA_PDF] = "pdf", [MEDIA_TEXT] = "text",
        [MEDIA_JPEG] = "jpeg",       [MEDIA_PNG] = "png",   [MEDIA_GIF] = "gif", [MEDIA_BMP] = "bmp",
        [MEDIA_WEBP] = "webp",       [MEDIA_HEIC] = "heic", [MEDIA_SVG] = "svg", [MEDIA_POSTSCRIPT] = "postscript",
        [MEDIA_OFFICE] = "office",
    };
    return names[type];
}
