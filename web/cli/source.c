/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The documents of `fax send`, between the file system and the form that client.c posts. */
#include "config.h"

#include "web/cli/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/log.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define FIRST_ROOM (64 << 10)

static int complain(const struct source *source, const char *why)
{
    text_complain("cannot read %s: %s", strcmp(source->path, "-") == 0 ? "standard input" : source->path, why);
    return VERDICT_DOCUMENT;
}

static int read_all(struct source *source, int fd)
{
    size_t room = FIRST_ROOM;
    ssize_t got;
    source->octets = xmalloc(room);
    while ((got = read(fd, source->octets + source->size, room - source->size)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return complain(source, strerror(errno));
        source->size += (size_t)got;
        if (source->size > SOURCE_MEMORY_MAX)
            return complain(source, "it is too long for a fax");
        if (source->size == room)
            source->octets = xrealloc(source->octets, room *= 2);
    }
    return source->size > 0 ? VERDICT_OK : complain(source, "it is empty");
}

int source_open(struct source *source, const char *path)
{
    bool is_input = strcmp(path, "-") == 0;
    struct stat about;
    int verdict = VERDICT_OK;
    *source = (struct source){.path = path};
    int fd = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &about) != 0)
        verdict = complain(source, strerror(errno));
    else if (S_ISDIR(about.st_mode))
        verdict = complain(source, strerror(EISDIR));
    else if (is_input || !S_ISREG(about.st_mode))
        verdict = read_all(source, fd);
    if (fd >= 0 && !is_input)
        close(fd);
    return verdict;
}

void source_close(struct source *source)
{
    free(source->octets);
    source->octets = NULL;
}

int source_add(const struct source *source, curl_mime *form)
{
    curl_mimepart *part = curl_mime_addpart(form);
    if (part == NULL || curl_mime_name(part, "file") != CURLE_OK || curl_mime_type(part, "image/tiff") != CURLE_OK)
        return 1;
    if (source->octets == NULL)
        return curl_mime_filedata(part, source->path) != CURLE_OK;
    return curl_mime_data(part, source->octets, source->size) != CURLE_OK ||
           curl_mime_filename(part, "document.tif") != CURLE_OK;
}
