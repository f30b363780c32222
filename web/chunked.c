/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chunked request bodies, decoded by the gate before anything looks at them. Strict where laxness has been used to
 * smuggle requests: lines end with CR LF, sizes are plain hexadecimal. Extensions and trailers are read over. */
#include "web/chunked.h"

#include "server/base/err.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES    256
#define TRAILER_MAX_BYTES 4096

/* The next line without its end, ended with NUL. 1, 0 (not whole yet) or ERR_INVALID. */
static int take_line(struct evbuffer *in, char line[LINE_MAX_BYTES + 1], size_t *length)
{
    struct evbuffer_ptr end = evbuffer_search(in, "\r\n", 2, NULL);

    if (end.pos < 0)
        return evbuffer_get_length(in) > LINE_MAX_BYTES
                   ? err_set(ERR_INVALID, "chunk line over %d octets", LINE_MAX_BYTES)
                   : 0;
    if (end.pos > LINE_MAX_BYTES)
        return err_set(ERR_INVALID, "chunk line over %d octets", LINE_MAX_BYTES);
    *length = (size_t)end.pos;
    evbuffer_remove(in, line, *length);
    line[*length] = '\0';
    evbuffer_drain(in, 2);
    return 1;
}

static int parse_size(uint64_t *size, const char *line)
{
    size_t digits = strspn(line, "0123456789abcdefABCDEF");
    size_t end = digits + strspn(line + digits, " \t");

    if (digits == 0 || digits > 15 || (line[end] != '\0' && line[end] != ';'))
        return err_set(ERR_INVALID, "chunk size is not a hexadecimal number");
    *size = strtoull(line, NULL, 16);
    return 0;
}

static int read_size(struct chunked *chunked, struct evbuffer *in)
{
    char line[LINE_MAX_BYTES + 1];
    size_t length;
    int result = take_line(in, line, &length);

    if (result <= 0)
        return result;
    if ((result = parse_size(&chunked->left, line)) < 0)
        return result;
    chunked->state = chunked->left > 0 ? CHUNKED_DATA : CHUNKED_TRAILER;
    return 1;
}

static int read_data(struct chunked *chunked, struct evbuffer *in, struct evbuffer *out)
{
    size_t have = evbuffer_get_length(in);
    size_t take = chunked->left < have ? (size_t)chunked->left : have;

    if (take == 0)
        return 0;
    evbuffer_remove_buffer(in, out, take);
    chunked->left -= take;
    if (chunked->left == 0)
        chunked->state = CHUNKED_DATA_END;
    return 1;
}

static int read_data_end(struct chunked *chunked, struct evbuffer *in)
{
    char end[2];

    if (evbuffer_get_length(in) < 2)
        return 0;
    evbuffer_remove(in, end, 2);
    if (memcmp(end, "\r\n", 2) != 0)
        return err_set(ERR_INVALID, "chunk data does not end where its size says");
    chunked->state = CHUNKED_SIZE;
    return 1;
}

static int read_trailer(struct chunked *chunked, struct evbuffer *in)
{
    char line[LINE_MAX_BYTES + 1];
    size_t length;
    int result = take_line(in, line, &length);

    if (result <= 0)
        return result;
    chunked->trailer_bytes += length + 2;
    if (chunked->trailer_bytes > TRAILER_MAX_BYTES)
        return err_set(ERR_INVALID, "trailer over %d octets", TRAILER_MAX_BYTES);
    if (length == 0)
        chunked->state = CHUNKED_DONE;
    return 1;
}

int chunked_decode(struct chunked *chunked, struct evbuffer *in, struct evbuffer *out)
{
    int result = 1;

    while (result > 0) {
        switch (chunked->state) {
        case CHUNKED_SIZE:
            result = read_size(chunked, in);
            break;
        case CHUNKED_DATA:
            result = read_data(chunked, in, out);
            break;
        case CHUNKED_DATA_END:
            result = read_data_end(chunked, in);
            break;
        case CHUNKED_TRAILER:
            result = read_trailer(chunked, in);
            break;
        case CHUNKED_DONE:
            return 1;
        }
    }
    return result;
}
