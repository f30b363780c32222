/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "tests/fsp/call_pair.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <tiffio.h>
#include <unistd.h>

#include "server/base/err.h"

void pair_init(struct pair *pair, const char *work, const char *document)
{
    struct pair_end *sender = &pair->ends[PAIR_SENDER], *receiver = &pair->ends[PAIR_RECEIVER];

    memset(pair, 0, sizeof *pair);
    snprintf(pair->document, sizeof pair->document, "%s", document);
    snprintf(pair->received, sizeof pair->received, "%s/received.tif", work);
    snprintf(sender->journal_path, sizeof sender->journal_path, "%s/sender.journal", work);
    snprintf(receiver->journal_path, sizeof receiver->journal_path, "%s/receiver.journal", work);
    sender->job =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:[{s:s,s:i}]}", "role", "caller", "direction", "send", "carrier", "audio",
                  "media", "stream", "station_id", "+15550001", "files", "resolution", "fine", "width", 1728);
    receiver->job = json_pack("{s:s,s:s,s:s,s:s,s:s}", "role", "answerer", "direction", "receive", "carrier", "audio",
                              "media", "stream", "station_id", "+15550002");
    assert(sender->job && receiver->job);
    sender->media = sender->rtcp = receiver->media = receiver->rtcp = -1;
}

static void start_end(struct pair_end *end, struct engine *engine, int media, int rtcp, const char *path, int flags)
{
    int file = open(path, flags | O_CLOEXEC, 0600);
    int journal = open(end->journal_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    int error;

    assert(file >= 0 && journal >= 0);
    error = engine_start(&end->call, engine, end->job, media, rtcp, journal, &file, 1);
    if (error)
        fprintf(stderr, "engine_start: %s\n", err_message());
    assert(error == 0);
    close(file);
    close(journal);
}

void pair_start(struct pair *pair, struct engine *sender, struct engine *receiver)
{
    int media[2];

    assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, media) == 0);
    start_end(&pair->ends[PAIR_SENDER], sender, media[0], -1, pair->document, O_RDONLY);
    start_end(&pair->ends[PAIR_RECEIVER], receiver, media[1], -1, pair->received, O_RDWR | O_CREAT | O_TRUNC);
    close(media[0]);
    close(media[1]);
}

void pair_start_side(struct pair *pair, enum pair_side side, struct engine *engine)
{
    struct pair_end *end = &pair->ends[side];

    if (side == PAIR_SENDER)
        start_end(end, engine, end->media, end->rtcp, pair->document, O_RDONLY);
    else
        start_end(end, engine, end->media, end->rtcp, pair->received, O_RDWR | O_CREAT | O_TRUNC);
}

static void take_event(struct pair_end *end, json_t *event)
{
    const char *name = json_string_value(json_object_get(event, "event"));
    size_t used = strlen(end->phases), heard = strlen(end->tones);

    if (strcmp(name, "ended") == 0)
        end->record = json_incref(json_object_get(event, "record"));
    else if (strcmp(name, "page") == 0)
        end->pages = (int)json_integer_value(json_object_get(event, "page"));
    else if (strcmp(name, "trained") == 0)
        end->trained = true;
    else if (strcmp(name, "tone") == 0)
        snprintf(end->tones + heard, sizeof end->tones - heard, "%s ",
                 json_string_value(json_object_get(event, "tone")));
    else
        snprintf(end->phases + used, sizeof end->phases - used, "%s ",
                 json_string_value(json_object_get(event, "phase")));
    json_decref(event);
}

void pair_follow(struct pair_end *end, int timeout_ms, bool (*until)(const struct pair_end *end))
{
    json_t *event;
    int error;

    while (!end->record && !end->gone && !(until && until(end))) {
        error = engine_wait(end->call, &event, timeout_ms);
        assert(error == 0 || error == ERR_CLOSED);
        if (error == 0)
            take_event(end, event);
        else
            end->gone = true;
    }
}

void pair_peek(struct pair_end *end)
{
    json_t *event;
    int error = 0;

    while (!end->record && !end->gone && (error = engine_wait(end->call, &event, 0)) == 0)
        take_event(end, event);
    assert(error == 0 || error == ERR_AGAIN || error == ERR_CLOSED);
    end->gone = end->gone || error == ERR_CLOSED;
}

void pair_finish(struct pair *pair)
{
    json_t *event;
    int i;

    for (i = 0; i < 2; i++) {
        pair_follow(&pair->ends[i], 60000, NULL);
        if (!pair->ends[i].gone) /* the journal's X follows the record, the end of the socket follows X */
            assert(engine_wait(pair->ends[i].call, &event, 10000) == ERR_CLOSED);
        assert(journal_read(&pair->ends[i].journal, pair->ends[i].journal_path) == 0);
    }
}

/* Whose child the process `pid` is, and when it started, in ticks of the machine; -1 when it is dead. */
static int parent_of(const char *pid, unsigned long long *start)
{
    char path[300], line[512];
    const char *end;
    int parent = -1;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    if (!(file = fopen(path, "r")))
        return -1;
    if (fgets(line, sizeof line, file) && (end = strrchr(line, ')')) != NULL && end[2] != 'Z' &&
        sscanf(end + 3, "%d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &parent,
               start) != 2)
        parent = -1;
    fclose(file);
    return parent;
}

int pair_child_of(int parent)
{
    unsigned long long start, newest = 0;
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    int child = 0;

    assert(folder);
    /* By age, since numbers begin again from the bottom when they are used up. */
    while ((entry = readdir(folder)) != NULL)
        if (atoi(entry->d_name) > 0 && parent_of(entry->d_name, &start) == parent && start >= newest) {
            newest = start;
            child = atoi(entry->d_name);
        }
    closedir(folder);
    return child;
}

void pair_clear(struct pair *pair)
{
    int i;

    for (i = 0; i < 2; i++) {
        engine_call_free(pair->ends[i].call);
        json_decref(pair->ends[i].job);
        json_decref(pair->ends[i].record);
        unlink(pair->ends[i].journal_path);
    }
    unlink(pair->received);
}

const char *pair_text(const struct pair_end *end, const char *key)
{
    const char *text = json_string_value(json_object_get(end->record, key));

    return text ? text : "";
}

long long pair_number(const struct pair_end *end, const char *key)
{
    const json_t *item = json_object_get(end->record, key);

    return json_is_integer(item) ? json_integer_value(item) : -1;
}

bool pair_true(const struct pair_end *end, const char *key)
{
    return json_is_true(json_object_get(end->record, key));
}

static bool same_size(TIFF *a, TIFF *b, uint32_t *width, uint32_t *length)
{
    uint32_t width_b = 0, length_b = 0;

    *width = *length = 0;
    TIFFGetField(a, TIFFTAG_IMAGEWIDTH, width);
    TIFFGetField(a, TIFFTAG_IMAGELENGTH, length);
    TIFFGetField(b, TIFFTAG_IMAGEWIDTH, &width_b);
    TIFFGetField(b, TIFFTAG_IMAGELENGTH, &length_b);
    return *width == width_b && *length == length_b && *width > 0 && *length > 0;
}

static bool same_page(TIFF *a, TIFF *b)
{
    uint32_t width, length, row;
    uint16_t photo_a = PHOTOMETRIC_MINISWHITE, photo_b = PHOTOMETRIC_MINISWHITE;
    uint8_t row_a[1024], row_b[1024];
    size_t i, octets;
    bool same = same_size(a, b, &width, &length);

    TIFFGetField(a, TIFFTAG_PHOTOMETRIC, &photo_a);
    TIFFGetField(b, TIFFTAG_PHOTOMETRIC, &photo_b);
    octets = (width + 7) / 8;
    assert(octets <= sizeof row_a);
    for (row = 0; same && row < length; row++) {
        same = TIFFReadScanline(a, row_a, row, 0) > 0 && TIFFReadScanline(b, row_b, row, 0) > 0;
        for (i = 0; same && photo_a != photo_b && i < octets; i++)
            row_b[i] = (uint8_t)~row_b[i];
        same = same && memcmp(row_a, row_b, octets) == 0;
    }
    return same;
}

int pair_same_pages(const char *path, const char *original)
{
    TIFF *a = TIFFOpen(path, "r"), *b = TIFFOpen(original, "r");
    int pages = a && b ? 0 : -1;

    while (pages >= 0) {
        if (!same_page(a, b)) {
            pages = -1;
            break;
        }
        pages++;
        if (TIFFLastDirectory(a))
            break;
        if (TIFFReadDirectory(a) != 1 || TIFFReadDirectory(b) != 1)
            pages = -1;
    }
    if (a)
        TIFFClose(a);
    if (b)
        TIFFClose(b);
    return pages;
}

static void copy_page(TIFF *to, TIFF *from)
{
    uint32_t width = 0, length = 0, row;
    uint16_t photometric = PHOTOMETRIC_MINISWHITE;
    uint8_t octets[1024];

    TIFFGetField(from, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(from, TIFFTAG_IMAGELENGTH, &length);
    TIFFGetField(from, TIFFTAG_PHOTOMETRIC, &photometric);
    TIFFSetField(to, TIFFTAG_IMAGEWIDTH, width);
    TIFFSetField(to, TIFFTAG_IMAGELENGTH, length);
    TIFFSetField(to, TIFFTAG_PHOTOMETRIC, photometric);
    TIFFSetField(to, TIFFTAG_BITSPERSAMPLE, 1);
    TIFFSetField(to, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(to, TIFFTAG_COMPRESSION, COMPRESSION_CCITTFAX4);
    TIFFSetField(to, TIFFTAG_ROWSPERSTRIP, length);
    TIFFSetField(to, TIFFTAG_XRESOLUTION, 204.0);
    TIFFSetField(to, TIFFTAG_YRESOLUTION, 196.0);
    TIFFSetField(to, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
    for (row = 0; row < length; row++) {
        assert(TIFFReadScanline(from, octets, row, 0) > 0);
        assert(TIFFWriteScanline(to, octets, row, 0) > 0);
    }
    assert(TIFFWriteDirectory(to));
}

void pair_make_short_document(const char *path, int pages, int rows)
{
    TIFF *to = TIFFOpen(path, "w");
    uint8_t octets[216];
    int page, row, i;

    assert(to);
    for (page = 0; page < pages; page++) {
        TIFFSetField(to, TIFFTAG_IMAGEWIDTH, 1728);
        TIFFSetField(to, TIFFTAG_IMAGELENGTH, rows);
        TIFFSetField(to, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
        TIFFSetField(to, TIFFTAG_BITSPERSAMPLE, 1);
        TIFFSetField(to, TIFFTAG_SAMPLESPERPIXEL, 1);
        TIFFSetField(to, TIFFTAG_COMPRESSION, COMPRESSION_CCITTFAX4);
        TIFFSetField(to, TIFFTAG_ROWSPERSTRIP, rows);
        TIFFSetField(to, TIFFTAG_XRESOLUTION, 204.0);
        TIFFSetField(to, TIFFTAG_YRESOLUTION, 196.0);
        TIFFSetField(to, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
        for (row = 0; row < rows; row++) {
            memset(octets, 0, sizeof octets);
            for (i = 10 + page; i < 200; i += 11 + page)
                octets[i + (row / 8) % 5] = (uint8_t)(0xF0 >> (row % 4));
            assert(TIFFWriteScanline(to, octets, (uint32_t)row, 0) > 0);
        }
        assert(TIFFWriteDirectory(to));
    }
    TIFFClose(to);
}

void pair_make_document(const char *path, const char *const *sources, int source_count, int pages)
{
    TIFF *to = TIFFOpen(path, "w");
    int i;

    assert(to);
    for (i = 0; i < pages; i++) {
        TIFF *from = TIFFOpen(sources[i % source_count], "r");
        assert(from);
        copy_page(to, from);
        TIFFClose(from);
    }
    TIFFClose(to);
}
