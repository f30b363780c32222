/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TIFF files on descriptors, and the four libtiff functions that this program defines for spandsp: TIFFOpen,
 * TIFFSetDirectory, TIFFWriteEncodedStrip and TIFFWriteDirectory. libtiff's own are found with dlsym before the sandbox
 * closes. */
#include "config.h"

#include "plugins/t30/page_file.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tiffio.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/log.h"

#define PAGE_FILE_MAGIC 0x50463031u
#define VISIBLE         __attribute__((visibility("default")))

/* One opening of a file by libtiff: it wants a position of its own, since the descriptor may be shared. */
struct handle {
    struct page_file *file;
    int64_t position;
    bool writing;
};

/* Constants of the process, set once by page_file_setup. */
static int (*real_set_directory)(TIFF *, tdir_t);
static int (*real_write_directory)(TIFF *);
static tmsize_t (*real_write_strip)(TIFF *, uint32_t, void *, tmsize_t);

void page_file_init(struct page_file *file, int fd, int64_t limit)
{
    memset(file, 0, sizeof *file);
    file->magic = PAGE_FILE_MAGIC;
    file->fd = fd;
    file->limit = limit;
}

char *page_file_name(char *name, struct page_file *file)
{
    snprintf(name, PAGE_FILE_NAME_SIZE, "fd:%d:%p", file->fd, (void *)file);
    return name;
}

static struct page_file *find_by_name(const char *name)
{
    struct page_file *file;
    void *pointer;
    int fd;

    if (sscanf(name, "fd:%d:%p", &fd, &pointer) != 2)
        return NULL;
    file = pointer;
    return file && file->magic == PAGE_FILE_MAGIC && file->fd == fd ? file : NULL;
}

/* Held-back octets are part of what libtiff may read again. */
static void overlay_patches(const struct page_file *file, uint8_t *octets, int64_t offset, int64_t count)
{
    int i;
    size_t n;

    for (i = 0; i < file->patch_count; i++)
        for (n = 0; n < file->patches[i].size; n++) {
            int64_t at = file->patches[i].offset + (int64_t)n - offset;

            if (at >= 0 && at < count)
                octets[at] = file->patches[i].octets[n];
        }
}

static tmsize_t handle_read(thandle_t opaque, void *data, tmsize_t size)
{
    struct handle *handle = opaque;
    ssize_t got;

    do
        got = pread(handle->file->fd, data, (size_t)size, handle->position);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return got;
    overlay_patches(handle->file, data, handle->position, got);
    handle->position += got;
    return got;
}

static int fail(struct page_file *file, int error)
{
    if (!file->error)
        file->error = error;
    return -1;
}

static int write_all(struct page_file *file, const uint8_t *data, size_t size, int64_t offset)
{
    ssize_t put;

    if (offset + (int64_t)size > file->limit)
        return fail(file, EFBIG);
    while (size > 0) {
        put = pwrite(file->fd, data, size, offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return fail(file, put < 0 ? errno : EIO);
        data += put;
        size -= (size_t)put;
        offset += put;
    }
    return 0;
}

/* A change in front of what is committed: a link from the last directory to the next, or the header's to the first. A
 * second change of the same octets replaces the first. */
static int hold_back(struct page_file *file, const void *data, size_t size, int64_t offset)
{
    struct page_file_patch *patch = NULL;
    int i;

    for (i = 0; i < file->patch_count; i++)
        if (file->patches[i].offset == offset && file->patches[i].size == size)
            patch = &file->patches[i];
    if (!patch && (file->patch_count == PAGE_FILE_PATCHES_MAX || size > sizeof patch->octets))
        return fail(file, EIO);
    if (!patch)
        patch = &file->patches[file->patch_count++];
    patch->offset = offset;
    patch->size = size;
    memcpy(patch->octets, data, size);
    return 0;
}

static tmsize_t handle_write(thandle_t opaque, void *data, tmsize_t size)
{
    struct handle *handle = opaque;
    struct page_file *file = handle->file;
    int rc = 0;

    if (!handle->writing)
        return -1;
    if (!file->sealed) {
        if (handle->position < file->committed)
            rc = hold_back(file, data, (size_t)size, handle->position);
        else
            rc = write_all(file, data, (size_t)size, handle->position);
    }
    if (rc != 0)
        return -1;
    handle->position += size;
    if (!file->sealed && handle->position > file->size)
        file->size = handle->position;
    return size;
}

static toff_t handle_seek(thandle_t opaque, toff_t offset, int whence)
{
    struct handle *handle = opaque;
    struct stat status;

    if (whence == SEEK_SET)
        handle->position = (int64_t)offset;
    else if (whence == SEEK_CUR)
        handle->position += (int64_t)offset;
    else if (handle->writing)
        handle->position = handle->file->size + (int64_t)offset;
    else if (fstat(handle->file->fd, &status) == 0)
        handle->position = status.st_size + (int64_t)offset;
    else
        return (toff_t)-1;
    return (toff_t)handle->position;
}

static toff_t handle_size(thandle_t opaque)
{
    struct handle *handle = opaque;
    struct stat status;

    if (handle->writing)
        return (toff_t)handle->file->size;
    return fstat(handle->file->fd, &status) == 0 ? (toff_t)status.st_size : 0;
}

static int handle_close(thandle_t opaque)
{
    free(opaque);
    return 0;
}

/* No mapping: a file that shrinks under a mapping kills its reader. */
static int handle_map(thandle_t opaque, void **base, toff_t *size)
{
    (void)opaque;
    (void)base;
    (void)size;
    return 0;
}

static void handle_unmap(thandle_t opaque, void *base, toff_t size)
{
    (void)opaque;
    (void)base;
    (void)size;
}

static bool is_receiving(TIFF *tiff)
{
    struct handle *handle = TIFFClientdata(tiff);

    return TIFFGetCloseProc(tiff) == handle_close && handle->writing;
}

/* spandsp opens its output anew after it refused the last page of a document and gets it again: what is there stays,
 * and the page is added ("a"), or the pages before it would be lost. */
static TIFF *open_to_receive(struct handle *handle, const char *name)
{
    struct page_file *file = handle->file;
    TIFF *tiff;

    handle->writing = true;
    file->sealed = 0;
    file->size = file->committed;
    file->patch_count = 0;
    if (file->committed == 0 && ftruncate(file->fd, 0) != 0)
        fail(file, errno);
    tiff = TIFFClientOpen(name, file->committed > 0 ? "a" : "w", handle, handle_read, handle_write, handle_seek,
                          handle_close, handle_size, handle_map, handle_unmap);
    file->committed = file->size; /* the header alone is a file of no pages */
    return tiff;
}

VISIBLE TIFF *TIFFOpen(const char *name, const char *mode)
{
    struct page_file *file = find_by_name(name);
    struct handle *handle;
    TIFF *tiff;

    if (!file)
        return NULL;
    handle = xcalloc(1, sizeof *handle);
    handle->file = file;
    if (mode[0] == 'r')
        tiff = TIFFClientOpen(name, "rm", handle, handle_read, handle_write, handle_seek, handle_close, handle_size,
                              handle_map, handle_unmap);
    else
        tiff = open_to_receive(handle, name);
    if (!tiff)
        free(handle);
    return tiff;
}

/* In a document to send, spandsp asks for one page after the other, and for each of them twice; libtiff would walk
 * there from the first page each time, which makes long documents cost the square of their length. */
static int turn_page(TIFF *tiff, tdir_t number)
{
    tdir_t current = (tdir_t)TIFFCurrentDirectory(tiff);

    if (number == current)
        return 1;
    if (number != current + 1)
        return real_set_directory(tiff, number);
    return TIFFLastDirectory(tiff) ? 0 : TIFFReadDirectory(tiff);
}

/* In a file that it writes, spandsp goes back to a directory for one purpose: to correct page totals at the end. */
VISIBLE int TIFFSetDirectory(TIFF *tiff, tdir_t number)
{
    if (TIFFGetCloseProc(tiff) != handle_close)
        return real_set_directory(tiff, number);
    if (!is_receiving(tiff))
        return turn_page(tiff, number);
    ((struct handle *)TIFFClientdata(tiff))->file->sealed = 1;
    return 1;
}

/* spandsp looks at neither of these results, and would confirm a page that memory or libtiff had no room for. */
VISIBLE tmsize_t TIFFWriteEncodedStrip(TIFF *tiff, uint32_t strip, void *data, tmsize_t size)
{
    tmsize_t written = real_write_strip(tiff, strip, data, size);

    if (written < 0 && is_receiving(tiff))
        fail(((struct handle *)TIFFClientdata(tiff))->file, EIO);
    return written;
}

VISIBLE int TIFFWriteDirectory(TIFF *tiff)
{
    struct page_file *file = is_receiving(tiff) ? ((struct handle *)TIFFClientdata(tiff))->file : NULL;
    int done;

    if (file && file->sealed)
        return 1;
    done = real_write_directory(tiff);
    if (!done && file)
        fail(file, EIO);
    return done;
}

/* Everything of the page is in the file but for the links to it; these go last, so that whoever reads the file between
 * two writes finds the page whole or not at all. */
int page_file_commit(struct page_file *file, int64_t *size)
{
    int i;

    for (i = 0; i < file->patch_count && !file->error; i++)
        write_all(file, file->patches[i].octets, file->patches[i].size, file->patches[i].offset);
    if (!file->error && fdatasync(file->fd) != 0)
        file->error = errno;
    if (file->error)
        return err_set(file->error == ENOSPC || file->error == EDQUOT || file->error == EFBIG ? ERR_FULL : ERR_IO,
                       "cannot write a received page: %s", strerror(file->error));
    file->patch_count = 0;
    file->committed = file->size;
    *size = file->size;
    return 0;
}

void page_file_setup(void)
{
    TIFFSetErrorHandler(NULL);
    TIFFSetWarningHandler(NULL);
    real_set_directory = (int (*)(TIFF *, tdir_t))dlsym(RTLD_NEXT, "TIFFSetDirectory");
    real_write_directory = (int (*)(TIFF *))dlsym(RTLD_NEXT, "TIFFWriteDirectory");
    real_write_strip = (tmsize_t(*)(TIFF *, uint32_t, void *, tmsize_t))dlsym(RTLD_NEXT, "TIFFWriteEncodedStrip");
    if (!real_set_directory || !real_write_directory || !real_write_strip) {
        log_error("libtiff is not what it should be: a function is missing");
        exit(EXIT_FAILURE);
    }
}
