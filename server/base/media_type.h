/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a document is, by its octets: names and declared types are not believed.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_BASE_MEDIA_TYPE_H
#define FAXD_BASE_MEDIA_TYPE_H

#include <stddef.h>

#define MEDIA_TYPE_HEAD 65536 /* octets from the start of a document that are worth giving */

enum media_type {
    MEDIA_UNKNOWN,
    MEDIA_TIFF,
    MEDIA_PDF,
    MEDIA_TEXT, /* UTF-8, UTF-16 with a byte order mark, or an 8-bit code with hardly any control characters */
    MEDIA_JPEG,
    MEDIA_PNG,
    MEDIA_GIF,
    MEDIA_BMP,
    MEDIA_WEBP,
    MEDIA_HEIC,
    MEDIA_SVG,
    MEDIA_POSTSCRIPT,
    MEDIA_OFFICE /* OpenDocument, Office Open XML, OLE 2 compound files (.doc, .xls, .ppt), RTF */
};

/* The type of the document that begins with `size` octets at `data`; MEDIA_TYPE_HEAD of them are enough. */
enum media_type media_type_of(const void *data, size_t size);

/* "tiff", "pdf", "text", "jpeg", ..., "postscript", "office"; "unknown". Never NULL. */
const char *media_type_name(enum media_type type);

#endif
