/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log, and the allocations that stop the program through it.
 *
 * A line is put together on the stack and leaves in one write(), so that processes sharing standard error or a file
 * never mix within a line.
 */
#include "config.h"

#include "server/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/utf8.h"

#define LINE_SIZE    4096
#define PROGRAM_SIZE 64

static const char *const level_names[] = {[LOG_LEVEL_ERROR] = "error",
                                          [LOG_LEVEL_WARNING] = "warning",
                                          [LOG_LEVEL_INFO] = "info",
                                          [LOG_LEVEL_DEBUG] = "debug"};

static char program_name[PROGRAM_SIZE] = "faxd";
static atomic_int threshold = LOG_LEVEL_INFO;
static pthread_mutex_t lock =
    PTHREAD_MUTEX_INITIALIZER; /* guards `output`: a line must not go to a closed descriptor; and `kept` */
static int output = STDERR_FILENO;

/* A ring of whole lines. */
static struct {
    char *octets; /* NULL = none are kept */
    size_t size, first, used;
} kept;

void log_open(const char *program, enum log_level level)
{
    snprintf(program_name, sizeof program_name, "%s", program);
    log_set_level(level);
}

int log_to_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
    if (fd < 0)
        return err_set(ERR_IO, "cannot open the log file %s: %s", path, strerror(errno));
    pthread_mutex_lock(&lock);
    int old = output;
    output = fd;
    pthread_mutex_unlock(&lock);
    if (old != STDERR_FILENO)
        close(old);
    return 0;
}

void log_set_level(enum log_level level)
{
    atomic_store(&threshold, (int)level);
}

int log_level_parse(enum log_level *level, const char *word)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (strcmp(word, level_names[i]) == 0) {
            *level = (enum log_level)i;
            return 0;
        }
    }
    return err_set(ERR_INVALID, "\"%.40s\" is not a log level: write error, warning, info or debug", word);
}

/* Controls would forge a line; line separators and direction marks would forge what a person sees of it. */
static bool is_printable(uint32_t point)
{
    return point >= 0x20 && !(point >= 0x7F && point <= 0x9F) && !(point >= 0x200B && point <= 0x200F) &&
           !(point >= 0x2028 && point <= 0x202E) && !(point >= 0x2060 && point <= 0x2069) && point != 0xFEFF;
}

/* Append `text` to the line of `used` octets, escaped; what does not fit before `room` is left out. Returns the new
 * length. */
static size_t append_escaped(char *line, size_t used, size_t room, const char *text)
{
    size_t length = strlen(text);
    for (size_t at = 0; at < length;) {
        uint32_t point;
        size_t step = utf8_next(&point, text + at, length - at);
        bool plain = step > 0 && is_printable(point);
        if (step == 0)
            step = 1;
        if (used + (plain ? step : 4 * step) > room)
            break;
        for (size_t i = 0; i < step; i++) {
            if (plain)
                line[used++] = text[at + i];
            else
                used += (size_t)sprintf(line + used, "\\x%02x", (unsigned char)text[at + i]);
        }
        at += step;
    }
    return used;
}

void log_keep(unsigned long size_bytes)
{
    char *octets = size_bytes ? xmalloc(size_bytes) : NULL;
    pthread_mutex_lock(&lock);
    free(kept.octets);
    kept.octets = octets;
    kept.size = size_bytes;
    kept.first = kept.used = 0;
    pthread_mutex_unlock(&lock);
}

static char kept_at(size_t place)
{
    return kept.octets[(kept.first + place) % kept.size];
}

/* Locked. The oldest lines make room. */
static void keep_line(const char *line, size_t length)
{
    if (!kept.octets || length > kept.size)
        return;
    while (kept.used + length > kept.size) {
        size_t end = 0;
        while (kept_at(end) != '\n')
            end++;
        kept.first = (kept.first + end + 1) % kept.size;
        kept.used -= end + 1;
    }
    for (size_t i = 0; i < length; i++)
        kept.octets[(kept.first + kept.used + i) % kept.size] = line[i];
    kept.used += length;
}

/* Locked. Where the last `lines` lines begin. */
static size_t tail_begin(int lines)
{
    size_t begin = kept.used;
    for (size_t at = kept.used; at > 0 && lines >= 0; at--) {
        if (kept_at(at - 1) == '\n' && lines-- == 0)
            break;
        begin = at - 1;
    }
    return begin;
}

char *log_tail(int lines)
{
    pthread_mutex_lock(&lock);
    size_t begin = tail_begin(lines), length = kept.used - begin;
    char *text = malloc(length + 1);
    for (size_t i = 0; text && i < length; i++)
        text[i] = kept_at(begin + i);
    if (text)
        text[length] = '\0';
    pthread_mutex_unlock(&lock);
    return text ? text : xstrdup("");
}

static void write_line(const char *line, size_t length)
{
    pthread_mutex_lock(&lock);
    keep_line(line, length);
    while (length > 0) {
        ssize_t written = write(output, line, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break; /* a log that cannot be written must not stop the faxes */
        line += written;
        length -= (size_t)written;
    }
    pthread_mutex_unlock(&lock);
}

void log_write(enum log_level level, const char *fmt, ...)
{
    if ((int)level > atomic_load_explicit(&threshold, memory_order_relaxed))
        return;
    int saved = errno; /* callers log between a system call and their look at errno */
    char text[LINE_SIZE], line[LINE_SIZE + PROGRAM_SIZE], time_text[CLOCK_TEXT_SIZE];
    va_list args;
    va_start(args, fmt);
    if (vsnprintf(text, sizeof text, fmt, args) < 0)
        text[0] = '\0';
    va_end(args);
    int head = snprintf(line, sizeof line, "%s %s ", clock_format(time_text, clock_now_ms()), level_names[level]);
    size_t used = append_escaped(line, (size_t)head, LINE_SIZE - 3, program_name);
    line[used++] = ':';
    line[used++] = ' ';
    used = append_escaped(line, used, LINE_SIZE - 1, text);
    line[used++] = '\n';
    write_line(line, used);
    errno = saved;
}

static void *or_stop(void *memory)
{
    if (memory)
        return memory;
    log_error("out of memory");
    _exit(EX_OSERR);
}

void *xmalloc(unsigned long size_bytes)
{
    return or_stop(malloc(size_bytes ? size_bytes : 1));
}

void *xcalloc(unsigned long count, unsigned long size_bytes)
{
    return or_stop(calloc(count ? count : 1, size_bytes ? size_bytes : 1));
}

void *xrealloc(void *old, unsigned long size_bytes)
{
    return or_stop(realloc(old, size_bytes ? size_bytes : 1));
}

char *xstrdup(const char *text)
{
    return or_stop(strdup(text));
}

char *xasprintf(const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    int length = vasprintf(&text, fmt, args);
    va_end(args);
    return or_stop(length < 0 ? NULL : text);
}
