/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TIFF files of a call: documents to send and the one that received pages go to, on descriptors.
 *
 * spandsp opens its files by name. The program defines TIFFOpen itself (the executable's definition wins), so that a
 * name made by page_file_name() is served from a descriptor that was there before the sandbox closed; all other names
 * fail.
 *
 * A file being received is a whole TIFF of n pages at every moment, whatever kills the process. libtiff links a new
 * directory before it writes it, and spandsp rewrites every directory at the end of a document to correct the page
 * count. So what libtiff appends goes straight to the file, where nothing refers to it yet; the few octets that it
 * changes in front of the last page are held back until page_file_commit(); and what is changed after the last page is
 * dropped, since a wrong page count can be repaired, and a torn directory cannot.
 *
 * Thread: one (a part of the session).
 */
#ifndef FAXD_T30_PAGE_FILE_H
#define FAXD_T30_PAGE_FILE_H

#include <stddef.h>
#include <stdint.h>

#define PAGE_FILE_NAME_SIZE   48
#define PAGE_FILE_PATCHES_MAX 8

struct page_file_patch {
    int64_t offset;
    size_t size;
    uint8_t octets[16];
};

struct page_file {
    uint32_t magic;
    int fd;
    int error;         /* errno of the first write that failed, 0 = none */
    int sealed;        /* no more pages: what is written from now on is dropped */
    int64_t committed; /* octets that belong to whole pages */
    int64_t size;      /* octets written */
    int64_t limit;     /* octets that the file may have */
    int patch_count;
    struct page_file_patch patches[PAGE_FILE_PATCHES_MAX];
};

/* Use descriptor `fd`, which stays the caller's, for a file to send or (empty) to receive into; a received file may
 * grow to `limit` octets. The struct must not move while a name made from it is in use. */
void page_file_init(struct page_file *file, int fd, int64_t limit);

/* The name under which spandsp can open the file; `name` has PAGE_FILE_NAME_SIZE octets. Returns `name`. */
char *page_file_name(char *name, struct page_file *file);

/* A page is complete: make it part of the file and sync it. Its size in octets goes to `*size`. 0; ERR_FULL when there
 * is no room on the disk or under the limit; ERR_IO. After an error the file is still whole with the pages before. */
int page_file_commit(struct page_file *file, int64_t *size);

/* Silence libtiff, which else writes to standard error whatever a stranger makes it complain about. Once a process. */
void page_file_setup(void);

#endif
