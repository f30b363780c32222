/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The backend faxd of CUPS: a print job becomes a fax. cupsd runs it as backend(7) says: without arguments it names its
 * devices, else with job, user, title, copies, options and perhaps a file. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "contrib/common/account.h"
#include "contrib/cups/job.h"
#include "contrib/cups/words.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "web/cli/client.h"

#define KEY_FILE SYSCONFDIR "/faxd/cups.key"

static void on_term(int number)
{
    (void)number;
    job_cancel();
}

/* A file without a name. A descriptor, or -1. */
static int nameless(void)
{
    const char *folder = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) { /* not every file system has such files */
        char *path = xasprintf("%s/faxd-XXXXXX", folder);
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0)
            unlink(path);
        free(path);
    }
    return fd;
}

static bool write_all(int fd, const char *octets, size_t size)
{
    while (size > 0) {
        ssize_t put = write(fd, octets, size);
        if (put < 0 && errno != EINTR)
            return false;
        octets += put > 0 ? put : 0;
        size -= put > 0 ? (size_t)put : 0;
    }
    return true;
}

/* Standard input into a file, since a try that fails sends it again. A descriptor, or -1. */
static int keep_input(void)
{
    char room[64 << 10];
    int fd = nameless();
    ssize_t got = -1;
    while (fd >= 0 && (got = read(STDIN_FILENO, room, sizeof room)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || !write_all(fd, room, (size_t)got))
            break;
    }
    if (fd >= 0 && got != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void add_path(struct job *job, int fd)
{
    job->paths = xrealloc(job->paths, (size_t)(job->path_count + 1) * sizeof *job->paths);
    job->paths[job->path_count++] = xasprintf("/proc/self/fd/%d", fd);
}

/* Where the first PDF ends and another begins; the end when there is no other. */
static size_t end_of_pdf(const char *octets, size_t size)
{
    const char *at = octets, *end = octets + size;
    while ((at = memmem(at, (size_t)(end - at), "%%EOF", 5)) != NULL) {
        at += 5;
        while (at < end && memchr(" \t\r\n\f", *at, 6) != NULL)
            at++;
        if (end - at >= 5 && memcmp(at, "%PDF-", 5) == 0)
            return (size_t)(at - octets);
    }
    return size;
}

/* Several files of one job, and banners, come behind each other: of two PDFs in one file only the last would be seen.
 * Each gets a file of its own. False = the disk does not take them. */
static bool split(struct job *job, int fd, size_t size)
{
    char *octets = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    bool good = octets != MAP_FAILED;
    if (!good || size < 5 || memcmp(octets, "%PDF-", 5) != 0 || end_of_pdf(octets, size) == size) {
        add_path(job, fd);
        if (good)
            munmap(octets, size);
        return true;
    }
    for (size_t from = 0, length; good && from < size; from += length) {
        int part = nameless(); /* open until this process ends */
        length = end_of_pdf(octets + from, size - from);
        good = part >= 0 && write_all(part, octets + from, length);
        if (good)
            add_path(job, part);
    }
    munmap(octets, size);
    return good;
}

/* The documents as something that can be opened. JOB_DONE, or else with the reason said: a disk that is full today is
 * not full for ever. */
static enum job_end open_documents(struct job *job, const char *path)
{
    struct stat about;
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : keep_input();
    if (fd < 0 || fstat(fd, &about) != 0 || (about.st_size > 0 && !split(job, fd, (size_t)about.st_size))) {
        job_say("ERROR", "The document cannot be read or kept: %s", strerror(errno));
        return JOB_RETRY;
    }
    if (about.st_size == 0) {
        job_say("ERROR", "The document is empty.");
        return JOB_CANCEL;
    }
    return JOB_DONE;
}

static enum job_end run(struct job *job, const char *server, int copies)
{
    const char *key_file = json_string_value(json_object_get(job->query, "key-file"));
    struct client *client = NULL;
    enum job_end end = JOB_STOP;
    if (account_open_with(&client, server, key_file != NULL ? key_file : KEY_FILE) != 0) {
        job_say("STATE", "+com.faxd.key-error");
        job_say("ERROR", "%s", err_message());
    } else {
        if (copies > 1)
            job_say("DEBUG", "%d copies are asked for, a fax is sent once.", copies);
        end = job_send(job, client);
    }
    client_close(client);
    return end;
}

static int discover(void)
{
    return puts("network faxd:/ \"faxd Fax\" \"Fax by faxd on this machine\" "
                "\"MFG:faxd;MDL:Fax;CMD:PDF;CLS:PRINTER;\"") >= 0
               ? JOB_DONE
               : 1;
}

int main(int argc, char **argv)
{
    const char *uri = getenv("DEVICE_URI"), *printer = getenv("PRINTER");
    const struct sigaction on_cancel = {.sa_handler = on_term};
    struct job job = {.printer = printer != NULL ? printer : "fax"};
    char *server = NULL;
    signal(SIGPIPE, SIG_IGN);
    log_open("faxd-cups", LOG_LEVEL_ERROR);
    if (argc == 1)
        return discover();
    if (argc < 6 || argc > 7) {
        fprintf(stderr, "Usage: %s job-id user title copies options [file]\n", argv[0]);
        return 1;
    }
    if (words_of_uri(&server, &job.query, uri != NULL ? uri : argv[0]) != 0) {
        job_say("ERROR", "%s", err_message());
        return JOB_STOP;
    }
    job.id = argv[1];
    job.user = argv[2];
    job.title = argv[3];
    job.options = words_of_options(argv[5]);
    const char *wait = json_string_value(json_object_get(job.query, "wait"));
    if (wait != NULL && strcmp(wait, "yes") == 0)
        sigaction(SIGTERM, &on_cancel, NULL);
    enum job_end end = open_documents(&job, argc == 7 ? argv[6] : NULL);
    if (end == JOB_DONE)
        end = run(&job, server, (int)strtol(argv[4], NULL, 10));
    if (end == JOB_RETRY)
        job_pause(&job);
    json_decref(job.options);
    json_decref(job.query);
    free(server);
    for (int i = 0; i < job.path_count; i++)
        free(job.paths[i]);
    free(job.paths);
    return (int)end;
}
