/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which reader a document gets. prepare.c calls it; the source_*.c are the readers.
 */
#include "config.h" /* pread */

#include "spool/convert/source.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/media_type.h"

#define DOCUMENT_BYTES_MAX (256u << 20)

struct source {
    const struct source_type *type;
    void *self;
    int pages;
};

static const struct source_type *type_for(enum media_type type)
{
    switch (type) {
    case MEDIA_TIFF:
        return &source_tiff;
    case MEDIA_PDF:
        return &source_pdf;
    case MEDIA_TEXT:
        return &source_text;
    case MEDIA_SVG:
        return &source_svg;
    case MEDIA_JPEG:
    case MEDIA_PNG:
    case MEDIA_GIF:
    case MEDIA_BMP:
    case MEDIA_WEBP:
    case MEDIA_HEIC:
        return &source_image;
    case MEDIA_POSTSCRIPT: /* made PDF by another program first */
    case MEDIA_OFFICE:
    case MEDIA_UNKNOWN:
        break;
    }
    return NULL;
}

static ssize_t read_head(uint8_t *head, size_t room, int fd)
{
    size_t size = 0;
    ssize_t got;
    while (size < room && (got = pread(fd, head + size, room - size, (off_t)size)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(ERR_IO, "cannot read the document: %s", strerror(errno));
        size += (size_t)got;
    }
    return (ssize_t)size;
}

int source_open(struct source **out, int fd, const struct prepare_options *options)
{
    uint8_t *head = malloc(MEDIA_TYPE_HEAD);
    struct source *source = calloc(1, sizeof *source);
    int error = head == NULL || source == NULL ? err_set(ERR_FULL, "no memory to read the document") : 0;
    ssize_t size = error == 0 ? read_head(head, MEDIA_TYPE_HEAD, fd) : error;
    enum media_type type = size > 0 ? media_type_of(head, (size_t)size) : MEDIA_UNKNOWN;
    free(head);
    if (size < 0)
        error = (int)size;
    else if (size == 0)
        error = err_set(ERR_UNSUPPORTED, "the document is empty");
    else if ((source->type = type_for(type)) == NULL)
        error = err_set(ERR_UNSUPPORTED,
                        type == MEDIA_UNKNOWN ? "the document is of no type that is read here: send it as PDF"
                                              : "the document is of type %s, which has to become PDF first",
                        media_type_name(type));
    else
        error = source->type->open(&source->self, &source->pages, fd, options);
    if (error != 0) {
        free(source);
        return error;
    }
    *out = source;
    return 0;
}

int source_pages(const struct source *source)
{
    return source->pages;
}

int source_next(struct sheet *sheet, struct source *source)
{
    return source->type->next(sheet, source->self);
}

int source_warnings(const struct source *source, const char **first)
{
    *first = "";
    return source->type->warnings != NULL ? source->type->warnings(first, source->self) : 0;
}

void source_close(struct source *source)
{
    if (source == NULL)
        return;
    source->type->close(source->self);
    free(source);
}

int source_read_all(unsigned char **data, size_t *size, int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return err_set(ERR_IO, "cannot read the document: %s", strerror(errno));
    if ((uint64_t)status.st_size > DOCUMENT_BYTES_MAX)
        return err_set(ERR_UNSUPPORTED, "the document has more than %u MB", DOCUMENT_BYTES_MAX >> 20);
    unsigned char *all = malloc((size_t)status.st_size + 1);
    if (all == NULL)
        return err_set(ERR_FULL, "no memory for a document of %lld octets", (long long)status.st_size);
    ssize_t got = read_head(all, (size_t)status.st_size, fd);
    if (got < 0) {
        free(all);
        return (int)got;
    }
    all[got] = '\0';
    *data = all;
    *size = (size_t)got;
    return 0;
}
