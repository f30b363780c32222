/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The call journal. The engine writes it beside the call; faxd reads it when the engine's own record did not come.
 *
 * The order of marks against frames on the wire is the whole point: E is on disk before the final command leaves, so
 * that a journal without E proves that the far end cannot hold a complete fax.
 */
#include "config.h"

#include "server/base/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/str.h"

#define READ_MAX  (1 << 20)
#define LINE_SIZE 48 /* the longest line is "R 2147483647 9223372036854775807" */

static bool needs_sync(enum journal_mark mark)
{
    switch (mark) {
    case JOURNAL_END_SENT:
    case JOURNAL_FINAL_CONFIRMED:
    case JOURNAL_PAGE_RECEIVED:
        return true;
    case JOURNAL_ANSWERED:
    case JOURNAL_PAGE_CONFIRMED:
    case JOURNAL_END_REFUSED:
    case JOURNAL_RECEIVE_COMPLETE:
    case JOURNAL_CLOSED:
        return false;
    }
    return true;
}

static int write_line(int fd, const char *line, size_t length)
{
    ssize_t written;
    do
        written = write(fd, line, length);
    while (written < 0 && errno == EINTR);
    if (written < 0)
        return err_set(ERR_IO, "cannot write the call journal: %s", strerror(errno));
    if ((size_t)written != length)
        return err_set(ERR_IO, "cannot write the call journal: no room");
    return 0;
}

int journal_write(int fd, enum journal_mark mark, int page, int64_t size_bytes)
{
    if (fd == -1)
        return 0;
    char line[LINE_SIZE];
    int length;
    if (mark == JOURNAL_PAGE_RECEIVED)
        length = snprintf(line, sizeof line, "%c %d %" PRId64 "\n", mark, page, size_bytes);
    else if (mark == JOURNAL_PAGE_CONFIRMED)
        length = snprintf(line, sizeof line, "%c %d\n", mark, page);
    else
        length = snprintf(line, sizeof line, "%c\n", mark);
    int rc = write_line(fd, line, (size_t)length);
    if (rc == 0 && needs_sync(mark) && fdatasync(fd) != 0)
        rc = err_set(ERR_IO, "cannot sync the call journal: %s", strerror(errno));
    return rc;
}

static void apply_page_received(struct journal_state *state, char *numbers)
{
    int64_t page, size_bytes;
    char *size_text = strchr(numbers, ' ');
    if (!size_text)
        return;
    *size_text++ = '\0';
    if (str_to_int(&page, numbers, 1, INT_MAX) != 0 || str_to_int(&size_bytes, size_text, 0, INT64_MAX) != 0)
        return;
    if (page < state->pages_received)
        return;
    state->pages_received = (int)page;
    state->received_size = size_bytes;
}

static void apply_page_confirmed(struct journal_state *state, const char *number)
{
    int64_t page;
    if (str_to_int(&page, number, 1, INT_MAX) == 0 && page > state->pages_confirmed)
        state->pages_confirmed = (int)page;
}

static void apply_plain(struct journal_state *state, enum journal_mark mark)
{
    switch (mark) {
    case JOURNAL_ANSWERED:
        state->answered = true;
        break;
    case JOURNAL_END_SENT:
        state->end_sent = true;
        break;
    case JOURNAL_END_REFUSED:
        state->end_sent = false;
        break;
    case JOURNAL_FINAL_CONFIRMED:
        state->final_confirmed = true;
        break;
    case JOURNAL_RECEIVE_COMPLETE:
        state->receive_complete = true;
        break;
    case JOURNAL_CLOSED:
        state->closed = true;
        break;
    case JOURNAL_PAGE_CONFIRMED:
    case JOURNAL_PAGE_RECEIVED:
        break; /* these carry numbers: a bare letter is a damaged line */
    }
}

/* `line` is one whole line without its newline. What is not exactly one of ours is left out. */
static void apply_line(struct journal_state *state, char *line)
{
    if (line[0] == '\0')
        return;
    if (line[1] == '\0')
        apply_plain(state, (enum journal_mark)line[0]);
    else if (strncmp(line, "P ", 2) == 0)
        apply_page_confirmed(state, line + 2);
    else if (strncmp(line, "R ", 2) == 0)
        apply_page_received(state, line + 2);
}

/* Lines are put together octet by octet; one that is too long or holds a NUL is damaged and skipped to its newline. */
struct line_reader {
    char line[LINE_SIZE];
    size_t length;
    bool damaged;
};

static void feed(struct line_reader *reader, struct journal_state *state, const char *octets, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (octets[i] == '\n') {
            reader->line[reader->length] = '\0';
            if (!reader->damaged)
                apply_line(state, reader->line);
            reader->length = 0;
            reader->damaged = false;
        } else if (octets[i] == '\0' || reader->length == LINE_SIZE - 1) {
            reader->damaged = true;
        } else {
            reader->line[reader->length++] = octets[i];
        }
    }
}

int journal_read(struct journal_state *state, const char *path)
{
    *state = (struct journal_state){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return err_set(ERR_IO, "cannot open the call journal %s: %s", path, strerror(errno));
    struct line_reader reader = {0};
    char chunk[4096];
    int rc = 0;
    for (size_t total = 0; total < READ_MAX;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            rc = err_set(ERR_IO, "cannot read the call journal %s: %s", path, strerror(errno));
        if (got <= 0)
            break;
        feed(&reader, state, chunk, (size_t)got);
        total += (size_t)got;
    }
    close(fd);
    return rc;
}

int journal_hold(int fd)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return err_set(errno == EWOULDBLOCK ? ERR_CONFLICT : ERR_IO, "cannot lock the call journal: %s", strerror(errno));
}

bool journal_is_held(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    bool held = flock(fd, LOCK_EX | LOCK_NB) != 0;
    close(fd);
    return held;
}
