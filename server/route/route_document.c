/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The document of a delivery: plain content in a descriptor, and as a file where a program needs a path. Under
 * encryption both are in memory. No page is decoded in this process. */
#include <config.h> /* in quotes it would be server/config.h; memfd_create */

#include "server/route/route_private.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/converter.h"
#include "spool/document.h"
#include "spool/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER       "%s/.route"
#define FOLDERS_OPEN 16

/* --- the format that is wanted --- */

static void on_made(void *context, int error, json_t *result)
{
    struct route_work *work = context;
    const char *message = json_string_value(json_object_get(result, "message"));

    work->conversion = NULL;
    if (error != 0)
        route_end(work, ROUTE_TOLD_AGAIN, "the converter does not work: %s", err_message());
    else if (json_object_get(result, "error") != NULL)
        route_end(work, ROUTE_TOLD_AGAIN, "no PDF could be made: %.200s", message != NULL ? message : "");
    else
        work->ready(work);
}

static int make_pdf(struct route_work *work, int input)
{
    json_t *job = json_pack("{s:s}", "op", "pdf");
    int error = 0;

    work->document = memfd_create("delivery", MFD_CLOEXEC);
    if (work->document < 0)
        error = err_set(ERR_IO, "no memory for a document: %s", strerror(errno));
    if (error == 0)
        error = converter_run(&work->conversion, work->routes->options.converter, job, &input, 1, work->document,
                              on_made, work);
    json_decref(job);
    return error;
}

void route_document(struct route_work *work, void (*ready)(struct route_work *work))
{
    int input = *work->fax.document != '\0' ? document_open(work->routes->options.spool, work->fax.document)
                                            : err_set(ERR_NOT_FOUND, "the documents of this fax were deleted");
    int error;

    work->ready = ready;
    if (input < 0) {
        route_end(work, input == ERR_NOT_FOUND ? ROUTE_TOLD_GIVEN_UP : ROUTE_TOLD_AGAIN, "%s", err_message());
        return;
    }
    if (!route_is_pdf(work)) {
        work->document = input;
        ready(work);
        return;
    }
    error = make_pdf(work, input);
    close(input);
    if (error != 0)
        route_end(work, ROUTE_TOLD_AGAIN, "%s", err_message());
}

/* --- as a file --- */

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    if (remove(path) != 0 && errno != ENOENT)
        log_warning("cannot remove %s: %s", path, strerror(errno));
    return 0;
}

/* With what a program made in it; links are not followed. */
static void remove_folder(const char *path)
{
    if (nftw(path, remove_one, FOLDERS_OPEN, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        log_warning("cannot remove %s: %s", path, strerror(errno));
}

static void remove_leftovers(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char *path = xasprintf("%s/%s", folder, entry->d_name);

        if (strncmp(entry->d_name, "rtd_", 4) == 0)
            remove_folder(path);
        free(path);
    }
    if (dir != NULL)
        closedir(dir);
}

int route_file_start(struct routes *routes)
{
    const struct spool *spool = routes->options.spool;

    routes->folder = xasprintf(FOLDER, spool_call_dir(spool, 0));
    mkdir(spool_call_dir(spool, 0), 0700); /* hosts make it as well */
    if (mkdir(routes->folder, 0700) != 0 && errno != EEXIST)
        return err_set(ERR_IO, "cannot make %s: %s", routes->folder, strerror(errno));
    for (int i = 0; i < 2; i++) { /* encryption may have been switched on or off since */
        char *folder = spool_call_dir(spool, i) != NULL ? xasprintf(FOLDER, spool_call_dir(spool, i)) : NULL;

        if (folder != NULL)
            remove_leftovers(folder);
        free(folder);
    }
    return 0;
}

static int io_error(const char *doing, const char *path)
{
    return err_set(errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO, "cannot %s %s: %s", doing, path,
                   strerror(errno));
}

static int copy(int to, int from, const char *path)
{
    char buffer[65536];
    ssize_t got, written = 0;

    for (off_t at = 0; (got = pread(from, buffer, sizeof buffer, at)) > 0; at += written)
        if ((written = write(to, buffer, (size_t)got)) < 0)
            return io_error("write", path);
    return got < 0 ? io_error("read the document for", path) : 0;
}

int route_file(struct route_work *work)
{
    int fd, error;

    work->folder = xasprintf("%s/%s", work->routes->folder, work->delivery.public_id);
    work->file = xasprintf("%s/%s.%s", work->folder, work->fax.public_id, route_is_pdf(work) ? "pdf" : "tif");
    if (mkdir(work->folder, 0700) != 0 && errno != EEXIST)
        return io_error("make", work->folder);
    fd = open(work->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return io_error("make", work->file);
    error = copy(fd, work->document, work->file);
    close(fd);
    return error;
}

void route_file_drop(struct route_work *work)
{
    if (work->folder != NULL)
        remove_folder(work->folder);
    free(work->folder);
    free(work->file);
    work->folder = work->file = NULL;
}
